//! Static covariates of purchases and dropout, for BG/NBD and Pareto/NBD.
//!
//! Fader and Hardie, "Incorporating Time-Invariant Covariates into the Pareto/NBD and BG/NBD Models" (2007): what is
//! known of a customer from the start moves the rate of its gamma distribution of purchase rates,
//! alpha_i = alpha·exp(−γ·z_i), and that of dropout: beta_i = beta·exp(−γ·z_i) in Pareto/NBD, a_i = a·exp(γ·z_i) in
//! BG/NBD (b stays, other than in their note). A positive coefficient means more purchases, or more dropout, by exp(γ)
//! for each unit of z.
//!
//! alpha, beta and a are reported for numeric covariates at their means and categorical ones at their reference
//! levels; coefficients on the covariates' own scales. Each customer then has plain parameters of its own
//! ([`WithCovariates::params_for`]), from which all predictions of the model follow.

pub(in crate::clv) mod customer;
mod design;
mod effects;
mod likelihood;
mod params;
mod ratio;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use serde::Serialize;

pub use self::customer::CovariateModel;
pub use self::design::{Covariate, DesignMatrix, Encoding, Value, Values};
pub use self::effects::{Effect, Effects, check_takes_covariates, fit_named, shifted_parameters};
use self::likelihood::Likelihood;
pub use self::params::WithCovariates;
pub use self::ratio::likelihood_ratio;
use super::likelihood_ratio::LikelihoodRatio;
use super::model::{Fit, FitReport, Parametric, Verdict};
use super::pattern::Patterns;
use super::search::{self, Coordinate, Edge, Search};
use super::uncertainty::{Uncertainty, is_determined};
use crate::calendar::Unit;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// The largest coefficient of a standardised covariate: a factor of e^20 cannot be told from one without bound.
const LARGEST_COEFFICIENT: f64 = 20.0;

/// From here on a coefficient is without bound for all practical purposes.
const PRACTICALLY: f64 = 12.0;

/// What moves purchases and what moves dropout.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariates {
    /// Covariates of purchases.
    pub purchase: DesignMatrix,
    /// Covariates of dropout.
    pub dropout: DesignMatrix,
}

impl Covariates {
    /// The covariates of purchases and of dropout; either may be empty.
    ///
    /// # Errors
    /// Those of [`DesignMatrix::new`].
    pub fn new(purchase: &[Covariate], dropout: &[Covariate], customers: usize) -> Result<Covariates> {
        let purchase = DesignMatrix::new(purchase, customers)?;
        Ok(Covariates { purchase, dropout: DesignMatrix::new(dropout, customers)? })
    }
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// λ of the penalty ½·λ·Σγ² on the coefficients of standardised covariates, in units of log-likelihood; 0 for none.
    pub penalty: f64,
}

/// What a coefficient acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The purchase rate.
    Purchase,
    /// Dropout.
    Dropout,
}

/// A coefficient of a fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coefficient {
    /// What it acts on.
    pub side: Side,
    /// The covariate.
    pub covariate: String,
    /// The level, against the reference level, if the covariate has levels.
    pub level: Option<String>,
    /// The reference level.
    pub reference: Option<String>,
    /// The mean of the covariate's values; the share of customers with the level.
    pub mean: f64,
    /// The standard deviation of the covariate's values, or of having the level.
    pub deviation: f64,
    /// The coefficient for one unit of the covariate: the logarithm of the factor on purchases or dropout.
    pub estimate: f64,
    /// Its standard error; none at the end of its range, or where the data do not determine it.
    pub standard_error: Option<f64>,
}

/// The result of a fit with covariates.
#[derive(Debug, Clone)]
pub struct CovariateFit<M: CovariateModel> {
    /// What was found, and how far it can be trusted.
    pub report: CovariateReport,
    /// The parameters; none when the verdict is not usable.
    pub params: Option<WithCovariates<M>>,
    /// How well the data determine them; with a penalty, around the penalised maximum.
    pub uncertainty: Option<Uncertainty<WithCovariates<M>>>,
}

/// Everything a fit with covariates has to say about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CovariateReport {
    /// The fit. Its log-likelihood is without the penalty; what the search reached from each start is with it.
    pub fit: FitReport,
    /// The coefficients; empty where the verdict is not usable.
    pub coefficients: Vec<Coefficient>,
    /// λ of the penalty.
    pub penalty: f64,
    /// The log-likelihood less the penalty: what was maximised.
    pub penalised_objective: Option<f64>,
    /// 2·(number of parameters − log-likelihood), without the penalty; with one it is no minimum of anything.
    pub aic: Option<f64>,
    /// The log-likelihood of the model without covariates.
    pub plain_log_likelihood: Option<f64>,
    /// All coefficients against none; only between verified optima without a penalty.
    pub against_plain: Option<LikelihoodRatio>,
}

/// Fits `model` with covariates by maximum likelihood, with times in `unit`. Deterministic, whatever the number of
/// threads.
///
/// # Errors
/// Covariates of other customers than the patterns', a penalty that is negative or no number, and
/// [`Error::Interrupted`]. Data that cannot be fitted end in a [`Verdict`].
pub fn fit<M: CovariateModel>(
    model: &M,
    patterns: &Patterns,
    covariates: &Covariates,
    unit: Unit,
    options: Options,
    progress: &dyn Progress,
) -> Result<CovariateFit<M>> {
    for design in [&covariates.purchase, &covariates.dropout] {
        if design.customers() != patterns.customers() {
            let problem = format!("there are {} customers", patterns.customers());
            let remedy = "give one row of covariates per customer, in the customers' order";
            return Err(Error::value(
                "the number of rows of covariates",
                design.customers(),
                problem,
                remedy,
            ));
        }
    }
    let penalty = options.penalty;
    if !(penalty.is_finite() && penalty >= 0.0) {
        return Err(Error::value("the penalty", penalty, "it is not a number from 0 on", "give 0 for none"));
    }
    let plain = model.fit_patterns(patterns, unit, progress)?;
    let mut report = CovariateReport {
        coefficients: Vec::new(),
        penalty,
        penalised_objective: None,
        aic: None,
        plain_log_likelihood: plain.report.log_likelihood,
        against_plain: None,
        fit: plain.report.clone(),
    };
    let Some(base) = plain.params else {
        report.fit.warnings.push("the fit without covariates is not usable: none was tried with them".into());
        return Ok(CovariateFit { report, params: None, uncertainty: None });
    };
    let likelihood = Likelihood::<M>::new(patterns, covariates, unit, base.clone(), penalty);
    let like = WithCovariates {
        base,
        purchase: params::Effects::new(&covariates.purchase),
        dropout: params::Effects::new(&covariates.dropout),
        model: PhantomData::<M>,
    };
    let mut coordinates = M::ranges(patterns, unit);
    let edge = |at: f64| Edge {
        at: at * LARGEST_COEFFICIENT,
        near: at * PRACTICALLY,
        name: "a coefficient without bound",
        explanation: "some customers never (or all) return or leave, and a covariate tells which",
        advice: "merge such levels with others, leave the covariate out, or give a penalty",
        usable: true,
    };
    coordinates.extend(like.scales().map(|_| Coordinate {
        name: "a coefficient",
        low: edge(-1.0),
        high: edge(1.0),
    }));
    let search = Search {
        customers: patterns.customers() as u64,
        patterns: likelihood.len() as u64,
        starts: starts(&like),
        originals: Vec::new(),
        coordinates: &coordinates,
    };
    let Fit { report: found, params, uncertainty } =
        search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)?;
    report.fit = found;
    let Some(end) = params.clone() else {
        // The coefficients are unknown here, so the penalty cannot be taken out again.
        report.penalised_objective = report.fit.log_likelihood.take();
        return Ok(CovariateFit { report, params, uncertainty });
    };
    let squares: f64 = end.coefficients().map(|c| c * c).sum();
    report.penalised_objective = report.fit.log_likelihood;
    report.fit.log_likelihood = report.fit.log_likelihood.map(|value| value + 0.5 * penalty * squares);
    let parameters = end.scale_free().len() as f64;
    report.aic = report.fit.log_likelihood.map(|value| 2.0 * (parameters - value));
    report.coefficients = coefficients(&end, covariates, uncertainty.as_ref(), &report.fit);
    warn(&mut report, &end, &plain.report.verdict);
    Ok(CovariateFit { report, params, uncertainty })
}

/// Where the search starts: the model without covariates, and two points beside it.
fn starts<M: CovariateModel>(like: &WithCovariates<M>) -> Vec<Vec<f64>> {
    let base = like.scale_free();
    let moved =
        |by: f64| base.iter().enumerate().map(|(i, b)| b + if i % 2 == 0 { by } else { -by }).collect();
    vec![base.clone(), moved(0.3), moved(-0.3)]
}

fn coefficients<M: CovariateModel>(
    end: &WithCovariates<M>,
    covariates: &Covariates,
    uncertainty: Option<&Uncertainty<WithCovariates<M>>>,
    fit: &FitReport,
) -> Vec<Coefficient> {
    let first = M::Params::NAMES.len();
    // Without a ridge errors hold, given those parameters that are at an edge.
    let determined = fit.hessian_eigenvalues.iter().all(|&value| is_determined(value));
    let covariance = uncertainty.filter(|_| determined).map(Uncertainty::covariance);
    let mut out = Vec::new();
    for (side, design) in [(Side::Purchase, &covariates.purchase), (Side::Dropout, &covariates.dropout)] {
        for column in design.columns() {
            let place = first + out.len();
            let variance = covariance.as_ref().map(|covariance| covariance[(place, place)]);
            out.push(Coefficient {
                side,
                covariate: column.covariate.clone(),
                level: column.level.clone(),
                reference: design.encoding().reference(&column.covariate).map(String::from),
                mean: column.mean,
                deviation: column.deviation,
                estimate: 0.0,
                standard_error: variance.filter(|v| *v > 0.0).map(|v| v.sqrt() / column.scale),
            });
        }
    }
    for (coefficient, estimate) in out.iter_mut().zip(end.natural().split_off(first)) {
        coefficient.estimate = estimate;
    }
    out
}

fn warn<M: CovariateModel>(report: &mut CovariateReport, end: &WithCovariates<M>, plain: &Verdict) {
    for (coefficient, standardised) in report.coefficients.iter().zip(end.coefficients()) {
        if standardised.abs() >= PRACTICALLY {
            let name = match &coefficient.level {
                Some(level) => format!("{}={level}", coefficient.covariate),
                None => coefficient.covariate.clone(),
            };
            let side = match coefficient.side {
                Side::Purchase => "purchases",
                Side::Dropout => "dropout",
            };
            report.fit.warnings.push(format!("the coefficient of {name} for {side} is without bound"));
        }
    }
    if report.penalty > 0.0 {
        report.fit.warnings.push(
            "with a penalty, coefficients are shrunk towards 0, standard errors are those of the penalised fit, and \
             neither AIC nor likelihood ratios may be compared with fits without one"
                .into(),
        );
    } else if !report.coefficients.is_empty() {
        let verified = report.fit.verdict == Verdict::VerifiedOptimum && *plain == Verdict::VerifiedOptimum;
        let both = report.fit.log_likelihood.zip(report.plain_log_likelihood).filter(|_| verified);
        report.against_plain = both.and_then(|(with, without)| {
            LikelihoodRatio::new(without, with, report.coefficients.len() as u64)
        });
        if report.against_plain.is_none() {
            report.fit.warnings.push("no likelihood ratio: it needs two verified optima".into());
        }
    }
}
