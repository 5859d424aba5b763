//! The likelihood of BG/NBD and MBG/NBD on patterns, with its first two derivatives.
//!
//! All terms but one depend on x alone or on T alone and are summed from tables; only the odds of having left look
//! at a whole pattern, and only for customers who had a chance to leave.

use super::{BetaGeometric, FirstChance};
use crate::calendar::Unit;
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::LogLikelihood;
use crate::clv::pattern::Patterns;
use crate::clv::purchase_rates::{LogTime, RateTables, add_curvature};
use crate::parallel;
use crate::special::{digamma_delta, ln_gamma_delta, trigamma_delta};

/// Patterns per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 8192;

/// What the likelihood needs of the patterns, arranged once.
pub(in crate::clv) struct Likelihood<'a> {
    patterns: &'a Patterns,
    customers: f64,
    tables: RateTables,
    first_chance: FirstChance,
    /// The first pattern of a customer who had a chance to leave.
    first: usize,
}

/// Sums over patterns of softplus(u) and its derivatives; u, the log-odds of having left, is
/// ln a − ln(b + k − 1) + (r + x)·D with D = ln(alpha + T) − ln(alpha + t_x) and k the chances to leave so far.
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

impl LogLikelihood for Likelihood<'_> {
    fn customers(&self) -> f64 {
        self.customers
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        Likelihood::mean_loss(self, theta)
    }
}

impl<'a> Likelihood<'a> {
    pub(in crate::clv) fn new(
        patterns: &'a Patterns,
        unit: Unit,
        first_chance: FirstChance,
    ) -> Likelihood<'a> {
        Likelihood {
            patterns,
            customers: patterns.customers() as f64,
            tables: RateTables::new(patterns, unit),
            first_chance,
            first: match first_chance {
                FirstChance::AfterFirstRepeat => patterns.first_repeater(),
                FirstChance::AfterFirstPurchase => 0,
            },
        }
    }

    /// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters.
    pub(in crate::clv) fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let params = BetaGeometric::at_scale_free(theta, self.first_chance);
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
        let BetaGeometric { r, alpha, a, b, .. } = params;
        let by_logit = a * b / (a + b);
        let twice = by_logit * (b - a) / (a + b);
        let (by_a, by_b) = (gradient[2], gradient[3]);
        let h = &mut out.hessian;
        add_curvature((r, alpha), &gradient, h);
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
    fn natural(&self, params: &BetaGeometric) -> (f64, [f64; 4], Matrix) {
        let BetaGeometric { r, alpha, a, b, .. } = *params;
        let logs = self.tables.log_times(alpha);
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
        for &(x, n) in &self.tables.counts {
            let chances = self.first_chance.chances(x);
            if chances == 0.0 {
                continue;
            }
            value += n * (ln_gamma_delta(b, chances) - ln_gamma_delta(a + b, chances));
            let both = digamma_delta(a + b, chances);
            g[2] -= n * both;
            g[3] += n * (digamma_delta(b, chances) - both);
            let both = trigamma_delta(a + b, chances);
            h[(2, 2)] -= n * both;
            h[(2, 3)] -= n * both;
            h[(3, 3)] += n * (trigamma_delta(b, chances) - both);
        }
        self.tables.add((r, alpha), &logs, &mut value, &mut g, &mut h);
        for i in 0..4 {
            for j in 0..i {
                h[(i, j)] = h[(j, i)];
            }
        }
        (value, g, h)
    }

    fn left(&self, params: &BetaGeometric, logs: &[LogTime]) -> Left {
        let BetaGeometric { r, a, b, .. } = *params;
        let patterns = self.patterns;
        let first = self.first;
        let chunk = |range: std::ops::Range<usize>| {
            let mut sum = Left::default();
            let (mut last_x, mut ln_odds, mut by_b) = (None, 0.0, 0.0);
            for i in range.start + first..range.end + first {
                let count = patterns.frequency(i);
                let x = f64::from(count);
                if last_x != Some(count) {
                    // Patterns are ordered by x: one logarithm serves many.
                    last_x = Some(count);
                    // In this order, so that a tiny b survives the first chance.
                    by_b = -1.0 / (b + (self.first_chance.chances(x) - 1.0));
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
