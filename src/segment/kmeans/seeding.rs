//! Starts: greedy k-means++.
//!
//! Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding" (SODA 2007), with the greedy choice among
//! 2 + ⌊ln k⌋ candidates of scikit-learn (their section 3): of candidates drawn with probabilities proportional to the
//! squared distance from the nearest centre so far, the one that leaves the least sum of such distances is taken.

use std::ops::Range;

use super::kernel::{TILE, closer};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::random::{NOBODY, Purpose, Stream};
use crate::segment::points::{CHUNK, Points, sum};

/// Up to `clusters` different points of `points`, one after the other; fewer where there are not so many.
///
/// The random numbers are those of (seed, start): neither threads nor other starts change them.
pub(super) fn plus_plus(
    points: &Points<'_>,
    clusters: usize,
    seed: u64,
    start: u32,
    progress: &dyn Progress,
) -> Result<Vec<f64>> {
    let rows = points.rows();
    if rows == 0 {
        return Ok(Vec::new());
    }
    let mut random = Stream::new(seed, NOBODY, start, Purpose::Library);
    let candidates = 2 + (clusters as f64).ln() as usize;
    let first = ((random.uniform() * rows as f64) as usize).min(rows - 1);
    let mut centres = points.point(first);
    let mut closest = vec![f64::INFINITY; rows];
    let mut sums = take_in(points, &centres, &mut closest);
    for _ in 1..clusters {
        progress.check()?;
        let potential: f64 = sums.iter().sum();
        if potential <= 0.0 {
            // Every point is a centre by now.
            break;
        }
        let drawn: Vec<Vec<f64>> = (0..candidates)
            .map(|_| points.point(draw(&closest, &sums, random.uniform() * potential)))
            .collect();
        let left = potentials(points, &drawn, &closest);
        let mut best = 0;
        for (at, potential) in left.iter().enumerate() {
            if *potential < left[best] {
                best = at;
            }
        }
        sums = take_in(points, &drawn[best], &mut closest);
        centres.extend_from_slice(&drawn[best]);
    }
    Ok(centres)
}

/// Lowers `closest` to the squared distances from `centre` where those are less; the sums of its chunks.
fn take_in(points: &Points<'_>, centre: &[f64], closest: &mut [f64]) -> Vec<f64> {
    let parts: Vec<(usize, &mut [f64])> = closest.chunks_mut(CHUNK).enumerate().collect();
    parallel::map_items(parts, |(at, part)| {
        let mut out = [0.0; TILE];
        for (number, tile) in part.chunks_mut(TILE).enumerate() {
            let from = at * CHUNK + number * TILE;
            let out = &mut out[..tile.len()];
            closer(points, from..from + tile.len(), centre, tile, out);
            tile.copy_from_slice(out);
        }
        sum(part)
    })
}

/// What the sum of `closest` would be with each of the candidates as the next centre.
fn potentials(points: &Points<'_>, candidates: &[Vec<f64>], closest: &[f64]) -> Vec<f64> {
    let chunk = |rows: Range<usize>| {
        let mut out = [0.0; TILE];
        let mut sums = vec![0.0; candidates.len()];
        for from in rows.clone().step_by(TILE) {
            let tile = from..(from + TILE).min(rows.end);
            let out = &mut out[..tile.len()];
            for (candidate, total) in candidates.iter().zip(&mut sums) {
                closer(points, tile.clone(), candidate, &closest[tile.clone()], out);
                *total += sum(out);
            }
        }
        sums
    };
    let add = |mut a: Vec<f64>, b: Vec<f64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    parallel::reduce_chunks(points.rows(), CHUNK, chunk, add).unwrap_or_default()
}

/// The row at which the running sum of `weights` passes `at`; `sums` are those of its chunks.
fn draw(weights: &[f64], sums: &[f64], at: f64) -> usize {
    let mut left = at;
    for (chunk, part) in weights.chunks(CHUNK).enumerate() {
        if left < sums[chunk] {
            for (row, weight) in part.iter().enumerate() {
                if left < *weight {
                    return chunk * CHUNK + row;
                }
                left -= weight;
            }
        } else {
            left -= sums[chunk];
        }
    }
    // Rounding may carry past the end: then it is the last row that could have been drawn.
    weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_proportional_and_never_of_weight_nothing() {
        let mut weights = vec![0.0; 10_000];
        weights[17] = 1.0;
        weights[5000] = 3.0;
        weights[9000] = 4.0;
        let sums: Vec<f64> = weights.chunks(CHUNK).map(sum).collect();
        for (at, row) in
            [(0.0, 17), (0.99, 17), (1.0, 5000), (3.9, 5000), (4.5, 9000), (8.0, 9000), (9.0, 9000)]
        {
            assert_eq!(draw(&weights, &sums, at), row, "{at}");
        }
    }

    #[test]
    fn centres_are_different_points() {
        let x: Vec<f64> = (0..1000).map(|i| f64::from(i % 5)).collect();
        let points = Points::new(vec![&x]).unwrap();
        for start in 0..20 {
            let mut centres = plus_plus(&points, 9, 1, start, &()).unwrap();
            centres.sort_by(f64::total_cmp);
            assert_eq!(centres, [0.0, 1.0, 2.0, 3.0, 4.0]);
        }
        assert!(plus_plus(&Points::new(vec![&[]]).unwrap(), 3, 1, 0, &()).unwrap().is_empty());
    }

    /// The expected sum after k-means++ is at most 8 (ln k + 2) times the least possible one; greedy starts are far
    /// below, and so is each of these.
    #[test]
    fn starts_are_good() {
        let x: Vec<f64> = (0..4000).map(|i| f64::from(i % 8) * 100.0 + f64::from(i / 8) / 500.0).collect();
        let points = Points::new(vec![&x]).unwrap();
        for start in 0..20 {
            let mut centres = plus_plus(&points, 8, 3, start, &()).unwrap();
            centres.sort_by(f64::total_cmp);
            for (at, centre) in centres.iter().enumerate() {
                assert!((centre - 100.0 * at as f64 - 0.5).abs() <= 0.5, "{centres:?}");
            }
        }
    }
}
