//! Columns beyond those of every customer table: costs, rhythm, periods, kept values.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, UInt32Array};
use arrow_select::concat::concat;
use arrow_select::take::take;

use crate::customers::table::{Column, Values};
use crate::error::{Error, Result};

/// A column of numbers, some of which are missing.
pub(crate) fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    Column { name: name.to_string(), values: Values::Array(Arc::new(values.collect::<Float64Array>())) }
}

/// A column of counts, some of which are missing.
pub(crate) fn counts(name: &str, values: impl Iterator<Item = Option<u32>>) -> Column {
    Column { name: name.to_string(), values: Values::Array(Arc::new(values.collect::<UInt32Array>())) }
}

/// A column of the distinct values of a kept column, by their ranks.
pub(crate) fn kept(
    name: &str,
    values: &ArrayRef,
    ranks: impl Iterator<Item = Option<u32>>,
) -> Result<Column> {
    let ranks: UInt32Array = ranks.collect();
    let values = take(values, &ranks, None).map_err(|e| Error::internal("taking kept values", e))?;
    Ok(Column { name: name.to_string(), values: Values::Array(values) })
}

/// Appends the columns of the next stretch.
pub(crate) fn append(columns: &mut [Column], next: Vec<Column>) -> Result<()> {
    for (column, next) in columns.iter_mut().zip(next) {
        match (&mut column.values, next.values) {
            (Values::Float(values), Values::Float(more)) => values.extend(more),
            (Values::Count(values), Values::Count(more)) => values.extend(more),
            (Values::Label { codes, .. }, Values::Label { codes: more, .. }) => codes.extend(more),
            (Values::Array(array), Values::Array(more)) => {
                let parts: [&dyn Array; 2] = [array, &more];
                *array = concat(&parts).map_err(|e| Error::internal("joining stretches of a column", e))?;
            }
            _ => unreachable!("stretches of one table have columns of one kind"),
        }
    }
    Ok(())
}
