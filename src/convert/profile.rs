//! What all values of a column have in common: counts from a first pass over the whole file.

use crate::convert::CsvOptions;
use crate::convert::date::{Form, Order, Parts, Reader};
use crate::convert::number::{Mark, Style, parse};

/// What stands for "no value" unless the user says otherwise; an empty field always does.
pub const NULLS: [&str; 8] = ["NA", "N/A", "#N/A", "NULL", "null", "NaN", "nan", "\\N"];

/// How values are looked at, the same for all columns.
pub(crate) struct Lens {
    /// Texts that are no value, beside the empty one.
    pub(crate) nulls: Vec<Vec<u8>>,
    pub(crate) thousands: Option<char>,
    /// The form of dates that the user gave.
    pub(crate) date: Option<Reader>,
}

impl Lens {
    pub(crate) fn new(options: &CsvOptions) -> crate::error::Result<Lens> {
        let nulls = match &options.nulls {
            Some(given) => given.iter().map(|text| text.clone().into_bytes()).collect(),
            None => NULLS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        };
        let date = options.date_format.as_deref().map(Reader::of_format).transpose()?;
        Ok(Lens { nulls, thousands: options.thousands, date })
    }

    /// Which null a field is: 0 for an empty one, otherwise the number of the text from 1.
    pub(crate) fn null(&self, field: &[u8]) -> Option<usize> {
        if field.is_empty() {
            return Some(0);
        }
        self.nulls.iter().position(|null| null == field).map(|i| i + 1)
    }

    pub(crate) fn style(&self, mark: Mark) -> Style {
        Style { mark, thousands: self.thousands }
    }
}

/// A value with its place, for messages. `line` is relative until the block's place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) file: usize,
    pub(crate) line: u64,
    pub(crate) value: String,
}

/// Numbers in one style.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers {
    /// How many values are numbers.
    pub(crate) count: u64,
    /// Values with a mark or separator that are numbers in this style and in no other.
    pub(crate) only: u64,
    /// Most digits after the mark, and without zeros at the end.
    pub(crate) scale: u32,
    pub(crate) needed_scale: u32,
    pub(crate) whole_digits: u32,
}

/// The values of one column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    /// Values that are not null.
    pub(crate) values: u64,
    /// By the number that [`Lens::null`] gives.
    pub(crate) nulls: Vec<u64>,
    /// Whole numbers of plain digits that 64 bits hold.
    pub(crate) integers: u64,
    /// Numbers written as labels are: `00123`, or longer than 18 digits.
    pub(crate) labels: u64,
    pub(crate) first_label: Option<Example>,
    pub(crate) exponents: u64,
    /// By [`Mark::BOTH`].
    pub(crate) numbers: [Numbers; 2],
    /// Values like `1,234`: numbers in both styles, and not the same.
    pub(crate) ambiguous: u64,
    pub(crate) first_ambiguous: Option<Example>,
    /// Values that are no number in any style and hold digits; and all that are none.
    pub(crate) mixed: u64,
    pub(crate) no_number: u64,
    pub(crate) first_no_number: Option<Example>,
    /// Dates in any of the common forms, and by form.
    pub(crate) dated: u64,
    pub(crate) dates: [u64; Form::COUNT],
    /// Dates that only one order fits: day first, month first.
    pub(crate) first_day_first: Option<Example>,
    pub(crate) first_month_first: Option<Example>,
    pub(crate) first_date: Option<Example>,
    /// Dates in the form that the user gave.
    pub(crate) given_dates: u64,
    pub(crate) with_time: u64,
    pub(crate) with_offset: u64,
    pub(crate) without_offset: u64,
}

impl Profile {
    pub(crate) fn new(lens: &Lens) -> Profile {
        Profile { nulls: vec![0; lens.nulls.len() + 1], ..Profile::default() }
    }

    /// Counts one value.
    pub(crate) fn add(&mut self, field: &[u8], line: u64, lens: &Lens) {
        let field = field.trim_ascii();
        if let Some(null) = lens.null(field) {
            self.nulls[null] += 1;
            return;
        }
        self.values += 1;
        let example = || Example { file: 0, line, value: String::from_utf8_lossy(field).into_owned() };
        let digits = field.len() <= 18 && field.iter().all(u8::is_ascii_digit);
        if digits && (field[0] != b'0' || field.len() == 1) {
            self.integers += 1;
            for numbers in &mut self.numbers {
                numbers.count += 1;
                numbers.whole_digits = numbers.whole_digits.max(field.len() as u32);
            }
        } else {
            self.add_number(field, lens, example);
        }
        let given = lens.date.as_ref().and_then(|reader| reader.read(field));
        let parts = if digits { None } else { Parts::read(field).filter(|p| p.forms().next().is_some()) };
        if let Some(parts) = &parts {
            self.add_date(parts, example);
        }
        self.given_dates += u64::from(given.is_some());
        let times = given.map(|m| (m.time.is_some(), m.offset.is_some()));
        if let Some((time, offset)) = times.or(parts.map(|p| (p.has_time(), p.has_offset()))) {
            self.with_time += u64::from(time);
            self.with_offset += u64::from(offset);
            self.without_offset += u64::from(!offset);
        }
    }

    fn add_number(&mut self, field: &[u8], lens: &Lens, example: impl Fn() -> Example) {
        let found = Mark::BOTH.map(|mark| parse(field, lens.style(mark)));
        match found {
            [None, None] => {
                self.no_number += 1;
                self.mixed += u64::from(field.iter().any(u8::is_ascii_digit));
                self.first_no_number.get_or_insert_with(example);
                return;
            }
            [Some(point), Some(comma)] if (point.mantissa, point.scale) != (comma.mantissa, comma.scale) => {
                self.ambiguous += 1;
                self.first_ambiguous.get_or_insert_with(&example);
            }
            [Some(number), None] | [None, Some(number)] if number.separated => {
                self.numbers[usize::from(found[0].is_none())].only += 1;
            }
            _ => {}
        }
        if let [Some(number), Some(_)] = found
            && !number.separated
        {
            if number.exponent {
                self.exponents += 1;
            } else if number.like_a_label || number.scaled(0).is_none() {
                self.labels += 1;
                self.first_label.get_or_insert_with(example);
            } else {
                self.integers += 1;
            }
        }
        for (numbers, number) in self.numbers.iter_mut().zip(found) {
            if let Some(number) = number {
                numbers.count += 1;
                numbers.scale = numbers.scale.max(number.scale);
                numbers.needed_scale = numbers.needed_scale.max(number.needed_scale);
                numbers.whole_digits = numbers.whole_digits.max(number.whole_digits());
                self.exponents += u64::from(number.exponent && number.separated);
            }
        }
    }

    /// Counts a date by the forms that it fits: one, or two where day and month may be swapped.
    fn add_date(&mut self, parts: &Parts, example: impl Fn() -> Example) {
        let mut fitting = 0;
        for form in parts.forms() {
            self.dates[form.number()] += 1;
            fitting += 1;
        }
        let first = parts.forms().next().filter(|_| fitting == 1).map(|form| form.order);
        match first {
            Some(Order::DayMonthYear | Order::DayMonthShortYear) => {
                self.first_day_first.get_or_insert_with(&example);
            }
            Some(Order::MonthDayYear | Order::MonthDayShortYear) => {
                self.first_month_first.get_or_insert_with(&example);
            }
            Some(Order::YearMonthDay) | None => {}
        }
        self.dated += 1;
        self.first_date.get_or_insert_with(example);
    }

    /// Adds the counts of a later block of file `file`.
    pub(crate) fn absorb(&mut self, other: Profile, file: usize) {
        let place = |example: Option<Example>| example.map(|e| Example { file, ..e });
        for (mine, theirs) in self.nulls.iter_mut().zip(&other.nulls) {
            *mine += theirs;
        }
        for (mine, theirs) in self.dates.iter_mut().zip(&other.dates) {
            *mine += theirs;
        }
        for (mine, theirs) in self.numbers.iter_mut().zip(&other.numbers) {
            mine.count += theirs.count;
            mine.only += theirs.only;
            mine.scale = mine.scale.max(theirs.scale);
            mine.needed_scale = mine.needed_scale.max(theirs.needed_scale);
            mine.whole_digits = mine.whole_digits.max(theirs.whole_digits);
        }
        for (mine, theirs) in [
            (&mut self.values, other.values),
            (&mut self.integers, other.integers),
            (&mut self.labels, other.labels),
            (&mut self.exponents, other.exponents),
            (&mut self.ambiguous, other.ambiguous),
            (&mut self.mixed, other.mixed),
            (&mut self.no_number, other.no_number),
            (&mut self.dated, other.dated),
            (&mut self.given_dates, other.given_dates),
            (&mut self.with_time, other.with_time),
            (&mut self.with_offset, other.with_offset),
            (&mut self.without_offset, other.without_offset),
        ] {
            *mine += theirs;
        }
        for (mine, theirs) in [
            (&mut self.first_label, other.first_label),
            (&mut self.first_ambiguous, other.first_ambiguous),
            (&mut self.first_no_number, other.first_no_number),
            (&mut self.first_day_first, other.first_day_first),
            (&mut self.first_month_first, other.first_month_first),
            (&mut self.first_date, other.first_date),
        ] {
            if mine.is_none() {
                *mine = place(theirs);
            }
        }
    }
}
