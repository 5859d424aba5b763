//! Fits of BG/BB: known parameters are found again, every end is a named one, and draws of the parameters agree with the
//! information at the maximum.

use super::super::likelihood::Likelihood;
use super::super::*;
use super::{OPTIMUM, donations, opportunities};
use crate::clv::model::{Fit, LogLikelihood, Verdict};
use crate::clv::{PosteriorOptions, Prior, Trust};
use crate::parallel::with_threads;
use crate::random::{Purpose, Stream, hash_integer};

/// Customers from known parameters, drawn one opportunity at a time: no code is shared with the model.
fn world(params: &BgBb, customers: u64, longest: u32, seed: u64) -> Vec<(u32, u32, u32)> {
    (0..customers)
        .map(|customer| {
            let mut stream = Stream::new(seed, hash_integer(customer), 0, Purpose::Synth);
            let p = stream.beta(params.alpha, params.beta);
            let theta = stream.beta(params.gamma, params.delta);
            let n = 3.min(longest) + (f64::from(longest.saturating_sub(2)) * stream.uniform()) as u32;
            let (mut x, mut t_x) = (0, 0);
            for opportunity in 1..=n {
                if stream.uniform() < theta {
                    break;
                }
                if stream.uniform() < p {
                    (x, t_x) = (x + 1, opportunity);
                }
            }
            (x, t_x, n)
        })
        .collect()
}

#[test]
fn known_parameters_are_recovered() {
    for (seed, truth) in [
        (1, OPTIMUM),
        (2, BgBb { alpha: 0.5, beta: 2.0, gamma: 0.4, delta: 1.5 }),
        (3, BgBb { alpha: 3.0, beta: 2.0, gamma: 1.5, delta: 12.0 }),
    ] {
        let fit = BgBbModel.fit(&opportunities(&world(&truth, 30_000, 10, seed)), &()).unwrap();
        assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum, "{:?}", fit.report);
        for (parameter, truth) in fit.report.parameters.iter().zip(truth.natural()) {
            let z = (parameter.estimate - truth) / parameter.standard_error.unwrap();
            assert!(z.abs() < 3.5, "{seed} {parameter:?} {truth}");
        }
    }
}

/// Small and large worlds from all over the parameters: each fit ends in a verified optimum or a named boundary, at
/// least as high as the truth.
#[test]
fn every_small_world_ends_in_a_verdict() {
    let mut verified = 0;
    for seed in 0..150u64 {
        let mut stream = Stream::new(99, seed, 0, Purpose::Sample);
        let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
        let theta = [between(-3.0, 3.0), between(-2.0, 3.0), between(-5.0, 1.0), between(-2.0, 3.0)];
        let size = between(1.0, 7.5).exp() as u64;
        let longest = between(1.0, 15.0) as u32;
        let truth = OPTIMUM.with_scale_free(&theta);
        let customers = world(&truth, size, longest, seed);
        let data = opportunities(&customers);
        let fit = BgBbModel.fit(&data, &()).unwrap();
        let report = &fit.report;
        assert!(!matches!(report.verdict, Verdict::Failed { .. }), "{seed} {truth:?} {report:?}");
        verified += u32::from(report.verdict == Verdict::VerifiedOptimum);
        assert_eq!(fit.params.is_some(), report.verdict.is_usable());
        if let (Some(params), Some(log)) = (fit.params, report.log_likelihood) {
            let at_truth = -Likelihood::new(data.cells()).mean_loss(&theta).value * size as f64;
            assert!(log >= at_truth - 1e-6, "{seed} {truth:?} {report:?}");
            assert!(params.expected(52).is_finite() && params.dert(0, 0, 0, 0.1).is_finite());
            let covariance = fit.uncertainty.unwrap().covariance();
            assert!(covariance.is_finite(), "{seed} {covariance:?}");
        }
    }
    assert!(verified > 40, "{verified}");
}

#[test]
fn fits_do_not_depend_on_threads_or_order() {
    let mut customers = world(&OPTIMUM, 3_000, 30, 5);
    let fit = |customers: &[(u32, u32, u32)]| BgBbModel.fit(&opportunities(customers), &()).unwrap().report;
    let base = with_threads(1, || fit(&customers)).unwrap();
    for threads in [2, 3] {
        assert_eq!(with_threads(threads, || fit(&customers)).unwrap(), base);
    }
    customers.reverse();
    assert_eq!(fit(&customers), base);
}

fn fitted(customers: &[(u32, u32, u32)]) -> Fit<BgBb> {
    let fit = BgBbModel.fit(&opportunities(customers), &()).unwrap();
    assert_eq!(fit.params.is_some(), fit.report.verdict.is_usable());
    if let Some(params) = fit.params {
        let expected = params.expected(52);
        assert!(expected.is_finite() && expected >= 0.0, "{:?}", fit.report);
    }
    assert!(serde_json::to_string(&fit.report).unwrap().contains("BG/BB"));
    let nested = BetaBinomialModel.fit(&opportunities(customers), &()).unwrap();
    if let (Some(nested), Some(log)) = (nested.report.log_likelihood, fit.report.log_likelihood) {
        assert!(log >= nested - 1e-4, "{:?}", fit.report);
    }
    fit
}

#[track_caller]
fn assert_boundary(verdict: &Verdict, expected: &str, is_usable: bool) {
    let Verdict::Boundary { name, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(*name, expected, "{verdict:?}");
    assert_eq!(verdict.is_usable(), is_usable);
}

#[test]
fn degenerate_histories_are_named() {
    let verdict = |customers: &[(u32, u32, u32)]| fitted(customers).report.verdict;
    assert!(matches!(verdict(&[]), Verdict::Failed { .. }));
    assert_boundary(&verdict(&[(0, 0, 0), (0, 0, 0)]), "no opportunities observed", false);
    assert_boundary(&verdict(&[(0, 0, 5), (0, 0, 9), (0, 0, 0)]), "no repeat transactions", false);
    assert_boundary(&verdict(&[(1, 1, 2), (0, 0, 1), (1, 2, 2)]), "too few opportunities", false);
    // Everybody transacts every time.
    let all: Vec<_> = (0..200).map(|i| (3 + i % 5, 3 + i % 5, 3 + i % 5)).collect();
    assert_boundary(&verdict(&all), "a transaction at every opportunity", true);
    // At every opportunity, and then no more.
    let stop: Vec<_> = (0..200).map(|i| (i % 7, i % 7, 6)).collect();
    assert_boundary(&verdict(&stop), "a transaction at every opportunity", true);
    // All or none, for ever.
    let some: Vec<_> = (0..200).map(|i| if i % 2 == 0 { (0, 0, 6) } else { (6, 6, 6) }).collect();
    assert!(matches!(verdict(&some), Verdict::Boundary { .. }), "{:?}", verdict(&some));
    // The same number for all, to the end.
    let even: Vec<_> = (0..400).map(|i| (5, 9 + i % 2, 10)).collect();
    assert!(matches!(verdict(&even), Verdict::Boundary { .. }), "{:?}", verdict(&even));
    // One customer.
    assert!(!matches!(verdict(&[(3, 5, 8)]), Verdict::Failed { .. }));
    let mixed = fitted(&[world(&OPTIMUM, 500, 9, 4), vec![(0, 0, 0); 7]].concat()).report;
    assert_eq!((mixed.customers, mixed.set_aside[0].customers), (500, 7));
}

/// The draws of a well determined fit have its standard errors, and the likelihood that they rest on is the fit's.
#[test]
fn draws_follow_the_likelihood() {
    let data = donations();
    let options = PosteriorOptions { prior: Prior::Flat, draws: 400, seed: 1 };
    let fit = BgBbModel.fit(&data, &()).unwrap();
    let likelihood = BgBbModel.likelihood(&data);
    let theta = fit.params.unwrap().scale_free();
    assert!((likelihood.log_likelihood(&theta) - fit.report.log_likelihood.unwrap()).abs() < 1e-6);
    let posterior = fit.posterior(&likelihood, &options, &()).unwrap().unwrap();
    assert_eq!((posterior.draws.len(), posterior.report.fixed), (400, 0));
    assert_ne!(posterior.report.trust, Trust::Poor, "{:?}", posterior.report);
    let covariance = fit.uncertainty.unwrap().covariance();
    for (i, (mean, sd)) in posterior.report.scale_free.iter().enumerate() {
        let error = covariance[(i, i)].sqrt();
        assert!(
            (mean - theta[i]).abs() < 0.3 * error && (sd / error - 1.0).abs() < 0.25,
            "{i}: {mean} {sd} {error}"
        );
    }
    let fit = BetaBinomialModel.fit(&data, &()).unwrap();
    let likelihood = BetaBinomialModel.likelihood(&data);
    let theta = fit.params.unwrap().scale_free();
    assert!((likelihood.log_likelihood(&theta) - fit.report.log_likelihood.unwrap()).abs() < 1e-6);
    let posterior = fit.posterior(&likelihood, &options, &()).unwrap().unwrap();
    assert_eq!(posterior.report.trust, Trust::Good, "{:?}", posterior.report);
    // The weak prior is about probabilities and shapes, not about rates or money.
    let weak = PosteriorOptions { prior: Prior::Weak, ..options };
    let few = opportunities(&[(1, 2, 3), (0, 0, 3), (2, 3, 3), (3, 3, 3), (1, 1, 3), (0, 0, 3)]);
    let fit = BetaBinomialModel.fit(&few, &()).unwrap();
    if let Some(posterior) = fit.posterior(&BetaBinomialModel.likelihood(&few), &weak, &()).unwrap() {
        let (logit, sd) = posterior.report.scale_free[0];
        assert!(logit.abs() < 2.0 && sd < 2.5, "{logit} {sd}");
    }
}
