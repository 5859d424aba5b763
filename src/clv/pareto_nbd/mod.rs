//! Pareto/NBD: purchases come at a rate of the customer's own, and the customer leaves, unseen, at a rate of its own.
//!
//! Schmittlein, Morrison and Colombo, "Counting Your Customers: Who Are They and What Will They Do Next?",
//! Management Science 33 (1987); notation of Fader and Hardie, "A Note on Deriving the Pareto/NBD Model and Related
//! Expressions" (2005): purchase rates λ ~ gamma(r, rate alpha), dropout rates μ ~ gamma(s, rate beta), independent.
//! A customer may leave at any time, also before the first repeat purchase: P(alive) is below 1 for every x.

mod covariates;
mod draw;
mod first;
mod fit;
#[cfg(test)]
mod grid;
mod likelihood;
mod predict;
#[cfg(test)]
mod reference;
mod terms;
#[cfg(test)]
mod tests;

pub use fit::ParetoNbdModel;

use serde::Serialize;

use super::dense::Matrix;
use super::latent::Latent;
use super::model::{Parametric, PurchaseModel, Scale};
use crate::calendar::Unit;
use crate::random::Stream;
use crate::special::{ln_gamma_delta, logistic, softplus};

/// Parameters of Pareto/NBD, all positive. Times in its methods are in `unit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ParetoNbd {
    /// Shape of the distribution of purchase rates.
    pub r: f64,
    /// Rate of the distribution of purchase rates, in `unit`.
    pub alpha: f64,
    /// Shape of the distribution of dropout rates.
    pub s: f64,
    /// Rate of the distribution of dropout rates, in `unit`.
    pub beta: f64,
    /// The unit of time.
    pub unit: Unit,
}

impl ParetoNbd {
    /// The log-odds of having left by T, of a customer with `x` repeat purchases, the last at `t_x`, seen up to `t`. They
    /// are −∞ at T = t_x: who bought just now is alive. Relative error of the odds about 1e-13.
    pub fn log_odds_left(&self, x: u32, t_x: f64, t: f64) -> f64 {
        predict::Odds::new(self, f64::from(x), t_x, t).log_odds()
    }

    /// The probability that a customer with `x` repeat purchases who is alive at `t` leaves before its next purchase
    /// (see `first.rs`). Relative error about 1e-14, also where it is tiny.
    pub fn leaves_first(&self, x: u32, t: f64) -> f64 {
        first::leaves_first(self.r + f64::from(x), self.s, self.alpha + t, self.beta + t)
    }

    /// Expected purchases within `horizon` of a customer who is alive at `t` and whose rate of dropout is `leaving` ≥ 0 times
    /// its own.
    pub fn expected_if_alive_with(&self, x: u32, t: f64, horizon: f64, leaving: f64) -> f64 {
        predict::expected_if_alive_with(self, f64::from(x), t, horizon, leaving)
    }

    /// Expected purchases within each of `horizons` of a customer who has left by `t` and comes back then with its own rates,
    /// the rate of dropout times `leaving`. Relative error below 1e-9.
    pub fn expected_if_back(
        &self,
        (x, t_x, t): (u32, f64, f64),
        horizons: &[f64],
        leaving: f64,
        out: &mut [f64],
    ) {
        predict::expected_if_back(self, (f64::from(x), t_x, t), horizons, leaving, out);
    }

    /// Draws the rates of a customer who has left by `t`.
    pub fn draw_left(&self, stream: &mut Stream, x: u32, t_x: f64, t: f64) -> Latent {
        draw::draw_left(self, stream, f64::from(x), t_x, t)
    }
}

/// The scale-free parameters: ln(r/alpha), the mean purchase rate; ln r; ln(s/beta), the mean dropout rate; ln s.
impl Parametric for ParetoNbd {
    const MODEL: &'static str = "Pareto/NBD";
    const NAMES: &'static [&'static str] = &["r", "alpha", "s", "beta"];

    fn unit(&self) -> Option<Unit> {
        Some(self.unit)
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.r, self.alpha, self.s, self.beta]
    }

    fn scale_free(&self) -> Vec<f64> {
        vec![(self.r / self.alpha).ln(), self.r.ln(), (self.s / self.beta).ln(), self.s.ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> ParetoNbd {
        ParetoNbd {
            r: theta[1].exp(),
            alpha: (theta[1] - theta[0]).exp(),
            s: theta[3].exp(),
            beta: (theta[3] - theta[2]).exp(),
            unit: self.unit,
        }
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(4);
        for (i, shape, rate) in [(0, self.r, self.alpha), (2, self.s, self.beta)] {
            out[(i, i + 1)] = shape;
            out[(i + 1, i)] = -rate;
            out[(i + 1, i + 1)] = rate;
        }
        out
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Rate, Scale::Shape, Scale::Rate, Scale::Shape]
    }
}

/// Relative errors are about 1e-13 where nothing else is said; of the logarithms, absolute ones of the same size times the
/// largest of their terms.
impl PurchaseModel for ParetoNbd {
    fn time_unit(&self) -> Unit {
        self.unit
    }

    fn time_scale(&self) -> f64 {
        self.alpha
    }

    fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64 {
        let x = f64::from(x);
        ln_gamma_delta(self.r, x) + predict::log_likelihood(self, x, t_x, t)
    }

    fn ln_p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        -softplus(self.log_odds_left(x, t_x, t))
    }

    fn p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        logistic(-self.log_odds_left(x, t_x, t))
    }

    /// The probability of leaving before the next purchase, by far the costliest part.
    fn part_of_p_alive(&self, x: u32, time: f64) -> Option<f64> {
        Some(predict::leaves_at(self, f64::from(x), time))
    }

    fn p_alive_from(&self, x: u32, t_x: f64, t: f64, [at_last, at_end]: [f64; 2]) -> f64 {
        let odds = predict::Odds::from_first(self, f64::from(x), t_x, t, || at_last, || at_end);
        logistic(-odds.log_odds())
    }

    fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64 {
        predict::expected_if_alive(self, f64::from(x), t, horizon)
    }

    /// E[X(t)]: (r/alpha)·(beta/(s − 1))·(1 − (beta/(beta + t))^(s−1)).
    fn expected(&self, t: f64) -> f64 {
        predict::expected_if_alive(self, 0.0, 0.0, t)
    }

    fn pmf(&self, x: u32, t: f64) -> f64 {
        predict::pmf(self, f64::from(x), t)
    }

    fn discounted_if_alive(&self, x: u32, t: f64, delta: f64, horizon: f64) -> f64 {
        predict::discounted_if_alive(self, f64::from(x), t, delta, horizon)
    }

    fn draw(&self, stream: &mut Stream, x: u32, t_x: f64, t: f64) -> Latent {
        draw::draw(self, stream, f64::from(x), t_x, t, self.p_alive(x, t_x, t))
    }

    fn draw_alive(&self, stream: &mut Stream, x: u32, t: f64) -> Latent {
        draw::draw_alive(self, stream, f64::from(x), t)
    }
}
