//! Draws of a model's parameters from likelihood × prior, by importance sampling.
//!
//! Proposals come from a split multivariate t around the maximum; they are weighted by the exact likelihood, the weights
//! are Pareto-smoothed, and equally weighted draws are resampled from them. Where the weights have too heavy a tail, the
//! proposal is fitted to the weighted proposals and everything is drawn again. Proposals are added until they are
//! worth enough independent draws.

use serde::Serialize;

use super::laplace::Uncertainty;
use super::prior::{Normal, Prior};
use super::proposal::Proposal;
use super::smoothing::{Weights, smooth};
use crate::clv::dense::Matrix;
use crate::clv::minimise::minimise;
use crate::clv::model::{Fit, LogLikelihood, Parametric};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream, hash_text};

/// Proposals that are weighted together before it is looked at whether they suffice; fixed, so that nothing depends on
/// threads.
const BATCH: usize = 500;

/// A proposal that has got this many times the draws and is still not worth them is given up.
const MOST_TIMES: usize = 8;

/// How often the proposal is fitted anew.
const ADAPTATIONS: u32 = 3;

/// Draws worth fewer independent ones than this say little about the ends of an interval.
pub const FEWEST_EFFECTIVE: f64 = 100.0;

/// k̂ below this: weights have a variance, and sums over them settle as usual.
const GOOD_K: f64 = 0.5;

/// k̂ above this: no smoothing helps (Vehtari et al. 2024, section 3.2.4; less for small samples, 1 − 1/log₁₀ S).
const LARGEST_K: f64 = 0.7;

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

/// What there is to say about draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PosteriorReport {
    /// The model.
    pub model: &'static str,
    /// The prior.
    pub prior: Prior,
    /// Draws asked for.
    pub draws: u32,
    /// Proposals that they were resampled from.
    pub proposals: u32,
    /// As many independent draws would be worth as much as the weighted proposals.
    pub effective: f64,
    /// The shape k̂ of the weights' tail; none where it cannot be estimated.
    pub k_hat: Option<f64>,
    /// How often the proposal had to be fitted anew.
    pub adaptations: u32,
    /// Directions of the parameters' space that stay fixed: at a bound, or not determined by the data.
    pub fixed: usize,
    /// What the diagnostics amount to.
    pub trust: Trust,
    /// Means and standard deviations of the scale-free parameters, from the weighted proposals.
    pub scale_free: Vec<(f64, f64)>,
    /// The natural parameters.
    pub parameters: Vec<DrawnParameter>,
}

/// A natural parameter's distribution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnParameter {
    /// Its name in the literature.
    pub name: &'static str,
    /// Its median.
    pub median: f64,
    /// Its 2.5 % quantile.
    pub lower: f64,
    /// Its 97.5 % quantile.
    pub upper: f64,
}

/// What the diagnostics of importance weights amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// k̂ below .5.
    Good,
    /// k̂ below .7 (less with few proposals): right, but settling slowly.
    Fair,
    /// Neither, or fewer than [`FEWEST_EFFECTIVE`] effective draws: do not trust the intervals.
    Poor,
}

impl PosteriorReport {
    /// The diagnostics in one line.
    pub fn sentence(&self) -> String {
        let k = self.k_hat.map_or("not determined".to_string(), |k| format!("{k:.2}"));
        let worth = format!("k̂ {k}, {} proposals worth {:.0} draws", self.proposals, self.effective);
        match self.trust {
            Trust::Good => format!("the draws of {} are reliable ({worth})", self.model),
            Trust::Fair => format!("the draws of {} are usable ({worth})", self.model),
            Trust::Poor => format!(
                "do not trust the intervals that rest on {}: the likelihood is too far from any bell ({worth}); give \
                 more customers or a longer history{}",
                self.model,
                if self.prior == Prior::Flat { ", or choose the weak prior" } else { "" }
            ),
        }
    }

    /// What a reader of intervals has to know; empty when all is well.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.fixed > 0 {
            let directions = self.scale_free.len();
            out.push(format!(
                "{}: {} of {directions} directions of its parameters are held fixed in every draw, at a bound or where \
                 the data do not determine them: intervals are too narrow",
                self.model, self.fixed
            ));
        }
        if self.trust == Trust::Poor {
            out.push(self.sentence());
        }
        out
    }
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
            found = maximum(estimate, likelihood, &prior, progress)?;
            &found
        };
        let target = Target { likelihood, prior };
        let fixed = uncertainty.theta().len() - uncertainty.determined();
        let mut proposal = Proposal::new(uncertainty.theta().to_vec(), uncertainty.factor().clone())
            .split(|theta| target.ln_density(theta));
        let mut best: Option<(Sample, u32)> = None;
        for round in 0..=ADAPTATIONS {
            let sample = target.sample::<P>(&proposal, round, options, progress)?;
            let next = sample.proposal();
            if best.as_ref().is_none_or(|(best, _)| sample.is_better_than(best)) {
                best = Some((sample, round));
            }
            match (next, &best) {
                (Some(next), Some((best, _))) if best.wants_better(options.draws) => proposal = next,
                _ => break,
            }
        }
        Ok(best.map(|(sample, round)| sample.posterior(estimate, options, fixed, round)))
    }
}

/// The maximum of likelihood × prior with its information, from the estimate on.
fn maximum<P: Parametric>(
    estimate: &P,
    likelihood: &impl LogLikelihood,
    prior: &Normal,
    progress: &dyn Progress,
) -> Result<Uncertainty<P>> {
    let customers = likelihood.customers();
    let start = estimate.scale_free();
    let loss = |theta: &[f64]| {
        progress.check()?;
        let mut loss = likelihood.mean_loss(theta);
        prior.add_to(&mut loss, theta, customers);
        Ok(loss)
    };
    let found = minimise(loss, &start, &prior.bounds())?;
    let mut information = found.at.hessian;
    for i in 0..start.len() {
        for j in 0..start.len() {
            information[(i, j)] *= customers;
        }
    }
    Ok(Uncertainty::new(estimate.with_scale_free(&found.point), &information, &found.held))
}

/// What is drawn from.
struct Target<'a, L> {
    likelihood: &'a L,
    prior: Normal,
}

/// Weighted proposals.
struct Sample {
    points: Vec<Vec<f64>>,
    weights: Weights,
}

impl<L: LogLikelihood> Target<'_, L> {
    fn ln_density(&self, theta: &[f64]) -> f64 {
        let prior = self.prior.ln_density(theta);
        // Out of range nothing has to be evaluated.
        if prior == f64::NEG_INFINITY { prior } else { prior + self.likelihood.log_likelihood(theta) }
    }

    /// Proposals until they are worth as many independent draws as are asked for.
    fn sample<P: Parametric>(
        &self,
        proposal: &Proposal,
        round: u32,
        options: &PosteriorOptions,
        progress: &dyn Progress,
    ) -> Result<Sample> {
        // Each model has streams of its own: two models' draws are independent.
        let address = hash_text(P::MODEL.as_bytes());
        let most = (MOST_TIMES * options.draws as usize).max(4 * BATCH);
        let (mut points, mut ln_weights) = (Vec::new(), Vec::new());
        loop {
            progress.check()?;
            let first = points.len();
            let batch = parallel::map(BATCH, |i| {
                // Rounds use numbers that no other round reaches.
                let number = (first + i) as u32 | round << 28;
                let mut stream = Stream::new(options.seed, address, number, Purpose::Parameters);
                let (theta, ln_density) = proposal.draw(&mut stream);
                let ln_weight = self.ln_density(&theta) - ln_density;
                (theta, ln_weight)
            });
            for (theta, ln_weight) in batch {
                points.push(theta);
                ln_weights.push(ln_weight);
            }
            let weights = smooth(&ln_weights);
            // A tail like this does not get better by more proposals, but by other ones.
            let hopeless = weights.k_hat > 1.0 && points.len() >= 2 * BATCH;
            if weights.effective >= f64::from(options.draws) || points.len() >= most || hopeless {
                return Ok(Sample { points, weights });
            }
        }
    }
}

impl Sample {
    /// k̂ above which the weights are not to be trusted.
    fn largest_k(&self) -> f64 {
        LARGEST_K.min(1.0 - 1.0 / (self.points.len() as f64).log10())
    }

    fn trust(&self) -> Trust {
        let Weights { k_hat, effective, .. } = self.weights;
        if k_hat >= self.largest_k() || k_hat.is_nan() || effective < FEWEST_EFFECTIVE {
            Trust::Poor
        } else if k_hat < GOOD_K {
            Trust::Good
        } else {
            Trust::Fair
        }
    }

    fn is_better_than(&self, other: &Sample) -> bool {
        let worth = |sample: &Sample| sample.weights.effective / sample.points.len() as f64;
        match (self.trust(), other.trust()) {
            (Trust::Poor, Trust::Poor) => self.weights.k_hat < other.weights.k_hat,
            (Trust::Poor, _) => false,
            (_, Trust::Poor) => true,
            _ => worth(self) > worth(other),
        }
    }

    fn wants_better(&self, draws: u32) -> bool {
        self.trust() != Trust::Good || self.weights.effective < f64::from(draws)
    }

    /// Mean of the points.
    fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.points[0].len()];
        for (point, w) in self.points.iter().zip(&self.weights.normalised) {
            // A proposal without weight may lie where no number is.
            if *w > 0.0 {
                mean.iter_mut().zip(point).for_each(|(mean, theta)| *mean += w * theta);
            }
        }
        mean
    }

    fn covariance(&self, mean: &[f64]) -> Matrix {
        let n = mean.len();
        let mut out = Matrix::zeros(n);
        for (point, w) in self.points.iter().zip(&self.weights.normalised) {
            if *w > 0.0 {
                for i in 0..n {
                    for j in 0..n {
                        out[(i, j)] += w * (point[i] - mean[i]) * (point[j] - mean[j]);
                    }
                }
            }
        }
        out
    }

    /// A proposal with the mean and covariance of this sample; none when it has no spread to speak of.
    fn proposal(&self) -> Option<Proposal> {
        let mean = self.mean();
        let (values, vectors) = self.covariance(&mean).eigen();
        let largest = values.last().copied().filter(|v| v.is_finite() && *v > 0.0)?;
        let n = mean.len();
        let mut factor = Matrix::zeros(n);
        for (k, value) in values.iter().enumerate() {
            // Directions that stay fixed have no spread but rounding.
            if *value > 1e-18 * largest {
                for i in 0..n {
                    factor[(i, k)] = vectors[(k, i)] * value.sqrt();
                }
            }
        }
        Some(Proposal::new(mean, factor))
    }

    /// Which proposal each draw is: systematic resampling (one uniform number places an evenly spaced comb on the
    /// cumulated weights), then shuffled, so that any part of the draws is a sample as well.
    fn resampled(&self, draws: u32, stream: &mut Stream) -> Vec<usize> {
        let mut out = Vec::with_capacity(draws as usize);
        let step = 1.0 / f64::from(draws);
        let offset = stream.uniform();
        let last = self.weights.normalised.iter().rposition(|&w| w > 0.0).unwrap_or(0);
        let (mut i, mut cumulated) = (0, self.weights.normalised[0]);
        for draw in 0..draws {
            let at = (f64::from(draw) + offset) * step;
            while cumulated < at && i < last {
                i += 1;
                cumulated += self.weights.normalised[i];
            }
            out.push(i);
        }
        for i in (1..out.len()).rev() {
            let j = (stream.uniform() * (i + 1) as f64) as usize;
            out.swap(i, j.min(i));
        }
        out
    }

    fn posterior<P: Parametric>(
        self,
        estimate: &P,
        options: &PosteriorOptions,
        fixed: usize,
        adaptations: u32,
    ) -> Posterior<P> {
        let address = hash_text(P::MODEL.as_bytes());
        // The number after those of all rounds of proposals.
        let mut stream = Stream::new(options.seed, address, u32::MAX, Purpose::Parameters);
        let draws = self.resampled(options.draws.max(1), &mut stream);
        let draws = draws.into_iter().map(|i| estimate.with_scale_free(&self.points[i])).collect();
        let mean = self.mean();
        let covariance = self.covariance(&mean);
        let natural: Vec<Vec<f64>> =
            self.points.iter().map(|theta| estimate.with_scale_free(theta).natural()).collect();
        let quantiles = |i: usize| {
            let mut order: Vec<usize> = (0..natural.len()).collect();
            order.sort_by(|&a, &b| natural[a][i].total_cmp(&natural[b][i]));
            [0.025, 0.5, 0.975].map(|p| {
                let mut cumulated = 0.0;
                let at = order.iter().position(|&o| {
                    cumulated += self.weights.normalised[o];
                    cumulated >= p
                });
                natural[order[at.unwrap_or(order.len() - 1)]][i]
            })
        };
        let parameters = (P::NAMES.iter().enumerate())
            .map(|(i, &name)| {
                let [lower, median, upper] = quantiles(i);
                DrawnParameter { name, median, lower, upper }
            })
            .collect();
        let report = PosteriorReport {
            model: P::MODEL,
            prior: options.prior,
            draws: options.draws.max(1),
            proposals: self.points.len() as u32,
            effective: self.weights.effective,
            k_hat: Some(self.weights.k_hat).filter(|k| k.is_finite()),
            adaptations,
            fixed,
            trust: self.trust(),
            scale_free: mean.iter().enumerate().map(|(i, &m)| (m, covariance[(i, i)].sqrt())).collect(),
            parameters,
        };
        Posterior { draws, estimate: estimate.clone(), report }
    }
}
