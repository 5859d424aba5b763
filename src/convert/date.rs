//! Dates and times of day as people write them: a fast reader of the common forms, jiff for a form that is given.

use crate::error::{Error, Result};

/// What comes first, and how long the year is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    YearMonthDay,
    DayMonthYear,
    MonthDayYear,
    DayMonthShortYear,
    MonthDayShortYear,
}

/// A common form: an order and the sign between the parts. A time of day may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) order: Order,
    pub(crate) sign: u8,
}

/// The signs between parts of a date.
const SIGNS: [u8; 3] = [b'-', b'/', b'.'];

const ORDERS: [Order; 5] = [
    Order::YearMonthDay,
    Order::DayMonthYear,
    Order::MonthDayYear,
    Order::DayMonthShortYear,
    Order::MonthDayShortYear,
];

impl Form {
    /// How many there are.
    pub(crate) const COUNT: usize = SIGNS.len() * ORDERS.len();

    pub(crate) fn number(self) -> usize {
        let sign = SIGNS.iter().position(|&s| s == self.sign).expect("forms are made of these signs");
        self.order as usize * SIGNS.len() + sign
    }

    pub(crate) fn of_number(number: usize) -> Form {
        Form { order: ORDERS[number / SIGNS.len()], sign: SIGNS[number % SIGNS.len()] }
    }

    /// The form with day and month swapped, if the order leaves that open.
    pub(crate) fn swapped(self) -> Option<Form> {
        let order = match self.order {
            Order::YearMonthDay => return None,
            Order::DayMonthYear => Order::MonthDayYear,
            Order::MonthDayYear => Order::DayMonthYear,
            Order::DayMonthShortYear => Order::MonthDayShortYear,
            Order::MonthDayShortYear => Order::DayMonthShortYear,
        };
        Some(Form { order, sign: self.sign })
    }

    /// As `--date-format` takes it.
    pub(crate) fn text(self) -> String {
        let parts = match self.order {
            Order::YearMonthDay => ["%Y", "%m", "%d"],
            Order::DayMonthYear => ["%d", "%m", "%Y"],
            Order::MonthDayYear => ["%m", "%d", "%Y"],
            Order::DayMonthShortYear => ["%d", "%m", "%y"],
            Order::MonthDayShortYear => ["%m", "%d", "%y"],
        };
        parts.join(&(self.sign as char).to_string())
    }
}

/// A moment read: day and, if written, time of day and distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Days from 1970-01-01.
    pub(crate) day: i32,
    /// Microseconds into the day.
    pub(crate) time: Option<i64>,
    /// Seconds east of UTC.
    pub(crate) offset: Option<i32>,
}

impl Moment {
    /// Microseconds from 1970-01-01, in UTC where the distance from it is known.
    pub(crate) fn micros(&self) -> i64 {
        i64::from(self.day) * 86_400_000_000 + self.time.unwrap_or(0)
            - i64::from(self.offset.unwrap_or(0)) * 1_000_000
    }
}

/// The three parts of a date of which the order is still open, and what follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    numbers: [u32; 3],
    /// Digits of the first and the last part.
    ends: [usize; 2],
    sign: u8,
    time: Option<i64>,
    offset: Option<i32>,
}

impl Parts {
    /// Splits a field in one of the common forms.
    pub(crate) fn read(field: &[u8]) -> Option<Parts> {
        let (first, a, rest) = digits(field, 4)?;
        let (&sign, rest) = rest.split_first()?;
        if !SIGNS.contains(&sign) {
            return None;
        }
        let (second, b, rest) = digits(rest, 2)?;
        let rest = rest.strip_prefix(&[sign])?;
        let (third, c, rest) = digits(rest, 4)?;
        if b == 0 || !matches!((a, c), (4, 1 | 2) | (1 | 2, 2 | 4)) {
            return None;
        }
        let (time, offset) = match rest {
            [] => (None, None),
            [b' ' | b'T' | b't', rest @ ..] => {
                let (time, offset) = time_of_day(rest)?;
                (Some(time), offset)
            }
            _ => return None,
        };
        Some(Parts { numbers: [first, second, third], ends: [a, c], sign, time, offset })
    }

    /// The moment in a form, if it is one in it.
    pub(crate) fn in_form(&self, form: Form) -> Option<Moment> {
        if form.sign != self.sign {
            return None;
        }
        let [a, b, c] = self.numbers;
        let (year, month, day) = match (form.order, self.ends) {
            (Order::YearMonthDay, [4, _]) => (a, b, c),
            (Order::DayMonthYear, [1 | 2, 4]) => (c, b, a),
            (Order::MonthDayYear, [1 | 2, 4]) => (c, a, b),
            (Order::DayMonthShortYear, [1 | 2, 2]) => (century(c), b, a),
            (Order::MonthDayShortYear, [1 | 2, 2]) => (century(c), a, b),
            _ => return None,
        };
        Some(Moment { day: day_number(year, month, day)?, time: self.time, offset: self.offset })
    }

    /// The forms in which it is a date: at most two, day first and month first.
    pub(crate) fn forms(&self) -> impl Iterator<Item = Form> + '_ {
        let form = |order| Form { order, sign: self.sign };
        let orders: &[Order] = match self.ends {
            [4, _] => &ORDERS[..1],
            [_, 4] => &ORDERS[1..3],
            _ => &ORDERS[3..],
        };
        orders.iter().map(move |&order| form(order)).filter(|&form| self.in_form(form).is_some())
    }

    pub(crate) fn has_time(&self) -> bool {
        self.time.is_some()
    }

    pub(crate) fn has_offset(&self) -> bool {
        self.offset.is_some()
    }
}

/// The year of two digits: 69 to 99 are 1969 to 1999, as everywhere since POSIX.
fn century(year: u32) -> u32 {
    if year < 69 { 2000 + year } else { 1900 + year }
}

/// Up to `most` digits: their value, their number, what follows. `None` without any.
fn digits(text: &[u8], most: usize) -> Option<(u32, usize, &[u8])> {
    let n = text.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    let value = text[..n].iter().fold(0, |value, b| value * 10 + u32::from(b - b'0'));
    (n > 0).then_some((value, n, &text[n..]))
}

/// `10:30`, `10:30:15.25`, `9:05 PM`, with `Z` or `+02:00` behind: microseconds and seconds east of UTC.
fn time_of_day(text: &[u8]) -> Option<(i64, Option<i32>)> {
    let (mut hour, _, rest) = digits(text, 2)?;
    let (minute, n, mut rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let (mut second, mut micros) = (0, 0);
    if let Some(more) = rest.strip_prefix(b":") {
        let (value, m, more) = digits(more, 2)?;
        (second, rest) = (value, more);
        if m != 2 {
            return None;
        }
        if let [b'.' | b',', more @ ..] = rest {
            let k = more.iter().take_while(|b| b.is_ascii_digit()).count();
            if !(1..=9).contains(&k) {
                return None;
            }
            // Digits beyond the microsecond are cut.
            micros = (0..6).fold(0, |v, i| v * 10 + more[..k].get(i).map_or(0, |b| i64::from(b - b'0')));
            rest = &more[k..];
        }
    }
    let half = match rest.strip_prefix(b" ").unwrap_or(rest) {
        [b'A' | b'a', b'M' | b'm', more @ ..] => Some((0, more)),
        [b'P' | b'p', b'M' | b'm', more @ ..] => Some((12, more)),
        _ => None,
    };
    if let Some((more_hours, more)) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + more_hours;
        rest = more;
    }
    if n != 2 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = match rest {
        [] => None,
        _ => Some(offset(rest.strip_prefix(b" ").unwrap_or(rest))?),
    };
    Some((i64::from(hour * 3600 + minute * 60 + second) * 1_000_000 + micros, offset))
}

/// `Z`, `UTC`, `+02:00`, `-0530`, `+02` in seconds.
fn offset(text: &[u8]) -> Option<i32> {
    let (sign, rest) = match text {
        b"Z" | b"z" | b"UTC" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, 2, rest) = digits(rest, 2)? else { return None };
    let minutes = match rest.strip_prefix(b":").unwrap_or(rest) {
        [] if rest.is_empty() => 0,
        more => match digits(more, 2)? {
            (minutes, 2, []) => minutes,
            _ => return None,
        },
    };
    (hours <= 15 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60) as i32)
}

/// Days from 1970-01-01 in the Gregorian calendar; `None` for days that do not exist.
fn day_number(year: u32, month: u32, day: u32) -> Option<i32> {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = *LENGTHS.get(month.checked_sub(1)? as usize)? + u32::from(month == 2 && leap);
    if year == 0 || !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    Some(days as i32 - 719_468)
}

/// How a column's dates are read.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    /// One of the common forms.
    Common(Form),
    /// A form for jiff's `strptime`.
    Given(String),
}

impl Reader {
    /// The reader of a form that the user gave: the common ones have the fast one.
    pub(crate) fn of_format(format: &str) -> Result<Reader> {
        let common = (0..Form::COUNT).map(Form::of_number).find(|form| form.text() == format);
        if let Some(form) = common {
            return Ok(Reader::Common(form));
        }
        let wrong = |problem: String| {
            Error::value(
                "--date-format",
                format,
                problem,
                "write it with %Y or %y, %m or %b, %d, and %H:%M:%S, %z where there are times, as in '%d %b %Y %H:%M'",
            )
        };
        let has = |names: &[&str]| names.iter().any(|name| format.contains(name));
        if !(has(&["%Y", "%y", "%F", "%D", "%G"])) {
            return Err(wrong("it names no year".to_string()));
        }
        // What a form writes it also reads: a form that cannot be read back is no form.
        let sample = jiff::civil::date(2003, 11, 25).at(14, 5, 6, 0).in_tz("UTC").ok();
        let text = sample.and_then(|s| jiff::fmt::strtime::format(format, &s).ok());
        let Some(text) = text else { return Err(wrong("it has a part that is not known".to_string())) };
        let reader = Reader::Given(format.to_string());
        match reader.read(text.as_bytes()) {
            Some(moment) if Some(moment.day) == day_number(2003, 11, 25) => Ok(reader),
            _ => Err(wrong(format!("it does not read \"{text}\" as 2003-11-25"))),
        }
    }

    /// As `--date-format` takes it.
    pub(crate) fn text(&self) -> String {
        match self {
            Reader::Common(form) => form.text(),
            Reader::Given(format) => format.clone(),
        }
    }

    pub(crate) fn read(&self, field: &[u8]) -> Option<Moment> {
        match self {
            Reader::Common(form) => Parts::read(field)?.in_form(*form),
            Reader::Given(format) => {
                let tm = jiff::fmt::strtime::BrokenDownTime::parse(format, field).ok()?;
                let date = tm.to_date().ok()?;
                let (year, month, day) = (date.year(), date.month(), date.day());
                let day = day_number(u32::try_from(year).ok()?, month as u32, day as u32)?;
                let time = tm.hour().is_some().then(|| tm.to_time().ok());
                let time = match time {
                    None => None,
                    Some(time) => {
                        let time = time?;
                        let (h, m, s) = (time.hour() as i64, time.minute() as i64, time.second() as i64);
                        let micros = i64::from(time.subsec_nanosecond()) / 1_000;
                        Some((h * 3600 + m * 60 + s) * 1_000_000 + micros)
                    }
                };
                Some(Moment { day, time, offset: tm.offset().map(|o| o.seconds()) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Day;

    fn forms(text: &str) -> Vec<String> {
        Parts::read(text.as_bytes()).map_or(Vec::new(), |p| p.forms().map(Form::text).collect())
    }

    #[test]
    fn common_forms() {
        assert_eq!(forms("2024-01-31"), ["%Y-%m-%d"]);
        assert_eq!(forms("2024/1/3"), ["%Y/%m/%d"]);
        assert_eq!(forms("31.01.2024"), ["%d.%m.%Y"]);
        assert_eq!(forms("1/31/2024 8:26"), ["%m/%d/%Y"]);
        assert_eq!(forms("3/4/2024"), ["%d/%m/%Y", "%m/%d/%Y"]);
        assert_eq!(forms("3/14/10"), ["%m/%d/%y"]);
        for text in
            ["2024-02-30", "0000-00-00", "2024-1", "12-34-5678", "2024-01-31x", "1.2.3", "192.168.1.1"]
        {
            assert!(forms(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn times_and_offsets() {
        let read = |text: &str| {
            Reader::Common(Form { order: Order::YearMonthDay, sign: b'-' }).read(text.as_bytes())
        };
        let micros = |text: &str| read(text).map(|m| (m.micros(), m.offset));
        assert_eq!(micros("1970-01-02 00:00:01"), Some((86_401_000_000, None)));
        assert_eq!(micros("1970-01-01T02:00:00.5+02:00"), Some((500_000, Some(7200))));
        assert_eq!(micros("1970-01-01 00:30Z"), Some((1_800_000_000, Some(0))));
        assert_eq!(micros("1970-01-01 12:00 AM"), Some((0, None)));
        assert_eq!(micros("1970-01-01 1:00:00 pm -0100"), Some((14 * 3_600_000_000, Some(-3600))));
        assert_eq!(micros("1970-01-01 00:00:00.123456789"), Some((123_456, None)));
        for text in
            ["1970-01-01 24:00", "1970-01-01 1:5", "1970-01-01 13:00 PM", "1970-01-01 10:00+2", "1970-01-01 "]
        {
            assert_eq!(micros(text), None, "{text}");
        }
    }

    #[test]
    fn day_numbers_are_those_of_the_calendar() {
        for day in (-719_000..84_005).step_by(17) {
            let text = Day(day).to_string();
            let read = Reader::Common(Form { order: Order::YearMonthDay, sign: b'-' }).read(text.as_bytes());
            assert_eq!(read.map(|m| m.day), Some(day), "{text}");
        }
    }

    #[test]
    fn given_forms() {
        let read = |format: &str, text: &str| {
            Reader::of_format(format)
                .unwrap()
                .read(text.as_bytes())
                .map(|m| (Day(m.day).to_string(), m.time.is_some()))
        };
        assert_eq!(read("%d %b %Y", "31 Jan 2024"), Some(("2024-01-31".into(), false)));
        assert_eq!(read("%Y%m%d", "20240131"), Some(("2024-01-31".into(), false)));
        assert_eq!(read("%d/%m/%Y", "01/02/2024 10:00"), Some(("2024-02-01".into(), true)));
        assert_eq!(read("%d %b %Y %H:%M", "31 Jan 2024 10:15"), Some(("2024-01-31".into(), true)));
        assert_eq!(read("%Y%m%d", "31 Jan 2024"), None);
        for bad in ["", "date", "%H:%M", "%Y", "%Q%Y", "%Y-%m"] {
            assert!(matches!(Reader::of_format(bad), Err(Error::Value { .. })), "{bad}");
        }
    }
}
