//! What there is to say about draws: diagnostics, what they amount to, and the parameters' distributions.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::prior::Prior;

/// Draws worth fewer independent ones than this say little about the ends of an interval.
pub const FEWEST_EFFECTIVE: f64 = 100.0;

/// What there is to say about draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PosteriorReport {
    /// The model.
    pub model: Cow<'static, str>,
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
    /// Other maxima with a share of the probability that the draws do not reach: with any, they are not to be trusted.
    #[serde(default)]
    pub rivals: u32,
    /// What the diagnostics amount to.
    pub trust: Trust,
    /// Means and standard deviations of the scale-free parameters, from the weighted proposals.
    pub scale_free: Vec<(f64, f64)>,
    /// The natural parameters.
    pub parameters: Vec<DrawnParameter>,
}

/// A natural parameter's distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawnParameter {
    /// Its name in the literature.
    pub name: Cow<'static, str>,
    /// Its median.
    pub median: f64,
    /// Its 2.5 % quantile.
    pub lower: f64,
    /// Its 97.5 % quantile.
    pub upper: f64,
}

/// What the diagnostics of importance weights amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// k̂ below .5.
    Good,
    /// k̂ below .7 (less with few proposals): right, but settling slowly.
    Fair,
    /// Neither, another maximum out of reach, or fewer than [`FEWEST_EFFECTIVE`] effective draws: do not trust the intervals.
    Poor,
}

impl PosteriorReport {
    /// The diagnostics in one line.
    pub fn sentence(&self) -> String {
        let k = self.k_hat.map_or("not determined".to_string(), |k| format!("{k:.2}"));
        let worth = format!("k̂ {k}, {} proposals worth {:.0} draws", self.proposals, self.effective);
        if self.rivals > 0 {
            return format!(
                "do not trust the intervals that rest on {}: the likelihood has {} far from the draws, with more \
                 than 1 % of the probability; give more customers or a longer history",
                self.model,
                if self.rivals == 1 {
                    "another maximum".into()
                } else {
                    format!("{} other maxima", self.rivals)
                }
            );
        }
        match self.trust {
            Trust::Good => format!("the draws of {} are reliable ({worth})", self.model),
            Trust::Fair => format!("the draws of {} are usable ({worth})", self.model),
            Trust::Poor => format!(
                "do not trust the intervals that rest on {}: the likelihood is too far from any bell ({worth}); give \
                 more customers or a longer history{}",
                self.model,
                if self.prior == Prior::Flat { ", or choose the weak prior (`--prior weak`)" } else { "" }
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
