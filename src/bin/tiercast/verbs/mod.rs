//! One file per verb.

pub mod config;
pub mod inspect;
pub mod run;
pub mod summarize;

use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;
use tiercast::history::Source;
use tiercast::{Error, Result};

use crate::args::{HistoryArgs, Margin};

/// The sources that were named, or the bundled history.
fn sources(paths: &[PathBuf]) -> Vec<Source> {
    if paths.is_empty() {
        return vec![tiercast::history::bundled()];
    }
    paths.iter().cloned().map(Source::Path).collect()
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

/// Runs `work` with the number of threads that was asked for.
fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    tiercast::parallel::with_threads(threads, work)?
}
