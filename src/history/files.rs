//! From sources to open Parquet files, and from a file to its batches.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, FieldRef, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use crate::error::{Error, Result};
use crate::history::Source;
use crate::history::folders::{Found, found_at};
use crate::history::footer::{self, SHORTEST, check_marks, damaged_group};
use crate::history::hive::{Constant, Keys};
use crate::history::stamp::Stamp;
use crate::parallel;

/// Where one file's bytes are.
#[derive(Debug, Clone)]
enum Place {
    Disk { path: PathBuf, stamp: Stamp },
    Memory(Bytes),
}

/// A Parquet file whose footer was read. No handle is kept open: a history may have more files than a process may hold.
#[derive(Debug, Clone)]
pub(crate) struct ParquetFile {
    /// The name under which it is reported.
    pub(crate) name: String,
    /// Size in bytes.
    pub(crate) bytes: u64,
    pub(crate) metadata: ArrowReaderMetadata,
    /// The same, with the texts of a column as views: what its rows are decoded by.
    views: Option<ArrowReaderMetadata>,
    /// What its folders say.
    pub(crate) keys: Keys,
    /// What the path is called through which it was found.
    pub(crate) given: String,
    /// Its own columns, and after them the constant ones.
    schema: SchemaRef,
    constants: Vec<Constant>,
    place: Place,
}

/// One file that was found, or why it cannot be opened, by the name of the file.
pub(crate) type Opened = Result<ParquetFile, (String, Error)>;

/// All files of the sources, opened, in the order of the sources and by path within a folder or pattern.
///
/// Errors: what is wrong with the sources themselves. What is wrong with one file stands in its place.
pub(crate) fn open_all(sources: &[Source]) -> Result<Vec<Opened>> {
    let mut found: Vec<(Option<Found>, &Source)> = Vec::new();
    for source in sources {
        match source {
            Source::Path(path) => found.extend(found_at(path)?.into_iter().map(|one| (Some(one), source))),
            Source::Bytes { .. } => found.push((None, source)),
        }
    }
    let whole = parallel::map(found.len(), |i| match &found[i].0 {
        Some(found) => fs::canonicalize(&found.path).ok(),
        None => None,
    });
    let mut seen: HashSet<&PathBuf> = HashSet::with_capacity(whole.len());
    for (whole, (one, _)) in whole.iter().zip(&found) {
        if let (Some(whole), Some(one)) = (whole, one)
            && !seen.insert(whole)
        {
            return Err(Error::value(
                "the history",
                one.path.display(),
                "the file is given twice, and its purchases would count twice",
                "give each file once, or only the folder",
            ));
        }
    }
    Ok(parallel::map(found.len(), |i| match &found[i] {
        (Some(found), _) => open_disk(found).map_err(|error| (found.path.display().to_string(), error)),
        (None, Source::Bytes { name, data }) => {
            open_memory(name, data).map_err(|error| (name.clone(), error))
        }
        (None, Source::Path(path)) => {
            Err((path.display().to_string(), Error::NoSuchFile { path: path.clone() }))
        }
    }))
}

fn open_disk(Found { path, keys, given }: &Found) -> Result<ParquetFile> {
    let io = |e| unreadable(path, e);
    let mut file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let bytes = metadata.len();
    let mut ends = [[0u8; 4]; 2];
    if bytes >= SHORTEST {
        file.read_exact(&mut ends[0]).map_err(io)?;
        file.seek(SeekFrom::End(-4)).map_err(io)?;
        file.read_exact(&mut ends[1]).map_err(io)?;
    }
    check_marks(path, bytes, ends)?;
    let place = Place::Disk { path: path.clone(), stamp: Stamp::of(&metadata) };
    let metadata = footer::read(path, bytes, &file)?;
    let file = ParquetFile::new(path.display().to_string(), bytes, metadata, keys.clone(), place);
    Ok(ParquetFile { given: given.clone(), ..file })
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
    let metadata = footer::read(path, bytes, data)?;
    Ok(ParquetFile::new(name.to_string(), bytes, metadata, Keys::new(), Place::Memory(data.clone())))
}

/// A file that is gone is named so; anything else is the system's word.
pub(crate) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, error),
    }
}

impl ParquetFile {
    fn new(name: String, bytes: u64, metadata: ArrowReaderMetadata, keys: Keys, place: Place) -> Self {
        let schema = metadata.schema().clone();
        let given = Path::new(&name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let given = given.unwrap_or_default();
        ParquetFile { name, bytes, metadata, views: None, keys, given, schema, constants: Vec::new(), place }
    }

    pub(crate) fn path(&self) -> &Path {
        match &self.place {
            Place::Disk { path, .. } => path,
            Place::Memory(_) => Path::new(&self.name),
        }
    }

    /// Its own columns, and after them those that its folders name.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Columns of its own.
    pub(crate) fn own_columns(&self) -> usize {
        self.metadata.schema().fields().len()
    }

    /// Whether a column holds times of 96 bits, which do not say whether they are local.
    pub(crate) fn is_int96(&self, column: usize) -> bool {
        footer::is_int96(&self.metadata, column)
    }

    /// Puts `constants` behind its own columns.
    pub(crate) fn set_constants(&mut self, constants: Vec<Constant>) {
        let own = self.metadata.schema();
        let fields: Vec<_> =
            own.fields().iter().cloned().chain(constants.iter().map(|c| c.field.clone())).collect();
        self.schema = Arc::new(Schema::new_with_metadata(fields, own.metadata().clone()));
        self.constants = constants;
    }

    /// Gives the texts of a column of its own as views to readers of chosen columns: they point into the pages, whose
    /// bytes are not copied.
    pub(crate) fn view_texts(&mut self, column: usize) {
        let viewed = |(i, field): (usize, &FieldRef)| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 if i == column => {
                Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
            }
            _ => field.clone(),
        };
        let schema = self.metadata.schema();
        let fields: Vec<FieldRef> = schema.fields().iter().enumerate().map(viewed).collect();
        if fields.as_slice() != &schema.fields()[..] {
            let wanted = Schema::new_with_metadata(fields, schema.metadata().clone());
            let options = ArrowReaderOptions::new().with_schema(Arc::new(wanted));
            // Without them it is read all the same.
            self.views = ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options).ok();
        }
    }

    /// Row groups.
    pub(crate) fn groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows of all row groups.
    pub(crate) fn rows(&self) -> u64 {
        (0..self.groups()).map(|group| self.group_rows(group)).sum()
    }

    /// Rows of row group `group`.
    pub(crate) fn group_rows(&self, group: usize) -> u64 {
        self.metadata.metadata().row_group(group).num_rows().max(0) as u64
    }

    /// Whether it is known where each page begins.
    pub(crate) fn is_indexed(&self) -> bool {
        self.metadata.metadata().offset_index().is_some_and(|groups| groups.len() == self.groups())
    }

    /// An error if the file is no longer the one whose footer was read.
    pub(crate) fn unchanged(&self) -> Result<()> {
        match &self.place {
            Place::Disk { path, .. } => self.same(&fs::metadata(path).map_err(|e| unreadable(path, e))?),
            Place::Memory(_) => Ok(()),
        }
    }

    fn same(&self, now: &fs::Metadata) -> Result<()> {
        match &self.place {
            Place::Disk { path, stamp } if *stamp != Stamp::of(now) => {
                Err(Error::FileChanged { path: path.clone() })
            }
            _ => Ok(()),
        }
    }

    /// A reader of some columns (all when `columns` is `None`; ascending) of one row group, with a file handle of its
    /// own, because a shared handle shares its position.
    pub(crate) fn reader(
        &self,
        group: usize,
        columns: Option<&[usize]>,
        rows: Option<RowSelection>,
        batch: usize,
    ) -> Result<Batches> {
        let own = self.own_columns();
        let everything: Vec<usize> = (0..self.schema.fields().len()).collect();
        let metadata = self.views.as_ref().filter(|_| columns.is_some()).unwrap_or(&self.metadata);
        let columns = columns.unwrap_or(&everything);
        let (of_file, of_folders) = columns.split_at(columns.partition_point(|&column| column < own));
        let built = match &self.place {
            Place::Disk { path, .. } => {
                let file = File::open(path).map_err(|e| unreadable(path, e))?;
                self.same(&file.metadata().map_err(|e| unreadable(path, e))?)?;
                build(file, metadata, group, of_file, rows, batch)
            }
            Place::Memory(data) => build(data.clone(), metadata, group, of_file, rows, batch),
        };
        let reader = built.map_err(|e| damaged_group(self.path(), group, &e))?;
        let constants = of_folders.iter().map(|&column| (self.constants[column - own].clone(), None));
        let constants: Vec<(Constant, Option<ArrayRef>)> = constants.collect();
        let decoded = reader.schema();
        let fields = decoded.fields().iter().chain(constants.iter().map(|(one, _)| &one.field));
        let fields: Vec<FieldRef> = fields.cloned().collect();
        let schema = Schema::new_with_metadata(fields, self.schema.metadata().clone());
        Ok(Batches { reader, schema: Arc::new(schema), constants })
    }
}

fn build<R: ChunkReader + 'static>(
    input: R,
    metadata: &ArrowReaderMetadata,
    group: usize,
    columns: &[usize],
    rows: Option<RowSelection>,
    batch: usize,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    let mask = ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied());
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata.clone())
        .with_row_groups(vec![group])
        .with_projection(mask)
        .with_batch_size(batch);
    match rows {
        Some(rows) => builder.with_row_selection(rows).build(),
        None => builder.build(),
    }
}

/// The batches of a row group, with the constant columns that were asked for behind the file's own.
pub(crate) struct Batches {
    reader: ParquetRecordBatchReader,
    schema: SchemaRef,
    /// Each with its array of the last batch: most batches have the same number of rows.
    constants: Vec<(Constant, Option<ArrayRef>)>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.reader.next()? {
            Ok(batch) if self.constants.is_empty() => return Some(Ok(batch)),
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        let rows = batch.num_rows();
        let mut columns = batch.columns().to_vec();
        for (constant, last) in &mut self.constants {
            let array = match last.take() {
                Some(array) if array.len() == rows => array,
                _ => constant.array(rows),
            };
            columns.push(array.clone());
            *last = Some(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Some(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options))
    }
}
