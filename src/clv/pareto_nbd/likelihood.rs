//! The likelihood of Pareto/NBD on patterns, with its first two derivatives.
//!
//! A customer's likelihood is Γ(r+x)/Γ(r) times a sum of two positive terms (see [`super::first`]): one depends on x and T,
//! the other on x and t_x. Both are computed once for each distinct pair; what is left for a whole
//! pattern is the logarithm of a sum, as cheap as that of BG/NBD.

use super::ParetoNbd;
use super::first::{LnLeavesFirst, ln_buys_first, ln_stays};
use super::terms::{RR, Terms};
use crate::calendar::Unit;
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{LogLikelihood, Parametric};
use crate::clv::pattern::Patterns;
use crate::parallel;
use crate::special::{digamma_delta, ln_gamma_delta, trigamma_delta};

/// Patterns per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 4096;

/// Distinct (x, t_x) per unit of parallel work.
const PAIRS: usize = 512;

/// What the likelihood needs of the patterns, arranged once.
pub(super) struct Likelihood<'a> {
    patterns: &'a Patterns,
    customers: f64,
    /// The distinct times in the model's unit.
    times: Vec<f64>,
    /// The distinct x above 0 and the customers with each.
    counts: Vec<(f64, f64)>,
    /// The distinct (x, t_x), the latter as an index into `times`, ascending.
    last: Vec<(u32, u32)>,
    /// Which of them a pattern has.
    last_of: Vec<u32>,
}

/// ln Q of the x at hand: patterns are ordered by x, and one set of coefficients serves many.
struct OfCount<'a> {
    params: &'a ParetoNbd,
    x: u32,
    leaving: LnLeavesFirst<'a>,
}

impl<'a> OfCount<'a> {
    fn new(params: &'a ParetoNbd) -> OfCount<'a> {
        OfCount { params, x: 0, leaving: LnLeavesFirst::new(params, 0.0) }
    }

    fn of(&mut self, x: u32) -> &mut LnLeavesFirst<'a> {
        if x != self.x {
            (self.x, self.leaving) = (x, LnLeavesFirst::new(self.params, f64::from(x)));
        }
        &mut self.leaving
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
    pub(super) fn new(patterns: &'a Patterns, unit: Unit) -> Likelihood<'a> {
        let times: Vec<f64> = patterns.times().iter().map(|t| t / unit.days()).collect();
        let mut counts: Vec<(f64, f64)> = Vec::new();
        for i in patterns.first_repeater()..patterns.len() {
            let (x, weight) = (f64::from(patterns.frequency(i)), f64::from(patterns.weight(i)));
            match counts.last_mut() {
                Some(last) if last.0 == x => last.1 += weight,
                _ => counts.push((x, weight)),
            }
        }
        let pair = |i: usize| (patterns.frequency(i), patterns.recency_index(i) as u32);
        let mut last: Vec<(u32, u32)> = parallel::collect(patterns.len(), pair);
        last.sort_unstable();
        last.dedup();
        let find = |i: usize| last.partition_point(|&other| other < pair(i)) as u32;
        let last_of = parallel::collect(patterns.len(), find);
        let customers = patterns.customers() as f64;
        Likelihood { patterns, customers, times, counts, last, last_of }
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
        let left = parallel::map_chunks(self.last.len(), PAIRS, |range| {
            let mut leaving = OfCount::new(params);
            self.last[range]
                .iter()
                .map(|&(x, time)| {
                    let t_x = self.times[time as usize];
                    let mut left = leaving.of(x).at(t_x);
                    left.add(1.0, &ln_stays(params, f64::from(x), t_x));
                    left
                })
                .collect::<Vec<Terms>>()
        })
        .concat();
        let chunk = |range: std::ops::Range<usize>| self.of_chunk(params, &left, range);
        let plus = |mut left: Terms, right: Terms| {
            left.add(1.0, &right);
            left
        };
        let mut sum = parallel::reduce_chunks(self.patterns.len(), CHUNK, chunk, plus).unwrap_or_default();
        for &(x, customers) in &self.counts {
            sum.value += customers * ln_gamma_delta(params.r, x);
            sum.gradient[0] += customers * digamma_delta(params.r, x);
            sum.hessian[RR] += customers * trigamma_delta(params.r, x);
        }
        sum
    }

    /// The sum over some patterns of ln(e^stayed + e^left): the shares of the two terms weigh their own derivatives, and
    /// the square of the gradients' difference comes on top.
    fn of_chunk(&self, params: &ParetoNbd, left: &[Terms], range: std::ops::Range<usize>) -> Terms {
        let patterns = self.patterns;
        let mut leaving = OfCount::new(params);
        let mut sum = Terms::default();
        let mut i = range.start;
        while i < range.end {
            // Patterns with one (x, T) stand together.
            let pair = patterns.pair_of(i);
            let (x, t) = (patterns.frequency(i), self.times[patterns.t_index(i)]);
            let mut stayed = ln_buys_first(&leaving.of(x).at(t));
            stayed.add(1.0, &ln_stays(params, f64::from(x), t));
            let mut share = 0.0;
            while i < range.end && patterns.pair_of(i) == pair {
                let left = &left[self.last_of[i] as usize];
                let weight = f64::from(patterns.weight(i));
                let u = stayed.value - left.value;
                let e = (-u.abs()).exp();
                let (larger, smaller) = (1.0 / (1.0 + e), e / (1.0 + e));
                let (of_stayed, of_left) = if u > 0.0 { (larger, smaller) } else { (smaller, larger) };
                sum.value += weight * (stayed.value.max(left.value) + e.ln_1p());
                share += weight * of_stayed;
                sum.add_derivatives(weight * of_left, left);
                let (s, l) = (&stayed.gradient, &left.gradient);
                let apart = [s[0] - l[0], s[1] - l[1], s[2] - l[2], s[3] - l[3]];
                sum.add_square(weight * larger * smaller, &apart);
                i += 1;
            }
            sum.add_derivatives(share, &stayed);
        }
        sum
    }
}
