//! BG/BB: at each opportunity a customer who is alive transacts with a probability of its own, and before each it
//! leaves with another probability of its own.
//!
//! Fader, Hardie and Shang, "Customer-Base Analysis in a Discrete-Time Noncontractual Setting", Marketing Science 29
//! (2010): transaction probability p ~ beta(alpha, beta), dropout probability θ ~ beta(gamma, delta), independent.
//! Opportunities are numbered from 1 after the first transaction; equation numbers are those of the paper. Time is
//! counted in opportunities, so there is no unit. [`BetaBinomial`] is the same without dropout.

mod beta_binomial;
mod draws;
mod expect;
mod likelihood;
mod opportunities;
#[cfg(test)]
mod tests;

pub use beta_binomial::{BetaBinomial, BetaBinomialModel};
pub use draws::DiscreteLatent;
pub use expect::{CellExpectation, CellSpread, ExpectedTotals, OpportunityExpectations, expectations};
pub use likelihood::BgBbModel;
pub use opportunities::{
    Cell, MOST_OPPORTUNITIES, Opportunities, last_whole_period, statistics_of_days, statistics_of_periods,
};

use serde::Serialize;

use super::beta_shape;
use super::dense::Matrix;
use super::discrete_survival::{discounted_sum, ln_survival, survival_sum};
use super::model::{Parametric, Scale};
use crate::calendar::Unit;
use crate::special::{ln_gamma_delta, logistic, softplus};

/// Parameters of BG/BB, all positive. In its methods x ≤ t_x ≤ n, and x and t_x are 0 together; a new customer has
/// x, t_x and n of 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BgBb {
    /// First parameter of the distribution of transaction probabilities.
    pub alpha: f64,
    /// Second parameter of the distribution of transaction probabilities.
    pub beta: f64,
    /// First parameter of the distribution of dropout probabilities.
    pub gamma: f64,
    /// Second parameter of the distribution of dropout probabilities.
    pub delta: f64,
}

impl BgBb {
    /// The log-likelihood of one customer: of its whole sequence of opportunities with and without a transaction
    /// (equation 5), with all its constants.
    pub fn log_likelihood(&self, x: u32, t_x: u32, n: u32) -> f64 {
        self.ln_alive_at_end(x, n) + softplus(self.log_odds_left(x, t_x, n))
    }

    /// The probability of the history together with being alive at opportunity n, as a logarithm.
    fn ln_alive_at_end(&self, x: u32, n: u32) -> f64 {
        let (x, n) = (f64::from(x), f64::from(n));
        ln_gamma_delta(self.alpha, x) + ln_gamma_delta(self.beta, n - x)
            - ln_gamma_delta(self.alpha + self.beta, n)
            + ln_survival(self.gamma, self.delta, n)
    }

    /// The log-odds of having left before opportunity n, given the history; −∞ for t_x = n.
    fn log_odds_left(&self, x: u32, t_x: u32, n: u32) -> f64 {
        self.ways_to_have_left(x, t_x, n).fold(f64::NEG_INFINITY, |sum, (_, odds)| ln_sum(sum, odds))
    }

    /// The opportunities k = n − 1, …, t_x, each with the log-odds of having been alive there and gone at the next
    /// one, against being alive at n.
    fn ways_to_have_left(&self, x: u32, t_x: u32, n: u32) -> impl Iterator<Item = (u32, f64)> {
        let BgBb { alpha, beta, gamma, delta } = *self;
        let x = f64::from(x);
        // ln of B(alpha + x, beta + k − x)·B(gamma, delta + k) over the same with n for k.
        let mut ratio = 0.0;
        (t_x..n).rev().map(move |opportunity| {
            let k = f64::from(opportunity);
            ratio += ((alpha + x) / (beta + (k - x))).ln_1p() + (gamma / (delta + k)).ln_1p();
            (opportunity, ratio + (gamma / (gamma + delta + k)).ln())
        })
    }

    /// ln P(alive at opportunity n + 1 | x, t_x, n).
    pub fn ln_p_alive(&self, x: u32, t_x: u32, n: u32) -> f64 {
        self.ln_p_alive_at(x, t_x, n, 1)
    }

    /// P(alive at opportunity n + 1 | x, t_x, n) (equation 11): having passed also the chance of leaving before it.
    pub fn p_alive(&self, x: u32, t_x: u32, n: u32) -> f64 {
        self.ln_p_alive(x, t_x, n).exp()
    }

    /// P(alive at opportunity n + m | x, t_x, n); `m` = 0 is having been there at the last opportunity observed.
    pub fn p_alive_at(&self, x: u32, t_x: u32, n: u32, m: u32) -> f64 {
        self.ln_p_alive_at(x, t_x, n, m).exp()
    }

    fn ln_p_alive_at(&self, x: u32, t_x: u32, n: u32, m: u32) -> f64 {
        let later = ln_survival(self.gamma, self.delta + f64::from(n), f64::from(m));
        later - softplus(self.log_odds_left(x, t_x, n))
    }

    /// Expected transactions at the opportunities n + 1 … n + horizon of a customer known to be alive at n + 1. It
    /// does not depend on t_x.
    pub fn expected_if_alive(&self, x: u32, n: u32, horizon: u32) -> f64 {
        if horizon == 0 {
            return 0.0;
        }
        let later = survival_sum(self.gamma, self.delta + f64::from(n) + 1.0, horizon - 1);
        self.after(x, n).mean_probability() * (1.0 + later)
    }

    /// Expected transactions at the opportunities n + 1 … n + horizon given (x, t_x, n) (equation 13): exactly
    /// [`BgBb::expected_if_alive`] × [`BgBb::p_alive`].
    pub fn conditional_expected(&self, x: u32, t_x: u32, n: u32, horizon: u32) -> f64 {
        self.expected_if_alive(x, n, horizon) * self.p_alive(x, t_x, n)
    }

    /// E[X(n)]: expected transactions of a new customer at its first n opportunities (equation 9).
    pub fn expected(&self, n: u32) -> f64 {
        self.mean_probability() * survival_sum(self.gamma, self.delta, n)
    }

    /// P(X(n) = x): the probability that a new customer transacts at x of its first n opportunities (equation 8).
    pub fn pmf(&self, x: u32, n: u32) -> f64 {
        if x > n {
            return 0.0;
        }
        let BgBb { alpha, beta, gamma, delta } = *self;
        let count = f64::from(x);
        // ln of C(k, x)·B(alpha + x, beta + k − x)/B(alpha, beta)·B(gamma, delta + k)/B(gamma, delta), from k = x on.
        let mut term = ln_survival(beta, alpha, count) + ln_survival(gamma, delta, count);
        let mut sum = 0.0;
        for k in x..n {
            let k = f64::from(k);
            sum += (term + (gamma / (gamma + delta + k)).ln()).exp();
            term += (count / (k + 1.0 - count)).ln_1p()
                - ((alpha + count) / (beta + (k - count))).ln_1p()
                - (gamma / (delta + k)).ln_1p();
        }
        (sum + term.exp()).min(1.0)
    }

    /// P(X(n, n + horizon) = y | x, t_x, n): the probability of y transactions at the next `horizon` opportunities
    /// (equation 14).
    pub fn conditional_pmf(&self, x: u32, t_x: u32, n: u32, y: u32, horizon: u32) -> f64 {
        let odds = self.log_odds_left(x, t_x, n);
        let stays = logistic(-odds) * self.after(x, n).pmf(y, horizon);
        if y == 0 { stays + logistic(odds) } else { stays }
    }

    /// DERT: expected transactions at all opportunities after n, the one at n + m discounted by 1/(1 + discount)^m
    /// (equation 15). `discount` is at least 0, per opportunity; without one the value is infinite if gamma ≤ 1.
    pub fn dert(&self, x: u32, t_x: u32, n: u32, discount: f64) -> f64 {
        self.discounted(x, t_x, n, discount, None)
    }

    /// DECT: the same over the opportunities n + 1 … n + horizon only.
    pub fn dect(&self, x: u32, t_x: u32, n: u32, discount: f64, horizon: u32) -> f64 {
        self.discounted(x, t_x, n, discount, Some(horizon))
    }

    fn discounted(&self, x: u32, t_x: u32, n: u32, discount: f64, horizon: Option<u32>) -> f64 {
        let sum = discounted_sum(self.gamma, self.delta + f64::from(n), discount, horizon);
        self.after(x, n).mean_probability() * sum * self.p_alive_at(x, t_x, n, 0)
    }

    /// The distributions of a customer with `x` transactions who was alive at opportunity n.
    fn after(&self, x: u32, n: u32) -> BgBb {
        let (x, n) = (f64::from(x), f64::from(n));
        BgBb { alpha: self.alpha + x, beta: self.beta + (n - x), gamma: self.gamma, delta: self.delta + n }
    }

    fn mean_probability(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }
}

/// ln(e^a + e^b).
fn ln_sum(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// The scale-free parameters: logit of the mean transaction probability alpha/(alpha+beta); ln(alpha + beta); logit of
/// the mean dropout probability gamma/(gamma+delta); ln(gamma + delta).
impl Parametric for BgBb {
    const MODEL: &'static str = "BG/BB";
    const NAMES: &'static [&'static str] = &["alpha", "beta", "gamma", "delta"];

    fn unit(&self) -> Option<Unit> {
        None
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.alpha, self.beta, self.gamma, self.delta]
    }

    fn scale_free(&self) -> Vec<f64> {
        [beta_shape::scale_free(self.alpha, self.beta), beta_shape::scale_free(self.gamma, self.delta)]
            .concat()
    }

    fn with_scale_free(&self, theta: &[f64]) -> BgBb {
        let (alpha, beta) = beta_shape::natural(&theta[..2]);
        let (gamma, delta) = beta_shape::natural(&theta[2..]);
        BgBb { alpha, beta, gamma, delta }
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Probability, Scale::Shape, Scale::Probability, Scale::Shape]
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(4);
        beta_shape::fill_jacobian(&mut out, 0, self.alpha, self.beta);
        beta_shape::fill_jacobian(&mut out, 2, self.gamma, self.delta);
        out
    }
}
