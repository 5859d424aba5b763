//! Small customer tables for tests.

use super::{CustomerTable, Ids};
use crate::calendar::{Day, Unit, Window};

/// What a test says of one customer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) frequency: u32,
    /// Days since the last order.
    pub(crate) since: u32,
    pub(crate) monetary_value: f64,
    pub(crate) total_spend: f64,
}

/// A table of those customers, ordered by id as every table is.
pub(crate) fn table(rows: &[Row]) -> CustomerTable {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| row.id);
    let end = Day(10_000);
    // Seven days between the orders.
    let recency = |row: &Row| 7 * row.frequency;
    CustomerTable {
        ids: Ids::Signed { values: rows.iter().map(|row| row.id).collect(), bits: 64 },
        window: Window { calibration_end: end, as_of: end },
        unit: Unit::Week,
        frequency: rows.iter().map(|row| row.frequency).collect(),
        recency_days: rows.iter().map(recency).collect(),
        t_days: rows.iter().map(|row| recency(row) + row.since).collect(),
        monetary_value: rows.iter().map(|row| row.monetary_value).collect(),
        first_order: rows.iter().map(|row| Day(end.0 - (recency(row) + row.since) as i32)).collect(),
        last_order: rows.iter().map(|row| Day(end.0 - row.since as i32)).collect(),
        orders: rows.iter().map(|row| row.frequency + 1).collect(),
        transactions: rows.iter().map(|row| row.frequency + 1).collect(),
        total_spend: rows.iter().map(|row| row.total_spend).collect(),
        holdout: None,
        columns: Vec::new(),
    }
}

/// Customers of whom only the spend matters, with ids 0, 1, ….
pub(crate) fn spending(spend: &[f64]) -> CustomerTable {
    let rows: Vec<Row> = (0..)
        .zip(spend)
        .map(|(id, &total_spend)| Row { id, total_spend, monetary_value: total_spend, ..Row::default() })
        .collect();
    table(&rows)
}

/// Any customers: few distinct values, so that ties are common.
pub(crate) fn any_rows(most: usize) -> impl proptest::strategy::Strategy<Value = Vec<Row>> {
    use proptest::prelude::*;
    let spend = prop_oneof![Just(0.0), (0i32..12).prop_map(|x| f64::from(x) * 10.0), -50.0..2_000.0];
    prop::collection::vec((0u32..8, 0u32..40, spend), 1..most).prop_map(|rows| {
        let row = |(id, (frequency, since, total_spend)): (i64, (u32, u32, f64))| Row {
            id,
            frequency,
            since,
            monetary_value: if frequency == 0 { 0.0 } else { total_spend / f64::from(frequency + 1) },
            total_spend,
        };
        (0..).zip(rows).map(row).collect()
    })
}
