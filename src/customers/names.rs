//! Columns of the customer table whose names come from the history: none may be there twice.

use crate::calendar::CalendarPeriod;
use crate::customers::account::Periods;
use crate::customers::table::is_column;
use crate::error::{Error, Result};
use crate::history::{Detected, HistoryOptions, Inspection};

pub(crate) const GAP_MEAN: &str = "gap_mean";
pub(crate) const GAP_VARIANCE: &str = "gap_variance";

/// The column of the sum of costs or margins.
pub(crate) fn cost_name(columns: &Detected) -> &'static str {
    if columns.margin.is_some() { "total_margin" } else { "total_cost" }
}

/// The columns of orders and spend of each period, in order.
pub(crate) fn of_periods(periods: &Periods) -> impl Iterator<Item = [String; 2]> {
    (0..periods.len()).map(|i| {
        let index = periods.first() + i as i32;
        ["orders", "spend"].map(|what| of_period(what, periods.period, index))
    })
}

fn of_period(what: &str, period: CalendarPeriod, index: i32) -> String {
    format!("{what}_{}", period.label(index).replace('-', "_"))
}

/// The column of the orders of the period of the calendar number `index`.
pub fn orders_of_period(period: CalendarPeriod, index: i32) -> String {
    of_period("orders", period, index)
}

/// Names of columns that the customer table of a history has beyond those of every table, but for those of periods,
/// which show only when the end of calibration is known.
pub fn further<'a>(history: &'a Inspection, options: &HistoryOptions) -> Vec<&'a str> {
    let mut out = Vec::new();
    out.extend(history.costs.map(|_| cost_name(&history.columns)));
    if options.periods.is_some() {
        out.extend([GAP_MEAN, GAP_VARIANCE]);
    }
    out.extend(history.columns.keep.iter().map(|column| column.name.as_str()));
    out
}

/// The one of `others` that many readers would take for `name`: they tell columns apart without their case.
pub(crate) fn like<'a>(name: &str, mut others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    others.find(|other| other.eq_ignore_ascii_case(name))
}

/// The error of a column whose name another one has.
pub(crate) fn twice(what: &str, name: &str, column: &str) -> Error {
    let problem = format!("the customer table has a column \"{column}\" already");
    Error::value(what, name, problem, "rename the column in its file, or leave it out")
}

/// Refuses kept columns that have the name of another column of the table.
pub(crate) fn check_kept(
    history: &Inspection,
    options: &HistoryOptions,
    periods: Option<&Periods>,
) -> Result<()> {
    let further = further(history, options);
    let of_periods: Vec<String> = periods.into_iter().flat_map(of_periods).flatten().collect();
    let first = further.len() - history.columns.keep.len();
    for (i, name) in further.iter().enumerate().skip(first) {
        let others = further[..i].iter().copied().chain(of_periods.iter().map(String::as_str));
        if let Some(other) = is_column(name).or_else(|| like(name, others)) {
            return Err(twice("--keep", name, other));
        }
    }
    Ok(())
}
