//! The windows of calibration and holdout, from what was asked for and what was read.

use crate::calendar::{Day, Window};
use crate::error::{Error, Result};
use crate::history::{HistoryOptions, Ledger};

/// Refuses a calibration that ends after what is observed.
pub(crate) fn check_order(calibration_end: Day, as_of: Day) -> Result<()> {
    if calibration_end <= as_of {
        return Ok(());
    }
    Err(Error::value(
        "--calibration-end",
        calibration_end,
        format!("it is after the as-of date, {as_of}"),
        format!("give a date up to {as_of}, or a later --as-of"),
    ))
}

/// The windows of `options`, for a history whose first order and last row used are on these days.
pub(crate) fn window(
    options: &HistoryOptions,
    ledger: &Ledger,
    first_order: Option<Day>,
    last: Option<Day>,
) -> Result<Window> {
    let first = first_order.ok_or_else(|| no_usable_row(ledger))?;
    let not_before = |name, day: Day| {
        if day < first { Err(Error::BeforeHistory { name, day, first }) } else { Ok(()) }
    };
    if let Some(as_of) = options.as_of {
        not_before("--as-of", as_of)?;
    }
    let as_of = options.as_of.or(last).ok_or_else(|| no_usable_row(ledger))?;
    let calibration_end = options.calibration_end.unwrap_or(as_of);
    not_before("--calibration-end", calibration_end)?;
    if calibration_end > as_of && options.as_of.is_none() {
        return Err(Error::value(
            "--calibration-end",
            calibration_end,
            format!("it is after the history, which runs from {first} to {as_of}"),
            format!("give a date from {first} on and before {as_of}"),
        ));
    }
    check_order(calibration_end, as_of)?;
    Ok(Window { calibration_end, as_of })
}

/// The error for a history of which no row can be used.
pub(crate) fn no_usable_row(ledger: &Ledger) -> Error {
    let reasons: Vec<String> =
        ledger.counts().iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
    Error::NoUsableRow { rows: ledger.read, reasons: reasons.join(", ") }
}
