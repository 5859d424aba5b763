//! What is predicted of each customer, as columns.

use super::customer::Part;
use super::{Interval, Predictor, Sums};

/// [`Interval`]s of customers, as columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntervalColumns {
    /// [`Interval::value`] of each customer.
    pub value: Vec<f64>,
    /// [`Interval::mean_lower`] of each customer.
    pub mean_lower: Vec<f64>,
    /// [`Interval::mean_upper`] of each customer.
    pub mean_upper: Vec<f64>,
    /// [`Interval::lower`] of each customer.
    pub lower: Vec<f64>,
    /// [`Interval::upper`] of each customer.
    pub upper: Vec<f64>,
}

/// Intervals of an expectation, as columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ends {
    /// Lower end of each customer's.
    pub mean_lower: Vec<f64>,
    /// Upper end of each customer's.
    pub mean_upper: Vec<f64>,
}

/// What [`Predictor::predict`] gives, one entry per customer in every column.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// P(alive).
    pub p_alive: Ends,
    /// Orders within the horizon. `lower` and `upper` are whole numbers of orders: the interval has at least its level.
    pub orders: IntervalColumns,
    /// Discounted expected residual transactions, where there is a discount.
    pub dert: Option<Ends>,
    /// Expected value of an order, where spend is predicted.
    pub spend: Option<Ends>,
    /// Lifetime value within the horizon, discounted by the horizon's steps and with the margin, where spend is predicted.
    pub clv: Option<IntervalColumns>,
    /// Sums over all of them.
    pub sums: Sums,
    /// Sums over each group.
    pub groups: Vec<Sums>,
}

impl IntervalColumns {
    fn of_length(n: usize) -> IntervalColumns {
        let zeros = || vec![0.0; n];
        IntervalColumns {
            value: zeros(),
            mean_lower: zeros(),
            mean_upper: zeros(),
            lower: zeros(),
            upper: zeros(),
        }
    }

    fn put(&mut self, i: usize, interval: &Interval) {
        self.value[i] = interval.value;
        self.mean_lower[i] = interval.mean_lower;
        self.mean_upper[i] = interval.mean_upper;
        self.lower[i] = interval.lower;
        self.upper[i] = interval.upper;
    }
}

impl Ends {
    fn of_length(n: usize) -> Ends {
        Ends { mean_lower: vec![0.0; n], mean_upper: vec![0.0; n] }
    }

    fn put(&mut self, i: usize, ends: (f64, f64)) {
        (self.mean_lower[i], self.mean_upper[i]) = ends;
    }
}

impl Predicted {
    pub(super) fn new(n: usize, of: &Predictor<'_>, groups: usize) -> Predicted {
        Predicted {
            p_alive: Ends::of_length(n),
            orders: IntervalColumns::of_length(n),
            dert: of.has_dert().then(|| Ends::of_length(n)),
            spend: of.has_money().then(|| Ends::of_length(n)),
            clv: of.has_money().then(|| IntervalColumns::of_length(n)),
            sums: of.no_sums(),
            groups: vec![of.no_sums(); groups],
        }
    }

    /// Puts what was found of the customers `who` into their places.
    pub(super) fn put(&mut self, who: &[u32], part: &Part) {
        for (k, &i) in who.iter().enumerate() {
            let i = i as usize;
            self.p_alive.put(i, part.p_alive[k]);
            self.orders.put(i, &part.orders[k]);
            if let Some(dert) = &mut self.dert {
                dert.put(i, part.dert[k]);
            }
            if let (Some(spend), Some(clv)) = (&mut self.spend, &mut self.clv) {
                spend.put(i, part.spend[k]);
                clv.put(i, &part.clv[k]);
            }
        }
        self.sums.add(&part.sums);
        for (sum, more) in self.groups.iter_mut().zip(&part.groups) {
            if let Some(more) = more {
                sum.add(more);
            }
        }
    }
}
