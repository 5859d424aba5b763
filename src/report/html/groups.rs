//! Segments and tiers: who the groups are, how large, and what they hold.

use maud::{Markup, html};

use super::parts::interval;
use super::{Page, parts};
use crate::report::charts::{Share, shares};
use crate::report::format::{NONE, count, money, money_in, number, percent};
use crate::simulate::{Comparison, Metric};
use crate::tier::Tiering;

pub(super) fn segments(page: &Page) -> Markup {
    let Some(segmentation) = page.segmentation else {
        return parts::absent("The customers were not grouped into segments.");
    };
    if segmentation.profiles.is_empty() {
        return parts::absent("There is no customer to group into segments.");
    }
    html! {
        p { "Customers who resemble each other in recency, frequency and spend; medians describe the typical customer of each." }
        (parts::scroll("Profile of each segment", html! {
            table {
                (parts::head(
                    &["", "Segment", "Customers", "Share", "Repeat purchases", "Days since last", "Spend each", "Share of spend"],
                    2..8,
                ))
                tbody {
                    @for p in &segmentation.profiles {
                        tr {
                            td { (p.cluster) }
                            th.words scope="row" { (p.name) }
                            td.n { (count(p.customers)) }
                            td.n { (percent(p.share_of_customers)) }
                            td.n { (number(p.frequency.median, 0)) small { "mean " (number(p.frequency.mean, 1)) } }
                            td.n { (number(p.days_since_last.median, 0)) small { "mean " (number(p.days_since_last.mean, 0)) } }
                            td.n { (money(p.total_spend.median)) small { "mean " (money(p.total_spend.mean)) } }
                            td.n { (percent(p.share_of_spend)) }
                        }
                    }
                }
            }
        }))
        p.muted { (segmentation.method) "." }
        (parts::warnings(&segmentation.warnings))
    }
}

pub(super) fn tiers(page: &Page) -> Markup {
    if page.tierings.is_empty() {
        return parts::absent("The customers were not put into tiers.");
    }
    html! { @for tiering in page.tierings { (scheme(page, tiering)) } }
}

fn scheme(page: &Page, tiering: &Tiering) -> Markup {
    let worth = page.lifetime.map(|lifetime| sums(tiering, lifetime.clv));
    let total: f64 = worth.iter().flatten().sum();
    let share_of_worth = |k: usize| worth.as_ref().map(|w| if total > 0.0 { w[k] / total } else { f64::NAN });
    let (value, rows): (&str, Vec<Share>) = (
        if worth.is_some() { "lifetime value" } else { "spend" },
        tiering
            .tiers
            .iter()
            .enumerate()
            .map(|(k, tier)| Share {
                name: tier.name.clone(),
                customers: tier.share_of_customers,
                value: share_of_worth(k).unwrap_or(tier.share_of_spend),
            })
            .collect(),
    );
    let steers = page.set.is_some_and(|set| set.scheme == tiering.key);
    html! {
        h3 { (tiering.title) @if steers { " " span.badge.baseline { "used by the strategies" } } }
        div.pair {
            (parts::figure(&shares(&rows, &tiering.title, value)))
            div {
                (parts::scroll(&format!("Rules of the scheme {}", tiering.title), html! {
                    table {
                        (parts::head(&["Tier", "Who belongs to it"], 0..0))
                        tbody { @for tier in &tiering.tiers { tr { th scope="row" { (tier.name) } td { (tier.rule) } } } }
                    }
                }))
            }
        }
        (parts::scroll(&format!("Tiers of the scheme {}", tiering.title), html! {
            table {
                @if worth.is_some() {
                    (parts::head(&["Tier", "Customers", "Share", "Spend", "Share of spend", "Lifetime value", "Share of it", "Each"], 1..8))
                } @else {
                    (parts::head(&["Tier", "Customers", "Share", "Spend", "Share of spend"], 1..5))
                }
                tbody {
                    @for (k, tier) in tiering.tiers.iter().enumerate() {
                        tr {
                            th scope="row" { (tier.name) }
                            td.n { (count(tier.customers)) }
                            td.n { (percent(tier.share_of_customers)) }
                            td.n { (money_in(tier.spend, page.currency)) }
                            td.n { (percent(tier.share_of_spend)) }
                            @if let Some(worth) = &worth {
                                td.n { (money_in(worth[k], page.currency)) }
                                td.n { (percent(share_of_worth(k).unwrap_or(f64::NAN))) }
                                td.n { (money(worth[k] / tier.customers as f64)) }
                            }
                        }
                    }
                }
            }
        }))
        @if let (true, Some(comparison)) = (steers, page.comparison) { (ahead(page, comparison)) }
    }
}

/// What the tiers will order and pay if nothing is done, with both intervals.
fn ahead(page: &Page, comparison: &Comparison) -> Markup {
    let horizon = page.set.map_or(String::new(), |set| format!(", over {}", parts::span(set.horizon)));
    let cells = |tier: Option<usize>, metric: Metric, show: fn(f64) -> String| {
        let of = comparison.find(0, tier, metric).map(|row| row.estimate);
        html! {
            @if let Some(of) = of {
                td.n { (show(of.value)) }
                td.i { (interval(of.mean_lower, of.mean_upper, show)) }
                td.i { (interval(of.lower, of.upper, show)) }
            } @else {
                td.n { (NONE) } td.i { (NONE) } td.i { (NONE) }
            }
        }
    };
    let orders: fn(f64) -> String = |value| number(value, 0);
    let named = comparison.tiers.iter().enumerate().map(|(k, name)| (Some(k), name.as_str()));
    let rows: Vec<(Option<usize>, &str)> = named.chain([(None, "All")]).collect();
    parts::scroll(
        "Orders and revenue of each tier without any strategy",
        html! {
            table {
                caption {
                    "Without any strategy" (horizon) ", not discounted; money in "
                    @if page.currency.is_empty() { "the history’s unit" } @else { (page.currency) }
                    ". Intervals are 95\u{a0}%."
                }
                (parts::head(
                    &["Tier", "Orders", "Expectation", "What will happen", "Revenue", "Expectation", "What will happen"],
                    1..7,
                ))
                tbody {
                    @for (tier, name) in rows {
                        tr {
                            th scope="row" { (name) }
                            (cells(tier, Metric::Orders, orders))
                            (cells(tier, Metric::Revenue, money))
                        }
                    }
                }
            }
        },
    )
}

/// Sums of finite values by tier.
fn sums(tiering: &Tiering, values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; tiering.tiers.len()];
    for (&code, value) in tiering.codes.iter().zip(values) {
        if value.is_finite() {
            sums[usize::from(code)] += value;
        }
    }
    sums
}
