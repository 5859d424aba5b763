//! One model in a file: its name, its parameters, and what its fit said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calendar::Unit;
use crate::clv::model::FitReport;
use crate::error::{Error, Result};

/// A model's parameters and the report of its fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part<N> {
    /// Which model.
    pub model: N,
    /// The unit of its times, if there are times in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Its parameters by their names in the literature.
    pub parameters: BTreeMap<String, f64>,
    /// What the fit said of itself: for readers; nothing is computed from it.
    pub fit: Value,
}

/// A model of spend's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpendName {
    /// Gamma-Gamma.
    GammaGamma,
}

pub(super) fn part<N>(model: N, report: &FitReport) -> Result<Part<N>> {
    let parameters = report.parameters.iter().map(|p| (p.name.to_string(), p.estimate)).collect();
    let fit = serde_json::to_value(report).map_err(|e| Error::internal("writing a model", e))?;
    Ok(Part { model, unit: report.unit, parameters, fit })
}

/// Between what a parameter lies. No fit ends outside, and formulas are computed in sensible time inside.
pub(super) const BOUNDS: (f64, f64) = (1e-18, 1e18);

/// The same of a parameter in money, whose unit is anybody's.
pub(super) const MONEY_BOUNDS: (f64, f64) = (1e-30, 1e30);

impl<N> Part<N> {
    /// The parameters in the order of `names`, which must be all there are, each within its bounds.
    pub(super) fn natural(
        &self,
        names: &[&str],
        bounds: impl Fn(&str) -> (f64, f64),
    ) -> Result<Vec<f64>, String> {
        natural(&self.parameters, names, bounds)
    }
}

/// Parameters by name in the order of `names`, which must be all there are, each within its bounds.
pub(super) fn natural(
    parameters: &BTreeMap<String, f64>,
    names: &[&str],
    bounds: impl Fn(&str) -> (f64, f64),
) -> Result<Vec<f64>, String> {
    if let Some(other) = parameters.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(format!("there is no parameter \"{other}\", only {}", names.join(", ")));
    }
    let value = |name: &&str| {
        let value = *parameters.get(*name).ok_or(format!("the parameter \"{name}\" is missing"))?;
        within(name, value, bounds(name)).map(|()| value)
    };
    names.iter().map(value).collect()
}

/// Refuses a parameter outside its bounds.
pub(super) fn within(name: &str, value: f64, (low, high): (f64, f64)) -> Result<(), String> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(format!("the parameter \"{name}\" is {value:e}, which is not between {low:e} and {high:e}"))
}
