//! What strategies are expected to gain at fixed parameters, for any version of what is believed: without sampling, and fast
//! enough to be asked a thousand times.
//!
//! Expected orders factor into a part of the history and P(alive) or P(left). At fixed parameters the latter, and the latter
//! times expected spend, are added up over the customers who share the former, once; then an answer costs as much as
//! there are distinct histories. What changes in one tier only is computed for that tier only.

use std::sync::Mutex;

use super::compare::{present_values, upfront};
use super::engine::Engine;
use super::expected::{Treated, if_alive, if_back, pareto_if_back};
use super::futures::Sum;
use super::models::{AnyModel, Model, with_model};
use super::newcomers;
use super::tables::{Effect, Parameters, ends};
use crate::clv::PurchaseParameters;
use crate::parallel;
use crate::strategy::{Plan, World};

/// Customers of one group who share a history, with what their expectations are multiplied by.
#[derive(Debug, Clone, Copy)]
struct Weight {
    group: u16,
    /// Of the cell among those of its tier, or of the pair.
    history: u32,
    /// Sum of probabilities (of being alive, or of having left) …
    orders: f64,
    /// … and of these times expected spend.
    revenue: f64,
}

/// The customers of one tier.
#[derive(Debug, Default)]
struct OfTier {
    cells: std::ops::Range<usize>,
    alive: Vec<Weight>,
    /// Where they may be brought back and it goes by the pair of the last purchase.
    left: Vec<Weight>,
    /// Where it goes by the whole history (Pareto/NBD): x, t_x and T in the models' unit.
    left_one_by_one: Vec<(Weight, (u32, f64, f64))>,
}

/// Effects of a tier, and the sums that they give.
type Known = (Vec<Effect>, Vec<Sum>);

/// Gains at fixed parameters.
pub struct Evaluator<'a> {
    engine: &'a Engine<'a>,
    parameters: Parameters,
    ends: Vec<f64>,
    tiers: Vec<OfTier>,
    /// By strategy: what is paid before anybody orders.
    before: Vec<f64>,
    present: Vec<f64>,
    /// By tier: the effects that were asked for last, and their sums.
    last: Vec<Mutex<Option<Known>>>,
}

impl<'a> Evaluator<'a> {
    /// Adds up the customers of an engine at `parameters`. `reachable`: by tier, those who may be contacted.
    pub fn new(
        engine: &'a Engine<'a>,
        parameters: Parameters,
        plans: &[Plan],
        reachable: &[u64],
    ) -> Evaluator<'a> {
        let horizon = engine.set.horizon.in_unit(parameters.purchases.unit());
        let model = AnyModel::new(&parameters.purchases, &engine.distinct);
        let tiers = with_model!(&model, model => add_up(engine, model, &parameters));
        let before = plans
            .iter()
            .map(|plan| (0..engine.tiers).map(|k| upfront(engine.set, plan, reachable, k).cost).sum())
            .collect();
        Evaluator {
            engine,
            ends: ends(horizon, engine.steps),
            last: tiers.iter().map(|_| Mutex::new(None)).collect(),
            tiers,
            before,
            present: present_values(engine.set, engine.steps),
            parameters,
        }
    }

    /// The difference in expected profit from doing nothing, by strategy.
    pub fn gains(&self, world: &World) -> Vec<f64> {
        let profit = self.profits(world);
        profit.iter().map(|own| own - profit[0]).collect()
    }

    /// How large the profits are of which gains are the differences.
    pub fn scale(&self, world: &World) -> f64 {
        self.profits(world).iter().fold(0.0, |most, profit| profit.abs().max(most))
    }

    /// Expected profit, by strategy.
    fn profits(&self, world: &World) -> Vec<f64> {
        let steps = self.ends.len();
        let mut sums = vec![Sum::default(); self.engine.groups.slots * steps];
        for tier in 0..self.tiers.len() {
            let effects = self.engine.effects(tier, world);
            let mut last = self.last[tier].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if last.as_ref().is_none_or(|(known, _)| *known != effects) {
                let found = self.sums(tier, &effects);
                *last = Some((effects, found));
            }
            let of_tier = last.iter().flat_map(|(_, found)| found);
            sums.iter_mut().zip(of_tier).for_each(|(sum, add)| sum.add(add));
        }
        let arrivals = self.engine.arrivals(world, self.parameters.purchases.unit());
        let newcomers = arrivals.map(|rate| newcomers::expected(&self.parameters, &self.ends, rate));
        let flows = self.engine.accounts().flows(&sums, newcomers.as_deref(), steps, world);
        let per_strategy = flows.len() / self.engine.strategies.max(1);
        flows
            .chunks(per_strategy.max(1))
            .zip(&self.before)
            .map(|(flows, before)| {
                let of = |(i, flow): (usize, &super::outcome::Flow)| {
                    self.present[i % steps] * (self.engine.set.margin * flow.revenue - flow.cost)
                };
                flows.iter().enumerate().map(of).sum::<f64>() - before
            })
            .collect()
    }

    /// Expected sums of a tier's groups by `slot * steps + step`; 0 in the slots of other tiers.
    fn sums(&self, tier: usize, effects: &[Effect]) -> Vec<Sum> {
        let (engine, of) = (self.engine, &self.tiers[tier]);
        let (width, steps) = (engine.width, self.ends.len());
        let entries = width * steps;
        // The tables look effects up by tier; those of the others are not asked for.
        let mut all = vec![Effect::NONE; engine.tiers * width];
        all[tier * width..][..width].copy_from_slice(effects);
        let treated = Treated { effects: &all, width, ends: &self.ends };
        let purchases = &self.parameters.purchases;
        let mut sums = vec![Sum::default(); engine.groups.slots * steps];
        let alive = if_alive(purchases, &engine.distinct.cells[of.cells.clone()], treated);
        for weight in &of.alive {
            self.add(
                weight,
                &alive[weight.history as usize * entries..][..entries],
                effects,
                false,
                &mut sums,
            );
        }
        if !treated.brings_back(tier as u8) {
            return sums;
        }
        let back = if_back(purchases, &engine.distinct.pairs, tier as u8, treated);
        for weight in &of.left {
            if let Some(expected) = back.get(weight.history as usize * entries..) {
                self.add(weight, &expected[..entries], effects, true, &mut sums);
            }
        }
        if let PurchaseParameters::ParetoNbd(params) = purchases {
            let found = parallel::map_chunks(of.left_one_by_one.len(), 256, |rows| {
                let mut out = vec![0.0; rows.len() * entries];
                for ((_, history), out) in of.left_one_by_one[rows].iter().zip(out.chunks_mut(entries)) {
                    pareto_if_back(params, *history, effects, &self.ends, out);
                }
                out
            })
            .concat();
            for ((weight, _), expected) in of.left_one_by_one.iter().zip(found.chunks(entries)) {
                self.add(weight, expected, effects, true, &mut sums);
            }
        }
        sums
    }

    /// Adds what customers with `weight` are expected to bring under the levels of their group.
    fn add(&self, weight: &Weight, expected: &[f64], effects: &[Effect], is_back: bool, sums: &mut [Sum]) {
        let group = &self.engine.groups.groups[usize::from(weight.group)];
        let steps = self.ends.len();
        for (place, &level) in group.levels.iter().enumerate() {
            let effect = &effects[level];
            let comes = if is_back { effect.back } else { 1.0 };
            for (step, expected) in expected[level * steps..][..steps].iter().enumerate() {
                let sum = Sum {
                    orders: weight.orders * comes * expected,
                    revenue: weight.revenue * comes * expected * effect.spend,
                };
                let (of_tier, own) = group.slots(place);
                for slot in of_tier.into_iter().chain(own) {
                    sums[slot * steps + step].add(&sum);
                }
            }
        }
    }
}

/// The customers of each tier by what they share, in the order of (group, history).
fn add_up(engine: &Engine, model: &impl Model, parameters: &Parameters) -> Vec<OfTier> {
    let unit = parameters.purchases.unit();
    let cells = &engine.distinct.cells;
    let mut out: Vec<OfTier> = (0..engine.tiers)
        .map(|tier| {
            let of = |cell: &super::models::Cell| usize::from(cell.tier) < tier;
            let end = |cell: &super::models::Cell| usize::from(cell.tier) <= tier;
            OfTier { cells: cells.partition_point(of)..cells.partition_point(end), ..OfTier::default() }
        })
        .collect();
    let known = parallel::collect(engine.customers.len(), |i| {
        let customer = &engine.customers[i];
        let alive = model.p_alive(customer);
        let spend = parameters.spend.expected_spend(customer.spend_orders, customer.mean_spend);
        (alive, spend)
    });
    let one_by_one = matches!(parameters.purchases, PurchaseParameters::ParetoNbd(_));
    // The engine has them in the order of histories.
    for (customer, &(alive, spend)) in engine.customers.iter().zip(&known) {
        let of_tier = &mut out[engine.groups.groups[usize::from(customer.group)].tier];
        let cell = customer.cell - of_tier.cells.start as u32;
        of_tier.alive.push(Weight {
            group: customer.group,
            history: cell,
            orders: alive,
            revenue: alive * spend,
        });
        let left = 1.0 - alive;
        if left <= 0.0 {
            continue;
        }
        let weight = Weight {
            group: customer.group,
            history: customer.last_pair,
            orders: left,
            revenue: left * spend,
        };
        if one_by_one {
            let days = |days| unit.of_days(days);
            let history = (customer.frequency, days(customer.recency_days), days(customer.t_days));
            match of_tier.left_one_by_one.last_mut() {
                Some((last, known)) if last.group == weight.group && *known == history => {
                    last.orders += weight.orders;
                    last.revenue += weight.revenue;
                }
                _ => of_tier.left_one_by_one.push((weight, history)),
            }
        } else {
            of_tier.left.push(weight);
        }
    }
    for of_tier in &mut out {
        merge(&mut of_tier.alive);
        merge(&mut of_tier.left);
    }
    out
}

/// Adds up the weights of equal histories within a group, in their order.
fn merge(weights: &mut Vec<Weight>) {
    weights.sort_by_key(|weight| (weight.history, weight.group));
    weights.dedup_by(|next, first| {
        let is_same = (next.group, next.history) == (first.group, first.history);
        if is_same {
            first.orders += next.orders;
            first.revenue += next.revenue;
        }
        is_same
    });
}
