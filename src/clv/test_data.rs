//! The CDNOW logs as statistics, read in the plainest way, for tests of the models alone.

use std::collections::BTreeMap;
use std::fs::File;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::calendar::Day;

/// Statistics of customers, ordered by id.
pub struct Data {
    pub frequency: Vec<u32>,
    pub recency_days: Vec<u32>,
    pub t_days: Vec<u32>,
    pub monetary_value: Vec<f64>,
}

/// The CDNOW sample in the order of its sample ids, up to 1997-09-30.
pub fn sample() -> Data {
    summarize("cdnow_sample.parquet", "sample_id", "1997-09-30")
}

/// The whole CDNOW log up to 1998-06-30.
pub fn whole_log() -> Data {
    summarize("cdnow.parquet", "customer_id", "1998-06-30")
}

fn summarize(file: &str, id: &str, end: &str) -> Data {
    let end: Day = end.parse().unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/cdnow/").to_string() + file;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut customers: BTreeMap<i64, BTreeMap<i32, f64>> = BTreeMap::new();
    for batch in reader {
        let batch: RecordBatch = batch.unwrap();
        let ids = batch.column_by_name(id).unwrap().as_primitive::<Int64Type>();
        let days = batch.column_by_name("date").unwrap().as_primitive::<Date32Type>();
        let amounts = batch.column_by_name("amount").unwrap().as_primitive::<Float64Type>();
        for row in 0..batch.num_rows() {
            if days.value(row) <= end.0 {
                let spent = customers.entry(ids.value(row)).or_default().entry(days.value(row)).or_default();
                *spent += amounts.value(row);
            }
        }
    }
    let mut out = Data {
        frequency: Vec::new(),
        recency_days: Vec::new(),
        t_days: Vec::new(),
        monetary_value: Vec::new(),
    };
    for days in customers.values() {
        let (first, last) = (*days.keys().next().unwrap(), *days.keys().last().unwrap());
        let repeats = days.len() as u32 - 1;
        out.frequency.push(repeats);
        out.recency_days.push((last - first) as u32);
        out.t_days.push((end.0 - first) as u32);
        let spent: f64 = days.values().skip(1).sum();
        out.monetary_value.push(if repeats == 0 { 0.0 } else { spent / f64::from(repeats) });
    }
    out
}
