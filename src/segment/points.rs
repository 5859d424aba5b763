//! Points to cluster: columns of numbers, checked once.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result};
use crate::parallel;

/// Rows that one task takes at a time; sums are added in the order of these chunks.
pub(super) const CHUNK: usize = 4096;

/// Squares of larger numbers, added up over features and rows, would overflow.
const LARGEST: f64 = 1e140;

/// Squares of smaller differences would lose their digits.
const SMALLEST: f64 = 1e-140;

/// Points as columns of equal length, all of whose values are finite.
///
/// Columns are borrowed, never copied: distances are computed from several points of one column at a time.
#[derive(Debug, Clone)]
pub struct Points<'a> {
    columns: Vec<&'a [f64]>,
    rows: usize,
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl<'a> Points<'a> {
    /// Points with one coordinate per column, in the order of the columns.
    ///
    /// # Errors
    /// [`Error::Value`] when there is no column, the lengths differ, a value is not finite or so large that its square
    /// would overflow, or the columns differ by so little that squares of differences would vanish.
    pub fn new(columns: Vec<&'a [f64]>) -> Result<Points<'a>> {
        let Some(rows) = columns.first().map(|column| column.len()) else {
            return Err(Error::value(
                "the points to cluster",
                "no columns",
                "there is nothing to compare",
                "give at least one feature that is not the same for everybody",
            ));
        };
        if let Some(at) = columns.iter().position(|column| column.len() != rows) {
            return Err(Error::value(
                format!("the length of feature {}", at + 1),
                columns[at].len(),
                format!("the first feature has {rows} rows"),
                "give columns of one table",
            ));
        }
        let (mut means, mut variances, mut spread) = (Vec::new(), Vec::new(), 0.0f64);
        for (at, column) in columns.iter().enumerate() {
            let range = range(column);
            if range.sum.is_nan() || range.largest > LARGEST {
                return Err(refused(at, column));
            }
            let mean = if rows > 0 { range.sum / rows as f64 } else { 0.0 };
            means.push(mean);
            variances.push(variance(column, mean));
            spread = spread.max(range.most - range.least);
        }
        if spread > 0.0 && spread < SMALLEST {
            return Err(Error::value(
                "the largest difference of two points",
                spread,
                "squared distances would be lost in rounding",
                "standardise the features first",
            ));
        }
        Ok(Points { columns, rows, means, variances })
    }

    /// Points.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Features.
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// One feature of all points.
    pub fn column(&self, at: usize) -> &'a [f64] {
        self.columns[at]
    }

    /// The mean of every feature.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The variance (divided by n) of every feature.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The mean of the features' variances, by which tolerances are scaled.
    pub fn mean_variance(&self) -> f64 {
        self.variances.iter().sum::<f64>() / self.features() as f64
    }

    /// Copies the coordinates of one point.
    pub fn point(&self, row: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// The columns' parts in `rows`.
    pub(super) fn parts(&self, rows: Range<usize>) -> Vec<&'a [f64]> {
        self.columns.iter().map(|column| &column[rows.clone()]).collect()
    }

    /// The columns' parts in `rows`, when there are `D` columns.
    #[inline]
    pub(super) fn parts_of<const D: usize>(&self, rows: Range<usize>) -> [&'a [f64]; D] {
        let mut parts = [&[][..]; D];
        for (part, column) in parts.iter_mut().zip(&self.columns) {
            *part = &column[rows.clone()];
        }
        parts
    }

    /// Those rows of every column, in that order; a row may be named more than once.
    pub(super) fn select(&self, rows: &[usize]) -> Vec<Vec<f64>> {
        self.columns.iter().map(|column| parallel::collect(rows.len(), |at| column[rows[at]])).collect()
    }

    /// One row per point, as linfa's own algorithms want it.
    pub(super) fn to_array(&self) -> Array2<f64> {
        let mut array = Array2::zeros((self.rows, self.features()));
        for (mut target, column) in array.columns_mut().into_iter().zip(&self.columns) {
            target.iter_mut().zip(*column).for_each(|(slot, &x)| *slot = x);
        }
        array
    }

    /// How many different points there are, counted up to `enough`.
    pub(super) fn distinct(&self, enough: usize) -> usize {
        let mut seen: Vec<Vec<f64>> = Vec::new();
        for row in 0..self.rows {
            if seen.len() == enough {
                break;
            }
            if !seen.iter().any(|other| other.iter().zip(&self.columns).all(|(a, column)| *a == column[row]))
            {
                seen.push(self.point(row));
            }
        }
        seen.len()
    }
}

/// Columns made from an array: borrowed where it is stored by column, otherwise copied.
pub(super) enum Columns<'a> {
    Borrowed(Vec<&'a [f64]>),
    Owned(Vec<Vec<f64>>),
}

impl<'a> Columns<'a> {
    pub(super) fn of(array: ArrayView2<'a, f64>) -> Columns<'a> {
        let rows = array.nrows();
        // Element (i, j) of an array stored by column is number j·rows + i.
        if array.t().is_standard_layout()
            && let Some(whole) = array.reversed_axes().to_slice()
        {
            return match rows {
                0 => Columns::Borrowed(vec![&[]; array.ncols()]),
                _ => Columns::Borrowed(whole.chunks_exact(rows).collect()),
            };
        }
        Columns::Owned(parallel::map(array.ncols(), |j| array.column(j).iter().copied().collect()))
    }

    pub(super) fn slices(&self) -> Vec<&[f64]> {
        match self {
            Columns::Borrowed(columns) => columns.clone(),
            Columns::Owned(columns) => columns.iter().map(Vec::as_slice).collect(),
        }
    }
}

struct Extent {
    sum: f64,
    least: f64,
    most: f64,
    largest: f64,
}

fn range(column: &[f64]) -> Extent {
    let chunk = |rows: Range<usize>| {
        let part = &column[rows];
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for &x in part {
            least = if x < least { x } else { least };
            most = if x > most { x } else { most };
        }
        Extent { sum: sum(part), least, most, largest: least.abs().max(most.abs()) }
    };
    let combine = |a: Extent, b: Extent| Extent {
        sum: a.sum + b.sum,
        least: a.least.min(b.least),
        most: a.most.max(b.most),
        largest: a.largest.max(b.largest),
    };
    let none = Extent { sum: 0.0, least: 0.0, most: 0.0, largest: 0.0 };
    parallel::reduce_chunks(column.len(), CHUNK, chunk, combine).unwrap_or(none)
}

fn variance(column: &[f64], mean: f64) -> f64 {
    let chunk = |rows: Range<usize>| {
        let mut lanes = [0.0; LANES];
        for part in column[rows].chunks(LANES) {
            for (lane, x) in lanes.iter_mut().zip(part) {
                *lane += (x - mean) * (x - mean);
            }
        }
        lanes.iter().sum::<f64>()
    };
    let squares = parallel::reduce_chunks(column.len(), CHUNK, chunk, |a, b| a + b).unwrap_or(0.0);
    if column.is_empty() { 0.0 } else { squares / column.len() as f64 }
}

/// Partial sums that run beside each other: an addition need not wait for the one before.
const LANES: usize = 8;

/// The sum of a part, always in the same order: every eighth value into one of eight sums, then those from left to
/// right. No instruction set changes it.
#[inline(always)]
pub(super) fn sum(part: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = part.as_chunks::<LANES>();
    for values in whole {
        for (lane, x) in lanes.iter_mut().zip(values) {
            *lane += x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    let mut total = 0.0;
    for lane in lanes {
        total += lane;
    }
    total
}

fn refused(at: usize, column: &[f64]) -> Error {
    let row = unusable(column).unwrap_or(0);
    refusal(format!("feature {} of row {}", at + 1, row + 1), column[row])
}

/// The first row (from 0) whose value is no finite number or too large to be compared.
pub fn unusable(column: &[f64]) -> Option<usize> {
    column.iter().position(|x| x.is_nan() || x.abs() > LARGEST)
}

/// The error about such a value; `what` says where it stands.
pub fn refusal(what: String, value: f64) -> Error {
    let problem = if value.is_finite() { "its square would overflow" } else { "it is no finite number" };
    let remedy =
        "leave such rows out, or transform the feature first (logarithm, winsorising, standardising)";
    Error::value(what, value, problem, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_clustered_is_refused() {
        let refused = |columns: Vec<&[f64]>| Points::new(columns).unwrap_err().to_string();
        assert!(refused(vec![]).contains("nothing to compare"));
        assert!(refused(vec![&[1.0, 2.0], &[1.0]]).contains("length of feature 2"));
        assert!(
            refused(vec![&[1.0, 2.0], &[1.0, f64::NAN]]).contains("feature 2 of row 2 cannot be \"NaN\"")
        );
        assert!(refused(vec![&[1.0, f64::INFINITY]]).contains("no finite number"));
        assert!(refused(vec![&[1e200, 1.0]]).contains("overflow"));
        assert!(refused(vec![&[1e-200, 2e-200]]).contains("rounding"));
    }

    #[test]
    fn moments_and_layouts() {
        let array = ndarray::array![[1.0, 10.0], [2.0, 30.0], [6.0, 20.0]];
        for array in [array.clone(), array.t().as_standard_layout().into_owned().reversed_axes()] {
            let columns = Columns::of(array.view());
            let points = Points::new(columns.slices()).unwrap();
            assert_eq!((points.rows(), points.features()), (3, 2));
            assert_eq!((points.means(), points.variances()[0]), (&[3.0, 20.0][..], 14.0 / 3.0));
            assert_eq!(points.point(1), [2.0, 30.0]);
            assert_eq!(points.to_array(), array);
            assert_eq!(points.select(&[2, 0, 2])[0], [6.0, 1.0, 6.0]);
        }
        assert!(matches!(Columns::of(array.t()), Columns::Borrowed(_)));
        assert!(matches!(Columns::of(array.view()), Columns::Owned(_)));
        assert_eq!(Points::new(vec![&[]]).unwrap().mean_variance(), 0.0);
    }

    #[test]
    fn distinct_points_are_counted() {
        let points =
            Points::new(vec![&[1.0, 1.0, 2.0, 1.0, -0.0, 0.0], &[1.0, 1.0, 1.0, 2.0, 5.0, 5.0]]).unwrap();
        assert_eq!(points.distinct(10), 4);
        assert_eq!(points.distinct(2), 2);
    }
}
