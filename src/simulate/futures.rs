//! One customer's future in one replication, under every level of treatment at once.
//!
//! Treatments are coupled so that more of it never costs orders: arrivals are counted in rate-time, the same unit
//! exponentials summed up to λ·factor·min(life, horizon); the customer leaves after the same purchase number (BG/NBD and
//! MBG/NBD) or at the same moment (Pareto/NBD); the n-th order is worth the same before the spend factor. A level that
//! changes nothing gives the baseline's numbers bit for bit.

use super::models::Model;
use super::tables::Tables;
use crate::clv::latent;
use crate::random::{Purpose, Stream};

/// One customer, packed for the inner loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Customer {
    pub hash: u64,
    pub mean_spend: f64,
    pub frequency: u32,
    pub recency_days: u32,
    pub t_days: u32,
    /// Index of its (x, T, tier).
    pub cell: u32,
    /// Index of its (x, t_x).
    pub last_pair: u32,
    pub tier: u8,
}

/// Sums over customers of one (tier, level).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    pub orders: u64,
    pub revenue: f64,
    pub expected_orders: f64,
    pub expected_revenue: f64,
}

/// Adds the future of `customer` to `sums` (one entry per level of its tier).
///
/// `model` is that of `tables`, `who` = (seed, replication). `horizon` is in the models' unit.
#[inline]
pub(super) fn add_future(
    customer: &Customer,
    tables: &Tables,
    model: &impl Model,
    who: (u64, u32),
    horizon: f64,
    sums: &mut [Sums],
) {
    let x = f64::from(customer.frequency);
    let effects = tables.effects(customer.tier);
    let alive = model.p_alive(customer);
    let spend = tables.spend.expected_spend(customer.frequency, customer.mean_spend);
    for ((sum, expected), effect) in sums.iter_mut().zip(tables.expected(customer.cell)).zip(effects) {
        let orders = expected * alive;
        sum.expected_orders += orders;
        sum.expected_revenue += orders * spend * effect.spend;
    }

    let mut latent_stream = Stream::new(who.0, customer.hash, who.1, Purpose::Latent);
    // Drawn even where P(alive) is 1, so that the numbers after it do not depend on the parameters. The first arrival
    // shares its block of random bits: most customers need no further arrival.
    let luck = latent_stream.uniform();
    let first = latent_stream.uniform();
    if luck >= alive {
        return;
    }
    let mut clock = -first.ln();
    let t = tables.unit.of_days(customer.t_days);
    let rate = model.rate(&mut latent_stream, x, t);
    let largest = tables.largest_rate[usize::from(customer.tier)];
    if clock > rate * horizon * largest {
        return;
    }

    let leaves = model.leaves(&mut latent_stream, x, t, horizon);
    let rate_time = rate * leaves.exposure;
    let last_arrival = rate_time * largest;
    let s = &tables.spend;
    let mut spend_stream = Stream::new(who.0, customer.hash, who.1, Purpose::Spend);
    let nu = latent::spend_rate(&mut spend_stream, s.p, s.q, s.gamma, x, customer.mean_spend);
    let mut arrivals = Stream::new(who.0, customer.hash, who.1, Purpose::Arrivals);
    let mut ordinal = 0;
    while clock <= last_arrival && ordinal < leaves.after {
        ordinal += 1;
        let worth = spend_stream.gamma(s.p) / nu;
        for (sum, effect) in sums.iter_mut().zip(effects) {
            if clock <= rate_time * effect.rate {
                sum.orders += 1;
                sum.revenue += worth * effect.spend;
            }
        }
        clock += arrivals.exponential();
    }
}
