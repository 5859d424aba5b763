//! Likelihood-ratio tests between fits of which one is a special case of the other.

use super::{Coefficient, CovariateReport};
use crate::clv::likelihood_ratio::LikelihoodRatio;
use crate::clv::model::Verdict;
use crate::error::{Error, Result};

/// Means and deviations of a covariate that differ by more than this share are those of other values; by less, of the
/// same ones added in another order.
const SAME_VALUES: f64 = 1e-9;

/// Tests the coefficients that `larger` has more than `smaller`, both of the same customers.
///
/// # Errors
/// Fits of other models or customers, fits with a penalty or without a verified optimum, and fits that are not nested:
/// there must be every covariate of the smaller one, with the same values (mean and deviation) or the same levels (with the
/// same reference and shares of customers), and something more.
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
    let of_covariate = |report: &CovariateReport, like: &Coefficient| -> Vec<Coefficient> {
        let same = |c: &&Coefficient| (c.side, &c.covariate) == (like.side, &like.covariate);
        report.coefficients.iter().filter(same).cloned().collect()
    };
    for coefficient in &smaller.coefficients {
        let (inner, outer) = (of_covariate(smaller, coefficient), of_covariate(larger, coefficient));
        let name = || coefficient.covariate.clone();
        if outer.is_empty() {
            return Err(refused(name(), "the larger fit does not have it"));
        }
        if inner.len() != outer.len() || !inner.iter().zip(&outer).all(|(a, b)| is_same_column(a, b)) {
            return Err(refused(name(), "its values or levels differ between the fits"));
        }
    }
    let degrees = larger.coefficients.len() - smaller.coefficients.len();
    if degrees == 0 {
        return Err(refused("nothing".to_string(), "the larger fit has no more covariates"));
    }
    let logs = smaller.fit.log_likelihood.zip(larger.fit.log_likelihood);
    logs.and_then(|(smaller, larger)| LikelihoodRatio::new(smaller, larger, degrees as u64)).ok_or_else(
        || {
            refused(
                "negative".to_string(),
                "the larger fit has the smaller likelihood: it missed its maximum",
            )
        },
    )
}

/// Whether two coefficients belong to the same column: the same level against the same one, of the same values.
fn is_same_column(a: &Coefficient, b: &Coefficient) -> bool {
    let close = |a: f64, b: f64, scale: f64| (a - b).abs() <= SAME_VALUES * (a.abs() + scale);
    (&a.level, &a.reference) == (&b.level, &b.reference)
        && close(a.mean, b.mean, a.deviation)
        && close(a.deviation, b.deviation, 0.0)
}
