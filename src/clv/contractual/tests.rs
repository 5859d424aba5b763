//! sBG and BdW against published and independently computed numbers, sums, and themselves.

use super::likelihood::Likelihood;
use super::*;
use crate::clv::model::{FitReport, LogLikelihood};
use crate::clv::{PosteriorOptions, Prior, Trust, Verdict};
use crate::random::{Purpose, Stream, hash_integer};
use proptest::prelude::*;

#[track_caller]
fn close(what: impl std::fmt::Display, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() <= tolerance, "{what}: {got:e} for {want:e}");
}

fn cohorts(tables: &[&[u64]]) -> Cohorts {
    let (mut names, mut periods, mut survivors) = (Vec::new(), Vec::new(), Vec::new());
    for (i, table) in tables.iter().enumerate() {
        for (period, &left) in (0..).zip(*table) {
            names.push(format!("c{i:03}"));
            periods.push(period);
            survivors.push(left as i64);
        }
    }
    Cohorts::from_rows(&names, &periods, &survivors).unwrap()
}

/// The "Regular" customers of Fader and Hardie (2007), 1,000 at the beginning.
const REGULAR: [u64; 8] = [1000, 631, 468, 382, 326, 289, 262, 241];

#[test]
fn sbg_of_the_regular_customers() {
    let fit = SbgModel.fit(&cohorts(&[&REGULAR]), &()).unwrap();
    let report = &fit.report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    assert_eq!((report.customers, report.patterns), (1000, 7));
    assert!(report.gradient_norm < 1e-9 && report.hessian_eigenvalues[0] > 0.0);
    // The paper prints .704, 1.182 and −1,680.3; digits and standard errors by an independent implementation.
    assert!((report.log_likelihood.unwrap() + 1680.265188).abs() < 1e-5, "{report:?}");
    for (parameter, (estimate, error)) in
        report.parameters.iter().zip([(0.704077, 0.0656), (1.182043, 0.1525)])
    {
        close(parameter.name, parameter.estimate, estimate, 2e-6);
        close(parameter.name, parameter.standard_error.unwrap(), error, 0.01);
    }
    let fitted = fit.params.unwrap();
    close("S(12)", fitted.survival(12), 0.17003745, 1e-6);
    for (t, want) in [(1, 0.62670606), (2, 0.75604714), (7, 0.91071943)] {
        close(t, fitted.retention(t), want, 1e-6);
    }
    close("DERL", fitted.derl(0, 0.1).value, 2.96439927, 1e-6);
    // 1,000 → 631 → 468: half have left by the second renewal.
    assert_eq!(fitted.median_lifetime(), Some(2));
}

#[test]
fn bdw_of_the_regular_customers() {
    let data = cohorts(&[&REGULAR]);
    let fit = BdwModel.fit(&data, &()).unwrap();
    let report = &fit.report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    // The optimum of an independent implementation.
    assert!((report.log_likelihood.unwrap() + 1679.602833).abs() < 1e-5, "{report:?}");
    for (parameter, estimate) in report.parameters.iter().zip([0.455614, 0.779326, 1.283451]) {
        close(parameter.name, parameter.estimate, estimate, 1e-4);
    }
    let sbg = SbgModel.fit(&data, &()).unwrap();
    let test = duration_dependence(&sbg, &fit).unwrap();
    close("statistic", test.statistic, 2.0 * (1680.265188 - 1679.602833), 1e-4);
    // P(χ²₁ > 1.32471), by scipy.
    close("p", test.p_value, CHI_SQUARE_TAIL, 1e-4);
    assert_eq!(test.degrees_of_freedom, 1);
    let other = SbgModel.fit(&cohorts(&[&REGULAR[..5]]), &()).unwrap();
    assert_eq!(duration_dependence(&other, &fit), None);
}

/// P(χ² > 1.32471) with one degree of freedom, by scipy.
const CHI_SQUARE_TAIL: f64 = 0.249748499;

/// S(t), r(t), DEL and DERL by products and sums alone, without special functions.
#[test]
fn closed_forms_match_their_terms() {
    for gamma in [1e-6, 0.3, 0.704077, 1.0, 2.0, 1e4] {
        for delta in [1e-6, 0.4, 1.182043, 30.0, 1e5] {
            let sbg = Sbg { gamma, delta };
            let same = Bdw { gamma, delta, c: 1.0 };
            let mut survival = 1.0;
            let mut curve = vec![1.0];
            for t in 1..=600u32 {
                let retention = (delta + f64::from(t - 1)) / (gamma + delta + f64::from(t - 1));
                survival *= retention;
                curve.push(survival);
                let at = format!("{sbg:?} {t}");
                for (s, r) in [
                    (sbg.survival(u64::from(t)), sbg.retention(u64::from(t))),
                    (same.survival(u64::from(t)), same.retention(u64::from(t))),
                ] {
                    assert!((s - survival).abs() < 1e-12 * survival + 1e-300, "{at}: {s:e} {survival:e}");
                    close(&at, r, retention, 1e-13);
                }
            }
            assert_eq!(sbg.survival_curve(3).len(), 4);
            assert_eq!(sbg.retention_curve(3)[2], sbg.retention(3));
            for (renewed, discount) in [(0, 0.1f64), (3, 0.1), (9, 0.5), (0, 7.0)] {
                let value = |from: usize| -> f64 {
                    (from..600).map(|t| curve[t] * (1.0 + discount).powi(from as i32 - t as i32)).sum()
                };
                let at = format!("{sbg:?} {renewed} {discount}");
                let (del, derl) = (value(0), value(renewed as usize + 1) / curve[renewed as usize]);
                for (model_del, model_derl) in [
                    (sbg.del(discount), sbg.derl(renewed, discount)),
                    (same.del(discount), same.derl(renewed, discount)),
                ] {
                    close(&at, model_del.value, del, 1e-12);
                    assert!((model_derl.value - derl).abs() <= 1e-11 * derl, "{at}: {model_derl:?} {derl}");
                    assert!(model_derl.tail_bound <= 1e-12 * model_derl.value);
                }
            }
        }
    }
}

/// BdW against the average over θ of (1 − θ)^(t^c), by the trapezoidal rule in logit θ.
#[test]
fn bdw_matches_integration_over_theta() {
    for (gamma, delta) in [(0.455614, 0.779326), (2.0, 5.0)] {
        for c in [0.3, 1.0, 1.283451, 3.0] {
            let bdw = Bdw { gamma, delta, c };
            let average = |t: f64| {
                let (mut sum, mut all) = (0.0, 0.0);
                for i in -3000..3000 {
                    let y = f64::from(i) * 0.02;
                    let (ln_theta, ln_rest) = (-crate::special::softplus(-y), -crate::special::softplus(y));
                    let density = (gamma * ln_theta + delta * ln_rest).exp();
                    all += density;
                    sum += density * (ln_rest * t.powf(c)).exp();
                }
                sum / all
            };
            for t in [1u64, 2, 5, 40] {
                close(format!("{bdw:?} {t}"), bdw.survival(t), average(t as f64), 1e-9);
            }
        }
    }
}

/// Without a discount a lifetime may be infinite, and small discounts state what they may miss.
#[test]
fn lifetimes_without_a_discount() {
    assert_eq!(Sbg { gamma: 1.0, delta: 2.0 }.del(0.0).value, f64::INFINITY);
    close("mean", Sbg { gamma: 3.0, delta: 2.0 }.del(0.0).value, 2.0, 1e-12);
    let bdw = Bdw { gamma: 0.5, delta: 2.0, c: 1.0 };
    assert_eq!((bdw.del(0.0).value, bdw.derl(3, 0.0).value), (f64::INFINITY, f64::INFINITY));
    // With c = 1 it is sBG, whose sums have closed forms.
    for (gamma, delta) in [(0.5, 2.0), (1.0, 1e3), (3.0, 2.0), (1.001, 0.1), (20.0, 1e5), (1e-3, 1.0)] {
        for discount in [0.0, 1e-8, 1e-5, 1e-3, 0.019, 0.1] {
            let (sbg, bdw) = (Sbg { gamma, delta }, Bdw { gamma, delta, c: 1.0 });
            if sbg.del(discount).value.is_finite() {
                let at = format!("{bdw:?} {discount}");
                close(&at, bdw.del(discount).value, sbg.del(discount).value, 1e-9);
                close(&at, bdw.derl(7, discount).value, sbg.derl(7, discount).value, 1e-9);
            }
        }
    }
}

#[test]
fn medians() {
    assert_eq!(Sbg { gamma: 1.0, delta: 1.0 }.median_lifetime(), Some(1));
    // S(t) = 1/(1 + t/delta) for gamma = 1.
    assert_eq!(Sbg { gamma: 1.0, delta: 1000.5 }.median_lifetime(), Some(1001));
    assert_eq!(Sbg { gamma: 1e-3, delta: 1.0 }.median_lifetime(), None);
    let bdw = Bdw { gamma: 1.0, delta: 1000.5, c: 0.5 };
    assert_eq!(bdw.median_lifetime(), Some(1_001_001));
}

/// Every value a number in its range, from one end of what a fit may give to the other.
#[test]
fn a_stress_grid_has_no_hole() {
    for gamma in [1e-13, 1e-6, 0.7, 1.0, 1e6] {
        for delta in [1e-13, 1e-6, 1.2, 1e3, 1e6] {
            for c in [0.0067, 0.3, 1.0, 1.3, 20.0] {
                let (sbg, bdw) = (Sbg { gamma, delta }, Bdw { gamma, delta, c });
                let mut last = 1.0;
                for t in [0, 1, 2, 7, 100, 10_000] {
                    let s = bdw.survival(t);
                    assert!((0.0..=1.0).contains(&s) && s <= last, "{bdw:?} {t}: {s} {last}");
                    assert!((0.0..=1.0).contains(&bdw.retention(t)), "{bdw:?} {t}");
                    assert!((0.0..=1.0).contains(&sbg.retention(t)), "{sbg:?} {t}");
                    last = s;
                }
                for renewed in [0, 5, 1000] {
                    let (a, b) = (sbg.derl(renewed, 0.1), bdw.derl(renewed, 0.1));
                    for derl in [a, b] {
                        assert!((0.0..=11.0 + 1e-9).contains(&derl.value), "{bdw:?} {renewed}: {derl:?}");
                    }
                    let mut stream = Stream::new(1, 1, renewed, Purpose::Latent);
                    assert!(sbg.draw_lifetime(&mut stream, renewed) > u64::from(renewed));
                    assert!(bdw.draw_lifetime(&mut stream, renewed) > u64::from(renewed));
                }
                bdw.median_lifetime();
            }
        }
    }
}

/// Survivors of a cohort, one customer and renewal at a time: no code is shared with the models.
fn world(truth: &Bdw, customers: u64, periods: u32, seed: u64) -> Vec<u64> {
    let mut out = vec![0; periods as usize + 1];
    for customer in 0..customers {
        let mut stream = Stream::new(seed, hash_integer(customer), 0, Purpose::Synth);
        let theta = stream.beta(truth.gamma, truth.delta);
        out[0] += 1;
        for t in 1..=periods {
            let age = |t: u32| f64::from(t).powf(truth.c);
            if stream.uniform() > (1.0 - theta).powf(age(t) - age(t - 1)) {
                break;
            }
            out[t as usize] += 1;
        }
    }
    out
}

#[test]
fn known_parameters_are_recovered() {
    for (seed, truth) in [
        (1, Bdw { gamma: 0.7, delta: 1.2, c: 1.0 }),
        (2, Bdw { gamma: 0.5, delta: 2.0, c: 1.4 }),
        (3, Bdw { gamma: 2.0, delta: 6.0, c: 0.7 }),
    ] {
        // Cohorts of different ages: the younger ones are censored earlier.
        let tables: Vec<Vec<u64>> =
            (0..4).map(|i| world(&truth, 8_000, 14 - 3 * i, seed * 10 + u64::from(i))).collect();
        let data = cohorts(&tables.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let check = |report: &FitReport, truth: &[f64]| {
            assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
            for (parameter, truth) in report.parameters.iter().zip(truth) {
                let z = (parameter.estimate - truth) / parameter.standard_error.unwrap();
                assert!(z.abs() < 3.5, "{seed} {parameter:?} {truth}");
            }
        };
        let bdw = BdwModel.fit(&data, &()).unwrap();
        check(&bdw.report, &truth.natural());
        let sbg = SbgModel.fit(&data, &()).unwrap();
        let test = duration_dependence(&sbg, &bdw).unwrap();
        if truth.c == 1.0 {
            check(&sbg.report, &[truth.gamma, truth.delta]);
            assert!(test.p_value > 1e-3, "{test:?}");
        } else {
            assert!(test.p_value < 1e-3, "{test:?}");
        }
    }
}

#[test]
fn drawn_lifetimes_have_the_survival_of_the_model() {
    let sbg = Sbg { gamma: 0.7, delta: 1.2 };
    let bdw = Bdw { gamma: 0.5, delta: 2.0, c: 1.4 };
    let n = 30_000u32;
    for renewed in [0u32, 3] {
        let check = |draw: &dyn Fn(&mut Stream) -> u64, survival: &dyn Fn(u64) -> f64| {
            let lifetimes: Vec<u64> =
                (0..n).map(|i| draw(&mut Stream::new(2, u64::from(renewed), i, Purpose::Latent))).collect();
            for t in 1..8 {
                let t = u64::from(renewed) + t;
                let left = lifetimes.iter().filter(|&&lifetime| lifetime > t).count() as f64 / f64::from(n);
                let want = survival(t) / survival(u64::from(renewed));
                let error = (want * (1.0 - want) / f64::from(n)).sqrt();
                assert!((left - want).abs() < 4.0 * error, "{renewed} {t}: {left} {want} ± {error}");
            }
        };
        check(&|stream| sbg.draw_lifetime(stream, renewed), &|t| sbg.survival(t));
        check(&|stream| bdw.draw_lifetime(stream, renewed), &|t| bdw.survival(t));
    }
}

proptest! {
    /// Gradient against central differences of the value, Hessian against those of the gradient; the value against the
    /// models' own survival.
    #[test]
    fn derivatives_match_differences(
        losses in prop::collection::vec(prop::collection::vec(0.0..0.9f64, 1..15), 1..4),
        theta in [-6.0..4.0f64, -4.0..8.0f64, -1.5..1.0f64],
    ) {
        let tables: Vec<Vec<u64>> = losses
            .iter()
            .map(|losses| {
                let mut left = 1000.0;
                let mut out = vec![1000];
                for loss in losses {
                    left = f64::floor(left * (1.0 - loss));
                    out.push(left as u64);
                }
                out
            })
            .collect();
        let likelihood = Likelihood::new(&cohorts(&tables.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        for n in [2, 3] {
            let theta = &theta[..n];
            let at = likelihood.mean_loss(theta);
            let c = theta.get(2).map_or(1.0, |c| c.exp());
            let sbg = Sbg { gamma: 1.0, delta: 1.0 }.with_scale_free(&theta[..2]);
            let bdw = Bdw { gamma: sbg.gamma, delta: sbg.delta, c };
            // Σ (N(t−1) − N(t))·ln(S(t−1) − S(t)) + N(T)·ln S(T).
            let mut sum = 0.0;
            for table in &tables {
                for (t, pair) in (1..).zip(table.windows(2)) {
                    if pair[0] > pair[1] {
                        let left = bdw.ln_survival(t - 1) + (-bdw.ln_retention(t).exp_m1()).ln();
                        sum += (pair[0] - pair[1]) as f64 * left;
                    }
                }
                if table[table.len() - 1] > 0 {
                    sum += table[table.len() - 1] as f64 * bdw.ln_survival(table.len() as u64 - 1);
                }
            }
            let mean = -sum / likelihood.customers() as f64;
            prop_assert!((mean - at.value).abs() < 1e-10 * (1.0 + mean.abs()), "{mean} {}", at.value);
            let h = 1e-4;
            for i in 0..n {
                let moved = |by: f64| {
                    let mut theta = theta.to_vec();
                    theta[i] += by * h;
                    likelihood.mean_loss(&theta)
                };
                let (a, b, c, d) = (moved(-2.0), moved(-1.0), moved(1.0), moved(2.0));
                let slope = |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
                let got = slope(a.value, b.value, c.value, d.value);
                let scale = at.value.abs() + 1.0;
                prop_assert!((got - at.gradient[i]).abs() < 1e-9 * scale, "gradient {i}: {got} {}", at.gradient[i]);
                for j in 0..n {
                    let got = slope(a.gradient[j], b.gradient[j], c.gradient[j], d.gradient[j]);
                    let want = at.hessian[(i, j)];
                    let scale = at.gradient[j].abs() + at.value.abs() + 1.0;
                    prop_assert!((got - want).abs() < 1e-7 * scale, "hessian {i} {j}: {got} {want}");
                }
            }
        }
    }

    /// Any cohorts end in a verdict, and every usable one predicts.
    #[test]
    fn every_small_world_ends_in_a_verdict(
        theta in [-3.0..2.0f64, -2.0..4.0f64, -0.8..0.8f64],
        sizes in prop::collection::vec((0u64..300, 0u32..9), 1..4),
    ) {
        let truth = Bdw { gamma: 1.0, delta: 1.0, c: 1.0 }.with_scale_free(&theta);
        let tables: Vec<Vec<u64>> =
            (0..).zip(&sizes).map(|(i, &(size, periods))| world(&truth, size, periods, i)).collect();
        let data = cohorts(&tables.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (sbg, bdw) = (SbgModel.fit(&data, &()).unwrap(), BdwModel.fit(&data, &()).unwrap());
        for report in [&sbg.report, &bdw.report] {
            if let Verdict::Failed { reason, .. } = &report.verdict {
                prop_assert!(reason == "there is no customer", "{report:?}");
            }
        }
        if let Some(params) = sbg.params {
            prop_assert!(params.del(0.1).value.is_finite());
        }
        if let Some(params) = bdw.params {
            prop_assert!(params.del(0.1).value.is_finite());
            let (small, large) = (sbg.report.log_likelihood, bdw.report.log_likelihood);
            prop_assert!(large.unwrap() >= small.unwrap() - 1e-4, "{:?} {:?}", sbg.report, bdw.report);
        }
    }
}

#[track_caller]
fn assert_boundary(verdict: &Verdict, expected: &str, is_usable: bool) {
    let Verdict::Boundary { name, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(*name, expected, "{verdict:?}");
    assert_eq!(verdict.is_usable(), is_usable);
}

#[test]
fn degenerate_cohorts_are_named() {
    let verdicts = |tables: &[&[u64]]| {
        let data = cohorts(tables);
        let (sbg, bdw) = (SbgModel.fit(&data, &()).unwrap(), BdwModel.fit(&data, &()).unwrap());
        assert_eq!(sbg.params.is_some(), sbg.report.verdict.is_usable());
        assert_eq!(bdw.params.is_some(), bdw.report.verdict.is_usable());
        [sbg.report.verdict, bdw.report.verdict]
    };
    let both = |tables: &[&[u64]], name: &str| {
        for verdict in verdicts(tables) {
            assert_boundary(&verdict, name, false);
        }
    };
    for verdict in verdicts(&[]) {
        assert!(matches!(verdict, Verdict::Failed { .. }));
    }
    both(&[&[100], &[50]], "no renewals observed");
    both(&[&[100, 100, 100, 100]], "nobody left");
    both(&[&[100, 0, 0, 0]], "nobody renewed");
    both(&[&[100, 60]], "too few renewals");
    // A constant rate of loss: no difference between customers.
    let [sbg, _] = verdicts(&[&[1_000_000, 500_000, 250_000, 125_000, 62_500]]);
    assert_boundary(&sbg, "homogeneous losses", true);
    // Nobody leaves after the first renewal.
    for verdict in verdicts(&[&[1000, 600, 600, 600, 600, 600]]) {
        assert!(matches!(verdict, Verdict::Boundary { .. }), "{verdict:?}");
    }
    // Everybody leaves at the third.
    for verdict in verdicts(&[&[1000, 1000, 1000, 0]]) {
        assert!(matches!(verdict, Verdict::Boundary { .. }), "{verdict:?}");
    }
    // Losses that rise with age, which sBG cannot say.
    let [sbg, _] = verdicts(&[&[1000, 950, 800, 500, 200, 50]]);
    assert_boundary(&sbg, "homogeneous losses", true);
    let fit = SbgModel.fit(&cohorts(&[&REGULAR, &[500]]), &()).unwrap();
    assert_eq!((fit.report.customers, fit.report.set_aside[0].customers), (1000, 500));
}

#[test]
fn impossible_cohorts_are_refused() {
    let message = |rows: &[(&str, i64, i64)]| {
        let column = |f: fn(&(&str, i64, i64)) -> i64| rows.iter().map(f).collect::<Vec<_>>();
        let names: Vec<&str> = rows.iter().map(|row| row.0).collect();
        let error = Cohorts::from_rows(&names, &column(|r| r.1), &column(|r| r.2)).unwrap_err();
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    for (rows, parts) in [
        (vec![("a", 0, 10), ("a", 1, 11)], ["cohort a in period 1", "11", "only 10"]),
        (vec![("a", 0, 10), ("a", 1, -1)], ["cohort a in period 1", "-1", "negative"]),
        (vec![("a", 0, 10), ("b", 1, 5)], ["cohort b", "1", "no period 0"]),
        (vec![("a", 0, 10), ("a", 2, 5)], ["cohort a", "2", "period 1 is missing"]),
        (vec![("a", 0, 10), ("a", 0, 10)], ["cohort a", "0", "twice"]),
        (vec![("a", -1, 10), ("a", 0, 10)], ["cohort a", "-1", "negative"]),
    ] {
        let got = message(&rows);
        for part in parts {
            assert!(got.contains(part), "{got}: {part}");
        }
    }
    assert!(Cohorts::from_rows(&["a"], &[0, 1], &[5]).is_err());
    // Rows may come in any order.
    let data = Cohorts::from_rows(&["b", "a", "b"], &[1, 0, 0], &[3, 7, 5]).unwrap();
    assert_eq!(data.cohorts()[1].survivors(), [5, 3]);
    assert_eq!(data.cohorts()[0].name(), "a");
}

/// The likelihood that draws rest on is the fit's, and the draws have its standard errors.
#[test]
fn draws_follow_the_likelihood() {
    let data = cohorts(&[&REGULAR, &REGULAR[..5]]);
    let options = PosteriorOptions { prior: Prior::Flat, draws: 400, seed: 1 };
    fn check<P: Parametric>(
        fit: Fit<P>,
        likelihood: &impl LogLikelihood,
        options: &PosteriorOptions,
        within: f64,
    ) {
        let theta = fit.params.as_ref().unwrap().scale_free();
        assert!((likelihood.log_likelihood(&theta) - fit.report.log_likelihood.unwrap()).abs() < 1e-6);
        let posterior = fit.posterior(likelihood, options, &()).unwrap().unwrap();
        assert_ne!(posterior.report.trust, Trust::Poor, "{:?}", posterior.report);
        let covariance = fit.uncertainty.as_ref().unwrap().covariance();
        for (i, (mean, sd)) in posterior.report.scale_free.iter().enumerate() {
            let error = covariance[(i, i)].sqrt();
            assert!((mean - theta[i]).abs() < within * error, "{}: {mean} {} {error}", P::MODEL, theta[i]);
            assert!((sd / error - 1.0).abs() < within, "{}: {sd} {error}", P::MODEL);
        }
    }
    check(SbgModel.fit(&data, &()).unwrap(), &SbgModel.likelihood(&data), &options, 0.3);
    // The shapes of BdW lie on a skewed ridge.
    check(BdwModel.fit(&data, &()).unwrap(), &BdwModel.likelihood(&data), &options, 1.0);
}
