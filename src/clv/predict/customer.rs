//! One customer after the other: what is expected of it at every draw of the parameters, and what will happen.

use std::sync::Arc;

use super::count;
use super::kept::IfAlive;
use super::quantiles::{ends, summary, whole_ends};
use super::{Customers, Interval, Predictor, Sums};
use crate::clv::gamma_gamma::GammaGamma;
use crate::clv::latent::spend_rate;
use crate::random::{Purpose, Stream};

/// What a chunk of customers gives, in the order in which they came.
#[derive(Debug)]
pub(super) struct Part {
    pub p_alive: Vec<(f64, f64)>,
    pub orders: Vec<Interval>,
    pub dert: Vec<(f64, f64)>,
    pub spend: Vec<(f64, f64)>,
    pub clv: Vec<Interval>,
    pub sums: Sums,
    /// By group; none where it has nobody here.
    pub groups: Vec<Option<Sums>>,
}

/// Predicts customers; those with the same history should come one after the other.
pub(super) struct Worker<'a> {
    of: &'a Predictor<'a>,
    customers: &'a Customers<'a>,
    pub part: Part,
    tail: f64,
    /// Of the history of the last customer (x, T, t_x): what it gives, by draw.
    pair: Option<(u32, u64)>,
    pattern: Option<(u32, u64, u64)>,
    if_alive: Arc<[IfAlive]>,
    part_at_end: Option<Arc<[f64]>>,
    alive: Vec<f64>,
    expected: Vec<f64>,
    discounted: Vec<f64>,
    alive_ends: (f64, f64),
    orders_summary: (f64, f64, f64),
    dert_ends: (f64, f64),
    /// Of the customer itself, by draw.
    orders: Vec<f64>,
    worth: Vec<f64>,
    expected_value: Vec<f64>,
    value: Vec<f64>,
    scratch: Vec<f64>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(of: &'a Predictor<'a>, customers: &'a Customers<'a>, most: usize) -> Worker<'a> {
        let draws = of.purchases.len();
        let zeros = || vec![0.0; draws];
        let money = || if of.has_money() { zeros() } else { Vec::new() };
        let room = |wanted: bool| if wanted { most } else { 0 };
        let part = Part {
            p_alive: Vec::with_capacity(most),
            orders: Vec::with_capacity(most),
            dert: Vec::with_capacity(room(of.has_dert())),
            spend: Vec::with_capacity(room(of.has_money())),
            clv: Vec::with_capacity(room(of.has_money())),
            sums: of.no_sums(),
            groups: vec![None; customers.groups.map_or(0, |groups| groups.count)],
        };
        Worker {
            of,
            customers,
            part,
            tail: 0.5 * (1.0 - of.options.level),
            pair: None,
            pattern: None,
            if_alive: Arc::new([]),
            part_at_end: None,
            alive: zeros(),
            expected: zeros(),
            discounted: zeros(),
            alive_ends: (0.0, 0.0),
            orders_summary: (0.0, 0.0, 0.0),
            dert_ends: (0.0, 0.0),
            orders: zeros(),
            worth: money(),
            expected_value: money(),
            value: money(),
            scratch: Vec::with_capacity(draws),
        }
    }

    /// Predicts customer `i`.
    pub(super) fn customer(&mut self, i: usize) {
        let statistics = self.customers.statistics;
        let (x, t_x_days, t_days) =
            (statistics.frequency[i], statistics.recency_days[i], statistics.t_days[i]);
        self.history(x, t_x_days, t_days);
        let repeat = statistics.monetary_value.get(i).copied().unwrap_or(0.0).max(0.0);
        let t = t_days / self.of.purchases[0].time_unit().days();
        let counted = self.of.over.count(x);
        self.future(self.customers.hash[i], (x, t), (counted, repeat));
        let (value, mean_lower, mean_upper) = self.orders_summary;
        let (lower, upper) = whole_ends(&self.orders, self.tail, &mut self.scratch);
        self.part.p_alive.push(self.alive_ends);
        self.part.orders.push(Interval { value, mean_lower, mean_upper, lower, upper });
        if self.of.has_dert() {
            self.part.dert.push(self.dert_ends);
        }
        if let Some(models) = self.of.spend {
            self.money(models, counted, repeat);
        }
        let groups = self.customers.groups.map(|groups| groups.codes[i] as usize);
        let of_group = groups.map(|code| self.part.groups[code].get_or_insert_with(|| self.of.no_sums()));
        for sums in std::iter::once(&mut self.part.sums).chain(of_group) {
            sums.add_some(1, &self.expected, &self.orders, &self.expected_value, &self.value);
        }
    }

    /// What depends on the history alone: P(alive) and expectations.
    fn history(&mut self, x: u32, t_x_days: f64, t_days: f64) {
        let pattern = (x, t_days.to_bits(), t_x_days.to_bits());
        if self.pattern == Some(pattern) {
            return;
        }
        self.pattern = Some(pattern);
        let pair = (x, t_days.to_bits());
        if self.pair != Some(pair) {
            self.pair = Some(pair);
            self.if_alive = self.of.kept.if_alive(x, t_days);
            self.part_at_end = self.of.kept.part(x, t_days);
        }
        let days = self.of.purchases[0].time_unit().days();
        let (t_x, t) = (t_x_days / days, t_days / days);
        let all = self.alive.iter_mut().zip(self.of.purchases);
        match (self.of.kept.part(x, t_x_days), &self.part_at_end) {
            (Some(at_last), Some(at_end)) => {
                for ((out, model), parts) in all.zip(at_last.iter().zip(at_end.iter())) {
                    *out = model.p_alive_from(x, t_x, t, [*parts.0, *parts.1]);
                }
            }
            _ => all.for_each(|(out, model)| *out = model.p_alive(x, t_x, t)),
        }
        let times_alive = |out: &mut [f64], of: fn(&IfAlive) -> f64| {
            let all = out.iter_mut().zip(&self.alive).zip(self.if_alive.iter());
            all.for_each(|((out, alive), if_alive)| *out = alive * of(if_alive));
        };
        if self.of.has_dert() {
            times_alive(&mut self.expected, |if_alive| if_alive.residual);
            self.dert_ends = ends(&self.expected, self.tail, &mut self.scratch);
        }
        times_alive(&mut self.expected, |if_alive| if_alive.orders);
        times_alive(&mut self.discounted, |if_alive| if_alive.discounted);
        self.alive_ends = ends(&self.alive, self.tail, &mut self.scratch);
        self.orders_summary = summary(&self.expected, self.tail, &mut self.scratch);
    }

    /// What will happen to one customer, in every draw: orders, and what they are worth.
    fn future(&mut self, hash: u64, (x, t): (u32, f64), (counted, mean): (u32, f64)) {
        let Predictor { purchases, spend, options, steps, .. } = self.of;
        let stream = |draw: u32, purpose| Stream::new(options.seed, hash, draw, purpose);
        let is_flat = steps.are_equal();
        for (k, (model, &alive)) in purchases.iter().zip(&self.alive).enumerate() {
            let draw = k as u32;
            let mut latents = stream(draw, Purpose::Latent);
            if latents.uniform() >= alive {
                self.orders[k] = 0.0;
                if spend.is_some() {
                    self.value[k] = 0.0;
                }
                continue;
            }
            let latent = model.draw_alive(&mut latents, x, t);
            let mut arrivals = stream(draw, Purpose::Arrivals);
            let Some(models) = spend else {
                self.orders[k] = count::orders(&latent, &mut arrivals, steps, |_, _| {});
                continue;
            };
            let GammaGamma { p, q, gamma } = models[k];
            let mut amounts = stream(draw, Purpose::Spend);
            // The rate of the customer's spend is drawn when the first order asks for it.
            let (mut rate, mut spent) = (None, 0.0);
            let mut worth = |count: f64| {
                let rate = *rate
                    .get_or_insert_with(|| spend_rate(&mut amounts, p, q, gamma, f64::from(counted), mean));
                amounts.gamma(p * count) / rate
            };
            let orders = count::orders(&latent, &mut arrivals, steps, |step, count| {
                spent += steps.factor(step) * worth(count);
            });
            if is_flat && orders > 0.0 {
                spent = steps.factor(0) * worth(orders);
            }
            self.orders[k] = orders;
            self.value[k] = options.value.margin * spent;
        }
    }

    /// Intervals of an order's expected value and of lifetime value.
    fn money(&mut self, models: &[GammaGamma], x: u32, repeat: f64) {
        let margin = self.of.options.value.margin;
        for (k, model) in models.iter().enumerate() {
            self.worth[k] = model.expected_spend(x, repeat);
            self.expected_value[k] = margin * times(self.discounted[k], self.worth[k]);
        }
        self.part.spend.push(ends(&self.worth, self.tail, &mut self.scratch));
        let (value, mean_lower, mean_upper) = summary(&self.expected_value, self.tail, &mut self.scratch);
        let (lower, upper) = ends(&self.value, self.tail, &mut self.scratch);
        self.part.clv.push(Interval { value, mean_lower, mean_upper, lower, upper });
    }
}

/// Orders × spend; nothing where no orders are expected, even at a spend without a mean.
fn times(orders: f64, spend: f64) -> f64 {
    if orders == 0.0 { 0.0 } else { orders * spend }
}
