//! Sums over customers by draw, and the totals that they give.

use serde::Serialize;

use super::Interval;
use super::quantiles::{ends, summary};

/// Sums over customers, by draw of the parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    customers: u64,
    expected_orders: Vec<f64>,
    orders: Vec<f64>,
    expected_value: Vec<f64>,
    value: Vec<f64>,
}

/// Totals over some customers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Total {
    /// How many customers it is over.
    pub customers: u64,
    /// Their orders together.
    pub orders: Interval,
    /// Their lifetime value together, where spend is predicted.
    pub clv: Option<Interval>,
}

impl Sums {
    /// Of nobody.
    pub(super) fn new(draws: usize, with_value: bool) -> Sums {
        let zeros = |wanted: bool| vec![0.0; if wanted { draws } else { 0 }];
        Sums {
            customers: 0,
            expected_orders: zeros(true),
            orders: zeros(true),
            expected_value: zeros(with_value),
            value: zeros(with_value),
        }
    }

    /// Adds those of more customers: in an order of their own, if no bit is to depend on threads.
    pub fn add(&mut self, more: &Sums) {
        self.add_some(more.customers, &more.expected_orders, &more.orders, &more.expected_value, &more.value);
    }

    pub(super) fn add_some(
        &mut self,
        customers: u64,
        expected_orders: &[f64],
        orders: &[f64],
        expected_value: &[f64],
        value: &[f64],
    ) {
        let add = |into: &mut [f64], from: &[f64]| into.iter_mut().zip(from).for_each(|(i, f)| *i += f);
        self.customers += customers;
        add(&mut self.expected_orders, expected_orders);
        add(&mut self.orders, orders);
        add(&mut self.expected_value, expected_value);
        add(&mut self.value, value);
    }

    /// The totals with intervals of the probability `level`.
    pub fn total(&self, level: f64) -> Total {
        let tail = 0.5 * (1.0 - level);
        let mut scratch = Vec::new();
        let mut interval = |expected: &[f64], sampled: &[f64]| {
            let (value, mean_lower, mean_upper) = summary(expected, tail, &mut scratch);
            let (lower, upper) = ends(sampled, tail, &mut scratch);
            Interval { value, mean_lower, mean_upper, lower, upper }
        };
        Total {
            customers: self.customers,
            orders: interval(&self.expected_orders, &self.orders),
            clv: (!self.value.is_empty()).then(|| interval(&self.expected_value, &self.value)),
        }
    }

    /// Sums of the expectation and of what was drawn, by draw: orders.
    #[cfg(test)]
    pub(super) fn of_orders(&self) -> (&[f64], &[f64]) {
        (&self.expected_orders, &self.orders)
    }

    /// The same of value.
    #[cfg(test)]
    pub(super) fn of_value(&self) -> (&[f64], &[f64]) {
        (&self.expected_value, &self.value)
    }
}
