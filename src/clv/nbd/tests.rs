//! NBD against independently computed numbers, the models that nest it, and known parameters.

use super::likelihood::Likelihood;
use super::*;
use crate::clv::model::LogLikelihood;
use crate::clv::model::Verdict;
use crate::clv::pattern::Patterns;
use crate::clv::test_data::{Data, sample};
use crate::clv::test_purchases::{check_derivatives, close, patterns_of, world, worlds};
use crate::clv::{BgNbd, MbgNbd};
use proptest::prelude::*;

fn patterns(data: &Data) -> Patterns {
    Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap()
}

/// CDNOW sample, calibration to 1997-09-30, weeks: the optimum of an independent implementation.
const SAMPLE: Nbd = Nbd { r: 0.384766, alpha: 12.072023, unit: Unit::Week };

#[test]
fn the_cdnow_sample() {
    let report = NbdModel.fit(&patterns(&sample()), Unit::Week, &()).unwrap().report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    assert!(report.gradient_norm < 1e-9 && report.hessian_eigenvalues[0] > 0.0, "{report:?}");
    let got = report.log_likelihood.unwrap();
    assert!((got + 9763.657615).abs() < 1e-3, "{got}");
    for (parameter, want) in report.parameters.iter().zip(SAMPLE.natural()) {
        close(parameter.name, parameter.estimate, want, 1e-3);
        assert!(parameter.standard_error.unwrap() > 0.0);
    }
}

/// With hardly any dropout the other two say what NBD says.
#[test]
fn it_is_nested() {
    let Nbd { r, alpha, unit } = SAMPLE;
    let (a, b) = (1e-12, 3.0);
    let (bg, mbg) = (BgNbd { r, alpha, a, b, unit }, MbgNbd { r, alpha, a, b, unit });
    for (x, t_x, t) in [(0, 0.0, 38.86), (2, 30.43, 38.86), (26, 30.9, 31.0)] {
        let log = SAMPLE.log_likelihood(x, t_x, t);
        close("log-likelihood", bg.log_likelihood(x, t_x, t), log, 1e-9);
        close("log-likelihood", mbg.log_likelihood(x, t_x, t), log, 1e-9);
        let orders = SAMPLE.conditional_expected(x, t_x, t, 39.0);
        close("orders", bg.conditional_expected(x, t_x, t, 39.0), orders, 1e-9);
        close("orders", mbg.conditional_expected(x, t_x, t, 39.0), orders, 1e-9);
        close("DERT", bg.dert(x, t_x, t, 0.0027), SAMPLE.dert(x, t_x, t, 0.0027), 1e-8);
        close("P(X = x)", bg.pmf(x, t), SAMPLE.pmf(x, t), 1e-9);
    }
}

#[test]
fn likelihoods_of_customers_add_up() {
    let data = sample();
    let likelihood = Likelihood::new(&patterns(&data), Unit::Week);
    let sum: f64 = (0..data.frequency.len())
        .map(|i| SAMPLE.log_likelihood(data.frequency[i], 0.0, Unit::Week.of_days(data.t_days[i])))
        .sum();
    close("log-likelihood", -likelihood.mean_loss(&SAMPLE.scale_free()).value * 2357.0, sum, 1e-11);
}

proptest! {
    #[test]
    fn derivatives_match_differences((customers, theta) in worlds()) {
        let likelihood = Likelihood::new(&patterns_of(&customers), Unit::Week);
        check_derivatives(|theta| likelihood.mean_loss(theta), &theta[..2]);
    }
}

#[test]
fn known_parameters_are_recovered() {
    for (seed, truth) in [(1, SAMPLE), (2, Nbd { r: 3.0, alpha: 20.0, unit: Unit::Week })] {
        let (x, t_x, t) = world::<Nbd>([truth.r, truth.alpha, 1.0, 1.0], 40_000, seed);
        let fit = NbdModel.fit(&Patterns::from_times(&x, &t_x, &t).unwrap(), Unit::Week, &()).unwrap();
        assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum);
        for (parameter, truth) in fit.report.parameters.iter().zip(truth.natural()) {
            let z = (parameter.estimate - truth) / parameter.standard_error.unwrap();
            assert!(z.abs() < 3.5, "{seed} {parameter:?} {truth}");
        }
    }
}

#[test]
fn degenerate_histories_are_named() {
    let verdict = |customers: &[(u32, u32, u32)]| {
        NbdModel.fit(&patterns_of(customers), Unit::Week, &()).unwrap().report.verdict
    };
    let name = |customers: &[(u32, u32, u32)]| match verdict(customers) {
        Verdict::Boundary { name, .. } => name,
        other => panic!("{other:?}"),
    };
    assert!(matches!(verdict(&[]), Verdict::Failed { .. }));
    assert_eq!(name(&[(0, 0, 50), (0, 0, 0)]), "no repeat purchases");
    assert_eq!(name(&[(0, 0, 0)]), "no time observed");
    let even: Vec<_> = (0..200).map(|i| (10, 200 + i % 60, 300)).collect();
    assert_eq!(name(&even), "homogeneous purchase rates");
    let few: Vec<_> = (0..20_000).map(|i| if i == 0 { (90, 360, 364) } else { (0, 0, 364) }).collect();
    assert_eq!(name(&few), "purchase rates beyond a gamma distribution");
}
