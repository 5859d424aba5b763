//! Pareto/NBD's formulas against independent ones, over grids that reach the edges of what numbers can say.

use super::first::leaves_first;
use super::tests::{at, close};
use super::*;
use crate::clv::discounted::by_quadrature;
use crate::clv::quadrature::Rule;
use crate::special::ln_gamma;

/// (r, alpha, s, beta, x, t_x, T, log-odds of having left, log-likelihood): the integral over the moment of leaving by
/// mpmath at 40 digits.
#[allow(clippy::type_complexity, reason = "a table")]
#[rustfmt::skip]
const HISTORIES: &[(f64, f64, f64, f64, u32, f64, f64, f64, f64)] = &[
    (0.5532771, 10.5776835, 0.60624, 11.6687343, 0, 0.0, 38.86, 0.8707619939915734, -0.5212024695973022),
    (0.5532771, 10.5776835, 0.60624, 11.6687343, 2, 30.43, 38.86, -1.8931621415667215, -9.554333998696167),
    (0.5532771, 10.5776835, 0.60624, 11.6687343, 40, 5.0, 6.0, -1.8055672356736332, -4.474939416529763),
    (0.5532771, 10.5776835, 0.60624, 11.6687343, 50, 1.0, 37.0, 67.73927082614435, 19.17671867988811),
    (0.5532771, 10.5776835, 0.60624, 11.6687343, 100000, 30.0, 30.001, -9.664438268910475, 680967.7997923344),
    (0.5532771, 10.5776835, 0.60624, 11.6687343, 3, 20.0, 20.000000001, -24.679074980351107, -10.66756021160891),
    (10.465, 0.00798565181, 3.0516, 2.82, 0, 0.0, 38.86, 90.06947084088833, -7.0001342024702256),
    (10.465, 0.00798565181, 3.0516, 2.82, 2, 30.43, 38.86, 2.0189698102369134, -97.4589562479323),
    (10.465, 0.00798565181, 3.0516, 2.82, 40, 5.0, 6.0, 6.271872549211634, -5.719021585223113),
    (10.465, 0.00798565181, 3.0516, 2.82, 50, 1.0, 37.0, 220.69952514319084, 116.30126461011632),
    (10.465, 0.00798565181, 3.0516, 2.82, 100000, 30.0, 30.001, -7.1904776953882354, 711151.0136592452),
    (10.465, 0.00798565181, 3.0516, 2.82, 3, 20.0, 20.000000001, -22.735237055024594, -89.96033152267336),
    (0.5143, 2.8845, 0.2856, 14.1087, 0, 0.0, 38.86, -0.12145365369975261, -1.1178806270451171),
    (0.5143, 2.8845, 0.2856, 14.1087, 2, 30.43, 38.86, -2.683975554657312, -9.399214088293865),
    (0.5143, 2.8845, 0.2856, 14.1087, 40, 5.0, 6.0, -0.9846352774079934, 20.246364778715822),
    (0.5143, 2.8845, 0.2856, 14.1087, 50, 1.0, 37.0, 111.47507849980234, 71.48761328491373),
    (0.5143, 2.8845, 0.2856, 14.1087, 100000, 30.0, 30.001, -10.06779754405293, 701988.3250215063),
    (0.5143, 2.8845, 0.2856, 14.1087, 3, 20.0, 20.000000001, -25.505981286370098, -10.036667755726384),
    (1e-06, 3.0, 1e-06, 200.0, 0, 0.0, 38.86, -15.54395498956174, -2.6357182812024897e-06),
    (1e-06, 3.0, 1e-06, 200.0, 2, 30.43, 38.86, -16.915458248429747, -21.284173760227592),
    (1e-06, 3.0, 1e-06, 200.0, 40, 5.0, 6.0, -16.022462106983095, 4.9272698446371175),
    (1e-06, 3.0, 1e-06, 200.0, 50, 1.0, 37.0, 93.5045013643296, 39.810763766207984),
    (1e-06, 3.0, 1e-06, 200.0, 100000, 30.0, 30.001, -24.289252205014932, 701620.1070688858),
    (1e-06, 3.0, 1e-06, 200.0, 3, 20.0, 20.000000001, -39.932403858459736, -22.528846657514944),
    (2.5, 400.0, 1.3, 0.02, 0, 0.0, 38.86, 10.075633459280121, -0.00036810056502590004),
    (2.5, 400.0, 1.3, 0.02, 2, 30.43, 38.86, -0.9356594996984617, -19.744374385324132),
    (2.5, 400.0, 1.3, 0.02, 40, 5.0, 6.0, -1.2663880030679402, -131.8469010141049),
    (2.5, 400.0, 1.3, 0.02, 50, 1.0, 37.0, 8.98960802269183, -150.910496603015),
    (2.5, 400.0, 1.3, 0.02, 100000, 30.0, 30.001, -9.92871400119941, 444927.7643416693),
    (2.5, 400.0, 1.3, 0.02, 3, 20.0, 20.000000001, -23.457633263611587, -23.550989660232908),
    (100000.0, 2000000.0, 50.0, 30.0, 0, 0.0, 38.86, 43.45675024235933, -0.030134694051294913),
    (100000.0, 2000000.0, 50.0, 30.0, 2, 30.43, 38.86, 6.890272955685602, -42.587088268912474),
    (100000.0, 2000000.0, 50.0, 30.0, 40, 5.0, 6.0, 1.1590732376850694, -127.80571004564727),
    (100000.0, 2000000.0, 50.0, 30.0, 50, 1.0, 37.0, 40.305015239788595, -151.49502022425634),
    (100000.0, 2000000.0, 50.0, 30.0, 100000, 30.0, 30.001, -7.08961847017133, -260981.79525390206),
    (100000.0, 2000000.0, 50.0, 30.0, 3, 20.0, 20.000000001, -20.72326575369104, -35.52847300914484),
    (0.3, 0.001, 0.001, 1000.0, 0, 0.0, 38.86, -9.815187890333844, -3.170307446480233),
    (0.3, 0.001, 0.001, 1000.0, 2, 30.43, 38.86, -11.434455762428955, -11.43194213841018),
    (0.3, 0.001, 0.001, 1000.0, 40, 5.0, 6.0, -8.53677162581476, 32.35323760541946),
    (0.3, 0.001, 0.001, 1000.0, 50, 1.0, 37.0, 163.86683554977938, 124.80539226979671),
    (0.3, 0.001, 0.001, 1000.0, 100000, 30.0, 30.001, -18.659913580037443, 711160.5697062323),
    (0.3, 0.001, 0.001, 1000.0, 3, 20.0, 20.000000001, -34.55857893938449, -12.067127302013578),
];

#[test]
fn histories_match_mpmath() {
    for &(r, alpha, s, beta, x, t_x, t, log_odds, log_likelihood) in HISTORIES {
        let params = at(r, alpha, s, beta);
        let what = format!("{params:?} {x} {t_x} {t}");
        let got = params.log_odds_left(x, t_x, t);
        // Of the odds themselves; of large log-odds, what their rounding leaves of the odds.
        assert!((got - log_odds).abs() < 1e-12 * log_odds.abs().max(1.0), "{what}: {got} {log_odds}");
        close(&what, params.ln_p_alive(x, t_x, t), -softplus(log_odds), 1e-11);
        close(&what, params.p_alive(x, t_x, t), logistic(-log_odds), 1e-10);
        let got = params.log_likelihood(x, t_x, t);
        let terms = log_likelihood.abs().max(f64::from(x)).max(1.0) + ln_gamma(r + f64::from(x)).abs();
        assert!((got - log_likelihood).abs() < 1e-13 * terms, "{what}: {got} {log_likelihood}");
    }
}

/// Shapes and rates from tiny to huge, equal and far apart.
fn grid() -> Vec<ParetoNbd> {
    let mut out = Vec::new();
    for r in [1e-6, 0.55, 1.0, 30.0, 1e5] {
        for alpha in [1e-3, 10.6, 1e5] {
            for s in [1e-6, 0.61, 1.0 - 1e-12, 1.0, 1.0 + 1e-12, 2.0, 40.0, 1e5] {
                for beta in [1e-3, 10.6, 10.6 * (1.0 + 1e-12), 11.7, 1e5] {
                    out.push(at(r, alpha, s, beta));
                }
            }
        }
    }
    out
}

/// (x, t_x, T) at the edges: nobody, few, many; just bought, never again; no time.
const EDGES: [(u32, f64, f64); 13] = [
    (0, 0.0, 0.0),
    (0, 0.0, 1e-9),
    (0, 0.0, 40.0),
    (0, 0.0, 1e4),
    (1, 0.1, 40.0),
    (2, 30.0, 39.0),
    (7, 39.0 - 1e-9, 39.0),
    (7, 39.0, 39.0),
    (26, 1.0, 39.0),
    (300, 95.0, 104.0),
    (500, 1.0, 37.0),
    (100_000, 30.0, 1e3),
    (100_000, 999.0, 1e3),
];

/// Leaving first and buying first are the same function with the roles exchanged, by other series and other integrals:
/// the two add up to 1.
#[test]
fn leaving_and_buying_first_add_up() {
    for n in [1e-6, 0.3, 1.0, 7.3, 300.0, 1e5] {
        for s in [1e-6, 0.3, 1.0, 7.3, 300.0, 1e5] {
            for ratio in [1e-9, 1e-3, 0.14, 0.16, 0.5, 1.0 - 1e-12, 1.0, 1.1, 1.9, 6.6, 6.7, 50.0, 1e5, 1e12]
            {
                let (leaves, buys) = (leaves_first(n, s, ratio, 1.0), leaves_first(s, n, 1.0, ratio));
                assert!(leaves > 0.0 && buys > 0.0, "{n} {s} {ratio}");
                assert!((leaves + buys - 1.0).abs() < 3e-14, "{n} {s} {ratio}: {leaves} {buys}");
            }
        }
    }
}

/// Every number a number, in its range, over the grid; likelihood and odds against the plain integral of the reference.
#[test]
fn a_grid_of_histories_has_no_hole() {
    let rule = Rule::new();
    let mut points = 0;
    for params in grid() {
        for (x, t_x, t) in EDGES {
            let what = || format!("{params:?} {x} {t_x} {t}");
            let (alive, ln_alive) = (params.p_alive(x, t_x, t), params.ln_p_alive(x, t_x, t));
            assert!((0.0..=1.0).contains(&alive) && ln_alive <= 0.0 && ln_alive.is_finite(), "{}", what());
            assert!(t > t_x || alive == 1.0, "{}", what());
            let n = f64::from(x);
            let got = params.log_likelihood(x, t_x, t) - ln_gamma_delta(params.r, n);
            let want = reference::of_times(&params, n, t_x, t, &rule).value;
            // Rounding of the largest term, n·ln(alpha + T).
            let scale = 1.0 + (params.r + n + params.s) * 1e-5;
            assert!((got - want).abs() < 1e-9 * scale.max(want.abs()), "{}: {got} {want}", what());
            points += 1;
        }
    }
    assert!(points > 7000);
}

/// Expected purchases against the integral of the rate at which they come, ∫ n/a·(1 + u/b)^−s du, over the grid.
#[test]
fn expectations_match_quadrature() {
    let rule = Rule::new();
    for params in grid() {
        for (x, t) in [(0, 0.0), (0, 40.0), (7, 39.0), (100_000, 1e3)] {
            let mut last = 0.0;
            for horizon in [1e-9, 1.0, 52.0, 1e4] {
                let got = params.expected_if_alive(x, t, horizon);
                let ParetoNbd { r, alpha, s, beta, .. } = params;
                let (rate, b) = ((r + f64::from(x)) / (alpha + t), beta + t);
                // In steps over which the integrand falls by no more than e⁴, to where nothing is left.
                let (mut sum, mut begin) = (0.0, 0.0);
                while begin < horizon && (s < 3.0 || s * f64::ln_1p(begin / b) < 60.0) {
                    let end = (begin + (b + begin) * (4.0 / s).min(1.0)).min(horizon);
                    sum += rule.integral(begin, end, 1, |u| (-s * (u / b).ln_1p()).exp());
                    begin = end;
                }
                close(format!("{params:?} {x} {t} {horizon}"), got, rate * sum, 1e-9);
                assert!(got >= last * (1.0 - 1e-12));
                last = got;
            }
        }
    }
}

/// Without a discount purchases for ever are finite for s above 1 only, where a lifetime has a mean.
#[test]
fn expectations_for_ever() {
    let ever = |s: f64| at(2.0, 5.0, s, 3.0).expected_if_alive(0, 0.0, f64::INFINITY);
    assert_eq!((ever(0.5), ever(1.0)), (f64::INFINITY, f64::INFINITY));
    close("s 3", ever(3.0), 2.0 / 5.0 * 3.0 / 2.0, 1e-15);
}

/// Discounted expectations against the way that holds for every model, from undiscounted expectations alone.
#[test]
fn discounted_expectations_match_the_default() {
    for params in grid().into_iter().filter(|p| p.r == 0.55) {
        for (x, t) in [(0, 0.0), (7, 39.0), (100_000, 1e3)] {
            for delta in [1e-5, 0.0027, 0.3, 40.0] {
                for horizon in [1e-6, 1.0, 52.0, 1e4, f64::INFINITY] {
                    let got = params.discounted_if_alive(x, t, delta, horizon);
                    let scale = params.beta.min(params.alpha) + t;
                    let scale = scale / (1.0 + params.s);
                    let want = by_quadrature(|h| params.expected_if_alive(x, t, h), scale, delta, horizon);
                    close(format!("{params:?} {x} {t} {delta} {horizon}"), got, want, 1e-9);
                }
            }
        }
    }
    let params = at(0.55, 10.6, 0.61, 11.7);
    assert_eq!(params.discounted_if_alive(3, 9.0, 0.0, 52.0), params.expected_if_alive(3, 9.0, 52.0));
    assert_eq!(params.discounted_if_alive(3, 9.0, 0.1, 0.0), 0.0);
}

/// DERT by Tricomi's function: (s, beta + T, delta, b·U(1, 2 − s, b·delta)) by mpmath at 32 digits.
#[test]
fn discounted_expectations_match_tricomi() {
    for (s, b, delta, want) in [
        (1e-06, 0.01, 0.0027, 370.3666878876934),
        (1e-06, 0.01, 0.5, 1.9999905004538223),
        (1e-06, 60.0, 0.0027, 370.3697612703902),
        (1e-06, 60.0, 0.5, 1.9999999354205245),
        (0.4, 0.01, 0.0027, 8.189573435904979),
        (0.4, 0.01, 0.5, 0.3428153735116477),
        (0.4, 60.0, 0.0027, 202.3620474532601),
        (0.4, 60.0, 0.5, 1.9744880969883918),
        (0.999999999999, 0.01, 0.0027, 0.09942753477646206),
        (0.999999999999, 0.01, 0.5, 0.047497851106661396),
        (0.999999999999, 60.0, 0.0027, 98.67429810234947),
        (0.999999999999, 60.0, 0.5, 1.9373843255388683),
        (1.0, 0.01, 0.0027, 0.09942753477595957),
        (1.0, 0.01, 0.5, 0.047497851106541186),
        (1.0, 60.0, 0.0027, 98.67429810224816),
        (1.0, 60.0, 0.5, 1.9373843255388075),
        (1.5, 0.01, 0.0027, 0.0198168762385749),
        (1.5, 0.01, 0.5, 0.017681475200762527),
        (1.5, 60.0, 0.0027, 62.70130887986246),
        (1.5, 60.0, 0.5, 1.9074848664291422),
        (40.0, 0.01, 0.0027, 0.00025641007422415454),
        (40.0, 0.01, 0.5, 0.0002563765227772054),
        (40.0, 60.0, 0.0027, 1.5319314218689497),
        (40.0, 60.0, 0.5, 0.8641106509870236),
    ] {
        // (r + x)/(alpha + T) is 1.
        let got = at(1.0, 3.0, s, b).discounted_if_alive(2, 0.0, delta, f64::INFINITY);
        close(format!("{s} {b} {delta}"), got, want, 1e-12);
    }
}

/// Probabilities of counts add up to 1, their mean is E[X(t)], and nobody's is NaN.
#[test]
fn probabilities_of_counts_add_up() {
    for (r, alpha, s, beta) in [
        (0.55, 10.6, 0.61, 11.7),
        (2.0, 3.0, 1.0, 3.0),
        (5.0, 90.0, 1.0 + 1e-12, 0.5),
        (0.001, 1.0, 30.0, 400.0),
        (40.0, 30.0, 0.0001, 0.001),
    ] {
        let params = at(r, alpha, s, beta);
        for t in [1e-6, 0.5, 39.0] {
            let (mut total, mut mean) = (0.0, 0.0);
            for x in 0..2500 {
                let p = params.pmf(x, t);
                assert!((0.0..=1.0).contains(&p), "{params:?} {x} {t}: {p}");
                total += p;
                mean += p * f64::from(x);
                if p < 1e-22 && x > 10 && mean > 0.0 && f64::from(x) > 60.0 * params.expected(t) {
                    break;
                }
            }
            close("total", total, 1.0, 1e-11);
            close("mean", mean, params.expected(t), 1e-9);
        }
    }
    for params in grid() {
        for x in [0, 1, 40, 100_000] {
            for t in [0.0, 1e-9, 39.0, 1e4] {
                let p = params.pmf(x, t);
                assert!((0.0..=1.0).contains(&p), "{params:?} {x} {t}: {p}");
            }
        }
    }
}

/// (r, alpha, s, beta, x, t, P(X(t) = x)) by mpmath's quadrature at 25 digits.
#[test]
fn probabilities_of_counts_match_mpmath() {
    for (r, alpha, s, beta, x, t, want) in [
        (0.55, 10.6, 0.61, 11.7, 0, 39.0, 0.5961018014652096),
        (0.55, 10.6, 0.61, 11.7, 1, 39.0, 0.1651489707090543),
        (0.55, 10.6, 0.61, 11.7, 10, 2.0, 1.8358021473763846e-09),
        (0.55, 10.6, 0.61, 11.7, 250, 39.0, 7.156505637676994e-29),
        (0.55, 10.6, 0.61, 11.7, 20000, 39000.0, 2.7080226713253117e-09),
        (2.0, 3.0, 1.0, 3.0, 0, 39.0, 0.3335762876579203),
        (2.0, 3.0, 1.0, 3.0, 1, 39.0, 0.16711352908510343),
        (2.0, 3.0, 1.0, 3.0, 10, 2.0, 0.0002660049106051282),
        (2.0, 3.0, 1.0, 3.0, 250, 39.0, 8.696863247198329e-10),
        (2.0, 3.0, 1.0, 3.0, 20000, 39000.0, 5.948889043151955e-09),
        (0.3, 1000.0, 40.0, 0.01, 0, 39.0, 0.999999923076945),
        (0.3, 1000.0, 40.0, 0.01, 1, 39.0, 7.692302429154705e-08),
        (0.3, 1000.0, 40.0, 0.01, 10, 2.0, 1.0380348506658234e-60),
        (0.3, 1000.0, 40.0, 0.01, 250, 39.0, 0.0),
        (0.3, 1000.0, 40.0, 0.01, 20000, 39000.0, 0.0),
        (10000.0, 20000.0, 0.5, 100.0, 0, 39.0, 0.009714956354856318),
        (10000.0, 20000.0, 0.5, 100.0, 1, 39.0, 0.009442118439616332),
        (10000.0, 20000.0, 0.5, 100.0, 10, 2.0, 1.0083388259870935e-07),
        (10000.0, 20000.0, 0.5, 100.0, 250, 39.0, 3.9486833830360834e-178),
        (10000.0, 20000.0, 0.5, 100.0, 20000, 39000.0, 9.689575859278079e-06),
    ] {
        close(format!("{x} in {t}"), at(r, alpha, s, beta).pmf(x, t), want, 1e-9);
    }
}
