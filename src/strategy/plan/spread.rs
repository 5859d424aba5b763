//! Rules that spread a budget: uniform, in proportion to lifetime value, by stated shares.

use super::finish::{Chosen, Planned};
use super::lots::{affordable, first};
use super::{Limit, Planning, TierFacts, Treatment};
use crate::tier::judge::Exact;

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

    /// How many of each tier are contacted where only `capacity` can be: as the rule divides money, at most `most`.
    fn contacts(&self, capacity: u64, most: &[u64], tiers: &[TierFacts]) -> Vec<u64> {
        let weight: Vec<f64> = match self {
            Spread::Uniform => tiers.iter().map(|tier| tier.reachable as f64).collect(),
            Spread::Clv => tiers.iter().map(|tier| tier.clv.max(0.0)).collect(),
            Spread::Shares(shares) => shares.to_vec(),
        };
        apportion(capacity, &weight, most)
    }
}

/// At most `seats` in all, in proportion to `weight`, at most `most` each; what one cannot take goes to the others. Seats are given
/// one by one to the greatest weight/(seats + 1) (D'Hondt's divisors; of equal ones the first), so that with more seats nobody has
/// fewer.
fn apportion(seats: u64, weight: &[f64], most: &[u64]) -> Vec<u64> {
    if seats >= most.iter().sum() {
        return most.to_vec();
    }
    let mut out = vec![0; most.len()];
    let mut open: Vec<usize> = (0..most.len()).filter(|&k| weight[k] > 0.0 && most[k] > 0).collect();
    let mut left = seats as f64;
    // Whole parts of exact proportions, which the divisors never fall below: then few seats are left.
    loop {
        let total: f64 = open.iter().map(|&k| weight[k]).sum();
        let part = |k: usize| left * weight[k] / total;
        let (over, under): (Vec<usize>, Vec<usize>) = open.iter().partition(|&&k| part(k) >= most[k] as f64);
        if over.is_empty() {
            for k in under {
                // A rounding error may not make a whole part of less than one.
                out[k] = (part(k) * (1.0 - 1e-12)).floor() as u64;
            }
            break;
        }
        for k in over {
            out[k] = most[k];
            left -= most[k] as f64;
        }
        open = under;
    }
    for _ in out.iter().sum()..seats {
        let quotient = |k: usize| weight[k] / (out[k] + 1) as f64;
        let greatest = |a: Option<usize>, k: usize| a.filter(|&a| quotient(a) >= quotient(k)).or(Some(k));
        let Some(next) = (0..out.len()).filter(|&k| out[k] < most[k] && weight[k] > 0.0).fold(None, greatest)
        else {
            break;
        };
        out[next] += 1;
    }
    out
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
        let fixed = self.fixed(action, targets.iter().any(|&n| n > 0), self.means(how));
        let money = self.money(fixed.map_or(0.0, |(_, cost)| cost));
        let (chosen, limited_by) = match self.set.actions[action].cost_on_contact {
            Some(cost) => self.by_contacts(action, how, &targets, (money, cost)),
            None => self.by_money(action, how, &targets, money),
        };
        Planned { chosen, fixed: fixed.into_iter().collect(), limited_by, warnings: Vec::new() }
    }

    /// Whether the rule gives anything to anybody, those who opted out among them.
    fn means(&self, how: &Spread) -> bool {
        match how {
            Spread::Uniform => !self.people.is_empty(),
            Spread::Shares(shares) => {
                self.facts.iter().zip(*shares).any(|(tier, &share)| share > 0.0 && tier.customers > 0)
            }
            Spread::Clv => {
                let mut clv = vec![Exact::default(); self.facts.len()];
                for (&tier, &value) in self.people.tier.iter().zip(self.people.clv) {
                    if value.is_finite() {
                        clv[usize::from(tier)] = clv[usize::from(tier)] + Exact::of(value);
                    }
                }
                clv.into_iter().any(|sum| sum.value() > 0.0)
            }
        }
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
                return (self.all(treatment, targets), self.asked(total));
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
            // Money for one more, which is left of the tiers' shares.
            let shares_are_left = affordable(money, cost) > contacts;
            if contacts == total && total <= capacity {
                let limit = match (self.asked(total), how) {
                    (Limit::Asked, Spread::Shares(_)) if shares_are_left => Limit::Share,
                    (limit, _) => limit,
                };
                return (self.all(treatment, targets), limit);
            }
            let limit = match contacts > capacity {
                true => served,
                false if shares_are_left => Limit::Share,
                false => Limit::Budget,
            };
            (self.first_of_tiers(&how.contacts(capacity, &bought, &self.facts)), limit)
        };
        (Chosen::of_rows(self.people, treatment, &rows), limit)
    }

    /// The rule says how much each gets: all whom it gives anything to are contacted, as far as they can be served.
    fn by_money(&self, action: usize, how: &Spread, targets: &[u64], money: f64) -> (Chosen, Limit) {
        let cap = self.set.actions[action].max_per_customer.unwrap_or(f64::INFINITY);
        let (capacity, served) = self.capacity(action);
        let total: u64 = targets.iter().sum();
        let is_short = total > capacity;
        let (rows, facts) = match (is_short, how) {
            (false, _) => (Vec::new(), self.facts.clone()),
            (true, Spread::Uniform) => self.served(first(self.people, self.rows_of(targets), capacity)),
            (true, how) => self.served(self.first_of_tiers(&how.contacts(capacity, targets, &self.facts))),
        };
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
        let capped = given.iter().filter(|&&each| each >= cap).count();
        let limit = if is_short {
            served
        } else if spent >= money * (1.0 - 1e-9) {
            Limit::Budget
        } else if let Spread::Shares(shares) = how {
            // All who have a share are at the cap, or some share is left that others could use.
            let shared = shares.iter().filter(|&&share| share > 0.0).count();
            if capped == shared { Limit::Action } else { Limit::Share }
        } else if capped > 0 {
            Limit::Action
        } else {
            self.asked(total)
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

    /// Customers who can be served, and the tiers with only them as reachable.
    fn served(&self, rows: Vec<usize>) -> (Vec<usize>, Vec<TierFacts>) {
        let mut facts = self.facts.clone();
        facts.iter_mut().for_each(|tier| tier.reachable = 0);
        for &row in &rows {
            facts[usize::from(self.people.tier[row])].reachable += 1;
        }
        (rows, facts)
    }

    /// So many customers of each tier, by lot within it.
    fn first_of_tiers(&self, wanted: &[u64]) -> Vec<usize> {
        let mut of_tier = vec![Vec::new(); wanted.len()];
        for row in self.rows_of(wanted) {
            of_tier[usize::from(self.people.tier[row])].push(row);
        }
        let chosen = of_tier.into_iter().zip(wanted).map(|(rows, &n)| first(self.people, rows, n));
        chosen.flatten().collect()
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
    fn seats_are_in_proportion_and_never_fewer_with_more() {
        assert_eq!(apportion(10, &[0.8, 0.0, 0.2], &[100, 100, 100]), [8, 0, 2]);
        // What the first cannot take goes to the others; a tier without weight gets nothing.
        assert_eq!(apportion(10, &[0.8, 0.0, 0.2], &[3, 100, 100]), [3, 0, 7]);
        assert_eq!(apportion(4, &[180.0, 60.0, 15.0], &[2, 3, 5]), [2, 2, 0]);
        assert_eq!(apportion(u64::MAX, &[1.0, 2.0], &[7, 9]), [7, 9]);
        assert_eq!(apportion(0, &[1.0, 2.0], &[7, 9]), [0, 0]);
        // One by one, and nothing else.
        let (weight, most) = ([0.31, 0.17, 0.52, 0.11], [40, 7, 90, 100]);
        let mut one_by_one = vec![0; 4];
        for seats in 0..=237 {
            assert_eq!(apportion(seats, &weight, &most), one_by_one, "{seats}");
            let open = (0..4).filter(|&k| one_by_one[k] < most[k]);
            let quotient = |k: usize| weight[k] / (one_by_one[k] + 1) as f64;
            let next = open.max_by(|&a, &b| quotient(a).total_cmp(&quotient(b)).then(b.cmp(&a)));
            next.into_iter().for_each(|k| one_by_one[k] += 1);
        }
        // Millions take no longer than tens.
        let many = apportion(10_000_000, &[0.5, 0.3, 0.2], &[20_000_000, 1_000_000, 9_000_000]);
        assert_eq!(many.iter().sum::<u64>(), 10_000_000);
        assert_eq!(many[1], 1_000_000);
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
