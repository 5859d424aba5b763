//! Which comes first, leaving or the next purchase: the one special function of Pareto/NBD.
//!
//! For a customer who is alive, with λ ~ gamma(n, rate a) and μ ~ gamma(s, rate b), the probability of leaving before
//! the next purchase is
//!
//! Q = E[μ/(λ + μ)] = s·∫₀^∞ (1 + u/a)^−n·(1 + u/b)^−(s+1) du/b,
//!
//! and with g(t) = (α+t)^−n·(β+t)^−s, n = r + x, a = α + t, b = β + t, the integral of Pareto/NBD's likelihood from t on
//! is g(t)·Q(t). So the likelihood is g(T)·(1 − Q(T)) + g(t_x)·Q(t_x), both terms positive, and each of them depends on
//! two of the three statistics only: a million customers share some thousand of them.
//!
//! Q is a ₂F₁ (Fader and Hardie 2005); after Euler's transformation (Abramowitz and Stegun 15.3.3) it is, with c = n+s+1,
//!
//! - a ≥ b: s/(n+s)·F(1, n; c; 1 − b/a),
//! - a < b: s/(n+s)·(a/b)·F(1, s+1; c; 1 − a/b),
//!
//! power series of positive terms that fall at least like powers of z. Where z is near 1 we first integrate up to a time
//! from which on it is not: the integrand is log-concave in ln((c + u)/c), c the smaller of a and b.

use super::ParetoNbd;
use super::terms::{ALPHA_ALPHA, BETA_BETA, R_ALPHA, S_BETA, SS, Terms};
use crate::clv::quadrature::Rule;

/// Beyond this argument the series gives way to the integral, which leads to [`ARGUMENT_AFTER`].
const LARGEST_ARGUMENT: f64 = 0.85;
const ARGUMENT_AFTER: f64 = 0.5;

/// Terms below this share of the sum end the series.
const NEGLIGIBLE: f64 = 1e-17;

/// Terms at most: 0.85 to this power is below the smallest number.
const MOST_TERMS: u32 = 5000;

/// (argument z of F, its second parameter, what stands between s/(n+s) and F).
fn form(n: f64, s: f64, a: f64, b: f64) -> (f64, f64, f64) {
    if a >= b { ((a - b) / a, n, 1.0) } else { ((b - a) / b, s + 1.0, a / b) }
}

/// Whether the series converges slowly; if so, the time after which it does not.
fn time_to_go(a: f64, b: f64) -> Option<f64> {
    let (difference, larger) = ((a - b).abs(), a.max(b));
    (difference > LARGEST_ARGUMENT * larger).then(|| difference / ARGUMENT_AFTER - larger)
}

/// Q, relative error about 1e-14, also where it is tiny. All arguments positive.
pub(super) fn leaves_first(n: f64, s: f64, a: f64, b: f64) -> f64 {
    match time_to_go(a, b) {
        None => by_series(n, s, a, b),
        Some(until) => {
            let mut sum = leaves_within(n, s, a, b, until);
            let stays = (-n * (until / a).ln_1p() - s * (until / b).ln_1p()).exp();
            if stays > 0.0 {
                sum += stays * by_series(n, s, a + until, b + until);
            }
            // Rounding must not make a probability of more than 1.
            sum.min(1.0)
        }
    }
}

/// The probability of leaving before the next purchase and before `until`, by quadrature.
pub(super) fn leaves_within(n: f64, s: f64, a: f64, b: f64, until: f64) -> f64 {
    let mut sum = 0.0;
    walk(n, s, a, b, until, |d, ln_a, ln_b, w| {
        sum += w * s / (b + d) * (-n * ln_a - s * ln_b).exp();
    });
    sum
}

fn by_series(n: f64, s: f64, a: f64, b: f64) -> f64 {
    let (z, mut top, factor) = form(n, s, a, b);
    let mut bottom = n + s + 1.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for _ in 0..MOST_TERMS {
        term *= z * top / bottom;
        sum += term;
        if term <= NEGLIGIBLE * sum {
            break;
        }
        top += 1.0;
        bottom += 1.0;
    }
    (s / (n + s) * factor * sum).min(1.0)
}

/// Visits the moments d of leaving in (0, until) with ln(1 + d/a), ln(1 + d/b) and the weight of ∫ … dd.
fn walk(n: f64, s: f64, a: f64, b: f64, until: f64, mut visit: impl FnMut(f64, f64, f64, f64)) {
    let a_first = a <= b;
    let start = a.min(b);
    let slope = |v: f64| {
        let d = start * v.exp_m1();
        1.0 - n * ((start + d) / (a + d)) - (s + 1.0) * ((start + d) / (b + d))
    };
    Rule::shared().walk((until / start).ln_1p(), slope, |v, w| {
        let d = start * v.exp_m1();
        let (ln_a, ln_b) = if a_first { (v, (d / b).ln_1p()) } else { ((d / a).ln_1p(), v) };
        visit(d, ln_a, ln_b, w * (start + d));
    });
}

/// ln Q of customers with one x, at any time, with its derivatives by the parameters.
///
/// The series' coefficients depend on x alone and are kept, so that a time costs some multiplications for each term.
pub(super) struct LnLeavesFirst<'a> {
    params: &'a ParetoNbd,
    n: f64,
    /// Whether a < b; the same at all times.
    a_first: bool,
    coefficients: Vec<Coefficient>,
    next: Next,
}

/// Of the series' term of z^k: its coefficient, times 1, derivatives of its logarithm by n and by s, and what its second
/// derivatives by nn, ns, ss are over the term.
#[derive(Clone, Copy)]
struct Coefficient {
    value: f64,
    n: f64,
    s: f64,
    nn: f64,
    ns: f64,
    ss: f64,
}

/// Where the recurrence of the coefficients Π (top + j)/(bottom + j) stands: the derivatives of their logarithms are sums of
/// 1/(top + j), 1/(bottom + j) and their squares.
#[derive(Default)]
struct Next {
    value: f64,
    top: f64,
    bottom: f64,
    tops: f64,
    bottoms: f64,
    tops2: f64,
    bottoms2: f64,
}

/// F, with derivatives by n, by s and by z.
#[derive(Default)]
struct Series {
    value: f64,
    n: f64,
    s: f64,
    nn: f64,
    ns: f64,
    ss: f64,
    z: f64,
    zz: f64,
    nz: f64,
    sz: f64,
}

impl<'a> LnLeavesFirst<'a> {
    pub(super) fn new(params: &'a ParetoNbd, x: f64) -> LnLeavesFirst<'a> {
        let (n, s) = (params.r + x, params.s);
        let a_first = params.alpha < params.beta;
        let top = if a_first { s + 1.0 } else { n };
        let next = Next { value: 1.0, top, bottom: n + s + 1.0, ..Next::default() };
        LnLeavesFirst { params, n, a_first, coefficients: Vec::new(), next }
    }

    /// At time `t`.
    pub(super) fn at(&mut self, t: f64) -> Terms {
        let (n, s) = (self.n, self.params.s);
        let (a, b) = (self.params.alpha + t, self.params.beta + t);
        let Some(until) = time_to_go(a, b) else {
            return self.by_series(a, b);
        };
        let mut sum = Terms::default();
        // Derivatives of the logarithm of (1 + d/a)^−n·(1 + d/b)^−s.
        let at = |d: f64, ln_a: f64, ln_b: f64| {
            let (less_a, less_b) = (d / (a + d) / a, d / (b + d) / b);
            let slope = [-ln_a, n * less_a, -ln_b, s * less_b];
            let curved = [
                less_a,
                -n * less_a * (1.0 / a + 1.0 / (a + d)),
                0.0,
                less_b,
                -s * less_b * (1.0 / b + 1.0 / (b + d)),
            ];
            (slope, curved)
        };
        walk(n, s, a, b, until, |d, ln_a, ln_b, w| {
            let (mut slope, mut curved) = at(d, ln_a, ln_b);
            let by_b = 1.0 / (b + d);
            slope[2] += 1.0 / s;
            slope[3] -= by_b;
            curved[2] -= 1.0 / (s * s);
            curved[4] += by_b * by_b;
            sum.add_positive(w * s * by_b * (-n * ln_a - s * ln_b).exp(), &slope, curved);
        });
        let (ln_a, ln_b) = ((until / a).ln_1p(), (until / b).ln_1p());
        let ln_stays = -n * ln_a - s * ln_b;
        // The derivatives of a term that underflows are lost with it.
        if ln_stays > -700.0 {
            let (slope, curved) = at(until, ln_a, ln_b);
            let mut rest = self.by_series(a + until, b + until);
            rest.value += ln_stays;
            rest.gradient.iter_mut().zip(slope).for_each(|(own, slope)| *own += slope);
            for (place, curve) in [R_ALPHA, ALPHA_ALPHA, SS, S_BETA, BETA_BETA].into_iter().zip(curved) {
                rest.hessian[place] += curve;
            }
            sum.add(1.0, &rest.exp());
        }
        sum.ln()
    }

    fn coefficient(&mut self, k: usize) -> Coefficient {
        while self.coefficients.len() <= k {
            let next = &mut self.next;
            let (by_top, by_bottom) = (1.0 / next.top, 1.0 / next.bottom);
            next.value *= next.top * by_bottom;
            next.tops += by_top;
            next.bottoms += by_bottom;
            next.tops2 += by_top * by_top;
            next.bottoms2 += by_bottom * by_bottom;
            next.top += 1.0;
            next.bottom += 1.0;
            let (value, with_top, without) = (next.value, next.tops - next.bottoms, -next.bottoms);
            let (n, s) = if self.a_first { (without, with_top) } else { (with_top, without) };
            let (curved, flat) = (next.bottoms2 - next.tops2, next.bottoms2);
            let (nn, ss) = if self.a_first { (flat, curved) } else { (curved, flat) };
            self.coefficients.push(Coefficient {
                value,
                n: value * n,
                s: value * s,
                nn: value * (n * n + nn),
                ns: value * (n * s + flat),
                ss: value * (s * s + ss),
            });
        }
        self.coefficients[k]
    }

    fn series(&mut self, z: f64) -> Series {
        let mut sum = Series { value: 1.0, ..Series::default() };
        // z^(k−1) and z^(k−2).
        let (mut power, mut before, mut k) = (1.0, 0.0, 1.0);
        for i in 0..MOST_TERMS as usize {
            let c = self.coefficient(i);
            let term = power * z;
            sum.value += term * c.value;
            sum.n += term * c.n;
            sum.s += term * c.s;
            sum.nn += term * c.nn;
            sum.ns += term * c.ns;
            sum.ss += term * c.ss;
            let by_z = k * power;
            sum.z += by_z * c.value;
            sum.nz += by_z * c.n;
            sum.sz += by_z * c.s;
            sum.zz += k * (k - 1.0) * before * c.value;
            // The largest that is left out is that by zz.
            if i >= 2 && k * k * before * c.value <= NEGLIGIBLE * sum.value {
                break;
            }
            (before, power) = (power, term);
            k += 1.0;
        }
        sum
    }

    fn by_series(&mut self, a: f64, b: f64) -> Terms {
        let (n, s, a_first) = (self.n, self.params.s, self.a_first);
        let (small, large) = if a_first { (a, b) } else { (b, a) };
        let z = (large - small) / large;
        let sum = self.series(z);
        let f = sum.value;
        // ln F by n, s and z.
        let (by_n, by_s, by_z) = (sum.n / f, sum.s / f, sum.z / f);
        let nn = sum.nn / f - by_n * by_n;
        let ns = sum.ns / f - by_n * by_s;
        let ss = sum.ss / f - by_s * by_s;
        let nz = sum.nz / f - by_n * by_z;
        let sz = sum.sz / f - by_s * by_z;
        let zz = sum.zz / f - by_z * by_z;
        // z = 1 − small/large, by the two rates.
        let by_large = small / large / large;
        let by_small = -1.0 / large;
        let large2 = -2.0 * by_large / large;
        let mixed = 1.0 / (large * large);
        let (z_a, z_b, z_aa, z_bb) = match a_first {
            true => (by_small, by_large, 0.0, large2),
            false => (by_large, by_small, large2, 0.0),
        };
        let both = 1.0 / (n + s);
        let mut out = Terms {
            value: (s * both).ln() + f.ln(),
            gradient: [by_n - both, by_z * z_a, by_s + 1.0 / s - both, by_z * z_b],
            hessian: [
                nn + both * both,
                nz * z_a,
                ns + both * both,
                nz * z_b,
                zz * z_a * z_a + by_z * z_aa,
                sz * z_a,
                zz * z_a * z_b + by_z * mixed,
                ss - 1.0 / (s * s) + both * both,
                sz * z_b,
                zz * z_b * z_b + by_z * z_bb,
            ],
        };
        if a_first {
            out.value += (a / b).ln();
            out.gradient[1] += 1.0 / a;
            out.gradient[3] -= 1.0 / b;
            out.hessian[ALPHA_ALPHA] -= 1.0 / (a * a);
            out.hessian[BETA_BETA] += 1.0 / (b * b);
        }
        out
    }
}

/// ln(1 − Q) with derivatives, from ln Q with its own.
///
/// Its relative error grows where Q is almost 1, but g(t)·Q(t) falls in t: beside g(T)·(1 − Q(T)) there always stands at
/// least g(T)·Q(T), so that what is lost here is lost in the likelihood's last bit.
pub(super) fn ln_buys_first(ln_leaves: &Terms) -> Terms {
    let leaves = ln_leaves.value.exp();
    let buys = (-ln_leaves.value.exp_m1()).max(f64::EPSILON / 16.0);
    let odds = leaves / buys;
    let mut out = Terms { value: buys.ln(), ..Terms::default() };
    out.add_derivatives(-odds, ln_leaves);
    // −odds·(Hessian + slope·slopeᵀ) − odds²·slope·slopeᵀ.
    out.add_square(-odds * (1.0 + odds), &ln_leaves.gradient);
    out
}

/// ln of α^r·β^s·(α+t)^−n·(β+t)^−s, with derivatives.
pub(super) fn ln_stays(params: &ParetoNbd, x: f64, t: f64) -> Terms {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let (by_a, by_b) = (1.0 / (alpha + t), 1.0 / (beta + t));
    let (ln_a, ln_b) = ((t / alpha).ln_1p(), (t / beta).ln_1p());
    let (less_a, less_b) = (t / alpha * by_a, t / beta * by_b);
    let mut out = Terms {
        value: x * by_a.ln() - r * ln_a - s * ln_b,
        gradient: [-ln_a, r * less_a - x * by_a, -ln_b, s * less_b],
        ..Terms::default()
    };
    out.hessian[R_ALPHA] = less_a;
    out.hessian[ALPHA_ALPHA] = x * by_a * by_a - r * less_a * (1.0 / alpha + by_a);
    out.hessian[S_BETA] = less_b;
    out.hessian[BETA_BETA] = -s * less_b * (1.0 / beta + by_b);
    out
}
