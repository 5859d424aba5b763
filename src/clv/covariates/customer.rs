//! What a model says about one customer whose parameters are its own.

use crate::calendar::Unit;
use crate::clv::objective::FitsPatterns;
use crate::clv::pattern::Patterns;
use crate::clv::search::Coordinate;

/// A customer's log-likelihood with its derivatives by the logarithms of the four natural parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LogTerms {
    /// The log-likelihood, with all its constants.
    pub value: f64,
    /// Its gradient.
    pub gradient: [f64; 4],
    /// Its Hessian, symmetric.
    pub hessian: [[f64; 4]; 4],
}

/// A customer's log-likelihood at parameters, from (x, t_x, T) in the parameters' unit.
pub type OfCustomer<P> = Box<dyn Fn(&P, u32, f64, f64) -> LogTerms + Send + Sync>;

/// A model of four parameters whose purchase rates and dropout may depend on covariates.
pub trait CovariateModel: FitsPatterns + std::fmt::Debug + Copy + Send + 'static {
    /// The natural parameter that moves with purchases, and the sign with which its logarithm does.
    const PURCHASE: (usize, f64);

    /// The same for dropout.
    const DROPOUT: (usize, f64);

    /// The log-likelihood of one customer.
    fn of_customer() -> OfCustomer<Self::Params>;

    /// The parameters with `purchase` added to the logarithm of the mean purchase rate, and `dropout` to that of
    /// dropout.
    fn shifted(params: &Self::Params, purchase: f64, dropout: f64) -> Self::Params;

    /// Second derivatives of Σ `gradient`ᵢ·ln(natural parameter i) by the scale-free parameters, where they are not 0:
    /// places on the diagonal and values.
    fn bend(params: &Self::Params, gradient: &[f64; 4]) -> Vec<(usize, f64)>;

    /// The ranges of the scale-free parameters, as in the fit without covariates.
    fn ranges(patterns: &Patterns, unit: Unit) -> Vec<Coordinate>;
}

impl LogTerms {
    /// From derivatives by the natural parameters themselves; of the Hessian, the upper triangle counts.
    pub fn from_natural(
        value: f64,
        gradient: [f64; 4],
        hessian: [[f64; 4]; 4],
        natural: [f64; 4],
    ) -> LogTerms {
        let mut out = LogTerms { value, ..LogTerms::default() };
        for i in 0..4 {
            out.gradient[i] = gradient[i] * natural[i];
            for j in i..4 {
                out.hessian[i][j] = hessian[i][j] * natural[i] * natural[j];
                out.hessian[j][i] = out.hessian[i][j];
            }
            out.hessian[i][i] += out.gradient[i];
        }
        out
    }
}
