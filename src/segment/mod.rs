//! Segments: customers grouped by k-means on recency, frequency and spend, with a profile of each group.
//!
//! The only folder that imports linfa and ndarray. The result depends on the customers, the options and the seed
//! alone: not on threads, and not on the order of rows, since the table is ordered by id and samples are chosen by
//! the ids' hashes.

pub mod features;
mod kmeans;
pub mod profile;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use features::FeatureReport;
pub use profile::Profile;

use crate::customers::spend::count;
use crate::customers::{Column, CustomerTable, Values};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream};
use features::Features;

/// The most clusters: their numbers are kept in a byte each, and nobody can run more.
pub const MOST_CLUSTERS: usize = 100;

/// How customers are grouped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmentOptions {
    /// Clusters wanted, 1 to [`MOST_CLUSTERS`]; there are fewer where fewer customers differ.
    pub clusters: usize,
    /// The run's seed.
    pub seed: u64,
    /// Starts, of which the one with the least inertia is kept.
    pub runs: u32,
    /// Iterations after which a start is given up as not converged.
    pub max_iterations: u32,
    /// The centres are at rest when all together move less than this (Euclidean, in standard deviations).
    pub tolerance: f64,
    /// With more customers than this the centres are fitted on a sample of this many, and every customer is
    /// assigned to the nearest centre.
    pub sample: usize,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        SegmentOptions {
            clusters: 5,
            seed: 1,
            // k-means++ starts seldom end far apart; four leave little to luck.
            runs: 4,
            max_iterations: 300,
            tolerance: 1e-4,
            // The centres of 200,000 customers are known to about 0.5 % of a standard deviation each, and linfa's
            // update step is serial.
            sample: 200_000,
        }
    }
}

impl SegmentOptions {
    fn check(&self) -> Result<()> {
        let fail = |what: &str, value: String, problem: &str, remedy: String| {
            Err(Error::value(what, value, problem, remedy))
        };
        if !(1..=MOST_CLUSTERS).contains(&self.clusters) {
            return fail(
                "the number of clusters",
                self.clusters.to_string(),
                "it is out of range",
                format!("give a number from 1 to {MOST_CLUSTERS}"),
            );
        }
        if self.runs == 0 || self.max_iterations == 0 {
            let what = if self.runs == 0 { "the number of starts" } else { "the number of iterations" };
            return fail(what, "0".into(), "nothing would be fitted", "give a number from 1 on".into());
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return fail(
                "the tolerance of the clusters' centres",
                self.tolerance.to_string(),
                "it is not a positive number",
                "give a small positive number such as 1e-4".into(),
            );
        }
        if self.sample < MOST_CLUSTERS {
            return fail(
                "the sample for clustering",
                self.sample.to_string(),
                "it is too small to find clusters in",
                format!("give a number from {MOST_CLUSTERS} on"),
            );
        }
        Ok(())
    }
}

/// The groups, what they are like and how they were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segmentation {
    /// Cluster of every customer, from 0: index into `profiles`.
    #[serde(skip)]
    pub codes: Vec<u8>,
    /// The clusters, by descending mean spend.
    pub profiles: Vec<Profile>,
    /// What they were made of.
    pub features: Vec<FeatureReport>,
    /// Clusters that were asked for.
    pub clusters_wanted: usize,
    /// Customers.
    pub customers: u64,
    /// Customers on whom the centres were fitted.
    pub fitted_on: u64,
    /// Sum of squared distances of all customers from their centre, in standardised features.
    pub inertia: f64,
    /// Starts.
    pub runs: u32,
    /// The start that was kept, from 1; 0 where there was nothing to fit.
    pub best_run: u32,
    /// Its iterations.
    pub iterations: u32,
    /// Whether its centres had come to rest.
    pub converged: bool,
    /// How the clusters were found, in a sentence.
    pub method: String,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

impl Segmentation {
    /// The column `cluster`: numbers from 1, by descending mean spend.
    pub fn column(&self) -> Column {
        Column {
            name: "cluster".into(),
            values: Values::Count(self.codes.iter().map(|&code| u32::from(code) + 1).collect()),
        }
    }
}

/// Groups the customers of `table`.
pub fn segment(
    table: &CustomerTable,
    options: &SegmentOptions,
    progress: &dyn Progress,
) -> Result<Segmentation> {
    options.check()?;
    let n = table.len();
    let features = Features::of(table);
    let sample = (n > options.sample).then(|| choose(table, options));
    let sampled = sample.as_ref().map(|customers| features.select(customers));
    let fit_on = sampled.as_ref().map_or_else(|| features.view(), |points| points.view());
    let fitted_on = fit_on.nrows();
    let clusters = distinct_points(fit_on, options.clusters);

    let mut warnings = warnings_about(&features, fitted_on);
    if clusters < options.clusters && n > 0 {
        let why = match clusters {
            1 => "all customers are alike".to_string(),
            _ => format!("there are only {clusters} different customers"),
        };
        warnings.push(format!("{} clusters were asked for, but {why}", options.clusters));
    }
    // One cluster needs no search, and without a feature there is nothing to search in.
    let fitted = if clusters > 1 {
        let search = kmeans::Search {
            clusters,
            seed: options.seed,
            runs: options.runs,
            max_iterations: options.max_iterations,
            tolerance: options.tolerance,
        };
        Some(kmeans::fit(fit_on, &search, progress)?)
    } else {
        None
    };
    let (found, centres) = match &fitted {
        Some(fitted) => (kmeans::assign(features.view(), &fitted.centres)?, fitted.centres.clone()),
        // Standardised features have their mean at 0.
        None => (vec![0; n], Array2::zeros((1, features.measures.len()))),
    };
    let inertia = kmeans::inertia(features.view(), &centres, &found);
    let members = members(table, &found, clusters.min(n));
    let mut codes = vec![0u8; n];
    for (code, members) in members.iter().enumerate() {
        for &i in members {
            codes[i] = code as u8;
        }
    }
    let converged = fitted.as_ref().is_none_or(|fitted| fitted.converged);
    if !converged {
        let iterations = options.max_iterations;
        warnings.push(format!("the clusters' centres were still moving after {iterations} iterations"));
    }
    let iterations = fitted.as_ref().map_or(0, |fitted| fitted.iterations);
    Ok(Segmentation {
        profiles: profile::profiles(table, &features, &members),
        features: features.reports,
        clusters_wanted: options.clusters,
        customers: n as u64,
        fitted_on: fitted_on as u64,
        inertia,
        runs: options.runs,
        best_run: fitted.as_ref().map_or(0, |fitted| fitted.run),
        iterations,
        converged,
        method: method(options, fitted.is_some(), iterations, n, fitted_on),
        warnings,
        codes,
    })
}

/// The customers on whom the centres are fitted, in the order of their ids: those with the smallest random numbers,
/// which are keyed by the ids' hashes.
fn choose(table: &CustomerTable, options: &SegmentOptions) -> Vec<usize> {
    let mut drawn = parallel::collect(table.len(), |i| {
        (Stream::new(options.seed, table.ids.hash(i), 0, Purpose::Sample).bits(), i)
    });
    // The position settles the rare tie of two hashes, and is the place among the ids.
    drawn.select_nth_unstable(options.sample);
    let mut chosen: Vec<usize> = drawn[..options.sample].iter().map(|&(_, i)| i).collect();
    chosen.sort_unstable();
    chosen
}

/// How many different rows `points` has, counted up to `enough`.
fn distinct_points(points: ArrayView2<'_, f64>, enough: usize) -> usize {
    let mut seen = Vec::new();
    for row in points.rows() {
        if seen.len() == enough {
            break;
        }
        if !seen.contains(&row) {
            seen.push(row);
        }
    }
    seen.len().max(1)
}

/// The customers of each cluster, clusters by descending mean spend; those that got nobody are dropped.
fn members(table: &CustomerTable, found: &[usize], clusters: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); clusters];
    for (i, &at) in found.iter().enumerate() {
        members[at].push(i);
    }
    members.retain(|members| !members.is_empty());
    let mut ranked: Vec<(f64, Vec<usize>)> = members
        .into_iter()
        .map(|members| {
            let spend: f64 = members.iter().map(|&i| table.total_spend[i]).sum();
            (spend / members.len() as f64, members)
        })
        .collect();
    // Of equal means the larger cluster comes first, then the one with the smallest id.
    ranked.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(y.len().cmp(&x.len())).then(x[0].cmp(&y[0])));
    ranked.into_iter().map(|(_, members)| members).collect()
}

fn warnings_about(features: &Features, fitted_on: usize) -> Vec<String> {
    let left_out = features.reports.iter().filter(|report| !report.used && fitted_on > 0);
    let mut warnings: Vec<String> = left_out
        .map(|report| format!("{} is the same for every customer and was left out", report.formula))
        .collect();
    if features.not_finite > 0 {
        let values = count(features.not_finite);
        warnings.push(format!("{values} values of features were no finite numbers and count as the mean"));
    }
    warnings
}

fn method(options: &SegmentOptions, fitted: bool, iterations: u32, n: usize, fitted_on: usize) -> String {
    if !fitted {
        return "one cluster, nothing to fit".into();
    }
    let on = if fitted_on < n {
        format!(
            "fitted on {} of {} customers, chosen by a hash of their ids; each customer is in the cluster with the nearest centre",
            count(fitted_on as u64),
            count(n as u64)
        )
    } else {
        format!("fitted on all {} customers", count(n as u64))
    };
    format!(
        "k-means (linfa) from k-means++ starts, the best of {}, {iterations} iterations, {on}",
        options.runs
    )
}

#[cfg(test)]
mod tests;
