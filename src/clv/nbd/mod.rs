//! NBD: purchases come at a rate of the customer's own for ever. Nobody leaves.
//!
//! Ehrenberg, "The Pattern of Consumer Purchases", Applied Statistics 8 (1959): rates λ ~ gamma(r, rate alpha). It is what
//! BG/NBD, MBG/NBD and Pareto/NBD become without dropout, and so the benchmark that they have to beat.

mod likelihood;
#[cfg(test)]
mod tests;

pub use likelihood::NbdModel;

use serde::Serialize;

use super::counts::Counts;
use super::dense::Matrix;
use super::latent::{self, Dropout, Latent};
use super::model::{Parametric, PurchaseModel};
use crate::calendar::Unit;
use crate::random::Stream;
use crate::special::ln_gamma_delta;

/// Parameters of NBD, both positive. Times in its methods are in `unit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Nbd {
    /// Shape of the distribution of purchase rates.
    pub r: f64,
    /// Rate of the distribution of purchase rates, in `unit`.
    pub alpha: f64,
    /// The unit of time.
    pub unit: Unit,
}

/// The scale-free parameters: ln(r/alpha), the mean rate; ln r.
impl Parametric for Nbd {
    const MODEL: &'static str = "NBD";
    const NAMES: &'static [&'static str] = &["r", "alpha"];

    fn unit(&self) -> Option<Unit> {
        Some(self.unit)
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.r, self.alpha]
    }

    fn scale_free(&self) -> Vec<f64> {
        vec![(self.r / self.alpha).ln(), self.r.ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> Nbd {
        Nbd { r: theta[1].exp(), alpha: (theta[1] - theta[0]).exp(), unit: self.unit }
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(2);
        out[(0, 1)] = self.r;
        out[(1, 0)] = -self.alpha;
        out[(1, 1)] = self.alpha;
        out
    }
}

/// t_x tells nothing here: an alive customer's purchases are Poisson, and everybody is alive.
impl PurchaseModel for Nbd {
    fn time_unit(&self) -> Unit {
        self.unit
    }

    fn time_scale(&self) -> f64 {
        self.alpha
    }

    /// Of the purchases' times, as those of the models with dropout: ln[Γ(r + x)/Γ(r)·alpha^r/(alpha + T)^(r + x)].
    fn log_likelihood(&self, x: u32, _t_x: f64, t: f64) -> f64 {
        let n = f64::from(x);
        let none = -self.r * (t / self.alpha).ln_1p();
        if x == 0 { none } else { none + ln_gamma_delta(self.r, n) - n * (self.alpha + t).ln() }
    }

    /// 0: nobody leaves.
    fn ln_p_alive(&self, _x: u32, _t_x: f64, _t: f64) -> f64 {
        0.0
    }

    /// (r + x)/(alpha + T)·horizon.
    fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64 {
        (self.r + f64::from(x)) / (self.alpha + t) * horizon.max(0.0)
    }

    fn pmf(&self, x: u32, t: f64) -> f64 {
        Counts::up_to(t, self.r, self.alpha).probability(f64::from(x))
    }

    /// (r + x)/(alpha + T)·(1 − e^(−delta·horizon))/delta.
    fn discounted_if_alive(&self, x: u32, t: f64, delta: f64, horizon: f64) -> f64 {
        if delta <= 0.0 || horizon <= 0.0 {
            return self.expected_if_alive(x, t, horizon);
        }
        (self.r + f64::from(x)) / (self.alpha + t) * (-(-delta * horizon).exp_m1() / delta)
    }

    fn draw(&self, stream: &mut Stream, x: u32, _t_x: f64, t: f64) -> Latent {
        self.draw_alive(stream, x, t)
    }

    fn draw_alive(&self, stream: &mut Stream, x: u32, t: f64) -> Latent {
        let rate = latent::purchase_rate(stream, self.r, self.alpha, f64::from(x), t);
        Latent { alive: true, rate, dropout: Dropout::Never }
    }
}
