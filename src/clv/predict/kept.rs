//! Expectations of customers who are alive, which depend on (x, T) and the draw alone: computed once and kept, as far as
//! memory that is set aside for them goes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clv::model::PurchaseModel;
use crate::clv::schedule::{MOST_POINTS, Schedule};
use crate::clv::value::ValueOptions;

/// Bytes of expectations that are kept. What does not fit is computed again wherever it is met.
const KEPT_BYTES: usize = 256 << 20;

/// Of a customer who is alive, at one draw: purchases within the horizon, their discounted sum by the horizon's steps, and
/// discounted purchases for ever (0 without a discount).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct IfAlive {
    pub orders: f64,
    pub discounted: f64,
    pub residual: f64,
}

/// Expectations by (x, T), whatever thread met them first.
pub(super) struct Kept<'a> {
    purchases: &'a [Box<dyn PurchaseModel>],
    /// Of each draw: its points in time are chosen by its own scale.
    schedules: Vec<Schedule>,
    /// Continuous discount rate per unit of the model's time.
    delta: f64,
    most: usize,
    found: Mutex<HashMap<(u32, u64), Arc<[IfAlive]>>>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(purchases: &'a [Box<dyn PurchaseModel>], options: &ValueOptions) -> Kept<'a> {
        let unit = purchases[0].time_unit();
        let steps = Schedule::steps(options, unit);
        let schedules =
            purchases.iter().map(|model| steps.clone().at_most(MOST_POINTS, model.time_scale())).collect();
        let most = KEPT_BYTES / (purchases.len() * size_of::<IfAlive>());
        let delta = options.discount.continuous_per(unit);
        Kept { purchases, schedules, delta, most, found: Mutex::new(HashMap::new()) }
    }

    /// Whether there are discounted purchases for ever.
    pub(super) fn has_residual(&self) -> bool {
        self.delta > 0.0
    }

    /// The expectations of customers with `x` repeat purchases within `t_days`, by draw.
    pub(super) fn get(&self, x: u32, t_days: f64) -> Arc<[IfAlive]> {
        let key = (x, t_days.to_bits());
        let lock = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(&key) {
            return Arc::clone(found);
        }
        // Not under the lock; whoever else computes the same finds the same.
        let made: Arc<[IfAlive]> = self.compute(x, t_days);
        let mut found = lock();
        if found.len() < self.most {
            found.insert(key, Arc::clone(&made));
        }
        made
    }

    fn compute(&self, x: u32, t_days: f64) -> Arc<[IfAlive]> {
        let t = t_days / self.purchases[0].time_unit().days();
        let of_draw = |(model, schedule): (&Box<dyn PurchaseModel>, &Schedule)| {
            let (orders, discounted) = schedule.evaluate(model.as_ref(), x, t);
            let residual = match self.has_residual() {
                true => model.discounted_if_alive(x, t, self.delta, f64::INFINITY),
                false => 0.0,
            };
            IfAlive { orders, discounted, residual }
        };
        self.purchases.iter().zip(&self.schedules).map(of_draw).collect()
    }
}
