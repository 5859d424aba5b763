//! `tiercast compare`: what changed from one result to another.

use serde_json::Value;
use tiercast::Result;
use tiercast::pipeline::{Change, Gain, RunChanges, compare_runs};
use tiercast::report::format::{NONE, interval, signed};

use crate::args::{CompareArgs, Global};
use crate::render::Grid;
use crate::terminal;

/// Changes of one kind that are listed; --json has all.
const LISTED: usize = 40;

/// Runs the verb.
pub fn main(global: &Global, args: &CompareArgs) -> Result<()> {
    let found = compare_runs(&args.first, &args.second)?;
    if global.json {
        return terminal::print_json(&serde_json::json!({ "schema": 1, "changes": found }));
    }
    terminal::print(&text(&found))
}

fn text(found: &RunChanges) -> String {
    let mut text = String::new();
    for (title, changes) in [
        ("Data", &found.data),
        ("Settings", &found.settings),
        ("Models", &found.models),
        ("Customers by tier", &found.tiers),
        ("Strategy file", &found.strategies),
    ] {
        text += &table(title, changes);
    }
    if found.same_input() {
        text += "Data, settings, models and strategies are the same.\n\n";
    }
    text += &gains(found);
    for (title, warnings) in
        [("Warnings that are gone", &found.warnings_gone), ("New warnings", &found.warnings_new)]
    {
        if !warnings.is_empty() {
            text += &format!("{title}\n");
            warnings.iter().for_each(|warning| text += &format!("- {warning}\n"));
        }
    }
    text
}

fn table(title: &str, changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(title, &["", "first", "second"]);
    for change in changes.iter().take(LISTED) {
        grid.row(vec![change.what.clone(), shown(&change.before), shown(&change.after)]);
    }
    let more = changes.len().saturating_sub(LISTED);
    let more = if more > 0 { format!("and {more} more (--json has all)\n\n") } else { String::new() };
    grid.text() + &more
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn gains(found: &RunChanges) -> String {
    if found.gains.is_empty() {
        return "No strategies were compared in either.\n".to_string();
    }
    let columns =
        ["strategy", ">first", "95 %, its mean", "verdict", ">second", "95 %, its mean", "verdict", "moved"];
    let mut grid = Grid::new("Gain in profit over doing nothing", &columns);
    for of in &found.gains {
        let value = |gain: &Option<Gain>| gain.map_or(NONE.to_string(), |gain| signed(gain.value));
        let mean = |gain: &Option<Gain>| {
            gain.map_or(NONE.to_string(), |gain| interval(gain.mean.0, gain.mean.1, signed))
        };
        let verdict = |of: &Option<String>| of.clone().unwrap_or(NONE.to_string());
        grid.row(vec![
            of.name.clone(),
            value(&of.before),
            mean(&of.before),
            verdict(&of.verdict_before),
            value(&of.after),
            mean(&of.after),
            verdict(&of.verdict_after),
            if of.moved { "yes" } else { "no more than the numerical error" }.to_string(),
        ]);
    }
    grid.text()
}
