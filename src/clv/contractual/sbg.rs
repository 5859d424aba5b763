//! sBG: the shifted beta-geometric.

use serde::Serialize;

use super::cohorts::Cohorts;
use super::likelihood::{self, Likelihood};
use super::{ContractModel, Discounted, first_whole_after};
use crate::calendar::Unit;
use crate::clv::beta_shape;
use crate::clv::dense::Matrix;
use crate::clv::discrete_survival::{discounted_sum, ln_survival};
use crate::clv::model::{Fit, LogLikelihood, Parametric, Scale};
use crate::clv::search::{self, Search};
use crate::error::Result;
use crate::progress::Progress;
use crate::random::Stream;

/// Parameters of sBG, both positive: customers leave at each renewal with a probability θ ~ beta(gamma, delta).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sbg {
    /// First parameter of the distribution of the probability of leaving (α in the paper of 2007).
    pub gamma: f64,
    /// Second parameter of that distribution (β in the paper of 2007).
    pub delta: f64,
}

/// The scale-free parameters: logit of the mean loss at the first renewal, gamma/(gamma+delta); ln(gamma + delta).
impl Parametric for Sbg {
    const MODEL: &'static str = "sBG";
    const NAMES: &'static [&'static str] = &["gamma", "delta"];

    fn unit(&self) -> Option<Unit> {
        None
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.gamma, self.delta]
    }

    fn scale_free(&self) -> Vec<f64> {
        beta_shape::scale_free(self.gamma, self.delta).to_vec()
    }

    fn with_scale_free(&self, theta: &[f64]) -> Sbg {
        let (gamma, delta) = beta_shape::natural(theta);
        Sbg { gamma, delta }
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(2);
        beta_shape::fill_jacobian(&mut out, 0, self.gamma, self.delta);
        out
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Probability, Scale::Shape]
    }
}

impl ContractModel for Sbg {
    fn ln_survival(&self, t: u64) -> f64 {
        ln_survival(self.gamma, self.delta, t as f64)
    }

    /// r(t) = (delta + t − 1)/(gamma + delta + t − 1).
    fn ln_retention(&self, t: u64) -> f64 {
        if t == 0 { 0.0 } else { -(self.gamma / (self.delta + (t - 1) as f64)).ln_1p() }
    }

    /// ₂F₁(1, delta; gamma + delta; 1/(1 + discount)); without a discount infinite if gamma ≤ 1.
    fn del(&self, discount: f64) -> Discounted {
        let value = 1.0 + discounted_sum(self.gamma, self.delta, discount, None);
        Discounted { value, tail_bound: 0.0 }
    }

    /// r(n)·₂F₁(1, delta + n; gamma + delta + n; 1/(1 + discount)) with n = renewed + 1.
    fn derl(&self, renewed: u32, discount: f64) -> Discounted {
        // The sum of the model of those who have renewed discounts the next payment as well.
        let later = discounted_sum(self.gamma, self.delta + f64::from(renewed), discount, None);
        Discounted { value: (1.0 + discount) * later, tail_bound: 0.0 }
    }

    fn draw_lifetime(&self, stream: &mut Stream, renewed: u32) -> u64 {
        let theta = stream.beta(self.gamma, self.delta + f64::from(renewed));
        first_whole_after(stream.uniform().ln() / (-theta).ln_1p()).saturating_add(u64::from(renewed))
    }
}

/// sBG before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SbgModel;

impl SbgModel {
    /// Fits by maximum likelihood to all cohorts at once; those who are left at a cohort's last period are censored
    /// there. The report's `patterns` are the renewals observed. Deterministic.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`crate::clv::Verdict`].
    pub fn fit(&self, cohorts: &Cohorts, progress: &dyn Progress) -> Result<Fit<Sbg>> {
        let likelihood = Likelihood::new(cohorts);
        if let Some(verdict) = likelihood.nothing_to_fit(2) {
            return Ok(likelihood.without_fit(Sbg::MODEL, verdict));
        }
        let loss = likelihood.first_loss();
        let search = Search {
            customers: likelihood.customers(),
            patterns: likelihood.renewals(),
            starts: [0.7, -0.5, 2.5].map(|size| vec![loss, size]).to_vec(),
            originals: Vec::new(),
            coordinates: &likelihood::beta_coordinates(),
        };
        let like = Sbg { gamma: 1.0, delta: 1.0 };
        let mut fit = search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)?;
        fit.report.set_aside = likelihood.set_aside();
        Ok(fit)
    }

    /// The likelihood at any parameters, over the customers whom the fit would use.
    pub fn likelihood(&self, cohorts: &Cohorts) -> impl LogLikelihood + use<> {
        Likelihood::new(cohorts)
    }
}
