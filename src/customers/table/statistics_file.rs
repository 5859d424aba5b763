//! Customer statistics from a file: a table that `summarize` or `run` wrote, or anybody's with the same columns.

mod check;
mod keys;
mod known;
mod places;
#[cfg(test)]
mod tests;

pub use self::keys::{GroupKey, Grouped};
pub use self::known::{FileColumn, FileValues, Known, Missing, no_number};

use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use self::check::{Checked, MoneyColumns};
use self::places::Places;
pub use self::places::{Money, MoneyKind, OrderDays};
use crate::calendar::Unit;
use crate::customers::table::about::TableInfo;
use crate::customers::table::stretches::{Stretch, stretches};
use crate::error::{Error, Result};

/// A Parquet file of customers, of which the columns `frequency`, `recency`, `T` and, if there is one, `monetary_value`
/// (or another column of money) are what a model needs.
#[derive(Debug)]
pub struct StatisticsFile {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    places: Places,
    unit: Unit,
    about: Option<TableInfo>,
    stretches: Vec<Stretch>,
    warnings: Vec<String>,
}

/// How a file of customers is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatisticsOptions {
    /// The unit of recency and T, whatever the file says of itself.
    pub unit: Option<Unit>,
    /// Their unit where the file does not say it.
    pub otherwise: Option<Unit>,
    /// The column of money; `monetary_value`, if there is one, unless given.
    pub money: Option<String>,
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
    /// Mean value of a repeat purchase, 0 without one (or of any order, see [`OrderDays`]); empty where the file has no
    /// such column.
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

    /// Customers whose money is below 0: more refunds than orders, or a slip.
    pub fn negative_money(&self) -> u64 {
        self.monetary_value.iter().filter(|value| **value < 0.0).count() as u64
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
    /// Opens a file. `unit` is that of recency and T, whatever the file says of itself.
    ///
    /// # Errors
    /// As for [`StatisticsFile::open_with`].
    pub fn open(path: &Path, unit: Option<Unit>) -> Result<StatisticsFile> {
        StatisticsFile::open_with(path, &StatisticsOptions { unit, ..StatisticsOptions::default() })
    }

    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be read, has no such columns, or was described by another version of tiercast; a unit that
    /// nobody says.
    pub fn open_with(path: &Path, options: &StatisticsOptions) -> Result<StatisticsFile> {
        let file = open(path)?;
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|e| damaged(path, &e))?;
        let schema = metadata.schema();
        let about = TableInfo::find(schema).map_err(|problem| Error::Document {
            file: path.display().to_string(),
            problem,
            remedy: "read it with the tiercast that made it, or make it again with this one".to_string(),
        })?;
        let own = about.as_ref().map(|about| about.unit);
        let mut warnings = Vec::new();
        if let (Some(said), Some(own)) = (options.unit, own)
            && said != own
        {
            warnings.push(format!(
                "recency and T are taken for {}s, as --unit says; {} says itself that they are {}s",
                said.name(),
                path.display(),
                own.name()
            ));
        }
        let unit = options.unit.or(own).or(options.otherwise).ok_or_else(|| Error::Document {
            file: path.display().to_string(),
            problem: "nobody says in what unit its recency and T are".to_string(),
            remedy: "give --unit week or --unit day; tables of `tiercast summarize` say it themselves"
                .to_string(),
        })?;
        check_names(path, schema)?;
        let places = Places::find(path, schema, options.money.as_deref())?;
        let stretches = stretches(&metadata);
        if stretches.is_empty() {
            return Err(Error::Document {
                file: path.display().to_string(),
                problem: "it has no rows".to_string(),
                remedy: "give a table with at least one customer".to_string(),
            });
        }
        Ok(StatisticsFile { path: path.to_path_buf(), metadata, places, unit, about, stretches, warnings })
    }

    /// What a reader of any figure should know of how the file is read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
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
        self.places.money.is_some()
    }

    /// Which column its mean values are from, if there is one.
    pub fn money(&self) -> Option<&Money> {
        self.places.money.as_ref().map(|places| &places.money)
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
        wanted.extend(self.places.all());
        wanted.sort_unstable();
        wanted.dedup();
        let batch = stretch.read(&self.path, &self.metadata, &wanted, open, damaged)?;
        let column = |place: usize| batch.column(wanted.partition_point(|&other| other < place));
        let money = self.places.money.as_ref().map(|places| MoneyColumns {
            money: &places.money,
            column: column(places.column),
            spend: places.spend.map(column),
        });
        let (path, first, unit) = (&self.path, stretch.first, self.unit);
        let columns_of_times = self.places.times.map(column);
        let checked = Checked { path, first, unit, columns: columns_of_times, money };
        let (customers, statistics) = checked.statistics()?;
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

/// Refuses two columns of one name: nobody can tell which is meant, and a table with both cannot be written.
fn check_names(path: &Path, schema: &Schema) -> Result<()> {
    let mut seen = HashSet::new();
    match schema.fields().iter().find(|field| !seen.insert(field.name())) {
        Some(twice) => Err(several(path, twice.name(), &[twice.name(), twice.name()])),
        None => Ok(()),
    }
}

/// Several columns could be the one that is wanted.
fn several(path: &Path, name: &str, candidates: &[&str]) -> Error {
    Error::Document {
        file: path.display().to_string(),
        problem: format!("several columns could be \"{name}\": {}", candidates.join(", ")),
        remedy: "rename or drop all but one of them".to_string(),
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, e),
    })
}

/// Nothing but one table can be read here: no other file would be left.
fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::Document {
        file: path.display().to_string(),
        problem: format!("it is not a readable Parquet file: {problem}"),
        remedy:
            "give one Parquet table of customers; a file that was cut short has to be copied or written again"
                .to_string(),
    }
}
