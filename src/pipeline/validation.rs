//! The holdout's judgement as one call: history → calibration and holdout → fits → validation, and its files.

use serde_json::{Value, json};

use super::{ConfigEntry, RunConfig, ledger_summary};
use crate::clv::validate::{
    IntervalOptions, ValidateOptions, Validation, candidates_with_intervals, validate as judge,
};
use crate::clv::{GammaGammaModel, Patterns};
use crate::customers::{Summary, summarize_open};
use crate::error::{Error, Result};
use crate::history::{CohortPeriod, History, HistoryOptions, Source};
use crate::progress::Progress;
use crate::report::html::validation::{ValidationPage, render};
use crate::report::output::VALIDATION;
use crate::report::{OutputFolder, validation as tables};

/// Version of the layout of `validation.json`; it changes when a key changes its meaning or goes.
const SCHEMA: u32 = 1;

/// The probability that the judged intervals claim.
const LEVEL: f64 = 0.9;

/// Draws of the parameters that they rest on: 20 lie beyond each end.
const DRAWS: u32 = 400;

/// A validation with the history that it is of.
#[derive(Debug)]
pub struct Validated {
    /// The settings.
    pub config: RunConfig,
    /// The customers with their holdout, the ledger and the history's facts.
    pub summary: Summary,
    /// What the holdout says.
    pub validation: Validation,
    /// What the reader of any figure has to know: of the rows, the fits and the comparison.
    pub warnings: Vec<String>,
}

/// Fits every purchase model to the calibration window of a history and judges them, and what one would do without, by
/// the holdout. Of `config` the history's options, the unit, the replications (of the bootstrap) and the seed count.
///
/// # Errors
/// [`Error::Value`] without an end of calibration, for one that leaves no holdout, and for a holdout without an order;
/// [`Error::BeforeHistory`] for one before the first order; whatever is wrong with the sources or their rows.
pub fn validate(sources: &[Source], config: &RunConfig, progress: &dyn Progress) -> Result<Validated> {
    config.check()?;
    if config.history.calibration_end.is_none() {
        return Err(Error::value(
            "--calibration-end",
            "",
            "models are judged by what comes after it",
            "give the last day that the models may see, such as the end of the first half of the history",
        ));
    }
    // Orders by day are counted beside the cohorts.
    let options = HistoryOptions { cohorts: Some(CohortPeriod::Auto), ..config.history.clone() };
    let summary = summarize_open(History::open(sources, &options)?, config.unit, progress)?;
    let table = &summary.table;
    progress.phase("finding patterns", 0);
    let patterns = Patterns::from_table(table)?;
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, progress)?;
    let intervals = IntervalOptions { level: LEVEL, draws: DRAWS, seed: config.seed };
    let fits = candidates_with_intervals(&patterns, table, &spend, &intervals, progress)?;
    let daily = summary.cohorts.as_ref().and_then(|cohorts| cohorts.daily.as_ref());
    let options = ValidateOptions { replications: config.replications, seed: config.seed };
    let validation = judge(table, daily, &patterns, &fits, &spend, &options, progress)?;
    let mut warnings = summary.warnings();
    let of_fits = validation.fits.iter().chain([&validation.spend_fit]);
    for warning in of_fits.flat_map(|fit| &fit.warnings).chain(&validation.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    Ok(Validated { config: config.clone(), summary, validation, warnings })
}

/// Writes every file of the validation into `out`, which the caller finishes.
///
/// # Errors
/// [`Error::Io`] where a file cannot be written.
pub fn write_validation(of: &Validated, config: &[ConfigEntry], out: &OutputFolder) -> Result<()> {
    let validation = &of.validation;
    out.write("metrics.csv", tables::metrics_csv(validation)?)?;
    out.write("differences.csv", tables::differences_csv(validation)?)?;
    out.write("deciles.csv", tables::deciles_csv(validation)?)?;
    out.write("by_frequency.csv", tables::by_frequency_csv(validation)?)?;
    out.write("coverage.csv", tables::coverage_csv(validation)?)?;
    out.write("tracking.csv", tables::tracking_csv(validation)?)?;
    let text = serde_json::to_string_pretty(&validation_json(of, config))
        .map_err(|e| Error::internal("writing the validation", e))?;
    out.write(VALIDATION, text + "\n")?;
    let listed: Vec<(String, String)> = config
        .iter()
        .map(|entry| {
            let value = entry.value.clone().unwrap_or_else(|| "left to the data".to_string());
            (entry.key.clone(), format!("{value} ({})", entry.origin))
        })
        .collect();
    let page = ValidationPage {
        version: env!("CARGO_PKG_VERSION"),
        fingerprint: &of.summary.fingerprint,
        config: &listed,
        validation,
        warnings: &of.warnings,
    };
    out.write("report.html", render(&page))
}

/// What `validation.json` holds.
pub fn validation_json(of: &Validated, config: &[ConfigEntry]) -> Value {
    json!({
        "tiercast": env!("CARGO_PKG_VERSION"),
        "schema": SCHEMA,
        "config": config,
        "input": {
            "fingerprint": of.summary.fingerprint,
            "history": of.summary.history,
        },
        "ledger": ledger_summary(&of.summary.ledger),
        "validation": of.validation,
        "warnings": of.warnings,
    })
}
