//! What the models say in one world, tabulated so that the inner loop only looks it up.
//!
//! Expected purchases factor into a part that depends on (x, T) alone and P(alive); customers share few distinct
//! (x, T), so that part is computed once for each and the expectation of every customer under every
//! strategy costs one multiplication.

use super::expected::{Treated, if_alive, if_back};
use super::models::{AnyModel, Distinct};
use crate::calendar::Unit;
use crate::clv::{GammaGamma, PurchaseParameters};
use crate::random::GammaShape;

/// The models' parameters in one world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Purchases and dropout.
    pub purchases: PurchaseParameters,
    /// Money per purchase.
    pub spend: GammaGamma,
}

/// What a treatment does to the customers of a tier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Effect {
    /// Factor on the purchase rate.
    pub rate: f64,
    /// Factor on what an order is worth.
    pub spend: f64,
    /// Factor on the inclination to leave.
    pub dropout: f64,
    /// Probability that who has left comes back.
    pub back: f64,
}

impl Effect {
    /// No treatment.
    pub const NONE: Effect = Effect { rate: 1.0, spend: 1.0, dropout: 1.0, back: 0.0 };
}

/// The tables of one world.
pub(super) struct Tables {
    pub parameters: Parameters,
    pub model: AnyModel,
    pub spend: GammaGamma,
    /// The shape of an order's worth.
    pub order_shape: GammaShape,
    /// Effects by `tier * width + level`.
    effects: Vec<Effect>,
    width: usize,
    /// By tier: the largest factor on the purchase rate (no arrival after it can matter) and the largest probability of
    /// coming back.
    pub largest: Vec<(f64, f64)>,
    /// Expected purchases if alive by `(cell * width + level) * steps + step`.
    alive: Vec<f64>,
    /// By tier: expected purchases of who is back by `(pair * width + level) * steps + step`; empty where nobody is
    /// brought back, or where it does not go by the pair.
    back: Vec<Vec<f64>>,
    /// Ends of the steps within which expectations are wanted, in the models' unit.
    pub ends: Vec<f64>,
    pub unit: Unit,
}

impl Tables {
    /// `horizon` is in the models' unit; expectations are wanted within each of `steps` equal parts of it.
    pub fn new(
        parameters: Parameters,
        effects: Vec<Effect>,
        width: usize,
        distinct: &Distinct,
        horizon: f64,
        steps: usize,
    ) -> Tables {
        let Parameters { purchases, spend } = parameters;
        let ends = ends(horizon, steps);
        let treated = Treated { effects: &effects, width, ends: &ends };
        let alive = if_alive(&purchases, &distinct.cells, treated);
        let tiers = (effects.len() / width) as u8;
        let back = (0..tiers)
            .map(|tier| match treated.brings_back(tier) {
                true => if_back(&purchases, &distinct.pairs, tier, treated),
                false => Vec::new(),
            })
            .collect();
        let most = |of: &[Effect]| of.iter().fold((0.0, 0.0), |(r, b), e| (e.rate.max(r), e.back.max(b)));
        let largest = effects.chunks(width).map(most).collect();
        let model = AnyModel::new(&purchases, distinct);
        let order_shape = GammaShape::new(spend.p);
        Tables {
            parameters,
            order_shape,
            model,
            spend,
            largest,
            alive,
            back,
            effects,
            width,
            ends,
            unit: purchases.unit(),
        }
    }

    /// Expected purchases of a cell's customers who are alive, by `level * steps + step`.
    #[inline]
    pub fn alive(&self, cell: u32) -> &[f64] {
        let entries = self.width * self.ends.len();
        &self.alive[cell as usize * entries..][..entries]
    }

    /// The same of those of a tier who are back, by the pair of their last purchase; `None` where it does not go by that.
    pub fn back(&self, tier: usize, pair: u32) -> Option<&[f64]> {
        let entries = self.width * self.ends.len();
        self.back[tier].get(pair as usize * entries..)?.get(..entries)
    }

    /// Effects of a tier, by level.
    #[inline]
    pub fn effects(&self, tier: usize) -> &[Effect] {
        &self.effects[tier * self.width..][..self.width]
    }
}

/// The ends of `steps` equal parts of a horizon.
pub(super) fn ends(horizon: f64, steps: usize) -> Vec<f64> {
    (1..=steps).map(|j| horizon * (j as f64 / steps as f64)).collect()
}
