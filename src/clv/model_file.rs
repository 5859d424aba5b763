//! A fitted model as a file: small, versioned, readable, and the same predictions after it is read again.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::family::{ModelName, PurchaseFit, parameter_names, with_parameters};
use super::gamma_gamma::GammaGamma;
use super::model::{Fit, FitReport, Parametric, PurchaseModel};
use crate::calendar::{Day, Unit};
use crate::error::{Error, Result};

/// What the file says it is.
const FORMAT: &str = "tiercast-model";

/// The version of the format.
const VERSION: u64 = 1;

/// A fitted model of purchases, and one of spend beside it, as they are kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    format: String,
    version: u64,
    made_by: String,
    /// What it was fitted to.
    pub fitted_to: FittedTo,
    /// The model of purchases.
    pub purchases: Part<ModelName>,
    /// The model of spend, where the customers had money and it could be fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Part<SpendName>>,
}

/// What a model was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedTo {
    /// The customers' file.
    pub file: String,
    /// Customers.
    pub customers: u64,
    /// The end of calibration, where the file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_end: Option<Day>,
}

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

fn part<N>(model: N, report: &FitReport) -> Result<Part<N>> {
    let parameters = report.parameters.iter().map(|p| (p.name.to_string(), p.estimate)).collect();
    let fit = serde_json::to_value(report).map_err(|e| Error::internal("writing a model", e))?;
    Ok(Part { model, unit: report.unit, parameters, fit })
}

impl ModelFile {
    /// The file of a fit, and of a fit of spend if it is usable.
    ///
    /// # Errors
    /// [`Error::Value`] if the purchase model is not usable: there is nothing to predict from.
    pub fn new(
        purchases: &PurchaseFit,
        spend: Option<&Fit<GammaGamma>>,
        fitted_to: FittedTo,
    ) -> Result<ModelFile> {
        let report = purchases.report();
        if purchases.model().is_none() {
            let problem = report.verdict.sentence();
            return Err(Error::value(
                "the model",
                purchases.name().title(),
                problem,
                "choose another model, or give more customers",
            ));
        }
        let spend = spend.filter(|fit| fit.params.is_some());
        Ok(ModelFile {
            format: FORMAT.to_string(),
            version: VERSION,
            made_by: concat!("tiercast ", env!("CARGO_PKG_VERSION")).to_string(),
            fitted_to,
            purchases: part(purchases.name(), report)?,
            spend: spend.map(|fit| part(SpendName::GammaGamma, &fit.report)).transpose()?,
        })
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`Error::Internal`] for a defect.
    pub fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::internal("writing a model", e))?;
        Ok(text + "\n")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is no model, is of another version or says what cannot be, with file, key, value and
    /// remedy.
    pub fn read(path: &Path) -> Result<ModelFile> {
        let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
            _ => Error::io("read", path, e),
        })?;
        ModelFile::parse(&path.display().to_string(), &text)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// As for [`ModelFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<ModelFile> {
        let remedy = "give a file that `tiercast fit` wrote";
        let bad = |problem: String, remedy: &str| Error::Document {
            file: name.to_string(),
            problem,
            remedy: remedy.to_string(),
        };
        let value: Value =
            serde_json::from_str(text).map_err(|e| bad(format!("it is no JSON: {e}"), remedy))?;
        if value["format"] != FORMAT {
            return Err(bad("it is no model of tiercast".to_string(), remedy));
        }
        match value["version"].as_u64() {
            Some(VERSION) => {}
            version => {
                let said = version.map_or("none".to_string(), |version| version.to_string());
                let problem = format!("its version is {said}, and this tiercast reads version {VERSION}");
                return Err(bad(problem, "fit the model again with this tiercast"));
            }
        }
        let file: ModelFile =
            serde_json::from_value(value).map_err(|e| bad(format!("it says what cannot be: {e}"), remedy))?;
        file.model().map_err(|problem| bad(problem, remedy))?;
        file.spend_model().map_err(|problem| bad(problem, remedy))?;
        Ok(file)
    }

    /// The model of purchases; why there is none, for a file that somebody edited.
    ///
    /// # Errors
    /// The problem in words.
    pub fn model(&self) -> Result<Box<dyn PurchaseModel>, String> {
        let Part { model, unit, .. } = self.purchases;
        let natural = self.purchases.natural(parameter_names(model))?;
        let unit = unit.ok_or("\"unit\" of the model of purchases is missing")?;
        with_parameters(model, &natural, unit)
            .ok_or_else(|| format!("the parameters of {} are not all positive numbers", model.title()))
    }

    /// The model of spend, if it has one.
    ///
    /// # Errors
    /// The problem in words.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        let Some(part) = &self.spend else { return Ok(None) };
        let natural = part.natural(GammaGamma::NAMES)?;
        if natural.iter().any(|value| !(value.is_finite() && *value > 0.0)) {
            return Err(format!("the parameters of {} are not all positive numbers", GammaGamma::MODEL));
        }
        Ok(Some(GammaGamma { p: natural[0], q: natural[1], gamma: natural[2] }))
    }
}

impl<N> Part<N> {
    /// The parameters in the order of `names`, which must be all there are.
    fn natural(&self, names: &[&str]) -> Result<Vec<f64>, String> {
        if let Some(other) = self.parameters.keys().find(|name| !names.contains(&name.as_str())) {
            return Err(format!("there is no parameter \"{other}\", only {}", names.join(", ")));
        }
        let value = |name: &&str| {
            self.parameters.get(*name).copied().ok_or(format!("the parameter \"{name}\" is missing"))
        };
        names.iter().map(value).collect()
    }
}
