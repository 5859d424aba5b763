//! From what a column's values have in common to its type. What is not clear is refused, never guessed.

use std::path::PathBuf;

use arrow_schema::{DataType, TimeUnit};

use crate::convert::CsvOptions;
use crate::convert::date::{Form, Order, Reader};
use crate::convert::number::{Mark, Style};
use crate::convert::profile::{Example, Lens, Profile};
use crate::error::{Error, Result};

/// What a column may be said to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text as it stands.
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Decimals where four places are enough, floating-point numbers otherwise.
    Number,
    /// Days, or moments where a value has a time of day.
    Date,
}

/// How a column is read in the second pass.
#[derive(Debug, Clone)]
pub(crate) enum Reading {
    Text,
    Integer(Style),
    Decimal(Style, u32),
    Float(Style),
    Day(Reader),
    /// Moments; in UTC where values have their distance from it.
    Moment(Reader, bool),
}

impl Reading {
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Reading::Text => DataType::Utf8,
            Reading::Integer(_) => DataType::Int64,
            Reading::Decimal(_, scale) => DataType::Decimal128(DIGITS as u8, *scale as i8),
            Reading::Float(_) => DataType::Float64,
            Reading::Day(_) => DataType::Date32,
            Reading::Moment(_, utc) => DataType::Timestamp(TimeUnit::Microsecond, utc.then(|| "UTC".into())),
        }
    }
}

/// Digits of a decimal column.
pub(crate) const DIGITS: u32 = 18;

/// Decimal places up to which amounts are kept exactly.
const MOST_PLACES: u32 = 4;

/// The question of one column.
struct Case<'a> {
    name: &'a str,
    profile: &'a Profile,
    paths: &'a [PathBuf],
    lens: &'a Lens,
}

/// Decides how each column is read; also what should be said about it.
///
/// Errors: [`Error::Csv`] where day and month, or decimal mark and separator of thousands, cannot be told apart;
/// [`Error::Value`] for a type that is given for no column.
pub(crate) fn decide(
    names: &[String],
    profiles: &[Profile],
    paths: &[PathBuf],
    lens: &Lens,
    options: &CsvOptions,
) -> Result<Vec<(Reading, Option<String>)>> {
    for (name, _) in &options.types {
        if !names.contains(name) {
            let nearest = crate::error::nearest_first(name, names);
            return Err(Error::value(
                "the column of --type",
                name,
                "there is no such column",
                format!("the columns are: {}", nearest.join(", ")),
            ));
        }
    }
    let given = |name: &String| options.types.iter().rev().find(|(n, _)| n == name).map(|(_, kind)| *kind);
    let common = options.decimal.or_else(|| common_mark(profiles));
    let mut readings = Vec::new();
    for (name, profile) in names.iter().zip(profiles) {
        let case = Case { name, profile, paths, lens };
        readings.push(match given(name) {
            None => case.guess(common, options.decimal)?,
            Some(Kind::Text) => (Reading::Text, None),
            Some(Kind::Integer) => (Reading::Integer(lens.style(case.mark(common, options.decimal)?)), None),
            Some(Kind::Number) => (case.number(case.mark(common, options.decimal)?), None),
            Some(Kind::Date) => case.given_date()?,
        });
    }
    let dates = readings.iter().any(|(r, _)| matches!(r, Reading::Day(_) | Reading::Moment(..)));
    if let Some(reader) = lens.date.as_ref().filter(|_| !dates) {
        return Err(Error::csv(
            &paths[0],
            format!("no column holds dates in the format {}", reader.text()),
            "leave --date-format out to see what is found, or name the column with --type COLUMN=date",
        ));
    }
    Ok(readings)
}

/// The decimal mark that the columns show together, if they do not contradict each other.
fn common_mark(profiles: &[Profile]) -> Option<Mark> {
    let shows =
        |m: usize| profiles.iter().any(|p| p.numbers[m].only > 0 && most(p.numbers[m].count, p.values));
    match (shows(0), shows(1)) {
        (true, false) => Some(Mark::Point),
        (false, true) => Some(Mark::Comma),
        _ => None,
    }
}

/// Whether `part` is nine tenths of `whole`: the rest are then slips, and not another meaning.
fn most(part: u64, whole: u64) -> bool {
    whole > 0 && 10 * part >= 9 * whole
}

impl Case<'_> {
    fn error(&self, example: &Option<Example>, problem: String, remedy: &str) -> Error {
        let (file, line) = example.as_ref().map_or((0, None), |e| (e.file, Some(e.line)));
        Error::Csv {
            path: self.paths[file].clone(),
            line,
            column: Some(self.name.to_string()),
            problem,
            remedy: remedy.to_string(),
        }
    }

    fn guess(&self, common: Option<Mark>, given: Option<Mark>) -> Result<(Reading, Option<String>)> {
        let p = self.profile;
        if p.values == 0 {
            return Ok((Reading::Text, Some("it holds no value".to_string())));
        }
        if let Some(reader) = self.lens.date.as_ref().filter(|_| most(p.given_dates, p.values)) {
            return self.date(reader.clone());
        }
        if let Some(form) = self.form()? {
            return self.date(Reader::Common(form));
        }
        let separated = p.ambiguous + p.exponents + p.numbers[0].only + p.numbers[1].only > 0;
        if !separated {
            return Ok(self.whole());
        }
        if !p.numbers.iter().any(|n| most(n.count, p.values)) {
            return Ok((Reading::Text, self.nearly()));
        }
        let mark = self.mark(common, given)?;
        if !most(p.numbers[mark as usize].count, p.values) {
            return Ok((Reading::Text, self.nearly()));
        }
        Ok((self.number(mark), None))
    }

    /// Digits without marks: whole numbers, or labels such as `00123` and `A-17`.
    fn whole(&self) -> (Reading, Option<String>) {
        let p = self.profile;
        let style = self.lens.style(Mark::Point);
        if let Some(example) = &p.first_label
            && most(p.integers + p.labels, p.values)
        {
            let what = if example.value.len() > 18 { "a long number" } else { "a sign or zero in front" };
            return (Reading::Text, Some(format!("text because of {what}, as in {}", example.value)));
        }
        if p.labels == 0 && p.mixed == 0 && most(p.integers, p.values) {
            return (Reading::Integer(style), None);
        }
        (Reading::Text, self.nearly())
    }

    /// What to say of a text column that consists of numbers for the most part.
    fn nearly(&self) -> Option<String> {
        let p = self.profile;
        let numbers = p.numbers[0].count.max(p.numbers[1].count);
        let example = p.first_no_number.as_ref().filter(|_| 2 * numbers > p.values)?;
        Some(format!(
            "text because {} of {} values are no numbers, as \"{}\" in line {}",
            p.values - numbers,
            p.values,
            example.value,
            example.line
        ))
    }

    /// Exact where it can be.
    fn number(&self, mark: Mark) -> Reading {
        let (p, style) = (self.profile, self.lens.style(mark));
        let numbers = &p.numbers[mark as usize];
        let scale = numbers.scale.min(MOST_PLACES);
        let fits = numbers.needed_scale <= MOST_PLACES && numbers.whole_digits + scale <= DIGITS;
        match (p.exponents == 0 && fits, scale) {
            (false, _) => Reading::Float(style),
            (true, 0) => Reading::Integer(style),
            (true, scale) => Reading::Decimal(style, scale),
        }
    }

    /// The decimal mark: what the user said, what the column shows, what the other columns show.
    fn mark(&self, common: Option<Mark>, given: Option<Mark>) -> Result<Mark> {
        let p = self.profile;
        if let Some(mark) = given {
            return Ok(mark);
        }
        match (p.numbers[0].only, p.numbers[1].only) {
            (point, comma) if point > comma => Ok(Mark::Point),
            (point, comma) if comma > point => Ok(Mark::Comma),
            _ if p.ambiguous == 0 => Ok(common.unwrap_or(Mark::Point)),
            _ => common.ok_or_else(|| {
                let value = p.first_ambiguous.as_ref().map_or("", |e| e.value.as_str());
                self.error(
                    &p.first_ambiguous,
                    format!("\"{value}\" may have a decimal mark or a separator of thousands, and no value tells"),
                    "say which with --decimal-comma or --decimal-point, or that it is text with --type COLUMN=text",
                )
            }),
        }
    }

    /// The form that nine tenths of the values have.
    fn form(&self) -> Result<Option<Form>> {
        let p = self.profile;
        // The first of equals; the later ones are then asked about.
        let best = (0..Form::COUNT).rev().max_by_key(|&i| p.dates[i]).map(Form::of_number);
        let Some(form) = best.filter(|_| most(p.dated, p.values)) else { return Ok(None) };
        let Some(other) = form.swapped() else {
            return Ok(Some(form).filter(|form| most(p.dates[form.number()], p.values)));
        };
        let hint =
            format!("say which comes first with --date-format '{}' or '{}'", form.text(), other.text());
        match (&p.first_day_first, &p.first_month_first) {
            (Some(day), Some(month)) => Err(self.error(
                &p.first_month_first,
                format!(
                    "\"{}\" has the month first, but \"{}\" in line {} has the day first",
                    month.value, day.value, day.line
                ),
                &(hint + "; the others are then set aside"),
            )),
            (None, None) => {
                let value = p.first_date.as_ref().map_or("", |e| e.value.as_str());
                let problem = format!("\"{value}\" may have the day or the month first, and no value tells");
                Err(self.error(&p.first_date, problem, &hint))
            }
            (day, _) => {
                let form = if day_first(form) == day.is_some() { form } else { other };
                Ok(Some(form).filter(|form| most(p.dates[form.number()], p.values)))
            }
        }
    }

    fn given_date(&self) -> Result<(Reading, Option<String>)> {
        if let Some(reader) = &self.lens.date {
            return self.date(reader.clone());
        }
        match self.form()? {
            Some(form) => self.date(Reader::Common(form)),
            None => Err(self.error(
                &self.profile.first_no_number,
                "its dates have none of the forms that are known by themselves".to_string(),
                "say the form, as in --date-format '%d %b %Y'",
            )),
        }
    }

    fn date(&self, reader: Reader) -> Result<(Reading, Option<String>)> {
        let p = self.profile;
        if p.with_time == 0 {
            return Ok((Reading::Day(reader), None));
        }
        let dates = p.with_offset + p.without_offset;
        let utc = p.with_offset > 0;
        if utc && !most(p.with_offset, dates) {
            return Err(self.error(
                &None,
                format!(
                    "{} of {dates} times have their distance from UTC, the others have none",
                    p.with_offset
                ),
                "write all times in one way, or keep them as they are with --type COLUMN=text",
            ));
        }
        let note = (p.with_time < dates)
            .then(|| format!("{} values without a time of day are midnight", dates - p.with_time));
        Ok((Reading::Moment(reader, utc), note))
    }
}

fn day_first(form: Form) -> bool {
    matches!(form.order, Order::DayMonthYear | Order::DayMonthShortYear)
}
