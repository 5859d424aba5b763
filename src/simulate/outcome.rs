//! What futures add up to: sums per (replication, strategy, tier, period), never per customer.

use super::futures::Sum;
use super::groups::{Group, Groups};
use crate::strategy::world::World;
use crate::strategy::{StrategySet, Treatment};

/// Orders, revenue and what orders cost in a period.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Flow {
    /// Orders, less those that would have come in anyway (cannibalisation).
    pub orders: f64,
    /// Revenue at list prices, less what would have come in anyway.
    pub revenue: f64,
    /// What orders cost on response: claims, price cuts, points, minutes and stock in money.
    pub cost: f64,
}

/// What is counted once for the horizon.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Count {
    /// Customers with an order within the horizon.
    pub kept: f64,
    /// Staff minutes that orders take.
    pub minutes: f64,
    /// Stock that orders use.
    pub stock: f64,
}

/// Sums of futures, and their expectations.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Worlds: each has its own parameters and responses.
    pub worlds: usize,
    /// Futures of each world.
    pub futures: usize,
    /// Strategies, in the order of the set.
    pub strategies: usize,
    /// Tiers; one more than there are where new customers are simulated, which is theirs.
    pub tiers: usize,
    /// Equal parts of the horizon.
    pub periods: usize,
    /// Whether what is believed was drawn in each world.
    pub beliefs_are_drawn: bool,
    /// Parts of the horizon within which expectations are known: as many as periods, or 1.
    pub steps: usize,
    flows: Vec<Flow>,
    counts: Vec<Count>,
    expected: Vec<Flow>,
}

impl Outcome {
    pub(super) fn new(
        beliefs_are_drawn: bool,
        (futures, strategies, tiers, periods, steps): (usize, usize, usize, usize, usize),
    ) -> Outcome {
        Outcome {
            worlds: 0,
            beliefs_are_drawn,
            futures,
            strategies,
            tiers,
            periods,
            steps,
            flows: Vec::new(),
            counts: Vec::new(),
            expected: Vec::new(),
        }
    }

    /// Replications: futures of all worlds.
    pub fn replications(&self) -> usize {
        self.worlds * self.futures
    }

    /// The world of a replication.
    pub fn world(&self, replication: usize) -> usize {
        replication / self.futures
    }

    fn place(&self, at: usize, strategy: usize, tier: usize) -> usize {
        (at * self.strategies + strategy) * self.tiers + tier
    }

    /// What was sampled, by period.
    pub fn flows(&self, replication: usize, strategy: usize, tier: usize) -> &[Flow] {
        &self.flows[self.place(replication, strategy, tier) * self.periods..][..self.periods]
    }

    /// What was counted.
    pub fn count(&self, replication: usize, strategy: usize, tier: usize) -> &Count {
        &self.counts[self.place(replication, strategy, tier)]
    }

    /// What is expected given the world's parameters and responses, by step.
    pub fn expected(&self, world: usize, strategy: usize, tier: usize) -> &[Flow] {
        &self.expected[self.place(world, strategy, tier) * self.steps..][..self.steps]
    }

    /// Orders sampled.
    pub fn orders(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.flows(replication, strategy, tier).iter().map(|flow| flow.orders).sum()
    }

    /// Revenue sampled.
    pub fn revenue(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.flows(replication, strategy, tier).iter().map(|flow| flow.revenue).sum()
    }

    /// Expected orders given the replication's parameters and responses.
    pub fn expected_orders(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.expected(self.world(replication), strategy, tier).iter().map(|flow| flow.orders).sum()
    }

    /// Expected revenue given the replication's parameters and responses.
    pub fn expected_revenue(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.expected(self.world(replication), strategy, tier).iter().map(|flow| flow.revenue).sum()
    }

    /// Adds what a world is expected to bring.
    pub(super) fn push_world(&mut self, of: Vec<Flow>) {
        self.worlds += 1;
        self.expected.extend(of);
    }

    /// Adds what a replication brought.
    pub(super) fn push_replication(&mut self, flows: Vec<Flow>, counts: Vec<Count>) {
        self.flows.extend(flows);
        self.counts.extend(counts);
    }
}

/// Turns sums by (group, level) into those by (strategy, tier), with what orders cost.
pub(super) struct Accounts<'a> {
    pub set: &'a StrategySet,
    pub groups: &'a Groups,
    pub strategies: usize,
    /// Tiers of customers who are there.
    pub tiers: usize,
}

impl Accounts<'_> {
    /// `sums` by `slot * parts + part`; `newcomers` by part, a tier of their own, where there are some. Flows by `(strategy *
    /// tiers + tier) * parts + part`.
    pub fn flows(&self, sums: &[Sum], newcomers: Option<&[Sum]>, parts: usize, world: &World) -> Vec<Flow> {
        let tiers = self.tiers + usize::from(newcomers.is_some());
        let mut out = vec![Flow::default(); self.strategies * tiers * parts];
        for strategy in 0..self.strategies {
            for tier in 0..self.tiers {
                let at = (strategy * tiers + tier) * parts;
                for (out, base) in out[at..at + parts].iter_mut().zip(&sums[tier * parts..]) {
                    out.orders = base.orders;
                    out.revenue = base.revenue;
                }
            }
            for (group, place, treatment) in self.treated(strategy) {
                let at = (strategy * tiers + group.tier) * parts;
                let own = &sums[(group.slot + place) * parts..][..parts];
                let base = &sums[group.slot * parts..][..parts];
                // What a treatment adds, and nothing where it changes nothing: so the others' bits stay as they are.
                let taken = world.cannibalisation[treatment.action];
                // Of what the horizon as a whole loses nothing would have come in anyway; what is gained in one period and lost
                // in another is no gain.
                let left = |pick: fn(&Sum) -> f64| {
                    let more: f64 = own.iter().zip(base).map(|(own, base)| pick(own) - pick(base)).sum();
                    if more > 0.0 { 1.0 - taken } else { 1.0 }
                };
                let (of_orders, of_revenue) = (left(|sum| sum.orders), left(|sum| sum.revenue));
                for ((out, own), base) in out[at..at + parts].iter_mut().zip(own).zip(base) {
                    out.orders += of_orders * (own.orders - base.orders);
                    out.revenue += of_revenue * (own.revenue - base.revenue);
                    out.cost += self.response_cost(treatment.action, own, world);
                }
            }
            if let Some(newcomers) = newcomers {
                let at = (strategy * tiers + self.tiers) * parts;
                for (out, sum) in out[at..at + parts].iter_mut().zip(newcomers) {
                    out.orders = sum.orders;
                    out.revenue = sum.revenue;
                }
            }
        }
        out
    }

    /// The groups that a strategy treats, with the place of the treatment among their levels.
    fn treated(&self, strategy: usize) -> impl Iterator<Item = (&Group, usize, Treatment)> {
        self.groups.groups.iter().filter_map(move |group| {
            let place = group.of_strategy[strategy];
            let treatment = self.groups.levels[group.tier][group.levels[place]]?;
            Some((group, place, treatment))
        })
    }

    /// What the orders of who was contacted cost: all of them, also those that would have come anyway.
    fn response_cost(&self, action: usize, of: &Sum, world: &World) -> f64 {
        let (a, resources) = (&self.set.actions[action], &self.set.resources);
        let claimed = 1.0 - world.breakage[action];
        let per_order = a.cost_on_response + resources.stock_cost * a.stock_on_response;
        claimed * (per_order * of.orders + (a.price_cut + a.points * (1.0 - a.price_cut)) * of.revenue)
            + resources.minute_cost * a.minutes_on_response * of.orders
    }

    /// Counts by `strategy * tiers + tier`; `sums` by `slot * parts + part`, `kept` by slot.
    pub fn counts(
        &self,
        sums: &[Sum],
        kept: &[f64],
        newcomers: Option<f64>,
        parts: usize,
        world: &World,
    ) -> Vec<Count> {
        let tiers = self.tiers + usize::from(newcomers.is_some());
        let mut out = vec![Count::default(); self.strategies * tiers];
        for strategy in 0..self.strategies {
            for tier in 0..self.tiers {
                out[strategy * tiers + tier].kept = kept[tier];
            }
            for (group, place, treatment) in self.treated(strategy) {
                let count = &mut out[strategy * tiers + group.tier];
                count.kept += kept[group.slot + place] - kept[group.slot];
                let action = &self.set.actions[treatment.action];
                let orders: f64 =
                    sums[(group.slot + place) * parts..][..parts].iter().map(|sum| sum.orders).sum();
                count.minutes += action.minutes_on_response * orders;
                let claimed = 1.0 - world.breakage[treatment.action];
                count.stock += claimed * action.stock_on_response * orders;
            }
            if let Some(came) = newcomers {
                out[strategy * tiers + self.tiers].kept += came;
            }
        }
        out
    }
}
