//! Customer statistics from a file: a table that `summarize` or `run` wrote, or anybody's with the same columns.

mod columns;
#[cfg(test)]
mod tests;

pub use self::columns::{FileColumn, FileValues, Known, Missing};

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};

use crate::calendar::Unit;
use crate::customers::table::about::TableInfo;
use crate::error::{Error, Result, nearest_first};

/// Rows that are read at one go: a longer row group is read in pieces.
const STRETCH: u64 = if cfg!(test) { 8 } else { 131_072 };

/// Days that are a whole number but for the rounding of a division by seven.
const WHOLE: f64 = 1e-6;

/// The columns of statistics, in the order of [`Statistics`].
const FREQUENCY: &str = "frequency";
const RECENCY: &str = "recency";
const T: &str = "T";
const MONETARY_VALUE: &str = "monetary_value";

/// A Parquet file of customers, of which the columns `frequency`, `recency`, `T` and, if there is one, `monetary_value`
/// are what a model needs.
#[derive(Debug)]
pub struct StatisticsFile {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// Places of frequency, recency, T and monetary value.
    places: [usize; 3],
    money: Option<usize>,
    unit: Unit,
    about: Option<TableInfo>,
    stretches: Vec<Stretch>,
}

/// Some rows of a row group.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    group: usize,
    /// First row in the group, and in the file.
    begin: u64,
    first: u64,
    rows: u64,
}

/// The statistics of some customers, checked. Times are in days.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statistics {
    /// Repeat purchases.
    pub frequency: Vec<u32>,
    /// From the first purchase to the last, in days.
    pub recency_days: Vec<f64>,
    /// From the first purchase to the end of calibration, in days.
    pub t_days: Vec<f64>,
    /// Mean value of a repeat purchase, 0 without one; empty where the file has no such column.
    pub monetary_value: Vec<f64>,
}

/// Rows of a customer file with their statistics.
#[derive(Debug)]
pub struct Rows {
    /// The file's rows, with the columns that were asked for.
    pub batch: RecordBatch,
    /// Which of them are customers: the others, whose statistics are all null, are prospects.
    pub customers: Vec<bool>,
    /// The statistics of the customers among them.
    pub statistics: Statistics,
    /// The first row's number in the file, from 0.
    first: u64,
    path: PathBuf,
}

impl Statistics {
    /// Whether every time is a whole number of days.
    pub fn are_whole_days(&self) -> bool {
        self.recency_days.iter().chain(&self.t_days).all(|days| days.fract() == 0.0)
    }

    /// Appends those of more customers.
    pub fn extend(&mut self, more: Statistics) {
        self.frequency.extend(more.frequency);
        self.recency_days.extend(more.recency_days);
        self.t_days.extend(more.t_days);
        self.monetary_value.extend(more.monetary_value);
    }
}

impl Rows {
    /// The rows with more columns, each of which has one number per customer; prospects have none.
    ///
    /// # Errors
    /// [`Error::Internal`] for columns of another length.
    pub fn with_columns(self, columns: Vec<(&str, Vec<f64>)>) -> Result<RecordBatch> {
        let Rows { batch, customers, .. } = self;
        let everybody = customers.iter().all(|&is_customer| is_customer);
        let schema = batch.schema();
        let mut fields = schema.fields().to_vec();
        let mut arrays = batch.columns().to_vec();
        for (name, values) in columns {
            // Whether there may be nulls must not depend on the stretch.
            fields.push(Arc::new(Field::new(name, DataType::Float64, true)));
            let array = match everybody {
                true => Float64Array::from(values),
                false => {
                    let mut values = values.into_iter();
                    customers
                        .iter()
                        .map(|&is_customer| if is_customer { values.next() } else { None })
                        .collect()
                }
            };
            arrays.push(Arc::new(array));
        }
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        RecordBatch::try_new(Arc::new(schema), arrays).map_err(|e| Error::internal("adding columns", e))
    }
}

impl StatisticsFile {
    /// Opens a file. `unit` is that of recency and T where the file does not say it itself.
    ///
    /// # Errors
    /// A file that cannot be read or has no such columns; a unit that nobody says, or that contradicts the file's own.
    pub fn open(path: &Path, unit: Option<Unit>) -> Result<StatisticsFile> {
        let file = open(path)?;
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| damaged(path, &e))?;
        let schema = metadata.schema();
        let about = TableInfo::find(schema);
        let unit = match (unit, about.as_ref().map(|about| about.unit)) {
            (Some(said), Some(own)) if said != own => {
                let problem =
                    format!("{} says itself that its recency and T are in {}s", path.display(), own.name());
                return Err(Error::value("--unit", said.name(), problem, "leave it out"));
            }
            (Some(unit), _) | (None, Some(unit)) => unit,
            (None, None) => {
                return Err(Error::Document {
                    file: path.display().to_string(),
                    problem: "nobody says in what unit its recency and T are".to_string(),
                    remedy:
                        "give --unit week or --unit day; tables of `tiercast summarize` say it themselves"
                            .to_string(),
                });
            }
        };
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        // The exact name, or else the only one that differs in case alone.
        let find = |name: &'static str| {
            let like = |exact: bool| -> Vec<usize> {
                let same = |other: &str| if exact { other == name } else { other.eq_ignore_ascii_case(name) };
                (0..names.len()).filter(|&place| same(&names[place])).collect()
            };
            let (exact, any) = (like(true), like(false));
            match (&exact[..], &any[..]) {
                ([one], _) | ([], [one]) => Ok(Some(*one)),
                ([], []) => Ok(None),
                _ => Err(Error::ColumnAmbiguous {
                    path: path.to_path_buf(),
                    role: name,
                    candidates: any.iter().map(|&place| names[place].clone()).collect(),
                }),
            }
        };
        let place = |name: &'static str| {
            find(name)?.ok_or_else(|| Error::ColumnNotFound {
                path: path.to_path_buf(),
                role: name,
                wanted: Some(name.to_string()),
                columns: nearest_first(name, &names),
            })
        };
        let places = [place(FREQUENCY)?, place(RECENCY)?, place(T)?];
        let money = find(MONETARY_VALUE)?;
        for (&place, role) in places.iter().chain(&money).zip([FREQUENCY, RECENCY, T, MONETARY_VALUE]) {
            let field = schema.field(place);
            if !field.data_type().is_numeric() {
                return Err(Error::ColumnType {
                    path: path.to_path_buf(),
                    role,
                    column: field.name().clone(),
                    found: field.data_type().to_string(),
                    expected: "integers, decimals or floating-point numbers",
                });
            }
        }
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
        if stretches.is_empty() {
            return Err(Error::NoRows { files: path.display().to_string() });
        }
        Ok(StatisticsFile { path: path.to_path_buf(), metadata, places, money, unit, about, stretches })
    }

    /// What the file says of itself, if `summarize` or `run` made it.
    pub fn about(&self) -> Option<&TableInfo> {
        self.about.as_ref()
    }

    /// The unit of its recency and T.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether it has mean values of purchases.
    pub fn has_money(&self) -> bool {
        self.money.is_some()
    }

    fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// The names of its columns.
    pub fn columns(&self) -> Vec<&str> {
        self.schema().fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Rows of the file, prospects among them.
    pub fn rows(&self) -> u64 {
        self.stretches.iter().map(|stretch| stretch.rows).sum()
    }

    /// Parts in which it is read.
    pub fn stretches(&self) -> usize {
        self.stretches.len()
    }

    /// The rows of stretch `i` with `columns` (by place, ascending; `None` for all).
    ///
    /// # Errors
    /// Damage, and statistics that cannot be, with file, column and row.
    pub fn read(&self, i: usize, columns: Option<&[usize]>) -> Result<Rows> {
        let stretch = self.stretches[i];
        let mut wanted: Vec<usize> = match columns {
            Some(columns) => columns.to_vec(),
            None => (0..self.schema().fields().len()).collect(),
        };
        wanted.extend(self.places.iter().chain(&self.money));
        wanted.sort_unstable();
        wanted.dedup();
        let batch = self.batch(stretch, &wanted)?;
        let column = |place: usize| batch.column(wanted.partition_point(|&other| other < place));
        let (customers, statistics) =
            self.check(stretch.first, self.places.map(column), self.money.map(column))?;
        let batch = match columns {
            Some(columns) => {
                let places: Vec<usize> =
                    columns.iter().map(|place| wanted.partition_point(|other| other < place)).collect();
                batch.project(&places).map_err(|e| Error::internal("choosing columns", e))?
            }
            None => batch,
        };
        // Decoded batches do not say what the file says of itself.
        let fields = batch.schema().fields().clone();
        let schema = Schema::new_with_metadata(fields, self.schema().metadata().clone());
        let batch =
            batch.with_schema(Arc::new(schema)).map_err(|e| Error::internal("choosing columns", e))?;
        Ok(Rows { batch, customers, statistics, first: stretch.first, path: self.path.clone() })
    }

    fn batch(&self, stretch: Stretch, columns: &[usize]) -> Result<RecordBatch> {
        let fail =
            |e: &dyn std::fmt::Display| damaged(&self.path, &format!("row group {}: {e}", stretch.group));
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(open(&self.path)?, self.metadata.clone())
                .with_row_groups(vec![stretch.group])
                .with_projection(mask)
                .with_batch_size(stretch.rows as usize);
        let whole = self.metadata.metadata().row_group(stretch.group).num_rows() as u64;
        if stretch.rows < whole {
            let rows =
                [RowSelector::skip(stretch.begin as usize), RowSelector::select(stretch.rows as usize)];
            builder = builder.with_row_selection(RowSelection::from(rows.to_vec()));
        }
        let reader = builder.build().map_err(|e| fail(&e))?;
        let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|e| fail(&e))?;
        let schema = batches.first().map(RecordBatch::schema).ok_or_else(|| fail(&"it has no rows"))?;
        let batch = concat_batches(&schema, &batches).map_err(|e| fail(&e))?;
        if batch.num_rows() as u64 != stretch.rows {
            return Err(fail(&"it has fewer rows than its footer says"));
        }
        Ok(batch)
    }

    fn check(
        &self,
        first: u64,
        columns: [&ArrayRef; 3],
        money: Option<&ArrayRef>,
    ) -> Result<(Vec<bool>, Statistics)> {
        let number = |array: &ArrayRef| -> Result<Float64Array> {
            let array = cast(array, &DataType::Float64).map_err(|e| damaged(&self.path, &e))?;
            Ok(array.as_primitive::<Float64Type>().clone())
        };
        let [frequency, recency, t] = columns;
        let (frequency, recency, t) = (number(frequency)?, number(recency)?, number(t)?);
        let money = money.map(number).transpose()?;
        let all = [(FREQUENCY, &frequency), (RECENCY, &recency), (T, &t)];
        let mut customers = Vec::with_capacity(frequency.len());
        let mut out = Statistics::default();
        for i in 0..frequency.len() {
            let fail = |column: &str, value: &dyn std::fmt::Display, problem: &str, remedy: &str| {
                let what = format!("{column} in row {} of {}", first + i as u64, self.path.display());
                Error::value(what, value, problem, remedy)
            };
            let nulls = all.iter().filter(|(_, column)| column.is_null(i)).count();
            customers.push(nulls < all.len());
            if nulls == all.len() {
                continue;
            }
            if let Some((name, _)) = all.iter().find(|(_, column)| column.is_null(i)) {
                let remedy = "a prospect has none of frequency, recency and T, a customer all of them";
                return Err(fail(name, &"null", "the row has others of its statistics", remedy));
            }
            let (x, t_x, t) = (frequency.value(i), recency.value(i), t.value(i));
            if !(x >= 0.0 && x.fract() == 0.0 && x <= f64::from(u32::MAX)) {
                let problem = "it is no whole number from 0 on";
                return Err(fail(FREQUENCY, &x, problem, "it counts the repeat purchases: 0, 1, 2, …"));
            }
            for (name, time) in [(RECENCY, t_x), (T, t)] {
                if !(time >= 0.0 && time.is_finite()) {
                    let problem = "it is no number from 0 on";
                    return Err(fail(
                        name,
                        &time,
                        problem,
                        "times are measured from the customer's first purchase",
                    ));
                }
            }
            if t_x > t {
                let remedy = "recency is the time from the first purchase to the last one, not the time since the last one";
                return Err(fail(RECENCY, &t_x, &format!("it is above T, {t}"), remedy));
            }
            if x == 0.0 && t_x > 0.0 {
                let remedy = "frequency counts repeat purchases only, and recency is 0 without them";
                return Err(fail(RECENCY, &t_x, "there is no repeat purchase", remedy));
            }
            out.frequency.push(x as u32);
            out.recency_days.push(self.days(t_x));
            out.t_days.push(self.days(t));
            let Some(money) = &money else { continue };
            let value = if money.is_null(i) && x == 0.0 { 0.0 } else { money.value(i) };
            let remedy =
                "it is the mean value of the repeat purchases, the first one excluded, and 0 without them";
            if money.is_null(i) && x > 0.0 {
                return Err(fail(MONETARY_VALUE, &"null", "there are repeat purchases", remedy));
            }
            if !value.is_finite() {
                return Err(fail(MONETARY_VALUE, &value, "it is no finite number", remedy));
            }
            if x == 0.0 && value != 0.0 {
                return Err(fail(MONETARY_VALUE, &value, "there is no repeat purchase", remedy));
            }
            out.monetary_value.push(value);
        }
        Ok((customers, out))
    }

    /// A time of the file in days: whole where it is one but for rounding.
    fn days(&self, time: f64) -> f64 {
        let days = time * self.unit.days();
        let whole = days.round();
        if (days - whole).abs() <= WHOLE { whole } else { days }
    }

    /// The rows of a range of stretches, statistics alone.
    ///
    /// # Errors
    /// As for [`StatisticsFile::read`].
    pub fn statistics(&self, stretches: Range<usize>) -> Result<Statistics> {
        let parts = crate::parallel::try_map(stretches.len(), |i| {
            self.read(stretches.start + i, Some(&[])).map(|rows| rows.statistics)
        })?;
        let mut all = Statistics::default();
        parts.into_iter().for_each(|part| all.extend(part));
        Ok(all)
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, e),
    })
}

fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::NotParquet { path: path.to_path_buf(), problem: problem.to_string() }
}
