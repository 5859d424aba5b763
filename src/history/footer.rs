//! A file's footer: read, and held against the file, because all that follows rests on what it says.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, FieldRef, Schema, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::ChunkReader;

use crate::error::{Error, Result};
use crate::history::split::SPLIT_ROWS;
use crate::history::thrift::is_whole;

/// The mark at both ends of a Parquet file.
const MARK: &[u8; 4] = b"PAR1";

/// The mark at the end of a file whose footer is encrypted.
const ENCRYPTED_MARK: &[u8; 4] = b"PARE";

/// Mark, length of the footer and mark: nothing shorter is Parquet.
pub(crate) const SHORTEST: u64 = 12;

/// Rows of a row group beyond which its footer is not believed: writers and readers count a group's rows in 31 bits.
const MOST_ROWS: i64 = i32::MAX as i64;

/// Checks the marks at both ends of a file of `bytes` bytes.
pub(crate) fn check_marks(path: &Path, bytes: u64, [begin, end]: [[u8; 4]; 2]) -> Result<()> {
    let problem = match (bytes, &begin == MARK, &end == MARK) {
        (0, ..) => "it is empty",
        (_, true, true) => return Ok(()),
        _ if &end == ENCRYPTED_MARK || &begin == ENCRYPTED_MARK => "its footer is encrypted",
        (_, true, false) => {
            "it begins like one but its end is missing: it was cut short, or is still being written"
        }
        (_, false, true) => "it ends like one but its beginning is missing",
        (_, false, false) => "it does not begin and end like one",
    };
    Err(damaged(path, &problem))
}

/// The error for a file that fails while it is decoded.
pub(crate) fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::NotParquet { path: path.to_path_buf(), problem: error.to_string().trim().to_string() }
}

/// The error for a row group that fails while it is decoded.
pub(crate) fn damaged_group(path: &Path, group: usize, error: &dyn std::fmt::Display) -> Error {
    damaged(path, &format!("row group {group}: {error}"))
}

/// Reads and checks the footer of a file of `bytes` bytes.
///
/// Errors: [`Error::NotParquet`] for a footer that cannot be read, or that cannot be true of this file.
pub(crate) fn read<R: ChunkReader>(path: &Path, bytes: u64, input: &R) -> Result<ArrowReaderMetadata> {
    // The decoder returns errors for nearly all damage; a panic on a damaged footer is damage too.
    let found = catch_unwind(AssertUnwindSafe(|| {
        check_sizes(bytes, input).map_err(|problem| damaged(path, &problem))?;
        let options = ArrowReaderOptions::new();
        let found = ArrowReaderMetadata::load(input, options.clone()).map_err(|e| damaged(path, &e))?;
        check(found.metadata(), bytes).map_err(|problem| damaged(path, &problem))?;
        let is_long = found.metadata().row_groups().iter().any(|group| group.num_rows() as u64 > SPLIT_ROWS);
        // The places of pages are needed only where a row group is read in pieces. They only spare work: a file that
        // has them wrong or not at all is read without.
        let indexed = is_long
            .then(|| options.with_offset_index_policy(PageIndexPolicy::Optional))
            .and_then(|options| ArrowReaderMetadata::load(input, options).ok());
        micros(indexed.unwrap_or(found)).map_err(|e| damaged(path, &e))
    }));
    found.unwrap_or_else(|_| Err(damaged(path, &"its footer cannot be decoded")))
}

/// Whether the footer lies within the file, and what its own sizes say lies within the footer.
fn check_sizes<R: ChunkReader>(bytes: u64, input: &R) -> Result<(), String> {
    let text = |e: ParquetError| e.to_string();
    let tail = input.get_bytes(bytes - 8, 4).map_err(text)?;
    let length = u64::from(tail.iter().rev().fold(0u32, |length, &byte| length << 8 | u32::from(byte)));
    if length > bytes - SHORTEST {
        return Err(format!(
            "its footer has {length} bytes by its own account, but the file has {bytes} bytes"
        ));
    }
    let footer = input.get_bytes(bytes - 8 - length, length as usize).map_err(text)?;
    if !is_whole(&footer) {
        return Err("its footer is damaged".to_string());
    }
    Ok(())
}

/// What the footer says, held against the file's length and against itself.
fn check(metadata: &ParquetMetaData, bytes: u64) -> Result<(), String> {
    let mut rows = 0i64;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        check_group(group, bytes).map_err(|problem| format!("row group {number}: {problem}"))?;
        // No overflow: at most 2^15 row groups of 2^31 rows.
        rows += group.num_rows();
    }
    let said = metadata.file_metadata().num_rows();
    if said != rows {
        return Err(format!("its footer says {said} rows, but its row groups have {rows}"));
    }
    Ok(())
}

fn check_group(group: &RowGroupMetaData, bytes: u64) -> Result<(), String> {
    let rows = group.num_rows();
    if !(0..=MOST_ROWS).contains(&rows) {
        return Err(format!("its footer says {rows} rows, which no row group has"));
    }
    for column in group.columns() {
        let name = column.column_path().string();
        let begin = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        let length = column.compressed_size();
        let inside = begin >= 0
            && length >= 0
            && column.data_page_offset() >= 0
            && begin.checked_add(length).is_some_and(|end| end as u64 <= bytes);
        if !inside {
            return Err(format!(
                "its footer places column \"{name}\" at byte {begin} with {length} bytes, but the file has {bytes} bytes"
            ));
        }
        let values = column.num_values();
        let is_flat = column.column_descr().max_rep_level() == 0;
        if values < 0 || (is_flat && values != rows) {
            return Err(format!(
                "its footer says {values} values of column \"{name}\", where there are {rows} rows"
            ));
        }
    }
    Ok(())
}

/// Times of 96 bits as microseconds: as nanoseconds, which is the decoder's habit, 64 bits hold only 1677 to 2262, and a
/// date beyond that would silently become another one.
fn micros(found: ArrowReaderMetadata) -> Result<ArrowReaderMetadata, ParquetError> {
    let schema = found.schema();
    let fields: Vec<FieldRef> = (schema.fields().iter().enumerate())
        .map(|(i, field)| match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) if is_int96(&found, i) => {
                let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                Arc::new(field.as_ref().clone().with_data_type(micros))
            }
            _ => field.clone(),
        })
        .collect();
    if fields.as_slice() == &schema.fields()[..] {
        return Ok(found);
    }
    let wanted = Schema::new_with_metadata(fields, schema.metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(wanted));
    ArrowReaderMetadata::try_new(found.metadata().clone(), options)
}

/// Whether a top-level column holds times of 96 bits, which say nothing of their zone.
pub(crate) fn is_int96(metadata: &ArrowReaderMetadata, column: usize) -> bool {
    let fields = metadata.parquet_schema().root_schema().get_fields();
    fields
        .get(column)
        .is_some_and(|column| column.is_primitive() && column.get_physical_type() == PhysicalType::INT96)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::testing::{parquet, source};
    use crate::history::{History, HistoryOptions};
    use arrow_array::{ArrayRef, Int64Array};
    use parquet::file::metadata::{FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader};

    #[test]
    fn the_sum_of_the_row_groups_is_held_against_the_file() {
        let column = Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
        let data = parquet(vec![("customer_id", column)], 2);
        let honest = ParquetMetaDataReader::new().parse_and_finish(&data).unwrap();
        assert_eq!(check(&honest, data.len() as u64), Ok(()));
        let file = honest.file_metadata();
        let said = FileMetaData::new(file.version(), 1 << 60, None, None, file.schema_descr_ptr(), None);
        let lie = ParquetMetaDataBuilder::new(said).set_row_groups(honest.row_groups().to_vec()).build();
        assert_eq!(
            check(&lie, data.len() as u64).unwrap_err(),
            "its footer says 1152921504606846976 rows, but its row groups have 3"
        );
        assert!(
            check(&honest, 20)
                .unwrap_err()
                .starts_with("row group 0: its footer places column \"customer_id\"")
        );
        assert!(History::open(&[source("h", data)], &HistoryOptions::default()).is_err());
    }
}
