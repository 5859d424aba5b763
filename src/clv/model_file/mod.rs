//! A fitted model as a file: small, versioned, readable, and the same predictions after it is read again.

mod document;
mod draws;
mod part;
mod pretty;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::document::bad;
pub use self::document::{Document, Kind};
pub use self::draws::{DrawnModel, Draws};
use self::part::part;
pub use self::part::{Part, SpendName};

use super::family::{ModelName, PurchaseFit, parameter_names, with_parameters};
use super::gamma_gamma::GammaGamma;
use super::model::{Fit, Parametric, PurchaseModel};
use crate::calendar::Day;
use crate::error::{Error, Result};

/// A fitted model of purchases, and one of spend beside it, as they are kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// What it was fitted to.
    pub fitted_to: FittedTo,
    /// The model of purchases.
    pub purchases: Part<ModelName>,
    /// The model of spend, where the customers had money and it could be fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Part<SpendName>>,
    /// Draws of the parameters, for intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draws: Option<Draws>,
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
            fitted_to,
            purchases: part(purchases.name(), report)?,
            spend: spend.map(|fit| part(SpendName::GammaGamma, &fit.report)).transpose()?,
            draws: None,
        })
    }

    /// The file as it is written.
    pub fn document(&self) -> Document<'_, ModelFile> {
        Document::new(Kind::Purchases, self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is no model, is of another version or says what cannot be, with file, key, value and
    /// remedy.
    pub fn read(path: &Path) -> Result<ModelFile> {
        ModelFile::parse(&path.display().to_string(), &document::read(path)?)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// As for [`ModelFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<ModelFile> {
        let (kind, value) = document::open(name, text)?;
        let Kind::Purchases = kind;
        let file: ModelFile =
            serde_json::from_value(value).map_err(|e| bad(name, format!("it says what cannot be: {e}")))?;
        file.model().map_err(|problem| bad(name, problem))?;
        file.spend_model().map_err(|problem| bad(name, problem))?;
        file.drawn_models().map_err(|problem| bad(name, problem))?;
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

    /// The models at every draw of the parameters, if the file has draws.
    ///
    /// # Errors
    /// The problem in words.
    pub fn drawn_models(&self) -> Result<Option<DrawnModels>, String> {
        let Some(draws) = &self.draws else { return Ok(None) };
        let unit = self.purchases.unit.ok_or("\"unit\" of the model of purchases is missing")?;
        let purchases = draws.purchase_models(self.purchases.model, unit)?;
        let spend = draws.spend_models()?;
        if spend.is_some() != self.spend.is_some() {
            return Err("there are draws of spend without a model of it, or none with one".to_string());
        }
        Ok(Some(DrawnModels { purchases, spend }))
    }
}

/// The models at every draw of the parameters.
pub struct DrawnModels {
    /// Of purchases.
    pub purchases: Vec<Box<dyn PurchaseModel>>,
    /// As many of spend, where the file has a model of it.
    pub spend: Option<Vec<GammaGamma>>,
}
