//! Against slow and obvious versions, and in a small world whose truth is known.

use proptest::prelude::*;

use super::*;
use crate::parallel;
use crate::random::hash_integer;

/// The same by sorting customers and adding one after the other.
fn slow_cuts(codes: &[u8], tiers: usize, values: &[f64]) -> Vec<Cut> {
    let mut best = values.to_vec();
    best.sort_by(|a, b| b.total_cmp(a));
    (0..tiers - 1)
        .map(|k| {
            let inside: Vec<f64> = codes
                .iter()
                .zip(values)
                .filter(|(code, _)| usize::from(**code) <= k)
                .map(|(_, v)| *v)
                .collect();
            let (held, best): (f64, f64) = (inside.iter().sum(), best[..inside.len()].iter().sum());
            Cut { customers: inside.len() as u64, held, best, regret: best - held }
        })
        .collect()
}

/// The accuracy ratio by the areas of two curves, customer by customer, who within a tier all have its mean.
fn slow_accuracy(codes: &[u8], tiers: usize, values: &[f64]) -> Option<f64> {
    let area = |worth: &[f64]| {
        let total: f64 = worth.iter().sum();
        let (mut above, mut sum) = (0.0, 0.0);
        for value in worth {
            sum += (above + 0.5 * value) / total / worth.len() as f64;
            above += value;
        }
        sum - 0.5
    };
    let mut best = values.to_vec();
    best.sort_by(|a, b| b.total_cmp(a));
    let mut smoothed = Vec::new();
    for tier in 0..tiers {
        let inside: Vec<f64> = codes
            .iter()
            .zip(values)
            .filter(|(code, _)| usize::from(**code) == tier)
            .map(|(_, v)| *v)
            .collect();
        let mean = inside.iter().sum::<f64>() / inside.len().max(1) as f64;
        smoothed.extend(inside.iter().map(|_| mean));
    }
    let of_best = area(&best);
    (values.iter().sum::<f64>() > 1e-6 && of_best > 1e-9).then(|| area(&smoothed) / of_best)
}

fn some_customers() -> impl Strategy<Value = (Vec<u8>, Vec<f64>)> {
    prop::collection::vec((0u8..4, prop_oneof![Just(0.0), -5.0..50.0f64, 0.0..1e6f64]), 1..120)
        .prop_map(|rows| rows.into_iter().unzip())
}

proptest! {
    #[test]
    fn cuts_and_accuracy_are_the_slow_ones((codes, values) in some_customers()) {
        let (ranked, division) = (Ranked::new(values.clone()), Division::new(&codes, 4, &values));
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()));
        for (got, want) in division.cuts(&ranked).iter().zip(slow_cuts(&codes, 4, &values)) {
            prop_assert_eq!(got.customers, want.customers);
            prop_assert!(close(got.held, want.held) && close(got.best, want.best));
            prop_assert!(close(got.regret, want.regret) && got.regret >= 0.0);
        }
        if let Some(want) = slow_accuracy(&codes, 4, &values) {
            let got = division.accuracy(&ranked).unwrap();
            prop_assert!((got - want).abs() < 1e-6 * (1.0 + want.abs()), "{got} {want}");
        }
    }

    #[test]
    fn the_order_of_customers_does_not_show((codes, values) in some_customers(), by in 0usize..119) {
        let hash: Vec<u64> = (0..codes.len() as u64).map(hash_integer).collect();
        let by = by % codes.len();
        let turned = |v: &[u8]| { let mut v = v.to_vec(); v.rotate_left(by); v };
        let (mut values_turned, mut hash_turned) = (values.clone(), hash.clone());
        values_turned.rotate_left(by);
        hash_turned.rotate_left(by);
        let resampling = Resampling { seed: 4, replications: 20, level: 0.9 };
        let other: Vec<u8> = codes.iter().map(|code| 3 - code).collect();
        let one = Yardstick::new(&values, &hash).unwrap();
        let one = one.judge(&[(&codes, 4), (&other, 4)], resampling, &()).unwrap();
        let two = Yardstick::new(&values_turned, &hash_turned).unwrap();
        let two = two.judge(&[(&turned(&codes), 4), (&turned(&other), 4)], resampling, &()).unwrap();
        prop_assert_eq!(format!("{one:?}"), format!("{two:?}"));
    }
}

#[test]
fn the_best_order_has_no_regret_and_threads_change_nothing() {
    let n = 70_000;
    let values: Vec<f64> = (0..n).map(|i| ((i * 7919) % 10_007) as f64 / 7.0).collect();
    let hash: Vec<u64> = (0..n as u64).map(hash_integer).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let mut codes = vec![2u8; n];
    order.iter().take(n / 2).for_each(|&i| codes[i] = 1);
    order.iter().take(n / 10).for_each(|&i| codes[i] = 0);
    let worst: Vec<u8> = codes.iter().map(|code| 2 - code).collect();
    let judge = || {
        let resampling = Resampling { seed: 4, replications: 30, level: 0.9 };
        let yardstick = Yardstick::new(&values, &hash).unwrap();
        yardstick.judge(&[(&codes, 3), (&worst, 3)], resampling, &()).unwrap()
    };
    let one = parallel::with_threads(1, judge).unwrap();
    for threads in [2, 3] {
        assert_eq!(format!("{:?}", parallel::with_threads(threads, judge).unwrap()), format!("{one:?}"));
    }
    let [best, worst] = &one[..] else { panic!() };
    assert!(best.cuts.iter().all(|cut| cut.regret == 0.0) && best.above_first.is_none());
    let accuracy = best.accuracy.unwrap();
    assert!(accuracy.value > 0.8 && accuracy.value < 1.0, "{accuracy:?}");
    assert!(accuracy.lower < accuracy.value && accuracy.value < accuracy.upper);
    let below = worst.above_first.unwrap();
    assert!(below.upper < 0.0 && worst.accuracy.unwrap().value < 0.0, "{below:?}");
    assert!(
        worst.regret.iter().zip(&worst.cuts).all(|(s, cut)| s.lower < cut.regret && cut.regret < s.upper)
    );
    // A column that is 0 for everybody says nothing.
    let nothing = Yardstick::new(&vec![0.0; n], &hash).unwrap();
    let resampling = Resampling { seed: 4, replications: 3, level: 0.9 };
    assert!(nothing.judge(&[(&codes, 3)], resampling, &()).unwrap()[0].accuracy.is_none());
    assert!(Yardstick::new(&[f64::NAN], &[1]).is_err());
}
