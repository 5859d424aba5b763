//! A model of purchases with covariates as a file: parameters at the covariates' means and reference levels, and what
//! each covariate does.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{self, Document, Kind, bad};
use super::part::{BOUNDS, Part, SpendName, part, within};
use super::spend::{FittedMoney, kept, money_of, spend_model};
use super::{FittedTo, no_model, purchase_model};
use crate::clv::covariates::{CovariateReport, Effects, check_takes_covariates, shifted_parameters};
use crate::clv::family::{ModelName, parameter_names, with_parameters};
use crate::clv::gamma_gamma::GammaGamma;
use crate::clv::model::{Fit, PurchaseModel};
use crate::customers::Money;
use crate::error::{Error, Result};

/// A fitted model of purchases with covariates, and one of spend beside it, as they are kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CovariatesFile {
    /// What it was fitted to.
    pub fitted_to: FittedTo,
    /// The model of purchases at the means of numeric covariates and the reference levels of categorical ones.
    pub purchases: Part<ModelName>,
    /// What each covariate does.
    pub covariates: Effects,
    /// What the fit said of coefficients and likelihoods: for readers; nothing is computed from it.
    pub coefficients: Value,
    /// The model of spend, where the customers had money and it could be fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Part<SpendName>>,
    /// Which money that is; `monetary_value` unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<FittedMoney>,
}

impl CovariatesFile {
    /// The file of a fit with covariates, and of a fit of spend if it is usable.
    ///
    /// # Errors
    /// [`Error::Value`] if the fit is not usable, or its parameters are out of all bounds: there is nothing to predict
    /// from.
    pub fn new(
        model: ModelName,
        report: &CovariateReport,
        effects: Option<&Effects>,
        spend: Option<(&Fit<GammaGamma>, &FittedMoney)>,
        fitted_to: FittedTo,
    ) -> Result<CovariatesFile> {
        let Some(effects) = effects else {
            let problem = report.fit.verdict.sentence();
            let remedy = "leave covariates out, give a penalty, or give more customers";
            return Err(Error::value(
                "the model",
                format!("{} with covariates", model.title()),
                problem,
                remedy,
            ));
        };
        let (spend, money) = kept(spend)?;
        let mut about = serde_json::to_value(report).map_err(|e| Error::internal("writing a model", e))?;
        if let Some(about) = about.as_object_mut() {
            // It stands with the model of purchases.
            about.remove("fit");
        }
        let file = CovariatesFile {
            fitted_to,
            purchases: part(model, &report.fit)?,
            covariates: effects.clone(),
            coefficients: about,
            spend,
            money,
        };
        file.check().map_err(|problem| no_model(model.title(), problem))?;
        Ok(file)
    }

    /// The file as it is written.
    pub fn document(&self) -> Document<'_, CovariatesFile> {
        Document::new(Kind::PurchasesWithCovariates, self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As for [`super::ModelFile::read`].
    pub fn read(path: &Path) -> Result<CovariatesFile> {
        let name = path.display().to_string();
        let (kind, value) = document::open(&name, &document::read(path)?)?;
        kind.expect(Kind::PurchasesWithCovariates, &name)?;
        CovariatesFile::from_value(&name, value)
    }

    pub(super) fn from_value(name: &str, value: Value) -> Result<CovariatesFile> {
        let file: CovariatesFile =
            serde_json::from_value(value).map_err(|e| bad(name, format!("it says what cannot be: {e}")))?;
        file.check().map_err(|problem| bad(name, problem))?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        purchase_model(&self.purchases)?;
        check_takes_covariates(self.purchases.model).map_err(|e| e.to_string())?;
        let effects = self.covariates.purchase.iter().chain(&self.covariates.dropout);
        if let Some(problem) = effects.filter_map(|effect| effect.problem()).next() {
            return Err(problem);
        }
        self.spend_model().map(|_| ())
    }

    /// The model of a customer whose covariates add `purchase` to the logarithm of the purchase rate and `dropout` to that
    /// of dropout.
    ///
    /// # Errors
    /// The problem in words: covariates that lead to a parameter out of all bounds.
    pub fn model_of(&self, purchase: f64, dropout: f64) -> Result<Box<dyn PurchaseModel>, String> {
        let Part { model, unit, .. } = self.purchases;
        let unit = unit.ok_or("\"unit\" of the model of purchases is missing")?;
        let names = parameter_names(model);
        let natural = self.purchases.natural(names, |_| BOUNDS)?;
        let shifted = shifted_parameters(model, &natural, purchase, dropout);
        names.iter().zip(&shifted).try_for_each(|(name, &value)| within(name, value, BOUNDS))?;
        with_parameters(model, &shifted, unit)
            .ok_or_else(|| format!("the parameters of {} are not all positive numbers", model.title()))
    }

    /// Which money the model of spend is about, if there is one.
    pub fn money(&self) -> Option<Money> {
        money_of(self.spend.as_ref(), self.money.as_ref())
    }

    /// The model of spend, if it has one.
    ///
    /// # Errors
    /// The problem in words.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        spend_model(self.spend.as_ref(), self.money.as_ref())
    }
}
