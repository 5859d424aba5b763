//! `tiercast summarize`: history → customer table, and no further.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use tiercast::customers::{plan, read_open};
use tiercast::history::{History, Source, files_of};
use tiercast::pipeline::{RunConfig, cohorts_summary, customer_list, write_customers};
use tiercast::progress::Progress;
use tiercast::report::tables::{cohorts_csv, write_stretches};
use tiercast::report::{FileKind, OutputFile};
use tiercast::tier::SchemeFile;
use tiercast::{Error, Result};

use crate::args::{Global, SummarizeArgs};
use crate::bars::Bars;
use crate::process;
use crate::settings::{self, Settings, Typed};
use crate::verbs::run::{ledger_json, ledger_table};
use crate::{plans, tables, terminal};

/// Runs the verb.
pub fn main(global: &Global, args: SummarizeArgs, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_share(&args.reading, matches)?;
    let typed = Typed {
        reading: args.reading.clone(),
        listed: args.listed.clone(),
        cohort: args.cohort.clone(),
        matches,
        ..Typed::default()
    };
    let mut settings = settings::resolve(global, typed)?;
    if args.cohorts.is_none() {
        settings.run.history.cohorts = None;
    }
    let sources = super::sources(&args.history);
    let mut inputs = files_of(&sources)?;
    inputs.extend(super::list_files(&settings)?);
    inputs.extend(settings.file.clone());
    settings.run.history.append = args.append.clone();
    settings.run.history.state = args.state.is_some();
    let bars = Bars::new(global)?;
    // The state that rows are added to is read whole before its successor takes its place.
    let state = match &args.state {
        Some(path) if is_same(path, Some(&args.output)) || is_same(path, args.cohorts.as_ref()) => {
            let remedy = "give the state a file of its own";
            return Err(Error::value("--state", path.display(), "another result goes there", remedy));
        }
        Some(path) => Some(OutputFile::begin(FileKind::State, path, args.force, &inputs)?),
        None => None,
    };
    inputs.extend(args.append.clone());
    // Begun before the work, so that a place that cannot be written is known at once.
    let out = OutputFile::begin(FileKind::Customers, &args.output, args.force, &inputs)?;
    let cohorts = match &args.cohorts {
        Some(path) if is_same(path, Some(&args.output)) => {
            let remedy = "give the cohorts a file of their own";
            return Err(Error::value("--cohorts", path.display(), "the customer table goes there", remedy));
        }
        Some(path) => Some(OutputFile::begin(FileKind::Cohorts, path, args.force, &inputs)?),
        None => None,
    };
    if args.dry_run {
        return dry_run(global, &settings, &sources, &args);
    }
    let (reading, list, out) = super::with_threads(settings.threads, || {
        let history = History::open(&sources, &settings.run.history)?;
        let list = customer_list(&settings.run, &default_schemes()?, history.inspection())?;
        let reading = read_open(history, settings.run.unit, &bars)?;
        bars.phase("writing", reading.customers.stretches() as u64);
        let list = write_customers(out.path(), &reading, list.as_ref(), &bars)?;
        if let (Some(file), Some(info)) = (&state, &reading.state) {
            bars.phase("writing the state", reading.customers.stretches() as u64);
            let stretch = |i| reading.customers.state_stretch(i, info);
            write_stretches(file.path(), reading.customers.stretches(), stretch, &bars)?;
        }
        Ok((reading, list, out))
    })?;
    if let Some(cohorts) = cohorts {
        let text = cohorts_csv(reading.cohorts.as_ref())?;
        std::fs::write(cohorts.path(), text).map_err(|e| Error::io("write", cohorts.path(), e))?;
        cohorts.finish()?;
    }
    let path = out.finish()?;
    state.map(OutputFile::finish).transpose()?;
    let stages = bars.finish();
    if !global.quiet {
        reading.warnings().iter().for_each(|w| terminal::warning(w));
        list.iter().flat_map(|list| list.warnings()).for_each(|w| terminal::warning(&w));
        if let Some(before) = &reading.before {
            terminal::note(&format!(
                "added to a state of {} customers and {} rows up to {}",
                before.customers, before.rows.read, before.closed
            ));
        }
        if let (Some(state), Some(path)) = (&reading.state, &args.state) {
            terminal::note(&format!("state up to {} in {}", state.closed, path.display()));
        }
        if global.verbose {
            terminal::note(&format!("note: {}", reading.strategy.words()));
        }
        terminal::note(&format!("{} customers in {}", reading.customers.len(), path.display()));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "customers": reading.customers.len(),
            "customers_list": list,
            "cohorts": reading.cohorts.as_ref().map(cohorts_summary),
            "strategy": reading.strategy,
            "fingerprint": reading.fingerprint,
            "ledger": ledger_json(&reading.ledger),
            "added_to": reading.before,
            "state": reading.state,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    let list = list.as_ref().map_or(String::new(), tables::customer_list);
    terminal::print(&(ledger_table(&reading.ledger) + &list))
}

/// The schemes whose columns a run adds unless told otherwise: a list that serves here serves a run as well.
fn default_schemes() -> Result<Vec<SchemeFile>> {
    RunConfig::default().read_schemes()
}

/// Whether two outputs would go to one place, whatever way its name is written.
fn is_same(path: &Path, other: Option<&PathBuf>) -> bool {
    other.is_some_and(|other| super::place(path) == super::place(other))
}

/// Says what would be done; the places of the outputs have been looked at.
fn dry_run(global: &Global, settings: &Settings, sources: &[Source], args: &SummarizeArgs) -> Result<()> {
    let plan = plan(sources, &settings.run.history, settings.threads)?;
    super::with_threads(settings.threads, || {
        customer_list(&settings.run, &default_schemes()?, &plan.history)
    })?;
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "dry_run": true,
            "output": args.output,
            "plan": plan,
        }));
    }
    let mut text = tables::files(&plan.history) + &tables::columns(&plan.history) + &plans::table(&plan);
    text.push_str(&format!("The customer table would go to {}\n", args.output.display()));
    terminal::print(&text)
}
