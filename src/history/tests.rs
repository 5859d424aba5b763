//! Every type a column may have, and every input that cannot be a history.

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    ArrayRef, Date32Array, Date64Array, Decimal32Array, Decimal64Array, Decimal128Array, Decimal256Array,
    DictionaryArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    LargeStringArray, StringArray, StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::i256;
use arrow_cast::cast;
use arrow_schema::DataType;
use bytes::Bytes;

use crate::amount::AmountKind;
use crate::calendar::{Day, Unit};
use crate::customers::{Summary, summarize};
use crate::error::{Error, Result};
use crate::history::testing::{cdnow, parquet, source};
use crate::history::{History, HistoryOptions, How, Reason, Source};

fn run(sources: &[Source]) -> Result<Summary> {
    summarize(sources, &HistoryOptions::default(), Unit::Day, &())
}

fn ids() -> ArrayRef {
    Arc::new(Int64Array::from(vec![2, 1, 2]))
}

fn dates() -> ArrayRef {
    Arc::new(Date32Array::from(vec![10, 11, 13]))
}

fn money() -> ArrayRef {
    Arc::new(Float64Array::from(vec![1.5, 2.0, 4.0]))
}

fn file(id: ArrayRef, time: ArrayRef, amount: ArrayRef) -> Bytes {
    parquet(vec![("customer_id", id), ("date", time), ("amount", amount)], 2)
}

fn named(columns: &[(&str, ArrayRef)]) -> Source {
    source("test.parquet", parquet(columns.to_vec(), 100))
}

fn open(columns: &[(&str, ArrayRef)]) -> Result<History> {
    History::open(&[named(columns)], &HistoryOptions::default())
}

fn both(error: &Error) -> String {
    format!("{error} | {}", error.hint().unwrap_or_default())
}

#[test]
fn every_id_type() {
    let dictionary: DictionaryArray<Int8Type> = vec!["b", "a", "b"].into_iter().collect();
    let numbers = DictionaryArray::new(Int32Array::from(vec![1, 0, 1]), ids().slice(1, 2));
    let columns: Vec<(ArrayRef, [&str; 2])> = vec![
        (Arc::new(Int8Array::from(vec![2, -1, 2])), ["-1", "2"]),
        (Arc::new(Int16Array::from(vec![2, -1, 2])), ["-1", "2"]),
        (Arc::new(Int32Array::from(vec![2, -1, 2])), ["-1", "2"]),
        (Arc::new(Int64Array::from(vec![2, -1, 2])), ["-1", "2"]),
        (Arc::new(UInt8Array::from(vec![200, 1, 200])), ["1", "200"]),
        (Arc::new(UInt16Array::from(vec![60_000, 1, 60_000])), ["1", "60000"]),
        (Arc::new(UInt32Array::from(vec![u32::MAX, 1, u32::MAX])), ["1", "4294967295"]),
        (Arc::new(UInt64Array::from(vec![u64::MAX, 1, u64::MAX])), ["1", "18446744073709551615"]),
        (Arc::new(StringArray::from(vec!["ab", "a", "ab"])), ["a", "ab"]),
        (Arc::new(LargeStringArray::from(vec!["ä", "a", "ä"])), ["a", "ä"]),
        (
            Arc::new(StringViewArray::from(vec!["longer than twelve", "a", "longer than twelve"])),
            ["a", "longer than twelve"],
        ),
        (Arc::new(dictionary), ["a", "b"]),
        (Arc::new(numbers as DictionaryArray<Int32Type>), ["1", "2"]),
    ];
    for (column, expected) in columns {
        let name = column.data_type().to_string();
        let summary = run(&[source(&name, file(column, dates(), money()))]).unwrap();
        let t = &summary.table;
        assert_eq!([t.ids.text(0), t.ids.text(1)], expected, "{name}");
        assert_eq!((&t.frequency[..], &t.total_spend[..]), (&[0, 1][..], &[2.0, 5.5][..]), "{name}");
    }
}

#[test]
fn every_time_type() {
    let (day, noon) = (86_400i64, 43_200i64);
    // Before 1970 as well: days are floors.
    let seconds = [-day - noon, 11 * day, 13 * day + noon];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Date32Array::from(vec![-2, 11, 13])),
        Arc::new(Date64Array::from(seconds.map(|s| s * 1000).to_vec())),
        Arc::new(TimestampSecondArray::from(seconds.to_vec())),
        Arc::new(TimestampMillisecondArray::from(seconds.map(|s| s * 1_000).to_vec())),
        Arc::new(TimestampMicrosecondArray::from(seconds.map(|s| s * 1_000_000).to_vec())),
        Arc::new(TimestampNanosecondArray::from(seconds.map(|s| s * 1_000_000_000).to_vec())),
        Arc::new(
            TimestampMicrosecondArray::from(seconds.map(|s| s * 1_000_000).to_vec()).with_timezone("UTC"),
        ),
        Arc::new(TimestampSecondArray::from(seconds.to_vec()).with_timezone("+01:00")),
    ];
    for column in columns {
        let name = column.data_type().to_string();
        let t = run(&[source(&name, file(ids(), column, money()))]).unwrap().table;
        assert_eq!((t.first_order[1], t.last_order[1]), (Day(-2), Day(13)), "{name}");
    }
}

#[test]
fn every_amount_type() {
    let scaled = |scale| AmountKind::Scaled { scale };
    let whole = [150i32, 200, 400];
    let columns: Vec<(ArrayRef, AmountKind, f64)> = vec![
        (money(), AmountKind::Float, 5.5),
        (Arc::new(Float32Array::from(vec![1.5, 2.0, 4.0])), AmountKind::Float, 5.5),
        (cast(&money(), &DataType::Float16).unwrap(), AmountKind::Float, 5.5),
        (Arc::new(Int8Array::from(vec![1, 2, 4])), scaled(0), 5.0),
        (Arc::new(UInt16Array::from(vec![1, 2, 4])), scaled(0), 5.0),
        (Arc::new(Int64Array::from(vec![1, 2, 4])), scaled(0), 5.0),
        (Arc::new(UInt64Array::from(vec![1, 2, 4])), scaled(0), 5.0),
        (
            Arc::new(Decimal32Array::from(whole.to_vec()).with_precision_and_scale(9, 2).unwrap()),
            scaled(2),
            5.5,
        ),
        (
            Arc::new(
                Decimal64Array::from(whole.map(i64::from).to_vec()).with_precision_and_scale(18, 2).unwrap(),
            ),
            scaled(2),
            5.5,
        ),
        (
            Arc::new(
                Decimal128Array::from(whole.map(i128::from).to_vec())
                    .with_precision_and_scale(38, 2)
                    .unwrap(),
            ),
            scaled(2),
            5.5,
        ),
        (
            Arc::new(
                Decimal256Array::from(whole.map(|v| i256::from_i128(v.into())).to_vec())
                    .with_precision_and_scale(50, 2)
                    .unwrap(),
            ),
            scaled(2),
            5.5,
        ),
    ];
    for (column, kind, spend) in columns {
        let name = column.data_type().to_string();
        let summary = run(&[source(&name, file(ids(), dates(), column))]).unwrap();
        assert_eq!(summary.history.amounts, kind, "{name}");
        assert_eq!(summary.table.total_spend[1], spend, "{name}");
    }
}

#[test]
fn exact_amounts_that_are_too_large_become_floats() {
    let huge = 10i128.pow(30);
    let column = Decimal128Array::from(vec![huge, 200, 4 * huge]).with_precision_and_scale(38, 2).unwrap();
    let summary = run(&[source("huge", file(ids(), dates(), Arc::new(column)))]).unwrap();
    assert_eq!(summary.history.amounts, AmountKind::Float);
    assert_eq!(summary.table.total_spend, [2.0, 5e28]);
    assert!(summary.ledger.adds_up());
}

#[test]
fn scales_and_widths_of_several_files_join() {
    let one = Decimal128Array::from(vec![150, 200, 400]).with_precision_and_scale(10, 2).unwrap();
    let two = Arc::new(Int32Array::from(vec![3, 3, 3])) as ArrayRef;
    let a = source("a", file(Arc::new(Int16Array::from(vec![2, 1, 2])), dates(), Arc::new(one)));
    let b = source("b", file(Arc::new(UInt32Array::from(vec![u32::MAX, 2, 1])), dates(), two));
    let summary = run(&[a, b]).unwrap();
    assert_eq!(summary.history.amounts, AmountKind::Scaled { scale: 2 });
    let t = summary.table;
    assert_eq!((0..3).map(|i| t.ids.text(i)).collect::<Vec<_>>(), ["1", "2", "4294967295"]);
    assert_eq!(t.total_spend, [5.0, 8.5, 3.0]);
    assert_eq!(t.ids, crate::customers::Ids::Signed { values: vec![1, 2, 4_294_967_295], bits: 64 });
}

#[test]
fn instants_become_days_of_the_zone() {
    // 2024-03-10 is the day New York's clocks go forward: midnight is 05:00 UTC before it and 04:00 after it.
    let instant = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
    let times = ["2024-03-10T04:59:59Z", "2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z"].map(instant);
    let data = |zone: &str| {
        let column = TimestampMicrosecondArray::from(times.to_vec()).with_timezone(zone);
        file(Arc::new(Int64Array::from(vec![1, 1, 1])), Arc::new(column), money())
    };
    let days = |sources: &[Source], zone: Option<&str>| {
        let options = HistoryOptions { zone: zone.map(String::from), ..HistoryOptions::default() };
        let summary = summarize(sources, &options, Unit::Day, &())?;
        let t = summary.table;
        Ok((t.first_order[0].to_string(), t.last_order[0].to_string(), t.frequency[0], summary.history.zone))
    };
    let utc = days(&[source("a", data("UTC"))], None).unwrap();
    assert_eq!(utc, ("2024-03-10".into(), "2024-03-11".into(), 1, Some("UTC".into())));
    let new_york = ("2024-03-09".into(), "2024-03-11".into(), 2, Some("America/New_York".into()));
    assert_eq!(days(&[source("a", data("UTC"))], Some("America/New_York")).unwrap(), new_york);
    assert_eq!(days(&[source("a", data("America/New_York"))], None).unwrap(), new_york);

    let two = [source("a", data("UTC")), source("b", data("America/New_York"))];
    let error: Error = days(&two, None).unwrap_err();
    assert_eq!(
        both(&error),
        "the time column is a time in zone UTC in a but a time in zone America/New_York in b | say in which zone \
         instants become days, as in --zone UTC"
    );
    assert!(days(&two, Some("Europe/Paris")).is_ok());
    let error = days(&[source("a", data("UTC"))], Some("Mars/Olympus")).unwrap_err();
    assert!(error.to_string().starts_with("--zone cannot be \"Mars/Olympus\""), "{error}");
    let error = days(&[source("a", file(ids(), dates(), money()))], Some("UTC")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--zone cannot be \"UTC\": the time column \"date\" holds local dates without a zone, which are taken as they are"
    );
}

#[test]
fn columns_are_found() {
    let (id, time, cash) = (ids(), dates(), money());
    let found = |columns: &[(&str, ArrayRef)]| {
        let columns = open(columns).unwrap().inspection().columns.clone();
        let order = columns.order.map_or("-".into(), |c| c.name);
        format!("{} {} {} {order}", columns.customer[0].name, columns.time.name, columns.amount.name)
    };
    for (columns, expected) in [
        (
            vec![("sample_id", &id), ("customer_id", &id), ("date", &time), ("amount", &cash)],
            "customer_id date amount -",
        ),
        (
            vec![("created_at", &time), ("order_date", &time), ("User-ID", &id), ("Total Price", &cash)],
            "User-ID order_date Total Price -",
        ),
        (
            vec![("CustomerID", &id), ("InvoiceNo", &id), ("InvoiceDate", &time), ("Revenue", &cash)],
            "CustomerID InvoiceDate Revenue InvoiceNo",
        ),
        (vec![("client_id", &id), ("order_ts", &time), ("price", &cash)], "client_id order_ts price -"),
        (
            vec![
                ("customer", &id),
                ("bought", &time),
                ("birth_date", &time),
                ("tax", &cash),
                ("geld", &cash),
            ],
            "customer bought geld -",
        ),
    ] {
        let columns: Vec<(&str, ArrayRef)> = columns.into_iter().map(|(n, c)| (n, c.clone())).collect();
        assert_eq!(found(&columns), expected);
    }
    let history = open(&[("member_id", id), ("bought", time), ("amount", cash)]).unwrap();
    assert_eq!(history.inspection().columns.time.how, How::ByType);
    let json = serde_json::to_value(history.inspection()).unwrap();
    assert_eq!(json["columns"]["time"]["type"], "Date32");
    assert_eq!(json["columns"]["customer"]["how"], "by_name");
}

#[test]
fn columns_that_cannot_be_chosen() {
    let (id, time, cash) = (ids(), dates(), money());
    let text = || Arc::new(StringArray::from(vec!["a", "b", "c"])) as ArrayRef;
    let fails = |columns: &[(&str, &ArrayRef)]| {
        let columns: Vec<(&str, ArrayRef)> = columns.iter().map(|(n, c)| (*n, (*c).clone())).collect();
        both(&open(&columns).unwrap_err())
    };
    assert_eq!(
        fails(&[("who", &id), ("date", &time), ("amount", &cash)]),
        "test.parquet: no column looks like the customer | name it with --customer; the columns are: who, date, amount"
    );
    assert_eq!(
        fails(&[("user_id", &id), ("client_id", &id), ("date", &time), ("amount", &cash)]),
        "test.parquet: several columns could be the customer: user_id, client_id | choose one, as in --customer user_id"
    );
    assert_eq!(
        fails(&[("user_id", &id), ("a", &time), ("b", &time), ("amount", &cash)]),
        "test.parquet: several columns could be the time: a, b | choose one, as in --time a"
    );
    assert_eq!(
        fails(&[("user_id", &id), ("date", &text()), ("amount", &cash)]),
        "test.parquet: column \"date\" has type Utf8, which cannot be the time | the time column may be a date, or a \
         timestamp of any unit with or without a time zone"
    );
    assert_eq!(
        fails(&[("user_id", &id), ("date", &time), ("quantity", &id), ("UnitPrice", &cash)]),
        "the amount column of test.parquet cannot be \"UnitPrice\": beside \"quantity\" it may be the price of one piece | \
         choose it with --amount UnitPrice if it is the money of the whole row, or multiply it with --quantity quantity"
    );
    let columns = [("customer_id", id), ("date", time), ("amount", cash)];
    let options = HistoryOptions { customer: vec!["custmer_id".into()], ..HistoryOptions::default() };
    assert_eq!(
        both(&History::open(&[named(&columns)], &options).unwrap_err()),
        "test.parquet: no column \"custmer_id\" for the customer | did you mean \"customer_id\"? The columns are: \
         customer_id, date, amount"
    );
    let options = HistoryOptions { amount: Some("date".into()), ..HistoryOptions::default() };
    let error = History::open(&[named(&columns)], &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.parquet: column \"date\" has type Date32, which cannot be the amount"
    );
}

#[test]
fn files_that_do_not_go_together() {
    let text = Arc::new(StringArray::from(vec!["a", "b", "c"])) as ArrayRef;
    let whole = || source("a", file(ids(), dates(), money()));
    let fails = |other| run(&[whole(), source("b", other)]).unwrap_err().to_string();
    assert_eq!(
        fails(file(text, dates(), money())),
        "the customer column is 64-bit integers in a but text in b"
    );
    let zoned = TimestampSecondArray::from(vec![1, 2, 3]).with_timezone("UTC");
    assert_eq!(
        fails(file(ids(), Arc::new(zoned), money())),
        "the time column is a local date or time without zone in a but a time in zone UTC in b"
    );
    let renamed = parquet(vec![("user_id", ids()), ("date", dates()), ("amount", money())], 9);
    assert_eq!(fails(renamed), "the customer column is \"customer_id\" in a but \"user_id\" in b");
    let large = Arc::new(UInt64Array::from(vec![u64::MAX, 1, 2])) as ArrayRef;
    assert_eq!(
        fails(file(large, dates(), money())),
        "the customer column is beyond 63 bits in b but signed integers in a"
    );
}

#[test]
fn rows_that_cannot_be_used_are_set_aside() {
    let id = Arc::new(Int64Array::from(vec![Some(1), None, Some(1), Some(1), Some(1), Some(1), Some(1)]))
        as ArrayRef;
    let date =
        Date32Array::from(vec![Some(10), Some(10), None, Some(2_932_896), Some(10), Some(10), Some(10)]);
    let amount = Float64Array::from(vec![
        Some(0.0),
        Some(1.0),
        Some(1.0),
        Some(1.0),
        None,
        Some(f64::NAN),
        Some(-2.5),
    ]);
    let summary = run(&[source("a", file(id, Arc::new(date), Arc::new(amount)))]).unwrap();
    let aside: Vec<(u64, Reason, Option<&str>)> =
        summary.ledger.set_aside.iter().map(|row| (row.row, row.reason, row.value.as_deref())).collect();
    assert_eq!(
        aside,
        [
            (1, Reason::NullCustomer, None),
            (2, Reason::NullTime, None),
            (3, Reason::ImpossibleDate, Some("9999-12-31")),
            (4, Reason::NullAmount, None),
            (5, Reason::NotFiniteAmount, Some("NaN")),
            (6, Reason::Refund, Some("-2.5")),
        ]
    );
    assert_eq!((summary.ledger.used, summary.ledger.zero_amounts), (1, 1));
}

fn write(folder: &Path, name: &str, data: &[u8]) -> Source {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, data).unwrap();
    Source::Path(path)
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |source: &Source| run(std::slice::from_ref(source)).unwrap_err();
    let missing = fails(&Source::Path(folder.path().join("nowhere")));
    assert!(missing.to_string().starts_with("no such file or folder: "), "{missing}");
    let empty = fails(&Source::Path(folder.path().to_path_buf()));
    assert!(matches!(empty, Error::NoParquetInFolder { .. }), "{empty}");

    let good = file(ids(), dates(), money());
    for (name, data, problem) in [
        ("empty.parquet", &b""[..], "it is empty"),
        ("text.parquet", b"customer_id,date,amount\n", "it does not begin and end like one"),
        ("cut.parquet", &good[..good.len() - 50], "its end is missing: it was cut short"),
        ("tail.parquet", &good[good.len() / 2..], "its beginning is missing"),
    ] {
        let error = fails(&write(folder.path(), name, data));
        assert!(matches!(error, Error::NotParquet { .. }) && error.to_string().contains(problem), "{error}");
        assert!(error.hint().unwrap().contains("cut short"));
    }
    // The length of the footer is wrong.
    let mut data = good.to_vec();
    let at = data.len() - 8;
    data[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(fails(&write(folder.path(), "footer.parquet", &data)), Error::NotParquet { .. }));

    let none = parquet(
        vec![
            ("customer_id", ids().slice(0, 0)),
            ("date", dates().slice(0, 0)),
            ("amount", money().slice(0, 0)),
        ],
        9,
    );
    let error = fails(&source("none.parquet", none));
    assert_eq!(error.to_string(), "the history has no rows (none.parquet)");
}

#[test]
fn damaged_pages_are_an_error_and_no_panic() {
    let Source::Path(path) = cdnow("cdnow_sample.parquet") else { unreachable!() };
    let good = std::fs::read(path).unwrap();
    let mut failures = 0;
    for at in (4..good.len() - 2000).step_by(3001) {
        let mut data = good.clone();
        data[at..at + 64].fill(0xff);
        match run(&[source("damaged.parquet", data.into())]) {
            Err(Error::NotParquet { path, .. }) => {
                assert_eq!(path, Path::new("damaged.parquet"));
                failures += 1;
            }
            // A page without checksum may decode to other values.
            Ok(summary) => assert!(summary.ledger.adds_up()),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(failures > 5, "{failures}");
}

#[test]
fn folders_are_read_in_order_and_files_once() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(ids(), dates(), money());
    for name in ["b.parquet", "a/2.pq", "a/1.PARQUET", ".hidden.parquet", "_temporary/x.parquet", "note.txt"]
    {
        write(folder.path(), name, &good);
    }
    let whole = Source::Path(folder.path().to_path_buf());
    let summary = run(std::slice::from_ref(&whole)).unwrap();
    let names: Vec<&str> = summary.ledger.files.iter().map(|f| f.rsplit_once('/').unwrap().1).collect();
    assert_eq!(names, ["1.PARQUET", "2.pq", "b.parquet"]);
    assert_eq!((summary.ledger.read, summary.ledger.duplicates), (9, 6));
    let again = Source::Path(folder.path().join("b.parquet"));
    let error = run(&[whole, again]).unwrap_err();
    assert!(error.to_string().contains("the file is given twice"), "{error}");
}
