//! The likelihood of NBD on patterns, with its first two derivatives, and the fit.

use super::Nbd;
use crate::calendar::Unit;
use crate::clv::dense::Matrix;
use crate::clv::minimise::Evaluation;
use crate::clv::model::{Fit, FitReport, LogLikelihood, Parametric};
use crate::clv::pattern::Patterns;
use crate::clv::purchase_rates::{
    RateTables, add_curvature, coordinates, ln_mean_rate, ln_shape_by_moments, nothing_to_fit,
};
use crate::clv::search::{self, Search};
use crate::error::Result;
use crate::progress::Progress;

/// NBD before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NbdModel;

impl NbdModel {
    /// Fits by maximum likelihood, with times in `unit`. Deterministic, whatever the number of threads.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`crate::clv::Verdict`].
    pub fn fit(&self, patterns: &Patterns, unit: Unit, progress: &dyn Progress) -> Result<Fit<Nbd>> {
        let customers = patterns.customers() as u64;
        if let Some(verdict) = nothing_to_fit(patterns) {
            let mut report = FitReport::without_data(Nbd::MODEL, Some(unit), customers, verdict);
            report.patterns = patterns.len() as u64;
            return Ok(Fit { report, params: None, uncertainty: None });
        }
        let likelihood = Likelihood::new(patterns, unit);
        let (rate, r) = (ln_mean_rate(patterns, unit), ln_shape_by_moments(patterns));
        let coordinates = coordinates(rate);
        let search = Search {
            customers,
            patterns: patterns.len() as u64,
            starts: vec![vec![rate, r], vec![rate + 0.5, r - 1.0], vec![rate - 0.5, r + 1.0]],
            originals: Vec::new(),
            coordinates: &coordinates,
        };
        let like = Nbd { r: 1.0, alpha: 1.0, unit };
        search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)
    }

    /// The likelihood of `patterns` at any parameters, with times in `unit`.
    pub fn likelihood(&self, patterns: &Patterns, unit: Unit) -> impl LogLikelihood + use<> {
        Likelihood::new(patterns, unit)
    }
}

/// What the likelihood needs of the patterns: sums by x and by T alone.
pub(super) struct Likelihood {
    customers: f64,
    tables: RateTables,
}

impl Likelihood {
    pub(super) fn new(patterns: &Patterns, unit: Unit) -> Likelihood {
        Likelihood { customers: patterns.customers() as f64, tables: RateTables::new(patterns, unit) }
    }
}

impl LogLikelihood for Likelihood {
    fn customers(&self) -> f64 {
        self.customers
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        let params = Nbd { r: 1.0, alpha: 1.0, unit: Unit::Day }.with_scale_free(theta);
        let at = (params.r, params.alpha);
        let (mut value, mut natural, mut hessian) = (0.0, [0.0; 2], Matrix::zeros(2));
        let logs = self.tables.log_times(params.alpha);
        self.tables.add(at, &logs, &mut value, &mut natural, &mut hessian);
        hessian[(1, 0)] = hessian[(0, 1)];
        let jacobian = params.jacobian();
        let mut hessian = hessian.congruent(&jacobian);
        add_curvature(at, &natural, &mut hessian);
        let mut gradient = vec![0.0; 2];
        for j in 0..2 {
            gradient[j] = -(0..2).map(|i| natural[i] * jacobian[(i, j)]).sum::<f64>() / self.customers;
            for i in 0..2 {
                hessian[(i, j)] /= -self.customers;
            }
        }
        Evaluation { value: -value / self.customers, gradient, hessian }
    }
}
