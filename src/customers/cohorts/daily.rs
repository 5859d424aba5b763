//! Orders of each day, through calibration and holdout: what a model's expectations are tracked against.
//!
//! Counted beside the cohorts, and like them only for customers of the table: those who first order in the holdout
//! belong to no figure.

use crate::calendar::{Day, Window};

/// Days with an order, summed over customers, of each day of a history with a holdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyOrders {
    /// The day of the first order.
    pub first: Day,
    /// Customers with an order on that day, on the next one, and so on to the end of the holdout.
    pub orders: Vec<u64>,
}

/// The counts as they grow; nothing without a holdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DailyTally {
    first: Day,
    orders: Vec<i64>,
}

impl DailyTally {
    pub(super) fn new(first: Day, window: Window) -> DailyTally {
        let days = if window.has_holdout() { window.as_of.since(first).max(0) as usize + 1 } else { 0 };
        DailyTally { first, orders: vec![0; days] }
    }

    /// Counts a customer's order on a day of the window; a `by` of −1 takes it back.
    #[inline]
    pub(super) fn add(&mut self, day: Day, by: i64) {
        if let Some(orders) = self.orders.get_mut(day.since(self.first) as usize) {
            *orders += by;
        }
    }

    pub(super) fn merge(&mut self, other: &DailyTally) {
        self.orders.iter_mut().zip(&other.orders).for_each(|(sum, more)| *sum += more);
    }

    pub(super) fn finish(&self) -> Option<DailyOrders> {
        let orders: Vec<u64> = self.orders.iter().map(|&n| n as u64).collect();
        (!orders.is_empty()).then_some(DailyOrders { first: self.first, orders })
    }
}
