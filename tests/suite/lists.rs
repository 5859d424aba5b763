//! Customers lists on the command line.

use std::fs::File;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, Date64Array, Decimal128Array, ListArray, RecordBatch, TimestampSecondArray, UInt8Array,
};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Scratch, amounts, dataset, ids, texts};

fn read(path: &std::path::Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let batches: Vec<RecordBatch> =
        reader.with_batch_size(1 << 20).build().unwrap().map(|b| b.unwrap()).collect();
    batches.into_iter().next().unwrap()
}

fn nulls(batch: &RecordBatch, column: &str) -> usize {
    batch.column_by_name(column).unwrap_or_else(|| panic!("{column}")).null_count()
}

#[test]
fn summarize_writes_prospects_among_the_customers() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &[(1, "2026-01-01", 5.0), (4, "2026-01-02", 6.0)]);
    scratch.write_batch("list.parquet", &[("id", ids(&[3, 4])), ("region", texts(&["north", "south"]))]);
    let words = [
        "summarize",
        "h.parquet",
        "-o",
        "t.parquet",
        "--customers-list",
        "list.parquet",
        "--list-id",
        "id",
        "--json",
    ];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let list = &json["customers_list"];
    assert_eq!(
        (&list["matched"], &list["not_listed"], &list["prospects"]),
        (&1.into(), &1.into(), &1.into())
    );
    let batch = read(&scratch.path("t.parquet"));
    assert_eq!(batch.column(0).as_ref(), ids(&[1, 3, 4]).as_ref());
    assert_eq!((nulls(&batch, "total_spend"), nulls(&batch, "region")), (1, 1));
    let ran = scratch.run(&words[..words.len() - 1]);
    assert!(ran.stdout.contains("prospects: in the list, without an order"), "{}", ran.stdout);
    // The list is an input: it is never replaced.
    let ran = scratch.run(&[
        "summarize",
        "h.parquet",
        "-o",
        "list.parquet",
        "--customers-list",
        "list.parquet",
        "--list-id",
        "id",
        "--force",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn attributes_of_any_type_are_written() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &[(1, "2026-01-01", 5.0), (4, "2026-01-02", 6.0)]);
    let list: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]));
    let columns: [(&str, ArrayRef); 6] = [
        ("customer_id", ids(&[4, 9])),
        ("since", Arc::new(Date64Array::from(vec![Some(86_400_000 * 365), None]))),
        ("rank", Arc::new(UInt8Array::from(vec![Some(200), None]))),
        (
            "limit",
            Arc::new(Decimal128Array::from(vec![Some(12_345), None]).with_precision_and_scale(9, 2).unwrap()),
        ),
        ("visits", list),
        ("seen", Arc::new(TimestampSecondArray::from(vec![Some(7), None]).with_timezone("Europe/Paris"))),
    ];
    scratch.write_batch("list.parquet", &columns);
    let ran = scratch.run(&["summarize", "h.parquet", "-o", "t.parquet", "--customers-list", "list.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let batch = read(&scratch.path("t.parquet"));
    for (name, column) in &columns[2..] {
        let found = batch.column_by_name(name).unwrap();
        // Rows: customer 1 who is not in the list, customer 4, prospect 9.
        assert_eq!(found.slice(1, 2).as_ref(), column.as_ref(), "{name}");
        assert!(found.is_null(0));
    }
    let since = batch.column_by_name("since").unwrap();
    assert_eq!((since.null_count(), since.data_type()), (2, &DataType::Date32));
}

#[test]
fn run_keeps_prospects_out_of_the_models() {
    let scratch = Scratch::new();
    // CDNOW's ids are 1 to 23570.
    let listed: Vec<i64> = (0..10_000).map(|i| 5 * i + 3).collect();
    let credit: Vec<f64> = listed.iter().map(|&id| id as f64).collect();
    scratch.write_batch("list.parquet", &[("customer_id", ids(&listed)), ("credit_limit", amounts(&credit))]);
    let history = dataset("cdnow/cdnow.parquet");
    let history = history.to_str().unwrap();
    let common = ["run", history, "--replications", "2", "--json", "--out"];
    let with = scratch.run(&[&common[..], &["with", "--customers-list", "list.parquet"]].concat());
    let without = scratch.run(&[&common[..], &["without"]].concat());
    assert_eq!((with.code, without.code), (0, 0), "{}{}", with.stderr, without.stderr);
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (with, without) = (json(&with.stdout), json(&without.stdout));
    for key in ["customers", "fits", "segments", "tiers", "lifetime_value", "concentration"] {
        assert_eq!(with[key], without[key], "{key}");
    }
    let list = &with["customers_list"];
    let matched = listed.iter().filter(|&&id| id <= 23_570).count();
    assert_eq!(list["matched"], matched);
    assert_eq!(list["prospects"], 10_000 - matched);
    assert_eq!(list["not_listed"], 23_570 - matched);
    assert!(without["customers_list"].is_null());
    let batch = read(&scratch.path("with/customers.parquet"));
    assert_eq!(batch.num_rows(), 23_570 + 10_000 - matched);
    for column in ["frequency", "rfm_code", "clv", "cluster", "tier_value"] {
        assert_eq!(nulls(&batch, column), 10_000 - matched, "{column}");
    }
    assert_eq!(nulls(&batch, "credit_limit"), 23_570 - matched);
    let page = std::fs::read_to_string(scratch.path("with/report.html")).unwrap();
    assert!(page.contains("prospects who have not ordered"));
    // Every column of a run is refused as an attribute, before the rows are read.
    let own = read(&scratch.path("without/customers.parquet"));
    for field in own.schema().fields().iter().skip(1) {
        let columns = [("customer_id", ids(&[1])), (field.name().as_str(), texts(&["x"]))];
        scratch.write_batch("clash.parquet", &columns);
        let ran = scratch
            .run(&[&common[..], &["clash", "--customers-list", "clash.parquet", "--dry-run"]].concat());
        assert_eq!(ran.code, 1, "{}", field.name());
        assert!(
            ran.stderr.contains(&format!("has a column \\\"{}\\\" already", field.name())),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_list_id_needs_a_list() {
    let scratch = Scratch::new();
    let ran = scratch.run(&["run", "--list-id", "key", "--dry-run"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("list_id (command line) cannot be \"key\": there is no customers list"),
        "{}",
        ran.stderr
    );
}
