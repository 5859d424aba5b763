//! The simulation of all customers, replications and strategies: fixed chunks, combined in order.

use super::futures::{Customer, Prepared, Scratch, Sum, Time, add_expected, add_future, filled};
use super::groups::{Groups, Population, pack};
use super::models::{Distinct, Model, with_model};
use super::newcomers;
use super::outcome::{Accounts, Outcome};
use super::tables::{Effect, Parameters, Tables};
use crate::calendar::Unit;
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::strategy::plan::Treatment;
use crate::strategy::world::World;
use crate::strategy::{Lever, Plan, StrategySet};

/// Customers per unit of work: small enough to share out, large enough to stay in step with the tables in cache.
const CHUNK: usize = 1 << 15;

/// Replications of one world that a customer meets in a row: what belongs to the world is looked up once for all of them.
const TOGETHER: usize = 8;

/// Tables of this many bytes may be alive at once.
const TABLE_MEMORY: usize = 64 << 20;

/// Sums of chunks of this many bytes may be waiting to be added up.
const SUMS_MEMORY: usize = 128 << 20;

/// How the simulation runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulateOptions {
    /// The seed of every random number.
    pub seed: u64,
    /// Whether all that is believed is drawn in each world, or held at its stated values.
    pub draw_responses: bool,
    /// Futures of each world, at least 1: they share its parameters and responses.
    pub futures: usize,
}

/// Everything that stays the same over replications.
pub struct Engine<'a> {
    pub(super) set: &'a StrategySet,
    pub(super) customers: Vec<Customer>,
    pub(super) distinct: Distinct,
    pub(super) groups: Groups,
    pub(super) strategies: usize,
    pub(super) tiers: usize,
    pub(super) width: usize,
    pub(super) steps: usize,
    options: SimulateOptions,
}

/// What a chunk of customers adds to some replications of a world.
struct Part {
    /// By replication, then `slot * periods + period`.
    sums: Vec<Vec<Sum>>,
    /// By replication, then slot.
    kept: Vec<Vec<f64>>,
    /// By `slot * steps + step`; empty but for the first replications of a world.
    expected: Vec<Sum>,
}

/// Replications that are simulated together.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Among the worlds at hand.
    world: usize,
    /// The first of its futures.
    first: usize,
    count: usize,
}

impl<'a> Engine<'a> {
    /// `plans` has one entry per strategy of `set`.
    ///
    /// Who opted out is in groups of their own whose only level is without treatment, and counts in the sums of its tier: what
    /// is added to them under a strategy is what is added under none, bit for bit.
    ///
    /// # Errors
    /// More groups than can be numbered.
    pub fn new(
        population: Population,
        set: &'a StrategySet,
        plans: &[Plan],
        options: SimulateOptions,
    ) -> Result<Engine<'a>> {
        let (groups, codes) = Groups::new(&population, set, plans)?;
        let (customers, distinct) = pack(&population, &codes);
        let width = groups.width();
        let (strategies, tiers) = (plans.len(), population.tiers);
        // Per step where money is worth less later; otherwise the horizon as a whole is all that is asked for.
        let steps = if set.discount.is_some() { set.periods } else { 1 };
        Ok(Engine { set, customers, distinct, groups, strategies, tiers, width, steps, options })
    }

    /// Simulates the futures of every customer in one world for each element of `parameters`.
    pub fn run(&self, parameters: &[Parameters], progress: &dyn Progress) -> Result<Outcome> {
        let mut outcome = self.nothing_yet();
        self.extend(&mut outcome, parameters, progress)?;
        Ok(outcome)
    }

    /// An outcome without a world.
    pub fn nothing_yet(&self) -> Outcome {
        let tiers = self.tiers + usize::from(self.set.new_customers.is_some());
        Outcome::new(
            self.options.draw_responses,
            (self.options.futures.max(1), self.strategies, tiers, self.set.periods, self.steps),
        )
    }

    /// Adds worlds to an outcome: those after the ones that it has.
    pub fn extend(
        &self,
        outcome: &mut Outcome,
        parameters: &[Parameters],
        progress: &dyn Progress,
    ) -> Result<()> {
        if self.customers.is_empty() {
            return Err(Error::internal("simulating", "there is no customer"));
        }
        let futures = outcome.futures;
        progress.phase("simulating", (parameters.len() * futures) as u64);
        // Those who come back have tables by the pair of their last purchase in every tier that brings somebody back.
        let back = self.tiers_back() * self.distinct.pairs.len();
        let entries =
            (self.distinct.cells.len() + back) * self.width * self.steps + self.distinct.pairs.len();
        let table_bytes = (entries * size_of::<f64>()).max(1);
        let at_once = (TABLE_MEMORY / table_bytes).clamp(1, 256);
        for of_batch in parameters.chunks(at_once) {
            progress.check()?;
            let first = outcome.worlds;
            let worlds: Vec<World> = (0..of_batch.len()).map(|i| self.world((first + i) as u32)).collect();
            let tables = parallel::map(of_batch.len(), |i| self.tables(of_batch[i], &worlds[i]));
            self.batch(outcome, &tables, &worlds, progress)?;
        }
        Ok(())
    }

    /// Simulates the worlds of a batch, whose tables are at hand.
    fn batch(
        &self,
        outcome: &mut Outcome,
        tables: &[Tables],
        worlds: &[World],
        progress: &dyn Progress,
    ) -> Result<()> {
        let (first_world, futures) = (outcome.worlds, outcome.futures);
        let chunks = self.customers.len().div_ceil(CHUNK).max(1);
        let blocks: Vec<Block> = (0..worlds.len())
            .flat_map(|world| {
                (0..futures).step_by(TOGETHER).map(move |first| Block {
                    world,
                    first,
                    count: TOGETHER.min(futures - first),
                })
            })
            .collect();
        let of_block = TOGETHER * chunks * self.groups.slots * (self.set.periods + 1) * size_of::<Sum>();
        for blocks in blocks.chunks((SUMS_MEMORY / of_block.max(1)).clamp(1, 256)) {
            let parts = parallel::map(blocks.len() * chunks, |task| {
                let (block, chunk) = (blocks[task / chunks], task % chunks);
                if progress.cancelled() {
                    return None;
                }
                let replication = ((first_world + block.world) * futures + block.first) as u32;
                let part = self.part(&tables[block.world], replication, block, chunk);
                if chunk + 1 == chunks {
                    progress.advance(block.count as u64);
                }
                Some(part)
            });
            progress.check()?;
            for (block, parts) in blocks.iter().zip(parts.chunks(chunks)) {
                let of_world = (&tables[block.world], &worlds[block.world]);
                let replication = ((first_world + block.world) * futures + block.first) as u32;
                self.collect(outcome, *block, replication, of_world, parts.iter().flatten());
            }
        }
        Ok(())
    }

    /// Tiers in which some treatment brings customers back.
    fn tiers_back(&self) -> usize {
        let brings =
            |tier: &usize| self.set.responses.iter().any(|r| r.tier == *tier && r.on == Lever::Reactivation);
        (0..self.tiers).filter(brings).count()
    }

    /// All that is believed, in a world.
    fn world(&self, number: u32) -> World {
        if self.options.draw_responses { self.set.draw(self.options.seed, number) } else { self.set.stated() }
    }

    fn tables(&self, parameters: Parameters, world: &World) -> Tables {
        let effects = (0..self.tiers).flat_map(|tier| self.effects(tier, world)).collect();
        let horizon = self.set.horizon.in_unit(parameters.purchases.unit());
        Tables::new(parameters, effects, self.width, &self.distinct, horizon, self.steps)
    }

    /// The effects of a tier's levels in a world, as many as any tier has.
    pub(super) fn effects(&self, tier: usize, world: &World) -> Vec<Effect> {
        let levels = self.groups.levels[tier].iter();
        filled(levels.map(|treatment| self.effect(treatment.as_ref(), tier, world)), self.width).collect()
    }

    fn effect(&self, treatment: Option<&Treatment>, tier: usize, world: &World) -> Effect {
        let Some(&Treatment { action, money }) = treatment else { return Effect::NONE };
        let factor = |on| self.set.factor(world, action, money, tier, on);
        Effect {
            rate: factor(Lever::PurchaseRate),
            spend: factor(Lever::Spend),
            dropout: factor(Lever::Dropout),
            back: factor(Lever::Reactivation),
        }
    }

    fn time(&self, tables: &Tables) -> Time {
        Time { horizon: self.set.horizon.in_unit(tables.unit), periods: self.set.periods }
    }

    fn part(&self, tables: &Tables, replication: u32, block: Block, chunk: usize) -> Part {
        with_model!(&tables.model, model => self.part_of(tables, model, replication, block, chunk))
    }

    fn part_of(
        &self,
        tables: &Tables,
        model: &impl Model,
        replication: u32,
        block: Block,
        chunk: usize,
    ) -> Part {
        let time = self.time(tables);
        let wants_expected = block.first == 0;
        let slots = self.groups.slots;
        let mut part = Part {
            sums: vec![vec![Sum::default(); slots * time.periods]; block.count],
            kept: vec![vec![0.0; slots]; block.count],
            expected: vec![Sum::default(); if wants_expected { slots * self.steps } else { 0 }],
        };
        let mut scratch = Scratch::default();
        let end = ((chunk + 1) * CHUNK).min(self.customers.len());
        let mut last = None;
        for customer in &self.customers[chunk * CHUNK..end] {
            let group = &self.groups.groups[usize::from(customer.group)];
            // Neighbours often share a history.
            let alive = match last {
                Some((cell, pair, alive)) if (cell, pair) == (customer.cell, customer.last_pair) => alive,
                _ => model.p_alive(customer),
            };
            last = Some((customer.cell, customer.last_pair, alive));
            let of = Prepared::new(customer, group, alive, tables, model);
            if wants_expected {
                add_expected(&of, tables, &mut scratch, &mut part.expected);
            }
            for (i, (sums, kept)) in part.sums.iter_mut().zip(&mut part.kept).enumerate() {
                let who = (self.options.seed, replication + i as u32);
                add_future(&of, tables, model, who, time, &mut scratch, (sums, kept));
            }
        }
        part
    }

    pub(super) fn accounts(&self) -> Accounts<'_> {
        Accounts { set: self.set, groups: &self.groups, strategies: self.strategies, tiers: self.tiers }
    }

    /// New customers per unit of the models' time in a world; `None` where none are simulated.
    pub(super) fn arrivals(&self, world: &World, unit: Unit) -> Option<f64> {
        let period = self.set.horizon.days() / self.set.periods as f64;
        self.set.new_customers.as_ref().map(|_| world.arrivals / period * unit.days())
    }

    /// Adds up the chunks of some replications in order, and spreads levels over strategies.
    fn collect<'p>(
        &self,
        outcome: &mut Outcome,
        block: Block,
        replication: u32,
        (tables, world): (&Tables, &World),
        parts: impl Iterator<Item = &'p Part> + Clone,
    ) {
        let accounts = self.accounts();
        let total = |of: &dyn Fn(&'p Part) -> &'p [Sum]| {
            let mut total: Vec<Sum> = Vec::new();
            for part in parts.clone() {
                let part = of(part);
                total.resize(part.len(), Sum::default());
                total.iter_mut().zip(part).for_each(|(sum, add)| sum.add(add));
            }
            total
        };
        let newcomers = self.arrivals(world, tables.unit);
        if block.first == 0 {
            let expected = newcomers.map(|rate| newcomers::expected(&tables.parameters, &tables.ends, rate));
            let sums = total(&|part| &part.expected);
            outcome.push_world(accounts.flows(&sums, expected.as_deref(), self.steps, world));
        }
        let time = self.time(tables);
        for i in 0..block.count {
            let sums = total(&|part| &part.sums[i]);
            let mut kept = vec![0.0; self.groups.slots];
            for part in parts.clone() {
                kept.iter_mut().zip(&part.kept[i]).for_each(|(sum, add)| *sum += add);
            }
            let came = newcomers.map(|rate| {
                let who = (self.options.seed, replication + i as u32);
                with_model!(&tables.model, model => newcomers::sample(tables, model, rate, who, time))
            });
            let flows = accounts.flows(&sums, came.as_ref().map(|(sums, _)| &sums[..]), time.periods, world);
            let came = came.map(|(_, count)| count);
            let counts = accounts.counts(&sums, &kept, came, time.periods, world);
            outcome.push_replication(flows, counts);
        }
    }
}
