//! BG/NBD: purchases come at a rate of the customer's own, and after each repeat purchase the customer leaves with a
//! probability of its own.
//!
//! Fader, Hardie and Lee, "'Counting Your Customers' the Easy Way: An Alternative to the Pareto/NBD Model",
//! Marketing Science 24 (2005): rates λ ~ gamma(r, rate alpha), dropout p ~ beta(a, b), independent. A customer
//! without a repeat purchase cannot have left: P(alive) is 1 for x = 0, so it is no churn label.

mod covariates;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::beta_geometric::likelihood::Likelihood;
use super::beta_geometric::{BetaGeometric, ExpectationsIfAlive, FirstChance, fit};
use super::dense::Matrix;
use super::latent::Latent;
use super::model::{Fit, LogLikelihood, Parametric, PurchaseModel, Scale};
use super::pattern::Patterns;
use crate::calendar::Unit;
use crate::error::Result;
use crate::progress::Progress;
use crate::random::Stream;

const FIRST_CHANCE: FirstChance = FirstChance::AfterFirstRepeat;

/// BG/NBD before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BgNbdModel;

impl BgNbdModel {
    /// Fits by maximum likelihood, with times in `unit`. Deterministic, whatever the number of threads.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`super::Verdict`].
    pub fn fit(&self, patterns: &Patterns, unit: Unit, progress: &dyn Progress) -> Result<Fit<BgNbd>> {
        let like = BgNbd { r: 1.0, alpha: 1.0, a: 1.0, b: 1.0, unit };
        fit::fit(&like, FIRST_CHANCE, patterns, unit, progress)
    }

    /// The likelihood of `patterns` at any parameters, with times in `unit`.
    pub fn likelihood<'a>(&self, patterns: &'a Patterns, unit: Unit) -> impl LogLikelihood + use<'a> {
        Likelihood::new(patterns, unit, FIRST_CHANCE)
    }
}

/// Parameters of BG/NBD, all positive. Times in its methods are in `unit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BgNbd {
    /// Shape of the distribution of purchase rates.
    pub r: f64,
    /// Rate of the distribution of purchase rates, in `unit`.
    pub alpha: f64,
    /// First parameter of the distribution of dropout probabilities.
    pub a: f64,
    /// Second parameter of the distribution of dropout probabilities.
    pub b: f64,
    /// The unit of time.
    pub unit: Unit,
}

impl BgNbd {
    fn shared(&self) -> BetaGeometric {
        let BgNbd { r, alpha, a, b, .. } = *self;
        BetaGeometric { r, alpha, a, b, first_chance: FIRST_CHANCE }
    }

    /// [`PurchaseModel::expected_if_alive`] for several customers with the same `x`, and several horizons of each, at
    /// once: see [`super::expectation::CappedPurchases`].
    pub fn expectations_if_alive(&self, x: u32) -> ExpectationsIfAlive {
        self.shared().expectations_if_alive(x)
    }

    /// The same where what keeps them, or drives them away, makes them stay after a purchase with probability
    /// (1 − p)^`power`, power ≥ 0.
    pub fn expectations_with(&self, x: u32, power: f64) -> ExpectationsIfAlive {
        self.shared().expectations_with(x, power)
    }

    /// The same for customers who have left and come back with their own rates, λ ~ gamma(r + x, α + t_x) and p ~ beta(a + 1, b
    /// + k − 1) with k the chances to leave that they had: to be asked at t = t_x.
    pub fn expectations_if_back(&self, x: u32, power: f64) -> ExpectationsIfAlive {
        self.shared().expectations_if_back(x, power)
    }

    /// P(alive at T | x, t_x, T) (Fader, Hardie and Lee 2008, "Computing P(alive) using the BG/NBD model"); 1 for
    /// x = 0. At most 1, and 0 only where it underflows.
    pub fn p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.shared().p_alive(x, t_x, t)
    }

    /// E[X(t)]: expected repeat purchases of a new customer up to time `t` (equation 9 of the paper, computed
    /// without its ₂F₁). Relative error about 1e-12.
    pub fn expected(&self, t: f64) -> f64 {
        self.expected_if_alive(0, 0.0, t)
    }

    /// Expected purchases in (T, T + horizon] of a customer with `x` repeat purchases who is alive at T = `t`. It
    /// does not depend on t_x. Relative error about 1e-12.
    pub fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64 {
        self.shared().expected_if_alive(x, t, horizon)
    }

    /// Expected purchases in (T, T + horizon] given (x, t_x, T = `t`) (equation 10 of the paper): exactly
    /// [`BgNbd::expected_if_alive`] × [`BgNbd::p_alive`].
    pub fn conditional_expected(&self, x: u32, t_x: f64, t: f64, horizon: f64) -> f64 {
        self.expected_if_alive(x, t, horizon) * self.p_alive(x, t_x, t)
    }

    /// The log-likelihood of one customer (equation 6 of the paper), with all its constants.
    pub fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.shared().log_likelihood(x, t_x, t)
    }

    /// P(X(t) = x): the probability that a new customer makes `x` repeat purchases up to time `t` (equation 8 of
    /// the paper).
    pub fn pmf(&self, x: u32, t: f64) -> f64 {
        self.shared().pmf(x, t)
    }
}

/// The scale-free parameters: ln(r/alpha), the mean rate; ln r; logit of the mean dropout probability a/(a+b);
/// ln(a + b).
impl Parametric for BgNbd {
    const MODEL: &'static str = "BG/NBD";
    const NAMES: &'static [&'static str] = &["r", "alpha", "a", "b"];

    fn unit(&self) -> Option<Unit> {
        Some(self.unit)
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.r, self.alpha, self.a, self.b]
    }

    fn scale_free(&self) -> Vec<f64> {
        self.shared().scale_free()
    }

    fn with_scale_free(&self, theta: &[f64]) -> BgNbd {
        let BetaGeometric { r, alpha, a, b, .. } = BetaGeometric::at_scale_free(theta, FIRST_CHANCE);
        BgNbd { r, alpha, a, b, unit: self.unit }
    }

    fn jacobian(&self) -> Matrix {
        self.shared().jacobian()
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Rate, Scale::Shape, Scale::Probability, Scale::Shape]
    }
}

/// Equations 6 and 8 to 10 of the paper; discounted expectations are derived in `beta_geometric/discounted.rs`.
impl PurchaseModel for BgNbd {
    fn time_unit(&self) -> Unit {
        self.unit
    }

    fn time_scale(&self) -> f64 {
        self.alpha
    }

    fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.shared().log_likelihood(x, t_x, t)
    }

    fn ln_p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.shared().ln_p_alive(x, t_x, t)
    }

    fn p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.shared().p_alive(x, t_x, t)
    }

    fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64 {
        self.shared().expected_if_alive(x, t, horizon)
    }

    fn pmf(&self, x: u32, t: f64) -> f64 {
        self.shared().pmf(x, t)
    }

    fn discounted_if_alive(&self, x: u32, t: f64, delta: f64, horizon: f64) -> f64 {
        self.shared().discounted_if_alive(x, t, delta, horizon)
    }

    fn draw(&self, stream: &mut Stream, x: u32, t_x: f64, t: f64) -> Latent {
        self.shared().draw(stream, x, t_x, t)
    }

    fn draw_alive(&self, stream: &mut Stream, x: u32, t: f64) -> Latent {
        self.shared().draw_alive(stream, x, t)
    }
}
