//! Values of options that have a form of their own.

use std::convert::Infallible;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use tiercast::calendar::{Discount, HIGHEST_RATE, Span};

/// Reads a value, with what would be allowed in the message.
pub fn parsed<T: FromStr<Err = tiercast::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|e: tiercast::Error| match e.hint() {
        Some(hint) => format!("{e}; {hint}"),
        None => e.to_string(),
    })
}

/// Reads a whole number; underscores may group its digits.
pub fn grouped(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    match digits.parse() {
        Ok(number) if text.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
        _ => Err("write a whole number from 0 on, such as 10_000_000".to_string()),
    }
}

/// A margin as it is given: a share of revenue, or the column that says what each row earned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Margin {
    Share(f64),
    Column(String),
}

impl FromStr for Margin {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Margin, Infallible> {
        // Not every text that reads as a number is meant as one: "inf" and "nan" may be columns.
        let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
        Ok(match text.parse() {
            Ok(share) if is_number => Margin::Share(share),
            _ => Margin::Column(text.to_string()),
        })
    }
}

/// How far ahead: a length of time, or a number of periods where a model has periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HorizonArg {
    Span(Span),
    Periods(u32),
}

impl FromStr for HorizonArg {
    type Err = tiercast::Error;

    fn from_str(text: &str) -> tiercast::Result<HorizonArg> {
        match text.trim().parse() {
            Ok(periods) if periods > 0 => Ok(HorizonArg::Periods(periods)),
            _ => text.parse().map(HorizonArg::Span),
        }
    }
}

/// A discount rate, per a length of time or per period of a model that has periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DiscountArg {
    Rate(Discount),
    PerPeriod(f64),
}

impl FromStr for DiscountArg {
    type Err = tiercast::Error;

    fn from_str(text: &str) -> tiercast::Result<DiscountArg> {
        let per_period = text.split_once('/').filter(|(_, per)| per.trim().eq_ignore_ascii_case("period"));
        let Some((rate, _)) = per_period else { return text.parse().map(DiscountArg::Rate) };
        let (number, scale) = match rate.trim().strip_suffix('%') {
            Some(percent) => (percent, 0.01),
            None => (rate, 1.0),
        };
        let rate = number.trim().parse::<f64>().ok().map(|rate| rate * scale);
        rate.filter(|rate| (0.0..=HIGHEST_RATE).contains(rate)).map(DiscountArg::PerPeriod).ok_or_else(|| {
            let problem = "it does not begin with a number from 0 to 100,000 %";
            let remedy = "write a percentage and its period: 10%/period, 10%/yr or 1%/mo";
            tiercast::Error::value("a discount rate", text, problem, remedy)
        })
    }
}

/// Columns as a settings file may name them: one, or a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns(#[serde(with = "tiercast::history::one_or_many")] pub Vec<String>);

/// The probability that intervals are to have, written as 90% or 0.9.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level(pub f64);

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let (number, scale) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), 100.0),
            None => (text, 1.0),
        };
        match number.parse::<f64>().map(|level| level / scale) {
            Ok(level) if level > 0.0 && level < 1.0 => Ok(Level(level)),
            _ => Err("it is no probability between 0 and 1; write 90% or 0.9".to_string()),
        }
    }
}

/// An amount of memory, written as 1GiB, 500MB or in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MemorySize(pub u64);

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<MemorySize, String> {
        let size: bytesize::ByteSize = text
            .parse()
            .map_err(|_| "it is no amount of memory; write 1GiB, 500MB or a number of bytes".to_string())?;
        Ok(MemorySize(size.as_u64()))
    }
}

impl TryFrom<String> for MemorySize {
    type Error = String;

    fn try_from(text: String) -> Result<MemorySize, String> {
        text.parse()
    }
}

impl Serialize for MemorySize {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let whole = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let unit = whole.into_iter().find(|(unit, _)| self.0 > 0 && self.0.is_multiple_of(*unit));
        let (unit, name) = unit.unwrap_or((1, "B"));
        out.serialize_str(&format!("{}{name}", self.0 / unit))
    }
}
