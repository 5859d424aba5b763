//! Discounted expected purchases of a customer who may leave after each of them (DERT, and DECT over a horizon). No
//! library offers them for BG/NBD and its relatives; they are derived here.
//!
//! A customer who is alive buys at the rate λ·e^(−λpτ) a time τ later, with λ ~ gamma(shape, rate scale) and
//! p ~ beta(a, b). Averaged over λ and integrated over τ in (0, h] with e^(−delta·τ), it is for one p
//!
//! g(p) = (shape/D)·[Q(z) − e^(−DH)·(1 + pH)^−n·Q(z + DH)], z = D/p, n = shape + 1, D = delta·scale, H = h/scale,
//!
//! with Q(z) = z·e^z·E_n(z), the generalised exponential integral that
//! [`ExponentialIntegral`] gives. The average of g over p is taken by the trapezoidal rule in the logit of p, whose far ends
//! are drawn in where a or b is so small that the beta density's tails are long.

use crate::clv::expectation::{capped_purchases, ln_weight};
use crate::clv::exponential_integral::ExponentialIntegral;
use crate::clv::quadrature::Rule;
use crate::special::logistic;

/// Below this D·H the terms of g cancel too far; discounting then takes off less than this share.
const HARDLY_DISCOUNTED: f64 = 1e-4;

/// e to minus this is no number but 0.
const UNDERFLOW: f64 = 745.0;

/// Terms below this share of the sum end it.
const NEGLIGIBLE: f64 = 1e-15;

/// Parameters of the beta density below this have a tail that is drawn in.
const LONG_TAIL: f64 = 2.0;

/// The trapezoidal rule's widest step, and the widest as a share of the beta density's width: g is analytic within
/// π/2 of the real line (it bends like e^(−nHp)), a peak of the density sharper than that asks for less.
const STEP: f64 = 0.25;
const STEP_OF_WIDTH: f64 = 0.6;

/// The purchases of `expectation::capped_purchases`, each discounted by e^(−`discount`·s), s being its time over the
/// rate's scale as `tau` is; `tau` may be infinite if `discount` is above 0. Relative error about 1e-11, 3–7 µs.
pub(in crate::clv) fn discounted_purchases(shape: f64, a: f64, b: f64, discount: f64, tau: f64) -> f64 {
    if tau <= 0.0 {
        return 0.0;
    }
    if discount <= 0.0 {
        return capped_purchases(shape, a, b, tau);
    }
    let fall = discount * tau;
    if fall < HARDLY_DISCOUNTED {
        return hardly_discounted(shape, a, b, discount, tau);
    }
    let order = shape + 1.0;
    let integral = ExponentialIntegral::new(order);
    let of_p = |p: f64| {
        let z = discount / p;
        let endless = integral.at(z);
        if fall > UNDERFLOW {
            return endless;
        }
        endless - (-fall - order * (p * tau).ln_1p()).exp() * integral.at(z + fall)
    };
    // Where g bends: where leaving matters as much as discounting or the horizon.
    let bend = ((discount + 1.0 / tau) / order).ln();
    shape / discount * average(a, b, bend, of_p)
}

/// The average of `of_p`, whose bend is at the logit `bend`, over p ~ beta(a, b).
fn average(a: f64, b: f64, bend: f64, of_p: impl Fn(f64) -> f64) -> f64 {
    let mode = (a / b).ln();
    // Beyond these the logit runs away exponentially in the rule's variable t, so that a tail of any length takes a
    // few dozen steps. There g is constant and the density a pure power, so nothing is lost between the steps.
    let low = (a < LONG_TAIL).then_some(bend.min(mode).min(0.0));
    let high = (b < LONG_TAIL).then_some(bend.max(mode).max(0.0));
    let place = |t: f64| {
        let left = low.map_or(0.0, |low| (low - t).exp());
        let right = high.map_or(0.0, |high| (t - high).exp());
        (t - left + right, 1.0 + left + right)
    };
    // What lies between these counts, however small it is at one of them.
    let (from, to) = if low.or(high).is_some() { (bend.min(mode), bend.max(mode)) } else { (mode, mode) };
    let reference = ln_weight(a, b, mode);
    let step = (STEP_OF_WIDTH * (1.0 / a + 1.0 / b).sqrt()).min(STEP);
    let (mut total, mut weights) = (0.0, 0.0);
    let mut march = |first: f64, step: f64, beyond: f64| {
        let mut t = first;
        let mut small = 0;
        for _ in 0..100_000 {
            let (y, slope) = place(t);
            let weight = (ln_weight(a, b, y) - reference).exp() * slope;
            let value = weight * of_p(logistic(y));
            total += value;
            weights += weight;
            let ends = value <= NEGLIGIBLE * total && weight <= NEGLIGIBLE * weights;
            small = if ends { small + 1 } else { 0 };
            if small >= 2 && (t - beyond) * step > 0.0 {
                break;
            }
            t += step;
        }
    };
    march(from, step, to);
    march(from - step, -step, from);
    // The rule that integrates the numerator also integrates the weight: their errors go together.
    total / weights
}

/// By parts: e^(−DH)·E(H) + D·∫ e^(−Ds)·E(s) ds over (0, H). The second term is so small that a few nodes give it.
fn hardly_discounted(shape: f64, a: f64, b: f64, discount: f64, tau: f64) -> f64 {
    const PANEL: f64 = 3.0;
    let scale = 1.0 / (1.0 + shape);
    let top = (tau / scale).ln_1p();
    let integral = Rule::new().integral(0.0, top, (top / PANEL).ceil().max(1.0) as u32, |v| {
        let s = scale * v.exp_m1();
        (scale + s) * (-discount * s).exp() * capped_purchases(shape, a, b, s)
    });
    (-discount * tau).exp() * capped_purchases(shape, a, b, tau) + discount * integral
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clv::discounted::by_quadrature;
    use crate::random::{Purpose, Stream};

    /// Against the integral over undiscounted expectations, which shares nothing with it, at points drawn from a grid
    /// that reaches the edges: a beside 1, a + b = 1, r tiny and huge, horizons from 1e-9 of the scale to infinity.
    #[test]
    fn the_average_over_p_is_the_integral_over_time() {
        let mut stream = Stream::new(8, 0, 0, Purpose::Sample);
        let mut pick = |from: &[f64]| from[(stream.uniform() * from.len() as f64) as usize];
        let mut checked = 0;
        while checked < 500 {
            let shape = pick(&[1e-6, 0.01, 0.2425945, 1.0, 2.2425945, 7.3, 26.2, 300.0, 1e4, 1e6]);
            let a = pick(&[1e-9, 1e-3, 0.1, 0.4, 0.7929221, 1.0 - 1e-12, 1.0, 1.0 + 1e-9, 3.3, 50.0, 1e4]);
            let b = pick(&[1.0 - a, 1e-9, 1e-3, 0.05, 0.3, 0.6, 2.4, 30.0, 1e3, 1e5]);
            let discount = pick(&[1e-5, 1e-3, 0.1, 1.0, 40.0]);
            let tau = pick(&[1e-9, 1e-3, 0.1, 1.3, 50.0, f64::INFINITY]);
            // The slow way takes 10⁵ evaluations where the discounting is weak and the sum long.
            if b <= 0.0 || discount < 1e-2 && tau > 2.0 && checked % 10 != 0 {
                continue;
            }
            let got = discounted_purchases(shape, a, b, discount, tau);
            let expected = |s: f64| capped_purchases(shape, a, b, s);
            let want = by_quadrature(expected, 1.0 / (1.0 + shape), discount, tau);
            let error = (got / want - 1.0).abs();
            assert!(error < 1e-10, "{shape} {a} {b} {discount} {tau}: {got:e} {want:e} {error:e}");
            checked += 1;
        }
    }

    /// (shape, a, b, discount, tau, value) by mpmath: E over p of g with E_n at 30 digits.
    #[test]
    fn values_match_mpmath() {
        for (shape, a, b, discount, tau, want) in [
            (2.2425945, 0.7929221, 4.425907, 0.1168310111142857, f64::INFINITY, 7.096734463468744),
            (0.2425945, 0.7929221, 2.425907, 0.11682900000000002, f64::INFINITY, 1.014268657512191),
            (0.5248432, 0.8913594, 2.6140022, 0.12, 1.2, 0.4901471276681875),
            (26.25, 1.0, 28.4, 0.0001, f64::INFINITY, 242.9329840272963),
            (0.3, 0.4, 0.6, 0.05, 100.0, 1.993445995617972),
        ] {
            let got = discounted_purchases(shape, a, b, discount, tau);
            assert!((got / want - 1.0).abs() < 1e-12, "{shape} {a} {b} {discount} {tau}: {got} {want}");
        }
    }

    #[test]
    fn without_discounting_it_is_the_expectation() {
        for tau in [0.0, 1e-9, 1.3, 1e4] {
            assert_eq!(discounted_purchases(0.3, 0.8, 2.4, 0.0, tau), capped_purchases(0.3, 0.8, 2.4, tau));
        }
    }

    /// Where both ways meet, and a horizon beyond which nothing counts.
    #[test]
    fn the_ways_join() {
        for (shape, a, b) in [(0.24, 0.79, 2.4), (26.0, 0.79, 28.0), (1e4, 1.0, 0.5)] {
            let just = |factor: f64| discounted_purchases(shape, a, b, factor * HARDLY_DISCOUNTED, 1.0);
            let (below, above) = (just(1.0 - 1e-12), just(1.0 + 1e-12));
            assert!((below / above - 1.0).abs() < 1e-11, "{below} {above}");
            let (far, endless) = (1e6, f64::INFINITY);
            let by_horizon = |tau| discounted_purchases(shape, a, b, 0.01, tau);
            assert!((by_horizon(far) / by_horizon(endless) - 1.0).abs() < 1e-13);
        }
    }
}
