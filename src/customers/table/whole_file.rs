//! A table of customers, of whatever making, column by column: what rules of tiers look at.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array, new_empty_array};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat;
use arrow_select::filter::filter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use crate::customers::table::stretches::{Stretch, stretches};
use crate::customers::table::{Ids, TableInfo, Values};
use crate::error::{Error, Result, nearest_first};
use crate::history::stamp::Stamp;
use crate::history::{IdKind, IdValues, id_batch};
use crate::parallel;

/// The column of ids in tables of tiercast.
const CUSTOMER_ID: &str = "customer_id";

/// A Parquet table with one row per customer, prospects among them.
///
/// Columns are read one after the other; a file that changes meanwhile is an error ([`Error::FileChanged`]), so that no
/// result mixes two states of it.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    stamp: Stamp,
    metadata: ArrowReaderMetadata,
    /// What its columns are called here.
    names: Vec<String>,
    id: usize,
    about: Option<TableInfo>,
    stretches: Vec<Stretch>,
}

/// A column that is put beside those of a file, one of a few values by the code of a row; null beyond them.
#[derive(Debug, Clone, Copy)]
pub enum Added<'a> {
    /// Texts.
    Texts {
        /// Its name.
        name: &'a str,
        /// Index into `texts` of every row of the file.
        codes: &'a [u8],
        /// The texts.
        texts: &'a [String],
    },
    /// Whole numbers.
    Counts {
        /// Its name.
        name: &'a str,
        /// Index into `counts` of every row of the file.
        codes: &'a [u8],
        /// The numbers.
        counts: &'a [u32],
    },
}

impl Added<'_> {
    fn name(&self) -> &str {
        match self {
            Added::Texts { name, .. } | Added::Counts { name, .. } => name,
        }
    }

    fn array(&self, rows: std::ops::Range<usize>) -> ArrayRef {
        match *self {
            Added::Texts { codes, texts, .. } => {
                let text = |&code: &u8| texts.get(usize::from(code)).map(String::as_str);
                Arc::new(codes[rows].iter().map(text).collect::<StringArray>())
            }
            Added::Counts { codes, counts, .. } => {
                let count = |&code: &u8| counts.get(usize::from(code)).copied();
                Arc::new(codes[rows].iter().map(count).collect::<UInt32Array>())
            }
        }
    }
}

impl WholeFile {
    /// Opens a file whose ids are in column `id`, or in `customer_id` where none is named.
    ///
    /// # Errors
    /// A file that cannot be read or holds no row; a column of ids that is not there or holds neither integers nor texts;
    /// two columns of one name; a description by another version of tiercast.
    pub fn open(path: &Path, id: Option<&str>) -> Result<WholeFile> {
        WholeFile::open_called(path, id, &|_| None)
    }

    /// Opens a file whose columns are called otherwise here: `own` says how, where it is not by their name in the file. A
    /// column keeps its name where another one of the file is called so already.
    ///
    /// # Errors
    /// As for [`WholeFile::open`].
    pub fn open_called(
        path: &Path,
        id: Option<&str>,
        own: &dyn Fn(&str) -> Option<String>,
    ) -> Result<WholeFile> {
        let file = open(path)?;
        let stamp = stamp(&file, path)?;
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| damaged(path, &e))?;
        let schema = metadata.schema();
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            return Err(document(
                path,
                format!("two of its columns are called \"{}\"", names[i]),
                "rename or drop one of them",
            ));
        }
        let mut called = names.clone();
        for (i, name) in names.iter().enumerate() {
            if let Some(own) = own(name).filter(|own| !called.contains(own)) {
                called[i] = own;
            }
        }
        let about = TableInfo::find(schema).map_err(|problem| {
            document(path, problem, "read it with the tiercast that made it, or make it again")
        })?;
        let wanted = id.unwrap_or(CUSTOMER_ID);
        let found = [&called, &names].into_iter().find_map(|names| {
            names
                .iter()
                .position(|name| name == wanted)
                .or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
        });
        let id = found.ok_or_else(|| Error::ColumnNotFound {
            path: path.to_path_buf(),
            role: "customer",
            wanted: Some(wanted.to_string()),
            columns: nearest_first(wanted, &names),
        })?;
        if IdKind::of(schema.field(id).data_type()).is_none() {
            return Err(Error::ColumnType {
                path: path.to_path_buf(),
                role: "customer",
                column: names[id].clone(),
                found: schema.field(id).data_type().to_string(),
                expected: "integers or texts",
            });
        }
        let stretches = stretches(&metadata);
        let out =
            WholeFile { path: path.to_path_buf(), stamp, metadata, names: called, id, about, stretches };
        match out.rows() {
            0 => Err(document(path, "it has no rows".into(), "give a table with at least one customer")),
            _ => Ok(out),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself, if tiercast made it.
    pub fn about(&self) -> Option<&TableInfo> {
        self.about.as_ref()
    }

    /// Its rows.
    pub fn rows(&self) -> usize {
        self.metadata.metadata().file_metadata().num_rows().max(0) as usize
    }

    /// The names of its columns but that of the ids.
    pub fn columns(&self) -> Vec<String> {
        let names = self.names.iter().enumerate();
        names.filter(|&(i, _)| i != self.id).map(|(_, name)| name.clone()).collect()
    }

    /// Whether there is a column of that name that holds numbers.
    pub fn is_number(&self, name: &str) -> bool {
        let place = self.names.iter().position(|own| own == name);
        place.is_some_and(|place| self.metadata.schema().field(place).data_type().is_numeric())
    }

    /// The type of a column, in words; `None` where there is no such column.
    pub fn type_of(&self, name: &str) -> Option<String> {
        let place = self.names.iter().position(|own| own == name)?;
        Some(self.metadata.schema().field(place).data_type().to_string())
    }

    /// The name of the column of ids.
    pub fn id_name(&self) -> &str {
        &self.names[self.id]
    }

    /// Everybody's id, in the order of the file.
    ///
    /// # Errors
    /// Damage; a row without an id, and an id that stands twice, with the row (from 0).
    pub fn ids(&self) -> Result<Ids> {
        let array = self.read(self.id)?;
        let kind = IdKind::of(array.data_type())
            .ok_or_else(|| Error::internal("reading ids", "a column lost its type"))?;
        let found =
            id_batch(&array, kind).map_err(|_| Error::internal("reading ids", "an id is too large"))?;
        let is_missing = |row: usize| {
            found.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) || found.blank(row).is_some()
        };
        if let Some(row) = (0..array.len()).find(|&row| is_missing(row)) {
            let problem = format!("row {row} has no id in \"{}\"", self.id_name());
            return Err(document(&self.path, problem, "give each customer an id, or drop the row"));
        }
        let ids = match (found.values, kind) {
            (IdValues::Integers(values), IdKind::Signed { bits }) => {
                Ids::Signed { values: values.into_iter().map(|value| value as i64).collect(), bits }
            }
            (IdValues::Integers(values), IdKind::Unsigned { bits }) => Ids::Unsigned { values, bits },
            (IdValues::Texts(texts), IdKind::Text { kind }) => {
                let (mut ends, mut bytes) = (Vec::with_capacity(array.len()), Vec::new());
                for row in 0..array.len() {
                    bytes.extend_from_slice(texts.get(row).0);
                    ends.push(bytes.len());
                }
                Ids::Text { ends, bytes, kind }
            }
            _ => return Err(Error::internal("reading ids", "ids of another kind than their column")),
        };
        match twice(&ids) {
            Some(row) => {
                let problem =
                    format!("customer {} stands there twice (row {row} is the second)", ids.text(row));
                Err(document(&self.path, problem, "give each customer one row"))
            }
            None => Ok(ids),
        }
    }

    /// The values of a column, in the type that they have there, of the rows that `keep` says or of all; `None` where
    /// there is no such column.
    ///
    /// # Errors
    /// Damage.
    pub fn column(&self, name: &str, keep: Option<&[bool]>) -> Result<Option<Values>> {
        let Some(place) = self.names.iter().position(|own| own == name) else { return Ok(None) };
        let array = self.read(place)?;
        let array = match keep {
            Some(keep) => filter(&array, &BooleanArray::from(keep.to_vec()))
                .map_err(|e| Error::internal("choosing rows", e))?,
            None => array,
        };
        Ok(Some(Values::Array(array)))
    }

    /// Which rows are customers, where some are prospects: those with a number of repeat purchases. `None` where all
    /// are, or where the table has no such column.
    ///
    /// # Errors
    /// Damage.
    pub fn customers(&self) -> Result<Option<Vec<bool>>> {
        let Some(place) = self.names.iter().position(|own| own == "frequency") else { return Ok(None) };
        let array = self.read(place)?;
        Ok(array.logical_nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.iter().collect()))
    }

    /// Parts in which [`WholeFile::stretch_with`] reads it.
    pub fn stretches(&self) -> usize {
        self.stretches.len()
    }

    /// The rows of part `i` with all columns, those that are added last and in place of any of their names; `about` is
    /// put into the schema's metadata.
    ///
    /// # Errors
    /// Damage.
    pub fn stretch_with(&self, i: usize, added: &[Added<'_>], about: (&str, &str)) -> Result<RecordBatch> {
        let stretch = self.stretches[i];
        let is_added = |name: &str| added.iter().any(|column| column.name() == name);
        let schema = self.metadata.schema();
        let kept: Vec<usize> = (0..schema.fields().len()).filter(|&k| !is_added(&self.names[k])).collect();
        let reopen = |_: &Path| self.reopen();
        let batch = stretch.read(&self.path, &self.metadata, &kept, reopen, |path, e| damaged(path, e));
        let batch = self.unchanged(batch)?;
        let rows = stretch.first as usize..(stretch.first + stretch.rows) as usize;
        let mut fields = batch.schema().fields().to_vec();
        let mut arrays = batch.columns().to_vec();
        for column in added {
            let array = column.array(rows.clone());
            // Whether there may be nulls must not depend on the part.
            fields.push(Arc::new(Field::new(column.name(), array.data_type().clone(), true)));
            arrays.push(array);
        }
        // Decoded batches do not say what the file says of itself.
        let mut metadata = schema.metadata().clone();
        metadata.insert(about.0.to_string(), about.1.to_string());
        let schema = Schema::new_with_metadata(fields, metadata);
        RecordBatch::try_new(Arc::new(schema), arrays).map_err(|e| Error::internal("adding columns", e))
    }

    /// The file once more, if it is still the one whose footer was read.
    fn reopen(&self) -> Result<File> {
        let file = open(&self.path)?;
        match stamp(&file, &self.path)? == self.stamp {
            true => Ok(file),
            false => Err(Error::FileChanged { path: self.path.clone() }),
        }
    }

    /// What was read, if the file did not change meanwhile: an error of reading may come of that, too.
    fn unchanged<T>(&self, read: Result<T>) -> Result<T> {
        self.reopen()?;
        read
    }

    /// One column of all row groups.
    fn read(&self, column: usize) -> Result<ArrayRef> {
        self.unchanged(self.read_groups(column))
    }

    fn read_groups(&self, column: usize) -> Result<ArrayRef> {
        let fail = |e: &dyn std::fmt::Display| damaged(&self.path, e);
        let groups = self.metadata.metadata().num_row_groups();
        let parts = parallel::try_map(groups, |group| {
            let rows = self.metadata.metadata().row_group(group).num_rows().max(1) as usize;
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [column]);
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.reopen()?, self.metadata.clone())
                    .with_row_groups(vec![group])
                    .with_projection(mask)
                    .with_batch_size(rows)
                    .build()
                    .map_err(|e| fail(&e))?;
            let mut out: Vec<ArrayRef> = Vec::new();
            for batch in reader {
                out.push(batch.map_err(|e| fail(&e))?.column(0).clone());
            }
            Ok(out)
        })?;
        let parts: Vec<ArrayRef> = parts.into_iter().flatten().collect();
        let parts: Vec<&dyn Array> = parts.iter().map(|array| &**array).collect();
        if parts.is_empty() {
            return Ok(new_empty_array(self.metadata.schema().field(column).data_type()));
        }
        concat(&parts).map_err(|e| fail(&e))
    }
}

/// The first row whose id stands before it.
fn twice(ids: &Ids) -> Option<usize> {
    let mut by_hash = parallel::collect(ids.len(), |row| (ids.hash(row), row as u32));
    parallel::sort_by_key(&mut by_hash, |&pair| pair);
    let of_group = |group: &[(u64, u32)]| {
        let is_known = |k: usize| {
            group[..k].iter().any(|&(_, other)| ids.text(other as usize) == ids.text(group[k].1 as usize))
        };
        (1..group.len()).find(|&k| is_known(k)).map(|k| group[k].1 as usize)
    };
    by_hash.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1).filter_map(of_group).min()
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, e),
    })
}

fn stamp(file: &File, path: &Path) -> Result<Stamp> {
    file.metadata().map(|metadata| Stamp::of(&metadata)).map_err(|e| Error::io("read", path, e))
}

fn document(path: &Path, problem: String, remedy: &str) -> Error {
    Error::Document { file: path.display().to_string(), problem, remedy: remedy.to_string() }
}

fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    document(
        path,
        format!("it is not a readable Parquet file: {problem}"),
        "give one Parquet table of customers",
    )
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int64Type, UInt32Type};
    use arrow_array::{Float64Array, Int64Array};
    use arrow_select::concat::concat_batches;
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::customers::table::TextKind;

    #[test]
    fn a_file_that_changes_meanwhile_is_refused() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let opened = file(folder.path());
        assert!(opened.column("cluster", None).unwrap().is_some());
        // The same rows once more, as another file.
        std::fs::rename(file(other.path()).path(), opened.path()).unwrap();
        let changed = |e: Error| matches!(e, Error::FileChanged { path } if path == opened.path());
        assert!(changed(opened.column("cluster", None).unwrap_err()));
        assert!(changed(opened.ids().unwrap_err()));
        assert!(changed(opened.stretch_with(0, &[], ("a", "b")).unwrap_err()));
    }

    /// A file of 20 rows in one row group, which is read in three parts.
    fn file(folder: &Path) -> WholeFile {
        let ids = Int64Array::from_iter_values((0..20).map(|i| (i * 7) % 20));
        let cluster = Float64Array::from_iter_values((0..20).map(f64::from));
        let columns: [(&str, ArrayRef); 2] = [("cluster", Arc::new(cluster)), ("customer_id", Arc::new(ids))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let metadata = [("mine".to_string(), "kept".to_string())].into();
        let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
        let batch = batch.with_schema(Arc::new(schema)).unwrap();
        let path = folder.join("c.parquet");
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        WholeFile::open(&path, None).unwrap()
    }

    #[test]
    fn columns_are_added_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        assert_eq!((file.stretches(), file.rows()), (3, 20));
        let codes: Vec<u8> = (0..20).map(|i| if i % 5 == 4 { u8::MAX } else { i % 5 }).collect();
        let texts = ["a", "b", "c", "d"].map(String::from);
        let added = [
            Added::Texts { name: "cluster", codes: &codes, texts: &texts },
            // Shorter: the code 3 has no number.
            Added::Counts { name: "number", codes: &codes, counts: &[1, 2, 3] },
        ];
        let parts: Vec<RecordBatch> =
            (0..3).map(|i| file.stretch_with(i, &added, ("made", "so")).unwrap()).collect();
        let schema = parts[0].schema();
        assert_eq!((schema.metadata()["mine"].as_str(), schema.metadata()["made"].as_str()), ("kept", "so"));
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["customer_id", "cluster", "number"]);
        let all = concat_batches(&schema, &parts).unwrap();
        for row in 0..20 {
            assert_eq!(all.column(0).as_primitive::<Int64Type>().value(row), (row as i64 * 7) % 20);
            let text = all.column(1).as_string::<i32>();
            let text = text.is_valid(row).then(|| text.value(row));
            assert_eq!(text, texts.get(row % 5).map(String::as_str));
            let number = all.column(2).as_primitive::<UInt32Type>();
            assert_eq!(number.is_valid(row), row % 5 < 3);
        }
    }

    #[test]
    fn rows_in_the_order_of_their_ids() {
        let folder = tempfile::tempdir().unwrap();
        let ids = file(folder.path()).ids().unwrap();
        let rows: Vec<usize> = ids.ascending().unwrap().into_iter().map(|row| row as usize).collect();
        let sorted = ids.select(&rows);
        assert_eq!(sorted, Ids::Signed { values: (0..20).collect(), bits: 64 });
        assert_eq!(sorted.ascending(), None);
        let texts = Ids::Text { ends: vec![1, 3, 4], bytes: b"b10a".to_vec(), kind: TextKind::Utf8 };
        assert_eq!(texts.ascending(), Some(vec![1, 2, 0]));
    }
}
