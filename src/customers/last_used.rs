//! The last day of a row that will be used, where refunds came after the last order.

use std::collections::HashMap;

use crate::calendar::Day;
use crate::customers::partition::Chunk;
use crate::history::event::ZERO;
use crate::parallel;

/// The later of the last order's day and the last refund's that counts against an order. A refund of a customer who
/// never ordered is set aside, and must not move the window of everybody else.
///
/// Rows are looked at only if there are refunds after the last order: every customer's order is before those, so that
/// any order will do.
pub(crate) fn last_used(
    chunks: &[Vec<(u32, Chunk)>],
    last_order: Option<Day>,
    last_refund: Option<Day>,
) -> Option<Day> {
    let last_order = last_order?;
    if last_refund <= Some(last_order) {
        return Some(last_order);
    }
    parallel::map(chunks.len(), |partition| last_netted(&chunks[partition], last_order))
        .into_iter()
        .flatten()
        .max()
        .or(Some(last_order))
}

/// The last refund after `last_order` of a customer who ordered, in one partition.
fn last_netted(chunks: &[(u32, Chunk)], last_order: Day) -> Option<Day> {
    let rows = |refunds: bool| {
        chunks.iter().flat_map(move |(_, chunk)| {
            let of_sort = chunk.rows.iter().filter(move |row| (row.amount < ZERO) == refunds);
            of_sort.map(move |row| (chunk.id(row), row.when.day()))
        })
    };
    // The last refund of each customer, and whether the customer ordered.
    let mut late: HashMap<(u64, &[u8]), (Day, bool)> = HashMap::new();
    for (id, day) in rows(true).filter(|&(_, day)| day > last_order) {
        let entry = late.entry(id).or_insert((day, false));
        entry.0 = entry.0.max(day);
    }
    if late.is_empty() {
        return None;
    }
    for (id, _) in rows(false) {
        if let Some(entry) = late.get_mut(&id) {
            entry.1 = true;
        }
    }
    late.into_values().filter(|&(_, ordered)| ordered).map(|(day, _)| day).max()
}
