//! The beta-binomial: BG/BB of customers who never leave. What a fit of BG/BB has to be better than.

use serde::Serialize;

use super::likelihood::{Usable, transaction_coordinates};
use super::{Cell, Opportunities};
use crate::calendar::Unit;
use crate::clv::beta_shape::{self, Derivatives};
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, LogLikelihood, Parametric, Scale};
use crate::clv::search::{self, Search};
use crate::error::Result;
use crate::progress::Progress;
use crate::special::{digamma_delta, ln_gamma, ln_gamma_delta, trigamma_delta};

/// Two parameters need two opportunities.
const FEWEST_OPPORTUNITIES: u32 = 2;

/// Parameters of the beta-binomial, both positive: the transaction probability of a customer is beta(alpha, beta).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BetaBinomial {
    /// First parameter of the distribution of transaction probabilities.
    pub alpha: f64,
    /// Second parameter of the distribution of transaction probabilities.
    pub beta: f64,
}

impl BetaBinomial {
    /// The log-likelihood of one customer with `x` transactions at `n` opportunities: of its sequence, so that it can be
    /// held against that of BG/BB.
    pub fn log_likelihood(&self, x: u32, n: u32) -> f64 {
        let (x, n) = (f64::from(x), f64::from(n));
        ln_gamma_delta(self.alpha, x) + ln_gamma_delta(self.beta, n - x)
            - ln_gamma_delta(self.alpha + self.beta, n)
    }

    /// P(X(n) = x).
    pub fn pmf(&self, x: u32, n: u32) -> f64 {
        if x > n {
            return 0.0;
        }
        let ways = ln_gamma_delta(f64::from(x) + 1.0, f64::from(n - x)) - ln_gamma(f64::from(n - x) + 1.0);
        (ways + self.log_likelihood(x, n)).exp().min(1.0)
    }

    /// E[X(n)]: expected transactions of a new customer at n opportunities.
    pub fn expected(&self, n: u32) -> f64 {
        f64::from(n) * (self.alpha / (self.alpha + self.beta))
    }

    /// Expected transactions at the next `horizon` opportunities given (x, n).
    pub fn conditional_expected(&self, x: u32, n: u32, horizon: u32) -> f64 {
        f64::from(horizon) * ((self.alpha + f64::from(x)) / (self.alpha + self.beta + f64::from(n)))
    }
}

/// The scale-free parameters: logit of the mean alpha/(alpha+beta); ln(alpha + beta).
impl Parametric for BetaBinomial {
    const MODEL: &'static str = "beta-binomial";
    const NAMES: &'static [&'static str] = &["alpha", "beta"];

    fn unit(&self) -> Option<Unit> {
        None
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.alpha, self.beta]
    }

    fn scale_free(&self) -> Vec<f64> {
        beta_shape::scale_free(self.alpha, self.beta).to_vec()
    }

    fn with_scale_free(&self, theta: &[f64]) -> BetaBinomial {
        let (alpha, beta) = beta_shape::natural(theta);
        BetaBinomial { alpha, beta }
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Probability, Scale::Shape]
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(2);
        beta_shape::fill_jacobian(&mut out, 0, self.alpha, self.beta);
        out
    }
}

/// The beta-binomial before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BetaBinomialModel;

impl BetaBinomialModel {
    /// Fits by maximum likelihood; t_x plays no part. Deterministic.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`crate::clv::Verdict`].
    pub fn fit(&self, data: &Opportunities, progress: &dyn Progress) -> Result<Fit<BetaBinomial>> {
        let usable = Usable::new(data);
        if let Some(verdict) = usable.nothing_to_fit(FEWEST_OPPORTUNITIES) {
            return Ok(usable.without_fit(BetaBinomial::MODEL, verdict));
        }
        let counts = counts(usable.cells);
        let rate = usable.rate().clamp(1e-4, 0.99);
        let rate = (rate / (1.0 - rate)).ln();
        let search = Search {
            customers: usable.customers,
            patterns: counts.len() as u64,
            starts: [0.5, 2.0, -0.5].map(|size| vec![rate, size]).to_vec(),
            originals: Vec::new(),
            coordinates: &transaction_coordinates(),
        };
        let like = BetaBinomial { alpha: 1.0, beta: 1.0 };
        let loss = |theta: &[f64]| mean_loss(&counts, theta);
        let mut fit = search::fit(&like, search, loss, progress)?;
        fit.report.set_aside = usable.set_aside();
        Ok(fit)
    }

    /// The likelihood at any parameters, over the customers whom the fit would use.
    pub fn likelihood(&self, data: &Opportunities) -> impl LogLikelihood + use<> {
        Counts(counts(Usable::new(data).cells))
    }
}

/// (x, n, customers).
struct Counts(Vec<(f64, f64, f64)>);

impl LogLikelihood for Counts {
    fn customers(&self) -> f64 {
        self.0.iter().map(|count| count.2).sum()
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        mean_loss(&self.0, theta)
    }
}

/// (x, n, customers): the cells are ordered by n, then x.
fn counts(cells: &[Cell]) -> Vec<(f64, f64, f64)> {
    let mut out: Vec<(f64, f64, f64)> = Vec::new();
    for cell in cells {
        let (x, n) = (f64::from(cell.x), f64::from(cell.n));
        match out.last_mut() {
            Some(last) if (last.0, last.1) == (x, n) => last.2 += cell.customers as f64,
            _ => out.push((x, n, cell.customers as f64)),
        }
    }
    out
}

/// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters.
fn mean_loss(counts: &[(f64, f64, f64)], theta: &[f64]) -> Evaluation {
    let (alpha, beta) = beta_shape::natural(theta);
    let size = alpha + beta;
    let (mut value, mut gradient, mut hessian) = (0.0, vec![0.0; 2], Matrix::zeros(2));
    for &(x, n, customers) in counts {
        value +=
            customers * (ln_gamma_delta(alpha, x) + ln_gamma_delta(beta, n - x) - ln_gamma_delta(size, n));
        let both = digamma_delta(size, n);
        gradient[0] += customers * (digamma_delta(alpha, x) - both);
        gradient[1] += customers * (digamma_delta(beta, n - x) - both);
        let both = customers * trigamma_delta(size, n);
        hessian[(0, 0)] += customers * trigamma_delta(alpha, x) - both;
        hessian[(1, 1)] += customers * trigamma_delta(beta, n - x) - both;
        hessian[(0, 1)] -= both;
        hessian[(1, 0)] -= both;
    }
    let customers = counts.iter().map(|count| count.2).sum();
    Derivatives { value, gradient, hessian }.mean_loss(&[(0, alpha, beta)], customers)
}
