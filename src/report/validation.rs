//! The tables of a validation as CSV, long: one line per figure, empty cells where a figure does not exist.

use super::tables::Csv;
use crate::clv::validate::{Coverage, Covered, Figure, FrequencyGroup, Method, MethodKind, Validation};
use crate::error::Result;

fn cell(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// Value, standard error, lower, upper.
fn cells(figure: Option<Figure>) -> [String; 4] {
    let of = |part: fn(Figure) -> Option<f64>| cell(figure.and_then(part));
    [of(|f| Some(f.value)), of(|f| f.standard_error), of(|f| f.lower), of(|f| f.upper)]
}

/// What a method is, in a word.
pub fn kind(method: &Method) -> &'static str {
    match method.kind {
        MethodKind::Model => "model",
        MethodKind::Baseline => "baseline",
        MethodKind::Ranking => "ranking",
    }
}

/// A calibration frequency as text: "0", "7+".
pub fn frequency(group: &FrequencyGroup) -> String {
    format!("{}{}", group.frequency, if group.and_more { "+" } else { "" })
}

/// `metrics.csv`: every criterion of every method.
pub fn metrics_csv(of: &Validation) -> Result<Vec<u8>> {
    let mut out = Csv::new(&["method", "kind", "criterion", "value", "standard_error", "lower", "upper"])?;
    for method in &of.methods {
        for metric in &method.metrics {
            let names = [method.name.clone(), kind(method).to_string(), metric.criterion.key().to_string()];
            out.row(&[&names[..], &cells(metric.figure)].concat())?;
        }
    }
    out.finish()
}

/// `differences.csv`: one method less another by every criterion; of biases, their distances from 0.
pub fn differences_csv(of: &Validation) -> Result<Vec<u8>> {
    let mut out =
        Csv::new(&["criterion", "method", "less", "difference", "standard_error", "lower", "upper"])?;
    for difference in &of.differences {
        let name = |m: usize| of.methods[m].name.clone();
        let names = [difference.criterion.key().to_string(), name(difference.method), name(difference.other)];
        out.row(&[&names[..], &cells(Some(difference.figure))].concat())?;
    }
    out.finish()
}

/// `deciles.csv`: tenths of the customers by predicted transactions, the highest first.
pub fn deciles_csv(of: &Validation) -> Result<Vec<u8>> {
    let mut out = Csv::new(&[
        "method",
        "decile",
        "customers",
        "predicted",
        "predicted_standard_error",
        "actual",
        "actual_standard_error",
        "actual_lower",
        "actual_upper",
    ])?;
    for method in &of.methods {
        for decile in &method.deciles {
            let names = [method.name.clone(), decile.decile.to_string(), decile.customers.to_string()];
            let predicted = cells(Some(decile.predicted));
            out.row(&[&names[..], &predicted[..2], &cells(Some(decile.actual))].concat())?;
        }
    }
    out.finish()
}

/// `by_frequency.csv`: customers by calibration frequency, and what each method says of them.
pub fn by_frequency_csv(of: &Validation) -> Result<Vec<u8>> {
    let mut out = Csv::new(&[
        "frequency",
        "method",
        "customers",
        "customers_standard_error",
        "expected_customers",
        "actual",
        "actual_standard_error",
        "predicted",
        "predicted_standard_error",
    ])?;
    for group in &of.by_frequency {
        let [customers, actual] = [cells(Some(group.customers)), cells(group.actual)];
        for (m, method) in of.methods.iter().enumerate() {
            let expected = group.expected_customers[m];
            if method.transactions.is_none() && expected.is_none() {
                continue;
            }
            let names = [frequency(group), method.name.clone()];
            let predicted = cells(group.predicted[m]);
            out.row(
                &[&names[..], &customers[..2], &[cell(expected)], &actual[..2], &predicted[..2]].concat(),
            )?;
        }
    }
    out.finish()
}

/// What a coverage is of, with its name in files: transactions, and spend where there is any.
pub fn quantities(coverage: &Coverage) -> Vec<(&'static str, &Covered)> {
    let spend = coverage.spend.as_ref().map(|spend| ("spend", spend));
    std::iter::once(("transactions", &coverage.transactions)).chain(spend).collect()
}

/// `coverage.csv`: how often each model's intervals held; of totals, 1 or 0 with the interval and what happened.
pub fn coverage_csv(of: &Validation) -> Result<Vec<u8>> {
    let mut out = Csv::new(&[
        "method",
        "level",
        "quantity",
        "group",
        "customers",
        "covered",
        "standard_error",
        "lower",
        "upper",
        "actual",
    ])?;
    for method in &of.methods {
        let Some(coverage) = &method.coverage else { continue };
        for (quantity, covered) in quantities(coverage) {
            let names = |group: &str, customers: u64| {
                let level = coverage.level.to_string();
                [method.name.clone(), level, quantity.to_string(), group.to_string(), customers.to_string()]
            };
            let share = cells(covered.customers);
            let none = [String::new(), String::new(), String::new()];
            out.row(&[&names("each customer", coverage.customers)[..], &share[..2], &none].concat())?;
            let tenths = (1..).zip(&covered.tenths).map(|(tenth, total)| (format!("tenth {tenth}"), total));
            for (group, total) in std::iter::once(("total".to_string(), &covered.total)).chain(tenths) {
                let held = [u8::from(total.covered).to_string(), String::new()];
                let values = [total.lower, total.upper, total.actual].map(|value| value.to_string());
                out.row(&[&names(&group, total.customers)[..], &held, &values].concat())?;
            }
        }
    }
    out.finish()
}

/// `tracking.csv`: repeat purchases by week, made and expected; without a model the last three cells are empty.
pub fn tracking_csv(of: &Validation) -> Result<Vec<u8>> {
    let mut out = Csv::new(&[
        "week",
        "from",
        "to",
        "days",
        "window",
        "actual",
        "cumulative_actual",
        "model",
        "expected",
        "cumulative_expected",
    ])?;
    for (number, week) in of.tracking.iter().enumerate() {
        let names = [
            (number + 1).to_string(),
            week.from.to_string(),
            week.to.to_string(),
            week.days.to_string(),
            if week.holdout { "holdout" } else { "calibration" }.to_string(),
            week.actual.to_string(),
            week.cumulative_actual.to_string(),
        ];
        let models = of.tracked.iter().enumerate().map(|(k, &m)| {
            [
                of.methods[m].name.clone(),
                week.expected[k].to_string(),
                week.cumulative_expected[k].to_string(),
            ]
        });
        let mut models: Vec<[String; 3]> = models.collect();
        if models.is_empty() {
            models.push(Default::default());
        }
        for model in models {
            out.row(&[&names[..], &model].concat())?;
        }
    }
    out.finish()
}
