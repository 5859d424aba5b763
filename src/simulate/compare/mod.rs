//! From sums per replication to estimates: values, paired differences from "do nothing", risk, and what may be said.

mod estimate;
mod metric;
mod periods;
mod verdict;

use serde::Serialize;

pub use estimate::Estimate;
pub use metric::Metric;
pub use periods::PeriodRow;
pub use verdict::Verdict;

use self::estimate::{Basis, worst_mean};
pub(super) use self::estimate::{mean_and_error, quantile, sorted};
use self::metric::Values;
pub(super) use self::metric::{present_values, upfront};
use super::outcome::Outcome;
use super::parameters::ParameterDraws;
use crate::strategy::{Plan, StrategySet};

/// The share of futures that value at risk and the worst mean look at.
pub const WORST: f64 = 0.05;

/// One line of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Index of the strategy.
    pub strategy: usize,
    /// Index of the tier; `None` for all customers.
    pub tier: Option<usize>,
    /// What is measured.
    pub metric: Metric,
    /// Under the strategy.
    pub estimate: Estimate,
    /// Strategy minus "do nothing", paired by replication.
    pub difference: Estimate,
}

/// What the differences in profit from doing nothing say of one strategy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Standing {
    /// What can be said.
    pub verdict: Verdict,
    /// The interval of the expected difference that holds with 95 % for all strategies together, with the numerical error of its
    /// ends in it.
    pub joint: (f64, f64),
    /// Share of worlds in which its expected profit is the highest.
    pub p_best: f64,
    /// Share of worlds in which its expected profit is above that of doing nothing.
    pub p_gain: f64,
    /// The loss that the difference exceeds in 5 % of futures only (value at risk); negative where even then it gains.
    pub value_at_risk: f64,
    /// The mean difference in the worst 5 % of futures.
    pub worst_mean: f64,
    /// Share of futures in which all that is spent is above the budget, orders' costs, minutes and stock included; none without a
    /// budget.
    pub p_over_budget: Option<f64>,
}

/// The strategy whose expected profit is highest, valued on worlds that did not choose it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Winner {
    /// Index of the strategy chosen by all worlds.
    pub strategy: usize,
    /// Its mean difference in profit over the worlds that chose it: the mean of two halves, each of which chose its own.
    pub gain_in_choice: f64,
    /// The same on the other half each: without the noise of choosing among few worlds.
    pub gain_out_of_choice: f64,
    /// Standard error of the latter from the finite number of worlds.
    pub mc_error: f64,
}

/// Strategies side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Names of the strategies.
    pub strategies: Vec<String>,
    /// Names of the tiers; where new customers are simulated they are the last.
    pub tiers: Vec<String>,
    /// Replications behind every estimate.
    pub replications: usize,
    /// Worlds: draws of parameters and responses. Each has the same number of replications.
    pub worlds: usize,
    /// What each strategy gives.
    pub plans: Vec<Plan>,
    /// Every (strategy, tier or all, metric).
    pub rows: Vec<Row>,
    /// Every (strategy, tier or all, period).
    pub periods: Vec<PeriodRow>,
    /// What can be said of each strategy.
    pub standings: Vec<Standing>,
    /// The best of them; `None` where there is only the baseline.
    pub winner: Option<Winner>,
}

/// What the tier of new customers is called.
pub const NEW_CUSTOMERS: &str = "new customers";

/// Customers of each tier, and those of them who may be contacted.
#[derive(Debug, Clone, Copy)]
pub struct Heads<'a> {
    /// All.
    pub customers: &'a [u64],
    /// All but who opted out.
    pub reachable: &'a [u64],
}

impl Comparison {
    /// Compares all strategies with the first. `draws` are those that `outcome` was simulated with.
    pub fn new(
        outcome: &Outcome,
        set: &StrategySet,
        plans: &[Plan],
        heads: Heads,
        draws: &ParameterDraws,
    ) -> Comparison {
        let values = Values::new(outcome, set, plans, heads.customers, heads.reachable);
        let basis = Basis {
            is_fixed: draws.is_fixed && !outcome.beliefs_are_drawn,
            futures: outcome.futures,
            effective: draws.effective,
        };
        let uses = |pick: fn(&crate::strategy::Action) -> bool| set.actions.iter().any(pick);
        let minutes = uses(|a| a.minutes_on_contact > 0.0 || a.minutes_on_response > 0.0);
        let stock = uses(|a| a.stock_on_contact > 0.0 || a.stock_on_response > 0.0);
        let mut rows = Vec::new();
        for strategy in 0..outcome.strategies {
            for tier in std::iter::once(None).chain((0..outcome.tiers).map(Some)) {
                for metric in Metric::ALL {
                    if metric == Metric::Minutes && !minutes || metric == Metric::Stock && !stock {
                        continue;
                    }
                    rows.extend(row(&values, strategy, tier, metric, basis));
                }
            }
        }
        let mut tiers = set.tiers.clone();
        if set.new_customers.is_some() {
            tiers.push(NEW_CUSTOMERS.to_string());
        }
        Comparison {
            strategies: set.strategies.iter().map(|s| s.name.clone()).collect(),
            tiers,
            replications: values.replications,
            worlds: values.worlds,
            plans: plans.to_vec(),
            rows,
            periods: periods::rows(outcome, set, basis),
            standings: standings(&values, set, draws),
            winner: winner(&values, draws.distinct),
        }
    }

    /// What can be said of a strategy.
    pub fn verdict(&self, strategy: usize) -> Option<Verdict> {
        self.standings.get(strategy).map(|of| of.verdict)
    }

    /// The line of (strategy, tier or all, metric).
    pub fn find(&self, strategy: usize, tier: Option<usize>, metric: Metric) -> Option<&Row> {
        self.rows.iter().find(|r| r.strategy == strategy && r.tier == tier && r.metric == metric)
    }
}

fn row(values: &Values, strategy: usize, tier: Option<usize>, metric: Metric, basis: Basis) -> Option<Row> {
    // A return where nothing is spent is none, be it in a single future.
    if metric == Metric::Roi && !values.always_spends(strategy, tier) {
        return None;
    }
    let (sampled, expected) = values.of(strategy, tier, metric);
    // A return has no baseline of its own: it is a difference already.
    let (base_sampled, base_expected) = match metric {
        Metric::Roi => (vec![0.0; sampled.len()], expected.as_ref().map(|of| vec![0.0; of.len()])),
        _ => values.of(0, tier, metric),
    };
    let less = |of: &[f64], base: &[f64]| -> Vec<f64> { of.iter().zip(base).map(|(a, b)| a - b).collect() };
    let differences = less(&sampled, &base_sampled);
    let expected_differences = expected.as_ref().zip(base_expected.as_ref()).map(|(of, base)| less(of, base));
    Some(Row {
        strategy,
        tier,
        metric,
        estimate: Estimate::new(&sampled, expected.as_deref(), basis),
        difference: Estimate::new(&differences, expected_differences.as_deref(), basis),
    })
}

/// The difference in expected profit from doing nothing, by world.
fn gains(values: &Values, strategy: usize) -> Vec<f64> {
    let profit = |w, s| values.expected(w, s, None).profit;
    (0..values.worlds).map(|w| profit(w, strategy) - profit(w, 0)).collect()
}

fn standings(values: &Values, set: &StrategySet, draws: &ParameterDraws) -> Vec<Standing> {
    let all: Vec<Vec<f64>> = (0..values.strategies).map(|s| gains(values, s)).collect();
    let joint = verdict::joint(&all[1..]).with_their_errors(&all[1..], draws);
    let p_best = p_best(&all);
    all.iter()
        .enumerate()
        .map(|(s, own)| {
            let profit = |r, s| values.sampled(r, s, None).profit;
            let happens: Vec<f64> = (0..values.replications).map(|r| profit(r, s) - profit(r, 0)).collect();
            let happens = sorted(&happens);
            let over = set.strategies[s].budget.filter(|_| s > 0).map(|budget| {
                // The budget's own last digits are rounding.
                let limit = budget * (1.0 + 1e-9);
                (0..values.replications).filter(|&r| values.sampled(r, s, None).cost > limit).count()
            });
            let joint = if s == 0 { (0.0, 0.0) } else { joint[s - 1] };
            Standing {
                verdict: if s == 0 { Verdict::Baseline } else { verdict::verdict(joint, own.len(), draws) },
                joint,
                p_best: p_best[s],
                p_gain: own.iter().filter(|&&gain| gain > 0.0).count() as f64 / values.worlds.max(1) as f64,
                value_at_risk: -quantile(&happens, WORST),
                worst_mean: worst_mean(&happens, WORST),
                p_over_budget: over.map(|over| over as f64 / values.replications.max(1) as f64),
            }
        })
        .collect()
}

/// The share of worlds in which each strategy gains most.
fn p_best(all: &[Vec<f64>]) -> Vec<f64> {
    let worlds = all.first().map_or(0, Vec::len);
    let mut wins = vec![0.0; all.len()];
    for w in 0..worlds {
        let most = all.iter().map(|of| of[w]).fold(f64::NEG_INFINITY, f64::max);
        // Equal strategies share the win, so that their order in the file says nothing.
        let winners = all.iter().filter(|of| of[w] == most).count().max(1) as f64;
        for (win, _) in wins.iter_mut().zip(all).filter(|(_, of)| of[w] == most) {
            *win += 1.0 / winners;
        }
    }
    wins.into_iter().map(|win| win / worlds.max(1) as f64).collect()
}

/// The first of the strategies with the highest mean over the worlds that `takes` names.
fn best(all: &[Vec<f64>], takes: impl Fn(usize) -> bool) -> usize {
    let mean = |of: &Vec<f64>| {
        let taken: Vec<f64> = of.iter().enumerate().filter(|(w, _)| takes(*w)).map(|(_, v)| *v).collect();
        mean_and_error(&taken).0
    };
    let means: Vec<f64> = all.iter().map(mean).collect();
    (0..all.len()).fold(0, |best, s| if means[s] > means[best] { s } else { best })
}

/// `distinct` draws are used in turn: a draw belongs to one half however often it is used.
fn winner(values: &Values, distinct: usize) -> Option<Winner> {
    if values.strategies < 2 || values.worlds == 0 {
        return None;
    }
    let all: Vec<Vec<f64>> = (1..values.strategies).map(|s| gains(values, s)).collect();
    let strategy = best(&all, |_| true);
    if values.worlds.min(distinct) < 4 {
        let (gain, mc_error) = mean_and_error(&all[strategy]);
        return Some(Winner {
            strategy: strategy + 1,
            gain_in_choice: gain,
            gain_out_of_choice: gain,
            mc_error,
        });
    }
    let half_of = |w: usize| (w % distinct) % 2;
    let (mut chosen, mut others) = (Vec::new(), Vec::new());
    for half in 0..2 {
        let own = best(&all, |w| half_of(w) == half);
        let of = |half: usize| {
            all[own].iter().enumerate().filter(move |(w, _)| half_of(*w) == half).map(|(_, v)| *v)
        };
        chosen.extend(of(half));
        others.extend(of(1 - half));
    }
    let (gain_out_of_choice, mc_error) = mean_and_error(&others);
    let gain_in_choice = mean_and_error(&chosen).0;
    Some(Winner { strategy: strategy + 1, gain_in_choice, gain_out_of_choice, mc_error })
}
