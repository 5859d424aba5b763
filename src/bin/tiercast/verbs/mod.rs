//! One file per verb.

pub mod assess;
pub mod bench;
pub mod cluster;
pub mod compare;
pub mod config;
pub mod contracts;
pub mod convert;
pub mod explain;
pub mod fit;
pub mod init;
pub mod inspect;
pub mod learn;
pub mod migrate;
pub mod opportunities;
mod periods;
pub mod policies;
pub mod predict;
pub mod run;
pub mod simulate;
pub mod summarize;
pub mod synth;
pub mod tier;
pub mod validate;

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use tiercast::customers::StatisticsOptions;
use tiercast::history::{Source, files_of};
use tiercast::report::{FileKind, OutputFile};
use tiercast::{Error, Result};

use crate::args::{FitArgs, HistoryArgs, Margin};
use crate::settings::{Origin, Settings};

/// The place of a fitted model, where one is to be kept.
fn model_place(args: &FitArgs, inputs: &[PathBuf]) -> Result<Option<OutputFile>> {
    let begin = |path: &PathBuf| OutputFile::begin(FileKind::Model, path, args.force, inputs);
    args.output.as_ref().map(begin).transpose()
}

/// The sources that were named, or the bundled history.
fn sources(paths: &[PathBuf]) -> Vec<Source> {
    if paths.is_empty() {
        return vec![tiercast::history::bundled()];
    }
    paths.iter().cloned().map(Source::Path).collect()
}

/// The files of the customers list and of the id map, which are inputs like those of the history.
fn list_files(settings: &Settings) -> Result<Vec<PathBuf>> {
    let tables = settings.run.customers_list.iter().chain(&settings.run.history.id_map);
    let list = tables.cloned().map(Source::Path);
    files_of(&list.collect::<Vec<_>>())
}

/// Refuses a share of revenue where no lifetime value is computed: it would be ignored in silence.
fn refuse_share(reading: &HistoryArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let typed = matches.and_then(|m| m.value_source("margin")) == Some(ValueSource::CommandLine);
    match &reading.margin {
        Some(Margin::Share(share)) if typed => Err(Error::value(
            "--margin",
            share,
            "a share of revenue belongs to lifetime value, which this verb does not compute",
            "give the column that says what each row earned, or use `tiercast run`",
        )),
        _ => Ok(()),
    }
}

/// Refuses what only shapes a customer table where none is made: it would be ignored in silence.
fn refuse_table_options(matches: Option<&ArgMatches>) -> Result<()> {
    refuse_of_table(matches, &[("periods", "--periods"), ("unit", "--unit")])
}

/// Refuses options (by id, and as typed) that only shape a customer table.
fn refuse_of_table(matches: Option<&ArgMatches>, options: &[(&str, &str)]) -> Result<()> {
    for &(id, option) in options {
        let typed = matches.filter(|m| m.value_source(id) == Some(ValueSource::CommandLine));
        if let Some(value) = typed.and_then(|m| m.get_raw(id)?.next()) {
            return Err(Error::value(
                option,
                value.to_string_lossy(),
                "it belongs to the customer table, which this verb does not make",
                "leave it out, or use `tiercast summarize`",
            ));
        }
    }
    Ok(())
}

/// Refuses options of `A`, but for those of `except`, where they would be ignored in silence; `belongs` says to what
/// they belong. Environment and settings file may say them: they are for other verbs too.
fn refuse_typed<A: clap::Args>(
    matches: Option<&ArgMatches>,
    except: &[&str],
    belongs: &str,
    remedy: &str,
) -> Result<()> {
    let Some(matches) = matches else { return Ok(()) };
    let options = A::augment_args(clap::Command::new("options"));
    for option in options.get_arguments().filter(|option| !except.contains(&option.get_id().as_str())) {
        let id = option.get_id().as_str();
        if matches.value_source(id) == Some(ValueSource::CommandLine) {
            let value = matches.get_raw(id).and_then(|mut values| values.next()).unwrap_or_default();
            let name = format!("--{}", option.get_long().unwrap_or(id));
            return Err(Error::value(name, value.to_string_lossy(), belongs, remedy));
        }
    }
    Ok(())
}

/// Refuses options of reading a history, but for those of `except`, where a table of customers is read.
fn refuse_reading(matches: Option<&ArgMatches>, except: &[&str]) -> Result<()> {
    let belongs = "it is about reading a purchase history, and none is read for this model";
    refuse_typed::<HistoryArgs>(matches, except, belongs, "leave it out, or give it to `tiercast summarize`")
}

/// The seed of what will happen: as it is set, or else that of the model's draws.
///
/// # Errors
/// A seed that was typed, and nothing to draw from.
fn seed(settings: &Settings, of_draws: Option<u64>) -> Result<u64> {
    let seed = settings.run.seed;
    match (settings.origin("seed"), of_draws) {
        (Origin::Default, Some(of_draws)) => Ok(of_draws),
        (Origin::Flag, None) => {
            let problem = "it is for intervals, and the model has no draws of its parameters to rest them on";
            Err(Error::value("--seed", seed, problem, "leave it out, or fit the model with draws"))
        }
        _ => Ok(seed),
    }
}

/// How a file of customers is read: what was typed counts more than what the file says of itself, and that more than
/// environment and settings file, which are about tables that are made.
fn table_options(settings: &Settings, money: Option<String>) -> StatisticsOptions {
    let unit = Some(settings.run.unit);
    match settings.origin("unit") {
        Origin::Flag => StatisticsOptions { unit, otherwise: None, money },
        Origin::Environment(_) | Origin::File(_) => StatisticsOptions { unit: None, otherwise: unit, money },
        Origin::Default => StatisticsOptions { unit: None, otherwise: None, money },
    }
}

/// Runs `work` with the number of threads that was asked for.
fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    tiercast::parallel::with_threads(threads, work)?
}

/// Refuses an output within a ledger, which holds nothing but its own files.
fn refuse_in_ledger(output: Option<&Path>, ledger: Option<&Path>) -> Result<()> {
    match (output, ledger) {
        (Some(output), Some(folder)) if place(output).starts_with(place(folder)) => {
            let problem = "a ledger holds nothing but its own files";
            Err(Error::value("-o", output.display(), problem, "give the table another folder"))
        }
        _ => Ok(()),
    }
}

/// Where a file would stand, whatever way its name is written.
fn place(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    match (whole.parent().map(Path::canonicalize), whole.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => whole,
    }
}
