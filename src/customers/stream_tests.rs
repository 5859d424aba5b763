//! Streaming against scattering: the same rows in the order of customers and in no order.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array};
use proptest::prelude::*;

use crate::amount::Refunds;
use crate::calendar::{CalendarPeriod, Day, LastPeriods, Unit};
use crate::customers::blocks::Pool;
use crate::customers::memory::Memory;
use crate::customers::reference::Row;
use crate::customers::spill::Spill;
use crate::customers::stream::{Places, Streamed, stream};
use crate::customers::tests::{Form, IdForm, files, form, options, row, same_bits};
use crate::customers::{Reading, Strategy, Summary, read_history, summarize};
use crate::error::Result;
use crate::history::testing::{cdnow, parquet, source};
use crate::history::{CohortPeriod, History, HistoryOptions, Source};
use crate::parallel;

fn reading(files: &[Source], options: &HistoryOptions, threads: usize) -> Result<Reading> {
    parallel::with_threads(threads, || read_history(files, options, Unit::Week, &()))?
}

/// Whether everything that is written is the same.
fn same(a: &Reading, b: &Reading) -> bool {
    let stretches = a.customers.stretches() == b.customers.stretches()
        && (0..a.customers.stretches()).all(|i| {
            let [a, b] = [a, b].map(|reading| reading.customers.stretch(i).unwrap());
            let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            a == b
                && bits(&a.total_spend) == bits(&b.total_spend)
                && bits(&a.monetary_value) == bits(&b.monetary_value)
        });
    let counts = |reading: &Reading| {
        let l = &reading.ledger;
        (l.read, l.used, l.used_holdout, l.zero_amounts, l.refunds_netted, l.duplicates, l.counts())
    };
    stretches && counts(a) == counts(b) && a.fingerprint == b.fingerprint && a.cohorts == b.cohorts
}

fn integers(groups: &[&[i64]], amount: impl Fn(usize) -> f64) -> Source {
    let ids: Vec<i64> = groups.concat();
    let n = ids.len();
    let columns = vec![
        ("customer_id", Arc::new(Int64Array::from(ids)) as ArrayRef),
        ("date", Arc::new(Date32Array::from_iter_values((0..n).map(|i| 100 + (i * 7 % 50) as i32)))),
        ("amount", Arc::new(Float64Array::from_iter_values((0..n).map(amount)))),
    ];
    source("h", parquet(columns, groups[0].len()))
}

#[test]
fn the_cdnow_log_is_streamed() {
    for threads in [1, 2, 3, 8] {
        let found = reading(&[cdnow("cdnow.parquet")], &HistoryOptions::default(), threads).unwrap();
        assert_eq!((found.customers.len(), found.strategy), (23_570, Strategy::Stream));
    }
}

#[test]
fn a_broken_promise_is_noticed() {
    let sorted = integers(&[&[1, 2, 3], &[4, 5, 6], &[6, 6, 7]], |i| i as f64);
    let options = HistoryOptions { as_of: Some(Day(200)), ..HistoryOptions::default() };
    assert_eq!(reading(&[sorted], &options, 2).unwrap().strategy, Strategy::Stream);
    // Ranges ascend, ids within a group do not.
    let within = integers(&[&[1, 3, 2], &[4, 5, 6]], |i| i as f64);
    let found = reading(&[within], &options, 2).unwrap();
    assert_eq!((found.strategy, found.customers.len()), (Strategy::StreamBroken, 6));
    // A customer comes back after another one, from group to group.
    let back = integers(&[&[1, 2, 2], &[2, 3, 2], &[3, 3, 3]], |i| i as f64);
    let found = reading(&[back], &options, 2).unwrap();
    assert_eq!((found.strategy, found.customers.len()), (Strategy::StreamBroken, 3));
    // Ranges overlap: not worth trying.
    let overlapping = integers(&[&[1, 2, 5], &[4, 5, 6]], |i| i as f64);
    assert_eq!(reading(&[overlapping], &options, 2).unwrap().strategy, Strategy::Scatter);
    // One row group promises nothing.
    let one = integers(&[&[2, 1, 2]], |i| i as f64);
    assert_eq!(reading(&[one], &options, 2).unwrap().strategy, Strategy::Scatter);
}

#[test]
fn statistics_that_lie_are_found_out() {
    // Each task's ids ascend; only the seam between the tasks sees that they do not go on.
    let groups: Vec<Vec<i64>> = (0..6).map(|g| (0..64).map(|i| (g % 2) * 1000 + i).collect()).collect();
    let groups: Vec<&[i64]> = groups.iter().map(Vec::as_slice).collect();
    let history = |groups: &[&[i64]]| {
        History::open(&[integers(groups, |i| i as f64)], &HistoryOptions::default()).unwrap()
    };
    let clustered = history(&groups[..2]).clustered().unwrap();
    let (lied, options) = (history(&groups), HistoryOptions::default());
    assert!(lied.clustered().is_none() && lied.tasks() > 2);
    let (pool, spill) = (Pool::default(), Spill::new(None));
    let places = Places { pool: &pool, spill: &spill, memory: Memory { blocks: usize::MAX }, whole: false };
    for threads in [1, 2, 3, 8] {
        let streamed = parallel::with_threads(threads, || stream(&lied, &options, clustered, &places, &()));
        assert!(matches!(streamed.unwrap().unwrap(), Streamed::Broken));
    }
}

#[test]
fn one_customer_spans_tasks_and_files() {
    let rows = |id: i64, n: i32| {
        (0..n).map(move |i| Row {
            id: Some(id),
            day: Some(100 + i * 13 % 40),
            hour: 0,
            amount: Some(f64::from(i % 9) * 0.25),
            order: None,
            note: 0,
        })
    };
    let sorted: Vec<Row> = rows(1, 10).chain(rows(2, 500)).chain(rows(3, 1)).chain(rows(4, 300)).collect();
    let n = sorted.len();
    let shuffled: Vec<Row> = (0..n).map(|i| sorted[i * 397 % n].clone()).collect();
    let form =
        Form { ids: IdForm::Integers, timestamps: false, orders: false, note: false, files: 3, group: 50 };
    for (ids, drop_duplicates) in
        [(IdForm::Integers, false), (IdForm::Texts, false), (IdForm::Uuids, false), (IdForm::Integers, true)]
    {
        let form = Form { ids, ..form };
        let options = HistoryOptions {
            drop_duplicates,
            cohorts: Some(CohortPeriod::By(CalendarPeriod::Week)),
            calibration_end: Some(Day(120)),
            ..HistoryOptions::default()
        };
        let scattered = reading(&files(&shuffled, form), &options, 1).unwrap();
        assert_eq!(scattered.strategy, Strategy::Scatter);
        for threads in [1, 2, 3, 8] {
            let streamed = reading(&files(&sorted, form), &options, threads).unwrap();
            assert_eq!(streamed.strategy, Strategy::Stream);
            assert!(same(&streamed, &scattered), "{threads} threads");
        }
    }
}

#[test]
fn amounts_that_are_too_large_are_floats_here_too() {
    let columns = || {
        vec![
            ("customer_id", Arc::new(Int64Array::from(vec![1, 2, 2])) as ArrayRef),
            ("date", Arc::new(Date32Array::from(vec![1, 2, 3]))),
            ("amount", Arc::new(Int64Array::from(vec![1, i64::MAX, 5]))),
        ]
    };
    let found = reading(&[source("h", parquet(columns(), 1))], &HistoryOptions::default(), 2).unwrap();
    assert_eq!(found.strategy, Strategy::Stream);
    assert_eq!(found.customers.stretch(0).unwrap().total_spend, [1.0, i64::MAX as f64 + 5.0]);
}

#[test]
fn the_last_day_is_held_against_the_footers() {
    // The last row is a refund, which is no order and does not move the window.
    let amount = |i: usize| if i == 7 { -1.0 } else { 1.0 };
    let groups: [&[i64]; 2] = [&[1, 1, 2, 2], &[3, 4, 5, 6]];
    let found = reading(&[integers(&groups, amount)], &HistoryOptions::default(), 2).unwrap();
    assert_eq!(found.strategy, Strategy::StreamBroken);
    let options = HistoryOptions { as_of: Some(Day(142)), ..HistoryOptions::default() };
    let given = reading(&[integers(&groups, amount)], &options, 2).unwrap();
    assert_eq!(given.strategy, Strategy::Stream);
    assert_eq!(found.customers.window(), given.customers.window());
    assert_eq!(found.fingerprint, given.fingerprint);
}

/// Rows in the order of customers; those without an id stand anywhere.
fn clustered(rows: &[Row]) -> Vec<Row> {
    let mut out: Vec<(i64, Row)> =
        rows.iter().enumerate().map(|(i, row)| (row.id.unwrap_or(i as i64 % 12 - 3), row.clone())).collect();
    out.sort_by_key(|(id, _)| *id);
    out.into_iter().map(|(_, row)| row).collect()
}

fn whole(files: &[Source], options: &HistoryOptions) -> Result<Summary> {
    summarize(files, options, Unit::Week, &())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rows_changes_nothing(
        rows in prop::collection::vec(row(), 1..300),
        form in form(),
        options in options(),
        plain in any::<bool>(),
        (cohorts, periods) in any::<(bool, bool)>(),
        threads in 1..9usize,
    ) {
        // What limit is too small depends on the threads.
        let mut options = HistoryOptions { memory_limit: None, ..options };
        options.cohorts = options.cohorts.filter(|_| cohorts);
        options.periods = periods.then_some(LastPeriods { period: CalendarPeriod::Week, count: 2 });
        let mut rows = rows;
        if plain {
            options.as_of = options.as_of.or(Some(Day(112)));
            rows.retain(|row| row.id.is_some() && row.day.is_some());
        }
        let found = reading(&files(&clustered(&rows), form), &options, threads);
        let expected = reading(&files(&rows, form), &options, 1);
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                prop_assert!(same(&found, &expected), "{:?} {:?}", found.strategy, expected.strategy);
                if plain && !cohorts && options.refunds == Refunds::Aside {
                    prop_assert_eq!(found.strategy, Strategy::Stream);
                }
                let summary = whole(&files(&clustered(&rows), form), &options).unwrap();
                prop_assert!(same_bits(&summary, &whole(&files(&rows, form), &options).unwrap()));
            }
            (Err(found), Err(expected)) => prop_assert_eq!(found.to_string(), expected.to_string()),
            (found, expected) => prop_assert!(false, "{found:?} {expected:?}"),
        }
    }
}
