//! How well the data determine a model's parameters: the Laplace approximation on the scale-free scale.
//!
//! The parameters' distribution is taken as normal around the maximum, with the inverse of the observed information
//! as its covariance. Directions that the data do not determine (parameters at a bound, ridges) have no spread:
//! draws are conditional on them. Where the likelihood falls much faster or slower than the normal says (near a bound,
//! with few customers), each side of each direction gets a spread of its own, so that two standard errors away the
//! likelihood has fallen by what two standard errors mean (Geweke's split normal, Econometrica 57, 1989).

use super::dense::{Matrix, dot};
use super::model::Parametric;
use crate::random::Stream;

/// Directions with a standard error above this, in natural logarithms, count as not determined: a factor of e^5
/// either way says nothing about a parameter.
pub(super) const LARGEST_STANDARD_ERROR: f64 = 5.0;

/// A normal distribution of parameters on the scale-free scale.
#[derive(Debug, Clone)]
pub struct Uncertainty<P> {
    centre: P,
    theta: Vec<f64>,
    /// F with F·Fᵀ = covariance; column k is eigenvector k over the root of its eigenvalue.
    factor: Matrix,
    determined: usize,
    /// Factors on the spread of direction k below and above the centre, for draws.
    sides: Vec<[f64; 2]>,
}

/// The fall of the log-likelihood two standard errors from the maximum of a normal.
const FALL_AT_TWO: f64 = 2.0;

/// A fall within this range counts as normal enough; the spread then stays what the information says.
const NORMAL_ENOUGH: std::ops::Range<f64> = 1.0..4.0;

/// The spread of a side is never made larger than this: beyond, the likelihood is flat and says nothing.
const WIDEST: f64 = 2.5;

/// Halvings of the bracket for a side's spread: three digits.
const HALVINGS: usize = 12;

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
        let sides = vec![[1.0; 2]; n];
        Uncertainty { centre, theta, factor, determined, sides }
    }

    /// Fits the spread of each side of each direction to `log_likelihood` (at scale-free parameters), whose maximum is
    /// the centre.
    pub(super) fn split(&mut self, log_likelihood: impl Fn(&[f64]) -> f64) {
        let top = log_likelihood(&self.theta);
        for k in 0..self.theta.len() {
            let column: Vec<f64> = (0..self.theta.len()).map(|i| self.factor[(i, k)]).collect();
            if column.iter().all(|&f| f == 0.0) {
                continue;
            }
            for (side, sign) in [(0, -1.0), (1, 1.0)] {
                // The fall at `scale` times two standard errors; what is not a number is out of the question.
                let fall = |scale: f64| {
                    let step = 2.0 * sign * scale;
                    let point: Vec<f64> =
                        self.theta.iter().zip(&column).map(|(theta, f)| theta + step * f).collect();
                    let fall = top - log_likelihood(&point);
                    if fall.is_nan() { f64::INFINITY } else { fall }
                };
                if NORMAL_ENOUGH.contains(&fall(1.0)) {
                    continue;
                }
                let (mut low, mut high) = (0.0, WIDEST);
                for _ in 0..HALVINGS {
                    let middle = 0.5 * (low + high);
                    if fall(middle) > FALL_AT_TWO { high = middle } else { low = middle }
                }
                self.sides[k][side] = 0.5 * (low + high);
            }
        }
    }

    /// The parameters around which the distribution lies.
    pub fn centre(&self) -> &P {
        &self.centre
    }

    /// Whether the data determine every direction.
    pub fn is_complete(&self) -> bool {
        self.determined == self.theta.len()
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

    /// One draw of the parameters. Takes as many normal numbers from the stream as the model has parameters.
    pub fn draw(&self, stream: &mut Stream) -> P {
        let z: Vec<f64> = self
            .sides
            .iter()
            .map(|sides| {
                let z = stream.normal();
                z * sides[usize::from(z > 0.0)]
            })
            .collect();
        let theta: Vec<f64> =
            self.theta.iter().zip(self.factor.times(&z)).map(|(theta, step)| theta + step).collect();
        self.centre.with_scale_free(&theta)
    }
}

/// Whether an eigenvalue of the information leaves a standard error that says something.
pub(super) fn is_determined(eigenvalue: f64) -> bool {
    eigenvalue * LARGEST_STANDARD_ERROR * LARGEST_STANDARD_ERROR >= 1.0
}
