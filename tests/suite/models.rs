//! `fit` and `predict` on the command line.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt32Type};
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Scratch, dataset};

fn read(path: &std::path::Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap()
}

/// The CDNOW sample up to 1997-09-30 as a table of customers.
fn sample(scratch: &Scratch) {
    let history = dataset("cdnow/cdnow_sample.parquet");
    let history = history.to_str().unwrap();
    let words =
        ["summarize", history, "--customer", "sample_id", "--as-of", "1997-09-30", "-o", "c.parquet", "-q"];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_table_is_fitted_and_scored() {
    let scratch = Scratch::new();
    sample(&scratch);
    let ran = scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "m.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // The fit of clv.md's table, from raw rows with default settings.
    assert!(ran.stdout.contains("-9582.429") && ran.stdout.contains("-4055.918"), "{}", ran.stdout);
    assert!(ran.stdout.contains("verified optimum"), "{}", ran.stdout);
    let words = [
        "predict",
        "m.json",
        "c.parquet",
        "-o",
        "s.parquet",
        "--horizon",
        "12mo",
        "--discount",
        "1%/mo",
        "--json",
    ];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("no churn label"), "{}", ran.stderr);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["totals"]["customers"], 2357);
    let (table, scored) = (read(&scratch.path("c.parquet")), read(&scratch.path("s.parquet")));
    assert_eq!(table.columns(), &scored.columns()[..table.num_columns()]);
    let column = |name: &str| scored.column_by_name(name).unwrap().as_primitive::<Float64Type>().clone();
    // The first customer of the sample: 36.2960 (months of 30.4375 days, discounted at their ends).
    let first = scored.column(0).as_primitive::<Int64Type>().values().iter().position(|&id| id == 1).unwrap();
    let clv = column("clv").value(first);
    assert!((clv - 36.2960).abs() < 1e-3, "{clv}");
    let total: f64 = column("clv").values().iter().sum();
    assert!((json["totals"]["clv"].as_f64().unwrap() / total - 1.0).abs() < 1e-12);
    // A table with scores keeps saying its unit, and is not scored twice.
    let again = scratch.run(&["fit", "s.parquet", "-o", "m2.json"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let twice = scratch.run(&["predict", "m.json", "s.parquet", "-o", "t.parquet"]);
    assert_eq!(twice.code, 1);
    assert!(twice.stderr.contains("column \"p_alive\" already"), "{}", twice.stderr);
    assert!(!scratch.names().contains(&"t.parquet".to_string()));
}

#[test]
fn scores_do_not_depend_on_threads() {
    let scratch = Scratch::new();
    sample(&scratch);
    for threads in ["1", "3"] {
        let (model, scores) = (format!("m{threads}.json"), format!("s{threads}.parquet"));
        for words in [
            vec!["fit", "c.parquet", "-o", &model, "--threads", threads],
            vec!["predict", &model, "c.parquet", "-o", &scores, "--threads", threads],
        ] {
            let ran = scratch.run(&words);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
    }
    for (a, b) in [("m1.json", "m3.json"), ("s1.parquet", "s3.parquet")] {
        assert_eq!(std::fs::read(scratch.path(a)).unwrap(), std::fs::read(scratch.path(b)).unwrap(), "{a}");
    }
}

#[test]
fn anybodys_table_will_do_if_its_unit_is_said() {
    let scratch = Scratch::new();
    sample(&scratch);
    let table = read(&scratch.path("c.parquet"));
    // As floats, in days, without a word about units.
    let times = |name: &str| -> ArrayRef {
        let weeks = table.column_by_name(name).unwrap().as_primitive::<Float64Type>();
        Arc::new(Float64Array::from_iter_values(weeks.values().iter().map(|weeks| weeks * 7.0)))
    };
    let counts = table.column_by_name("frequency").unwrap().as_primitive::<UInt32Type>();
    let frequency: ArrayRef =
        Arc::new(Float64Array::from_iter_values(counts.values().iter().map(|&x| f64::from(x))));
    scratch.write_batch(
        "d.parquet",
        &[("frequency", frequency), ("recency", times("recency")), ("T", times("T"))],
    );
    let ran = scratch.run(&["fit", "d.parquet", "--model", "bg-nbd"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("in what unit") && ran.stderr.contains("--unit"), "{}", ran.stderr);
    let ran = scratch.run(&["fit", "d.parquet", "--model", "bg-nbd", "--unit", "day", "-o", "d.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("-14363.530"), "{}", ran.stdout);
    let ran = scratch.run(&["predict", "d.json", "d.parquet", "--unit", "day", "-o", "s.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("no money values"), "{}", ran.stderr);
    // A unit that contradicts the table's own.
    let ran = scratch.run(&["fit", "c.parquet", "--unit", "day"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("in weeks"), "{}", ran.stderr);
}

#[test]
fn model_files_are_checked() {
    let scratch = Scratch::new();
    sample(&scratch);
    assert_eq!(scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "m.json"]).code, 0);
    let text = std::fs::read_to_string(scratch.path("m.json")).unwrap();
    let alpha = text.lines().find(|line| line.trim().starts_with("\"alpha\":")).unwrap().trim().to_string();
    for (what, to, says) in [
        ("\"version\": 1", "\"version\": 7", "version is 7"),
        ("\"tiercast-model\"", "\"other-model\"", "no model of tiercast"),
        ("\"model\": \"bg-nbd\"", "\"model\": \"bg-xyz\"", "bg-xyz"),
        (alpha.as_str(), "\"alpha\": -1.0,", "not all positive"),
        (alpha.as_str(), "\"alfa\": 1.0,", "alfa"),
        ("{", "", "no JSON"),
    ] {
        scratch.write("bad.json", &text.replacen(what, to, 1));
        let ran = scratch.run(&["predict", "bad.json", "c.parquet", "-o", "s.parquet"]);
        assert_eq!(ran.code, 1, "{what}");
        assert!(ran.stderr.contains("bad.json") && ran.stderr.contains(says), "{what}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint:"), "{what}: {}", ran.stderr);
        assert!(!scratch.names().contains(&"s.parquet".to_string()));
    }
    for (words, says) in [
        (vec!["predict", "m.json", "c.parquet", "-o", "s.parquet", "--horizon", "12"], "no unit"),
        (vec!["predict", "m.json", "c.parquet", "-o", "s.parquet", "--discount", "10%"], "per what"),
        (vec!["predict", "m.json", "c.parquet", "-o", "s.parquet", "--share", "0"], "--share"),
        (vec!["predict", "m.json", "no.parquet", "-o", "s.parquet"], "no such file"),
        (vec!["fit", "c.parquet", "--model", "abc"], "choose one of"),
    ] {
        let ran = scratch.run(&words);
        assert_ne!(ran.code, 0, "{words:?}");
        assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
    }
}
