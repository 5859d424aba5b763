//! A model of purchases with covariates as a file: parameters at the covariates' means and reference levels, and what
//! each covariate does.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{self, Document, Kind, bad};
use super::part::{Part, SpendName, part};
use super::{FittedTo, purchase_model, spend_model};
use crate::clv::covariates::{CovariateReport, Effects, check_takes_covariates, shifted_parameters};
use crate::clv::family::{ModelName, parameter_names, with_parameters};
use crate::clv::gamma_gamma::GammaGamma;
use crate::clv::model::{Fit, PurchaseModel};
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
}

impl CovariatesFile {
    /// The file of a fit with covariates, and of a fit of spend if it is usable.
    ///
    /// # Errors
    /// [`Error::Value`] if the fit is not usable: there is nothing to predict from.
    pub fn new(
        model: ModelName,
        report: &CovariateReport,
        effects: Option<&Effects>,
        spend: Option<&Fit<GammaGamma>>,
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
        let spend = spend.filter(|fit| fit.params.is_some());
        let mut about = serde_json::to_value(report).map_err(|e| Error::internal("writing a model", e))?;
        if let Some(about) = about.as_object_mut() {
            // It stands with the model of purchases.
            about.remove("fit");
        }
        Ok(CovariatesFile {
            fitted_to,
            purchases: part(model, &report.fit)?,
            covariates: effects.clone(),
            coefficients: about,
            spend: spend.map(|fit| part(SpendName::GammaGamma, &fit.report)).transpose()?,
        })
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
    /// of dropout; none where they lead to parameters that are no positive numbers.
    pub fn model_of(&self, purchase: f64, dropout: f64) -> Option<Box<dyn PurchaseModel>> {
        let Part { model, unit, .. } = self.purchases;
        let natural = self.purchases.natural(parameter_names(model)).ok()?;
        with_parameters(model, &shifted_parameters(model, &natural, purchase, dropout), unit?)
    }

    /// The model of spend, if it has one.
    ///
    /// # Errors
    /// The problem in words.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        spend_model(self.spend.as_ref())
    }
}
