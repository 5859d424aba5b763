//! A fitted model as a file: small, versioned, readable, and the same predictions after it is read again.
//!
//! There are three kinds: [`ModelFile`] holds purchases and spend, [`ContractFile`] survivors of contracts,
//! [`OpportunitiesFile`] transactions at opportunities; [`AnyModelFile`] is what a file turns out to be.

mod contract;
mod document;
mod drawn;
mod draws;
mod opportunities;
mod part;
mod pretty;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::contract::{ContractFile, ContractName, FittedToCohorts};
pub use self::document::{Document, Kind};
use self::document::{bad, other_kind};
pub use self::drawn::Drawn;
pub use self::draws::{DrawnModel, Draws};
pub use self::opportunities::{FittedToHistory, OpportunitiesFile, OpportunitiesName};
use self::part::{BOUNDS, MONEY_BOUNDS, part};
pub use self::part::{Part, SpendName};

use super::family::{ModelName, PurchaseFit, parameter_names, with_parameters};
use super::gamma_gamma::{Correlation, GammaGamma};
use super::model::{Fit, Parametric, PurchaseModel};
use crate::calendar::Day;
use crate::customers::Money;
use crate::error::{Error, Result};

/// What a file turned out to hold.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyModelFile {
    /// Purchases at any time, and spend.
    Purchases(Box<ModelFile>),
    /// Survivors of contracts.
    Contract(Box<ContractFile>),
    /// Transactions at opportunities.
    Opportunities(Box<OpportunitiesFile>),
}

impl AnyModelFile {
    /// Reads a file of any kind.
    ///
    /// # Errors
    /// As for [`ModelFile::read`], but for the kind.
    pub fn read(path: &Path) -> Result<AnyModelFile> {
        AnyModelFile::parse(&path.display().to_string(), &document::read(path)?)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// As for [`AnyModelFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<AnyModelFile> {
        let (kind, _) = document::open(name, text)?;
        Ok(match kind {
            Kind::Purchases => AnyModelFile::Purchases(Box::new(ModelFile::parse(name, text)?)),
            Kind::Contract => AnyModelFile::Contract(Box::new(ContractFile::parse(name, text)?)),
            Kind::Opportunities => {
                AnyModelFile::Opportunities(Box::new(OpportunitiesFile::parse(name, text)?))
            }
        })
    }
}

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

/// The money that a model of spend was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedMoney {
    /// Its column.
    #[serde(rename = "is")]
    pub money: Money,
    /// How it goes with the number of orders, which the model takes for independent of it: for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Correlation>,
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
            let problem = report.verdict.sentence();
            return Err(Error::value(
                "the model",
                purchases.name().title(),
                problem,
                "choose another model, or give more customers",
            ));
        }
        let spend = spend.filter(|(fit, _)| fit.params.is_some());
        let file = ModelFile {
            fitted_to,
            purchases: part(purchases.name(), report)?,
            spend: spend.map(|(fit, _)| part(SpendName::GammaGamma, &fit.report)).transpose()?,
            money: spend.map(|(_, money)| money.clone()),
            draws: None,
        };
        let out_of_bounds = |title: &str, problem| {
            Error::value("the model", title, problem, "choose another model, or give more customers")
        };
        file.model().map_err(|problem| out_of_bounds(purchases.name().title(), problem))?;
        file.spend_model().map_err(|problem| out_of_bounds(GammaGamma::MODEL, problem))?;
        Ok(file)
    }

    /// Which money the model of spend is about, if there is one.
    pub fn money(&self) -> Option<Money> {
        self.spend.as_ref()?;
        Some(self.money.as_ref().map_or_else(Money::revenue, |fitted| fitted.money.clone()))
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
        if kind != Kind::Purchases {
            return Err(other_kind(name, kind, Kind::Purchases));
        }
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
        let natural = self.purchases.natural(parameter_names(model), |_| BOUNDS)?;
        let unit = unit.ok_or("\"unit\" of the model of purchases is missing")?;
        with_parameters(model, &natural, unit)
            .ok_or_else(|| format!("the parameters of {} are not all positive numbers", model.title()))
    }

    /// The model of spend, if it has one.
    ///
    /// # Errors
    /// The problem in words: also for a mean spend that is infinite.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        let Some(part) = &self.spend else { return Ok(None) };
        let bounds = |name: &str| if name == "gamma" { MONEY_BOUNDS } else { BOUNDS };
        let natural = part.natural(GammaGamma::NAMES, bounds)?;
        let [p, q, gamma] = [natural[0], natural[1], natural[2]];
        if q <= 1.0 {
            return Err(format!(
                "the parameter \"q\" of {} is {q}, not above 1: the mean spend over customers would be infinite",
                GammaGamma::MODEL
            ));
        }
        Ok(Some(GammaGamma { p, q, gamma }))
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
