//! Beta distributions on the scale-free scale: the logit of the mean a/(a + b) and the logarithm of the size a + b.
//! Derivatives by (a, b) become derivatives by these.

use super::dense::Matrix;
use super::minimise::Evaluation;
use crate::special::logistic;

/// The scale-free parameters of beta(a, b).
pub(super) fn scale_free(a: f64, b: f64) -> [f64; 2] {
    [(a / b).ln(), (a + b).ln()]
}

/// beta(a, b) at scale-free parameters.
pub(super) fn natural(theta: &[f64]) -> (f64, f64) {
    let size = theta[1].exp();
    (size * logistic(theta[0]), size * logistic(-theta[0]))
}

/// Writes the derivatives of (a, b), which are parameters `at` and `at + 1`, into a Jacobian.
pub(super) fn fill_jacobian(jacobian: &mut Matrix, at: usize, a: f64, b: f64) {
    let by_logit = a * b / (a + b);
    jacobian[(at, at)] = by_logit;
    jacobian[(at, at + 1)] = a;
    jacobian[(at + 1, at)] = -by_logit;
    jacobian[(at + 1, at + 1)] = b;
}

/// A log-likelihood with its derivatives: by the shapes of beta distributions, and by what is on the scale-free scale
/// already.
pub(super) struct Derivatives {
    pub value: f64,
    pub gradient: Vec<f64>,
    pub hessian: Matrix,
}

impl Derivatives {
    /// Minus the mean over `customers`, by the scale-free parameters. `betas` holds (index, a, b) of each beta
    /// distribution; all other parameters stay as they are.
    pub(super) fn mean_loss(self, betas: &[(usize, f64, f64)], customers: f64) -> Evaluation {
        let n = self.gradient.len();
        let mut jacobian = Matrix::identity(n);
        for &(at, a, b) in betas {
            fill_jacobian(&mut jacobian, at, a, b);
        }
        let mut hessian = self.hessian.congruent(&jacobian);
        // Second derivatives of (a, b), times the gradient.
        for &(at, a, b) in betas {
            let (by_a, by_b) = (self.gradient[at], self.gradient[at + 1]);
            let by_logit = a * b / (a + b);
            let cross = (by_a - by_b) * by_logit;
            hessian[(at, at)] += cross * ((b - a) / (a + b));
            hessian[(at, at + 1)] += cross;
            hessian[(at + 1, at)] += cross;
            hessian[(at + 1, at + 1)] += by_a * a + by_b * b;
        }
        let gradient = (0..n)
            .map(|j| -(0..n).map(|i| self.gradient[i] * jacobian[(i, j)]).sum::<f64>() / customers)
            .collect();
        for i in 0..n {
            for j in 0..n {
                hessian[(i, j)] /= -customers;
            }
        }
        Evaluation { value: -self.value / customers, gradient, hessian }
    }
}
