//! An honest look at a holdout: how well models fitted to the calibration window predict it, beside what one would do
//! without a model.
//!
//! Every figure comes with its bootstrap over customers, and so does every difference between two methods, in which
//! both see the same resampled customers. Fits are not repeated: the intervals are those of the judgement of these
//! predictions, not of what another history would have led to. What a model does not win is said as plainly as what it wins.

mod bootstrap;
mod choose;
mod conclude;
mod coverage;
mod curve;
mod forecast;
mod frequency;
mod intervals;
mod methods;
mod moments;
mod report;
#[cfg(test)]
mod score_tests;
mod scores;
#[cfg(test)]
mod tests;
mod tracking;

pub use choose::{Choice, Judged, choose};
pub use forecast::{Candidate, Forecast};
pub use intervals::{Ends, IntervalOptions, Intervals, candidates_with_intervals};
pub use report::{
    Coverage, Covered, Criterion, Decile, Difference, Figure, FrequencyGroup, LeftOut, Method, MethodKind,
    Metric, Preferred, TotalCovered, Validation,
};
pub use tracking::Week;

use bootstrap::{Spread, Weights};
use methods::Predictions;

use crate::clv::family::{ModelName, PurchaseFit, with_fit};
use crate::clv::gamma_gamma::GammaGamma;
use crate::clv::model::Fit;
use crate::clv::pattern::Patterns;
use crate::customers::cohorts::DailyOrders;
use crate::customers::{CustomerTable, Holdout};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;

/// Below this many replications an interval's ends are those of a handful of them.
const FEWEST_REPLICATIONS: u32 = 180;

/// How a validation is done.
#[derive(Debug, Clone, Copy)]
pub struct ValidateOptions {
    /// Replications of the bootstrap, from 2 on.
    pub replications: u32,
    /// Its seed.
    pub seed: u64,
}

/// Fits every purchase model to the calibration window of a table.
///
/// # Errors
/// [`Error::Interrupted`], and what a fit cannot begin with.
pub fn candidates(
    patterns: &Patterns,
    table: &CustomerTable,
    progress: &dyn Progress,
) -> Result<Vec<Candidate>> {
    let fit = |name| {
        let fit = PurchaseFit::new(name, patterns, table.unit, progress)?;
        Ok(with_fit!(fit, fit => Candidate::of(fit)))
    };
    ModelName::ALL.into_iter().map(fit).collect()
}

/// Judges `candidates`, fitted to the calibration window of `table`, and the baselines by its holdout.
///
/// `patterns` are those of the table; `daily` are its orders by day, without which there is no weekly tracking.
///
/// Memory grows with customers × methods, not with customers × replications; time with customers × methods × replications.
///
/// # Errors
/// [`Error::Value`] for a table without customers or without an order in the holdout, and for fewer than 2
/// replications; [`Error::Interrupted`].
pub fn validate(
    table: &CustomerTable,
    daily: Option<&DailyOrders>,
    patterns: &Patterns,
    candidates: &[Candidate],
    spend: &Fit<GammaGamma>,
    options: &ValidateOptions,
    progress: &dyn Progress,
) -> Result<Validation> {
    let holdout = check(table, patterns, options)?;
    progress.phase("predicting the holdout", candidates.len() as u64);
    let mut methods: Vec<Predictions> = Vec::new();
    for candidate in candidates {
        progress.check()?;
        methods.extend(methods::of_model(candidate, table, patterns, spend.params.as_ref()));
        progress.advance(1);
    }
    let mut warnings = warnings(&methods, spend, options);
    warnings.extend(candidates.iter().flat_map(|of| of.about_intervals.iter().cloned()));
    if daily.is_none() {
        warnings.push("orders were not counted by day: there is no weekly tracking".to_string());
    }
    let models = methods.len();
    methods.extend(methods::baselines(table));
    let hash = parallel::collect(table.len(), |i| table.ids.hash(i));
    let transactions: Vec<f64> = holdout.frequency.iter().map(|&n| f64::from(n)).collect();
    let scoring = scores::Scoring {
        frequency: &table.frequency,
        transactions: &transactions,
        spend: &holdout.spend,
        hash: &hash,
        weights: Weights::new(options.seed, options.replications),
    };
    let scores = scoring.score(&methods, progress)?;
    progress.phase("tracking", 0);
    let forecasts: Vec<&dyn Forecast> = methods.iter().filter_map(|method| method.forecast).collect();
    let tracking = daily
        .map_or_else(Vec::new, |daily| tracking::weeks(&table.first_order, daily, table.window, &forecasts));
    let by_frequency = frequency::groups(table, &methods, &scores);
    let differences = scores.differences();
    let methods = scores.into_methods(&methods);
    let left_out = candidates.iter().filter(|candidate| candidate.forecast.is_none());
    let mut out = Validation {
        window: table.window,
        unit: table.unit,
        holdout_days: table.window.holdout_days(),
        customers: table.len() as u64,
        transactions: holdout.frequency.iter().map(|&n| u64::from(n)).sum(),
        spend: holdout.spend.iter().sum(),
        replications: options.replications,
        seed: options.seed,
        fits: candidates.iter().map(|candidate| candidate.report.clone()).collect(),
        spend_fit: spend.report.clone(),
        left_out: left_out
            .map(|c| LeftOut { model: c.report.model, verdict: c.report.verdict.sentence() })
            .collect(),
        methods,
        differences,
        by_frequency,
        tracked: (0..models).collect(),
        tracking,
        preferred: None,
        conclusions: Vec::new(),
        warnings,
    };
    out.preferred = conclude::preferred(&out);
    out.conclusions = conclude::conclusions(&out);
    Ok(out)
}

fn check<'a>(
    table: &'a CustomerTable,
    patterns: &Patterns,
    options: &ValidateOptions,
) -> Result<&'a Holdout> {
    let window = table.window;
    if table.is_empty() || patterns.customers() != table.len() {
        let problem = "there is no customer in the calibration window whose holdout could be predicted";
        let remedy = "give a later end of calibration";
        return Err(Error::value("--calibration-end", window.calibration_end, problem, remedy));
    }
    if options.replications < 2 {
        let problem = "no spread can be seen in so few";
        return Err(Error::value("replications", options.replications, problem, "give some hundreds"));
    }
    match &table.holdout {
        Some(holdout) if holdout.frequency.iter().any(|&n| n > 0) => Ok(holdout),
        Some(_) => Err(Error::value(
            "--calibration-end",
            window.calibration_end,
            format!(
                "none of the {} customers observed up to it has an order in the holdout, which ends on {}",
                table.len(),
                window.as_of
            ),
            "give an earlier end of calibration",
        )),
        None => Err(Error::value(
            "--calibration-end",
            window.calibration_end,
            format!("it leaves no holdout: the history is looked at up to {}", window.as_of),
            "give an earlier end of calibration",
        )),
    }
}

fn warnings(models: &[Predictions], spend: &Fit<GammaGamma>, options: &ValidateOptions) -> Vec<String> {
    let mut out = Vec::new();
    if spend.params.is_none() {
        out.push(format!("no model predicts spend: Gamma-Gamma: {}", spend.report.verdict.sentence()));
    } else if models.iter().any(|model| model.spend.is_none()) {
        out.push(
            "the expected spend of some customers does not exist: the models predict no spend".to_string(),
        );
    }
    if options.replications < FEWEST_REPLICATIONS {
        out.push(format!(
            "{} replications are few for the ends of a 95 % interval: give at least {FEWEST_REPLICATIONS}",
            options.replications
        ));
    }
    out
}

/// A spread as a figure; none where the statistic does not exist.
fn figure(values: &[f64]) -> Option<Figure> {
    let Spread { value, standard_error, lower, upper } = Spread::of(values);
    let finite = |v: f64| v.is_finite().then_some(v);
    value.is_finite().then_some(Figure {
        value,
        standard_error: finite(standard_error),
        lower: finite(lower),
        upper: finite(upper),
    })
}
