//! The beta-geometric distribution: how many opportunities in a row something survives that ends at each with a
//! probability θ ~ beta(a, b) of its own. S(m) = E[(1 − θ)^m] = B(a, b + m)/B(a, b).
//!
//! Whoever has survived n opportunities has θ ~ beta(a, b + n), so that one set of functions serves new and old
//! customers. No difference of large terms is taken anywhere.

use crate::special::{SMALLEST_RATE, digamma_delta, hypergeometric_one, ln_gamma_mixed_delta};

/// Up to here discounted sums are added term by term.
const LONG: u32 = 10_000;

/// ln S(m) for a whole or broken number m ≥ 0 of opportunities.
pub(super) fn ln_survival(a: f64, b: f64, m: f64) -> f64 {
    ln_gamma_mixed_delta(b, a, m)
}

/// S(1) + … + S(h): the opportunities survived out of the next h.
///
/// (b + m)·S(m) falls by (a − 1)·S(m + 1) at each step, so the sum is [b − (b + h)·S(h)]/(a − 1): b·(1 − e^D)/(a − 1)
/// with D = ln [(b + h)·S(h)/b], a mixed difference of ln Γ of the sign of 1 − a.
pub(super) fn survival_sum(a: f64, b: f64, h: u32) -> f64 {
    let h = f64::from(h);
    let excess = a - 1.0;
    let d = if excess >= 0.0 {
        ln_gamma_mixed_delta(b + 1.0, excess, h)
    } else {
        -ln_gamma_mixed_delta(b + a, -excess, h)
    };
    if d == 0.0 {
        // a is 1, or so near that D underflows: the limit.
        return b * digamma_delta(b + 1.0, h);
    }
    b * (-d.exp_m1() / excess)
}

/// Σ S(m)/(1 + d)^m over m = 1…h, or over all m when `h` is none: infinite for d = 0 and a ≤ 1 then. `d` is at least
/// 0; rates between 0 and [`SMALLEST_RATE`] count as that one where the sum is not added term by term.
pub(super) fn discounted_sum(a: f64, b: f64, d: f64, h: Option<u32>) -> f64 {
    if d <= 0.0 {
        return match h {
            Some(h) => survival_sum(a, b, h),
            None if a > 1.0 => b / (a - 1.0),
            None => f64::INFINITY,
        };
    }
    let Some(h) = h else { return all_later(a, b, d) };
    let v = 1.0 / (1.0 + d);
    let (mut term, mut sum) = (1.0, 0.0);
    for m in 1..=h.min(LONG) {
        let m = f64::from(m - 1);
        term *= v * ((b + m) / (a + b + m));
        sum += term;
        // What is left is at most term·v/(1 − v) = term/d.
        if term <= 1e-17 * d * sum {
            return sum;
        }
    }
    if h > LONG {
        let left = |from: u32| {
            let from = f64::from(from);
            // S(from)·v^from times what is expected from there on.
            (ln_survival(a, b, from) - from * d.ln_1p()).exp() * all_later(a, b + from, d)
        };
        sum += (left(LONG) - left(h)).max(0.0);
    }
    sum
}

/// Σ S(m)/(1 + d)^m over m ≥ 1 for d > 0: S(1)/(1 + d)·₂F₁(1, b + 1; a + b + 1; 1/(1 + d)).
fn all_later(a: f64, b: f64, d: f64) -> f64 {
    let d = d.max(SMALLEST_RATE);
    b / (a + b) / (1.0 + d) * hypergeometric_one(a, b + 1.0, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes to the edges of what a fit may end in.
    const SHAPES: [f64; 8] = [1e-9, 1e-3, 0.66, 1.0 - 1e-10, 1.0, 1.0 + 1e-10, 3.0, 1e5];

    fn by_terms(a: f64, b: f64, d: f64, h: u32) -> f64 {
        let (mut term, mut sum) = (1.0, 0.0);
        for m in 0..h {
            term *= (b + f64::from(m)) / (a + b + f64::from(m)) / (1.0 + d);
            sum += term;
        }
        sum
    }

    #[test]
    fn sums_match_their_terms() {
        for a in SHAPES {
            for b in [1e-9, 0.2, 2.78, 1e3, 1e7] {
                for h in [0, 1, 2, 7, 400, 3000] {
                    let want = by_terms(a, b, 0.0, h);
                    let got = survival_sum(a, b, h);
                    assert!((got - want).abs() <= 1e-12 * want, "{a} {b} {h}: {got:e} {want:e}");
                    for d in [1e-9, 1e-3, 0.1, 3.0] {
                        let want = by_terms(a, b, d, h);
                        let got = discounted_sum(a, b, d, Some(h));
                        assert!((got - want).abs() <= 1e-12 * want, "{a} {b} {d} {h}: {got:e} {want:e}");
                    }
                }
                for d in [0.02, 0.1, 3.0, 1e4] {
                    let want = by_terms(a, b, d, 4000);
                    let got = discounted_sum(a, b, d, None);
                    assert!((got / want - 1.0).abs() <= 1e-13, "{a} {b} {d}: {got:e} {want:e}");
                    let long = discounted_sum(a, b, d, Some(u32::MAX));
                    assert!((long / want - 1.0).abs() <= 1e-13, "{a} {b} {d}: {long:e} {want:e}");
                }
            }
        }
    }

    #[test]
    fn long_horizons_join_without_a_step() {
        for a in [1e-3, 0.66, 1.0, 2.5] {
            for d in [1e-7, 1e-5, 1e-4] {
                for h in [LONG - 1, LONG, LONG + 1, 40_000] {
                    let (got, want) = (discounted_sum(a, 2.78, d, Some(h)), by_terms(a, 2.78, d, h));
                    assert!((got / want - 1.0).abs() < 1e-9, "{a} {d} {h}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn without_a_discount_the_sum_may_be_infinite() {
        assert_eq!(discounted_sum(1.0, 2.0, 0.0, None), f64::INFINITY);
        assert_eq!(discounted_sum(3.0, 2.0, 0.0, None), 1.0);
        let got = survival_sum(3.0, 2.0, u32::MAX);
        assert!((got - 1.0).abs() < 1e-9, "{got}");
    }
}
