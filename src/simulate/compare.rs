//! From sums per replication to estimates: values, paired differences from "do nothing", and three kinds of interval.
//!
//! - `lower`/`upper` (95 %): quantiles over replications, each with its own parameters, responses, customers' rates
//!   and futures: what will happen.
//! - `mean_lower`/`mean_upper`: quantiles of the expectation, over parameters and responses only.
//! - `mc_error`: the numerical error of `value`, which more replications make smaller; never an interval.

use serde::Serialize;

use super::engine::Outcome;
use super::parameters::{FEWEST_FOR_A_VERDICT, ParameterDraws};
use crate::strategy::{Plan, StrategySet, TierFacts};

/// The levels of every interval: 2.5 % and 97.5 %.
const LEVELS: (f64, f64) = (0.025, 0.975);

/// The standard normal's 95 % quantile: how sure one is of the end of an interval that faces 0.
const END_Z: f64 = 1.644_853_626_951_472_2;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Customers in the tier.
    Customers,
    /// Money spent on them (the action's fixed cost is apportioned by what each tier gets).
    Cost,
    /// Their orders.
    Orders,
    /// What they pay.
    Revenue,
    /// margin × revenue − cost.
    Profit,
    /// Profit gained per unit of cost, where there is a cost.
    Roi,
}

impl Metric {
    /// All metrics, in the order of the tables.
    pub const ALL: [Metric; 6] =
        [Metric::Customers, Metric::Cost, Metric::Orders, Metric::Revenue, Metric::Profit, Metric::Roi];

    /// Its key in `strategies.csv`.
    pub fn key(self) -> &'static str {
        match self {
            Metric::Customers => "customers",
            Metric::Cost => "cost",
            Metric::Orders => "orders",
            Metric::Revenue => "revenue",
            Metric::Profit => "profit",
            Metric::Roi => "roi",
        }
    }
}

/// One number with what is known about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean over replications.
    pub value: f64,
    /// 2.5 % quantile of what will happen.
    pub lower: f64,
    /// 97.5 % quantile of what will happen.
    pub upper: f64,
    /// 2.5 % quantile of the expectation.
    pub mean_lower: f64,
    /// 97.5 % quantile of the expectation.
    pub mean_upper: f64,
    /// Standard error of `value` from the finite number of replications.
    pub mc_error: f64,
}

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

/// What the differences allow to say about a strategy's profit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The baseline itself.
    Baseline,
    /// The whole interval of the expected difference is above 0, by more than its ends' numerical error.
    Gains,
    /// The whole interval of the expected difference is below 0, by more than its ends' numerical error.
    Loses,
    /// The interval contains 0 or may do so, there are too few replications or the draws of the parameters are worth too
    /// few independent ones (fewer than 180), they are not to be trusted, or the mean of spend is too poorly known.
    Undecided,
}

impl Verdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Baseline => "baseline",
            Verdict::Gains => "gains",
            Verdict::Loses => "loses",
            Verdict::Undecided => "undecided",
        }
    }
}

/// Strategies side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Names of the strategies.
    pub strategies: Vec<String>,
    /// Names of the tiers.
    pub tiers: Vec<String>,
    /// Replications behind every estimate.
    pub replications: usize,
    /// What each strategy gives.
    pub plans: Vec<Plan>,
    /// Every (strategy, tier or all, metric).
    pub rows: Vec<Row>,
    /// What can be said of each strategy's profit.
    pub verdicts: Vec<Verdict>,
    /// Share of replications' expectations in which each strategy has the highest profit.
    pub p_best: Vec<f64>,
}

impl Comparison {
    /// Compares all strategies with the first. `draws` are those that `outcome` was simulated with.
    pub fn new(
        outcome: &Outcome,
        set: &StrategySet,
        plans: &[Plan],
        facts: &[TierFacts],
        draws: &ParameterDraws,
    ) -> Comparison {
        let source = Values { outcome, set, plans, facts, draws };
        let mut rows = Vec::new();
        for strategy in 0..outcome.strategies {
            for tier in std::iter::once(None).chain((0..outcome.tiers).map(Some)) {
                for metric in Metric::ALL {
                    rows.extend(source.row(strategy, tier, metric));
                }
            }
        }
        let verdicts = (0..outcome.strategies)
            .map(|strategy| match strategy {
                0 => Verdict::Baseline,
                _ if draws.mean_doubtful || draws.untrusted => Verdict::Undecided,
                _ => source.verdict(strategy),
            })
            .collect();
        Comparison {
            strategies: set.strategies.iter().map(|s| s.name.clone()).collect(),
            tiers: set.tiers.clone(),
            replications: outcome.replications,
            plans: plans.to_vec(),
            p_best: source.p_best(),
            rows,
            verdicts,
        }
    }

    /// The line of (strategy, tier or all, metric).
    pub fn find(&self, strategy: usize, tier: Option<usize>, metric: Metric) -> Option<&Row> {
        self.rows.iter().find(|r| r.strategy == strategy && r.tier == tier && r.metric == metric)
    }
}

struct Values<'a> {
    outcome: &'a Outcome,
    set: &'a StrategySet,
    plans: &'a [Plan],
    facts: &'a [TierFacts],
    draws: &'a ParameterDraws,
}

impl Values<'_> {
    /// Which side of 0 the expected difference in profit lies on, the numerical error of the interval's ends included.
    ///
    /// An end is a quantile of finitely many replications. Its own 95 % bound goes by ranks (binomial, normal
    /// approximation), with as many replications as the draws of the parameters are worth where that is fewer; where
    /// that rank does not exist, as with fewer than 180, nothing is decided.
    fn verdict(&self, strategy: usize) -> Verdict {
        let profit = |r: usize, s: usize| self.at(r, s, None, Metric::Profit).1;
        let mut gains: Vec<f64> =
            (0..self.outcome.replications).map(|r| profit(r, strategy) - profit(r, 0)).collect();
        gains.sort_by(f64::total_cmp);
        let n = gains.len() as f64;
        // The resampling is systematic: where no proposal has more weight than one draw, n draws carry the noise of n
        // independent ones and no more (the proposals' 1/effective and the resampling's 1/n − 1/effective). Where some have,
        // they are few: the largest weights are smoothed.
        let worth = n.min(self.draws.effective);
        if worth < f64::from(FEWEST_FOR_A_VERDICT) || self.draws.effective.is_nan() {
            return Verdict::Undecided;
        }
        let rank = n * (LEVELS.0 - END_Z * (LEVELS.0 * LEVELS.1 / worth).sqrt());
        let rank = rank.max(1.0) as usize;
        match (gains[rank - 1], gains[gains.len() - rank]) {
            (low, _) if low > 0.0 => Verdict::Gains,
            (_, high) if high < 0.0 => Verdict::Loses,
            _ => Verdict::Undecided,
        }
    }

    /// Money spent on tier `k`, its part of the fixed cost included.
    fn cost(&self, strategy: usize, tier: Option<usize>) -> f64 {
        let plan = &self.plans[strategy];
        let Some(k) = tier else { return plan.cost };
        let given: f64 = (0..self.facts.len()).map(|k| plan.tier_cost(k, self.facts)).sum();
        let own = plan.tier_cost(k, self.facts);
        // Where nobody gets anything the fixed cost is everybody's.
        let share = if given > 0.0 {
            own / given
        } else {
            let reachable: u64 = self.facts.iter().map(|t| t.reachable).sum();
            self.facts[k].reachable as f64 / reachable.max(1) as f64
        };
        own + plan.fixed_cost * share
    }

    /// (sampled, expected) value in one replication.
    fn at(&self, replication: usize, strategy: usize, tier: Option<usize>, metric: Metric) -> (f64, f64) {
        let sum = |f: &dyn Fn(usize) -> f64| match tier {
            Some(k) => f(k),
            None => (0..self.outcome.tiers).map(f).sum(),
        };
        let o = self.outcome;
        let revenue = || {
            (
                sum(&|k| o.revenue(replication, strategy, k)),
                sum(&|k| o.expected_revenue(replication, strategy, k)),
            )
        };
        match metric {
            Metric::Customers => {
                let n = sum(&|k| self.facts[k].customers as f64);
                (n, n)
            }
            Metric::Cost => (self.cost(strategy, tier), self.cost(strategy, tier)),
            Metric::Orders => (
                sum(&|k| o.orders(replication, strategy, k)),
                sum(&|k| o.expected_orders(replication, strategy, k)),
            ),
            Metric::Revenue => revenue(),
            Metric::Profit => {
                let (cost, (sampled, expected)) = (self.cost(strategy, tier), revenue());
                (self.set.margin * sampled - cost, self.set.margin * expected - cost)
            }
            Metric::Roi => {
                let own = self.at(replication, strategy, tier, Metric::Profit);
                let base = self.at(replication, 0, tier, Metric::Profit);
                let cost = self.cost(strategy, tier);
                ((own.0 - base.0) / cost, (own.1 - base.1) / cost)
            }
        }
    }

    fn row(&self, strategy: usize, tier: Option<usize>, metric: Metric) -> Option<Row> {
        if metric == Metric::Roi && self.cost(strategy, tier) <= 0.0 {
            return None;
        }
        let replications = 0..self.outcome.replications;
        let own: Vec<(f64, f64)> = replications.clone().map(|r| self.at(r, strategy, tier, metric)).collect();
        // A return has no baseline of its own: it is a difference already.
        let difference = match metric {
            Metric::Roi => own.clone(),
            _ => replications
                .map(|r| {
                    let base = self.at(r, 0, tier, metric);
                    (own[r].0 - base.0, own[r].1 - base.1)
                })
                .collect(),
        };
        let estimate = |values: &[(f64, f64)]| estimate(values, self.draws.heavy_tails);
        Some(Row { strategy, tier, metric, estimate: estimate(&own), difference: estimate(&difference) })
    }

    fn p_best(&self) -> Vec<f64> {
        let mut wins = vec![0.0; self.outcome.strategies];
        for r in 0..self.outcome.replications {
            let profits: Vec<f64> = (0..wins.len()).map(|s| self.at(r, s, None, Metric::Profit).1).collect();
            let most = profits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // Equal strategies share the win, so that their order in the file says nothing.
            let winners = profits.iter().filter(|&&p| p == most).count().max(1) as f64;
            for (win, _) in wins.iter_mut().zip(&profits).filter(|(_, p)| **p == most) {
                *win += 1.0 / winners;
            }
        }
        wins.into_iter().map(|w| w / self.outcome.replications.max(1) as f64).collect()
    }
}

/// `values` are (sampled, expected) by replication. The value is the mean of what was sampled; with `heavy_tails`, whose
/// sampled means have no finite variance, that of the expectations.
fn estimate(values: &[(f64, f64)], heavy_tails: bool) -> Estimate {
    let n = values.len() as f64;
    let averaged: Vec<f64> = values.iter().map(|v| if heavy_tails { v.1 } else { v.0 }).collect();
    // Deviations from the first value: a constant has exactly error 0 and itself as the mean.
    let origin = averaged[0];
    let shift = averaged.iter().map(|v| v - origin).sum::<f64>() / n;
    let squares: f64 = averaged.iter().map(|v| (v - origin - shift).powi(2)).sum();
    let sorted = |pick: fn(&(f64, f64)) -> f64| {
        let mut v: Vec<f64> = values.iter().map(pick).collect();
        v.sort_by(f64::total_cmp);
        v
    };
    let (sampled, expected) = (sorted(|v| v.0), sorted(|v| v.1));
    Estimate {
        value: origin + shift,
        lower: quantile(&sampled, LEVELS.0),
        upper: quantile(&sampled, LEVELS.1),
        mean_lower: quantile(&expected, LEVELS.0),
        mean_upper: quantile(&expected, LEVELS.1),
        mc_error: if values.len() > 1 { (squares / (n - 1.0) / n).sqrt() } else { f64::NAN },
    }
}

/// Quantile of sorted values, linear between order statistics (Hyndman and Fan's type 7).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (low, part) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + part * (sorted[high] - sorted[low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let x: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&x, 0.025), 2.5);
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }

    #[test]
    fn a_constant_has_no_error() {
        let e = estimate(&[(0.1, 0.2); 7], false);
        assert_eq!((e.value, e.lower, e.upper, e.mc_error), (0.1, 0.1, 0.1, 0.0));
        let e = estimate(&[(0.1, 0.2); 7], true);
        assert_eq!((e.value, e.lower, e.mean_lower), (0.2, 0.1, 0.2));
    }
}
