//! One customer's orders, from the history, and whether its table was made of that history.

use serde::Serialize;

use crate::calendar::{Day, Unit};
use crate::customers::summarize_open;
use crate::error::{Error, Result};
use crate::history::{CustomerRow, History, HistoryOptions, Ledger, Reason, SetAsideRow, Source};
use crate::progress::Progress;

/// The two totals may differ by so much of themselves: they are sums in another order.
const TOLERANCE: f64 = 1e-9;

/// A row of the history that is used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderRow {
    /// Its day.
    pub date: Day,
    /// What it is worth.
    pub amount: f64,
    /// The same as the history has it.
    pub amount_text: String,
    /// The order, and the kept columns, as [`OrderHistory::columns`] names them.
    pub shown: Vec<Option<String>>,
    /// The file, and its place in it, from 0.
    pub file: String,
    /// The row of the file.
    pub row: u64,
}

/// Rows that are set aside for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AsideRows {
    /// Why.
    pub reason: Reason,
    /// How many.
    pub rows: u64,
}

/// What a history has of one customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderHistory {
    /// Rows with the customer's id.
    pub rows: u64,
    /// The last day that is looked at, where one is known.
    pub as_of: Option<Day>,
    /// What is shown of each row beside date and amount.
    pub columns: Vec<String>,
    /// The rows that are used, by their days.
    pub orders: Vec<OrderRow>,
    /// Rows that are set aside, by reason.
    pub set_aside: Vec<AsideRows>,
    /// Orders and total spend of the calibration window by this history; none where no row of it can be used.
    pub totals: Option<(u32, f64)>,
    /// What does not go together with the table.
    pub warnings: Vec<String>,
}

/// What the table says of the customer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TableTotals {
    pub(super) orders: Option<f64>,
    pub(super) total_spend: Option<f64>,
}

/// Reads the rows of one customer.
///
/// # Errors
/// Those of the history.
pub(super) fn orders_of(
    customer: &str,
    sources: &[Source],
    options: &HistoryOptions,
    unit: Unit,
    table: TableTotals,
    progress: &dyn Progress,
) -> Result<OrderHistory> {
    let history = History::open(sources, options)?;
    let mut out = OrderHistory {
        rows: 0,
        as_of: options.as_of,
        columns: history.shown_columns(),
        orders: Vec::new(),
        set_aside: Vec::new(),
        totals: None,
        warnings: Vec::new(),
    };
    let Some(mut own) = history.of_customer(customer, progress)? else {
        out.warnings.push(format!("the history has no row of customer {customer}"));
        return Ok(out);
    };
    out.rows = own.rows();
    let (rows, aside) = own.rows_in_full(progress)?;
    let names: Vec<String> = own.inspection().files.iter().map(|file| file.name.clone()).collect();
    // Without an order in the calibration window there is nothing to summarise.
    let first = rows.iter().filter(|row| !is_refund(row)).map(|row| row.day).min();
    let is_there = first.is_some_and(|first| options.calibration_end.is_none_or(|end| first <= end));
    let summary = if is_there { Some(summarize_open(own, unit, progress)) } else { None };
    let ledger = match summary.transpose() {
        Ok(Some(summary)) => {
            // The customer is not in the table of its own rows where it first ordered in the holdout.
            let totals =
                summary.table.orders.first().copied().zip(summary.table.total_spend.first().copied());
            out.totals = totals;
            summary.ledger
        }
        Ok(None) | Err(Error::NoUsableRow { .. }) => unusable(&rows, aside),
        Err(error) => return Err(error),
    };
    out.set_aside = ledger.counts().into_iter().map(|(reason, rows)| AsideRows { reason, rows }).collect();
    out.orders = rows
        .into_iter()
        .filter(|row| !ledger.is_set_aside(row.file, row.row))
        .map(|row| OrderRow {
            date: row.day,
            amount: row.amount.parse().unwrap_or(f64::NAN),
            amount_text: row.amount,
            shown: row.shown,
            file: names[row.file as usize].clone(),
            row: row.row,
        })
        .collect();
    out.orders.sort_by_key(|order| order.date);
    out.warnings.extend(other_history(table, out.totals));
    Ok(out)
}

/// A ledger of rows of which none can be used: without an order there are refunds only, or orders that came too late.
fn unusable(rows: &[CustomerRow], mut set_aside: Vec<SetAsideRow>) -> Ledger {
    let reason = if rows.iter().all(is_refund) { Reason::RefundWithoutOrder } else { Reason::NewInHoldout };
    set_aside.extend(rows.iter().map(|row| SetAsideRow {
        file: row.file,
        row: row.row,
        reason,
        value: None,
    }));
    Ledger { set_aside, ..Ledger::default() }
}

fn is_refund(row: &CustomerRow) -> bool {
    row.amount.starts_with('-')
}

/// Says that a table was made of another history, where its figures are not those of this one.
fn other_history(table: TableTotals, found: Option<(u32, f64)>) -> Option<String> {
    let (orders, spend) = found.unwrap_or((0, 0.0));
    let differs = |said: Option<f64>, own: f64| {
        said.is_some_and(|said| (said - own).abs() > TOLERANCE * own.abs().max(said.abs()).max(1.0))
    };
    if !differs(table.orders, f64::from(orders)) && !differs(table.total_spend, spend) {
        return None;
    }
    let said = |what: &str, value: Option<f64>| value.map(|value| format!("{what} {value}"));
    let table: Vec<String> =
        said("orders", table.orders).into_iter().chain(said("total_spend", table.total_spend)).collect();
    Some(format!(
        "the table says {}, and this history gives orders {orders} and total_spend {spend}: the table was made of another \
         history, or it was read otherwise",
        table.join(" and ")
    ))
}
