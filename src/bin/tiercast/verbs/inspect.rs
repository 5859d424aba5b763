//! `tiercast inspect`: what a history holds, and what would become of each row.

use clap::ArgMatches;
use serde_json::json;
use tiercast::Result;
use tiercast::customers::summarize_open;
use tiercast::history::History;

use crate::args::{Global, InspectArgs};
use crate::bars::Bars;
use crate::settings::{self, Typed};
use crate::verbs::run::{ledger_json, ledger_table};
use crate::{tables, terminal};

/// Runs the verb.
pub fn main(global: &Global, args: InspectArgs, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_share(&args.reading, matches)?;
    super::refuse_table_options(matches)?;
    let mut settings =
        settings::resolve(global, Typed { reading: args.reading, matches, ..Typed::default() })?;
    settings.run.history.cohorts = None;
    let sources = super::sources(&args.history);
    let history = super::with_threads(settings.threads, || History::open(&sources, &settings.run.history))?;
    let inspection = history.inspection().clone();
    if !global.json {
        // Printed before the rows are read, so that a history that cannot be used is still described.
        terminal::print(&(tables::files(&inspection) + &tables::columns(&inspection)))?;
    }
    let bars = Bars::new(global)?;
    let summary =
        super::with_threads(settings.threads, || summarize_open(history, settings.run.unit, &bars))?;
    bars.finish();
    let window = summary.table.window;
    if global.json {
        return terminal::print_json(&json!({
            "schema": 1,
            "history": inspection,
            "ledger": ledger_json(&summary.ledger),
            "customers": summary.table.len(),
            "window": window,
            "fingerprint": summary.fingerprint,
        }));
    }
    let mut text = ledger_table(&summary.ledger);
    text.push_str(&format!("{} customers, ", summary.table.len()));
    let first = summary.table.first_order.iter().min();
    text.push_str(&format!("{} to {}\n", first.map_or(String::new(), |d| d.to_string()), window.as_of));
    if !global.quiet {
        summary.warnings().iter().for_each(|w| terminal::warning(w));
    }
    terminal::print(&text)
}
