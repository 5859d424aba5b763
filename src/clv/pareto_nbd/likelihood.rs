//! The likelihood of Pareto/NBD on patterns, with its first two derivatives, and the fit.
//!
//! No ₂F₁: with λ and μ integrated out, but not the moment u of leaving, the likelihood is a sum of positive terms,
//!
//! Γ(r+x)/Γ(r)·α^r·β^s · { (α+T)^−(r+x)·(β+T)^−s + s·∫ from t_x to T of (α+u)^−(r+x)·(β+u)^−(s+1) du }.
//!
//! In v = ln((c+u)/(c+t_x)), with c the smaller of α and β, the integrand is log-concave and its nearest
//! singularities lie at a distance of π from the real axis, so a few panels of Gauss–Legendre nodes give it to about
//! 1e-12, and derivatives are taken under the integral.

use super::ParetoNbd;
use crate::calendar::Unit;
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, FitReport, LogLikelihood, Parametric, Verdict};
use crate::clv::pattern::Patterns;
use crate::clv::quadrature::Rule;
use crate::clv::search::{self, Coordinate, Edge, Search};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::special::{digamma_delta, ln_gamma_delta, trigamma_delta};

/// Patterns per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 1024;

/// Where the integrand has fallen by e to this power, the integral ends.
const FALL_AT_END: f64 = 30.0;

/// The largest fall of the logarithm, and the largest length in v, that one panel takes.
const FALL_OF_PANEL: f64 = 20.0;
const LENGTH_OF_PANEL: f64 = 5.0;

/// Panels at most; only parameters at the edge of their ranges ask for as many.
const MOST_PANELS: f64 = 64.0;

/// Pareto/NBD before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParetoNbdModel;

impl ParetoNbdModel {
    /// Fits by maximum likelihood, with times in `unit`. Deterministic, whatever the number of threads.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`Verdict`].
    pub fn fit(&self, patterns: &Patterns, unit: Unit, progress: &dyn Progress) -> Result<Fit<ParetoNbd>> {
        let customers = patterns.customers() as u64;
        if let Some(verdict) = nothing_to_fit(patterns) {
            let mut report = FitReport::without_data(ParetoNbd::MODEL, Some(unit), customers, verdict);
            report.patterns = patterns.len() as u64;
            return Ok(Fit { report, params: None, uncertainty: None });
        }
        let likelihood = Likelihood::new(patterns, unit);
        let rate = (patterns.total_frequency() * unit.days() / patterns.total_t_days()).ln();
        let span = patterns.total_t_days() / unit.days() / customers as f64;
        let coordinates = coordinates(rate, -span.ln());
        let search = Search {
            customers,
            patterns: patterns.len() as u64,
            starts: starts(rate, -span.ln()),
            coordinates: &coordinates,
        };
        let like = ParetoNbd { r: 1.0, alpha: 1.0, s: 1.0, beta: 1.0, unit };
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
            "nobody bought again: the data cannot tell how customers leave or return",
            "give a longer history",
        );
    }
    None
}

/// Where the search starts: three pictures of the same purchases, with more or less dropout over the mean span.
fn starts(rate: f64, per_span: f64) -> Vec<Vec<f64>> {
    vec![
        vec![rate + 0.5, -0.4, per_span, -0.4],
        vec![rate + 1.0, 0.0, per_span + 1.0, 0.5],
        vec![rate + 0.1, -1.0, per_span - 1.5, -1.0],
    ]
}

/// The parameters' ranges; `rate` and `per_span` are the logarithms of the mean purchase rate and of one over the
/// mean span. Beyond the bounds the likelihood differs from its limit by next to nothing.
fn coordinates(rate: f64, per_span: f64) -> [Coordinate; 4] {
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
            name: "the mean dropout rate",
            low: edge(
                per_span - 16.0,
                per_span - 14.0,
                "no dropout detectable",
                "s/beta goes to 0: nobody seems to have left",
                "the model is NBD there; give a longer history to see customers leave",
            ),
            high: edge(
                per_span + 16.0,
                per_span + 14.0,
                "everybody leaves at once",
                "s/beta grows without bound: customers stay for no time or for ever",
                "check that the history is complete after each customer's first purchase",
            ),
        },
        Coordinate {
            name: "s and beta",
            low: edge(
                -large,
                -practically,
                "dropout all or nothing",
                "s goes to 0: a few customers leave at once and all others practically never do",
                "look at those who never return apart from the others",
            ),
            high: edge(
                large,
                practically,
                "homogeneous dropout",
                "s and beta grow without bound at a fixed ratio: all customers leave at the same rate",
                "differences between customers' lifetimes beyond chance are not detectable",
            ),
        },
    ]
}

/// What the likelihood needs of the patterns, arranged once.
pub(super) struct Likelihood<'a> {
    patterns: &'a Patterns,
    customers: f64,
    /// The distinct times in the model's unit.
    times: Vec<f64>,
    rule: Rule,
}

/// A log-likelihood with its gradient and Hessian (upper triangle, row by row) by (r, alpha, s, beta).
#[derive(Default, Clone, Copy)]
pub(super) struct Terms {
    pub value: f64,
    gradient: [f64; 4],
    hessian: [f64; 10],
}

/// Places of the Hessian's diagonal and of the two mixed entries inside a pair of parameters.
const RR: usize = 0;
const R_ALPHA: usize = 1;
const ALPHA_ALPHA: usize = 4;
const SS: usize = 7;
const S_BETA: usize = 8;
const BETA_BETA: usize = 9;

impl Terms {
    fn add(&mut self, weight: f64, other: &Terms) {
        self.value += weight * other.value;
        for (own, other) in self.gradient.iter_mut().zip(&other.gradient) {
            *own += weight * other;
        }
        for (own, other) in self.hessian.iter_mut().zip(&other.hessian) {
            *own += weight * other;
        }
    }

    /// Adds a positive term of weight `p` whose logarithm has the derivatives given; `curved` is its own Hessian.
    #[inline]
    fn add_positive(&mut self, p: f64, slope: &[f64; 4], curved: [f64; 5]) {
        self.value += p;
        let mut k = 0;
        for i in 0..4 {
            let by = p * slope[i];
            self.gradient[i] += by;
            for other in &slope[i..] {
                self.hessian[k] += by * other;
                k += 1;
            }
        }
        for (place, curve) in [R_ALPHA, ALPHA_ALPHA, SS, S_BETA, BETA_BETA].into_iter().zip(curved) {
            self.hessian[place] += p * curve;
        }
    }

    /// The logarithm of a sum of positive terms.
    fn ln(mut self) -> Terms {
        let sum = self.value;
        self.value = sum.ln();
        for g in &mut self.gradient {
            *g /= sum;
        }
        let mut k = 0;
        for i in 0..4 {
            for j in i..4 {
                self.hessian[k] = self.hessian[k] / sum - self.gradient[i] * self.gradient[j];
                k += 1;
            }
        }
        self
    }
}

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

impl<'a> Likelihood<'a> {
    pub(super) fn new(patterns: &'a Patterns, unit: Unit) -> Likelihood<'a> {
        let times = patterns.times().iter().map(|t| t / unit.days()).collect();
        Likelihood { patterns, customers: patterns.customers() as f64, times, rule: Rule::new() }
    }

    /// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let like = ParetoNbd { r: 1.0, alpha: 1.0, s: 1.0, beta: 1.0, unit: Unit::Day };
        let params = like.with_scale_free(theta);
        let sum = self.natural(&params);
        let jacobian = params.jacobian();
        let mut by_natural = Matrix::zeros(4);
        let mut k = 0;
        for i in 0..4 {
            for j in i..4 {
                by_natural[(i, j)] = sum.hessian[k];
                by_natural[(j, i)] = sum.hessian[k];
                k += 1;
            }
        }
        let mut hessian = by_natural.congruent(&jacobian);
        // Second derivatives of the natural parameters by the scale-free ones, times the gradient.
        for (i, shape, rate) in [(0, params.r, params.alpha), (2, params.s, params.beta)] {
            let (by_shape, by_rate) = (sum.gradient[i] * shape, sum.gradient[i + 1] * rate);
            hessian[(i, i)] += by_rate;
            hessian[(i, i + 1)] -= by_rate;
            hessian[(i + 1, i)] -= by_rate;
            hessian[(i + 1, i + 1)] += by_shape + by_rate;
        }
        let mut gradient = vec![0.0; 4];
        for j in 0..4 {
            let by: f64 = (0..4).map(|i| sum.gradient[i] * jacobian[(i, j)]).sum();
            gradient[j] = -by / self.customers;
            for i in 0..4 {
                hessian[(i, j)] /= -self.customers;
            }
        }
        Evaluation { value: -sum.value / self.customers, gradient, hessian }
    }

    fn natural(&self, params: &ParetoNbd) -> Terms {
        let patterns = self.patterns;
        let chunk = |range: std::ops::Range<usize>| {
            let mut sum = Terms::default();
            let mut last = None;
            let mut of_count = Terms::default();
            for i in range {
                // Patterns are ordered by x: one logarithm serves many.
                let x = patterns.frequency(i);
                let n = f64::from(x);
                if last != Some(x) {
                    last = Some(x);
                    of_count.value = ln_gamma_delta(params.r, n);
                    of_count.gradient[0] = digamma_delta(params.r, n);
                    of_count.hessian[RR] = trigamma_delta(params.r, n);
                }
                let weight = f64::from(patterns.weight(i));
                let (t_x, t) = (self.times[patterns.recency_index(i)], self.times[patterns.t_index(i)]);
                sum.add(weight, &of_times(params, n, t_x, t, &self.rule));
                sum.add(weight, &of_count);
            }
            sum
        };
        let plus = |mut left: Terms, right: Terms| {
            left.add(1.0, &right);
            left
        };
        parallel::reduce_chunks(patterns.len(), CHUNK, chunk, plus).unwrap_or_default()
    }
}
