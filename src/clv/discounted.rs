//! Discounted expected transactions of a customer who is alive, from its undiscounted expectations alone: the way that
//! holds for every model, and against which closed forms are tested.

use super::quadrature::Rule;

/// What lies beyond so many times 1/delta counts for less than 1e-17.
const FAR: f64 = 42.0;

/// Width of a panel in ln(1 + t/scale).
const PANEL: f64 = 0.25;

/// Fall of the discount factor's logarithm in a panel.
const FALL: f64 = 6.0;

/// ∫ e^(−delta·t) dE(t) over (0, horizon], E(t) being the transactions expected up to t; the horizon may be infinite if
/// delta is above 0. `scale` is the time over which E bends.
///
/// By parts: e^(−delta·h)·E(h) + delta·∫ e^(−delta·t)·E(t) dt, all terms positive, by Gauss–Legendre quadrature in
/// ln(1 + t/scale). Relative error about 1e-12.
pub fn by_quadrature(expected: impl Fn(f64) -> f64, scale: f64, delta: f64, horizon: f64) -> f64 {
    if horizon <= 0.0 {
        return 0.0;
    }
    if delta <= 0.0 {
        return expected(horizon);
    }
    let end = horizon.min(FAR / delta);
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
