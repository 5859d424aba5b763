//! Customers who are not there yet: they come at a steady rate, order at once, and then are as the model says of new ones.
//!
//! No strategy treats them, so they are in what every strategy brings and in no difference.

use super::futures::{Sum, Time};
use super::models::Model;
use super::tables::{Parameters, Tables};
use crate::clv::quadrature::Rule;
use crate::clv::{PurchaseModel, PurchaseParameters, latent};
use crate::random::{NOBODY, Purpose, Stream, Ziggurat, hash_integer};

/// Samples those who come within the horizon at `rate` per unit of the models' time: orders and revenue by period, and how
/// many came. `who` = (seed, replication).
pub(super) fn sample(
    tables: &Tables,
    model: &impl Model,
    rate: f64,
    who: (u64, u32),
    time: Time,
) -> (Vec<Sum>, f64) {
    let mut sums = vec![Sum::default(); time.periods];
    let mut count = 0;
    if rate <= 0.0 {
        return (sums, 0.0);
    }
    let ziggurat = Ziggurat::default();
    let pace = time.periods as f64 / time.horizon;
    let mut arrivals = Stream::new(who.0, NOBODY, who.1, Purpose::NewCustomers);
    let mut begin = arrivals.exponential() / rate;
    let s = &tables.spend;
    while begin <= time.horizon {
        let mut own = Stream::new(who.0, hash_integer(count).max(NOBODY + 1), who.1, Purpose::NewCustomers);
        count += 1;
        let nu = latent::spend_rate(&mut own, s.p, s.q, s.gamma, 0.0, 0.0);
        let mut order = |at: f64, own: &mut Stream| {
            let sum = &mut sums[((at * pace) as usize).min(time.periods - 1)];
            sum.orders += 1.0;
            sum.revenue += own.gamma(s.p) / nu;
        };
        order(begin, &mut own);
        let stays = own.uniform() < model.begins_alive();
        let purchases = model.rate(&mut own, 0.0, 0.0);
        let leaving = model.leaving(&mut own, &ziggurat, 0.0, 0.0);
        let end = begin + leaving.exposure(1.0, time.horizon - begin);
        let (mut at, mut ordinal) = (begin + own.exponential() / purchases, 0);
        while stays && at <= end && ordinal < leaving.after(1.0) {
            ordinal += 1;
            order(at, &mut own);
            at += own.exponential() / purchases;
        }
        begin += arrivals.exponential() / rate;
    }
    (sums, count as f64)
}

/// What they are expected to order and to pay within each step of the horizon.
pub(super) fn expected(&Parameters { purchases, spend }: &Parameters, ends: &[f64], rate: f64) -> Vec<Sum> {
    let spend = spend.expected_spend(0, 0.0);
    let mut before = 0.0;
    let mut out = Vec::with_capacity(ends.len());
    for &end in ends {
        // Their first orders, and the repeat purchases of those who have come by then.
        let up_to = rate * (end + repeats(&purchases, end));
        let orders = up_to - before;
        before = up_to;
        out.push(Sum { orders, revenue: orders * spend });
    }
    out
}

/// ∫ E(X(u)) du over (0, `end`): repeat purchases by then of who comes at rate 1.
fn repeats(purchases: &PurchaseParameters, end: f64) -> f64 {
    let rule = Rule::shared();
    let of = |f: &dyn Fn(f64) -> f64| rule.integral(0.0, end, 4, f);
    match purchases {
        PurchaseParameters::BgNbd(model) => of(&|u| PurchaseModel::expected(model, u)),
        PurchaseParameters::MbgNbd(model) => of(&|u| PurchaseModel::expected(model, u)),
        PurchaseParameters::ParetoNbd(model) => of(&|u| PurchaseModel::expected(model, u)),
        PurchaseParameters::Nbd(model) => of(&|u| PurchaseModel::expected(model, u)),
    }
}
