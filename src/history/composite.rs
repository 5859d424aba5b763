//! Ids of several columns, as bytes that are equal where all columns are and sort like them, one after the other.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, UInt64Array, new_null_array};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_cast::display::array_value_to_string;
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::{ArrowError, DataType};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::history::keys::{TextId, id_hash, integers};
use crate::history::types::{IdKind, TextKind};

/// One of the columns that are a customer's id together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdPart {
    /// The column's name in the first file.
    pub name: String,
    /// What it holds; no part is itself composite.
    pub kind: IdKind,
}

/// Between the parts of an id in a text for people.
const BETWEEN: &str = "/";

/// The composite ids of one batch.
pub(crate) struct Composites {
    rows: Rows,
    hashes: Vec<u64>,
    /// The columns of texts, if any row of them is blank.
    blanks: Vec<ArrayRef>,
}

/// Why composite ids cannot be had.
pub(crate) enum Refused {
    /// The part of that number holds an integer that its kind cannot hold.
    Unrepresentable(usize),
    Arrow(ArrowError),
}

/// Whether a column holds texts, be it through a dictionary.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    IdKind::of(data_type).is_some_and(IdKind::is_text)
}

/// A column without its dictionary.
pub(crate) fn flat(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.as_any_dictionary_opt() {
        // A row group of nulls alone has keys that point nowhere.
        Some(dictionary) if dictionary.values().is_empty() => {
            Ok(new_null_array(dictionary.values().data_type(), array.len()))
        }
        Some(dictionary) => cast(array, dictionary.values().data_type()),
        None => Ok(array.clone()),
    }
}

/// The text of row `row` of a column of texts without dictionary.
pub(crate) fn text_at(array: &ArrayRef, row: usize) -> &str {
    match array.data_type() {
        DataType::LargeUtf8 => array.as_string::<i64>().value(row),
        DataType::Utf8View => array.as_string_view().value(row),
        _ => array.as_string::<i32>().value(row),
    }
}

/// Whether the row holds a text of nothing but white space.
fn is_blank(array: &ArrayRef, row: usize) -> bool {
    array.is_valid(row) && text_at(array, row).trim_start().is_empty()
}

/// What holds integers of a kind while they are encoded: narrow ones of either sign are the same bytes.
fn carrier(kind: IdKind) -> DataType {
    match kind {
        IdKind::Unsigned { bits: 64 } => DataType::UInt64,
        _ => DataType::Int64,
    }
}

impl Composites {
    /// The ids of these columns, whose kinds in the whole history are `kinds`, and where a part is null.
    pub(crate) fn of(
        columns: &[&ArrayRef],
        kinds: &[IdKind],
    ) -> Result<(Composites, Option<NullBuffer>), Refused> {
        let (mut parts, mut texts, mut nulls) = (Vec::new(), Vec::new(), None);
        for (i, (column, &kind)) in columns.iter().zip(kinds).enumerate() {
            let column = flat(column).map_err(Refused::Arrow)?;
            let of_column = column.logical_nulls();
            nulls = NullBuffer::union(nulls.as_ref(), of_column.as_ref());
            if kind.is_text() {
                if (0..column.len()).any(|row| is_blank(&column, row)) {
                    texts.push(column.clone());
                }
                parts.push(column);
                continue;
            }
            let values = integers(&column, kind).map_err(|_| Refused::Unrepresentable(i))?;
            parts.push(match carrier(kind) {
                DataType::UInt64 => Arc::new(UInt64Array::new(values.into(), of_column)),
                _ => {
                    let values: Vec<i64> = values.into_iter().map(|v| v as i64).collect();
                    Arc::new(Int64Array::new(values.into(), of_column))
                }
            });
        }
        let fields = parts.iter().map(|part| SortField::new(part.data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(Refused::Arrow)?;
        let rows = converter.convert_columns(&parts).map_err(Refused::Arrow)?;
        let hashes = rows.iter().map(|row| id_hash(row.data())).collect();
        Ok((Composites { rows, hashes, blanks: texts }, nulls))
    }

    /// Bytes and hash of row `row`.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> (&[u8], u64) {
        (self.rows.row(row).data(), self.hashes[row])
    }

    /// The id of row `row`.
    #[inline]
    pub(crate) fn id(&self, row: usize) -> TextId<'_> {
        let (bytes, hash) = self.get(row);
        TextId::new(bytes, Some(hash))
    }

    /// A part of row `row` that is empty or white space: no id, though not null.
    #[inline]
    pub(crate) fn blank(&self, row: usize) -> Option<&str> {
        self.blanks.iter().find(|column| is_blank(column, row)).map(|column| text_at(column, row))
    }
}

/// The parts that hold the ids of both, under the names of the first; `None` if their names, their order or their types do
/// not go together, or if the ids of the first would be other bytes then: what was made of their hashes would not hold.
pub(crate) fn joined(first: &[IdPart], second: &[IdPart]) -> Option<Vec<IdPart>> {
    if first.len() != second.len() {
        return None;
    }
    let pairs = first.iter().zip(second);
    pairs
        .map(|(a, b)| {
            let kind = a.kind.join(b.kind).filter(|_| a.name == b.name)?;
            let same_bytes = kind.is_text() || carrier(kind) == carrier(a.kind);
            same_bytes.then(|| IdPart { name: a.name.clone(), kind })
        })
        .collect()
}

/// Parts in words, as in "store (text), number (64-bit integers)".
pub(crate) fn words(parts: &[IdPart]) -> String {
    let each: Vec<String> =
        parts.iter().map(|part| format!("{} ({})", part.name, part.kind.words())).collect();
    each.join(", ")
}

/// The columns of ids that were encoded, one per part, in the types they came in.
///
/// Errors: [`Error::Internal`] for bytes that are no such ids.
pub fn columns<'a>(
    parts: &[IdPart],
    ids: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<Vec<(String, ArrayRef)>> {
    let internal = |e| Error::internal("decoding composite ids", e);
    // 32-bit offsets end at 2 GiB; beyond it the large type holds the same texts.
    let small = i32::try_from(ids.clone().map(<[u8]>::len).sum::<usize>()).is_ok();
    let text = |kind| match kind {
        TextKind::Utf8View => DataType::Utf8View,
        TextKind::Utf8 if small => DataType::Utf8,
        TextKind::Utf8 | TextKind::LargeUtf8 => DataType::LargeUtf8,
    };
    let encoded = |part: &IdPart| match part.kind {
        IdKind::Text { kind } => text(kind),
        kind => carrier(kind),
    };
    let converter =
        RowConverter::new(parts.iter().map(|p| SortField::new(encoded(p))).collect()).map_err(internal)?;
    let parser = converter.parser();
    let arrays = converter.convert_rows(ids.map(|id| parser.parse(id))).map_err(internal)?;
    parts
        .iter()
        .zip(arrays)
        .map(|(part, array)| {
            let array = match part.kind.integer_type() {
                Some(data_type) => cast(&array, &data_type).map_err(internal)?,
                None => array,
            };
            Ok((part.name.clone(), array))
        })
        .collect()
}

/// One encoded id for people, as in "north/17".
pub fn text(parts: &[IdPart], id: &[u8]) -> String {
    let shown = |array: &ArrayRef| array_value_to_string(array, 0).unwrap_or_default();
    match columns(parts, std::iter::once(id)) {
        Ok(columns) => columns.iter().map(|(_, array)| shown(array)).collect::<Vec<_>>().join(BETWEEN),
        Err(_) => String::from_utf8_lossy(id).into_owned(),
    }
}
