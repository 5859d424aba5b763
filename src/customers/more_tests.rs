//! Costs, kept values, periods and rhythm against a slow and obvious count, with and without a limit on memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use proptest::prelude::*;

use crate::calendar::{CalendarPeriod, Day, Unit};
use crate::customers::{read_history, to_record_batch};
use crate::error::Error;
use crate::history::testing::{parquet_of, source};
use crate::history::{HistoryOptions, Source};
use crate::parallel;

#[derive(Debug, Clone)]
struct Sale {
    id: i64,
    day: i32,
    amount: u8,
    cost: Option<u8>,
    region: Option<u8>,
    level: Option<i32>,
}

fn sales() -> impl Strategy<Value = Vec<Sale>> {
    let maybe = |most| prop_oneof![1 => Just(None), 3 => (0..most).prop_map(Some)];
    let level = prop_oneof![1 => Just(None), 3 => (-3..3i32).prop_map(Some)];
    // 120 days from 2024-10-04 on are five calendar months.
    let sale = (0..10i64, 20_000..20_120i32, 0..9u8, maybe(9u8), maybe(4u8), level);
    let sale =
        sale.prop_map(|(id, day, amount, cost, region, level)| Sale { id, day, amount, cost, region, level });
    prop::collection::vec(sale, 1..150)
}

const REGIONS: [&str; 4] = ["north", "Süd", "", "east of the sun and west of the moon"];

fn file(sales: &[Sale], text: bool) -> Source {
    // Quarters add up exactly in any order.
    let money = |units: u8| f64::from(units) * 0.25;
    let id: ArrayRef = if text {
        Arc::new(sales.iter().map(|s| Some(format!("customer {}", s.id))).collect::<StringArray>())
    } else {
        Arc::new(Int64Array::from_iter_values(sales.iter().map(|s| s.id)))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", id),
        ("date", Arc::new(Date32Array::from_iter_values(sales.iter().map(|s| s.day)))),
        ("amount", Arc::new(Float64Array::from_iter_values(sales.iter().map(|s| money(s.amount))))),
        ("cost", Arc::new(sales.iter().map(|s| s.cost.map(money)).collect::<Float64Array>())),
        (
            "region",
            Arc::new(
                sales.iter().map(|s| s.region.map(|r| REGIONS[usize::from(r)])).collect::<StringArray>(),
            ),
        ),
        ("level", Arc::new(sales.iter().map(|s| s.level).collect::<Int32Array>())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    source("sales", parquet_of(&batch.unwrap(), 23))
}

fn table(files: &[Source], options: &HistoryOptions, threads: usize) -> Result<RecordBatch, Error> {
    parallel::with_threads(threads, || {
        let reading = read_history(files, options, Unit::Day, &())?;
        to_record_batch(&reading.customers.into_table()?)
    })?
}

/// The value of a kept column that was seen last; the greatest of a day.
fn last<T: Ord + Copy>(own: &[&Sale], value: impl Fn(&Sale) -> Option<T>) -> Option<T> {
    own.iter().filter_map(|s| value(s).map(|v| (s.day, v))).max().map(|(_, v)| v)
}

fn check(sales: &[Sale], table: &RecordBatch) -> Result<(), TestCaseError> {
    let end = sales.iter().map(|s| s.day).max().unwrap();
    let last_month = CalendarPeriod::Month.index(Day(end));
    let column = |name: &str| Arc::clone(table.column_by_name(name).unwrap_or_else(|| panic!("{name}")));
    let mut by_id: BTreeMap<i64, Vec<&Sale>> = BTreeMap::new();
    sales.iter().for_each(|s| by_id.entry(s.id).or_default().push(s));
    prop_assert_eq!(table.num_rows(), by_id.len());
    for (i, own) in by_id.values().enumerate() {
        let number = |name: &str| {
            let column = column(name);
            let column = column.as_primitive::<Float64Type>();
            column.is_valid(i).then(|| column.value(i))
        };
        let money = |units: u32| f64::from(units) * 0.25;
        let cost: u32 = own.iter().filter_map(|s| s.cost).map(u32::from).sum();
        prop_assert_eq!(number("total_cost"), Some(money(cost)));
        let region = last(own, |s| s.region.map(|r| REGIONS[usize::from(r)]));
        let regions = column("region");
        let regions = regions.as_string::<i32>();
        prop_assert_eq!(regions.is_valid(i).then(|| regions.value(i)), region);
        let levels = column("level");
        let levels = levels.as_primitive::<Int32Type>();
        prop_assert_eq!(levels.is_valid(i).then(|| levels.value(i)), last(own, |s| s.level));

        let days: Vec<i32> = own.iter().map(|s| s.day).collect::<BTreeSet<_>>().into_iter().collect();
        let gaps: Vec<f64> = days.windows(2).map(|pair| f64::from(pair[1] - pair[0])).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let squares = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
        match number("gap_mean") {
            Some(found) => prop_assert!((found - mean).abs() < 1e-9),
            None => prop_assert!(gaps.is_empty()),
        }
        match number("gap_variance") {
            Some(found) => prop_assert!((found - squares / (gaps.len() as f64 - 1.0)).abs() < 1e-6),
            None => prop_assert!(gaps.len() < 2),
        }
        for month in last_month - 2..=last_month {
            let label = CalendarPeriod::Month.label(month).replace('-', "_");
            let of_month = |day: i32| CalendarPeriod::Month.index(Day(day)) == month;
            let orders = days.iter().filter(|&&day| of_month(day)).count() as u32;
            let spend: u32 = own.iter().filter(|s| of_month(s.day)).map(|s| u32::from(s.amount)).sum();
            let counts = column(&format!("orders_{label}"));
            prop_assert_eq!(counts.as_primitive::<UInt32Type>().value(i), orders);
            prop_assert_eq!(number(&format!("spend_{label}")), Some(money(spend)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn more_than_totals_is_as_counted(
        sales in sales(),
        text in any::<bool>(),
        threads in 1..4usize,
        limit in 1_000..30_000u64,
        cut in 0..150usize,
    ) {
        let options = HistoryOptions {
            cost: Some("cost".into()),
            keep: vec!["region".into(), "level".into()],
            periods: Some("month:3".parse().unwrap()),
            ..HistoryOptions::default()
        };
        let whole = table(&[file(&sales, text)], &options, threads).unwrap();
        check(&sales, &whole)?;
        // In two files, the other way round, and with little memory.
        let (a, b) = sales.split_at(cut.min(sales.len()));
        let files: Vec<Source> = [b, a].iter().filter(|part| !part.is_empty()).map(|part| file(part, text)).collect();
        prop_assert_eq!(&table(&files, &options, threads).unwrap(), &whole);
        let limited = HistoryOptions { memory_limit: Some(limit), ..options };
        match table(&files, &limited, threads) {
            Ok(found) => prop_assert_eq!(&found, &whole),
            Err(error) => prop_assert!(error.to_string().starts_with("memory-limit cannot be"), "{}", error),
        }
    }
}

#[test]
fn ids_stay_numbers() {
    let sale = Sale { id: 7, day: 20_000, amount: 4, cost: None, region: None, level: None };
    let options = HistoryOptions { cost: Some("cost".into()), ..HistoryOptions::default() };
    let found = table(&[file(&[sale], false)], &options, 1).unwrap();
    assert_eq!(found.column(0).as_primitive::<Int64Type>().values(), &[7]);
    assert_eq!(found.column_by_name("total_cost").unwrap().as_primitive::<Float64Type>().values(), &[0.0]);
}
