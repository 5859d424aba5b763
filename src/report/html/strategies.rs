//! Strategies side by side: what each costs and brings, what it gains over doing nothing, at which risk, and for whom.

use maud::{Markup, PreEscaped, html};

use super::compared::Compared;
use super::parts::interval;
use super::{Page, claims, holds, over_time, parts, plans, rests_on};
use crate::report::charts::{Difference, common_range, differences, key};
use crate::report::format::{NONE, money, number, percent, plural, signed};
use crate::simulate::{Comparison, Estimate, Metric, Verdict};

pub(super) fn section(page: &Page) -> Markup {
    let Some(of) = page.compared() else {
        let why = if page.no_comparison.is_empty() { "None was asked for." } else { page.no_comparison };
        return parts::absent(&format!("No strategies were compared. {why}"));
    };
    html! {
        @if !of.set.title.is_empty() && of.set.title != super::heading(page) { p { (of.set.title) } }
        (question(&of))
        (whole(&of))
        h3 { "All customers" }
        (totals(&of))
        h3 { "Does the best hold?" }
        (holds::paragraphs(&of))
        h3 { "Risk" }
        (risk(&of))
        h3 { "By tier" }
        (by_tier(&of))
        h3 { "Who gets what" }
        (plans::tables(&of))
        h3 { "Over the horizon" }
        (over_time::charts(&of))
        h3 { "What the gains rest on" }
        (rests_on::by_strategy(&of))
        @if !of.claims.is_empty() {
            h3 { "Claims held against the data" }
            (claims::table(&of))
        }
    }
}

/// What is compared, and what profit is.
pub(super) fn question(of: &Compared) -> Markup {
    let comparison = of.comparison;
    let takes = of.set.actions.iter().any(|action| action.cannibalisation.upper > 0.0);
    html! {
        p {
            (plural(comparison.strategies.len() as u64, "strategy", "strategies")) " over "
            (parts::span(of.set.horizon)) " from " (of.begins) ", "
            (plural(comparison.replications as u64, "replication", "replications")) " in "
            (plural(comparison.worlds as u64, "world", "worlds"))
            @if of.drawn.any() { " (each a draw of " (of.drawn.what()) ")" } @else { " (nothing is drawn)" }
            "; every difference is paired: the same customers with the same luck under both strategies. "
            "Profit is " (percent(of.set.margin)) " of revenue at list prices less all that is spent"
            @match of.set.discount {
                Some(discount) => { ", discounted at " (discount) "." }
                None => { ", not discounted." }
            }
            " Orders and revenue are net of cannibalisation: of what an action adds, the part that would have come in anyway is taken off"
            @if !takes { " (the strategy file states none)" }
            "."
        }
        @if let Some(why) = of.drawn.without_interval(comparison.worlds).or(of.drawn.held().map(str::to_string)) {
            div.warn { p { (why) } }
        }
    }
}

/// The difference in profit of every strategy but the baseline, in a tier or in all.
fn profits(of: &Compared, tier: Option<usize>) -> Vec<Difference> {
    (1..of.comparison.strategies.len())
        .map(|s| {
            let nothing = f64::NAN;
            let found = of.gain(s, tier);
            Difference {
                name: of.name(s).to_string(),
                value: found.map_or(nothing, |d| d.value),
                mean: found.map_or((nothing, nothing), |d| of.mean_interval(&d)),
                range: found.map_or((nothing, nothing), |d| (d.lower, d.upper)),
            }
        })
        .collect()
}

/// The differences of all customers as a chart.
pub(super) fn whole(of: &Compared) -> Markup {
    let all = profits(of, None);
    html! {
        h3 { "Difference in profit from doing nothing" }
        div.pair {
            (parts::figure(&differences(&all, common_range(&all), "All customers", &of.profit())))
            figure { (PreEscaped(key(of.has_intervals()).svg)) }
        }
    }
}

/// The totals of every strategy, and how exact they are.
pub(super) fn totals(of: &Compared) -> Markup {
    let standings = &of.comparison.standings;
    let known = of.has_intervals();
    let table = parts::scroll(
        "Strategies, all customers",
        html! {
            table {
                caption {
                    "Means over worlds; money in " @if of.currency.is_empty() { "the history’s unit" } @else { (of.currency) }
                    "; revenue at list prices; orders and revenue net of cannibalisation. "
                    (discounting(of)) " "
                    @if known {
                        "Intervals are 95\u{a0}%; the joint one holds for all strategies together, and the verdict rests on it."
                    } @else {
                        "Expectations have no interval here; that of what will happen is 95\u{a0}%."
                    }
                }
                (parts::head(
                    &["Strategy", "Cost", "Orders", "Revenue", "Profit", "Difference in profit", "Expectation, joint below", "What will happen", "P(gain)", "P(best)"],
                    1..10,
                ))
                tbody {
                    @for (s, name) in of.comparison.strategies.iter().enumerate() {
                        tr {
                            th.words scope="row" {
                                (name)
                                @if let Some(own) = of.set.strategies.get(s) {
                                    small { (own.description) }
                                    @if s > 0 { small { (own.rule.words(of.set)) } }
                                }
                            }
                            td.n { (money(of.value(s, None, Metric::Cost))) }
                            td.n { (number(of.value(s, None, Metric::Orders), 0)) }
                            td.n { (money(of.value(s, None, Metric::Revenue))) }
                            td.n { (money(of.value(s, None, Metric::Profit))) }
                            @let standing = standings.get(s);
                            @let joint = standing.map(|of| of.joint).filter(|_| s > 0 && known);
                            (difference(of, of.gain(s, None), s == 0, of.comparison.verdict(s), joint))
                            @let standing = standing.filter(|_| known);
                            td.n { (standing.filter(|_| s > 0).map_or(NONE.into(), |of| percent(of.p_gain))) }
                            td.n { (standing.map_or(NONE.into(), |of| percent(of.p_best))) }
                        }
                    }
                }
            }
        },
    );
    html! { (table) @if known { (numerical_error(of.comparison)) } }
}

/// Three cells: mean (with the verdict, if any), interval of the expectation (the joint one below it, if any), interval of
/// what will happen. The baseline differs from nothing.
fn difference(
    of: &Compared,
    found: Option<Estimate>,
    baseline: bool,
    verdict: Option<Verdict>,
    joint: Option<(f64, f64)>,
) -> Markup {
    let badge = html! { @if let Some(verdict) = verdict { small { (parts::verdict(verdict)) } } };
    match found {
        Some(d) if !baseline => html! {
            @let (low, high) = of.mean_interval(&d);
            td.n { (signed(d.value)) (badge) }
            td.i {
                (interval(low, high, signed))
                @if let Some((low, high)) = joint { small { (interval(low, high, signed)) } }
            }
            td.i { (interval(d.lower, d.upper, signed)) }
        },
        _ => html! { td.n { (NONE) (badge) } td.i { (NONE) } td.i { (NONE) } },
    }
}

/// Which of the columns are discounted.
fn discounting(of: &Compared) -> String {
    match of.set.discount {
        Some(discount) => format!(
            "Profit and its difference are discounted at {discount}; cost, orders and revenue are not, so that profit is not the \
             margin of this revenue less this cost."
        ),
        None => "Nothing is discounted.".to_string(),
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
                (plural(comparison.worlds as u64, "world", "worlds"))
                "); more of them make it smaller, and the intervals do not shrink with it."
            }
        }
    }
}

/// What may go wrong under each strategy.
pub(super) fn risk(of: &Compared) -> Markup {
    let known = of.has_intervals();
    html! {
        p {
            "Over the futures of these very customers: "
            @if known { "what is not known (" (of.drawn.what()) ") and luck together. In 5" } @else { "luck alone. In 5" }
            "\u{a0}% of futures the loss "
            "against doing nothing is at least the value at risk, and its mean stands beside it. A loss below 0 is a gain: the "
            "strategy gains even then."
        }
        (parts::scroll("Risk by strategy", html! {
            table {
                (parts::head(
                    &["Strategy", "What will happen", "Loss in the worst 5\u{a0}%, at least (value at risk)", "Mean loss in the worst 5\u{a0}%", "Budget", "Futures that cost more"],
                    1..6,
                ))
                tbody {
                    @for (s, standing) in of.comparison.standings.iter().enumerate().skip(1) {
                        @let budget = of.set.strategies.get(s).and_then(|own| own.budget);
                        tr {
                            th scope="row" { (of.name(s)) }
                            td.i { (of.gain(s, None).map_or(NONE.into(), |d| interval(d.lower, d.upper, signed))) }
                            td.n { (money(standing.value_at_risk)) }
                            td.n { (money(-standing.worst_mean)) }
                            td.n { (budget.map_or("no limit".into(), money)) }
                            td.n { (budget.map_or(NONE.into(), |_| percent(standing.p_over_budget.unwrap_or(f64::NAN)))) }
                        }
                    }
                }
            }
        }))
    }
}

/// The differences tier by tier. New customers are treated by no strategy and differ in nothing.
pub(super) fn by_tier(of: &Compared) -> Markup {
    let rows: Vec<Vec<Difference>> = (0..of.set.tiers.len()).map(|k| profits(of, Some(k))).collect();
    let range = common_range(rows.iter().flatten());
    html! {
        p.muted { "Difference in profit from doing nothing; all tiers on one axis, so that they can be compared with each other." }
        div.pair {
            @for (name, rows) in of.set.tiers.iter().zip(&rows) {
                (parts::figure(&differences(rows, range, &format!("Tier {name}"), &of.profit())))
            }
        }
        details {
            summary { "By strategy and tier" }
            (tier_table(of))
        }
    }
}

fn tier_table(of: &Compared) -> Markup {
    parts::scroll(
        "Strategies by tier",
        html! {
            table {
                caption {
                    (discounting(of))
                    @if of.set.discount.is_some() { " Gained per unit of cost: discounted by discounted." }
                }
                (parts::head(
                    &["Strategy and tier", "Customers", "Cost", "Orders", "Revenue", "Profit", "Difference in profit", "Expectation", "What will happen", "Gained per unit of cost"],
                    1..10,
                ))
                tbody {
                    @for (s, name) in of.comparison.strategies.iter().enumerate() {
                        @for (k, tier) in of.comparison.tiers.iter().enumerate() {
                            @let value = |metric| of.value(s, Some(k), metric);
                            tr {
                                th scope="row" { (name) small { (tier) } }
                                td.n { (number(value(Metric::Customers), 0)) }
                                td.n { (money(value(Metric::Cost))) }
                                td.n { (number(value(Metric::Orders), 0)) }
                                td.n { (money(value(Metric::Revenue))) }
                                td.n { (money(value(Metric::Profit))) }
                                (difference(of, of.gain(s, Some(k)), s == 0, None, None))
                                td.n { (number(value(Metric::Roi), 2)) }
                            }
                        }
                    }
                }
            }
        },
    )
}
