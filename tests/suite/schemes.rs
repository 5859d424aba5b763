//! Built-in schemes through the binary: customers whose whole history is written here walk from stage to stage, and ABC
//! is counted a second time.

use std::collections::BTreeMap;
use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::{Scratch, dataset, ids, texts};

/// Everybody's tier by a scheme on a day, from the customers of `history`; the words go to `summarize`.
fn tiers_on(scratch: &Scratch, day: &str, scheme: &str, words: &[&str]) -> BTreeMap<i64, String> {
    let summarize = ["summarize", "history.parquet", "--as-of", day, "-q", "-o", "c.parquet"];
    let ran = scratch.run(&[&summarize[..], words].concat());
    assert_eq!(ran.code, 0, "{day}: {}", ran.stderr);
    let ran = scratch.run(&["tier", "c.parquet", "--scheme", scheme, "--reasons", "-q", "-o", "t.csv"]);
    assert_eq!(ran.code, 0, "{day}: {}", ran.stderr);
    let mut reader = csv::Reader::from_path(scratch.path("t.csv")).unwrap();
    let heading = reader.headers().unwrap().clone();
    assert_eq!((&heading[1], &heading[3]), (&*format!("tier_{scheme}"), &*format!("reason_{scheme}")));
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.unwrap();
        assert!(!row[3].is_empty(), "{day}: no reason in {row:?}");
        (row[0].parse().unwrap(), row[1].to_lowercase())
    };
    reader.records().map(row).collect()
}

/// That everybody has the tier written for a day; "" stands for nobody there yet.
fn walk(all: &[(i64, &[&str])], days: &[&str], on: impl Fn(&str) -> BTreeMap<i64, String>) {
    for (k, day) in days.iter().enumerate() {
        let wanted: BTreeMap<i64, String> = all
            .iter()
            .map(|(id, tiers)| (*id, tiers[k].to_string()))
            .filter(|(_, tier)| !tier.is_empty())
            .collect();
        assert_eq!(on(day), wanted, "{day}");
    }
}

/// Graded every half year, so that the two quarters "now" are those "before" of the next time.
#[test]
fn customers_walk_through_the_four_stages() {
    let scratch = Scratch::new();
    scratch.write_history(
        "history.parquet",
        &[
            // 1, as in the book: 100, 200 in two orders, 190 in two, 60 in one.
            (1, "2025-01-10", 100.0),
            (1, "2025-04-15", 80.0),
            (1, "2025-07-20", 120.0),
            (1, "2025-11-05", 100.0),
            (1, "2026-02-03", 90.0),
            (1, "2026-05-12", 60.0),
            // 2: 30 % up is no growth yet, more is.
            (2, "2025-02-20", 100.0),
            (2, "2025-06-01", 130.0),
            (2, "2025-12-01", 170.0),
            (2, "2026-07-07", 170.0),
            // 3 stays away, comes back, and stays as it is: 50, then 40.
            (3, "2025-03-31", 100.0),
            (3, "2026-01-15", 50.0),
            (3, "2026-04-01", 40.0),
            // 4 was there before: much less spend in more orders is no decline, a little more than 30 % less in as many is.
            (4, "2024-06-10", 100.0),
            (4, "2024-12-01", 100.0),
            (4, "2025-05-05", 20.0),
            (4, "2025-06-05", 20.0),
            (4, "2025-07-05", 20.0),
            (4, "2026-01-02", 60.0),
            (4, "2026-09-09", 41.0),
            // 5 and 6 are there for 90 and 91 days. 5 never comes back; 6 does, at last on the very day.
            (5, "2025-07-02", 30.0),
            (6, "2025-07-01", 30.0),
            (6, "2026-03-31", 30.0),
            (6, "2026-09-30", 30.0),
            // 7's largest order is on the day after a grading.
            (7, "2025-05-01", 10.0),
            (7, "2025-10-01", 500.0),
        ],
    );
    let days = ["2025-03-31", "2025-09-30", "2026-03-31", "2026-09-30"];
    let all: [(i64, &[&str]); 7] = [
        (1, &["new", "growth", "mature", "decline"]),
        (2, &["new", "mature", "growth", "mature"]),
        (3, &["new", "decline", "growth", "mature"]),
        (4, &["mature", "mature", "mature", "decline"]),
        (5, &["", "new", "decline", "decline"]),
        (6, &["", "growth", "mature", "mature"]),
        (7, &["", "growth", "growth", "decline"]),
    ];
    walk(&all, &days, |day| tiers_on(&scratch, day, "stages", &["--periods", "quarter:4"]));
}

/// By each one's own rhythm; with a list, who is on it is a prospect until the first order.
#[test]
fn a_listed_customer_walks_through_the_life_cycle() {
    let scratch = Scratch::new();
    // 1 orders every 30 days from February to July; 2 thrice in January and once on 30 August; 3 once; 4 never.
    let days_of_1 = ["2025-02-01", "2025-03-03", "2025-04-02", "2025-05-02", "2025-06-01", "2025-07-01"];
    let days_of_2 = ["2025-01-01", "2025-01-11", "2025-01-21", "2025-08-30"];
    let rows: Vec<(i64, &str, f64)> = (days_of_1.into_iter().map(|day| (1, day, 25.0)))
        .chain(days_of_2.into_iter().map(|day| (2, day, 40.0)))
        .chain([(3, "2025-02-15", 10.0)])
        .collect();
    scratch.write_history("history.parquet", &rows);
    let names = texts(&["Ada", "Bo", "Cy", "Di"]);
    scratch.write_batch("list.parquet", &[("customer_id", ids(&[1, 2, 3, 4])), ("name", names)]);
    let days =
        ["2025-01-31", "2025-03-20", "2025-07-01", "2025-08-30", "2025-08-31", "2025-11-28", "2025-11-29"];
    let all: [(i64, &[&str]); 4] = [
        // On the last four days 60, 61, 150 and 151 days since the last order: 2 gaps are not dormant, 5 not lost.
        (1, &["prospect", "new", "active", "active", "dormant", "dormant", "lost"]),
        // 10 days apart in January; with the order of August 80 1/3.
        (2, &["new", "lost", "lost", "active", "active", "active", "active"]),
        // Held against the median gap of the others, 20 days in spring and (30 + 80 1/3)/2 from August on.
        (3, &["prospect", "new", "lost", "dormant", "dormant", "lost", "lost"]),
        (4, &["prospect"; 7]),
    ];
    walk(&all, &days, |day| tiers_on(&scratch, day, "life_cycle", &["--customers-list", "list.parquet"]));
}

/// Cents by customer of a bundled CDNOW log, the biggest first.
fn cents(name: &str) -> Vec<i64> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(dataset(name)).unwrap()).unwrap();
    let mut spend: BTreeMap<i64, i64> = BTreeMap::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let ids = batch.column_by_name("customer_id").unwrap().as_primitive::<Int64Type>();
        let amounts = batch.column_by_name("amount").unwrap().as_primitive::<Float64Type>();
        for (id, amount) in ids.values().iter().zip(amounts.values()) {
            *spend.entry(*id).or_default() += (100.0 * amount).round() as i64;
        }
    }
    let mut spend: Vec<i64> = spend.into_values().collect();
    spend.sort_unstable_by(|a, b| b.cmp(a));
    spend
}

/// A, and A with B, are the fewest customers who make 70 % and 90 % of spend, and those who spent as much as the last of them.
#[test]
fn abc_is_the_fewest_customers_who_make_the_share() {
    let scratch = Scratch::new();
    for (name, ties) in [("cdnow/cdnow.parquet", [0, 7]), ("cdnow/cdnow_sample.parquet", [0, 0])] {
        let spend = cents(name);
        let total: i64 = spend.iter().sum();
        let history = dataset(name);
        let words = ["summarize", history.to_str().unwrap(), "-q", "-o", "c.parquet"];
        assert_eq!(scratch.run(&words).code, 0);
        let ran = scratch.run(&["tier", "c.parquet", "--scheme", "abc", "--json", "-q"]);
        let found: Value = serde_json::from_str(&ran.stdout).unwrap();
        let scheme = &found["tiers"]["schemes"][0];
        let of = |k: usize, what: &str| scheme["tiers"][k][what].as_f64().unwrap();
        let found = [
            (of(0, "customers"), of(0, "share_of_spend")),
            (of(0, "customers") + of(1, "customers"), of(0, "share_of_spend") + of(1, "share_of_spend")),
        ];
        for (k, percent) in [70, 90].into_iter().enumerate() {
            let mut sum = 0;
            let fewest = 1 + spend
                .iter()
                .position(|own| {
                    sum += own;
                    100 * sum >= percent * total
                })
                .unwrap();
            let last = spend[fewest - 1];
            // Who spent to the cent as much as the last one that is needed cannot be told from it.
            let tied = spend[fewest..].iter().filter(|own| **own == last).count();
            let (customers, share) = found[k];
            assert_eq!(tied, ties[k], "{name}: {percent} %");
            assert_eq!(customers, (fewest + tied) as f64, "{name}: {percent} %");
            // The last one carries the sum over the stated share, and each who ties with it adds as much again.
            let over = share - percent as f64 / 100.0;
            let one = last as f64 / total as f64;
            assert!(over >= -1e-9 && over <= (1 + tied) as f64 * one + 1e-9, "{name}: {share} {one}");
            assert_eq!(scheme["thresholds"][k][1].as_f64().unwrap(), last as f64 / 100.0);
        }
    }
}
