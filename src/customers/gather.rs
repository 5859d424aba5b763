//! Folded partitions → the customer table, ordered by id.

use crate::calendar::{Unit, Window};
use crate::customers::fold::Folded;
use crate::customers::statistics::Statistics;
use crate::customers::table::{CustomerTable, Holdout, Ids};
use crate::history::IdKind;
use crate::parallel;

/// Where a customer is: what it is sorted by, partition, index in the partition.
type Place = (u64, u32, u32);

/// Sorts the customers of all partitions by id and gathers their columns.
pub(crate) fn gather(folded: Vec<Folded>, kind: IdKind, window: Window, unit: Unit) -> CustomerTable {
    let lists = parallel::map(folded.len(), |p| {
        folded[p]
            .customers
            .iter()
            .enumerate()
            .map(|(i, customer)| (sort_key(customer, &folded[p], kind), p as u32, i as u32))
            .collect::<Vec<Place>>()
    });
    let mut places = lists.concat();
    let text = |place: &Place| {
        let part = &folded[place.1 as usize];
        part.texts.text(part.customers[place.2 as usize].id as usize)
    };
    if kind.is_text() {
        parallel::sort_by(&mut places, |a, b| a.0.cmp(&b.0).then_with(|| text(a).cmp(text(b))));
    } else {
        parallel::sort_by_key(&mut places, |place| place.0);
    }
    let ids_text = if kind.is_text() {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(places.len());
        for place in &places {
            bytes.extend_from_slice(text(place));
            ends.push(bytes.len());
        }
        Some((ends, bytes))
    } else {
        None
    };
    // Rows of 64 bytes are fetched once; then the columns are cut from them in order.
    let sorted: Vec<Statistics> =
        parallel::collect(places.len(), |i| folded[places[i].1 as usize].customers[places[i].2 as usize]);
    drop((places, folded));

    let n = sorted.len();
    let ids = match (kind, ids_text) {
        (IdKind::Text { kind }, Some((ends, bytes))) => Ids::Text { ends, bytes, kind },
        (IdKind::Unsigned { bits }, _) => {
            Ids::Unsigned { values: parallel::collect(n, |i| sorted[i].id), bits }
        }
        (IdKind::Signed { bits }, _) => {
            Ids::Signed { values: parallel::collect(n, |i| sorted[i].id as i64), bits }
        }
        (IdKind::Text { .. }, None) => unreachable!("texts were gathered above"),
    };
    let holdout = window.has_holdout().then(|| Holdout {
        frequency: parallel::collect(n, |i| sorted[i].holdout_frequency),
        spend: parallel::collect(n, |i| sorted[i].holdout_spend),
    });
    CustomerTable {
        ids,
        window,
        unit,
        frequency: parallel::collect(n, |i| sorted[i].frequency),
        recency_days: parallel::collect(n, |i| sorted[i].last_order.since(sorted[i].first_order) as u32),
        t_days: parallel::collect(n, |i| window.calibration_end.since(sorted[i].first_order) as u32),
        monetary_value: parallel::collect(n, |i| sorted[i].monetary_value),
        first_order: parallel::collect(n, |i| sorted[i].first_order),
        last_order: parallel::collect(n, |i| sorted[i].last_order),
        orders: parallel::collect(n, |i| sorted[i].orders),
        transactions: parallel::collect(n, |i| sorted[i].transactions),
        total_spend: parallel::collect(n, |i| sorted[i].total_spend),
        holdout,
        columns: Vec::new(),
    }
}

/// Integers by value; texts by their first eight bytes, which decide most comparisons.
fn sort_key(customer: &Statistics, part: &Folded, kind: IdKind) -> u64 {
    match kind {
        IdKind::Unsigned { .. } => customer.id,
        IdKind::Signed { .. } => customer.id ^ (1 << 63),
        IdKind::Text { .. } => {
            let text = part.texts.text(customer.id as usize);
            let mut first = [0u8; 8];
            let len = text.len().min(8);
            first[..len].copy_from_slice(&text[..len]);
            u64::from_be_bytes(first)
        }
    }
}
