//! k-means for millions of points: Lloyd's algorithm with vector instructions, on all threads.
//!
//! [`KMeans`] has linfa's shape: parameters that are checked, a `fit`, a model that predicts.
//!
//! ```
//! use linfa::DatasetBase;
//! use linfa::traits::{Fit, Predict};
//! use ndarray::array;
//! use tiercast::segment::KMeans;
//!
//! let points = array![[0.0, 0.1], [0.1, 0.0], [9.0, 9.1], [9.1, 9.0]];
//! let model = KMeans::params(2).seed(7).fit(&DatasetBase::from(points.clone()))?;
//! let codes = model.predict(&points);
//! assert_eq!(codes[0], codes[1]);
//! assert_ne!(codes[0], codes[2]);
//! assert!((model.report().inertia - 0.02).abs() < 1e-12);
//! # Ok::<(), tiercast::Error>(())
//! ```
//!
//! # How it searches
//! Each start is a greedy k-means++ start followed by Lloyd's iterations. Where there are many rows, the starts are
//! searched on a sample and only the best one is continued on all rows (Bradley and Fayyad, "Refining initial points
//! for k-means clustering", ICML 1998): what it ends at is a resting place of Lloyd's algorithm on all rows by the same
//! rule as without a sample, from where few iterations are left. Bounds that spare distances (Elkan 2003, Hamerly 2010)
//! are not used: the few iterations on all rows leave nothing for them to gain.
//!
//! # What it rests on
//! The same points, parameters and keys give the same bits at any number of threads and with any instruction set
//! (see the kernels): rows are in a fixed order, chunks have a fixed size, sums are added in their order.

pub(super) mod kernel;
mod lloyd;
mod params;
pub(super) mod reference;
mod seeding;

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};
use serde::Serialize;

pub use params::{Init, KMeansParams, KMeansValidParams, MOST_CLUSTERS};

use super::points::{Columns, Points};
use super::sample::{self, RowKey, by_number};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Rows of a sample for each cluster, at least.
const ROWS_PER_CLUSTER: usize = 512;

/// On the sample the best start is brought to rest this much more closely before it goes on to all rows: it costs little
/// there, and whatever is left would have to be done on all of them.
const CLOSER_ON_SAMPLES: f64 = 0.01;

/// How one start went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StartReport {
    /// Its number, from 1.
    pub start: u32,
    /// The sum of squared distances from the nearest centre, on the rows that it was searched on.
    pub inertia: f64,
    /// Iterations.
    pub iterations: u32,
    /// Whether the centres came to rest.
    pub converged: bool,
    /// How often an empty cluster was put elsewhere.
    pub relocated: u32,
}

/// How the centres were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KMeansReport {
    /// Clusters that were asked for.
    pub clusters_wanted: usize,
    /// Clusters that there are: fewer where fewer points differ.
    pub clusters: usize,
    /// Points.
    pub points: u64,
    /// Features.
    pub features: usize,
    /// Rows on which the starts were searched, when those were a sample.
    pub sample: Option<u64>,
    /// The starts.
    pub starts: Vec<StartReport>,
    /// The number of the start that was kept.
    pub best_start: u32,
    /// Its iterations on all points: those after the sample's, or the start's own.
    pub iterations: u32,
    /// Whether its centres came to rest on all points.
    pub converged: bool,
    /// The sum of squared distances of all points from their nearest centre.
    pub inertia: f64,
    /// Points of each cluster.
    pub counts: Vec<u64>,
}

/// Centres of clusters, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    centres: Array2<f64>,
    report: KMeansReport,
}

impl KMeans {
    /// Parameters for so many clusters, to be changed and then fitted.
    pub fn params(clusters: usize) -> KMeansParams {
        KMeansParams::new(clusters)
    }

    /// One row per cluster.
    pub fn centres(&self) -> &Array2<f64> {
        &self.centres
    }

    /// How they were found.
    pub fn report(&self) -> &KMeansReport {
        &self.report
    }

    /// The nearest centre of every point, the lower number of two equally near, and the sum of squared distances.
    ///
    /// # Errors
    /// [`Error::Value`] when the points have another number of features than the centres.
    pub fn assign(&self, points: &Points<'_>) -> Result<(Vec<u16>, f64)> {
        if points.features() != self.centres.ncols() {
            return Err(Error::value(
                "the number of features",
                points.features(),
                format!("the centres have {}", self.centres.ncols()),
                "give the features that were fitted, in their order",
            ));
        }
        let centres: Vec<f64> = self.centres.iter().copied().collect();
        let (codes, _, inertia) = lloyd::assign(points, &centres);
        Ok((codes, inertia))
    }
}

impl KMeansValidParams {
    /// Centres for `points`, and the nearest one of each.
    ///
    /// `key` is what a row is known by where samples are drawn.
    ///
    /// # Errors
    /// [`Error::Value`] where there is no point, or given centres have other features; [`Error::Interrupted`] when
    /// `progress` asks for it.
    pub fn fit_points(
        &self,
        points: &Points<'_>,
        key: RowKey<'_>,
        progress: &dyn Progress,
    ) -> Result<(KMeans, Vec<u16>)> {
        if points.rows() == 0 {
            return Err(Error::value(
                "the number of points",
                0,
                "there is nothing to group",
                "give some points",
            ));
        }
        let given = match &self.init {
            Init::PlusPlus => None,
            Init::Precomputed(centres) if centres.ncols() == points.features() => Some(centres),
            Init::Precomputed(centres) => {
                return Err(Error::value(
                    "the number of features of given centres",
                    centres.ncols(),
                    format!("the points have {}", points.features()),
                    "give centres for the same features",
                ));
            }
        };
        let starts = if given.is_some() { 1 } else { self.starts };
        progress.phase("clustering", u64::from(starts));

        let rows = self.sample.map_or(usize::MAX, |rows| rows.max(ROWS_PER_CLUSTER * self.clusters));
        if given.is_none() && points.rows() / 2 > rows {
            let chosen = sample::choose(points.rows(), rows, key, self.seed, 0);
            let columns = points.select(&chosen);
            let sampled = Points::new(columns.iter().map(Vec::as_slice).collect());
            // A sample may lack what makes all points different enough; then they are all searched.
            if let Ok(sampled) = sampled {
                let (best, reports, number) = self.best_start(&sampled, None, progress)?;
                if best.counts.len() == self.clusters {
                    let closer = self.rule(&sampled, CLOSER_ON_SAMPLES * self.tolerance);
                    let best = lloyd::run(&sampled, best.centres, &closer, progress)?;
                    let whole =
                        lloyd::run(points, best.centres, &self.rule(points, self.tolerance), progress)?;
                    return self.model(points, Some(rows as u64), reports, number, whole);
                }
            }
        }
        let (best, reports, number) = self.best_start(points, given, progress)?;
        self.model(points, None, reports, number, best)
    }

    fn rule(&self, points: &Points<'_>, tolerance: f64) -> lloyd::Rule {
        lloyd::Rule { shift: tolerance * points.mean_variance(), max_iterations: self.max_iterations }
    }

    /// The start with the least inertia (of equal ones the first), what became of each, and its number.
    fn best_start(
        &self,
        points: &Points<'_>,
        given: Option<&Array2<f64>>,
        progress: &dyn Progress,
    ) -> Result<(lloyd::Outcome, Vec<StartReport>, u32)> {
        let rule = self.rule(points, self.tolerance);
        let mut reports = Vec::new();
        let mut best: Option<(lloyd::Outcome, u32)> = None;
        let starts = if given.is_some() { 1 } else { self.starts };
        for start in 1..=starts {
            let centres = match given {
                Some(centres) => centres.iter().copied().collect(),
                None => seeding::plus_plus(points, self.clusters, self.seed, start, progress)?,
            };
            let outcome = lloyd::run(points, centres, &rule, progress)?;
            reports.push(StartReport {
                start,
                inertia: outcome.inertia,
                iterations: outcome.iterations,
                converged: outcome.converged,
                relocated: outcome.relocated,
            });
            if best.as_ref().is_none_or(|(best, _)| outcome.inertia < best.inertia) {
                best = Some((outcome, start));
            }
            progress.advance(1);
        }
        let (best, number) = best.ok_or_else(|| Error::internal("clustering", "no start was asked for"))?;
        Ok((best, reports, number))
    }

    fn model(
        &self,
        points: &Points<'_>,
        sample: Option<u64>,
        starts: Vec<StartReport>,
        best_start: u32,
        found: lloyd::Outcome,
    ) -> Result<(KMeans, Vec<u16>)> {
        let report = KMeansReport {
            clusters_wanted: self.clusters,
            clusters: found.counts.len(),
            points: points.rows() as u64,
            features: points.features(),
            sample,
            starts,
            best_start,
            iterations: found.iterations,
            converged: found.converged,
            inertia: found.inertia,
            counts: found.counts,
        };
        let centres = Array2::from_shape_vec((report.clusters, report.features), found.centres)
            .map_err(|e| Error::internal("clustering", e))?;
        Ok((KMeans { centres, report }, found.codes))
    }
}

/// Rows are known by their numbers, and nobody watches: [`KMeansValidParams::fit_points`] has both, and copies nothing.
impl<D: Data<Elem = f64>, T> Fit<ArrayBase<D, Ix2>, T, Error> for KMeansValidParams {
    type Object = KMeans;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<KMeans> {
        let columns = Columns::of(dataset.records().view());
        let points = Points::new(columns.slices())?;
        Ok(self.fit_points(&points, &by_number, &())?.0)
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>> for KMeans {
    /// # Panics
    /// When points are no finite numbers or have other features than the centres; [`KMeans::assign`] says so instead.
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<usize>) {
        assert_eq!(x.nrows(), y.len(), "there must be one target per point");
        let columns = Columns::of(x.view());
        let assigned = Points::new(columns.slices()).and_then(|points| self.assign(&points));
        match assigned {
            Ok((codes, _)) => y.iter_mut().zip(codes).for_each(|(y, code)| *y = usize::from(code)),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(x.nrows())
    }
}

#[cfg(test)]
mod slow;
#[cfg(test)]
mod tests;
