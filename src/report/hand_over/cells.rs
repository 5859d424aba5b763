//! The columns of a table that is handed on.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, StringArray, UInt32Array};

use crate::customers::Values;

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
        codes: Vec<u8>,
        /// The texts.
        names: Vec<String>,
    },
    /// Numbers; null where they are none.
    Numbers(Vec<f64>),
    /// Whole numbers by the code of a row, null beyond them.
    Levels {
        /// Index into `levels`.
        codes: Vec<u8>,
        /// The numbers.
        levels: Vec<u32>,
    },
    /// Texts that are made when they are written.
    Made(Box<dyn Fn(usize) -> Option<String> + Sync + Send + 'a>),
}

impl Cells<'_> {
    /// The values of some rows as an array.
    pub(super) fn array(&self, rows: Range<usize>) -> ArrayRef {
        match self {
            Cells::Carried(Values::Array(array)) => array.slice(rows.start, rows.len()),
            Cells::Carried(Values::Float(values)) => numbers(&values[rows]),
            Cells::Carried(Values::Count(values)) => {
                Arc::new(UInt32Array::from_iter_values(values[rows].iter().copied()))
            }
            Cells::Carried(Values::Label { codes, names }) | Cells::Labels { codes, names } => {
                let text = |&code: &u8| names.get(usize::from(code)).map(String::as_str);
                Arc::new(codes[rows].iter().map(text).collect::<StringArray>())
            }
            Cells::Numbers(values) => numbers(&values[rows]),
            Cells::Levels { codes, levels } => {
                let level = |&code: &u8| levels.get(usize::from(code)).copied();
                Arc::new(codes[rows].iter().map(level).collect::<UInt32Array>())
            }
            Cells::Made(make) => Arc::new(rows.map(make).collect::<StringArray>()),
        }
    }
}

fn numbers(values: &[f64]) -> ArrayRef {
    let array: Float64Array =
        values.iter().map(|&value| Some(value).filter(|value| !value.is_nan())).collect();
    Arc::new(array) as Arc<dyn Array>
}
