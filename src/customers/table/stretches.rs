//! A Parquet table in parts: row groups, long ones in pieces, so that few rows are in memory at a time.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};

use crate::error::{Error, Result};

/// Rows that are read at one go: a longer row group is read in pieces.
const STRETCH: u64 = if cfg!(test) { 8 } else { 131_072 };

/// Some rows of a row group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) group: usize,
    /// First row in the group, and in the file.
    begin: u64,
    pub(super) first: u64,
    pub(super) rows: u64,
}

/// The parts of a file.
pub(super) fn stretches(metadata: &ArrowReaderMetadata) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut first = 0;
    for (group, about) in metadata.metadata().row_groups().iter().enumerate() {
        let rows = about.num_rows().max(0) as u64;
        let mut begin = 0;
        while begin < rows {
            let len = STRETCH.min(rows - begin);
            stretches.push(Stretch { group, begin, first: first + begin, rows: len });
            begin += len;
        }
        first += rows;
    }
    stretches
}

impl Stretch {
    /// Its rows with `columns` (by place, ascending). `open` opens the file, `damaged` makes an error of what is wrong.
    pub(super) fn read(
        self,
        path: &Path,
        metadata: &ArrowReaderMetadata,
        columns: &[usize],
        open: impl Fn(&Path) -> Result<std::fs::File>,
        damaged: fn(&Path, &dyn std::fmt::Display) -> Error,
    ) -> Result<RecordBatch> {
        let fail = |e: &dyn std::fmt::Display| damaged(path, &format!("row group {}: {e}", self.group));
        let mask = ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied());
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(open(path)?, metadata.clone())
            .with_row_groups(vec![self.group])
            .with_projection(mask)
            .with_batch_size(self.rows as usize);
        let whole = metadata.metadata().row_group(self.group).num_rows() as u64;
        if self.rows < whole {
            let rows = [RowSelector::skip(self.begin as usize), RowSelector::select(self.rows as usize)];
            builder = builder.with_row_selection(RowSelection::from(rows.to_vec()));
        }
        let reader = builder.build().map_err(|e| fail(&e))?;
        let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|e| fail(&e))?;
        let schema = batches.first().map(RecordBatch::schema).ok_or_else(|| fail(&"it has no rows"))?;
        let batch = concat_batches(&schema, &batches).map_err(|e| fail(&e))?;
        if batch.num_rows() as u64 != self.rows {
            return Err(fail(&"it has fewer rows than its footer says"));
        }
        Ok(batch)
    }
}
