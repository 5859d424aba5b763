//! A customer's own probabilities given its history, drawn exactly, and its future.

use super::{BgBb, ln_sum};
use crate::random::Stream;

/// What cannot be seen of a customer in discrete time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscreteLatent {
    /// Whether it is alive at the next opportunity (n + 1).
    pub alive: bool,
    /// The probability of a transaction at an opportunity while it is alive.
    pub transaction: f64,
    /// The probability of leaving before each opportunity after the next one.
    pub dropout: f64,
}

impl DiscreteLatent {
    /// The transactions expected at the next `horizon` opportunities.
    pub fn expected(&self, horizon: u32) -> f64 {
        if !self.alive || horizon == 0 {
            return 0.0;
        }
        // p·(1 − (1 − θ)^h)/θ.
        let survived = if self.dropout > 0.0 {
            -(f64::from(horizon) * (-self.dropout).ln_1p()).exp_m1() / self.dropout
        } else {
            f64::from(horizon)
        };
        self.transaction * survived
    }

    /// Calls `transaction` with the number (1 … horizon) of each of the next `horizon` opportunities at which it
    /// transacts, in order.
    pub fn transactions(&self, stream: &mut Stream, horizon: u32, mut transaction: impl FnMut(u32)) {
        if !self.alive {
            return;
        }
        for opportunity in 1..=horizon {
            if opportunity > 1 && stream.uniform() < self.dropout {
                return;
            }
            if stream.uniform() < self.transaction {
                transaction(opportunity);
            }
        }
    }
}

impl BgBb {
    /// Draws what cannot be seen of a customer, given its history: whether it is alive at opportunity n + 1, and its
    /// own probabilities. Exact; x, t_x and n of 0 draw a new customer.
    ///
    /// The history is a mixture over the last opportunity k = t_x … n at which the customer was alive, and over being
    /// alive at n + 1; given which, both probabilities have beta distributions.
    pub fn draw(&self, stream: &mut Stream, x: u32, t_x: u32, n: u32) -> DiscreteLatent {
        let BgBb { alpha, beta, gamma, delta } = *self;
        let log_odds = self.log_odds_left(x, t_x, n);
        // On the scale where being alive at n counts 1, and having left before it the odds.
        let place = stream.uniform() * (1.0 + log_odds.exp());
        let alive = place < (delta + f64::from(n)) / (gamma + delta + f64::from(n));
        let last = if place < 1.0 { n } else { self.last_alive(stream, x, t_x, n, log_odds) };
        let (count, k) = (f64::from(x), f64::from(last));
        let transaction = stream.beta(alpha + count, beta + (k - count));
        let dropout =
            if alive { stream.beta(gamma, delta + k + 1.0) } else { stream.beta(gamma + 1.0, delta + k) };
        DiscreteLatent { alive, transaction, dropout }
    }

    /// Draws the last opportunity at which a customer who left before `n` was alive; `log_odds` are those of having
    /// left.
    fn last_alive(&self, stream: &mut Stream, x: u32, t_x: u32, n: u32, log_odds: f64) -> u32 {
        let target = log_odds + stream.uniform().ln();
        let mut below = f64::NEG_INFINITY;
        for (k, odds) in self.ways_to_have_left(x, t_x, n) {
            below = ln_sum(below, odds);
            if below >= target {
                return k;
            }
        }
        // Only rounding in the sum leads here.
        t_x
    }
}
