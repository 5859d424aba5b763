//! Whether customers have changed since the rules were made: the population stability index of each feature.
//!
//! PSI = Σ (qᵢ − pᵢ)·ln(qᵢ/pᵢ) over the bins between the earlier tenths, p the earlier shares and q the later ones. It is
//! the symmetrised Kullback–Leibler divergence of the two histograms (Jeffreys 1946; in use for credit scores since
//! Siddiqi, "Credit Risk Scorecards", 2006, from whom the two levels come). An empty bin counts as half a customer.

use serde::Serialize;

use crate::customers::spend::ascending;

/// Bins, if values differ enough: as many as tenths.
const BINS: usize = 10;

/// Levels of the index above which a shift is some, and much.
const SOME: f64 = 0.1;
const MUCH: f64 = 0.25;

/// One column of both tables; NaN where a customer has no value.
#[derive(Debug, Clone, Copy)]
pub struct Feature<'a> {
    /// Its name.
    pub name: &'a str,
    /// The earlier values.
    pub before: &'a [f64],
    /// The later values.
    pub after: &'a [f64],
}

/// How much a feature has shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftLevel {
    /// An index below .1.
    Little,
    /// Up to .25: look at it.
    Some,
    /// Above: thresholds made on the earlier customers no longer mean the same.
    Much,
    /// A table without values: nothing can be said.
    Unknown,
}

/// What became of a feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// Its name.
    pub name: String,
    /// The population stability index; none where a table has no value.
    pub index: Option<f64>,
    /// What that means.
    pub level: DriftLevel,
    /// Medians before and after; none without a value.
    pub medians: [Option<f64>; 2],
    /// Customers without a value, before and after.
    pub missing: [u64; 2],
}

/// Compares a feature's distributions.
pub fn drift(feature: Feature<'_>) -> Drift {
    let known = |values: &[f64]| ascending(values.iter().copied().filter(|v| !v.is_nan()).collect());
    let (before, after) = (known(feature.before), known(feature.after));
    let missing = [feature.before.len() - before.len(), feature.after.len() - after.len()].map(|n| n as u64);
    let medians = [&before, &after].map(|values| values.get(values.len().saturating_sub(1) / 2).copied());
    let index = (!before.is_empty() && !after.is_empty()).then(|| index(&before, &after));
    let level = match index {
        None => DriftLevel::Unknown,
        Some(index) if index > MUCH => DriftLevel::Much,
        Some(index) if index > SOME => DriftLevel::Some,
        Some(_) => DriftLevel::Little,
    };
    Drift { name: feature.name.to_string(), index, level, medians, missing }
}

/// Of ascending values, neither empty.
fn index(before: &[f64], after: &[f64]) -> f64 {
    // Cuts are values, so that equal ones are never parted; a value that fills several tenths has one bin.
    let n = before.len();
    let mut cuts: Vec<f64> = (1..BINS).map(|k| before[(k * n).div_ceil(BINS) - 1]).collect();
    cuts.dedup();
    let shares = |values: &[f64]| {
        let mut below = 0;
        let mut counts: Vec<f64> = Vec::with_capacity(cuts.len() + 1);
        for cut in &cuts {
            let up_to = values.partition_point(|v| v <= cut);
            counts.push((up_to - below) as f64);
            below = up_to;
        }
        counts.push((values.len() - below) as f64);
        let counts: Vec<f64> = counts.into_iter().map(|n| n.max(0.5)).collect();
        let total: f64 = counts.iter().sum();
        counts.into_iter().map(|n| n / total).collect::<Vec<f64>>()
    };
    shares(before).iter().zip(shares(after)).map(|(p, q)| (q - p) * (q / p).ln()).sum()
}
