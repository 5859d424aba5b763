//! Minimising smooth functions of a few bounded variables: a trust-region Newton method on the exact Hessian.
//!
//! The step solves the trust-region problem exactly through the eigenvalues of the Hessian (Moré and Sorensen,
//! "Computing a trust region step", 1983), so that saddles and ridges are left along their downward directions.
//! Variables that press against a bound are held there (projected Newton; Bertsekas 1982).

use super::dense::{Matrix, dot};
use crate::error::Result;

/// A function's value with its first two derivatives at one point.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The value.
    pub value: f64,
    /// The gradient.
    pub gradient: Vec<f64>,
    /// The Hessian, symmetric.
    pub hessian: Matrix,
}

impl Evaluation {
    fn is_finite(&self) -> bool {
        self.value.is_finite() && self.gradient.iter().all(|g| g.is_finite()) && self.hessian.is_finite()
    }
}

/// Where a minimisation ended.
#[derive(Debug, Clone)]
pub struct Minimum {
    /// The point.
    pub point: Vec<f64>,
    /// The function there.
    pub at: Evaluation,
    /// The variables that press against a bound.
    pub held: Vec<bool>,
    /// The largest entry of the gradient over the variables that are not held.
    pub gradient_norm: f64,
    /// How often the function was evaluated.
    pub evaluations: u32,
    /// Whether the method stopped because it could not get lower (as against running out of steps, or meeting values
    /// that are not numbers at the start).
    pub settled: bool,
}

/// The gradient at which the search stops. Functions here are means over customers of terms of order one, whose
/// gradient is known to about 1e-15.
const GRADIENT_TOLERANCE: f64 = 1e-12;

/// Predicted gains below this share of the value drown in rounding.
const ROUNDING: f64 = 1e-15;

/// A fit needs 10 to 30 steps; walking to a far bound at [`LARGEST_RADIUS`] a step some more.
const MOST_STEPS: u32 = 150;

const FIRST_RADIUS: f64 = 1.0;

/// Variables are logarithms and logits: a step of 3 changes a parameter twentyfold, which is far enough to trust.
const LARGEST_RADIUS: f64 = 3.0;

/// Minimises `f` from `start` within `bounds` (lower, upper of each variable).
///
/// `f` may return values that are not finite: such points are never accepted. Its errors end the search.
pub fn minimise(
    mut f: impl FnMut(&[f64]) -> Result<Evaluation>,
    start: &[f64],
    bounds: &[(f64, f64)],
) -> Result<Minimum> {
    let mut x: Vec<f64> = start.iter().zip(bounds).map(|(&x, &(low, high))| x.clamp(low, high)).collect();
    let mut at = f(&x)?;
    let mut evaluations = 1;
    let mut radius = FIRST_RADIUS;
    let mut settled = false;
    if at.is_finite() {
        for _ in 0..MOST_STEPS {
            let free = free_variables(&x, &at.gradient, bounds);
            if norm_over(&at.gradient, &free) <= GRADIENT_TOLERANCE {
                settled = true;
                break;
            }
            let step = bounded_step(&x, &at, &free, radius, bounds);
            let length = dot(&step, &step).sqrt();
            let predicted = -dot(&step, &at.gradient) - 0.5 * at.hessian.quadratic(&step);
            if length < 1e-14 || radius < 1e-13 {
                settled = true;
                break;
            }
            if predicted <= 0.0 {
                // Cutting the step at a bound turned it uphill: a shorter one is cut less.
                radius = 0.25 * length.min(radius);
                continue;
            }
            let trial: Vec<f64> = (x.iter().zip(&step).zip(bounds))
                .map(|((&x, &s), &(low, high))| (x + s).clamp(low, high))
                .collect();
            let there = f(&trial)?;
            evaluations += 1;
            let gain = at.value - there.value;
            let drowned = predicted <= ROUNDING * at.value.abs().max(1.0);
            let better = there.is_finite()
                && if drowned {
                    // Values no longer tell: the gradient does.
                    let free = free_variables(&trial, &there.gradient, bounds);
                    norm_over(&there.gradient, &free) < norm_over(&at.gradient, &free)
                } else {
                    gain > 1e-4 * predicted
                };
            if !better {
                if drowned {
                    settled = true;
                    break;
                }
                radius = 0.25 * length;
                continue;
            }
            if gain > 0.75 * predicted && length > 0.8 * radius {
                radius = (2.0 * radius).min(LARGEST_RADIUS);
            } else if gain < 0.25 * predicted && !drowned {
                radius = 0.5 * length;
            }
            x = trial;
            at = there;
        }
    }
    let free = free_variables(&x, &at.gradient, bounds);
    let held = (0..x.len()).map(|i| !free.contains(&i)).collect();
    let gradient_norm = norm_over(&at.gradient, &free);
    Ok(Minimum { point: x, at, held, gradient_norm, evaluations, settled })
}

/// The variables that are not pressed against a bound.
fn free_variables(x: &[f64], gradient: &[f64], bounds: &[(f64, f64)]) -> Vec<usize> {
    (0..x.len())
        .filter(|&i| {
            !(x[i] <= bounds[i].0 && gradient[i] >= 0.0 || x[i] >= bounds[i].1 && gradient[i] <= 0.0)
        })
        .collect()
}

fn norm_over(gradient: &[f64], free: &[usize]) -> f64 {
    free.iter().fold(0.0, |max, &i| gradient[i].abs().max(max))
}

/// The trust-region step over the free variables, cut at the bounds.
fn bounded_step(x: &[f64], at: &Evaluation, free: &[usize], radius: f64, bounds: &[(f64, f64)]) -> Vec<f64> {
    let gradient: Vec<f64> = free.iter().map(|&i| at.gradient[i]).collect();
    let inner = trust_region_step(&gradient, &at.hessian.restricted(free), radius);
    let mut step = vec![0.0; x.len()];
    for (&i, s) in free.iter().zip(inner) {
        step[i] = (x[i] + s).clamp(bounds[i].0, bounds[i].1) - x[i];
    }
    step
}

/// Minimises g·s + ½ s·H·s over |s| ≤ radius.
fn trust_region_step(gradient: &[f64], hessian: &Matrix, radius: f64) -> Vec<f64> {
    let n = gradient.len();
    let (values, vectors) = hessian.eigen();
    let along: Vec<f64> = (0..n).map(|k| dot(vectors.row(k), gradient)).collect();
    let step = |shift: f64| -> Vec<f64> {
        let mut s = vec![0.0; n];
        for k in 0..n {
            let length = along[k] / (values[k] + shift);
            for (s, v) in s.iter_mut().zip(vectors.row(k)) {
                *s -= length * v;
            }
        }
        s
    };
    let norm = |s: &[f64]| dot(s, s).sqrt();
    let scale = values.iter().fold(0.0f64, |max, v| max.max(v.abs())).max(f64::MIN_POSITIVE);
    if values[0] > 0.0 {
        let newton = step(0.0);
        if norm(&newton) <= radius {
            return newton;
        }
    }
    // The shift lies between the pole and where even the whole gradient along one direction fits the radius.
    let mut low = (-values[0]).max(0.0);
    let mut high = low + norm(gradient) / radius + scale * 1e-12;
    let least = low + scale * 1e-14;
    if values[0] <= 0.0 && norm(&step(least)) < radius {
        // The hard case: the gradient has nothing along the lowest direction, so any length along it is as good.
        let mut s = step(least);
        let rest = (radius * radius - dot(&s, &s)).max(0.0).sqrt();
        let sign = if along[0] > 0.0 { -1.0 } else { 1.0 };
        for (s, v) in s.iter_mut().zip(vectors.row(0)) {
            *s += sign * rest * v;
        }
        return s;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if norm(&step(middle)) > radius {
            low = middle;
        } else {
            high = middle;
        }
        if high - low <= 1e-3 * high {
            break;
        }
    }
    step(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: (f64, f64) = (-1e3, 1e3);

    /// Rosenbrock's function with its derivatives.
    fn rosenbrock(x: &[f64]) -> Result<Evaluation> {
        let (a, b) = (x[0], x[1]);
        let mut hessian = Matrix::zeros(2);
        hessian[(0, 0)] = 2.0 - 400.0 * (b - 3.0 * a * a);
        hessian[(0, 1)] = -400.0 * a;
        hessian[(1, 0)] = -400.0 * a;
        hessian[(1, 1)] = 200.0;
        Ok(Evaluation {
            value: (1.0 - a).powi(2) + 100.0 * (b - a * a).powi(2),
            gradient: vec![-2.0 * (1.0 - a) - 400.0 * a * (b - a * a), 200.0 * (b - a * a)],
            hessian,
        })
    }

    #[test]
    fn rosenbrock_from_everywhere() {
        for start in [[-1.2, 1.0], [10.0, -5.0], [0.0, 0.0], [-30.0, 40.0]] {
            let found = minimise(rosenbrock, &start, &[WIDE, WIDE]).unwrap();
            assert!(found.settled && found.held == [false, false]);
            assert!((found.point[0] - 1.0).abs() < 1e-10, "{start:?} {found:?}");
        }
    }

    #[test]
    fn bounds_hold() {
        let found = minimise(rosenbrock, &[-1.2, 1.0], &[(-2.0, 0.5), WIDE]).unwrap();
        assert_eq!(found.held, [true, false]);
        assert_eq!(found.point[0], 0.5);
        assert!((found.point[1] - 0.25).abs() < 1e-12 && found.settled);
    }

    /// x²y² − … has a saddle at the origin with a zero gradient component along the way down.
    #[test]
    fn saddles_are_left() {
        let f = |x: &[f64]| {
            let mut hessian = Matrix::zeros(2);
            hessian[(0, 0)] = 2.0;
            hessian[(1, 1)] = 12.0 * x[1] * x[1] - 4.0;
            Ok(Evaluation {
                value: x[0] * x[0] + x[1].powi(4) - 2.0 * x[1] * x[1],
                gradient: vec![2.0 * x[0], 4.0 * x[1].powi(3) - 4.0 * x[1]],
                hessian,
            })
        };
        let found = minimise(f, &[0.5, 0.0], &[WIDE, WIDE]).unwrap();
        assert!((found.point[1].abs() - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.at.value + 1.0).abs() < 1e-12);
    }

    #[test]
    fn points_that_are_not_numbers_are_never_accepted() {
        // −ln x + x, undefined left of 0.
        let f = |x: &[f64]| {
            let mut hessian = Matrix::zeros(1);
            hessian[(0, 0)] = 1.0 / (x[0] * x[0]);
            Ok(Evaluation { value: x[0] - x[0].ln(), gradient: vec![1.0 - 1.0 / x[0]], hessian })
        };
        let found = minimise(f, &[9.0], &[(-5.0, 50.0)]).unwrap();
        assert!((found.point[0] - 1.0).abs() < 1e-12, "{found:?}");
        assert!(!minimise(f, &[-1.0], &[(-5.0, 50.0)]).unwrap().settled);
    }
}
