//! What each purchase model says of a customer's future in one replication, tabulated where customers share it.
//!
//! The inner loop is compiled once for each type here. BG/NBD and MBG/NBD differ in a number; NBD is without dropout.

use super::futures::Customer;
use crate::calendar::Unit;
use crate::clv::{BgNbd, Dropout, MbgNbd, Nbd, ParetoNbd, PurchaseParameters, latent};
use crate::random::{GammaShape, Stream, Ziggurat};

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

/// When a customer leaves, before any treatment changes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leaving {
    /// After how much time, in the models' unit; infinite where it goes by purchases.
    time: f64,
    /// ln U/ln(1 − p): after purchase number 1 + its whole part; infinite where it goes by time.
    purchases: f64,
}

impl Leaving {
    const NEVER: Leaving = Leaving { time: f64::INFINITY, purchases: f64::INFINITY };

    /// How much of the horizon it is there for at most where its inclination to leave is `factor` times its own.
    #[inline]
    pub fn exposure(&self, factor: f64, horizon: f64) -> f64 {
        horizon.min(self.time / factor)
    }

    /// After which further purchase (1, 2, …) it leaves.
    #[inline]
    pub fn after(&self, factor: f64) -> u32 {
        // Saturates where nobody leaves.
        (self.purchases / factor).min(f64::from(u32::MAX - 1)) as u32 + 1
    }
}

/// A purchase model in one replication.
pub(super) trait Model: Sync {
    /// P(alive) at T.
    fn p_alive(&self, customer: &Customer) -> f64;

    /// The probability that a new customer is still there after its first purchase.
    fn begins_alive(&self) -> f64 {
        1.0
    }

    /// The shape of the purchase rate of a customer with `x` repeat purchases.
    fn rate_shape(&self, x: f64) -> GammaShape;

    /// What that is divided by where the customer is alive at `t`.
    fn rate_scale(&self, t: f64) -> f64;

    /// Draws the purchase rate of a customer who is alive.
    #[inline]
    fn rate(&self, stream: &mut Stream, x: f64, t: f64) -> f64 {
        stream.gamma_of(&self.rate_shape(x)) / self.rate_scale(t)
    }

    /// Draws when it leaves; always the same number of random numbers for a customer and replication.
    fn leaving(&self, stream: &mut Stream, ziggurat: &Ziggurat, x: f64, t: f64) -> Leaving;

    /// Draws the purchase rate of a customer who has left, and when it leaves again once it is back.
    fn back(&self, stream: &mut Stream, customer: &Customer) -> (f64, Leaving);
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

/// BG/NBD or MBG/NBD.
pub(super) struct BetaGeometric {
    r: f64,
    alpha: f64,
    a: f64,
    b: f64,
    unit: Unit,
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
        let odds = |k: u32| (a / (b + (f64::from(k) - 1.0))).ln();
        let log_dropout_odds = (0..=largest.0 + at_first).map(odds).collect();
        BetaGeometric { r, alpha, a, b, unit, at_first, log_alpha, log_dropout_odds }
    }
}

impl Model for BetaGeometric {
    fn begins_alive(&self) -> f64 {
        if self.at_first == 0 { 1.0 } else { self.b / (self.a + self.b) }
    }

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
    fn rate_shape(&self, x: f64) -> GammaShape {
        GammaShape::new(self.r + x)
    }

    #[inline]
    fn rate_scale(&self, t: f64) -> f64 {
        self.alpha + t
    }

    #[inline]
    fn leaving(&self, stream: &mut Stream, _: &Ziggurat, x: f64, _t: f64) -> Leaving {
        let chances = x + f64::from(self.at_first);
        Leaving { time: f64::INFINITY, purchases: latent::dropout_quotient(stream, self.a, self.b + chances) }
    }

    fn back(&self, stream: &mut Stream, customer: &Customer) -> (f64, Leaving) {
        let x = f64::from(customer.frequency);
        let rate =
            latent::purchase_rate(stream, self.r, self.alpha, x, self.unit.of_days(customer.recency_days));
        // In this order, so that a tiny b survives the first chance.
        let before = self.b + (x + f64::from(self.at_first) - 1.0);
        let purchases = latent::dropout_quotient(stream, self.a + 1.0, before);
        (rate, Leaving { time: f64::INFINITY, purchases })
    }
}

/// Pareto/NBD.
pub(super) struct Pareto {
    params: ParetoNbd,
    /// Of the rate of dropout.
    dropout_shape: GammaShape,
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
        Pareto { dropout_shape: GammaShape::new(params.s), params, logs, leaves_first, pair_of }
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
    fn rate_shape(&self, x: f64) -> GammaShape {
        GammaShape::new(self.params.r + x)
    }

    #[inline]
    fn rate_scale(&self, t: f64) -> f64 {
        self.params.alpha + t
    }

    /// The dropout rate is gamma(s, beta + T), and the customer leaves after a time that goes by it alone.
    #[inline]
    fn leaving(&self, stream: &mut Stream, ziggurat: &Ziggurat, _x: f64, t: f64) -> Leaving {
        let rate = ziggurat.gamma(stream, &self.dropout_shape);
        let time = ziggurat.exponential(stream) * (self.params.beta + t) / rate;
        Leaving { time, purchases: f64::INFINITY }
    }

    fn back(&self, stream: &mut Stream, customer: &Customer) -> (f64, Leaving) {
        let unit = self.params.unit;
        let (t_x, t) = (unit.of_days(customer.recency_days), unit.of_days(customer.t_days));
        let latent = self.params.draw_left(stream, customer.frequency, t_x, t);
        let time = match latent.dropout {
            Dropout::AtRate(rate) => stream.exponential() / rate,
            _ => f64::INFINITY,
        };
        (latent.rate, Leaving { time, purchases: f64::INFINITY })
    }
}

impl Model for Nbd {
    #[inline]
    fn p_alive(&self, _customer: &Customer) -> f64 {
        1.0
    }

    #[inline]
    fn rate_shape(&self, x: f64) -> GammaShape {
        GammaShape::new(self.r + x)
    }

    #[inline]
    fn rate_scale(&self, t: f64) -> f64 {
        self.alpha + t
    }

    #[inline]
    fn leaving(&self, _: &mut Stream, _: &Ziggurat, _x: f64, _t: f64) -> Leaving {
        Leaving::NEVER
    }

    /// Nobody leaves, so nobody comes back.
    fn back(&self, stream: &mut Stream, customer: &Customer) -> (f64, Leaving) {
        let t = self.unit.of_days(customer.t_days);
        (self.rate(stream, f64::from(customer.frequency), t), Leaving::NEVER)
    }
}
