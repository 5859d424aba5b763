//! Few customers: small arms, small tiers, few tiers.

use super::worlds::World;
use super::*;
use crate::parallel;
use crate::random::{Purpose, Stream, hash_integer};

/// Customers of the tiers named by their numbers, in arms as given; everything else is 0.
fn blank(tier: Vec<u8>, arm: Vec<u8>) -> Trial {
    let n = tier.len();
    let tiers = 1 + usize::from(*tier.iter().max().unwrap());
    Trial {
        hash: (0..n as u64).map(hash_integer).collect(),
        tier,
        tiers: (0..tiers).map(|tier| format!("t{tier}")).collect(),
        arm,
        arms: vec!["none".into(), "call".into()],
        outcome: vec![0.0; n],
        probability: None,
        covariates: Vec::new(),
    }
}

#[test]
fn intervals_hold_with_fifteen_to_thirty_customers_an_arm() {
    for (treated, others) in [(15usize, 15usize), (15, 30), (30, 20)] {
        let found = parallel::map(1500, |number| {
            let mut stream = Stream::new(11, number as u64, 0, Purpose::Synth);
            let n = treated + others;
            let mut trial = blank(vec![0; n], [vec![1; treated], vec![0; others]].concat());
            // Twice the spread among the treated; folds by lot.
            for i in 0..n {
                trial.hash[i] = hash_integer(((number * 100) + i) as u64);
                let spread = if i < treated { 2.0 } else { 1.0 };
                trial.outcome[i] = 5.0 + spread * stream.normal();
            }
            effects(&trial.checked().unwrap(), true).swap_remove(0)
        });
        for by in Estimator::ALL {
            let held = found
                .iter()
                .filter(|effect| {
                    let estimate = effect.by(by).unwrap();
                    estimate.lower <= 0.0 && 0.0 <= estimate.upper
                })
                .count() as f64
                / 1500.0;
            // Three standard errors of a share of 95 %; what is fitted in other folds varies a little more than it has to.
            let above = if by == Estimator::DoublyRobust { 0.985 } else { 0.967 };
            assert!((0.933..=above).contains(&held), "{treated} {others} {by:?}: {held}");
        }
        let held = found.iter().filter(|e| e.lift.is_some_and(|l| l.lower <= 0.0 && 0.0 <= l.upper)).count();
        assert!((0.933..=0.985).contains(&(held as f64 / 1500.0)), "lift: {held}");
    }
}

/// A ratio of two means of twenty numbers with deviation 1 is 1/20 of itself too high: here about ten standard errors.
#[test]
fn a_lift_is_biased_and_its_correction_is_not() {
    let (number, n) = (4000usize, 40);
    let found = parallel::map(number, |number| {
        let mut stream = Stream::new(12, number as u64, 0, Purpose::Synth);
        let mut trial = blank(vec![0; n], [vec![1; 20], vec![0; 20]].concat());
        for i in 0..n {
            trial.hash[i] = hash_integer(((number * 100) + i) as u64);
            trial.outcome[i] = stream.exponential() * if i < 20 { 1.2 } else { 1.0 };
        }
        effects(&trial.checked().unwrap(), true).swap_remove(0).lift.unwrap()
    });
    let off = |of: fn(&Lift) -> f64| {
        let mean = found.iter().map(|lift| of(lift) - 0.2).sum::<f64>() / number as f64;
        let squares = found.iter().map(|lift| (of(lift) - 0.2 - mean).powi(2)).sum::<f64>();
        (mean, squares.sqrt() / number as f64)
    };
    let ((plain, error), (unbiased, of_unbiased)) = (off(|lift| lift.lift), off(|lift| lift.unbiased));
    assert!(plain > 6.0 * error, "{plain} {error}");
    assert!(unbiased.abs() < 3.0 * of_unbiased, "{unbiased} {of_unbiased}");
    assert!(found.iter().all(|lift| lift.lower <= lift.unbiased && lift.unbiased < lift.lift));
}

#[test]
fn an_arm_without_variance_has_no_interval() {
    let mut trial = blank(vec![0; 40], [vec![1; 20], vec![0; 20]].concat());
    trial.outcome[0] = 1.0;
    let effect = effects(&trial.checked().unwrap(), true).swap_remove(0);
    assert!(effect.estimates.is_empty() && effect.lift.is_none() && effect.overlap.is_none());
    assert_eq!(effect.lacking, Some(Lacking::Variance));
    let mut few = blank(vec![0; 29], [vec![1; 9], vec![0; 20]].concat());
    few.outcome.iter_mut().enumerate().for_each(|(i, y)| *y = (i % 4) as f64);
    let effect = effects(&few.checked().unwrap(), true).swap_remove(0);
    assert_eq!(effect.lacking, Some(Lacking::Customers));
}

#[test]
fn weights_are_those_of_all_customers_in_small_tiers_too() {
    let policy = Policy { name: "p".into(), arm: vec![1, 1, 0] };
    let truth = World::LotteryUnsaid.value([true, true, false]);
    let found = parallel::map(300, |number| {
        let mut trial = World::LotteryUnsaid.trial(7, number as u32, 300).unwrap();
        let mut stream = Stream::new(8, number as u64, 0, Purpose::Synth);
        for name in ["third", "fourth"] {
            let values = (0..300).map(|_| stream.normal()).collect();
            trial.covariates.push(Covariate { name: name.into(), values });
        }
        value_of(&trial, &policy).unwrap()
    });
    type Way = fn(&PolicyValue) -> PolicyEstimate;
    let ways: [(&str, Way); 3] = [
        ("ips", |value| value.ips),
        ("normalised", |value| value.self_normalised),
        ("doubly robust", |value| value.doubly_robust),
    ];
    for (way, of) in ways {
        let n = found.len() as f64;
        let mean = found.iter().map(|value| of(value).value - truth).sum::<f64>() / n;
        let spread =
            (found.iter().map(|value| (of(value).value - truth - mean).powi(2)).sum::<f64>() / n).sqrt();
        assert!(mean.abs() < 4.0 * spread / n.sqrt(), "{way}: {mean} of {spread}");
        let held = found.iter().filter(|v| of(v).lower <= truth && truth <= of(v).upper).count() as f64 / n;
        assert!(held > 0.91, "{way}: {held}");
    }
}

/// Two of four treated in each of a hundred tiers: without n/(n − 1) χ² would be a third too large.
#[test]
fn a_hundred_tiers_of_four_are_a_lottery() {
    let p_values = parallel::map(600, |number| {
        let mut stream = Stream::new(21, number as u64, 0, Purpose::Synth);
        let mut arm = Vec::new();
        for _ in 0..100 {
            let mut four: Vec<(f64, u8)> = (0..4).map(|k| (stream.uniform(), k % 2)).collect();
            four.sort_by(|a, b| a.0.total_cmp(&b.0));
            arm.extend(four.iter().map(|(_, arm)| *arm));
        }
        let mut trial = blank((0..400).map(|i| (i / 4) as u8).collect(), arm);
        for name in ["a", "b", "c"] {
            let values = (0..400).map(|_| stream.normal()).collect();
            trial.covariates.push(Covariate { name: name.into(), values });
        }
        balance(&trial)[0].p_value
    });
    for level in [0.05, 0.2, 0.5] {
        let below = p_values.iter().filter(|p| **p < level).count() as f64 / 600.0;
        let error = (level * (1.0 - level) / 600.0f64).sqrt();
        assert!((below - level).abs() < 3.5 * error, "{level}: {below}");
    }
}

#[test]
fn a_tier_that_contradicts_its_probabilities_is_seen() {
    let n = 200;
    let tier: Vec<u8> = (0..n).map(|i| u8::from(i >= 100)).collect();
    // One tier by halves, of the other everybody.
    let arm: Vec<u8> = (0..n).map(|i| u8::from(i >= 100 || i % 2 == 0)).collect();
    let mut trial = blank(tier, arm);
    let alike = &balance(&trial)[0];
    assert_eq!((&alike.skipped[..], alike.customers), (&["t1".to_string()][..], 100));
    assert_eq!((alike.degrees, alike.p_value), (0, 1.0));
    trial.probability = Some(vec![0.5; n]);
    let found = &balance(&trial)[0];
    assert!(found.is_doubtful() && found.skipped.is_empty() && found.customers == 200, "{found:?}");
}

#[test]
fn where_probabilities_vary_there_is_no_difference_in_means() {
    let trial = World::BentOutcome.trial(3, 1, 900).unwrap();
    for effect in effects(&trial, true) {
        assert!(effect.confounded && effect.by(Estimator::Difference).is_none());
        assert_eq!(effect.estimates.len(), 3);
        // Those who would spend more were likelier to be treated: the others' mean is too low.
        assert!(effect.base > effect.mean_untreated, "{effect:?}");
        let overlap = effect.overlap.unwrap();
        assert!(overlap.effective_treated < effect.treated as f64 && overlap.largest_weight < 0.5);
    }
    let constant = World::Lottery.trial(3, 1, 900).unwrap();
    let told = effects(&constant, true).swap_remove(0);
    assert!(!told.confounded && told.base == told.mean_untreated);
    let overlap = told.overlap.unwrap();
    assert!((overlap.effective_treated - told.treated as f64).abs() < 1e-9 && overlap.clipped == 0);
    let chosen = effects(&constant, false).swap_remove(0);
    assert!(chosen.confounded && chosen.base != chosen.mean_untreated);
}

fn with_lift(tier: usize, log: f64, error: f64) -> Effect {
    let end = |z: f64| (log + z * 1.959_963_984_540_054 * error).exp_m1();
    Effect {
        action: "call".into(),
        tier: format!("t{tier}"),
        treated: 100,
        untreated: 100,
        mean_treated: 1.0,
        mean_untreated: 1.0,
        base: 1.0,
        estimates: Vec::new(),
        confounded: false,
        lacking: None,
        overlap: None,
        lift: Some(Lift {
            lift: log.exp_m1(),
            unbiased: log.exp_m1(),
            log_error: error,
            degrees: 1e9,
            lower: end(-1.0),
            upper: end(1.0),
        }),
        with_covariates: true,
    }
}

/// References: adaptive quadrature over τ by scipy.
#[test]
fn lifts_of_tiers_are_pooled_as_by_quadrature() {
    let pooled = |pairs: &[(f64, f64)]| {
        let effects: Vec<Effect> =
            pairs.iter().enumerate().map(|(k, &(y, v))| with_lift(k, y, f64::sqrt(v))).collect();
        shrink(&effects)
    };
    let three = pooled(&[(0.0, 0.01), (0.4, 0.0025), (0.2, 0.04)]);
    let two = pooled(&[(0.1, 0.01), (0.3, 0.01)]);
    for (found, (log, lower, upper)) in [
        (&three[0], (0.03675548018656526, -0.16228636686993145, 0.23824395837906806)),
        (&three[2], (0.20687163115677204, -0.13079331355921475, 0.5365228330199234)),
        (&two[0], (0.13008170095439037, -0.065142645813914, 0.3136621189081286)),
    ] {
        let close = |found: f64, wanted: f64| (found.ln_1p() - wanted).abs() < 1e-5;
        assert!(
            close(found.lift, log) && close(found.lower, lower) && close(found.upper, upper),
            "{found:?}"
        );
    }
    let apart = pooled(&[(0.0, 1e-4), (0.7, 1e-4), (0.4, 0.09)]);
    assert!(apart[0].own > 0.99 && apart[2].own < 0.9 && apart[2].own > 0.4, "{apart:?}");
    assert!(pooled(&[(0.0, 1e-4)]).is_empty());
}

#[test]
fn pooled_intervals_hold_with_two_or_three_tiers() {
    for (tiers, between) in [(2, 0.0), (2, 0.1), (2, 0.4), (3, 0.1), (3, 0.4)] {
        let held = parallel::map(500, |number| {
            let mut stream = Stream::new(31, number as u64, 0, Purpose::Synth);
            let errors = [0.1, 0.05, 0.2];
            let truth: Vec<f64> = (0..tiers).map(|_| 0.2 + between * stream.normal()).collect();
            let effects: Vec<Effect> =
                (0..tiers).map(|k| with_lift(k, truth[k] + errors[k] * stream.normal(), errors[k])).collect();
            let holds = |(found, truth): (&Shrunk, &f64)| {
                found.lower.ln_1p() <= *truth && *truth <= found.upper.ln_1p()
            };
            shrink(&effects).iter().zip(&truth).filter(|pair| holds(*pair)).count()
        });
        let share = held.iter().sum::<usize>() as f64 / (500 * tiers) as f64;
        assert!((0.93..=0.995).contains(&share), "{tiers} tiers, {between}: {share}");
    }
}
