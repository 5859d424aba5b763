//! A history → its customer table, its ledger and its fingerprint.

use crate::calendar::{Day, Unit, Window};
use crate::customers::fold::{Folded, Rule, fold};
use crate::customers::gather::gather;
use crate::customers::last_used::last_used;
use crate::customers::partition::{Chunk, Scatter, partitions};
use crate::customers::second_look::find_duplicates;
use crate::customers::statistics::Tally;
use crate::customers::table::CustomerTable;
use crate::error::{Error, Result};
use crate::history::{History, HistoryOptions, Inspection, Ledger, Reason, SetAsideRow, Source, TaskLedger};
use crate::parallel;
use crate::progress::Progress;

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
}

impl Summary {
    /// What a reader of any figure should know of the rows behind it, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        let ledger = &self.ledger;
        let aside = |reason| ledger.set_aside.iter().filter(|row| row.reason == reason).count() as u64;
        out.extend(ledger.skipped.iter().map(|file| format!("a bad file is left out: {}", file.problem)));
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

/// Summarises a history as it is; a bad file is an error.
fn attempt(
    history: &mut History,
    options: &HistoryOptions,
    unit: Unit,
    progress: &dyn Progress,
) -> Result<Summary> {
    let read = match read(history, options, progress)? {
        Some(read) => read,
        None => {
            history.use_floats();
            read_again(history, options, progress)?
        }
    };
    let Read { chunks, mut ledger, first_order, last_order, last_refund } = read;
    let last = if options.as_of.is_some() { None } else { last_used(&chunks, last_order, last_refund) };
    let window = window(options, &ledger, first_order, last)?;
    let rule = Rule {
        window,
        amounts: history.amounts(),
        ids: history.ids(),
        has_orders: history.inspection().columns.order.is_some(),
        drop_duplicates: options.drop_duplicates,
    };

    progress.phase("folding", chunks.len() as u64);
    let mut folded: Vec<Folded> = parallel::map_items(chunks, |chunks| {
        progress.check()?;
        let folded = fold(chunks, &rule);
        progress.advance(1);
        Ok(folded)
    })
    .into_iter()
    .collect::<Result<_>>()?;

    find_duplicates(history, &mut folded, &rule, &mut ledger, progress)?;
    let tally = settle(history, &mut folded, &mut ledger);
    debug_assert!(ledger.adds_up());
    if folded.iter().all(|part| part.customers.is_empty()) {
        return Err(no_usable_row(&ledger));
    }
    progress.check()?;
    let table = gather(folded, history.ids(), window, unit);
    check_finite(&table)?;
    Ok(Summary {
        table,
        ledger,
        history: history.inspection().clone(),
        fingerprint: format!("{:016x}{:016x}", tally.digest[0], tally.digest[1]),
    })
}

/// What reading leaves: rows by partition (each with the task it came from), and the ledger so far.
struct Read {
    chunks: Vec<Vec<(u32, Chunk)>>,
    ledger: Ledger,
    first_order: Option<Day>,
    last_order: Option<Day>,
    last_refund: Option<Day>,
}

/// Decodes and scatters all tasks; `None` if an exact amount is too large to be held exactly.
fn read(history: &History, options: &HistoryOptions, progress: &dyn Progress) -> Result<Option<Read>> {
    let count = partitions(history.rows());
    let has_orders = history.inspection().columns.order.is_some();
    progress.phase("reading", history.rows());
    let tasks: Vec<(Vec<Chunk>, TaskLedger)> = parallel::try_map(history.tasks(), |task| {
        progress.check()?;
        let mut scatter = Scatter::new(count, history.task_rows(task), history.ids(), has_orders);
        let ledger = history.decode(task, options, progress, &mut scatter)?;
        Ok((scatter.finish(), ledger))
    })?;
    if tasks.iter().any(|(_, ledger)| ledger.too_large) {
        return Ok(None);
    }
    let mut chunks: Vec<Vec<(u32, Chunk)>> =
        (0..count).map(|_| Vec::with_capacity(history.tasks())).collect();
    let mut ledger = Ledger {
        files: history.inspection().files.iter().map(|file| file.name.clone()).collect(),
        skipped: history.inspection().skipped.clone(),
        ..Ledger::default()
    };
    let (mut first_order, mut last_order, mut last_refund) = (None, None, None);
    for (task, (parts, task_ledger)) in tasks.into_iter().enumerate() {
        for (partition, chunk) in parts.into_iter().enumerate() {
            if !chunk.rows.is_empty() {
                chunks[partition].push((task as u32, chunk));
            }
        }
        ledger.read += task_ledger.read;
        ledger.set_aside.extend(task_ledger.set_aside);
        first_order = first_order.into_iter().chain(task_ledger.first_order).min();
        last_order = last_order.max(task_ledger.last_order);
        last_refund = last_refund.max(task_ledger.last_refund);
    }
    Ok(Some(Read { chunks, ledger, first_order, last_order, last_refund }))
}

fn read_again(history: &History, options: &HistoryOptions, progress: &dyn Progress) -> Result<Read> {
    read(history, options, progress)?
        .ok_or_else(|| Error::internal("reading amounts", "floating point cannot be too large"))
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

/// Finite amounts may add up to what no figure can be made of.
fn check_finite(table: &CustomerTable) -> Result<()> {
    let holdout: &[f64] = table.holdout.as_ref().map_or(&[], |holdout| &holdout.spend);
    for sums in [&table.total_spend, &table.monetary_value, holdout] {
        if let Some(i) = sums.iter().position(|sum| !sum.is_finite()) {
            return Err(Error::value(
                format!("the amounts of customer {}", table.ids.text(i)),
                sums[i],
                "they add up to infinity",
                "write the amounts in a larger unit, or leave out those that are no money",
            ));
        }
    }
    Ok(())
}

/// Adds the partitions' counts and the rows they set aside to the ledger.
fn settle(history: &History, folded: &mut [Folded], ledger: &mut Ledger) -> Tally {
    let mut tally = Tally::default();
    for part in folded {
        tally.add(&part.tally);
        for aside in std::mem::take(&mut part.aside) {
            let (file, row) = history.locate(aside.task, aside.row);
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
