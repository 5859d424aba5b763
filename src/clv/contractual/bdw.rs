//! BdW: the beta-discrete-Weibull.

mod sum;

use serde::Serialize;

use super::cohorts::Cohorts;
use super::likelihood::{self, Likelihood, step_of_power};
use super::{ContractModel, Discounted, first_whole_after};
use crate::calendar::Unit;
use crate::clv::beta_shape;
use crate::clv::dense::Matrix;
use crate::clv::discrete_survival::ln_survival;
use crate::clv::model::{Fit, LogLikelihood, Parametric, Scale};
use crate::clv::search::{self, Search};
use crate::error::Result;
use crate::progress::Progress;
use crate::random::Stream;
use crate::special::ln_gamma_delta;

/// From this t^c on, ln Γ(t^c + …) is its leading terms to the last bit, whatever gamma and delta are within the bounds of
/// model files (1e18): S(t) is a power of t.
const POWER_FROM: f64 = 1e40;

/// Up to this t^c survival is the closed form.
const LARGEST_AGE: f64 = 1e100;

/// Parameters of BdW, all positive: a customer is left after renewal t with probability (1 − θ)^(t^c), where
/// θ ~ beta(gamma, delta) is its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bdw {
    /// First parameter of the distribution of θ.
    pub gamma: f64,
    /// Second parameter of that distribution.
    pub delta: f64,
    /// How a customer's own probability of leaving changes with its age: it rises for c above 1, falls below.
    pub c: f64,
}

impl Bdw {
    /// t^c.
    fn age_at(&self, t: f64) -> f64 {
        t.powf(self.c)
    }

    /// ln S(t) from t^c and ln t. S(t) = B(gamma, delta + t^c)/B(gamma, delta), which for a large t^c is
    /// Γ(gamma + delta)/Γ(delta)·t^(−c·gamma).
    fn ln_survival_at(&self, age: f64, ln_t: f64) -> f64 {
        if age < LARGEST_AGE {
            return ln_survival(self.gamma, self.delta, age);
        }
        (ln_gamma_delta(self.delta, self.gamma) - self.c * self.gamma * ln_t).min(0.0)
    }
}

/// The scale-free parameters: logit of the mean loss at the first renewal, gamma/(gamma+delta); ln(gamma + delta);
/// ln c.
impl Parametric for Bdw {
    const MODEL: &'static str = "BdW";
    const NAMES: &'static [&'static str] = &["gamma", "delta", "c"];

    fn unit(&self) -> Option<Unit> {
        None
    }

    fn natural(&self) -> Vec<f64> {
        vec![self.gamma, self.delta, self.c]
    }

    fn scale_free(&self) -> Vec<f64> {
        let [loss, size] = beta_shape::scale_free(self.gamma, self.delta);
        vec![loss, size, self.c.ln()]
    }

    fn with_scale_free(&self, theta: &[f64]) -> Bdw {
        let (gamma, delta) = beta_shape::natural(&theta[..2]);
        Bdw { gamma, delta, c: theta[2].exp() }
    }

    fn jacobian(&self) -> Matrix {
        let mut out = Matrix::zeros(3);
        beta_shape::fill_jacobian(&mut out, 0, self.gamma, self.delta);
        out[(2, 2)] = self.c;
        out
    }

    fn scales(&self) -> Vec<Scale> {
        vec![Scale::Probability, Scale::Shape, Scale::Shape]
    }
}

impl ContractModel for Bdw {
    /// S(t) = B(gamma, delta + t^c)/B(gamma, delta).
    fn ln_survival(&self, t: u64) -> f64 {
        self.ln_survival_at(self.age_at(t as f64), (t as f64).ln())
    }

    fn ln_retention(&self, t: u64) -> f64 {
        if t == 0 {
            return 0.0;
        }
        let before = self.age_at((t - 1) as f64);
        if before >= POWER_FROM {
            return self.c * self.gamma * (-1.0 / t as f64).ln_1p();
        }
        let step = step_of_power(t as f64, self.c);
        if step >= LARGEST_AGE {
            // The two are far apart: nothing cancels.
            return self.ln_survival(t) - self.ln_survival(t - 1);
        }
        ln_survival(self.gamma, self.delta + before, step)
    }

    /// A sum, to 1e-12 of its value; infinite without a discount where c·gamma ≤ 1.
    fn del(&self, discount: f64) -> Discounted {
        let later = sum::later(self, 0, discount);
        Discounted { value: 1.0 + later.value, ..later }
    }

    /// A sum, as [`Bdw::del`].
    fn derl(&self, renewed: u32, discount: f64) -> Discounted {
        let later = sum::later(self, renewed, discount);
        let forward = 1.0 + discount;
        Discounted { value: forward * later.value, tail_bound: forward * later.tail_bound }
    }

    fn draw_lifetime(&self, stream: &mut Stream, renewed: u32) -> u64 {
        let age = self.age_at(f64::from(renewed));
        let theta = stream.beta(self.gamma, self.delta + age);
        // Given that (1 − θ)^(age) was survived, (1 − θ)^(T^c − age) is uniform.
        let power = age + stream.uniform().ln() / (-theta).ln_1p();
        first_whole_after(power.powf(1.0 / self.c)).max(u64::from(renewed) + 1)
    }
}

/// BdW before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BdwModel;

impl BdwModel {
    /// Fits by maximum likelihood to all cohorts at once; those who are left at a cohort's last period are censored
    /// there. The report's `patterns` are the renewals observed. Deterministic.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`crate::clv::Verdict`].
    pub fn fit(&self, cohorts: &Cohorts, progress: &dyn Progress) -> Result<Fit<Bdw>> {
        let likelihood = Likelihood::new(cohorts);
        if let Some(verdict) = likelihood.nothing_to_fit(3) {
            return Ok(likelihood.without_fit(Bdw::MODEL, verdict));
        }
        let loss = likelihood.first_loss();
        let [mean, size] = likelihood::beta_coordinates();
        let coordinates = [mean, size, likelihood::age_coordinate()];
        let search = Search {
            customers: likelihood.customers(),
            patterns: likelihood.renewals(),
            starts: [(0.7, 0.0), (-0.5, 0.4), (2.5, -0.3), (4.0, 0.2)]
                .map(|(size, c)| vec![loss, size, c])
                .to_vec(),
            originals: Vec::new(),
            coordinates: &coordinates,
        };
        let like = Bdw { gamma: 1.0, delta: 1.0, c: 1.0 };
        let mut fit = search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)?;
        fit.report.set_aside = likelihood.set_aside();
        Ok(fit)
    }

    /// The likelihood at any parameters, over the customers whom the fit would use.
    pub fn likelihood(&self, cohorts: &Cohorts) -> impl LogLikelihood + use<> {
        Likelihood::new(cohorts)
    }
}
