//! What is compared, and its value in every replication and world.

use serde::Serialize;

use crate::simulate::outcome::{Flow, Outcome};
use crate::strategy::{Plan, StrategySet};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Customers in the tier when the horizon begins.
    Customers,
    /// Customers who are contacted.
    Contacted,
    /// Money spent: fixed costs (apportioned by what contacts cost), contacts, and what orders cost on response.
    Cost,
    /// Orders.
    Orders,
    /// Customers who order at least once within the horizon.
    Kept,
    /// What customers pay at list prices.
    Revenue,
    /// margin × revenue − cost, at its present value where there is a discount.
    Profit,
    /// Profit gained per unit of cost, where there is a cost.
    Roi,
    /// Staff minutes, where an action takes some.
    Minutes,
    /// Units of stock, where an action uses some.
    Stock,
}

impl Metric {
    /// All metrics, in the order of the tables.
    pub const ALL: [Metric; 10] = [
        Metric::Customers,
        Metric::Contacted,
        Metric::Cost,
        Metric::Orders,
        Metric::Kept,
        Metric::Revenue,
        Metric::Profit,
        Metric::Roi,
        Metric::Minutes,
        Metric::Stock,
    ];

    /// Its key in `strategies.csv`.
    pub fn key(self) -> &'static str {
        match self {
            Metric::Customers => "customers",
            Metric::Contacted => "contacted",
            Metric::Cost => "cost",
            Metric::Orders => "orders",
            Metric::Kept => "kept",
            Metric::Revenue => "revenue",
            Metric::Profit => "profit",
            Metric::Roi => "roi",
            Metric::Minutes => "minutes",
            Metric::Stock => "stock",
        }
    }
}

/// Totals of one strategy and tier over the horizon.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    pub orders: f64,
    pub revenue: f64,
    pub cost: f64,
    pub profit: f64,
    /// What was spent, at its present value.
    pub present_cost: f64,
    pub kept: f64,
    pub minutes: f64,
    pub stock: f64,
}

impl Totals {
    /// What is paid and used before anybody orders.
    fn pay(&mut self, before: &Upfront) {
        self.cost += before.cost;
        self.present_cost += before.cost;
        self.profit -= before.cost;
        self.minutes += before.minutes;
        self.stock += before.stock;
    }

    fn add(&mut self, other: &Totals) {
        self.orders += other.orders;
        self.revenue += other.revenue;
        self.cost += other.cost;
        self.profit += other.profit;
        self.present_cost += other.present_cost;
        self.kept += other.kept;
        self.minutes += other.minutes;
        self.stock += other.stock;
    }
}

/// The totals of every replication (sampled) and world (expected).
pub(super) struct Values {
    pub strategies: usize,
    /// Tiers; all of them together are the place after the last.
    pub tiers: usize,
    pub replications: usize,
    pub worlds: usize,
    sampled: Vec<Totals>,
    expected: Vec<Totals>,
    customers: Vec<f64>,
    contacted: Vec<f64>,
}

/// What a plan costs before anybody orders, by strategy and tier.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::simulate) struct Upfront {
    pub cost: f64,
    pub minutes: f64,
    pub stock: f64,
}

/// What contacting the customers of a tier costs and uses, with its part of the fixed costs: each action's by what its own
/// contacts cost, by how many there are where they cost nothing, and by who may be contacted (`reachable`, by tier) where there
/// are none.
pub(in crate::simulate) fn upfront(
    set: &StrategySet,
    plan: &Plan,
    reachable: &[u64],
    tier: usize,
) -> Upfront {
    let each = |pick: fn(&crate::strategy::Action) -> f64| -> f64 {
        let contacts = plan.contacts.get(tier).map_or(&[][..], Vec::as_slice);
        contacts.iter().zip(&plan.treatments).map(|(&n, t)| n as f64 * pick(&set.actions[t.action])).sum()
    };
    let (minutes, stock) = (each(|a| a.minutes_on_contact), each(|a| a.stock_on_contact));
    let own = plan.contacts.get(tier).map_or(0.0, |_| plan.contact_cost(tier));
    let fixed: f64 =
        plan.fixed.iter().map(|&(action, cost)| cost * share(plan, action, reachable, tier)).sum();
    let resources = &set.resources;
    let cost = own + fixed + resources.minute_cost * minutes + resources.stock_cost * stock;
    Upfront { cost, minutes, stock }
}

/// A tier's share of an action's fixed cost.
fn share(plan: &Plan, action: usize, reachable: &[u64], tier: usize) -> f64 {
    let of = |tier: usize, pick: fn(f64, f64) -> f64| -> f64 {
        let contacts = plan.contacts.get(tier).map_or(&[][..], Vec::as_slice);
        let own = contacts.iter().zip(&plan.treatments).filter(|(_, t)| t.action == action);
        own.map(|(&n, t)| pick(n as f64, t.money)).sum()
    };
    let part = |pick: fn(f64, f64) -> f64| {
        let all: f64 = (0..reachable.len()).map(|k| of(k, pick)).sum();
        (all > 0.0).then(|| of(tier, pick) / all)
    };
    part(|n, money| n * money)
        .or_else(|| part(|n, _| n))
        .unwrap_or_else(|| reachable[tier] as f64 / reachable.iter().sum::<u64>().max(1) as f64)
}

/// What money of each of `parts` equal parts of the horizon is worth now, taken at the part's end.
pub(in crate::simulate) fn present_values(set: &StrategySet, parts: usize) -> Vec<f64> {
    let end = |j: usize| set.horizon.days() * (j + 1) as f64 / parts as f64;
    (0..parts).map(|j| set.discount.map_or(1.0, |discount| discount.factor(end(j)))).collect()
}

impl Values {
    /// `customers` and `reachable` (those who may be contacted) by tier of the customers who are there.
    pub fn new(
        outcome: &Outcome,
        set: &StrategySet,
        plans: &[Plan],
        customers: &[u64],
        reachable: &[u64],
    ) -> Values {
        let (strategies, tiers) = (outcome.strategies, outcome.tiers);
        let there = customers.len();
        let before: Vec<Vec<Upfront>> = plans
            .iter()
            .map(|plan| {
                let mut of: Vec<Upfront> =
                    (0..there).map(|tier| upfront(set, plan, reachable, tier)).collect();
                of.resize_with(tiers, Upfront::default);
                // What the plan says itself, to the last digit.
                let sum = |pick: fn(&Upfront) -> f64| of.iter().map(pick).sum::<f64>();
                let (minutes, stock) = (sum(|u| u.minutes), sum(|u| u.stock));
                let resources = &set.resources;
                let cost = plan.cost + resources.minute_cost * minutes + resources.stock_cost * stock;
                of.push(Upfront { cost, minutes, stock });
                of
            })
            .collect();
        let of = |flows: &[Flow], factors: &[f64]| {
            let mut out = Totals::default();
            for (flow, factor) in flows.iter().zip(factors) {
                out.orders += flow.orders;
                out.revenue += flow.revenue;
                out.cost += flow.cost;
                out.present_cost += factor * flow.cost;
                out.profit += factor * (set.margin * flow.revenue - flow.cost);
            }
            out
        };
        let with_all = |of: &dyn Fn(usize, usize) -> Totals| -> Vec<Totals> {
            let mut out = Vec::with_capacity(strategies * (tiers + 1));
            for (strategy, before) in before.iter().enumerate() {
                let first = out.len();
                out.extend((0..tiers).map(|tier| of(strategy, tier)));
                let mut all = Totals::default();
                out[first..].iter().for_each(|tier| all.add(tier));
                out.push(all);
                for (totals, before) in out[first..].iter_mut().zip(before) {
                    totals.pay(before);
                }
            }
            out
        };
        let by_period = present_values(set, outcome.periods);
        let sampled = (0..outcome.replications())
            .flat_map(|r| {
                with_all(&|s, k| {
                    let counts = outcome.count(r, s, k);
                    let totals = of(outcome.flows(r, s, k), &by_period);
                    Totals {
                        kept: counts.kept,
                        minutes: totals.minutes + counts.minutes,
                        stock: totals.stock + counts.stock,
                        ..totals
                    }
                })
            })
            .collect();
        let by_step = present_values(set, outcome.steps);
        let expected = (0..outcome.worlds)
            .flat_map(|w| with_all(&|s, k| of(outcome.expected(w, s, k), &by_step)))
            .collect();
        let with_sum = |mut of: Vec<f64>| {
            of.resize(tiers, 0.0);
            of.push(of.iter().sum());
            of
        };
        let contacted = plans
            .iter()
            .flat_map(|plan| with_sum((0..there).map(|k| plan.contacted(k) as f64).collect()))
            .collect();
        Values {
            strategies,
            tiers,
            replications: outcome.replications(),
            worlds: outcome.worlds,
            sampled,
            expected,
            customers: with_sum(customers.iter().map(|&n| n as f64).collect()),
            contacted,
        }
    }

    fn place(&self, at: usize, strategy: usize, tier: Option<usize>) -> usize {
        (at * self.strategies + strategy) * (self.tiers + 1) + tier.unwrap_or(self.tiers)
    }

    /// The sampled totals of a replication.
    pub fn sampled(&self, replication: usize, strategy: usize, tier: Option<usize>) -> &Totals {
        &self.sampled[self.place(replication, strategy, tier)]
    }

    /// The expected totals of a world; customers kept, minutes and stock of orders are not among them.
    pub fn expected(&self, world: usize, strategy: usize, tier: Option<usize>) -> &Totals {
        &self.expected[self.place(world, strategy, tier)]
    }

    /// Whether something is spent in every replication and world.
    pub fn always_spends(&self, strategy: usize, tier: Option<usize>) -> bool {
        (0..self.replications).all(|r| self.sampled(r, strategy, tier).present_cost > 0.0)
            && (0..self.worlds).all(|w| self.expected(w, strategy, tier).present_cost > 0.0)
    }

    /// What is sampled by replication, and what is expected by world where that is known.
    pub fn of(&self, strategy: usize, tier: Option<usize>, metric: Metric) -> (Vec<f64>, Option<Vec<f64>>) {
        let pick = |t: &Totals, base: &Totals| match metric {
            Metric::Cost => t.cost,
            Metric::Orders => t.orders,
            Metric::Revenue => t.revenue,
            Metric::Profit => t.profit,
            Metric::Roi => (t.profit - base.profit) / t.present_cost,
            Metric::Kept => t.kept,
            Metric::Minutes => t.minutes,
            Metric::Stock => t.stock,
            Metric::Customers | Metric::Contacted => 0.0,
        };
        let known = match metric {
            Metric::Customers => Some(self.customers[tier.unwrap_or(self.tiers)]),
            Metric::Contacted => Some(self.contacted[self.place(0, strategy, tier)]),
            _ => None,
        };
        let sampled = (0..self.replications)
            .map(|r| match known {
                Some(known) => known,
                None => pick(self.sampled(r, strategy, tier), self.sampled(r, 0, tier)),
            })
            .collect();
        let is_expected = !matches!(metric, Metric::Kept | Metric::Minutes | Metric::Stock);
        let expected = is_expected.then(|| {
            (0..self.worlds)
                .map(|w| {
                    known.unwrap_or_else(|| pick(self.expected(w, strategy, tier), self.expected(w, 0, tier)))
                })
                .collect()
        });
        (sampled, expected)
    }
}
