//! What each purchase model says of a customer's future in one replication, tabulated where customers share it.
//!
//! The inner loop is compiled once for each type here. BG/NBD and MBG/NBD differ in a number; NBD is without dropout.

use super::futures::Customer;
use crate::calendar::Unit;
use crate::clv::{
    BgNbd, ExpectationsIfAlive, MbgNbd, Nbd, ParetoNbd, PurchaseModel, PurchaseParameters, latent,
};
use crate::random::Stream;

/// A distinct (x, T, tier).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub frequency: u32,
    pub t_days: u32,
    pub tier: u8,
    /// Index of its (x, T) among the [`Distinct::pairs`].
    pub pair: u32,
}

/// What customers share: the same in all replications.
#[derive(Debug, Clone, Default)]
pub(super) struct Distinct {
    /// Distinct (tier, x, T), ascending.
    pub cells: Vec<Cell>,
    /// Distinct (x, days), ascending, where the days are T or t_x.
    pub pairs: Vec<(u32, u32)>,
    /// The largest x and T.
    pub largest: (u32, u32),
}

/// When a customer who is alive leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leaves {
    /// How much of the horizon it is there for at most, in the models' unit. No treatment changes it.
    pub exposure: f64,
    /// After which further purchase (1, 2, …).
    pub after: u32,
}

/// A purchase model in one replication.
pub(super) trait Model: Sync {
    /// P(alive) at T.
    fn p_alive(&self, customer: &Customer) -> f64;

    /// Draws the purchase rate of a customer who is alive.
    fn rate(&self, stream: &mut Stream, x: f64, t: f64) -> f64;

    /// Draws when it leaves; always the same number of random numbers for a customer and replication.
    fn leaves(&self, stream: &mut Stream, x: f64, t: f64, horizon: f64) -> Leaves;
}

/// The model of one replication, by type.
pub(super) enum AnyModel {
    BetaGeometric(BetaGeometric),
    Pareto(Pareto),
    Nbd(Nbd),
}

/// Runs an expression with the model inside, compiled for its type.
macro_rules! with_model {
    ($any:expr, $model:ident => $body:expr) => {
        match $any {
            $crate::simulate::models::AnyModel::BetaGeometric($model) => $body,
            $crate::simulate::models::AnyModel::Pareto($model) => $body,
            $crate::simulate::models::AnyModel::Nbd($model) => $body,
        }
    };
}

pub(super) use with_model;

impl AnyModel {
    /// The model with its tables.
    pub fn new(params: &PurchaseParameters, distinct: &Distinct) -> AnyModel {
        match *params {
            PurchaseParameters::BgNbd(BgNbd { r, alpha, a, b, unit }) => {
                AnyModel::BetaGeometric(BetaGeometric::new([r, alpha, a, b], 0, unit, distinct.largest))
            }
            PurchaseParameters::MbgNbd(MbgNbd { r, alpha, a, b, unit }) => {
                AnyModel::BetaGeometric(BetaGeometric::new([r, alpha, a, b], 1, unit, distinct.largest))
            }
            PurchaseParameters::ParetoNbd(params) => AnyModel::Pareto(Pareto::new(params, distinct)),
            PurchaseParameters::Nbd(params) => AnyModel::Nbd(params),
        }
    }
}

/// Expected purchases of the customers of each cell who are alive, by `cell * levels + level`; the factors on the purchase
/// rate are given by `tier * levels + level`.
///
/// In BG/NBD and MBG/NBD dropout follows purchases, so a rate lifted by c over t is the same as c·t of time. In Pareto/NBD
/// and NBD it does not: the expectation is lifted by c.
pub(super) fn expected_if_alive(
    params: &PurchaseParameters,
    cells: &[Cell],
    factors: &[f64],
    levels: usize,
    horizon: f64,
) -> Vec<f64> {
    match params {
        PurchaseParameters::BgNbd(params) => {
            by_horizon(|x| params.expectations_if_alive(x), params.unit, cells, factors, levels, horizon)
        }
        PurchaseParameters::MbgNbd(params) => {
            by_horizon(|x| params.expectations_if_alive(x), params.unit, cells, factors, levels, horizon)
        }
        PurchaseParameters::ParetoNbd(params) => by_factor(params, cells, factors, levels, horizon),
        PurchaseParameters::Nbd(params) => by_factor(params, cells, factors, levels, horizon),
    }
}

fn by_horizon(
    expectations: impl Fn(u32) -> ExpectationsIfAlive,
    unit: Unit,
    cells: &[Cell],
    factors: &[f64],
    levels: usize,
    horizon: f64,
) -> Vec<f64> {
    let mut expected = vec![0.0; cells.len() * levels];
    let horizons: Vec<f64> = factors.iter().map(|factor| horizon * factor).collect();
    // Cells are ordered by tier and x, so that those of one x follow each other.
    let mut of_x = (0, expectations(0));
    for (cell, out) in cells.iter().zip(expected.chunks_mut(levels)) {
        if of_x.0 != cell.frequency {
            of_x = (cell.frequency, expectations(cell.frequency));
        }
        let horizons = &horizons[usize::from(cell.tier) * levels..][..levels];
        of_x.1.at(unit.of_days(cell.t_days), horizons, out);
    }
    expected
}

fn by_factor(
    model: &impl PurchaseModel,
    cells: &[Cell],
    factors: &[f64],
    levels: usize,
    horizon: f64,
) -> Vec<f64> {
    let unit = model.time_unit();
    let of_cell = |cell: &Cell| {
        let once = model.expected_if_alive(cell.frequency, unit.of_days(cell.t_days), horizon);
        factors[usize::from(cell.tier) * levels..][..levels].iter().map(move |factor| factor * once)
    };
    cells.iter().flat_map(of_cell).collect()
}

/// BG/NBD or MBG/NBD.
pub(super) struct BetaGeometric {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
    /// Chances to leave in a history without a repeat purchase: 0 in BG/NBD, 1 in MBG/NBD.
    at_first: u32,
    /// ln(alpha + d days), by d.
    log_alpha: Vec<f64>,
    /// ln(a/(b + k − 1)), by chances to leave k ≥ 1.
    log_dropout_odds: Vec<f64>,
}

impl BetaGeometric {
    fn new(params: [f64; 4], at_first: u32, unit: Unit, largest: (u32, u32)) -> BetaGeometric {
        let [r, alpha, a, b] = params;
        let log_alpha = (0..=largest.1).map(|d| (alpha + unit.of_days(d)).ln()).collect();
        let odds = |k: u32| (a / (b + f64::from(k) - 1.0)).ln();
        let log_dropout_odds = (0..=largest.0 + at_first).map(odds).collect();
        BetaGeometric { r, alpha, a, b, at_first, log_alpha, log_dropout_odds }
    }
}

impl Model for BetaGeometric {
    /// 1/(1 + a/(b + k − 1)·((alpha + T)/(alpha + t_x))^(r + x)); 1 before the first chance to leave.
    #[inline]
    fn p_alive(&self, customer: &Customer) -> f64 {
        let chances = customer.frequency + self.at_first;
        if chances == 0 {
            return 1.0;
        }
        let ratio = self.log_alpha[customer.t_days as usize] - self.log_alpha[customer.recency_days as usize];
        let log_odds =
            self.log_dropout_odds[chances as usize] + (self.r + f64::from(customer.frequency)) * ratio;
        1.0 / (1.0 + log_odds.exp())
    }

    #[inline]
    fn rate(&self, stream: &mut Stream, x: f64, t: f64) -> f64 {
        latent::purchase_rate(stream, self.r, self.alpha, x, t)
    }

    #[inline]
    fn leaves(&self, stream: &mut Stream, x: f64, _t: f64, horizon: f64) -> Leaves {
        let chances = x + f64::from(self.at_first);
        let after = latent::purchases_until_dropout(stream, self.a, self.b, chances);
        Leaves { exposure: horizon, after }
    }
}

/// Pareto/NBD.
pub(super) struct Pareto {
    params: ParetoNbd,
    /// (alpha + d)^−(r + x)·(beta + d)^−s falls from t_x to T by e to a power that is made of these, by day d:
    /// ln(alpha + d days) and ln(beta + d days).
    logs: Vec<(f64, f64)>,
    /// By (x, days): the probability of leaving before the next purchase.
    leaves_first: Vec<f64>,
    /// By cell: the pair of its (x, T).
    pair_of: Vec<u32>,
}

impl Pareto {
    fn new(params: ParetoNbd, distinct: &Distinct) -> Pareto {
        let unit = params.unit;
        let logs = (0..=distinct.largest.1)
            .map(|d| ((params.alpha + unit.of_days(d)).ln(), (params.beta + unit.of_days(d)).ln()))
            .collect();
        let leaves_first =
            distinct.pairs.iter().map(|&(x, days)| params.leaves_first(x, unit.of_days(days))).collect();
        let pair_of = distinct.cells.iter().map(|cell| cell.pair).collect();
        Pareto { params, logs, leaves_first, pair_of }
    }
}

impl Model for Pareto {
    /// 1/(e^fall·Q(t_x) + 1 − Q(T)) with Q the probability of leaving before the next purchase: both terms are positive,
    /// and each belongs to two of the three statistics.
    #[inline]
    fn p_alive(&self, customer: &Customer) -> f64 {
        let (last, now) = (self.logs[customer.recency_days as usize], self.logs[customer.t_days as usize]);
        let n = self.params.r + f64::from(customer.frequency);
        let fall = n * (now.0 - last.0) + self.params.s * (now.1 - last.1);
        let at_last = self.leaves_first[customer.last_pair as usize];
        let at_end = self.leaves_first[self.pair_of[customer.cell as usize] as usize];
        // Rounding must not make more than certainty of it.
        (1.0 / (fall.exp() * at_last + (1.0 - at_end))).min(1.0)
    }

    #[inline]
    fn rate(&self, stream: &mut Stream, x: f64, t: f64) -> f64 {
        latent::purchase_rate(stream, self.params.r, self.params.alpha, x, t)
    }

    /// The dropout rate is gamma(s, beta + T), and the customer leaves after a time that goes by it alone.
    #[inline]
    fn leaves(&self, stream: &mut Stream, _x: f64, t: f64, horizon: f64) -> Leaves {
        let rate = stream.gamma(self.params.s) / (self.params.beta + t);
        Leaves { exposure: horizon.min(stream.exponential() / rate), after: u32::MAX }
    }
}

impl Model for Nbd {
    #[inline]
    fn p_alive(&self, _customer: &Customer) -> f64 {
        1.0
    }

    #[inline]
    fn rate(&self, stream: &mut Stream, x: f64, t: f64) -> f64 {
        latent::purchase_rate(stream, self.r, self.alpha, x, t)
    }

    #[inline]
    fn leaves(&self, _stream: &mut Stream, _x: f64, _t: f64, horizon: f64) -> Leaves {
        Leaves { exposure: horizon, after: u32::MAX }
    }
}
