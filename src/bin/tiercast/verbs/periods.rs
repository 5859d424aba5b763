//! Horizons and discounts of models that count periods: in periods, or in time where it is known how long a period is.

use tiercast::{Error, Result};

use crate::args::{DiscountArg, HorizonArg};
use crate::settings::{Origin, Settings};

/// Spans and periods that differ by less than this share are one: months and years are rounded numbers of days.
const SAME: f64 = 1e-9;

/// Whether two lengths of time are one.
pub fn are_same(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() <= SAME
}

/// A model's period.
#[derive(Debug, Clone, Copy)]
pub struct ModelPeriod<'a> {
    /// "year", "period".
    pub name: &'a str,
    /// Its length in days, where that is known.
    pub days: Option<f64>,
}

impl ModelPeriod<'_> {
    /// The horizon in periods; the whole number nearest to the default where nobody says one.
    ///
    /// # Errors
    /// [`Error::Value`] for a span that is no whole number of periods, or of which nobody can tell.
    pub fn horizon(self, typed: Option<HorizonArg>, settings: &Settings) -> Result<u32> {
        let span = match typed {
            Some(HorizonArg::Periods(periods)) => return Ok(periods),
            Some(HorizonArg::Span(span)) => span,
            None => settings.run.horizon,
        };
        if let (None, Origin::Default, Some(days)) = (typed, settings.origin("horizon"), self.days) {
            // Nobody asked for exactly a year, which is no whole number of weeks.
            return Ok((span.days() / days).round().max(1.0) as u32);
        }
        let what = format!("--horizon{}", said(typed.is_some(), settings.origin("horizon")));
        let Some(days) = self.days else {
            let problem = "nobody says how long a period is";
            let remedy =
                "give a number of periods, as in --horizon 5, or say how long one is, as in --period 1yr";
            return Err(Error::value(what, span, problem, remedy));
        };
        let periods = span.days() / days;
        let whole = periods.round();
        if whole < 1.0 || !are_same(periods, whole) || whole > f64::from(u32::MAX) {
            let problem = format!("it is no whole number of {}s", self.name);
            return Err(Error::value(what, span, problem, "give a number of periods, as in --horizon 5"));
        }
        Ok(whole as u32)
    }

    /// The discount rate per period.
    ///
    /// # Errors
    /// [`Error::Value`] for a rate per time where nobody says how long a period is.
    pub fn discount(self, typed: Option<DiscountArg>, settings: &Settings) -> Result<f64> {
        let rate = match typed {
            Some(DiscountArg::PerPeriod(rate)) => return Ok(rate),
            Some(DiscountArg::Rate(rate)) => rate,
            None => settings.run.discount,
        };
        match self.days {
            Some(days) => Ok(rate.per_days(days)),
            None => {
                let what = format!("--discount{}", said(typed.is_some(), settings.origin("discount")));
                let problem = "nobody says how long a period is";
                let remedy = "give the rate per period, as in --discount 10%/period, or say how long one is, as in \
                              --period 1yr";
                Err(Error::value(what, rate, problem, remedy))
            }
        }
    }
}

/// From where a value is that was not typed.
fn said(is_typed: bool, origin: &Origin) -> String {
    if is_typed { String::new() } else { format!(" ({origin})") }
}
