//! What the models say in one replication, tabulated so that the inner loop only looks it up.
//!
//! Expected purchases factor into a part that depends on (x, T) alone and P(alive); customers share few distinct
//! (x, T), so that part is computed once for each and the expectation of every customer under every
//! strategy costs one multiplication.

use super::models::{AnyModel, Distinct, expected_if_alive};
use crate::calendar::Unit;
use crate::clv::{GammaGamma, PurchaseParameters};

/// The models' parameters in one replication.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Purchases and dropout.
    pub purchases: PurchaseParameters,
    /// Money per purchase.
    pub spend: GammaGamma,
}

/// What a strategy does to a tier: the factors on purchase rate and on spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Effect {
    pub rate: f64,
    pub spend: f64,
}

/// The tables of one replication.
pub(super) struct Tables {
    pub model: AnyModel,
    pub spend: GammaGamma,
    /// Effects by `tier * levels + level`.
    pub effects: Vec<Effect>,
    /// The largest rate factor of each tier: no arrival after it can matter.
    pub largest_rate: Vec<f64>,
    /// Expected purchases if alive by `cell * levels + level`.
    expected: Vec<f64>,
    levels: usize,
    pub unit: Unit,
}

impl Tables {
    /// `horizon` is in the models' unit.
    pub fn new(
        parameters: Parameters,
        effects: Vec<Effect>,
        levels: usize,
        distinct: &Distinct,
        horizon: f64,
    ) -> Tables {
        let Parameters { purchases, spend } = parameters;
        let factors: Vec<f64> = effects.iter().map(|effect| effect.rate).collect();
        let expected = expected_if_alive(&purchases, &distinct.cells, &factors, levels, horizon);
        let largest_rate = factors.chunks(levels).map(|of| of.iter().copied().fold(0.0, f64::max)).collect();
        let model = AnyModel::new(&purchases, distinct);
        Tables { model, spend, effects, largest_rate, expected, levels, unit: purchases.unit() }
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
