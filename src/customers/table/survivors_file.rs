//! Survivors of contracts from a file, Parquet or CSV: one row per cohort and period.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::convert::{self, CsvOptions};
use crate::error::{Error, Result, nearest_first};
use crate::progress::Progress;

/// What a Parquet file begins with.
const PARQUET: &[u8; 4] = b"PAR1";

/// Whole numbers up to this are exact as floating-point numbers.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// The names of the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurvivorColumns {
    /// Which cohort.
    pub cohort: String,
    /// How many renewals since its beginning.
    pub period: String,
    /// Customers left after them.
    pub survivors: String,
}

impl Default for SurvivorColumns {
    fn default() -> SurvivorColumns {
        SurvivorColumns {
            cohort: "cohort".to_string(),
            period: "period".to_string(),
            survivors: "survivors".to_string(),
        }
    }
}

/// Rows of survivors, in the order of their file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SurvivorRows {
    /// The cohort of each row, as text.
    pub cohort: Vec<String>,
    /// Its period.
    pub period: Vec<i64>,
    /// Its survivors.
    pub survivors: Vec<i64>,
}

impl SurvivorRows {
    /// Reads a file: Parquet where it begins like one, CSV otherwise.
    ///
    /// # Errors
    /// A file that cannot be read or has no such columns, and values that cannot be, with file, row and column.
    pub fn read(path: &Path, columns: &SurvivorColumns, progress: &dyn Progress) -> Result<SurvivorRows> {
        let mut begin = Vec::new();
        open(path)?.take(4).read_to_end(&mut begin).map_err(|e| Error::io("read", path, e))?;
        let batch = match begin == PARQUET {
            true => table(path, path)?,
            false => of_csv(path, progress)?,
        };
        let find = |name: &str, option: &'static str| find(path, &batch, name, option);
        let cohort = find(&columns.cohort, "cohort-column")?;
        let period = find(&columns.period, "period-column")?;
        let survivors = find(&columns.survivors, "survivors-column")?;
        Ok(SurvivorRows {
            cohort: texts(path, &columns.cohort, cohort)?,
            period: wholes(path, &columns.period, period)?,
            survivors: wholes(path, &columns.survivors, survivors)?,
        })
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, e),
    })
}

/// A CSV file as `convert` reads it, where every record has to fit.
fn of_csv(path: &Path, progress: &dyn Progress) -> Result<RecordBatch> {
    let folder = tempfile::tempdir().map_err(|e| Error::io("write to", &std::env::temp_dir(), e))?;
    let (output, side) = (folder.path().join("survivors.parquet"), folder.path().join("aside.csv"));
    let inputs: [PathBuf; 1] = [path.to_path_buf()];
    let converted = convert::convert(&inputs, &CsvOptions::default(), &output, &side, progress);
    let conversion = converted.map_err(without_options)?;
    match conversion.reasons.first() {
        Some(first) => Err(Error::Csv {
            path: path.to_path_buf(),
            line: Some(first.line),
            column: first.column.clone(),
            problem: format!("\"{}\" is {}", first.value, first.reason.words()),
            remedy: "mend the record: no row of survivors is left out".to_string(),
        }),
        None => table(&output, path),
    }
}

/// Hints at options of `convert` name its verb: no other has them.
fn without_options(error: Error) -> Error {
    match error {
        Error::Csv { path, line, column, problem, remedy } if remedy.contains("--") => {
            let remedy = format!(
                "write numbers plainly, such as 1000, in UTF-8 with a heading; or convert the file first with \
                 `tiercast convert` ({remedy}) and give the Parquet file"
            );
            Error::Csv { path, line, column, problem, remedy }
        }
        other => other,
    }
}

/// A whole Parquet file; `named` is what it is called in messages.
fn table(path: &Path, named: &Path) -> Result<RecordBatch> {
    let damaged = |e: &dyn std::fmt::Display| Error::Document {
        file: named.display().to_string(),
        problem: format!("it is not a readable Parquet file: {e}"),
        remedy: "give a table of survivors by cohort and period, as Parquet or CSV".to_string(),
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(open(path)?).map_err(|e| damaged(&e))?;
    let schema = builder.schema().clone();
    let reader = builder.build().map_err(|e| damaged(&e))?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|e| damaged(&e))?;
    let batch = concat_batches(&schema, &batches).map_err(|e| damaged(&e))?;
    if batch.num_rows() == 0 {
        return Err(Error::Document {
            file: named.display().to_string(),
            problem: "it has no rows".to_string(),
            remedy: "give a row for each cohort and period".to_string(),
        });
    }
    Ok(batch)
}

/// A column by its name, or by the only name that differs in case alone.
fn find<'a>(path: &Path, batch: &'a RecordBatch, name: &str, option: &'static str) -> Result<&'a ArrayRef> {
    let schema = batch.schema();
    let like = |exact: bool| -> Vec<usize> {
        let same = |other: &str| if exact { other == name } else { other.eq_ignore_ascii_case(name) };
        (0..batch.num_columns()).filter(|&place| same(schema.field(place).name())).collect()
    };
    match (&like(true)[..], &like(false)[..]) {
        ([one], _) | ([], [one]) => Ok(batch.column(*one)),
        _ => {
            let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            Err(Error::Document {
                file: path.display().to_string(),
                problem: format!("there is no column \"{name}\", or several"),
                remedy: format!(
                    "name the column with --{option}; the columns are: {}",
                    nearest_first(name, &names).join(", ")
                ),
            })
        }
    }
}

fn fail(path: &Path, column: &str, row: usize, value: &str, problem: &str, remedy: &str) -> Error {
    // Rows are counted as everywhere, from 0.
    Error::value(format!("{column} in row {row} of {}", path.display()), value, problem, remedy)
}

/// The names of cohorts: texts, numbers or dates.
fn texts(path: &Path, name: &str, column: &ArrayRef) -> Result<Vec<String>> {
    let texts = cast(column, &DataType::Utf8).map_err(|_| Error::ColumnType {
        path: path.to_path_buf(),
        role: "cohort",
        column: name.to_string(),
        found: column.data_type().to_string(),
        expected: "text, integers or dates",
    })?;
    let texts: &StringArray = texts.as_string();
    let text = |(row, text): (usize, Option<&str>)| {
        text.map(str::to_string)
            .ok_or_else(|| fail(path, name, row, "null", "it names no cohort", "give each row its cohort"))
    };
    texts.iter().enumerate().map(text).collect()
}

/// A column of whole numbers, whatever type they have.
fn wholes(path: &Path, name: &str, column: &ArrayRef) -> Result<Vec<i64>> {
    let remedy = "give a whole number in each row";
    let as_text = cast(column, &DataType::Utf8).ok();
    let said = |row: usize| {
        let texts = as_text.as_ref().map(|texts| texts.as_string::<i32>());
        texts
            .filter(|texts| texts.is_valid(row))
            .map_or("null".to_string(), |texts| texts.value(row).to_string())
    };
    // What is no number becomes null, and is named below.
    let numbers = cast(column, &DataType::Float64).map_err(|_| Error::ColumnType {
        path: path.to_path_buf(),
        role: "count of periods or survivors",
        column: name.to_string(),
        found: column.data_type().to_string(),
        expected: "whole numbers",
    })?;
    let numbers = numbers.as_primitive::<Float64Type>();
    let whole = |(row, number): (usize, Option<f64>)| match number {
        Some(number) if number.fract() == 0.0 && number.abs() <= LARGEST => Ok(number as i64),
        _ => Err(fail(path, name, row, &said(row), "it is no whole number", remedy)),
    };
    numbers.iter().enumerate().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SurvivorRows> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.csv");
        std::fs::write(&path, text).unwrap();
        SurvivorRows::read(&path, &SurvivorColumns::default(), &())
    }

    #[test]
    fn csv_is_read_with_any_delimiter() {
        let want = SurvivorRows {
            cohort: vec!["2024-01-01".into(), "2024-01-01".into()],
            period: vec![0, 1],
            survivors: vec![1000, 631],
        };
        assert_eq!(read("cohort,period,survivors\n2024-01-01,0,1000\n2024-01-01,1,631\n").unwrap(), want);
        assert_eq!(read("Survivors;cohort;period\n1000;2024-01-01;0\n631;2024-01-01;1\n").unwrap(), want);
    }

    #[test]
    fn what_cannot_be_is_named_with_row_and_value() {
        let heading = "cohort,period,survivors\n";
        for (rows, parts) in [
            ("a,0,1000\na,1,63.5\n", ["survivors in row 1", "63.5"]),
            ("a,0,1000\na,1,\n", ["survivors in row 1", "null"]),
            ("a,0,1000\na,one,5\n", ["period in row 0", "0"]),
            ("a,0,1000\n,1,5\n", ["cohort in row 1", "null"]),
        ] {
            let error = read(&format!("{heading}{rows}")).unwrap_err().to_string();
            // Half of the values make no type of a column, so that all are texts there, of which the first fails or not.
            assert!(error.contains(parts[0]) || error.contains("one"), "{error}");
            assert!(error.contains(parts[1]) || error.contains("one"), "{error}");
        }
        // Options that are named belong to a verb that has them.
        let error = read("cohort,period,survivors\na,0,\"1,000\"\na,1,\"631\"\n").unwrap_err();
        let hint = error.hint().unwrap();
        assert!(error.to_string().contains("1,000") && hint.contains("such as 1000"), "{error} {hint}");
        assert!(hint.contains("`tiercast convert` (say which with --decimal"), "{hint}");
        let error = read("group,period,survivors\na,0,10\n").unwrap_err();
        assert!(error.hint().unwrap().contains("--cohort-column"), "{error}");
    }
}
