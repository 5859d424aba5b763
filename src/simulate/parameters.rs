//! The models' parameters in each replication: drawn from what the fits leave open, or held at the estimates.

use super::tables::Parameters;
use crate::clv::{BgNbd, Fit, GammaGamma};
use crate::random::{NOBODY, Purpose, Stream};

/// Draws of spend parameters without a finite mean (q ≤ 1) are drawn again, at most this often; the estimate, which
/// has a finite mean, stands in after that.
const REDRAWS: usize = 100;

/// One set of parameters per replication.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterDraws {
    /// By replication.
    pub draws: Vec<Parameters>,
    /// What a reader of the intervals has to know.
    pub warnings: Vec<String>,
}

impl ParameterDraws {
    /// Draws for `replications` replications; `None` when one of the fits cannot be used.
    ///
    /// A fit without a covariance matrix (a boundary) is held at its estimate, and a warning says so.
    pub fn new(
        purchases: &Fit<BgNbd>,
        spend: &Fit<GammaGamma>,
        seed: u64,
        replications: u32,
    ) -> Option<ParameterDraws> {
        let estimate = Parameters { purchases: purchases.params?, spend: spend.params? };
        let mut warnings = Vec::new();
        for (model, known) in [
            (purchases.report.model, purchases.uncertainty.is_some()),
            (spend.report.model, spend.uncertainty.is_some()),
        ] {
            if !known {
                warnings.push(format!(
                    "the parameters of {model} are held at their estimates in the simulation, because the fit gives \
                     no covariance: the intervals are too narrow"
                ));
            }
        }
        let mut redrawn = 0u32;
        let draws = (0..replications)
            .map(|replication| {
                let mut stream = Stream::new(seed, NOBODY, replication, Purpose::Parameters);
                let drawn_purchases =
                    purchases.uncertainty.as_ref().map_or(estimate.purchases, |u| u.draw(&mut stream));
                let drawn_spend = spend.uncertainty.as_ref().and_then(|u| {
                    (0..REDRAWS).map(|_| u.draw(&mut stream)).find(|s| {
                        redrawn += u32::from(s.q <= 1.0);
                        s.q > 1.0
                    })
                });
                Parameters { purchases: drawn_purchases, spend: drawn_spend.unwrap_or(estimate.spend) }
            })
            .collect();
        if redrawn > 0 {
            warnings.push(format!(
                "{redrawn} draws of the spend parameters had no finite mean (q ≤ 1) and were drawn again: spend is \
                 so heavy-tailed that its mean is poorly known"
            ));
        }
        Some(ParameterDraws { draws, warnings })
    }

    /// The estimates in every replication: no uncertainty of parameters.
    pub fn fixed(purchases: BgNbd, spend: GammaGamma, replications: u32) -> ParameterDraws {
        let draws = vec![Parameters { purchases, spend }; replications as usize];
        ParameterDraws { draws, warnings: Vec::new() }
    }
}
