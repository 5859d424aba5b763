//! A history → its customer table, its ledger and its fingerprint.

use std::sync::{Mutex, PoisonError};

use crate::calendar::{Day, Unit, Window};
use crate::customers::account::Periods;
use crate::customers::blocks::{Blocks, Pool};
use crate::customers::cohorts::{CohortRule, CohortTable, CohortTally};
use crate::customers::fold::{Folded, Rule, fold};
use crate::customers::groups::{About, Customers};
use crate::customers::last_used::last_used;
use crate::customers::memory::Memory;
use crate::customers::record::Layout;
use crate::customers::scan::ScanRule;
use crate::customers::second_look::find_duplicates;
use crate::customers::shape::{NO_RANK, Shape};
use crate::customers::spill::Spill;
use crate::customers::statistics::Tally;
use crate::customers::store::{Scatter, Store, partitions};
use crate::customers::table::CustomerTable;
use crate::error::{Error, Result};
use crate::history::{
    History, HistoryOptions, Inspection, JoinReport, KeptColumn, Ledger, Reason, SetAsideRow, Source,
    TaskLedger,
};
use crate::parallel;
use crate::progress::Progress;

/// A history whose rows were read, and whose customers are not a table yet.
#[derive(Debug)]
pub struct Reading {
    /// The customers who ordered in the calibration window.
    pub customers: Customers,
    /// What became of every row read.
    pub ledger: Ledger,
    /// The files, columns and types.
    pub history: Inspection,
    /// As [`Summary::fingerprint`].
    pub fingerprint: String,
    /// Cohorts, if they were asked for.
    pub cohorts: Option<CohortTable>,
}

/// A summarised history.
#[derive(Debug, Clone)]
pub struct Summary {
    /// One row per customer who ordered in the calibration window.
    pub table: CustomerTable,
    /// What became of every row read.
    pub ledger: Ledger,
    /// The files, columns and types.
    pub history: Inspection,
    /// 32 hexadecimal digits of the rows used (customer, day, amount as held, order), the same for any order of rows
    /// and any split into files. It recognises an input; it is no protection against forgery.
    pub fingerprint: String,
    /// Cohorts, if they were asked for.
    pub cohorts: Option<CohortTable>,
}

fn warnings(ledger: &Ledger, cohorts: Option<&CohortTable>) -> Vec<String> {
    let mut out = Vec::new();
    out.extend(ledger.skipped.iter().map(|file| format!("a bad file is left out: {}", file.problem)));
    out.extend(ledger.join.iter().flat_map(JoinReport::warnings));
    if cohorts.is_some_and(|table| !table.has_spend()) {
        out.push("amounts are too large to be added exactly by cohort: cohorts have no spend".to_string());
    }
    let aside = |reason| ledger.set_aside.iter().filter(|row| row.reason == reason).count() as u64;
    if ledger.duplicates > aside(Reason::Duplicate) {
        out.push(format!(
            "{} rows repeat another row in every column and are used; --drop-duplicates sets them aside",
            ledger.duplicates
        ));
    }
    let lost = ledger.set_aside.len() as u64;
    // One row in twenty is more than a few slips of the keyboard.
    if lost * 20 > ledger.read {
        out.push(format!("{lost} of {} rows are set aside: set_aside.parquet lists them", ledger.read));
    }
    out
}

impl Summary {
    /// What a reader of any figure should know of the rows behind it, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        warnings(&self.ledger, self.cohorts.as_ref())
    }
}

impl Reading {
    /// What a reader of any figure should know of the rows behind it, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        warnings(&self.ledger, self.cohorts.as_ref())
    }
}

/// Reads a history and summarises it per customer.
///
/// - `frequency` counts days with an order after the first such day; `monetary_value` is the mean spend of those days.
/// - The window ends with `options.as_of`, or else the last day of an order or of a refund that is netted; `options.calibration_end` splits it.
///   Every figure but the holdout's is of the calibration window. Customers who first order after it are not in the
///   table; their rows are set aside.
/// - With netted refunds, a refund is subtracted from the spend of the latest order day on or before it, but one after
///   the end of calibration from the holdout's spend: figures that one predicts from know nothing of the future.
/// - Customers are ordered by id. The result has the same bits at any number of threads, and for any order of the rows
///   and files (only which of two equal rows is the duplicate follows the files).
///
/// Errors: everything that opening and decoding can meet; [`Error::NoUsableRow`], [`Error::BeforeHistory`],
/// [`Error::Value`] for windows that are none and for amounts that add up to infinity, [`Error::Interrupted`].
pub fn summarize(
    sources: &[Source],
    options: &HistoryOptions,
    unit: Unit,
    progress: &dyn Progress,
) -> Result<Summary> {
    let Reading { customers, ledger, history, fingerprint, cohorts } =
        read_history(sources, options, unit, progress)?;
    Ok(Summary { table: customers.into_table()?, ledger, history, fingerprint, cohorts })
}

/// Reads a history as [`summarize`] does, and leaves its customers where they are, so that the table can be written
/// without ever being in memory whole.
///
/// # Errors
/// As for [`summarize`], but that amounts that add up to infinity show when the table is made.
pub fn read_history(
    sources: &[Source],
    options: &HistoryOptions,
    unit: Unit,
    progress: &dyn Progress,
) -> Result<Reading> {
    let mut history = History::open(sources, options)?;
    if let (Some(calibration_end), Some(as_of)) = (options.calibration_end, options.as_of) {
        check_order(calibration_end, as_of)?;
    }
    loop {
        let error = match attempt(&mut history, options, unit, progress) {
            Err(error) if options.skip_bad_files => error,
            done => return done,
        };
        let Some(file) = history.file_at_fault(&error) else { return Err(error) };
        // Rows of a bad file are mixed with the others' by now: everything is read again without it. All bad files are
        // found first, so that this happens once.
        let mut bad = history.bad_files(progress)?;
        if bad.iter().all(|(other, _)| *other != file) {
            bad.push((file, error));
        }
        history = history.without(bad)?;
    }
}

/// Reads a history as it is; a bad file is an error.
fn attempt(
    history: &mut History,
    options: &HistoryOptions,
    unit: Unit,
    progress: &dyn Progress,
) -> Result<Reading> {
    let (pool, spill) = (Pool::default(), Spill::new(options.spill_folder.clone()));
    let memory = Memory::plan(history, options)?;
    let layout = Layout::new(history.ids().is_text(), history.extras());
    let count = partitions(history.rows());
    let store = || Store::new(count, layout, memory.blocks, &pool, &spill);
    let (store, read) = match read(history, options, store(), progress)? {
        Some(found) => found,
        None => {
            history.use_floats();
            read(history, options, store(), progress)?
                .ok_or_else(|| Error::internal("reading amounts", "floating point cannot be too large"))?
        }
    };
    let Read { mut ledger, first_order, last_order, last_refund } = read;
    let last = if options.as_of.is_some() { None } else { last_used(&store, last_order, last_refund)? };
    let window = window(options, &ledger, first_order, last)?;
    let kept: Vec<KeptColumn> = Vec::new();
    let scan = ScanRule {
        window,
        extras: history.extras(),
        costs: None,
        periods: options
            .periods
            .map(|last| Periods::new(last.period, usize::from(last.count), window.calibration_end)),
        ranks: kept
            .iter()
            .map(|column| {
                let mut ranks = column.ranks.clone();
                ranks[0] = NO_RANK;
                ranks
            })
            .collect(),
    };
    let cohorts = options.cohorts.zip(first_order);
    let amounts = history.amounts();
    let cohorts =
        cohorts.map(|(period, first)| CohortRule::new(period, first, window, amounts)).transpose()?;
    let shape = Shape::new(history.ids(), history.amounts(), &scan, false);
    let rule = Rule { scan, layout, shape, drop_duplicates: options.drop_duplicates, cohorts };
    let (mut folded, mut cohorts) = fold_all(&store, &rule, memory.blocks, progress)?;
    find_duplicates(history, &mut folded, &rule, &spill, &mut ledger, &mut cohorts, progress)?;
    let tally = settle(history, &mut folded, &mut ledger);
    debug_assert!(ledger.adds_up());
    if folded.iter().all(|part| part.run.len() == 0) {
        return Err(no_usable_row(&ledger));
    }
    progress.check()?;
    let runs = folded.into_iter().map(|part| part.run).collect();
    let about = About { shape, rule: rule.scan, kind: history.ids(), unit, cost_name: "total_cost", kept };
    Ok(Reading {
        customers: Customers::new(runs, about, spill)?,
        ledger,
        history: history.inspection().clone(),
        fingerprint: format!("{:016x}{:016x}", tally.digest[0], tally.digest[1]),
        cohorts: cohorts.map(|tally| tally.finish()),
    })
}

/// Folds all partitions, and counts cohorts if they are wanted; what is folded goes to disk while memory is short.
fn fold_all(
    store: &Store<'_>,
    rule: &Rule,
    limit: usize,
    progress: &dyn Progress,
) -> Result<(Vec<Folded>, Option<CohortTally>)> {
    progress.phase("folding", store.len() as u64);
    let order = store.order();
    let done: Vec<Mutex<Option<Folded>>> = order.iter().map(|_| Mutex::new(None)).collect();
    let tallies = parallel::try_workers(
        order.len(),
        || rule.cohorts.map(CohortTally::new),
        |cohorts, i| {
            progress.check()?;
            // Rows are sorted beside themselves, which takes as much again.
            let needed = store.bytes(order[i]).saturating_mul(2);
            if needed > limit {
                return Err(too_large_a_part(limit, needed));
            }
            let mut folded =
                fold(store.take(order[i])?, Blocks::default(), rule, store.pool, cohorts.as_mut());
            if store.pool.live() > limit {
                folded.run.evict(store.pool, store.spill)?;
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

/// What reading leaves beside the rows: the ledger so far, and the days between which they lie.
struct Read {
    ledger: Ledger,
    first_order: Option<Day>,
    last_order: Option<Day>,
    last_refund: Option<Day>,
}

/// Decodes and scatters all tasks; `None` if an exact amount is too large to be held exactly.
fn read<'a>(
    history: &mut History,
    options: &HistoryOptions,
    store: Store<'a>,
    progress: &dyn Progress,
) -> Result<Option<(Store<'a>, Read)>> {
    history.begin();
    progress.phase("reading", history.rows());
    let ledgers: Vec<Mutex<TaskLedger>> = (0..history.tasks()).map(|_| Mutex::default()).collect();
    let workers = parallel::try_workers(
        history.tasks(),
        || Scatter::new(&store),
        |scatter, task| {
            progress.check()?;
            let ledger = history.decode(task, options, progress, scatter)?;
            *ledgers[task].lock().unwrap_or_else(PoisonError::into_inner) = ledger;
            scatter.check()
        },
    )?;
    parallel::map_items(workers, Scatter::finish).into_iter().collect::<Result<()>>()?;
    let mut ledger = Ledger {
        files: history.inspection().files.iter().map(|file| file.name.clone()).collect(),
        skipped: history.inspection().skipped.clone(),
        ..Ledger::default()
    };
    let (mut first_order, mut last_order, mut last_refund) = (None, None, None);
    for task_ledger in ledgers {
        let task_ledger = task_ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        if task_ledger.too_large {
            return Ok(None);
        }
        ledger.read += task_ledger.read;
        ledger.set_aside.extend(task_ledger.set_aside);
        first_order = first_order.into_iter().chain(task_ledger.first_order).min();
        last_order = last_order.max(task_ledger.last_order);
        last_refund = last_refund.max(task_ledger.last_refund);
    }
    ledger.join = history.join_report()?;
    Ok(Some((store, Read { ledger, first_order, last_order, last_refund })))
}

fn check_order(calibration_end: Day, as_of: Day) -> Result<()> {
    if calibration_end <= as_of {
        return Ok(());
    }
    Err(Error::value(
        "--calibration-end",
        calibration_end,
        format!("it is after the as-of date, {as_of}"),
        format!("give a date up to {as_of}, or a later --as-of"),
    ))
}

fn window(
    options: &HistoryOptions,
    ledger: &Ledger,
    first_order: Option<Day>,
    last: Option<Day>,
) -> Result<Window> {
    let first = first_order.ok_or_else(|| no_usable_row(ledger))?;
    let not_before = |name, day: Day| {
        if day < first { Err(Error::BeforeHistory { name, day, first }) } else { Ok(()) }
    };
    if let Some(as_of) = options.as_of {
        not_before("--as-of", as_of)?;
    }
    let as_of = options.as_of.or(last).ok_or_else(|| no_usable_row(ledger))?;
    let calibration_end = options.calibration_end.unwrap_or(as_of);
    not_before("--calibration-end", calibration_end)?;
    check_order(calibration_end, as_of)?;
    Ok(Window { calibration_end, as_of })
}

fn no_usable_row(ledger: &Ledger) -> Error {
    let reasons: Vec<String> =
        ledger.counts().iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
    Error::NoUsableRow { rows: ledger.read, reasons: reasons.join(", ") }
}

/// Adds the partitions' counts and the rows they set aside to the ledger.
fn settle(history: &History, folded: &mut [Folded], ledger: &mut Ledger) -> Tally {
    let mut tally = Tally::default();
    for part in folded {
        tally.add(&part.tally);
        for aside in std::mem::take(&mut part.aside) {
            let (file, row) = history.locate(aside.row);
            ledger.set_aside.push(SetAsideRow { file, row, reason: aside.reason, value: Some(aside.value) });
        }
    }
    ledger.used = tally.used;
    ledger.used_holdout = tally.used_holdout;
    ledger.zero_amounts = tally.zero_amounts;
    ledger.refunds_netted = tally.refunds_netted;
    ledger.set_aside.sort_by_key(|row| (row.file, row.row));
    tally
}
