//! What clusters are made of: standardised logarithms of recency, frequency and spend.

use serde::Serialize;

use super::transform::{Prepared, Source, SourceReport, Transform};
use crate::customers::CustomerTable;
use crate::error::Result;
use crate::parallel;

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
    /// One column per feature used, one value per customer: (x − mean)/sd.
    pub(super) columns: Vec<Vec<f64>>,
    /// What each of `columns` measures.
    pub(super) measures: Vec<Measure>,
    /// Every feature, used or not.
    pub(super) reports: Vec<FeatureReport>,
    /// Values that were no finite number and count as the mean, so that none reaches the clustering.
    pub(super) not_finite: u64,
}

impl Features {
    pub(super) fn of(table: &CustomerTable) -> Result<Features> {
        let raw = Measure::ALL.map(|measure| parallel::collect(table.len(), |i| measure.of(table, i)));
        let sources: Vec<Source> = Measure::ALL
            .iter()
            .zip(&raw)
            .map(|(measure, values)| Source {
                name: measure.formula().into(),
                values,
                // The logarithm is taken already: its argument is never kept.
                transform: Transform::default(),
            })
            .collect();
        let Prepared { columns, used, reports } = Prepared::of(&sources)?;
        let not_finite = reports.iter().map(|report| report.not_finite).sum();
        let report = |(&measure, report): (&Measure, SourceReport)| FeatureReport {
            measure,
            formula: measure.formula(),
            mean: report.mean.unwrap_or(0.0),
            sd: report.sd.unwrap_or(0.0),
            used: report.used,
        };
        Ok(Features {
            columns,
            measures: used.into_iter().map(|at| Measure::ALL[at]).collect(),
            reports: Measure::ALL.iter().zip(reports).map(report).collect(),
            not_finite,
        })
    }
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
        let features = Features::of(&table(&rows)).unwrap();
        assert_eq!(features.columns.len(), 3);
        for column in &features.columns {
            assert_eq!(column.len(), 50);
            let mean = column.iter().sum::<f64>() / 50.0;
            let variance = column.iter().map(|x| x * x).sum::<f64>() / 50.0;
            assert!(mean.abs() < 1e-14 && (variance - 1.0).abs() < 1e-13);
        }
        let mean = (0..50).map(|id| f64::from(3 * id).ln_1p()).sum::<f64>() / 50.0;
        assert!((features.reports[0].mean - mean).abs() < 1e-14);
    }

    #[test]
    fn constant_features_are_left_out() {
        let features = Features::of(&spending(&[1.0, 2.0, 3.0])).unwrap();
        assert_eq!(features.measures, [Measure::Spend]);
        assert_eq!(features.reports.iter().map(|r| r.used).collect::<Vec<_>>(), [false, false, true]);
        assert!(Features::of(&spending(&[7.3; 9])).unwrap().columns.is_empty());
        assert!(Features::of(&spending(&[])).unwrap().columns.is_empty());
    }

    #[test]
    fn no_nan_gets_through() {
        let features = Features::of(&spending(&[f64::INFINITY, -4.0, 1.0, 2.0])).unwrap();
        assert_eq!(features.not_finite, 1);
        assert!(features.columns.concat().iter().all(|x| x.is_finite()));
        assert!(features.reports.iter().all(|report| report.mean.is_finite()));
    }
}
