//! Customers packed for the inner loop, and what they share: histories, and which treatment each strategy gives them.

use super::futures::Customer;
use super::models::{Cell, Distinct};
use crate::customers::OrderDays;
use crate::error::{Error, Result};
use crate::parallel;
use crate::strategy::plan::{Given, Treatment};
use crate::strategy::{Plan, StrategySet};

/// The customers as the simulation sees them; all slices have the same length.
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    /// Repeat purchases.
    pub frequency: &'a [u32],
    /// Days from first order to last.
    pub recency_days: &'a [u32],
    /// Days from first order to the end of calibration.
    pub t_days: &'a [u32],
    /// Mean spend of the orders that `spend_over` says.
    pub monetary_value: &'a [f64],
    /// Tier of each customer, an index below `tiers`.
    pub tier: &'a [u8],
    /// How many tiers there are.
    pub tiers: usize,
    /// What each mean spend is a mean over.
    pub spend_over: OrderDays,
    /// Stable hash of each customer's id.
    pub hash: &'a [u64],
    /// Who opted out and gets no treatment under any strategy; none where nobody has.
    pub opted_out: Option<&'a [bool]>,
}

/// Customers of one tier who get the same under every strategy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub tier: usize,
    /// The levels of its tier that it meets, each once; the first is level 0, no treatment.
    pub levels: Vec<usize>,
    /// By strategy: the place in `levels`.
    pub of_strategy: Vec<usize>,
    /// Where its sums begin: one slot for each of `levels`; none where it is never treated.
    pub slot: usize,
}

impl Group {
    /// The slots that what happens at a place of `levels` is added to. Without treatment it counts for the tier as a whole,
    /// whose sums then do not depend on how customers are grouped; beside that for the group, if it is treated at times.
    #[inline]
    pub fn slots(&self, place: usize) -> (Option<usize>, Option<usize>) {
        let of_tier = (place == 0).then_some(self.tier);
        (of_tier, (self.levels.len() > 1).then_some(self.slot + place))
    }
}

/// Who gets what, by group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Groups {
    pub groups: Vec<Group>,
    /// By tier: the distinct treatments; level 0 is none.
    pub levels: Vec<Vec<Option<Treatment>>>,
    /// Slots of sums: first one for each tier, without treatment; then those of the groups.
    pub slots: usize,
}

/// Groups are numbered in 16 bits.
const MOST_GROUPS: usize = 1 << 16;

impl Groups {
    /// Finds the groups, and the group of every customer. Groups are in the order of (tier, opted out, treatment by
    /// strategy), which no order of customers changes.
    pub fn new(population: &Population, set: &StrategySet, plans: &[Plan]) -> Result<(Groups, Vec<u16>)> {
        let n = population.tier.len();
        let is_out = |i: usize| population.opted_out.is_some_and(|of| of[i]);
        let mut keys: Vec<u32> =
            parallel::collect(n, |i| u32::from(population.tier[i]) * 2 + u32::from(is_out(i)));
        // What each group is so far, in the order of the groups: tier, opted out, and the treatments of the plans met.
        let mut known: Vec<(usize, bool, Vec<u8>)> =
            (0..population.tiers * 2).map(|key| (key / 2, key % 2 == 1, Vec::new())).collect();
        for plan in plans {
            match &plan.given {
                Given::ByTier(of) => {
                    for (tier, is_out, given) in &mut known {
                        given.push(if *is_out { 0 } else { of[*tier] });
                    }
                }
                Given::ByCustomer(of) => {
                    let width = plan.treatments.len() + 1;
                    let mut met = vec![false; known.len() * width];
                    for i in 0..n {
                        met[keys[i] as usize * width + usize::from(of[i])] = true;
                    }
                    let mut before = 0;
                    let mut place = |&met: &bool| {
                        before += u32::from(met);
                        before - u32::from(met)
                    };
                    let places: Vec<u32> = met.iter().map(&mut place).collect();
                    keys = parallel::collect(n, |i| places[keys[i] as usize * width + usize::from(of[i])]);
                    known = (0..met.len())
                        .filter(|&key| met[key])
                        .map(|key| {
                            let (tier, is_out, mut given) = known[key / width].clone();
                            given.push((key % width) as u8);
                            (tier, is_out, given)
                        })
                        .collect();
                    if known.len() > MOST_GROUPS {
                        return Err(Error::value(
                            "strategies",
                            plans.len(),
                            "they treat customers in more than 65,536 different ways",
                            "compare fewer strategies that choose customers one by one at a time",
                        ));
                    }
                }
            }
        }
        let codes = parallel::collect(n, |i| keys[i] as u16);
        Ok((Groups::of(known, population.tiers, set, plans), codes))
    }

    fn of(known: Vec<(usize, bool, Vec<u8>)>, tiers: usize, set: &StrategySet, plans: &[Plan]) -> Groups {
        debug_assert_eq!(set.strategies.len(), plans.len());
        let mut levels: Vec<Vec<Option<Treatment>>> = vec![vec![None]; tiers];
        let mut slot = tiers;
        let groups = known
            .into_iter()
            .map(|(tier, _, given)| {
                let of_tier = &mut levels[tier];
                let mut own = vec![0];
                let of_strategy = given
                    .iter()
                    .zip(plans)
                    .map(|(&given, plan)| {
                        let treatment = usize::from(given).checked_sub(1).map(|k| plan.treatments[k]);
                        let level = place(of_tier, &treatment);
                        place(&mut own, &level)
                    })
                    .collect();
                let group = Group { tier, slot, of_strategy, levels: own };
                slot += if group.levels.len() > 1 { group.levels.len() } else { 0 };
                group
            })
            .collect();
        Groups { groups, levels, slots: slot }
    }

    /// The largest number of levels of a tier.
    pub fn width(&self) -> usize {
        self.levels.iter().map(Vec::len).max().unwrap_or(1)
    }
}

/// Where `item` is in `known`, to which it is added if need be.
fn place<T: PartialEq + Copy>(known: &mut Vec<T>, item: &T) -> usize {
    known.iter().position(|one| one == item).unwrap_or_else(|| {
        known.push(*item);
        known.len() - 1
    })
}

/// Packs the customers and finds what they share: their distinct (tier, x, T), (x, T) and (x, t_x).
pub(super) fn pack(population: &Population, groups: &[u16]) -> (Vec<Customer>, Distinct) {
    let n = population.frequency.len();
    let (frequency, tier) = (population.frequency, population.tier);
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
    let mut customers = parallel::collect(n, |i| Customer {
        hash: population.hash[i],
        // Spend whose refunds exceed it says nothing that a Gamma distribution can use: it counts as 0.
        mean_spend: population.monetary_value[i].max(0.0),
        spend_orders: population.spend_over.count(frequency[i]),
        frequency: frequency[i],
        recency_days: population.recency_days[i],
        t_days: population.t_days[i],
        cell: find(&keys, key(i)),
        last_pair: find(&pairs, pair(frequency[i], population.recency_days[i])),
        group: groups[i],
    });
    // Customers who share a history follow each other, so that what it says is looked up once; and sums are added up in an
    // order that goes by the customers alone, not by how their rows stand.
    let order = |c: &Customer| (c.cell, c.last_pair, c.hash, c.mean_spend.to_bits(), c.group);
    parallel::sort_by_key(&mut customers, order);
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
