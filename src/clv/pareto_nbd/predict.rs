//! What Pareto/NBD expects of a customer: each formula in a form without cancellation, poles or overflow.

use super::ParetoNbd;
use super::first::{leaves_first, leaves_within};
use crate::clv::quadrature::Rule;
use crate::special::{ln_gamma, ln_gamma_delta, softplus};

/// Below this fall of ln g from t_x to T the odds of having left are an integral over that time and not a difference.
const SHORT_FALL: f64 = 0.01;

/// If a + t and b + t grow by no more than e to this power besides, four nodes give it to the last bit.
const SHORT_TIME: f64 = 0.1;

/// Where an integrand has fallen by e to this power, the rest is left out.
const FALL_AT_END: f64 = 42.0;

/// Nodes and weights of Gauss–Legendre quadrature on (0, 1) with four nodes (Abramowitz and Stegun 25.4.30).
const FOUR: [(f64, f64); 4] = [
    (0.069_431_844_202_973_71, 0.173_927_422_568_726_93),
    (0.330_009_478_207_571_87, 0.326_072_577_431_273_07),
    (0.669_990_521_792_428_1, 0.326_072_577_431_273_07),
    (0.930_568_155_797_026_3, 0.173_927_422_568_726_93),
];

/// Of a customer with statistics (x, t_x, T): how far ln g falls from t_x to T, and the logarithm of the odds of having left
/// by T less this fall. Their sum is the log-odds; apart, neither overflows.
pub(super) struct Odds {
    fall: f64,
    ln_left: f64,
}

impl Odds {
    /// The odds of having left by T are g(t_x)·Q(t_x)/g(T) − Q(T) (see [`super::first`]), or s·∫ g(u)/(β + u) du/g(T) over
    /// (t_x, T).
    pub(super) fn new(params: &ParetoNbd, x: f64, t_x: f64, t: f64) -> Odds {
        Odds::from_first(params, x, t_x, t, || leaves_at(params, x, t_x), || leaves_at(params, x, t))
    }

    /// The same with Q at t_x and at T from elsewhere.
    pub(super) fn from_first(
        params: &ParetoNbd,
        x: f64,
        t_x: f64,
        t: f64,
        at_last: impl FnOnce() -> f64,
        at_end: impl FnOnce() -> f64,
    ) -> Odds {
        let ParetoNbd { r, alpha, s, beta, .. } = *params;
        let (n, span) = (r + x, t - t_x);
        let (a, b) = (alpha + t_x, beta + t_x);
        let (ln_a, ln_b) = ((span / a).ln_1p(), (span / b).ln_1p());
        let fall = n * ln_a + s * ln_b;
        // All three are less the fall: what would overflow never comes about.
        let left = if fall >= SHORT_FALL {
            let (at_last, stays) = (at_last(), (-fall).exp());
            // After a long silence who is still there does not count.
            let later = if stays > 1e-18 * at_last { at_end() } else { 0.0 };
            at_last - stays * later
        } else if ln_a.max(ln_b) < SHORT_TIME {
            // In v = ln(1 + (u − t_x)/b) the factor 1/(β + u) is flat.
            let at = |v: f64| (-n * (b * v.exp_m1() / a).ln_1p() - s * v).exp();
            s * ln_b * FOUR.iter().map(|&(node, weight)| weight * at(node * ln_b)).sum::<f64>()
        } else {
            leaves_within(n, s, a, b, span)
        };
        Odds { fall, ln_left: left.ln() }
    }

    /// The log-odds of having left by T; −∞ where T is t_x.
    pub(super) fn log_odds(&self) -> f64 {
        self.fall + self.ln_left
    }

    /// ln((odds + 1)/e^fall).
    fn ln_one_plus(&self) -> f64 {
        let log_odds = self.log_odds();
        if log_odds > 0.0 { self.ln_left + softplus(-log_odds) } else { softplus(log_odds) - self.fall }
    }
}

/// Q of a customer with `x` repeat purchases, alive at `time`.
pub(super) fn leaves_at(params: &ParetoNbd, x: f64, time: f64) -> f64 {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    leaves_first(r + x, s, alpha + time, beta + time)
}

/// ln of the likelihood without Γ(r+x)/Γ(r).
pub(super) fn log_likelihood(params: &ParetoNbd, x: f64, t_x: f64, t: f64) -> f64 {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    // ln g(t_x); less the fall it is ln g(T), and the odds come on top.
    let at_last = -r * (t_x / alpha).ln_1p() - x * (alpha + t_x).ln() - s * (t_x / beta).ln_1p();
    at_last + Odds::new(params, x, t_x, t).ln_one_plus()
}

/// Expected purchases within `horizon` of a customer who is alive at T: n·b/a·(1 − (1 + h/b)^(1−s))/(s − 1), with
/// n = r + x, a = α + T, b = β + T (Fader and Hardie 2005, equation 41).
pub(super) fn expected_if_alive(params: &ParetoNbd, x: f64, t: f64, horizon: f64) -> f64 {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let b = beta + t;
    (r + x) * (b / (alpha + t)) * exposure((horizon / b).ln_1p(), s - 1.0)
}

/// [`expected_if_alive`] where the rate of dropout is `leaving` ≥ 0 times the customer's own: μ·leaving is gamma
/// distributed with rate (β + T)/leaving.
pub(super) fn expected_if_alive_with(params: &ParetoNbd, x: f64, t: f64, horizon: f64, leaving: f64) -> f64 {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    (r + x) / (alpha + t) * mean_exposure(s, beta + t, horizon, leaving)
}

/// E min(life, h) of who leaves at rate μ·leaving, μ ~ gamma(shape, rate).
fn mean_exposure(shape: f64, rate: f64, horizon: f64, leaving: f64) -> f64 {
    if leaving <= 0.0 {
        return horizon;
    }
    let b = rate / leaving;
    b * exposure((horizon / b).ln_1p(), shape - 1.0)
}

/// Expected purchases within `horizons` of a customer who has left and comes back at T with its own rates: over the moment
/// of leaving u with density ∝ (α+u)^−(r+x)·(β+u)^−(s+1) on (t_x, T), λ ~ gamma(r+x, α+u) and μ ~ gamma(s+1, β+u), times
/// `leaving`. In v = ln((c+u)/(c+t_x)), with c the smaller of α and β, the density is log-concave. Relative error below 1e-9.
pub(super) fn expected_if_back(
    params: &ParetoNbd,
    (x, t_x, t): (f64, f64, f64),
    horizons: &[f64],
    leaving: f64,
    out: &mut [f64],
) {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let (a, b, n) = (alpha + t_x, beta + t_x, r + x);
    let start = a.min(b);
    let end = ((t - t_x) / start).ln_1p();
    let log = |v: f64, d: f64| v - n * (d / a).ln_1p() - (s + 1.0) * (d / b).ln_1p();
    let slope = |v: f64| {
        let d = start * v.exp_m1();
        1.0 - n * ((start + d) / (a + d)) - (s + 1.0) * ((start + d) / (b + d))
    };
    out.fill(0.0);
    // Relative to the highest density met so far.
    let (mut total, mut highest) = (0.0, f64::NEG_INFINITY);
    Rule::shared().walk(end, slope, |v, weight| {
        let d = start * v.exp_m1();
        let own = log(v, d);
        if own > highest {
            let scale = (highest - own).exp();
            total *= scale;
            out.iter_mut().for_each(|out| *out *= scale);
            highest = own;
        }
        let density = weight * (own - highest).exp();
        total += density;
        for (out, &horizon) in out.iter_mut().zip(horizons) {
            *out += density * n / (a + d) * mean_exposure(s + 1.0, b + d, horizon, leaving);
        }
    });
    out.iter_mut().for_each(|out| *out /= total);
}

/// (1 − e^(−c·l))/c for l ≥ 0, also infinite, and any c.
fn exposure(l: f64, c: f64) -> f64 {
    if c == 0.0 {
        return l;
    }
    let y = c * l;
    if y.abs() < 1e-8 { l * (1.0 - 0.5 * y) } else { -(-y).exp_m1() / c }
}

/// n/a·∫ e^(−δu)·(1 + u/b)^−s du over (0, horizon], in v = ln(1 + u/b), where the integrand is log-concave. To infinity it
/// is n·b/a·U(1, 2 − s, δb), with Tricomi's U (Fader, Hardie and Lee 2005, "RFM and CLV").
pub(super) fn discounted_if_alive(params: &ParetoNbd, x: f64, t: f64, delta: f64, horizon: f64) -> f64 {
    if horizon <= 0.0 {
        return 0.0;
    }
    if delta <= 0.0 {
        return expected_if_alive(params, x, t, horizon);
    }
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let b = beta + t;
    let (rate, keep) = (delta * b, 1.0 - s);
    // e^(keep·v − rate·(e^v − 1)): where it is below e^−42 nothing is left.
    let far = (FALL_AT_END / rate).ln_1p();
    let mut length = ((FALL_AT_END + keep.max(0.0) * far) / rate).ln_1p().min((horizon / b).ln_1p());
    if keep < 0.0 {
        length = length.min(FALL_AT_END / -keep);
    }
    // Within π/2 of the real axis the double exponential is bounded by e^rate, so that panels may be long however fast it
    // falls at their end; only a steep begin asks for more.
    let steep = rate + (-keep).max(0.0);
    let longest = if steep > 4.0 { 10.0 / steep } else { 2.5 };
    let panels = (length / longest).ceil().max(1.0);
    let width = length / panels;
    // The nodes' e^v − 1 within a panel, and that of the panel's begin.
    let nodes = Rule::shared().nodes.map(|(node, weight)| (node * width, (node * width).exp_m1(), weight));
    let mut sum = 0.0;
    for panel in 0..panels as u32 {
        let begin = f64::from(panel) * width;
        let before = begin.exp_m1();
        for (v, grown, weight) in nodes {
            let grown = before + (1.0 + before) * grown;
            sum += weight * (keep * (begin + v) - rate * grown).exp();
        }
    }
    (r + x) * (b / (alpha + t)) * sum * width
}

/// P(X(t) = x) (Fader and Hardie, "Deriving an Expression for P(X(t) = x) Under the Pareto/NBD Model", 2006): of those who
/// stay to t, and of those who leave at some moment u < t, by quadrature in ln u, where the integrand is log-concave.
pub(super) fn pmf(params: &ParetoNbd, x: f64, t: f64) -> f64 {
    if t <= 0.0 {
        return f64::from(u8::from(x == 0.0));
    }
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let ways = ln_gamma_delta(r, x) - ln_gamma(x + 1.0);
    // The logarithm of P(x purchases within u), and of that times the density of ln(leaving at u).
    let count = |u: f64| ways - r * (u / alpha).ln_1p() - x * (alpha / u).ln_1p();
    let density = |y: f64| {
        let u = y.exp();
        count(u) + (s / beta).ln() + y - (s + 1.0) * (u / beta).ln_1p()
    };
    let slope = |y: f64| {
        let u = y.exp();
        let ends = u / (beta + u);
        x * (alpha / (alpha + u)) - r * (u / (alpha + u)) + (1.0 - ends) - s * ends
    };
    let stays = (count(t) - s * (t / beta).ln_1p()).exp();
    // The mode, or the end if it is beyond. Left of the bracket the slope is above 0.
    let top = t.ln();
    let mut mode = top;
    if slope(top) < 0.0 {
        let mut low = ((x + 1.0) / ((r + x) / alpha + (s + 1.0) / beta)).ln().min(top) - 1.0;
        for _ in 0..60 {
            let middle = 0.5 * (low + mode);
            if slope(middle) < 0.0 { mode = middle } else { low = middle }
        }
    }
    let peak = density(mode);
    let rule = Rule::shared();
    let mut sum = 0.0;
    rule.walk(f64::INFINITY, |v| -slope(mode - v), |v, w| sum += w * (density(mode - v) - peak).exp());
    if mode < top {
        rule.walk(top - mode, |v| slope(mode + v), |v, w| sum += w * (density(mode + v) - peak).exp());
    }
    (stays + peak.exp() * sum).min(1.0)
}
