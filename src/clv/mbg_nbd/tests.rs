//! MBG/NBD against independently computed numbers, known parameters and named boundaries.

use super::*;
use crate::clv::beta_geometric::likelihood::Likelihood;
use crate::clv::model::Verdict;
use crate::clv::test_data::{Data, sample, whole_log};
use crate::clv::test_purchases::{check_derivatives, close, patterns_of, world, worlds};
use crate::parallel::with_threads;
use crate::random::{Purpose, Stream};
use proptest::prelude::*;

fn patterns(data: &Data) -> Patterns {
    Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap()
}

/// CDNOW sample, calibration to 1997-09-30, weeks: the optimum of an independent implementation, found from the raw log.
const SAMPLE: MbgNbd =
    MbgNbd { r: 0.5248432, alpha: 6.1830853, a: 0.8913594, b: 1.6140022, unit: Unit::Week };

/// Log-likelihood to 1e-3, r and alpha to 1e-3, the flat a and b to 1e-2, standard errors to 1 %.
#[test]
fn the_cdnow_sample() {
    let fit = MbgNbdModel.fit(&patterns(&sample()), Unit::Week, &()).unwrap();
    let report = &fit.report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    assert!(report.gradient_norm < 1e-9 && report.hessian_eigenvalues[0] > 0.0, "{report:?}");
    assert_eq!((report.customers, report.patterns), (2357, 1016));
    let got = report.log_likelihood.unwrap();
    assert!((got + 9582.135716).abs() < 1e-3, "{got}");
    let errors = [0.0833, 0.6956, 0.1548, 0.5375];
    for (((parameter, want), error), tolerance) in
        report.parameters.iter().zip(SAMPLE.natural()).zip(errors).zip([1e-3, 1e-3, 1e-2, 1e-2])
    {
        close(parameter.name, parameter.estimate, want, tolerance);
        close(parameter.name, parameter.standard_error.unwrap(), error, 0.01);
    }
}

/// In days alpha is seven times as large and each purchase costs ln 7 of log-likelihood.
#[test]
fn days_instead_of_weeks() {
    let patterns = patterns(&sample());
    let fit = |unit| MbgNbdModel.fit(&patterns, unit, &()).unwrap();
    let (weeks, days) = (fit(Unit::Week), fit(Unit::Day));
    close("alpha", days.params.unwrap().alpha, 7.0 * weeks.params.unwrap().alpha, 1e-7);
    let log = |fit: Fit<MbgNbd>| fit.report.log_likelihood.unwrap();
    assert!((log(days) - log(weeks) + patterns.total_frequency() * 7f64.ln()).abs() < 1e-6);
}

/// P(alive) and expected purchases in 39 weeks of a customer by an independent implementation.
#[test]
fn expectations_of_a_customer() {
    let (x, t_x, t) = (1, 12.0 / 7.0, 272.0 / 7.0);
    close("P(alive)", SAMPLE.p_alive(x, t_x, t), 0.170951068, 1e-6);
    close("orders", SAMPLE.conditional_expected(x, t_x, t, 39.0), 0.188944891, 1e-6);
}

/// One who never came back may have left: at once with probability a/(a + b), and ever more surely.
#[test]
fn one_without_repeat_purchases_may_have_left() {
    close("new", SAMPLE.p_alive(0, 0.0, 0.0), SAMPLE.b / (SAMPLE.a + SAMPLE.b), 1e-15);
    close(
        "new",
        SAMPLE.expected(52.0),
        SAMPLE.expected_if_alive(0, 0.0, 52.0) * SAMPLE.p_alive(0, 0.0, 0.0),
        1e-15,
    );
    let mut last = 1.0;
    for t in [0.0, 1.0, 10.0, 100.0, 1e4] {
        let alive = SAMPLE.p_alive(0, 0.0, t);
        assert!(alive < last, "{t}: {alive}");
        last = alive;
    }
    // BG/NBD says 1 of all of them: .81 on average on the sample, against .45 here.
    let data = sample();
    let mean = (0..data.frequency.len())
        .map(|i| {
            let weeks = |days: u32| Unit::Week.of_days(days);
            SAMPLE.p_alive(data.frequency[i], weeks(data.recency_days[i]), weeks(data.t_days[i]))
        })
        .sum::<f64>()
        / data.frequency.len() as f64;
    assert!((mean - 0.45).abs() < 0.01, "{mean}");
}

#[test]
fn likelihoods_of_customers_add_up() {
    let data = sample();
    let patterns = patterns(&data);
    let likelihood = Likelihood::new(&patterns, Unit::Week, FIRST_CHANCE);
    for params in [SAMPLE, MbgNbd { r: 3e4, alpha: 2e5, a: 1e-3, b: 40.0, unit: Unit::Week }] {
        let sum: f64 = (0..data.frequency.len())
            .map(|i| {
                let weeks = |days: u32| Unit::Week.of_days(days);
                params.log_likelihood(data.frequency[i], weeks(data.recency_days[i]), weeks(data.t_days[i]))
            })
            .sum();
        close("log-likelihood", -likelihood.mean_loss(&params.scale_free()).value * 2357.0, sum, 1e-11);
    }
}

proptest! {
    #[test]
    fn derivatives_match_differences((customers, theta) in worlds()) {
        let patterns = patterns_of(&customers);
        let likelihood = Likelihood::new(&patterns, Unit::Week, FIRST_CHANCE);
        check_derivatives(|theta| likelihood.mean_loss(theta), &theta);
    }
}

#[test]
fn known_parameters_are_recovered() {
    for (seed, truth) in [(1, SAMPLE), (2, MbgNbd { r: 1.5, alpha: 10.0, a: 0.6, b: 3.0, unit: Unit::Week })]
    {
        let (x, t_x, t) = world::<MbgNbd>([truth.r, truth.alpha, truth.a, truth.b], 40_000, seed);
        let fit = MbgNbdModel.fit(&Patterns::from_times(&x, &t_x, &t).unwrap(), Unit::Week, &()).unwrap();
        assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum);
        for (parameter, truth) in fit.report.parameters.iter().zip(truth.natural()) {
            let z = (parameter.estimate - truth) / parameter.standard_error.unwrap();
            assert!(z.abs() < 3.5, "{seed} {parameter:?} {truth}");
        }
    }
}

#[test]
fn fits_do_not_depend_on_threads() {
    let patterns = patterns(&whole_log());
    let fit = |threads| {
        with_threads(threads, || MbgNbdModel.fit(&patterns, Unit::Week, &()).unwrap().report).unwrap()
    };
    assert_eq!(fit(1), fit(3));
}

fn verdict(customers: &[(u32, u32, u32)]) -> Verdict {
    let fit = MbgNbdModel.fit(&patterns_of(customers), Unit::Week, &()).unwrap();
    assert_eq!(fit.params.is_some(), fit.report.verdict.is_usable());
    if let Some(params) = fit.params {
        let expected = params.expected(52.0);
        assert!(expected.is_finite() && expected >= 0.0, "{:?}", fit.report);
    }
    fit.report.verdict
}

#[track_caller]
fn assert_boundary(verdict: &Verdict, expected: &str, is_usable: bool) {
    let Verdict::Boundary { name, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(*name, expected, "{verdict:?}");
    assert_eq!(verdict.is_usable(), is_usable);
}

#[test]
fn degenerate_histories_are_named() {
    assert!(matches!(verdict(&[]), Verdict::Failed { .. }));
    assert_boundary(&verdict(&[(0, 0, 50), (0, 0, 0)]), "no repeat purchases", false);
    assert_boundary(&verdict(&[(0, 0, 0), (0, 0, 0)]), "no time observed", false);
    // Everybody buys all the time to the last day: nobody leaves.
    let loyal: Vec<_> = (0..200).map(|i| (5 + i % 30, 363, 364)).collect();
    assert_boundary(&verdict(&loyal), "no dropout detectable", true);
    // Counts less spread than Poisson.
    let even: Vec<_> = (0..200).map(|i| (10, 200 + i % 60, 300)).collect();
    assert_boundary(&verdict(&even), "homogeneous purchase rates", true);
    // Half never come back, the others buy to the last day.
    let split: Vec<_> =
        (0..400).map(|i| if i % 2 == 0 { (0, 0, 364) } else { (20 + i % 30, 363, 364) }).collect();
    assert_boundary(&verdict(&split), "dropout all or nothing", true);
    assert!(!matches!(verdict(&[(3, 40, 50)]), Verdict::Failed { .. }));
}

/// Small and large worlds from all over the parameters: each fit ends in a verified optimum or a named boundary, at
/// least as high as the truth.
#[test]
fn every_small_world_ends_in_a_verdict() {
    let mut verified = 0;
    for seed in 0..200u64 {
        let mut stream = Stream::new(98, seed, 0, Purpose::Sample);
        let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
        let theta = [between(-5.0, 0.5), between(-2.5, 2.5), between(-5.0, 2.0), between(-2.0, 3.0)];
        let size = between(1.0, 7.0).exp() as u64;
        let truth = SAMPLE.with_scale_free(&theta);
        let (x, t_x, t) = world::<MbgNbd>([truth.r, truth.alpha, truth.a, truth.b], size, seed);
        let patterns = Patterns::from_times(&x, &t_x, &t).unwrap();
        let fit = MbgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
        let report = &fit.report;
        assert!(!matches!(report.verdict, Verdict::Failed { .. }), "{seed} {truth:?} {report:?}");
        verified += u32::from(report.verdict == Verdict::VerifiedOptimum);
        if let (Some(params), Some(log)) = (fit.params, report.log_likelihood) {
            let likelihood = Likelihood::new(&patterns, Unit::Week, FIRST_CHANCE);
            let at_truth = -likelihood.mean_loss(&theta).value * size as f64;
            assert!(log >= at_truth - 1e-6, "{seed} {truth:?} {report:?}");
            assert!(params.expected(52.0).is_finite());
        }
    }
    assert!(verified > 60, "{verified}");
}
