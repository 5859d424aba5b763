//! Gamma-Gamma against published and independently computed numbers, brute force, and itself.

use super::likelihood::Likelihood;
use super::*;
use crate::clv::model::{Fit, LogLikelihood, Verdict};
use crate::clv::test_data::{Data, sample, whole_log};
use crate::parallel::with_threads;
use crate::random::{Purpose, Stream, hash_integer};
use proptest::prelude::*;

#[track_caller]
fn close(what: impl std::fmt::Display, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() <= tolerance, "{what}: {got:e} for {want:e}");
}

fn fitted(data: &Data) -> Fit<GammaGamma> {
    GammaGammaModel.fit(&data.frequency, &data.monetary_value, &()).unwrap()
}

/// Log-likelihood to 1e-3, parameters to 1e-3, standard errors to 1 %.
#[track_caller]
fn check_fit(fit: &Fit<GammaGamma>, want: [(f64, f64); 3], log_likelihood: f64) {
    let report = &fit.report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    assert!(report.gradient_norm < 1e-9, "{report:?}");
    let got = report.log_likelihood.unwrap();
    assert!((got - log_likelihood).abs() < 1e-3, "{got}");
    for (parameter, (estimate, error)) in report.parameters.iter().zip(want) {
        close(parameter.name, parameter.estimate, estimate, 1e-3);
        close(parameter.name, parameter.standard_error.unwrap(), error, 0.01);
    }
}

/// The 946 repeaters of the CDNOW sample, by an independent implementation (Fader and Hardie 2013 print 6.25, 3.74,
/// 15.44).
#[test]
fn the_cdnow_sample() {
    let data = sample();
    let fit = fitted(&data);
    assert_eq!(fit.report.customers, 946);
    assert_eq!(fit.report.set_aside.len(), 1);
    assert_eq!(fit.report.set_aside[0].customers, 2357 - 946);
    let want = [(6.249572, 1.190), (3.744225, 0.2901), (15.443522, 4.159)];
    check_fit(&fit, want, -4055.917695);
    let repeaters: Vec<f64> =
        (0..2357).filter(|&i| data.frequency[i] > 0).map(|i| data.monetary_value[i]).collect();
    close("mean repeat spend", repeaters.iter().sum::<f64>() / 946.0, 35.078, 2e-5);
}

/// The whole log: 11,515 of 11,516 repeaters, one has mean 0.
#[test]
fn the_whole_cdnow_log() {
    let fit = fitted(&whole_log());
    assert_eq!(fit.report.customers, 11_515);
    assert_eq!(fit.report.set_aside[1].customers, 1);
    let want = [(5.08604394, 0.2568), (3.99512073, 0.0870), (21.25223802, 1.527)];
    check_fit(&fit, want, -49496.524204);
}

/// Expected spend of the sample's first ten customers at (6.25, 3.74, 15.44), by an independent implementation.
#[test]
fn expected_spends() {
    let params = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
    let data = sample();
    let want = [
        24.6596129, 18.9168521, 35.2189781, 35.2189781, 35.2189781, 71.4710153, 18.9168521, 35.2189781,
        27.2883858, 35.2189781,
    ];
    for (i, want) in want.into_iter().enumerate() {
        close(i + 1, params.expected_spend(data.frequency[i], data.monetary_value[i]), want, 3e-9);
    }
}

/// The expectation by drawing nothing: the posterior of ν integrated numerically.
#[test]
fn expected_spend_matches_integration() {
    let params = GammaGamma { p: 2.5, q: 1.8, gamma: 7.0 };
    for (x, mean) in [(0u32, 0.0), (1, 12.0), (6, 3.0)] {
        let n = f64::from(x);
        let (shape, rate) = (params.q + params.p * n, params.gamma + n * mean);
        let (mut weights, mut total) = (0.0, 0.0);
        for i in -1500..300 {
            let y = f64::from(i) * 0.05;
            let weight = (shape * y - rate * y.exp()).exp();
            weights += weight;
            total += weight * params.p / y.exp();
        }
        close(x, params.expected_spend(x, mean), total / weights, 1e-10);
    }
}

#[test]
fn the_mean_is_never_negative() {
    for p in [1e-3, 0.5, 6.25, 1e4] {
        for q in [1e-3, 0.5, 1.0, 1.0 + 1e-12, 1.5, 4.0, 1e5] {
            for x in [0u32, 1, 2, 50, 100_000] {
                for mean in [-20.0, 0.0, 1e-9, 35.0, 1e9] {
                    let params = GammaGamma { p, q, gamma: 15.0 };
                    let spend = params.expected_spend(x, mean);
                    assert!(spend > 0.0, "{params:?} {x} {mean} {spend}");
                    assert_eq!(spend.is_infinite(), p * f64::from(x) + q - 1.0 <= 0.0);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn derivatives_match_differences(
        customers in prop::collection::vec((1u32..40, 0.01..500.0f64), 1..40),
        theta in [0.0..6.0f64, -3.0..4.0f64, -3.0..4.0f64],
    ) {
        let likelihood = Likelihood::new(customers.clone());
        let at = likelihood.mean_loss(&theta);
        let params = GammaGamma { p: 1.0, q: 1.0, gamma: 1.0 }.with_scale_free(&theta);
        // Compared by the size of the terms: patterns need not be in order for the sum.
        let sum: f64 = customers.iter().map(|&(x, mean)| params.log_likelihood(x, mean)).sum();
        // The value is a difference of terms as large as p·x·ln(p·x), which is what rounding is relative to.
        let terms = customers.iter().map(|c| f64::from(c.0)).sum::<f64>() / customers.len() as f64;
        let scale = at.value.abs() + 1.0 + params.p * terms;
        prop_assert!((at.value + sum / customers.len() as f64).abs() < 1e-10 * scale);
        let h = 1e-4;
        for i in 0..3 {
            let moved = |by: f64| {
                let mut theta = theta;
                theta[i] += by * h;
                likelihood.mean_loss(&theta)
            };
            let (a, b, c, d) = (moved(-2.0), moved(-1.0), moved(1.0), moved(2.0));
            let slope = |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
            let got = slope(a.value, b.value, c.value, d.value);
            prop_assert!((got - at.gradient[i]).abs() < 2e-9 * scale, "gradient {i}: {got} {}", at.gradient[i]);
            for j in 0..3 {
                let got = slope(a.gradient[j], b.gradient[j], c.gradient[j], d.gradient[j]);
                let want = at.hessian[(i, j)];
                let scale = scale + at.gradient[j].abs();
                prop_assert!((got - want).abs() < 1e-8 * scale, "hessian {i} {j}: {got} {want}");
            }
        }
        let spend = |theta: &[f64]| params.with_scale_free(theta).expected_spend(3, 20.0).ln();
        if params.q > 1.1 {
            for (i, got) in params.ln_spend_gradient(3, 20.0).into_iter().enumerate() {
                let (mut low, mut high) = (theta, theta);
                low[i] -= h;
                high[i] += h;
                prop_assert!((got - (spend(&high) - spend(&low)) / (2.0 * h)).abs() < 1e-5 * (1.0 + got.abs()));
            }
        }
    }
}

#[test]
fn known_parameters_are_recovered() {
    for (seed, truth) in
        [(1, GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 }), (2, GammaGamma { p: 1.2, q: 2.5, gamma: 60.0 })]
    {
        let (mut frequency, mut spend) = (Vec::new(), Vec::new());
        for customer in 0..30_000 {
            let mut stream = Stream::new(seed, hash_integer(customer), 0, Purpose::Spend);
            let x = (1.0 + 4.0 * stream.exponential()) as u32;
            let rate = stream.gamma(truth.q) / truth.gamma;
            frequency.push(x);
            spend.push(stream.gamma(truth.p * f64::from(x)) / rate / f64::from(x));
        }
        let fit = GammaGammaModel.fit(&frequency, &spend, &()).unwrap();
        assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum);
        assert!(fit.report.warnings.is_empty());
        for (parameter, truth) in fit.report.parameters.iter().zip(truth.natural()) {
            let z = (parameter.estimate - truth) / parameter.standard_error.unwrap();
            assert!(z.abs() < 3.5, "{seed} {parameter:?} {truth}");
        }
    }
}

#[test]
fn fits_do_not_depend_on_threads_or_order() {
    let mut data = whole_log();
    let base = with_threads(1, || fitted(&data)).unwrap().report;
    for threads in [2, 3] {
        assert_eq!(with_threads(threads, || fitted(&data)).unwrap().report, base);
    }
    data.frequency.reverse();
    data.monetary_value.reverse();
    let reversed = fitted(&data).report;
    assert_eq!((reversed.parameters, reversed.log_likelihood), (base.parameters, base.log_likelihood));
}

#[test]
fn degenerate_spends_are_named() {
    let name = |frequency: &[u32], spend: &[f64]| {
        let fit = GammaGammaModel.fit(frequency, spend, &()).unwrap();
        assert_eq!(fit.params.is_some(), fit.report.verdict.is_usable());
        match fit.report.verdict {
            Verdict::Boundary { name, usable, .. } => (name, usable),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(name(&[0, 0, 2], &[0.0, 0.0, 0.0]), ("no repeat spend", false));
    assert_eq!(name(&[], &[]), ("no repeat spend", false));
    // Everybody always spends the same.
    assert!(name(&[1, 2, 3, 4], &[10.0; 4]).1);
    // One customer.
    name(&[3], &[20.0]);
    // Spend so spread that it has no mean: e^(10 z) over customers.
    let mut stream = Stream::new(1, 0, 0, Purpose::Spend);
    let spread: Vec<f64> = (0..500).map(|_| (10.0 * stream.normal()).exp()).collect();
    assert_eq!(name(&[4; 500], &spread), ("infinite mean spend", false));
    assert!(GammaGammaModel.fit(&[1], &[f64::NAN], &()).is_err());
    assert!(GammaGammaModel.fit(&[1, 2], &[1.0], &()).is_err());
}

#[test]
fn the_independence_assumption_is_checked() {
    let data = sample();
    let correlation = frequency_spend_correlation(&data.frequency, &data.monetary_value).unwrap();
    assert_eq!(correlation.customers, 946);
    assert!(correlation.lower < correlation.value && correlation.value < correlation.upper);
    let frequency: Vec<u32> = (0..400).map(|i| 1 + i % 20).collect();
    let grows: Vec<f64> = frequency.iter().map(|&x| 5.0 + f64::from(x * x)).collect();
    let warning = frequency_spend_correlation(&frequency, &grows).unwrap().warning().unwrap();
    assert!(warning.contains("understated"), "{warning}");
    assert!(frequency_spend_correlation(&[1, 1, 1, 1, 1], &[1.0, 2.0, 3.0, 4.0, 5.0]).is_none());
}

#[test]
fn every_small_world_ends_in_a_verdict() {
    for seed in 0..300u64 {
        let mut stream = Stream::new(98, seed, 0, Purpose::Sample);
        let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
        let theta = [between(-2.0, 6.0), between(-2.0, 4.0), between(-0.5, 4.0)];
        let size = between(0.0, 6.0).exp() as u64;
        let truth = GammaGamma { p: 1.0, q: 1.0, gamma: 1.0 }.with_scale_free(&theta);
        let (mut frequency, mut spend) = (Vec::new(), Vec::new());
        for customer in 0..size {
            let mut stream = Stream::new(seed, hash_integer(customer), 0, Purpose::Spend);
            let x = (1.0 + 2.0 * stream.exponential()) as u32;
            let rate = stream.gamma(truth.q) / truth.gamma;
            frequency.push(x);
            spend.push(stream.gamma(truth.p * f64::from(x)) / rate / f64::from(x));
        }
        let fit = GammaGammaModel.fit(&frequency, &spend, &()).unwrap();
        let report = &fit.report;
        assert!(!matches!(report.verdict, Verdict::Failed { .. }), "{seed} {truth:?} {report:?}");
        if let (Some(params), Some(log)) = (fit.params, report.log_likelihood) {
            let at_truth: f64 =
                frequency.iter().zip(&spend).map(|(&x, &mean)| truth.log_likelihood(x, mean)).sum();
            assert!(log >= at_truth - 1e-6, "{seed} {truth:?} {report:?}");
            assert!(params.expected_spend(0, 0.0).is_finite());
        }
    }
}

/// Customers with millions of orders, amounts all but equal, customers all but alike: 60-digit arithmetic of equation 1a,
/// and of its derivatives by p and gamma.
#[test]
fn huge_counts_and_shapes_lose_no_digits() {
    for ([p, q, gamma], x, mean, want) in [
        ([6.25, 3.74, 15.44], 4_000_000, 35.2, -4.005_750_395_067_02),
        ([1e6, 2.5, 4e-5], 3_000_000, 29.9, -4.292_781_558_716_981),
        ([6.25, 1e6, 4e6], 2, 35.2, -4.046_650_564_157_927),
        ([0.5, 0.75, 20.0], 1, 1e-12, 11.443_726_690_409_407),
    ] {
        close(format!("{p} {x}"), GammaGamma { p, q, gamma }.log_likelihood(x, mean), want, 1e-9);
    }
    let likelihood = GammaGammaModel.likelihood(&[5_000_000, 2_000], &[20.0, 11.5]).unwrap();
    let params = GammaGamma { p: 255.5, q: 3.0, gamma: 0.137 };
    let loss = likelihood.mean_loss(&params.scale_free());
    let (by_p, by_gamma) = (255.5 * 0.004_720_334_968_591_715, 0.137 * 8.803_231_024_690_472);
    close("mean spend", -2.0 * loss.gradient[0], by_gamma, 1e-9);
    close("p", -2.0 * loss.gradient[1], by_p - by_gamma, 1e-7);
}
