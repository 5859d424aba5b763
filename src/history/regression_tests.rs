//! Files that once panicked or gave wrong rows: 96-bit times, dictionaries without entries, empty ids, empty files.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    LargeStringArray, NullArray, StringArray, StringViewArray, TimestampSecondArray,
};
use bytes::Bytes;
use parquet::data_type::{DoubleType, Int64Type, Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::amount::{AmountKind, Refunds};
use crate::calendar::{Day, Unit};
use crate::customers::{Summary, summarize};
use crate::error::{Error, Result};
use crate::history::testing::{parquet, source};
use crate::history::{HistoryOptions, Reason, Source};

fn run_with(sources: &[Source], options: &HistoryOptions) -> Result<Summary> {
    summarize(sources, options, Unit::Day, &())
}

fn run(sources: &[Source]) -> Result<Summary> {
    run_with(sources, &HistoryOptions::default())
}

fn dates(days: &[i32]) -> ArrayRef {
    Arc::new(Date32Array::from(days.to_vec()))
}

fn cash(amounts: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(amounts.to_vec()))
}

fn ids(ids: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(ids.to_vec()))
}

fn file(id: ArrayRef, date: ArrayRef, amount: ArrayRef) -> Source {
    source("t", parquet(vec![("customer_id", id), ("date", date), ("amount", amount)], 100))
}

fn aside(summary: &Summary) -> Vec<(u64, Reason, Option<&str>)> {
    summary.ledger.set_aside.iter().map(|row| (row.row, row.reason, row.value.as_deref())).collect()
}

/// A file whose times are INT96, the way Spark and Impala wrote them: (Julian day, nanoseconds of the day).
fn int96(times: &[(u32, u64)]) -> Bytes {
    let schema = "message m { required int64 customer_id; required int96 order_ts; required double amount; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut out = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(&mut out, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let n = times.len();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&vec![7; n], None, None).unwrap();
    column.close().unwrap();
    let values: Vec<Int96> = times
        .iter()
        .map(|&(day, nanos)| {
            let mut value = Int96::new();
            value.set_data(nanos as u32, (nanos >> 32) as u32, day);
            value
        })
        .collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int96Type>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&vec![1.0; n], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    out.into()
}

#[test]
fn times_of_96_bits_do_not_wrap() {
    const EPOCH: u32 = 2_440_588;
    let noon = 43_200_000_000_000;
    // In nanoseconds of 64 bits, the year 9999 is the year 1816, and 2300 is 1715.
    let times = [(EPOCH + 10, noon), (EPOCH + 2_932_895, 0), (EPOCH + 120_529, 0), (EPOCH + 12, 0)];
    let local = HistoryOptions { zone: Some("local".into()), ..HistoryOptions::default() };
    let summary = run_with(&[source("int96", int96(&times))], &local).unwrap();
    assert_eq!(
        aside(&summary),
        [
            (1, Reason::ImpossibleDate, Some("9999-12-30T00:00:00")),
            (2, Reason::ImpossibleDate, Some("2299-12-31T00:00:00")),
        ]
    );
    assert_eq!((summary.table.first_order[0], summary.table.last_order[0]), (Day(10), Day(12)));
    assert_eq!(summary.history.files[0].schema[1].1, "Timestamp(µs)");
}

#[test]
fn times_of_96_bits_need_a_zone() {
    const EPOCH: u32 = 2_440_588;
    let late = 23 * 3_600_000_000_000;
    let spark = || source("spark", int96(&[(EPOCH + 10, late), (EPOCH + 12, 0)]));
    let days = |sources: &[Source], zone: Option<&str>| {
        let options = HistoryOptions { zone: zone.map(String::from), ..HistoryOptions::default() };
        let summary = run_with(sources, &options)?;
        Ok((summary.table.first_order[0].0, summary.table.last_order[0].0, summary.history.zone))
    };
    let error: Error = days(&[spark()], None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "spark: the times of column \"order_ts\" are INT96, which does not say whether they are UTC or local"
    );
    let hint = error.hint().unwrap();
    assert!(hint.contains("--zone Europe/Paris") && hint.contains("--zone local"), "{hint}");
    assert_eq!(days(&[spark()], Some("local")).unwrap(), (10, 12, None));
    assert_eq!(days(&[spark()], Some("+01:00")).unwrap(), (11, 12, Some("+01".into())));
    assert_eq!(days(&[spark()], Some("-01:00")).unwrap().1, 11);

    // Beside local dates they can only be local, beside instants only instants.
    let of = |name: &str, time: ArrayRef| {
        source(
            name,
            parquet(vec![("customer_id", ids(&[7])), ("order_ts", time), ("amount", cash(&[1.0]))], 9),
        )
    };
    let local = || of("local", dates(&[20]));
    let instant =
        || of("instant", Arc::new(TimestampSecondArray::from(vec![1_728_000]).with_timezone("UTC")));
    assert_eq!(days(&[local(), spark()], Some("local")).unwrap(), (10, 20, None));
    assert_eq!(days(&[spark(), instant()], Some("UTC")).unwrap(), (10, 20, Some("UTC".into())));
    for (sources, zone, said) in [
        (vec![local(), spark()], None, "which does not say whether"),
        (vec![spark(), instant()], None, "which does not say whether"),
        (
            vec![local(), spark()],
            Some("UTC"),
            "without zone in local but an INT96 time, read as instants in spark",
        ),
        (
            vec![spark(), instant()],
            Some("local"),
            "--zone cannot be \"local\": instant has a time in zone UTC",
        ),
        (vec![instant()], Some("local"), "--zone cannot be \"local\": instant has a time in zone UTC"),
    ] {
        let error = days(&sources, zone).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(days(&[local()], Some("local")).unwrap(), (20, 20, None));
}

#[test]
fn a_row_group_without_dictionary_entries() {
    let empty = |n| {
        let keys = Int32Array::from(vec![None; n]);
        let values: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
        Arc::new(DictionaryArray::<Int32Type>::new(keys, values)) as ArrayRef
    };
    let full: DictionaryArray<Int32Type> = vec!["b", "a"].into_iter().collect();
    let part = |name: &str, id: ArrayRef, order: ArrayRef| {
        let columns = vec![
            ("customer_id", id),
            ("date", dates(&[10, 11])),
            ("amount", cash(&[1.0, 2.0])),
            ("order_id", order),
        ];
        source(name, parquet(columns, 100))
    };
    let sources = [part("a", empty(2), empty(2)), part("b", Arc::new(full), empty(2))];
    let summary = run(&sources).unwrap();
    assert_eq!(aside(&summary), [(0, Reason::NullCustomer, None), (1, Reason::NullCustomer, None)]);
    assert_eq!(summary.table.orders, [1, 1]);
}

#[test]
fn empty_ids_are_no_ids() {
    let texts = ["a", "", " \t", "b"];
    let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
    let columns: [ArrayRef; 4] = [
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
        Arc::new(dictionary),
    ];
    for column in columns {
        let summary = run(&[file(column, dates(&[1, 2, 3, 4]), cash(&[1.0; 4]))]).unwrap();
        assert_eq!(
            aside(&summary),
            [(1, Reason::NullCustomer, Some("")), (2, Reason::NullCustomer, Some(" \t"))]
        );
        assert_eq!(summary.table.len(), 2);
    }
}

#[test]
fn files_without_rows_do_not_matter() {
    // What pandas writes of an empty table: no names' types are kept.
    let nothing = || Arc::new(NullArray::new(0)) as ArrayRef;
    let none = || {
        let columns = vec![("customer_id", cash(&[])), ("date", nothing()), ("other", nothing())];
        source("none", parquet(columns, 9))
    };
    let some = |name: &str| {
        let columns =
            vec![("customer_id", ids(&[1, 2])), ("date", dates(&[1, 2])), ("amount", cash(&[1.0, -2.0]))];
        source(name, parquet(columns, 9))
    };
    let summary = run(&[none(), some("a"), none(), some("b")]).unwrap();
    assert_eq!(summary.ledger.files, ["a", "b", "none", "none"]);
    assert_eq!((summary.ledger.read, summary.ledger.duplicates), (4, 1));
    let files: Vec<u32> = summary.ledger.set_aside.iter().map(|row| row.file).collect();
    assert_eq!(files, [0, 1]);
    assert!(matches!(run(&[none()]), Err(Error::NoRows { .. })));
}

#[test]
fn an_orphan_refund_does_not_move_the_window() {
    let net = HistoryOptions { refunds: Refunds::Net, ..HistoryOptions::default() };
    let text = |names: [&str; 4]| Arc::new(StringArray::from(names.to_vec())) as ArrayRef;
    // Customer 3 never ordered; customer 2's refund comes after the last order and counts.
    for id in [ids(&[1, 2, 2, 3]), text(["a", "b", "b", "c"])] {
        let refunded = file(id, dates(&[10, 11, 15, 90]), cash(&[5.0, 4.0, -1.0, -2.0]));
        let summary = run_with(&[refunded], &net).unwrap();
        assert_eq!(summary.table.window.as_of, Day(15));
        assert_eq!(aside(&summary), [(3, Reason::RefundWithoutOrder, Some("-2"))]);
        assert_eq!(summary.table.total_spend, [5.0, 3.0]);
    }
    let orphan = file(ids(&[1, 2, 3, 3]), dates(&[10, 11, 12, 90]), cash(&[5.0, 4.0, -1.0, -2.0]));
    assert_eq!(run_with(&[orphan], &net).unwrap().table.window.as_of, Day(11));
}

#[test]
fn exact_amounts_held_as_floats_are_no_duplicates() {
    // Too large to be held exactly, and the same number as 64-bit floats.
    let huge = 10i128.pow(25);
    let amounts =
        Decimal128Array::from(vec![huge, huge + 1, huge, 5]).with_precision_and_scale(38, 2).unwrap();
    let options = HistoryOptions { drop_duplicates: true, ..HistoryOptions::default() };
    let source = file(ids(&[1; 4]), dates(&[10; 4]), Arc::new(amounts));
    let summary = run_with(&[source], &options).unwrap();
    assert_eq!(summary.history.amounts, AmountKind::Float);
    assert_eq!(aside(&summary), [(2, Reason::Duplicate, Some("same as row 0"))]);
    assert_eq!((summary.ledger.duplicates, summary.ledger.used), (1, 3));
}

#[test]
fn amounts_that_add_up_to_infinity_are_refused() {
    let error =
        run(&[file(ids(&[4, 7, 7]), dates(&[1, 2, 3]), cash(&[1.0, f64::MAX, f64::MAX]))]).unwrap_err();
    assert_eq!(error.to_string(), "the amounts of customer 7 cannot be \"inf\": they add up to infinity");
}
