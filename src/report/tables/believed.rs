//! What is believed, and what rests on it, as tables.

use super::Table;
use crate::simulate::{Comparison, Sensitivity};
use crate::strategy::{Assumed, StrategySet};

/// What kind of belief it is: a lever's key, `breakage`, `cannibalisation` or `new_customers`.
fn kind(set: &StrategySet, of: Assumed) -> &'static str {
    match of {
        Assumed::Effect(i) => set.responses[i].on.name(),
        Assumed::Breakage(_) => "breakage",
        Assumed::Cannibalisation(_) => "cannibalisation",
        Assumed::Arrivals => "new_customers",
    }
}

/// `assumptions`: one line for each number that no history can show, with its 95 % interval and where it comes from.
pub fn assumptions(set: &StrategySet) -> Table {
    let all: Vec<_> =
        set.assumed().into_iter().filter_map(|of| set.belief(of).map(|belief| (of, belief))).collect();
    Table::default()
        .texts("name", all.iter().map(|(of, _)| set.assumed_name(*of)))
        .texts("kind", all.iter().map(|(of, _)| kind(set, *of)))
        .numbers("value", all.iter().map(|(_, belief)| belief.value))
        .numbers("lower", all.iter().map(|(_, belief)| belief.lower))
        .numbers("upper", all.iter().map(|(_, belief)| belief.upper))
        .texts("source", all.iter().map(|(_, belief)| belief.source.name()))
        .texts("note", all.iter().map(|(_, belief)| belief.note.as_str()))
}

/// `sensitivity`: one line per strategy and belief that it rests on: what it gains in expected profit over doing nothing at
/// either end of the belief, all others as stated, and the value at which it would gain nothing (empty where none from `searched_lower` to `searched_upper` would).
pub fn sensitivity(comparison: &Comparison, of: &[Sensitivity]) -> Table {
    let rows: Vec<_> = of.iter().flat_map(|own| own.bars.iter().map(move |bar| (own, bar))).collect();
    Table::default()
        .texts("strategy", rows.iter().map(|(own, _)| comparison.strategies[own.strategy].as_str()))
        .texts("assumption", rows.iter().map(|(_, bar)| bar.name.as_str()))
        .numbers("value", rows.iter().map(|(_, bar)| bar.value))
        .numbers("lower", rows.iter().map(|(_, bar)| bar.lower))
        .numbers("upper", rows.iter().map(|(_, bar)| bar.upper))
        .texts("source", rows.iter().map(|(_, bar)| bar.source.name()))
        .numbers("gain", rows.iter().map(|(own, _)| own.gain))
        .numbers("gain_at_lower", rows.iter().map(|(_, bar)| bar.gain_at_lower))
        .numbers("gain_at_upper", rows.iter().map(|(_, bar)| bar.gain_at_upper))
        .numbers("swing", rows.iter().map(|(_, bar)| bar.swing()))
        .numbers("break_even", rows.iter().map(|(_, bar)| bar.break_even.unwrap_or(f64::NAN)))
        .numbers("searched_lower", rows.iter().map(|(_, bar)| bar.searched.0))
        .numbers("searched_upper", rows.iter().map(|(_, bar)| bar.searched.1))
}
