//! The fit of Pareto/NBD: where the search starts, the parameters' ranges, and what cannot be fitted.

use super::ParetoNbd;
use super::likelihood::Likelihood;
use crate::calendar::Unit;
use crate::clv::model::{Fit, FitReport, LogLikelihood, Parametric};
use crate::clv::pattern::Patterns;
use crate::clv::purchase_rates::{self, LARGE, PRACTICALLY, ln_mean_rate, nothing_to_fit};
use crate::clv::search::{self, Coordinate, Edge, Search};
use crate::error::Result;
use crate::progress::Progress;

/// Pareto/NBD before it is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParetoNbdModel;

impl ParetoNbdModel {
    /// Fits by maximum likelihood, with times in `unit`. Deterministic, whatever the number of threads.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only: data that cannot be fitted end in a [`crate::clv::Verdict`].
    pub fn fit(&self, patterns: &Patterns, unit: Unit, progress: &dyn Progress) -> Result<Fit<ParetoNbd>> {
        let customers = patterns.customers() as u64;
        if let Some(verdict) = nothing_to_fit(patterns) {
            let mut report = FitReport::without_data(ParetoNbd::MODEL, Some(unit), customers, verdict);
            report.patterns = patterns.len() as u64;
            return Ok(Fit { report, params: None, uncertainty: None });
        }
        let likelihood = Likelihood::new(patterns, unit);
        let rate = ln_mean_rate(patterns, unit);
        let span = patterns.total_t_days() / unit.days() / customers as f64;
        let coordinates = coordinates(rate, -span.ln());
        let mut starts = starts(rate, -span.ln());
        let mut originals = Vec::new();
        if let Some(few) = patterns.thinned(search::REHEARSAL) {
            let rough = Likelihood::new(&few, unit);
            originals.clone_from(&starts);
            starts = search::rehearse(starts, &coordinates, |theta| rough.mean_loss(theta), progress)?;
        }
        let search = Search {
            customers,
            patterns: patterns.len() as u64,
            starts,
            originals,
            coordinates: &coordinates,
        };
        let like = ParetoNbd { r: 1.0, alpha: 1.0, s: 1.0, beta: 1.0, unit };
        search::fit(&like, search, |theta| likelihood.mean_loss(theta), progress)
    }

    /// The likelihood of `patterns` at any parameters, with times in `unit`.
    pub fn likelihood<'a>(&self, patterns: &'a Patterns, unit: Unit) -> impl LogLikelihood + use<'a> {
        Likelihood::new(patterns, unit)
    }
}

/// Where the search starts: three pictures of the same purchases, with more or less dropout over the mean span.
fn starts(rate: f64, per_span: f64) -> Vec<Vec<f64>> {
    vec![
        vec![rate + 0.5, -0.4, per_span, -0.4],
        vec![rate + 1.0, 0.0, per_span + 1.0, 0.5],
        vec![rate + 0.1, -1.0, per_span - 1.5, -1.0],
    ]
}

/// The parameters' ranges; `rate` and `per_span` are the logarithms of the mean purchase rate and of one over the
/// mean span. Beyond the bounds the likelihood differs from its limit by next to nothing.
pub(super) fn coordinates(rate: f64, per_span: f64) -> [Coordinate; 4] {
    let edge = |at: f64, near: f64, name, explanation, advice| Edge {
        at,
        near,
        name,
        explanation,
        advice,
        usable: true,
    };
    let (large, practically) = (LARGE.ln(), PRACTICALLY.ln());
    let [mean_rate, shape] = purchase_rates::coordinates(rate);
    [
        mean_rate,
        shape,
        Coordinate {
            name: "the mean dropout rate",
            low: edge(
                per_span - 16.0,
                per_span - 14.0,
                "no dropout detectable",
                "s/beta goes to 0: nobody seems to have left",
                "the model is NBD there; give a longer history to see customers leave",
            ),
            high: edge(
                per_span + 16.0,
                per_span + 14.0,
                "everybody leaves at once",
                "s/beta grows without bound: customers stay for no time or for ever",
                "check that the history is complete after each customer's first purchase",
            ),
        },
        Coordinate {
            name: "s and beta",
            low: edge(
                -large,
                -practically,
                "dropout all or nothing",
                "s goes to 0: a few customers leave at once and all others practically never do",
                "look at those who never return apart from the others",
            ),
            high: edge(
                large,
                practically,
                "homogeneous dropout",
                "s and beta grow without bound at a fixed ratio: all customers leave at the same rate",
                "differences between customers' lifetimes beyond chance are not detectable",
            ),
        },
    ]
}
