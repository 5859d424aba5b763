//! The statistics of rows, checked one by one: what cannot be is refused with file, column and row.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Float64Array};
use arrow_cast::cast;
use arrow_schema::DataType;

use super::places::{FREQUENCY, OrderDays, RECENCY, T};
use super::{Money, Statistics};
use crate::calendar::Unit;
use crate::error::{Error, Result};

/// Days that are a whole number but for the rounding of a division by seven.
const WHOLE: f64 = 1e-6;

/// The columns of some rows.
pub(super) struct Checked<'a> {
    pub(super) path: &'a Path,
    /// Number of the first row in the file.
    pub(super) first: u64,
    /// The unit of recency and T.
    pub(super) unit: Unit,
    pub(super) columns: [&'a ArrayRef; 3],
    pub(super) money: Option<MoneyColumns<'a>>,
}

/// The column of money, and that of spend which costs are taken from.
pub(super) struct MoneyColumns<'a> {
    pub(super) money: &'a Money,
    pub(super) column: &'a ArrayRef,
    pub(super) spend: Option<&'a ArrayRef>,
}

/// The same as numbers.
struct Amounts<'a> {
    money: &'a Money,
    column: Float64Array,
    spend: Option<Float64Array>,
}

impl Checked<'_> {
    /// Which rows are customers, and their statistics.
    pub(super) fn statistics(&self) -> Result<(Vec<bool>, Statistics)> {
        let [frequency, recency, t] = self.columns;
        let (frequency, recency, t) = (self.number(frequency)?, self.number(recency)?, self.number(t)?);
        let amounts = match &self.money {
            Some(MoneyColumns { money, column, spend }) => Some(Amounts {
                money,
                column: self.number(column)?,
                spend: spend.map(|spend| self.number(spend)).transpose()?,
            }),
            None => None,
        };
        let all = [(FREQUENCY, &frequency), (RECENCY, &recency), (T, &t)];
        let mut customers = Vec::with_capacity(frequency.len());
        let mut out = Statistics::default();
        for i in 0..frequency.len() {
            let nulls = all.iter().filter(|(_, column)| column.is_null(i)).count();
            customers.push(nulls < all.len());
            if nulls == all.len() {
                amounts.as_ref().map_or(Ok(()), |amounts| self.nothing(i, amounts))?;
                continue;
            }
            if let Some((name, _)) = all.iter().find(|(_, column)| column.is_null(i)) {
                let remedy = "a prospect has none of frequency, recency and T, a customer all of them";
                return Err(self.fail(i, name, &"null", "the row has others of its statistics", remedy));
            }
            let (x, t_x, t) = (frequency.value(i), recency.value(i), t.value(i));
            self.times(i, x, t_x, t)?;
            out.frequency.push(x as u32);
            out.recency_days.push(self.days(t_x));
            out.t_days.push(self.days(t));
            if let Some(amounts) = &amounts {
                out.monetary_value.push(self.amount(i, x as u32, amounts)?);
            }
        }
        Ok((customers, out))
    }

    fn number(&self, array: &ArrayRef) -> Result<Float64Array> {
        let array = cast(array, &DataType::Float64).map_err(|e| super::damaged(self.path, &e))?;
        Ok(array.as_primitive::<Float64Type>().clone())
    }

    fn fail(
        &self,
        i: usize,
        column: &str,
        value: &dyn std::fmt::Display,
        problem: &str,
        remedy: &str,
    ) -> Error {
        let what = format!("{column} in row {} of {}", self.first + i as u64, self.path.display());
        Error::value(what, value, problem, remedy)
    }

    fn times(&self, i: usize, x: f64, t_x: f64, t: f64) -> Result<()> {
        if !(x >= 0.0 && x.fract() == 0.0 && x <= f64::from(u32::MAX)) {
            let problem = "it is no whole number from 0 on";
            return Err(self.fail(i, FREQUENCY, &x, problem, "it counts the repeat purchases: 0, 1, 2, …"));
        }
        for (name, time) in [(RECENCY, t_x), (T, t)] {
            if !(time >= 0.0 && time.is_finite()) {
                let remedy = "times are measured from the customer's first purchase";
                return Err(self.fail(i, name, &time, "it is no number from 0 on", remedy));
            }
        }
        if t_x > t {
            let remedy = "recency is the time from the first purchase to the last one, not the time since the last one";
            return Err(self.fail(i, RECENCY, &t_x, &format!("it is above T, {t}"), remedy));
        }
        if x == 0.0 && t_x > 0.0 {
            let remedy = "frequency counts repeat purchases only, and recency is 0 without them";
            return Err(self.fail(i, RECENCY, &t_x, "there is no repeat purchase", remedy));
        }
        Ok(())
    }

    /// A prospect has no money either; NaN says no more than null does.
    fn nothing(&self, i: usize, amounts: &Amounts<'_>) -> Result<()> {
        let column = &amounts.column;
        if column.is_null(i) || column.value(i).is_nan() {
            return Ok(());
        }
        let problem = "the row has no frequency, recency and T";
        let remedy = "a prospect has none of them, a customer all";
        Err(self.fail(i, &amounts.money.column, &column.value(i), problem, remedy))
    }

    /// The mean value of an order of a customer with `x` repeat purchases; 0 where there is none.
    fn amount(&self, i: usize, x: u32, amounts: &Amounts<'_>) -> Result<f64> {
        let name = &amounts.money.column;
        let column = &amounts.column;
        // NaN is how many write that there is no value.
        let missing = column.is_null(i) || column.value(i).is_nan();
        let value = if missing { 0.0 } else { column.value(i) };
        let said: &dyn std::fmt::Display =
            if column.is_null(i) { &"null" } else { &column.value(i) as &dyn std::fmt::Display };
        let (problem, remedy) = match amounts.money.over {
            OrderDays::Repeat => (
                "there are repeat purchases",
                "it is the mean value of the repeat purchases, the first one excluded, and 0 without them",
            ),
            OrderDays::All => ("there are orders", "it is the sum over all orders"),
        };
        let orders = amounts.money.over.count(x);
        if column.is_null(i) && orders > 0 {
            return Err(self.fail(i, name, said, problem, remedy));
        }
        if !value.is_finite() || (missing && orders > 0) {
            return Err(self.fail(i, name, said, "it is no finite number", remedy));
        }
        if orders == 0 && value != 0.0 {
            return Err(self.fail(i, name, said, "there is no repeat purchase", remedy));
        }
        if amounts.money.over == OrderDays::Repeat {
            return Ok(value);
        }
        let sum = match &amounts.spend {
            None => value,
            Some(spend) if spend.is_null(i) || !spend.value(i).is_finite() => {
                let said = if spend.is_null(i) { "null".to_string() } else { spend.value(i).to_string() };
                return Err(self.fail(i, "total_spend", &said, "it is no finite number", remedy));
            }
            Some(spend) => spend.value(i) - value,
        };
        Ok(sum / f64::from(orders))
    }

    /// A time of the file in days: whole where it is one but for rounding.
    fn days(&self, time: f64) -> f64 {
        let days = time * self.unit.days();
        let whole = days.round();
        if (days - whole).abs() <= WHOLE { whole } else { days }
    }
}
