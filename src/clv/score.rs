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

/// What a model's expectations are computed from.
struct Formula<'a> {
    model: &'a dyn PurchaseModel,
    schedule: Schedule,
    /// Continuous discount rate per unit of the model's time.
    delta: f64,
}

/// Of a customer who is alive: purchases within the horizon, their discounted sum by the horizon's steps, and discounted
/// purchases for ever, where there is a discount.
#[derive(Debug, Clone, Copy)]
struct IfAlive {
    orders: f64,
    discounted: f64,
    residual: Option<f64>,
}

/// What a purchase is worth.
#[derive(Clone, Copy)]
struct Worth<'a> {
    spend: Option<&'a GammaGamma>,
    /// The part of it that remains.
    margin: f64,
    /// Over which order days customers' mean values are.
    over: OrderDays,
}

/// Scores customers by a fitted model.
pub struct Scorer<'a> {
    formula: Formula<'a>,
    worth: Worth<'a>,
    kept: Vec<OnceLock<IfAlive>>,
}

/// Scores customers each of whom has one of many models: by group, or by covariates. It keeps nothing between calls.
pub struct ManyScorer<'a> {
    worth: Worth<'a>,
    options: ValueOptions,
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
        let kept = (0..KEPT_PURCHASES * KEPT_DAYS).map(|_| OnceLock::new()).collect();
        Scorer { formula: Formula::new(model, &options), worth: Worth::new(spend, &options), kept }
    }

    /// The same where customers' mean values are over other order days than the repeat purchases.
    pub fn over(self, over: OrderDays) -> Scorer<'a> {
        Scorer { worth: Worth { over, ..self.worth }, ..self }
    }

    /// Whether scores have DERT, which is infinite without a discount.
    pub fn has_dert(&self) -> bool {
        self.formula.has_dert()
    }

    /// Whether scores have money.
    pub fn has_money(&self) -> bool {
        self.worth.spend.is_some()
    }

    fn if_alive(&self, x: u32, t_days: f64) -> IfAlive {
        let compute = || self.formula.if_alive(x, t_days);
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
        let mut out = Scores::default();
        for i in 0..customers.frequency.len() {
            if i % CHECKED == 0 {
                progress.check()?;
            }
            let if_alive = self.if_alive(customers.frequency[i], customers.t_days[i]);
            out.push(self.formula.model, self.worth, customers, i, if_alive);
        }
        Ok(out)
    }
}

impl<'a> ManyScorer<'a> {
    /// A scorer with, where customers' mean values are known, a model of spend for all of them.
    pub fn new(spend: Option<&'a GammaGamma>, options: ValueOptions) -> ManyScorer<'a> {
        ManyScorer { worth: Worth::new(spend, &options), options }
    }

    /// The same where customers' mean values are over other order days than the repeat purchases.
    pub fn over(self, over: OrderDays) -> ManyScorer<'a> {
        ManyScorer { worth: Worth { over, ..self.worth }, ..self }
    }

    /// The scores of some customers, the i-th of them by `models[of[i]]`. Customers with the same model, x and T share
    /// what is computed.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only.
    pub fn score(
        &self,
        models: &[Box<dyn PurchaseModel>],
        of: &[u32],
        customers: &Statistics,
        progress: &dyn Progress,
    ) -> Result<Scores> {
        let alike = |i: usize| (of[i], customers.frequency[i], customers.t_days[i].to_bits());
        let mut order: Vec<usize> = (0..of.len()).collect();
        order.sort_unstable_by_key(|&i| alike(i));
        let nothing = IfAlive { orders: 0.0, discounted: 0.0, residual: None };
        let mut if_alive = vec![nothing; of.len()];
        // Models may be as many as customers, so that only one has its formula at a time.
        for (same_model, customers_of) in order.chunk_by(|&i, &j| of[i] == of[j]).enumerate() {
            if same_model % CHECKED == 0 {
                progress.check()?;
            }
            let formula = Formula::new(models[of[customers_of[0]] as usize].as_ref(), &self.options);
            for (k, same) in customers_of.chunk_by(|&i, &j| alike(i) == alike(j)).enumerate() {
                if k % CHECKED == CHECKED - 1 {
                    progress.check()?;
                }
                let found = formula.if_alive(customers.frequency[same[0]], customers.t_days[same[0]]);
                same.iter().for_each(|&i| if_alive[i] = found);
            }
        }
        let mut out = Scores::default();
        for (i, if_alive) in if_alive.into_iter().enumerate() {
            if i % CHECKED == 0 {
                progress.check()?;
            }
            out.push(models[of[i] as usize].as_ref(), self.worth, customers, i, if_alive);
        }
        Ok(out)
    }
}

impl<'a> Worth<'a> {
    fn new(spend: Option<&'a GammaGamma>, options: &ValueOptions) -> Worth<'a> {
        Worth { spend, margin: options.margin, over: OrderDays::Repeat }
    }
}

impl<'a> Formula<'a> {
    fn new(model: &'a dyn PurchaseModel, options: &ValueOptions) -> Formula<'a> {
        let unit = model.time_unit();
        let schedule = Schedule::steps(options, unit).at_most(MOST_POINTS, model.time_scale());
        Formula { model, schedule, delta: options.discount.continuous_per(unit) }
    }

    fn has_dert(&self) -> bool {
        self.delta > 0.0
    }

    fn if_alive(&self, x: u32, t_days: f64) -> IfAlive {
        let t = t_days / self.model.time_unit().days();
        let (orders, discounted) = self.schedule.evaluate(self.model, x, t);
        let residual =
            self.has_dert().then(|| self.model.discounted_if_alive(x, t, self.delta, f64::INFINITY));
        IfAlive { orders, discounted, residual }
    }
}

impl Scores {
    /// Appends those of customer `i`.
    fn push(
        &mut self,
        model: &dyn PurchaseModel,
        worth: Worth<'_>,
        customers: &Statistics,
        i: usize,
        if_alive: IfAlive,
    ) {
        let days = model.time_unit().days();
        let x = customers.frequency[i];
        let alive = model.p_alive(x, customers.recency_days[i] / days, customers.t_days[i] / days);
        self.p_alive.push(alive);
        self.expected_transactions.push(alive * if_alive.orders);
        if let Some(residual) = if_alive.residual {
            self.dert.push(alive * residual);
        }
        if let (Some(spend), Some(&mean)) = (worth.spend, customers.monetary_value.get(i)) {
            let value = spend.expected_spend(worth.over.count(x), mean);
            self.expected_spend.push(value);
            self.clv.push(worth.margin * value * (alive * if_alive.discounted));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

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

    /// Each customer's scores are those of its own model's scorer, bit for bit.
    #[test]
    fn many_models_are_many_scorers() {
        let bg_nbd = |r: f64| BgNbd { r, alpha: 4.414, a: 0.793, b: 2.426, unit: Unit::Week };
        let (one, other) = (bg_nbd(0.243), bg_nbd(0.8));
        let spend = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
        let customers = Statistics {
            frequency: vec![2, 0, 2, 300, 1],
            recency_days: vec![213.0, 0.0, 200.0, 270.0, 12.5],
            t_days: vec![272.0, 272.0, 272.0, 272.0, 100.25],
            monetary_value: vec![30.0, 0.0, 40.0, 5.0, 12.0],
        };
        let options = options("1%/mo");
        let models: Vec<Box<dyn PurchaseModel>> = vec![Box::new(one), Box::new(other)];
        let of = [1, 0, 1, 1, 0];
        for over in [OrderDays::Repeat, OrderDays::All] {
            let many = ManyScorer::new(Some(&spend), options).over(over);
            let got = many.score(&models, &of, &customers, &()).unwrap();
            let want = [&one, &other].map(|model| {
                Scorer::new(model, Some(&spend), options).over(over).score(&customers, &()).unwrap()
            });
            for (i, &model) in of.iter().enumerate() {
                let want = &want[model as usize];
                assert_eq!(got.p_alive[i], want.p_alive[i]);
                assert_eq!(got.expected_transactions[i], want.expected_transactions[i]);
                assert_eq!((got.dert[i], got.clv[i]), (want.dert[i], want.clv[i]));
                assert_eq!(got.expected_spend[i], want.expected_spend[i]);
            }
        }
    }

    /// Work that should stop does, in the middle of a stretch as well.
    #[test]
    fn scores_can_be_interrupted() {
        struct After(AtomicU64);
        impl Progress for After {
            fn check(&self) -> Result<()> {
                match self.0.fetch_sub(1, Ordering::Relaxed) {
                    0 => Err(crate::Error::Interrupted),
                    _ => Ok(()),
                }
            }
        }
        let model = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, unit: Unit::Week };
        let n = 3 * CHECKED;
        let customers = Statistics {
            frequency: vec![0; n],
            recency_days: vec![0.0; n],
            t_days: (0..n).map(|i| 100.0 + i as f64).collect(),
            monetary_value: Vec::new(),
        };
        let options = options("1%/mo");
        let stopped = |result: Result<Scores>| matches!(result, Err(crate::Error::Interrupted));
        let scorer = Scorer::new(&model, None, options);
        assert!(stopped(scorer.score(&customers, &After(AtomicU64::new(2)))));
        let models: Vec<Box<dyn PurchaseModel>> = vec![Box::new(model)];
        let many = ManyScorer::new(None, options);
        assert!(stopped(many.score(&models, &vec![0; n], &customers, &After(AtomicU64::new(2)))));
        assert!(many.score(&models, &vec![0; n], &customers, &()).is_ok());
    }
}
