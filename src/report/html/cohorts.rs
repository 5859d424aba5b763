//! Cohorts: who ordered again, and how spend grows, by the period of the first order.

use maud::{Markup, html};

use super::parts;
use crate::customers::cohorts::{Cohort, CohortTable};
use crate::report::charts::{RetentionRow, retention};
use crate::report::format::{count, money, number, percent_round};

/// More cohorts than this are not shown, and more periods not listed: all are in the table beside the page.
const SHOWN: usize = 48;
const LISTED: usize = 12;

pub(super) fn cohorts(table: &CohortTable) -> Markup {
    let shown = &table.cohorts[table.cohorts.len().saturating_sub(SHOWN)..];
    let label = |cohort: &Cohort| table.labels[cohort.period].clone();
    let rows: Vec<RetentionRow> = shown
        .iter()
        .map(|cohort| RetentionRow {
            label: label(cohort),
            customers: cohort.customers,
            shares: cohort.cells[1..].iter().map(|cell| cell.retention).collect(),
        })
        .collect();
    let period = table.period.name();
    let columns = rows.iter().map(|row| row.shares.len()).max().unwrap_or(0).min(LISTED);
    let mut heads: Vec<String> =
        vec![format!("First order in"), "Customers".to_string(), "Spend each so far".to_string()];
    heads.extend((1..=columns).map(|n| format!("{period} {n}")));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    html! {
        h3 { "Who comes back" }
        (parts::figure(&retention(&rows, period)))
        p.muted {
            "Customers count once a " (period) " however often they order. "
            @if table.ends_early {
                "The last " (period) " (" (table.labels.last().map_or("", String::as_str)) ") is not over at the end of calibration. "
            }
            @if shown.len() < table.cohorts.len() {
                "The latest " (number(SHOWN as f64, 0)) " of " (count(table.cohorts.len() as u64)) " cohorts are shown. "
            }
            "Every cohort and " (period) " with customers, orders and spend is in " code { "cohorts.csv" } "."
        }
        (parts::scroll("Retention of each cohort", html! {
            table {
                (parts::head(&heads, 1..heads.len()))
                tbody {
                    @for (cohort, row) in shown.iter().zip(&rows) {
                        tr {
                            th scope="row" { (row.label) }
                            td.n { (count(row.customers)) }
                            td.n { @if let Some(spend) = cohort.cells.last().and_then(|cell| cell.spend_per_customer) { (money(spend)) } }
                            @for n in 0..columns {
                                td.n { @if let Some(&share) = row.shares.get(n) { (percent_round(share)) } }
                            }
                        }
                    }
                }
            }
        }))
    }
}
