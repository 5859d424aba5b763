//! Rules that spread a budget: uniform, in proportion to lifetime value, by stated shares.

use super::finish::{Chosen, Planned};
use super::lots::{affordable, first};
use super::{Limit, Planning, TierFacts, Treatment};

/// How a budget is spread over tiers.
enum Spread<'a> {
    Uniform,
    Clv,
    Shares(&'a [f64]),
}

impl Spread<'_> {
    /// Whether a tier gets anything.
    fn gives(&self, tier: usize, facts: &TierFacts) -> bool {
        match self {
            Spread::Uniform => true,
            Spread::Clv => facts.clv > 0.0,
            Spread::Shares(shares) => shares[tier] > 0.0,
        }
    }

    /// Money per customer of each tier, at most `cap`.
    fn money(&self, money: f64, cap: f64, tiers: &[TierFacts]) -> Vec<f64> {
        let of_shares = |shares: &[f64]| {
            let one = |(tier, share): (&TierFacts, &f64)| match tier.reachable {
                0 => 0.0,
                n => (money * share / n as f64).min(cap).max(0.0),
            };
            tiers.iter().zip(shares).map(one).collect()
        };
        match self {
            Spread::Uniform => fill(money, cap, tiers, |_| 1.0),
            Spread::Clv => fill(money, cap, tiers, |tier| tier.clv.max(0.0) / tier.reachable as f64),
            Spread::Shares(shares) => of_shares(shares),
        }
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

impl Planning<'_, '_> {
    pub(super) fn uniform(&self, action: usize) -> Planned {
        self.spread(action, &Spread::Uniform)
    }

    pub(super) fn proportional_to_clv(&self, action: usize) -> Planned {
        self.spread(action, &Spread::Clv)
    }

    pub(super) fn shares(&self, action: usize, shares: &[f64]) -> Planned {
        self.spread(action, &Spread::Shares(shares))
    }

    fn spread(&self, action: usize, how: &Spread) -> Planned {
        // Whom the rule gives something to, and who may be contacted.
        let targets: Vec<u64> = self
            .facts
            .iter()
            .enumerate()
            .map(|(tier, facts)| if how.gives(tier, facts) { facts.reachable } else { 0 })
            .collect();
        let fixed_cost = self.fixed_cost(action, targets.iter().any(|&n| n > 0));
        let money = self.money(fixed_cost);
        let (chosen, limited_by) = match self.set.actions[action].cost_on_contact {
            Some(cost) => self.by_contacts(action, how, &targets, (money, cost)),
            None => self.by_money(action, how, &targets, money),
        };
        Planned { chosen, fixed_cost, limited_by, warnings: Vec::new() }
    }

    /// Each contact costs the same: money buys so many, and lots decide who they are.
    fn by_contacts(
        &self,
        action: usize,
        how: &Spread,
        targets: &[u64],
        (money, cost): (f64, f64),
    ) -> (Chosen, Limit) {
        let treatment = Treatment { action, money: cost };
        let (capacity, served) = self.capacity(action);
        let total: u64 = targets.iter().sum();
        let (rows, limit) = if let Spread::Uniform = how {
            let paid = affordable(money, cost);
            if paid.min(capacity) >= total {
                return (self.all(treatment, targets), Limit::Customers);
            }
            let limit = if capacity < paid { served } else { Limit::Budget };
            (first(self.people, self.rows_of(targets), paid.min(capacity)), limit)
        } else {
            let given = how.money(money, cost, &self.facts);
            let bought: Vec<u64> = targets
                .iter()
                .zip(&given)
                .zip(&self.facts)
                .map(|((&target, given), tier)| affordable(given * tier.reachable as f64, cost).min(target))
                .collect();
            let contacts: u64 = bought.iter().sum();
            if contacts == total && total <= capacity {
                return (self.all(treatment, targets), Limit::Customers);
            }
            let mut of_tier = vec![Vec::new(); bought.len()];
            for row in self.rows_of(&bought) {
                of_tier[usize::from(self.people.tier[row])].push(row);
            }
            let chosen = of_tier.into_iter().zip(&bought).map(|(rows, &n)| first(self.people, rows, n));
            let rows = chosen.flatten().collect();
            let limit = if contacts > capacity { served } else { Limit::Budget };
            (first(self.people, rows, capacity), limit)
        };
        (Chosen::of_rows(self.people, treatment, &rows), limit)
    }

    /// The rule says how much each gets: all whom it gives anything to are contacted, as far as they can be served.
    fn by_money(&self, action: usize, how: &Spread, targets: &[u64], money: f64) -> (Chosen, Limit) {
        let cap = self.set.actions[action].max_per_customer.unwrap_or(f64::INFINITY);
        let (capacity, served) = self.capacity(action);
        let is_short = targets.iter().sum::<u64>() > capacity;
        let rows = if is_short { first(self.people, self.rows_of(targets), capacity) } else { Vec::new() };
        let mut facts = self.facts.clone();
        if is_short {
            facts.iter_mut().for_each(|tier| tier.reachable = 0);
            for &row in &rows {
                facts[usize::from(self.people.tier[row])].reachable += 1;
            }
        }
        let given = how.money(money, cap, &facts);
        let mut treatments: Vec<Treatment> = Vec::new();
        let code = |&money: &f64| -> u8 {
            if money <= 0.0 {
                return 0;
            }
            let at = treatments.iter().position(|known| known.money == money).unwrap_or_else(|| {
                treatments.push(Treatment { action, money });
                treatments.len() - 1
            });
            // There are no more treatments than tiers, of which there are at most 100.
            at as u8 + 1
        };
        let codes: Vec<u8> = given.iter().map(code).collect();
        let spent: f64 = given.iter().zip(&facts).map(|(each, tier)| each * tier.reachable as f64).sum();
        let limit = if is_short {
            served
        } else if spent >= money * (1.0 - 1e-9) {
            Limit::Budget
        } else if given.iter().any(|&each| each >= cap) {
            Limit::Action
        } else {
            Limit::Customers
        };
        let chosen = if is_short {
            let mut of = vec![0; self.people.len()];
            for row in rows {
                of[row] = codes[usize::from(self.people.tier[row])];
            }
            Chosen::by_customer(self.people, treatments, of)
        } else {
            Chosen::by_tier(self, treatments, codes)
        };
        (chosen, limit)
    }

    /// All who may be contacted in the tiers with a target.
    fn all(&self, treatment: Treatment, targets: &[u64]) -> Chosen {
        let codes = targets.iter().map(|&n| u8::from(n > 0)).collect();
        Chosen::by_tier(self, vec![treatment], codes)
    }

    /// The customers who may be contacted in the tiers with a target.
    fn rows_of(&self, targets: &[u64]) -> Vec<usize> {
        let is_target = |&row: &usize| {
            targets[usize::from(self.people.tier[row])] > 0 && self.people.may_be_contacted(row)
        };
        (0..self.people.len()).filter(is_target).collect()
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
        assert_eq!(Spread::Uniform.money(200.0, f64::INFINITY, &TIERS), [2.0; 3]);
        let by_clv = Spread::Clv.money(220.0, f64::INFINITY, &TIERS);
        assert!(by_clv.iter().zip([10.0, 3.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-12), "{by_clv:?}");
    }

    #[test]
    fn what_a_cap_leaves_goes_to_the_others() {
        let capped = Spread::Clv.money(220.0, 4.0, &TIERS);
        // 40 to the first; 180 over weights 30 × 30 + 60 × 5 = 1200 gives .15 a unit: 4.5 is above the cap too.
        assert_eq!(&capped[..2], &[4.0, 4.0]);
        assert!((capped[2] - 1.0).abs() < 1e-12);
        assert_eq!(Spread::Uniform.money(1e9, 4.0, &TIERS), [4.0; 3]);
        assert_eq!(Spread::Clv.money(f64::INFINITY, 4.0, &TIERS), [4.0; 3]);
        // Stated shares are kept.
        let shared = Spread::Shares(&[0.5, 0.0, 0.5]).money(120.0, 4.0, &TIERS);
        assert_eq!(shared, [4.0, 0.0, 1.0]);
    }

    #[test]
    fn empty_tiers_get_nothing() {
        let tiers = [
            TierFacts { customers: 3, reachable: 0, clv: 0.0 },
            TierFacts { customers: 9, reachable: 4, clv: 8.0 },
        ];
        assert_eq!(Spread::Uniform.money(8.0, f64::INFINITY, &tiers), [0.0, 2.0]);
        assert_eq!(Spread::Clv.money(8.0, f64::INFINITY, &tiers), [0.0, 2.0]);
    }
}
