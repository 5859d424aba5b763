//! A state and the rows after it against all rows read at once.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use crate::amount::Refunds;
use crate::calendar::{CalendarPeriod, Day, Unit};
use crate::customers::state::StateRows;
use crate::customers::{Reading, StateInfo, read_history, to_record_batch};
use crate::error::Result;
use crate::history::testing::{cdnow, parquet_of, source};
use crate::history::{CohortPeriod, HistoryOptions, Source};

fn read(batch: &RecordBatch, options: &HistoryOptions) -> Result<Reading> {
    read_history(&[source("rows", parquet_of(batch, 50))], options, Unit::Week, &())
}

pub(crate) fn table(reading: Reading) -> RecordBatch {
    to_record_batch(&reading.customers.into_table().unwrap()).unwrap()
}

pub(crate) fn write_state(reading: &Reading, path: &Path) {
    let info = reading.state.as_ref().unwrap();
    let stretch = |i| reading.customers.state_stretch(i, info).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, stretch(0).schema(), None).unwrap();
    (0..reading.customers.stretches()).for_each(|i| writer.write(&stretch(i)).unwrap());
    writer.close().unwrap();
}

/// The column of days.
fn days(batch: &RecordBatch) -> &Date32Array {
    batch.columns().iter().find_map(|column| column.as_primitive_opt::<Date32Type>()).unwrap()
}

fn between(batch: &RecordBatch, first: i32, last: i32) -> RecordBatch {
    let days = days(batch);
    let keep: BooleanArray =
        days.iter().map(|day| Some(day.is_some_and(|d| (first..=last).contains(&d)))).collect();
    filter_record_batch(batch, &keep).unwrap()
}

/// Reads the rows part by part, each up to and with one of `ends`, and gives the last part's reading. If it closes days, each
/// part's last day is its end, used or not. Cohorts are asked for at first and at last.
fn by_parts(batch: &RecordBatch, ends: &[i32], closes: bool, options: &HistoryOptions) -> Option<Reading> {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.parquet");
    let (mut first, mut out) = (i32::MIN, None);
    for &end in ends {
        let rows = between(batch, first, end);
        if rows.num_rows() == 0 {
            continue;
        }
        let append = out.is_some().then(|| state.clone());
        let asked = out.is_none() || Some(&end) == ends.last();
        let options = HistoryOptions {
            append,
            state: true,
            as_of: closes.then_some(Day(end)),
            cohorts: options.cohorts.filter(|_| asked),
            ..options.clone()
        };
        let reading = match read(&rows, &options) {
            Ok(reading) => reading,
            Err(error) => {
                assert!(out.is_none(), "a part after the first cannot be read: {error}");
                continue;
            }
        };
        first = reading.state.as_ref().unwrap().closed.0 + 1;
        // What is left of the part's days has no usable row, and comes with the next part.
        write_state(&reading, &state);
        out = Some(reading);
    }
    out
}

/// What a state consists of, but for the rows behind it.
fn state(reading: &Reading) -> (StateInfo, Vec<RecordBatch>) {
    let info = reading.state.clone().unwrap();
    let says = StateInfo { rows: StateRows::default(), ..info };
    let stretch = |i| reading.customers.state_stretch(i, &says).unwrap();
    ((says.clone()), (0..reading.customers.stretches()).map(stretch).collect())
}

fn all_rows(source: &Source) -> RecordBatch {
    let Source::Path(path) = source else { panic!("a path") };
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
    let whole = concat_batches(&batches[0].schema(), &batches).unwrap();
    let places = ["customer_id", "date", "amount"].map(|name| whole.schema().index_of(name).unwrap());
    whole.project(&places).unwrap()
}

#[test]
fn the_cdnow_sample_day_by_day() {
    let batch = all_rows(&cdnow("cdnow_sample.parquet"));
    let (first, last) = (Day(9_862), Day(10_407)); // 1997-01-01 to 1998-06-30
    let ends = |step| -> Vec<i32> { (first.0..=last.0).step_by(step).chain([last.0]).collect() };
    for (periods, step) in [(None, 1), (Some("quarter:8".parse().unwrap()), 7)] {
        let options = HistoryOptions { periods, ..HistoryOptions::default() };
        let whole = read(&batch, &options).unwrap();
        let parts = by_parts(&batch, &ends(step), false, &options).unwrap();
        assert_eq!(parts.fingerprint, whole.fingerprint);
        let rows = &parts.state.as_ref().unwrap().rows;
        assert_eq!((rows.read, rows.used, rows.duplicates), (6_919, 6_919, whole.ledger.duplicates));
        assert_eq!(table(parts), table(whole));
    }
}

#[test]
fn rows_of_the_state_s_days_are_refused() {
    let batch = all_rows(&cdnow("cdnow_sample.parquet"));
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.parquet");
    let options = HistoryOptions { state: true, ..HistoryOptions::default() };
    let reading = read(&batch, &HistoryOptions { as_of: Some(Day(10_000)), ..options.clone() }).unwrap();
    write_state(&reading, &state);
    let append = HistoryOptions { append: Some(state.clone()), ..HistoryOptions::default() };
    let error = read(&batch, &append).unwrap_err();
    assert!(error.to_string().contains("rows of the new files are dated on or before 1997-05-19"), "{error}");
    assert!(error.hint().unwrap().contains("after 1997-05-19"));
    let later = between(&batch, 10_001, i32::MAX);
    for (wrong, part) in [
        (HistoryOptions { refunds: Refunds::Net, ..append.clone() }, "refunds aside"),
        (HistoryOptions { drop_duplicates: true, ..append.clone() }, "duplicates dropped: no"),
        (HistoryOptions { periods: Some("month:3".parse().unwrap()), ..append.clone() }, "periods none"),
        (HistoryOptions { as_of: Some(Day(9_990)), ..append.clone() }, "up to 1997-05-19"),
        (HistoryOptions { calibration_end: Some(Day(10_100)), ..append.clone() }, "no holdout"),
        (
            HistoryOptions { cohorts: Some(CohortPeriod::Auto), ..append.clone() },
            "does not hold the cohorts of its rows",
        ),
    ] {
        let error = read(&later, &wrong).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let no_state = HistoryOptions { append: Some(folder.path().join("none.parquet")), ..append.clone() };
    assert!(read(&later, &no_state).unwrap_err().to_string().contains("no such file"));
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/cdnow/cdnow.parquet");
    let error = read(&later, &HistoryOptions { append: Some(other), ..append }).unwrap_err();
    assert!(error.to_string().contains("it is no state of tiercast"), "{error}");
}

#[derive(Debug, Clone)]
struct Sale {
    id: i64,
    day: i32,
    amount: i64,
    order: i64,
}

/// What customers are called by.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Integer,
    Text,
    /// A store and a number in it.
    Columns,
}

fn sales() -> impl Strategy<Value = Vec<Sale>> {
    let sale = (0..12i64, 20_000..20_060i32, -3..40i64, 0..3i64).prop_map(|(id, day, amount, order)| Sale {
        id,
        day,
        amount,
        order,
    });
    prop::collection::vec(sale, 1..120)
}

fn batch(sales: &[Sale], by: By, exact: bool, orders: bool, more: bool) -> RecordBatch {
    let texts = |text: fn(&Sale) -> String| -> ArrayRef {
        Arc::new(sales.iter().map(|s| Some(text(s))).collect::<StringArray>())
    };
    let numbers = |number: fn(&Sale) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(sales.iter().map(number)))
    };
    let ids = match by {
        By::Integer => vec![("customer_id", numbers(|s| s.id - 5))],
        By::Text => vec![("customer_id", texts(|s| format!("customer number {}", s.id)))],
        // Names that the state has for columns of its own.
        By::Columns => vec![
            ("total", texts(|s| ["north", "south by south-east"][s.id as usize % 2].to_string())),
            ("first_order", numbers(|s| s.id / 2 - 3)),
        ],
    };
    let amount: ArrayRef = if exact {
        let units = Decimal128Array::from_iter_values(sales.iter().map(|s| i128::from(s.amount)));
        Arc::new(units.with_precision_and_scale(10, 2).unwrap())
    } else {
        // Tenths do not add up exactly, so that the order of sums shows.
        Arc::new(Float64Array::from_iter_values(sales.iter().map(|s| s.amount as f64 * 0.1)))
    };
    let days: ArrayRef = Arc::new(Date32Array::from_iter_values(sales.iter().map(|s| s.day)));
    let mut columns = [ids, vec![("order_date", days), ("amount", amount)]].concat();
    if more {
        let region = |s: &Sale| (s.order > 0).then(|| ["north", "south"][s.amount as usize % 2]);
        columns.push(("region", Arc::new(sales.iter().map(region).collect::<StringArray>())));
        columns.push((
            "cost",
            Arc::new(Float64Array::from_iter_values(sales.iter().map(|s| s.order as f64 * 0.1))),
        ));
    }
    if orders {
        columns.push(("order_id", Arc::new(Int64Array::from_iter_values(sales.iter().map(|s| s.order)))));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
}

fn cohorts() -> impl Strategy<Value = Option<CohortPeriod>> {
    use CalendarPeriod::{Month, Week};
    prop_oneof![
        Just(None),
        Just(Some(CohortPeriod::Auto)),
        prop_oneof![Just(Week), Just(Month)].prop_map(|period| Some(CohortPeriod::By(period))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn parts_are_the_whole(
        sales in sales(),
        by in prop_oneof![Just(By::Integer), Just(By::Text), Just(By::Columns)],
        [exact, orders, net, closes] in any::<[bool; 4]>(),
        [drop_duplicates, periods, more] in any::<[bool; 3]>(),
        cohorts in cohorts(),
        mut ends in prop::collection::vec(20_000..20_060i32, 1..6),
    ) {
        let batch = batch(&sales, by, exact, orders, more);
        let last = days(&batch).values().iter().copied().max().unwrap();
        ends.retain(|&end| end < last);
        ends.sort_unstable();
        ends.push(last);
        let options = HistoryOptions {
            customer: if by == By::Columns { vec!["total".into(), "first_order".into()] } else { Vec::new() },
            refunds: if net { Refunds::Net } else { Refunds::Aside },
            drop_duplicates,
            periods: periods.then(|| "month:2".parse().unwrap()),
            keep: if more { vec!["region".into()] } else { Vec::new() },
            cost: more.then(|| "cost".into()),
            cohorts,
            state: true,
            ..HistoryOptions::default()
        };
        let as_of = closes.then_some(Day(last));
        let Ok(whole) = read(&batch, &HistoryOptions { as_of, ..options.clone() }) else { return Ok(()) };
        let parts = by_parts(&batch, &ends, closes, &options).unwrap();
        prop_assert_eq!(&parts.fingerprint, &whole.fingerprint);
        prop_assert_eq!(&parts.cohorts, &whole.cohorts);
        prop_assert_eq!(parts.cohorts.is_some(), cohorts.is_some());
        let rows = [&parts, &whole].map(|reading| reading.state.as_ref().unwrap().rows.clone());
        if closes {
            prop_assert_eq!(&rows[0], &rows[1]);
        } else {
            // Days after the last that was used came again.
            prop_assert_eq!((rows[0].used, rows[0].duplicates), (rows[1].used, rows[1].duplicates));
        }
        prop_assert_eq!(&rows[1], &StateRows::default().with(&whole.ledger));
        prop_assert_eq!(state(&parts), state(&whole));
        prop_assert_eq!(table(parts), table(whole));
    }
}
