//! linfa's k-means, to hold ours against, one iteration at a time.
//!
//! linfa runs its restarts and iterations inside one call, from which neither progress nor the number of iterations
//! can be told and which cannot be interrupted. A call with one iteration from given centres is the same step, so
//! that a run made of such calls ends at the same centres bit for bit (a test holds it). What linfa does is its
//! modified k-means, in which the old centre counts as one more point of its cluster: clusters never become empty
//! while it runs.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::{Array2, ArrayView2};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::{StartReport, lloyd};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::random::{NOBODY, Purpose, Stream};
use crate::segment::points::Points;

/// How the centres are looked for.
#[derive(Debug, Clone)]
pub(in crate::segment) struct Search {
    pub(in crate::segment) clusters: usize,
    pub(in crate::segment) seed: u64,
    pub(in crate::segment) runs: u32,
    pub(in crate::segment) max_iterations: u32,
    /// As ours: the sum of squared shifts, in mean variances of the features.
    pub(in crate::segment) tolerance: f64,
    /// Given centres, instead of k-means++.
    pub(in crate::segment) init: Option<Array2<f64>>,
}

/// The best of the runs.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::segment) struct Fitted {
    /// One row per cluster.
    pub(in crate::segment) centres: Array2<f64>,
    /// Sum of squared distances of the fitted points from their nearest centre.
    pub(in crate::segment) inertia: f64,
    /// Iterations of the best run.
    pub(in crate::segment) iterations: u32,
    /// Whether the centres had come to rest.
    pub(in crate::segment) converged: bool,
    /// Which run was the best, from 1.
    pub(in crate::segment) run: u32,
}

/// Fits `points` (at least as many distinct ones as clusters); the best run, and how each went.
pub(in crate::segment) fn fit(
    points: &Points<'_>,
    search: &Search,
    progress: &dyn Progress,
) -> Result<(Fitted, Vec<StartReport>)> {
    progress.phase("clustering", u64::from(search.runs));
    let array = points.to_array();
    let mut best: Option<Fitted> = None;
    let mut reports = Vec::new();
    for run in 1..=search.runs {
        let fitted = one_run(points, array.view(), search, run, progress)?;
        reports.push(StartReport {
            start: run,
            inertia: fitted.inertia,
            iterations: fitted.iterations,
            converged: fitted.converged,
            relocated: 0,
        });
        // Strictly better, so that of equal runs the first is kept.
        if best.as_ref().is_none_or(|best| fitted.inertia < best.inertia) {
            best = Some(fitted);
        }
        progress.advance(1);
    }
    let best = best.ok_or_else(|| Error::internal("clustering", "no run was asked for"))?;
    Ok((best, reports))
}

fn one_run(
    points: &Points<'_>,
    array: ArrayView2<'_, f64>,
    search: &Search,
    run: u32,
    progress: &dyn Progress,
) -> Result<Fitted> {
    let rng = generator(search.seed, run);
    let dataset = DatasetBase::from(array);
    // linfa compares the root of the sum of squared shifts, and wants it smaller, so never nothing.
    let tolerance = (search.tolerance * points.mean_variance()).sqrt().max(f64::MIN_POSITIVE);
    let step = |init: KMeansInit<f64>| {
        KMeans::params_with_rng(search.clusters, rng.clone())
            .init_method(init)
            .n_runs(1)
            .max_n_iterations(1)
            .tolerance(tolerance)
            .fit(&dataset)
            .map(|model| model.centroids().clone())
            .map_err(|e| Error::internal("clustering with linfa's k-means", e))
    };
    let first = search.init.clone().map_or(KMeansInit::KMeansPlusPlus, KMeansInit::Precomputed);
    let mut centres = step(first)?;
    let mut iterations = 1;
    let mut converged = false;
    while !converged && iterations < search.max_iterations {
        progress.check()?;
        let next = step(KMeansInit::Precomputed(centres.clone()))?;
        let shift: f64 = next.iter().zip(&centres).map(|(a, b)| (a - b) * (a - b)).sum();
        converged = shift.sqrt() < tolerance;
        centres = next;
        iterations += 1;
    }
    let (_, inertia) = assign(points, &centres);
    Ok(Fitted { centres, inertia, iterations, converged, run })
}

/// The generator of a run: linfa draws its k-means++ start from it.
pub(in crate::segment) fn generator(seed: u64, run: u32) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(Stream::new(seed, NOBODY, run, Purpose::Library).bits())
}

/// The nearest centre of every point, and the sum of squared distances.
pub(in crate::segment) fn assign(points: &Points<'_>, centres: &Array2<f64>) -> (Vec<u16>, f64) {
    let centres: Vec<f64> = centres.iter().copied().collect();
    let (codes, _, inertia) = lloyd::assign(points, &centres);
    (codes, inertia)
}
