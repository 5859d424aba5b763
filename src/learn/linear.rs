//! Least squares and logistic regression with a few columns, on some of the customers.

use crate::clv::dense::{Matrix, dot};
use crate::special::logistic;

/// Directions of the columns with less than this share of the largest are taken for none: columns that say the same twice.
const NO_DIRECTION: f64 = 1e-10;

/// Steps of a logistic regression.
const MOST_STEPS: usize = 60;

/// The inverse of XᵀX on the directions that it has.
pub(super) fn inverse(gram: &Matrix) -> Matrix {
    let (values, _) = gram.eigen();
    let largest = values.iter().copied().fold(0.0, f64::max);
    gram.map_eigenvalues(
        |value| if value > NO_DIRECTION * largest && value > 0.0 { 1.0 / value } else { 0.0 },
    )
}

/// Σ weight·x·xᵀ.
pub(super) fn gram<'x>(rows: impl Iterator<Item = (&'x [f64], f64)>, columns: usize) -> Matrix {
    let mut out = Matrix::zeros(columns);
    for (x, weight) in rows {
        for r in 0..columns {
            for c in 0..columns {
                out[(r, c)] += weight * x[r] * x[c];
            }
        }
    }
    out
}

/// A least-squares fit.
pub(super) struct Line {
    pub(super) coefficients: Vec<f64>,
    /// The inverse of XᵀX.
    pub(super) inverse: Matrix,
}

impl Line {
    /// Of `y` on rows `x`.
    pub(super) fn fit(x: &[Vec<f64>], y: &[f64]) -> Line {
        let columns = x.first().map_or(0, Vec::len);
        let inverse = inverse(&gram(x.iter().map(|row| (&row[..], 1.0)), columns));
        let mut xy = vec![0.0; columns];
        for (row, y) in x.iter().zip(y) {
            xy.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * y);
        }
        Line { coefficients: inverse.times(&xy), inverse }
    }

    pub(super) fn at(&self, x: &[f64]) -> f64 {
        dot(&self.coefficients, x)
    }

    /// The variance of the fit at `at`, robust to unequal variances (HC2: MacKinnon and White, "Some
    /// heteroskedasticity-consistent covariance matrix estimators with improved finite sample properties", Journal of
    /// Econometrics 29, 1985).
    pub(super) fn variance(&self, at: &[f64], x: &[Vec<f64>], y: &[f64]) -> f64 {
        let direction = self.inverse.times(at);
        let of_row = |(row, y): (&Vec<f64>, &f64)| {
            let leverage = self.inverse.quadratic(row).min(1.0 - 1e-9);
            let residual = y - self.at(row);
            dot(&direction, row).powi(2) * residual * residual / (1.0 - leverage)
        };
        x.iter().zip(y).map(of_row).sum()
    }
}

/// Coefficients of a logistic regression of `treated` on rows `x`, by Newton's steps.
pub(super) fn logit(x: &[Vec<f64>], treated: &[bool]) -> Vec<f64> {
    let columns = x.first().map_or(0, Vec::len);
    let mut coefficients = vec![0.0; columns];
    let loss = |coefficients: &[f64]| -> f64 {
        let of_row = |(row, treated): (&Vec<f64>, &bool)| {
            let z = dot(coefficients, row);
            crate::special::softplus(if *treated { -z } else { z })
        };
        x.iter().zip(treated).map(of_row).sum()
    };
    let mut now = loss(&coefficients);
    for _ in 0..MOST_STEPS {
        let p: Vec<f64> = x.iter().map(|row| logistic(dot(&coefficients, row))).collect();
        let hessian = gram(x.iter().zip(&p).map(|(row, p)| (&row[..], p * (1.0 - p))), columns);
        let mut gradient = vec![0.0; columns];
        for ((row, treated), p) in x.iter().zip(treated).zip(&p) {
            let residual = f64::from(u8::from(*treated)) - p;
            gradient.iter_mut().zip(row).for_each(|(sum, x)| *sum += residual * x);
        }
        let step = inverse(&hessian).times(&gradient);
        let mut length = 1.0;
        let better = loop {
            let next: Vec<f64> = coefficients.iter().zip(&step).map(|(c, s)| c + length * s).collect();
            let there = loss(&next);
            if there < now {
                break Some((next, there));
            }
            length *= 0.5;
            if length < 1e-8 {
                break None;
            }
        };
        let Some((next, there)) = better else { break };
        let gained = now - there;
        (coefficients, now) = (next, there);
        if gained <= 1e-12 * (1.0 + now) {
            break;
        }
    }
    coefficients
}
