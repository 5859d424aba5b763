//! Drawing what cannot be seen of a Pareto/NBD customer, exactly.

use super::ParetoNbd;
use crate::clv::latent::{Dropout, Latent, purchase_rate};
use crate::random::Stream;

/// Draws a customer given its history and P(alive): alive, or its rates are those of one who left at a moment τ in (t_x, T),
/// λ ~ gamma(r+x, α+τ) and μ ~ gamma(s+1, β+τ).
pub(super) fn draw(
    params: &ParetoNbd,
    stream: &mut Stream,
    x: f64,
    t_x: f64,
    t: f64,
    p_alive: f64,
) -> Latent {
    if stream.uniform() < p_alive {
        return draw_alive(params, stream, x, t);
    }
    draw_left(params, stream, x, t_x, t)
}

/// Draws the rates of a customer who has left by T.
pub(super) fn draw_left(params: &ParetoNbd, stream: &mut Stream, x: f64, t_x: f64, t: f64) -> Latent {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let left = moment_of_leaving(params, stream, x, t_x, t);
    let rate = purchase_rate(stream, r, alpha, x, left);
    let dropout = Dropout::AtRate(stream.gamma(s + 1.0) / (beta + left));
    Latent { alive: false, rate, dropout }
}

/// Draws the rates of a customer who is alive at T: λ ~ gamma(r+x, α+T) and μ ~ gamma(s, β+T).
pub(super) fn draw_alive(params: &ParetoNbd, stream: &mut Stream, x: f64, t: f64) -> Latent {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let rate = purchase_rate(stream, r, alpha, x, t);
    let dropout = Dropout::AtRate(stream.gamma(s) / (beta + t));
    Latent { alive: true, rate, dropout }
}

/// A moment τ in (t_x, T) with density ∝ (α+τ)^−(r+x)·(β+τ)^−(s+1).
///
/// In v = ln((c+τ)/(c+t_x)), with c the smaller of α and β, the density is log-concave: it is drawn by rejection from its
/// mode's height in the middle and exponentials beyond, tangents where the logarithm has fallen by 1 (Devroye, "Non-Uniform
/// Random Variate Generation", 1986, VII.2). About three tries in four are taken.
fn moment_of_leaving(params: &ParetoNbd, stream: &mut Stream, x: f64, t_x: f64, t: f64) -> f64 {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let (a, b, n) = (alpha + t_x, beta + t_x, r + x);
    let start = a.min(b);
    let end = ((t - t_x) / start).ln_1p();
    let log = |v: f64| {
        let d = start * v.exp_m1();
        v - n * (d / a).ln_1p() - (s + 1.0) * (d / b).ln_1p()
    };
    let slope = |v: f64| {
        let d = start * v.exp_m1();
        1.0 - n * ((start + d) / (a + d)) - (s + 1.0) * ((start + d) / (b + d))
    };
    // The slope falls: the mode is where it changes its sign, or at an end.
    let mode = crossing(0.0, end, 52, |v| slope(v) > 0.0);
    // A mode between two numbers may be higher than at either.
    let peak = log(mode) + 1e-12;
    // Any points serve as ends of the middle; the share of tries that are taken depends on them.
    let right = crossing(mode, end, 12, |v| log(v) > peak - 1.0);
    let left = mode - crossing(0.0, mode, 12, |back| log(mode - back) > peak - 1.0);
    // Weights of the three pieces of the hat over its height in the middle; a tangent never lies below the density.
    let (on_left, on_right) = (log(left) - peak, log(right) - peak);
    let (up, down) = (slope(left).max(0.0), (-slope(right)).max(0.0));
    let tail = |height: f64, rate: f64, length: f64| {
        let area = if rate * length > 1e-12 { -(-rate * length).exp_m1() / rate } else { length };
        if length > 0.0 { height.exp() * area } else { 0.0 }
    };
    let pieces = [tail(on_left, up, left), right - left, tail(on_right, down, end - right)];
    let total: f64 = pieces.iter().sum();
    // The length of a tail of this rate, cut at `length`, by inversion.
    let along = |u: f64, rate: f64, length: f64| {
        if rate * length > 1e-12 { -(u * (-rate * length).exp_m1()).ln_1p() / rate } else { u * length }
    };
    loop {
        let (piece, u) = (stream.uniform() * total, stream.uniform());
        let (v, hat) = if piece < pieces[0] {
            let back = along(u, up, left);
            (left - back, on_left - up * back)
        } else if piece < pieces[0] + pieces[1] || pieces[2] <= 0.0 {
            (left + u * (right - left), 0.0)
        } else {
            let on = along(u, down, end - right);
            (right + on, on_right - down * on)
        };
        let v = v.clamp(0.0, end);
        if stream.uniform().ln() <= log(v) - peak - hat {
            return (t_x + start * v.exp_m1()).min(t);
        }
    }
}

/// Where `holds` stops to hold between `low` and `high`; the end where it never or always holds.
fn crossing(mut low: f64, mut high: f64, steps: u32, holds: impl Fn(f64) -> bool) -> f64 {
    if holds(high) {
        return high;
    }
    if !holds(low) {
        return low;
    }
    for _ in 0..steps {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}
