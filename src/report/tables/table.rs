//! A small table that is written both as CSV and as Parquet.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};

use super::Csv;
use crate::error::{Error, Result};

/// The values of a column, one per row.
#[derive(Debug, Clone, PartialEq)]
enum Cells {
    Texts(Vec<String>),
    /// Null where they are none.
    Numbers(Vec<f64>),
    Counts(Vec<u64>),
}

/// A table of named columns. A number that does not exist (NaN) is empty in CSV and null in Parquet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Cells)>,
}

impl Table {
    /// With a column of texts.
    pub(super) fn texts(
        self,
        name: impl Into<String>,
        texts: impl Iterator<Item = impl Into<String>>,
    ) -> Table {
        self.with(name, Cells::Texts(texts.map(Into::into).collect()))
    }

    /// With a column of numbers.
    pub(super) fn numbers(self, name: impl Into<String>, numbers: impl Iterator<Item = f64>) -> Table {
        self.with(name, Cells::Numbers(numbers.collect()))
    }

    /// With a column of counts.
    pub(super) fn counts(self, name: impl Into<String>, counts: impl Iterator<Item = u64>) -> Table {
        self.with(name, Cells::Counts(counts.collect()))
    }

    fn with(mut self, name: impl Into<String>, cells: Cells) -> Table {
        self.columns.push((name.into(), cells));
        self
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, cells)| match cells {
            Cells::Texts(of) => of.len(),
            Cells::Numbers(of) => of.len(),
            Cells::Counts(of) => of.len(),
        })
    }

    /// As CSV with a heading, in UTF-8; numbers with all their digits.
    ///
    /// # Errors
    /// None that a table could cause.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let mut out = Csv::new(&names)?;
        for row in 0..self.rows() {
            let cells: Vec<String> = self
                .columns
                .iter()
                .map(|(_, cells)| match cells {
                    Cells::Texts(of) => of[row].clone(),
                    Cells::Numbers(of) if of[row].is_nan() => String::new(),
                    // An empty sum is −0, which is 0 to everybody but a computer.
                    Cells::Numbers(of) => (of[row] + 0.0).to_string(),
                    Cells::Counts(of) => of[row].to_string(),
                })
                .collect();
            out.row(&cells)?;
        }
        out.finish()
    }

    /// As a batch for [`super::write_parquet`]: texts and counts without nulls, numbers with.
    ///
    /// # Errors
    /// [`Error::Internal`] for columns of unequal length.
    pub fn batch(&self) -> Result<RecordBatch> {
        let columns = self.columns.iter().map(|(name, cells)| {
            let (array, nullable): (ArrayRef, bool) = match cells {
                Cells::Texts(of) => (Arc::new(StringArray::from_iter_values(of)), false),
                Cells::Numbers(of) => {
                    let number = |&x: &f64| Some(x).filter(|x| !x.is_nan());
                    (Arc::new(of.iter().map(number).collect::<Float64Array>()), true)
                }
                Cells::Counts(of) => (Arc::new(UInt64Array::from_iter_values(of.iter().copied())), false),
            };
            (name, array, nullable)
        });
        RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| Error::internal("building a table", e))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;

    use super::*;

    #[test]
    fn what_does_not_exist_is_empty_and_null() {
        let table = Table::default()
            .texts("name", ["a, b", ""].into_iter())
            .numbers("x", [f64::NAN, -0.5].into_iter())
            .numbers("zero", [-0.0, 0.0].into_iter())
            .counts("n", [1, 2].into_iter());
        assert_eq!(
            String::from_utf8(table.csv().unwrap()).unwrap(),
            "name,x,zero,n\n\"a, b\",,0,1\n,-0.5,0,2\n"
        );
        let batch = table.batch().unwrap();
        assert_eq!((batch.num_rows(), batch.column(1).null_count()), (2, 1));
        assert!(batch.column(1).is_null(0));
        assert!(!batch.schema().field(0).is_nullable() && batch.schema().field(1).is_nullable());
    }

    #[test]
    fn an_empty_table_has_its_heading_and_its_types() {
        let table =
            Table::default().texts("name", std::iter::empty::<String>()).numbers("x", std::iter::empty());
        assert_eq!(table.csv().unwrap(), b"name,x\n");
        assert_eq!(table.batch().unwrap().num_rows(), 0);
    }
}
