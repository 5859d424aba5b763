//! BG/NBD, MBG/NBD and NBD over a grid that reaches the edges: more than 10⁵ points against integration over λ and p.

use super::discounted::by_quadrature;
use super::test_purchases::{
    Family, References, close, expected_over_both, expected_over_dropout, history_grid, parameter_grid,
    pmf_over_rates,
};
use super::{BgNbd, MbgNbd, Nbd};
use crate::random::{Purpose, Stream};
use crate::special::softplus;

/// P(alive) and the likelihood of every history under every set of parameters, relative 1e-9.
fn histories_agree<F: Family>() -> u32 {
    let (mut references, mut points) = (References::default(), 0);
    let histories = history_grid();
    for params in parameter_grid() {
        let [r, alpha, a, b] = params;
        let model = F::make(r, alpha, a, b);
        for &(x, t_x, t) in &histories {
            let (likelihood, odds) = references.likelihood(params, F::chances(x), (x, t_x, t));
            let at = || format!("{model:?} x {x} t_x {t_x} T {t}");
            let got = model.log_likelihood(x, t_x, t);
            // Reference and model each round exponents as large as x·ln.
            let rounding = 1e-15 * (r + f64::from(x)) * 30.0;
            assert!(
                (got - likelihood).abs() <= 1e-9 * likelihood.abs() + 1e-11 + rounding,
                "{}: {got} {likelihood}",
                at()
            );
            let want = odds.map_or(0.0, |odds| -softplus(odds));
            let (log, alive) = (model.ln_p_alive(x, t_x, t), model.p_alive(x, t_x, t));
            assert!((log - want).abs() <= 1e-9 * want.abs().max(1.0), "{}: {log} {want}", at());
            assert!((alive - want.exp()).abs() <= 1e-9 * want.exp().max(1e-300), "{}: {alive}", at());
            assert!(log <= 0.0 && (0.0..=1.0).contains(&alive), "{}", at());
            points += 2;
        }
    }
    points
}

#[test]
fn histories_of_bg_nbd() {
    assert!(histories_agree::<BgNbd>() > 60_000);
}

#[test]
fn histories_of_mbg_nbd() {
    assert!(histories_agree::<MbgNbd>() > 60_000);
}

#[test]
fn histories_of_nbd() {
    assert!(histories_agree::<Nbd>() > 60_000);
}

/// Conditional expectations at points drawn from the grid, relative 1e-9: most against one integral, over p, some
/// against the double one.
fn expectations_agree<F: Family>() {
    let mut stream = Stream::new(4, 0, 0, Purpose::Sample);
    let mut pick = |n: usize| (stream.uniform() * n as f64) as usize;
    let (grid, histories) = (parameter_grid().collect::<Vec<_>>(), history_grid());
    for i in 0..3000 {
        let params = grid[pick(grid.len())];
        let [r, alpha, a, b] = params;
        let model = F::make(r, alpha, a, b);
        let (x, t_x, t) = histories[pick(histories.len())];
        let horizon = [1e-9, 1.0, 52.0, 1e4][pick(4)];
        let (shape, tau) = (r + f64::from(x), horizon / (alpha + t));
        let (b, simple) = (b + F::chances(x), F::FIRST_CHANCES.is_none());
        let want = if simple {
            shape * tau
        } else if i % 20 == 0 {
            expected_over_both(shape, a, b, tau)
        } else {
            expected_over_dropout(shape, a, b, tau)
        };
        let got = model.expected_if_alive(x, t, horizon);
        close(format!("{model:?} x {x} T {t} horizon {horizon}"), got, want, 1e-9);
        let (given, alive) = (model.conditional_expected(x, t_x, t, horizon), model.p_alive(x, t_x, t));
        assert_eq!(given.to_bits(), (got * alive).to_bits());
    }
}

#[test]
fn expectations_of_bg_nbd() {
    expectations_agree::<BgNbd>();
}

#[test]
fn expectations_of_mbg_nbd() {
    expectations_agree::<MbgNbd>();
}

#[test]
fn expectations_of_nbd() {
    expectations_agree::<Nbd>();
}

/// P(X(t) = x) against averages over λ and p, and its sum and mean against 1 and E[X(t)].
fn counts_agree<F: Family>() {
    for r in [0.01, 0.24, 1.0, 6.0] {
        for (a, b) in [(1e-3, 2.0), (0.4, 0.6), (0.79, 2.4), (1.0, 0.3), (1.0 + 1e-12, 3.0), (40.0, 200.0)] {
            for t in [1e-6, 0.5, 39.0] {
                let params = [r, 4.4, a, b];
                let model = F::make(r, 4.4, a, b);
                for (x, want) in (0u32..).zip(pmf_over_rates::<F>(params, t, 12)) {
                    close(format!("{model:?} P(X({t}) = {x})"), model.pmf(x, t), want, 1e-9);
                }
                let (mut total, mut mean) = (0.0, 0.0);
                for x in 0..1500 {
                    let p = model.pmf(x, t);
                    assert!((0.0..=1.0).contains(&p), "{model:?} {x} {t}: {p}");
                    total += p;
                    mean += p * f64::from(x);
                    if x > 20 && p < 1e-18 * mean {
                        break;
                    }
                }
                close(format!("{model:?} {t}: sum"), total, 1.0, 1e-12);
                close(format!("{model:?} {t}: mean"), mean, model.expected(t), 1e-9);
            }
        }
    }
}

#[test]
fn counts_of_bg_nbd() {
    counts_agree::<BgNbd>();
}

#[test]
fn counts_of_mbg_nbd() {
    counts_agree::<MbgNbd>();
}

#[test]
fn counts_of_nbd() {
    counts_agree::<Nbd>();
}

/// No hole at the edges: every value a number, in its range, and growing with the horizon; discounting takes off
/// something, and no more than the whole horizon's.
fn there_is_no_hole<F: Family>() {
    let mut stream = Stream::new(5, 0, 0, Purpose::Sample);
    let mut pick = |n: usize| (stream.uniform() * n as f64) as usize;
    let (grid, histories) = (parameter_grid().collect::<Vec<_>>(), history_grid());
    for _ in 0..3000 {
        let [r, alpha, a, b] = grid[pick(grid.len())];
        let model = F::make(r, alpha, a, b);
        let (x, t_x, t) = histories[pick(histories.len())];
        let delta = [1e-6, 0.0027, 1.0][pick(3)];
        let at = || format!("{model:?} x {x} t_x {t_x} T {t} delta {delta}");
        let mut last = 0.0;
        for horizon in [0.0, 1e-6, 52.0, 1e4] {
            let orders = model.expected_if_alive(x, t, horizon);
            let without_dropout = (r + f64::from(x)) * horizon / (alpha + t);
            assert!((0.0..=without_dropout * (1.0 + 1e-9)).contains(&orders), "{}: {orders}", at());
            assert!(orders >= last * (1.0 - 1e-10), "{}: {orders} after {last}", at());
            last = orders;
            let discounted = model.discounted_if_alive(x, t, delta, horizon);
            let least = (-delta * horizon).exp() * orders * (1.0 - 1e-10);
            assert!(
                (least..=orders * (1.0 + 1e-10)).contains(&discounted),
                "{}: {discounted} {orders}",
                at()
            );
        }
        let dert = model.dert(x, t_x, t, delta);
        assert!(dert.is_finite() && dert >= 0.0, "{}: {dert}", at());
        for count in [0, 1, 7, x, 1_000_000] {
            let p = model.pmf(count, t);
            assert!((0.0..=1.0 + 1e-12).contains(&p), "{}: P(X = {count}) = {p}", at());
        }
    }
}

#[test]
fn no_hole_in_bg_nbd() {
    there_is_no_hole::<BgNbd>();
}

#[test]
fn no_hole_in_mbg_nbd() {
    there_is_no_hole::<MbgNbd>();
}

#[test]
fn no_hole_in_nbd() {
    there_is_no_hole::<Nbd>();
}

/// Discounted expectations against the trait's own way, by quadrature over undiscounted ones.
fn discounting_agrees<F: Family>() {
    for [r, alpha, a, b] in [[0.2425945, 4.4136020, 0.7929221, 2.4259070], [2.0, 30.0, 1.0 + 1e-9, 0.4]] {
        let model = F::make(r, alpha, a, b);
        for (x, t) in [(0, 0.0), (0, 38.86), (2, 38.86), (26, 31.0)] {
            for delta in [1e-3, 0.0027, 1.0] {
                for horizon in [0.0, 1e-7, 52.0, f64::INFINITY] {
                    if delta < 2e-3 && horizon > 52.0 {
                        continue;
                    }
                    let got = model.discounted_if_alive(x, t, delta, horizon);
                    let want = by_quadrature(|h| model.expected_if_alive(x, t, h), alpha + t, delta, horizon);
                    let at = format!("{model:?} x {x} T {t} delta {delta} horizon {horizon}");
                    assert!((got - want).abs() <= 1e-11 * want, "{at}: {got:e} {want:e}");
                }
            }
        }
    }
}

#[test]
fn discounting() {
    discounting_agrees::<BgNbd>();
    discounting_agrees::<MbgNbd>();
    discounting_agrees::<Nbd>();
}

/// Customers drawn given their history have the model's expectation, as rates and as purchases counted.
fn draws_agree<F: Family>() {
    let model = F::make(0.243, 4.414, 0.793, 2.426);
    for (x, t_x, t) in [(2, 30.43, 38.86), (0, 0.0, 38.86), (26, 30.9, 31.0), (0, 0.0, 0.0)] {
        let (mut sum, mut squares, mut counted, mut alive) = (0.0, 0.0, 0.0, 0.0);
        let n = 40_000;
        for i in 0..n {
            let mut stream = Stream::new(3, u64::from(x), i, Purpose::Latent);
            let latent = model.draw(&mut stream, x, t_x, t);
            let expected = latent.expected(39.0);
            sum += expected;
            squares += expected * expected;
            alive += f64::from(u8::from(latent.alive));
            latent.purchases(&mut stream, 39.0, |_| counted += 1.0);
        }
        let n = f64::from(n);
        let error = ((squares / n - (sum / n).powi(2)) / n).sqrt();
        let want = model.conditional_expected(x, t_x, t, 39.0);
        assert!((sum / n - want).abs() < 4.0 * error, "{model:?} {x}: {} {want} ± {error}", sum / n);
        let counting = (error * error + want / n).sqrt();
        assert!(
            (counted / n - want).abs() < 4.0 * counting,
            "{model:?} {x}: {} {want} ± {counting}",
            counted / n
        );
        let p = model.p_alive(x, t_x, t);
        assert!(
            (alive / n - p).abs() <= 4.0 * (p * (1.0 - p) / n).sqrt(),
            "{model:?} {x}: {} {p}",
            alive / n
        );
    }
}

#[test]
fn drawn_customers_have_the_expectation_of_the_model() {
    draws_agree::<BgNbd>();
    draws_agree::<MbgNbd>();
    draws_agree::<Nbd>();
}
