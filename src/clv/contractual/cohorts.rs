//! Survivors by cohort and period.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Longer cohorts are a slip: no contract has been renewed so often.
pub const MOST_PERIODS: u32 = 10_000;

/// Customers who began together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    name: String,
    survivors: Vec<u64>,
}

impl Cohort {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Customers at the beginning, after the first renewal, after the second, …; those after the last entry are not
    /// observed.
    pub fn survivors(&self) -> &[u64] {
        &self.survivors
    }
}

/// Cohorts, each observed for as many periods as it was: ordered by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohorts {
    cohorts: Vec<Cohort>,
}

impl Cohorts {
    /// From rows in any order: in `cohort`, after `period` renewals (0 is the beginning), `survivors` customers were
    /// left.
    ///
    /// # Errors
    /// Slices of different lengths; within a cohort a period twice, a gap, no period 0, a negative number, survivors that
    /// rise, or more than [`MOST_PERIODS`] periods. The message names the cohort, the period, the row (from 0), the value
    /// and the remedy.
    pub fn from_rows<S: AsRef<str>>(cohort: &[S], period: &[i64], survivors: &[i64]) -> Result<Cohorts> {
        if period.len() != cohort.len() || survivors.len() != cohort.len() {
            return Err(Error::value(
                "the columns' lengths",
                format!("{}, {}, {}", cohort.len(), period.len(), survivors.len()),
                "cohort, period and survivors must have one entry per row",
                "give three columns of the same table",
            ));
        }
        let mut by_cohort: BTreeMap<&str, BTreeMap<i64, Left>> = BTreeMap::new();
        for (row, ((cohort, &period), &survivors)) in cohort.iter().zip(period).zip(survivors).enumerate() {
            let name = cohort.as_ref();
            if survivors < 0 {
                return Err(Error::value(
                    format!("survivors of cohort {name} in period {period} (row {row})"),
                    survivors,
                    "it is negative",
                    "give the number of customers left, from 0 on",
                ));
            }
            let left = Left { survivors: survivors as u64, row };
            if let Some(first) = by_cohort.entry(name).or_default().insert(period, left) {
                return Err(Error::value(
                    format!("period of cohort {name} in row {row}"),
                    period,
                    format!("it occurs twice, first in row {}", first.row),
                    "give one row per cohort and period",
                ));
            }
        }
        let cohorts =
            by_cohort.into_iter().map(|(name, rows)| one_cohort(name, &rows)).collect::<Result<_>>()?;
        Ok(Cohorts { cohorts })
    }

    /// The cohorts, by name.
    pub fn cohorts(&self) -> &[Cohort] {
        &self.cohorts
    }
}

/// Customers left, and the row that says so.
struct Left {
    survivors: u64,
    row: usize,
}

fn one_cohort(name: &str, rows: &BTreeMap<i64, Left>) -> Result<Cohort> {
    let mut survivors: Vec<u64> = Vec::with_capacity(rows.len());
    for (expected, (&period, &Left { survivors: left, row })) in (0..).zip(rows) {
        if period != expected {
            let problem = if period < 0 {
                "it is negative".to_string()
            } else if expected == 0 {
                "the cohort has no period 0".to_string()
            } else {
                format!("period {expected} is missing")
            };
            return Err(Error::value(
                format!("period of cohort {name} in row {row}"),
                period,
                problem,
                "count periods from 0, the beginning of the cohort, without a gap",
            ));
        }
        if expected > i64::from(MOST_PERIODS) {
            return Err(Error::value(
                format!("period of cohort {name} in row {row}"),
                period,
                format!("there are more than {MOST_PERIODS} periods"),
                "take longer periods",
            ));
        }
        if let Some(&before) = survivors.last()
            && left > before
        {
            return Err(Error::value(
                format!("survivors of cohort {name} in period {period} (row {row})"),
                left,
                format!("there were only {before} in the period before"),
                "count the customers who were there from the beginning, without those who came or came back later",
            ));
        }
        survivors.push(left);
    }
    Ok(Cohort { name: name.to_string(), survivors })
}
