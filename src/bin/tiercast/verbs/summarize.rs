//! `tiercast summarize`: history → customer table, and no further.

use clap::ArgMatches;
use tiercast::Result;
use tiercast::customers::read_history;
use tiercast::history::{files_of, inspect};
use tiercast::pipeline::{customer_list, write_customers};
use tiercast::progress::Progress;
use tiercast::report::OutputFile;

use crate::args::{Global, SummarizeArgs};
use crate::bars::Bars;
use crate::process;
use crate::settings::{self, Typed};
use crate::verbs::run::{ledger_json, ledger_table};
use crate::{tables, terminal};

/// Runs the verb.
pub fn main(global: &Global, args: SummarizeArgs, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_share(&args.reading, matches)?;
    let typed = Typed { reading: args.reading, listed: args.listed, matches, ..Typed::default() };
    let settings = settings::resolve(global, typed)?;
    let sources = super::sources(&args.history);
    let mut inputs = files_of(&sources)?;
    inputs.extend(super::list_files(&settings)?);
    inputs.extend(settings.file.clone());
    let bars = Bars::new(global)?;
    let out = OutputFile::begin(&args.output, args.force, &inputs)?;
    let (reading, list, out) = super::with_threads(settings.threads, || {
        let list = match &settings.run.customers_list {
            Some(_) => customer_list(&settings.run, &inspect(&sources, &settings.run.history)?)?,
            None => None,
        };
        let reading = read_history(&sources, &settings.run.history, settings.run.unit, &bars)?;
        bars.phase("writing", reading.customers.stretches() as u64);
        let list = write_customers(out.path(), &reading, list.as_ref(), &bars)?;
        Ok((reading, list, out))
    })?;
    let path = out.finish()?;
    let stages = bars.finish();
    if !global.quiet {
        reading.warnings().iter().for_each(|w| terminal::warning(w));
        list.iter().flat_map(|list| list.warnings()).for_each(|w| terminal::warning(&w));
        terminal::note(&format!("{} customers in {}", reading.customers.len(), path.display()));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "customers": reading.customers.len(),
            "customers_list": list,
            "fingerprint": reading.fingerprint,
            "ledger": ledger_json(&reading.ledger),
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    let list = list.as_ref().map_or(String::new(), tables::customer_list);
    terminal::print(&(ledger_table(&reading.ledger) + &list))
}
