//! Segments: customers grouped by k-means on recency, frequency and spend, with a profile of each group; and what
//! else groups points: mixtures, density, and scores that help to choose how many groups.
//!
//! The only folder that imports linfa and ndarray. The result depends on the customers, the options and the seed
//! alone: not on threads, and not on the order of rows, since the table is ordered by id and samples are chosen by
//! the ids' hashes.

pub mod agreement;
pub mod choice;
pub mod density;
pub mod feature;
pub mod features;
pub mod grouping;
pub mod kmeans;
pub mod mixture;
mod names;
pub mod points;
pub mod portrait;
pub mod profile;
pub mod sample;
pub mod scores;
pub mod transform;

use serde::{Deserialize, Serialize};

pub use feature::Feature;
pub use features::FeatureReport;
pub use grouping::{Grouping, GroupingOptions, Number, Technique};
pub use kmeans::{KMeans, KMeansParams, StartReport};
pub use points::Points;
pub use portrait::{Order, Portrait};
pub use profile::Profile;

use linfa::ParamGuard;

use crate::customers::spend::count;
use crate::customers::{Column, CustomerTable, Values};
use crate::error::{Error, Result};
use crate::progress::Progress;
use features::Features;
use kmeans::reference;
use sample::RowKey;

/// Who groups the customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// [`KMeans`]: on all threads, for millions of customers.
    #[default]
    Own,
    /// k-means of linfa, to hold the other one against: its update is serial, and each old centre counts as one
    /// more point of its cluster.
    Linfa,
}

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
    /// The centres are at rest when the sum of their squared shifts is no more than this (in variances of a feature).
    pub tolerance: f64,
    /// With more customers than this the centres are fitted on a sample of this many alone, and every customer is
    /// assigned to the nearest centre; without it they are fitted on all.
    pub sample: Option<usize>,
    /// Who does it.
    pub algorithm: Algorithm,
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
            sample: None,
            algorithm: Algorithm::Own,
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
        if let Some(sample) = self.sample
            && sample < MOST_CLUSTERS
        {
            return fail(
                "the sample for clustering",
                sample.to_string(),
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
    /// Who found them.
    pub algorithm: Algorithm,
    /// Starts.
    pub runs: u32,
    /// The start that was kept, from 1; 0 where there was nothing to fit.
    pub best_run: u32,
    /// How each start went; empty where there was nothing to fit.
    pub starts: Vec<StartReport>,
    /// Customers on a sample of whom the starts were searched, before the best one was continued on all fitted ones.
    pub starts_on: Option<u64>,
    /// Iterations on all fitted customers.
    pub iterations: u32,
    /// Whether the centres had come to rest.
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
    let features = Features::of(table)?;
    let fitted = if n > 0 && !features.columns.is_empty() {
        let key = |i: usize| table.ids.hash(i);
        Some(fit(&points(&features.columns)?, &key, options, progress)?)
    } else {
        None
    };
    let fitted_on = fitted.as_ref().map_or(n as u64, |fitted| fitted.on);
    let clusters = fitted.as_ref().map_or(1, |fitted| fitted.clusters);

    let mut warnings = warnings_about(&features, n);
    if clusters < options.clusters && n > 0 {
        warnings.push(fewer(options.clusters, clusters, fitted_on < n as u64));
    }
    // Without a feature there is nothing to search in, and everybody is in one cluster.
    let one = Fitted { codes: vec![0; n], clusters: 1, on: fitted_on, converged: true, ..Fitted::default() };
    let method =
        fitted.as_ref().map_or("one cluster, nothing to fit".into(), |fitted| method(options, fitted, n));
    let fitted = fitted.unwrap_or(one);
    let members = members(table, &fitted.codes, clusters.min(n));
    let mut codes = vec![0u8; n];
    for (code, members) in members.iter().enumerate() {
        for &i in members {
            codes[i] = code as u8;
        }
    }
    if !fitted.converged {
        warnings.push(still_moving(options));
    }
    Ok(Segmentation {
        profiles: profile::profiles(table, &features, &members),
        features: features.reports,
        clusters_wanted: options.clusters,
        customers: n as u64,
        fitted_on,
        inertia: fitted.inertia,
        algorithm: options.algorithm,
        runs: options.runs,
        best_run: fitted.best,
        starts: fitted.starts,
        starts_on: fitted.starts_on,
        iterations: fitted.iterations,
        converged: fitted.converged,
        method,
        warnings,
        codes,
    })
}

/// What either algorithm found.
#[derive(Default)]
struct Fitted {
    codes: Vec<u16>,
    clusters: usize,
    on: u64,
    inertia: f64,
    best: u32,
    starts: Vec<StartReport>,
    starts_on: Option<u64>,
    iterations: u32,
    converged: bool,
}

/// Finds clusters of `all`, whose rows are known by `key`, with either k-means.
fn fit(
    all: &Points<'_>,
    key: RowKey<'_>,
    options: &SegmentOptions,
    progress: &dyn Progress,
) -> Result<Fitted> {
    let chosen = options
        .sample
        .filter(|&sample| all.rows() > sample)
        .map(|sample| sample::choose(all.rows(), sample, key, options.seed, 0));
    let sampled = chosen.as_ref().map(|rows| all.select(rows));
    let sampled = match &sampled {
        Some(columns) => Some(points(columns)?),
        None => None,
    };
    let on = sampled.as_ref().unwrap_or(all);
    let key_of_sampled = |at: usize| chosen.as_ref().map_or(key(at), |rows| key(rows[at]));
    match options.algorithm {
        Algorithm::Own => {
            let params = KMeans::params(options.clusters)
                .seed(options.seed)
                .starts(options.runs)
                .max_iterations(options.max_iterations)
                .tolerance(options.tolerance)
                .check()?;
            let (model, codes) = params.fit_points(on, &key_of_sampled, progress)?;
            let report = model.report().clone();
            let (codes, inertia) =
                if sampled.is_some() { model.assign(all)? } else { (codes, report.inertia) };
            Ok(Fitted {
                codes,
                clusters: report.clusters,
                on: report.points,
                inertia,
                best: report.best_start,
                starts: report.starts,
                starts_on: report.sample,
                iterations: report.iterations,
                converged: report.converged,
            })
        }
        Algorithm::Linfa => {
            let search = reference::Search {
                clusters: on.distinct(options.clusters),
                seed: options.seed,
                runs: options.runs,
                max_iterations: options.max_iterations,
                tolerance: options.tolerance,
                init: None,
            };
            let (best, starts) = reference::fit(on, &search, progress)?;
            let (codes, inertia) = reference::assign(all, &best.centres);
            Ok(Fitted {
                codes,
                clusters: search.clusters,
                on: on.rows() as u64,
                inertia,
                best: best.run,
                starts,
                starts_on: None,
                iterations: best.iterations,
                converged: best.converged,
            })
        }
    }
}

/// What is said where fewer clusters were found than asked for.
fn fewer(wanted: usize, clusters: usize, sampled: bool) -> String {
    let among = if sampled { " in the sample" } else { "" };
    let why = match clusters {
        1 => format!("all customers{among} are alike"),
        _ => format!("there are only {clusters} different customers{among}"),
    };
    format!("{wanted} clusters were asked for, but {why}")
}

fn still_moving(options: &SegmentOptions) -> String {
    let iterations = options.max_iterations;
    format!("the clusters' centres were still moving after {iterations} iterations")
}

fn points(columns: &[Vec<f64>]) -> Result<Points<'_>> {
    Points::new(columns.iter().map(Vec::as_slice).collect())
}

/// The customers of each cluster, clusters by descending mean spend; those that got nobody are dropped.
fn members(table: &CustomerTable, found: &[u16], clusters: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); clusters];
    for (i, &at) in found.iter().enumerate() {
        members[usize::from(at)].push(i);
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

fn warnings_about(features: &Features, customers: usize) -> Vec<String> {
    let left_out = features.reports.iter().filter(|report| !report.used && customers > 0);
    let mut warnings: Vec<String> = left_out
        .map(|report| format!("{} is the same for every customer and was left out", report.formula))
        .collect();
    if features.not_finite > 0 {
        let values = count(features.not_finite);
        warnings.push(format!("{values} values of features were no finite numbers and count as the mean"));
    }
    warnings
}

fn method(options: &SegmentOptions, fitted: &Fitted, customers: usize) -> String {
    if fitted.clusters == 1 {
        return "one cluster, nothing to search".into();
    }
    let on = if fitted.on < customers as u64 {
        format!(
            "{} of {} customers, chosen by a hash of their ids; each customer is in the cluster with the nearest centre",
            count(fitted.on),
            count(customers as u64)
        )
    } else {
        format!("all {} customers", count(customers as u64))
    };
    let (runs, iterations) = (options.runs, fitted.iterations);
    let times = if iterations == 1 { "iteration" } else { "iterations" };
    match (options.algorithm, fitted.starts_on) {
        (Algorithm::Linfa, _) => format!(
            "k-means (linfa) from k-means++ starts, the best of {runs}, {iterations} {times}, fitted on {on}"
        ),
        (Algorithm::Own, None) => format!(
            "k-means from greedy k-means++ starts, the best of {runs}, {iterations} {times}, fitted on {on}"
        ),
        (Algorithm::Own, Some(sample)) => format!(
            "k-means from greedy k-means++ starts, the best of {runs} on a sample of {}, continued for {iterations} {times} on {on}",
            count(sample)
        ),
    }
}

#[cfg(test)]
mod tests;
