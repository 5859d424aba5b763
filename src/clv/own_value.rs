//! What a customer is worth by its own rates: the figures that a model can only expect, at one draw of what cannot be seen.
//!
//! A model's CLV of a customer is a mean over all customers with the same history. By its own purchase rate λ, rate or
//! probability of leaving and spend rate ν (drawn in [`super::latent`]) the customer is worth more or less than that. Over many
//! draws the mean is the model's figure (a test), and the spread is how little a history says of one customer.

use super::gamma_gamma::GammaGamma;
use super::latent::{Dropout, Latent, spend_rate};
use super::model::PurchaseModel;
use super::pattern::Patterns;
use super::value::ValueOptions;
use crate::calendar::Unit;
use crate::customers::{OrderDays, Statistics};
use crate::parallel;
use crate::random::{Purpose, Stream};
use std::ops::Range;

/// The names that the figures have as columns.
pub const FIGURES: [&str; 5] = ["p_alive", "expected_transactions", "dert", "expected_spend", "clv"];

/// The figures of some customers by their own rates, one entry each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OwnFigures {
    /// 1 for who is alive at the end of calibration, 0 for who is not.
    pub p_alive: Vec<f64>,
    /// Purchases expected within the horizon.
    pub expected_transactions: Vec<f64>,
    /// Discounted purchases expected for ever; empty without a discount.
    pub dert: Vec<f64>,
    /// The mean value of its purchases; empty without a model of spend.
    pub expected_spend: Vec<f64>,
    /// Margin × mean value × discounted purchases expected within the horizon; empty without a model of spend.
    pub clv: Vec<f64>,
}

impl OwnFigures {
    /// The figures by the names that they have as columns; those that there are.
    pub fn columns(&self) -> Vec<(&'static str, &[f64])> {
        let all = [&self.p_alive, &self.expected_transactions, &self.dert, &self.expected_spend, &self.clv];
        FIGURES.into_iter().zip(all.map(Vec::as_slice)).filter(|(_, values)| !values.is_empty()).collect()
    }

    /// What the customer is worth: `clv`, or `expected_transactions` where there is no model of spend.
    pub fn worth(&self) -> &[f64] {
        if self.clv.is_empty() { &self.expected_transactions } else { &self.clv }
    }
}

/// The customers whose figures are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Histories<'a> {
    /// Their histories, and their mean values where spend is drawn.
    pub statistics: &'a Statistics,
    /// The same histories with equal ones taken together.
    pub patterns: &'a Patterns,
    /// Stable hash of each one's id.
    pub hash: &'a [u64],
}

/// The models at one draw of their parameters.
#[derive(Clone, Copy)]
pub struct Models<'a> {
    /// Of purchases.
    pub purchases: &'a dyn PurchaseModel,
    /// Of spend.
    pub spend: Option<&'a GammaGamma>,
}

/// Draws figures by customers' own rates.
#[derive(Debug, Clone, Copy)]
pub struct OwnValues {
    horizon: Horizon,
    margin: f64,
    /// Continuous discount rate per unit of the models' time.
    delta: f64,
    over: OrderDays,
    unit: Unit,
    seed: u64,
}

impl OwnValues {
    /// By models in `unit`; customers' mean values are over `over`.
    pub fn new(options: &ValueOptions, unit: Unit, over: OrderDays, seed: u64) -> OwnValues {
        OwnValues {
            horizon: Horizon::new(options, unit),
            margin: options.margin,
            delta: options.discount.continuous_per(unit),
            over,
            unit,
            seed,
        }
    }

    /// P(alive) of every pattern of histories under one draw of the parameters: [`OwnValues::draw`] needs it.
    pub fn p_alive(&self, patterns: &Patterns, model: &dyn PurchaseModel) -> Vec<f64> {
        let days = self.unit.days();
        parallel::collect(patterns.len(), |i| {
            model.p_alive(patterns.frequency(i), patterns.recency_days(i) / days, patterns.t_days(i) / days)
        })
    }

    /// The figures of customers `rows` in draw `k`. Random numbers are keyed by customer and draw: who else is there
    /// does not matter.
    pub fn draw(
        &self,
        k: u32,
        models: Models<'_>,
        of: Histories<'_>,
        p_alive: &[f64],
        rows: Range<usize>,
    ) -> OwnFigures {
        let n = rows.len();
        let room = |wanted: bool| Vec::with_capacity(if wanted { n } else { 0 });
        let has_money = models.spend.is_some();
        let mut out = OwnFigures {
            p_alive: room(true),
            expected_transactions: room(true),
            dert: room(self.delta > 0.0),
            expected_spend: room(has_money),
            clv: room(has_money),
        };
        let statistics = of.statistics;
        for i in rows {
            let x = statistics.frequency[i];
            let mut latents = Stream::new(self.seed, of.hash[i], k, Purpose::Latent);
            let alive = latents.uniform() < p_alive[of.patterns.of_customer(i)];
            let (mut orders, mut discounted, mut residual) = (0.0, 0.0, 0.0);
            if alive {
                let latent =
                    models.purchases.draw_alive(&mut latents, x, statistics.t_days[i] / self.unit.days());
                (orders, discounted) = self.horizon.of(&latent);
                residual = latent.rate / (self.delta + leaving(&latent));
            }
            out.p_alive.push(f64::from(u8::from(alive)));
            out.expected_transactions.push(orders);
            if self.delta > 0.0 {
                out.dert.push(residual);
            }
            if let Some(&GammaGamma { p, q, gamma }) = models.spend {
                let mut amounts = Stream::new(self.seed, of.hash[i], k, Purpose::Spend);
                let mean = statistics.monetary_value.get(i).copied().unwrap_or(0.0).max(0.0);
                let spend = p / spend_rate(&mut amounts, p, q, gamma, f64::from(self.over.count(x)), mean);
                out.expected_spend.push(spend);
                // Who orders no more is worth nothing, however much an order were.
                out.clv.push(if discounted > 0.0 { self.margin * spend * discounted } else { 0.0 });
            }
        }
        out
    }
}

/// The rate at which a customer leaves, per unit of time.
fn leaving(latent: &Latent) -> f64 {
    match latent.dropout {
        Dropout::Never => 0.0,
        // Leaving at purchases is leaving at a rate of p·λ, and the purchase at which it leaves counts.
        Dropout::AfterPurchase(p) => p * latent.rate,
        Dropout::AtRate(rate) => rate,
    }
}

/// A horizon in steps, as CLV counts them: all of one length but the last, orders of a step discounted to its end.
#[derive(Debug, Clone, Copy)]
struct Horizon {
    /// The length of a whole step, in the models' time.
    step: f64,
    /// Whole steps before the last one.
    whole: f64,
    /// The length of the last one.
    last: f64,
    /// ln of a whole step's discount factor, and the factor at the end of the horizon.
    ln_factor: f64,
    factor_at_end: f64,
}

impl Horizon {
    fn new(options: &ValueOptions, unit: Unit) -> Horizon {
        let horizon = options.horizon;
        // As the schedule has it: 36.000000001 months are 36 steps.
        let whole = (horizon.count() - 1e-9).ceil().max(1.0) - 1.0;
        let step = horizon.period().days();
        Horizon {
            step: step / unit.days(),
            whole,
            last: (horizon.days() - whole * step) / unit.days(),
            ln_factor: -options.discount.continuous_per_day() * step,
            factor_at_end: options.discount.factor(horizon.days()),
        }
    }

    /// Orders expected within the horizon of a customer who is alive, and their discounted sum.
    ///
    /// While it is alive it buys at rate λ, and it is still alive after t with probability e^(−m·t): a step of length h that
    /// begins at t brings λ·e^(−m·t)·(1 − e^(−m·h))/m. Over the whole steps this is a geometric series.
    fn of(&self, latent: &Latent) -> (f64, f64) {
        let m = leaving(latent);
        let orders_in = |h: f64| if m > 0.0 { -(-m * h).exp_m1() / m } else { h };
        // ln of what a step brings, discounted, of what the one before it did.
        let ratio = self.ln_factor - m * self.step;
        let series = match ratio {
            _ if self.whole == 0.0 => 0.0,
            0.0 => self.whole,
            ratio => (self.whole * ratio).exp_m1() / ratio.exp_m1(),
        };
        let before = self.whole * self.step;
        let at_last = (-m * before).exp() * orders_in(self.last);
        let discounted = orders_in(self.step) * self.ln_factor.exp() * series + self.factor_at_end * at_last;
        (latent.rate * (orders_in(before) + at_last), latent.rate * discounted)
    }
}

#[cfg(test)]
#[path = "own_value_tests.rs"]
mod tests;
