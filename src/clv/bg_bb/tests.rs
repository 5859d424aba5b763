//! BG/BB against published and independently computed numbers, enumeration of all sequences, sums, and itself.

mod data;
mod derivatives;
mod expect;
mod fits;

use super::*;
use crate::clv::model::Verdict;
use crate::random::{Purpose, Stream};

#[track_caller]
fn close(what: impl std::fmt::Display, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() <= tolerance, "{what}: {got:e} for {want:e}");
}

/// The donors of Fader, Hardie and Shang (2010): (x, t_x, donors) with n = 6, as in `donations.csv` of the Python package
/// lifetimes 0.11.3 (MIT).
const DONATIONS: [(u32, u32, u64); 22] = [
    (0, 0, 3464),
    (1, 1, 1091),
    (1, 2, 277),
    (1, 3, 129),
    (1, 4, 78),
    (1, 5, 119),
    (1, 6, 129),
    (2, 2, 613),
    (2, 3, 255),
    (2, 4, 155),
    (2, 5, 173),
    (2, 6, 234),
    (3, 3, 322),
    (3, 4, 181),
    (3, 5, 225),
    (3, 6, 357),
    (4, 4, 240),
    (4, 5, 284),
    (4, 6, 512),
    (5, 5, 335),
    (5, 6, 728),
    (6, 6, 1203),
];

fn donations() -> Opportunities {
    let x = DONATIONS.map(|row| row.0);
    let t_x = DONATIONS.map(|row| row.1);
    Opportunities::from_table(&x, &t_x, &[6; 22], &DONATIONS.map(|row| row.2)).unwrap()
}

/// The optimum of an independent implementation.
const OPTIMUM: BgBb = BgBb { alpha: 1.203522, beta: 0.749716, gamma: 0.656718, delta: 2.783443 };
/// As the paper prints it.
const PRINTED: BgBb = BgBb { alpha: 1.20, beta: 0.75, gamma: 0.66, delta: 2.78 };

#[test]
fn the_donations() {
    let data = donations();
    let fit = BgBbModel.fit(&data, &()).unwrap();
    let report = &fit.report;
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{report:?}");
    assert_eq!((report.customers, report.patterns), (11_104, 22));
    assert!(report.gradient_norm < 1e-9 && report.hessian_eigenvalues[0] > 0.0, "{report:?}");
    // Fader, Hardie and Shang print 1.20, .75, .66, 2.78 and −33,225.6; digits and standard errors by an independent
    // implementation.
    let log = report.log_likelihood.unwrap();
    assert!((log + 33225.581274).abs() < 1e-5, "{log}");
    let want = [(1.203522, 0.0694), (0.749716, 0.0294), (0.656718, 0.0510), (2.783443, 0.3208)];
    for (parameter, (estimate, error)) in report.parameters.iter().zip(want) {
        close(parameter.name, parameter.estimate, estimate, 1e-4);
        close(parameter.name, parameter.standard_error.unwrap(), error, 0.01);
    }
    let fitted = fit.params.unwrap();
    // The paper: 12,884 transactions expected over the next five years; digits as above.
    let total: f64 = data
        .cells()
        .iter()
        .map(|c| c.customers as f64 * fitted.conditional_expected(c.x, c.t_x, c.n, 5))
        .sum();
    assert!((total - 12884.157).abs() < 0.01, "{total}");
}

#[test]
fn the_donations_without_dropout() {
    let fit = BetaBinomialModel.fit(&donations(), &()).unwrap();
    assert_eq!(fit.report.verdict, Verdict::VerifiedOptimum, "{:?}", fit.report);
    assert_eq!(fit.report.patterns, 7);
    let log = fit.report.log_likelihood.unwrap();
    // The optimum of an independent implementation.
    assert!((log + 35516.1099).abs() < 1e-3, "{log}");
    let params = fit.params.unwrap();
    close("alpha", params.alpha, 0.487275, 1e-5);
    close("beta", params.beta, 0.826434, 1e-5);
    let without = BgBb { alpha: params.alpha, beta: params.beta, gamma: 1e-12, delta: 1.0 };
    for n in [1, 6, 40] {
        let total: f64 = (0..=n).map(|x| params.pmf(x, n)).sum();
        close("sum", total, 1.0, 1e-12);
        close("expected", params.expected(n), without.expected(n), 1e-9);
        for x in 0..=n {
            close("pmf", params.pmf(x, n), without.pmf(x, n), 1e-9);
            let t_x = if x == 0 { 0 } else { n };
            close(
                "next",
                params.conditional_expected(x, n, 5),
                without.conditional_expected(x, t_x, n, 5),
                1e-9,
            );
        }
    }
}

/// Numbers of an independent implementation at the optimum, as printed there.
#[test]
fn predictions_for_donors() {
    for (n, want) in [(1, 0.4985), (2, 0.9233), (11, 3.3887)] {
        assert!((OPTIMUM.expected(n) - want).abs() < 6e-5, "{n}: {}", OPTIMUM.expected(n));
    }
    for (x, t_x, want) in [(0, 0, 0.108133), (2, 4, 0.589657), (6, 6, 0.930434)] {
        close(format!("{x} {t_x}"), OPTIMUM.p_alive(x, t_x, 6), want, 5e-6);
    }
    close("DERT", PRINTED.dert(3, 4, 6, 0.1), 1.6213792, 1e-7);
}

/// Parameters from a plain place to the edges of what a fit may end in.
fn corners() -> Vec<BgBb> {
    let mut out = vec![OPTIMUM];
    for (alpha, beta) in [(1e-6, 2e-6), (0.3, 2.0), (5e5, 5e5), (1e-3, 1e4), (3.0, 1e-9)] {
        for (gamma, delta) in [(1e-9, 1.0), (1.0, 1.0), (0.4, 1e-6), (2.5, 7.0), (3e5, 7e5), (1e-6, 1e-6)] {
            out.push(BgBb { alpha, beta, gamma, delta });
        }
    }
    out
}

/// E[Π] over beta(a, b) of (θ)^ones (1 − θ)^zeros, by products alone.
fn moment(a: f64, b: f64, ones: u32, zeros: u32) -> f64 {
    let mut out = 1.0;
    for i in 0..ones {
        out *= (a + f64::from(i)) / (a + b + f64::from(i));
    }
    for i in 0..zeros {
        out *= (b + f64::from(i)) / (a + b + f64::from(ones + i));
    }
    out
}

/// The probability of a sequence of transactions (bits of `sequence`, the first opportunity lowest) at n opportunities,
/// with the customer alive at exactly the first `k`, or at `k` = n at least.
fn joint(params: &BgBb, sequence: u32, n: u32, k: u32) -> f64 {
    if sequence >> k != 0 {
        return 0.0;
    }
    let x = sequence.count_ones();
    let gone = u32::from(k < n);
    moment(params.alpha, params.beta, x, k - x) * moment(params.gamma, params.delta, gone, k)
}

/// All sequences of up to eight opportunities (five seen, three to come), by definition: likelihood, counts, P(alive), expectations and conditional
/// counts, without any of the formulas.
#[test]
fn everything_matches_enumeration() {
    for params in corners() {
        let at = |what: &str, x: u32, t_x: u32, n: u32| format!("{what} {params:?} ({x}, {t_x}, {n})");
        let same = |what: String, got: f64, want: f64| {
            assert!((got - want).abs() <= 1e-11 * want + 1e-300, "{what}: {got:e} for {want:e}");
        };
        for n in 0..=5u32 {
            let mut counts = vec![0.0; n as usize + 1];
            let mut mean = 0.0;
            for sequence in 0..1u32 << n {
                let x = sequence.count_ones();
                let t_x = 32 - sequence.leading_zeros();
                let probability: f64 = (0..=n).map(|k| joint(&params, sequence, n, k)).sum();
                counts[x as usize] += probability;
                mean += probability * f64::from(x);
                if probability < 1e-290 {
                    continue;
                }
                let log = params.log_likelihood(x, t_x, n);
                assert!(
                    (log - probability.ln()).abs() < 1e-9 * (1.0 + log.abs()),
                    "{}",
                    at("likelihood", x, t_x, n)
                );
                for m in 0..=2 {
                    let alive = moment(params.alpha, params.beta, x, n - x)
                        * moment(params.gamma, params.delta, 0, n + m);
                    same(at("alive", x, t_x, n), params.p_alive_at(x, t_x, n, m), alive / probability);
                }
                same(at("alive", x, t_x, n), params.p_alive(x, t_x, n), params.p_alive_at(x, t_x, n, 1));
                let horizon = 3;
                let mut next = vec![0.0; horizon as usize + 1];
                let (mut expected, mut discounted) = (0.0, 0.0);
                for later in 0..1u32 << horizon {
                    let whole = sequence | later << n;
                    let p = (0..=n + horizon).map(|k| joint(&params, whole, n + horizon, k)).sum::<f64>()
                        / probability;
                    next[later.count_ones() as usize] += p;
                    expected += p * f64::from(later.count_ones());
                    discounted += p
                        * (0..horizon)
                            .filter(|i| later >> i & 1 == 1)
                            .map(|i| 1.25f64.powi(-(i as i32 + 1)))
                            .sum::<f64>();
                }
                same(at("expected", x, t_x, n), params.conditional_expected(x, t_x, n, horizon), expected);
                same(at("DECT", x, t_x, n), params.dect(x, t_x, n, 0.25, horizon), discounted);
                for (y, want) in (0..).zip(next) {
                    same(at("next", x, t_x, n), params.conditional_pmf(x, t_x, n, y, horizon), want);
                }
            }
            for (x, want) in (0..).zip(counts) {
                same(at("count", x, 0, n), params.pmf(x, n), want);
            }
            same(at("mean", 0, 0, n), params.expected(n), mean);
        }
    }
}

#[test]
fn counts_sum_to_one_and_to_their_mean() {
    for params in corners() {
        for n in [1, 6, 52, 400] {
            let (mut total, mut mean) = (0.0, 0.0);
            for x in 0..=n {
                let p = params.pmf(x, n);
                assert!((0.0..=1.0).contains(&p), "{params:?} {x} {n}: {p}");
                total += p;
                mean += p * f64::from(x);
            }
            close(format!("{params:?} {n}"), total, 1.0, 1e-10);
            close(format!("{params:?} {n}"), mean, params.expected(n), 1e-9);
            assert_eq!(params.pmf(n + 1, n), 0.0);
        }
    }
}

/// DERT against the sum of its terms, conditional expectations against theirs.
#[test]
fn discounted_transactions_match_their_terms() {
    for params in corners() {
        for (x, t_x, n) in [(0, 0, 0), (0, 0, 6), (3, 4, 6), (6, 6, 6), (10, 30, 52)] {
            let mut before = 0.0;
            let (mut sum, mut at_five) = (0.0, 0.0);
            for m in 1..=400 {
                let expected = params.conditional_expected(x, t_x, n, m);
                sum += (expected - before) * 1.1f64.powi(-(m as i32));
                if m == 5 {
                    at_five = sum;
                }
                before = expected;
            }
            let at = format!("{params:?} ({x}, {t_x}, {n})");
            let dert = params.dert(x, t_x, n, 0.1);
            assert!((dert - sum).abs() <= 1e-8 * sum + 1e-12, "{at}: {dert} {sum}");
            let dect = params.dect(x, t_x, n, 0.1, 5);
            assert!((dect - at_five).abs() <= 1e-8 * at_five + 1e-12, "{at}: {dect} {at_five}");
            close(&at, params.dect(x, t_x, n, 0.0, 30), params.conditional_expected(x, t_x, n, 30), 1e-10);
            assert_eq!(params.dert(x, t_x, n, 0.0).is_infinite(), params.gamma <= 1.0);
        }
    }
}

/// Every value a number in its range, out to the most opportunities and the longest horizon.
#[test]
fn a_stress_grid_has_no_hole() {
    for params in corners() {
        for n in [0, 1, 50, MOST_OPPORTUNITIES] {
            for t_x in [0, 1, n / 2, n] {
                for x in [u32::from(t_x > 0), t_x / 3, t_x] {
                    if t_x > n || x > t_x || (x == 0) != (t_x == 0) {
                        continue;
                    }
                    let at = format!("{params:?} ({x}, {t_x}, {n})");
                    let log = params.log_likelihood(x, t_x, n);
                    assert!(log.is_finite() && log <= 1e-9, "{at}: {log}");
                    let alive = params.p_alive(x, t_x, n);
                    assert!((0.0..=1.0).contains(&alive), "{at}: {alive}");
                    assert!(params.ln_p_alive(x, t_x, n) <= 0.0, "{at}");
                    let mut last = 0.0;
                    for horizon in [0, 1, 52, 100_000, u32::MAX] {
                        let expected = params.conditional_expected(x, t_x, n, horizon);
                        assert!((0.0..=f64::from(horizon)).contains(&expected), "{at} {horizon}: {expected}");
                        assert!(expected >= last, "{at} {horizon}: {expected} {last}");
                        last = expected;
                        let discounted = params.dect(x, t_x, n, 0.01, horizon);
                        assert!(
                            discounted <= expected * (1.0 + 1e-9),
                            "{at} {horizon}: {discounted} {expected}"
                        );
                    }
                    let mut stream = Stream::new(1, 2, 3, Purpose::Latent);
                    let latent = params.draw(&mut stream, x, t_x, n);
                    let range = 0.0..=1.0;
                    assert!(range.contains(&latent.transaction) && range.contains(&latent.dropout), "{at}");
                }
            }
        }
    }
}

fn opportunities(customers: &[(u32, u32, u32)]) -> Opportunities {
    let column = |f: fn(&(u32, u32, u32)) -> u32| customers.iter().map(f).collect::<Vec<_>>();
    Opportunities::from_statistics(&column(|c| c.0), &column(|c| c.1), &column(|c| c.2)).unwrap()
}

/// Drawn customers transact as the model expects, and are alive as often.
#[test]
fn drawn_customers_have_the_expectation_of_the_model() {
    let tiny = BgBb { alpha: 0.2, beta: 0.9, gamma: 1.0, delta: 1.7 };
    for (params, x, t_x, n) in
        [(OPTIMUM, 2, 4, 6), (OPTIMUM, 0, 0, 6), (OPTIMUM, 6, 6, 6), (OPTIMUM, 0, 0, 0), (tiny, 1, 2, 12)]
    {
        let draws = 30_000;
        let (mut sum, mut squares, mut alive) = (0.0, 0.0, 0.0);
        let mut counts = [0.0; 6];
        let (mut probability, mut dropout) = (0.0, 0.0);
        for i in 0..draws {
            let mut stream = Stream::new(3, u64::from(x), i, Purpose::Latent);
            let latent = params.draw(&mut stream, x, t_x, n);
            alive += f64::from(u8::from(latent.alive));
            let expected = latent.expected(5);
            sum += expected;
            squares += expected * expected;
            let mut count = 0;
            latent.transactions(&mut stream, 5, |_| count += 1);
            counts[count] += 1.0;
            probability += latent.transaction;
            dropout += latent.dropout;
        }
        let draws = f64::from(draws);
        let share = |got: f64, p: f64| {
            let error = (p * (1.0 - p) / draws).sqrt();
            assert!(
                (got / draws - p).abs() < 4.0 * error + 1e-12,
                "{x} {t_x} {n}: {} {p} ± {error}",
                got / draws
            );
        };
        share(alive, params.p_alive(x, t_x, n));
        for (y, count) in (0..).zip(counts) {
            share(count, params.conditional_pmf(x, t_x, n, y, 5));
        }
        let error = ((squares / draws - (sum / draws).powi(2)) / draws).sqrt();
        let want = params.conditional_expected(x, t_x, n, 5);
        assert!((sum / draws - want).abs() < 4.0 * error, "{x}: {} {want} ± {error}", sum / draws);
        // Posterior means as ratios of the likelihood's own moments: p·L is the likelihood with one transaction more.
        let more = |alpha: f64, beta: f64, gamma: f64, delta: f64| {
            let other = BgBb { alpha, beta, gamma, delta };
            (other.log_likelihood(x, t_x, n) - params.log_likelihood(x, t_x, n)).exp()
        };
        let BgBb { alpha, beta, gamma, delta } = params;
        let p = alpha / (alpha + beta) * more(alpha + 1.0, beta, gamma, delta);
        let theta = gamma / (gamma + delta) * more(alpha, beta, gamma + 1.0, delta);
        assert!(
            (probability / draws - p).abs() < 4.0 * 0.5 / draws.sqrt(),
            "{x}: {} {p}",
            probability / draws
        );
        assert!(
            (dropout / draws - theta).abs() < 4.0 * 0.5 / draws.sqrt(),
            "{x}: {} {theta}",
            dropout / draws
        );
    }
}
