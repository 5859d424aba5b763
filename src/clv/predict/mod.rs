//! Intervals of what customers will order and be worth: of the expectation, and of what will happen.
//!
//! For every draw of the models' parameters each customer's rates are drawn given its history, then the orders within the
//! horizon with their steps, then what they are worth. Beside them stands the exact expectation at the same draw.
//!
//! - `mean_lower`/`mean_upper`: quantiles of the expectation over the draws of parameters. They say how well the
//!   customer, or the total, is known on average.
//! - `lower`/`upper`: quantiles of what will happen, with parameters, rates and luck. A customer's are always wide.
//!
//! Customers come in stretches, and nothing of a stretch is kept but its sums: memory holds a stretch's columns, draws ×
//! groups, and a bounded store of expectations. Within a stretch customers are taken in the order of their histories, so
//! that what depends on the history alone is computed once. Random numbers are keyed by the customer: the result does not
//! depend on threads, and a customer's not on who else is there.

mod columns;
mod count;
mod customer;
mod kept;
mod quantiles;
mod steps;
mod sums;
#[cfg(test)]
mod tests;

pub use columns::{Ends, IntervalColumns, Predicted};
pub(crate) use quantiles::ends;
pub use sums::{Sums, Total};

use serde::Serialize;

use self::customer::Worker;
use self::kept::Kept;
use self::steps::Steps;
use super::gamma_gamma::GammaGamma;
use super::model::PurchaseModel;
use super::value::ValueOptions;
use crate::customers::{OrderDays, Statistics};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;

/// Customers per unit of parallel work; fixed, so that totals do not depend on threads.
const CHUNK: usize = 8192;

/// Fewer draws than this beyond each end leave the end to chance.
const FEWEST_BEYOND: f64 = 2.0;

/// Groups × draws may be as many as this: each group keeps four sums per draw, in every chunk that is being worked on.
const MOST_SUMS: usize = 250_000;

/// Some customers.
#[derive(Debug, Clone, Copy)]
pub struct Customers<'a> {
    /// Their histories, and their mean values where spend is predicted.
    pub statistics: &'a Statistics,
    /// Stable hash of each one's id.
    pub hash: &'a [u64],
    /// Their division into groups, if totals of groups are wanted.
    pub groups: Option<Groups<'a>>,
}

/// A division of customers (tiers, deciles, regions).
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a> {
    /// Each customer's group, below `count`.
    pub codes: &'a [u32],
    /// How many groups there are.
    pub count: usize,
}

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PredictOptions {
    /// Over what, and how future orders are valued.
    pub value: ValueOptions,
    /// The probability that intervals are to have, between 0 and 1, such as .95.
    pub level: f64,
    /// The seed of every random number.
    pub seed: u64,
}

/// Writes a number as it is, and an infinite one as the text "inf": JSON has none, and null would say that there is no
/// number.
fn number_or_inf<S: serde::Serializer>(value: &f64, out: S) -> std::result::Result<S::Ok, S::Error> {
    match value {
        value if value.is_infinite() => out.serialize_str(if *value > 0.0 { "inf" } else { "-inf" }),
        value => out.serialize_f64(*value),
    }
}

/// One quantity with both intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The expectation, averaged over the draws of parameters.
    #[serde(serialize_with = "number_or_inf")]
    pub value: f64,
    /// Lower end of the interval of the expectation.
    #[serde(serialize_with = "number_or_inf")]
    pub mean_lower: f64,
    /// Upper end of the interval of the expectation.
    #[serde(serialize_with = "number_or_inf")]
    pub mean_upper: f64,
    /// Lower end of the interval of what will happen.
    #[serde(serialize_with = "number_or_inf")]
    pub lower: f64,
    /// Upper end of the interval of what will happen.
    #[serde(serialize_with = "number_or_inf")]
    pub upper: f64,
}

/// Predicts with both intervals, stretch by stretch.
pub struct Predictor<'a> {
    purchases: &'a [Box<dyn PurchaseModel>],
    spend: Option<&'a [GammaGamma]>,
    options: PredictOptions,
    /// Over which order days customers' mean values are.
    over: OrderDays,
    steps: Steps,
    kept: Kept<'a>,
}

impl<'a> Predictor<'a> {
    /// `purchases` are equally weighted draws of the purchase model's parameters ([`super::Posterior::draws`]), all in one
    /// unit of time; `spend` are as many of Gamma-Gamma's, independent of them.
    ///
    /// # Errors
    /// No draw, unequally many, and a level outside (0, 1).
    pub fn new(
        purchases: &'a [Box<dyn PurchaseModel>],
        spend: Option<&'a [GammaGamma]>,
        options: PredictOptions,
    ) -> Result<Predictor<'a>> {
        if purchases.is_empty() {
            return Err(wrong(
                "the draws of purchase parameters",
                0,
                1,
                "draw the parameters from a posterior",
            ));
        }
        if let Some(spend) = spend
            && spend.len() != purchases.len()
        {
            let remedy = "draw as many as for purchases";
            return Err(wrong("the draws of spend parameters", spend.len(), purchases.len(), remedy));
        }
        if !(options.level > 0.0 && options.level < 1.0) {
            let problem = "it is not between 0 and 1";
            return Err(Error::value(
                "the level of intervals",
                options.level,
                problem,
                "give one such as 0.95",
            ));
        }
        let steps = Steps::new(&options.value, purchases[0].time_unit());
        let kept = Kept::new(purchases, &options.value);
        Ok(Predictor { purchases, spend, options, over: OrderDays::Repeat, steps, kept })
    }

    /// The same where customers' mean values are over other order days than the repeat purchases.
    pub fn over(self, over: OrderDays) -> Predictor<'a> {
        Predictor { over, ..self }
    }

    /// Whether lifetime value is predicted.
    pub fn has_money(&self) -> bool {
        self.spend.is_some()
    }

    /// Whether discounted purchases for ever are predicted: there is a discount.
    pub fn has_dert(&self) -> bool {
        self.kept.has_residual()
    }

    /// Sums over nobody.
    pub fn no_sums(&self) -> Sums {
        Sums::new(self.purchases.len(), self.has_money())
    }

    /// Predicts some customers, with all threads. Takes as long as customers × draws, half a microsecond each.
    ///
    /// # Errors
    /// Slices of wrong lengths, a group code beyond the groups, too many groups, and [`Error::Interrupted`].
    pub fn predict(&self, customers: &Customers<'_>, progress: &dyn Progress) -> Result<Predicted> {
        self.check(customers)?;
        let n = customers.hash.len();
        let order = in_order_of_histories(customers.statistics);
        let groups = customers.groups.map_or(0, |groups| groups.count);
        let parts = parallel::map(n.div_ceil(CHUNK), |chunk| {
            let who = &order[chunk * CHUNK..((chunk + 1) * CHUNK).min(n)];
            let mut worker = Worker::new(self, customers, who.len());
            for &i in who {
                if progress.cancelled() {
                    return None;
                }
                worker.customer(i as usize);
            }
            Some(worker.part)
        });
        progress.check()?;
        let mut out = Predicted::new(n, self, groups);
        for (part, who) in parts.into_iter().flatten().zip(order.chunks(CHUNK)) {
            out.put(who, &part);
        }
        Ok(out)
    }

    fn check(&self, customers: &Customers<'_>) -> Result<()> {
        let n = customers.statistics.frequency.len();
        let one_each = "give one entry per customer";
        if customers.hash.len() != n {
            return Err(wrong("the customers' hashes", customers.hash.len(), n, one_each));
        }
        let means = customers.statistics.monetary_value.len();
        if self.has_money() && means != n {
            return Err(wrong("the mean spends", means, n, one_each));
        }
        let Some(groups) = customers.groups else { return Ok(()) };
        if groups.codes.len() != n {
            return Err(wrong("the group codes", groups.codes.len(), n, one_each));
        }
        if let Some(&code) = groups.codes.iter().find(|&&code| code as usize >= groups.count) {
            let problem = format!("there are {} groups", groups.count);
            return Err(Error::value("a group code", code, problem, "count groups from 0 on"));
        }
        self.check_groups(groups.count)
    }

    /// Whether there may be so many groups.
    ///
    /// # Errors
    /// [`Error::Value`] for too many.
    pub fn check_groups(&self, groups: usize) -> Result<()> {
        let most = MOST_SUMS / self.purchases.len();
        if groups <= most {
            return Ok(());
        }
        let problem = format!("with {} draws there may be {most} at most", self.purchases.len());
        Err(Error::value(
            "the number of groups",
            groups,
            problem,
            "choose a coarser division, or fewer draws",
        ))
    }

    /// What a reader should know.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        let draws = self.purchases.len();
        let beyond = 0.5 * (1.0 - self.options.level) * draws as f64;
        if beyond < FEWEST_BEYOND {
            out.push(format!(
                "{draws} draws are too few for the ends of {} % intervals: give at least {:.0}",
                100.0 * self.options.level,
                (2.0 * FEWEST_BEYOND / (1.0 - self.options.level)).ceil()
            ));
        }
        let without_mean = self.spend.map_or(0, |draws| draws.iter().filter(|draw| draw.q <= 1.0).count());
        if without_mean > 0 {
            out.push(format!(
                "{without_mean} of {draws} draws of the spend parameters have no finite mean (q ≤ 1): there the expected \
                 spend of customers without repeat purchases, and of totals, is infinite, and so is the upper end of an \
                 interval of the mean that such draws reach; intervals of what will happen are finite, with a heavy tail"
            ));
        }
        out
    }
}

fn wrong(what: &str, got: usize, want: usize, remedy: &str) -> Error {
    Error::value(what, got, format!("{want} are needed"), remedy)
}

/// The customers by (x, T, t_x), those with the same history in their own order.
fn in_order_of_histories(statistics: &Statistics) -> Vec<u32> {
    let mut order: Vec<u32> = (0..statistics.frequency.len() as u32).collect();
    // Times are from 0 on, so that their bits are in their order.
    order.sort_unstable_by_key(|&i| {
        let k = i as usize;
        (statistics.frequency[k], statistics.t_days[k].to_bits(), statistics.recency_days[k].to_bits(), i)
    });
    order
}
