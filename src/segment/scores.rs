//! How good a grouping is by itself: silhouette, and Calinski and Harabasz's ratio of variances.

use std::ops::Range;

use serde::Serialize;

use super::points::{CHUNK, Points};
use super::sample::{self, RowKey};
use crate::error::Result;
use crate::parallel;

/// The silhouette of a grouping.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Silhouette {
    /// Its mean over the rows looked at, −1 to 1.
    pub mean: f64,
    /// Rows looked at: each of them is held against all the others.
    pub rows: u64,
}

/// The mean silhouette on a sample of `wanted` rows; none where the sample has fewer than two groups.
///
/// (b − a) / max(a, b), with a the mean distance from the others of a row's own group and b the least mean distance from
/// another group; 0 for a group's only row. Rousseeuw, "Silhouettes" (Journal of Computational and Applied Mathematics
/// 20, 1987).
///
/// # Errors
/// Those of [`Points::new`] on the sample.
pub fn silhouette(
    points: &Points<'_>,
    codes: &[u16],
    wanted: usize,
    key: RowKey<'_>,
    seed: u64,
) -> Result<Option<Silhouette>> {
    let rows = sample::choose(points.rows(), wanted, key, seed, SAMPLE);
    let codes: Vec<usize> = rows.iter().map(|&row| usize::from(codes[row])).collect();
    let groups = codes.iter().max().map_or(0, |most| most + 1);
    let mut sizes = vec![0u64; groups];
    for &code in &codes {
        sizes[code] += 1;
    }
    if sizes.iter().filter(|&&size| size > 0).count() < 2 {
        return Ok(None);
    }
    let columns = points.select(&rows);
    let of_row = |at: usize| {
        let mut totals = vec![0.0; groups];
        for (other, &code) in codes.iter().enumerate() {
            let square: f64 = columns.iter().map(|x| (x[at] - x[other]) * (x[at] - x[other])).sum();
            totals[code] += square.sqrt();
        }
        let own = codes[at];
        if sizes[own] == 1 {
            return 0.0;
        }
        let within = totals[own] / (sizes[own] - 1) as f64;
        let means = (0..groups).filter(|&g| g != own && sizes[g] > 0).map(|g| totals[g] / sizes[g] as f64);
        let beside = means.fold(f64::INFINITY, f64::min);
        let larger = within.max(beside);
        if larger > 0.0 { (beside - within) / larger } else { 0.0 }
    };
    let total: f64 = parallel::collect(rows.len(), of_row).iter().sum();
    Ok(Some(Silhouette { mean: total / rows.len() as f64, rows: rows.len() as u64 }))
}

/// The replication number of samples for silhouettes: other rows than those on which starts are searched.
const SAMPLE: u32 = 1;

/// The ratio of the variance between groups to that within, each by its degrees of freedom; none with fewer than two
/// groups, with as many groups as rows, or where all rows of a group are alike.
///
/// Caliński and Harabasz, "A dendrite method for cluster analysis" (Communications in Statistics 3, 1974).
pub fn calinski_harabasz(points: &Points<'_>, codes: &[u16]) -> Option<f64> {
    let features = points.features();
    let groups = codes.iter().max().map_or(0, |&most| usize::from(most) + 1);
    let add = |mut a: Vec<f64>, b: Vec<f64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    // Sizes and sums of differences from the means of all.
    let sums = |rows: Range<usize>| {
        let mut sums = vec![0.0; groups * (features + 1)];
        for row in rows {
            let at = usize::from(codes[row]) * (features + 1);
            sums[at] += 1.0;
            for j in 0..features {
                sums[at + 1 + j] += points.column(j)[row] - points.means()[j];
            }
        }
        sums
    };
    let sums = parallel::reduce_chunks(points.rows(), CHUNK, sums, add)?;
    let used = sums.chunks_exact(features + 1).filter(|group| group[0] > 0.0).count();
    if used < 2 || used >= points.rows() {
        return None;
    }
    let apart = |row: usize, j: usize| {
        let group = &sums[usize::from(codes[row]) * (features + 1)..];
        points.column(j)[row] - points.means()[j] - group[1 + j] / group[0]
    };
    let squares = |rows: Range<usize>| {
        rows.map(|row| (0..features).map(|j| apart(row, j) * apart(row, j)).sum::<f64>()).sum::<f64>()
    };
    let within = parallel::reduce_chunks(points.rows(), CHUNK, squares, |a, b| a + b)?;
    let between: f64 = sums
        .chunks_exact(features + 1)
        .filter(|group| group[0] > 0.0)
        .map(|group| group[1..].iter().map(|sum| sum * sum).sum::<f64>() / group[0])
        .sum();
    let ratio = (between / (used - 1) as f64) / (within / (points.rows() - used) as f64);
    ratio.is_finite().then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::super::sample::by_number;
    use super::*;

    /// Ten points in three groups, one of them alone.
    const X: [f64; 10] = [0.0, 0.5, 1.0, 0.2, 5.0, 5.5, 6.1, 5.2, 9.0, 2.5];
    const Y: [f64; 10] = [1.0, 0.7, 1.4, 0.1, 3.0, 3.3, 2.1, 2.9, -4.0, 2.0];
    const CODES: [u16; 10] = [0, 0, 0, 0, 1, 1, 1, 1, 3, 1];

    #[test]
    fn values_of_scikit_learn() {
        let points = Points::new(vec![&X, &Y]).unwrap();
        let silhouette = silhouette(&points, &CODES, 100, &by_number, 1).unwrap().unwrap();
        assert_eq!(silhouette.rows, 10);
        assert!((silhouette.mean - SILHOUETTE).abs() < 1e-14, "{}", silhouette.mean);
        let ratio = calinski_harabasz(&points, &CODES).unwrap();
        assert!((ratio / CALINSKI_HARABASZ - 1.0).abs() < 1e-14, "{ratio}");
    }

    // sklearn.metrics.silhouette_score and calinski_harabasz_score, scikit-learn 1.9.1.
    const SILHOUETTE: f64 = 0.594_378_882_197_497_2;
    const CALINSKI_HARABASZ: f64 = 38.723_365_067_215_25;

    #[test]
    fn where_there_is_no_score() {
        let points = Points::new(vec![&X, &Y]).unwrap();
        assert_eq!(silhouette(&points, &[2; 10], 100, &by_number, 1).unwrap(), None);
        assert_eq!(calinski_harabasz(&points, &[2; 10]), None);
        let each: Vec<u16> = (0..10).collect();
        assert_eq!(calinski_harabasz(&points, &each), None);
        assert_eq!(silhouette(&points, &each, 100, &by_number, 1).unwrap().unwrap().mean, 0.0);
        let alike = Points::new(vec![&[1.0, 1.0, 2.0, 2.0]]).unwrap();
        assert_eq!(calinski_harabasz(&alike, &[0, 0, 1, 1]), None);
    }

    #[test]
    fn a_sample_is_near_the_whole() {
        let x: Vec<f64> = (0..4000).map(|i| f64::from(i % 2) * 3.0 + f64::from(i % 97) / 97.0).collect();
        let codes: Vec<u16> = (0..4000).map(|i| i % 2).collect();
        let points = Points::new(vec![&x]).unwrap();
        let whole = silhouette(&points, &codes, 4000, &by_number, 1).unwrap().unwrap();
        let part = silhouette(&points, &codes, 1000, &by_number, 1).unwrap().unwrap();
        assert_eq!(part.rows, 1000);
        assert!((whole.mean - part.mean).abs() < 0.01, "{} {}", whole.mean, part.mean);
    }
}
