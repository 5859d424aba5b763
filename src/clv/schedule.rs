//! When future orders are counted and what they are then worth: the discounted sum of a horizon's steps as a weighted sum
//! of expectations.

use super::model::PurchaseModel;
use super::value::ValueOptions;
use crate::calendar::Unit;

/// With more steps than this the discounted sum is taken by interpolation between so many points in time, with an
/// error below 1e-9 for horizons up to a hundred times the scale of the purchase rates.
pub(super) const MOST_POINTS: usize = 32;

/// Points in time and weights: Σ weight·E(point) is the discounted sum of orders, with E(t) the orders expected up to
/// t. The last point is the horizon.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    pub(super) points: Vec<(f64, f64)>,
}

impl Schedule {
    /// One point per step.
    pub(super) fn steps(options: &ValueOptions, unit: Unit) -> Schedule {
        let horizon = options.horizon;
        // 36.000000001 months are 36 steps.
        let steps = (horizon.count() - 1e-9).ceil().max(1.0);
        let end = |i: f64| if i < steps { i * horizon.period().days() } else { horizon.days() };
        // Σ d(i)·(E(i) − E(i−1)), sorted by E.
        let points = (1..=steps as u64)
            .map(|i| {
                let i = i as f64;
                let later = if i < steps { options.discount.factor(end(i + 1.0)) } else { 0.0 };
                (end(i) / unit.days(), options.discount.factor(end(i)) - later)
            })
            .collect();
        Schedule { points }
    }

    /// The same sum from at most `most` points, by interpolation of E at Chebyshev points in ln(1 + t/scale): in this
    /// variable E is smooth from 0 on, however long the horizon.
    pub(super) fn at_most(self, most: usize, scale: f64) -> Schedule {
        if self.points.len() <= most {
            return self;
        }
        let horizon = self.points[self.points.len() - 1].0;
        let top = (horizon / scale).ln_1p();
        // Chebyshev points of the second kind from 0 (where E is 0) to the horizon, barycentric weights (−1)^k, half
        // at the ends (Berrut and Trefethen, "Barycentric Lagrange interpolation", 2004).
        let nodes: Vec<f64> = (0..=most)
            .map(|k| 0.5 * top * (1.0 - (std::f64::consts::PI * k as f64 / most as f64).cos()))
            .collect();
        let mut weights = vec![0.0; most + 1];
        for &(t, weight) in &self.points {
            let s = (t / scale).ln_1p().min(top);
            if let Some(k) = nodes.iter().position(|&node| node == s) {
                weights[k] += weight;
                continue;
            }
            let terms: Vec<f64> = (0..=most)
                .map(|k| {
                    let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
                    let half = if k == 0 || k == most { 0.5 } else { 1.0 };
                    sign * half / (s - nodes[k])
                })
                .collect();
            let sum: f64 = terms.iter().sum();
            weights.iter_mut().zip(terms).for_each(|(w, term)| *w += weight * term / sum);
        }
        let mut points: Vec<(f64, f64)> =
            (1..=most).map(|k| (scale * nodes[k].exp_m1(), weights[k])).collect();
        points[most - 1].0 = horizon;
        Schedule { points }
    }

    /// Expected orders up to the horizon and their discounted sum, of a customer who is alive.
    pub(super) fn evaluate<P: PurchaseModel + ?Sized>(&self, params: &P, x: u32, t: f64) -> (f64, f64) {
        let (mut last, mut sum) = (0.0, 0.0);
        let end = self.points.len() - 1;
        for (i, &(point, weight)) in self.points.iter().enumerate() {
            // Without a discount only the horizon counts.
            if weight != 0.0 || i == end {
                last = params.expected_if_alive(x, t, point);
                sum += weight * last;
            }
        }
        (last, sum)
    }
}
