//! `fit` and `predict` for contracts: sBG and BdW on survivors by cohort.

use std::fs::File;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Scratch, ids, texts};

/// The "Regular" customers of Fader and Hardie, "How to Project Customer Retention" (2007).
const REGULAR: [i64; 8] = [1000, 631, 468, 382, 326, 289, 262, 241];

fn regular(scratch: &Scratch) {
    let rows: Vec<String> =
        REGULAR.iter().enumerate().map(|(period, left)| format!("Regular;{period};{left}\n")).collect();
    scratch.write("regular.csv", &format!("cohort;period;survivors\n{}", rows.concat()));
}

fn read(path: &std::path::Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap()
}

fn numbers(batch: &RecordBatch, name: &str) -> Vec<f64> {
    batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().values().to_vec()
}

#[test]
fn survivors_are_fitted_and_forecast() {
    let scratch = Scratch::new();
    regular(&scratch);
    let ran = scratch.run(&["fit", "regular.csv", "--model", "sbg", "--period", "1yr", "-o", "m.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // The paper prints .704, 1.182 and −1,680.3; digits, BdW and the test by an independent implementation.
    for says in ["0.704077", "-1680.265", "-1679.603", "verified optimum", "p = 0.25", "0.6310", "0.6267"] {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    let predict = |out: &str, more: &[&str]| {
        let mut words = vec!["predict", "m.json", "regular.csv", "-o", out];
        words.extend(more);
        let ran = scratch.run(&words);
        assert_eq!(ran.code, 0, "{more:?}: {}", ran.stderr);
        ran
    };
    predict("f.parquet", &["--horizon", "5", "--discount", "10%/period", "--threads", "1"]);
    let got = read(&scratch.path("f.parquet"));
    assert_eq!(got.num_rows(), 6);
    let periods = got.column_by_name("period").unwrap().as_primitive::<UInt32Type>().values().to_vec();
    assert_eq!(periods, [7, 8, 9, 10, 11, 12]);
    let (survival, survivors) = (numbers(&got, "survival"), numbers(&got, "survivors"));
    assert_eq!(survivors[0], 241.0);
    // S(12) and r(7) as above.
    assert!((survival[5] - 0.17003745).abs() < 1e-7, "{survival:?}");
    assert!((numbers(&got, "retention")[0] - 0.91071943).abs() < 1e-7);
    assert!((survivors[5] - 241.0 * survival[5] / survival[0]).abs() < 1e-9);
    // Expectations lie within their interval, and that within what may happen.
    let ends = ["lower", "mean_lower", "mean_upper", "upper"];
    let ends = ends.map(|end| numbers(&got, &format!("survivors_{end}")));
    for i in 1..6 {
        assert!(ends[1][i] < survivors[i] && survivors[i] < ends[2][i], "{i}: {ends:?}");
        assert!(ends[0][i] < ends[1][i] && ends[2][i] < ends[3][i], "{i}: {ends:?}");
    }
    let derl = numbers(&got, "derl");
    assert!(numbers(&got, "derl_mean_lower")[0] < derl[0] && derl[0] < numbers(&got, "derl_mean_upper")[0]);
    // The same in years, and by other threads.
    predict("g.parquet", &["--horizon", "5yr", "--discount", "10%/yr", "--threads", "3"]);
    let bytes = |name: &str| std::fs::read(scratch.path(name)).unwrap();
    let same = read(&scratch.path("g.parquet"));
    assert_eq!(numbers(&same, "survivors_upper"), ends[3]);
    assert!((numbers(&same, "derl")[0] / derl[0] - 1.0).abs() < 1e-12);
    predict("h.parquet", &["--horizon", "5", "--discount", "10%/period", "--threads", "3"]);
    assert_eq!(bytes("f.parquet"), bytes("h.parquet"));
    let json = predict("f.parquet", &["--horizon", "5", "--discount", "10%/period", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["cohorts"][0]["steps"][5]["survivors"].as_f64().unwrap(), survivors[5]);
}

#[test]
fn cohorts_that_do_not_fit_together_are_told() {
    let scratch = Scratch::new();
    // "Regular" and "High end" of the paper in one table.
    let high_end = [1000, 869, 743, 653, 593, 551, 517, 491];
    let rows = |name: &str, left: [i64; 8]| -> String {
        left.iter().enumerate().map(|(period, left)| format!("{name},{period},{left}\n")).collect()
    };
    let rows = rows("Regular", REGULAR) + &rows("High end", high_end);
    scratch.write("both.csv", &format!("cohort,period,survivors\n{rows}"));
    let ran = scratch.run(&["fit", "both.csv", "--model", "sbg"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("by more than chance") && ran.stderr.contains("apart"), "{}", ran.stderr);
    regular(&scratch);
    let ran = scratch.run(&["fit", "regular.csv", "--model", "sbg"]);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn cohorts_of_different_lengths_and_other_columns() {
    let scratch = Scratch::new();
    let names = texts(&["2024-01", "2024-01", "2024-01", "2024-02", "2024-02", "2024-03", "2024-01"]);
    scratch.write_batch(
        "s.parquet",
        &[
            ("start", names),
            ("month", ids(&[0, 1, 2, 0, 1, 0, 3])),
            ("left", ids(&[500, 400, 350, 600, 470, 30, 320])),
        ],
    );
    let columns = ["--cohort-column", "start", "--period-column", "month", "--survivors-column", "left"];
    let run = |words: &[&str]| scratch.run(&[words, &columns[..]].concat());
    let ran = run(&["fit", "s.parquet", "--model", "bdw", "-o", "m.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = run(&[
        "predict",
        "m.json",
        "s.parquet",
        "-o",
        "f.parquet",
        "--horizon",
        "2",
        "--discount",
        "1%/period",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let got = read(&scratch.path("f.parquet"));
    let cohorts = got.column_by_name("cohort").unwrap().as_string::<i32>();
    assert_eq!(cohorts.iter().flatten().filter(|&name| name == "2024-03").count(), 3);
    let periods = got.column_by_name("period").unwrap().as_primitive::<UInt32Type>().values().to_vec();
    assert_eq!(periods, [3, 4, 5, 1, 2, 3, 0, 1, 2]);
}

#[test]
fn survivors_that_cannot_be_are_refused() {
    let scratch = Scratch::new();
    for (rows, says) in [
        ("a,0,100\na,1,120\n", vec!["s.csv", "row 1", "120", "only 100"]),
        ("a,1,100\na,2,90\n", vec!["s.csv", "row 0", "no period 0"]),
        ("a,0,100\na,2,90\n", vec!["s.csv", "row 1", "period 1 is missing"]),
        ("a,0,100\na,1,-5\n", vec!["s.csv", "row 1", "-5", "negative"]),
        ("a,0,100\na,1,90\na,1,80\n", vec!["s.csv", "row 2", "occurs twice", "row 1"]),
        ("a,0,100\na,1,90.5\n", vec!["s.csv", "row 1", "90.5", "no whole number"]),
    ] {
        scratch.write("s.csv", &format!("cohort,period,survivors\n{rows}"));
        let ran = scratch.run(&["fit", "s.csv", "--model", "sbg", "-o", "m.json"]);
        assert_eq!(ran.code, 1, "{rows}: {}", ran.stdout);
        for says in says {
            assert!(ran.stderr.contains(says), "{rows}: {says}: {}", ran.stderr);
        }
        assert!(ran.stderr.contains("hint:"), "{}", ran.stderr);
        assert!(!scratch.names().contains(&"m.json".to_string()));
    }
    scratch.write("s.csv", "group,period,survivors\na,0,100\na,1,90\n");
    let ran = scratch.run(&["fit", "s.csv", "--model", "sbg"]);
    assert!(ran.code == 1 && ran.stderr.contains("--cohort-column"), "{}", ran.stderr);
    // Nobody left: no model to keep.
    scratch.write("s.csv", "cohort,period,survivors\na,0,100\na,1,100\na,2,100\n");
    let ran = scratch.run(&["fit", "s.csv", "--model", "sbg", "-o", "m.json"]);
    assert!(ran.code == 1 && ran.stderr.contains("nobody left"), "{}", ran.stderr);
}

#[test]
fn periods_have_no_length_until_somebody_says_it() {
    let scratch = Scratch::new();
    regular(&scratch);
    assert_eq!(scratch.run(&["fit", "regular.csv", "--model", "sbg", "-o", "m.json"]).code, 0);
    let base = ["predict", "m.json", "regular.csv", "-o", "f.parquet"];
    for (more, says) in [
        (vec!["--horizon", "5"], "10%/period"),
        (vec!["--discount", "10%/period"], "--horizon 5"),
        (vec!["--horizon", "5yr", "--discount", "10%/period"], "how long a period is"),
        (vec!["--horizon", "18mo", "--discount", "10%/yr", "--period", "1yr"], "no whole number of periods"),
        (vec!["--horizon", "0", "--discount", "10%/period"], "no unit"),
        (vec!["--horizon", "5", "--discount=-1%/period"], "from 0"),
        (vec!["--horizon", "20000", "--discount", "1%/period"], "10000"),
        (vec!["--horizon", "5", "--discount", "10%/period", "--margin", "0.3"], "--margin"),
        (vec!["--horizon", "5", "--discount", "10%/period", "--unit", "day"], "--unit"),
    ] {
        let ran = scratch.run(&[&base[..], &more[..]].concat());
        assert_ne!(ran.code, 0, "{more:?}");
        assert!(ran.stderr.contains(says), "{more:?}: {}", ran.stderr);
        assert!(!scratch.names().contains(&"f.parquet".to_string()));
    }
    let period = ["--period", "1yr", "--horizon", "2yr"];
    let ran = scratch.run(&[&base[..], &period[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for words in [
        ["fit", "regular.csv", "--model", "sbg", "--opportunity", "year"],
        ["fit", "regular.csv", "--model", "sbg", "--money", "x"],
        ["fit", "regular.csv", "--model", "sbg", "--customer", "x"],
        ["fit", "regular.csv", "--model", "nbd", "--period", "1yr"],
    ] {
        let ran = scratch.run(&words);
        assert!(ran.code == 1 && ran.stderr.contains(words[4]), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn files_of_contracts_are_checked() {
    let scratch = Scratch::new();
    regular(&scratch);
    assert_eq!(scratch.run(&["fit", "regular.csv", "--model", "sbg", "-o", "m.json"]).code, 0);
    let text = std::fs::read_to_string(scratch.path("m.json")).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (gamma, says) in [(1e30, "\"gamma\" is 1e30"), (0.0, "\"gamma\" is 0e0")] {
        file["contract"]["parameters"]["gamma"] = gamma.into();
        scratch.write("bad.json", &file.to_string());
        let words = ["predict", "bad.json", "regular.csv", "-o", "f.parquet", "--horizon", "5"];
        let ran = scratch.run(&words);
        assert!(ran.code == 1 && ran.stderr.contains(says), "{}", ran.stderr);
    }
}
