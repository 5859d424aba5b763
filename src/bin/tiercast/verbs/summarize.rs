//! `tiercast summarize`: history → customer table, and no further.

use clap::ArgMatches;
use tiercast::Result;
use tiercast::customers::{read_history, to_record_batch};
use tiercast::history::files_of;
use tiercast::progress::Progress;
use tiercast::report::OutputFile;
use tiercast::report::tables::write_stretches;

use crate::args::{Global, SummarizeArgs};
use crate::bars::Bars;
use crate::settings::{self, Typed};
use crate::terminal;
use crate::verbs::run::{ledger_json, ledger_table};

/// Runs the verb.
pub fn main(global: &Global, args: SummarizeArgs, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_share(&args.reading, matches)?;
    let settings = settings::resolve(global, Typed { reading: args.reading, matches, ..Typed::default() })?;
    let sources = super::sources(&args.history);
    let mut inputs = files_of(&sources)?;
    inputs.extend(settings.file.clone());
    let bars = Bars::new(global)?;
    let out = OutputFile::begin(&args.output, args.force, &inputs)?;
    let (reading, out) = super::with_threads(settings.threads, || {
        let reading = read_history(&sources, &settings.run.history, settings.run.unit, &bars)?;
        let customers = &reading.customers;
        bars.phase("writing", customers.stretches() as u64);
        let stretch = |i| to_record_batch(&customers.stretch(i)?);
        write_stretches(out.path(), customers.stretches(), stretch, &bars)?;
        Ok((reading, out))
    })?;
    let path = out.finish()?;
    bars.finish();
    if !global.quiet {
        reading.warnings().iter().for_each(|w| terminal::warning(w));
        terminal::note(&format!("{} customers in {}", reading.customers.len(), path.display()));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "customers": reading.customers.len(),
            "fingerprint": reading.fingerprint,
            "ledger": ledger_json(&reading.ledger),
        }));
    }
    terminal::print(&ledger_table(&reading.ledger))
}
