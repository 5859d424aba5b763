//! Customers: key figures, how unevenly they spend, and where they stand by recency and frequency.

use maud::{Markup, html};

use super::cohorts::cohorts;
use super::{Page, parts};
use crate::customers::ListReport;
use crate::customers::rfm::Thresholds;
use crate::report::charts::{HeatCell, heat_map, lorenz};
use crate::report::format::{count, money, number, percent, plural};

pub(super) fn section(page: &Page) -> Markup {
    if page.table.is_empty() {
        return parts::absent("There is no customer.");
    }
    let concentration = page.concentration;
    let points: Vec<(f64, f64)> = concentration.lorenz.iter().map(|p| (p.customers, p.spend)).collect();
    let cells: Vec<HeatCell> = page
        .rfm
        .grid
        .iter()
        .map(|c| HeatCell { r: c.r, f: c.f, customers: c.customers, spend: c.total_spend })
        .collect();
    html! {
        (figures(page))
        @if let Some(list) = page.list { (listed(list)) }
        div.pair {
            div { h3 { "How unevenly they spend" } (parts::figure(&lorenz(&points, concentration.gini, concentration.top_share(0.2)))) }
            div { h3 { "Recency and frequency" } (parts::figure(&heat_map(&cells))) }
        }
        div.pair {
            div { (concentrated(page)) }
            div { (standing()) }
        }
        (thresholds(page))
        @if let Some(table) = page.cohorts { (cohorts(table)) }
    }
}

fn figures(page: &Page) -> Markup {
    let table = page.table;
    let n = table.len() as f64;
    let again = table.frequency.iter().filter(|&&x| x > 0).count() as u64;
    let spend: f64 = table.total_spend.iter().sum();
    let orders: u64 = table.orders.iter().map(|&o| u64::from(o)).sum();
    let typical = parts::median(table.total_spend.iter().copied());
    let since = parts::median((0..table.len()).map(|i| f64::from(table.days_since_last(i))));
    let repeat = table.monetary_value.iter().zip(&table.frequency).filter(|(_, x)| **x > 0).map(|(&m, _)| m);
    html! {
        dl.tiles.three {
            div { dt { "Customers" } dd { (count(table.len() as u64)) } }
            div { dt { "Bought again" } dd { (percent(again as f64 / n)) small { (plural(again, "customer", "customers")) } } }
            div { dt { "Orders" } dd { (count(orders)) small { (number(orders as f64 / n, 2)) " per customer" } } }
            div {
                dt { "Spend" }
                dd { (parts::amount(spend, page.currency)) small { "mean " (money(spend / n)) ", median " (money(typical)) " each" } }
            }
            div { dt { "Mean repeat purchase" } dd { (parts::amount(parts::mean(repeat), page.currency)) } }
            div { dt { "Days since the last order" } dd { (number(since, 0)) small { "median" } } }
        }
    }
}

/// The customers list in a sentence.
fn listed(list: &ListReport) -> Markup {
    let counts = list.counts;
    html! {
        p {
            "The customers list " (list.name) " has " (plural(counts.matched + counts.prospects, "customer", "customers")) ": "
            (count(counts.matched)) " of those above, and "
            (plural(counts.prospects, "prospect who has", "prospects who have"))
            " not ordered up to the end of calibration. Prospects are in " code { "customers.parquet" }
            " with their attributes and without figures; nothing else on this page counts them. "
            (plural(counts.not_listed, "customer is", "customers are")) " not in the list."
        }
    }
}

fn concentrated(page: &Page) -> Markup {
    html! {
        h3 { "What the biggest spenders make" }
        (parts::scroll("Share of spend of the biggest spenders", html! {
            table.narrow {
                (parts::head(&["Top customers", "Share of spend"], 1..2))
                tbody {
                    @for top in &page.concentration.top {
                        tr { td { (number(100.0 * top.customers, 0)) "\u{a0}%" } td.n { (percent(top.spend)) } }
                    }
                }
            }
        }))
        @if page.concentration.negative > 0 {
            p.muted {
                (plural(page.concentration.negative, "customer has", "customers have"))
                " a negative total, which counts as 0 here."
            }
        }
    }
}

/// How a score comes about.
fn standing() -> Markup {
    html! {
        h3 { "How scores are made" }
        p {
            "R, F and M run from 1 to 5: fifths of the customers by days since the last order (fewer is better), orders "
            "and total spend. Customers who are equal always share a score, so where many are equal a score can hold "
            "more than a fifth, or nobody."
        }
    }
}

fn thresholds(page: &Page) -> Markup {
    let cell = |of: &Thresholds, score: usize| {
        // "R 4: last order …": the head of the row says "R 4" already.
        let words = of.words[score].split_once(": ").map_or(of.words[score].as_str(), |(_, words)| words);
        html! { td.words { (words) small { (plural(of.customers[score], "customer", "customers")) } } }
    };
    html! {
        h3 { "The scores in words" }
        (parts::scroll("Thresholds of the scores", html! {
            table {
                (parts::head(&["Score", "R: last order", "F: orders", "M: total spend"], 0..0))
                tbody {
                    @for score in (0..5).rev() {
                        tr {
                            th scope="row" { (score + 1) }
                            (cell(&page.rfm.recency, score)) (cell(&page.rfm.frequency, score)) (cell(&page.rfm.monetary, score))
                        }
                    }
                }
            }
        }))
    }
}
