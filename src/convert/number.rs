//! Numbers as people write them: signs, decimal marks, groups of thousands.

use serde::Serialize;

/// The decimal mark of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

impl Mark {
    /// Both, in the order in which arrays of one value per mark are kept.
    pub(crate) const BOTH: [Mark; 2] = [Mark::Point, Mark::Comma];

    /// "point" or "comma".
    pub fn word(self) -> &'static str {
        match self {
            Mark::Point => "point",
            Mark::Comma => "comma",
        }
    }

    pub(crate) fn byte(self) -> u8 {
        match self {
            Mark::Point => b'.',
            Mark::Comma => b',',
        }
    }
}

/// What may stand between groups of three digits when nothing else was said; the other decimal mark beside these.
const GROUPERS: [&str; 4] = [" ", "\u{a0}", "\u{202f}", "'"];

/// Digits that a `u64` holds for certain.
const MOST_DIGITS: u32 = 18;

/// How numbers of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) mark: Mark,
    /// The only separator of thousands allowed, if the user named one.
    pub(crate) thousands: Option<char>,
}

/// A number as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) negative: bool,
    /// All digits as one whole number; meaningless when `digits` exceeds 18.
    pub(crate) mantissa: u64,
    /// Digits counted without leading zeros.
    pub(crate) digits: u32,
    /// Digits after the mark.
    pub(crate) scale: u32,
    /// Digits after the mark without the zeros at the end.
    pub(crate) needed_scale: u32,
    /// Whether a power of ten follows, as in `1.5e3`.
    pub(crate) exponent: bool,
    /// Whether it is written as labels are: `00123`, `+49`.
    pub(crate) like_a_label: bool,
    /// Whether there is a mark or a separator.
    pub(crate) separated: bool,
}

impl Number {
    /// The number times ten to the `scale`, if that is whole and has at most 18 digits.
    pub(crate) fn scaled(&self, scale: u32) -> Option<i64> {
        if self.exponent || self.digits > MOST_DIGITS || self.needed_scale > scale {
            return None;
        }
        let value = if self.scale <= scale {
            let more = scale - self.scale;
            if self.digits + more > MOST_DIGITS {
                return None;
            }
            self.mantissa * 10u64.pow(more)
        } else {
            self.mantissa / 10u64.pow(self.scale - scale)
        };
        let value = i64::try_from(value).ok()?;
        Some(if self.negative { -value } else { value })
    }

    /// Digits before the mark.
    pub(crate) fn whole_digits(&self) -> u32 {
        self.digits.saturating_sub(self.scale)
    }
}

/// Reads a number, without spaces around it. `None` when it is none in this style.
pub(crate) fn parse(field: &[u8], style: Style) -> Option<Number> {
    let (negative, plus, rest) = match field {
        [b'-', rest @ ..] => (true, false, rest),
        [b'+', rest @ ..] => (false, true, rest),
        // The typographic minus.
        [0xe2, 0x88, 0x92, rest @ ..] => (true, false, rest),
        rest => (false, false, rest),
    };
    let mut number = Number {
        negative,
        mantissa: 0,
        digits: 0,
        scale: 0,
        needed_scale: 0,
        exponent: false,
        like_a_label: plus,
        separated: false,
    };
    let mark = style.mark.byte();
    let mut at = 0;
    // The whole part: all digits, or groups of three after a first group of one to three.
    let (mut group, mut grouper, mut whole): (u32, Option<&[u8]>, u32) = (0, None, 0);
    while at < rest.len() {
        let byte = rest[at];
        if byte.is_ascii_digit() {
            number.push(byte);
            group += 1;
            whole += 1;
            at += 1;
        } else if byte == mark || byte == b'e' || byte == b'E' {
            break;
        } else {
            let found = separator(&rest[at..], style)?;
            let good = match grouper {
                None => (1..=3).contains(&group) && rest[0] != b'0',
                Some(earlier) => earlier == found && group == 3,
            };
            if !good {
                return None;
            }
            (grouper, group) = (Some(found), 0);
            at += found.len();
        }
    }
    if grouper.is_some() && group != 3 {
        return None;
    }
    let leading_zero = whole > 1 && rest[0] == b'0';
    number.separated = grouper.is_some();
    let mut after = 0;
    if rest.get(at) == Some(&mark) {
        at += 1;
        number.separated = true;
        while let Some(&byte) = rest.get(at).filter(|b| b.is_ascii_digit()) {
            number.push(byte);
            after += 1;
            if byte != b'0' {
                number.needed_scale = after;
            }
            at += 1;
        }
        number.scale = after;
    }
    if whole + after == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = rest.get(at) {
        at += 1;
        at += usize::from(matches!(rest.get(at), Some(b'+' | b'-')));
        let power = &rest[at..];
        if power.is_empty() || power.len() > 3 || !power.iter().all(u8::is_ascii_digit) {
            return None;
        }
        number.exponent = true;
        at = rest.len();
    }
    number.like_a_label |= leading_zero && !number.separated;
    (at == rest.len()).then_some(number)
}

impl Number {
    fn push(&mut self, byte: u8) {
        if self.digits > 0 || byte != b'0' {
            self.digits += 1;
        }
        if self.digits <= MOST_DIGITS {
            self.mantissa = self.mantissa * 10 + u64::from(byte - b'0');
        }
    }
}

/// The separator of thousands that `rest` begins with.
fn separator(rest: &[u8], style: Style) -> Option<&[u8]> {
    if let Some(only) = style.thousands {
        let mut buffer = [0; 4];
        let only = only.encode_utf8(&mut buffer).as_bytes();
        return rest.starts_with(only).then(|| &rest[..only.len()]);
    }
    let other = match style.mark {
        Mark::Point => b',',
        Mark::Comma => b'.',
    };
    if rest[0] == other {
        return Some(&rest[..1]);
    }
    GROUPERS.iter().find(|g| rest.starts_with(g.as_bytes())).map(|g| &rest[..g.len()])
}

/// The nearest floating-point number; `field` must be a number in this style.
pub(crate) fn float(field: &[u8], style: Style) -> Option<f64> {
    let negative = matches!(field, [b'-', ..] | [0xe2, 0x88, 0x92, ..]);
    let mark = style.mark.byte();
    let plain: String = (field.iter())
        .skip_while(|b| !b.is_ascii_digit() && **b != mark)
        .filter_map(|&b| match b {
            b if b == mark => Some('.'),
            b'0'..=b'9' | b'e' | b'E' | b'-' | b'+' => Some(b as char),
            _ => None,
        })
        .collect();
    let value: f64 = plain.parse().ok()?;
    value.is_finite().then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, mark: Mark) -> Option<(i64, u32)> {
        let number = parse(text.as_bytes(), Style { mark, thousands: None })?;
        Some((number.scaled(number.scale)?, number.scale))
    }

    #[test]
    fn marks_and_groups() {
        for (text, point, comma) in [
            ("12", Some((12, 0)), Some((12, 0))),
            ("-12.50", Some((-1250, 2)), None),
            ("−12,5", None, Some((-125, 1))),
            ("1,234", Some((1234, 0)), Some((1234, 3))),
            ("0,234", None, Some((234, 3))),
            ("1,234.5", Some((12345, 1)), None),
            ("1.234.567,8", None, Some((12_345_678, 1))),
            ("1 234,5", None, Some((12345, 1))),
            ("1\u{a0}234", Some((1234, 0)), Some((1234, 0))),
            ("1'234.5", Some((12345, 1)), None),
            ("1,23,456", None, None),
            ("12,34", None, Some((1234, 2))),
            ("1234,567", None, Some((1_234_567, 3))),
            (".5", Some((5, 1)), None),
            ("5.", Some((5, 0)), None),
            ("0.00", Some((0, 2)), None),
        ] {
            assert_eq!(read(text, Mark::Point), point, "{text}");
            assert_eq!(read(text, Mark::Comma), comma, "{text}");
        }
        for text in ["", "-", ".", "1-2", "12a", "1e", "e5", "1,,2", "1, 234", "--1", "1e5000", "2024-01-31"]
        {
            assert_eq!(read(text, Mark::Point), None, "{text}");
        }
    }

    #[test]
    fn labels_and_long_numbers_are_known() {
        let style = Style { mark: Mark::Point, thousands: None };
        assert!(parse(b"00123", style).unwrap().like_a_label);
        assert!(parse(b"+49", style).unwrap().like_a_label);
        assert!(!parse(b"0", style).unwrap().like_a_label);
        assert!(!parse(b"0.5", style).unwrap().like_a_label);
        let long = parse(b"12345678901234567890123", style).unwrap();
        assert_eq!((long.digits, long.scaled(0)), (23, None));
        assert_eq!(parse(b"1.50", style).unwrap().scaled(1), Some(15));
        assert_eq!(parse(b"1.55", style).unwrap().scaled(1), None);
        assert!(parse(b"1,234", Style { mark: Mark::Point, thousands: Some(' ') }).is_none());
        assert_eq!(float(b"-1,234.5e1", style), Some(-12345.0));
        assert_eq!(float("1.234,25".as_bytes(), Style { mark: Mark::Comma, thousands: None }), Some(1234.25));
    }
}
