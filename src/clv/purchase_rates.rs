//! What the models with gamma distributed purchase rates share when they are fitted: the likelihood's part that knows no
//! dropout (all of it for NBD), histories that cannot be fitted, and where to look for r and alpha.

use super::dense::Matrix;
use super::model::Verdict;
use super::pattern::Patterns;
use super::search::{Coordinate, Edge};
use crate::calendar::Unit;
use crate::special::{digamma_delta, ln_gamma_delta, trigamma_delta};

/// ln(1 + t/alpha) and its first two derivatives by alpha.
#[derive(Clone, Copy)]
pub(super) struct LogTime {
    pub log: f64,
    pub first: f64,
    pub second: f64,
}

/// What the likelihood needs of the patterns as sums over distinct x and distinct T, arranged once.
pub(super) struct RateTables {
    /// The distinct x, ascending, and the customers with each.
    pub counts: Vec<(f64, f64)>,
    /// The distinct times in the model's unit.
    times: Vec<f64>,
    /// Customers by T, and their repeat purchases, by index of time.
    at_t: Vec<(f64, f64)>,
}

impl RateTables {
    pub(super) fn new(patterns: &Patterns, unit: Unit) -> RateTables {
        let mut counts: Vec<(f64, f64)> = Vec::new();
        let mut at_t = vec![(0.0, 0.0); patterns.times().len()];
        for i in 0..patterns.len() {
            let (x, weight) = (f64::from(patterns.frequency(i)), f64::from(patterns.weight(i)));
            let slot = &mut at_t[patterns.t_index(i)];
            slot.0 += weight;
            slot.1 += weight * x;
            match counts.last_mut() {
                Some(last) if last.0 == x => last.1 += weight,
                _ => counts.push((x, weight)),
            }
        }
        RateTables { counts, times: patterns.times().iter().map(|t| t / unit.days()).collect(), at_t }
    }

    /// The times' logarithms at one alpha, by index of time.
    pub(super) fn log_times(&self, alpha: f64) -> Vec<LogTime> {
        self.times.iter().map(|&t| log_time(t, alpha)).collect()
    }

    /// Adds Σ ln[Γ(r + x)/Γ(r)·alpha^r/(alpha + T)^(r + x)] over customers to the value, and its derivatives by r and
    /// alpha to the first two of the gradient and to the upper half of the Hessian.
    pub(super) fn add(
        &self,
        (r, alpha): (f64, f64),
        logs: &[LogTime],
        value: &mut f64,
        gradient: &mut [f64],
        hessian: &mut Matrix,
    ) {
        for &(x, n) in self.counts.iter().filter(|(x, _)| *x > 0.0) {
            *value += n * (ln_gamma_delta(r, x) - x * alpha.ln());
            gradient[0] += n * digamma_delta(r, x);
            gradient[1] -= n * x / alpha;
            hessian[(0, 0)] += n * trigamma_delta(r, x);
            hessian[(1, 1)] += n * x / (alpha * alpha);
        }
        for (&(n, x), time) in self.at_t.iter().zip(logs) {
            *value -= (r * n + x) * time.log;
            gradient[0] -= n * time.log;
            gradient[1] -= (r * n + x) * time.first;
            hessian[(0, 1)] -= n * time.first;
            hessian[(1, 1)] -= (r * n + x) * time.second;
        }
    }
}

/// Adds the second derivatives of (r, alpha) by (ln(r/alpha), ln r), times the gradient by (r, alpha).
pub(super) fn add_curvature((r, alpha): (f64, f64), gradient: &[f64], hessian: &mut Matrix) {
    let by_alpha = gradient[1] * alpha;
    hessian[(0, 0)] += by_alpha;
    hessian[(0, 1)] -= by_alpha;
    hessian[(1, 0)] -= by_alpha;
    hessian[(1, 1)] += gradient[0] * r + by_alpha;
}

fn log_time(t: f64, alpha: f64) -> LogTime {
    let both = alpha * (alpha + t);
    LogTime {
        log: (t / alpha).ln_1p(),
        first: -t / both,
        // 1/alpha² − 1/(alpha + t)², without its cancellation.
        second: t / both * (1.0 / alpha + 1.0 / (alpha + t)),
    }
}

/// The verdict on patterns that no model of purchase rates can be fitted to.
pub(super) fn nothing_to_fit(patterns: &Patterns) -> Option<Verdict> {
    if patterns.is_empty() {
        let reason = "there is no customer".to_string();
        return Some(Verdict::Failed { reason, advice: "give a history with customers" });
    }
    let boundary = |name, explanation: &str, advice| {
        Some(Verdict::Boundary { name, explanation: explanation.to_string(), advice, usable: false })
    };
    if patterns.total_t_days() == 0.0 {
        return boundary(
            "no time observed",
            "every customer's first order is on the last day",
            "give a longer history, or a later as-of date",
        );
    }
    if patterns.first_repeater() == patterns.len() {
        return boundary(
            "no repeat purchases",
            "nobody bought on a second day: the data cannot tell how customers leave or return",
            "give a longer history, or use recency and first spend alone",
        );
    }
    None
}

/// The logarithm of the mean purchase rate per unit of time, as if nobody had left.
pub(super) fn ln_mean_rate(patterns: &Patterns, unit: Unit) -> f64 {
    (patterns.total_frequency() * unit.days() / patterns.total_t_days()).ln()
}

/// ln r by the method of moments: an NBD's counts have variance m + m²/r. T is taken as equal for all, which only widens
/// the start.
pub(super) fn ln_shape_by_moments(patterns: &Patterns) -> f64 {
    let n = patterns.customers() as f64;
    let mean = patterns.total_frequency() / n;
    let square: f64 = (0..patterns.len())
        .map(|i| (f64::from(patterns.frequency(i)) - mean).powi(2) * f64::from(patterns.weight(i)))
        .sum();
    (mean * mean / (square / n - mean).max(1e-9)).clamp(0.05, 20.0).ln()
}

/// A bound of shapes, and from where on they count as being there. Beyond it the likelihood differs from its limit by
/// less than a millionth of a customer's share, so the limit itself is what the data ask for.
pub(super) const LARGE: f64 = 1e6;
pub(super) const PRACTICALLY: f64 = 1e4;

/// The ranges of ln(r/alpha), around `rate`, and ln r.
pub(super) fn coordinates(rate: f64) -> [Coordinate; 2] {
    let rate_edge = |at: f64| Edge {
        at,
        near: at,
        name: "a purchase rate without bound",
        explanation: "the likelihood grows as the mean rate leaves every plausible range",
        advice: "check the times of the history: are they in days?",
        usable: false,
    };
    [
        Coordinate {
            name: "the mean purchase rate",
            low: rate_edge(rate - 25.0),
            high: rate_edge(rate + 25.0),
        },
        Coordinate {
            name: "r and alpha",
            low: Edge {
                at: -LARGE.ln(),
                near: -PRACTICALLY.ln(),
                name: "purchase rates beyond a gamma distribution",
                explanation: "r goes to 0: a few customers buy and all others practically never do",
                advice: "look at the few apart from the others",
                usable: true,
            },
            high: Edge {
                at: LARGE.ln(),
                near: PRACTICALLY.ln(),
                name: "homogeneous purchase rates",
                explanation: "r and alpha grow without bound at a fixed ratio: all customers buy at the same rate",
                advice: "predictions hold; differences between customers beyond chance are not detectable",
                usable: true,
            },
        },
    ]
}
