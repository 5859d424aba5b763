//! Draws of a model's parameters from likelihood × prior, by importance sampling.
//!
//! Proposals come from a split multivariate t around the maximum; they are weighted by the exact likelihood, the weights
//! are Pareto-smoothed, and equally weighted draws are resampled from them. Where the weights have too heavy a tail, the
//! proposal is fitted to the weighted proposals and everything is drawn again. Proposals are added until they are
//! worth enough independent draws, and until it is clear how far they can be trusted.

use serde::Serialize;

use super::laplace::Uncertainty;
use super::prior::{Normal, Prior};
use super::proposal::Proposal;
use super::report::PosteriorReport;
use super::sample::{Sample, Target};
use crate::clv::minimise::minimise;
use crate::clv::model::{Fit, LogLikelihood, Parametric};
use crate::error::Result;
use crate::progress::Progress;

/// How often the proposal is fitted anew.
const ADAPTATIONS: u32 = 3;

/// Another maximum so many standard errors away is not reached by proposals around the first: no weight tells of it.
const OUT_OF_REACH: f64 = 4.0;

/// Another maximum with less than this share of the first's probability does not matter to an interval.
const NEGLIGIBLE_SHARE: f64 = 0.01;

/// What is asked of a posterior.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PosteriorOptions {
    /// What is believed before the data.
    pub prior: Prior,
    /// How many draws, at least 1.
    pub draws: u32,
    /// The seed of every random number.
    pub seed: u64,
}

/// Equally weighted draws of a model's parameters, in an order without meaning.
#[derive(Debug, Clone)]
pub struct Posterior<P> {
    /// The draws.
    pub draws: Vec<P>,
    /// The fit's estimate, which need not be the draws' mean.
    pub estimate: P,
    /// How far they can be trusted.
    pub report: PosteriorReport,
}

impl<P: Parametric> Fit<P> {
    /// Draws the parameters from their likelihood (the same data's as the fit's) times a prior; `None` where the fit is
    /// not usable. Deterministic, whatever the number of threads.
    ///
    /// With the flat prior, directions that the fit could not determine stay at the estimate, and the report says so;
    /// the weak prior leaves none.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only.
    pub fn posterior(
        &self,
        likelihood: &impl LogLikelihood,
        options: &PosteriorOptions,
        progress: &dyn Progress,
    ) -> Result<Option<Posterior<P>>> {
        let (Some(estimate), Some(uncertainty)) = (&self.params, &self.uncertainty) else { return Ok(None) };
        let prior = options.prior.normal(estimate);
        let found;
        let uncertainty = if prior.is_flat() {
            uncertainty
        } else {
            found = maximum(estimate, &estimate.scale_free(), likelihood, &prior, progress)?;
            &found
        };
        let rivals = self.rivals(uncertainty, likelihood, &prior, progress)?;
        let target = Target { likelihood, prior };
        let fixed = uncertainty.theta().len() - uncertainty.determined();
        let mut proposal = Proposal::new(uncertainty.theta().to_vec(), uncertainty.factor().clone())
            .split(|theta| target.ln_density(theta));
        let mut best: Option<(Sample, u32)> = None;
        for round in 0..=ADAPTATIONS {
            let sample = target.sample::<P>(&proposal, (round, round == ADAPTATIONS), options, progress)?;
            let next = sample.proposal();
            if best.as_ref().is_none_or(|(best, _)| sample.is_better_than(best)) {
                best = Some((sample, round));
            }
            match (next, &best) {
                (Some(next), Some((best, _))) if best.wants_better() => proposal = next,
                _ => break,
            }
        }
        Ok(best.map(|(sample, round)| sample.posterior(estimate, options, fixed, (round, rivals))))
    }

    /// How many other maxima hold a share of the probability that proposals around `main` do not reach.
    fn rivals(
        &self,
        main: &Uncertainty<P>,
        likelihood: &impl LogLikelihood,
        prior: &Normal,
        progress: &dyn Progress,
    ) -> Result<u32> {
        let mut known: Vec<Uncertainty<P>> = Vec::new();
        let ln_mass = |at: &Uncertainty<P>| {
            let density = prior.ln_density(at.theta()) + likelihood.log_likelihood(at.theta());
            density + at.ln_volume()
        };
        for start in self.uncertainty.iter().flat_map(|found| found.rivals()) {
            let rival = maximum(main.centre(), start, likelihood, prior, progress)?;
            let is_apart = |other: &Uncertainty<P>| other.distance(rival.theta()) > OUT_OF_REACH;
            let share = (ln_mass(&rival) - ln_mass(main)).exp();
            // With a direction more or less that is not determined, volumes do not compare.
            let counts = share > NEGLIGIBLE_SHARE || rival.determined() != main.determined();
            if counts && is_apart(main) && known.iter().all(is_apart) {
                known.push(rival);
            }
        }
        Ok(known.len() as u32)
    }
}

/// The maximum of likelihood × prior with its information, from `start` on.
fn maximum<P: Parametric>(
    estimate: &P,
    start: &[f64],
    likelihood: &impl LogLikelihood,
    prior: &Normal,
    progress: &dyn Progress,
) -> Result<Uncertainty<P>> {
    let customers = likelihood.customers();
    let loss = |theta: &[f64]| {
        progress.check()?;
        let mut loss = likelihood.mean_loss(theta);
        prior.add_to(&mut loss, theta, customers);
        Ok(loss)
    };
    let found = minimise(loss, start, &prior.bounds())?;
    let mut information = found.at.hessian;
    for i in 0..start.len() {
        for j in 0..start.len() {
            information[(i, j)] *= customers;
        }
    }
    Ok(Uncertainty::new(estimate.with_scale_free(&found.point), &information, &found.held))
}
