//! Customer values against the published number, draws of the parameters, and themselves.

use super::*;
use crate::calendar::Unit;
use crate::clv::bg_nbd::{BgNbd, BgNbdModel};
use crate::clv::family::{ModelName, PurchaseFit, with_fit};
use crate::clv::gamma_gamma::GammaGammaModel;
use crate::clv::model::Verdict;
use crate::clv::score::Scorer;
use crate::clv::test_data::{Data, sample};
use crate::clv::uncertainty::{PosteriorOptions, Prior};
use crate::customers::Statistics;
use crate::parallel::with_threads;

fn options(horizon: &str, discount: &str) -> ValueOptions {
    ValueOptions { horizon: horizon.parse().unwrap(), discount: discount.parse().unwrap(), margin: 1.0 }
}

struct World {
    data: Data,
    patterns: Patterns,
    purchases: Fit<BgNbd>,
    spend: Fit<GammaGamma>,
}

fn world() -> World {
    let data = sample();
    let patterns = Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap();
    let purchases = BgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
    let spend = GammaGammaModel.fit(&data.frequency, &data.monetary_value, &()).unwrap();
    World { data, patterns, purchases, spend }
}

impl World {
    fn value(&self, options: &ValueOptions) -> CustomerValue {
        let World { data, patterns, purchases, spend } = self;
        customer_value(patterns, &data.monetary_value, purchases, Some(spend), options, &()).unwrap()
    }
}

fn column<'a>(value: &'a CustomerValue, name: &str) -> &'a [f64] {
    match &value.columns.iter().find(|column| column.name == name).unwrap().values {
        Values::Float(values) => values,
        other => panic!("{other:?}"),
    }
}

/// The sample's first customer, 1 % a month, by an independent implementation under the same convention: 36.2960;
/// with continuous discounting 36.4783, which many short steps approach.
#[test]
fn the_first_customer_of_the_sample() {
    let world = world();
    let monthly = column(&world.value(&options("12mo", "1%/mo")), "clv")[0];
    assert!((monthly - 36.2960).abs() < 5e-5, "{monthly}");
    let daily = column(&world.value(&options("365.25d", "1%/mo")), "clv")[0];
    let continuous = 36.4783;
    // Half a day's discount less.
    assert!((daily / continuous - 1.0 + 0.5 * 1.01f64.ln() / 30.4375).abs() < 3e-6, "{daily}");
}

#[test]
fn columns_follow_from_the_models() {
    let world = world();
    let options = options("39w", "0%/yr");
    let value = world.value(&options);
    assert_eq!(value.columns.len(), 6);
    let (params, spend) = (world.purchases.params.unwrap(), world.spend.params.unwrap());
    let (mut orders, mut money) = (0.0, 0.0);
    for i in 0..world.data.frequency.len() {
        let weeks = |days: u32| Unit::Week.of_days(days);
        let (x, t_x, t) =
            (world.data.frequency[i], weeks(world.data.recency_days[i]), weeks(world.data.t_days[i]));
        let expected = params.conditional_expected(x, t_x, t, 39.0);
        let worth = spend.expected_spend(x, world.data.monetary_value[i]);
        assert_eq!(column(&value, "p_alive")[i], params.p_alive(x, t_x, t));
        assert!((column(&value, "expected_transactions")[i] / expected - 1.0).abs() < 1e-12);
        assert_eq!(column(&value, "expected_spend")[i], worth);
        // Without a discount the steps do not matter.
        let clv = column(&value, "clv")[i];
        assert!((clv / (expected * worth) - 1.0).abs() < 1e-12);
        assert!(column(&value, "clv_mean_lower")[i] < clv && clv < column(&value, "clv_mean_upper")[i]);
        orders += expected;
        money += clv;
    }
    assert!((value.expected_transactions.unwrap().value / orders - 1.0).abs() < 1e-12);
    assert!((value.clv.unwrap().value / money - 1.0).abs() < 1e-12);
    let half = world.value(&ValueOptions { margin: 0.5, ..options });
    assert_eq!(half.clv.unwrap().value * 2.0, value.clv.unwrap().value);
    assert_eq!(world.value(&ValueOptions { margin: 0.0, ..options }).clv.unwrap().mean_upper, 0.0);
}

/// Intervals by the delta method against quantiles over draws of both models' parameters.
#[test]
fn intervals_agree_with_draws() {
    let world = world();
    let options = options("12mo", "1%/mo");
    let value = world.value(&options);
    let draws = 2000;
    let customers: Vec<usize> = (0..2357).step_by(37).collect();
    let schedule = Schedule::steps(&options, Unit::Week);
    let mut drawn = vec![Vec::new(); customers.len()];
    let asked = PosteriorOptions { prior: Prior::Flat, draws, seed: 3 };
    let likelihood = BgNbdModel.likelihood(&world.patterns, Unit::Week);
    let purchases = world.purchases.posterior(&likelihood, &asked, &()).unwrap().unwrap();
    let likelihood = GammaGammaModel.likelihood(&world.data.frequency, &world.data.monetary_value).unwrap();
    let spends = world.spend.posterior(&likelihood, &asked, &()).unwrap().unwrap();
    for (params, spend) in purchases.draws.iter().zip(&spends.draws) {
        for (drawn, &i) in drawn.iter_mut().zip(&customers) {
            let weeks = |days: u32| Unit::Week.of_days(days);
            let (x, t) = (world.data.frequency[i], weeks(world.data.t_days[i]));
            let (_, discounted) = schedule.evaluate(params, x, t);
            let alive = params.p_alive(x, weeks(world.data.recency_days[i]), t);
            drawn.push(discounted * alive * spend.expected_spend(x, world.data.monetary_value[i]));
        }
    }
    let mut worst: f64 = 0.0;
    for (mut drawn, &i) in drawn.into_iter().zip(&customers) {
        drawn.sort_by(f64::total_cmp);
        let (low, high) = (drawn[draws as usize / 40], drawn[draws as usize - draws as usize / 40]);
        let (lower, upper) = (column(&value, "clv_mean_lower")[i], column(&value, "clv_mean_upper")[i]);
        let width = (high / low).ln();
        worst = worst.max(((lower / low).ln() / width).abs()).max(((upper / high).ln() / width).abs());
    }
    // Both ends within 8 % of the interval's width, on the logarithmic scale.
    assert!(worst < 0.08, "{worst}");
}

/// Many steps by interpolation in time against the plain sum over them.
#[test]
fn interpolation_in_time_is_exact_enough() {
    let params = world().purchases.params.unwrap();
    for (horizon, discount) in
        [("365d", "10%/yr"), ("520w", "0.2%/w"), ("20yr", "10%/yr"), ("36.5mo", "1%/mo")]
    {
        let options = options(horizon, discount);
        let steps = Schedule::steps(&options, Unit::Week);
        for (points, tolerance) in [(MOST_POINTS, 1e-9), (POINTS_OF_DERIVATIVES, 2e-2)] {
            let few = steps.clone().at_most(points, params.alpha);
            assert!(few.points.len() <= points);
            for (x, t) in [(0, 0.0), (0, 38.0), (3, 10.0), (29, 77.9)] {
                let (want, got) = (steps.evaluate(&params, x, t), few.evaluate(&params, x, t));
                assert_eq!(want.0, got.0);
                assert!((got.1 / want.1 - 1.0).abs() < tolerance, "{horizon} {x} {t} {want:?} {got:?}");
            }
        }
    }
}

#[test]
fn values_do_not_depend_on_threads() {
    let world = world();
    let options = options("12mo", "10%/yr");
    let base = with_threads(1, || world.value(&options)).unwrap();
    for threads in [2, 3] {
        let value = with_threads(threads, || world.value(&options)).unwrap();
        assert_eq!((value.columns, value.clv), (base.columns.clone(), base.clv));
    }
}

#[test]
fn what_is_not_usable_is_left_out_with_a_warning() {
    let mut world = world();
    let options = options("12mo", "1%/mo");
    let World { data, patterns, purchases, .. } = &world;
    let alone = customer_value(patterns, &data.monetary_value, purchases, None, &options, &()).unwrap();
    assert_eq!(alone.columns.len(), 2);
    assert!(alone.warnings.is_empty() && alone.clv.is_none());
    world.spend = GammaGammaModel.fit(&[0], &[0.0], &()).unwrap();
    let value = world.value(&options);
    assert_eq!(value.columns.len(), 2);
    assert!(value.warnings[0].contains("no repeat spend"), "{:?}", value.warnings);
    let nobody = Patterns::from_days(&[0], &[0], &[9]).unwrap();
    world.purchases = BgNbdModel.fit(&nobody, Unit::Week, &()).unwrap();
    assert!(matches!(world.purchases.report.verdict, Verdict::Boundary { .. }));
    let value = world.value(&options);
    assert!(value.columns.is_empty());
    assert!(value.warnings[0].contains("no repeat purchases"), "{:?}", value.warnings);
    let wrong = ValueOptions { margin: f64::NAN, ..options };
    let World { data, patterns, purchases, .. } = &world;
    assert!(customer_value(patterns, &data.monetary_value, purchases, None, &wrong, &()).is_err());
}

/// Values of any model are the scores that its formulas give one by one, and their intervals hold them.
#[test]
fn every_model_has_values() {
    let world = world();
    let options = options("12mo", "10%/yr");
    let World { data, patterns, spend, .. } = &world;
    let days = |column: &[u32]| column.iter().map(|&d| f64::from(d)).collect();
    let statistics = Statistics {
        frequency: data.frequency.clone(),
        recency_days: days(&data.recency_days),
        t_days: days(&data.t_days),
        monetary_value: data.monetary_value.clone(),
    };
    for name in ModelName::ALL {
        let fit = PurchaseFit::new(name, patterns, Unit::Week, &()).unwrap();
        let value = with_fit!(&fit, fit => {
            customer_value(patterns, &data.monetary_value, fit, Some(spend), &options, &()).unwrap()
        });
        let scores = Scorer::new(fit.model().unwrap(), spend.params.as_ref(), options)
            .score(&statistics, &())
            .unwrap();
        for (column_of, want) in [
            ("p_alive", &scores.p_alive),
            ("expected_transactions", &scores.expected_transactions),
            ("expected_spend", &scores.expected_spend),
            ("clv", &scores.clv),
        ] {
            let same = |(got, want): (&f64, &f64)| (got - want).abs() <= 1e-12 * want.abs();
            assert!(column(&value, column_of).iter().zip(want).all(same), "{name} {column_of}");
        }
        let total = value.clv.unwrap();
        assert!(total.mean_lower < total.value && total.value < total.mean_upper, "{name} {total:?}");
        assert!(total.mean_upper / total.mean_lower < 1.5, "{name} {total:?}");
    }
}
