//! A history whose customers stand together is folded as it is read: no row is kept, and none has to be found again.
//!
//! The footers say whether it is worth trying; every row is held against what they say. When it does not hold, what was
//! made so far is thrown away and the history is scattered: no result depends on which of the two was done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::amount::AmountKind;
use crate::calendar::Window;
use crate::customers::blocks::Pool;
use crate::customers::clusters::{Clustering, Clusters, Seam};
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule};
use crate::customers::memory::Memory;
use crate::customers::read::{Read, sum_up};
use crate::customers::run::{Flat, Run};
use crate::customers::spill::Spill;
use crate::customers::statistics::{Floats, Money, Units};
use crate::customers::summary::rule;
use crate::customers::windows::{check_order, window};
use crate::error::Result;
use crate::history::{Clustered, History, HistoryOptions, TaskLedger};
use crate::parallel;
use crate::progress::Progress;

/// How the rows of each customer were brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// By scattering them to partitions.
    Scatter,
    /// They stood together, and were folded as they were read.
    Stream,
    /// The footers promised that they stood together, but they did not, so that they were scattered.
    StreamBroken,
}

impl Strategy {
    /// In words, for a note.
    pub fn words(self) -> &'static str {
        match self {
            Strategy::Scatter => "rows are in no order of customers: they were scattered by customer",
            Strategy::Stream => "rows are in the order of customers: they were folded as they were read",
            Strategy::StreamBroken => {
                "row groups are in the order of customers by their statistics, but rows are not or the days differ: \
                 they were scattered by customer"
            }
        }
    }
}

/// Bytes that folded customers may take before they go to disk, if the table is never needed whole.
const BUDGET: usize = if cfg!(test) { 1 << 10 } else { 64 << 20 };

/// What came of streaming.
pub(crate) enum Streamed {
    Done(Box<Done>),
    /// The promise did not hold.
    Broken,
    /// An exact amount is too large to be held exactly.
    TooLarge,
}

/// A history that was streamed.
pub(crate) struct Done {
    pub(crate) read: Read,
    pub(crate) rule: Rule,
    /// In the order of ids.
    pub(crate) folded: Vec<Folded>,
    pub(crate) cohorts: Option<CohortTally>,
}

/// Where streaming puts what it makes.
pub(crate) struct Places<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) spill: &'a Spill,
    pub(crate) memory: Memory,
    /// Whether the table will be needed in memory whole, so that writing customers to disk spares nothing.
    pub(crate) whole: bool,
}

impl Places<'_> {
    /// A run in memory, or on disk when memory is short.
    fn run(&self, rule: &Rule, flat: Flat) -> Result<Run> {
        let limit = self.memory.blocks;
        let budget = if self.whole { limit } else { limit.min(BUDGET) };
        let bytes = (flat.records.len() + flat.texts.len()) * 8;
        if self.pool.live() + bytes > budget {
            match Run::on_disk(rule.shape, &flat, self.spill) {
                Ok(run) => return Ok(run),
                Err(error) if limit < usize::MAX => return Err(error),
                // Nobody asked for little memory, so that a full disk is no reason to fail.
                Err(_) => {}
            }
        }
        Ok(Run::new(rule.shape, flat, self.pool))
    }
}

/// Streams a history.
///
/// # Errors
/// Those of decoding, and of writing to the spill file.
pub(crate) fn stream(
    history: &History,
    options: &HistoryOptions,
    clustered: Clustered,
    places: &Places<'_>,
    progress: &dyn Progress,
) -> Result<Streamed> {
    let Some(foreseen) = foreseen(options, clustered) else { return Ok(Streamed::Broken) };
    // Too many periods of cohorts may be the fault of a statistic.
    let Ok(rule) = rule(history, options, foreseen, Some(clustered.days.0), &[]) else {
        return Ok(Streamed::Broken);
    };
    progress.phase("reading", history.rows());
    let streamed = match rule.shape.amounts {
        AmountKind::Float => stream_as(history, options, &rule, Floats, places, progress)?,
        AmountKind::Scaled { scale } => {
            stream_as(history, options, &rule, Units { scale }, places, progress)?
        }
    };
    let Some((ledgers, folded, cohorts)) = streamed else { return Ok(Streamed::Broken) };
    let Some(read) = sum_up(history, options, ledgers)? else { return Ok(Streamed::TooLarge) };
    // Where refunds came last, it takes all rows of their customers to know whether they count.
    let last_is_known = options.as_of.is_some() || read.last_refund <= read.last_order;
    let last = read.last_order.filter(|_| options.as_of.is_none());
    let same_first = options.cohorts.is_none() || read.first_order == Some(clustered.days.0);
    if !last_is_known || window(options, &read.ledger, read.first_order, last)? != foreseen || !same_first {
        return Ok(Streamed::Broken);
    }
    Ok(Streamed::Done(Box::new(Done { read, rule, folded, cohorts })))
}

/// The windows that the footers foretell; `None` if there is none.
fn foreseen(options: &HistoryOptions, clustered: Clustered) -> Option<Window> {
    let as_of = options.as_of.unwrap_or(clustered.days.1);
    let calibration_end = options.calibration_end.unwrap_or(as_of);
    let possible = as_of.is_possible() && check_order(calibration_end, as_of).is_ok();
    possible.then_some(Window { calibration_end, as_of })
}

type Parts = (Vec<TaskLedger>, Vec<Folded>, Option<CohortTally>);

/// Decodes and folds all tasks; `None` if ids did not ascend.
fn stream_as<M: Money>(
    history: &History,
    options: &HistoryOptions,
    rule: &Rule,
    money: M,
    places: &Places<'_>,
    progress: &dyn Progress,
) -> Result<Option<Parts>> {
    let place = |flat| places.run(rule, flat);
    let broken = AtomicBool::new(false);
    // Tallies are counted on by one task after another: there are no more of them than threads.
    let tallies: Mutex<Vec<CohortTally>> = Mutex::default();
    let idle = || tallies.lock().unwrap_or_else(PoisonError::into_inner);
    // Rows of one customer are sorted beside themselves, which takes as much again.
    let limit = places.memory.blocks / 2;
    let produce = |task: usize| -> Result<Option<(TaskLedger, Clustering)>> {
        progress.check()?;
        if broken.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let cohorts = rule.cohorts.map(|of| idle().pop().unwrap_or_else(|| CohortTally::new(of)));
        let mut sink = Clusters::new(rule, money, &place, cohorts);
        let ledger = history.decode(task, options, progress, &mut sink)?;
        let (clustering, cohorts) = sink.finish()?;
        idle().extend(cohorts);
        Ok(Some((ledger, clustering)))
    };
    let mut seam = Seam::new(rule, money, places.pool, rule.cohorts.map(CohortTally::new), limit);
    let mut ledgers = Vec::with_capacity(history.tasks());
    parallel::try_ordered(history.tasks(), produce, |_, product| {
        let holds = match product {
            Some((ledger, clustering)) if !clustering.broken => {
                ledgers.push(ledger);
                seam.join(clustering)?
            }
            _ => false,
        };
        broken.fetch_or(!holds, Ordering::Relaxed);
        Ok(())
    })?;
    if broken.into_inner() {
        return Ok(None);
    }
    let (folded, mut cohorts) = seam.finish()?;
    for tally in tallies.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if let Some(sum) = &mut cohorts {
            sum.merge(&tally);
        }
    }
    Ok(Some((ledgers, folded, cohorts)))
}
