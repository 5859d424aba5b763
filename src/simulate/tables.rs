//! What the models say in one replication, tabulated so that the inner loop only looks it up.
//!
//! Expected purchases factor into a part that depends on (x, T) alone and P(alive); customers share few distinct
//! (x, T), so that part is computed once for each and the expectation of every customer under every
//! strategy costs one multiplication.

use crate::calendar::Unit;
use crate::clv::{BgNbd, GammaGamma};

/// The models' parameters in one replication.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Purchases and dropout.
    pub purchases: BgNbd,
    /// Money per purchase.
    pub spend: GammaGamma,
}

/// What a strategy does to a tier: the factors on purchase rate and on spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Effect {
    pub rate: f64,
    pub spend: f64,
}

/// A distinct (x, T, tier).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub frequency: u32,
    pub t_days: u32,
    pub tier: u8,
}

/// The tables of one replication.
pub(super) struct Tables {
    pub parameters: Parameters,
    /// Effects by `tier * levels + level`.
    pub effects: Vec<Effect>,
    /// The largest rate factor of each tier: no arrival after it can matter.
    pub largest_rate: Vec<f64>,
    /// ln(alpha + d days), by d.
    log_alpha: Vec<f64>,
    /// ln(a/(b + x − 1)), by x (x ≥ 1).
    log_dropout_odds: Vec<f64>,
    /// Expected purchases if alive by `cell * levels + level`.
    expected: Vec<f64>,
    levels: usize,
    pub unit: Unit,
}

impl Tables {
    /// `largest` are the largest frequency and T that will be asked for.
    pub fn new(
        parameters: Parameters,
        effects: Vec<Effect>,
        levels: usize,
        cells: &[Cell],
        largest: (u32, u32),
        horizon: f64,
    ) -> Tables {
        let BgNbd { alpha, a, b, unit, .. } = parameters.purchases;
        let log_alpha = (0..=largest.1).map(|d| (alpha + unit.of_days(d)).ln()).collect();
        let log_dropout_odds = (0..=largest.0).map(|x| (a / (b + f64::from(x) - 1.0)).ln()).collect();
        let mut expected = vec![0.0; cells.len() * levels];
        // In BG/NBD dropout follows purchases, so a rate lifted by c over t is the same as c·t of time.
        let horizons: Vec<f64> = effects.iter().map(|effect| horizon * effect.rate).collect();
        // Cells are ordered by tier and x, so that those of one x follow each other.
        let mut of_x = (0, parameters.purchases.expectations_if_alive(0));
        for (cell, out) in cells.iter().zip(expected.chunks_mut(levels)) {
            if of_x.0 != cell.frequency {
                of_x = (cell.frequency, parameters.purchases.expectations_if_alive(cell.frequency));
            }
            let horizons = &horizons[usize::from(cell.tier) * levels..][..levels];
            of_x.1.at(unit.of_days(cell.t_days), horizons, out);
        }
        let largest_rate =
            effects.chunks(levels).map(|e| e.iter().map(|e| e.rate).fold(0.0, f64::max)).collect();
        Tables { parameters, effects, largest_rate, log_alpha, log_dropout_odds, expected, levels, unit }
    }

    /// P(alive) = 1/(1 + a/(b + x − 1)·((alpha + T)/(alpha + t_x))^(r + x)); 1 without a repeat purchase.
    #[inline]
    pub fn p_alive(&self, x: u32, recency_days: u32, t_days: u32) -> f64 {
        if x == 0 {
            return 1.0;
        }
        let ratio = self.log_alpha[t_days as usize] - self.log_alpha[recency_days as usize];
        let log_odds =
            self.log_dropout_odds[x as usize] + (self.parameters.purchases.r + f64::from(x)) * ratio;
        1.0 / (1.0 + log_odds.exp())
    }

    /// Expected purchases of a cell's customers who are alive, by level.
    #[inline]
    pub fn expected(&self, cell: u32) -> &[f64] {
        &self.expected[cell as usize * self.levels..][..self.levels]
    }

    /// Effects of a tier, by level.
    #[inline]
    pub fn effects(&self, tier: u8) -> &[Effect] {
        &self.effects[usize::from(tier) * self.levels..][..self.levels]
    }
}
