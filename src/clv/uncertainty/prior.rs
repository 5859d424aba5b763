//! What is believed of a model's parameters before the data: nothing, or very little.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clv::minimise::Evaluation;
use crate::clv::model::{Parametric, Scale};
use crate::error::{Error, Result};

/// A prior on the scale-free parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// Flat on the scale-free scale, within the range that fits search (shapes from 1e-6 to 1e6, logits to ±16, means
    /// within e^25 of the estimate): draws follow the likelihood. Directions that the fit holds at a bound or finds
    /// undetermined stay fixed; where the likelihood hardly falls (few customers) the range itself decides, and the
    /// diagnostics of the draws tell.
    Flat,
    /// Independent normals, wide enough to yield to a few dozen customers, and proper, so that every direction has a
    /// distribution:
    ///
    /// - logarithms of mean rates: one event per half year, sd 3. Two sds are a factor of 400 either way, from one
    ///   purchase in two centuries to two a day: every business that keeps a history lies within.
    /// - logits of mean probabilities: a half, sd 2.5. Two sds reach from .7 % to 99.3 % after each purchase.
    /// - logarithms of shapes: 1, sd 2.5. Two sds reach from .007 (a few customers do everything) to 150 (customers
    ///   differ by 8 %, which nobody can see). Beyond, the likelihood is all but flat, and without a prior the draws
    ///   would wander off.
    /// - logarithms of mean amounts: the data's own level, sd 3. Money has no natural unit, so the centre is the
    ///   estimate; a factor of 400 either way adds a ninth of what one observation says.
    ///
    /// The default: where few customers say little about a shape, the flat prior gives the far end of its range
    /// (customers all alike) more weight than what the data say, and intervals cover too little
    /// (`docs/studies/coverage.md`).
    #[default]
    Weak,
}

/// The logarithm of an event per half year (182.625 days), per day.
const LN_RATE_PER_DAY: f64 = -5.207_434_870_070_863_5;

/// Standard deviations of means, and of logits and shapes.
const SD_OF_MEANS: f64 = 3.0;
const SD_OF_OTHERS: f64 = 2.5;

/// How far from 0 shapes and logits, and from the estimate means, may lie; a little above the bounds of fits, so that a
/// parameter held there is inside.
const REACH_OF_SHAPES: f64 = 14.0;
const REACH_OF_LOGITS: f64 = 16.5;
const REACH_OF_MEANS: f64 = 25.5;

/// A prior made ready for one model: centres and precisions (0 where it is flat), and the range.
#[derive(Debug, Clone)]
pub(super) struct Normal {
    centre: Vec<f64>,
    precision: Vec<f64>,
    range: Vec<std::ops::Range<f64>>,
}

impl Prior {
    /// In words, for reports.
    pub fn sentence(self) -> &'static str {
        match self {
            Prior::Flat => "flat on the scale-free scale: draws follow the likelihood",
            Prior::Weak => {
                "weak: normal on logarithms of mean rates (one per half year, sd 3), logits (0, sd 2.5), logarithms \
                 of shapes (0, sd 2.5) and of the mean amount (the estimate, sd 3)"
            }
        }
    }

    /// For the model of `estimate`.
    pub(super) fn normal<P: Parametric>(self, estimate: &P) -> Normal {
        let theta = estimate.scale_free();
        let (mut centre, mut precision) = (theta.clone(), vec![0.0; theta.len()]);
        let range = (theta.iter().zip(estimate.scales()))
            .map(|(&theta, scale)| match scale {
                Scale::Rate | Scale::Amount => theta - REACH_OF_MEANS..theta + REACH_OF_MEANS,
                Scale::Probability => -REACH_OF_LOGITS..REACH_OF_LOGITS,
                Scale::Shape => -REACH_OF_SHAPES..REACH_OF_SHAPES,
            })
            .collect();
        if self == Prior::Weak {
            for (i, scale) in estimate.scales().into_iter().enumerate() {
                let (at, sd) = match scale {
                    // Per unit of time, and a model with a rate has one.
                    Scale::Rate => {
                        (LN_RATE_PER_DAY + estimate.unit().map_or(0.0, |unit| unit.days().ln()), SD_OF_MEANS)
                    }
                    Scale::Amount => (theta[i], SD_OF_MEANS),
                    Scale::Probability | Scale::Shape => (0.0, SD_OF_OTHERS),
                };
                centre[i] = at;
                precision[i] = 1.0 / (sd * sd);
            }
        }
        Normal { centre, precision, range }
    }
}

impl fmt::Display for Prior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Prior::Flat => "flat",
            Prior::Weak => "weak",
        })
    }
}

impl FromStr for Prior {
    type Err = Error;

    fn from_str(text: &str) -> Result<Prior> {
        match text {
            "flat" => Ok(Prior::Flat),
            "weak" => Ok(Prior::Weak),
            _ => Err(Error::value("a prior", text, "there is no such prior", "choose flat or weak")),
        }
    }
}

impl Normal {
    /// Whether it says nothing.
    pub(super) fn is_flat(&self) -> bool {
        self.precision.iter().all(|&p| p == 0.0)
    }

    /// The range of each parameter.
    pub(super) fn bounds(&self) -> Vec<(f64, f64)> {
        self.range.iter().map(|range| (range.start, range.end)).collect()
    }

    /// The logarithm of the density, without its constants; minus infinity out of range.
    pub(super) fn ln_density(&self, theta: &[f64]) -> f64 {
        if theta.iter().zip(&self.range).any(|(theta, range)| !range.contains(theta)) {
            return f64::NEG_INFINITY;
        }
        let terms = theta.iter().zip(&self.centre).zip(&self.precision);
        -0.5 * terms.map(|((theta, centre), precision)| precision * (theta - centre).powi(2)).sum::<f64>()
    }

    /// Adds minus the logarithm of the density, shared among `customers`, to a mean loss.
    pub(super) fn add_to(&self, loss: &mut Evaluation, theta: &[f64], customers: f64) {
        loss.value -= self.ln_density(theta) / customers;
        for (i, (theta, centre)) in theta.iter().zip(&self.centre).enumerate() {
            loss.gradient[i] += self.precision[i] * (theta - centre) / customers;
            loss.hessian[(i, i)] += self.precision[i] / customers;
        }
    }
}
