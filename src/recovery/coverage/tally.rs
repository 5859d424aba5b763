//! How often the intervals of many worlds held.

use std::collections::BTreeMap;

use super::{Group, Outcome, Quantity};
use crate::clv::{ModelName, Trust, Verdict};

/// Worlds in which a total was predicted, and how it came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    /// Worlds with customers in the group.
    pub worlds: u32,
    /// Those in which the interval held what happened.
    pub covered: u32,
    /// Those in which it happened exactly at an end: half of them is about what whole numbers add to the coverage.
    pub at_an_end: u32,
    /// Those in which less happened.
    pub below: u32,
}

impl Cell {
    /// The share of worlds covered; NaN without a world.
    pub fn coverage(&self) -> f64 {
        f64::from(self.covered) / f64::from(self.worlds)
    }

    /// The share covered with worlds at an end counted half: what the closed interval would cover without the atoms of
    /// small counts.
    pub fn without_atoms(&self) -> f64 {
        (f64::from(self.covered) - 0.5 * f64::from(self.at_an_end)) / f64::from(self.worlds)
    }

    /// The Monte Carlo error of [`Cell::coverage`].
    pub fn error(&self) -> f64 {
        let coverage = self.coverage();
        (coverage * (1.0 - coverage) / f64::from(self.worlds)).sqrt()
    }
}

/// Customers of many worlds with intervals of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Customers {
    /// How many.
    pub customers: u64,
    /// Whose orders, and whose spend, the interval held.
    pub covered: [u64; 2],
}

/// Many worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Worlds, with or without usable fits.
    pub worlds: u32,
    /// Worlds in which a fit was not usable: they are in no cell.
    pub without_fit: u32,
    /// Worlds in which a fit was usable without being a verified optimum: they are in every cell.
    pub not_verified: u32,
    /// Worlds with draws of either model that are not to be trusted: they are in every cell.
    pub poor: u32,
    /// Totals by group and quantity.
    pub cells: BTreeMap<(Group, Quantity), Cell>,
    /// Customers.
    pub customers: Customers,
}

impl Tally {
    /// Of the worlds with that model, or of all.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>, model: Option<ModelName>) -> Tally {
        let mut out = Tally::default();
        let chosen = |outcome: &&Outcome| model.is_none_or(|model| outcome.model == model);
        outcomes.into_iter().filter(chosen).for_each(|outcome| out.add(outcome));
        out
    }

    fn add(&mut self, outcome: &Outcome) {
        self.worlds += 1;
        let Some(trust) = outcome.trust else {
            self.without_fit += 1;
            return;
        };
        let verified = outcome.verdicts.iter().all(|verdict| *verdict == Verdict::VerifiedOptimum);
        self.not_verified += u32::from(!verified);
        self.poor += u32::from(trust.contains(&Trust::Poor));
        for held in outcome.totals.iter().filter(|held| held.customers > 0) {
            let cell = self.cells.entry((held.group, held.quantity)).or_default();
            let (lower, upper) = (held.interval.lower, held.interval.upper);
            cell.worlds += 1;
            cell.covered += u32::from(lower <= held.actual && held.actual <= upper);
            cell.at_an_end += u32::from(held.actual == lower || held.actual == upper);
            cell.below += u32::from(held.actual < lower);
        }
        self.customers.customers += outcome.customers;
        for (sum, covered) in self.customers.covered.iter_mut().zip(outcome.covered) {
            *sum += covered;
        }
    }
}
