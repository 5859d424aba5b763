//! One customer's future in one replication, under every treatment at once.
//!
//! Treatments are coupled so that more of it never costs orders at any date: arrivals are counted in rate-time, the same unit
//! exponentials summed up to λ·factor·min(life, horizon); life is the same unit exponential over the smaller rate of dropout
//! (Pareto/NBD), or the customer leaves after purchase 1 + ⌊ln U/ln(1 − p)⌋ with the same U (BG/NBD and MBG/NBD); who has
//! left comes back where the same U is below the probability; the n-th order is worth the same before the spend factor.
//! A treatment that changes nothing gives the baseline's numbers bit for bit.

use super::expected::pareto_if_back;
use super::groups::Group;
use super::models::Model;
use super::tables::{Effect, Tables};
use crate::clv::PurchaseParameters;
use crate::random::{GammaShape, Purpose, Stream, Ziggurat};

/// One customer, packed for the inner loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Customer {
    pub hash: u64,
    pub mean_spend: f64,
    /// The orders that it is a mean over.
    pub spend_orders: u32,
    pub frequency: u32,
    pub recency_days: u32,
    pub t_days: u32,
    /// Index of its (tier, x, T).
    pub cell: u32,
    /// Index of its (x, t_x).
    pub last_pair: u32,
    pub group: u16,
}

/// What is added up over customers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sum {
    pub orders: f64,
    pub revenue: f64,
}

impl Sum {
    /// Adds another.
    #[inline]
    pub fn add(&mut self, other: &Sum) {
        self.orders += other.orders;
        self.revenue += other.revenue;
    }
}

/// The time that futures are sampled over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Time {
    /// In the models' unit.
    pub horizon: f64,
    /// Equal parts of the horizon.
    pub periods: usize,
}

/// What a customer's future does under one of its group's levels.
#[derive(Debug, Clone, Copy)]
struct Under {
    /// The last rate-time at which it still buys.
    end: f64,
    /// The purchase after which it leaves.
    after: u32,
    /// Periods per unit of rate-time.
    pace: f64,
    spend: f64,
    /// Where its sums begin.
    slot: usize,
}

/// Room that a worker uses again and again.
#[derive(Default)]
pub(super) struct Scratch {
    ziggurat: Ziggurat,
    under: Vec<Under>,
    back: Vec<f64>,
}

/// A customer with what does not change over the replications of a world.
pub(super) struct Prepared<'a> {
    pub customer: &'a Customer,
    pub group: &'a Group,
    pub alive: f64,
    /// T in the models' unit.
    t: f64,
    rate_shape: GammaShape,
    rate_scale: f64,
    spend_shape: GammaShape,
    spend_scale: f64,
}

impl<'a> Prepared<'a> {
    /// A customer in a world.
    #[inline]
    pub fn new(
        customer: &'a Customer,
        group: &'a Group,
        alive: f64,
        tables: &Tables,
        model: &impl Model,
    ) -> Prepared<'a> {
        let t = tables.unit.of_days(customer.t_days);
        let s = &tables.spend;
        let orders = f64::from(customer.spend_orders);
        Prepared {
            customer,
            group,
            alive,
            t,
            rate_shape: model.rate_shape(f64::from(customer.frequency)),
            rate_scale: model.rate_scale(t),
            // The rate of spend is gamma(q + p·x, gamma + x·mean), as `latent::spend_rate` draws it.
            spend_shape: GammaShape::new(s.q + s.p * orders),
            spend_scale: s.gamma + orders * customer.mean_spend,
        }
    }
}

/// Adds the expected orders and revenue of a customer to `sums`, by `(slot * steps) + step`.
#[inline]
pub(super) fn add_expected(of: &Prepared, tables: &Tables, scratch: &mut Scratch, sums: &mut [Sum]) {
    let Prepared { customer, group, alive, .. } = *of;
    let steps = tables.ends.len();
    let effects = tables.effects(group.tier);
    let expected = tables.alive(customer.cell);
    let spend = tables.spend.expected_spend(customer.spend_orders, customer.mean_spend);
    let brings_back = tables.largest[group.tier].1 > 0.0 && alive < 1.0;
    if brings_back {
        back_expected(customer, group.tier, tables, &mut scratch.back);
    }
    for (place, &level) in group.levels.iter().enumerate() {
        let effect = &effects[level];
        for step in 0..steps {
            let mut orders = expected[level * steps + step] * alive;
            if brings_back && effect.back > 0.0 {
                orders += (1.0 - alive) * effect.back * scratch.back[level * steps + step];
            }
            let sum = Sum { orders, revenue: orders * spend * effect.spend };
            let (of_tier, own) = group.slots(place);
            for slot in of_tier.into_iter().chain(own) {
                sums[slot * steps + step].add(&sum);
            }
        }
    }
}

/// Expected purchases of a customer who has left and is back, by `level * steps + step`.
fn back_expected(customer: &Customer, tier: usize, tables: &Tables, out: &mut Vec<f64>) {
    out.clear();
    if let Some(known) = tables.back(tier, customer.last_pair) {
        out.extend_from_slice(known);
        return;
    }
    let effects = tables.effects(tier);
    out.resize(effects.len() * tables.ends.len(), 0.0);
    if let PurchaseParameters::ParetoNbd(params) = &tables.parameters.purchases {
        let days = |days| tables.unit.of_days(days);
        let history = (customer.frequency, days(customer.recency_days), days(customer.t_days));
        pareto_if_back(params, history, effects, &tables.ends, out);
    }
}

/// An order at the horizon's very end belongs to its last period.
const JUST_BELOW_ONE: f64 = 1.0 - 4.0 * f64::EPSILON;

/// 1.5·2^52: numbers added to it are rounded to whole ones, which are its low bits.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// The whole part of a number from 0 to some thousands, quicker than a conversion; at a whole number itself it may be one less.
#[inline]
fn whole(x: f64) -> usize {
    ((x - 0.5) + WHOLE).to_bits() as usize & 0xffff
}

/// Adds the future of a customer in one replication to `sums` (by `slot * periods + period`) and `kept` (by slot: customers
/// with an order).
///
/// `model` is that of `tables`, `who` = (seed, replication).
#[inline]
pub(super) fn add_future(
    of: &Prepared,
    tables: &Tables,
    model: &impl Model,
    who: (u64, u32),
    time: Time,
    scratch: &mut Scratch,
    (sums, kept): (&mut [Sum], &mut [f64]),
) {
    let Prepared { customer, group, alive, .. } = *of;
    let (most_rate, most_back) = tables.largest[group.tier];
    let mut latent_stream = Stream::new(who.0, customer.hash, who.1, Purpose::Latent);
    // Drawn even where P(alive) is 1, so that the numbers after it do not depend on the parameters. The first arrival
    // shares its block of random bits: most customers need no further arrival.
    let luck = latent_stream.uniform();
    let first = latent_stream.uniform();
    // Among those who have left, where the luck lies says who comes back.
    let returns = (luck >= alive).then(|| (luck - alive) / (1.0 - alive));
    if returns.is_some_and(|luck| luck >= most_back) {
        return;
    }
    let mut clock = -first.ln();
    let (rate, leaving) = if returns.is_some() {
        model.back(&mut latent_stream, customer)
    } else {
        let rate = scratch.ziggurat.gamma(&mut latent_stream, &of.rate_shape) / of.rate_scale;
        if clock > rate * time.horizon * most_rate {
            return;
        }
        (rate, model.leaving(&mut latent_stream, &scratch.ziggurat, f64::from(customer.frequency), of.t))
    };

    let effects = tables.effects(group.tier);
    let (mut last_arrival, mut last_order) = (0.0f64, 0);
    scratch.under.clear();
    for (place, &level) in group.levels.iter().enumerate() {
        let effect = &effects[level];
        if returns.is_some_and(|luck| luck >= effect.back) {
            continue;
        }
        let own_rate = rate * effect.rate;
        let end = own_rate * leaving.exposure(effect.dropout, time.horizon);
        let after = leaving.after(effect.dropout);
        if clock > end {
            continue;
        }
        last_arrival = last_arrival.max(end);
        last_order = last_order.max(after);
        let pace = time.periods as f64 / (own_rate * time.horizon) * JUST_BELOW_ONE;
        let (of_tier, own) = group.slots(place);
        for slot in of_tier.into_iter().chain(own) {
            kept[slot] += 1.0;
            let slot = slot * time.periods;
            scratch.under.push(Under { end, after, pace, spend: effect.spend, slot });
        }
    }
    if scratch.under.is_empty() {
        return;
    }

    let ziggurat = scratch.ziggurat;
    let mut spend_stream = Stream::long(who.0, customer.hash, who.1, Purpose::Spend);
    // Each order is gamma(p, rate ν).
    let scale = of.spend_scale / ziggurat.gamma(&mut spend_stream, &of.spend_shape);
    let mut arrivals = Stream::new(who.0, customer.hash, who.1, Purpose::Arrivals);
    let mut ordinal = 0;
    while clock <= last_arrival && ordinal < last_order {
        ordinal += 1;
        let worth = ziggurat.gamma(&mut spend_stream, &tables.order_shape) * scale;
        for under in &scratch.under {
            if clock <= under.end && ordinal <= under.after {
                sums[under.slot + whole(clock * under.pace)]
                    .add(&Sum { orders: 1.0, revenue: worth * under.spend });
            }
        }
        clock += ziggurat.exponential(&mut arrivals);
    }
}

/// The effects of levels in a world, filled up to `width` with "none".
pub(super) fn filled(effects: impl Iterator<Item = Effect>, width: usize) -> impl Iterator<Item = Effect> {
    effects.chain(std::iter::repeat(Effect::NONE)).take(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_parts_without_a_conversion() {
        for (x, want) in
            [(0.0, 0), (1e-300, 0), (0.1, 0), (0.999_999, 0), (1.000_001, 1), (11.5, 11), (119.99, 119)]
        {
            assert_eq!(whole(x), want, "{x}");
        }
        for periods in 1..=120usize {
            assert_eq!(whole(periods as f64 * JUST_BELOW_ONE), periods - 1);
        }
    }
}
