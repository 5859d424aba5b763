//! The likelihood as it was first written, slow and plain: the integral from t_x to T by quadrature, derivatives under the
//! integral. Nothing is shared with [`super::first`] but the list of derivatives; tests compare the two.

use super::ParetoNbd;
use super::terms::{ALPHA_ALPHA, BETA_BETA, R_ALPHA, S_BETA, Terms};
use crate::clv::quadrature::Rule;

/// Where the integrand has fallen by e to this power, the integral ends.
const FALL_AT_END: f64 = 40.0;

/// The largest fall of the logarithm, and the largest length in v, that one panel takes.
const FALL_OF_PANEL: f64 = 10.0;
const LENGTH_OF_PANEL: f64 = 2.0;

/// Panels at most; only parameters at the edge of their ranges ask for as many.
const MOST_PANELS: f64 = 2000.0;

/// The log-likelihood of one customer without ln Γ(r+x) − ln Γ(r).
pub(super) fn of_times(params: &ParetoNbd, x: f64, t_x: f64, t: f64, rule: &Rule) -> Terms {
    let ParetoNbd { r, alpha, s, beta, .. } = *params;
    let n = r + x;
    // Everything is taken relative to its value at t_x.
    let (by_alpha, by_beta) = (1.0 / (alpha + t_x), 1.0 / (beta + t_x));
    // Derivatives of the logarithm of (α+u)^−n·(β+u)^−s over its value at t_x, d = u − t_x.
    let at = |d: f64, ln_alpha: f64, ln_beta: f64| {
        let (a, b) = (1.0 / (alpha + t_x + d), 1.0 / (beta + t_x + d));
        let (less_a, less_b) = (d * a * by_alpha, d * b * by_beta);
        let slope = [-ln_alpha, n * less_a, -ln_beta, s * less_b];
        let curved = [less_a, -n * less_a * (a + by_alpha), 0.0, less_b, -s * less_b * (b + by_beta)];
        (b, slope, curved)
    };
    let mut sum = Terms::default();
    // Alive at T.
    let span = t - t_x;
    let (ln_alpha, ln_beta) = ((span * by_alpha).ln_1p(), (span * by_beta).ln_1p());
    let (_, slope, curved) = at(span, ln_alpha, ln_beta);
    sum.add_positive((-n * ln_alpha - s * ln_beta).exp(), &slope, curved);
    // Left at u.
    let alpha_first = alpha <= beta;
    let start = if alpha_first { alpha } else { beta } + t_x;
    // The slope of the logarithm of the integrand in v at a distance d behind t_x.
    let fall =
        |d: f64| n * (start + d) / (alpha + t_x + d) + (s + 1.0) * (start + d) / (beta + t_x + d) - 1.0;
    let mut length = if alpha_first { ln_alpha } else { ln_beta };
    if length > 0.0 {
        let first = fall(0.0);
        if first > 0.0 {
            length = length.min(FALL_AT_END / first);
        }
        let steepest = first.abs().max(fall(start * length.exp_m1()).abs());
        let panels =
            (length / LENGTH_OF_PANEL).max(length * steepest / FALL_OF_PANEL).ceil().clamp(1.0, MOST_PANELS);
        let width = length / panels;
        for panel in 0..panels as u32 {
            for &(node, weight) in &rule.nodes {
                let v = (f64::from(panel) + node) * width;
                let d = start * v.exp_m1();
                let (ln_alpha, ln_beta) =
                    if alpha_first { (v, (d * by_beta).ln_1p()) } else { ((d * by_alpha).ln_1p(), v) };
                let (b, mut slope, mut curved) = at(d, ln_alpha, ln_beta);
                let p = s * weight * width * (start + d) * b * (-n * ln_alpha - s * ln_beta).exp();
                slope[2] += 1.0 / s;
                slope[3] -= b;
                curved[2] -= 1.0 / (s * s);
                curved[4] += b * b;
                sum.add_positive(p, &slope, curved);
            }
        }
    }
    let mut out = sum.ln();
    // α^r·(α+t_x)^−n·β^s·(β+t_x)^−s.
    let (ln_alpha, ln_beta) = ((t_x / alpha).ln_1p(), (t_x / beta).ln_1p());
    out.value -= r * ln_alpha + s * ln_beta - x * by_alpha.ln();
    out.gradient[0] -= ln_alpha;
    out.gradient[1] += r * t_x * by_alpha / alpha - x * by_alpha;
    out.gradient[2] -= ln_beta;
    out.gradient[3] += s * t_x * by_beta / beta;
    let (less_alpha, less_beta) = (t_x * by_alpha / alpha, t_x * by_beta / beta);
    out.hessian[R_ALPHA] += less_alpha;
    out.hessian[ALPHA_ALPHA] += x * by_alpha * by_alpha - r * less_alpha * (1.0 / alpha + by_alpha);
    out.hessian[S_BETA] += less_beta;
    out.hessian[BETA_BETA] -= s * less_beta * (1.0 / beta + by_beta);
    out
}
