//! Totals with both intervals as a table for spreadsheets.

use super::intervals::{GroupTotal, Intervals};
use crate::clv::predict::Interval;
use crate::error::{Error, Result};
use crate::report::TOTALS_HEADING;

/// The totals as CSV: a line for all customers, whose group is empty, then one for each group.
///
/// # Errors
/// [`Error::Internal`] for a defect.
pub fn totals_csv(of: &Intervals) -> Result<Vec<u8>> {
    let with_money = of.all.clv.is_some();
    let mut heading: Vec<String> = TOTALS_HEADING.map(String::from).to_vec();
    for name in ["expected_transactions", "clv"].iter().take(1 + usize::from(with_money)) {
        let ends = ["", "_mean_lower", "_mean_upper", "_lower", "_upper"];
        heading.extend(ends.iter().map(|end| format!("{name}{end}")));
    }
    let fail = |e: csv::Error| Error::internal("writing totals", e);
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&heading).map_err(fail)?;
    for total in std::iter::once(&of.all).chain(&of.groups) {
        let GroupTotal { group, expected_transactions, clv, intervals } = total;
        let column = group.as_ref().and(of.totals_by.clone()).unwrap_or_default();
        let mut cells = vec![column, group.clone().unwrap_or_default(), intervals.customers.to_string()];
        let numbers = |value: f64, own: &Interval| {
            [value, own.mean_lower, own.mean_upper, own.lower, own.upper].map(|number| number.to_string())
        };
        cells.extend(numbers(*expected_transactions, &intervals.orders));
        if let (Some(clv), Some(own)) = (clv, &intervals.clv) {
            cells.extend(numbers(*clv, own));
        }
        out.write_record(&cells).map_err(fail)?;
    }
    out.into_inner().map_err(|e| Error::internal("writing totals", e.into_error()))
}
