//! A history whose customers stand in no order: its rows are scattered to partitions, and these are folded.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::customers::account::Periods;
use crate::customers::blocks::Pool;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule};
use crate::customers::last_used::last_used;
use crate::customers::memory::Memory;
use crate::customers::read::{Read, sum_up};
use crate::customers::record::pack;
use crate::customers::rows::{Rows, Scattering};
use crate::customers::shape::Shape;
use crate::customers::spill::Spill;
use crate::customers::state::StateInfo;
use crate::customers::store::{Scatter, Store};
use crate::customers::stream::Strategy;
use crate::customers::summary::{Made, rule};
use crate::customers::table::{read_customers, read_kept};
use crate::customers::windows::window;
use crate::error::{Error, Result};
use crate::history::{History, HistoryOptions, TaskLedger};
use crate::parallel;
use crate::progress::Progress;

/// What came of scattering.
pub(crate) enum Scattered<'a> {
    /// All is folded, and some of it may be in the spill file.
    Done(Box<(Made<'a>, Spill)>),
    /// An exact amount is too large to be held exactly.
    TooLarge,
    /// A range of ids has more rows than the memory limit has room for: partitions of hashes are needed.
    Uneven,
}

/// Reads a history by partition.
///
/// # Errors
/// Those of decoding, of the state that rows are added to, and of the spill file; [`Error::Value`] for windows that are
/// none and for a memory limit that some partition does not fit.
pub(crate) fn scatter<'a>(
    history: &mut History,
    options: &HistoryOptions,
    before: Option<&'a StateInfo>,
    may_be_narrow: bool,
    progress: &dyn Progress,
) -> Result<Scattered<'a>> {
    let source = options.append.as_deref().unwrap_or(Path::new(""));
    let (pool, spill) = (Pool::default(), Spill::new(options.spill_folder.clone()));
    let memory = Memory::plan(history, options)?;
    let before_rows = before.map_or(0, |state| state.customers);
    let rows = Rows::new(history, before_rows, may_be_narrow, memory, &pool, &spill);
    let Some(read) = read(history, options, &rows, progress)? else { return Ok(Scattered::TooLarge) };
    let Read { ledger, mut first_order, mut last_order, last_refund, closed } = read;
    if let Some(state) = before {
        let name = source.display().to_string();
        state.check(&name, history, options)?;
        state.check_currency(&name, &ledger)?;
        if let Some((rows, file)) = closed {
            return Err(state.refuse_closed(&name, rows, &ledger.files[file as usize]));
        }
        first_order = first_order.into_iter().chain([state.first_order]).min();
        last_order = last_order.max(Some(state.closed));
    }
    let known = || before.map_or_else(|| Ok(HashSet::new()), |state| known_customers(source, state, history));
    let last = if options.as_of.is_some() { None } else { last_used(&rows, last_order, last_refund, known)? };
    let window = window(options, &ledger, first_order, last)?;
    if let Some(state) = before {
        read_kept(source, state, history.kept())?;
    }
    let kept = history.kept().finish()?;
    let rule = rule(history, options, window, first_order, &kept)?;
    if let Some(state) = before {
        state.check_cohort_period(&source.display().to_string(), rule.cohorts.map(|of| of.period()))?;
    }
    let known = Store::new(rows.len(), rule.before(), memory.blocks, &pool, &spill);
    if let Some(state) = before {
        progress.phase("reading the state", 0);
        let first_period = rule.scan.periods.as_ref().map_or(0, Periods::first);
        let mut scatter = Scatter::new(&known);
        read_customers(source, state, rule.shape, first_period, history, |customer| {
            scatter.record(customer.hash, customer.text, customer.record);
            scatter.check()
        })?;
        scatter.finish()?;
    }
    if rows.in_order() && (0..rows.len()).any(|partition| rows.needed(partition) > memory.blocks) {
        return Ok(Scattered::Uneven);
    }
    let (folded, cohorts) = fold_all(&rows, &known, &rule, memory.blocks, progress)?;
    let (in_order, strategy) = (rows.in_order(), Strategy::Scatter);
    drop((rows, known));
    let made = Made { ledger, first_order, rule, folded, cohorts, strategy, in_order, before, kept };
    Ok(Scattered::Done(Box::new((made, spill))))
}

/// Decodes and scatters all tasks; `None` if an exact amount is too large to be held exactly.
fn read(
    history: &mut History,
    options: &HistoryOptions,
    rows: &Rows<'_>,
    progress: &dyn Progress,
) -> Result<Option<Read>> {
    history.begin();
    progress.phase("reading", history.rows());
    let ledgers: Vec<Mutex<TaskLedger>> = (0..history.tasks()).map(|_| Mutex::default()).collect();
    let workers = parallel::try_workers(
        history.tasks(),
        || rows.scattering(),
        |scattering, task| {
            progress.check()?;
            let ledger = scattering.decode(history, task, options, progress)?;
            *ledgers[task].lock().unwrap_or_else(PoisonError::into_inner) = ledger;
            Ok(())
        },
    )?;
    parallel::map_items(workers, Scattering::finish).into_iter().collect::<Result<()>>()?;
    let ledgers =
        ledgers.into_iter().map(|ledger| ledger.into_inner().unwrap_or_else(PoisonError::into_inner));
    let Some(mut read) = sum_up(history, options, ledgers)? else { return Ok(None) };
    read.ledger.join = history.join_report()?;
    Ok(Some(read))
}

/// The customers of a state, each as the id or the packed text.
fn known_customers(source: &Path, state: &StateInfo, history: &History) -> Result<HashSet<Vec<u64>>> {
    let mut out = HashSet::new();
    let shape = Shape::of_state(state);
    read_customers(source, state, shape, state.periods.map_or(0, |(_, first)| first), history, |customer| {
        let mut words = Vec::new();
        let first = if state.ids.is_text() {
            pack(customer.text, customer.hash, &mut words)
        } else {
            customer.record[0]
        };
        words.insert(0, first);
        out.insert(words);
        Ok(())
    })?;
    Ok(out)
}

/// Folds all partitions, and counts cohorts if they are wanted; what is folded goes to disk while memory is short.
fn fold_all(
    rows: &Rows<'_>,
    known: &Store<'_>,
    rule: &Rule,
    limit: usize,
    progress: &dyn Progress,
) -> Result<(Vec<Folded>, Option<CohortTally>)> {
    progress.phase("folding", rows.len() as u64);
    let (pool, spill) = (known.pool, known.spill);
    let order = rows.order();
    let done: Vec<Mutex<Option<Folded>>> = order.iter().map(|_| Mutex::new(None)).collect();
    let tallies = parallel::try_workers(
        order.len(),
        || rule.cohorts.map(CohortTally::new),
        |cohorts, i| {
            progress.check()?;
            let needed = rows.needed(order[i]);
            if needed > limit {
                return Err(too_large_a_part(limit, needed));
            }
            let mut folded = rows.fold(order[i], known, rule, cohorts.as_mut())?;
            if pool.live() > limit {
                folded.run.evict(pool, spill)?;
            }
            *done[order[i]].lock().unwrap_or_else(PoisonError::into_inner) = Some(folded);
            progress.advance(1);
            Ok(())
        },
    )?;
    let folded = done.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
    let folded = folded
        .map(|folded| folded.ok_or_else(|| Error::internal("folding", "a partition was left out")))
        .collect::<Result<_>>()?;
    let cohorts = tallies.into_iter().flatten().reduce(|mut sum, tally| {
        sum.merge(&tally);
        sum
    });
    Ok((folded, cohorts))
}

fn too_large_a_part(limit: usize, needed: usize) -> Error {
    let megabytes = |bytes: usize| bytes.div_ceil(1 << 20);
    Error::value(
        "memory-limit",
        format!("{}MiB for rows", megabytes(limit)),
        "rows of one customer, or of some that cannot be told apart sooner, do not fit",
        format!("give {}MiB more", megabytes(needed - limit)),
    )
}
