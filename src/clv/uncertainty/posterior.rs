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

/// Another maximum with less than this share of the best one's probability does not matter to an interval.
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
        let (uncertainty, rivals) = self.maxima(estimate, uncertainty, likelihood, &prior, progress)?;
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

    /// The maximum of likelihood × prior that most of the probability is around, and how many others hold a share of it that
    /// proposals around that one do not reach.
    fn maxima(
        &self,
        estimate: &P,
        of_likelihood: &Uncertainty<P>,
        likelihood: &impl LogLikelihood,
        prior: &Normal,
        progress: &dyn Progress,
    ) -> Result<(Uncertainty<P>, u32)> {
        let main = match prior.is_flat() {
            true => of_likelihood.clone(),
            false => maximum(estimate, &estimate.scale_free(), likelihood, prior, progress)?.0,
        };
        let mut all = vec![main];
        for start in of_likelihood.rivals() {
            let (rival, settled) = maximum(estimate, start, likelihood, prior, progress)?;
            if settled && all.iter().all(|known| known.distance(rival.theta()) > OUT_OF_REACH) {
                all.push(rival);
            }
        }
        let density: Vec<f64> = (all.iter())
            .map(|at| prior.ln_density(at.theta()) + likelihood.log_likelihood(at.theta()))
            .collect();
        // With a direction more or less that is not determined, volumes do not compare, and densities have to do.
        let ln_share = |a: usize, b: usize| match all[a].determined() == all[b].determined() {
            true => density[a] + all[a].ln_volume() - density[b] - all[b].ln_volume(),
            false => density[a] - density[b],
        };
        let best = (1..all.len()).fold(0, |best, at| if ln_share(at, best) > 0.0 { at } else { best });
        let counts = |&at: &usize| {
            let is_apart = all[best].distance(all[at].theta()) > OUT_OF_REACH;
            at != best && is_apart && ln_share(at, best).exp() > NEGLIGIBLE_SHARE
        };
        let rivals = (0..all.len()).filter(counts).count() as u32;
        Ok((all.swap_remove(best), rivals))
    }
}

/// The maximum of likelihood × prior with its information, from `start` on, and whether the search came to rest.
fn maximum<P: Parametric>(
    estimate: &P,
    start: &[f64],
    likelihood: &impl LogLikelihood,
    prior: &Normal,
    progress: &dyn Progress,
) -> Result<(Uncertainty<P>, bool)> {
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
    let at = Uncertainty::new(estimate.with_scale_free(&found.point), &information, &found.held);
    Ok((at, found.settled))
}
