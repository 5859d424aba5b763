//! Strategies side by side: what each costs and brings, what it gains over doing nothing, and for whom.

use maud::{Markup, PreEscaped, html};

use super::parts::interval;
use super::{Page, parts};
use crate::report::charts::{Difference, common_range, differences, key};
use crate::report::format::{NONE, count, money, number, percent, plural, signed};
use crate::simulate::{Comparison, Estimate, Metric, Verdict};
use crate::strategy::{Plan, StrategySet};

pub(super) fn section(page: &Page) -> Markup {
    let Some(comparison) = page.comparison else {
        let why = if page.no_comparison.is_empty() { "None was asked for." } else { page.no_comparison };
        return parts::absent(&format!("No strategies were compared. {why}"));
    };
    html! {
        (question(page, comparison))
        (charts(page, comparison))
        h3 { "All customers" }
        (totals(page, comparison))
        (numerical_error(comparison))
        @if let Some(set) = page.set { (plans(set, comparison)) }
        details {
            summary { "By strategy and tier" }
            (by_tier(comparison))
        }
    }
}

fn question(page: &Page, comparison: &Comparison) -> Markup {
    html! {
        @if let Some(set) = page.set {
            @if !set.title.is_empty() && set.title != super::heading(page) { p { (set.title) } }
            p {
                (plural(comparison.strategies.len() as u64, "strategy", "strategies")) " over "
                (parts::span(set.horizon)) ", " (plural(comparison.replications as u64, "replication", "replications"))
                "; every difference is paired: the same customers with the same luck under both strategies. "
                "Profit is " (percent(set.margin)) " of revenue less the money spent, not discounted."
            }
        }
    }
}

/// The difference in profit of every strategy but the baseline, in a tier or in all.
fn profits(comparison: &Comparison, tier: Option<usize>) -> Vec<Difference> {
    (1..comparison.strategies.len())
        .map(|s| {
            let nothing = f64::NAN;
            let found = comparison.find(s, tier, Metric::Profit).map(|row| row.difference);
            Difference {
                name: comparison.strategies[s].clone(),
                value: found.map_or(nothing, |d| d.value),
                mean: found.map_or((nothing, nothing), |d| (d.mean_lower, d.mean_upper)),
                range: found.map_or((nothing, nothing), |d| (d.lower, d.upper)),
            }
        })
        .collect()
}

fn charts(page: &Page, comparison: &Comparison) -> Markup {
    let money =
        if page.currency.is_empty() { "profit".to_string() } else { format!("profit ({})", page.currency) };
    let all = profits(comparison, None);
    let whole = differences(&all, common_range(&all), "All customers", &money);
    let tiers: Vec<Vec<Difference>> =
        (0..comparison.tiers.len()).map(|k| profits(comparison, Some(k))).collect();
    let range = common_range(tiers.iter().flatten());
    html! {
        h3 { "Difference in profit from doing nothing" }
        div.pair { (parts::figure(&whole)) figure { (PreEscaped(key().svg)) } }
        h3 { "The same by tier" }
        p.muted { "All tiers on one axis, so that they can be compared with each other." }
        div.pair {
            @for (name, rows) in comparison.tiers.iter().zip(&tiers) {
                (parts::figure(&differences(rows, range, &format!("Tier {name}"), &money)))
            }
        }
    }
}

fn value(comparison: &Comparison, s: usize, tier: Option<usize>, metric: Metric) -> f64 {
    comparison.find(s, tier, metric).map_or(f64::NAN, |row| row.estimate.value)
}

fn totals(page: &Page, comparison: &Comparison) -> Markup {
    parts::scroll(
        "Strategies, all customers",
        html! {
            table {
                caption {
                    "Means over replications; money in " @if page.currency.is_empty() { "the history’s unit" } @else { (page.currency) }
                    ". Intervals are 95\u{a0}%."
                }
                (parts::head(
                    &["Strategy", "Cost", "Orders", "Revenue", "Profit", "Difference in profit", "Expectation", "What will happen", "P(best)"],
                    1..9,
                ))
                tbody {
                    @for (s, name) in comparison.strategies.iter().enumerate() {
                        tr {
                            th.words scope="row" {
                                (name)
                                @if let Some(of_set) = page.set.and_then(|set| set.strategies.get(s)) { small { (of_set.description) } }
                            }
                            td.n { (money(value(comparison, s, None, Metric::Cost))) }
                            td.n { (number(value(comparison, s, None, Metric::Orders), 0)) }
                            td.n { (money(value(comparison, s, None, Metric::Revenue))) }
                            td.n { (money(value(comparison, s, None, Metric::Profit))) }
                            (difference(comparison.find(s, None, Metric::Profit).map(|row| row.difference), s == 0, comparison.verdict(s)))
                            td.n { (percent(comparison.standings.get(s).map_or(f64::NAN, |of| of.p_best))) }
                        }
                    }
                }
            }
        },
    )
}

/// Three cells: mean (with the verdict, if any), interval of the expectation, interval of what will happen. The
/// baseline differs from nothing.
fn difference(of: Option<Estimate>, baseline: bool, verdict: Option<Verdict>) -> Markup {
    let badge = html! { @if let Some(verdict) = verdict { small { (parts::verdict(verdict)) } } };
    match of {
        Some(d) if !baseline => html! {
            td.n { (signed(d.value)) (badge) }
            td.i { (interval(d.mean_lower, d.mean_upper, signed)) }
            td.i { (interval(d.lower, d.upper, signed)) }
        },
        _ => html! { td.n { (NONE) (badge) } td.i { (NONE) } td.i { (NONE) } },
    }
}

fn numerical_error(comparison: &Comparison) -> Markup {
    let errors = (1..comparison.strategies.len())
        .filter_map(|s| comparison.find(s, None, Metric::Profit))
        .map(|row| row.difference.mc_error)
        .filter(|e| e.is_finite());
    let largest = errors.fold(f64::NAN, f64::max);
    html! {
        @if largest.is_finite() {
            p.muted {
                "Numerical error of the mean differences: at most ±" (money(largest)) " (one standard error, from "
                (plural(comparison.replications as u64, "replication", "replications"))
                "); more replications make it smaller, and the intervals do not shrink with it."
            }
        }
    }
}

fn plans(set: &StrategySet, comparison: &Comparison) -> Markup {
    let names: Vec<&str> = ["Strategy", "Action"]
        .into_iter()
        .chain(comparison.tiers.iter().map(String::as_str))
        .chain(["Fixed", "Unspent"])
        .collect();
    let tiers = comparison.tiers.len();
    html! {
        h3 { "What each customer gets" }
        (parts::scroll("Money per customer by strategy and tier", html! {
            table {
                caption { "Customers contacted × money for each of them over the horizon." }
                (parts::head(&names, 2..names.len()))
                tbody {
                    @for (s, plan) in comparison.plans.iter().enumerate() {
                        tr {
                            th scope="row" { (comparison.strategies.get(s).map_or("", String::as_str)) }
                            td { (actions(set, plan)) }
                            @for k in 0..tiers { td.n { (contacts(plan, k)) } }
                            td.n { (money(plan.fixed_cost)) }
                            td.n { (money(plan.unspent)) }
                        }
                    }
                }
            }
        }))
    }
}

/// The actions that a plan uses.
fn actions(set: &StrategySet, plan: &Plan) -> String {
    let mut names: Vec<&str> = Vec::new();
    for action in plan.treatments.iter().filter_map(|t| set.actions.get(t.action)) {
        if !names.contains(&action.name.as_str()) {
            names.push(&action.name);
        }
    }
    if names.is_empty() { NONE.to_string() } else { names.join(", ") }
}

/// How many of a tier are contacted, and with how much each on average.
fn contacts(plan: &Plan, tier: usize) -> String {
    let Some(n) = plan.contacts.get(tier).map(|of| of.iter().sum::<u64>()).filter(|&n| n > 0) else {
        return NONE.to_string();
    };
    format!("{} × {}", count(n), money(plan.contact_cost(tier) / n as f64))
}

fn by_tier(comparison: &Comparison) -> Markup {
    parts::scroll(
        "Strategies by tier",
        html! {
            table {
                (parts::head(
                    &["Strategy", "Tier", "Customers", "Cost", "Orders", "Revenue", "Profit", "Difference in profit", "Expectation", "What will happen", "Gained per unit of cost"],
                    2..11,
                ))
                tbody {
                    @for (s, name) in comparison.strategies.iter().enumerate() {
                        @for (k, tier) in comparison.tiers.iter().enumerate() {
                            tr {
                                th scope="row" { (name) }
                                td { (tier) }
                                td.n { (number(value(comparison, s, Some(k), Metric::Customers), 0)) }
                                td.n { (money(value(comparison, s, Some(k), Metric::Cost))) }
                                td.n { (number(value(comparison, s, Some(k), Metric::Orders), 0)) }
                                td.n { (money(value(comparison, s, Some(k), Metric::Revenue))) }
                                td.n { (money(value(comparison, s, Some(k), Metric::Profit))) }
                                (difference(comparison.find(s, Some(k), Metric::Profit).map(|row| row.difference), s == 0, None))
                                td.n { (number(value(comparison, s, Some(k), Metric::Roi), 2)) }
                            }
                        }
                    }
                }
            }
        },
    )
}
