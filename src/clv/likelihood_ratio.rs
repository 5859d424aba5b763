//! The likelihood-ratio test between a model and a special case of it.

use serde::Serialize;

use crate::special::chi_square_tail;

/// The larger fit may fall short of the smaller one by this much rounding, as a share and in absolute terms.
const ROUNDING_SHARE: f64 = 1e-10;
const ROUNDING: f64 = 1e-6;

/// A likelihood-ratio test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LikelihoodRatio {
    /// Twice the difference of the log-likelihoods.
    pub statistic: f64,
    /// Parameters that the smaller model fixes.
    pub degrees_of_freedom: u64,
    /// The probability of such a statistic or a larger one if the smaller model holds (chi-square: Wilks, "The
    /// Large-Sample Distribution of the Likelihood Ratio for Testing Composite Hypotheses", 1938).
    pub p_value: f64,
}

impl LikelihoodRatio {
    /// From the log-likelihoods of the smaller and the larger fit, both at their maxima and of the same customers; none
    /// if the larger one fits worse beyond rounding, so that it cannot be at its maximum.
    pub fn new(smaller: f64, larger: f64, degrees_of_freedom: u64) -> Option<LikelihoodRatio> {
        let statistic = 2.0 * (larger - smaller);
        if !statistic.is_finite() || statistic < -(ROUNDING + ROUNDING_SHARE * larger.abs()) {
            return None;
        }
        let statistic = statistic.max(0.0);
        let p_value = chi_square_tail(statistic, degrees_of_freedom as f64);
        Some(LikelihoodRatio { statistic, degrees_of_freedom, p_value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p-values of R's `pchisq(q, df, lower.tail = FALSE)`.
    #[test]
    fn known_tails() {
        let test = LikelihoodRatio::new(-105.0, -103.079_270_589_652_4, 1).unwrap();
        assert!((test.p_value - 0.05).abs() < 1e-10, "{test:?}");
        let test = LikelihoodRatio::new(-10.0, -10.0 - 1e-8, 3).unwrap();
        assert_eq!((test.statistic, test.p_value, test.degrees_of_freedom), (0.0, 1.0, 3));
        assert!(LikelihoodRatio::new(-10.0, -10.1, 1).is_none());
        assert!(LikelihoodRatio::new(-10.0, f64::NAN, 1).is_none());
    }
}
