use super::worlds::World;
use super::*;
use crate::parallel;

/// Of trials of a world and one tier: the mean error of each estimator in its own standard errors of that mean, and how often its
/// interval holds the truth.
fn study(world: World, trials: u32, tier: usize) -> Vec<(Estimator, f64, f64)> {
    let found = parallel::map(trials as usize, |number| {
        let trial = world.trial(1, number as u32, 1500).unwrap();
        // The other tiers would only take time.
        let trial = trial.only(&trial.by_tier()[tier]);
        effects(&trial, world.by_lot()).swap_remove(tier).estimates
    });
    let truth = world.effect(tier);
    Estimator::ALL
        .into_iter()
        .map(|by| {
            let all: Vec<&Estimate> = found.iter().flatten().filter(|estimate| estimate.by == by).collect();
            let n = all.len() as f64;
            let mean = all.iter().map(|e| e.effect - truth).sum::<f64>() / n;
            let variance = all.iter().map(|e| (e.effect - truth - mean).powi(2)).sum::<f64>() / n;
            let held = all.iter().filter(|e| e.lower <= truth && truth <= e.upper).count() as f64 / n;
            (by, mean / (variance / n).sqrt(), held)
        })
        .collect()
}

#[test]
fn in_a_lottery_all_four_hold_the_truth() {
    for world in [World::Lottery, World::LotteryUnsaid, World::Null] {
        for (by, bias, held) in study(world, 400, 1) {
            assert!(bias.abs() < 3.5, "{world:?} {by:?}: {bias}");
            assert!((0.917..=0.98).contains(&held), "{world:?} {by:?}: {held}");
        }
    }
}

#[test]
fn doubly_robust_needs_one_of_two_to_be_right() {
    for (world, wrong) in [
        (World::BentOutcome, Estimator::Regression),
        (World::BentOutcomeUnsaid, Estimator::Regression),
        (World::WrongProbability, Estimator::Weighted),
    ] {
        let found = study(world, 1000, 1);
        let of = |estimator: Estimator| found.iter().find(|(by, ..)| *by == estimator).unwrap();
        assert!(of(Estimator::DoublyRobust).1.abs() < 3.0, "{world:?}: {found:?}");
        assert!(of(wrong).1.abs() > 6.0, "{world:?}: {found:?}");
        assert!(of(Estimator::DoublyRobust).2 > 0.92, "{world:?}: {found:?}");
    }
}

#[test]
fn policies_are_valued_without_trying_them() {
    let policies = [[0u8, 0, 0], [1, 1, 1], [0, 1, 0]];
    type Way = fn(&PolicyValue) -> PolicyEstimate;
    let all: [Way; 3] = [|value| value.ips, |value| value.self_normalised, |value| value.doubly_robust];
    for (world, ways) in [
        (World::Lottery, &all[..]),
        (World::LotteryUnsaid, &all),
        (World::BentOutcome, &all),
        // Of what rests on probabilities that are wrong only this one is right.
        (World::WrongProbability, &all[2..]),
    ] {
        for arm in policies {
            let truth = world.value(arm.map(|arm| arm == 1));
            let found = parallel::map(300, |number| {
                let trial = world.trial(2, number as u32, 900).unwrap();
                value_of(&trial, &Policy { name: "p".into(), arm: arm.to_vec() }).unwrap()
            });
            for of in ways {
                let n = found.len() as f64;
                let mean = found.iter().map(|value| of(value).value - truth).sum::<f64>() / n;
                let error = found.iter().map(|value| of(value).standard_error).sum::<f64>() / n / n.sqrt();
                assert!(mean.abs() < 4.0 * error, "{world:?} {arm:?}: {mean} ± {error}");
                let holds = |value: &&PolicyValue| of(value).lower <= truth && truth <= of(value).upper;
                let held = found.iter().filter(holds).count() as f64 / n;
                // Three standard errors of a share of 95 %.
                assert!((0.91..=0.99).contains(&held), "{world:?} {arm:?}: {held}");
            }
        }
    }
}

#[test]
fn a_lottery_is_told_from_a_choice() {
    let p_values = parallel::map(400, |number| {
        let trial = World::Lottery.trial(3, number as u32, 900).unwrap();
        balance(&trial)[0].p_value
    });
    for level in [0.05, 0.2, 0.5] {
        let below = p_values.iter().filter(|p| **p < level).count() as f64 / 400.0;
        let error = (level * (1.0 - level) / 400.0f64).sqrt();
        assert!((below - level).abs() < 3.5 * error, "{level}: {below}");
    }
    let chosen = World::WrongProbability.trial(3, 1, 900).unwrap();
    let found = &balance(&chosen)[0];
    assert!(found.is_doubtful() && found.differences[0].standardised > 0.3, "{found:?}");
    assert!(found.differences[1].standardised.abs() < 0.3);
    // Said as they are, varying probabilities are a lottery.
    let said = World::BentOutcome.trial(3, 1, 900).unwrap();
    let found = &balance(&said)[0];
    assert!(!found.is_doubtful() && found.expected_treated.is_some(), "{found:?}");
}

/// The 97.5 % quantile of t with 11.215385 degrees.
const WELCH: f64 = 2.195839102397695;

/// By hand: treated 2, 4; others 1, 1, 4, and so on to ten each.
#[test]
fn the_difference_in_means_by_hand() {
    let outcome: Vec<f64> =
        (0..10).map(|i| f64::from(i % 2)).chain((0..10).map(|i| f64::from(i % 5))).collect();
    let trial = Trial {
        hash: (0..20).collect(),
        tier: vec![0; 20],
        tiers: vec!["all".into()],
        arm: [vec![1; 10], vec![0; 10]].concat(),
        arms: vec!["none".into(), "call".into()],
        outcome,
        probability: None,
        covariates: Vec::new(),
    };
    let effect = effects(&trial.clone().checked().unwrap(), true).swap_remove(0);
    let found = effect.by(Estimator::Difference).unwrap();
    // Means 0.5 and 2; variances 10·.25/9 and 20/9, each over 10.
    assert!((found.effect + 1.5).abs() < 1e-12);
    assert!((found.standard_error - (2.5f64 / 90.0 + 20.0 / 90.0).sqrt()).abs() < 1e-12);
    // Welch's degrees: (v + w)²/(v²/9 + w²/9) with v = 2.5/90 and w = 20/90; scipy's t at 0.975 there.
    assert!((found.degrees - 9.0 * 22.5f64.powi(2) / (2.5f64.powi(2) + 400.0)).abs() < 1e-9);
    assert!((found.upper - found.effect - WELCH * found.standard_error).abs() < 1e-9);
    // Without covariates everything is the difference in means.
    for by in [Estimator::Regression, Estimator::Weighted] {
        assert!((effect.by(by).unwrap().effect + 1.5).abs() < 1e-9);
    }
    let needed = power(std::slice::from_ref(&effect), 0.1);
    let error = effect.by(Estimator::DoublyRobust).unwrap().standard_error;
    assert!((needed[0].detectable_lift.unwrap() - 2.801585 * error / 2.0).abs() < 1e-6);

    let without = |change: &dyn Fn(&mut Trial)| {
        let mut trial = trial.clone();
        change(&mut trial);
        trial.checked().unwrap_err().to_string()
    };
    assert!(without(&|t| t.arm = vec![1; 20]).contains("nobody is in it"));
    assert!(without(&|t| t.outcome = vec![1.0; 20]).contains("the same for everybody"));
    assert!(without(&|t| t.probability = Some(vec![1.0; 20])).contains("not between 0 and 1"));
    assert!(without(&|t| t.outcome[3] = f64::NAN).contains("no finite number"));
}
