//! The likelihood of BG/NBD on patterns, with its first two derivatives, and the fit.
//!
//! All terms but one depend on x alone or on T alone and are summed from tables; only the odds of having left look
//! at a whole pattern, and only for customers with a repeat purchase.

use super::BgNbd;
use crate::calendar::Unit;
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, FitReport, LogLikelihood, Parametric, Verdict};
use crate::clv::pattern::Patterns;
use crate::clv::search::{self, Coordinate, Edge, Search};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::special::{digamma_delta, ln_gamma_delta, trigamma_delta};

/// Patterns per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 8192;

/// BG/NBD before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BgNbdModel;

impl BgNbdModel {
    /// Fits by maximum likelihood, with times in `unit`. Deterministic, whatever the number of threads.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`Verdict`].
    pub fn fit(&self, patterns: &Patterns, unit: Unit, progress: &dyn Progress) -> Result<Fit<BgNbd>> {
        let customers = patterns.customers() as u64;
        if let Some(verdict) = nothing_to_fit(patterns) {
            let mut report = FitReport::without_data(BgNbd::MODEL, Some(unit), customers, verdict);
            report.patterns = patterns.len() as u64;
            return Ok(Fit { report, params: None, uncertainty: None });
        }
        let likelihood = Likelihood::new(patterns, unit);
        let rate = (patterns.total_frequency() * unit.days() / patterns.total_t_days()).ln();
        let coordinates = coordinates(rate);
        let search = Search {
            customers,
            patterns: patterns.len() as u64,
            starts: starts(patterns, rate),
            coordinates: &coordinates,
        };
        let like = BgNbd { r: 1.0, alpha: 1.0, a: 1.0, b: 1.0, unit };
        search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)
    }

    /// The likelihood of `patterns` at any parameters, with times in `unit`.
    pub fn likelihood<'a>(&self, patterns: &'a Patterns, unit: Unit) -> impl LogLikelihood + use<'a> {
        Likelihood::new(patterns, unit)
    }
}

impl LogLikelihood for Likelihood<'_> {
    fn customers(&self) -> f64 {
        self.customers
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        Likelihood::mean_loss(self, theta)
    }
}

fn nothing_to_fit(patterns: &Patterns) -> Option<Verdict> {
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

/// Where the search starts: shapes by the method of moments, and three other pictures of the same purchases.
fn starts(patterns: &Patterns, rate: f64) -> Vec<Vec<f64>> {
    // Counts of an NBD have variance m + m²/r; T is taken as equal for all, which only widens the start.
    let n = patterns.customers() as f64;
    let mean = patterns.total_frequency() / n;
    let square: f64 = (0..patterns.len())
        .map(|i| (f64::from(patterns.frequency(i)) - mean).powi(2) * f64::from(patterns.weight(i)))
        .sum();
    let r = (mean * mean / (square / n - mean).max(1e-9)).clamp(0.05, 20.0).ln();
    let logit = |p: f64| (p / (1.0 - p)).ln();
    vec![
        // Those who left bought faster while they were there: the rate while alive is above the mean one.
        vec![rate + 0.5, r, logit(0.2), 1.0],
        vec![rate + 1.5, r - 0.5, logit(0.4), 0.0],
        vec![rate, r + 0.7, logit(0.05), 2.0],
        vec![rate + 0.2, 0.0, logit(0.3), 3.0],
    ]
}

/// The parameters' ranges. Beyond the bounds the likelihood differs from its limit by less than a millionth of a
/// customer's share, so the limit itself is what the data ask for.
fn coordinates(rate: f64) -> [Coordinate; 4] {
    let edge = |at: f64, near: f64, name, explanation, advice| Edge {
        at,
        near,
        name,
        explanation,
        advice,
        usable: true,
    };
    let rate_edge = |at: f64| Edge {
        usable: false,
        ..edge(
            at,
            at,
            "a purchase rate without bound",
            "the likelihood grows as the mean rate leaves every plausible range",
            "check the times of the history: are they in days?",
        )
    };
    let large = 1e6f64.ln();
    let practically = 1e4f64.ln();
    [
        Coordinate {
            name: "the mean purchase rate",
            low: rate_edge(rate - 25.0),
            high: rate_edge(rate + 25.0),
        },
        Coordinate {
            name: "r and alpha",
            low: edge(
                -large,
                -practically,
                "purchase rates beyond a gamma distribution",
                "r goes to 0: a few customers buy and all others practically never do",
                "look at the few apart from the others",
            ),
            high: edge(
                large,
                practically,
                "homogeneous purchase rates",
                "r and alpha grow without bound at a fixed ratio: all customers buy at the same rate",
                "predictions hold; differences between customers beyond chance are not detectable",
            ),
        },
        Coordinate {
            name: "a/(a+b)",
            low: edge(
                -16.0,
                -14.0,
                "no dropout detectable",
                "a goes to 0: nobody seems to have left",
                "predictions are those of NBD; give a longer history to see customers leave",
            ),
            high: edge(
                16.0,
                14.0,
                "everybody leaves at once",
                "b goes to 0: nobody seems to stay after the first repeat purchase",
                "check that the history is complete after each customer's second purchase",
            ),
        },
        Coordinate {
            name: "a and b",
            low: edge(
                -large,
                -practically,
                "dropout all or nothing",
                "a and b go to 0: each customer leaves after the first repeat purchase or never",
                "predictions hold; treat P(alive) with care",
            ),
            high: edge(
                large,
                practically,
                "homogeneous dropout",
                "a and b grow without bound at a fixed ratio: all customers leave with the same probability",
                "predictions hold; differences between customers beyond chance are not detectable",
            ),
        },
    ]
}

/// What the likelihood needs of the patterns, arranged once.
pub(super) struct Likelihood<'a> {
    patterns: &'a Patterns,
    customers: f64,
    /// The distinct x above 0 and the customers with each.
    counts: Vec<(f64, f64)>,
    /// The distinct times in the model's unit.
    times: Vec<f64>,
    /// Customers by T, and their repeat purchases, by index of time.
    at_t: Vec<(f64, f64)>,
}

/// Sums over patterns of softplus(u) and its derivatives; u, the log-odds of having left, is
/// ln a − ln(b + x − 1) + (r + x)·D with D = ln(alpha + T) − ln(alpha + t_x).
#[derive(Default, Clone, Copy)]
struct Left {
    value: f64,
    /// Σ s·∂u, with s = logistic(u) = P(left): by r, by alpha, Σ s (by a, times a), by b.
    first: [f64; 4],
    /// Σ s(1−s)·∂u∂u: rr, rα, ra·a, rb, αα, αa·a, αb, aa·a², ab·a, bb.
    outer: [f64; 10],
    /// Σ s·∂²u: rα, αα, bb.
    curved: [f64; 3],
}

impl Left {
    fn plus(mut self, other: Left) -> Left {
        self.value += other.value;
        let add = |into: &mut [f64], from: &[f64]| into.iter_mut().zip(from).for_each(|(i, f)| *i += f);
        add(&mut self.first, &other.first);
        add(&mut self.outer, &other.outer);
        add(&mut self.curved, &other.curved);
        self
    }
}

/// ln(1 + t/alpha) and its first two derivatives by alpha.
#[derive(Clone, Copy)]
struct LogTime {
    log: f64,
    first: f64,
    second: f64,
}

impl<'a> Likelihood<'a> {
    pub(super) fn new(patterns: &'a Patterns, unit: Unit) -> Likelihood<'a> {
        let mut counts: Vec<(f64, f64)> = Vec::new();
        let mut at_t = vec![(0.0, 0.0); patterns.times().len()];
        for i in 0..patterns.len() {
            let (x, weight) = (f64::from(patterns.frequency(i)), f64::from(patterns.weight(i)));
            let slot = &mut at_t[patterns.t_index(i)];
            slot.0 += weight;
            slot.1 += weight * x;
            if x > 0.0 {
                match counts.last_mut() {
                    Some(last) if last.0 == x => last.1 += weight,
                    _ => counts.push((x, weight)),
                }
            }
        }
        let times = patterns.times().iter().map(|t| t / unit.days()).collect();
        Likelihood { patterns, customers: patterns.customers() as f64, counts, times, at_t }
    }

    /// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let like = BgNbd { r: 1.0, alpha: 1.0, a: 1.0, b: 1.0, unit: Unit::Day };
        let params = like.with_scale_free(theta);
        let (value, gradient, hessian) = self.natural(&params);
        let jacobian = params.jacobian();
        let mut out = Evaluation {
            value: -value / self.customers,
            gradient: vec![0.0; 4],
            hessian: hessian.congruent(&jacobian),
        };
        for j in 0..4 {
            out.gradient[j] = (0..4).map(|i| gradient[i] * jacobian[(i, j)]).sum();
        }
        // Second derivatives of the natural parameters by the scale-free ones, times the gradient.
        let BgNbd { r, alpha, a, b, .. } = params;
        let by_logit = a * b / (a + b);
        let twice = by_logit * (b - a) / (a + b);
        let (by_alpha, by_a, by_b) = (gradient[1] * alpha, gradient[2], gradient[3]);
        let h = &mut out.hessian;
        h[(0, 0)] += by_alpha;
        h[(0, 1)] -= by_alpha;
        h[(1, 0)] -= by_alpha;
        h[(1, 1)] += gradient[0] * r + by_alpha;
        h[(2, 2)] += (by_a - by_b) * twice;
        h[(2, 3)] += (by_a - by_b) * by_logit;
        h[(3, 2)] += (by_a - by_b) * by_logit;
        h[(3, 3)] += by_a * a + by_b * b;
        for i in 0..4 {
            out.gradient[i] /= -self.customers;
            for j in 0..4 {
                h[(i, j)] /= -self.customers;
            }
        }
        out
    }

    /// The log-likelihood with gradient and Hessian by (r, alpha, a, b).
    fn natural(&self, params: &BgNbd) -> (f64, [f64; 4], Matrix) {
        let BgNbd { r, alpha, a, b, .. } = *params;
        let logs: Vec<LogTime> = self.times.iter().map(|&t| log_time(t, alpha)).collect();
        let left = self.left(params, &logs);
        let mut value = left.value;
        let mut g = [left.first[0], left.first[1], left.first[2] / a, left.first[3]];
        let mut h = Matrix::zeros(4);
        let o = &left.outer;
        h[(0, 0)] = o[0];
        h[(0, 1)] = o[1] + left.curved[0];
        h[(0, 2)] = o[2] / a;
        h[(0, 3)] = o[3];
        h[(1, 1)] = o[4] + left.curved[1];
        h[(1, 2)] = o[5] / a;
        h[(1, 3)] = o[6];
        h[(2, 2)] = (o[7] - left.first[2]) / (a * a);
        h[(2, 3)] = o[8] / a;
        h[(3, 3)] = o[9] + left.curved[2];
        for &(x, n) in &self.counts {
            value +=
                n * (ln_gamma_delta(r, x) - x * alpha.ln() + ln_gamma_delta(b, x) - ln_gamma_delta(a + b, x));
            g[0] += n * digamma_delta(r, x);
            g[1] -= n * x / alpha;
            let both = digamma_delta(a + b, x);
            g[2] -= n * both;
            g[3] += n * (digamma_delta(b, x) - both);
            h[(0, 0)] += n * trigamma_delta(r, x);
            h[(1, 1)] += n * x / (alpha * alpha);
            let both = trigamma_delta(a + b, x);
            h[(2, 2)] -= n * both;
            h[(2, 3)] -= n * both;
            h[(3, 3)] += n * (trigamma_delta(b, x) - both);
        }
        for (&(n, x), time) in self.at_t.iter().zip(&logs) {
            value -= (r * n + x) * time.log;
            g[0] -= n * time.log;
            g[1] -= (r * n + x) * time.first;
            h[(0, 1)] -= n * time.first;
            h[(1, 1)] -= (r * n + x) * time.second;
        }
        for i in 0..4 {
            for j in 0..i {
                h[(i, j)] = h[(j, i)];
            }
        }
        (value, g, h)
    }

    fn left(&self, params: &BgNbd, logs: &[LogTime]) -> Left {
        let BgNbd { r, a, b, .. } = *params;
        let patterns = self.patterns;
        let first = patterns.first_repeater();
        let chunk = |range: std::ops::Range<usize>| {
            let mut sum = Left::default();
            let (mut last_x, mut ln_odds, mut by_b) = (0, 0.0, 0.0);
            for i in range.start + first..range.end + first {
                let count = patterns.frequency(i);
                let x = f64::from(count);
                if count != last_x {
                    // Patterns are ordered by x: one logarithm serves many.
                    last_x = count;
                    // In this order, so that a tiny b survives x = 1.
                    by_b = -1.0 / (b + (x - 1.0));
                    ln_odds = (-a * by_b).ln();
                }
                let (end, last) = (logs[patterns.t_index(i)], logs[patterns.recency_index(i)]);
                let d = end.log - last.log;
                let d_first = end.first - last.first;
                let u = ln_odds + (r + x) * d;
                let e = (-u.abs()).exp();
                let (softplus, s) =
                    if u > 0.0 { (u + e.ln_1p(), 1.0 / (1.0 + e)) } else { (e.ln_1p(), e / (1.0 + e)) };
                let w = f64::from(patterns.weight(i));
                let ws = w * s;
                let spread = ws * (if u > 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) });
                let by_alpha = (r + x) * d_first;
                sum.value += w * softplus;
                sum.first[0] += ws * d;
                sum.first[1] += ws * by_alpha;
                sum.first[2] += ws;
                sum.first[3] += ws * by_b;
                sum.outer[0] += spread * d * d;
                sum.outer[1] += spread * d * by_alpha;
                sum.outer[2] += spread * d;
                sum.outer[3] += spread * d * by_b;
                sum.outer[4] += spread * by_alpha * by_alpha;
                sum.outer[5] += spread * by_alpha;
                sum.outer[6] += spread * by_alpha * by_b;
                sum.outer[7] += spread;
                sum.outer[8] += spread * by_b;
                sum.outer[9] += spread * by_b * by_b;
                sum.curved[0] += ws * d_first;
                sum.curved[1] += ws * (r + x) * (end.second - last.second);
                sum.curved[2] += ws * by_b * by_b;
            }
            sum
        };
        parallel::reduce_chunks(patterns.len() - first, CHUNK, chunk, Left::plus).unwrap_or_default()
    }
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
