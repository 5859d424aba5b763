//! On which assumption each gain rests, and at which value of it there would be none.

use maud::{Markup, html};

use super::compared::{Compared, printer_by_name};
use super::parts;
use super::parts::interval;
use crate::report::charts::{TornadoBar, tornado};
use crate::report::format::{count, plural, signed};
use crate::simulate::{Bar, Sensitivity};
use crate::strategy::Source;

/// A chart and a table for each strategy, those beyond the first folded away.
pub(super) fn by_strategy(of: &Compared) -> Markup {
    if of.sensitivity.is_empty() {
        return parts::absent("It was not asked on which assumptions the gains rest.");
    }
    let found = |s: usize| of.sensitivity.iter().find(move |own| own.strategy == s);
    let all: Vec<&Sensitivity> = of.leader_first().into_iter().filter_map(found).collect();
    let (first, others) = all.split_at(all.len().min(1));
    html! {
        p {
            "Each assumption on its own at either end of its 95\u{a0}% interval, all others as stated, at the models’ "
            "estimates and without chance: what the strategy is expected to gain over doing nothing. An assumption that "
            "changes nothing under a strategy is not listed there."
        }
        @for own in first { (of_strategy(of, own)) }
        @if !others.is_empty() {
            details {
                summary { "The other strategies" }
                @for own in others { (of_strategy(of, own)) }
            }
        }
    }
}

fn of_strategy(of: &Compared, own: &Sensitivity) -> Markup {
    let name = of.name(own.strategy);
    if own.bars.is_empty() {
        return html! { p { "“" (name) "”: no assumption changes what it gains (" (signed(own.gain)) ")." } };
    }
    let bars: Vec<TornadoBar> = own
        .bars
        .iter()
        .map(|bar| TornadoBar {
            name: bar.name.clone(),
            at_lower: bar.gain_at_lower,
            at_upper: bar.gain_at_upper,
        })
        .collect();
    html! {
        div.pair {
            (parts::figure(&tornado(&bars, own.gain, name, &of.profit())))
            div {
                p { strong { (name) } ": " (turning(own)) }
                p.muted {
                    "How much data say about an assumption does not show in its bar: the source does. An experiment narrows the "
                    "interval, and the bar with it."
                }
            }
        }
        (table(of, own))
    }
}

/// Whether the sign of the gain turns inside the interval of some belief.
fn turning(own: &Sensitivity) -> String {
    let turns = own.bars.iter().filter(|bar| is_inside(bar)).count() as u64;
    let all = own.bars.len() as u64;
    match turns {
        0 => format!(
            "none of its {} turns the sign of the gain within its own interval, the others as stated. Several together may.",
            plural(all, "assumption", "assumptions")
        ),
        1 => format!(
            "1 of its {} turns the sign of the gain within its own interval: that is what to find out first.",
            plural(all, "assumption", "assumptions")
        ),
        n => format!(
            "{} of its {} turn the sign of the gain within their own intervals: these are what to find out first.",
            count(n),
            plural(all, "assumption", "assumptions")
        ),
    }
}

fn is_inside(bar: &Bar) -> bool {
    bar.break_even.is_some_and(|at| (bar.lower..=bar.upper).contains(&at))
}

fn table(of: &Compared, own: &Sensitivity) -> Markup {
    parts::scroll(
        "Assumptions and break-even values",
        html! {
            table {
                caption { "“" (of.name(own.strategy)) "”: gains " (signed(own.gain)) " with everything as stated." }
                (parts::head(&["Assumption", "Source", "As stated", "Gain at its lower end", "At its upper end", "For the strategy to gain nothing"], 2..5))
                tbody {
                    @for bar in &own.bars {
                        @let print = printer_by_name(of.set, &bar.name);
                        tr {
                            th.words scope="row" { (bar.name) }
                            td { (source(bar.source)) }
                            td.n { (print(bar.value)) small { (interval(bar.lower, bar.upper, print)) } }
                            td.n { (signed(bar.gain_at_lower)) }
                            td.n { (signed(bar.gain_at_upper)) }
                            td.words {
                                (break_even(bar, own.gain, print))
                                @if bar.break_even.is_some() {
                                    small {
                                        @if is_inside(bar) {
                                            span.badge.loses { "inside its interval" }
                                        } @else {
                                            "outside its interval"
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// Where a number comes from, as a badge.
pub(super) fn source(source: Source) -> Markup {
    let class = if source == Source::Experiment { "gains" } else { "undecided" };
    html! { span class=(format!("badge {class}")) { (source.name()) } }
}

fn break_even(bar: &Bar, gain: f64, print: fn(f64) -> String) -> String {
    let Some(at) = bar.break_even else {
        let (from, to) = bar.searched;
        let which = if gain > 0.0 { "every" } else { "no" };
        return format!("it gains at {which} value from {} to {}", print(from), print(to));
    };
    let side = if at < bar.value { "below" } else { "above" };
    match gain > 0.0 {
        true => format!("would have to be {side} {} to gain nothing", print(at)),
        false => format!("would have to be {side} {} to gain anything", print(at)),
    }
}
