//! Pareto/NBD against published and independently computed numbers, differences, and known parameters.

use super::likelihood::Likelihood;
use super::*;
use crate::clv::model::Verdict;
use crate::clv::pattern::Patterns;
use crate::clv::test_data::sample;
use crate::parallel::with_threads;
use proptest::prelude::*;

#[track_caller]
fn close(what: impl std::fmt::Display, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() <= tolerance, "{what}: {got:e} for {want:e}");
}

/// CDNOW sample, calibration to 1997-09-30, weeks: the optimum of an independent implementation (Fader and Hardie
/// print .553, 10.578, .606, 11.669 and −9595.0).
const SAMPLE: ParetoNbd =
    ParetoNbd { r: 0.5532771, alpha: 10.5776835, s: 0.6062400, beta: 11.6687343, unit: Unit::Week };

#[test]
fn the_cdnow_sample() {
    let data = sample();
    let patterns = Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap();
    let fit = with_threads(1, || ParetoNbdModel.fit(&patterns, Unit::Week, &())).unwrap().unwrap();
    let report = &fit.report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    assert!((report.log_likelihood.unwrap() + 9594.976179).abs() < 1e-3, "{report:?}");
    let errors = [0.04763, 0.84272, 0.18728, 6.2111];
    for (((parameter, want), error), tolerance) in
        report.parameters.iter().zip(SAMPLE.natural()).zip(errors).zip([1e-3, 1e-3, 1e-2, 1e-2])
    {
        close(parameter.name, parameter.estimate, want, tolerance);
        close(parameter.name, parameter.standard_error.unwrap(), error, 0.02);
    }
    for threads in [2, 3] {
        let again = with_threads(threads, || ParetoNbdModel.fit(&patterns, Unit::Week, &())).unwrap();
        assert_eq!(&again.unwrap().report, report);
    }
}

#[test]
fn one_customer() {
    close("LL", SAMPLE.log_likelihood(2, 213.0 / 7.0, 272.0 / 7.0), -9.55417357, 1e-8);
}

/// The integral over the moment of leaving by brute force: Simpson's rule in ln(1 + u) on 200,000 steps.
#[test]
fn the_integral_matches_brute_force() {
    for (r, alpha, s, beta) in
        [(0.55, 10.6, 0.61, 11.7), (2.0, 0.3, 0.4, 90.0), (0.8, 50.0, 3.0, 0.5), (30.0, 900.0, 0.01, 1e-3)]
    {
        let params = ParetoNbd { r, alpha, s, beta, unit: Unit::Week };
        for (x, t_x, t) in
            [(0, 0.0f64, 80.0f64), (1, 0.4, 3.0), (7, 20.0, 38.9), (300, 95.0, 104.0), (5, 30.0, 30.0)]
        {
            let n = r + f64::from(x);
            let constant = ln_gamma_delta(r, f64::from(x)) + r * alpha.ln() + s * beta.ln();
            let alive = (constant - n * (alpha + t).ln() - s * (beta + t).ln()).exp();
            let left = |u: f64| s * (constant - n * (alpha + u).ln() - (s + 1.0) * (beta + u).ln()).exp();
            let (low, high, steps) = ((1e-3 + t_x).ln(), (1e-3 + t).ln(), 200_000);
            let width = (high - low) / f64::from(steps);
            let sum: f64 = (0..=steps)
                .map(|i| {
                    let e = (low + f64::from(i) * width).exp();
                    let weight = if i == 0 || i == steps { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
                    weight * left(e - 1e-3) * e
                })
                .sum();
            let want = (alive + sum * width / 3.0).ln();
            let got = params.log_likelihood(x, t_x, t);
            assert!(
                (got - want).abs() < 1e-9 * want.abs().max(1.0),
                "{params:?} {x} {t_x} {t}: {got} {want}"
            );
        }
    }
}

fn worlds() -> impl Strategy<Value = (Vec<(u32, u32, u32)>, [f64; 4])> {
    let customer = (0u32..300, 0.0..=1.0f64, 0u32..40).prop_map(|(t, share, x)| {
        let recency = if x == 0 { 0 } else { (f64::from(t) * share) as u32 };
        (x, recency, t)
    });
    let theta = [-6.0..2.0f64, -3.0..4.0f64, -8.0..2.0f64, -3.0..4.0f64];
    (prop::collection::vec(customer, 1..40), theta)
}

proptest! {
    /// Gradient against fourth-order differences of the value, Hessian against those of the gradient.
    #[test]
    fn derivatives_match_differences((customers, theta) in worlds()) {
        let column = |f: fn(&(u32, u32, u32)) -> u32| customers.iter().map(f).collect::<Vec<_>>();
        let patterns = Patterns::from_days(&column(|c| c.0), &column(|c| c.1), &column(|c| c.2)).unwrap();
        let likelihood = Likelihood::new(&patterns, Unit::Week);
        let at = likelihood.mean_loss(&theta);
        let h = 1e-3;
        for i in 0..4 {
            let moved = |by: f64| {
                let mut theta = theta;
                theta[i] += by * h;
                likelihood.mean_loss(&theta)
            };
            let (a, b, c, d) = (moved(-2.0), moved(-1.0), moved(1.0), moved(2.0));
            let slope = |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
            let got = slope(a.value, b.value, c.value, d.value);
            let scale = at.value.abs() + 1.0;
            prop_assert!((got - at.gradient[i]).abs() < 1e-8 * scale, "gradient {i}: {got} {}", at.gradient[i]);
            for j in 0..4 {
                let got = slope(a.gradient[j], b.gradient[j], c.gradient[j], d.gradient[j]);
                let want = at.hessian[(i, j)];
                let scale = at.gradient[j].abs() + at.value.abs() + 1.0;
                prop_assert!((got - want).abs() < 1e-7 * scale, "hessian {i} {j}: {got} {want}");
            }
        }
    }
}

fn verdict(customers: &[(u32, u32, u32)]) -> Verdict {
    let column = |f: fn(&(u32, u32, u32)) -> u32| customers.iter().map(f).collect::<Vec<_>>();
    let patterns = Patterns::from_days(&column(|c| c.0), &column(|c| c.1), &column(|c| c.2)).unwrap();
    let fit = ParetoNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
    assert_eq!(fit.params.is_some(), fit.report.verdict.is_usable());
    fit.report.verdict
}

#[track_caller]
fn assert_boundary(verdict: &Verdict, expected: &str) {
    let Verdict::Boundary { name, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(*name, expected, "{verdict:?}");
}

#[test]
fn degenerate_histories_are_named() {
    assert!(matches!(verdict(&[]), Verdict::Failed { .. }));
    assert_boundary(&verdict(&[(0, 0, 50), (0, 0, 0)]), "no repeat purchases");
    assert_boundary(&verdict(&[(0, 0, 0), (0, 0, 0)]), "no time observed");
    // Counts of every size, the last purchase always on the last day: nobody leaves.
    let loyal: Vec<_> = (0..200).map(|i| (5 + i % 30, 364, 364)).collect();
    assert_boundary(&verdict(&loyal), "no dropout detectable");
    assert!(!matches!(verdict(&[(3, 40, 50)]), Verdict::Failed { .. }));
}
