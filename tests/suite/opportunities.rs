//! `fit` and `predict` for opportunities: BG/BB on a purchase history.

use std::fs::File;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::Scratch;

/// The donors of Fader, Hardie and Shang (2010): (x, t_x, donors) with n = 6, as in `donations.csv` of the Python package
/// lifetimes 0.11.3 (MIT).
const DONATIONS: [(usize, usize, usize); 22] = [
    (0, 0, 3464),
    (1, 1, 1091),
    (1, 2, 277),
    (1, 3, 129),
    (1, 4, 78),
    (1, 5, 119),
    (1, 6, 129),
    (2, 2, 613),
    (2, 3, 255),
    (2, 4, 155),
    (2, 5, 173),
    (2, 6, 234),
    (3, 3, 322),
    (3, 4, 181),
    (3, 5, 225),
    (3, 6, 357),
    (4, 4, 240),
    (4, 5, 284),
    (4, 6, 512),
    (5, 5, 335),
    (5, 6, 728),
    (6, 6, 1203),
];

/// Days of the years from 1995 on, of which the first is the donors' first.
const DAYS: [&str; 8] = [
    "1995-12-31",
    "1996-01-01",
    "1997-06-30",
    "1998-12-31",
    "1999-03-01",
    "2000-02-29",
    "2001-12-30",
    "2002-03-05",
];

/// A log of gifts with these cells: the last one at t_x, the others at the first opportunities. Some give twice in a year.
fn donors(scratch: &Scratch) {
    let mut rows = Vec::new();
    let mut donor = 0;
    for (x, t_x, donors) in DONATIONS {
        for _ in 0..donors {
            donor += 1;
            rows.push((donor, DAYS[0], 25.0));
            let first = (1..x).chain((x > 0).then_some(t_x));
            rows.extend(first.map(|year| (donor, DAYS[year], 10.0)));
            if x > 0 && donor % 7 == 0 {
                rows.push((donor, DAYS[t_x], 5.0));
            }
        }
    }
    // After the last opportunity, in a year that has not ended.
    rows.extend((1..50).map(|donor| (donor, DAYS[7], 1.0)));
    scratch.write_history("gifts.parquet", &rows);
}

fn read(path: &std::path::Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap()
}

#[test]
fn a_log_of_gifts_gives_the_numbers_of_its_cells() {
    let scratch = Scratch::new();
    donors(&scratch);
    let fit = ["fit", "gifts.parquet", "--model", "bg-bb", "--opportunity", "year", "-o", "m.json"];
    let ran = scratch.run(&fit);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("year 2002 had not ended by 2002-03-05"), "{}", ran.stderr);
    // The fit of the cells, and of the beta-binomial, by an independent implementation.
    for says in ["-33225.581", "-35516.110", "verified optimum", "11,104", "2001-12-31"] {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    let predict = |out: &str, more: &[&str]| {
        let ran = scratch.run(&[&["predict", "m.json", "gifts.parquet", "-o", out, "--json"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()
    };
    let json = predict("s.parquet", &["--horizon", "5", "--discount", "10%/period", "--threads", "1"]);
    let totals = &json["found"]["totals"];
    // The paper: 12,884 gifts over the next five years.
    let total = totals["expected_transactions"].as_f64().unwrap();
    assert!((total - 12884.157).abs() < 0.01, "{total}");
    let interval = &totals["expected_transactions_mean"];
    assert!(interval[0].as_f64().unwrap() < total && total < interval[1].as_f64().unwrap(), "{interval}");
    let got = read(&scratch.path("s.parquet"));
    let count = |name: &str| got.column_by_name(name).unwrap().as_primitive::<UInt32Type>().clone();
    let number = |name: &str| got.column_by_name(name).unwrap().as_primitive::<Float64Type>().clone();
    let (x, t_x, n) = (count("x"), count("t_x"), count("n"));
    assert!(n.values().iter().all(|&n| n == 6));
    let row = |wanted: (u32, u32)| (0..x.len()).find(|&i| (x.value(i), t_x.value(i)) == wanted).unwrap();
    let alive = number("p_alive");
    // P(alive at n + 1) by an independent implementation.
    for (wanted, p) in [((0, 0), 0.108133), ((2, 4), 0.589657), ((6, 6), 0.930434)] {
        assert!((alive.value(row(wanted)) - p).abs() < 5e-6, "{wanted:?}: {}", alive.value(row(wanted)));
    }
    for (wanted, _, donors) in DONATIONS.map(|(x, t, c)| ((x as u32, t as u32), 0, c)) {
        let found = (0..x.len()).filter(|&i| (x.value(i), t_x.value(i)) == wanted).count();
        assert_eq!(found, donors, "{wanted:?}");
    }
    let i = row((3, 4));
    let expected = number("expected_transactions").value(i);
    assert!(number("expected_transactions_mean_lower").value(i) < expected);
    assert!(number("expected_transactions_mean_upper").value(i) > expected);
    let (low, high) = (number("expected_transactions_lower"), number("expected_transactions_upper"));
    assert_eq!((low.value(i), high.value(i)), (0.0, 4.0));
    assert!(number("dert").value(i) > 0.0 && got.column_by_name("orders_1996").is_none());
    // A span of whole periods is the same, by any threads.
    predict("t.parquet", &["--horizon", "5yr", "--discount", "10%/period", "--threads", "3"]);
    let bytes = |name: &str| std::fs::read(scratch.path(name)).unwrap();
    assert_eq!(bytes("s.parquet"), bytes("t.parquet"));
}

#[test]
fn what_has_not_ended_and_what_does_not_belong() {
    let scratch = Scratch::new();
    donors(&scratch);
    let fit = |more: &[&str]| scratch.run(&[&["fit", "gifts.parquet", "--model", "bg-bb"], more].concat());
    let ran = fit(&["--opportunity", "year", "--as-of", "2000-06-30"]);
    assert!(ran.code == 0 && ran.stdout.contains("up to 1999-12-31"), "{}{}", ran.stdout, ran.stderr);
    let ran = fit(&["--opportunity", "year", "--as-of", "2002-12-31"]);
    assert!(ran.code == 0 && ran.stdout.contains("up to 2002-12-31"), "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("had not ended"), "{}", ran.stderr);
    for (more, says) in [
        (vec![], "--opportunity"),
        (vec!["--opportunity", "fortnight"], "no such period"),
        (vec!["--opportunity", "year", "--keep", "amount"], "--keep"),
        (vec!["--opportunity", "year", "--margin", "0.5"], "--margin"),
        (vec!["--opportunity", "year", "--period", "1yr"], "--period"),
        (vec!["--opportunity", "year", "--money", "x"], "--money"),
    ] {
        let ran = fit(&more);
        assert_ne!(ran.code, 0, "{more:?}");
        assert!(ran.stderr.contains(says), "{more:?}: {}", ran.stderr);
    }
    // In weeks of six years there is no end of opportunities to miss, but no more than 520 are counted.
    let ran = fit(&["--opportunity", "year", "-o", "m.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for (more, says) in [
        (vec!["--horizon", "18mo"], "no whole number of years"),
        (vec!["--horizon", "5", "--period", "1yr"], "--period"),
    ] {
        let ran =
            scratch.run(&[&["predict", "m.json", "gifts.parquet", "-o", "s.parquet"], &more[..]].concat());
        assert!(ran.code == 1 && ran.stderr.contains(says), "{more:?}: {}", ran.stderr);
        assert!(!scratch.names().contains(&"s.parquet".to_string()));
    }
}
