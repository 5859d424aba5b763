//! Tables out: Parquet for programs, CSV for spreadsheets.

mod believed;
mod compared;
mod contacts;
mod table;
#[cfg(test)]
mod tests;

pub use believed::{assumptions, sensitivity};
pub use compared::{periods, plans, standings, strategies};
pub use contacts::{contacts, contacts_csv};
pub use table::Table;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::builder::{StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::customers::cohorts::CohortTable;
use crate::error::{Error, Result};
use crate::history::Ledger;
use crate::parallel;
use crate::progress::Progress;
use crate::report::output::MAKER;
use crate::report::output_file::COHORTS_HEADING;
use crate::simulate::Comparison;
use crate::strategy::{Plan, StrategySet};
use crate::tier::Tiering;

/// Writes a batch as one Parquet file, compressed with Snappy.
pub fn write_parquet(path: &Path, batch: &RecordBatch) -> Result<()> {
    write_stretches(path, 1, |_| Ok(batch.clone()), &())
}

/// Writes a table whose stretches are made one by one, each as a row group, compressed with Snappy. Stretches are made
/// and encoded in parallel and written in order, so that the file does not depend on the threads, and few stretches are
/// in memory at a time.
///
/// # Errors
/// Those of `make`, and [`Error::Io`]; there must be a stretch, and all must have the columns of the first.
pub fn write_stretches(
    path: &Path,
    stretches: usize,
    make: impl Fn(usize) -> Result<RecordBatch> + Sync + Send,
    progress: &dyn Progress,
) -> Result<()> {
    let io = |e: std::io::Error| Error::io("write", path, e);
    // The kind of the cause is kept: a full disk is told from other trouble.
    let fail = |e: ParquetError| match e {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(cause) => io(*cause),
            Err(other) => io(std::io::Error::other(other)),
        },
        other => io(std::io::Error::other(other)),
    };
    // As many as there are threads, since the schema is known only when the first one is made.
    let first = parallel::try_map(stretches.min(parallel::threads()), |i| {
        progress.check()?;
        make(i)
    })?;
    let schema =
        first.first().ok_or_else(|| Error::internal("writing a table", "it has no stretch"))?.schema();
    let file = File::create(path).map_err(|e| Error::io("create", path, e))?;
    let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties(&schema))).map_err(fail)?;
    let (mut writer, factory) = writer.into_serialized_writer().map_err(fail)?;
    let first: Vec<_> = first.into_iter().map(|batch| Mutex::new(Some(batch))).collect();
    let encode = |i: usize| {
        progress.check()?;
        let taken =
            first.get(i).and_then(|batch| batch.lock().unwrap_or_else(PoisonError::into_inner).take());
        let batch = taken.map_or_else(|| make(i), Ok)?;
        let mut columns = factory.create_column_writers(i).map_err(fail)?;
        let mut writers = columns.iter_mut();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            for leaf in compute_leaves(field, column).map_err(fail)? {
                let writer = writers.next().ok_or_else(|| Error::internal("writing", "a column too many"))?;
                writer.write(&leaf).map_err(fail)?;
            }
        }
        columns.into_iter().map(|column| column.close().map_err(fail)).collect::<Result<Vec<_>>>()
    };
    parallel::try_ordered(stretches, encode, |_, chunks| {
        let mut group = writer.next_row_group().map_err(fail)?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group).map_err(fail)?;
        }
        group.close().map_err(fail)?;
        progress.advance(1);
        Ok(())
    })?;
    writer.close().map_err(fail)?;
    Ok(())
}

/// Columns of the customer table that are numbers of days in another unit: few different values, however many customers.
const FEW_VALUES: [&str; 3] = ["recency", "T", "T_holdout"];

/// Numbers are packed by their differences, which is fast and small for counts, days and ids in order; a dictionary
/// would cost more than all the rest and save nothing where values are distinct.
fn properties(schema: &Schema) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("{MAKER} {}", env!("CARGO_PKG_VERSION")));
    // Without this, days held as milliseconds would be plain integers to everybody but Arrow.
    if schema.fields().iter().any(|field| field.data_type() == &DataType::Date64) {
        properties = properties.set_coerce_types(true);
    }
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        let kind = field.data_type();
        // Intervals are bytes, which that packing is not for.
        if kind.is_integer() || (kind.is_temporal() && !matches!(kind, DataType::Interval(_))) {
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        } else if field.name() == "customer_id" {
            // Each once, so that a dictionary would only be given up after a while.
            properties = properties.set_column_dictionary_enabled(column, false);
        } else if kind == &DataType::Float64 && !FEW_VALUES.contains(&field.name().as_str()) {
            properties = properties.set_column_dictionary_enabled(column, false);
        }
    }
    properties.build()
}

/// The rows set aside: file, row (from 0), reason, value at fault.
pub fn set_aside(ledger: &Ledger) -> Result<RecordBatch> {
    let mut files = StringDictionaryBuilder::<Int32Type>::new();
    let mut reasons = StringDictionaryBuilder::<Int32Type>::new();
    let mut values = StringBuilder::new();
    for row in &ledger.set_aside {
        files.append_value(&ledger.files[row.file as usize]);
        reasons.append_value(row.reason.key());
        values.append_option(row.value.as_deref());
    }
    let rows: UInt64Array = ledger.set_aside.iter().map(|row| row.row).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("file", Arc::new(files.finish())),
        ("row", Arc::new(rows)),
        ("reason", Arc::new(reasons.finish())),
        ("value", Arc::new(values.finish())),
    ];
    // All columns but the last have no nulls, and an empty table must say so like a full one.
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, name == "value")))
        .map_err(|e| Error::internal("building the table of rows set aside", e))
}

/// `tiers.csv`: scheme, tier, rule in words, customers and spend with their shares.
pub fn tiers_csv(tierings: &[Tiering]) -> Result<Vec<u8>> {
    let mut out =
        Csv::new(&["scheme", "tier", "rule", "customers", "share_of_customers", "spend", "share_of_spend"])?;
    for tiering in tierings {
        for tier in &tiering.tiers {
            out.row(&[
                tiering.key.clone(),
                tier.name.clone(),
                tier.rule.clone(),
                tier.customers.to_string(),
                tier.share_of_customers.to_string(),
                tier.spend.to_string(),
                tier.share_of_spend.to_string(),
            ])?;
        }
    }
    out.finish()
}

/// `strategies.csv`: [`strategies`] as CSV. Without a comparison it is the heading.
pub fn strategies_csv(comparison: Option<&Comparison>) -> Result<Vec<u8>> {
    strategies(comparison).csv()
}

/// What a plan costs before anybody orders: the fixed cost, the contacts, and the minutes and stock that they take.
pub(super) fn upfront_cost(set: &StrategySet, plan: &Plan) -> f64 {
    plan.cost + set.resources.minute_cost * plan.minutes + set.resources.stock_cost * plan.stock
}

/// `cohorts.csv`, long: one line per cohort and period from the cohort's own on. Without cohorts it is the heading.
pub fn cohorts_csv(table: Option<&CohortTable>) -> Result<Vec<u8>> {
    let rest = ["customers", "orders", "spend", "retention", "cumulative_spend_per_customer"];
    let mut out = Csv::new(&[&COHORTS_HEADING[..], &rest].concat())?;
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for (table, cohort) in
        table.iter().flat_map(|table| table.cohorts.iter().map(move |cohort| (table, cohort)))
    {
        for (since, cell) in cohort.cells.iter().enumerate() {
            out.row(&[
                table.labels[cohort.period].clone(),
                cohort.customers.to_string(),
                table.labels[cohort.period + since].clone(),
                since.to_string(),
                cell.customers.to_string(),
                cell.orders.to_string(),
                number(cell.spend),
                cell.retention.to_string(),
                number(cell.spend_per_customer),
            ])?;
        }
    }
    out.finish()
}

/// A CSV file in the making.
pub(super) struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    pub(super) fn new(heading: &[&str]) -> Result<Csv> {
        let mut out = Csv(csv::Writer::from_writer(Vec::new()));
        out.0.write_record(heading).map_err(|e| Error::internal("writing CSV", e))?;
        Ok(out)
    }

    pub(super) fn row(&mut self, cells: &[String]) -> Result<()> {
        self.0.write_record(cells).map_err(|e| Error::internal("writing CSV", e))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>> {
        self.0.into_inner().map_err(|e| Error::internal("writing CSV", e.into_error()))
    }
}
