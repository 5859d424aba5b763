//! A fitted model as a file: small, versioned, readable, and the same predictions after it is read again.

mod any;
mod covariates;
mod document;
mod groups;
mod part;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::any::AnyModelFile;
pub use self::covariates::CovariatesFile;
use self::document::bad;
pub use self::document::{Document, Kind};
pub use self::groups::{GroupModels, GroupsFile};
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
            return Err(unusable(purchases));
        }
        let spend = spend.filter(|fit| fit.params.is_some());
        Ok(ModelFile {
            fitted_to,
            purchases: part(purchases.name(), report)?,
            spend: spend.map(|fit| part(SpendName::GammaGamma, &fit.report)).transpose()?,
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
        kind.expect(Kind::Purchases, name)?;
        ModelFile::from_value(name, value)
    }

    fn from_value(name: &str, value: Value) -> Result<ModelFile> {
        let file: ModelFile =
            serde_json::from_value(value).map_err(|e| bad(name, format!("it says what cannot be: {e}")))?;
        file.model().map_err(|problem| bad(name, problem))?;
        file.spend_model().map_err(|problem| bad(name, problem))?;
        Ok(file)
    }

    /// The model of purchases; why there is none, for a file that somebody edited.
    ///
    /// # Errors
    /// The problem in words.
    pub fn model(&self) -> Result<Box<dyn PurchaseModel>, String> {
        purchase_model(&self.purchases)
    }

    /// The model of spend, if it has one.
    ///
    /// # Errors
    /// The problem in words.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        spend_model(self.spend.as_ref())
    }
}

/// The error of a fit that there is nothing to predict from.
fn unusable(purchases: &PurchaseFit) -> Error {
    let problem = purchases.report().verdict.sentence();
    let remedy = "choose another model, or give more customers";
    Error::value("the model", purchases.name().title(), problem, remedy)
}

fn purchase_model(part: &Part<ModelName>) -> Result<Box<dyn PurchaseModel>, String> {
    let natural = part.natural(parameter_names(part.model))?;
    let unit = part.unit.ok_or("\"unit\" of the model of purchases is missing")?;
    with_parameters(part.model, &natural, unit)
        .ok_or_else(|| format!("the parameters of {} are not all positive numbers", part.model.title()))
}

fn spend_model(part: Option<&Part<SpendName>>) -> Result<Option<GammaGamma>, String> {
    let Some(part) = part else { return Ok(None) };
    let natural = part.natural(GammaGamma::NAMES)?;
    if natural.iter().any(|value| !(value.is_finite() && *value > 0.0)) {
        return Err(format!("the parameters of {} are not all positive numbers", GammaGamma::MODEL));
    }
    Ok(Some(GammaGamma { p: natural[0], q: natural[1], gamma: natural[2] }))
}
