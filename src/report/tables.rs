//! Tables out: Parquet for programs, CSV for spreadsheets.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::error::{Error, Result};
use crate::history::Ledger;
use crate::report::output::MAKER;
use crate::simulate::{Comparison, Estimate};
use crate::tier::Tiering;

/// Writes a batch as one Parquet file, compressed with Snappy.
pub fn write_parquet(path: &Path, batch: &RecordBatch) -> Result<()> {
    let file = File::create(path).map_err(|e| Error::io("create", path, e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("{MAKER} {}", env!("CARGO_PKG_VERSION")))
        .build();
    let fail = |e: parquet::errors::ParquetError| Error::io("write", path, std::io::Error::other(e));
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).map_err(fail)?;
    writer.write(batch).map_err(fail)?;
    writer.close().map_err(fail)?;
    Ok(())
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

/// `strategies.csv`, long: one line per (strategy, tier or `all`, metric). Without a comparison it is the heading.
pub fn strategies_csv(comparison: Option<&Comparison>) -> Result<Vec<u8>> {
    let mut out = Csv::new(&[
        "strategy",
        "tier",
        "metric",
        "value",
        "lower",
        "upper",
        "difference",
        "difference_lower",
        "difference_upper",
        "mean_lower",
        "mean_upper",
        "mc_error",
        "difference_mean_lower",
        "difference_mean_upper",
        "difference_mc_error",
    ])?;
    for row in comparison.iter().flat_map(|c| c.rows.iter().map(move |row| (c, row))) {
        let (comparison, row) = row;
        let tier = row.tier.map_or("all", |k| &comparison.tiers[k]);
        let Estimate { value, lower, upper, mean_lower, mean_upper, mc_error } = row.estimate;
        let d = row.difference;
        let numbers = [
            value,
            lower,
            upper,
            d.value,
            d.lower,
            d.upper,
            mean_lower,
            mean_upper,
            mc_error,
            d.mean_lower,
            d.mean_upper,
            d.mc_error,
        ];
        let mut cells =
            vec![comparison.strategies[row.strategy].clone(), tier.to_string(), row.metric.key().to_string()];
        cells.extend(numbers.iter().map(f64::to_string));
        out.row(&cells)?;
    }
    out.finish()
}

struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    fn new(heading: &[&str]) -> Result<Csv> {
        let mut out = Csv(csv::Writer::from_writer(Vec::new()));
        out.0.write_record(heading).map_err(|e| Error::internal("writing CSV", e))?;
        Ok(out)
    }

    fn row(&mut self, cells: &[String]) -> Result<()> {
        self.0.write_record(cells).map_err(|e| Error::internal("writing CSV", e))
    }

    fn finish(self) -> Result<Vec<u8>> {
        self.0.into_inner().map_err(|e| Error::internal("writing CSV", e.into_error()))
    }
}
