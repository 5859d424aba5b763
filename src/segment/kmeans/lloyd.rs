//! Lloyd's algorithm: each point to its nearest centre, each centre to the mean of its points, until they rest.
//!
//! Lloyd, "Least squares quantization in PCM" (IEEE Transactions on Information Theory 28, 1982). Sums are taken by
//! chunks of fixed size and added in their order, as differences from the features' means, so that a large common part
//! of all values costs no digits.

use std::ops::Range;

use super::kernel::{TILE, by_features, nearest};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::segment::points::{CHUNK, Points, sum};

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The sum of squared shifts of all centres below which they rest: the tolerance times the mean variance.
    pub(super) shift: f64,
    pub(super) max_iterations: u32,
}

/// Where a search ended.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// One after the other.
    pub(super) centres: Vec<f64>,
    /// The nearest of them for each point.
    pub(super) codes: Vec<u16>,
    /// Points of each.
    pub(super) counts: Vec<u64>,
    /// The sum of squared distances from the nearest centre.
    pub(super) inertia: f64,
    pub(super) iterations: u32,
    pub(super) converged: bool,
    /// How often an empty cluster was put elsewhere.
    pub(super) relocated: u32,
}

/// Iterates from `centres` (one after the other, at least one).
pub(super) fn run(
    points: &Points<'_>,
    mut centres: Vec<f64>,
    rule: &Rule,
    progress: &dyn Progress,
) -> Result<Outcome> {
    // No cluster has this number, so that the first assignment is a change for every point.
    let mut codes = vec![u16::MAX; points.rows()];
    let (mut iterations, mut converged, mut relocated) = (0, false, 0);
    while iterations < rule.max_iterations && !converged {
        progress.check()?;
        iterations += 1;
        let mut step = step(points, &centres, &mut codes);
        let moved = relocate(points, &centres, &codes, &mut step);
        relocated += moved;
        let next = means(points, &centres, &step);
        let shift: f64 = centres.iter().zip(&next).map(|(a, b)| (a - b) * (a - b)).sum();
        centres = next;
        // The rule of scikit-learn: no point changed its cluster, or the centres moved by less than the tolerance.
        converged = (!step.changed && moved == 0) || shift <= rule.shift;
    }
    let (codes, counts, inertia) = assign(points, &centres);
    Ok(Outcome { centres, codes, counts, inertia, iterations, converged, relocated })
}

/// The nearest centre of every point, the points of each, and the sum of squared distances.
pub(super) fn assign(points: &Points<'_>, centres: &[f64]) -> (Vec<u16>, Vec<u64>, f64) {
    let clusters = centres.len() / points.features();
    let mut codes = vec![0u16; points.rows()];
    let parts: Vec<(usize, &mut [u16])> = codes.chunks_mut(CHUNK).enumerate().collect();
    let sums = parallel::map_items(parts, |(at, part)| {
        let mut counts = vec![0u64; clusters];
        let mut inertia = 0.0;
        tiles(points, at, part.len(), centres, |tile, _, distances, found| {
            for (code, found) in part[tile].iter_mut().zip(found) {
                *code = *found as u16;
                counts[*found as usize] += 1;
            }
            inertia += sum(distances);
        });
        (counts, inertia)
    });
    let mut counts = vec![0; clusters];
    let mut inertia = 0.0;
    for (of_chunk, distances) in sums {
        counts.iter_mut().zip(of_chunk).for_each(|(a, b)| *a += b);
        inertia += distances;
    }
    (codes, counts, inertia)
}

/// Sums over the points of each cluster.
struct Step {
    /// Differences from the features' means, one cluster after the other.
    sums: Vec<f64>,
    counts: Vec<u64>,
    changed: bool,
}

/// Assigns every point and adds up those of each cluster.
fn step(points: &Points<'_>, centres: &[f64], codes: &mut [u16]) -> Step {
    let features = points.features();
    let clusters = centres.len() / features;
    let parts: Vec<(usize, &mut [u16])> = codes.chunks_mut(CHUNK).enumerate().collect();
    let chunks = parallel::map_items(parts, |(at, part)| {
        let mut of_chunk =
            Step { sums: vec![0.0; SETS * centres.len()], counts: vec![0; SETS * clusters], changed: false };
        tiles(points, at, part.len(), centres, |tile, rows, _, found| {
            for (code, found) in part[tile].iter_mut().zip(found) {
                of_chunk.changed |= *code != *found as u16;
                *code = *found as u16;
            }
            by_features!(features, D => {
                let sums = of_chunk.sums.as_chunks_mut::<D>().0;
                add::<D>(points.parts_of::<D>(rows), found, points.means(), sums, &mut of_chunk.counts)
            }, _ => add_any(&points.parts(rows), found, points.means(), &mut of_chunk))
        });
        of_chunk
    });
    let mut total = Step { sums: vec![0.0; centres.len()], counts: vec![0; clusters], changed: false };
    for chunk in chunks {
        for set in chunk.sums.chunks_exact(centres.len()) {
            total.sums.iter_mut().zip(set).for_each(|(a, b)| *a += b);
        }
        for set in chunk.counts.chunks_exact(clusters) {
            total.counts.iter_mut().zip(set).for_each(|(a, b)| *a += b);
        }
        total.changed |= chunk.changed;
    }
    total
}

/// Calls `take(place in the chunk, rows, distances, codes)` for each tile of the chunk `at`.
fn tiles(
    points: &Points<'_>,
    at: usize,
    len: usize,
    centres: &[f64],
    mut take: impl FnMut(Range<usize>, Range<usize>, &[f64], &[u64]),
) {
    let (mut distances, mut found) = ([0.0; TILE], [0u64; TILE]);
    for from in (0..len).step_by(TILE) {
        let tile = from..(from + TILE).min(len);
        let rows = at * CHUNK + tile.start..at * CHUNK + tile.end;
        let (distances, found) = (&mut distances[..tile.len()], &mut found[..tile.len()]);
        nearest(points, rows.clone(), centres, distances, found);
        take(tile, rows, distances, found);
    }
}

/// Points with even and with odd numbers are added up apart: the next one then need not wait until the sum of its
/// cluster has been stored.
const SETS: usize = 2;

#[inline]
fn add<const D: usize>(
    x: [&[f64]; D],
    codes: &[u64],
    means: &[f64],
    sums: &mut [[f64; D]],
    counts: &mut [u64],
) {
    let clusters = counts.len() / SETS;
    let mut from = [0.0; D];
    from.copy_from_slice(means);
    let x = x.map(|x| &x[..codes.len()]);
    for (i, code) in codes.iter().enumerate() {
        let at = (i % SETS) * clusters + *code as usize;
        let sums = &mut sums[at];
        for j in 0..D {
            sums[j] += x[j][i] - from[j];
        }
        counts[at] += 1;
    }
}

fn add_any(x: &[&[f64]], codes: &[u64], means: &[f64], step: &mut Step) {
    let clusters = step.counts.len() / SETS;
    for (i, code) in codes.iter().enumerate() {
        let at = (i % SETS) * clusters + *code as usize;
        let sums = &mut step.sums[at * x.len()..][..x.len()];
        for ((sum, x), mean) in sums.iter_mut().zip(x).zip(means) {
            *sum += x[i] - mean;
        }
        step.counts[at] += 1;
    }
}

/// The mean of each cluster; one that is empty stays where it is.
fn means(points: &Points<'_>, centres: &[f64], step: &Step) -> Vec<f64> {
    let features = points.features();
    let mut next = centres.to_vec();
    for (at, &count) in step.counts.iter().enumerate() {
        if count > 0 {
            for j in 0..features {
                next[at * features + j] = points.means()[j] + step.sums[at * features + j] / count as f64;
            }
        }
    }
    next
}

/// Gives each empty cluster the point that is farthest from its centre (of equally far ones the first), as
/// scikit-learn does; a cluster's only point stays. The number of clusters that got one.
fn relocate(points: &Points<'_>, centres: &[f64], codes: &[u16], step: &mut Step) -> u32 {
    let empty: Vec<usize> = (0..step.counts.len()).filter(|&at| step.counts[at] == 0).collect();
    if empty.is_empty() {
        return 0;
    }
    let features = points.features();
    // No more candidates can be a cluster's only point than there are clusters.
    let mut far = farthest(points, centres, empty.len() + step.counts.len()).into_iter();
    let mut moved = 0;
    for at in empty {
        let Some((_, row)) =
            far.find(|&(distance, row)| distance > 0.0 && step.counts[codes[row] as usize] > 1)
        else {
            break;
        };
        let old = codes[row] as usize;
        for j in 0..features {
            let apart = points.column(j)[row] - points.means()[j];
            step.sums[old * features + j] -= apart;
            step.sums[at * features + j] = apart;
        }
        step.counts[old] -= 1;
        step.counts[at] = 1;
        moved += 1;
    }
    moved
}

/// The `wanted` points with the largest squared distances from their centres, farthest first, then by row.
fn farthest(points: &Points<'_>, centres: &[f64], wanted: usize) -> Vec<(f64, usize)> {
    let by_distance = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    let chunks = parallel::map(points.rows().div_ceil(CHUNK), |at| {
        let len = CHUNK.min(points.rows() - at * CHUNK);
        let mut all = Vec::with_capacity(len);
        tiles(points, at, len, centres, |_, rows, distances, _| {
            all.extend(distances.iter().copied().zip(rows));
        });
        all.sort_unstable_by(by_distance);
        all.truncate(wanted);
        all
    });
    let mut all = chunks.concat();
    all.sort_unstable_by(by_distance);
    all.truncate(wanted);
    all
}
