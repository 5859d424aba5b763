//! Columns in whatever type they came in, as plain values: what rules of tiers compare.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;

use crate::customers::table::Values;
use crate::error::{Error, Result};

/// The values of a column that may have any type.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// Numbers; NaN where there is none.
    Numbers(Vec<f64>),
    /// Whole numbers of which some are beyond 2^53, so that they would not be the same as floating point.
    Whole(Vec<Option<i128>>),
    /// Days since 1970-01-01; NaN where there is none.
    Days(Vec<f64>),
    /// Yes or no.
    Truths(Vec<Option<bool>>),
    /// Texts: `names[codes[i]]`, [`NO_TEXT`] where there is none.
    Texts {
        /// Index into `names` of every customer.
        codes: Vec<u32>,
        /// The distinct texts.
        names: Vec<String>,
    },
}

/// The code of a customer without a text.
pub const NO_TEXT: u32 = u32::MAX;

/// Up to here every whole number is a floating-point number.
const EXACT: i128 = 1 << 53;

impl Values {
    /// The values as plain ones, for an added column of any type. Decimals come as the nearest floating-point number,
    /// timestamps as their day.
    ///
    /// # Errors
    /// [`Error::Value`] for a type that is neither numbers, texts, dates nor yes and no.
    pub fn plain(&self, name: &str) -> Result<Plain> {
        Ok(match self {
            Values::Float(values) => Plain::Numbers(values.clone()),
            Values::Count(values) => Plain::Numbers(values.iter().map(|&n| f64::from(n)).collect()),
            Values::Label { codes, names } => Plain::Texts {
                codes: codes.iter().map(|&code| u32::from(code)).collect(),
                names: names.clone(),
            },
            Values::Array(array) => of_array(name, array)?,
        })
    }
}

fn of_array(name: &str, array: &ArrayRef) -> Result<Plain> {
    let failed = |e| Error::internal(format!("reading column {name}"), e);
    Ok(match array.data_type() {
        DataType::Boolean => Plain::Truths(array.as_boolean().iter().collect()),
        DataType::Date32 => days(array),
        DataType::Date64 | DataType::Timestamp(_, None) => {
            days(&cast(array, &DataType::Date32).map_err(failed)?)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            texts(&cast(array, &DataType::LargeUtf8).map_err(failed)?)
        }
        DataType::Dictionary(_, values) => return of_array(name, &cast(array, values).map_err(failed)?),
        DataType::Null => Plain::Numbers(vec![f64::NAN; array.len()]),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            numbers(&cast(array, &DataType::Float64).map_err(failed)?)
        }
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => numbers(&cast(array, &DataType::Float64).map_err(failed)?),
        whole if whole.is_integer() => {
            // Any integer of 64 bits has at most 20 digits.
            let digits = cast(array, &DataType::Decimal128(20, 0)).map_err(failed)?;
            let digits = digits.as_primitive::<Decimal128Type>();
            if digits.iter().flatten().all(|value| value.abs() <= EXACT) {
                Plain::Numbers(
                    digits.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect(),
                )
            } else {
                Plain::Whole(digits.iter().collect())
            }
        }
        other => {
            return Err(Error::value(
                "a column of a rule",
                name,
                format!("its type is {other}"),
                "rules look at numbers, texts, dates and booleans: write the column as one of them",
            ));
        }
    })
}

fn numbers(array: &ArrayRef) -> Plain {
    Plain::Numbers(
        array.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
    )
}

fn days(array: &ArrayRef) -> Plain {
    Plain::Days(
        array.as_primitive::<Date32Type>().iter().map(|day| day.map_or(f64::NAN, f64::from)).collect(),
    )
}

fn texts(array: &ArrayRef) -> Plain {
    let mut places: HashMap<&str, u32> = HashMap::new();
    let mut names = Vec::new();
    let texts = array.as_string::<i64>();
    let codes = texts
        .iter()
        .map(|text| {
            text.map_or(NO_TEXT, |text| {
                *places.entry(text).or_insert_with(|| {
                    names.push(text.to_string());
                    names.len() as u32 - 1
                })
            })
        })
        .collect();
    Plain::Texts { codes, names }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Int32Array, ListArray,
        StringViewArray, TimestampSecondArray, UInt64Array, types::Int8Type,
    };

    use super::*;

    fn plain(array: impl Array + 'static) -> Plain {
        Values::Array(Arc::new(array)).plain("x").unwrap()
    }

    #[test]
    fn every_type_has_plain_values() {
        let Plain::Numbers(values) = plain(Int32Array::from(vec![Some(3), None])) else { panic!() };
        assert!(values[0] == 3.0 && values[1].is_nan());
        let Plain::Numbers(values) = plain(Float32Array::from(vec![0.5])) else { panic!() };
        assert_eq!(values, [0.5]);
        let decimals = Decimal128Array::from(vec![1177]).with_precision_and_scale(9, 2).unwrap();
        assert_eq!(plain(decimals), Plain::Numbers(vec![11.77]));
        assert_eq!(plain(UInt64Array::from(vec![1 << 53])), Plain::Numbers(vec![9_007_199_254_740_992.0]));
        assert_eq!(
            plain(UInt64Array::from(vec![Some(u64::MAX), None])),
            Plain::Whole(vec![Some(i128::from(u64::MAX)), None])
        );
        assert_eq!(plain(BooleanArray::from(vec![Some(true), None])), Plain::Truths(vec![Some(true), None]));
        assert_eq!(plain(Date32Array::from(vec![7])), Plain::Days(vec![7.0]));
        assert_eq!(plain(TimestampSecondArray::from(vec![86_399, -1])), Plain::Days(vec![0.0, -1.0]));
        let texts = Plain::Texts { codes: vec![0, NO_TEXT, 1, 0], names: vec!["b".into(), "a".into()] };
        assert_eq!(plain(StringViewArray::from(vec![Some("b"), None, Some("a"), Some("b")])), texts);
        let dictionary: DictionaryArray<Int8Type> =
            vec![Some("b"), None, Some("a"), Some("b")].into_iter().collect();
        assert_eq!(plain(dictionary), texts);
        let lists =
            ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(vec![Some(vec![Some(1)])]);
        let error = Values::Array(Arc::new(lists)).plain("baskets").unwrap_err();
        assert!(
            error.to_string().starts_with("a column of a rule cannot be \"baskets\": its type is List"),
            "{error}"
        );
    }
}
