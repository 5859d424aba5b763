//! Weighted proposals: how many are enough, what they are worth, and the draws that are taken from them.

use super::posterior::{Posterior, PosteriorOptions};
use super::prior::Normal;
use super::proposal::Proposal;
use super::report::{DrawnParameter, FEWEST_EFFECTIVE, PosteriorReport, Trust};
use super::smoothing::{Weights, smooth, tail_length};
use crate::clv::dense::Matrix;
use crate::clv::model::{LogLikelihood, Parametric};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream, hash_text};

/// Proposals that are weighted together before it is looked at whether they suffice; fixed, so that nothing depends on
/// threads.
const BATCH: usize = 500;

/// A proposal that has got this many times the draws and is still not worth them is given up.
const MOST_TIMES: usize = 8;

/// The largest k̂ that can be trusted depends on the number of proposals, and is [`LARGEST_K`] from 2,154 on. Up to the
/// first batch beyond, nothing is given up, and nothing but what is clearly good is taken.
const FEWEST_TO_JUDGE: usize = 2500;

/// k̂ below this: weights have a variance, and sums over them settle as usual.
const GOOD_K: f64 = 0.5;

/// k̂ above this: no smoothing helps (Vehtari et al. 2024, section 3.2.4; less for small samples, 1 − 1/log₁₀ S).
const LARGEST_K: f64 = 0.7;

/// What is drawn from.
pub(super) struct Target<'a, L> {
    pub likelihood: &'a L,
    pub prior: Normal,
}

/// Weighted proposals.
pub(super) struct Sample {
    pub points: Vec<Vec<f64>>,
    pub weights: Weights,
}

impl<L: LogLikelihood> Target<'_, L> {
    pub(super) fn ln_density(&self, theta: &[f64]) -> f64 {
        let prior = self.prior.ln_density(theta);
        // Out of range nothing has to be evaluated.
        if prior == f64::NEG_INFINITY { prior } else { prior + self.likelihood.log_likelihood(theta) }
    }

    /// Proposals until they are worth as many independent draws as are asked for, and it is clear how far they can be
    /// trusted; the last round's do not end for being hopeless.
    pub(super) fn sample<P: Parametric>(
        &self,
        proposal: &Proposal,
        (round, is_last): (u32, bool),
        options: &PosteriorOptions,
        progress: &dyn Progress,
    ) -> Result<Sample> {
        // Each model has streams of its own: two models' draws are independent.
        let address = hash_text(P::MODEL.as_bytes());
        // Trust must not depend on how few draws are asked for.
        let enough = f64::from(options.draws).max(FEWEST_EFFECTIVE);
        let most = (MOST_TIMES * options.draws as usize).max(FEWEST_TO_JUDGE);
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
            let sample = Sample { weights: smooth(&ln_weights), points };
            // A tail like this does not get better by more proposals, but by other ones.
            let is_hopeless = !is_last && sample.k() > 1.0 && sample.points.len() >= 2 * BATCH;
            let is_enough = sample.weights.effective >= enough && sample.is_settled();
            if is_enough || sample.points.len() >= most || is_hopeless {
                return Ok(sample);
            }
            points = sample.points;
        }
    }
}

impl Sample {
    /// k̂ above which the weights are not to be trusted.
    fn largest_k(&self) -> f64 {
        LARGEST_K.min(1.0 - 1.0 / (self.points.len() as f64).log10())
    }

    /// Whether more proposals would hardly change what the weights amount to: k̂ is clearly good (its standard error is
    /// about (1 + k)/√tail), or there are enough of them to judge.
    fn is_settled(&self) -> bool {
        let (k, n) = (self.weights.k_hat, self.points.len());
        n >= FEWEST_TO_JUDGE || k + 2.0 * (1.0 + k) / (tail_length(n) as f64).sqrt() < GOOD_K
    }

    /// k̂, infinite where it is no number.
    fn k(&self) -> f64 {
        if self.weights.k_hat.is_nan() { f64::INFINITY } else { self.weights.k_hat }
    }

    pub(super) fn trust(&self) -> Trust {
        if self.k() >= self.largest_k() || self.weights.effective < FEWEST_EFFECTIVE {
            Trust::Poor
        } else if self.k() < GOOD_K {
            Trust::Good
        } else {
            Trust::Fair
        }
    }

    pub(super) fn is_better_than(&self, other: &Sample) -> bool {
        match (self.trust(), other.trust()) {
            (Trust::Poor, Trust::Poor) => {
                let (k, other_k) = (self.k(), other.k());
                k < other_k || (k == other_k && self.worth() > other.worth())
            }
            (Trust::Poor, _) => false,
            (_, Trust::Poor) => true,
            _ => self.worth() > other.worth(),
        }
    }

    /// Independent draws that a proposal is worth.
    fn worth(&self) -> f64 {
        self.weights.effective / self.points.len() as f64
    }

    /// Whether another proposal is worth trying. How many draws are asked for does not matter: more draws want more
    /// proposals, not other ones.
    pub(super) fn wants_better(&self) -> bool {
        self.trust() != Trust::Good || self.worth() * (MOST_TIMES as f64) < 1.0
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
    pub(super) fn proposal(&self) -> Option<Proposal> {
        let mean = self.mean();
        let (values, vectors) = self.covariance(&mean).eigen();
        let largest = values.last().copied().filter(|v| v.is_finite() && *v > 0.0)?;
        let n = mean.len();
        let mut factor = Matrix::zeros(n);
        for (k, value) in values.iter().enumerate() {
            // Directions that stay fixed have no spread but rounding.
            if *value > 1e-12 * largest {
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

    pub(super) fn posterior<P: Parametric>(
        self,
        estimate: &P,
        options: &PosteriorOptions,
        fixed: usize,
        (adaptations, rivals): (u32, u32),
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
                DrawnParameter { name: name.into(), median, lower, upper }
            })
            .collect();
        let report = PosteriorReport {
            model: P::MODEL.into(),
            prior: options.prior,
            draws: options.draws.max(1),
            proposals: self.points.len() as u32,
            effective: self.weights.effective,
            k_hat: Some(self.weights.k_hat).filter(|k| k.is_finite()),
            adaptations,
            fixed,
            rivals,
            trust: if rivals > 0 { Trust::Poor } else { self.trust() },
            scale_free: mean.iter().enumerate().map(|(i, &m)| (m, covariance[(i, i)].sqrt())).collect(),
            parameters,
        };
        Posterior { draws, estimate: estimate.clone(), report }
    }
}
