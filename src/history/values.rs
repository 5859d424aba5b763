//! Batches of times and amounts into days and keys.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};

use crate::amount::AmountKind;
use crate::calendar::Day;
use crate::history::event::{float_key, float_of, units_key};
use crate::history::types::TimeKind;
use crate::history::zone::Clock;

/// Seconds in a day of local time.
const SECONDS_PER_DAY: i64 = 86_400;

/// The raw ticks of a time column (days of a Date32); nulls have any value.
pub(crate) fn ticks(array: &dyn Array, out: &mut Vec<i64>) {
    out.clear();
    match array.data_type() {
        DataType::Date32 => {
            out.extend(array.as_primitive::<Date32Type>().values().iter().map(|&day| i64::from(day)));
        }
        DataType::Date64 => out.extend_from_slice(array.as_primitive::<Date64Type>().values()),
        DataType::Timestamp(unit, _) => out.extend_from_slice(match unit {
            TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
            TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
            TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
            TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
        }),
        other => unreachable!("{other} was not accepted as a time"),
    }
}

/// The local day of each tick; ticks beyond what days can count give an impossible day.
pub(crate) fn days(ticks: &[i64], kind: TimeKind, clock: Option<&mut Clock<'_>>, out: &mut Vec<i32>) {
    out.clear();
    match (kind, clock) {
        (TimeKind::Date32, _) => out.extend(ticks.iter().map(|&day| day as i32)),
        (TimeKind::Ticks { per_day }, None) => {
            // One loop per divisor that occurs, so that the division becomes a multiplication.
            macro_rules! each {
                ($($divisor:literal),*) => {
                    match per_day {
                        $($divisor => out.extend(ticks.iter().map(|t| clip(t.div_euclid($divisor)))),)*
                        _ => out.extend(ticks.iter().map(|t| clip(t.div_euclid(per_day)))),
                    }
                };
            }
            each!(86_400, 86_400_000, 86_400_000_000, 86_400_000_000_000);
        }
        (TimeKind::Ticks { per_day }, Some(clock)) => {
            let per_second = per_day / SECONDS_PER_DAY;
            out.extend(ticks.iter().map(|t| {
                let second = t.div_euclid(per_second);
                clip(second.saturating_add(clock.offset(second)).div_euclid(SECONDS_PER_DAY))
            }));
        }
    }
}

fn clip(day: i64) -> i32 {
    day.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// A time that is no possible day, as text.
pub(crate) fn tick_text(tick: i64, kind: TimeKind) -> String {
    match kind {
        TimeKind::Date32 => Day(clip(tick)).to_string(),
        TimeKind::Ticks { per_day } => {
            let per_second = per_day / SECONDS_PER_DAY;
            match jiff::Timestamp::from_second(tick.div_euclid(per_second)) {
                Ok(instant) => instant.to_string().trim_end_matches('Z').to_string(),
                Err(_) => format!("{tick} (1/{per_second} s since 1970)"),
            }
        }
    }
}

/// What became of a batch of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All have their keys.
    Held,
    /// An exact amount is too large for 64 bits at the history's scale.
    TooLarge,
}

/// The key of a NaN or infinite amount. No finite float has it, and the one exact amount that would (`i64::MAX`) is
/// taken for too large.
pub(crate) const NOT_FINITE: u64 = u64::MAX;

/// The sortable keys of an amount column; nulls have any key.
pub(crate) fn amounts(array: &dyn Array, kind: AmountKind, out: &mut Vec<u64>) -> Fit {
    out.clear();
    macro_rules! integers {
        ($type:ty) => {
            wholes(array, array.as_primitive::<$type>().values().iter().map(|&v| i128::from(v)), 0, kind, out)
        };
    }
    macro_rules! decimals {
        ($type:ty, $scale:expr) => {
            wholes(
                array,
                array.as_primitive::<$type>().values().iter().map(|&v| i128::from(v)),
                i16::from($scale),
                kind,
                out,
            )
        };
    }
    match array.data_type() {
        DataType::Float64 => {
            floats(array.as_primitive::<Float64Type>().values().iter().copied(), out);
            Fit::Held
        }
        DataType::Float32 => {
            floats(array.as_primitive::<Float32Type>().values().iter().map(|&v| f64::from(v)), out);
            Fit::Held
        }
        DataType::Float16 => {
            floats(array.as_primitive::<Float16Type>().values().iter().map(|v| v.to_f64()), out);
            Fit::Held
        }
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        DataType::Decimal32(_, scale) => decimals!(Decimal32Type, *scale),
        DataType::Decimal64(_, scale) => decimals!(Decimal64Type, *scale),
        DataType::Decimal128(_, scale) => decimals!(Decimal128Type, *scale),
        DataType::Decimal256(_, scale) => wide(array, *scale, kind, out),
        other => unreachable!("{other} was not accepted as an amount"),
    }
}

/// The sortable keys of prices times quantities: exact where both are, else products of floating-point numbers. Rows
/// where either is null have any key.
pub(crate) fn products(price: &dyn Array, quantity: &dyn Array, kind: AmountKind, out: &mut Vec<u64>) -> Fit {
    if let (Some((prices, scale)), Some((quantities, other))) = (exact(price), exact(quantity)) {
        let products: Option<Vec<i128>> =
            prices.iter().zip(&quantities).map(|(price, quantity)| price.checked_mul(*quantity)).collect();
        match products {
            Some(products) => {
                out.clear();
                return wholes(price, products.into_iter(), scale + other, kind, out);
            }
            None if kind != AmountKind::Float => return Fit::TooLarge,
            None => {}
        }
    } else if kind != AmountKind::Float {
        return Fit::TooLarge;
    }
    let quantities = numbers(quantity);
    let prices = numbers(price);
    out.clear();
    floats(prices.iter().zip(quantities).map(|(price, quantity)| price * quantity), out);
    Fit::Held
}

/// Any numbers as floating point; NaN for those that are not finite. Nulls have any value.
fn numbers(array: &dyn Array) -> Vec<f64> {
    let mut keys = Vec::new();
    amounts(array, AmountKind::Float, &mut keys);
    keys.into_iter().map(|key| if key == NOT_FINITE { f64::NAN } else { float_of(key) }).collect()
}

/// Integers or decimals as whole numbers of 10^-scale, nulls as 0; `None` for floats and what 128 bits cannot hold.
fn exact(array: &dyn Array) -> Option<(Vec<i128>, i16)> {
    macro_rules! exact {
        ($type:ty, $scale:expr) => {{
            let values = array.as_primitive::<$type>().values();
            let valid = |i: usize| array.is_valid(i);
            let values = values.iter().enumerate();
            (values.map(|(i, &v)| if valid(i) { i128::from(v) } else { 0 }).collect(), i16::from($scale))
        }};
    }
    Some(match array.data_type() {
        DataType::Int8 => exact!(Int8Type, 0i8),
        DataType::Int16 => exact!(Int16Type, 0i8),
        DataType::Int32 => exact!(Int32Type, 0i8),
        DataType::Int64 => exact!(Int64Type, 0i8),
        DataType::UInt8 => exact!(UInt8Type, 0i8),
        DataType::UInt16 => exact!(UInt16Type, 0i8),
        DataType::UInt32 => exact!(UInt32Type, 0i8),
        DataType::UInt64 => exact!(UInt64Type, 0i8),
        DataType::Decimal32(_, scale) => exact!(Decimal32Type, *scale),
        DataType::Decimal64(_, scale) => exact!(Decimal64Type, *scale),
        DataType::Decimal128(_, scale) => exact!(Decimal128Type, *scale),
        DataType::Decimal256(_, scale) => {
            let values = array.as_primitive::<Decimal256Type>();
            let value = |i: usize| if values.is_valid(i) { values.value(i).to_i128() } else { Some(0) };
            ((0..values.len()).map(value).collect::<Option<_>>()?, i16::from(*scale))
        }
        _ => return None,
    })
}

fn floats(values: impl Iterator<Item = f64>, out: &mut Vec<u64>) {
    out.extend(values.map(|v| if v.is_finite() { float_key(v) } else { NOT_FINITE }));
}

/// Whole numbers of 10^-scale.
fn wholes(
    array: &dyn Array,
    values: impl Iterator<Item = i128>,
    scale: i16,
    kind: AmountKind,
    out: &mut Vec<u64>,
) -> Fit {
    match kind {
        AmountKind::Float if scale >= 0 => {
            out.extend(values.map(|v| float_key(AmountKind::scaled_to_f64(v, scale as u8))));
            Fit::Held
        }
        AmountKind::Float => {
            let factor = 10f64.powi(-i32::from(scale));
            out.extend(values.map(|v| float_key(v as f64 * factor)));
            Fit::Held
        }
        AmountKind::Scaled { scale: wanted } => {
            // 10^38 is the largest power of ten in 128 bits; beyond it only 0 fits, which any factor keeps.
            let digits = (i32::from(wanted) - i32::from(scale)).clamp(0, 38) as u32;
            let factor = 10i128.pow(digits);
            for (i, v) in values.enumerate() {
                match v.checked_mul(factor).and_then(|v| i64::try_from(v).ok()).filter(|&v| v != i64::MAX) {
                    Some(units) => out.push(units_key(units)),
                    None if array.is_null(i) => out.push(0),
                    None => return Fit::TooLarge,
                }
            }
            Fit::Held
        }
    }
}

/// Decimals of 256 bits: those that fit 128 go the common way, the others are floating point.
fn wide(array: &dyn Array, scale: i8, kind: AmountKind, out: &mut Vec<u64>) -> Fit {
    let values = array.as_primitive::<Decimal256Type>().values();
    let narrow = |v: &i256| v.to_i128();
    if values.iter().all(|v| narrow(v).is_some()) {
        return wholes(array, values.iter().map(|v| narrow(v).unwrap_or(0)), scale.into(), kind, out);
    }
    if kind != AmountKind::Float {
        return Fit::TooLarge;
    }
    // The decimal text, with its exponent, is rounded correctly by the parser.
    floats(values.iter().map(|v| format!("{v}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)), out);
    Fit::Held
}
