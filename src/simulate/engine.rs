//! The simulation of all customers, replications and strategies: fixed chunks, combined in order.

use super::futures::{Customer, Sums, add_future};
use super::models::{Cell, Distinct, Model, with_model};
use super::tables::{Effect, Parameters, Tables};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::strategy::{Lever, Plan, StrategySet};

/// Customers per unit of work: small enough to share out, large enough to stay in step with the tables in cache.
const CHUNK: usize = 1 << 15;

/// Tables of this many bytes may be alive at once.
const TABLE_MEMORY: usize = 64 << 20;

/// The customers as the simulation sees them; all slices have the same length.
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    /// Repeat purchases.
    pub frequency: &'a [u32],
    /// Days from first order to last.
    pub recency_days: &'a [u32],
    /// Days from first order to the end of calibration.
    pub t_days: &'a [u32],
    /// Mean spend of the repeat purchases.
    pub monetary_value: &'a [f64],
    /// Tier of each customer, an index below `tiers`.
    pub tier: &'a [u8],
    /// How many tiers there are.
    pub tiers: usize,
    /// Stable hash of each customer's id.
    pub hash: &'a [u64],
    /// Who opted out and gets no treatment under any strategy; none where nobody has.
    pub opted_out: Option<&'a [bool]>,
}

/// How the simulation runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulateOptions {
    /// The seed of every random number.
    pub seed: u64,
    /// Whether responses are drawn in each replication, or held at their stated values.
    pub draw_responses: bool,
}

/// Everything that stays the same over replications.
pub struct Engine<'a> {
    set: &'a StrategySet,
    plans: &'a [Plan],
    customers: Vec<Customer>,
    distinct: Distinct,
    tiers: usize,
    /// Distinct treatments of each tier; level 0 is none. Where some opted out, as many tiers again follow: theirs, with
    /// no treatment at all.
    levels: Vec<Vec<Treatment>>,
    /// Level of each strategy in each tier, `strategy * tiers + tier`.
    level_of: Vec<usize>,
    /// Largest number of levels of any tier.
    width: usize,
    options: SimulateOptions,
}

/// An action with an amount of money per customer.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Treatment {
    action: Option<usize>,
    money: f64,
}

const NO_TREATMENT: Treatment = Treatment { action: None, money: 0.0 };

/// Sums per (replication, strategy, tier).
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Replications.
    pub replications: usize,
    /// Strategies, in the order of the set.
    pub strategies: usize,
    /// Tiers.
    pub tiers: usize,
    sums: Vec<Sums>,
}

impl Outcome {
    fn at(&self, replication: usize, strategy: usize, tier: usize) -> &Sums {
        &self.sums[(replication * self.strategies + strategy) * self.tiers + tier]
    }

    /// Orders sampled.
    pub fn orders(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.at(replication, strategy, tier).orders as f64
    }

    /// Revenue sampled.
    pub fn revenue(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.at(replication, strategy, tier).revenue
    }

    /// Expected orders given the replication's parameters and responses.
    pub fn expected_orders(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.at(replication, strategy, tier).expected_orders
    }

    /// Expected revenue given the replication's parameters and responses.
    pub fn expected_revenue(&self, replication: usize, strategy: usize, tier: usize) -> f64 {
        self.at(replication, strategy, tier).expected_revenue
    }
}

impl<'a> Engine<'a> {
    /// `plans` has one entry per strategy of `set`.
    ///
    /// Who opted out belongs to a tier of its own in the tables, where every level is without treatment, and counts in the
    /// sums of its tier: what is added to them under a strategy is what is added under none, bit for bit.
    pub fn new(
        population: Population,
        set: &'a StrategySet,
        plans: &'a [Plan],
        options: SimulateOptions,
    ) -> Engine<'a> {
        let (customers, distinct) = pack(population);
        let tiers = population.tiers;
        let some_are_out = population.opted_out.is_some_and(|of| of.contains(&true));
        let all = if some_are_out { 2 * tiers } else { tiers };
        let mut levels = vec![vec![NO_TREATMENT]; all];
        let mut level_of = Vec::with_capacity(plans.len() * tiers);
        for (strategy, plan) in set.strategies.iter().zip(plans) {
            for (place, known) in levels.iter_mut().enumerate() {
                let (tier, is_out) = if place < tiers { (place, false) } else { (place - tiers, true) };
                let money = plan.money(tier, is_out);
                let treatment =
                    if money > 0.0 { Treatment { action: strategy.action, money } } else { NO_TREATMENT };
                let level = known.iter().position(|t| *t == treatment).unwrap_or_else(|| {
                    known.push(treatment);
                    known.len() - 1
                });
                if !is_out {
                    level_of.push(level);
                }
            }
        }
        let width = levels.iter().map(Vec::len).max().unwrap_or(1);
        Engine { set, plans, customers, distinct, tiers, levels, level_of, width, options }
    }

    /// Simulates one future of every customer for each element of `parameters`.
    pub fn run(&self, parameters: &[Parameters], progress: &dyn Progress) -> Result<Outcome> {
        progress.phase("simulating", parameters.len() as u64);
        let chunks = self.customers.len().div_ceil(CHUNK).max(1);
        let entries = self.distinct.cells.len() * self.width + self.distinct.pairs.len();
        let table_bytes = (entries * size_of::<f64>()).max(1);
        let block = (TABLE_MEMORY / table_bytes).clamp(8, 256);
        let mut sums = Vec::with_capacity(parameters.len() * self.plans.len() * self.tiers);
        for (number, of_block) in parameters.chunks(block).enumerate() {
            progress.check()?;
            let first = number * block;
            let tables = parallel::map(of_block.len(), |i| self.tables(of_block[i], (first + i) as u32));
            let parts = parallel::map(of_block.len() * chunks, |task| {
                let (i, chunk) = (task / chunks, task % chunks);
                if progress.cancelled() {
                    return Vec::new();
                }
                let part = self.chunk(&tables[i], (first + i) as u32, chunk);
                if chunk + 1 == chunks {
                    progress.advance(1);
                }
                part
            });
            progress.check()?;
            for of_replication in parts.chunks(chunks) {
                self.collect(of_replication, &mut sums);
            }
        }
        if self.customers.is_empty() {
            return Err(Error::internal("simulating", "there is no customer"));
        }
        Ok(Outcome { replications: parameters.len(), strategies: self.plans.len(), tiers: self.tiers, sums })
    }

    fn tables(&self, parameters: Parameters, replication: u32) -> Tables {
        let mut effects = Vec::with_capacity(self.tiers * self.width);
        for (tier, levels) in self.levels.iter().enumerate() {
            let of_tier = levels.iter().map(|t| self.effect(*t, tier, replication));
            // Tiers with fewer treatments are filled up with "none", which is computed once, and read for who opted out only.
            let filler = std::iter::repeat(Effect { rate: 1.0, spend: 1.0 });
            effects.extend(of_tier.chain(filler).take(self.width));
        }
        let horizon = self.set.horizon.in_unit(parameters.purchases.unit());
        Tables::new(parameters, effects, self.width, &self.distinct, horizon)
    }

    fn effect(&self, treatment: Treatment, tier: usize, replication: u32) -> Effect {
        let factor = |on| {
            let response = treatment.action.and_then(|action| self.set.response(action, tier, on));
            response.map_or(1.0, |response| {
                let drawn = if self.options.draw_responses {
                    response.draw(self.options.seed, replication)
                } else {
                    response.fixed()
                };
                drawn.factor(treatment.money)
            })
        };
        Effect { rate: factor(Lever::PurchaseRate), spend: factor(Lever::Spend) }
    }

    /// Sums of one chunk of customers by `tier * width + level`.
    fn chunk(&self, tables: &Tables, replication: u32, chunk: usize) -> Vec<Sums> {
        with_model!(&tables.model, model => self.chunk_of(tables, model, replication, chunk))
    }

    fn chunk_of(&self, tables: &Tables, model: &impl Model, replication: u32, chunk: usize) -> Vec<Sums> {
        let horizon = self.set.horizon.in_unit(tables.unit);
        let mut sums = vec![Sums::default(); self.tiers * self.width];
        let end = ((chunk + 1) * CHUNK).min(self.customers.len());
        for customer in &self.customers[chunk * CHUNK..end] {
            let place = usize::from(customer.tier);
            let tier = if place < self.tiers { place } else { place - self.tiers };
            let of_tier = &mut sums[tier * self.width..][..self.width];
            add_future(customer, tables, model, (self.options.seed, replication), horizon, of_tier);
        }
        sums
    }

    /// Adds up the chunks of one replication in order and spreads levels over strategies.
    fn collect(&self, parts: &[Vec<Sums>], out: &mut Vec<Sums>) {
        let mut total = vec![Sums::default(); self.tiers * self.width];
        for part in parts {
            for (sum, add) in total.iter_mut().zip(part) {
                sum.orders += add.orders;
                sum.revenue += add.revenue;
                sum.expected_orders += add.expected_orders;
                sum.expected_revenue += add.expected_revenue;
            }
        }
        for of_strategy in self.level_of.chunks(self.tiers) {
            for (tier, level) in of_strategy.iter().enumerate() {
                out.push(total[tier * self.width + level]);
            }
        }
    }
}

/// Packs the customers and finds what they share: their distinct (tier, x, T), (x, T) and (x, t_x).
fn pack(population: Population) -> (Vec<Customer>, Distinct) {
    let n = population.frequency.len();
    let frequency = population.frequency;
    // Those who opted out have tiers of their own, behind the others.
    let is_out = |i: usize| population.opted_out.is_some_and(|of| of[i]);
    let tier: Vec<u8> =
        parallel::collect(n, |i| population.tier[i] + if is_out(i) { population.tiers as u8 } else { 0 });
    // 24 bits of days are 45,000 years.
    let days = |days: u32| days.min((1 << 24) - 1);
    let pair = |x: u32, at: u32| u64::from(x) << 24 | u64::from(days(at));
    let mut pairs = parallel::collect(n, |i| pair(frequency[i], population.t_days[i]));
    pairs.extend(parallel::collect(n, |i| pair(frequency[i], population.recency_days[i])));
    let pairs = distinct(pairs);
    let find = |keys: &[u64], key: u64| keys.binary_search(&key).expect("every key was collected") as u32;
    // Tier, then x, then T: 8 + 32 + 24 bits.
    let key = |i: usize| u64::from(tier[i]) << 56 | pair(frequency[i], population.t_days[i]);
    let keys = distinct(parallel::collect(n, key));
    let cell = |&key: &u64| Cell {
        tier: (key >> 56) as u8,
        frequency: (key >> 24) as u32,
        t_days: (key & 0xff_ffff) as u32,
        pair: find(&pairs, key & ((1 << 56) - 1)),
    };
    let cells: Vec<Cell> = keys.iter().map(cell).collect();
    let customers = parallel::collect(n, |i| Customer {
        hash: population.hash[i],
        // Spend whose refunds exceed it says nothing that a Gamma distribution can use: it counts as 0.
        mean_spend: population.monetary_value[i].max(0.0),
        frequency: frequency[i],
        recency_days: population.recency_days[i],
        t_days: population.t_days[i],
        cell: find(&keys, key(i)),
        last_pair: find(&pairs, pair(frequency[i], population.recency_days[i])),
        tier: tier[i],
    });
    let largest = cells.iter().fold((0, 0), |(x, t), cell| (x.max(cell.frequency), t.max(cell.t_days)));
    let pairs = pairs.iter().map(|key| ((key >> 24) as u32, (key & 0xff_ffff) as u32)).collect();
    (customers, Distinct { cells, pairs, largest })
}

/// The distinct keys, ascending.
fn distinct(mut keys: Vec<u64>) -> Vec<u64> {
    parallel::sort_by_key(&mut keys, |&k| k);
    keys.dedup();
    keys
}
