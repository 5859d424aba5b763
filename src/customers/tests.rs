//! The fast summary against the slow one and against published figures.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Array, UInt32Array,
};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use crate::amount::Refunds;
use crate::calendar::{CalendarPeriod, Day, Unit};
use crate::customers::reference::{self, Line, Row};
use crate::customers::{Ids, Summary, summarize};
use crate::error::{Error, Result};
use crate::history::testing::{cdnow, parquet, parquet_of, source};
use crate::history::{CohortPeriod, HistoryOptions, Reason, Source};
use crate::parallel;

fn run(sources: &[Source], options: &HistoryOptions) -> Result<Summary> {
    summarize(sources, options, Unit::Week, &())
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn the_fixture_is_exact() {
    let log = [
        (1, "01-01", 1),
        (1, "02-06", 2),
        (2, "01-01", 2),
        (3, "01-01", 3),
        (3, "01-02", 1),
        (3, "01-05", 5),
        (4, "01-16", 6),
        (4, "02-02", 3),
        (4, "02-05", 3),
        (4, "02-05", 6),
        (5, "01-16", 3),
        (5, "01-17", 1),
        (5, "01-18", 8),
        (6, "02-02", 5),
    ];
    let data = parquet(
        vec![
            ("id", Arc::new(Int32Array::from_iter_values(log.map(|r| r.0))) as ArrayRef),
            ("date", Arc::new(Date32Array::from_iter_values(log.map(|r| day(&format!("2015-{}", r.1)).0)))),
            ("amount", Arc::new(Int32Array::from_iter_values(log.map(|r| r.2)))),
        ],
        100,
    );
    let options = HistoryOptions {
        customer: vec!["id".into()],
        as_of: Some(day("2015-02-07")),
        ..HistoryOptions::default()
    };
    let summary = summarize(&[source("fixture", data)], &options, Unit::Day, &()).unwrap();
    let t = &summary.table;
    assert_eq!(t.ids, Ids::Signed { values: vec![1, 2, 3, 4, 5, 6], bits: 32 });
    let rows: Vec<(u32, f64, f64, f64)> =
        (0..6).map(|i| (t.frequency[i], t.recency(i), t.t(i), t.monetary_value[i])).collect();
    assert_eq!(
        rows,
        [
            (1, 36.0, 37.0, 2.0),
            (0, 0.0, 37.0, 0.0),
            (2, 4.0, 37.0, 3.0),
            (2, 20.0, 22.0, 6.0),
            (2, 2.0, 22.0, 4.5),
            (0, 0.0, 5.0, 0.0)
        ]
    );
    assert_eq!(t.transactions, [2, 1, 3, 4, 3, 1]);
    assert_eq!(t.orders, [2, 1, 3, 3, 3, 1]);
    assert_eq!(t.total_spend, [3.0, 2.0, 9.0, 18.0, 12.0, 5.0]);
    assert_eq!((0..6).map(|i| t.days_since_last(i)).collect::<Vec<_>>(), [1, 37, 33, 2, 20, 5]);
}

#[test]
fn the_full_cdnow_log() {
    let summary = run(&[cdnow("cdnow.parquet")], &HistoryOptions::default()).unwrap();
    assert_eq!(summary.table.len(), 23_570);
    let ledger = &summary.ledger;
    assert_eq!((ledger.read, ledger.used, ledger.used_holdout), (69_659, 69_659, 0));
    assert_eq!((ledger.zero_amounts, ledger.duplicates, ledger.set_aside.len()), (80, 255, 0));
    assert_eq!(summary.table.window.as_of, day("1998-06-30"));
    // A customer whose first order is on the last day of its window has T = 0.
    let options = HistoryOptions { as_of: Some(day("1997-03-25")), ..HistoryOptions::default() };
    let summary = run(&[cdnow("cdnow.parquet")], &options).unwrap();
    assert!(summary.table.t_days.contains(&0));
    assert!(summary.ledger.adds_up());
}

#[test]
fn cdnows_cohorts() {
    let options = HistoryOptions { cohorts: Some(CohortPeriod::Auto), ..HistoryOptions::default() };
    let table = run(&[cdnow("cdnow.parquet")], &options).unwrap().cohorts.unwrap();
    assert_eq!((table.period, table.ends_early), (CalendarPeriod::Month, false));
    assert_eq!(
        (table.labels.len(), table.labels[0].as_str(), table.labels[17].as_str()),
        (18, "1997-01", "1998-06")
    );
    // The log is of customers who first ordered in the first quarter of 1997.
    let sizes: Vec<u64> = table.cohorts.iter().map(|cohort| cohort.customers).collect();
    assert_eq!(sizes, [7_846, 8_476, 7_248]);
    let cells = || table.cohorts.iter().flat_map(|cohort| &cohort.cells);
    assert_eq!(cells().map(|cell| cell.orders).sum::<u64>(), 67_591);
    let spend: f64 = cells().filter_map(|cell| cell.spend).sum();
    assert_eq!(format!("{spend:.2}"), "2500315.63");
    let second = &table.cohorts[0].cells[1];
    assert_eq!((second.customers, second.orders), (1_157, 1_565));
}

#[test]
fn the_cdnow_sample_calibrates() {
    let options = HistoryOptions { calibration_end: Some(day("1997-09-30")), ..HistoryOptions::default() };
    let summary = run(&[cdnow("cdnow_sample.parquet")], &options).unwrap();
    let t = &summary.table;
    let repeat: Vec<f64> =
        (0..t.len()).filter(|&i| t.frequency[i] > 0).map(|i| t.monetary_value[i]).collect();
    assert_eq!((t.len(), repeat.len()), (2_357, 946));
    assert_eq!(format!("{:.3}", repeat.iter().sum::<f64>() / repeat.len() as f64), "35.078");
    assert_eq!(t.holdout.as_ref().unwrap().frequency.iter().sum::<u32>(), 1_882);
    assert_eq!(summary.ledger.duplicates, 21);
    assert!(summary.ledger.adds_up());
    let options = HistoryOptions { drop_duplicates: true, ..options };
    let dropped = run(&[cdnow("cdnow_sample.parquet")], &options).unwrap();
    assert_eq!(dropped.ledger.counts(), [(Reason::Duplicate, 21)]);
    assert!(dropped.ledger.adds_up());
    // Days are merged, so that only spend and rows change.
    assert_eq!(dropped.table.frequency, t.frequency);
    assert!(dropped.table.total_spend.iter().sum::<f64>() < t.total_spend.iter().sum::<f64>());
}

fn read_all(source: &Source) -> RecordBatch {
    let Source::Path(path) = source else { panic!("a path") };
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

#[test]
fn neither_threads_nor_order_change_a_bit() {
    let batch = read_all(&cdnow("cdnow_sample.parquet"));
    let n = batch.num_rows();
    // 4099 is coprime to the number of rows: a permutation far from any order.
    let order: UInt32Array = (0..n).map(|i| (i * 4099 % n) as u32).collect::<Vec<u32>>().into();
    let shuffled = take_record_batch(&batch, &order).unwrap();
    let files = [
        vec![source("a", parquet_of(&batch, 1000))],
        vec![source("a", parquet_of(&shuffled, 500))],
        vec![
            source("a", parquet_of(&shuffled.slice(3000, n - 3000), 777)),
            source("b", parquet_of(&shuffled.slice(0, 3000), 50)),
        ],
    ];
    for drop_duplicates in [false, true] {
        let options = HistoryOptions {
            calibration_end: Some(day("1997-09-30")),
            drop_duplicates,
            cohorts: Some(CohortPeriod::Auto),
            ..HistoryOptions::default()
        };
        let first = run(&files[0], &options).unwrap();
        for files in &files {
            for threads in [1, 2, 3, 8] {
                let other = parallel::with_threads(threads, || run(files, &options)).unwrap().unwrap();
                assert!(same_bits(&first, &other), "{threads} threads");
                assert_eq!(first.fingerprint, other.fingerprint);
                assert_eq!(first.ledger.counts(), other.ledger.counts());
            }
        }
    }
}

pub(super) fn same_bits(a: &Summary, b: &Summary) -> bool {
    let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    a.table == b.table
        && a.cohorts == b.cohorts
        && bits(&a.table.monetary_value) == bits(&b.table.monetary_value)
        && bits(&a.table.total_spend) == bits(&b.table.total_spend)
}

#[test]
fn windows_that_are_none_are_refused() {
    let source = [cdnow("cdnow_sample.parquet")];
    let fails = |as_of: Option<&str>, end: Option<&str>| {
        let options = HistoryOptions {
            as_of: as_of.map(day),
            calibration_end: end.map(day),
            ..HistoryOptions::default()
        };
        run(&source, &options).unwrap_err()
    };
    let error = fails(Some("1996-12-31"), None);
    assert_eq!(error.to_string(), "--as-of 1996-12-31 is before the first order of the history, 1997-01-01");
    assert_eq!(error.hint().unwrap(), "give --as-of a date from 1997-01-01 on");
    let error = fails(None, Some("1996-12-31"));
    assert!(error.to_string().starts_with("--calibration-end 1996-12-31 is before"), "{error}");
    let error = fails(Some("1997-05-01"), Some("1997-06-01"));
    assert_eq!(
        error.to_string(),
        "--calibration-end cannot be \"1997-06-01\": it is after the as-of date, 1997-05-01"
    );
    let error = fails(None, Some("1999-01-01"));
    assert!(
        error.to_string().ends_with("after the history, which runs from 1997-01-01 to 1998-06-30"),
        "{error}"
    );
}

#[test]
fn a_history_without_usable_rows_says_why() {
    let data = parquet(
        vec![
            ("customer_id", Arc::new(Int64Array::from(vec![None, Some(1), Some(2)])) as ArrayRef),
            ("date", Arc::new(Date32Array::from(vec![Some(1), None, Some(3)]))),
            ("amount", Arc::new(Float64Array::from(vec![1.0, 2.0, -3.0]))),
        ],
        2,
    );
    for refunds in [Refunds::Aside, Refunds::Net] {
        let options = HistoryOptions { refunds, ..HistoryOptions::default() };
        let error = run(&[source("bad", data.clone())], &options).unwrap_err();
        assert!(matches!(error, Error::NoUsableRow { rows: 3, .. }));
        let text = error.to_string();
        assert!(
            text.starts_with("none of the 3 rows read can be used: no customer id: 1, no date: 1"),
            "{text}"
        );
        assert!(error.hint().unwrap().contains("tiercast inspect"));
    }
}

/// How the ids 1, 2, … are written: in their order, whatever they become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdForm {
    Integers,
    /// Integers far from each other.
    Far,
    Texts,
    Uuids,
    /// UUIDs, and some texts that are none.
    Mixed,
}

impl IdForm {
    pub(super) fn integer(self, id: i64) -> Option<i64> {
        match self {
            IdForm::Integers => Some(id),
            IdForm::Far => Some(id * 1_000_000_007),
            _ => None,
        }
    }

    pub(super) fn name(self, id: i64) -> String {
        if let Some(id) = self.integer(id) {
            return id.to_string();
        }
        if self == IdForm::Texts {
            return format!("c{:02}", id + 10);
        }
        // Of both halves of all.
        let half = if id < 3 { "1" } else { "9" };
        let text = format!("{half}{:02}0ffee-0b{:02}-4abc-8def-0123456789ab", id + 10, 99 - id);
        if self == IdForm::Mixed && id % 3 == 0 { text.to_uppercase() } else { text }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) ids: IdForm,
    pub(super) timestamps: bool,
    pub(super) orders: bool,
    pub(super) note: bool,
    pub(super) files: usize,
    pub(super) group: usize,
}

pub(super) fn files(rows: &[Row], form: Form) -> Vec<Source> {
    rows.chunks(rows.len().div_ceil(form.files).max(1))
        .enumerate()
        .map(|(i, rows)| {
            let micros =
                |row: &Row| row.day.map(|d| (i64::from(d) * 24 + i64::from(row.hour)) * 3_600_000_000);
            let id: ArrayRef = if form.ids.integer(0).is_some() {
                let ids = rows.iter().map(|row| row.id.and_then(|id| form.ids.integer(id)));
                Arc::new(ids.collect::<Int64Array>())
            } else {
                let names = rows.iter().map(|row| row.id.map(|id| form.ids.name(id)));
                Arc::new(names.collect::<StringArray>())
            };
            let time: ArrayRef = if form.timestamps {
                Arc::new(rows.iter().map(micros).collect::<TimestampMicrosecondArray>())
            } else {
                Arc::new(rows.iter().map(|row| row.day).collect::<Date32Array>())
            };
            let amount = rows.iter().map(|row| row.amount).collect::<Float64Array>();
            let mut columns =
                vec![("customer_id", id), ("order_date", time), ("amount", Arc::new(amount) as ArrayRef)];
            if form.orders {
                let orders = rows.iter().map(|row| row.order).collect::<Int64Array>();
                columns.push(("order_id", Arc::new(orders)));
            }
            if form.note {
                columns
                    .push(("note", Arc::new(rows.iter().map(|row| Some(row.note)).collect::<UInt8Array>())));
            }
            // Equal rows of files with the columns in another order are equal all the same.
            if i % 2 == 1 {
                columns.reverse();
            }
            source(&format!("file {i}"), parquet(columns, form.group))
        })
        .collect()
}

pub(super) fn row() -> impl Strategy<Value = Row> {
    let day = prop_oneof![
        1 => Just(None),
        1 => prop_oneof![Just(Some(-719_162)), Just(Some(2_932_896))],
        18 => (100..112i32).prop_map(Some),
    ];
    let amount = prop_oneof![
        1 => Just(None),
        1 => prop_oneof![Just(Some(f64::NAN)), Just(Some(f64::INFINITY)), Just(Some(-0.0))],
        // Quarters add up exactly in any order, and so do millionths of a power of two, which are no cents.
        14 => (-2..6i32).prop_map(|q| Some(f64::from(q) * 0.25)),
        1 => (-2..6i32).prop_map(|q| Some(f64::from(q) * 0.25 + 0.5f64.powi(20))),
    ];
    let id = prop_oneof![1 => Just(None), 15 => (-3..9i64).prop_map(Some)];
    (id, day, 0..2u8, amount, prop_oneof![1 => Just(None), 4 => (0..4i64).prop_map(Some)], 0..2u8)
        .prop_map(|(id, day, hour, amount, order, note)| Row { id, day, hour, amount, order, note })
}

pub(super) fn form() -> impl Strategy<Value = Form> {
    let ids = prop_oneof![
        2 => Just(IdForm::Integers),
        1 => Just(IdForm::Far),
        1 => Just(IdForm::Texts),
        2 => Just(IdForm::Uuids),
        1 => Just(IdForm::Mixed),
    ];
    (ids, any::<[bool; 3]>(), 1..4usize, 1..40usize).prop_map(
        |(ids, [timestamps, orders, note], files, group)| Form {
            ids,
            timestamps,
            orders,
            note,
            files,
            group,
        },
    )
}

pub(super) fn options() -> impl Strategy<Value = HistoryOptions> {
    let as_of = prop_oneof![Just(None), (104..114i32).prop_map(Some)];
    let end = prop_oneof![Just(None), (100..108i32).prop_map(Some)];
    // Of bytes, in blocks of 256.
    let limit = prop_oneof![2 => Just(None), 1 => (2_500..15_000u64).prop_map(Some)];
    (as_of, end, limit, any::<[bool; 3]>()).prop_map(
        |(as_of, end, limit, [net, drop_duplicates, cohorts])| HistoryOptions {
            memory_limit: limit,
            as_of: as_of.map(Day),
            calibration_end: end.map(Day),
            refunds: if net { Refunds::Net } else { Refunds::Aside },
            drop_duplicates,
            cohorts: cohorts.then_some(CohortPeriod::By(CalendarPeriod::Week)),
            ..HistoryOptions::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn fast_is_slow(rows in prop::collection::vec(row(), 1..160), form in form(), options in options(), threads in 1..4usize) {
        // What the file does not hold cannot tell rows apart.
        let rows: Vec<Row> = rows.into_iter().map(|row| Row {
            hour: if form.timestamps { row.hour } else { 0 },
            order: row.order.filter(|_| form.orders),
            note: if form.note { row.note } else { 0 },
            ..row
        }).collect();
        let expected = reference::summarize(&rows, &options, form.orders);
        let files = files(&rows, form);
        let got = match parallel::with_threads(threads, || run(&files, &options)).unwrap() {
            Ok(got) => got,
            Err(error) => {
                let windows = matches!(error, Error::BeforeHistory { .. } | Error::Value { .. });
                let too_small = error.to_string().starts_with("memory-limit");
                prop_assert!(!too_small || options.memory_limit.is_some_and(|limit| limit < 12_000), "{error}");
                prop_assert!(windows || expected.customers.is_empty(), "{error}");
                return Ok(());
            }
        };
        let ledger = &got.ledger;
        prop_assert!(ledger.adds_up());
        prop_assert_eq!(ledger.read, rows.len() as u64);
        prop_assert_eq!(
            (ledger.used, ledger.used_holdout, ledger.zero_amounts, ledger.refunds_netted, ledger.duplicates),
            (expected.used, expected.used_holdout, expected.zero_amounts, expected.refunds_netted, expected.duplicates)
        );
        prop_assert_eq!(Some(got.table.window.as_of), expected.as_of);
        let per_file = rows.len().div_ceil(form.files).max(1);
        let aside: Vec<(usize, Reason)> =
            ledger.set_aside.iter().map(|row| (row.file as usize * per_file + row.row as usize, row.reason)).collect();
        prop_assert_eq!(aside, expected.set_aside.into_iter().collect::<Vec<_>>());
        let t = &got.table;
        prop_assert_eq!(t.len(), expected.customers.len());
        for (i, (id, line)) in expected.customers.iter().enumerate() {
            prop_assert_eq!(t.ids.text(i), form.ids.name(*id));
            let found = Line {
                first: t.first_order[i],
                last: t.last_order[i],
                frequency: t.frequency[i],
                monetary_value: t.monetary_value[i],
                orders: t.orders[i],
                transactions: t.transactions[i],
                total_spend: t.total_spend[i],
                holdout: t.holdout.as_ref().map_or((0, 0.0), |h| (h.frequency[i], h.spend[i])),
            };
            prop_assert_eq!(&found, line);
        }
        let mut weeks: BTreeMap<(String, String), (u64, u64, f64)> = BTreeMap::new();
        for (cohorts, cohort) in got.cohorts.iter().flat_map(|table| table.cohorts.iter().map(move |cohort| (table, cohort))) {
            prop_assert_eq!(cohort.customers, cohort.cells[0].customers);
            prop_assert_eq!(cohort.period + cohort.cells.len(), cohorts.labels.len());
            let mut so_far = 0.0;
            for (i, cell) in cohort.cells.iter().enumerate() {
                let at = (cohorts.labels[cohort.period].clone(), cohorts.labels[cohort.period + i].clone());
                weeks.insert(at, (cell.customers, cell.orders, cell.spend.unwrap()));
                so_far += cell.spend.unwrap();
                prop_assert_eq!(cell.spend_per_customer, Some(so_far / cohort.customers as f64));
                prop_assert_eq!(cell.retention, cell.customers as f64 / cohort.customers as f64);
            }
        }
        weeks.retain(|_, cell| *cell != (0, 0, 0.0));
        let label = |week: i32| CalendarPeriod::Week.label(week);
        let mut slow: BTreeMap<(String, String), (u64, u64, f64)> =
            expected.cohorts.into_iter().map(|((a, b), cell)| ((label(a), label(b)), cell)).collect();
        slow.retain(|_, cell| *cell != (0, 0, 0.0));
        if let Some(cohorts) = &got.cohorts {
            prop_assert_eq!(weeks, slow);
            prop_assert_eq!(cohorts.daily.is_some(), t.window.has_holdout());
        }
        if let Some(daily) = got.cohorts.as_ref().and_then(|cohorts| cohorts.daily.as_ref()) {
            prop_assert_eq!(daily.orders.len() as i32, t.window.as_of.since(daily.first) + 1);
            let day = |i: usize| Day(daily.first.0 + i as i32);
            let counted = (0..daily.orders.len()).map(|i| (day(i), daily.orders[i])).filter(|&(_, n)| n > 0);
            prop_assert_eq!(counted.collect::<BTreeMap<_, _>>(), expected.daily);
        }
        let files = files.into_iter().rev().collect::<Vec<_>>();
        // Nor does the limit change a bit.
        let reversed = run(&files, &HistoryOptions { memory_limit: None, ..options }).unwrap();
        prop_assert!(same_bits(&got, &reversed));
        prop_assert_eq!(got.fingerprint, reversed.fingerprint);
    }
}

#[test]
fn a_customer_is_one_wherever_its_rows_are() {
    // Random UUIDs and a guest at the end of them all, who has a third of the rows, some of which are no money.
    let guest = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    let name = |i: u64| match i % 3 {
        0 => guest.to_string(),
        1 if i % 50 == 1 => format!("{}ff", &guest[..(i % 30) as usize]),
        _ => {
            let word = crate::random::hash_integer(i % 97);
            let text = format!("{word:016x}{:016x}", word.rotate_left(9));
            [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
        }
    };
    let n = 1200u64;
    let amount = |i: u64| if i.is_multiple_of(7) { 1.0 / 3.0 } else { (i % 900) as f64 / 100.0 };
    let names: Vec<String> = (0..n).map(name).collect();
    let data = parquet(
        vec![
            ("customer_id", Arc::new(StringArray::from_iter_values(&names)) as ArrayRef),
            ("date", Arc::new(Date32Array::from_iter_values((0..n).map(|i| 100 + (i / 8) as i32)))),
            ("amount", Arc::new(Float64Array::from_iter_values((0..n).map(amount)))),
        ],
        100,
    );
    let mut expected: BTreeMap<&str, u32> = BTreeMap::new();
    names.iter().for_each(|name| *expected.entry(name).or_default() += 1);
    for memory_limit in [None, Some(60_000)] {
        let options = HistoryOptions { memory_limit, ..HistoryOptions::default() };
        let table = run(&[source("guests", data.clone())], &options).unwrap().table;
        let got: Vec<(String, u32)> =
            (0..table.len()).map(|i| (table.ids.text(i), table.transactions[i])).collect();
        assert_eq!(got, expected.iter().map(|(name, rows)| (name.to_string(), *rows)).collect::<Vec<_>>());
    }
}
