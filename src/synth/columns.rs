//! Rows and truths as Parquet.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array,
};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::customer::{Customer, Departure};
use super::ids::{self, Ids};
use super::plan::{Config, Order};
use crate::error::{Error, Result};

/// Rows of a row group, and of a batch handed to the writer.
pub(super) const ROW_GROUP: usize = 1 << 20;
const BATCH: usize = 1 << 16;

/// A row before it has its texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub time: i64,
    pub index: u32,
    pub amount: f64,
}

impl Row {
    /// Bytes of a row in a scratch file.
    pub const SIZE: usize = 20;

    pub fn to_bytes(self) -> [u8; Row::SIZE] {
        let mut out = [0; Row::SIZE];
        out[..8].copy_from_slice(&self.time.to_le_bytes());
        out[8..12].copy_from_slice(&self.index.to_le_bytes());
        out[12..].copy_from_slice(&self.amount.to_bits().to_le_bytes());
        out
    }

    pub fn from_bytes(bytes: &[u8; Row::SIZE]) -> Row {
        let [time @ .., _, _, _, _, _, _, _, _, _, _, _, _] = *bytes;
        let [_, _, _, _, _, _, _, _, i0, i1, i2, i3, amount @ ..] = *bytes;
        Row {
            time: i64::from_le_bytes(time),
            index: u32::from_le_bytes([i0, i1, i2, i3]),
            amount: f64::from_bits(u64::from_le_bytes(amount)),
        }
    }
}

/// A Parquet file in the making.
pub(super) struct Table {
    path: PathBuf,
    writer: ArrowWriter<File>,
}

impl Table {
    fn create(
        path: &Path,
        schema: Arc<Schema>,
        dictionary_of_ids: bool,
        sorted_times: bool,
    ) -> Result<Table> {
        let file = File::create(path).map_err(|e| Error::io("create", path, e))?;
        let column = |name: &str| ColumnPath::from(name);
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("tiercast ", env!("CARGO_PKG_VERSION")).to_string())
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_column_dictionary_enabled(column("customer_id"), dictionary_of_ids);
        if sorted_times {
            properties = properties
                .set_column_dictionary_enabled(column("order_ts"), false)
                .set_column_encoding(column("order_ts"), Encoding::DELTA_BINARY_PACKED);
        }
        let writer =
            ArrowWriter::try_new(file, schema, Some(properties.build())).map_err(|e| failed(path, e))?;
        Ok(Table { path: path.to_path_buf(), writer })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|e| failed(&self.path, e))
    }

    pub fn finish(self) -> Result<()> {
        self.writer.close().map(|_| ()).map_err(|e| failed(&self.path, e))
    }
}

fn failed(path: &Path, error: parquet::errors::ParquetError) -> Error {
    Error::io("write", path, std::io::Error::other(error))
}

fn id_column(config: &Config, indices: impl ExactSizeIterator<Item = u32>) -> ArrayRef {
    if config.ids == Ids::Integer {
        return Arc::new(Int64Array::from_iter_values(indices.map(i64::from)));
    }
    let mut out = StringBuilder::with_capacity(indices.len(), indices.len() * 36);
    let mut text = String::new();
    for index in indices {
        text.clear();
        ids::text_id(config.ids, config.seed, index, &mut text);
        out.append_value(&text);
    }
    Arc::new(out.finish())
}

fn words(values: impl Iterator<Item = &'static str>) -> ArrayRef {
    let mut out = StringBuilder::new();
    values.for_each(|value| out.append_value(value));
    Arc::new(out.finish())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, false)))
        .map_err(|e| Error::internal("building the table", e))
}

fn row_batch(config: &Config, rows: &[Row]) -> Result<RecordBatch> {
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", id_column(config, rows.iter().map(|row| row.index))),
        ("order_ts", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.time)))),
        ("amount", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.amount)))),
    ];
    if config.attributes {
        let seed = config.seed;
        columns.push(("region", words(rows.iter().map(|row| ids::region(seed, row.index)))));
        columns.push(("channel", words(rows.iter().map(|row| ids::channel(seed, row.index, row.time)))));
    }
    batch(columns)
}

/// Writes one file of the history.
pub(super) fn write_rows(config: &Config, path: &Path, rows: &[Row]) -> Result<()> {
    let schema = row_batch(config, &[])?.schema();
    let by_time = config.order == Order::Time;
    let mut table = Table::create(path, schema, !by_time, by_time)?;
    for rows in rows.chunks(BATCH) {
        table.write(&row_batch(config, rows)?)?;
    }
    table.finish()
}

/// Truths of a chunk of customers.
pub(super) fn truth_batch(config: &Config, customers: &[Customer]) -> Result<RecordBatch> {
    let floats = |f: fn(&Customer) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(customers.iter().map(f)))
    };
    let dropout = match config.model {
        super::Model::ParetoNbd { .. } => "mu",
        super::Model::BgNbd { .. } => "p",
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", id_column(config, customers.iter().map(|c| c.index))),
        (
            "first_order_ts",
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                customers.iter().map(|c| c.purchases[0].time),
            )),
        ),
        ("weeks_observed", floats(|c| c.weeks)),
        ("lambda", floats(|c| c.lambda)),
        (
            dropout,
            floats(|c| match c.departure {
                Departure::After { mu, .. } => mu,
                Departure::Purchase { p, .. } => p,
            }),
        ),
        ("nu", floats(|c| c.nu)),
        (
            "orders",
            Arc::new(UInt32Array::from_iter_values(customers.iter().map(|c| c.purchases.len() as u32))),
        ),
        (
            "alive_at_end",
            Arc::new(BooleanArray::from(customers.iter().map(Customer::is_alive).collect::<Vec<_>>())),
        ),
    ];
    if config.attributes {
        columns.push(("region", words(customers.iter().map(|c| ids::region(config.seed, c.index)))));
    }
    batch(columns)
}

/// The file of truths.
pub(super) fn truth_table(config: &Config, path: &Path) -> Result<Table> {
    let schema = truth_batch(config, &[])?.schema();
    Table::create(path, schema, false, false)
}
