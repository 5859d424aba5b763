//! A run as the page of the report.

use super::{ConfigEntry, Run};
use crate::customers::Values;
use crate::history::schema::ColumnRef;
use crate::report::html::{Lifetime, Page, Total};

/// How lifetime value discounts, in words.
const CONVENTION: &str = "The horizon is cut into steps of its own period; the orders of a step are discounted by \
                          the factor at its end. Months have 30.4375 days.";

/// The whole page.
pub(super) fn render(run: &Run, config: &[ConfigEntry]) -> String {
    let config: Vec<(String, String)> = config
        .iter()
        .map(|entry| {
            let value = entry.value.clone().unwrap_or_else(|| "left to the data".to_string());
            (entry.key.clone(), format!("{value} ({})", entry.origin))
        })
        .collect();
    let of_fits = [run.purchases.report(), &run.spend.report];
    // The page shows the fits' warnings beside the fits.
    let warnings: Vec<String> = run
        .warnings
        .iter()
        .filter(|w| !of_fits.iter().any(|report| report.warnings.contains(w)))
        .cloned()
        .collect();
    let no_comparison = match &run.strategies {
        None => "No strategy file was given.",
        Some(_) => "The strategies rest on lifetime models that could not be fitted.",
    };
    crate::report::html::render(&Page {
        title: "",
        version: env!("CARGO_PKG_VERSION"),
        seed: run.config.seed,
        fingerprint: &run.summary.fingerprint,
        currency: run.strategies.as_ref().map_or("", |set| &set.currency),
        config: &config,
        columns: &columns(run),
        ledger: &run.summary.ledger,
        table: &run.summary.table,
        list: run.list.as_ref().map(|(_, report)| report),
        cohorts: run.summary.cohorts.as_ref(),
        rfm: &run.rfm,
        concentration: &run.concentration,
        fits: &of_fits,
        model_reason: &run.model.reason,
        model_choice: run.model.holdout.as_ref(),
        lifetime: lifetime(run),
        segmentation: Some(&run.segmentation),
        tierings: &run.tierings,
        set: run.strategies.as_ref(),
        opt_out: run.opt_out.as_ref(),
        comparison: run.comparison.as_ref(),
        no_comparison,
        warnings: &warnings,
    })
}

fn columns(run: &Run) -> Vec<(String, String)> {
    let columns = &run.summary.history.columns;
    let line = |(role, column): (&str, &ColumnRef)| {
        (role.to_string(), format!("{}, {}, {}", column.name, column.type_text, column.how.words()))
    };
    columns.roles().into_iter().map(line).collect()
}

fn lifetime(run: &Run) -> Option<Lifetime<'_>> {
    let column = |name: &str| match &run.summary.table.column(name)?.values {
        Values::Float(values) => Some(values.as_slice()),
        _ => None,
    };
    Some(Lifetime {
        horizon: run.config.horizon,
        discount: run.config.discount,
        margin: run.config.margin,
        convention: CONVENTION,
        p_alive: column("p_alive")?,
        orders: column("expected_transactions")?,
        clv: column("clv")?,
        total: run.value.clv.map(|e| Total { value: e.value, lower: e.mean_lower, upper: e.mean_upper }),
    })
}
