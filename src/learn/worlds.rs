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

/// How a trial is made, and what is wrong with what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// A lottery in each tier with known probabilities, outcomes that are linear in what is known.
    Lottery,
    /// The same, but the probabilities are not said.
    LotteryUnsaid,
    /// A lottery with probabilities that move with what is known, and are said; outcomes that bend: regressions are wrong.
    BentOutcome,
    /// The same probabilities, but a constant is said instead; outcomes are linear: the probabilities are wrong.
    WrongProbability,
    /// A lottery in which nothing has an effect.
    Null,
}

impl World {
    /// The true effect in a tier.
    pub fn effect(self, tier: usize) -> f64 {
        if self == World::Null { 0.0 } else { EFFECTS[tier] }
    }

    /// The true mean outcome of a customer if every tier with `treated` were treated and the others not.
    pub fn value(self, treated: [bool; 3]) -> f64 {
        // Tiers are equally large; what bends outcomes has mean 0.
        (0..3).map(|tier| BASE[tier] + if treated[tier] { self.effect(tier) } else { 0.0 }).sum::<f64>() / 3.0
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
                World::Lottery | World::LotteryUnsaid | World::Null => (SHARES[tier], SHARES[tier]),
                World::BentOutcome => {
                    let p = logistic(0.8 * first);
                    (p, p)
                }
                World::WrongProbability => (logistic(0.8 * first), 0.5),
            };
            let treated = stream.uniform() < probability;
            // E[e^(z − ½)] is 1.
            let bent = if self == World::BentOutcome { (first - 0.5).exp() - 1.0 } else { 0.0 };
            let noise = stream.exponential() - 1.0;
            let effect = if self == World::Null { 0.0 } else { EFFECTS[tier] + 0.3 * second };
            let mut outcome = BASE[tier] + 0.5 * first + 0.4 * second + 1.5 * bent + noise;
            outcome += if treated { effect } else { 0.0 };
            trial.hash.push(hash);
            trial.tier.push(tier as u8);
            trial.arm.push(u8::from(treated));
            trial.outcome.push(outcome);
            trial.covariates[0].values.push(first);
            trial.covariates[1].values.push(second);
            said.push(says);
        }
        trial.probability = (self != World::LotteryUnsaid).then_some(said);
        trial.checked()
    }
}
