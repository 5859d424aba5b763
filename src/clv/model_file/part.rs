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

impl<N> Part<N> {
    /// The parameters in the order of `names`, which must be all there are.
    pub(super) fn natural(&self, names: &[&str]) -> Result<Vec<f64>, String> {
        natural(&self.parameters, names)
    }
}

/// Parameters by name in the order of `names`, which must be all there are.
pub(super) fn natural(parameters: &BTreeMap<String, f64>, names: &[&str]) -> Result<Vec<f64>, String> {
    if let Some(other) = parameters.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(format!("there is no parameter \"{other}\", only {}", names.join(", ")));
    }
    let value =
        |name: &&str| parameters.get(*name).copied().ok_or(format!("the parameter \"{name}\" is missing"));
    names.iter().map(value).collect()
}
