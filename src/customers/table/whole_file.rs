//! A table of customers, of whatever making, column by column: what rules of tiers look at.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::{Array, ArrayRef, BooleanArray, new_empty_array};
use arrow_select::concat::concat;
use arrow_select::filter::filter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use crate::customers::table::{Ids, TableInfo, Values};
use crate::error::{Error, Result, nearest_first};
use crate::history::{IdKind, IdValues, id_batch};
use crate::parallel;

/// The column of ids in tables of tiercast.
const CUSTOMER_ID: &str = "customer_id";

/// A Parquet table with one row per customer, prospects among them.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// What its columns are called here.
    names: Vec<String>,
    id: usize,
    about: Option<TableInfo>,
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
        let metadata = ArrowReaderMetadata::load(&open(path)?, ArrowReaderOptions::new())
            .map_err(|e| damaged(path, &e))?;
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
        let out = WholeFile { path: path.to_path_buf(), metadata, names: called, id, about };
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

    /// One column of all row groups.
    fn read(&self, column: usize) -> Result<ArrayRef> {
        let fail = |e: &dyn std::fmt::Display| damaged(&self.path, e);
        let groups = self.metadata.metadata().num_row_groups();
        let parts = parallel::try_map(groups, |group| {
            let rows = self.metadata.metadata().row_group(group).num_rows().max(1) as usize;
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [column]);
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(open(&self.path)?, self.metadata.clone())
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
