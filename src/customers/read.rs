//! What reading leaves beside the rows: the tasks' ledgers as one.

use crate::calendar::Day;
use crate::error::Result;
use crate::history::{Currencies, History, HistoryOptions, Ledger, TaskLedger};

/// What reading leaves beside the rows: the ledger so far, and the days between which they lie.
pub(crate) struct Read {
    pub(crate) ledger: Ledger,
    pub(crate) first_order: Option<Day>,
    pub(crate) last_order: Option<Day>,
    pub(crate) last_refund: Option<Day>,
    /// Rows of days that the state holds, and the first file with such rows.
    pub(crate) closed: Option<(u64, u32)>,
}

/// The sum of the tasks' ledgers; `None` if an exact amount is too large to be held exactly.
pub(crate) fn sum_up(
    history: &History,
    options: &HistoryOptions,
    ledgers: impl IntoIterator<Item = TaskLedger>,
) -> Result<Option<Read>> {
    let mut ledger = Ledger {
        files: history.inspection().files.iter().map(|file| file.name.clone()).collect(),
        skipped: history.inspection().skipped.clone(),
        ..Ledger::default()
    };
    let mut currencies = Currencies::default();
    let (mut first_order, mut last_order, mut last_refund) = (None, None, None);
    let mut closed = None;
    for task_ledger in ledgers {
        if task_ledger.too_large {
            return Ok(None);
        }
        ledger.read += task_ledger.read;
        ledger.set_aside.extend(task_ledger.set_aside);
        ledger.without_cost += task_ledger.without_cost;
        currencies.add(&task_ledger.currencies);
        first_order = first_order.into_iter().chain(task_ledger.first_order).min();
        last_order = last_order.max(task_ledger.last_order);
        last_refund = last_refund.max(task_ledger.last_refund);
        if let Some(file) = task_ledger.closed_file {
            closed = Some(closed.map_or((task_ledger.closed, file), |(rows, first): (u64, u32)| {
                (rows + task_ledger.closed, first)
            }));
        }
    }
    ledger.currency = history.check_currencies(&currencies, options)?;
    Ok(Some(Read { ledger, first_order, last_order, last_refund, closed }))
}
