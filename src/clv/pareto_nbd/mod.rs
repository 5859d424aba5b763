//! Pareto/NBD: purchases come at a rate of the customer's own, and the customer leaves, unseen, at a rate of its own.
//!
//! Schmittlein, Morrison and Colombo, "Counting Your Customers: Who Are They and What Will They Do Next?",
//! Management Science 33 (1987); notation of Fader and Hardie, "A Note on Deriving the Pareto/NBD Model and Related
//! Expressions" (2005): purchase rates λ ~ gamma(r, rate alpha), dropout rates μ ~ gamma(s, rate beta), independent.
//! Here is the likelihood and its maximum; what may be predicted from it is not.

mod likelihood;
#[cfg(test)]
mod tests;

pub use likelihood::ParetoNbdModel;

use serde::Serialize;

use super::dense::Matrix;
use super::model::{Parametric, Scale};
use crate::calendar::Unit;
use crate::special::ln_gamma_delta;

/// Parameters of Pareto/NBD, all positive. Times in its methods are in `unit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ParetoNbd {
    /// Shape of the distribution of purchase rates.
    pub r: f64,
    /// Rate of the distribution of purchase rates, in `unit`.
    pub alpha: f64,
    /// Shape of the distribution of dropout rates.
    pub s: f64,
    /// Rate of the distribution of dropout rates, in `unit`.
    pub beta: f64,
    /// The unit of time.
    pub unit: Unit,
}

impl ParetoNbd {
    /// The log-likelihood of one customer with `x` repeat purchases, the last at `t_x`, seen up to `t`, with all its
    /// constants. Relative error about 1e-12.
    pub fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64 {
        let rule = super::quadrature::Rule::new();
        ln_gamma_delta(self.r, f64::from(x)) + likelihood::of_times(self, f64::from(x), t_x, t, &rule).value
    }
}

/// The scale-free parameters: ln(r/alpha), the mean purchase rate; ln r; ln(s/beta), the mean dropout rate; ln s.
impl Parametric for ParetoNbd {
    const MODEL: &'static str = "Pareto/NBD";
    const NAMES: &'static [&'static str] = &["r", "alpha", "s", "beta"];

    fn unit(&self) -> Option<Unit> {
        Some(self.unit)
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.r, self.alpha, self.s, self.beta]
    }

    fn scale_free(&self) -> Vec<f64> {
        vec![(self.r / self.alpha).ln(), self.r.ln(), (self.s / self.beta).ln(), self.s.ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> ParetoNbd {
        ParetoNbd {
            r: theta[1].exp(),
            alpha: (theta[1] - theta[0]).exp(),
            s: theta[3].exp(),
            beta: (theta[3] - theta[2]).exp(),
            unit: self.unit,
        }
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(4);
        for (i, shape, rate) in [(0, self.r, self.alpha), (2, self.s, self.beta)] {
            out[(i, i + 1)] = shape;
            out[(i + 1, i)] = -rate;
            out[(i + 1, i + 1)] = rate;
        }
        out
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Rate, Scale::Shape, Scale::Rate, Scale::Shape]
    }
}
