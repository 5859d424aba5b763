//! BG/NBD: purchases come at a rate of the customer's own, and after each repeat purchase the customer leaves with a
//! probability of its own.
//!
//! Fader, Hardie and Lee, "'Counting Your Customers' the Easy Way: An Alternative to the Pareto/NBD Model",
//! Marketing Science 24 (2005): rates λ ~ gamma(r, rate alpha), dropout p ~ beta(a, b), independent. A customer
//! without a repeat purchase cannot have left: P(alive) is 1 for x = 0, so it is no churn label.

mod likelihood;
#[cfg(test)]
mod tests;

pub use likelihood::BgNbdModel;

use serde::Serialize;

use super::dense::Matrix;
use super::expectation::{CappedPurchases, capped_purchases};
use super::latent::{self, Dropout, Latent};
use super::model::{Parametric, PurchaseModel, Scale};
use crate::calendar::Unit;
use crate::random::Stream;
use crate::special::{ln_beta, ln_gamma, ln_gamma_delta, logistic, softplus};

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

/// Expected purchases of customers with one x; made by [`BgNbd::expectations_if_alive`].
#[derive(Debug, Clone)]
pub struct ExpectationsIfAlive {
    shape: f64,
    alpha: f64,
    table: CappedPurchases,
    taus: Vec<f64>,
}

impl ExpectationsIfAlive {
    /// `out[i]` = expected purchases in (T, T + `horizons[i]`] of a customer who is alive at T = `t`.
    pub fn at(&mut self, t: f64, horizons: &[f64], out: &mut [f64]) {
        let scale = self.alpha + t;
        self.taus.clear();
        self.taus.extend(horizons.iter().map(|horizon| horizon / scale));
        self.table.expected(self.shape, &self.taus, out);
    }
}

impl BgNbd {
    /// The log-odds of having left by T, for x ≥ 1 (Fader, Hardie and Lee 2008, "Computing P(alive) using the
    /// BG/NBD model").
    fn log_odds_left(&self, x: f64, t_x: f64, t: f64) -> f64 {
        (self.a / (self.b + (x - 1.0))).ln() + (self.r + x) * ((t - t_x) / (self.alpha + t_x)).ln_1p()
    }

    /// P(alive at T | x, t_x, T); 1 for x = 0. At most 1, and 0 only where it underflows.
    pub fn p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        if x == 0 { 1.0 } else { logistic(-self.log_odds_left(f64::from(x), t_x, t)) }
    }

    /// E[X(t)]: expected repeat purchases of a new customer up to time `t` (equation 9 of the paper, computed
    /// without its ₂F₁). Relative error about 1e-12.
    pub fn expected(&self, t: f64) -> f64 {
        self.expected_if_alive(0, 0.0, t)
    }

    /// Expected purchases in (T, T + horizon] of a customer with `x` repeat purchases who is alive at T = `t`. It
    /// does not depend on t_x. Relative error about 1e-12.
    pub fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64 {
        let x = f64::from(x);
        capped_purchases(self.r + x, self.a, self.b + x, horizon / (self.alpha + t))
    }

    /// [`BgNbd::expected_if_alive`] for several customers with the same `x`, and several horizons of each, at once:
    /// see [`CappedPurchases`].
    pub fn expectations_if_alive(&self, x: u32) -> ExpectationsIfAlive {
        let x = f64::from(x);
        let BgNbd { r, alpha, a, b, .. } = *self;
        ExpectationsIfAlive { shape: r + x, alpha, table: CappedPurchases::new(a, b + x), taus: Vec::new() }
    }

    /// Expected purchases in (T, T + horizon] given (x, t_x, T = `t`) (equation 10 of the paper): exactly
    /// [`BgNbd::expected_if_alive`] × [`BgNbd::p_alive`].
    pub fn conditional_expected(&self, x: u32, t_x: f64, t: f64, horizon: f64) -> f64 {
        self.expected_if_alive(x, t, horizon) * self.p_alive(x, t_x, t)
    }

    /// The log-likelihood of one customer (equation 6 of the paper), with all its constants.
    pub fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64 {
        let n = f64::from(x);
        let observed = -self.r * (t / self.alpha).ln_1p();
        if x == 0 {
            return observed;
        }
        observed + ln_gamma_delta(self.r, n) - n * (self.alpha + t).ln() + ln_gamma_delta(self.b, n)
            - ln_gamma_delta(self.a + self.b, n)
            + softplus(self.log_odds_left(n, t_x, t))
    }

    /// P(X(t) = x): the probability that a new customer makes `x` repeat purchases up to time `t` (equation 8 of
    /// the paper).
    pub fn pmf(&self, x: u32, t: f64) -> f64 {
        let n = f64::from(x);
        let z = t / (self.alpha + t);
        let ln_one_minus_z = -(t / self.alpha).ln_1p();
        // Probability j of the negative binomial count of a customer who never leaves.
        let count = |j: f64| {
            if z == 0.0 {
                return f64::from(u8::from(j == 0.0));
            }
            let ways = ln_gamma_delta(self.r, j) - ln_gamma(j + 1.0);
            (ways + j * z.ln() + self.r * ln_one_minus_z).exp()
        };
        let beta = ln_beta(self.a, self.b);
        let stays = (ln_beta(self.a, self.b + n) - beta).exp();
        let mut out = stays * count(n);
        if x > 0 {
            // P(N ≥ x), from whichever side does not cancel.
            let at_least = if n > self.r * t / self.alpha {
                let (mut term, mut j, mut sum) = (count(n), n, 0.0);
                // Terms that are no normal numbers end it too: they could stay the same for ever.
                while term > (1e-17 * sum * (1.0 - z)).max(f64::MIN_POSITIVE) {
                    sum += term;
                    term *= z * (self.r + j) / (j + 1.0);
                    j += 1.0;
                }
                sum
            } else {
                1.0 - (0..x).map(|j| count(f64::from(j))).sum::<f64>()
            };
            out += (ln_beta(self.a + 1.0, self.b + (n - 1.0)) - beta).exp() * at_least;
        }
        out
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
        vec![(self.r / self.alpha).ln(), self.r.ln(), (self.a / self.b).ln(), (self.a + self.b).ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> BgNbd {
        let size = theta[3].exp();
        BgNbd {
            r: theta[1].exp(),
            alpha: (theta[1] - theta[0]).exp(),
            a: size * logistic(theta[2]),
            b: size * logistic(-theta[2]),
            unit: self.unit,
        }
    }

    fn jacobian(&self) -> Matrix {
        let BgNbd { r, alpha, a, b, .. } = *self;
        let by_logit = a * b / (a + b);
        let mut out = Matrix::zeros(4);
        out[(0, 1)] = r;
        out[(1, 0)] = -alpha;
        out[(1, 1)] = alpha;
        out[(2, 2)] = by_logit;
        out[(2, 3)] = a;
        out[(3, 2)] = -by_logit;
        out[(3, 3)] = b;
        out
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Rate, Scale::Shape, Scale::Probability, Scale::Shape]
    }
}

impl PurchaseModel for BgNbd {
    fn time_unit(&self) -> Unit {
        self.unit
    }

    fn time_scale(&self) -> f64 {
        self.alpha
    }

    fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64 {
        BgNbd::log_likelihood(self, x, t_x, t)
    }

    fn ln_p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        if x == 0 { 0.0 } else { -softplus(self.log_odds_left(f64::from(x), t_x, t)) }
    }

    fn p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        BgNbd::p_alive(self, x, t_x, t)
    }

    fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64 {
        BgNbd::expected_if_alive(self, x, t, horizon)
    }

    fn expected(&self, t: f64) -> f64 {
        BgNbd::expected(self, t)
    }

    fn pmf(&self, x: u32, t: f64) -> f64 {
        BgNbd::pmf(self, x, t)
    }

    fn draw(&self, stream: &mut Stream, x: u32, t_x: f64, t: f64) -> Latent {
        let n = f64::from(x);
        let alive = stream.uniform() < self.p_alive(x, t_x, t);
        // One who left did so at the last purchase.
        let (seen, p) = if alive {
            (t, stream.beta(self.a, self.b + n))
        } else {
            (t_x, stream.beta(self.a + 1.0, self.b + n - 1.0))
        };
        let rate = latent::purchase_rate(stream, self.r, self.alpha, n, seen);
        Latent { alive, rate, dropout: Dropout::AfterPurchase(p) }
    }
}
