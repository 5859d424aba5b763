//! Lists joined to histories, against a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, UInt64Array,
};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use proptest::prelude::*;

use crate::calendar::Unit;
use crate::customers::table::{CustomerList, ListCounts, with_prospects};
use crate::customers::{Ids, read_history};
use crate::error::{Error, Result};
use crate::history::testing::{parquet, source};
use crate::history::{HistoryOptions, Source};

fn history(ids: ArrayRef) -> Source {
    let n = ids.len();
    let days = Date32Array::from_iter_values((0..n).map(|i| i as i32 % 50));
    let amounts = Float64Array::from_iter_values((0..n).map(|i| i as f64));
    let columns: Vec<(&str, ArrayRef)> =
        vec![("customer_id", ids), ("date", Arc::new(days)), ("amount", Arc::new(amounts))];
    source("history", parquet(columns, 100))
}

/// The list in a file of its own.
fn in_file(columns: Vec<(&str, ArrayRef)>) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".parquet").tempfile().unwrap();
    std::io::Write::write_all(&mut file, &parquet(columns, 5)).unwrap();
    file
}

fn joined(
    history: Source,
    list: Vec<(&str, ArrayRef)>,
    id: Option<&str>,
) -> Result<(RecordBatch, ListCounts)> {
    let file = in_file(list);
    let reading = read_history(&[history], &HistoryOptions::default(), Unit::Day, &())?;
    let list = CustomerList::read(file.path(), id, &reading.history, &["clv"])?;
    let places = reading.customers.places_in(&list)?;
    let mut counts = ListCounts::default();
    let mut parts = Vec::new();
    for i in 0..reading.customers.stretches() {
        let mut table = reading.customers.stretch(i)?;
        let (prospects, more) = list.join(&mut table, places[i]..places[i + 1])?;
        counts.add(more);
        parts.push(with_prospects(&table, &prospects)?);
    }
    let batch = concat_batches(&parts[0].schema(), &parts).unwrap();
    // The whole table at once is the same.
    let mut table = reading.customers.into_table()?;
    let (prospects, whole) = list.join(&mut table, 0..list.len())?;
    assert_eq!((with_prospects(&table, &prospects)?, whole), (batch.clone(), counts));
    Ok((batch, counts))
}

fn integers(ids: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(ids.to_vec()))
}

fn regions(n: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..n).map(|i| format!("region {i}"))))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_join_is_a_map(
        orders in prop::collection::vec(-40..40i64, 1..60),
        list in prop::collection::btree_set(-50..50i64, 0..60),
        text in any::<bool>(),
        shift in any::<u32>(),
    ) {
        // The list in any order.
        let mut list: Vec<i64> = list.into_iter().collect();
        if !list.is_empty() {
            let by = shift as usize % list.len();
            list.rotate_left(by);
        }
        let ids = |ids: &[i64]| -> ArrayRef {
            if text { Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("c{id}")))) } else { integers(ids) }
        };
        let columns = vec![("region", regions(list.len())), ("customer_id", ids(&list))];
        let (batch, counts) = joined(history(ids(&orders)), columns, None).unwrap();
        let name = |id: &i64| if text { format!("c{id}") } else { id.to_string() };
        let mut expected: BTreeMap<(i64, String), (bool, Option<usize>)> = BTreeMap::new();
        let key = |id: &i64| (if text { 0 } else { *id }, name(id));
        for id in &orders {
            expected.insert(key(id), (true, None));
        }
        for (i, id) in list.iter().enumerate() {
            expected.entry(key(id)).or_insert((false, None)).1 = Some(i);
        }
        prop_assert_eq!(batch.num_rows(), expected.len());
        let frequency = batch.column_by_name("frequency").unwrap();
        let region = batch.column_by_name("region").unwrap().as_string::<i32>();
        for (row, ((id, name), (ordered, listed))) in expected.iter().enumerate() {
            let found = if text {
                batch.column(0).as_string::<i32>().value(row).to_string()
            } else {
                prop_assert_eq!(batch.column(0).as_primitive::<arrow_array::types::Int64Type>().value(row), *id);
                id.to_string()
            };
            prop_assert_eq!(&found, name);
            prop_assert_eq!(frequency.is_valid(row), *ordered);
            let region = region.is_valid(row).then(|| region.value(row).to_string());
            prop_assert_eq!(region, listed.map(|i| format!("region {i}")));
        }
        let of = |ordered, listed: bool| expected.values().filter(|v| **v == (ordered, v.1) && v.1.is_some() == listed).count() as u64;
        prop_assert_eq!(counts, ListCounts { matched: of(true, true), not_listed: of(true, false), prospects: of(false, true) });
    }
}

#[test]
fn attributes_keep_their_type_and_ids_widen() {
    let region = DictionaryArray::<Int32Type>::from_iter(["north", "south", "north"]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", integers(&[5_000_000_000, 1, 2])),
        ("region", Arc::new(region)),
        ("credit limit", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(3.0)]))),
    ];
    let ids = Arc::new(Int32Array::from(vec![2, 3]));
    let (batch, counts) = joined(history(ids), columns, None).unwrap();
    assert_eq!(counts, ListCounts { matched: 1, not_listed: 1, prospects: 2 });
    assert_eq!(batch.column(0).as_ref(), &Int64Array::from(vec![1, 2, 3, 5_000_000_000]));
    let region = batch.column_by_name("region").unwrap();
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    assert_eq!(region.data_type(), &dictionary);
    assert_eq!((0..4).map(|i| region.is_null(i)).collect::<Vec<_>>(), [false, false, true, false]);
    let credit = batch.column_by_name("credit limit").unwrap().as_primitive::<Float64Type>();
    assert_eq!(credit.iter().collect::<Vec<_>>(), [None, Some(3.0), None, Some(1.5)]);
    let frequency = batch.column_by_name("frequency").unwrap().as_primitive::<UInt32Type>();
    assert_eq!(frequency.iter().collect::<Vec<_>>(), [None, Some(0), Some(0), None]);
}

#[test]
fn an_empty_list_and_a_list_of_strangers() {
    let empty = vec![("customer_id", integers(&[])), ("region", regions(0))];
    let (batch, counts) = joined(history(integers(&[3, 1])), empty, None).unwrap();
    assert_eq!((batch.num_rows(), counts.not_listed, counts.prospects), (2, 2, 0));
    assert_eq!(batch.column_by_name("region").unwrap().null_count(), 2);
    let (batch, counts) =
        joined(history(integers(&[3, 1])), vec![("customer_id", integers(&[1, 2]))], None).unwrap();
    assert_eq!((batch.num_rows(), counts.matched, counts.prospects), (3, 1, 1));
    let strangers = vec![("customer_id", integers(&[9, 2, 0])), ("region", regions(3))];
    let (batch, counts) = joined(history(integers(&[3, 1])), strangers, None).unwrap();
    assert_eq!((batch.num_rows(), counts.matched, counts.prospects), (5, 0, 3));
}

#[test]
fn what_is_wrong_with_a_list_is_said() {
    let fails = |list: Vec<(&str, ArrayRef)>, id: Option<&str>| {
        let error = joined(history(integers(&[1, 2])), list, id).unwrap_err();
        (error.to_string(), error.hint().unwrap())
    };
    let (text, hint) = fails(vec![("customer_id", integers(&[7, 1, 7, 2, 1]))], None);
    assert!(
        text.ends_with(
            "customer 1 stands in rows 1, 4 (counted from 0), and 1 more ids stand more than once"
        ),
        "{text}"
    );
    assert_eq!(hint, "keep one row for each customer");
    let (text, _) = fails(vec![("customer_id", regions(2))], None);
    assert!(text.contains("the customer column is 64-bit integers in history but text in "), "{text}");
    for (name, column) in [("Orders", "orders"), ("clv", "clv"), ("t", "T")] {
        let (text, hint) = fails(vec![("customer_id", integers(&[1])), (name, regions(1))], None);
        assert!(text.ends_with(&format!(
            "cannot be \"{name}\": the customer table has a column \"{column}\" already"
        )));
        assert!(hint.starts_with("rename"));
    }
    let (text, hint) = fails(vec![("key", integers(&[1]))], None);
    assert!(text.ends_with("no column looks like the list-id"), "{text}");
    assert_eq!(hint, "name it with --list-id; the columns are: key");
    let (text, _) = fails(vec![("key", integers(&[1]))], Some("kee"));
    assert!(text.ends_with("no column \"kee\" for the list-id"), "{text}");
}

#[test]
fn ids_that_are_missing_or_too_large() {
    let file = in_file(vec![
        ("customer_id", Arc::new(LargeStringArray::from(vec![Some("b"), None, Some(" "), Some("a")]))),
        ("region", regions(4)),
    ]);
    let history_of = history(Arc::new(StringArray::from(vec!["a"])));
    let reading = read_history(&[history_of], &HistoryOptions::default(), Unit::Day, &()).unwrap();
    let list = CustomerList::read(file.path(), None, &reading.history, &[]).unwrap();
    assert!(matches!(&list.ids, Ids::Text { bytes, .. } if bytes == b"ab"));
    let report = list.report(ListCounts { matched: 1, not_listed: 0, prospects: 1 });
    assert_eq!((report.rows, report.null_ids), (4, 2));
    assert!(report.warnings()[0].starts_with("2 of 4 rows of "), "{:?}", report.warnings());
    assert!(report.warnings()[0].ends_with("have no id in \"customer_id\" and are left out"));
    let large: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let error = joined(history(integers(&[1])), vec![("customer_id", Arc::clone(&large))], None).unwrap_err();
    assert!(matches!(error, Error::Value { .. }) && error.is_input_fault());
    let error = joined(history(large), vec![("customer_id", integers(&[1]))], None).unwrap_err();
    assert!(matches!(error, Error::Value { .. }), "{error}");
}

#[test]
fn the_id_is_named_like_the_historys() {
    let ids = integers(&[1, 2]);
    let n = ids.len();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("key", ids),
        ("date", Arc::new(Date32Array::from(vec![1; n]))),
        ("amount", Arc::new(Float64Array::from(vec![1.0; n]))),
    ];
    let options = HistoryOptions { customer: vec!["key".into()], ..HistoryOptions::default() };
    let reading = read_history(&[source("h", parquet(columns, 9))], &options, Unit::Day, &()).unwrap();
    let file = in_file(vec![("Customer", regions(1)), ("KEY", integers(&[2]))]);
    let list = CustomerList::read(file.path(), None, &reading.history, &[]).unwrap();
    assert_eq!((list.len(), list.id.name.as_str()), (1, "KEY"));
}
