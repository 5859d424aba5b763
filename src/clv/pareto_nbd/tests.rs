//! Pareto/NBD against published and independently computed numbers, differences, and known parameters.

use super::likelihood::Likelihood;
use super::*;
use crate::clv::latent::Dropout;
use crate::clv::model::Verdict;
use crate::clv::pattern::Patterns;
use crate::clv::quadrature::Rule;
use crate::clv::test_data::sample;
use crate::parallel::with_threads;
use crate::random::{Purpose, hash_integer};
use proptest::prelude::*;

#[track_caller]
pub(super) fn close(what: impl std::fmt::Display, got: f64, want: f64, tolerance: f64) {
    assert!(got == want || (got / want - 1.0).abs() <= tolerance, "{what}: {got:e} for {want:e}");
}

pub(super) fn at(r: f64, alpha: f64, s: f64, beta: f64) -> ParetoNbd {
    ParetoNbd { r, alpha, s, beta, unit: Unit::Week }
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

/// E[X(t)] at the optimum by an independent implementation, 1e-6 relative.
#[test]
fn expectations_of_new_customers() {
    for (t, want) in [(1.0, 0.0510063758), (2.0, 0.0996262534), (52.0, 1.473434272)] {
        close(t, SAMPLE.expected(t), want, 1e-6);
        close(t, SAMPLE.conditional_expected(0, 0.0, 0.0, t), want, 1e-6);
    }
}

/// P(alive), expected purchases in 39 weeks and a log-likelihood by an independent implementation, and the
/// increasing-frequency paradox of Fader, Hardie and Lee (2005) on Pareto/NBD.
#[test]
fn expectations_of_customers() {
    for (x, t_x, t, alive, expected) in [
        (2, 213.0 / 7.0, 272.0 / 7.0, 0.869134264, 1.45520171),
        (1, 12.0 / 7.0, 272.0 / 7.0, 0.167996053, 0.171114332),
        (26, 216.0 / 7.0, 31.0, 0.997873405, 20.1148209),
    ] {
        close(x, SAMPLE.p_alive(x, t_x, t), alive, 1e-6);
        close(x, SAMPLE.conditional_expected(x, t_x, t, 39.0), expected, 1e-6);
    }
    close("LL", SAMPLE.log_likelihood(2, 213.0 / 7.0, 272.0 / 7.0), -9.55417357, 1e-8);
    for (x, want) in [(10, 0.705888446), (15, 0.144150757), (20, 0.0224901487), (25, 0.00309006744)] {
        close(x, SAMPLE.conditional_expected(x, 20.0, 39.0, 52.0), want, 1e-6);
    }
}

/// DERT at the parameters of Fader, Hardie and Lee (2005, "RFM and CLV"), delta .0027 a week, by an independent
/// implementation.
#[test]
fn discounted_residual_transactions() {
    let params = at(0.5629966, 12.5590370, 0.4081095, 10.5148048);
    for (x, t_x, want) in [(7, 35.0, 1.864183328), (0, 0.0, 0.364755928), (14, 70.0, 32.9575304)] {
        close(x, params.dert(x, t_x, 77.86, 0.0027), want, 1e-8);
    }
}

/// Where implementations by ₂F₁ overflow or divide 0 by 0: values to 40 digits by an independent implementation.
#[test]
fn hard_numerics() {
    let params = at(10.465, 0.00798565181, 3.0516, 2.82);
    close("(40, 5, 6)", params.p_alive(40, 5.0, 6.0), 0.00188512818736, 1e-11);
    close("(50, 1, 37)", params.p_alive(50, 1.0, 37.0), 1.41714429e-96, 4e-9);
    // Below the smallest number; its logarithm is not.
    assert_eq!(params.p_alive(500, 1.0, 37.0), 0.0);
    let log = params.ln_p_alive(500, 1.0, 37.0);
    assert!((-2000.0..-1700.0).contains(&log), "{log}");
    let params = at(0.5143, 2.8845, 0.2856, 14.1087);
    close("221", params.p_alive(221, 103.42857, 103.57143), 0.999596052318, 1e-11);
    close("161", params.p_alive(161, 94.71429, 98.0), 0.749487752258, 1e-11);
}

/// Sums over patterns, with both derivatives, against the plain integral of each customer.
#[test]
fn likelihoods_of_customers_add_up() {
    let data = sample();
    let patterns = Patterns::from_days(&data.frequency, &data.recency_days, &data.t_days).unwrap();
    let likelihood = Likelihood::new(&patterns, Unit::Week);
    let rule = Rule::new();
    for params in [
        SAMPLE,
        at(3e4, 2e5, 1e-3, 40.0),
        at(0.02, 0.1, 30.0, 900.0),
        at(5.0, 700.0, 0.2, 0.1),
        at(1.0, 7.0, 2.0, 7.0),
    ] {
        let mut want = 0.0;
        let mut slope = [0.0; 4];
        for i in 0..data.frequency.len() {
            let weeks = |days: u32| Unit::Week.of_days(days);
            let (x, t_x, t) =
                (f64::from(data.frequency[i]), weeks(data.recency_days[i]), weeks(data.t_days[i]));
            let terms = reference::of_times(&params, x, t_x, t, &rule);
            want += ln_gamma_delta(params.r, x) + terms.value;
            slope.iter_mut().zip(terms.gradient).for_each(|(sum, own)| *sum += own);
            slope[0] += crate::special::digamma_delta(params.r, x);
            let own = params.log_likelihood(data.frequency[i], t_x, t);
            let reference = ln_gamma_delta(params.r, x) + terms.value;
            assert!((own - reference).abs() < 1e-10 * (1.0 + x), "{params:?} {x} {t_x} {t}");
        }
        let n = data.frequency.len() as f64;
        let got = likelihood.mean_loss(&params.scale_free());
        close(format!("{params:?}"), -got.value * n, want, 1e-11);
        let by_mean_rate = -params.alpha * slope[1];
        let got = -got.gradient[0] * n;
        assert!(
            (got - by_mean_rate).abs() < 1e-8 * (n + by_mean_rate.abs()),
            "{params:?}: {got} {by_mean_rate}"
        );
    }
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

/// A history from known parameters, in continuous time: (x, t_x, T) in days.
fn world(params: &ParetoNbd, customers: u64, seed: u64) -> (Vec<u32>, Vec<f64>, Vec<f64>) {
    let mut out = (Vec::new(), Vec::new(), Vec::new());
    for customer in 0..customers {
        let mut stream = Stream::new(seed, hash_integer(customer), 0, Purpose::Latent);
        let rate = stream.gamma(params.r) / params.alpha;
        let dropout = stream.gamma(params.s) / params.beta;
        let t = 20.0 + 80.0 * stream.uniform();
        let end = t.min(stream.exponential() / dropout);
        let (mut x, mut last) = (0, 0.0);
        loop {
            let next = last + stream.exponential() / rate;
            if next > end {
                break;
            }
            (x, last) = (x + 1, next);
        }
        out.0.push(x);
        out.1.push(last * params.unit.days());
        out.2.push(t * params.unit.days());
    }
    out
}

#[test]
fn known_parameters_are_recovered() {
    for (seed, truth) in [(1, SAMPLE), (2, at(1.5, 10.0, 1.2, 30.0)), (3, at(0.7, 3.0, 2.0, 40.0))] {
        let (x, t_x, t) = world(&truth, 15_000, seed);
        let fit = ParetoNbdModel.fit(&Patterns::from_times(&x, &t_x, &t).unwrap(), Unit::Week, &()).unwrap();
        assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum, "{:?}", fit.report);
        for (parameter, truth) in fit.report.parameters.iter().zip(truth.natural()) {
            let z = (parameter.estimate - truth) / parameter.standard_error.unwrap();
            assert!(z.abs() < 3.5, "{seed} {parameter:?} {truth}");
        }
    }
}

/// Worlds from all over the parameters: each fit ends in a verified optimum or a named boundary, at least as high as the
/// truth.
#[test]
fn every_small_world_ends_in_a_verdict() {
    let mut verified = 0;
    for seed in 0..60u64 {
        let mut stream = Stream::new(99, seed, 0, Purpose::Sample);
        let mut between = |low: f64, high: f64| low + (high - low) * stream.uniform();
        let theta = [between(-5.0, 0.5), between(-2.5, 2.5), between(-8.0, 0.0), between(-2.0, 2.0)];
        let size = between(1.0, 7.0).exp() as u64;
        let truth = SAMPLE.with_scale_free(&theta);
        let (x, t_x, t) = world(&truth, size, seed);
        let patterns = Patterns::from_times(&x, &t_x, &t).unwrap();
        let fit = ParetoNbdModel.fit(&patterns, Unit::Week, &()).unwrap();
        let report = &fit.report;
        assert!(!matches!(report.verdict, Verdict::Failed { .. }), "{seed} {truth:?} {report:?}");
        verified += u32::from(report.verdict == Verdict::VerifiedOptimum);
        if let (Some(params), Some(log)) = (fit.params, report.log_likelihood) {
            let at_truth = -Likelihood::new(&patterns, Unit::Week).mean_loss(&theta).value * size as f64;
            assert!(log >= at_truth - 1e-6, "{seed} {truth:?} {report:?}");
            assert!(params.expected(52.0).is_finite());
        }
    }
    assert!(verified > 20, "{verified}");
}

/// Mean and standard error of what is drawn.
fn mean(n: u32, mut draw: impl FnMut(u32) -> f64) -> (f64, f64) {
    let (mut sum, mut squares) = (0.0, 0.0);
    for i in 0..n {
        let y = draw(i);
        sum += y;
        squares += y * y;
    }
    let n = f64::from(n);
    (sum / n, ((squares / n - (sum / n).powi(2)) / n).sqrt())
}

/// Draws against P(alive), the model's expectation, counted purchases, and moments of λ and μ by quadrature over the moment
/// of leaving. Four and a half standard errors.
#[test]
fn drawn_customers_are_those_of_the_model() {
    let rule = Rule::new();
    let n = 10_000;
    for (k, (params, x, t_x, t)) in [
        (SAMPLE, 2, 30.43, 38.86),
        (SAMPLE, 0, 0.0, 38.86),
        (SAMPLE, 0, 0.0, 0.0),
        (at(0.1, 2.0, 3.0, 50.0), 0, 0.0, 60.0),
        (at(2.0, 9.0, 0.7, 0.3), 1, 0.2, 40.0),
        (at(5.0, 1.0, 20.0, 300.0), 40, 20.0, 26.0),
        (at(0.6, 400.0, 8.0, 5.0), 3, 1.0, 300.0),
        (at(0.6, 10.0, 2.0, 10.0), 9, 30.0, 30.0 + 1e-9),
    ]
    .into_iter()
    .enumerate()
    {
        let draw = |i: u32| {
            let mut stream = Stream::new(3, k as u64, i, Purpose::Latent);
            let latent = params.draw(&mut stream, x, t_x, t);
            (latent, stream)
        };
        let rates = |latent: Latent| match latent.dropout {
            Dropout::AtRate(rate) => (latent.rate, rate),
            other => panic!("{other:?}"),
        };
        let near = |what: &str, (mean, error): (f64, f64), want: f64| {
            let room = 4.5 * error + 1e-12 * want.max(1.0);
            assert!((mean - want).abs() < room, "{params:?} {x} {what}: {mean} ± {error} for {want}");
        };
        let alive = params.p_alive(x, t_x, t);
        let expected = params.conditional_expected(x, t_x, t, 39.0);
        let (got, _) = mean(n, |i| f64::from(u8::from(draw(i).0.alive)));
        near("alive", (got, (alive * (1.0 - alive) / f64::from(n)).sqrt()), alive);
        near("expected", mean(n, |i| draw(i).0.expected(39.0)), expected);
        let counted = mean(n, |i| {
            let (latent, mut stream) = draw(i);
            let mut count = 0.0;
            latent.purchases(&mut stream, 39.0, |_| count += 1.0);
            count
        });
        near("counted", counted, expected);
        // E[λ^i·μ^j] by the joint density of alive customers and of those who left at u, each a product of gammas.
        let (shape, b) = (params.r + f64::from(x), params.beta);
        let moments = |seen: f64, s: f64, i: i32, j: i32| {
            let of = |shape: f64, rate: f64, power: i32| match power {
                0 => 1.0,
                1 => shape / rate,
                _ => shape * (shape + 1.0) / (rate * rate),
            };
            of(shape, params.alpha + seen, i) * of(s, b + seen, j)
        };
        let at_t = |u: f64| {
            let less = -shape * ((u - t) / (params.alpha + t)).ln_1p();
            (less - params.s * ((u - t) / (b + t)).ln_1p()).exp()
        };
        for (i, j) in [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2)] {
            let (mut top, mut bottom) = (moments(t, params.s, i, j), 1.0);
            top += rule
                .integral(t_x, t, 400, |u| params.s / (b + u) * at_t(u) * moments(u, params.s + 1.0, i, j));
            bottom += rule.integral(t_x, t, 400, |u| params.s / (b + u) * at_t(u));
            let got = mean(n, |k| {
                let (rate, leaving) = rates(draw(k).0);
                rate.powi(i) * leaving.powi(j)
            });
            near(&format!("λ^{i}μ^{j}"), got, top / bottom);
        }
    }
}

/// Draws at the edges end, and are numbers.
#[test]
fn draws_at_the_edges_end() {
    for r in [1e-6, 0.55, 1e5] {
        for alpha in [1e-3, 10.6, 1e5] {
            for s in [1e-6, 1.0, 1e5] {
                for beta in [1e-3, 10.6, 1e5] {
                    for (x, t_x, t) in [(0u32, 0.0, 40.0), (3, 39.0 - 1e-9, 39.0), (100_000, 5.0, 1e3)] {
                        for i in 0..20 {
                            let mut stream = Stream::new(4, u64::from(x), i, Purpose::Latent);
                            // As one who left, whatever its probability.
                            let params = at(r, alpha, s, beta);
                            let latent = draw::draw(&params, &mut stream, f64::from(x), t_x, t, 0.0);
                            assert!(latent.rate.is_finite() && latent.rate >= 0.0, "{params:?} {latent:?}");
                            assert!(matches!(latent.dropout, Dropout::AtRate(rate) if rate.is_finite()));
                        }
                    }
                }
            }
        }
    }
}
