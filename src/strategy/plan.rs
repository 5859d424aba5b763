//! Plans: what each customer of each tier gets under a strategy.

use serde::Serialize;

use super::check::{Rule, StrategySet};

/// What a rule needs to know of a tier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierFacts {
    /// Customers in it.
    pub customers: u64,
    /// Those of them who may be contacted: all but who opted out.
    pub reachable: u64,
    /// Sum of the lifetime values of those who may be contacted.
    pub clv: f64,
}

/// What a strategy gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Money per customer of each tier who may be contacted, at most the action's cap; see [`Plan::money`].
    pub per_customer: Vec<f64>,
    /// The fixed cost of the action; 0 where nobody may be contacted.
    pub fixed_cost: f64,
    /// Fixed cost plus what all customers get.
    pub cost: f64,
    /// What is left of the budget: caps reached, or tiers without customers.
    pub unspent: f64,
}

impl Plan {
    /// Spreads the budget of strategy `index` of `set` over those of the tiers who may be contacted. Who opted out costs
    /// nothing and takes no share of the budget, and an action for which nobody is left is not carried out.
    ///
    /// What a cap keeps from a tier goes to the others in proportion, except under stated shares, which are kept:
    /// what is left is reported as unspent.
    pub fn new(set: &StrategySet, index: usize, tiers: &[TierFacts]) -> Plan {
        let strategy = &set.strategies[index];
        let (fixed_cost, cap) = match strategy.action {
            Some(a) => (set.actions[a].fixed_cost, set.actions[a].max_per_customer.unwrap_or(f64::INFINITY)),
            None => (0.0, 0.0),
        };
        // Whom the rule gives something to, and who may be contacted.
        let gives = |k: usize, tier: &TierFacts| match &strategy.rule {
            Rule::Nothing => false,
            Rule::Uniform => true,
            Rule::ProportionalToClv => tier.clv > 0.0,
            Rule::Shares(shares) => shares[k] > 0.0,
        };
        let has_opted_out = tiers.iter().any(|tier| tier.reachable < tier.customers);
        let anybody = tiers.iter().enumerate().any(|(k, tier)| tier.reachable > 0 && gives(k, tier));
        // Without opt-outs an action that reaches nobody is a slip of the file, and its cost is shown.
        let fixed_cost = if anybody || !has_opted_out { fixed_cost } else { 0.0 };
        let money = strategy.budget - fixed_cost;
        let per_customer = match &strategy.rule {
            Rule::Nothing => vec![0.0; tiers.len()],
            Rule::Uniform => fill(money, cap, tiers, |_| 1.0),
            Rule::ProportionalToClv => fill(money, cap, tiers, |t| t.clv.max(0.0) / t.reachable as f64),
            Rule::Shares(shares) => tiers
                .iter()
                .zip(shares)
                .map(
                    |(t, share)| {
                        if t.reachable == 0 { 0.0 } else { (money * share / t.reachable as f64).min(cap) }
                    },
                )
                .collect(),
        };
        let given: f64 = per_customer.iter().zip(tiers).map(|(b, t)| b * t.reachable as f64).sum();
        // Rounding of divisions may overshoot by a last digit; a plan never costs more than its budget.
        let cost = (fixed_cost + given).min(strategy.budget);
        Plan { per_customer, fixed_cost, cost, unspent: strategy.budget - cost }
    }

    /// What tier `k` costs, without the fixed cost.
    pub fn tier_cost(&self, k: usize, tiers: &[TierFacts]) -> f64 {
        self.per_customer[k] * tiers[k].reachable as f64
    }

    /// What a customer of tier `k` gets: nothing who opted out.
    pub fn money(&self, k: usize, opted_out: bool) -> f64 {
        if opted_out { 0.0 } else { self.per_customer[k] }
    }
}

/// Money per customer in proportion to `weight`, at most `cap`; what caps leave over goes to the other tiers.
fn fill(money: f64, cap: f64, tiers: &[TierFacts], weight: impl Fn(&TierFacts) -> f64) -> Vec<f64> {
    let mut given = vec![0.0; tiers.len()];
    let mut open: Vec<usize> =
        (0..tiers.len()).filter(|&k| tiers[k].reachable > 0 && weight(&tiers[k]) > 0.0).collect();
    let mut left = money;
    loop {
        let total: f64 = open.iter().map(|&k| weight(&tiers[k]) * tiers[k].reachable as f64).sum();
        if open.is_empty() || total <= 0.0 || left <= 0.0 {
            return given;
        }
        let rate = left / total;
        let (over, under): (Vec<usize>, Vec<usize>) =
            open.iter().partition(|&&k| rate * weight(&tiers[k]) > cap);
        if over.is_empty() {
            for k in under {
                given[k] = rate * weight(&tiers[k]);
            }
            return given;
        }
        for k in over {
            given[k] = cap;
            left -= cap * tiers[k].reachable as f64;
        }
        open = under;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIERS: [TierFacts; 3] = [
        TierFacts { customers: 10, reachable: 10, clv: 1000.0 },
        TierFacts { customers: 30, reachable: 30, clv: 900.0 },
        TierFacts { customers: 60, reachable: 60, clv: 300.0 },
    ];

    #[test]
    fn uniform_and_proportional() {
        assert_eq!(fill(200.0, f64::INFINITY, &TIERS, |_| 1.0), [2.0; 3]);
        let by_clv = fill(220.0, f64::INFINITY, &TIERS, |t| t.clv / t.reachable as f64);
        assert!(by_clv.iter().zip([10.0, 3.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-12), "{by_clv:?}");
    }

    #[test]
    fn what_a_cap_leaves_goes_to_the_others() {
        let capped = fill(220.0, 4.0, &TIERS, |t| t.clv / t.reachable as f64);
        // 40 to the first; 180 over weights 30 × 30 + 60 × 5 = 1200 gives .15 a unit: 4.5 is above the cap too.
        assert_eq!(&capped[..2], &[4.0, 4.0]);
        assert!((capped[2] - 1.0).abs() < 1e-12);
        assert_eq!(fill(1e9, 4.0, &TIERS, |_| 1.0), [4.0; 3]);
    }

    #[test]
    fn empty_tiers_get_nothing() {
        let tiers = [
            TierFacts { customers: 3, reachable: 0, clv: 0.0 },
            TierFacts { customers: 9, reachable: 4, clv: 8.0 },
        ];
        assert_eq!(fill(8.0, f64::INFINITY, &tiers, |_| 1.0), [0.0, 2.0]);
        assert_eq!(fill(8.0, f64::INFINITY, &tiers, |t| t.clv / t.reachable as f64), [0.0, 2.0]);
    }
}
