//! Expected purchases of customers who share a history, under every treatment of their tier.
//!
//! In BG/NBD and MBG/NBD dropout follows purchases, so a rate lifted by c over t is the same as c·t of time. In Pareto/NBD
//! and NBD it does not: the expectation is lifted by c.

use std::ops::Range;

use super::models::Cell;
use super::tables::Effect;
use crate::calendar::Unit;
use crate::clv::{ExpectationsIfAlive, ParetoNbd, PurchaseModel, PurchaseParameters};
use crate::parallel;

/// Effects on the tiers, and the times to which purchases are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Treated<'a> {
    /// By `tier * width + level`.
    pub effects: &'a [Effect],
    /// The largest number of levels of a tier.
    pub width: usize,
    /// Ends of the steps of the horizon, ascending, in the models' unit.
    pub ends: &'a [f64],
}

impl Treated<'_> {
    fn of(&self, tier: u8) -> &[Effect] {
        &self.effects[usize::from(tier) * self.width..][..self.width]
    }

    /// Whether any level of a tier brings customers back.
    pub fn brings_back(&self, tier: u8) -> bool {
        self.of(tier).iter().any(|effect| effect.back > 0.0)
    }

    fn entries(&self) -> usize {
        self.width * self.ends.len()
    }
}

/// Cells that are computed together.
const CELLS: usize = 512;

/// Expected purchases within each step of the customers of each cell who are alive, by `(cell * width + level) * steps +
/// step`.
pub(super) fn if_alive(params: &PurchaseParameters, cells: &[Cell], treated: Treated) -> Vec<f64> {
    let parts = parallel::map_chunks(cells.len(), CELLS, |rows| match params {
        PurchaseParameters::BgNbd(params) => {
            by_horizon(|x, power| params.expectations_with(x, power), params.unit, &cells[rows], treated)
        }
        PurchaseParameters::MbgNbd(params) => {
            by_horizon(|x, power| params.expectations_with(x, power), params.unit, &cells[rows], treated)
        }
        PurchaseParameters::ParetoNbd(params) => {
            let unit = params.unit;
            by_factor(&cells[rows], treated, |cell, leaving, end| {
                params.expected_if_alive_with(cell.frequency, unit.of_days(cell.t_days), end, leaving)
            })
        }
        PurchaseParameters::Nbd(params) => by_factor(&cells[rows], treated, |cell, _, end| {
            params.expected_if_alive(cell.frequency, params.unit.of_days(cell.t_days), end)
        }),
    });
    parts.concat()
}

/// Expected purchases within each step of those of one tier who have left at t_x and are back, by `(pair * width + level) *
/// steps + step` with the pairs (x, t_x); empty for models in which they leave at other moments, or never, and 0 for who had
/// no chance to leave.
pub(super) fn if_back(
    params: &PurchaseParameters,
    pairs: &[(u32, u32)],
    tier: u8,
    treated: Treated,
) -> Vec<f64> {
    let cells = |rows: Range<usize>| -> Vec<Cell> {
        let cell = |&(frequency, t_days): &(u32, u32)| Cell { tier, frequency, t_days, pair: 0 };
        pairs[rows].iter().map(cell).collect()
    };
    let parts = parallel::map_chunks(pairs.len(), CELLS, |rows| match params {
        PurchaseParameters::BgNbd(params) => {
            let cells = cells(rows);
            let never = cells.iter().take_while(|cell| cell.frequency == 0).count();
            let mut out = vec![0.0; never * treated.entries()];
            out.extend(by_horizon(
                |x, power| params.expectations_if_back(x, power),
                params.unit,
                &cells[never..],
                treated,
            ));
            out
        }
        PurchaseParameters::MbgNbd(params) => {
            by_horizon(|x, power| params.expectations_if_back(x, power), params.unit, &cells(rows), treated)
        }
        PurchaseParameters::ParetoNbd(_) | PurchaseParameters::Nbd(_) => Vec::new(),
    });
    parts.concat()
}

fn by_horizon(
    expectations: impl Fn(u32, f64) -> ExpectationsIfAlive,
    unit: Unit,
    cells: &[Cell],
    treated: Treated,
) -> Vec<f64> {
    let steps = treated.ends.len();
    let mut expected = vec![0.0; cells.len() * treated.entries()];
    // Cells are ordered by tier and x, so that those of one x follow each other: what goes by (tier, x) is made once.
    let mut of = None;
    let (mut horizons, mut found) = (Vec::new(), Vec::new());
    for (cell, out) in cells.iter().zip(expected.chunks_mut(treated.entries())) {
        let effects = treated.of(cell.tier);
        if of.as_ref().is_none_or(|(tier, x, _)| (*tier, *x) != (cell.tier, cell.frequency)) {
            of = Some((
                cell.tier,
                cell.frequency,
                by_power(effects, |power| expectations(cell.frequency, power)),
            ));
        }
        let Some((_, _, tables)) = &mut of else { continue };
        for (levels, table) in tables {
            horizons.clear();
            for &level in levels.iter() {
                horizons.extend(treated.ends.iter().map(|end| end * effects[level].rate));
            }
            found.resize(horizons.len(), 0.0);
            table.at(unit.of_days(cell.t_days), &horizons, &mut found);
            for (&level, found) in levels.iter().zip(found.chunks(steps)) {
                into_steps(found, &mut out[level * steps..][..steps]);
            }
        }
    }
    expected
}

/// The levels that change dropout alike, with their table.
fn by_power(
    effects: &[Effect],
    table: impl Fn(f64) -> ExpectationsIfAlive,
) -> Vec<(Vec<usize>, ExpectationsIfAlive)> {
    let mut out: Vec<(f64, Vec<usize>)> = Vec::new();
    for (level, effect) in effects.iter().enumerate() {
        match out.iter_mut().find(|(power, _)| *power == effect.dropout) {
            Some((_, levels)) => levels.push(level),
            None => out.push((effect.dropout, vec![level])),
        }
    }
    out.into_iter().map(|(power, levels)| (levels, table(power))).collect()
}

fn by_factor(cells: &[Cell], treated: Treated, once: impl Fn(&Cell, f64, f64) -> f64) -> Vec<f64> {
    let steps = treated.ends.len();
    let mut expected = vec![0.0; cells.len() * treated.entries()];
    let mut known: Vec<(f64, Vec<f64>)> = Vec::new();
    for (cell, out) in cells.iter().zip(expected.chunks_mut(treated.entries())) {
        known.clear();
        for (effect, out) in treated.of(cell.tier).iter().zip(out.chunks_mut(steps)) {
            let place =
                known.iter().position(|(leaving, _)| *leaving == effect.dropout).unwrap_or_else(|| {
                    let mut of = vec![0.0; steps];
                    let ends: Vec<f64> =
                        treated.ends.iter().map(|&end| once(cell, effect.dropout, end)).collect();
                    into_steps(&ends, &mut of);
                    known.push((effect.dropout, of));
                    known.len() - 1
                });
            for (out, once) in out.iter_mut().zip(&known[place].1) {
                *out = effect.rate * once;
            }
        }
    }
    expected
}

/// From what comes up to the end of each step to what comes within it.
fn into_steps(ends: &[f64], out: &mut [f64]) {
    let mut before = 0.0;
    for (out, &end) in out.iter_mut().zip(ends) {
        *out = end - before;
        before = end;
    }
}

/// Expected purchases of a Pareto/NBD customer who has left and is back, by `level * steps + step`.
pub(super) fn pareto_if_back(
    params: &ParetoNbd,
    (x, t_x, t): (u32, f64, f64),
    effects: &[Effect],
    ends: &[f64],
    out: &mut [f64],
) {
    let mut found = vec![0.0; ends.len()];
    for (effect, out) in effects.iter().zip(out.chunks_mut(ends.len())) {
        out.fill(0.0);
        if effect.back > 0.0 {
            params.expected_if_back((x, t_x, t), ends, effect.dropout, &mut found);
            into_steps(&found, out);
            out.iter_mut().for_each(|out| *out *= effect.rate);
        }
    }
}
