//! MBG/NBD: BG/NBD in which the customer may also leave right after its first purchase.
//!
//! Batislam, Denizel and Filiztekin, "Empirical validation and comparison of models for customer base analysis",
//! International Journal of Research in Marketing 24 (2007); Hoppe and Wagner, "Customer Base Analysis: The Case for a
//! Central Variant of the Betageometric/NBD Model", Marketing ZFP 29 (2007), with the erratum of Wagner and Hoppe
//! (IJRM 25, 2008): rates λ ~ gamma(r, rate alpha), dropout p ~ beta(a, b), independent. One who never came back may have
//! left: P(alive) of a new customer is b/(a + b), and it falls while none comes.

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

const FIRST_CHANCE: FirstChance = FirstChance::AfterFirstPurchase;

/// MBG/NBD before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MbgNbdModel;

impl MbgNbdModel {
    /// Fits by maximum likelihood, with times in `unit`. Deterministic, whatever the number of threads.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`super::Verdict`].
    pub fn fit(&self, patterns: &Patterns, unit: Unit, progress: &dyn Progress) -> Result<Fit<MbgNbd>> {
        let like = MbgNbd { r: 1.0, alpha: 1.0, a: 1.0, b: 1.0, unit };
        fit::fit(&like, FIRST_CHANCE, patterns, unit, progress)
    }

    /// The likelihood of `patterns` at any parameters, with times in `unit`.
    pub fn likelihood<'a>(&self, patterns: &'a Patterns, unit: Unit) -> impl LogLikelihood + use<'a> {
        Likelihood::new(patterns, unit, FIRST_CHANCE)
    }
}

/// Parameters of MBG/NBD, all positive. Times in its methods are in `unit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MbgNbd {
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

impl MbgNbd {
    fn shared(&self) -> BetaGeometric {
        let MbgNbd { r, alpha, a, b, .. } = *self;
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
}

/// The scale-free parameters: ln(r/alpha), the mean rate; ln r; logit of the mean dropout probability a/(a+b);
/// ln(a + b).
impl Parametric for MbgNbd {
    const MODEL: &'static str = "MBG/NBD";
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

    fn with_scale_free(&self, theta: &[f64]) -> MbgNbd {
        let BetaGeometric { r, alpha, a, b, .. } = BetaGeometric::at_scale_free(theta, FIRST_CHANCE);
        MbgNbd { r, alpha, a, b, unit: self.unit }
    }

    fn jacobian(&self) -> Matrix {
        self.shared().jacobian()
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Rate, Scale::Shape, Scale::Probability, Scale::Shape]
    }
}

/// E[X(t)] follows from the history (0, 0, 0), whose P(alive) is b/(a + b): equation 11 of Wagner and Hoppe without its
/// ₂F₁. Discounted expectations are derived in `beta_geometric/discounted.rs`.
impl PurchaseModel for MbgNbd {
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
