//! `tiercast summarize`: history → customer table, and no further.

use clap::ArgMatches;
use tiercast::Result;
use tiercast::customers::{summarize, to_record_batch};
use tiercast::history::files_of;
use tiercast::progress::Progress;
use tiercast::report::OutputFile;
use tiercast::report::tables::write_parquet;

use crate::args::{Global, SummarizeArgs};
use crate::bars::Bars;
use crate::process;
use crate::settings::{self, Typed};
use crate::terminal;
use crate::verbs::run::{ledger_json, ledger_table};

/// Runs the verb.
pub fn main(global: &Global, args: SummarizeArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings = settings::resolve(global, Typed { reading: args.reading, matches, ..Typed::default() })?;
    let sources = super::sources(&args.history);
    let mut inputs = files_of(&sources)?;
    inputs.extend(settings.file.clone());
    let bars = Bars::new(global)?;
    let out = OutputFile::begin(&args.output, args.force, &inputs)?;
    let (summary, out) = super::with_threads(settings.threads, || {
        let summary = summarize(&sources, &settings.run.history, settings.run.unit, &bars)?;
        bars.phase("writing", 0);
        write_parquet(out.path(), &to_record_batch(&summary.table)?)?;
        Ok((summary, out))
    })?;
    let path = out.finish()?;
    let stages = bars.finish();
    if !global.quiet {
        summary.warnings().iter().for_each(|w| terminal::warning(w));
        terminal::note(&format!("{} customers in {}", summary.table.len(), path.display()));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "customers": summary.table.len(),
            "fingerprint": summary.fingerprint,
            "ledger": ledger_json(&summary.ledger),
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    terminal::print(&ledger_table(&summary.ledger))
}
