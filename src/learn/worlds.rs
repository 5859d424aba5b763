//! Trials whose truth is known, for judging the estimators.

use super::trial::{Covariate, Trial};
use crate::error::Result;
use crate::random::{Purpose, Stream, hash_integer};
use crate::special::logistic;

/// What a treatment adds in each of the three tiers, on average.
pub const EFFECTS: [f64; 3] = [0.0, 0.6, 0.25];

/// Mean outcome without treatment in each tier.
const BASE: [f64; 3] = [3.0, 1.5, 1.0];

/// Probability of treatment in each tier, where nothing else decides.
const SHARES: [f64; 3] = [0.6, 0.5, 0.3];

/// Orders of [`World::Counts`] are so many times the outcomes of other worlds.
const ORDERS: f64 = 1.0 / 3.0;

/// E[max(z − 1, 0)] = φ(1) − Φ(−1) of a standard normal z.
const BEYOND_ONE: f64 = 0.083_315_470_587_686_3;

/// Rates of orders are spread as a Gamma distribution with this shape, beside what is known.
const SHAPE: f64 = 0.5;

/// How a trial is made, and what is wrong with what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// A lottery in each tier with known probabilities, outcomes that are linear in what is known.
    Lottery,
    /// The same, but the probabilities are not said.
    LotteryUnsaid,
    /// A lottery with probabilities that move with what is known, and are said; outcomes that bend: regressions are wrong.
    BentOutcome,
    /// The same, but the probabilities are not said: they are estimated by a model that is right.
    BentOutcomeUnsaid,
    /// As [`World::BentOutcome`] with outcomes that grow exponentially: under weights a few customers make most of the mean, and no interval
    /// from the variance of hundreds is wide enough.
    HeavyTails,
    /// The same probabilities, but a constant is said instead; outcomes are linear: the probabilities are wrong.
    WrongProbability,
    /// A lottery in which nothing has an effect.
    Null,
    /// A lottery with known probabilities; outcomes are orders, of which most customers have none, at rates that spread widely. What
    /// treatment multiplies is the rate: regressions are wrong.
    Counts,
}

impl World {
    /// The true effect in a tier.
    pub fn effect(self, tier: usize) -> f64 {
        match self {
            World::Null => 0.0,
            World::Counts => EFFECTS[tier] * ORDERS,
            _ => EFFECTS[tier],
        }
    }

    /// The true mean outcome of a customer of a tier without treatment.
    pub fn base(self, tier: usize) -> f64 {
        if self == World::Counts { BASE[tier] * ORDERS } else { BASE[tier] }
    }

    /// Whether everybody in a tier is as likely to be treated, as far as is known: what `by_lot` of [`effects`](super::effects) says.
    pub fn by_lot(self) -> bool {
        self != World::BentOutcomeUnsaid
    }

    /// The true mean outcome of a customer if every tier with `treated` were treated and the others not.
    pub fn value(self, treated: [bool; 3]) -> f64 {
        // Tiers are equally large; what bends outcomes has mean 0.
        (0..3).map(|tier| self.base(tier) + if treated[tier] { self.effect(tier) } else { 0.0 }).sum::<f64>()
            / 3.0
    }

    /// Trial `number` with so many customers.
    ///
    /// # Errors
    /// Those of [`Trial::checked`], for trials so small that an arm is empty.
    pub fn trial(self, seed: u64, number: u32, customers: u32) -> Result<Trial> {
        let mut trial = Trial {
            hash: Vec::new(),
            tier: Vec::new(),
            tiers: ["high", "mid", "low"].map(String::from).to_vec(),
            arm: Vec::new(),
            arms: vec!["none".into(), "call".into()],
            outcome: Vec::new(),
            probability: None,
            covariates: ["first", "second"]
                .map(|name| Covariate { name: name.into(), values: Vec::new() })
                .to_vec(),
        };
        let mut said = Vec::new();
        for i in 0..customers {
            let hash = hash_integer(u64::from(number) << 32 | u64::from(i));
            let mut stream = Stream::new(seed, hash, 0, Purpose::Synth);
            let tier = i as usize % 3;
            let (first, second) = (stream.normal(), stream.normal());
            let (probability, says) = match self {
                World::Lottery | World::LotteryUnsaid | World::Null | World::Counts => {
                    (SHARES[tier], SHARES[tier])
                }
                World::BentOutcome | World::BentOutcomeUnsaid | World::HeavyTails => {
                    let p = logistic(0.8 * first);
                    (p, p)
                }
                World::WrongProbability => (logistic(0.8 * first), 0.5),
            };
            let treated = stream.uniform() < probability;
            let known = (first, second);
            let outcome = match self {
                World::Counts => self.orders(tier, treated, known, &mut stream),
                _ => self.amount(tier, treated, known, &mut stream),
            };
            trial.hash.push(hash);
            trial.tier.push(tier as u8);
            trial.arm.push(u8::from(treated));
            trial.outcome.push(outcome);
            trial.covariates[0].values.push(first);
            trial.covariates[1].values.push(second);
            said.push(says);
        }
        let unsaid = matches!(self, World::LotteryUnsaid | World::BentOutcomeUnsaid);
        trial.probability = (!unsaid).then_some(said);
        trial.checked()
    }

    fn amount(self, tier: usize, treated: bool, (first, second): (f64, f64), stream: &mut Stream) -> f64 {
        let bent = match self {
            World::BentOutcome | World::BentOutcomeUnsaid => 3.0 * ((first - 1.0).max(0.0) - BEYOND_ONE),
            // E[e^(z − ½)] is 1.
            World::HeavyTails => 1.5 * ((first - 0.5).exp() - 1.0),
            _ => 0.0,
        };
        let noise = stream.exponential() - 1.0;
        let effect = if self == World::Null { 0.0 } else { EFFECTS[tier] + 0.3 * second };
        let outcome = BASE[tier] + 0.5 * first + 0.4 * second + bent + noise;
        outcome + if treated { effect } else { 0.0 }
    }

    fn orders(self, tier: usize, treated: bool, (first, second): (f64, f64), stream: &mut Stream) -> f64 {
        // E[e^(a·z + b·w − (a² + b²)/2)] is 1, and so is the mean of the Gamma distribution over its shape.
        let known = (0.5 * first + 0.3 * second - 0.17).exp();
        let mean = self.base(tier) + if treated { self.effect(tier) } else { 0.0 };
        let rate = mean * known * stream.gamma(SHAPE) / SHAPE;
        // Arrivals of a Poisson process in a time of 1.
        let (mut time, mut orders) = (stream.exponential() / rate, 0u32);
        while time < 1.0 {
            orders += 1;
            time += stream.exponential() / rate;
        }
        f64::from(orders)
    }
}
