//! BG/NBD against published and independently computed numbers, brute force, and itself.

use super::*;
use crate::clv::beta_geometric::likelihood::Likelihood;
use crate::clv::model::Verdict;
use crate::clv::test_data::{Data, sample, whole_log};
use crate::clv::test_purchases::{check_derivatives, close, patterns_of, world, worlds};
use crate::clv::uncertainty::{PosteriorOptions, Prior};
use crate::parallel::with_threads;
use crate::random::{Purpose, Stream};
use crate::special::{logistic, softplus};
use proptest::prelude::*;

fn patterns(data: &Data) -> Patterns {
    Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap()
}

fn fitted(data: &Data, unit: Unit) -> Fit<BgNbd> {
    BgNbdModel.fit(&patterns(data), unit, &()).unwrap()
}

/// Checks a fit against (estimate, standard error) of r, alpha, a, b and the log-likelihood: log-likelihood to 1e-3,
/// r and alpha to 1e-3, the flat a and b to 1e-2, standard errors to 1 %.
#[track_caller]
fn check_fit(fit: &Fit<BgNbd>, want: [(f64, f64); 4], log_likelihood: f64) {
    let report = &fit.report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    assert!(report.gradient_norm < 1e-9, "{report:?}");
    assert!(report.hessian_eigenvalues[0] > 0.0);
    let got = report.log_likelihood.unwrap();
    assert!((got - log_likelihood).abs() < 1e-3, "{got}");
    for ((parameter, (estimate, error)), tolerance) in
        report.parameters.iter().zip(want).zip([1e-3, 1e-3, 1e-2, 1e-2])
    {
        close(parameter.name, parameter.estimate, estimate, tolerance);
        close(parameter.name, parameter.standard_error.unwrap(), error, 0.01);
    }
}

/// CDNOW sample, calibration to 1997-09-30, weeks: the optimum of an independent implementation, found from the raw
/// log (Fader, Hardie and Lee 2005 print .243, 4.414, .793, 2.426 and −9582.4).
const SAMPLE: BgNbd = BgNbd { r: 0.2425945, alpha: 4.4136020, a: 0.7929221, b: 2.4259070, unit: Unit::Week };
const PRINTED: BgNbd = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, unit: Unit::Week };

#[test]
fn the_cdnow_sample() {
    let data = sample();
    assert_eq!(data.frequency.len(), 2357);
    let fit = fitted(&data, Unit::Week);
    assert_eq!((fit.report.customers, fit.report.patterns), (2357, 1016));
    let want = [(0.2425945, 0.01256), (4.4136020, 0.37822), (0.7929221, 0.18573), (2.4259070, 0.70541)];
    check_fit(&fit, want, -9582.429207);
}

/// In days alpha is seven times as large and each purchase costs ln 7 of log-likelihood.
#[test]
fn days_instead_of_weeks() {
    let data = sample();
    let (weeks, days) = (fitted(&data, Unit::Week), fitted(&data, Unit::Day));
    let (w, d) = (weeks.params.unwrap(), days.params.unwrap());
    close("alpha", d.alpha, 7.0 * w.alpha, 1e-8);
    for (got, want) in [(d.r, w.r), (d.a, w.a), (d.b, w.b)] {
        close("shape", got, want, 1e-8);
    }
    let log = days.report.log_likelihood.unwrap();
    assert!((log + 14363.530443).abs() < 1e-3, "{log}");
    let purchases = patterns(&data).total_frequency();
    assert!((log - weeks.report.log_likelihood.unwrap() + purchases * 7f64.ln()).abs() < 1e-6);
}

/// The whole log to 1998-06-30, weeks: the optimum of an independent implementation.
#[test]
fn the_whole_cdnow_log() {
    let fit = fitted(&whole_log(), Unit::Week);
    let want = [(0.26712777, 0.003660), (5.98649178, 0.13716), (0.48351698, 0.02679), (2.11160839, 0.15437)];
    check_fit(&fit, want, -173425.916293);
}

#[test]
fn likelihoods_of_customers_add_up() {
    let data = sample();
    let patterns = patterns(&data);
    let likelihood = Likelihood::new(&patterns, Unit::Week, FIRST_CHANCE);
    for params in [SAMPLE, BgNbd { r: 3e4, alpha: 2e5, a: 1e-3, b: 40.0, unit: Unit::Week }] {
        let sum: f64 = (0..data.frequency.len())
            .map(|i| {
                let weeks = |days: u32| Unit::Week.of_days(days);
                params.log_likelihood(data.frequency[i], weeks(data.recency_days[i]), weeks(data.t_days[i]))
            })
            .sum();
        close("log-likelihood", -likelihood.mean_loss(&params.scale_free()).value * 2357.0, sum, 1e-11);
    }
}

/// E[X(t)] at the optimum by an independent implementation, 1e-6 relative.
#[test]
fn expectations_of_new_customers() {
    for (t, want) in [
        (1.0 / 7.0, 0.0078136679),
        (1.0, 0.0531842922),
        (3.0, 0.1506308409),
        (223.0 / 7.0, 1.040490098),
        (32.0, 1.043732026),
        (78.0, 1.857958317),
        (52.0, 1.444012357),
    ] {
        close(t, SAMPLE.expected(t), want, 1e-6);
    }
}

/// P(alive) and expected purchases in 39 weeks by an independent implementation, 1e-6 relative, and the
/// increasing-frequency paradox of Fader, Hardie and Lee (2005).
#[test]
fn expectations_of_customers() {
    for (x, t_x, t, alive, expected) in [
        (2, 213.0 / 7.0, 272.0 / 7.0, 0.726620295, 1.22599441),
        (1, 12.0 / 7.0, 272.0 / 7.0, 0.212391033, 0.203418835),
        (26, 216.0 / 7.0, 31.0, 0.968854437, 20.748902),
    ] {
        close(x, SAMPLE.p_alive(x, t_x, t), alive, 2e-7);
        close(x, SAMPLE.conditional_expected(x, t_x, t, 39.0), expected, 2e-7);
    }
    for (x, want) in [(10, 0.347483719), (15, 0.0428370091), (20, 0.00415927358), (25, 0.000358393759)] {
        close(x, SAMPLE.conditional_expected(x, 20.0, 39.0, 52.0), want, 1e-6);
    }
}

/// High-precision values (mpmath) of cases where implementations by ₂F₁ give NaN or noise, 1e-9 relative.
#[test]
fn hard_numerics() {
    let case = |r, alpha, a, b| BgNbd { r, alpha, a, b, unit: Unit::Week };
    for (params, x, t_x, t, horizon, want) in [
        (case(0.11, 2.24, 0.31, 0.5), 0, 0.0, 1.0, 30.0, 0.564588615533),
        (SAMPLE, 300, 38.0, 38.86, 520.0, 488.183160193),
        (SAMPLE, 5000, 100.0, 100.1, 52.0, 2066.88910607),
        (case(0.25, 4.4, 0.4, 0.6), 0, 0.0, 38.86, 39.0, 0.189998591108),
        (case(0.25, 4.4, 1.0 + 1e-9, 2.4), 2, 30.43, 38.86, 39.0, 1.10109355651),
    ] {
        close(x, params.conditional_expected(x, t_x, t, horizon), want, 1e-11);
    }
    // The second is printed with nine digits: half of the last one is 2e-9 of it.
    for (x, want, tolerance) in [(40, 0.473321531807, 1e-11), (50, 2.60460184e-43, 2e-9)] {
        let (t_x, t) = if x == 40 { (5.0, 6.0) } else { (1.0, 37.0) };
        close(x, PRINTED.p_alive(x, t_x, t), want, tolerance);
    }
    assert_eq!(PRINTED.p_alive(500, 1.0, 37.0), 0.0);
}

/// P(X(t) = x) at the printed parameters by an independent implementation.
#[test]
fn probabilities_of_counts() {
    close("P(X(39) = 0)", PRINTED.pmf(0, 39.0), 0.5737863521, 1e-9);
    close("P(X(2) = 10)", PRINTED.pmf(10, 2.0), 1.07868964e-7, 1e-8);
    for t in [0.0, 0.5, 10.0, 100.0] {
        let (mut total, mut mean) = (0.0, 0.0);
        for x in 0..4000 {
            let p = SAMPLE.pmf(x, t);
            assert!((0.0..=1.0).contains(&p));
            total += p;
            mean += p * f64::from(x);
        }
        close("sum", total, 1.0, 1e-12);
        if t > 0.0 {
            close("mean", mean, SAMPLE.expected(t), 1e-9);
        }
    }
}

/// The conditional expectation and P(alive) by integrating the joint density of the customer's own rate and dropout
/// numerically (Gauss–Legendre on λ and p): no closed form is shared.
#[test]
fn closed_forms_match_integration_over_rates() {
    for (params, x, t_x, t, horizon) in [
        (SAMPLE, 2u32, 30.43, 38.86, 39.0),
        (SAMPLE, 7, 20.0, 38.86, 10.0),
        (BgNbd { r: 2.0, alpha: 10.0, a: 1.5, b: 2.5, unit: Unit::Week }, 1, 5.0, 30.0, 52.0),
        (BgNbd { r: 1.2, alpha: 3.0, a: 1.0, b: 1.3, unit: Unit::Week }, 4, 11.0, 12.0, 200.0),
    ] {
        let n = f64::from(x);
        let (mut alive, mut left, mut orders) = (0.0, 0.0, 0.0);
        // The trapezoidal rule in ln λ and logit p: both densities fall exponentially on both sides.
        let step = 0.1;
        for i in -400..=100 {
            let ln_rate = f64::from(i) * step;
            let rate = ln_rate.exp();
            let prior = (params.r + n) * ln_rate - params.alpha * rate;
            for j in -300..=300 {
                let y = f64::from(j) * step;
                let p = logistic(y);
                let dropout = -params.a * softplus(-y) - (params.b + n - 1.0) * softplus(y);
                let stays = (prior + dropout + logistic(-y).ln() - rate * t).exp();
                alive += stays;
                left += (prior + dropout + p.ln() - rate * t_x).exp();
                orders += stays * -(-rate * p * horizon).exp_m1() / p;
            }
        }
        close("P(alive)", params.p_alive(x, t_x, t), alive / (alive + left), 1e-9);
        close("orders", params.conditional_expected(x, t_x, t, horizon), orders / (alive + left), 1e-9);
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
    for (seed, truth) in [
        (1, SAMPLE),
        (2, BgNbd { r: 1.5, alpha: 10.0, a: 1.2, b: 3.0, unit: Unit::Week }),
        (3, BgNbd { r: 0.5, alpha: 2.0, a: 0.3, b: 1.0, unit: Unit::Week }),
    ] {
        let (x, t_x, t) = world::<BgNbd>([truth.r, truth.alpha, truth.a, truth.b], 40_000, seed);
        let fit = BgNbdModel.fit(&Patterns::from_times(&x, &t_x, &t).unwrap(), Unit::Week, &()).unwrap();
        assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum);
        for (parameter, truth) in fit.report.parameters.iter().zip(truth.natural()) {
            let z = (parameter.estimate - truth) / parameter.standard_error.unwrap();
            assert!(z.abs() < 3.5, "{seed} {parameter:?} {truth}");
        }
    }
}

#[test]
fn fits_do_not_depend_on_threads_or_order() {
    let data = whole_log();
    let base = with_threads(1, || fitted(&data, Unit::Week)).unwrap().report;
    for threads in [2, 3] {
        assert_eq!(with_threads(threads, || fitted(&data, Unit::Week)).unwrap().report, base);
    }
    let mut reversed = Data { monetary_value: Vec::new(), ..whole_log() };
    for column in [&mut reversed.frequency, &mut reversed.recency_days, &mut reversed.t_days] {
        column.reverse();
    }
    assert_eq!(fitted(&reversed, Unit::Week).report, base);
}

fn verdict(customers: &[(u32, u32, u32)]) -> Verdict {
    let fit = BgNbdModel.fit(&patterns_of(customers), Unit::Week, &()).unwrap();
    assert_eq!(fit.params.is_some(), fit.report.verdict.is_usable());
    if let Some(params) = fit.params {
        let expected = params.expected(52.0);
        assert!(expected.is_finite() && expected >= 0.0, "{:?}", fit.report);
    }
    assert!(serde_json::to_string(&fit.report).unwrap().contains("BG/NBD"));
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
    // Nobody buys more than once again: a and b cannot be told apart.
    let once: Vec<_> = (0..300).map(|i| (i % 2, (i % 2) * (i % 90), 100)).collect();
    assert!(matches!(verdict(&once), Verdict::Boundary { .. }), "{:?}", verdict(&once));
    // One customer.
    assert!(!matches!(verdict(&[(3, 40, 50)]), Verdict::Failed { .. }));
}

/// Small and large worlds from all over the parameters: each fit ends in a verified optimum or a named boundary, at
/// least as high as the truth.
#[test]
fn every_small_world_ends_in_a_verdict() {
    let mut verified = 0;
    for seed in 0..300u64 {
        let mut stream = Stream::new(99, seed, 0, Purpose::Sample);
        let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
        let theta = [between(-5.0, 0.5), between(-2.5, 2.5), between(-5.0, 2.0), between(-2.0, 3.0)];
        let size = between(1.0, 7.0).exp() as u64;
        let truth = SAMPLE.with_scale_free(&theta);
        let (x, t_x, t) = world::<BgNbd>([truth.r, truth.alpha, truth.a, truth.b], size, seed);
        let patterns = Patterns::from_times(&x, &t_x, &t).unwrap();
        let fit = BgNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
        let report = &fit.report;
        assert!(!matches!(report.verdict, Verdict::Failed { .. }), "{seed} {truth:?} {report:?}");
        verified += u32::from(report.verdict == Verdict::VerifiedOptimum);
        if let (Some(params), Some(log)) = (fit.params, report.log_likelihood) {
            let at_truth =
                -Likelihood::new(&patterns, Unit::Week, FIRST_CHANCE).mean_loss(&theta).value * size as f64;
            assert!(log >= at_truth - 1e-6, "{seed} {truth:?} {report:?}");
            assert!(params.expected(52.0).is_finite());
            if seed % 8 > 0 {
                continue;
            }
            let options = PosteriorOptions { prior: Prior::Flat, draws: 1, seed: 1 };
            let likelihood = Likelihood::new(&patterns, Unit::Week, FIRST_CHANCE);
            let draw = fit.posterior(&likelihood, &options, &()).unwrap().unwrap().draws[0];
            assert!(draw.natural().iter().all(|v| v.is_finite() && *v > 0.0), "{seed} {draw:?}");
        }
    }
    assert!(verified > 100, "{verified}");
}

/// DERT has no formula in the literature; the value is the integral at 40 digits.
#[test]
fn discounted_residual_transactions() {
    let fitted = BgNbd { r: 0.242594452, alpha: 4.41360196, a: 0.792922121, b: 2.42590704, unit: Unit::Week };
    for (x, t_x, t, want) in [(2, 213.0 / 7.0, 272.0 / 7.0, 5.15663136), (0, 0.0, 38.86, 1.01421316)] {
        let got = fitted.dert(x, t_x, t, 0.0027);
        assert!((got / want - 1.0).abs() < 1e-6, "{x}: {got} {want}");
    }
}
