//! Forecasts of cohorts of contracts as a table.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};

use crate::clv::contractual::{CohortForecast, Spread, Step};
use crate::error::{Error, Result};
use crate::report::tables::write_parquet;

/// Writes a line for each cohort and step: `cohort`, `customers` (at its beginning), `period`, `ahead` (0 for the last
/// period observed), `survivors`, `survival`, `retention`, `derl`, and with draws of the parameters the intervals
/// `…_mean_lower`/`…_mean_upper` (of the expectation) and `…_lower`/`…_upper` (of what will happen).
///
/// # Errors
/// [`Error::Io`].
pub fn write_forecast(path: &Path, forecasts: &[CohortForecast]) -> Result<()> {
    let steps =
        || forecasts.iter().flat_map(|forecast| forecast.steps.iter().map(move |step| (forecast, step)));
    let numbers = |of: &dyn Fn(&Step) -> Option<f64>| -> ArrayRef {
        Arc::new(steps().map(|(_, step)| of(step)).collect::<Float64Array>())
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("cohort", Arc::new(steps().map(|(forecast, _)| Some(&forecast.cohort)).collect::<StringArray>())),
        (
            "customers",
            Arc::new(UInt64Array::from_iter_values(steps().map(|(forecast, _)| forecast.customers))),
        ),
        ("period", Arc::new(UInt32Array::from_iter_values(steps().map(|(_, step)| step.period)))),
        ("ahead", Arc::new(UInt32Array::from_iter_values(steps().map(|(_, step)| step.ahead)))),
        ("survivors", numbers(&|step| Some(step.survivors))),
    ];
    let has_draws = steps().any(|(_, step)| step.survivors_spread.is_some());
    if has_draws {
        let of =
            |end: fn(&Spread) -> Option<f64>| numbers(&move |step| end(step.survivors_spread.as_ref()?));
        columns.extend([
            ("survivors_mean_lower", of(|spread| Some(spread.mean.0))),
            ("survivors_mean_upper", of(|spread| Some(spread.mean.1))),
            ("survivors_lower", of(|spread| spread.luck.map(|ends| ends.0))),
            ("survivors_upper", of(|spread| spread.luck.map(|ends| ends.1))),
        ]);
    }
    columns.extend([
        ("survival", numbers(&|step| Some(step.survival))),
        ("retention", numbers(&|step| step.retention)),
        ("derl", numbers(&|step| step.derl)),
    ]);
    if has_draws {
        columns.extend([
            ("derl_mean_lower", numbers(&|step| step.derl_spread.map(|spread| spread.mean.0))),
            ("derl_mean_upper", numbers(&|step| step.derl_spread.map(|spread| spread.mean.1))),
        ]);
    }
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|e| Error::internal("building the table of forecasts", e))?;
    write_parquet(path, &batch)
}
