//! The ways to predict the holdout that are compared: models, and what one would do without them.

use super::forecast::{Candidate, Forecast};
use super::intervals::Intervals;
use super::report::MethodKind;
use crate::clv::gamma_gamma::GammaGamma;
use crate::clv::pattern::Patterns;
use crate::customers::CustomerTable;
use crate::parallel;

/// A way to predict, with its predictions in the order of the table.
pub(super) struct Predictions<'a> {
    pub(super) name: String,
    pub(super) kind: MethodKind,
    pub(super) about: &'static str,
    pub(super) forecast: Option<&'a dyn Forecast>,
    pub(super) intervals: Option<&'a Intervals>,
    /// Transactions in the holdout.
    pub(super) transactions: Option<Vec<f64>>,
    /// Spend in the holdout, or for [`MethodKind::Ranking`] what customers are ordered by.
    pub(super) spend: Option<Vec<f64>>,
}

/// A model's predictions: conditional expected transactions, and times the expected spend of each where there is a
/// spend model.
pub(super) fn of_model<'a>(
    candidate: &'a Candidate,
    table: &CustomerTable,
    patterns: &Patterns,
    spend: Option<&GammaGamma>,
) -> Option<Predictions<'a>> {
    let forecast = candidate.forecast.as_deref()?;
    let unit = forecast.unit();
    let horizon = unit.of_days(table.window.holdout_days());
    // Customers share few distinct histories.
    let by_pattern = parallel::map_chunks(patterns.len(), 256, |range| {
        let of = |k: usize| {
            let (t_x, t) = (patterns.recency_days(k) / unit.days(), patterns.t_days(k) / unit.days());
            forecast.conditional_expected(patterns.frequency(k), t_x, t, horizon)
        };
        range.map(of).collect::<Vec<f64>>()
    });
    let by_pattern: Vec<f64> = by_pattern.into_iter().flatten().collect();
    let transactions = parallel::collect(table.len(), |i| by_pattern[patterns.of_customer(i)]);
    let spend = spend.map(|spend| {
        parallel::collect(table.len(), |i| {
            transactions[i] * spend.expected_spend(table.frequency[i], table.monetary_value[i])
        })
    });
    Some(Predictions {
        name: forecast.name().to_string(),
        kind: MethodKind::Model,
        about: "conditional expected transactions, and times the Gamma-Gamma expectation of spend",
        forecast: Some(forecast),
        intervals: candidate.intervals.as_ref(),
        transactions: Some(transactions),
        // Where no mean exists, neither does a prediction.
        spend: spend.filter(|values| values.iter().all(|v| v.is_finite())),
    })
}

/// What one would do without a model.
pub(super) fn baselines(table: &CustomerTable) -> Vec<Predictions<'static>> {
    let days = f64::from(table.window.holdout_days());
    let n = table.len();
    let repeat_spend = |i: usize| f64::from(table.frequency[i]) * table.monetary_value[i];
    let rate = |i: usize| match table.t_days[i] {
        0 => 0.0,
        t => f64::from(table.frequency[i]) / f64::from(t) * days,
    };
    let purchases: f64 = table.frequency.iter().map(|&x| f64::from(x)).sum();
    let observed: f64 = table.t_days.iter().map(|&t| f64::from(t)).sum();
    let mean = if observed > 0.0 { purchases / observed * days } else { 0.0 };
    let spent: f64 = (0..n).map(repeat_spend).sum();
    let mean_spend = if purchases > 0.0 { spent / purchases } else { 0.0 };
    let baseline = |name: &str, kind, about, transactions, spend| Predictions {
        name: name.to_string(),
        kind,
        about,
        forecast: None,
        intervals: None,
        transactions,
        spend,
    };
    vec![
        baseline(
            "past rate",
            MethodKind::Baseline,
            "each customer goes on at its own rate: x/T times the holdout, at its own mean spend",
            Some(parallel::collect(n, rate)),
            Some(parallel::collect(n, |i| rate(i) * table.monetary_value[i])),
        ),
        baseline(
            "population mean",
            MethodKind::Baseline,
            "every customer goes on at the rate of all of them, at the mean spend of all repeat purchases",
            Some(vec![mean; n]),
            Some(vec![mean * mean_spend; n]),
        ),
        baseline(
            "past repeat spend",
            MethodKind::Ranking,
            "customers in the order of their spend in repeat purchases",
            None,
            Some(parallel::collect(n, repeat_spend)),
        ),
        baseline(
            "past total spend",
            MethodKind::Ranking,
            "customers in the order of all their spend",
            None,
            Some(table.total_spend.clone()),
        ),
    ]
}
