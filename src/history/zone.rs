//! Instants to local days, fast: the offsets of a zone over all possible days are listed once.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::calendar::Day;
use crate::error::{Error, Result};

/// What stands for "times are local and taken as they stand" where a zone may be named.
pub(crate) const LOCAL: &str = "local";

const SECONDS_PER_DAY: i64 = 86_400;

/// A time zone as a list of spans of constant offset.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    name: String,
    /// (first second of the span, seconds to add for local time), ascending; the first begins at `i64::MIN`.
    spans: Vec<(i64, i64)>,
}

impl Zone {
    /// The zone of that name: an IANA name ("Europe/Paris"), "UTC", or a fixed offset ("+01:00").
    ///
    /// `what` is what the name was given as, for the error.
    pub fn named(name: &str, what: &str) -> Result<Zone> {
        let unknown = || {
            Error::value(
                what,
                name,
                "it is no known time zone",
                "write an IANA name such as Europe/Paris, UTC, or an offset such as +01:00",
            )
        };
        if let Some(seconds) = fixed_offset(name) {
            let offset = Offset::from_seconds(seconds).map_err(|_| unknown())?;
            let name = if seconds == 0 { "UTC".to_string() } else { offset.to_string() };
            return Ok(Zone { name, spans: vec![(i64::MIN, i64::from(seconds))] });
        }
        let zone = TimeZone::get(name).map_err(|_| unknown())?;
        let seconds = |day: Day| i64::from(day.0) * SECONDS_PER_DAY;
        // A day more on both sides, because a local day begins up to a day before or after the same day in UTC.
        let (begin, end) = (seconds(Day(Day::EARLIEST.0 - 1)), seconds(Day(Day::LATEST.0 + 2)));
        let begin = Timestamp::from_second(begin).map_err(|e| Error::internal("reading a time zone", e))?;
        let mut spans = vec![(i64::MIN, i64::from(zone.to_offset(begin).seconds()))];
        for transition in zone.following(begin) {
            let second = transition.timestamp().as_second();
            if second > end {
                break;
            }
            let offset = i64::from(transition.offset().seconds());
            if spans.last().is_some_and(|last| last.1 != offset) {
                spans.push((second, offset));
            }
        }
        let name = zone.iana_name().unwrap_or(name).to_string();
        Ok(Zone { name, spans })
    }

    /// Its name, as in "America/New_York".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A cursor that turns instants into days.
    pub(crate) fn clock(&self) -> Clock<'_> {
        Clock { zone: self, at: 0 }
    }
}

/// Remembers the span of the last instant, since neighbouring rows mostly share it.
pub(crate) struct Clock<'a> {
    zone: &'a Zone,
    at: usize,
}

impl Clock<'_> {
    /// Seconds to add to the instant `second` (from 1970-01-01 UTC) for local time.
    #[inline]
    pub(crate) fn offset(&mut self, second: i64) -> i64 {
        let spans = &self.zone.spans;
        let ends_later = spans.get(self.at + 1).is_none_or(|next| second < next.0);
        if second < spans[self.at].0 || !ends_later {
            self.at = spans.partition_point(|span| span.0 <= second) - 1;
        }
        spans[self.at].1
    }
}

/// Seconds of "+01:00", "-0530", "+02", "Z" or "UTC".
fn fixed_offset(text: &str) -> Option<i32> {
    if matches!(text, "UTC" | "Z" | "utc" | "Etc/UTC" | "GMT") {
        return Some(0);
    }
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|&c| c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    (hours <= 25 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local_day(zone: &Zone, instant: &str) -> String {
        let second = instant.parse::<Timestamp>().unwrap().as_second();
        Day((second + zone.clock().offset(second)).div_euclid(SECONDS_PER_DAY) as i32).to_string()
    }

    #[test]
    fn new_york_has_two_offsets() {
        let zone = Zone::named("America/New_York", "--zone").unwrap();
        for (instant, day) in [
            ("2024-03-10T04:59:59Z", "2024-03-09"), // winter: midnight at 05:00
            ("2024-03-10T05:00:00Z", "2024-03-10"),
            ("2024-03-11T03:59:59Z", "2024-03-10"), // summer: midnight at 04:00
            ("2024-03-11T04:00:00Z", "2024-03-11"),
            ("2024-11-03T04:00:00Z", "2024-11-03"),
            ("2024-11-04T04:59:59Z", "2024-11-03"),
            ("2024-11-04T05:00:00Z", "2024-11-04"),
            ("2150-07-02T03:59:59Z", "2150-07-01"),
        ] {
            assert_eq!(local_day(&zone, instant), day, "{instant}");
        }
    }

    #[test]
    fn the_list_of_spans_agrees_with_the_zone() {
        let name = "Europe/Paris";
        let (zone, slow) = (Zone::named(name, "--zone").unwrap(), TimeZone::get(name).unwrap());
        let mut clock = zone.clock();
        for i in 0..20_000i64 {
            let second = -2_200_000_000 + (i * 7_919_000_017) % 9_400_000_000;
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(clock.offset(second), i64::from(slow.to_offset(at).seconds()), "{at}");
        }
    }

    #[test]
    fn offsets_are_zones() {
        assert_eq!(
            local_day(&Zone::named("+01:00", "--zone").unwrap(), "2024-01-01T23:30:00Z"),
            "2024-01-02"
        );
        assert_eq!(
            local_day(&Zone::named("-05:30", "--zone").unwrap(), "2024-01-01T05:29:59Z"),
            "2023-12-31"
        );
        assert_eq!(Zone::named("+00:00", "--zone").unwrap(), Zone::named("UTC", "--zone").unwrap());
        let error = Zone::named("Mars/Olympus", "--zone").unwrap_err();
        assert_eq!(error.to_string(), "--zone cannot be \"Mars/Olympus\": it is no known time zone");
    }
}
