//! The same lifts on two halves of the customers: what one half has chosen can be judged by the other, which did not choose it.

use serde::Serialize;

use super::effect::{Effect, Lift, effects};
use super::shrink::{Shrunk, shrink};
use super::trial::Trial;
use crate::random::{Purpose, Stream};

/// What a half of the customers says of an action in a tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HalfLift {
    /// Its treated customers.
    pub treated: u64,
    /// Its customers of the control group.
    pub untreated: u64,
    /// The doubly robust lift; none where the half has too few customers.
    pub lift: Option<Lift>,
    /// The same drawn towards the lifts of the other tiers in this half.
    pub shrunk: Option<Shrunk>,
}

/// An action's lift in a tier on both halves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Halved {
    /// The action.
    pub action: String,
    /// The tier.
    pub tier: String,
    /// The halves.
    pub halves: [HalfLift; 2],
}

/// Places of a trial's customers in two halves, disjoint and together everybody.
///
/// Of each arm in each tier half go into each, by lot: by a random number keyed by the seed and the customer's id, so that neither the
/// order of rows nor who else is in the trial's other tiers and arms has a say.
pub fn split(trial: &Trial, seed: u64) -> [Vec<usize>; 2] {
    let mut lots: Vec<(u8, u8, u64, u64, usize)> = (0..trial.customers())
        .map(|i| {
            let hash = trial.hash[i];
            (trial.tier[i], trial.arm[i], Stream::new(seed, hash, 0, Purpose::Halves).bits(), hash, i)
        })
        .collect();
    lots.sort_unstable();
    let mut halves = [Vec::new(), Vec::new()];
    for cell in lots.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        // Who is left over where they are odd must not always be the first half's.
        let first = (cell[0].2 & 1) as usize;
        for (rank, &(.., i)) in cell.iter().enumerate() {
            halves[(first + rank) % 2].push(i);
        }
    }
    halves.iter_mut().for_each(|half| half.sort_unstable());
    halves
}

/// Every action's lift in every tier on both halves, each as [`effects`] and [`shrink`] estimate it on that half alone.
pub fn halved(trial: &Trial, seed: u64, by_lot: bool) -> Vec<Halved> {
    let found = split(trial, seed).map(|half| {
        let effects = effects(&trial.only(&half), by_lot);
        let shrunk = shrink(&effects);
        (effects, shrunk)
    });
    let of_half = |k: usize, effect: &Effect| {
        let shrunk = found[k].1.iter().find(|s| s.action == effect.action && s.tier == effect.tier);
        HalfLift {
            treated: effect.treated,
            untreated: effect.untreated,
            lift: effect.lift,
            shrunk: shrunk.cloned(),
        }
    };
    found[0]
        .0
        .iter()
        .zip(&found[1].0)
        .map(|(first, second)| Halved {
            action: first.action.clone(),
            tier: first.tier.clone(),
            halves: [of_half(0, first), of_half(1, second)],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::worlds::World;
    use super::*;

    #[test]
    fn halves_are_disjoint_and_know_nothing_of_rows() {
        let trial = World::Lottery.trial(5, 1, 1001).unwrap();
        let [first, second] = split(&trial, 1);
        let mut all = [&first[..], &second[..]].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1001).collect::<Vec<_>>());
        // Of each arm in each tier they have the same number, or one more.
        for (tier, arm) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)] {
            let count = |half: &[usize]| {
                half.iter().filter(|&&i| (trial.tier[i], trial.arm[i]) == (tier, arm)).count()
            };
            assert!(count(&first).abs_diff(count(&second)) <= 1);
        }
        let ids = |trial: &Trial, half: &[usize]| {
            let mut ids: Vec<u64> = half.iter().map(|&i| trial.hash[i]).collect();
            ids.sort_unstable();
            ids
        };
        let turned = trial.only(&(0..1001).rev().collect::<Vec<_>>());
        let found = split(&turned, 1);
        assert_eq!(ids(&turned, &found[0]), ids(&trial, &first));
        assert_eq!(ids(&turned, &found[1]), ids(&trial, &second));
        assert_ne!(split(&trial, 2)[0], first);
    }

    #[test]
    fn each_half_is_estimated_alone() {
        for world in [World::Lottery, World::LotteryUnsaid] {
            let trial = world.trial(5, 2, 1000).unwrap();
            let [first, second] = split(&trial, 3);
            let found = halved(&trial, 3, true);
            for (k, half) in [first, second].iter().enumerate() {
                let alone = trial.only(half).checked().unwrap();
                for (effect, halved) in effects(&alone, true).iter().zip(&found) {
                    let of_half = &halved.halves[k];
                    assert_eq!((&effect.action, &effect.tier), (&halved.action, &halved.tier));
                    assert_eq!((effect.treated, effect.lift), (of_half.treated, of_half.lift));
                    assert!(effect.lift.is_some());
                }
                let pooled: Vec<_> = found.iter().filter_map(|of| of.halves[k].shrunk.clone()).collect();
                assert_eq!(pooled, shrink(&effects(&alone, true)));
            }
        }
        // Ten customers of an arm in a tier are enough for one estimate and not for two.
        let few = World::Lottery.trial(5, 3, 90).unwrap();
        let all = effects(&few, true);
        assert!(all.iter().any(|effect| effect.lift.is_some()));
        let found = halved(&few, 1, true);
        assert!(found.iter().any(|of| of.halves.iter().any(|half| half.lift.is_none())), "{found:?}");
    }
}
