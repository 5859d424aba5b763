//! What clusters are made of: standardised logarithms of recency, frequency and spend.

use ndarray::{Array2, ArrayView2};
use serde::Serialize;

use crate::customers::CustomerTable;
use crate::parallel;

/// Customers summed at a time; sums are added in the order of these chunks.
const CHUNK: usize = 16_384;

/// A spread below this share of the mean is rounding, not a difference between customers.
const LEAST_RELATIVE_SD: f64 = 1e-12;

/// What a feature measures, which also says in which words a cluster stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Days since the last order.
    Recency,
    /// Repeat purchases.
    Frequency,
    /// Total spend.
    Spend,
}

impl Measure {
    const ALL: [Measure; 3] = [Measure::Recency, Measure::Frequency, Measure::Spend];

    fn formula(self) -> &'static str {
        match self {
            Measure::Recency => "ln(1 + days since the last order)",
            Measure::Frequency => "ln(1 + frequency)",
            Measure::Spend => "ln(1 + total spend)",
        }
    }

    /// The logarithm for customer `i`. Purchases and money are skewed: without it the clusters would be the biggest
    /// customer, the next biggest ones, and everybody else. Negative totals (net refunds) count as 0.
    fn of(self, table: &CustomerTable, i: usize) -> f64 {
        match self {
            Measure::Recency => f64::from(table.days_since_last(i)).ln_1p(),
            Measure::Frequency => f64::from(table.frequency[i]).ln_1p(),
            Measure::Spend => table.total_spend[i].max(0.0).ln_1p(),
        }
    }
}

/// What a feature is and how it was standardised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureReport {
    /// What it measures.
    pub measure: Measure,
    /// How it is computed.
    pub formula: &'static str,
    /// Its mean over the customers.
    pub mean: f64,
    /// Its standard deviation over the customers (divided by n).
    pub sd: f64,
    /// Whether it took part; one that is the same for everybody cannot.
    pub used: bool,
}

/// The customers as points.
#[derive(Debug)]
pub(super) struct Features {
    /// One row per customer, one column per feature used: (x − mean)/sd.
    points: Array2<f64>,
    /// What each column of `points` measures.
    pub(super) measures: Vec<Measure>,
    /// Every feature, used or not.
    pub(super) reports: Vec<FeatureReport>,
    /// Values that were no finite number and count as the mean, so that none reaches the clustering (which would
    /// put such a customer silently into the first cluster).
    pub(super) not_finite: u64,
}

impl Features {
    pub(super) fn of(table: &CustomerTable) -> Features {
        let n = table.len();
        let mut columns = Vec::new();
        let mut reports = Vec::new();
        let mut measures = Vec::new();
        let mut not_finite = 0;
        for measure in Measure::ALL {
            let raw = parallel::collect(n, |i| measure.of(table, i));
            let bad = raw.iter().filter(|x| !x.is_finite()).count();
            let (mean, sd) = mean_and_sd(&raw);
            let used = sd > LEAST_RELATIVE_SD * (1.0 + mean.abs());
            reports.push(FeatureReport { measure, formula: measure.formula(), mean, sd, used });
            not_finite += bad as u64;
            if used {
                columns.push((raw, mean, sd));
                measures.push(measure);
            }
        }
        let mut points = Array2::zeros((n, columns.len()));
        for (at, (raw, mean, sd)) in columns.iter().enumerate() {
            for (slot, &x) in points.column_mut(at).iter_mut().zip(raw) {
                *slot = if x.is_finite() { (x - mean) / sd } else { 0.0 };
            }
        }
        Features { points, measures, reports, not_finite }
    }

    /// One row per customer.
    pub(super) fn view(&self) -> ArrayView2<'_, f64> {
        self.points.view()
    }

    /// The rows of those customers.
    pub(super) fn select(&self, customers: &[usize]) -> Array2<f64> {
        self.points.select(ndarray::Axis(0), customers)
    }
}

/// Mean and standard deviation (divided by n) of the finite values; zeros where there is none.
fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let sum = |f: &(dyn Fn(f64) -> f64 + Sync)| {
        let chunk = |range| {
            let values: &[f64] = &values[range];
            values.iter().filter(|x| x.is_finite()).fold((0.0, 0u64), |(sum, n), &x| (sum + f(x), n + 1))
        };
        parallel::reduce_chunks(values.len(), CHUNK, chunk, |a, b| (a.0 + b.0, a.1 + b.1)).unwrap_or((0.0, 0))
    };
    let (total, n) = sum(&|x| x);
    if n == 0 {
        return (0.0, 0.0);
    }
    let mean = total / n as f64;
    // In two passes: the squares of x itself would cancel where the spread is small.
    let (squares, n) = sum(&|x| (x - mean) * (x - mean));
    (mean, (squares / n as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::testing::{Row, spending, table};

    #[test]
    fn standardised() {
        let rows: Vec<Row> = (0..50)
            .map(|id| Row {
                id,
                frequency: (id % 7) as u32,
                since: 3 * id as u32,
                total_spend: 5.0 * id as f64,
                ..Row::default()
            })
            .collect();
        let features = Features::of(&table(&rows));
        assert_eq!(features.view().dim(), (50, 3));
        for column in features.view().columns() {
            let mean = column.sum() / 50.0;
            let variance = column.iter().map(|x| x * x).sum::<f64>() / 50.0;
            assert!(mean.abs() < 1e-14 && (variance - 1.0).abs() < 1e-13);
        }
        let mean = (0..50).map(|id| f64::from(3 * id).ln_1p()).sum::<f64>() / 50.0;
        assert!((features.reports[0].mean - mean).abs() < 1e-14);
    }

    #[test]
    fn constant_features_are_left_out() {
        let features = Features::of(&spending(&[1.0, 2.0, 3.0]));
        assert_eq!(features.measures, [Measure::Spend]);
        assert_eq!(features.reports.iter().map(|r| r.used).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(Features::of(&spending(&[7.3; 9])).view().dim(), (9, 0));
        assert_eq!(Features::of(&spending(&[])).view().dim(), (0, 0));
    }

    #[test]
    fn no_nan_gets_through() {
        let features = Features::of(&spending(&[f64::INFINITY, -4.0, 1.0, 2.0]));
        assert_eq!(features.not_finite, 1);
        assert!(features.view().iter().all(|x| x.is_finite()));
        assert!(features.reports.iter().all(|report| report.mean.is_finite()));
    }
}
