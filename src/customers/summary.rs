//! A history → its customer table, its ledger and its fingerprint.

use std::path::Path;

use crate::calendar::{Day, Unit, Window};
use crate::customers::account::Periods;
use crate::customers::blocks::Pool;
use crate::customers::cohorts::{CohortRule, CohortTable, CohortTally};
use crate::customers::fold::{Folded, Rule};
use crate::customers::groups::{About, Customers};
use crate::customers::memory::Memory;
use crate::customers::names;
use crate::customers::read::Read;
use crate::customers::record::Layout;
use crate::customers::run::Run;
use crate::customers::scan::ScanRule;
use crate::customers::scattered::{Scattered, scatter};
use crate::customers::second_look::find_duplicates;
use crate::customers::shape::{NO_RANK, Shape};
use crate::customers::spill::Spill;
use crate::customers::state::{self, StateInfo, StateRows, VERSION, check_options};
use crate::customers::statistics::Tally;
use crate::customers::stream::{Done, Places, Strategy, Streamed, stream};
use crate::customers::table::{CustomerTable, read_info};
use crate::customers::windows::{check_order, no_usable_row};
use crate::error::Result;
use crate::history::{
    History, HistoryOptions, Inspection, JoinReport, KeptColumn, Ledger, Reason, SetAsideRow, Source,
};
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
    /// The state that the rows were added to.
    pub before: Option<StateInfo>,
    /// What the state of these customers says of itself, if one was asked for.
    pub state: Option<StateInfo>,
    /// Cohorts, if they were asked for, or if a state that is made has them because the one before has.
    pub cohorts: Option<CohortTable>,
    /// How the rows of each customer were brought together. No figure depends on it.
    pub strategy: Strategy,
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
    /// How the rows of each customer were brought together. No figure depends on it.
    pub strategy: Strategy,
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
    if ledger.without_cost > 0 {
        out.push(format!(
            "{} rows have no cost or margin that is a number: it counts as 0 there",
            ledger.without_cost
        ));
    }
    let lost = ledger.set_aside.len() as u64;
    // One row in twenty is more than a few slips of the keyboard.
    if lost * 20 > ledger.read {
        out.push(format!("{lost} of {} rows are set aside: the ledger counts them by reason, and `run` lists them in set_aside.parquet", ledger.read));
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
        let mut out = warnings(&self.ledger, self.cohorts.as_ref());
        out.extend(self.before.iter().flat_map(StateInfo::warnings));
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
/// Errors: everything that opening and decoding can meet;
/// [`Error::NoUsableRow`](crate::Error::NoUsableRow), [`Error::BeforeHistory`](crate::Error::BeforeHistory),
/// [`Error::Value`](crate::Error::Value) for windows that are none and for amounts that add up to infinity,
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn summarize(
    sources: &[Source],
    options: &HistoryOptions,
    unit: Unit,
    progress: &dyn Progress,
) -> Result<Summary> {
    summarize_open(History::open(sources, options)?, unit, progress)
}

/// As [`summarize`], of a history that is open, with the options it was opened with: no footer and no id map is read
/// again.
///
/// # Errors
/// As for [`summarize`]; [`Error::FileChanged`](crate::Error::FileChanged) for a file that is no longer the one that was opened.
pub fn summarize_open(history: History, unit: Unit, progress: &dyn Progress) -> Result<Summary> {
    let Reading { customers, ledger, history, fingerprint, cohorts, strategy, .. } =
        read_for(history, unit, true, progress)?;
    Ok(Summary { table: customers.into_table()?, ledger, history, fingerprint, cohorts, strategy })
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
    read_open(History::open(sources, options)?, unit, progress)
}

/// As [`read_history`], of a history that is open, with the options it was opened with.
///
/// # Errors
/// As for [`summarize_open`].
pub fn read_open(history: History, unit: Unit, progress: &dyn Progress) -> Result<Reading> {
    read_for(history, unit, false, progress)
}

/// Reads a history for a table that is needed whole, or stretch by stretch.
fn read_for(mut history: History, unit: Unit, whole: bool, progress: &dyn Progress) -> Result<Reading> {
    let options = history.options().clone();
    check_options(&options)?;
    names::check_kept(history.inspection(), &options, None)?;
    let before = options.append.as_deref().map(read_info).transpose()?;
    let (closed, cohorts) = before.as_ref().map_or((None, options.cohorts), |state| state.settings(&options));
    let options = &HistoryOptions { closed, cohorts, ..options };
    if let (Some(calibration_end), Some(as_of)) = (options.calibration_end, options.as_of) {
        check_order(calibration_end, as_of)?;
    }
    loop {
        let error = match attempt(&mut history, options, unit, whole, before.as_ref(), progress) {
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
    whole: bool,
    before: Option<&StateInfo>,
    progress: &dyn Progress,
) -> Result<Reading> {
    let source = options.append.as_deref().unwrap_or(Path::new(""));
    if let Some(state) = before {
        history.join_state(state.ids, &state.id_parts, state.amounts);
        state.check(&source.display().to_string(), history, options)?;
    }
    let mut strategy = Strategy::Scatter;
    if let Some(clustered) = history.clustered() {
        let (pool, spill) = (Pool::default(), Spill::new(options.spill_folder.clone()));
        let places = Places { pool: &pool, spill: &spill, memory: Memory::plan(history, options)?, whole };
        let mut streamed = stream(history, options, clustered, &places, progress)?;
        if matches!(streamed, Streamed::TooLarge) {
            history.use_floats();
            streamed = stream(history, options, clustered, &places, progress)?;
        }
        if let Streamed::Done(done) = streamed {
            let Done { read, rule, folded, cohorts } = *done;
            let Read { ledger, first_order, .. } = read;
            let strategy = Strategy::Stream;
            let (in_order, before, kept) = (true, None, Vec::new());
            let made = Made { ledger, first_order, rule, folded, cohorts, strategy, in_order, before, kept };
            return conclude(history, options, made, unit, spill, progress);
        }
        if clustered.promised {
            strategy = Strategy::StreamBroken;
        }
    }
    // Exact amounts may turn out to be too large, and ranges of ids too uneven: no more than once each.
    let mut may_be_narrow = true;
    loop {
        match scatter(history, options, before, may_be_narrow, progress)? {
            Scattered::Done(done) => {
                let (mut made, spill) = *done;
                made.strategy = strategy;
                return conclude(history, options, made, unit, spill, progress);
            }
            Scattered::TooLarge => history.use_floats(),
            Scattered::Uneven => may_be_narrow = false,
        }
    }
}

/// How rows are folded for these windows; cohorts begin with the first order.
pub(crate) fn rule(
    history: &History,
    options: &HistoryOptions,
    window: Window,
    first_order: Option<Day>,
    kept: &[KeptColumn],
) -> Result<Rule> {
    let periods = options
        .periods
        .map(|last| Periods::new(last.period, usize::from(last.count), window.calibration_end));
    names::check_kept(history.inspection(), options, periods.as_ref())?;
    let scan = ScanRule {
        window,
        extras: history.extras(),
        costs: history.costs(),
        periods,
        ranks: kept
            .iter()
            .map(|column| {
                let mut ranks = column.ranks.clone();
                // The code of no value, for a customer of whom none is known.
                ranks[0] = NO_RANK;
                ranks
            })
            .collect(),
    };
    let amounts = history.amounts();
    let cohorts = options.cohorts.zip(first_order);
    let cohorts =
        cohorts.map(|(period, first)| CohortRule::new(period, first, window, amounts)).transpose()?;
    let layout = Layout::new(history.ids().is_text(), history.extras());
    let shape = Shape::new(history.ids(), amounts, &scan, options.state || options.append.is_some());
    Ok(Rule { scan, layout, shape, drop_duplicates: options.drop_duplicates, cohorts })
}

/// A history of which every row is folded.
pub(crate) struct Made<'a> {
    pub(crate) ledger: Ledger,
    pub(crate) first_order: Option<Day>,
    pub(crate) rule: Rule,
    pub(crate) folded: Vec<Folded>,
    pub(crate) cohorts: Option<CohortTally>,
    pub(crate) strategy: Strategy,
    /// Whether each part's customers come after those of the one before it.
    pub(crate) in_order: bool,
    pub(crate) before: Option<&'a StateInfo>,
    pub(crate) kept: Vec<KeptColumn>,
}

/// What is left to do when all rows are folded: the second look, and the ledger.
fn conclude(
    history: &History,
    options: &HistoryOptions,
    made: Made<'_>,
    unit: Unit,
    spill: Spill,
    progress: &dyn Progress,
) -> Result<Reading> {
    let Made { mut ledger, first_order, rule, mut folded, mut cohorts, strategy, in_order, before, kept } =
        made;
    find_duplicates(history, &mut folded, &rule, &spill, &mut ledger, &mut cohorts, progress)?;
    let mut tally = settle(history, &mut folded, &mut ledger);
    if let Some(state) = before {
        state.add_to(&mut tally, cohorts.as_mut())?;
    }
    debug_assert!(ledger.adds_up());
    if folded.iter().all(|part| part.run.len() == 0) {
        return Err(no_usable_row(&ledger));
    }
    progress.check()?;
    let runs: Vec<Run> = folded.into_iter().map(|part| part.run).collect();
    let customers = runs.iter().map(|run| run.len() as u64).sum();
    let window = rule.scan.window;
    let state = options.state.then(|| StateInfo {
        version: VERSION,
        closed: window.as_of,
        first_order: first_order.unwrap_or(window.as_of),
        customers,
        ids: history.ids(),
        id_parts: history.id_parts().to_vec(),
        id_map: history.mapped(),
        columns: state::columns(history),
        currency: ledger.currency.clone().or_else(|| before.and_then(|state| state.currency.clone())),
        amounts: history.amounts(),
        costs: history
            .costs()
            .map(|kind| (names::cost_name(&history.inspection().columns).to_string(), kind)),
        refunds: options.refunds,
        drop_duplicates: options.drop_duplicates,
        zone: history.inspection().zone.clone(),
        periods: options.periods.zip(rule.scan.periods.as_ref().map(Periods::first)),
        kept: kept.iter().map(|column| column.name.clone()).collect(),
        cohorts: cohorts.as_ref().map(CohortTally::to_state),
        rows: before.map_or_else(StateRows::default, |state| state.rows.clone()).with(&ledger),
        digest: tally.digest.map(|word| format!("{word:016x}")),
    });
    let about = About {
        shape: rule.shape,
        rule: rule.scan,
        kind: history.ids(),
        unit,
        parts: history.id_parts().to_vec(),
        cost_name: names::cost_name(&history.inspection().columns),
        kept,
    };
    let customers =
        if in_order { Customers::in_order(runs, about, spill) } else { Customers::new(runs, about, spill)? };
    Ok(Reading {
        customers,
        ledger,
        history: history.inspection().clone(),
        fingerprint: format!("{:016x}{:016x}", tally.digest[0], tally.digest[1]),
        cohorts: cohorts.map(|tally| tally.finish()),
        before: before.cloned(),
        state,
        strategy,
    })
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
