//! Small Parquet files in memory, for tests.

use std::path::PathBuf;

use arrow_array::{ArrayRef, RecordBatch};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use crate::history::Source;

/// A Parquet file of these columns in row groups of `group` rows.
pub(crate) fn parquet(columns: Vec<(&str, ArrayRef)>, group: usize) -> Bytes {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    parquet_of(&batch.unwrap(), group)
}

/// A Parquet file of a batch in row groups of `group` rows.
pub(crate) fn parquet_of(batch: &RecordBatch, group: usize) -> Bytes {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    out.into()
}

/// A source of that name.
pub(crate) fn source(name: &str, data: Bytes) -> Source {
    Source::Bytes { name: name.to_string(), data }
}

/// A file of `datasets/cdnow`.
pub(crate) fn cdnow(name: &str) -> Source {
    Source::Path(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets/cdnow").join(name))
}
