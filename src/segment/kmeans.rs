//! k-means through linfa's `Fit` and `Predict`, one iteration of Lloyd's algorithm at a time.
//!
//! linfa runs its restarts and iterations inside one call, from which neither progress nor the number of iterations
//! can be told and which cannot be interrupted. A call with one iteration from given centres is the same step, so
//! that a run made of such calls ends at the same centres bit for bit (a test holds it). What linfa does is its
//! modified k-means, in which the old centre counts as one more point of its cluster: clusters never become empty
//! while it runs.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::{Array2, ArrayView2};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::random::{NOBODY, Purpose, Stream};

/// Points whose distances are summed at a time.
const CHUNK: usize = 16_384;

/// How the centres are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    pub(super) clusters: usize,
    pub(super) seed: u64,
    pub(super) runs: u32,
    pub(super) max_iterations: u32,
    pub(super) tolerance: f64,
}

/// The best of the runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    /// One row per cluster.
    pub(super) centres: Array2<f64>,
    /// Sum of squared distances of the fitted points from their nearest centre.
    pub(super) inertia: f64,
    /// Iterations of the best run.
    pub(super) iterations: u32,
    /// Whether the centres had come to rest.
    pub(super) converged: bool,
    /// Which run was the best, from 1.
    pub(super) run: u32,
}

/// Fits `points` (no NaN, at least as many distinct ones as clusters, at least one column).
pub(super) fn fit(points: ArrayView2<'_, f64>, search: &Search, progress: &dyn Progress) -> Result<Fitted> {
    progress.phase("clustering", u64::from(search.runs));
    let mut best: Option<Fitted> = None;
    for run in 1..=search.runs {
        let fitted = one_run(points, search, run, progress)?;
        // Strictly better, so that of equal runs the first is kept.
        if best.as_ref().is_none_or(|best| fitted.inertia < best.inertia) {
            best = Some(fitted);
        }
        progress.advance(1);
    }
    best.ok_or_else(|| Error::internal("clustering", "no run was asked for"))
}

fn one_run(
    points: ArrayView2<'_, f64>,
    search: &Search,
    run: u32,
    progress: &dyn Progress,
) -> Result<Fitted> {
    let rng = generator(search.seed, run);
    let dataset = DatasetBase::from(points);
    let step = |init: KMeansInit<f64>| {
        KMeans::params_with_rng(search.clusters, rng.clone())
            .init_method(init)
            .n_runs(1)
            .max_n_iterations(1)
            .tolerance(search.tolerance)
            .fit(&dataset)
            .map(|model| model.centroids().clone())
            .map_err(|e| Error::internal("clustering with k-means", e))
    };
    let mut centres = step(KMeansInit::KMeansPlusPlus)?;
    let mut iterations = 1;
    let mut converged = false;
    while !converged && iterations < search.max_iterations {
        progress.check()?;
        let next = step(KMeansInit::Precomputed(centres.clone()))?;
        converged = squared_distance(next.iter(), centres.iter()).sqrt() < search.tolerance;
        centres = next;
        iterations += 1;
    }
    let inertia = inertia(points, &centres, &assign(points, &centres)?);
    Ok(Fitted { centres, inertia, iterations, converged, run })
}

/// The generator of a run: linfa draws its k-means++ start from it.
fn generator(seed: u64, run: u32) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(Stream::new(seed, NOBODY, run, Purpose::Library).bits())
}

/// The nearest centre of every point; the lower number where two are equally near.
pub(super) fn assign(points: ArrayView2<'_, f64>, centres: &Array2<f64>) -> Result<Vec<usize>> {
    // linfa has no other way to a model with given centres than a step from them, which moves them; a step on the
    // centres themselves leaves each where it is.
    let model = KMeans::params_with_rng(centres.nrows(), generator(0, 0))
        .init_method(KMeansInit::Precomputed(centres.clone()))
        .n_runs(1)
        .max_n_iterations(1)
        .fit(&DatasetBase::from(centres.view()))
        .map_err(|e| Error::internal("assigning customers to clusters", e))?;
    Ok(model.predict(&points).into_raw_vec_and_offset().0)
}

/// The sum of squared distances of the points from the centres that they were assigned to.
pub(super) fn inertia(points: ArrayView2<'_, f64>, centres: &Array2<f64>, codes: &[usize]) -> f64 {
    let chunk = |range: std::ops::Range<usize>| {
        range.map(|i| squared_distance(points.row(i).iter(), centres.row(codes[i]).iter())).sum::<f64>()
    };
    parallel::reduce_chunks(codes.len(), CHUNK, chunk, |a, b| a + b).unwrap_or(0.0)
}

fn squared_distance<'a>(a: impl Iterator<Item = &'a f64>, b: impl Iterator<Item = &'a f64>) -> f64 {
    a.zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
