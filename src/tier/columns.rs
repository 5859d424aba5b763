//! What rules can look at: the customer table's columns by name, those added to it, and any that the caller adds.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use super::rules::{Kind, Measure};
use crate::calendar::{CalendarPeriod, Day, Unit};
use crate::customers::spend::graded;
use crate::customers::table::{NO_TEXT, Plain};
use crate::customers::{CustomerTable, Values};
use crate::error::Result;

/// The day up to which customers are observed, as rules name it.
pub const CALIBRATION_END: &str = "calibration_end";

/// The values of a column, one per customer. Copying borrowed ones costs nothing.
pub enum Loaded<'a> {
    /// Numbers, or days since 1970-01-01; NaN is null.
    Numbers(Cow<'a, [f64]>),
    /// Counts.
    Counts(Cow<'a, [u32]>),
    /// Days.
    Days(Cow<'a, [Day]>),
    /// One of a few texts: `names[codes[i]]`.
    Labels {
        /// Index into `names` of every customer.
        codes: Cow<'a, [u8]>,
        /// The texts.
        names: Cow<'a, [String]>,
    },
    /// Texts: `names[codes[i]]`; [`NO_TEXT`] is null.
    Texts {
        /// Index into `names` of every customer.
        codes: Cow<'a, [u32]>,
        /// The distinct texts.
        names: Cow<'a, [String]>,
    },
    /// Yes, no, or null.
    Truths(Cow<'a, [Option<bool>]>),
    /// Whole numbers, some beyond 2^53.
    Whole(Cow<'a, [Option<i128>]>),
    /// Numbers that are computed when they are asked for, a range of customers at a time.
    Computed(Computed<'a>),
}

/// Writes the numbers of a range of customers.
pub type Computed<'a> = Box<dyn Fn(Range<usize>, &mut Vec<f64>) + Send + Sync + 'a>;

impl std::fmt::Debug for Loaded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Loaded::Numbers(_) => "numbers",
            Loaded::Counts(_) => "counts",
            Loaded::Days(_) => "days",
            Loaded::Labels { .. } | Loaded::Texts { .. } => "texts",
            Loaded::Truths(_) => "truths",
            Loaded::Whole(_) => "whole numbers",
            Loaded::Computed(_) => "computed numbers",
        })
    }
}

impl Loaded<'_> {
    /// Numbers or days of a range of customers; NaN is null. Nothing for texts and the like.
    pub(crate) fn numbers(&self, rows: Range<usize>) -> Cow<'_, [f64]> {
        match self {
            Loaded::Numbers(values) => Cow::Borrowed(&values[rows]),
            Loaded::Counts(values) => values[rows].iter().map(|&n| f64::from(n)).collect(),
            Loaded::Days(values) => values[rows].iter().map(|day| f64::from(day.0)).collect(),
            Loaded::Computed(compute) => {
                let mut out = Vec::with_capacity(rows.len());
                compute(rows, &mut out);
                Cow::Owned(out)
            }
            _ => Cow::Borrowed(&[]),
        }
    }

    /// The text of a customer.
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Loaded::Labels { codes, names } => names.get(usize::from(codes[row])).map(String::as_str),
            Loaded::Texts { codes, names } => names.get(codes[row] as usize).map(String::as_str),
            _ => None,
        }
    }

    /// The distinct texts.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Loaded::Labels { names, .. } | Loaded::Texts { names, .. } => names,
            _ => &[],
        }
    }

    /// The truth of a customer.
    pub(crate) fn truth(&self, row: usize) -> Option<bool> {
        match self {
            Loaded::Truths(values) => values[row],
            _ => None,
        }
    }

    /// The whole number of a customer.
    pub(crate) fn whole(&self, row: usize) -> Option<i128> {
        match self {
            Loaded::Whole(values) => values[row],
            _ => None,
        }
    }

    fn len(&self) -> Option<usize> {
        Some(match self {
            Loaded::Numbers(values) => values.len(),
            Loaded::Counts(values) => values.len(),
            Loaded::Days(values) => values.len(),
            Loaded::Labels { codes, .. } => codes.len(),
            Loaded::Texts { codes, .. } => codes.len(),
            Loaded::Truths(values) => values.len(),
            Loaded::Whole(values) => values.len(),
            Loaded::Computed(_) => return None,
        })
    }
}

/// A column: made plain when it is first asked for.
struct Entry<'a> {
    name: String,
    source: Source<'a>,
    ready: OnceLock<(Kind, Loaded<'a>)>,
}

/// Where a column comes from that is not ready yet.
enum Source<'a> {
    /// It is ready.
    None,
    /// An added column of the table, as it is there.
    Added(&'a Values),
    /// Something that reads it.
    Read(Reader<'a>),
}

/// Reads a column.
pub type Reader<'a> = Box<dyn Fn() -> Result<(Kind, Loaded<'a>)> + Send + Sync + 'a>;

/// Columns by name.
pub struct Columns<'a> {
    rows: usize,
    calibration_end: Day,
    entries: Vec<Entry<'a>>,
}

impl<'a> Columns<'a> {
    /// No columns yet, of `rows` customers who are observed up to a day.
    pub fn new(rows: usize, calibration_end: Day) -> Columns<'a> {
        Columns { rows, calibration_end, entries: Vec::new() }
    }

    /// The columns of a customer table under the names that they have in `customers.parquet`, without the id and the
    /// holdout (what came after must not decide a tier), and its added columns. Sums of money are
    /// [rounded to millionths](crate::customers::spend), as scores and tiers compare them.
    ///
    /// Beside them, always in days: `recency_days`, `T_days`, and `rhythm`, the mean days between a customer's order
    /// days (null for who ordered on one day only), which is `gap_mean` where the table has it.
    pub fn of_table(table: &'a CustomerTable) -> Columns<'a> {
        let mut out = Columns::new(table.len(), table.window.calibration_end);
        let time = match table.unit {
            Unit::Day => Measure::Days,
            Unit::Week => Measure::Weeks,
        };
        let unit = table.unit;
        let (recency, t) = (&table.recency_days[..], &table.t_days[..]);
        let in_unit = move |days: &'a [u32]| -> Loaded<'a> {
            Loaded::Computed(Box::new(move |rows, out| {
                out.extend(days[rows].iter().map(|&days| unit.of_days(days)))
            }))
        };
        let since = move |rows: Range<usize>, out: &mut Vec<f64>| {
            out.extend(rows.map(|i| f64::from(t[i] - recency[i])));
        };
        let frequency = &table.frequency[..];
        let rhythm = move |rows: Range<usize>, out: &mut Vec<f64>| {
            let gap = |i: usize| match frequency[i] {
                0 => f64::NAN,
                repeats => f64::from(recency[i]) / f64::from(repeats),
            };
            out.extend(rows.map(gap));
        };
        let count = |values: &'a [u32]| Loaded::Counts(Cow::Borrowed(values));
        for (name, kind, values) in [
            ("frequency", Kind::Number(Measure::Orders), count(&table.frequency)),
            ("recency", Kind::Number(time), in_unit(recency)),
            ("T", Kind::Number(time), in_unit(t)),
            ("monetary_value", Kind::Number(Measure::Money), graded_money(&table.monetary_value)),
            ("first_order", Kind::Day, Loaded::Days(Cow::Borrowed(&table.first_order))),
            ("last_order", Kind::Day, Loaded::Days(Cow::Borrowed(&table.last_order))),
            ("orders", Kind::Number(Measure::Orders), count(&table.orders)),
            ("transactions", Kind::Number(Measure::Orders), count(&table.transactions)),
            ("total_spend", Kind::Number(Measure::Money), graded_money(&table.total_spend)),
            ("days_since_last", Kind::Number(Measure::Days), Loaded::Computed(Box::new(since))),
            ("recency_days", Kind::Number(Measure::Days), count(recency)),
            ("T_days", Kind::Number(Measure::Days), count(t)),
            ("rhythm", Kind::Number(Measure::Days), Loaded::Computed(Box::new(rhythm))),
        ] {
            out.push(name, kind, values);
        }
        for column in &table.columns {
            // A column of the customers' list may be called as one of those that are only here: the table's own wins.
            out.entries.retain(|entry| entry.name != column.name);
            let source = Source::Added(&column.values);
            out.entries.push(Entry { name: column.name.clone(), source, ready: OnceLock::new() });
        }
        out
    }

    /// Adds a column, or replaces the one of that name. `values` must have one entry per customer.
    pub fn push(&mut self, name: &str, kind: Kind, values: Loaded<'a>) {
        assert!(values.len().is_none_or(|len| len == self.rows), "column {name} has another length");
        self.entries.retain(|entry| entry.name != name);
        let ready = OnceLock::from((kind, values));
        self.entries.push(Entry { name: name.to_string(), source: Source::None, ready });
    }

    /// Adds a column that is read when it is first asked for, or replaces the one of that name.
    pub fn push_read(&mut self, name: &str, read: Reader<'a>) {
        self.entries.retain(|entry| entry.name != name);
        self.entries.push(Entry {
            name: name.to_string(),
            source: Source::Read(read),
            ready: OnceLock::new(),
        });
    }

    /// Number of customers.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The day up to which customers are observed.
    pub fn calibration_end(&self) -> Day {
        self.calibration_end
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.name.clone()).collect()
    }

    /// Whether there is a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// The type and values of a column, if there is one of that name.
    ///
    /// # Errors
    /// A column of a type that rules cannot look at.
    pub fn get(&self, name: &str) -> Result<Option<(Kind, &Loaded<'a>)>> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == name) else { return Ok(None) };
        if entry.ready.get().is_none() {
            let loaded = match &entry.source {
                Source::Added(values) => load(name, values)?,
                Source::Read(read) => read()?,
                Source::None => return Ok(None),
            };
            // Whoever was first has the same.
            let _ = entry.ready.set(loaded);
        }
        Ok(entry.ready.get().map(|(kind, values)| (*kind, values)))
    }

    /// The columns of `what` (`orders` or `spend`) by periods, such as `spend_2026_Q1`, the earliest first; of the
    /// finest period where there are several.
    pub fn of_periods(&self, what: &str) -> Vec<String> {
        let all = |period: CalendarPeriod| {
            let of_period = |name: &&Entry| {
                name.name
                    .strip_prefix(what)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .is_some_and(|label| is_label(period, label))
            };
            let mut names: Vec<String> =
                self.entries.iter().filter(of_period).map(|e| e.name.clone()).collect();
            names.sort_unstable();
            names
        };
        [CalendarPeriod::Week, CalendarPeriod::Month, CalendarPeriod::Quarter, CalendarPeriod::Year]
            .into_iter()
            .map(all)
            .find(|names| !names.is_empty())
            .unwrap_or_default()
    }
}

/// Whether a text is how columns call a period: 2026_W05, 2026_01, 2026_Q1, 2026.
fn is_label(period: CalendarPeriod, label: &str) -> bool {
    let pattern = match period {
        CalendarPeriod::Week => "0000_W00",
        CalendarPeriod::Month => "0000_00",
        CalendarPeriod::Quarter => "0000_Q0",
        CalendarPeriod::Year => "0000",
    };
    label.len() == pattern.len()
        && label
            .bytes()
            .zip(pattern.bytes())
            .all(|(a, b)| if b == b'0' { a.is_ascii_digit() } else { a == b })
}

fn graded_money(values: &[f64]) -> Loaded<'_> {
    Loaded::Computed(Box::new(move |rows, out| out.extend(values[rows].iter().map(|&value| graded(value)))))
}

/// What a column's name says that its numbers count.
pub(super) fn measure_of(name: &str) -> Measure {
    let of_period = |what: &str| {
        name.strip_prefix(what).is_some_and(|label| {
            [CalendarPeriod::Week, CalendarPeriod::Month, CalendarPeriod::Quarter, CalendarPeriod::Year]
                .into_iter()
                .any(|period| is_label(period, label))
        })
    };
    match name {
        "total_cost" | "total_margin" | "clv" | "clv_mean_lower" | "clv_mean_upper" | "expected_spend" => {
            Measure::Money
        }
        "gap_mean" => Measure::Days,
        "p_alive" => Measure::Share,
        _ if of_period("spend_") => Measure::Money,
        _ if of_period("orders_") => Measure::Orders,
        _ => Measure::Plain,
    }
}

/// Whether sums of that name are of amounts, which are rounded so that equal decimals are equal.
fn is_amount(name: &str) -> bool {
    matches!(name, "total_cost" | "total_margin")
        || (name.starts_with("spend_") && measure_of(name) == Measure::Money)
}

fn load<'a>(name: &str, values: &'a Values) -> Result<(Kind, Loaded<'a>)> {
    let number = Kind::Number(measure_of(name));
    Ok(match values {
        Values::Float(values) if is_amount(name) => (number, graded_money(values)),
        Values::Float(values) => (number, Loaded::Numbers(Cow::Borrowed(values))),
        Values::Count(values) => (number, Loaded::Counts(Cow::Borrowed(values))),
        Values::Label { codes, names } => {
            (Kind::Text, Loaded::Labels { codes: Cow::Borrowed(codes), names: Cow::Borrowed(names) })
        }
        Values::Array(_) => match values.plain(name)? {
            Plain::Numbers(values) => (number, Loaded::Numbers(Cow::Owned(values))),
            Plain::Days(values) => (Kind::Day, Loaded::Numbers(Cow::Owned(values))),
            Plain::Whole(values) => (Kind::Whole, Loaded::Whole(Cow::Owned(values))),
            Plain::Truths(values) => (Kind::Truth, Loaded::Truths(Cow::Owned(values))),
            Plain::Texts { codes, names } => {
                (Kind::Text, Loaded::Texts { codes: Cow::Owned(codes), names: Cow::Owned(names) })
            }
        },
    })
}

/// The code of a text that is missing, for callers that make [`Loaded::Texts`].
pub const MISSING_TEXT: u32 = NO_TEXT;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::testing::{Row, table};

    #[test]
    fn a_table_has_its_columns_and_three_more() {
        let mut table = table(&[
            Row { id: 1, frequency: 2, since: 3, total_spend: 0.1 + 0.2, ..Row::default() },
            Row::default(),
        ]);
        table.push("spend_2026_Q1", Values::Float(vec![0.1 + 0.2, 1.0]));
        table.push("spend_2025_Q4", Values::Float(vec![5.0, 1.0]));
        table.push("spend_2025", Values::Float(vec![5.0, 1.0]));
        table.push("spend_rank", Values::Count(vec![1, 2]));
        let columns = Columns::of_table(&table);
        let numbers = |name: &str| columns.get(name).unwrap().unwrap().1.numbers(0..2).into_owned();
        // Ordered by id: the one without repeats is first.
        assert_eq!(numbers("T"), [0.0, 17.0 / 7.0]);
        assert_eq!(numbers("T_days"), [0.0, 17.0]);
        assert_eq!(numbers("days_since_last"), [0.0, 3.0]);
        assert_eq!(numbers("total_spend"), [0.0, 0.3]);
        assert_eq!(numbers("spend_2026_Q1"), [0.3, 1.0]);
        let rhythm = numbers("rhythm");
        assert!(rhythm[0].is_nan() && rhythm[1] == 7.0);
        assert_eq!(columns.of_periods("spend"), ["spend_2025_Q4", "spend_2026_Q1"]);
        assert!(columns.of_periods("orders").is_empty());
        assert_eq!(columns.get("spend_rank").unwrap().unwrap().0, Kind::Number(Measure::Plain));
        assert_eq!(columns.get("recency").unwrap().unwrap().0, Kind::Number(Measure::Weeks));
        assert!(columns.get("customer_id").unwrap().is_none());
    }
}
