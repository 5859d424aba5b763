//! `tiercast run`: the main job.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::json;
use tiercast::Result;
use tiercast::customers;
use tiercast::history::{self, Ledger};
use tiercast::pipeline::{self, ConfigEntry, Run, StrategyText};
use tiercast::progress::Progress;
use tiercast::report::OutputFolder;
use tiercast::report::format::{count, percent};
use tiercast::tier::builtin;
use tiercast::tier::opt_out::OptOuts;

use crate::args::{Global, RunArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Settings, Typed};
use crate::{plans, tables, terminal};

/// What stands for the bundled strategy file on the command line.
const BUNDLED: &str = "bundled";

/// Runs the verb.
pub fn main(global: &Global, args: RunArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let typed = Typed {
        reading: args.reading,
        listed: args.listed,
        cohort: args.cohort,
        models: args.models,
        opt_out: args.opt_out,
        tiers: args.tiers,
        strategies: args.strategies,
        out: args.out,
        matches,
    };
    let settings = settings::resolve(global, typed)?;
    let strategies = strategies(&settings, &args.history)?;
    let sources = super::sources(&args.history);
    let mut inputs = history::files_of(&sources)?;
    inputs.extend(settings.strategies.clone());
    if let Some(strategies) = &strategies {
        inputs.extend(strategies.list_files()?);
    }
    inputs.extend(settings.run.opt_out.clone());
    inputs.extend(settings.run.schemes.iter().filter(|name| builtin::is_file(name)).map(PathBuf::from));
    inputs.extend(super::list_files(&settings)?);
    inputs.extend(settings.file.clone());
    if args.dry_run {
        return dry_run(global, &settings, &args.history, strategies.as_ref(), args.force, &inputs);
    }
    let bars = Bars::new(global)?;
    // Begun before the work, so that a place that cannot be written is known at once.
    let out = OutputFolder::begin(&settings.out, args.force, &inputs)?;
    let entries: Vec<ConfigEntry> = entries(&settings);
    let (run, out, manifest) = super::with_threads(settings.threads, || {
        let run = pipeline::run(&sources, strategies.as_ref(), &settings.run, &bars)?;
        bars.phase("writing", 0);
        let manifest = pipeline::write_result(&run, &entries, &out)?;
        bars.check()?;
        Ok((run, out, manifest))
    })?;
    let path = out.finish()?;
    bars.finish();

    if !global.quiet {
        run.warnings.iter().for_each(|w| terminal::warning(w));
        if global.verbose {
            terminal::note(&format!("note: {}", run.summary.strategy.words()));
        }
        if strategies.is_none() && args.history.is_empty() {
            terminal::note(
                "note: no strategies were compared: the bundled ones are about tiers by value; add value to --scheme, or give yours \
                 with --strategies",
            );
        } else if strategies.is_none() {
            terminal::note(
                "note: no strategies were compared. `tiercast strategies > strategies.toml` prints an example to \
                 start from; give yours with --strategies",
            );
        }
    }
    if global.json {
        terminal::print_json(&manifest)?;
    } else {
        terminal::print(&result_tables(&run))?;
    }
    if !global.quiet {
        terminal::note(&format!("report: {}", shown(&path.join("report.html"))));
    }
    Ok(())
}

/// The strategies to compare: named, or the bundled ones with the bundled history. The bundled assumptions are never
/// applied to somebody's own customers unasked.
fn strategies(settings: &Settings, history: &[PathBuf]) -> Result<Option<StrategyText>> {
    match &settings.strategies {
        Some(name) if name == Path::new(BUNDLED) => Ok(Some(StrategyText::bundled())),
        Some(path) => StrategyText::read(path).map(Some),
        // They are about tiers that other schemes do not have.
        None => Ok((history.is_empty() && grades_by_value(settings)).then(StrategyText::bundled)),
    }
}

/// Whether the scheme that the bundled strategies speak of is among those of the run.
fn grades_by_value(settings: &Settings) -> bool {
    settings.run.schemes.iter().any(|name| name == "value")
}

fn entries(settings: &Settings) -> Vec<ConfigEntry> {
    settings
        .list
        .iter()
        // Threads and memory change no result, and the folder's name is not part of it.
        .filter(|s| !["threads", "memory_limit", "spill_folder", "out"].contains(&s.key))
        .map(|s| ConfigEntry { key: s.key.to_string(), value: s.value.clone(), origin: s.origin.to_string() })
        .collect()
}

/// A path relative to the working folder where it lies below it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path).display().to_string()
}

fn dry_run(
    global: &Global,
    settings: &Settings,
    paths: &[PathBuf],
    strategies: Option<&StrategyText>,
    force: bool,
    inputs: &[PathBuf],
) -> Result<()> {
    let schemes = settings.run.read_schemes()?;
    let set = strategies.map(|text| text.check(&schemes)).transpose()?;
    drop(OutputFolder::begin(&settings.out, force, inputs)?);
    settings.run.opt_out.as_deref().map(OptOuts::read).transpose()?;
    let plan = customers::plan(&super::sources(paths), &settings.run.history, settings.threads)?;
    let inspection = &plan.history;
    super::with_threads(settings.threads, || pipeline::customer_list(&settings.run, &schemes, inspection))?;
    let keys: Vec<&str> = schemes.iter().map(|scheme| scheme.key.as_str()).collect();
    let names: Vec<&str> = set.iter().flat_map(|s| s.strategies.iter().map(|s| s.name.as_str())).collect();
    if global.json {
        return terminal::print_json(&json!({
            "schema": 1,
            "dry_run": true,
            "history": inspection,
            "plan": plan,
            "schemes": keys,
            "strategies": names,
            "out": settings.out,
        }));
    }
    let mut text = tables::files(inspection);
    text.push_str(&tables::columns(inspection));
    text.push_str(&plans::table(&plan));
    text.push_str(&format!("Tiers by: {}\n", keys.join(", ")));
    if names.is_empty() {
        text.push_str("No strategies would be compared.\n");
    } else {
        let replications = settings.run.replications;
        text.push_str(&format!("{replications} futures of every customer under: {}\n", names.join(", ")));
    }
    text.push_str(&format!("The result would go to {}\n", settings.out.display()));
    terminal::print(&text)
}

/// The ledger as a table.
pub fn ledger_table(ledger: &Ledger) -> String {
    let mut grid = Grid::new("Ledger", &["rows", ">count", ">share"]);
    let share = |n: u64| percent(n as f64 / ledger.read.max(1) as f64);
    let mut line = |what: String, n: u64| {
        grid.row(vec![what, count(n), share(n)]);
    };
    line("read".into(), ledger.read);
    if ledger.used_holdout > 0 {
        line("used, calibration".into(), ledger.used);
        line("used, holdout".into(), ledger.used_holdout);
    } else {
        line("used".into(), ledger.used);
    }
    line("set aside".into(), ledger.set_aside.len() as u64);
    for (reason, n) in ledger.counts() {
        line(format!("  {reason}"), n);
    }
    for (what, n) in [
        ("  of those used: amount 0", ledger.zero_amounts),
        ("  of those used: refunds subtracted", ledger.refunds_netted),
        ("  of those used: exact duplicates of another row", ledger.duplicates),
        ("  of those used: cost or margin not known", ledger.without_cost),
    ] {
        if n > 0 {
            line(what.into(), n);
        }
    }
    for file in &ledger.skipped {
        let rows = file.rows.map_or("unknown".to_string(), count);
        grid.row(vec![format!("not read, bad file: {}", file.name), rows, String::new()]);
    }
    grid.text() + &ledger.join.as_ref().map_or(String::new(), tables::id_map)
}

/// The ledger's counts as JSON.
pub fn ledger_json(ledger: &Ledger) -> serde_json::Value {
    pipeline::ledger_summary(ledger)
}

fn result_tables(run: &Run) -> String {
    let mut text = ledger_table(&run.summary.ledger);
    text.push_str(&tables::customers(run));
    text.push_str(&tables::models(run));
    text.push_str(&tables::tiers(run));
    text.push_str(&opted_out(run));
    text.push_str(&tables::strategies(run));
    text
}

/// Who opted out, in a sentence.
fn opted_out(run: &Run) -> String {
    let Some(report) = &run.opt_out else { return String::new() };
    format!(
        "{} of {} customers ({}) have opted out by {} and are contacted by no strategy\n\n",
        count(report.customers),
        count(run.summary.table.len() as u64),
        percent(report.customers as f64 / run.summary.table.len().max(1) as f64),
        report.date
    )
}
