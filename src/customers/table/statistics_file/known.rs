//! Columns of a customers' file beside the statistics, found by name: labels that tell groups or levels, and numbers.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;

use super::{Rows, Statistics, StatisticsFile, damaged};
use crate::error::{Error, Result, nearest_first};

/// A column of a file that was asked for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileColumn {
    name: String,
    place: usize,
    numeric: bool,
    labels: bool,
    found: String,
}

/// The values of a column, one a customer.
#[derive(Debug, Clone, PartialEq)]
pub enum FileValues {
    /// Names, each of which some customer has, and the place among them of each customer's.
    Labels {
        /// The names, in no order.
        names: Vec<String>,
        /// Each customer's; none where the column has a null.
        codes: Vec<Option<u32>>,
    },
    /// Numbers; NaN where the column has a null or no number.
    Numbers(Vec<f64>),
}

/// What is known of all customers by one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The values.
    pub values: FileValues,
    /// Customers without one.
    pub missing: Option<Missing>,
}

/// Customers without a value, or with an infinite one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// How many.
    pub customers: u64,
    /// The first one's row in the file, from 0.
    pub first_row: u64,
    /// What stands there.
    pub says: &'static str,
}

impl FileColumn {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds numbers (integers, decimals or floating-point).
    pub fn is_numeric(&self) -> bool {
        self.numeric
    }

    /// Its place in the file.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Refuses a column that cannot tell groups or levels.
    ///
    /// # Errors
    /// [`Error::ColumnType`].
    pub fn check_labels(&self, file: &StatisticsFile, role: &'static str) -> Result<()> {
        self.check(self.labels, file, role, "text, integers or booleans")
    }

    fn check(
        &self,
        good: bool,
        file: &StatisticsFile,
        role: &'static str,
        expected: &'static str,
    ) -> Result<()> {
        if good {
            return Ok(());
        }
        Err(Error::ColumnType {
            path: file.path().to_path_buf(),
            role,
            column: self.name.clone(),
            found: self.found.clone(),
            expected,
        })
    }
}

/// Whether a type's values are names: texts, whole numbers, yes or no.
fn is_label(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean => true,
        DataType::Dictionary(_, values) => is_label(values),
        other => other.is_integer(),
    }
}

impl StatisticsFile {
    /// Finds a column by its exact name.
    ///
    /// # Errors
    /// No such column, or two of them; a column that is neither numbers nor labels.
    pub fn column(&self, role: &'static str, name: &str) -> Result<FileColumn> {
        let names: Vec<String> = self.columns().into_iter().map(String::from).collect();
        let places: Vec<usize> = (0..names.len()).filter(|&place| names[place] == name).collect();
        let place = match places[..] {
            [place] => place,
            [] => {
                return Err(Error::ColumnNotFound {
                    path: self.path().to_path_buf(),
                    role,
                    wanted: Some(name.to_string()),
                    columns: nearest_first(name, &names),
                });
            }
            _ => {
                return Err(Error::ColumnAmbiguous {
                    path: self.path().to_path_buf(),
                    role,
                    candidates: places.iter().map(|&place| names[place].clone()).collect(),
                });
            }
        };
        let schema = self.schema();
        let data_type = schema.field(place).data_type();
        let (numeric, labels) = (data_type.is_numeric(), is_label(data_type));
        let column =
            FileColumn { name: name.to_string(), place, numeric, labels, found: data_type.to_string() };
        column.check(numeric || labels, self, role, "numbers, text or booleans")?;
        Ok(column)
    }

    /// The statistics of all customers with some columns, as labels or as numbers, and who has no value in each.
    ///
    /// # Errors
    /// As for [`StatisticsFile::read`].
    pub fn statistics_with(&self, columns: &[(FileColumn, bool)]) -> Result<(Statistics, Vec<Known>)> {
        let mut places: Vec<usize> = columns.iter().map(|(column, _)| column.place).collect();
        places.sort_unstable();
        places.dedup();
        let parts = crate::parallel::try_map(self.stretches(), |i| {
            let rows = self.read(i, Some(&places))?;
            let values: Vec<FileValues> = columns
                .iter()
                .map(|(column, labels)| if *labels { rows.labels(column) } else { rows.numbers(column) })
                .collect::<Result<_>>()?;
            let missing: Vec<Option<Missing>> =
                values.iter().map(|values| values.missing(|customer| rows.row_of(customer))).collect();
            Ok((rows.statistics, values, missing))
        })?;
        let mut all = Statistics::default();
        let mut out: Vec<Known> = columns
            .iter()
            .map(|(_, labels)| Known { values: FileValues::none(*labels), missing: None })
            .collect();
        for (statistics, values, missing) in parts {
            all.extend(statistics);
            for (known, (values, missing)) in out.iter_mut().zip(values.into_iter().zip(missing)) {
                known.values.extend(values);
                known.missing = match (known.missing, missing) {
                    (Some(a), Some(b)) => Some(Missing { customers: a.customers + b.customers, ..a }),
                    (a, b) => a.or(b),
                };
            }
        }
        Ok((all, out))
    }
}

/// What is said of a number that is none, or is infinite.
pub fn no_number(value: f64) -> &'static str {
    match value {
        f64::INFINITY => "inf",
        f64::NEG_INFINITY => "-inf",
        _ => "null or NaN",
    }
}

impl FileValues {
    fn none(labels: bool) -> FileValues {
        if labels {
            FileValues::Labels { names: Vec::new(), codes: Vec::new() }
        } else {
            FileValues::Numbers(Vec::new())
        }
    }

    fn missing(&self, row_of: impl Fn(usize) -> u64) -> Option<Missing> {
        let of = |missing: Vec<usize>| {
            let first = *missing.first()?;
            let says = match self {
                FileValues::Numbers(values) => no_number(values[first]),
                FileValues::Labels { .. } => "null",
            };
            Some(Missing { customers: missing.len() as u64, first_row: row_of(first), says })
        };
        match self {
            FileValues::Labels { codes, .. } => {
                of((0..codes.len()).filter(|&i| codes[i].is_none()).collect())
            }
            FileValues::Numbers(values) => {
                of((0..values.len()).filter(|&i| !values[i].is_finite()).collect())
            }
        }
    }

    fn extend(&mut self, more: FileValues) {
        match (self, more) {
            (FileValues::Numbers(values), FileValues::Numbers(more)) => values.extend(more),
            (FileValues::Labels { names, codes }, FileValues::Labels { names: new, codes: more }) => {
                let mut places: HashMap<String, u32> = names.iter().cloned().zip(0..).collect();
                let moved: Vec<u32> = new
                    .into_iter()
                    .map(|name| {
                        *places.entry(name).or_insert_with_key(|name| {
                            names.push(name.clone());
                            names.len() as u32 - 1
                        })
                    })
                    .collect();
                codes.extend(more.into_iter().map(|code| code.map(|code| moved[code as usize])));
            }
            // Parts of one column are all of one kind.
            _ => {}
        }
    }
}

impl Rows {
    /// The row in the file of a customer among these, from 0.
    pub fn row_of(&self, customer: usize) -> u64 {
        let place = (0..).zip(&self.customers).filter(|(_, is_customer)| **is_customer).nth(customer);
        self.first + place.map_or(0, |(place, _)| place)
    }

    /// The customers' values of a column as names: whole numbers by their digits, booleans as `true` and `false`.
    ///
    /// # Errors
    /// [`Error::Internal`] for a column that is not among those read.
    pub fn labels(&self, column: &FileColumn) -> Result<FileValues> {
        let texts =
            cast(self.array(column)?, &DataType::Utf8).map_err(|e| Error::internal("reading labels", e))?;
        let texts = texts.as_string::<i32>();
        let (mut names, mut places): (Vec<String>, HashMap<&str, u32>) = Default::default();
        let codes = (0..texts.len())
            .filter(|&i| self.customers[i])
            .map(|i| {
                texts.is_valid(i).then(|| {
                    let text = texts.value(i);
                    *places.entry(text).or_insert_with(|| {
                        names.push(text.to_string());
                        names.len() as u32 - 1
                    })
                })
            })
            .collect();
        Ok(FileValues::Labels { names, codes })
    }

    /// The customers' values of a column as numbers.
    ///
    /// # Errors
    /// [`Error::Internal`] for a column that is not among those read.
    pub fn numbers(&self, column: &FileColumn) -> Result<FileValues> {
        let array = cast(self.array(column)?, &DataType::Float64).map_err(|e| damaged(&self.path, &e))?;
        let numbers = array.as_primitive::<Float64Type>();
        let value = |i: usize| if numbers.is_null(i) { f64::NAN } else { numbers.value(i) };
        let customers = (0..numbers.len()).filter(|&i| self.customers[i]);
        Ok(FileValues::Numbers(customers.map(value).collect()))
    }

    fn array(&self, column: &FileColumn) -> Result<&ArrayRef> {
        let lost = || Error::internal("reading a column", format!("no column {}", column.name));
        self.batch.column_by_name(&column.name).ok_or_else(lost)
    }
}
