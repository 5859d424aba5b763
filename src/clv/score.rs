//! What a fitted model expects of every customer, for millions of customers at a time.
//!
//! Expectations depend on t_x only through P(alive): what is left depends on (x, T), and millions of customers share a
//! few thousand of these. They are computed when first met and kept, whatever thread meets them.

use std::sync::OnceLock;

use super::gamma_gamma::GammaGamma;
use super::model::PurchaseModel;
use super::schedule::{MOST_POINTS, Schedule};
use super::value::ValueOptions;
use crate::customers::{OrderDays, Statistics};
use crate::error::Result;
use crate::progress::Progress;

/// Expectations are kept for repeat purchases below this, which nearly all customers are.
const KEPT_PURCHASES: usize = 64;

/// Expectations are kept for observed times up to this many days, 22 years.
const KEPT_DAYS: usize = 8192;

/// Of a customer who is alive: purchases within the horizon, their discounted sum by the horizon's steps, and discounted
/// purchases for ever.
#[derive(Debug, Clone, Copy)]
struct IfAlive {
    orders: f64,
    discounted: f64,
    residual: f64,
}

/// Scores customers by a fitted model.
pub struct Scorer<'a> {
    model: &'a dyn PurchaseModel,
    spend: Option<&'a GammaGamma>,
    options: ValueOptions,
    schedule: Schedule,
    /// Continuous discount rate per unit of the model's time.
    delta: f64,
    /// Over which order days customers' mean values are.
    over: OrderDays,
    kept: Vec<OnceLock<IfAlive>>,
}

/// Customers scored between two looks at whether the work should stop.
const CHECKED: usize = 256;

/// One entry a customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// P(alive) at the end of calibration.
    pub p_alive: Vec<f64>,
    /// Expected purchases within the horizon.
    pub expected_transactions: Vec<f64>,
    /// DERT: discounted expected purchases for ever; empty without a discount.
    pub dert: Vec<f64>,
    /// Expected value of a purchase; empty without a model of spend.
    pub expected_spend: Vec<f64>,
    /// Margin × expected value × discounted expected purchases within the horizon; empty without a model of spend.
    pub clv: Vec<f64>,
}

impl<'a> Scorer<'a> {
    /// A scorer for a model and, where customers' mean values are known, a model of spend.
    pub fn new(
        model: &'a dyn PurchaseModel,
        spend: Option<&'a GammaGamma>,
        options: ValueOptions,
    ) -> Scorer<'a> {
        let unit = model.time_unit();
        let schedule = Schedule::steps(&options, unit).at_most(MOST_POINTS, model.time_scale());
        let delta = options.discount.continuous_per(unit);
        let kept = (0..KEPT_PURCHASES * KEPT_DAYS).map(|_| OnceLock::new()).collect();
        Scorer { model, spend, options, schedule, delta, over: OrderDays::Repeat, kept }
    }

    /// The same where customers' mean values are over other order days than the repeat purchases.
    pub fn over(self, over: OrderDays) -> Scorer<'a> {
        Scorer { over, ..self }
    }

    /// Whether scores have DERT, which is infinite without a discount.
    pub fn has_dert(&self) -> bool {
        self.delta > 0.0
    }

    /// Whether scores have money.
    pub fn has_money(&self) -> bool {
        self.spend.is_some()
    }

    fn if_alive(&self, x: u32, t_days: f64) -> IfAlive {
        let compute = || {
            let t = t_days / self.model.time_unit().days();
            let (orders, discounted) = self.schedule.evaluate(self.model, x, t);
            let residual = match self.has_dert() {
                true => self.model.discounted_if_alive(x, t, self.delta, f64::INFINITY),
                false => f64::INFINITY,
            };
            IfAlive { orders, discounted, residual }
        };
        let day = t_days as usize;
        if (x as usize) < KEPT_PURCHASES && day < KEPT_DAYS && day as f64 == t_days {
            return *self.kept[x as usize * KEPT_DAYS + day].get_or_init(compute);
        }
        compute()
    }

    /// The scores of some customers, whose statistics have money if the scorer has a model of it.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only.
    pub fn score(&self, customers: &Statistics, progress: &dyn Progress) -> Result<Scores> {
        let days = self.model.time_unit().days();
        let mut out = Scores::default();
        for (i, (&x, &t_days)) in customers.frequency.iter().zip(&customers.t_days).enumerate() {
            if i % CHECKED == 0 {
                progress.check()?;
            }
            let alive = self.model.p_alive(x, customers.recency_days[i] / days, t_days / days);
            let if_alive = self.if_alive(x, t_days);
            out.p_alive.push(alive);
            out.expected_transactions.push(alive * if_alive.orders);
            if self.has_dert() {
                out.dert.push(alive * if_alive.residual);
            }
            if let (Some(spend), Some(&mean)) = (self.spend, customers.monetary_value.get(i)) {
                let worth = spend.expected_spend(self.over.count(x), mean);
                out.expected_spend.push(worth);
                out.clv.push(self.options.margin * worth * (alive * if_alive.discounted));
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Unit;
    use crate::clv::BgNbd;

    fn options(discount: &str) -> ValueOptions {
        ValueOptions { horizon: "12mo".parse().unwrap(), discount: discount.parse().unwrap(), margin: 0.5 }
    }

    #[test]
    fn scores_are_the_formulas() {
        let model = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, unit: Unit::Week };
        let spend = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
        // Kept ones twice, one beyond what is kept, and one that is no whole day.
        let customers = Statistics {
            frequency: vec![2, 0, 2, 300, 1],
            recency_days: vec![213.0, 0.0, 213.0, 270.0, 12.5],
            t_days: vec![272.0, 272.0, 272.0, 272.0, 100.25],
            monetary_value: vec![30.0, 0.0, 40.0, 5.0, 12.0],
        };
        let scorer = Scorer::new(&model, Some(&spend), options("1%/mo"));
        let got = scorer.score(&customers, &()).unwrap();
        let delta = 1.01f64.ln() / 30.4375 * 7.0;
        for i in 0..customers.frequency.len() {
            let x = customers.frequency[i];
            let (t_x, t) = (customers.recency_days[i] / 7.0, customers.t_days[i] / 7.0);
            let month = 30.4375 / 7.0;
            let up_to = |months: u32| model.conditional_expected(x, t_x, t, f64::from(months) * month);
            let discounted: f64 =
                (1..=12).map(|m| (up_to(m) - up_to(m - 1)) * 1.01f64.powi(-(m as i32))).sum();
            let worth = spend.expected_spend(x, customers.monetary_value[i]);
            let close = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 1e-9, "{i}: {got} {want}");
            close(got.p_alive[i], model.p_alive(x, t_x, t));
            close(got.expected_transactions[i], up_to(12));
            close(got.dert[i], model.dert(x, t_x, t, delta));
            close(got.expected_spend[i], worth);
            close(got.clv[i], 0.5 * worth * discounted);
        }
        // Means over all order days count one more.
        let all = Scorer::new(&model, Some(&spend), options("1%/mo")).over(OrderDays::All);
        assert_eq!(all.score(&customers, &()).unwrap().expected_spend[0], spend.expected_spend(3, 30.0));
        let scorer = Scorer::new(&model, None, options("0%/yr"));
        let got = scorer.score(&customers, &()).unwrap();
        assert!(got.dert.is_empty() && got.clv.is_empty() && got.expected_spend.is_empty());
    }
}
