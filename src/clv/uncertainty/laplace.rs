//! The Laplace approximation on the scale-free scale: the observed information at the maximum.
//!
//! The parameters' distribution is taken as normal around the maximum, with the inverse of the observed information
//! as its covariance. Directions that the data do not determine (parameters at a bound, ridges) have no spread:
//! what follows is conditional on them.

use crate::clv::dense::{Matrix, dot};
use crate::clv::model::Parametric;

/// Directions with a standard error above this, in natural logarithms, count as not determined: a factor of e^5
/// either way says nothing about a parameter.
const LARGEST_STANDARD_ERROR: f64 = 5.0;

/// A normal distribution of parameters on the scale-free scale.
#[derive(Debug, Clone)]
pub struct Uncertainty<P> {
    centre: P,
    theta: Vec<f64>,
    /// F with F·Fᵀ = covariance; column k is eigenvector k over the root of its eigenvalue.
    factor: Matrix,
    determined: usize,
    /// Other maxima that searches ended in, on the scale-free scale.
    rivals: Vec<Vec<f64>>,
}

impl<P: Parametric> Uncertainty<P> {
    /// From the observed information (minus the Hessian of the log-likelihood) at `centre`, on the scale-free scale;
    /// `held` marks parameters at a bound.
    pub fn new(centre: P, information: &Matrix, held: &[bool]) -> Uncertainty<P> {
        let n = information.dim();
        let free: Vec<usize> = (0..n).filter(|&i| !held[i]).collect();
        let (values, vectors) = information.restricted(&free).eigen();
        let mut factor = Matrix::zeros(n);
        let mut determined = 0;
        for (k, &value) in values.iter().enumerate() {
            if is_determined(value) {
                determined += 1;
                for (c, &i) in free.iter().enumerate() {
                    factor[(i, k)] = vectors[(k, c)] / value.sqrt();
                }
            }
        }
        let theta = centre.scale_free();
        Uncertainty { centre, theta, factor, determined, rivals: Vec::new() }
    }

    /// The same, knowing that searches also ended at `rivals` (scale-free), hardly less likely.
    pub(in crate::clv) fn beside(self, rivals: Vec<Vec<f64>>) -> Uncertainty<P> {
        Uncertainty { rivals, ..self }
    }

    /// Other maxima that searches ended in.
    pub(in crate::clv) fn rivals(&self) -> &[Vec<f64>] {
        &self.rivals
    }

    /// How many standard errors a point is from the centre, along directions that are determined.
    pub(super) fn distance(&self, theta: &[f64]) -> f64 {
        let n = self.theta.len();
        let along = |k: usize| {
            let column: Vec<f64> = (0..n).map(|i| self.factor[(i, k)]).collect();
            let length = dot(&column, &column);
            let offset: f64 = (0..n).map(|i| column[i] * (theta[i] - self.theta[i])).sum();
            if length > 0.0 { offset / length } else { 0.0 }
        };
        (0..n).map(|k| along(k).powi(2)).sum::<f64>().sqrt()
    }

    /// ln of the volume of one standard error: half the logarithm of the covariance's determinant, over determined
    /// directions.
    pub(super) fn ln_volume(&self) -> f64 {
        let n = self.theta.len();
        let square = |k: usize| (0..n).map(|i| self.factor[(i, k)].powi(2)).sum::<f64>();
        (0..n).map(square).filter(|&square| square > 0.0).map(|square| 0.5 * square.ln()).sum()
    }

    /// The parameters around which the distribution lies.
    pub fn centre(&self) -> &P {
        &self.centre
    }

    /// Whether the data determine every direction.
    pub fn is_complete(&self) -> bool {
        self.determined == self.theta.len()
    }

    /// How many directions the data determine.
    pub(super) fn determined(&self) -> usize {
        self.determined
    }

    /// The centre on the scale-free scale.
    pub(super) fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// F with F·Fᵀ = covariance; columns of directions that are not determined are 0.
    pub(super) fn factor(&self) -> &Matrix {
        &self.factor
    }

    /// The covariance of the scale-free parameters.
    pub fn covariance(&self) -> Matrix {
        let n = self.theta.len();
        let mut out = Matrix::zeros(n);
        for i in 0..n {
            for j in 0..n {
                out[(i, j)] = dot(self.factor.row(i), self.factor.row(j));
            }
        }
        out
    }

    /// Standard errors of the natural parameters by the delta method; none when some direction is not determined.
    pub fn standard_errors(&self) -> Option<Vec<f64>> {
        let jacobian = self.centre.jacobian();
        let covariance = self.covariance();
        self.is_complete()
            .then(|| (0..self.theta.len()).map(|i| covariance.quadratic(jacobian.row(i)).sqrt()).collect())
    }

    /// The variance of a quantity whose derivatives by the scale-free parameters are `gradient` (delta method).
    pub fn variance(&self, gradient: &[f64]) -> f64 {
        // |Fᵀ·g|², which cannot be negative.
        let n = self.theta.len();
        (0..n).map(|k| (0..n).map(|i| self.factor[(i, k)] * gradient[i]).sum::<f64>().powi(2)).sum()
    }
}

/// Whether an eigenvalue of the information leaves a standard error that says something.
pub(in crate::clv) fn is_determined(eigenvalue: f64) -> bool {
    eigenvalue * LARGEST_STANDARD_ERROR * LARGEST_STANDARD_ERROR >= 1.0
}
