//! `tiercast bench`: what this machine makes of histories, by their size and by the number of threads.
//!
//! Every measurement is a whole process of this binary that runs `summarize`: what it took is seen from outside, its
//! peak memory is its own.

mod child;
mod figures;

use std::fs;
use std::path::{Path, PathBuf};

use tiercast::history::{Source, files_of};
use tiercast::progress::Progress;
use tiercast::report::format::count;
use tiercast::{Error, Result};

use crate::args::{BenchArgs, Global, Size};
use crate::bars::Bars;
use crate::settings::{self, Typed};
use crate::terminal;
use crate::verbs::bench::child::Program;
use crate::verbs::bench::figures::{Figures, HistoryFigures, Round, ThreadsFigures};

/// Runs the verb.
pub fn main(global: &Global, args: BenchArgs) -> Result<()> {
    let settings = settings::resolve(global, Typed::default())?;
    let threads = thread_counts(&args.threads_list, settings.threads);
    let program = Program::this(settings.file.clone())?;
    let scratch = tempfile::Builder::new()
        .prefix("tiercast-bench-")
        .tempdir()
        .map_err(|e| Error::io("write to", &std::env::temp_dir(), e))?;
    let bench = Bench {
        bars: &Bars::new(global)?,
        program,
        table: scratch.path().join("table.parquet"),
        args: &args,
    };
    let mut histories = Vec::new();
    for path in &args.history {
        histories.push(bench.measure(&path.display().to_string(), path, &threads)?);
    }
    if args.history.is_empty() {
        let folder = args.keep.as_deref().unwrap_or(scratch.path());
        fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e))?;
        let mut sizes: Vec<u64> = args.sizes.iter().map(|&Size(n)| n).collect();
        sizes.sort_unstable();
        sizes.dedup();
        for size in sizes {
            let made = bench.history(folder, size)?;
            let name = format!("{} customers, seed {}", count(size), args.seed);
            histories.push(bench.measure(&name, &history_of(&made)?, &threads)?);
            if args.keep.is_none() {
                // The next size may need the room.
                fs::remove_dir_all(&made).map_err(|e| Error::io("remove", &made, e))?;
            }
        }
    }
    bench.bars.finish();
    let figures = Figures::new(args.rounds, args.options.clone(), histories);
    if global.json { terminal::print_json(&figures) } else { terminal::print(&figures.tables()) }
}

/// What was asked for, or 1, 2, 4 … up to one per core; each once, fewest first.
fn thread_counts(listed: &[u64], threads: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = listed.iter().map(|&n| n as usize).collect();
    if counts.is_empty() && threads > 0 {
        counts.push(threads);
    }
    if counts.is_empty() {
        let cores = figures::cores();
        counts = std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|&n| n < cores).collect();
        counts.push(cores);
    }
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Where a generated folder holds its history.
fn history_of(made: &Path) -> Result<PathBuf> {
    let places = ["history", "history.parquet"].map(|name| made.join(name));
    places.into_iter().find(|place| place.exists()).ok_or_else(|| {
        let problem = "the folder holds no generated history";
        Error::value("--keep", made.display(), problem, "remove the folder, or choose another with --keep")
    })
}

/// What every measurement shares.
struct Bench<'a> {
    bars: &'a Bars,
    program: Program,
    /// The customer table that each measured process writes.
    table: PathBuf,
    args: &'a BenchArgs,
}

impl Bench<'_> {
    /// The folder with a generated history of that size, made unless it is there: it appears whole or not at all.
    fn history(&self, folder: &Path, customers: u64) -> Result<PathBuf> {
        let made = folder.join(format!("customers-{customers}-seed-{}", self.args.seed));
        if !made.exists() {
            self.bars.phase(&format!("generating {} customers", count(customers)), 0);
            let generated = self.program.synth(customers, self.args.seed, &made);
            self.bars.check()?;
            generated?;
        }
        Ok(made)
    }

    /// Measures one history at every number of threads, in turn, so that a slow minute of the machine meets them all.
    fn measure(&self, name: &str, history: &Path, threads: &[usize]) -> Result<HistoryFigures> {
        let mut bytes = 0;
        for file in files_of(&[Source::Path(history.to_path_buf())])? {
            bytes += fs::metadata(&file).map_err(|e| Error::io("read", &file, e))?.len();
        }
        let rounds = self.args.rounds as usize;
        self.bars.phase(&format!("measuring {name}"), 1 + (rounds * threads.len()) as u64);
        let run = |threads| {
            let ran = self.program.summarize(name, history, &self.table, threads, &self.args.options);
            self.bars.check()?;
            self.bars.advance(1);
            ran
        };
        // Not counted: it brings the history into the page cache.
        let first = run(*threads.last().expect("there is at least one number of threads"))?;
        let mut measured: Vec<Vec<Round>> = vec![Vec::new(); threads.len()];
        for _ in 0..rounds {
            for (&n, of) in threads.iter().zip(&mut measured) {
                of.push(run(n)?.round);
            }
        }
        let rows = first.rows;
        let runs = threads
            .iter()
            .zip(&measured)
            .map(|(&n, of)| ThreadsFigures::new(n, of, &measured[0], rows, bytes))
            .collect();
        Ok(HistoryFigures { name: name.to_string(), customers: first.customers, rows, bytes, runs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_come_once_and_in_order() {
        assert_eq!(thread_counts(&[4, 1, 4], 2), [1, 4]);
        assert_eq!(thread_counts(&[], 3), [3]);
        let own = thread_counts(&[], 0);
        assert_eq!((own[0], *own.last().unwrap()), (1, figures::cores()));
    }
}
