//! What customers are worth: expectations of a fitted model as columns of the customer table, with intervals.
//!
//! Convention: the horizon is cut into steps of its own period (`12mo` into twelve months of 30.4375 days, the last
//! step possibly shorter), and the orders of a step are discounted by the factor at its end. CLV is
//! margin × expected spend of an order × Σ over steps of expected orders × factor.

use super::gamma_gamma::GammaGamma;
use super::model::{Fit, Parametric, PurchaseModel};
use super::pattern::Patterns;
use super::schedule::{MOST_POINTS, Schedule};
use super::uncertainty::Uncertainty;
use crate::calendar::{Discount, Span};
use crate::customers::{Column, Values};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use serde::Serialize;

/// Customers per unit of parallel work; fixed, so that totals do not depend on threads.
const CHUNK: usize = 16_384;

/// The normal quantile of a 95 % interval.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// Step of the central differences on the scale-free scale: truncation and rounding both stay below 1e-6, far less
/// than an interval needs.
const DIFFERENCE: f64 = 1e-4;

/// A total whose interval reaches this many times its value is hardly determined.
const HARDLY_DETERMINED: f64 = 3.0;

/// Points in time for the derivatives, which need three digits.
const POINTS_OF_DERIVATIVES: usize = 6;

/// Over what and how future orders are valued.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ValueOptions {
    /// How far ahead.
    pub horizon: Span,
    /// What money later is worth.
    pub discount: Discount,
    /// The share of an order's value that remains, from 0 on.
    pub margin: f64,
}

/// An expectation with the 95 % interval that its parameters' uncertainty leaves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The expectation at the fitted parameters.
    pub value: f64,
    /// Lower end of the interval of the expectation.
    pub mean_lower: f64,
    /// Upper end.
    pub mean_upper: f64,
}

/// The columns that [`customer_value`] adds, and their totals.
#[derive(Debug, Clone)]
pub struct CustomerValue {
    /// `p_alive`, `expected_transactions` (over the horizon), and with a usable spend model `expected_spend` (of an
    /// order), `clv`, `clv_mean_lower`, `clv_mean_upper`. Empty when the purchase model is not usable.
    pub columns: Vec<Column>,
    /// Orders expected of all customers over the horizon.
    pub expected_transactions: Option<Estimate>,
    /// The customers' value together.
    pub clv: Option<Estimate>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// The expectations of every customer of `patterns`, whose mean repeat spends are `monetary_value`.
///
/// Intervals are those of the expectation (the parameters' uncertainty alone), by the delta method on its logarithm:
/// the variance of ln CLV is gᵀ·Σ·g with the derivatives g by the scale-free parameters. It costs a dozen
/// evaluations per distinct (x, T) where quantiles over draws cost hundreds per customer, and agrees with them
/// where the data determine the parameters (a test compares the two on the CDNOW sample). Parameters at a bound and
/// directions without information count as known.
///
/// # Errors
/// `monetary_value` of another length; a margin that is not a number from 0 on; [`Error::Interrupted`].
pub fn customer_value<P: Parametric + PurchaseModel>(
    patterns: &Patterns,
    monetary_value: &[f64],
    purchases: &Fit<P>,
    spend: Option<&Fit<GammaGamma>>,
    options: &ValueOptions,
    progress: &dyn Progress,
) -> Result<CustomerValue> {
    check(patterns, monetary_value, options)?;
    let mut out =
        CustomerValue { columns: Vec::new(), expected_transactions: None, clv: None, warnings: Vec::new() };
    let (Some(params), Some(uncertainty)) = (&purchases.params, &purchases.uncertainty) else {
        out.warnings.push(format!(
            "no lifetime values: {}: {}",
            P::MODEL,
            purchases.report.verdict.sentence()
        ));
        return Ok(out);
    };
    let spend_model = spend.and_then(|fit| fit.params.as_ref().zip(fit.uncertainty.as_ref()));
    if let (Some(fit), None) = (spend, &spend_model) {
        out.warnings.push(format!("no money values: Gamma-Gamma: {}", fit.report.verdict.sentence()));
    }
    let spend_complete = spend_model.is_none_or(|(_, uncertainty)| uncertainty.is_complete());
    for (complete, report) in
        [(uncertainty.is_complete(), Some(&purchases.report)), (spend_complete, spend.map(|fit| &fit.report))]
    {
        if let (false, Some(report)) = (complete, report) {
            out.warnings.push(format!(
                "{}: every interval holds the undetermined parameters fixed and is too narrow ({})",
                report.model,
                report.verdict.sentence()
            ));
        }
    }
    progress.phase("lifetime value", 3);
    let tables = PairTables::new(patterns, params, options);
    progress.check()?;
    progress.advance(1);
    let alive = AliveTables::new(patterns, params);
    progress.check()?;
    progress.advance(1);
    let scoring =
        Scoring { patterns, monetary_value, uncertainty, spend: spend_model, tables, alive, options };
    let parts = parallel::map_chunks(patterns.customers(), CHUNK, |range| scoring.score(range));
    progress.check()?;
    progress.advance(1);
    scoring.collect(parts, &mut out);
    if let Some(clv) = out.clv.filter(|clv| clv.mean_upper > HARDLY_DETERMINED * clv.value) {
        out.warnings.push(format!(
            "the data hardly determine lifetime value: the 95 % interval of its total runs from {:.3e} to {:.3e}; do \
             not use these values without more customers or a longer history",
            clv.mean_lower, clv.mean_upper
        ));
    }
    Ok(out)
}

fn check(patterns: &Patterns, monetary_value: &[f64], options: &ValueOptions) -> Result<()> {
    if monetary_value.len() != patterns.customers() {
        return Err(Error::value(
            "the mean spends",
            monetary_value.len(),
            format!("there are {} customers", patterns.customers()),
            "give one per customer",
        ));
    }
    if !(options.margin.is_finite() && options.margin >= 0.0) {
        let remedy = "give the share of an order's value that remains, such as 0.3";
        return Err(Error::value("the margin", options.margin, "it is not a number from 0 on", remedy));
    }
    Ok(())
}

/// Per distinct (x, T): expected orders of a customer who is alive, their discounted sum, and the derivatives of
/// both logarithms by the scale-free parameters.
struct PairTables {
    expected: Vec<(f64, f64)>,
    /// For every pair, every parameter: derivatives of (ln orders, ln discounted).
    derivatives: Vec<(f64, f64)>,
}

impl PairTables {
    fn new<P: Parametric + PurchaseModel>(
        patterns: &Patterns,
        params: &P,
        options: &ValueOptions,
    ) -> PairTables {
        let unit = params.time_unit();
        let steps = Schedule::steps(options, unit);
        let scale = params.time_scale();
        let rough = steps.clone().at_most(POINTS_OF_DERIVATIVES, scale);
        let steps = steps.at_most(MOST_POINTS, scale);
        let expected = parallel::collect(patterns.pairs(), |i| {
            let (x, t_days) = patterns.pair(i);
            steps.evaluate(params, x, t_days / unit.days())
        });
        let shifted = shifted(params);
        let derivatives = parallel::collect(patterns.pairs() * shifted.len(), |k| {
            let (x, t_days) = patterns.pair(k / shifted.len());
            let t = t_days / unit.days();
            let (below, above) = &shifted[k % shifted.len()];
            let (low, high) = (rough.evaluate(below, x, t), rough.evaluate(above, x, t));
            let slope = |low: f64, high: f64| (high.ln() - low.ln()) / (2.0 * DIFFERENCE);
            (slope(low.0, high.0), slope(low.1, high.1))
        });
        PairTables { expected, derivatives }
    }
}

/// Per pattern: P(alive) and the derivatives of its logarithm by the scale-free parameters. Some models' cost more than
/// a look-up, and customers share patterns.
struct AliveTables {
    p_alive: Vec<f64>,
    /// For every pattern, every parameter.
    derivatives: Vec<f64>,
}

impl AliveTables {
    fn new<P: Parametric + PurchaseModel>(patterns: &Patterns, params: &P) -> AliveTables {
        let unit = params.time_unit();
        let shifted = shifted(params);
        let parts = parallel::map_chunks(patterns.len(), CHUNK, |range| {
            let mut part = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len() * shifted.len()));
            for pattern in range {
                let x = patterns.frequency(pattern);
                let t_x = patterns.recency_days(pattern) / unit.days();
                let t = patterns.t_days(pattern) / unit.days();
                part.0.push(params.p_alive(x, t_x, t));
                part.1.extend(shifted.iter().map(|(low, high)| {
                    (high.ln_p_alive(x, t_x, t) - low.ln_p_alive(x, t_x, t)) / (2.0 * DIFFERENCE)
                }));
            }
            part
        });
        let (p_alive, derivatives): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        AliveTables { p_alive: p_alive.concat(), derivatives: derivatives.concat() }
    }
}

/// The parameters moved down and up along each scale-free axis.
fn shifted<P: Parametric>(params: &P) -> Vec<(P, P)> {
    let theta = params.scale_free();
    let moved = |i: usize, by: f64| {
        let mut theta = theta.clone();
        theta[i] += by;
        params.with_scale_free(&theta)
    };
    (0..theta.len()).map(|i| (moved(i, -DIFFERENCE), moved(i, DIFFERENCE))).collect()
}

struct Scoring<'a, P> {
    patterns: &'a Patterns,
    monetary_value: &'a [f64],
    uncertainty: &'a Uncertainty<P>,
    spend: Option<(&'a GammaGamma, &'a Uncertainty<GammaGamma>)>,
    tables: PairTables,
    alive: AliveTables,
    options: &'a ValueOptions,
}

/// The columns of some customers, and sums over them with their derivatives.
#[derive(Default)]
struct Part {
    p_alive: Vec<f64>,
    expected: Vec<f64>,
    spend: Vec<f64>,
    clv: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    total_expected: Total,
    total_clv: Total,
}

/// A sum over customers with its derivatives by the parameters of purchases and of spend.
#[derive(Default, Clone)]
struct Total {
    value: f64,
    by_purchases: Vec<f64>,
    by_spend: [f64; 3],
}

impl Total {
    fn add(&mut self, value: f64, by_purchases: impl ExactSizeIterator<Item = f64>, by_spend: [f64; 3]) {
        self.value += value;
        self.by_purchases.resize(by_purchases.len(), 0.0);
        self.by_purchases.iter_mut().zip(by_purchases).for_each(|(sum, g)| *sum += g);
        self.by_spend.iter_mut().zip(by_spend).for_each(|(sum, g)| *sum += g);
    }
}

impl<P: Parametric + PurchaseModel> Scoring<'_, P> {
    fn score(&self, range: std::ops::Range<usize>) -> Part {
        let parameters = P::NAMES.len();
        let mut slopes = vec![(0.0, 0.0); parameters];
        let mut part = Part::default();
        for i in range {
            let pattern = self.patterns.of_customer(i);
            let x = self.patterns.frequency(pattern);
            let pair = self.patterns.pair_of(pattern);
            let alive = self.alive.p_alive[pattern];
            let (orders, discounted) = self.tables.expected[pair];
            let (orders, discounted) = (orders * alive, discounted * alive);
            let by_pair = &self.tables.derivatives[pair * parameters..][..parameters];
            let by_alive = &self.alive.derivatives[pattern * parameters..][..parameters];
            for ((slope, pair), alive) in slopes.iter_mut().zip(by_pair).zip(by_alive) {
                *slope = (pair.0 + alive, pair.1 + alive);
            }
            part.p_alive.push(alive);
            part.expected.push(orders);
            part.total_expected.add(orders, slopes.iter().map(|s| weighted(orders, s.0)), [0.0; 3]);
            let Some((spend, spend_uncertainty)) = self.spend else { continue };
            let mean = self.monetary_value[i];
            let worth = spend.expected_spend(x, mean);
            let by_spend = spend.ln_spend_gradient(x, mean);
            let clv = self.options.margin * worth * discounted;
            let by_purchases: Vec<f64> = slopes.iter().map(|s| s.1).collect();
            let variance = self.uncertainty.variance(&by_purchases) + spend_uncertainty.variance(&by_spend);
            let estimate = around(clv, variance);
            part.spend.push(worth);
            part.clv.push(clv);
            part.lower.push(estimate.mean_lower);
            part.upper.push(estimate.mean_upper);
            let by_purchases = by_purchases.iter().map(|&slope| weighted(clv, slope));
            part.total_clv.add(clv, by_purchases, by_spend.map(|slope| weighted(clv, slope)));
        }
        part
    }

    /// Puts the parts together in the order of the customers.
    fn collect(&self, parts: Vec<Part>, out: &mut CustomerValue) {
        let (mut expected, mut clv) = (Total::default(), Total::default());
        let mut columns: [Vec<f64>; 6] = Default::default();
        for part in parts {
            let pieces = [part.p_alive, part.expected, part.spend, part.clv, part.lower, part.upper];
            columns.iter_mut().zip(pieces).for_each(|(column, piece)| column.extend(piece));
            for (total, part) in [(&mut expected, part.total_expected), (&mut clv, part.total_clv)] {
                total.add(part.value, part.by_purchases.into_iter(), part.by_spend);
            }
        }
        out.expected_transactions = Some(self.estimate(&expected));
        out.clv = self.spend.map(|_| self.estimate(&clv));
        let names =
            ["p_alive", "expected_transactions", "expected_spend", "clv", "clv_mean_lower", "clv_mean_upper"];
        let used = if self.spend.is_some() { names.len() } else { 2 };
        for (name, values) in names.into_iter().zip(columns).take(used) {
            out.columns.push(Column { name: name.to_string(), values: Values::Float(values) });
        }
    }

    fn estimate(&self, total: &Total) -> Estimate {
        if total.value == 0.0 {
            return around(0.0, 0.0);
        }
        let by_purchases: Vec<f64> = total.by_purchases.iter().map(|g| g / total.value).collect();
        let by_spend = total.by_spend.map(|g| g / total.value);
        let spend = self.spend.map_or(0.0, |(_, uncertainty)| uncertainty.variance(&by_spend));
        around(total.value, self.uncertainty.variance(&by_purchases) + spend)
    }
}

/// value·slope, and 0 where the value is: its logarithm's slope means nothing there.
fn weighted(value: f64, slope: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value * slope }
}

/// The 95 % interval of a positive quantity whose logarithm has this variance; without extent at 0.
fn around(value: f64, variance: f64) -> Estimate {
    if value == 0.0 {
        return Estimate { value, mean_lower: value, mean_upper: value };
    }
    let factor = (NORMAL_95 * variance.sqrt()).exp();
    Estimate { value, mean_lower: value / factor, mean_upper: value * factor }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
