use super::*;
use crate::clv::schedule::Schedule;
use crate::clv::{BgNbd, MbgNbd, Nbd, ParetoNbd, Scorer};
use crate::random::hash_integer;

fn options(horizon: &str, discount: &str) -> ValueOptions {
    ValueOptions { horizon: horizon.parse().unwrap(), discount: discount.parse().unwrap(), margin: 0.4 }
}

/// The geometric series against the schedule's weighted sum over all steps.
#[test]
fn horizons_are_the_schedules() {
    for (horizon, discount) in [
        ("12mo", "10%/yr"),
        ("39w", "0%/yr"),
        ("90d", "1%/mo"),
        ("1yr", "10%/yr"),
        ("7.5mo", "3%/mo"),
        ("600w", "0.2%/w"),
    ] {
        let options = options(horizon, discount);
        for unit in [Unit::Week, Unit::Day] {
            let (own, steps) = (Horizon::new(&options, unit), Schedule::steps(&options, unit));
            for dropout in [
                Dropout::Never,
                Dropout::AfterPurchase(0.0),
                Dropout::AfterPurchase(1e-12),
                Dropout::AfterPurchase(0.3),
                Dropout::AfterPurchase(1.0),
                Dropout::AtRate(1e-9),
                Dropout::AtRate(0.05),
                Dropout::AtRate(40.0),
            ] {
                let latent = Latent { alive: true, rate: 0.7, dropout };
                let (orders, discounted) = own.of(&latent);
                let end = steps.points[steps.points.len() - 1].0;
                let sum: f64 = steps.points.iter().map(|&(at, weight)| weight * latent.expected(at)).sum();
                let close = |got: f64, want: f64| {
                    assert!(
                        (got - want).abs() <= 1e-11 * want,
                        "{horizon} {discount} {dropout:?}: {got} {want}"
                    );
                };
                close(orders, latent.expected(end));
                close(discounted, sum);
            }
        }
    }
}

/// Over many draws the figures by own rates have the model's expectations as their means.
#[test]
fn means_are_the_scores() {
    const DRAWS: u32 = 20_000;
    let week = Unit::Week;
    let models: [Box<dyn PurchaseModel>; 4] = [
        Box::new(BgNbd { r: 0.8, alpha: 9.0, a: 0.8, b: 6.0, unit: week }),
        Box::new(MbgNbd { r: 0.8, alpha: 9.0, a: 0.8, b: 6.0, unit: week }),
        Box::new(ParetoNbd { r: 0.8, alpha: 9.0, s: 1.2, beta: 20.0, unit: week }),
        Box::new(Nbd { r: 0.8, alpha: 9.0, unit: week }),
    ];
    // A spend shape with a finite variance of the mean, so that means settle.
    let spend = GammaGamma { p: 6.0, q: 6.0, gamma: 20.0 };
    let statistics = Statistics {
        frequency: vec![0, 2, 7],
        recency_days: vec![0.0, 150.0, 260.0],
        t_days: vec![270.0, 270.0, 272.0],
        monetary_value: vec![0.0, 30.0, 18.0],
    };
    let hash: Vec<u64> = (0..3).map(hash_integer).collect();
    let patterns =
        Patterns::from_times(&statistics.frequency, &statistics.recency_days, &statistics.t_days).unwrap();
    let of = Histories { statistics: &statistics, patterns: &patterns, hash: &hash };
    for (model, over) in
        models.iter().zip([OrderDays::Repeat, OrderDays::Repeat, OrderDays::All, OrderDays::Repeat])
    {
        let options = options("12mo", "10%/yr");
        let scorer = Scorer::new(model.as_ref(), Some(&spend), options).over(over);
        let scores = scorer.score(&statistics, &()).unwrap();
        let own = OwnValues::new(&options, week, over, 7);
        let p_alive = own.p_alive(&patterns, model.as_ref());
        let models = Models { purchases: model.as_ref(), spend: Some(&spend) };
        let mut sums = vec![[(0.0f64, 0.0f64); 5]; 3];
        for k in 0..DRAWS {
            let drawn = own.draw(k, models, of, &p_alive, 0..3);
            for (c, (_, values)) in drawn.columns().into_iter().enumerate() {
                for (sums, value) in sums.iter_mut().zip(values) {
                    sums[c].0 += value;
                    sums[c].1 += value * value;
                }
            }
        }
        let want = [
            &scores.p_alive,
            &scores.expected_transactions,
            &scores.dert,
            &scores.expected_spend,
            &scores.clv,
        ];
        for (i, sums) in sums.iter().enumerate() {
            for (c, &(sum, squares)) in sums.iter().enumerate() {
                let n = f64::from(DRAWS);
                let (mean, want) = (sum / n, want[c][i]);
                let error = ((squares / n - mean * mean).max(0.0) / n).sqrt();
                assert!(
                    (mean - want).abs() <= 4.0 * error + 1e-12 * want.abs(),
                    "customer {i}, column {c}: {mean} ± {error}, want {want}"
                );
            }
        }
    }
}

/// A stretch has what the whole has, and each customer has it alone.
#[test]
fn stretches_and_neighbours_do_not_matter() {
    let model = BgNbd { r: 0.3, alpha: 4.0, a: 0.8, b: 2.4, unit: Unit::Week };
    let spend = GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 };
    let statistics = Statistics {
        frequency: vec![0, 2, 7, 1],
        recency_days: vec![0.0, 150.0, 260.0, 3.0],
        t_days: vec![270.0, 270.0, 272.0, 90.0],
        monetary_value: vec![0.0, 30.0, 18.0, 5.0],
    };
    let hash: Vec<u64> = (0..4).map(hash_integer).collect();
    let patterns =
        Patterns::from_times(&statistics.frequency, &statistics.recency_days, &statistics.t_days).unwrap();
    let of = Histories { statistics: &statistics, patterns: &patterns, hash: &hash };
    let own = OwnValues::new(&options("12mo", "0%/yr"), Unit::Week, OrderDays::Repeat, 3);
    let p_alive = own.p_alive(&patterns, &model);
    let models = Models { purchases: &model, spend: Some(&spend) };
    let whole = own.draw(5, models, of, &p_alive, 0..4);
    assert!(whole.dert.is_empty() && whole.columns().len() == 4);
    for i in 0..4 {
        let alone = own.draw(5, models, of, &p_alive, i..i + 1);
        for ((_, alone), (_, whole)) in alone.columns().into_iter().zip(whole.columns()) {
            assert_eq!(alone[0].to_bits(), whole[i].to_bits());
        }
    }
    let without = own.draw(5, Models { spend: None, ..models }, of, &p_alive, 0..4);
    assert_eq!(without.worth(), &without.expected_transactions[..]);
}
