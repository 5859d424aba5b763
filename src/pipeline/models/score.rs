//! A file of customers scored by a model.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::covariates::ByCovariates;
use super::groups::ByGroup;
use super::intervals::Stretches;
use crate::calendar::Unit;
use crate::clv::{CustomerModel, ManyScorer, Scorer, Scores, ValueOptions};
use crate::customers::{Money, OrderDays, Rows, StatisticsFile};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::tables::write_stretches;

/// The columns that scoring adds.
const SCORES: [&str; 5] = ["p_alive", "expected_transactions", "dert", "expected_spend", "clv"];

/// What scoring found in all.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scored {
    /// Customers scored.
    pub customers: u64,
    /// Rows without statistics, whose scores are null.
    pub prospects: u64,
    /// Customers alive, as expected.
    pub alive: f64,
    /// Purchases expected within the horizon.
    pub expected_transactions: f64,
    /// Lifetime value within the horizon, where there is a model of spend.
    pub clv: Option<f64>,
    /// The unit of the model's time.
    pub unit: Unit,
    /// With a model by group: customers by each group that the model does not know, who were scored by the groups' mean.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown_groups: BTreeMap<String, u64>,
    /// Customers with a mean value below 0, which counts as 0 where there is a model of spend.
    #[serde(skip_serializing_if = "is_none")]
    pub negative_money: u64,
    /// With covariates: customers of whom some number lies beyond those of the fit.
    #[serde(skip_serializing_if = "is_none")]
    pub beyond_fit: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What a reader of scores has to know.
#[derive(Debug, Default)]
struct Remarks {
    unknown_groups: BTreeMap<String, u64>,
    beyond_fit: u64,
}

/// Scores rows by a model of whatever kind.
type AnyScorer<'a> = Box<dyn Fn(&Rows) -> Result<(Scores, Remarks)> + Sync + 'a>;

/// Writes the customers of a file with their scores by a model. Stretch by stretch: memory does not grow with customers.
///
/// # Errors
/// Those of reading and writing; a file that has a column of scores already, or lacks one of the model's groups or
/// covariates, or the money that its model of spend was fitted to; a covariate's value that the fit did not see.
pub fn score_customers(
    file: &StatisticsFile,
    model: CustomerModel<'_>,
    options: &ValueOptions,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Scored> {
    score(file, model, options, None, out, progress)
}

/// The same, with intervals beside the scores if they are wanted.
pub(super) fn score(
    file: &StatisticsFile,
    model: CustomerModel<'_>,
    options: &ValueOptions,
    intervals: Option<&Stretches<'_>>,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Scored> {
    let columns = file.columns();
    if let Some(name) = columns.iter().find(|name| SCORES.iter().any(|own| own.eq_ignore_ascii_case(name))) {
        return Err(Error::value(
            "the customers' file",
            file.path().display(),
            format!("it has a column \"{name}\" already"),
            "give the table of `tiercast summarize`, or drop the column",
        ));
    }
    let wrong = |problem: String| Error::internal("a model that was checked", problem);
    let spend = model.spend_model().map_err(wrong)?;
    let unit = model.unit().ok_or_else(|| wrong("it has no unit".to_string()))?;
    let mut over = OrderDays::Repeat;
    if let Some(money) = model.money() {
        check_money(file, &money)?;
        over = money.over;
    }
    let many = ManyScorer::new(spend.as_ref(), *options).over(over);
    let purchases;
    let score: AnyScorer<'_> = match model {
        CustomerModel::Alike(one) => {
            purchases = one.model().map_err(wrong)?;
            let scorer = Scorer::new(purchases.as_ref(), spend.as_ref(), *options).over(over);
            Box::new(move |rows| Ok((scorer.score(&rows.statistics, progress)?, Remarks::default())))
        }
        CustomerModel::ByGroup(groups) => {
            let by_group = ByGroup::new(groups, file, many)?;
            Box::new(move |rows| {
                let (scores, unknown_groups) = by_group.score(rows, progress)?;
                Ok((scores, Remarks { unknown_groups, ..Remarks::default() }))
            })
        }
        CustomerModel::WithCovariates(with) => {
            let with = ByCovariates::new(with, file, many)?;
            Box::new(move |rows| {
                let (scores, beyond_fit) = with.score(rows, progress)?;
                Ok((scores, Remarks { beyond_fit, ..Remarks::default() }))
            })
        }
    };
    // Whether there is a column must not depend on the stretch.
    let (has_dert, has_money) = (options.discount.continuous_per(unit) > 0.0, spend.is_some());
    let sums = Mutex::new(vec![Scored::default(); file.stretches()]);
    progress.phase("scoring", file.stretches() as u64);
    write_stretches(
        out,
        file.stretches(),
        |i| {
            let rows = file.read(i, None)?;
            let (scores, remarks) = score(&rows)?;
            let total = |values: &[f64]| values.iter().sum::<f64>();
            let customers = scores.p_alive.len() as u64;
            let sum = Scored {
                customers,
                prospects: rows.customers.len() as u64 - customers,
                alive: total(&scores.p_alive),
                expected_transactions: total(&scores.expected_transactions),
                clv: has_money.then(|| total(&scores.clv)),
                unit,
                unknown_groups: remarks.unknown_groups,
                negative_money: if has_money { rows.statistics.negative_money() } else { 0 },
                beyond_fit: remarks.beyond_fit,
            };
            sums.lock().unwrap_or_else(PoisonError::into_inner)[i] = sum;
            let intervals =
                intervals.map(|intervals| intervals.predict(i, &rows, &scores, progress)).transpose()?;
            let mut columns =
                vec![("p_alive", scores.p_alive), ("expected_transactions", scores.expected_transactions)];
            if has_dert {
                columns.push(("dert", scores.dert));
            }
            if has_money {
                columns.extend([("expected_spend", scores.expected_spend), ("clv", scores.clv)]);
            }
            columns.extend(intervals.into_iter().flatten());
            rows.with_columns(columns)
        },
        progress,
    )?;
    // In the order of the file, whatever thread was first.
    let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(sums.into_iter().reduce(Scored::plus).unwrap_or_default())
}

/// A model of spend must meet the money that it was fitted to.
pub(in crate::pipeline) fn check_money(file: &StatisticsFile, money: &Money) -> Result<()> {
    let said = |problem: String| Error::Document {
        file: file.path().display().to_string(),
        problem,
        remedy: "give a table with that column, or fit a model without money to a table without any"
            .to_string(),
    };
    match file.money() {
        Some(found) if found.column.eq_ignore_ascii_case(&money.column) => Ok(()),
        _ => Err(said(format!("the model has one of spend, and there is no column \"{}\"", money.column))),
    }
}

impl Scored {
    fn plus(self, more: Scored) -> Scored {
        let mut unknown_groups = self.unknown_groups;
        for (name, customers) in more.unknown_groups {
            *unknown_groups.entry(name).or_default() += customers;
        }
        Scored {
            customers: self.customers + more.customers,
            prospects: self.prospects + more.prospects,
            alive: self.alive + more.alive,
            expected_transactions: self.expected_transactions + more.expected_transactions,
            clv: self.clv.zip(more.clv).map(|(a, b)| a + b),
            unit: more.unit,
            unknown_groups,
            negative_money: self.negative_money + more.negative_money,
            beyond_fit: self.beyond_fit + more.beyond_fit,
        }
    }
}
