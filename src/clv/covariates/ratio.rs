//! Likelihood-ratio tests between fits of which one is a special case of the other.

use serde::Serialize;

use super::{Coefficient, CovariateReport};
use crate::clv::model::Verdict;
use crate::error::{Error, Result};
use crate::special::chi_square_tail;

/// The larger fit may fall short of the smaller one by this much rounding, as a share and in absolute terms.
const ROUNDING_SHARE: f64 = 1e-10;
const ROUNDING: f64 = 1e-6;

/// A likelihood-ratio test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LikelihoodRatio {
    /// Twice the difference of the log-likelihoods.
    pub statistic: f64,
    /// Coefficients that the larger fit has more.
    pub degrees: u64,
    /// The probability of such a statistic or a larger one if those coefficients are 0 (chi-square, Wilks 1938).
    pub p_value: f64,
}

impl LikelihoodRatio {
    /// From the log-likelihoods of the smaller and the larger fit; none if the larger one fits worse beyond rounding,
    /// so that it cannot be at its maximum.
    pub(super) fn new(smaller: f64, larger: f64, degrees: usize) -> Option<LikelihoodRatio> {
        let statistic = 2.0 * (larger - smaller);
        if statistic < -(ROUNDING + ROUNDING_SHARE * larger.abs()) {
            return None;
        }
        let statistic = statistic.max(0.0);
        let p_value = chi_square_tail(statistic, degrees as f64);
        Some(LikelihoodRatio { statistic, degrees: degrees as u64, p_value })
    }
}

/// Tests the coefficients that `larger` has more than `smaller`, both of the same customers.
///
/// # Errors
/// Fits of other models or customers, fits with a penalty or without a verified optimum, and fits that are not nested:
/// there must be every covariate of the smaller one, with the same levels, and something more.
pub fn likelihood_ratio(smaller: &CovariateReport, larger: &CovariateReport) -> Result<LikelihoodRatio> {
    let refused = |value: String, problem: &str| {
        let remedy =
            "compare two fits of the same customers, the larger with more covariates, without a penalty";
        Error::value("a likelihood ratio", value, problem, remedy)
    };
    // The plain fit is a fingerprint of customers and model.
    let data = |report: &CovariateReport| {
        (report.fit.model, report.fit.unit, report.fit.customers, report.plain_log_likelihood)
    };
    if data(smaller) != data(larger) {
        return Err(refused(
            larger.fit.model.to_string(),
            "the fits are not of the same customers and model",
        ));
    }
    for report in [smaller, larger] {
        if report.penalty > 0.0 {
            return Err(refused(report.penalty.to_string(), "a fit has a penalty"));
        }
        if report.fit.verdict != Verdict::VerifiedOptimum {
            return Err(refused(report.fit.verdict.sentence(), "a fit is no verified optimum"));
        }
    }
    let same = |a: &Coefficient, b: &Coefficient| {
        (a.side, &a.covariate, &a.level, &a.reference) == (b.side, &b.covariate, &b.level, &b.reference)
    };
    let nested =
        |coefficient: &&Coefficient| !larger.coefficients.iter().any(|other| same(coefficient, other));
    if let Some(missing) = smaller.coefficients.iter().find(nested) {
        return Err(refused(missing.covariate.clone(), "the larger fit does not have it"));
    }
    let degrees = larger.coefficients.len() - smaller.coefficients.len();
    if degrees == 0 {
        return Err(refused("nothing".to_string(), "the larger fit has no more covariates"));
    }
    let logs = smaller.fit.log_likelihood.zip(larger.fit.log_likelihood);
    logs.and_then(|(smaller, larger)| LikelihoodRatio::new(smaller, larger, degrees)).ok_or_else(|| {
        refused("negative".to_string(), "the larger fit has the smaller likelihood: it missed its maximum")
    })
}
