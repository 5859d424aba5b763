//! Discounted survival of BdW: term by term while terms are few or fall fast, and by Euler and Maclaurin's formula where
//! they are many and smooth. Its work is bounded for all parameters that a model file may hold.

use super::super::{ContractModel, Discounted};
use super::{Bdw, POWER_FROM};
use crate::clv::quadrature::Rule;
use crate::special::digamma_delta;

/// What a sum of terms leaves out at most, as a share of its value.
const TAIL: f64 = 1e-13;

/// How exact the integral is, as a share of the sum.
const TAIL_OF_INTEGRAL: f64 = 1e-12;

/// So many terms are added at least before an integral takes the place of the others.
const FEWEST_TERMS: u64 = 256;

/// From here on terms change so slowly that the formula's last part is exact to 1e-13: the fall of a term's logarithm to
/// the next one, and the reciprocal of the time over which that fall itself changes.
const SMOOTH: f64 = 0.02;

/// Terms after which the sum ends whatever is left, with a bound of it: never reached inside the bounds of parameters.
const MOST_TERMS: u64 = 1_000_000;

/// The longest panel of the integral over ln t: the nearest singularity is π away, or π/c where c is larger than 1.
const LONGEST_PANEL: f64 = 2.0;

/// The largest fall or rise of the integrand's logarithm within a panel.
const CHANGE_OF_PANEL: f64 = 8.0;

/// The integral ends where the integrand is below e to minus this of its largest value, and falls.
const FALL_AT_END: f64 = 45.0;

/// Panels at most.
const MOST_PANELS: u32 = 20_000;

/// A smaller discount than this counts as this one.
const SMALLEST_DISCOUNT: f64 = 1e-250;

/// Σ S(t)/S(from)/(1 + discount)^(t − from) over t > `from`. Infinite where the sum is, which needs a discount of 0 and
/// c·gamma ≤ 1, or is beyond what numbers can say.
pub(super) fn later(model: &Bdw, from: u32, discount: f64) -> Discounted {
    // S(t) falls as t^(−c·gamma) in the end.
    let power = model.c * model.gamma;
    if discount <= 0.0 && power <= 1.0 {
        return Discounted { value: f64::INFINITY, tail_bound: 0.0 };
    }
    let discount = if discount > 0.0 { discount.max(SMALLEST_DISCOUNT) } else { 0.0 };
    let by_discount = if discount > 0.0 { 1.0 / discount } else { f64::INFINITY };
    let start = u64::from(from);
    let (mut term, mut sum, mut rest) = (1.0, 0.0, f64::INFINITY);
    for t in 1..=MOST_TERMS {
        term *= model.retention(start + t) / (1.0 + discount);
        sum += term;
        let at = (start + t) as f64;
        let age = model.age_at(at);
        let elasticity = model.elasticity(age);
        // What is left is at most the term over all periods that discounting leaves, or as a power of time.
        let slowest = elasticity.min(power);
        let by_power = if slowest > 1.0 { at / (slowest - 1.0) + 1.0 } else { f64::INFINITY };
        rest = if term > 0.0 { term * by_power.min(by_discount) } else { 0.0 };
        if rest <= TAIL * sum {
            break;
        }
        let fall = elasticity / at + discount.ln_1p();
        if t >= FEWEST_TERMS && fall <= SMOOTH && model.bend(age) / at <= SMOOTH {
            let (left, is_exact) = rest_of(model, at, discount.ln_1p());
            sum += term * left;
            rest = if is_exact { TAIL_OF_INTEGRAL * sum } else { f64::INFINITY };
            break;
        }
    }
    Discounted { value: sum, tail_bound: rest }
}

/// The sum of the terms after the one at `from`, over that one: ∫ − ½ − g′/12 + g‴/720 with g = 1 there; and whether the
/// integral came to its end.
fn rest_of(model: &Bdw, from: f64, rate: f64) -> (f64, bool) {
    let fall = |t: f64| model.elasticity(model.age_at(t)) / t + rate;
    // Derivatives of the fall by differences: they have a small part in a small part.
    let h = from / (64.0 * model.c.clamp(1.0, from));
    let (before, here, after) = (fall(from - h), fall(from), fall(from + h));
    let (slope, curve) = ((after - before) / (2.0 * h), (after - 2.0 * here + before) / (h * h));
    let first = -here;
    let third = -here.powi(3) + 3.0 * here * slope - curve;
    let (integral, is_exact) = integral(model, from, rate);
    (integral - 0.5 - first / 12.0 + third / 720.0, is_exact)
}

/// ∫ S(t)/S(from)·e^(−rate·(t − from)) dt from `from` on, over u = ln(t/from), and whether it came to its end.
fn integral(model: &Bdw, from: f64, rate: f64) -> (f64, bool) {
    let rule = Rule::shared();
    let ln_from = from.ln();
    let at_begin = model.ln_survival_at(model.age_at(from), ln_from);
    // Without a discount t itself, which may be beyond all numbers, is not needed.
    let discounted = |times: f64| if rate > 0.0 { rate * from * times } else { 0.0 };
    let age = |u: f64| (model.c * (ln_from + u)).exp();
    let log = |u: f64| model.ln_survival_at(age(u), ln_from + u) - at_begin - discounted(u.exp_m1()) + u;
    let slope = |u: f64| 1.0 - model.elasticity(age(u)) - discounted(u.exp());
    let (mut begin, mut sum, mut largest) = (0.0, 0.0, 0.0f64);
    let mut is_exact = false;
    for _ in 0..MOST_PANELS {
        // Nothing but a power of time is left.
        let is_power = age(begin) >= POWER_FROM;
        if rate == 0.0 && is_power {
            is_exact = true;
            break;
        }
        // A power of t, discounted, has no singularity anywhere, whatever c is.
        let bend = match (rate > 0.0, is_power) {
            (true, true) => 1.0,
            (true, false) => model.c.max(1.0),
            (false, _) => model.c,
        };
        let mut width = LONGEST_PANEL / bend;
        while width * slope(begin).abs().max(slope(begin + width).abs()) > CHANGE_OF_PANEL {
            width /= 2.0;
        }
        sum += rule.integral(begin, begin + width, 1, |u| log(u).exp());
        begin += width;
        let now = log(begin);
        largest = largest.max(now);
        if sum == f64::INFINITY || now < largest - FALL_AT_END && slope(begin) < 0.0 {
            is_exact = true;
            break;
        }
    }
    // What is left falls as a power from here on, or is nothing.
    let left = if slope(begin) < 0.0 { log(begin).exp() / -slope(begin) } else { f64::INFINITY };
    (from * (sum + left), is_exact)
}

impl Bdw {
    /// −d ln S/d ln t at the time whose t^c is `age`: c·age·[ψ(gamma + delta + age) − ψ(delta + age)], which tends to
    /// c·gamma.
    fn elasticity(&self, age: f64) -> f64 {
        if age >= POWER_FROM {
            return self.c * self.gamma;
        }
        self.c * (age * digamma_delta(self.delta + age, self.gamma))
    }

    /// How fast the elasticity may change with ln t: not at all where S is a power of t.
    fn bend(&self, age: f64) -> f64 {
        if age >= POWER_FROM { 0.0 } else { self.c }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// gamma, delta, c, from, discount and the sum.
    const REFERENCES: [(f64, f64, f64, u32, f64, f64); 8] = [
        (0.455614, 0.779326, 1.283451, 7, 1e-6, 2086.7265637570125),
        (0.455614, 0.779326, 1.283451, 0, 0.001, 27.0964933301368),
        (0.5, 2.0, 0.3, 3, 1e-8, 12396071.300908334),
        (4.0, 1.0, 0.5, 0, 0.0, 1.2332523242615758),
        // 1/(1 + gamma) + Γ(1 + gamma)·(ζ(c·gamma) − 1), as t^c is beyond all numbers from t = 2 on.
        (2e-4, 1.0, 2e4, 0, 0.0, 1.082113773307417),
        (1.5e-4, 1.0, 1e4, 0, 0.0, 2.612085803812246),
        // Σ (t/3)^(−0.02)/(1 + d)^(t − 3) over t > 3, added term by term.
        (1e-6, 1.0, 2e4, 3, 1e-3, 900.5323233787757),
        (1e-6, 1.0, 2e4, 3, 1e-4, 8603.440923546328),
    ];

    /// By mpmath at 40 digits: 4,000 terms, the integral of what comes after them, and three terms of Euler and Maclaurin.
    #[test]
    fn sums_match_high_precision() {
        for (gamma, delta, c, from, discount, want) in REFERENCES {
            let got = later(&Bdw { gamma, delta, c }, from, discount);
            let at = format!("{gamma:e} {delta:e} {c:e} {from} {discount:e}");
            assert!((got.value / want - 1.0).abs() < 1e-11, "{at}: {got:?} {want:e}");
            assert!(got.tail_bound <= 2e-12 * got.value, "{at}: {got:?}");
        }
    }

    /// An edited model file must not hold a machine, whatever stands in it.
    #[test]
    fn extreme_parameters_end_at_once() {
        let edges = [1e-18, 1e-3, 1.0, 1e3, 1e18];
        for gamma in edges {
            for delta in edges {
                for c in [1e-18, 1e-3, 1.0, 40.0, 1e18] {
                    let model = Bdw { gamma, delta, c };
                    for discount in [0.0, 5e-324, 1e-12, 0.1, 1e3] {
                        let Discounted { value, tail_bound } = later(&model, 3, discount);
                        assert!(
                            value >= 0.0 && tail_bound <= 2e-12 * value,
                            "{model:?} {discount:e}: {value:e}"
                        );
                        assert!(value.is_finite() || discount < 1e-12, "{model:?} {discount:e}: {value:e}");
                        // No customer lives longer than for ever.
                        assert!(discount == 0.0 || value <= (1.0 + 1e-12) / discount, "{model:?}: {value:e}");
                    }
                    let (near, far) = (model.ln_survival(2), model.ln_survival(u64::from(u32::MAX)));
                    assert!(far <= near && near <= 0.0, "{model:?}: {near} {far}");
                }
            }
        }
    }
}
