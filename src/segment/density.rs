//! DBSCAN: groups of any shape where points are dense, and noise elsewhere; linfa's, on a sample.
//!
//! Ester, Kriegel, Sander and Xu, "A density-based algorithm for discovering clusters in large spatial databases with
//! noise" (KDD 1996). linfa finds the groups of a sample's core points (those with at least `min_points` points of the
//! sample, themselves included, within the radius). Then *every* row, sampled or not, is in the group of the nearest
//! core point if that is within the radius, and noise otherwise. For a row of the sample that is DBSCAN's own answer,
//! except that a border point in reach of several groups goes to the nearest instead of the first found.

use linfa::ParamGuard;
use linfa::traits::Transformer;
use linfa_clustering::Dbscan;
use linfa_nn::distance::L2Dist;
use linfa_nn::{CommonNearestNeighbour, NearestNeighbour};
use ndarray::{Array2, ArrayView1, Axis};
use serde::{Deserialize, Serialize};

use super::points::Points;
use super::sample::{self, RowKey};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;

/// Rows between two looks at whether the work is to stop.
const CHUNK: usize = 4096;

/// What is dense.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DensityOptions {
    /// How far a neighbour may be, in the units of the features (standard deviations where they are standardised).
    pub radius: f64,
    /// Points of the sample within the radius, itself included, from which on a point is a core point; at least 2. With
    /// a smaller sample fewer are within reach: keep the sample when comparing.
    pub min_points: usize,
    /// Rows of the sample. Time grows with its size times the neighbours of each, and it is serial.
    pub sample: usize,
    /// The seed of the sample.
    pub seed: u64,
}

impl DensityOptions {
    /// With a sample of 20,000 rows and seed 1.
    pub fn new(radius: f64, min_points: usize) -> DensityOptions {
        DensityOptions { radius, min_points, sample: 20_000, seed: 1 }
    }

    fn check(&self) -> Result<()> {
        if !(self.radius.is_finite() && self.radius > 0.0) {
            let remedy = "give a positive distance such as 0.3";
            return Err(Error::value(
                "the radius of neighbours",
                self.radius,
                "it is no positive number",
                remedy,
            ));
        }
        if self.min_points < 2 {
            let remedy = "give a number from 2 on";
            let problem = "every point would be dense";
            return Err(Error::value("the points that are dense", self.min_points, problem, remedy));
        }
        if self.sample < self.min_points {
            let remedy = format!("give at least {}, better thousands", self.min_points);
            return Err(Error::value("the sample", self.sample, "nothing in it could be dense", remedy));
        }
        Ok(())
    }
}

/// The dense groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Density {
    /// The group of every row, from 0 in the order of their first core points; none for noise.
    #[serde(skip)]
    pub codes: Vec<Option<u32>>,
    /// Rows of each group.
    pub counts: Vec<u64>,
    /// Rows that are noise.
    pub noise: u64,
    /// Rows in which the groups were looked for.
    pub fitted_on: u64,
    /// Core points among those.
    pub core_points: u64,
}

/// Looks for dense groups. `key` is what a row is known by where the sample is drawn.
///
/// # Errors
/// [`Error::Value`] for impossible options, [`Error::Interrupted`] when `progress` asks for it.
pub fn dense(
    points: &Points<'_>,
    options: &DensityOptions,
    key: RowKey<'_>,
    progress: &dyn Progress,
) -> Result<Density> {
    options.check()?;
    let internal = |e: linfa_nn::BuildError| Error::internal("looking for dense groups", e);
    progress.phase("dense groups", points.rows().div_ceil(CHUNK) as u64);
    let rows = sample::choose(points.rows(), options.sample, key, options.seed, 0);
    let sampled = rows_of(points, &rows);
    let labels = Dbscan::params(options.min_points)
        .tolerance(options.radius)
        .check()
        .map_err(|e| Error::internal("looking for dense groups", e))?
        .transform(&sampled);
    progress.check()?;

    // Core points are counted with the index that linfa itself uses.
    let index = CommonNearestNeighbour::KdTree.from_batch(&sampled, L2Dist).map_err(internal)?;
    let dense = parallel::collect(rows.len(), |at| {
        labels[at].is_some()
            && index
                .within_range(sampled.row(at), options.radius)
                .is_ok_and(|near| near.len() >= options.min_points)
    });
    let core: Vec<usize> = (0..rows.len()).filter(|&at| dense[at]).collect();
    let mut found = Density {
        codes: vec![None; points.rows()],
        counts: Vec::new(),
        noise: points.rows() as u64,
        fitted_on: rows.len() as u64,
        core_points: core.len() as u64,
    };
    if core.is_empty() {
        return Ok(found);
    }
    let names = names(core.iter().filter_map(|&at| labels[at]));
    let cores = sampled.select(Axis(0), &core);
    let index = CommonNearestNeighbour::KdTree.from_batch(&cores, L2Dist).map_err(internal)?;
    let within = options.radius * options.radius;
    let group = |row: usize| {
        let point = points.point(row);
        let nearest = index.k_nearest(ArrayView1::from(&point), 1).ok()?;
        let &(ref centre, at) = nearest.first()?;
        let square: f64 = centre.iter().zip(&point).map(|(a, b)| (a - b) * (a - b)).sum();
        if square <= within { labels[core[at]].map(|label| names[label]) } else { None }
    };
    let chunks = parallel::map_chunks(points.rows(), CHUNK, |rows| {
        progress.check()?;
        let codes: Vec<Option<u32>> = rows.map(group).collect();
        progress.advance(1);
        Ok::<_, Error>(codes)
    });
    found.codes = chunks.into_iter().collect::<Result<Vec<_>>>()?.concat();
    found.counts = vec![0; names.iter().filter(|&&name| name != u32::MAX).count()];
    for code in found.codes.iter().flatten() {
        found.counts[*code as usize] += 1;
        found.noise -= 1;
    }
    Ok(found)
}

/// New numbers for labels, in the order in which they come.
fn names(labels: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut names = Vec::new();
    let mut next = 0;
    for label in labels {
        if names.len() <= label {
            names.resize(label + 1, u32::MAX);
        }
        if names[label] == u32::MAX {
            names[label] = next;
            next += 1;
        }
    }
    names
}

fn rows_of(points: &Points<'_>, rows: &[usize]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), points.features()), |(at, j)| points.column(j)[rows[at]])
}

#[cfg(test)]
mod tests {
    use super::super::sample::by_number;
    use super::*;
    use crate::random::{Purpose, Stream};

    /// Two rings, one inside the other, and a few far points.
    fn rings(n: u64) -> (Vec<f64>, Vec<f64>) {
        let mut columns = (Vec::new(), Vec::new());
        for i in 0..n {
            let mut draw = Stream::new(3, i, 0, Purpose::Synth);
            let angle = draw.uniform() * std::f64::consts::TAU;
            let radius = if i % 100 == 99 { 10.0 } else { 1.0 + 2.0 * (i % 2) as f64 } + 0.05 * draw.normal();
            columns.0.push(radius * angle.cos());
            columns.1.push(radius * angle.sin());
        }
        columns
    }

    /// The obvious way: core points by counting, groups by spreading, every row to the nearest core point.
    fn slow(points: &[(f64, f64)], radius: f64, min_points: usize) -> Vec<Option<u32>> {
        let apart =
            |a: usize, b: usize| (points[a].0 - points[b].0).powi(2) + (points[a].1 - points[b].1).powi(2);
        let near = |a: usize| (0..points.len()).filter(move |&b| apart(a, b) <= radius * radius);
        let core: Vec<usize> = (0..points.len()).filter(|&a| near(a).count() >= min_points).collect();
        let mut group = vec![None; points.len()];
        let mut next = 0;
        for &first in &core {
            if group[first].is_some() {
                continue;
            }
            let mut open = vec![first];
            while let Some(a) = open.pop() {
                if group[a].is_none() {
                    group[a] = Some(next);
                    open.extend(near(a).filter(|b| core.binary_search(b).is_ok()));
                }
            }
            next += 1;
        }
        (0..points.len())
            .map(|a| {
                let nearest = core.iter().min_by(|&&b, &&c| apart(a, b).total_cmp(&apart(a, c)))?;
                if apart(a, *nearest) <= radius * radius { group[*nearest] } else { None }
            })
            .collect()
    }

    #[test]
    fn as_the_slow_way() {
        let (x, y) = rings(600);
        let points = Points::new(vec![&x, &y]).unwrap();
        let found = dense(&points, &DensityOptions::new(0.4, 5), &by_number, &()).unwrap();
        let pairs: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
        assert_eq!(found.codes, slow(&pairs, 0.4, 5));
        assert_eq!(found.counts.len(), 2);
        assert_eq!(found.counts.iter().sum::<u64>() + found.noise, 600);
        assert!(found.noise >= 6);
        for threads in [1, 3] {
            let other = parallel::with_threads(threads, || {
                dense(&points, &DensityOptions::new(0.4, 5), &by_number, &()).unwrap()
            });
            assert_eq!(other.unwrap(), found);
        }
    }

    #[test]
    fn a_sample_assigns_everybody() {
        let (x, y) = rings(4000);
        let points = Points::new(vec![&x, &y]).unwrap();
        let options = DensityOptions { sample: 1000, ..DensityOptions::new(0.5, 5) };
        let found = dense(&points, &options, &by_number, &()).unwrap();
        assert_eq!((found.fitted_on, found.codes.len(), found.counts.len()), (1000, 4000, 2));
        for (i, code) in found.codes.iter().enumerate() {
            if i % 100 != 99 {
                assert_eq!(code.unwrap() % 2, (found.codes[0].unwrap() + i as u32) % 2, "{i}");
            }
        }
    }

    #[test]
    fn nothing_dense_duplicates_and_refusals() {
        let x: Vec<f64> = (0..50).map(f64::from).collect();
        let points = Points::new(vec![&x]).unwrap();
        let found = dense(&points, &DensityOptions::new(0.5, 3), &by_number, &()).unwrap();
        assert_eq!((found.noise, found.core_points, found.counts.len()), (50, 0, 0));
        let same = Points::new(vec![&[2.0; 500]]).unwrap();
        let found = dense(&same, &DensityOptions::new(0.5, 3), &by_number, &()).unwrap();
        assert_eq!(found.counts, [500]);
        let none = Points::new(vec![&[]]).unwrap();
        assert!(dense(&none, &DensityOptions::new(0.5, 3), &by_number, &()).unwrap().codes.is_empty());
        for (radius, min_points) in [(0.0, 3), (f64::NAN, 3), (0.5, 1)] {
            assert!(dense(&points, &DensityOptions::new(radius, min_points), &by_number, &()).is_err());
        }
        let small = DensityOptions { sample: 2, ..DensityOptions::new(0.5, 3) };
        assert!(dense(&points, &small, &by_number, &()).unwrap_err().to_string().contains("sample"));
    }
}
