//! Tables for other programs: the same rows as Parquet, CSV or XLSX, by the name of the file.

mod cells;
mod sheets;
#[cfg(test)]
mod tests;

pub use cells::{Cells, HandOver};

use std::io::Write;
use std::path::Path;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;

use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::tables::write_stretches;

/// Rows that are written together.
const STRETCH: usize = 131_072;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Parquet, for programs.
    Parquet,
    /// Comma-separated text in UTF-8, with a heading.
    Csv,
    /// An Excel workbook, with a sheet that sums up.
    Xlsx,
}

impl Format {
    /// By the ending of a file's name.
    ///
    /// # Errors
    /// [`Error::Value`] for another ending than `.parquet`, `.csv` or `.xlsx`.
    pub fn of(path: &Path) -> Result<Format> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("parquet") => Ok(Format::Parquet),
            Some("csv") => Ok(Format::Csv),
            Some("xlsx") => Ok(Format::Xlsx),
            _ => Err(Error::value(
                "the output",
                path.display(),
                "its ending says no format",
                "end it in .parquet, .csv or .xlsx",
            )),
        }
    }
}

/// A short table beside the rows, as text; numbers stay numbers in a workbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Its heading.
    pub heading: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a short table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
}

/// A table of `rows` rows.
pub struct Book<'a> {
    /// How many rows.
    pub rows: usize,
    /// The columns, each with as many values.
    pub columns: Vec<HandOver<'a>>,
    /// What sums it up; in a workbook only.
    pub summary: Vec<Sheet>,
    /// What the sheet of the rows is called.
    pub sheet: String,
    /// The rows in the order in which they are written, where it is not their own.
    pub order: Option<Vec<u32>>,
}

impl Book<'_> {
    /// Writes it to a place that nobody else looks at. How many sheets of rows a workbook got, 1 for the other formats.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Internal`] for columns of unequal length.
    pub fn write(&self, format: Format, path: &Path, progress: &dyn Progress) -> Result<usize> {
        let stretches = self.rows.div_ceil(STRETCH).max(1);
        let batch = |i: usize| self.batch(i * STRETCH..((i + 1) * STRETCH).min(self.rows));
        progress.phase("writing", stretches as u64);
        match format {
            Format::Parquet => write_stretches(path, stretches, batch, progress).map(|()| 1),
            Format::Csv => {
                let io = |e: std::io::Error| Error::io("write", path, e);
                let file = std::fs::File::create(path).map_err(io)?;
                let mut out = std::io::BufWriter::with_capacity(1 << 20, file);
                for i in 0..stretches {
                    progress.check()?;
                    out.write_all(&csv_of(&batch(i)?, i == 0)?).map_err(io)?;
                    progress.advance(1);
                }
                out.flush().map_err(io).map(|()| 1)
            }
            Format::Xlsx => sheets::write(self, stretches, batch, path, progress),
        }
    }

    fn batch(&self, rows: std::ops::Range<usize>) -> Result<RecordBatch> {
        let order = self.order.as_ref().map(|order| &order[rows.clone()]);
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            columns.push((&column.name, readable(column.cells.array(rows.clone(), order)?)?, true));
        }
        RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| Error::internal("making a table", e))
    }
}

/// A column that can be written as text: instants with a time zone as those of UTC.
fn readable(array: ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
            cast(&array, &utc).map_err(|e| Error::internal("making a table", e))
        }
        _ => Ok(array),
    }
}

/// A batch as CSV; a null is an empty field.
fn csv_of(batch: &RecordBatch, with_heading: bool) -> Result<Vec<u8>> {
    let fail = |e: &dyn std::fmt::Display| Error::internal("writing CSV", e.to_string());
    let mut out = csv::Writer::from_writer(Vec::new());
    if with_heading {
        let schema = batch.schema();
        out.write_record(schema.fields().iter().map(|field| field.name())).map_err(|e| fail(&e))?;
    }
    let options = FormatOptions::default();
    let columns = batch.columns().iter().map(|array| ArrayFormatter::try_new(array.as_ref(), &options));
    let columns: Vec<ArrayFormatter> = columns.collect::<Result<_, _>>().map_err(|e| fail(&e))?;
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        for (column, array) in columns.iter().zip(batch.columns()) {
            text.clear();
            if array.is_valid(row) {
                use std::fmt::Write;
                write!(text, "{}", column.value(row)).map_err(|e| fail(&e))?;
            }
            out.write_field(&text).map_err(|e| fail(&e))?;
        }
        out.write_record(None::<&[u8]>).map_err(|e| fail(&e))?;
    }
    out.into_inner().map_err(|e| fail(&e))
}
