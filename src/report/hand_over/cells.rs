//! The columns of a table that is handed on.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, StringArray, UInt32Array};
use arrow_select::take::take;

use crate::customers::Values;
use crate::error::{Error, Result};

/// A column.
pub struct HandOver<'a> {
    /// Its name there.
    pub name: String,
    /// Its values.
    pub cells: Cells<'a>,
}

/// The values of a column, one per row.
pub enum Cells<'a> {
    /// As they came.
    Carried(Values),
    /// One of a few texts: `names[codes[i]]`; null beyond them.
    Labels {
        /// Index into `names`.
        codes: Cow<'a, [u8]>,
        /// The texts.
        names: Vec<String>,
    },
    /// Numbers; null where they are none.
    Numbers(Vec<f64>),
    /// Whole numbers by the code of a row, null beyond them.
    Levels {
        /// Index into `levels`.
        codes: Cow<'a, [u8]>,
        /// The numbers.
        levels: Vec<u32>,
    },
    /// Numbers that are made when they are written; null where they are none.
    Computed(Box<dyn Fn(usize) -> f64 + Sync + Send + 'a>),
    /// True or false.
    Truths(Vec<bool>),
    /// Texts that are made when they are written.
    Made(Box<dyn Fn(usize) -> Option<String> + Sync + Send + 'a>),
}

impl Cells<'_> {
    /// The values of some rows as an array: those of the range, or those that `order` names instead.
    pub(super) fn array(&self, rows: Range<usize>, order: Option<&[u32]>) -> Result<ArrayRef> {
        let row = |k: usize| order.map_or(rows.start + k, |order| order[k] as usize);
        let all = || (0..rows.len()).map(row);
        let code = |codes: &[u8], row: usize| usize::from(codes[row]);
        Ok(match self {
            Cells::Carried(Values::Array(array)) => match order {
                None => array.slice(rows.start, rows.len()),
                Some(order) => {
                    let places = UInt32Array::from(order.to_vec());
                    take(array, &places, None).map_err(|e| Error::internal("ordering rows", e))?
                }
            },
            Cells::Carried(Values::Float(values)) | Cells::Numbers(values) => {
                let number = |row: usize| Some(values[row]).filter(|value| !value.is_nan());
                Arc::new(all().map(number).collect::<Float64Array>())
            }
            Cells::Computed(make) => {
                let number = |row: usize| Some(make(row)).filter(|value| !value.is_nan());
                Arc::new(all().map(number).collect::<Float64Array>())
            }
            Cells::Carried(Values::Count(values)) => {
                Arc::new(UInt32Array::from_iter_values(all().map(|row| values[row])))
            }
            Cells::Carried(Values::Label { codes, names }) => {
                let text = |row: usize| names.get(code(codes, row)).map(String::as_str);
                Arc::new(all().map(text).collect::<StringArray>())
            }
            Cells::Labels { codes, names } => {
                let text = |row: usize| names.get(code(codes, row)).map(String::as_str);
                Arc::new(all().map(text).collect::<StringArray>())
            }
            Cells::Levels { codes, levels } => {
                let level = |row: usize| levels.get(code(codes, row)).copied();
                Arc::new(all().map(level).collect::<UInt32Array>())
            }
            Cells::Truths(values) => Arc::new(all().map(|row| Some(values[row])).collect::<BooleanArray>()),
            Cells::Made(make) => Arc::new(all().map(make).collect::<StringArray>()),
        })
    }
}
