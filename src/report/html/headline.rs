//! What one reads first: which strategy gains and by how much, or that it is undecided.

use maud::{Markup, html};

use super::compared::Compared;
use super::parts::interval;
use super::{Page, holds, parts};
use crate::report::format::{count, money, money_in, percent, plural, signed};
use crate::simulate::{Comparison, Estimate, Metric, Verdict};

/// Above this P(best) one strategy is called the best.
const CLEARLY_BEST: f64 = 0.95;

pub(super) fn header(page: &Page) -> Markup {
    let window = page.table.window;
    html! {
        p.byline {
            (plural(page.table.len() as u64, "customer", "customers"))
            " · history to " (window.calibration_end)
            @if window.has_holdout() { ", holdout to " (window.as_of) }
            @if let Some(comparison) = page.comparison {
                " · " (plural(comparison.replications as u64, "replication", "replications"))
            }
            " · seed " (page.seed)
        }
        div.answer {
            p { (answer(page)) }
            @if let Some(of) = page.compared() {
                @for p in details(&of) { p { (p) } }
                @for p in holds::in_short(&of) { p { (p) } }
            }
            p.muted { (ledger_line(page)) }
        }
        (tiles(page))
    }
}

/// The strategy that the headline is about: of those that gain, else of all, the one with the highest mean difference
/// in profit. Never the baseline.
pub(super) fn leader(comparison: &Comparison) -> Option<(usize, Estimate)> {
    let gains = |s: usize| comparison.verdict(s) == Some(Verdict::Gains);
    let any = (1..comparison.strategies.len()).any(gains);
    (1..comparison.strategies.len())
        .filter(|&s| gains(s) || !any)
        .filter_map(|s| Some((s, comparison.find(s, None, Metric::Profit)?.difference)))
        .filter(|(_, difference)| difference.value.is_finite())
        // The first of equals, as everywhere.
        .reduce(|best, other| if other.1.value > best.1.value { other } else { best })
}

fn answer(page: &Page) -> String {
    match (page.compared(), page.no_comparison) {
        (Some(of), _) => of_comparison(&of),
        (None, "") => "No strategies were compared.".to_string(),
        (None, why) => format!("No strategies were compared. {why}"),
    }
}

/// The answer in a sentence, with the interval that it rests on.
pub(super) fn of_comparison(of: &Compared) -> String {
    let comparison = of.comparison;
    let Some((s, difference)) = leader(comparison) else {
        return "There is no strategy to compare with doing nothing.".to_string();
    };
    let name = &comparison.strategies[s];
    let amount = money_in(difference.value.abs(), of.currency);
    let side = if difference.value < 0.0 { "less profit than without" } else { "more profit than without" };
    let joint = comparison.standings.get(s).map_or((f64::NAN, f64::NAN), |of| of.joint);
    let ends = format!("95\u{a0}% interval {}", interval(joint.0, joint.1, signed));
    let all_lose = comparison.standings.iter().skip(1).all(|of| of.verdict == Verdict::Loses);
    match comparison.verdict(s) {
        Some(Verdict::Gains) => format!("“{name}” gains {amount} of profit over doing nothing ({ends})."),
        Some(Verdict::Loses) if all_lose => format!(
            "Every strategy loses against doing nothing; “{name}” loses least: {amount} of profit ({ends})."
        ),
        _ if !of.drawn.any() => format!(
            "With the models’ parameters and all that is believed held at their values “{name}” comes out highest: {amount} {side}. \
             That is what follows from these values, without an interval, and no verdict."
        ),
        _ if !of.has_intervals() => format!(
            "Undecided: {}. In this one world “{name}” comes out highest: {amount} {side}.",
            of.drawn.too_few(comparison.worlds).unwrap_or_default()
        ),
        _ => format!(
            "Undecided: {}. “{name}” comes out highest on average: {amount} {side} ({ends}).",
            of.drawn
                .too_few(comparison.worlds)
                .unwrap_or_else(|| "no strategy is known to gain over doing nothing".into())
        ),
    }
}

/// The intervals of the leader, and what can be said of the others.
pub(super) fn details(of: &Compared) -> Vec<String> {
    let (comparison, currency) = (of.comparison, of.currency);
    let Some((s, difference)) = leader(comparison) else { return Vec::new() };
    let unit = if currency.is_empty() { String::new() } else { format!("\u{a0}{currency}") };
    let several = comparison.strategies.len() > 2;
    let happens = format!("{}{unit}", interval(difference.lower, difference.upper, signed));
    if !of.has_intervals() {
        return vec![format!(
            "What will happen to these customers, by luck alone: {happens} (95\u{a0}% interval)."
        )];
    }
    let mut lines = vec![format!(
        "That is the interval of the expected difference, over {}{}; what will happen to these customers: {happens}.",
        of.drawn.what(),
        match several {
            true => format!(
                ", which holds for all strategies together (of this strategy alone: {}{unit})",
                interval(difference.mean_lower, difference.mean_upper, signed)
            ),
            false => String::new(),
        },
    )];
    lines.extend(of.drawn.held().map(str::to_string));
    let rivals: Vec<String> = (1..comparison.strategies.len())
        .filter(|&other| other != s && comparison.verdict(other) == Some(Verdict::Gains))
        .map(|other| format!("“{}”", comparison.strategies[other]))
        .collect();
    let p_best: Vec<f64> = comparison.standings.iter().map(|of| of.p_best).collect();
    let most = p_best.iter().copied().fold(0.0, f64::max);
    // The leader where it shares the first place, else the first that has it.
    let first =
        std::iter::once(s).chain(0..p_best.len()).find(|&i| p_best.get(i).is_some_and(|&p| p == most));
    if let Some((most, p)) = first.map(|i| (i, most)) {
        let who = match most {
            0 => "Doing nothing".to_string(),
            most if most == s => "It".to_string(),
            most => format!("“{}”", comparison.strategies[most]),
        };
        let decided = if p >= CLEARLY_BEST { "" } else { "; which is best is undecided" };
        lines.push(format!("{who} has the highest expected profit in {} of worlds{decided}.", percent(p)));
    }
    if !rivals.is_empty() {
        let verb = if rivals.len() == 1 { "gains" } else { "gain" };
        lines.push(format!("{} {verb} over doing nothing, too.", rivals.join(" and ")));
    }
    lines
}

/// Every row in one line.
fn ledger_line(page: &Page) -> String {
    let ledger = page.ledger;
    let mut line = format!("{} = {} used", plural(ledger.read, "row read", "rows read"), count(ledger.used));
    if ledger.used_holdout > 0 {
        line += &format!(" + {} used for the holdout", count(ledger.used_holdout));
    }
    line + &format!(" + {} set aside.", count(ledger.set_aside.len() as u64))
}

fn tiles(page: &Page) -> Markup {
    let table = page.table;
    let n = table.len() as u64;
    let again = table.frequency.iter().filter(|&&x| x > 0).count() as u64;
    let share = if n > 0 { again as f64 / n as f64 } else { f64::NAN };
    html! {
        dl.tiles {
            div { dt { "Customers" } dd { (count(n)) small { (count(again)) " bought again (" (percent(share)) ")" } } }
            div {
                dt { "Spend so far" }
                dd {
                    (parts::amount(table.total_spend.iter().sum(), page.currency))
                    small { "the top 20\u{a0}% made " (percent(page.concentration.top_share(0.2))) }
                }
            }
            @if let Some(lifetime) = &page.lifetime {
                div {
                    dt { "Lifetime value, next " (parts::span(lifetime.horizon)) ", " (lifetime.of_what()) }
                    dd {
                        (parts::amount(lifetime.sum(), page.currency))
                        @if let Some(total) = lifetime.total {
                            small { "95\u{a0}% interval " (interval(total.lower, total.upper, money)) }
                        }
                    }
                }
            } @else {
                div { dt { "Lifetime value" } dd { "–" small { "no usable fit" } } }
            }
            @if let Some((of, (s, difference))) = page.compared().and_then(|of| Some((of, leader(of.comparison)?))) {
                @let (low, high) = of.mean_interval(&difference);
                div {
                    dt {
                        @if difference.value > 0.0 { "Best on average: " } @else { "Best after doing nothing: " }
                        (of.name(s))
                    }
                    dd {
                        (signed(difference.value)) " "
                        @if let Some(verdict) = of.comparison.verdict(s) { (parts::verdict(verdict)) }
                        small { "profit against doing nothing, expected " (interval(low, high, signed)) }
                    }
                }
            }
        }
    }
}
