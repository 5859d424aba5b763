//! Data: what was read, what was set aside and why, and over which windows.

use maud::{Markup, html};

use super::sources::sources;
use super::{Page, parts};
use crate::report::format::{count, percent, plural};

/// More files than this are counted rather than listed.
const LISTED_FILES: usize = 12;

pub(super) fn section(page: &Page) -> Markup {
    html! {
        div.pair {
            div { (ledger(page)) }
            div { (windows(page)) (columns(page)) }
        }
        @if let Some(join) = &page.ledger.join { (sources(join)) }
    }
}

fn ledger(page: &Page) -> Markup {
    let ledger = page.ledger;
    let share = |n: u64| percent(if ledger.read > 0 { n as f64 / ledger.read as f64 } else { f64::NAN });
    let line = |name: &str, n: u64| html! { tr { td { (name) } td.n { (count(n)) } td.n { (share(n)) } } };
    let set_aside = ledger.set_aside.len() as u64;
    html! {
        h3 { "Ledger" }
        (parts::scroll("Ledger of rows", html! {
            table {
                (parts::head(&["Rows", "Count", "Share"], 1..3))
                tbody {
                    (line("used", ledger.used))
                    @if ledger.used_holdout > 0 { (line("used for the holdout", ledger.used_holdout)) }
                    @for (reason, n) in ledger.counts() { (line(&format!("set aside: {reason}"), n)) }
                    @if set_aside == 0 { (line("set aside", 0)) }
                    tr.sum { td { "read" } td.n { (count(ledger.read)) } td.n { (share(ledger.read)) } }
                }
            }
        }))
        @if !ledger.adds_up() {
            div.warn { p { "The counts do not add up to the rows read: please report this." } }
        }
        p.muted {
            "Among the rows used: " (plural(ledger.zero_amounts, "row", "rows")) " with amount 0, which count as orders"
            @if ledger.refunds_netted > 0 {
                "; " (plural(ledger.refunds_netted, "refund", "refunds")) " subtracted"
            }
            ". " (plural(ledger.duplicates, "row repeats", "rows repeat")) " another one exactly."
            @if set_aside > 0 { " The rows set aside are in " code { "set_aside.parquet" } "." }
        }
    }
}

fn windows(page: &Page) -> Markup {
    let (table, ledger) = (page.table, page.ledger);
    let window = table.window;
    let first = table.first_order.iter().min();
    html! {
        h3 { "Windows" }
        (parts::facts(&[
            ("First order", html! { @match first { Some(day) => (day), None => "–" } }),
            ("Calibration to", html! { (window.calibration_end) }),
            ("Holdout", html! {
                @if window.has_holdout() {
                    "to " (window.as_of) " (" (plural(window.holdout_days().into(), "day", "days")) ")"
                } @else { "none" }
            }),
            ("Unit of time", html! { (table.unit.name()) }),
            ("Files", html! {
                @if ledger.files.len() > LISTED_FILES {
                    (count(ledger.files.len() as u64)) " files, the first: " (ledger.files[0])
                } @else {
                    @for file in &ledger.files { div { (file) } }
                    @if ledger.files.is_empty() { "–" }
                }
            }),
        ]))
    }
}

fn columns(page: &Page) -> Markup {
    html! {
        @if !page.columns.is_empty() {
            h3 { "Columns" }
            dl.facts { @for (role, column) in page.columns { dt { (role) } dd { (column) } } }
        }
    }
}
