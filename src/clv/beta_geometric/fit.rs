//! The fit of BG/NBD and MBG/NBD: starts, the parameters' ranges and their names.

use super::FirstChance;
use super::likelihood::Likelihood;
use crate::calendar::Unit;
use crate::clv::model::{Fit, FitReport, Parametric};
use crate::clv::pattern::Patterns;
use crate::clv::purchase_rates::{
    self, LARGE, PRACTICALLY, ln_mean_rate, ln_shape_by_moments, nothing_to_fit,
};
use crate::clv::search::{self, Coordinate, Edge, Search};
use crate::error::Result;
use crate::progress::Progress;

/// Fits by maximum likelihood, with times in `unit`. `like` only lends its type.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub(in crate::clv) fn fit<P: Parametric>(
    like: &P,
    first_chance: FirstChance,
    patterns: &Patterns,
    unit: Unit,
    progress: &dyn Progress,
) -> Result<Fit<P>> {
    let customers = patterns.customers() as u64;
    if let Some(verdict) = nothing_to_fit(patterns) {
        let mut report = FitReport::without_data(P::MODEL, Some(unit), customers, verdict);
        report.patterns = patterns.len() as u64;
        return Ok(Fit { report, params: None, uncertainty: None });
    }
    let likelihood = Likelihood::new(patterns, unit, first_chance);
    let rate = ln_mean_rate(patterns, unit);
    let coordinates = coordinates(rate, first_chance);
    let mut starts = starts(patterns, rate, first_chance);
    let mut originals = Vec::new();
    if let Some(few) = patterns.thinned(search::REHEARSAL) {
        let rough = Likelihood::new(&few, unit, first_chance);
        originals.clone_from(&starts);
        starts = search::rehearse(starts, &coordinates, |theta| rough.mean_loss(theta), progress)?;
    }
    let search =
        Search { customers, patterns: patterns.len() as u64, starts, originals, coordinates: &coordinates };
    search::fit(like, search, |theta| likelihood.mean_loss(theta), progress)
}

/// Where the search starts: shapes by the method of moments, and three other pictures of the same purchases.
///
/// Who may leave with its first purchase can be rare among the repeaters for two reasons: it buys rarely, or nearly all
/// leave at once and the others buy a lot. The likelihood of MBG/NBD may have a maximum at each, so its search starts
/// from the second picture as well; twice, because a maximum counts as verified when two searches reach it.
fn starts(patterns: &Patterns, rate: f64, first_chance: FirstChance) -> Vec<Vec<f64>> {
    let r = ln_shape_by_moments(patterns);
    let logit = |p: f64| (p / (1.0 - p)).ln();
    let mut out = vec![
        // Those who left bought faster while they were there: the rate while alive is above the mean one.
        vec![rate + 0.5, r, logit(0.2), 1.0],
        vec![rate + 1.5, r - 0.5, logit(0.4), 0.0],
        vec![rate, r + 0.7, logit(0.05), 2.0],
        vec![rate + 0.2, 0.0, logit(0.3), 3.0],
    ];
    if first_chance == FirstChance::AfterFirstPurchase {
        out.push(vec![rate + 2.0, 0.0, logit(0.8), -1.0]);
        out.push(vec![rate + 2.0, 1.0, logit(0.7), -1.0]);
    }
    out
}

/// The parameters' ranges. Beyond the bounds the likelihood differs from its limit by less than a millionth of a
/// customer's share, so the limit itself is what the data ask for.
pub(in crate::clv) fn coordinates(rate: f64, first_chance: FirstChance) -> [Coordinate; 4] {
    let edge = |at: f64, near: f64, name, explanation, advice| Edge {
        at,
        near,
        name,
        explanation,
        advice,
        usable: true,
    };
    // What the customers are said to do where a or b vanishes.
    let (at_once, check, all_or_nothing) = match first_chance {
        FirstChance::AfterFirstRepeat => (
            "b goes to 0: nobody seems to stay after the first repeat purchase",
            "check that the history is complete after each customer's second purchase",
            "a and b go to 0: each customer leaves after the first repeat purchase or never",
        ),
        FirstChance::AfterFirstPurchase => (
            "b goes to 0: nobody seems to stay after the first purchase",
            "check that the history is complete after each customer's first purchase",
            "a and b go to 0: each customer leaves after the first purchase or never",
        ),
    };
    let (large, practically) = (LARGE.ln(), PRACTICALLY.ln());
    let [mean_rate, shape] = purchase_rates::coordinates(rate);
    let mean_dropout = Coordinate {
        name: "a/(a+b)",
        low: edge(
            -16.0,
            -14.0,
            "no dropout detectable",
            "a goes to 0: nobody seems to have left",
            "predictions are those of NBD; give a longer history to see customers leave",
        ),
        high: edge(16.0, 14.0, "everybody leaves at once", at_once, check),
    };
    let size = Coordinate {
        name: "a and b",
        low: edge(
            -large,
            -practically,
            "dropout all or nothing",
            all_or_nothing,
            "predictions hold; treat P(alive) with care",
        ),
        high: edge(
            large,
            practically,
            "homogeneous dropout",
            "a and b grow without bound at a fixed ratio: all customers leave with the same probability",
            "predictions hold; differences between customers beyond chance are not detectable",
        ),
    };
    [mean_rate, shape, mean_dropout, size]
}
