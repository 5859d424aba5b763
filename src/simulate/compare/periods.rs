//! The comparison by period of the horizon.

use serde::Serialize;

use super::estimate::{Basis, Estimate};
use crate::simulate::outcome::{Flow, Outcome};
use crate::strategy::StrategySet;

/// A strategy in a period, for a tier or for all. Contacts are paid before the first period and are not in it; money is not
/// discounted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeriodRow {
    /// Index of the strategy.
    pub strategy: usize,
    /// Index of the tier; `None` for all customers.
    pub tier: Option<usize>,
    /// The period, from 1.
    pub period: usize,
    /// Orders.
    pub orders: Estimate,
    /// Revenue at list prices.
    pub revenue: Estimate,
    /// margin × revenue − what the period's orders cost.
    pub contribution: Estimate,
    /// Orders more than under "do nothing".
    pub orders_difference: Estimate,
    /// Revenue more than under "do nothing".
    pub revenue_difference: Estimate,
    /// Contribution more than under "do nothing".
    pub contribution_difference: Estimate,
}

/// All rows, in the order of strategy, tier (all first) and period.
pub(super) fn rows(outcome: &Outcome, set: &StrategySet, basis: Basis) -> Vec<PeriodRow> {
    let mut out = Vec::new();
    for strategy in 0..outcome.strategies {
        for tier in std::iter::once(None).chain((0..outcome.tiers).map(Some)) {
            for period in 0..outcome.periods {
                out.push(row(outcome, set, basis, (strategy, tier, period)));
            }
        }
    }
    out
}

fn row(
    outcome: &Outcome,
    set: &StrategySet,
    basis: Basis,
    (strategy, tier, period): (usize, Option<usize>, usize),
) -> PeriodRow {
    let tiers = tier.map_or(0..outcome.tiers, |k| k..k + 1);
    let sum = |of: &dyn Fn(usize) -> Flow| {
        tiers.clone().map(of).fold(Flow::default(), |a, b| Flow {
            orders: a.orders + b.orders,
            revenue: a.revenue + b.revenue,
            cost: a.cost + b.cost,
        })
    };
    let sampled = |s: usize| -> Vec<Flow> {
        (0..outcome.replications()).map(|r| sum(&|k| outcome.flows(r, s, k)[period])).collect()
    };
    let expected = |s: usize| -> Vec<Flow> {
        (0..outcome.worlds).map(|w| sum(&|k| outcome.expected(w, s, k)[period])).collect()
    };
    let (own, base) = (sampled(strategy), sampled(0));
    let (own_expected, base_expected) = (expected(strategy), expected(0));
    let estimate = |pick: &dyn Fn(&Flow) -> f64| {
        let of = |flows: &[Flow]| -> Vec<f64> { flows.iter().map(pick).collect() };
        Estimate::new(&of(&own), Some(&of(&own_expected)), basis)
    };
    let difference = |pick: &dyn Fn(&Flow) -> f64| {
        let of = |own: &[Flow], base: &[Flow]| -> Vec<f64> {
            own.iter().zip(base).map(|(own, base)| pick(own) - pick(base)).collect()
        };
        Estimate::new(&of(&own, &base), Some(&of(&own_expected, &base_expected)), basis)
    };
    let contribution = |flow: &Flow| set.margin * flow.revenue - flow.cost;
    PeriodRow {
        strategy,
        tier,
        period: period + 1,
        orders: estimate(&|flow| flow.orders),
        revenue: estimate(&|flow| flow.revenue),
        contribution: estimate(&contribution),
        orders_difference: difference(&|flow| flow.orders),
        revenue_difference: difference(&|flow| flow.revenue),
        contribution_difference: difference(&contribution),
    }
}
