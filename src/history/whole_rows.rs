//! Whole rows, every column of the file, for the few that have to be compared in full.

use arrow_array::ArrayRef;
use arrow_row::{RowConverter, SortField};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{Error, Result};
use crate::history::files::damaged;
use crate::history::scan::{History, Piece, same_schema};
use crate::parallel;
use crate::progress::Progress;

/// Rows decoded at a time.
const BATCH: usize = 8192;

impl History {
    /// A 128-bit digest of every column of each row of `rows` (task, row of the task; ascending, no two alike).
    ///
    /// Two rows have the same digest if and, but for odds of 2⁻¹²⁸ a pair, only if all their columns are equal and their
    /// files have the same columns (names and types, in any order).
    pub fn digests(&self, rows: &[(u32, u32)], progress: &dyn Progress) -> Result<Vec<u128>> {
        let mut stretches: Vec<(Piece, Vec<u64>)> = Vec::new();
        for &(task, row) in rows {
            let (piece, offset) = self.piece_of(task, row);
            match stretches.last_mut() {
                Some((last, offsets)) if *last == piece => offsets.push(offset),
                _ => stretches.push((piece, vec![offset])),
            }
        }
        let digests = parallel::try_map(stretches.len(), |i| {
            progress.check()?;
            let (piece, offsets) = &stretches[i];
            let digests = self.digests_of(piece, offsets);
            progress.advance(offsets.len() as u64);
            digests
        })?;
        Ok(digests.concat())
    }

    fn digests_of(&self, piece: &Piece, offsets: &[u64]) -> Result<Vec<u128>> {
        let number = piece.file as usize;
        let file = &self.files[number];
        let kind = self.files[..=number].iter().position(|other| same_schema(other, file)).unwrap_or(number);
        let schema = file.metadata.schema();
        // Sorted by name, so that files whose columns stand in another order compare.
        let mut order: Vec<usize> = (0..schema.fields().len()).collect();
        order.sort_by(|&a, &b| schema.field(a).name().cmp(schema.field(b).name()));
        let fields = order.iter().map(|&i| SortField::new(schema.field(i).data_type().clone())).collect();
        let internal = |e| Error::internal("comparing rows", e);
        let converter = RowConverter::new(fields).map_err(internal)?;

        let mut out = Vec::with_capacity(offsets.len());
        let mut bytes = Vec::new();
        for batch in file.reader(piece.group, None, Some(selection(offsets)), BATCH)? {
            let batch = batch.map_err(|e| damaged(file.path(), &e))?;
            let columns: Vec<ArrayRef> = order.iter().map(|&i| batch.column(i).clone()).collect();
            for row in converter.convert_columns(&columns).map_err(internal)?.iter() {
                bytes.clear();
                bytes.extend_from_slice(&(kind as u64).to_le_bytes());
                bytes.extend_from_slice(row.as_ref());
                out.push(xxh3_128(&bytes));
            }
        }
        if out.len() != offsets.len() {
            return Err(damaged(file.path(), &"it gave other rows when it was read again"));
        }
        Ok(out)
    }
}

fn selection(offsets: &[u64]) -> RowSelection {
    let mut selectors = Vec::new();
    let mut at = 0;
    for &offset in offsets {
        if offset > at {
            selectors.push(RowSelector::skip((offset - at) as usize));
        }
        selectors.push(RowSelector::select(1));
        at = offset + 1;
    }
    RowSelection::from(selectors)
}
