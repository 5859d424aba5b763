//! A fitted model as a file: small, versioned, readable, and the same predictions after it is read again.
//!
//! There are five kinds: [`ModelFile`] holds purchases and spend, [`GroupsFile`] the same by group, [`CovariatesFile`] with
//! covariates; [`ContractFile`] holds survivors of contracts, [`OpportunitiesFile`] transactions at opportunities.
//! [`AnyModelFile`] is what a file turns out to be.

mod any;
mod contract;
mod covariates;
mod document;
mod drawn;
mod draws;
mod groups;
mod opportunities;
mod part;
mod pretty;
mod spend;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::any::{AnyModelFile, CustomerModel};
pub use self::contract::{ContractFile, ContractName, FittedToCohorts};
pub use self::covariates::CovariatesFile;
use self::document::bad;
pub use self::document::{Document, FORMAT, Kind};
pub use self::drawn::Drawn;
pub use self::draws::{DrawnModel, Draws};
pub use self::groups::{GroupModels, GroupsFile};
pub use self::opportunities::{FittedToHistory, OpportunitiesFile, OpportunitiesName};
use self::part::{BOUNDS, part};
pub use self::part::{Part, SpendName};
pub use self::spend::FittedMoney;
use self::spend::{kept, money_of, spend_model};

use super::family::{ModelName, PurchaseFit, parameter_names, parameters, with_parameters};
use super::gamma_gamma::GammaGamma;
use super::model::{Fit, PurchaseModel};
use super::purchase_parameters::PurchaseParameters;
use crate::calendar::Day;
use crate::customers::Money;
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
    /// Which money that is; `monetary_value` unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<FittedMoney>,
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
    /// The file of a fit, and of a fit of spend (with what it was fitted to) if it is usable.
    ///
    /// # Errors
    /// [`Error::Value`] if the purchase model is not usable, or its parameters are out of all bounds: there is nothing to
    /// predict from.
    pub fn new(
        purchases: &PurchaseFit,
        spend: Option<(&Fit<GammaGamma>, &FittedMoney)>,
        fitted_to: FittedTo,
    ) -> Result<ModelFile> {
        let report = purchases.report();
        if purchases.model().is_none() {
            return Err(unusable(purchases));
        }
        let (spend, money) = kept(spend)?;
        let purchases = part(purchases.name(), report)?;
        let file = ModelFile { fitted_to, purchases, spend, money, draws: None };
        file.model().map_err(|problem| no_model(file.purchases.model.title(), problem))?;
        Ok(file)
    }

    /// Which money the model of spend is about, if there is one.
    pub fn money(&self) -> Option<Money> {
        money_of(self.spend.as_ref(), self.money.as_ref())
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
        file.drawn_models().map_err(|problem| bad(name, problem))?;
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
    /// The problem in words: also for a mean spend that is infinite.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        spend_model(self.spend.as_ref(), self.money.as_ref())
    }

    /// The parameters of the model of purchases.
    ///
    /// # Errors
    /// The problem in words.
    pub fn parameters(&self) -> Result<PurchaseParameters, String> {
        let part = &self.purchases;
        let natural = part.natural(parameter_names(part.model), |_| BOUNDS)?;
        let unit = part.unit.ok_or("\"unit\" of the model of purchases is missing")?;
        parameters(part.model, &natural, unit)
            .ok_or_else(|| format!("the parameters of {} are not all positive numbers", part.model.title()))
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

/// The error of a fit that there is nothing to predict from.
fn unusable(purchases: &PurchaseFit) -> Error {
    no_model(purchases.name().title(), purchases.report().verdict.sentence())
}

/// The error of a model that cannot be kept, and why.
fn no_model(title: &str, problem: String) -> Error {
    Error::value("the model", title, problem, "choose another model, or give more customers")
}

fn purchase_model(part: &Part<ModelName>) -> Result<Box<dyn PurchaseModel>, String> {
    let natural = part.natural(parameter_names(part.model), |_| BOUNDS)?;
    let unit = part.unit.ok_or("\"unit\" of the model of purchases is missing")?;
    with_parameters(part.model, &natural, unit)
        .ok_or_else(|| format!("the parameters of {} are not all positive numbers", part.model.title()))
}
