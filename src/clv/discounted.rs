//! Discounted expected transactions of a customer who is alive, from its undiscounted expectations alone: the way that
//! holds for every model, and against which closed forms are tested.

use super::quadrature::Rule;

/// What lies beyond so many times 1/delta counts for less than 1e-17.
const FAR: f64 = 42.0;

/// Width of a panel in ln(1 + t/scale).
const PANEL: f64 = 0.25;

/// Fall of the discount factor's logarithm in a panel.
const FALL: f64 = 6.0;

/// E counts as straight up to twice a time if it grows by this much from the one to the other.
const STRAIGHT: f64 = 1.8;

/// ∫ e^(−delta·t) dE(t) over (0, horizon], E(t) being the transactions expected up to t; the horizon may be infinite if
/// delta is above 0. `scale` is about the time over which E bends; where it bends earlier, that is found.
///
/// By parts: e^(−delta·h)·E(h) + delta·∫ e^(−delta·t)·E(t) dt, all terms positive, by Gauss–Legendre quadrature in
/// ln(1 + t/scale). Relative error about 1e-12; 1e-9 where a small part of the purchases
/// comes from customers who leave long before the others.
pub fn by_quadrature(expected: impl Fn(f64) -> f64, scale: f64, delta: f64, horizon: f64) -> f64 {
    if horizon <= 0.0 {
        return 0.0;
    }
    if delta <= 0.0 {
        return expected(horizon);
    }
    let end = horizon.min(FAR / delta);
    let mut scale = scale;
    // One who buys often, but leaves soon, has next to all its purchases long before `scale`.
    while scale > end * 1e-12 && expected(2.0 * scale) < STRAIGHT * expected(scale) {
        scale *= 0.25;
    }
    let top = (end / scale).ln_1p();
    let panels = (top / PANEL).max(delta * end / FALL).ceil().max(1.0) as u32;
    let integral = Rule::new().integral(0.0, top, panels, |v| {
        let t = scale * v.exp_m1();
        (scale + t) * (-delta * t).exp() * expected(t)
    });
    let last = if horizon.is_finite() { (-delta * horizon).exp() * expected(horizon) } else { 0.0 };
    last + delta * integral
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All purchases long before the scale that is given: 1 − e^(−t/c), whose integral is (1 − e^(−(δ + 1/c)h))/(1 + δc).
    #[test]
    fn an_early_bend_is_found() {
        for c in [1e-9, 1e-4, 0.3, 1.0] {
            for (delta, horizon) in [(0.01, f64::INFINITY), (2.0, 3.0), (1e-6, 1e3)] {
                let got = by_quadrature(|t| -(-t / c).exp_m1(), 1.0, delta, horizon);
                let want = -(-(delta + 1.0 / c) * horizon).exp_m1() / (1.0 + delta * c);
                assert!((got / want - 1.0).abs() < 1e-11, "{c} {delta} {horizon}: {got} {want}");
            }
        }
    }

    /// A constant rate: λ(1 − e^(−δh))/δ.
    #[test]
    fn a_constant_rate_is_exact() {
        for scale in [0.1, 1.0, 50.0] {
            for (delta, horizon) in
                [(0.01, f64::INFINITY), (0.01, 52.0), (3.0, f64::INFINITY), (1e-6, 1e3), (0.0, 7.0)]
            {
                let got = by_quadrature(|t| 2.0 * t, scale, delta, horizon);
                let want = match (delta, horizon) {
                    (0.0, horizon) => 2.0 * horizon,
                    _ => -2.0 * (-delta * horizon).exp_m1() / delta,
                };
                assert!((got / want - 1.0).abs() < 1e-12, "{scale} {delta} {horizon}: {got} {want}");
            }
        }
    }
}
