//! A chain of NUTS (crate `nuts-rs`, a dev-dependency) on a model's likelihood, as an independent judge of draws.

use std::collections::HashMap;

use nuts_rs::rand::SeedableRng;
use nuts_rs::rand::rngs::ChaCha8Rng;
use nuts_rs::{Chain, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError, Settings};

use super::super::prior::Normal;
use crate::clv::dense::Matrix;
use crate::clv::model::LogLikelihood;

/// Steps in which the chain finds its step size; they are not kept.
const TUNING: u64 = 200;

/// The likelihood within the range that the flat prior allows, in z, where the parameters are centre + factor·z: near a standard normal, so that steps are long.
struct Density<'a, L> {
    likelihood: &'a L,
    centre: &'a [f64],
    factor: &'a Matrix,
    prior: &'a Normal,
}

impl<L> Density<'_, L> {
    fn theta(&self, z: &[f64]) -> Vec<f64> {
        self.factor.times(z).iter().zip(self.centre).map(|(step, centre)| centre + step).collect()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the likelihood is not a number, or the point is out of the prior's range")]
struct NoNumber;

impl LogpError for NoNumber {
    fn is_recoverable(&self) -> bool {
        true
    }
}

impl<L> HasDims for Density<'_, L> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::from([("unconstrained_parameter".to_string(), self.centre.len() as u64)])
    }
}

impl<L: LogLikelihood> CpuLogpFunc for Density<'_, L> {
    type LogpError = NoNumber;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.centre.len()
    }

    fn logp(&mut self, z: &[f64], gradient: &mut [f64]) -> Result<f64, NoNumber> {
        let theta = self.theta(z);
        if self.prior.ln_density(&theta) != 0.0 {
            return Err(NoNumber);
        }
        let loss = self.likelihood.mean_loss(&theta);
        let n = self.likelihood.customers();
        for (k, slope) in gradient.iter_mut().enumerate() {
            *slope = -n * (0..z.len()).map(|i| self.factor[(i, k)] * loss.gradient[i]).sum::<f64>();
        }
        if loss.value.is_finite() { Ok(-n * loss.value) } else { Err(NoNumber) }
    }

    fn expand_vector<R: nuts_rs::rand::Rng + ?Sized>(
        &mut self,
        _: &mut R,
        z: &[f64],
    ) -> Result<Vec<f64>, CpuMathError> {
        Ok(z.to_vec())
    }
}

/// `draws` points of chain number `chain`, on the scale-free scale.
pub(super) fn chain(
    likelihood: &impl LogLikelihood,
    centre: &[f64],
    factor: &Matrix,
    prior: &Normal,
    chain: u64,
    draws: u64,
) -> Vec<Vec<f64>> {
    let settings = DiagNutsSettings { num_tune: TUNING, num_draws: draws, ..DiagNutsSettings::default() };
    let density = || Density { likelihood, centre, factor, prior };
    let mut rng = ChaCha8Rng::seed_from_u64(100 + chain);
    let mut sampler = settings.new_chain(chain, CpuMath::new(density()), &mut rng).unwrap();
    sampler.set_position(&vec![0.0; centre.len()]).unwrap();
    (0..TUNING + draws).map(|_| density().theta(&sampler.draw().unwrap().0)).skip(TUNING as usize).collect()
}
