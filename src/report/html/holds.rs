//! Whether the gain of the best strategy holds where it was not chosen: the best of many looks better than it is.

use maud::{Markup, html};

use super::compared::Compared;
use super::parts;
use crate::report::format::{money, signed};
use crate::simulate::{SplitWinner, Verdict, Winner};
use crate::strategy::Source;

/// Worlds that a choice by halves needs at least.
const FEWEST_WORLDS: usize = 4;

/// Standard errors on either side of a mean that hold with 95 %.
const Z: f64 = 1.96;

/// What halves of the worlds, and of the contacts, say.
pub(super) fn paragraphs(of: &Compared) -> Markup {
    let lines = sentences(of);
    html! {
        @if lines.is_empty() { (parts::absent("There is no strategy to choose.")) }
        @for line in lines { p { (line) } }
    }
}

/// The same in a sentence each, for the headline.
pub(super) fn in_short(of: &Compared) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(winner) = of.comparison.winner.filter(|_| of.comparison.worlds >= FEWEST_WORLDS) {
        let undecided = match of.comparison.verdict(winner.strategy) {
            Some(Verdict::Undecided) => " (undecided)",
            _ => "",
        };
        // Each half has chosen its own best, which is not always that of all worlds: the value is not of the named one alone.
        lines.push(format!(
            "“{}”{undecided} has the highest mean of all; chosen by one half of the worlds and valued on the other, the best {}.",
            of.name(winner.strategy),
            on_worlds(&winner)
        ));
    }
    if let Some(halves) = of.split_winners {
        let each: Vec<String> = halves
            .iter()
            .map(|found| {
                format!(
                    "“{}” {} (95\u{a0}% interval {})",
                    of.name(found.strategy),
                    signed(found.gain),
                    parts::interval(found.lower, found.upper, signed)
                )
            })
            .collect();
        let all = halves.iter().all(|found| found.lower > 0.0);
        lines.push(format!(
            "Chosen by one half of the contacts and valued by the other: {}. {}.",
            each.join(" and "),
            if all { "The gain holds" } else { "The gain is not sure to hold" }
        ));
    }
    lines
}

/// In full.
fn sentences(of: &Compared) -> Vec<String> {
    let mut lines = Vec::new();
    match &of.comparison.winner {
        None => {}
        Some(_) if !of.drawn.any() => lines.push(
            "Nothing is drawn, so there is one world, and no other on which the best strategy could be looked at.".into(),
        ),
        Some(_) if of.comparison.worlds < FEWEST_WORLDS => lines.push(
            "There are too few worlds to choose a strategy by one half of them and to look at it on the other.".into(),
        ),
        Some(winner) => lines.push(of_worlds(of, winner)),
    }
    match of.split_winners {
        Some(halves) => {
            lines.extend(halves.iter().enumerate().map(|(half, found)| of_contacts(of, half, found)));
        }
        None if of.set.responses.iter().any(|r| r.effect.source == Source::Experiment) => lines.push(
            "The responses were not learned by halves of a table of contacts, so it is not known whether the best strategy \
             would be the best by contacts that did not choose it."
                .into(),
        ),
        None => {}
    }
    lines
}

/// What the best gains where it was not chosen, as the end of a sentence. The numerical error is one standard error, as wherever
/// it is printed; whether the gain can be told from 0 is judged with 95 %.
fn on_worlds(winner: &Winner) -> String {
    let (gain, reach) = (winner.gain_out_of_choice, Z * winner.mc_error);
    let (verb, doubt) = match reach {
        reach if gain - reach > 0.0 => ("still gains", ""),
        reach if gain + reach < 0.0 => ("loses", ""),
        _ => ("gains", ", which cannot be told from 0"),
    };
    let amount = if verb == "loses" { money(-gain) } else { signed(gain) };
    format!(
        "{verb} {amount} on average (numerical error ±{}, one standard error){doubt}",
        money(winner.mc_error)
    )
}

fn of_worlds(of: &Compared, winner: &Winner) -> String {
    format!(
        "“{}” comes out highest over all worlds. Chosen by one half of the worlds and valued on the other, which did not choose \
         it, the best {}; on the half that chose it the mean is {}. This takes out the luck of choosing among few worlds, not \
         what is unknown{}.",
        of.name(winner.strategy),
        on_worlds(winner),
        signed(winner.gain_in_choice),
        if of.drawn.held().is_none() { ": that is in the intervals" } else { "" },
    )
}

fn of_contacts(of: &Compared, half: usize, found: &SplitWinner) -> String {
    let (own, other) = if half == 0 { ("first", "second") } else { ("second", "first") };
    let holds = match found {
        found if found.lower > 0.0 => "the gain holds",
        found if found.upper < 0.0 => "the gain does not hold: it is a loss",
        _ => "the gain is not sure to hold",
    };
    format!(
        "By the responses that the {own} half of the contacts shows, “{}” is the best and gains {}; by those of the {other} half, \
         which did not choose it, it gains {} (95\u{a0}% interval {}): {holds}.",
        of.name(found.strategy),
        signed(found.gain_in_choice),
        signed(found.gain),
        parts::interval(found.lower, found.upper, signed),
    )
}
