//! Which Arrow types can play which role, and what a history makes of them.

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

/// The Arrow types of text ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextKind {
    /// 32-bit offsets.
    Utf8,
    /// 64-bit offsets.
    LargeUtf8,
    /// Views.
    Utf8View,
}

/// What the ids of a whole history are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdKind {
    /// Signed integers; the widest of the files.
    Signed {
        /// 8, 16, 32 or 64.
        bits: u8,
    },
    /// Unsigned integers; the widest of the files.
    Unsigned {
        /// 8, 16, 32 or 64.
        bits: u8,
    },
    /// Texts.
    Text {
        /// Which of the text types.
        kind: TextKind,
    },
    /// Several columns together ([`crate::history::IdPart`]), handed on as bytes.
    Composite,
}

impl IdKind {
    /// What a column of this type holds as ids, or `None` if it cannot. Dictionaries count as their values.
    pub fn of(data_type: &DataType) -> Option<IdKind> {
        Some(match data_type {
            DataType::Int8 => IdKind::Signed { bits: 8 },
            DataType::Int16 => IdKind::Signed { bits: 16 },
            DataType::Int32 => IdKind::Signed { bits: 32 },
            DataType::Int64 => IdKind::Signed { bits: 64 },
            DataType::UInt8 => IdKind::Unsigned { bits: 8 },
            DataType::UInt16 => IdKind::Unsigned { bits: 16 },
            DataType::UInt32 => IdKind::Unsigned { bits: 32 },
            DataType::UInt64 => IdKind::Unsigned { bits: 64 },
            DataType::Utf8 => IdKind::Text { kind: TextKind::Utf8 },
            DataType::LargeUtf8 => IdKind::Text { kind: TextKind::LargeUtf8 },
            DataType::Utf8View => IdKind::Text { kind: TextKind::Utf8View },
            DataType::Dictionary(_, values) if !matches!(**values, DataType::Dictionary(..)) => {
                return IdKind::of(values);
            }
            _ => return None,
        })
    }

    /// The kind that holds the ids of both, or `None` for texts against integers.
    ///
    /// The wider integer wins. Signed with unsigned gives the signed type that holds both; for 64 unsigned bits
    /// that is 64 signed bits, and a value that does not fit is an error when it is met.
    pub fn join(self, other: IdKind) -> Option<IdKind> {
        use IdKind::{Signed, Text, Unsigned};
        Some(match (self, other) {
            (Signed { bits: a }, Signed { bits: b }) => Signed { bits: a.max(b) },
            (Unsigned { bits: a }, Unsigned { bits: b }) => Unsigned { bits: a.max(b) },
            (Signed { bits: s }, Unsigned { bits: u }) | (Unsigned { bits: u }, Signed { bits: s }) => {
                Signed { bits: s.max(u.saturating_mul(2)).min(64) }
            }
            (Text { kind: a }, Text { kind: b }) => {
                Text { kind: if a == b { a } else { TextKind::LargeUtf8 } }
            }
            _ => return None,
        })
    }

    /// Whether the ids are strings of bytes, which texts and composite ids are, and not integers.
    pub fn is_text(self) -> bool {
        matches!(self, IdKind::Text { .. } | IdKind::Composite)
    }

    /// Whether the ids are integers that may be negative.
    pub(crate) fn is_signed(self) -> bool {
        matches!(self, IdKind::Signed { .. })
    }

    /// The Arrow type of integers of this kind.
    pub(crate) fn integer_type(self) -> Option<DataType> {
        Some(match self {
            IdKind::Signed { bits: 8 } => DataType::Int8,
            IdKind::Signed { bits: 16 } => DataType::Int16,
            IdKind::Signed { bits: 32 } => DataType::Int32,
            IdKind::Signed { .. } => DataType::Int64,
            IdKind::Unsigned { bits: 8 } => DataType::UInt8,
            IdKind::Unsigned { bits: 16 } => DataType::UInt16,
            IdKind::Unsigned { bits: 32 } => DataType::UInt32,
            IdKind::Unsigned { .. } => DataType::UInt64,
            IdKind::Text { .. } | IdKind::Composite => return None,
        })
    }

    /// In words, as in "64-bit integers".
    pub fn words(self) -> String {
        match self {
            IdKind::Signed { bits } => format!("{bits}-bit integers"),
            IdKind::Unsigned { bits } => format!("unsigned {bits}-bit integers"),
            IdKind::Text { .. } => "text".to_string(),
            IdKind::Composite => "several columns together".to_string(),
        }
    }
}

/// How a time column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    /// Days.
    Date32,
    /// Ticks (seconds to nanoseconds) from 1970-01-01.
    Ticks {
        /// Ticks in one day.
        per_day: i64,
    },
}

impl TimeKind {
    /// What a column of this type counts, or `None` if it is no time.
    pub fn of(data_type: &DataType) -> Option<TimeKind> {
        const SECONDS: i64 = 86_400;
        Some(match data_type {
            DataType::Date32 => TimeKind::Date32,
            DataType::Date64 => TimeKind::Ticks { per_day: SECONDS * 1_000 },
            DataType::Timestamp(unit, _) => TimeKind::Ticks {
                per_day: match unit {
                    TimeUnit::Second => SECONDS,
                    TimeUnit::Millisecond => SECONDS * 1_000,
                    TimeUnit::Microsecond => SECONDS * 1_000_000,
                    TimeUnit::Nanosecond => SECONDS * 1_000_000_000,
                },
            },
            _ => return None,
        })
    }
}

/// Digits after the decimal point of an exact amount column; `Some(None)` for floats, `None` for no amount at all.
///
/// Decimals with a negative scale are whole numbers.
pub fn amount_scale(data_type: &DataType) -> Option<Option<u8>> {
    Some(match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => None,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => Some(0),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some((*scale).max(0) as u8),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_two_files_join() {
        let (s32, u32, u64) =
            (IdKind::Signed { bits: 32 }, IdKind::Unsigned { bits: 32 }, IdKind::Unsigned { bits: 64 });
        let text = IdKind::Text { kind: TextKind::Utf8 };
        assert_eq!(s32.join(IdKind::Signed { bits: 64 }), Some(IdKind::Signed { bits: 64 }));
        assert_eq!(s32.join(u32), Some(IdKind::Signed { bits: 64 }));
        assert_eq!(u32.join(u64), Some(u64));
        assert_eq!(s32.join(u64), Some(IdKind::Signed { bits: 64 }));
        assert_eq!(text.join(s32), None);
        let large = IdKind::Text { kind: TextKind::LargeUtf8 };
        assert_eq!(text.join(large), Some(large));
    }

    #[test]
    fn dictionaries_count_as_their_values() {
        let of = |values| IdKind::of(&DataType::Dictionary(Box::new(DataType::Int8), Box::new(values)));
        assert_eq!(of(DataType::Utf8), Some(IdKind::Text { kind: TextKind::Utf8 }));
        assert_eq!(of(DataType::Int16), Some(IdKind::Signed { bits: 16 }));
        assert_eq!(of(DataType::Float64), None);
    }
}
