//! Whole rows, every column of the file, for the few that have to be compared in full.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_row::{RowConverter, SortField};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use xxhash_rust::xxh3::xxh3_128;

use crate::amount::AmountKind;
use crate::error::{Error, Result};
use crate::history::files::ParquetFile;
use crate::history::footer::damaged_group;
use crate::history::scan::History;
use crate::history::split::Piece;
use crate::parallel;
use crate::progress::Progress;
use crate::random::hash_text;

/// Rows decoded at a time.
const BATCH: usize = 8192;

impl History {
    /// Whether rows that agree in customer, day and amount as held may yet differ: there is an order, another column, a
    /// time finer than a day, or an exact amount held as floating point, where close ones become one.
    pub fn rows_say_more(&self) -> bool {
        // Under an id map, ids or sources may differ where customers agree.
        self.join.is_some()
            || self.files.iter().zip(&self.columns).any(|(file, columns)| {
                let schema = file.schema();
                schema.fields().len() > 3
                    || columns.order.is_some()
                    || schema.field(columns.time.index).data_type() != &DataType::Date32
                    || (self.amounts() == AmountKind::Float
                        && !schema.field(columns.amount.index).data_type().is_floating())
            })
            || self.files[..self.columns.len()].iter().any(|file| !same_schema(file, &self.files[0]))
    }

    /// A 128-bit digest of every column of each row of `rows` (numbers in the history; ascending, no two alike).
    ///
    /// Two rows have the same digest if and, but for odds of 2⁻¹²⁸ a pair, only if all their columns are equal and their
    /// files have the same columns (names and types, in any order) and the same source.
    pub fn digests(&self, rows: &[u64], progress: &dyn Progress) -> Result<Vec<u128>> {
        let mut stretches: Vec<(Piece, Vec<u64>)> = Vec::new();
        for &row in rows {
            let (piece, offset) = self.piece_of(row);
            match stretches.last_mut() {
                Some((last, offsets)) if *last == piece => offsets.push(offset),
                _ => stretches.push((piece, vec![offset])),
            }
        }
        let digests = parallel::try_map(stretches.len(), |i| {
            progress.check()?;
            let (piece, offsets) = &stretches[i];
            let digests = self.guarded(piece, || self.digests_of(piece, offsets))?;
            progress.advance(offsets.len() as u64);
            Ok(digests)
        })?;
        Ok(digests.concat())
    }

    fn digests_of(&self, piece: &Piece, offsets: &[u64]) -> Result<Vec<u128>> {
        let number = piece.file as usize;
        let file = &self.files[number];
        let kind = self.files[..=number].iter().position(|other| same_schema(other, file)).unwrap_or(number);
        let source = self
            .join
            .as_ref()
            .and_then(|join| join.path_of(number))
            .map_or(0, |name| hash_text(name.as_bytes()));
        let schema = file.schema();
        // Sorted by name, so that files whose columns stand in another order compare.
        let mut order: Vec<usize> = (0..schema.fields().len()).collect();
        order.sort_by(|&a, &b| schema.field(a).name().cmp(schema.field(b).name()));
        let fields = order.iter().map(|&i| SortField::new(schema.field(i).data_type().clone())).collect();
        let internal = |e| Error::internal("comparing rows", e);
        let converter = RowConverter::new(fields).map_err(internal)?;

        let mut out = Vec::with_capacity(offsets.len());
        let mut bytes = Vec::new();
        for batch in file.reader(piece.group, None, Some(selection(piece.start, offsets)), BATCH)? {
            let batch = batch.map_err(|e| damaged_group(file.path(), piece.group, &e))?;
            let columns: Vec<ArrayRef> = order.iter().map(|&i| one_zero(batch.column(i))).collect();
            for row in converter.convert_columns(&columns).map_err(internal)?.iter() {
                bytes.clear();
                bytes.extend_from_slice(&(kind as u64).to_le_bytes());
                bytes.extend_from_slice(&source.to_le_bytes());
                bytes.extend_from_slice(row.as_ref());
                out.push(xxh3_128(&bytes));
            }
        }
        if out.len() != offsets.len() {
            return Err(damaged_group(
                file.path(),
                piece.group,
                &"it gave other rows when it was read again",
            ));
        }
        Ok(out)
    }
}

/// Whether two files have the same columns, in whatever order: only then can rows of both be equal.
pub(crate) fn same_schema(a: &ParquetFile, b: &ParquetFile) -> bool {
    let sorted = |file: &ParquetFile| {
        let mut list: Vec<(String, DataType)> = file
            .schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect();
        list.sort_by(|x, y| x.0.cmp(&y.0));
        list
    };
    sorted(a) == sorted(b)
}

/// Floats with −0 turned into 0: they are the same amount.
pub(crate) fn one_zero(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Float32 => {
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(|v| v + 0.0))
        }
        DataType::Float64 => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(|v| v + 0.0))
        }
        _ => array.clone(),
    }
}

/// The rows at `offsets` of a piece that begins at row `start` of its row group.
fn selection(start: u64, offsets: &[u64]) -> RowSelection {
    let mut selectors = Vec::new();
    let mut at = 0;
    for offset in offsets.iter().map(|offset| start + offset) {
        if offset > at {
            selectors.push(RowSelector::skip((offset - at) as usize));
        }
        selectors.push(RowSelector::select(1));
        at = offset + 1;
    }
    RowSelection::from(selectors)
}
