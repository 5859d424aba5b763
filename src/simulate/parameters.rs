//! The models' parameters in each replication: drawn from what the fits leave open, or held at the estimates.

use super::tables::Parameters;
use crate::clv::{BgNbd, Fit, GammaGamma, Uncertainty};
use crate::random::{NOBODY, Purpose, Stream};

/// Draws of spend parameters without a finite mean (q ≤ 1) are drawn again, at most this often; the estimate, which
/// has a finite mean, stands in after that.
const REDRAWS: usize = 100;

/// When more than this share of draws has no finite mean, the interval of the expectation has no upper end to speak of.
const DOUBTFUL_SHARE: f64 = 0.025;

/// One set of parameters per replication.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterDraws {
    /// By replication.
    pub draws: Vec<Parameters>,
    /// Whether spend is so heavy-tailed (q ≤ 2, infinite variance) that means of futures do not settle.
    pub heavy_tails: bool,
    /// Whether the mean of spend is too poorly known for any verdict.
    pub mean_doubtful: bool,
    /// What a reader of the intervals has to know.
    pub warnings: Vec<String>,
}

impl ParameterDraws {
    /// Draws for `replications` replications; `None` when one of the fits cannot be used.
    ///
    /// Directions that a fit leaves undetermined (a boundary, a ridge) are held at the estimate, and a warning says so.
    pub fn new(
        purchases: &Fit<BgNbd>,
        spend: &Fit<GammaGamma>,
        seed: u64,
        replications: u32,
    ) -> Option<ParameterDraws> {
        let estimate = Parameters { purchases: purchases.params?, spend: spend.params? };
        let mut warnings = Vec::new();
        for (model, known) in [
            (purchases.report.model, purchases.uncertainty.as_ref().is_some_and(Uncertainty::is_complete)),
            (spend.report.model, spend.uncertainty.as_ref().is_some_and(Uncertainty::is_complete)),
        ] {
            if !known {
                warnings.push(format!(
                    "parameters of {model} that the data do not determine are held at their estimates in the \
                     simulation: its intervals are too narrow"
                ));
            }
        }
        let heavy_tails = estimate.spend.q <= 2.0;
        if heavy_tails {
            warnings.push(format!(
                "spend is heavy-tailed (q = {:.3}, infinite variance): means over simulated futures do not settle, so \
                 values are means of the expectations instead",
                estimate.spend.q
            ));
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
        let mean_doubtful = f64::from(redrawn) > DOUBTFUL_SHARE * f64::from(replications);
        if redrawn > 0 {
            warnings.push(format!(
                "{redrawn} draws of the spend parameters had no finite mean (q ≤ 1) and were drawn again: the mean of \
                 spend is poorly known{}",
                if mean_doubtful { ", too poorly for a verdict on any strategy" } else { "" }
            ));
        }
        Some(ParameterDraws { draws, heavy_tails, mean_doubtful, warnings })
    }

    /// The estimates in every replication: no uncertainty of parameters.
    pub fn fixed(purchases: BgNbd, spend: GammaGamma, replications: u32) -> ParameterDraws {
        let draws = vec![Parameters { purchases, spend }; replications as usize];
        ParameterDraws { draws, heavy_tails: spend.q <= 2.0, mean_doubtful: false, warnings: Vec::new() }
    }
}
