//! The last day of a row that will be used, where refunds came after the last order.

use std::collections::{HashMap, HashSet};

use crate::calendar::Day;
use crate::customers::record::{amount, id, when};
use crate::customers::rows::Rows;
use crate::error::Result;
use crate::history::event::ZERO;
use crate::parallel;

/// The later of the last order's day and the last refund's that counts against an order. A refund of a customer who
/// never ordered is set aside, and must not move the window of everybody else.
///
/// `known` gives the customers who ordered before the rows at hand, each as the id or the packed text.
///
/// Rows are looked at only if there are refunds after the last order: every customer's order is before those, so that
/// any order will do.
pub(crate) fn last_used(
    rows: &Rows<'_>,
    last_order: Option<Day>,
    last_refund: Option<Day>,
    known: impl FnOnce() -> Result<HashSet<Vec<u64>>>,
) -> Result<Option<Day>> {
    let Some(last_order) = last_order else { return Ok(None) };
    if last_refund <= Some(last_order) {
        return Ok(Some(last_order));
    }
    let known = known()?;
    let refunds =
        parallel::try_map(rows.len(), |partition| last_netted(rows, partition, last_order, &known))?;
    Ok(refunds.into_iter().flatten().max().or(Some(last_order)))
}

/// The last refund after `last_order` of a customer who ordered, in one partition.
fn last_netted(
    rows: &Rows<'_>,
    partition: usize,
    last_order: Day,
    known: &HashSet<Vec<u64>>,
) -> Result<Option<Day>> {
    // The last refund of each customer, and whether the customer ordered.
    let mut late: HashMap<Vec<u64>, (Day, bool)> = HashMap::new();
    let who = |record: &[u64]| [&[id(record)], rows.layout().text(record)].concat();
    rows.each_record(partition, |record| {
        let day = when(record).day();
        if amount(record) < ZERO && day > last_order {
            let entry = late.entry(who(record)).or_insert((day, false));
            entry.0 = entry.0.max(day);
        }
    })?;
    if late.is_empty() {
        return Ok(None);
    }
    rows.each_record(partition, |record| {
        if amount(record) >= ZERO
            && let Some(entry) = late.get_mut(&who(record))
        {
            entry.1 = true;
        }
    })?;
    late.iter_mut().for_each(|(id, entry)| entry.1 |= known.contains(id));
    Ok(late.into_values().filter(|&(_, ordered)| ordered).map(|(day, _)| day).max())
}
