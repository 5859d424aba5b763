//! The comparison by period of the horizon.

use serde::Serialize;

use super::estimate::{Basis, Estimate, mean_and_error};
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
    for tier in std::iter::once(None).chain((0..outcome.tiers).map(Some)) {
        let base = Series::new(outcome, 0, tier);
        for strategy in 0..outcome.strategies {
            let own = Series::new(outcome, strategy, tier);
            let of = |period| row(set, basis, (&own, &base), (strategy, tier, period));
            out.extend((0..outcome.periods).map(of));
        }
    }
    out.sort_by_key(|row| (row.strategy, row.tier, row.period));
    out
}

fn add(a: Flow, b: &Flow) -> Flow {
    Flow { orders: a.orders + b.orders, revenue: a.revenue + b.revenue, cost: a.cost + b.cost }
}

/// A strategy's flows in a tier, or in all.
struct Series {
    /// By period, then replication.
    sampled: Vec<Vec<Flow>>,
    /// By period, then world; empty where expectations are known of the horizon only.
    expected: Vec<Vec<Flow>>,
    /// By period, where there are no expectations by period: what the mean of its futures lacks.
    ///
    /// The horizon's exact expectation less the mean of its futures, in the proportion of the periods' means: its closed form is
    /// the control variate of each period, and the periods add up to it.
    lacks: Vec<Flow>,
}

impl Series {
    fn new(outcome: &Outcome, strategy: usize, tier: Option<usize>) -> Series {
        let tiers = tier.map_or(0..outcome.tiers, |k| k..k + 1);
        let sum = |of: &dyn Fn(usize) -> Flow| tiers.clone().map(of).fold(Flow::default(), |a, b| add(a, &b));
        let periods = 0..outcome.periods;
        let sampled: Vec<Vec<Flow>> = (periods.clone())
            .map(|p| {
                (0..outcome.replications()).map(|r| sum(&|k| outcome.flows(r, strategy, k)[p])).collect()
            })
            .collect();
        let of_world = |w, step| sum(&|k| outcome.expected(w, strategy, k)[step]);
        if outcome.steps == outcome.periods {
            let expected = periods.map(|p| (0..outcome.worlds).map(|w| of_world(w, p)).collect()).collect();
            return Series { sampled, expected, lacks: Vec::new() };
        }
        let whole: Vec<Flow> = (0..outcome.worlds)
            .map(|w| (0..outcome.steps).fold(Flow::default(), |sum, step| add(sum, &of_world(w, step))))
            .collect();
        let lacks = |pick: &dyn Fn(&Flow) -> f64| -> Vec<f64> {
            let mean = |of: &[Flow]| mean_and_error(&of.iter().map(pick).collect::<Vec<_>>()).0;
            let means: Vec<f64> = sampled.iter().map(|of| mean(of)).collect();
            let total: f64 = means.iter().sum();
            let lack = mean(&whole) - total;
            let part = |own: f64| if total == 0.0 { 1.0 / means.len() as f64 } else { own / total };
            means.iter().map(|&own| lack * part(own)).collect()
        };
        let (orders, revenue, cost) = (lacks(&|f| f.orders), lacks(&|f| f.revenue), lacks(&|f| f.cost));
        let of = |p: usize| Flow { orders: orders[p], revenue: revenue[p], cost: cost[p] };
        Series { lacks: periods.map(of).collect(), sampled, expected: Vec::new() }
    }

    fn lack(&self, period: usize, pick: impl Fn(&Flow) -> f64) -> f64 {
        self.lacks.get(period).map_or(0.0, pick)
    }
}

fn row(
    set: &StrategySet,
    basis: Basis,
    (own, base): (&Series, &Series),
    (strategy, tier, period): (usize, Option<usize>, usize),
) -> PeriodRow {
    let expected = |of: &Series, pick: &dyn Fn(&Flow) -> f64| -> Option<Vec<f64>> {
        of.expected.get(period).map(|flows| flows.iter().map(pick).collect())
    };
    let estimate = |pick: &dyn Fn(&Flow) -> f64| {
        let sampled: Vec<f64> = own.sampled[period].iter().map(pick).collect();
        let mut out = Estimate::new(&sampled, expected(own, pick).as_deref(), basis);
        out.value += own.lack(period, pick);
        out
    };
    let difference = |pick: &dyn Fn(&Flow) -> f64| {
        let sampled: Vec<f64> =
            own.sampled[period].iter().zip(&base.sampled[period]).map(|(a, b)| pick(a) - pick(b)).collect();
        let expected = expected(own, pick)
            .zip(expected(base, pick))
            .map(|(own, base)| own.iter().zip(&base).map(|(a, b)| a - b).collect::<Vec<_>>());
        let mut out = Estimate::new(&sampled, expected.as_deref(), basis);
        out.value += own.lack(period, pick) - base.lack(period, pick);
        out
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
