//! From sources to open Parquet files: footers, and what is wrong with a file that cannot be read.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{DataType, FieldRef, Schema, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection,
};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use crate::error::{Error, Result};
use crate::history::Source;
use crate::history::folders::paths_of;

/// The mark at both ends of a Parquet file.
const MARK: &[u8; 4] = b"PAR1";

/// The mark at the end of a file whose footer is encrypted.
const ENCRYPTED_MARK: &[u8; 4] = b"PARE";

/// Mark, length of the footer and mark: nothing shorter is Parquet.
const SHORTEST: u64 = 12;

/// Where one file's bytes are.
#[derive(Debug, Clone)]
enum Place {
    Disk(PathBuf),
    Memory(Bytes),
}

/// A Parquet file whose footer was read.
#[derive(Debug, Clone)]
pub(crate) struct ParquetFile {
    /// The name under which it is reported.
    pub(crate) name: String,
    /// Size in bytes.
    pub(crate) bytes: u64,
    pub(crate) metadata: ArrowReaderMetadata,
    place: Place,
}

/// All files of the sources, opened, in the order of the sources and by path within a folder.
pub(crate) fn open_all(sources: &[Source]) -> Result<Vec<ParquetFile>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        match source {
            Source::Path(path) => {
                for found in paths_of(path)? {
                    let whole = fs::canonicalize(&found).map_err(|e| Error::io("read", &found, e))?;
                    if paths.contains(&whole) {
                        return Err(Error::value(
                            "the history",
                            found.display(),
                            "the file is given twice, and its purchases would count twice",
                            "give each file once, or only the folder",
                        ));
                    }
                    paths.push(whole);
                    files.push(open_disk(&found)?);
                }
            }
            Source::Bytes { name, data } => files.push(open_memory(name, data)?),
        }
    }
    Ok(files)
}

fn open_disk(path: &Path) -> Result<ParquetFile> {
    let io = |e| Error::io("read", path, e);
    let mut file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let mut ends = [[0u8; 4]; 2];
    if bytes >= SHORTEST {
        file.read_exact(&mut ends[0]).map_err(io)?;
        file.seek(SeekFrom::End(-4)).map_err(io)?;
        file.read_exact(&mut ends[1]).map_err(io)?;
    }
    check_marks(path, bytes, ends)?;
    let metadata = load(&file).map_err(|e| damaged(path, &e))?;
    Ok(ParquetFile {
        name: path.display().to_string(),
        bytes,
        metadata,
        place: Place::Disk(path.to_path_buf()),
    })
}

fn open_memory(name: &str, data: &Bytes) -> Result<ParquetFile> {
    let path = Path::new(name);
    let bytes = data.len() as u64;
    let mut ends = [[0u8; 4]; 2];
    if bytes >= SHORTEST {
        ends[0].copy_from_slice(&data[..4]);
        ends[1].copy_from_slice(&data[data.len() - 4..]);
    }
    check_marks(path, bytes, ends)?;
    let metadata = load(data).map_err(|e| damaged(path, &e))?;
    Ok(ParquetFile { name: name.to_string(), bytes, metadata, place: Place::Memory(data.clone()) })
}

/// The footer, with times of 96 bits as microseconds: as nanoseconds, which is the decoder's habit, 64 bits hold only
/// 1677 to 2262, and a date beyond that would silently become another one.
fn load<R: ChunkReader>(input: &R) -> Result<ArrowReaderMetadata, ParquetError> {
    let found = ArrowReaderMetadata::load(input, ArrowReaderOptions::new())?;
    let is_wide = |root: usize| {
        let column = &found.parquet_schema().root_schema().get_fields()[root];
        column.is_primitive() && column.get_physical_type() == PhysicalType::INT96
    };
    let schema = found.schema();
    let fields: Vec<FieldRef> = (schema.fields().iter().enumerate())
        .map(|(i, field)| match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) if is_wide(i) => {
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

fn check_marks(path: &Path, bytes: u64, [begin, end]: [[u8; 4]; 2]) -> Result<()> {
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
    Err(Error::NotParquet { path: path.to_path_buf(), problem: problem.to_string() })
}

/// The error for a file that fails while it is decoded.
pub(crate) fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let text = error.to_string();
    Error::NotParquet { path: path.to_path_buf(), problem: text.trim().to_string() }
}

impl ParquetFile {
    pub(crate) fn path(&self) -> &Path {
        match &self.place {
            Place::Disk(path) => path,
            Place::Memory(_) => Path::new(&self.name),
        }
    }

    /// Rows of all row groups.
    pub(crate) fn rows(&self) -> u64 {
        (0..self.metadata.metadata().num_row_groups()).map(|group| self.group_rows(group)).sum()
    }

    /// Rows of row group `group`.
    pub(crate) fn group_rows(&self, group: usize) -> u64 {
        self.metadata.metadata().row_group(group).num_rows().max(0) as u64
    }

    /// A reader of some top-level columns (all when `columns` is `None`) of one row group, with a file handle of its
    /// own, because a shared handle shares its position.
    pub(crate) fn reader(
        &self,
        group: usize,
        columns: Option<&[usize]>,
        rows: Option<RowSelection>,
        batch: usize,
    ) -> Result<ParquetRecordBatchReader> {
        let metadata = self.metadata.clone();
        let mask = match columns {
            Some(columns) => ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied()),
            None => ProjectionMask::all(),
        };
        let built: Result<ParquetRecordBatchReader, ParquetError> = match &self.place {
            Place::Disk(path) => {
                let file = File::open(path).map_err(|e| Error::io("read", path, e))?;
                let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
                let builder =
                    builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(batch);
                match rows {
                    Some(rows) => builder.with_row_selection(rows).build(),
                    None => builder.build(),
                }
            }
            Place::Memory(data) => {
                let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(data.clone(), metadata);
                let builder =
                    builder.with_row_groups(vec![group]).with_projection(mask).with_batch_size(batch);
                match rows {
                    Some(rows) => builder.with_row_selection(rows).build(),
                    None => builder.build(),
                }
            }
        };
        built.map_err(|e| damaged(self.path(), &e))
    }
}
