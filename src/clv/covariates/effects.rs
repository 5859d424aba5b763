//! The coefficients of a fit as plain values: all that a prediction needs, and what a model file keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer::CovariateModel;
use super::design::Coding;
use super::params::{self, WithCovariates};
use super::{Covariates, Options, Value, fit};
use crate::calendar::Unit;
use crate::clv::bg_nbd::BgNbdModel;
use crate::clv::covariates::CovariateReport;
use crate::clv::family::ModelName;
use crate::clv::pareto_nbd::ParetoNbdModel;
use crate::clv::pattern::Patterns;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// What one covariate does to the logarithm of a customer's purchase rate, or of its dropout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// coefficient × (value − mean).
    Numeric {
        /// The covariate.
        column: String,
        /// The mean of the fit's customers, at which the model's parameters hold.
        mean: f64,
        /// The smallest value of the fit's customers.
        lowest: f64,
        /// The largest value of the fit's customers.
        highest: f64,
        /// For one unit of the covariate.
        coefficient: f64,
    },
    /// The coefficient of the customer's level; 0 for the reference.
    Categorical {
        /// The covariate.
        column: String,
        /// The level at which the model's parameters hold.
        reference: String,
        /// The other levels'.
        coefficients: BTreeMap<String, f64>,
    },
}

/// What all covariates do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// To purchases.
    pub purchase: Vec<Effect>,
    /// To dropout.
    pub dropout: Vec<Effect>,
}

impl Effect {
    /// The covariate's name.
    pub fn column(&self) -> &str {
        match self {
            Effect::Numeric { column, .. } | Effect::Categorical { column, .. } => column,
        }
    }

    /// Whether the covariate has numbers.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Effect::Numeric { .. })
    }

    /// What it adds for a value; none for a level that no customer of the fit had, for no number, and for a value of the
    /// other kind.
    pub fn of(&self, value: Value<'_>) -> Option<f64> {
        match (self, value) {
            (Effect::Numeric { mean, coefficient, .. }, Value::Number(value)) => {
                Some(coefficient * (value - mean)).filter(|shift| shift.is_finite())
            }
            (Effect::Categorical { reference, coefficients, .. }, Value::Level(level)) => {
                if level == reference { Some(0.0) } else { coefficients.get(level).copied() }
            }
            _ => None,
        }
    }

    /// Whether a number lies outside those of the fit's customers, so that its effect is an extrapolation.
    pub fn is_beyond(&self, value: f64) -> bool {
        matches!(self, Effect::Numeric { lowest, highest, .. } if !(*lowest..=*highest).contains(&value))
    }

    /// Why it cannot be, for a file that somebody edited.
    pub(in crate::clv) fn problem(&self) -> Option<String> {
        let finite = match self {
            Effect::Numeric { mean, lowest, highest, coefficient, .. } => {
                [mean, lowest, highest, coefficient].iter().all(|v| v.is_finite())
            }
            Effect::Categorical { coefficients, .. } => coefficients.values().all(|v| v.is_finite()),
        };
        (!finite).then(|| format!("the effect of \"{}\" is no number", self.column()))
    }
}

impl<M: CovariateModel> WithCovariates<M> {
    /// The coefficients on the covariates' own scales, by covariate.
    pub fn effects(&self) -> Effects {
        Effects { purchase: effects_of(&self.purchase), dropout: effects_of(&self.dropout) }
    }
}

fn effects_of(effects: &params::Effects) -> Vec<Effect> {
    let mut coefficients = effects.own_scale();
    (effects.encoding().covariates().iter())
        .map(|(column, coding)| {
            let column = column.clone();
            match coding {
                &Coding::Numeric { mean, lowest, highest, .. } => {
                    let coefficient = coefficients.next().unwrap_or_default();
                    Effect::Numeric { column, mean, lowest, highest, coefficient }
                }
                Coding::Categorical { reference, levels } => Effect::Categorical {
                    column,
                    reference: reference.clone(),
                    coefficients: levels.iter().cloned().zip(coefficients.by_ref()).collect(),
                },
            }
        })
        .collect()
}

/// Fits the model of that name with covariates; the effects are there where the verdict is usable, and the parameters
/// at the covariates' means and reference levels are the report's.
///
/// # Errors
/// A model that takes no covariates, and those of [`fit`].
pub fn fit_named(
    name: ModelName,
    patterns: &Patterns,
    covariates: &Covariates,
    unit: Unit,
    options: Options,
    progress: &dyn Progress,
) -> Result<(CovariateReport, Option<Effects>)> {
    fn of<M: CovariateModel>(
        model: &M,
        patterns: &Patterns,
        covariates: &Covariates,
        unit: Unit,
        options: Options,
        progress: &dyn Progress,
    ) -> Result<(CovariateReport, Option<Effects>)> {
        let fit = fit(model, patterns, covariates, unit, options, progress)?;
        Ok((fit.report, fit.params.map(|params| params.effects())))
    }
    check_takes_covariates(name)?;
    match name {
        ModelName::BgNbd => of(&BgNbdModel, patterns, covariates, unit, options, progress),
        _ => of(&ParetoNbdModel, patterns, covariates, unit, options, progress),
    }
}

/// Refuses a model whose customers cannot differ by covariates here.
///
/// # Errors
/// [`Error::Value`] for MBG/NBD and NBD.
pub fn check_takes_covariates(name: ModelName) -> Result<()> {
    match name {
        ModelName::BgNbd | ModelName::ParetoNbd => Ok(()),
        ModelName::MbgNbd | ModelName::Nbd => Err(Error::value(
            "the model of purchases",
            name.key(),
            "covariates are not there for it",
            "fit bg-nbd or pareto-nbd, or leave the covariates out",
        )),
    }
}

/// The parameters, in the order of the literature, of a customer whose covariates add `purchase` to the logarithm of the
/// purchase rate and `dropout` to that of dropout. The model must be one that takes covariates.
pub fn shifted_parameters(name: ModelName, natural: &[f64], purchase: f64, dropout: f64) -> Vec<f64> {
    let ((alpha, alpha_sign), (leave, leave_sign)) = match name {
        ModelName::BgNbd | ModelName::MbgNbd | ModelName::Nbd => (BgNbdModel::PURCHASE, BgNbdModel::DROPOUT),
        ModelName::ParetoNbd => (ParetoNbdModel::PURCHASE, ParetoNbdModel::DROPOUT),
    };
    let mut out = natural.to_vec();
    for (place, by) in [(alpha, alpha_sign * purchase), (leave, leave_sign * dropout)] {
        if let Some(value) = out.get_mut(place) {
            *value *= by.exp();
        }
    }
    out
}
