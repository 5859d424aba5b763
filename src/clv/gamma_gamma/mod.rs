//! Gamma-Gamma: what an order of a customer is worth, independently of how often it orders.
//!
//! Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013): the value of an order is gamma(p, rate ν),
//! and ν ~ gamma(q, rate gamma) over customers. Only customers with repeat purchases tell anything about it.

mod likelihood;
#[cfg(test)]
mod tests;

pub use likelihood::{Correlation, GammaGammaModel, NO_VALUE, frequency_spend_correlation};

use serde::Serialize;

use super::dense::Matrix;
use super::model::Parametric;
use crate::calendar::Unit;
use crate::special::{ln_gamma, ln_gamma_delta};

/// Parameters of Gamma-Gamma, all positive; `gamma` in the currency of the spend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GammaGamma {
    /// Shape of an order's value within a customer.
    pub p: f64,
    /// Shape of the distribution over customers. The mean over customers exists for q > 1, the variance for q > 2.
    pub q: f64,
    /// Rate of the distribution over customers.
    pub gamma: f64,
}

impl GammaGamma {
    /// The expected value of an order of a customer with `x` repeat purchases of mean value `mean`:
    /// (gamma + x·mean)·p/(p·x + q − 1) (equation 5 of the paper); for x = 0 the mean of the population,
    /// p·gamma/(q − 1).
    ///
    /// Infinite where p·x + q ≤ 1: the expectation does not exist there, and is never negative. A mean below 0 (more
    /// refunds than orders) counts as 0, since the model knows positive values only.
    pub fn expected_spend(&self, x: u32, mean: f64) -> f64 {
        let x = f64::from(x);
        let weight = self.p * x + self.q - 1.0;
        if weight <= 0.0 {
            return f64::INFINITY;
        }
        let spent = if x > 0.0 { x * mean.max(0.0) } else { 0.0 };
        (self.gamma + spent) * self.p / weight
    }

    /// The derivatives of ln [`GammaGamma::expected_spend`] by the scale-free parameters.
    pub(super) fn ln_spend_gradient(&self, x: u32, mean: f64) -> [f64; 3] {
        let x = f64::from(x);
        let weight = self.p * x + self.q - 1.0;
        let spent = if x > 0.0 { x * mean.max(0.0) } else { 0.0 };
        let by_ln_gamma = self.gamma / (self.gamma + spent);
        let by_ln_p = 1.0 - self.p * x / weight;
        let by_ln_q = -self.q / weight;
        [by_ln_gamma, by_ln_p - by_ln_gamma, by_ln_q + by_ln_gamma]
    }

    /// The log-likelihood of `x` ≥ 1 repeat purchases of mean value `mean` > 0 (equation 1a of the paper).
    pub fn log_likelihood(&self, x: u32, mean: f64) -> f64 {
        let px = self.p * f64::from(x);
        let spent = f64::from(x) * mean;
        // px·ln(spent) and px·ln(gamma + spent) would lose every digit of a customer with millions of orders.
        ln_inverse_beta(px, self.q)
            - px * ln_one_plus(self.gamma, spent)
            - mean.ln()
            - self.q * ln_one_plus(spent, self.gamma)
    }
}

/// ln of Γ(a + b)/(Γ(a)·Γ(b)), from the smaller of the two, so that little is lost where the other is huge.
fn ln_inverse_beta(a: f64, b: f64) -> f64 {
    if a > b { ln_gamma_delta(a, b) - ln_gamma(b) } else { ln_gamma_delta(b, a) - ln_gamma(a) }
}

/// ln(1 + a/b) for positive numbers.
fn ln_one_plus(a: f64, b: f64) -> f64 {
    let ratio = a / b;
    // Beyond the largest number 1 is nothing beside it.
    if ratio.is_finite() { ratio.ln_1p() } else { a.ln() - b.ln() }
}

/// The scale-free parameters: ln(p·gamma/q), about the mean value; ln p; ln q.
impl Parametric for GammaGamma {
    const MODEL: &'static str = "Gamma-Gamma";
    const NAMES: &'static [&'static str] = &["p", "q", "gamma"];

    fn unit(&self) -> Option<Unit> {
        None
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.p, self.q, self.gamma]
    }

    fn scale_free(&self) -> Vec<f64> {
        vec![(self.p * self.gamma / self.q).ln(), self.p.ln(), self.q.ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> GammaGamma {
        GammaGamma { p: theta[1].exp(), q: theta[2].exp(), gamma: (theta[0] + theta[2] - theta[1]).exp() }
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(3);
        out[(0, 1)] = self.p;
        out[(1, 2)] = self.q;
        out[(2, 0)] = self.gamma;
        out[(2, 1)] = -self.gamma;
        out[(2, 2)] = self.gamma;
        out
    }
}
