//! What depends on (x, one time) and the draw alone: expectations of customers who are alive at T, and parts of P(alive).
//! It is computed once and kept, as far as the memory that is set aside for it goes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clv::model::PurchaseModel;
use crate::clv::schedule::{MOST_POINTS, Schedule};
use crate::clv::value::ValueOptions;

/// Bytes of expectations, and of parts of P(alive), that are kept. What does not fit is computed again wherever it is met.
const EXPECTATIONS_BYTES: usize = 320 << 20;
const PARTS_BYTES: usize = 128 << 20;

/// Of a customer who is alive, at one draw: purchases within the horizon, their discounted sum by the horizon's steps, and
/// discounted purchases for ever (0 without a discount).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct IfAlive {
    pub orders: f64,
    pub discounted: f64,
    pub residual: f64,
}

/// Numbers of each draw by (x, days), whatever thread met them first.
struct Store<T> {
    most: usize,
    found: Mutex<Found<T>>,
}

/// By x and the bits of the days: one number a draw.
type Found<T> = HashMap<(u32, u64), Arc<[T]>>;

impl<T> Store<T> {
    fn new(bytes: usize, draws: usize) -> Store<T> {
        Store { most: bytes / (draws * size_of::<T>()), found: Mutex::new(HashMap::new()) }
    }

    fn get(&self, x: u32, days: f64, compute: impl FnOnce() -> Arc<[T]>) -> Arc<[T]> {
        let key = (x, days.to_bits());
        let lock = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(&key) {
            return Arc::clone(found);
        }
        // Not under the lock; whoever else computes the same finds the same.
        let made = compute();
        let mut found = lock();
        if found.len() < self.most {
            found.insert(key, Arc::clone(&made));
        }
        made
    }
}

/// What is kept for all customers.
pub(super) struct Kept<'a> {
    purchases: &'a [Box<dyn PurchaseModel>],
    /// Of each draw: its points in time are chosen by its own scale.
    schedules: Vec<Schedule>,
    /// Continuous discount rate per unit of the model's time.
    delta: f64,
    /// Days per unit of the model's time.
    days: f64,
    expectations: Store<IfAlive>,
    parts: Store<f64>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(purchases: &'a [Box<dyn PurchaseModel>], options: &ValueOptions) -> Kept<'a> {
        let unit = purchases[0].time_unit();
        let steps = Schedule::steps(options, unit);
        let schedules =
            purchases.iter().map(|model| steps.clone().at_most(MOST_POINTS, model.time_scale())).collect();
        let delta = options.discount.continuous_per(unit);
        let expectations = Store::new(EXPECTATIONS_BYTES, purchases.len());
        let parts = Store::new(PARTS_BYTES, purchases.len());
        Kept { purchases, schedules, delta, days: unit.days(), expectations, parts }
    }

    /// Whether there are discounted purchases for ever.
    pub(super) fn has_residual(&self) -> bool {
        self.delta > 0.0
    }

    /// The expectations of customers with `x` repeat purchases within `t_days`, by draw.
    pub(super) fn if_alive(&self, x: u32, t_days: f64) -> Arc<[IfAlive]> {
        self.expectations.get(x, t_days, || self.compute(x, t_days))
    }

    /// What P(alive) needs of x and one of a history's times, by draw; none where the model computes it with the rest.
    pub(super) fn part(&self, x: u32, days: f64) -> Option<Arc<[f64]>> {
        let time = days / self.days;
        self.purchases[0].part_of_p_alive(x, time)?;
        let part = |draw: usize| self.purchases[draw].part_of_p_alive(x, time).unwrap_or(f64::NAN);
        Some(self.parts.get(x, days, || (0..self.purchases.len()).map(part).collect()))
    }

    fn compute(&self, x: u32, t_days: f64) -> Arc<[IfAlive]> {
        let t = t_days / self.days;
        let of_draw = |draw: usize| {
            let model = self.purchases[draw].as_ref();
            let (orders, discounted) = self.schedules[draw].evaluate(model, x, t);
            let residual = match self.has_residual() {
                true => model.discounted_if_alive(x, t, self.delta, f64::INFINITY),
                false => 0.0,
            };
            IfAlive { orders, discounted, residual }
        };
        (0..self.purchases.len()).map(of_draw).collect()
    }
}
