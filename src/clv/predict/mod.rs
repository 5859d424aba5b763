//! Intervals of what customers will order and spend: of the expectation, and of what will happen.
//!
//! For every draw of the models' parameters each customer's rates are drawn given its history, then the number of its
//! orders within the horizon, then what they are worth. Beside them stands the exact expectation at the same draw.
//!
//! - `mean_lower`/`mean_upper`: quantiles of the expectation over the draws of parameters. They say how well the
//!   customer, or the total, is known on average.
//! - `lower`/`upper`: quantiles of what will happen, with parameters, rates and luck. A customer's are always wide.
//!
//! Memory: a customer's draws exist only while it is worked on; totals hold draws × groups; columns are a few numbers
//! per customer. Customers are taken in the order of their patterns, so that the costly expectation of a customer who
//! is alive is computed once per distinct (x, T) and draw. Random numbers are keyed by the customer: the result does
//! not depend on threads, and a customer's not on who else is there.

mod count;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::gamma_gamma::GammaGamma;
use super::latent;
use super::model::PurchaseModel;
use super::pattern::Patterns;
use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream};

/// Customers per unit of parallel work; fixed, so that totals do not depend on threads.
const CHUNK: usize = 2048;

/// Chunks whose results wait to be put in their places.
const BLOCK: usize = 64;

/// Fewer draws than this beyond each end leave the end to chance.
const FEWEST_BEYOND: f64 = 2.0;

/// The customers, one entry each in every slice.
#[derive(Debug, Clone, Copy)]
pub struct Customers<'a> {
    /// Their histories.
    pub patterns: &'a Patterns,
    /// Mean value of each one's repeat purchases; read only where spend is predicted.
    pub monetary_value: &'a [f64],
    /// Stable hash of each one's id.
    pub hash: &'a [u64],
}

/// A division of the customers (tiers, deciles, regions) whose totals are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Grouping<'a> {
    /// Its name.
    pub name: &'a str,
    /// Each customer's group, below `groups`.
    pub codes: &'a [u32],
    /// How many groups there are.
    pub groups: usize,
}

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PredictOptions {
    /// How far ahead.
    pub horizon: Span,
    /// The probability that intervals are to have, between 0 and 1, such as .95.
    pub level: f64,
    /// The seed of every random number.
    pub seed: u64,
}

/// One quantity with both intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The expectation, averaged over the draws of parameters.
    pub value: f64,
    /// Lower end of the interval of the expectation.
    pub mean_lower: f64,
    /// Upper end of the interval of the expectation.
    pub mean_upper: f64,
    /// Lower end of the interval of what will happen.
    pub lower: f64,
    /// Upper end of the interval of what will happen.
    pub upper: f64,
}

/// [`Interval`]s of all customers, as columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntervalColumns {
    /// [`Interval::value`] of each customer.
    pub value: Vec<f64>,
    /// [`Interval::mean_lower`] of each customer.
    pub mean_lower: Vec<f64>,
    /// [`Interval::mean_upper`] of each customer.
    pub mean_upper: Vec<f64>,
    /// [`Interval::lower`] of each customer.
    pub lower: Vec<f64>,
    /// [`Interval::upper`] of each customer.
    pub upper: Vec<f64>,
}

/// Totals over some customers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Total {
    /// The grouping and the group in it; none for all customers.
    pub group: Option<(String, usize)>,
    /// How many customers it is over.
    pub customers: u64,
    /// Their orders together.
    pub orders: Interval,
    /// Their spend together, where spend is predicted.
    pub spend: Option<Interval>,
}

/// What [`predict_intervals`] gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// Orders of each customer. `lower` and `upper` are whole numbers of orders: the interval has at least its level.
    pub orders: IntervalColumns,
    /// Spend of each customer, where spend is predicted.
    pub spend: Option<IntervalColumns>,
    /// All customers first, then every group of every grouping.
    pub totals: Vec<Total>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// Predicts orders, and with draws of a spend model what they are worth (undiscounted), with both intervals.
///
/// `purchases` are equally weighted draws of the purchase model's parameters ([`super::Posterior::draws`]); `spend` are
/// as many of Gamma-Gamma's, independent of them.
///
/// # Errors
/// Slices of wrong lengths, no draw, a level outside (0, 1), a group code beyond its grouping, and
/// [`Error::Interrupted`].
pub fn predict_intervals<P: PurchaseModel>(
    customers: &Customers<'_>,
    purchases: &[P],
    spend: Option<&[GammaGamma]>,
    groupings: &[Grouping<'_>],
    options: &PredictOptions,
    progress: &dyn Progress,
) -> Result<Intervals> {
    check(customers, purchases.len(), spend, groupings, options)?;
    let n = customers.hash.len();
    let order = in_order_of_patterns(customers.patterns);
    let work = Work { customers, purchases, spend, groupings, options, order: &order };
    let chunks = n.div_ceil(CHUNK);
    progress.phase("predicting", chunks as u64);
    let mut orders = IntervalColumns::of_length(n);
    let mut money = spend.map(|_| IntervalColumns::of_length(n));
    let mut sums = work.no_sums();
    for first in (0..chunks).step_by(BLOCK) {
        progress.check()?;
        let block = first..(first + BLOCK).min(chunks);
        let parts = parallel::map(block.len(), |i| {
            let start = (block.start + i) * CHUNK;
            let part =
                if progress.cancelled() { None } else { Some(work.chunk(start..(start + CHUNK).min(n))) };
            progress.advance(1);
            part
        });
        progress.check()?;
        for (part, at) in parts.into_iter().flatten().zip(block) {
            let who = &order[at * CHUNK..];
            for (k, interval) in part.orders.iter().enumerate() {
                orders.put(who[k] as usize, interval);
            }
            if let Some(money) = &mut money {
                for (k, interval) in part.spend.iter().enumerate() {
                    money.put(who[k] as usize, interval);
                }
            }
            sums.iter_mut().zip(&part.sums).for_each(|(sum, add)| sum.add(add));
        }
    }
    Ok(Intervals { orders, spend: money, totals: work.totals(sums), warnings: work.warnings() })
}

fn check(
    customers: &Customers<'_>,
    draws: usize,
    spend: Option<&[GammaGamma]>,
    groupings: &[Grouping<'_>],
    options: &PredictOptions,
) -> Result<()> {
    let n = customers.patterns.customers();
    let one_each = "give one entry per customer";
    let wrong = |what: &str, got: usize, want: usize, remedy: &str| {
        Err(Error::value(what, got, format!("{want} are needed"), remedy))
    };
    if customers.hash.len() != n {
        return wrong("the customers' hashes", customers.hash.len(), n, one_each);
    }
    if spend.is_some() && customers.monetary_value.len() != n {
        return wrong("the mean spends", customers.monetary_value.len(), n, one_each);
    }
    if draws == 0 {
        return wrong("the draws of purchase parameters", 0, 1, "draw the parameters from a posterior");
    }
    if let Some(spend) = spend
        && spend.len() != draws
    {
        return wrong("the draws of spend parameters", spend.len(), draws, "draw as many as for purchases");
    }
    if !(options.level > 0.0 && options.level < 1.0) {
        let problem = "it is not between 0 and 1";
        return Err(Error::value("the level of intervals", options.level, problem, "give one such as 0.95"));
    }
    for grouping in groupings {
        if grouping.codes.len() != n {
            return wrong("the group codes", grouping.codes.len(), n, one_each);
        }
        if let Some(&code) = grouping.codes.iter().find(|&&code| code as usize >= grouping.groups) {
            let problem = format!("\"{}\" has {} groups", grouping.name, grouping.groups);
            return Err(Error::value("a group code", code, problem, "count groups from 0 on"));
        }
    }
    Ok(())
}

/// The customers, those of a pattern together (in their own order), patterns ascending.
fn in_order_of_patterns(patterns: &Patterns) -> Vec<u32> {
    let mut next = vec![0u32; patterns.len()];
    let mut start = 0;
    for (pattern, next) in next.iter_mut().enumerate() {
        *next = start;
        start += patterns.weight(pattern);
    }
    let mut order = vec![0u32; patterns.customers()];
    for i in 0..patterns.customers() {
        let slot = &mut next[patterns.of_customer(i)];
        order[*slot as usize] = i as u32;
        *slot += 1;
    }
    order
}

impl IntervalColumns {
    fn of_length(n: usize) -> IntervalColumns {
        let zeros = || vec![0.0; n];
        IntervalColumns {
            value: zeros(),
            mean_lower: zeros(),
            mean_upper: zeros(),
            lower: zeros(),
            upper: zeros(),
        }
    }

    fn put(&mut self, i: usize, interval: &Interval) {
        self.value[i] = interval.value;
        self.mean_lower[i] = interval.mean_lower;
        self.mean_upper[i] = interval.mean_upper;
        self.lower[i] = interval.lower;
        self.upper[i] = interval.upper;
    }
}

/// Sums over customers by draw.
#[derive(Debug, Clone)]
struct Sums {
    customers: u64,
    expected_orders: Vec<f64>,
    orders: Vec<f64>,
    expected_spend: Vec<f64>,
    spend: Vec<f64>,
}

impl Sums {
    fn new(draws: usize, with_spend: bool) -> Sums {
        let zeros = || vec![0.0; draws];
        let money = || if with_spend { zeros() } else { Vec::new() };
        Sums {
            customers: 0,
            expected_orders: zeros(),
            orders: zeros(),
            expected_spend: money(),
            spend: money(),
        }
    }

    fn add(&mut self, other: &Sums) {
        self.customers += other.customers;
        self.add_customer(&other.expected_orders, &other.orders, &other.expected_spend, &other.spend);
    }

    fn add_customer(
        &mut self,
        expected_orders: &[f64],
        orders: &[f64],
        expected_spend: &[f64],
        spend: &[f64],
    ) {
        let add = |into: &mut [f64], from: &[f64]| into.iter_mut().zip(from).for_each(|(i, f)| *i += f);
        add(&mut self.expected_orders, expected_orders);
        add(&mut self.orders, orders);
        add(&mut self.expected_spend, expected_spend);
        add(&mut self.spend, spend);
    }
}

/// What one chunk of customers gives, in the order of their patterns.
struct Part {
    orders: Vec<Interval>,
    spend: Vec<Interval>,
    sums: Vec<Sums>,
}

struct Work<'a, P> {
    customers: &'a Customers<'a>,
    purchases: &'a [P],
    spend: Option<&'a [GammaGamma]>,
    groupings: &'a [Grouping<'a>],
    options: &'a PredictOptions,
    order: &'a [u32],
}

impl<P: PurchaseModel> Work<'_, P> {
    fn no_sums(&self) -> Vec<Sums> {
        let slots = 1 + self.groupings.iter().map(|grouping| grouping.groups).sum::<usize>();
        vec![Sums::new(self.purchases.len(), self.spend.is_some()); slots]
    }

    fn chunk(&self, range: std::ops::Range<usize>) -> Part {
        let draws = self.purchases.len();
        let patterns = self.customers.patterns;
        let unit = self.purchases[0].time_unit();
        let horizon = self.options.horizon.in_unit(unit);
        let tail = 0.5 * (1.0 - self.options.level);
        let mut part = Part { orders: Vec::new(), spend: Vec::new(), sums: self.no_sums() };
        let (mut of_pair, mut of_pattern) = (usize::MAX, usize::MAX);
        // By draw: the expectation if alive and at all, and what happens.
        let mut if_alive = vec![0.0; draws];
        let mut expected = vec![0.0; draws];
        let mut orders = vec![0.0; draws];
        let mut expected_spend = vec![0.0; if self.spend.is_some() { draws } else { 0 }];
        let mut spend = expected_spend.clone();
        let mut sorted = Vec::with_capacity(draws);
        let mut mean = (0.0, 0.0, 0.0);
        for &i in &self.order[range] {
            let i = i as usize;
            let pattern = patterns.of_customer(i);
            let x = patterns.frequency(pattern);
            let t_x = patterns.recency_days(pattern) / unit.days();
            let t = patterns.t_days(pattern) / unit.days();
            if patterns.pair_of(pattern) != of_pair {
                of_pair = patterns.pair_of(pattern);
                for (out, params) in if_alive.iter_mut().zip(self.purchases) {
                    *out = params.expected_if_alive(x, t, horizon);
                }
            }
            if pattern != of_pattern {
                of_pattern = pattern;
                for ((out, if_alive), params) in expected.iter_mut().zip(&if_alive).zip(self.purchases) {
                    *out = if_alive * params.p_alive(x, t_x, t);
                }
                mean = summary(&expected, tail, &mut sorted);
            }
            let hash = self.customers.hash[i];
            for (draw, (out, params)) in (0u32..).zip(orders.iter_mut().zip(self.purchases)) {
                let latent = params.draw(&mut self.stream(hash, draw, Purpose::Latent), x, t_x, t);
                *out = count::orders(&latent, &mut self.stream(hash, draw, Purpose::Arrivals), horizon);
            }
            let (lower, upper) = whole_ends(&orders, tail, &mut sorted);
            part.orders.push(Interval {
                value: mean.0,
                mean_lower: mean.1,
                mean_upper: mean.2,
                lower,
                upper,
            });
            if let Some(models) = self.spend {
                let repeat = self.customers.monetary_value[i].max(0.0);
                for (draw, model) in models.iter().enumerate() {
                    expected_spend[draw] = times(expected[draw], model.expected_spend(x, repeat));
                    spend[draw] = 0.0;
                    if orders[draw] > 0.0 {
                        let mut stream = self.stream(hash, draw as u32, Purpose::Spend);
                        let GammaGamma { p, q, gamma } = *model;
                        let rate = latent::spend_rate(&mut stream, p, q, gamma, f64::from(x), repeat);
                        spend[draw] = stream.gamma(p * orders[draw]) / rate;
                    }
                }
                let (value, mean_lower, mean_upper) = summary(&expected_spend, tail, &mut sorted);
                let (_, lower, upper) = summary(&spend, tail, &mut sorted);
                part.spend.push(Interval { value, mean_lower, mean_upper, lower, upper });
            }
            let mut slot = 0;
            for sum in std::iter::once(0).chain(self.groupings.iter().map(|grouping| {
                let own = 1 + slot + grouping.codes[i] as usize;
                slot += grouping.groups;
                own
            })) {
                part.sums[sum].customers += 1;
                part.sums[sum].add_customer(&expected, &orders, &expected_spend, &spend);
            }
        }
        part
    }

    fn stream(&self, hash: u64, draw: u32, purpose: Purpose) -> Stream {
        Stream::new(self.options.seed, hash, draw, purpose)
    }

    fn totals(&self, sums: Vec<Sums>) -> Vec<Total> {
        let tail = 0.5 * (1.0 - self.options.level);
        let groups = self
            .groupings
            .iter()
            .flat_map(|grouping| (0..grouping.groups).map(|group| Some((grouping.name.to_string(), group))));
        let mut sorted = Vec::new();
        let mut interval = |expected: &[f64], sampled: &[f64]| {
            let (value, mean_lower, mean_upper) = summary(expected, tail, &mut sorted);
            let (_, lower, upper) = summary(sampled, tail, &mut sorted);
            Interval { value, mean_lower, mean_upper, lower, upper }
        };
        std::iter::once(None)
            .chain(groups)
            .zip(sums)
            .map(|(group, sums)| Total {
                group,
                customers: sums.customers,
                orders: interval(&sums.expected_orders, &sums.orders),
                spend: self.spend.map(|_| interval(&sums.expected_spend, &sums.spend)),
            })
            .collect()
    }

    fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        let draws = self.purchases.len();
        let beyond = 0.5 * (1.0 - self.options.level) * draws as f64;
        if beyond < FEWEST_BEYOND {
            out.push(format!(
                "{draws} draws are too few for the ends of {} % intervals: give at least {:.0}",
                100.0 * self.options.level,
                (2.0 * FEWEST_BEYOND / (1.0 - self.options.level)).ceil()
            ));
        }
        let without_mean = self.spend.map_or(0, |draws| draws.iter().filter(|draw| draw.q <= 1.0).count());
        if without_mean > 0 {
            out.push(format!(
                "{without_mean} of {draws} draws of the spend parameters have no finite mean (q ≤ 1): expected spend \
                 of customers without repeat purchases, and of totals, is infinite there"
            ));
        }
        out
    }
}

/// orders × spend; nothing where no orders are expected, even at a spend without a mean.
fn times(orders: f64, spend: f64) -> f64 {
    if orders == 0.0 { 0.0 } else { orders * spend }
}

/// Mean, and the quantiles at `tail` and 1 − `tail`, linear between order statistics (Hyndman and Fan's type 7).
fn summary(values: &[f64], tail: f64, sorted: &mut Vec<f64>) -> (f64, f64, f64) {
    sort_into(values, sorted);
    let quantile = |p: f64| {
        let at = p * (sorted.len() - 1) as f64;
        let (low, part) = (at.floor() as usize, at.fract());
        let (from, to) = (sorted[low], sorted[(low + 1).min(sorted.len() - 1)]);
        // Also where both are infinite.
        if part == 0.0 || from == to { from } else { from + part * (to - from) }
    };
    (values.iter().sum::<f64>() / values.len() as f64, quantile(tail), quantile(1.0 - tail))
}

/// The same ends for whole numbers: the smallest numbers that at least `tail` and 1 − `tail` of the draws do not exceed.
fn whole_ends(values: &[f64], tail: f64, sorted: &mut Vec<f64>) -> (f64, f64) {
    sort_into(values, sorted);
    let quantile = |p: f64| sorted[((p * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len()) - 1];
    (quantile(tail), quantile(1.0 - tail))
}

fn sort_into(values: &[f64], sorted: &mut Vec<f64>) {
    sorted.clear();
    sorted.extend_from_slice(values);
    sorted.sort_unstable_by(f64::total_cmp);
}
