//! Days, spans and discount rates: the one place that knows calendars and time zones.
//!
//! Time units are part of the types. A [`Span`] says of what it counts, a [`Discount`] says per what it is, and
//! both turn into numbers only when asked for in a stated [`Unit`]: weeks cannot be taken for days.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A calendar day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(pub i32);

impl Day {
    /// The first day that a purchase can have: earlier dates are placeholders such as 0001-01-01.
    pub const EARLIEST: Day = Day(-25567); // 1900-01-01
    /// The last day that a purchase can have: later dates are placeholders such as 9999-12-31.
    pub const LATEST: Day = Day(84005); // 2199-12-31

    /// Whether a purchase can have happened on this day (1900-01-01 to 2199-12-31).
    pub fn is_possible(self) -> bool {
        (Day::EARLIEST..=Day::LATEST).contains(&self)
    }

    /// Days from `earlier` to this day.
    pub fn since(self, earlier: Day) -> i32 {
        self.0 - earlier.0
    }

    fn to_date(self) -> Option<jiff::civil::Date> {
        let span = jiff::Span::new().try_days(self.0).ok()?;
        jiff::civil::date(1970, 1, 1).checked_add(span).ok()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_date() {
            Some(date) => f.pad(&date.to_string()),
            None => write!(f, "day {}", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let date: jiff::civil::Date = text.trim().parse().map_err(|_| {
            Error::value("a date", text, "it is not a calendar date", "write dates as 1997-09-30")
        })?;
        let days = jiff::civil::date(1970, 1, 1)
            .until(date)
            .map_err(|e| Error::internal("counting days", e))?
            .get_days();
        Ok(Day(days))
    }
}

impl TryFrom<String> for Day {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

/// The unit in which recency, T and model time are expressed. Sums are always kept in whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// One day.
    Day,
    /// Seven days.
    #[default]
    Week,
}

impl Unit {
    /// Days in one unit.
    pub fn days(self) -> f64 {
        match self {
            Unit::Day => 1.0,
            Unit::Week => 7.0,
        }
    }

    /// A whole number of days, in this unit.
    pub fn of_days(self, days: u32) -> f64 {
        f64::from(days) / self.days()
    }

    /// "week" or "day".
    pub fn name(self) -> &'static str {
        match self {
            Unit::Day => "day",
            Unit::Week => "week",
        }
    }
}

/// A period by which spans and rates are stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// 1 day.
    Day,
    /// 7 days.
    Week,
    /// 30.4375 days: a twelfth of the mean Julian year.
    Month,
    /// 365.25 days.
    Year,
}

impl Period {
    /// Its length in days.
    pub fn days(self) -> f64 {
        match self {
            Period::Day => 1.0,
            Period::Week => 7.0,
            Period::Month => 30.4375,
            Period::Year => 365.25,
        }
    }

    /// The short name, as in `12mo`.
    pub fn suffix(self) -> &'static str {
        match self {
            Period::Day => "d",
            Period::Week => "w",
            Period::Month => "mo",
            Period::Year => "yr",
        }
    }

    fn parse(text: &str) -> Option<Period> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "d" | "day" | "days" => Period::Day,
            "w" | "wk" | "week" | "weeks" => Period::Week,
            "m" | "mo" | "mon" | "month" | "months" => Period::Month,
            "y" | "yr" | "year" | "years" => Period::Year,
            _ => return None,
        })
    }
}

/// A length of time with its unit, such as `12mo`, `39w`, `90d`, `1yr`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    count: f64,
    period: Period,
}

impl Span {
    /// `count` periods; `count` is positive and finite.
    pub fn new(count: f64, period: Period) -> Result<Span> {
        if !(count.is_finite() && count > 0.0) {
            return Err(Error::value("a span of time", count, "it is not a positive number", SPAN_REMEDY));
        }
        Ok(Span { count, period })
    }

    /// Its length in days.
    pub fn days(self) -> f64 {
        self.count * self.period.days()
    }

    /// Its length in `unit`.
    pub fn in_unit(self, unit: Unit) -> f64 {
        self.days() / unit.days()
    }

    /// How many periods it counts.
    pub fn count(self) -> f64 {
        self.count
    }

    /// The period that it counts.
    pub fn period(self) -> Period {
        self.period
    }
}

const SPAN_REMEDY: &str = "write a number and a unit: 90d, 39w, 12mo or 1yr";

impl FromStr for Span {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fail = |problem: &str| Error::value("a span of time", text, problem, SPAN_REMEDY);
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| fail("it has no unit"))?;
        let count: f64 =
            trimmed[..split].trim().parse().map_err(|_| fail("it does not begin with a number"))?;
        let period = Period::parse(&trimmed[split..]).ok_or_else(|| fail("its unit is unknown"))?;
        Span::new(count, period).map_err(|_| fail("it is not a positive number"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.period.suffix())
    }
}

impl TryFrom<String> for Span {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

/// An effective discount rate per stated period, such as `10%/yr` or `1%/mo`: money one period later is worth
/// 1/(1 + rate).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Discount {
    rate: f64,
    per: Period,
}

impl Discount {
    /// `rate` (0.1 for 10 %) per `per`; from 0 to [`HIGHEST_RATE`].
    ///
    /// # Errors
    /// [`Error::Value`] for any other rate.
    pub fn new(rate: f64, per: Period) -> Result<Discount> {
        let fail = |problem: &str| Err(Error::value("a discount rate", rate, problem, DISCOUNT_REMEDY));
        if !(rate.is_finite() && rate >= 0.0) {
            return fail("it is not a number from 0 on");
        }
        if rate > HIGHEST_RATE {
            return fail("it is above 100,000 % per period");
        }
        Ok(Discount { rate, per })
    }

    /// The rate per period of `days` days that is worth the same: 1 + it is (1 + rate) to the power of periods.
    pub fn per_days(self, days: f64) -> f64 {
        (self.continuous_per_day() * days).exp_m1()
    }

    /// The factor by which money `days` days later is worth less.
    pub fn factor(self, days: f64) -> f64 {
        (-self.continuous_per_day() * days).exp()
    }

    /// The equivalent continuous rate per day, ln(1 + rate)/days of the period.
    pub fn continuous_per_day(self) -> f64 {
        self.rate.ln_1p() / self.per.days()
    }

    /// The equivalent continuous rate per `unit`.
    pub fn continuous_per(self, unit: Unit) -> f64 {
        self.continuous_per_day() * unit.days()
    }
}

/// A discount above this per period is a slip: 100,000 %.
pub const HIGHEST_RATE: f64 = 1000.0;

const DISCOUNT_REMEDY: &str = "write a percentage and its period: 10%/yr, 1%/mo or 0.2%/w";

impl FromStr for Discount {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fail = |problem: &str| Error::value("a discount rate", text, problem, DISCOUNT_REMEDY);
        let (rate, per) = text.split_once('/').ok_or_else(|| fail("it does not say per what"))?;
        let per = Period::parse(per).ok_or_else(|| fail("its period is unknown"))?;
        let (number, scale) = match rate.trim().strip_suffix('%') {
            Some(percent) => (percent, 0.01),
            None => (rate, 1.0),
        };
        let rate: f64 = number.trim().parse().map_err(|_| fail("it does not begin with a number"))?;
        Discount::new(rate * scale, per)
            .map_err(|_| fail("it is negative, above 100,000 % per period, or not a number"))
    }
}

impl fmt::Display for Discount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded so that 0.01 × 100 prints as 1 and not as 1.0000000000000002.
        write!(f, "{}%/{}", (self.rate * 1e14).round() / 1e12, self.per.suffix())
    }
}

impl TryFrom<String> for Discount {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Discount> for String {
    fn from(discount: Discount) -> String {
        discount.to_string()
    }
}

/// A period of the calendar: what customers are grouped by, as against a [`Period`], which is a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CalendarPeriod {
    /// Monday to Sunday, numbered as in ISO 8601.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months from January, April, July or October on.
    Quarter,
    /// A calendar year.
    Year,
}

impl CalendarPeriod {
    /// The number of the period that holds `day`; the next period has the next number.
    #[inline]
    pub fn index(self, day: Day) -> i32 {
        if self == CalendarPeriod::Week {
            // 1970-01-01 was a Thursday.
            return (day.0 + 3).div_euclid(7);
        }
        let (year, month) = year_and_month(day);
        match self {
            CalendarPeriod::Month => year * 12 + month,
            CalendarPeriod::Quarter => year * 4 + month / 3,
            CalendarPeriod::Year | CalendarPeriod::Week => year,
        }
    }

    /// The first day of period `index`.
    pub fn start(self, index: i32) -> Day {
        let months = match self {
            CalendarPeriod::Week => return Day(index * 7 - 3),
            CalendarPeriod::Month => index,
            CalendarPeriod::Quarter => index * 3,
            CalendarPeriod::Year => index * 12,
        };
        first_of_month(months.div_euclid(12), months.rem_euclid(12))
    }

    /// The last day of period `index`.
    pub fn end(self, index: i32) -> Day {
        Day(self.start(index + 1).0 - 1)
    }

    /// Period `index` as people write it: 2026-W05, 2026-01, 2026-Q1, 2026.
    pub fn label(self, index: i32) -> String {
        match self {
            CalendarPeriod::Week => {
                // A week belongs to the year of its Thursday, and is that year's n-th.
                let thursday = Day(self.start(index).0 + 3);
                let (year, _) = year_and_month(thursday);
                format!("{year:04}-W{:02}", thursday.since(first_of_month(year, 0)) / 7 + 1)
            }
            CalendarPeriod::Month => format!("{:04}-{:02}", index.div_euclid(12), index.rem_euclid(12) + 1),
            CalendarPeriod::Quarter => format!("{:04}-Q{}", index.div_euclid(4), index.rem_euclid(4) + 1),
            CalendarPeriod::Year => format!("{index:04}"),
        }
    }

    /// "week", "month", "quarter" or "year".
    pub fn name(self) -> &'static str {
        match self {
            CalendarPeriod::Week => "week",
            CalendarPeriod::Month => "month",
            CalendarPeriod::Quarter => "quarter",
            CalendarPeriod::Year => "year",
        }
    }
}

impl fmt::Display for CalendarPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CalendarPeriod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "week" => CalendarPeriod::Week,
            "month" => CalendarPeriod::Month,
            "quarter" => CalendarPeriod::Quarter,
            "year" => CalendarPeriod::Year,
            _ => {
                return Err(Error::value(
                    "a period of the calendar",
                    text,
                    "there is no such period",
                    "write week, month, quarter or year",
                ));
            }
        })
    }
}

/// The last so many periods of the calendar, as in `quarter:8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LastPeriods {
    /// Which periods.
    pub period: CalendarPeriod,
    /// How many, the one that holds the end of calibration included.
    pub count: u16,
}

/// More periods than this make more columns than anybody reads.
const MOST_PERIODS: u16 = 520;

impl fmt::Display for LastPeriods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.period, self.count)
    }
}

impl FromStr for LastPeriods {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (period, count) = text.split_once(':').unwrap_or((text, ""));
        let count = count.trim().parse().ok().filter(|count| (1..=MOST_PERIODS).contains(count));
        let count = count.ok_or_else(|| {
            let remedy = format!("write a period and how many, from 1 to {MOST_PERIODS}, as in quarter:8");
            Error::value("the last periods", text, "it does not say how many", remedy)
        })?;
        Ok(LastPeriods { period: period.parse()?, count })
    }
}

impl TryFrom<String> for LastPeriods {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<LastPeriods> for String {
    fn from(periods: LastPeriods) -> String {
        periods.to_string()
    }
}

/// Days from 0000-03-01 to 1970-01-01. Counted from a March on, the leap day is the last of a year.
const TO_1970: i32 = 719_468;

/// Year and month (0 to 11) of a day in the proleptic Gregorian calendar. It is asked for once a row, which is more often
/// than a general calendar library is made for (Hinnant, "chrono-compatible low-level date algorithms").
#[inline]
fn year_and_month(day: Day) -> (i32, i32) {
    let days = day.0 + TO_1970;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 2 } else { from_march - 10 };
    (year_of_era + era * 400 + i32::from(month < 2), month)
}

/// The first day of a month (0 to 11).
fn first_of_month(year: i32, month: i32) -> Day {
    let year = year - i32::from(month < 2);
    let from_march = if month > 1 { month - 2 } else { month + 10 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * from_march + 2) / 5;
    Day(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_1970)
}

/// The two windows of a history: customers are observed up to `calibration_end`, and what they do from the day
/// after it to `as_of` is the holdout. Without a holdout both days are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The last day that counts for frequency, recency and T.
    pub calibration_end: Day,
    /// The last day of the history that is looked at.
    pub as_of: Day,
}

impl Window {
    /// Days of the holdout; 0 when there is none.
    pub fn holdout_days(self) -> u32 {
        self.as_of.since(self.calibration_end).max(0) as u32
    }

    /// Whether there is a holdout.
    pub fn has_holdout(self) -> bool {
        self.as_of > self.calibration_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_and_print() {
        assert_eq!("1970-01-01".parse::<Day>().unwrap(), Day(0));
        assert_eq!("1997-09-30".parse::<Day>().unwrap().to_string(), "1997-09-30");
        assert_eq!("1900-01-01".parse::<Day>().unwrap(), Day::EARLIEST);
        assert_eq!("2199-12-31".parse::<Day>().unwrap(), Day::LATEST);
        assert!("1997-02-30".parse::<Day>().is_err());
    }

    #[test]
    fn spans_know_their_unit() {
        let year: Span = "12mo".parse().unwrap();
        assert_eq!(year.days(), 365.25);
        assert_eq!("39w".parse::<Span>().unwrap().in_unit(Unit::Week), 39.0);
        assert_eq!("39w".parse::<Span>().unwrap().in_unit(Unit::Day), 273.0);
        assert_eq!(year.to_string(), "12mo");
        for bad in ["12", "mo", "-1w", "1fortnight", ""] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn periods_of_the_calendar_agree_with_a_calendar_library() {
        let all =
            [CalendarPeriod::Week, CalendarPeriod::Month, CalendarPeriod::Quarter, CalendarPeriod::Year];
        let mut before = all.map(|period| period.index(Day(Day::EARLIEST.0 - 1)));
        for day in (Day::EARLIEST.0..=Day::LATEST.0).map(Day) {
            let date = day.to_date().unwrap();
            let (year, month) = (i32::from(date.year()), i32::from(date.month()));
            let week = date.iso_week_date();
            let labels = [
                format!("{:04}-W{:02}", week.year(), week.week()),
                format!("{year:04}-{month:02}"),
                format!("{year:04}-Q{}", (month + 2) / 3),
                format!("{year:04}"),
            ];
            for ((period, label), before) in all.into_iter().zip(labels).zip(&mut before) {
                let index = period.index(day);
                assert_eq!(period.label(index), label, "{day}");
                assert!(period.start(index) <= day && day <= period.end(index), "{day} in a {period}");
                // Numbers rise by one, on the first day of a period.
                assert_eq!(index - *before, i32::from(day == period.start(index)), "{day} in a {period}");
                *before = index;
            }
        }
        assert_eq!("Quarter".parse::<CalendarPeriod>().unwrap(), CalendarPeriod::Quarter);
        assert!("fortnight".parse::<CalendarPeriod>().is_err());
    }

    #[test]
    fn discounts_convert_between_periods() {
        let monthly: Discount = "1%/mo".parse().unwrap();
        assert!((monthly.factor(30.4375) - 1.0 / 1.01).abs() < 1e-15);
        assert_eq!(monthly.to_string(), "1%/mo");
        let yearly: Discount = "10 %/yr".parse().unwrap();
        assert!((yearly.continuous_per(Unit::Week) - 1.1f64.ln() * 7.0 / 365.25).abs() < 1e-17);
        assert!((yearly.per_days(365.25) - 0.1).abs() < 1e-15);
        for bad in ["10%", "-1%/mo", "x/yr", "1%/parsec", "1e300%/yr", "100001%/d"] {
            assert!(bad.parse::<Discount>().is_err(), "{bad}");
        }
    }
}
