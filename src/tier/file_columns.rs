//! What rules can look at in a file of customers: its columns under their own names, read when a rule asks for them, and
//! the three in days that every customer table has, and the margin where spend and cost are there.

use std::borrow::Cow;

use super::columns::{Columns, Loaded, measure_of};
use super::rules::{Kind, Measure};
use crate::calendar::{Day, Unit};
use crate::customers::spend::graded;
use crate::customers::table::Plain;
use crate::customers::{Values, WholeFile};
use crate::error::{Error, Result};

/// Columns of what came after: they must not decide a tier.
pub const HOLDOUT: [&str; 3] = ["frequency_holdout", "spend_holdout", "T_holdout"];

/// How a file is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The file.
    pub file: &'a WholeFile,
    /// Which of its rows; all where none are chosen.
    pub keep: Option<&'a [bool]>,
    /// The unit of its recency and T.
    pub unit: Unit,
    /// The day up to which its customers are observed.
    pub calibration_end: Day,
}

impl<'a> Look<'a> {
    /// How many rows are looked at.
    pub fn rows(&self) -> usize {
        self.keep.map_or(self.file.rows(), |keep| keep.iter().filter(|&&kept| kept).count())
    }

    /// The columns.
    pub fn columns(self) -> Columns<'a> {
        let mut out = Columns::new(self.rows(), self.calibration_end);
        let names = self.file.columns();
        for name in names.iter().filter(|name| !HOLDOUT.contains(&name.as_str())) {
            let own = name.clone();
            out.push_read(name, Box::new(move || self.read(&own)));
        }
        let has = |name: &str| names.iter().any(|own| own == name);
        for (days, from) in [("recency_days", "recency"), ("T_days", "T")] {
            if has(from) && !has(days) {
                out.push_read(
                    days,
                    Box::new(move || Ok((Kind::Number(Measure::Days), owned(self.days(from)?)))),
                );
            }
        }
        if has("recency") && has("frequency") && !has("rhythm") {
            out.push_read(
                "rhythm",
                Box::new(move || Ok((Kind::Number(Measure::Days), owned(self.rhythm()?)))),
            );
        }
        if has("total_cost") && has("total_spend") && !has("total_margin") {
            let money = Kind::Number(Measure::Money);
            out.push_read("total_margin", Box::new(move || Ok((money, owned(self.margin()?)))));
        }
        out
    }

    /// What a customer's spend left over its cost.
    fn margin(&self) -> Result<Vec<f64>> {
        let mut out = self.numbers("total_spend")?;
        for (margin, cost) in out.iter_mut().zip(self.numbers("total_cost")?) {
            *margin = graded(*margin - cost);
        }
        Ok(out)
    }

    fn plain(&self, name: &str) -> Result<Plain> {
        let missing = || Error::internal("reading a column", format!("the file has lost \"{name}\""));
        let values: Values = self.file.column(name, self.keep)?.ok_or_else(missing)?;
        values.plain(name)
    }

    fn read(&self, name: &str) -> Result<(Kind, Loaded<'a>)> {
        let measure = match name {
            "frequency" | "orders" | "transactions" => Measure::Orders,
            "recency" | "T" if self.unit == Unit::Week => Measure::Weeks,
            "recency" | "T" | "days_since_last" => Measure::Days,
            "monetary_value" | "total_spend" => Measure::Money,
            other => measure_of(other),
        };
        Ok(match self.plain(name)? {
            // Sums of money are compared as decimals; what a model expects is none.
            Plain::Numbers(mut values) if is_sum(name, measure) => {
                values.iter_mut().for_each(|value| *value = graded(*value));
                (Kind::Number(measure), owned(values))
            }
            Plain::Numbers(values) => (Kind::Number(measure), owned(values)),
            Plain::Days(values) => (Kind::Day, owned(values)),
            Plain::Whole(values) => (Kind::Whole, Loaded::Whole(Cow::Owned(values))),
            Plain::Truths(values) => (Kind::Truth, Loaded::Truths(Cow::Owned(values))),
            Plain::Texts { codes, names } => {
                (Kind::Text, Loaded::Texts { codes: Cow::Owned(codes), names: Cow::Owned(names) })
            }
        })
    }

    /// A column of numbers as they are.
    ///
    /// # Errors
    /// No such column, and one of another type.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        match self.plain(name)? {
            Plain::Numbers(values) => Ok(values),
            _ => Err(Error::ColumnType {
                path: self.file.path().to_path_buf(),
                role: "number",
                column: name.to_string(),
                found: "no number".into(),
                expected: "numbers",
            }),
        }
    }

    /// A time of the file in whole days.
    fn days(&self, name: &str) -> Result<Vec<f64>> {
        let mut out = self.numbers(name)?;
        out.iter_mut().for_each(|value| *value = (*value * self.unit.days()).round());
        Ok(out)
    }

    /// The mean days between order days; no number for who ordered on one day only.
    fn rhythm(&self) -> Result<Vec<f64>> {
        let mut out = self.days("recency")?;
        for (gap, repeats) in out.iter_mut().zip(self.numbers("frequency")?) {
            *gap = if repeats > 0.0 { *gap / repeats } else { f64::NAN };
        }
        Ok(out)
    }
}

fn owned<'a>(values: Vec<f64>) -> Loaded<'a> {
    Loaded::Numbers(Cow::Owned(values))
}

fn is_sum(name: &str, measure: Measure) -> bool {
    measure == Measure::Money
        && !matches!(name, "clv" | "clv_mean_lower" | "clv_mean_upper" | "expected_spend")
}
