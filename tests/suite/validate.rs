//! The verb `validate`.

use std::fs;

use arrow_array::{RecordBatch, UInt32Array};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Scratch, dataset, write_parquet};

const FILES: [&str; 8] = [
    "metrics.csv",
    "differences.csv",
    "deciles.csv",
    "by_frequency.csv",
    "tracking.csv",
    "coverage.csv",
    "validation.json",
    "report.html",
];

fn sample() -> RecordBatch {
    let file = fs::File::open(dataset("cdnow/cdnow_sample.parquet")).unwrap();
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(100_000).build().unwrap();
    reader.map(Result::unwrap).next().unwrap()
}

const OPTIONS: [&str; 4] = ["--customer", "sample_id", "--calibration-end", "1997-09-30"];

#[test]
fn the_sample_is_judged_the_same_at_any_number_of_threads_and_in_any_order() {
    let scratch = Scratch::new();
    let batch = sample();
    write_parquet(&scratch.path("h.parquet"), &batch);
    let reversed = UInt32Array::from_iter_values((0..batch.num_rows() as u32).rev());
    let columns =
        batch.columns().iter().map(|c| arrow_select::take::take(c, &reversed, None).unwrap()).collect();
    let turned = RecordBatch::try_new(batch.schema(), columns).unwrap();
    fs::create_dir(scratch.path("turned")).unwrap();
    write_parquet(&scratch.path("turned/h.parquet"), &turned);
    let run = |history: &str, threads: &str, out: &str| {
        let words = ["validate", history, "--replications", "40", "--threads", threads, "-o", out];
        let ran = scratch.run(&[&words[..], &OPTIONS].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let read = |name: &&str| fs::read_to_string(scratch.path(out).join(name)).unwrap();
        (ran.stdout, FILES.iter().map(read).collect::<Vec<String>>())
    };
    let (stdout, files) = run("h.parquet", "1", "one");
    assert_eq!(scratch.names().iter().filter(|name| name.starts_with('.')).count(), 0);
    let again = run("h.parquet", "3", "three");
    assert!((&again.0, &again.1) == (&stdout, &files), "three threads");
    // An earlier validation is replaced; its inputs' name stands in two of the files.
    let turned = run("turned/h.parquet", "2", "one");
    assert!(turned.0 == stdout && turned.1[..6] == files[..6], "another order");

    for words in [
        "MAE",
        "BG/NBD",
        "past rate",
        "top tenth",
        "Preferred model",
        "do not win",
        "Intervals that claim 90",
    ] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    let metrics = &files[0];
    let line = |begin: &str| metrics.lines().find(|line| line.starts_with(begin)).unwrap_or_default();
    assert!(line("BG/NBD,model,rmse,1.60798").len() > 30, "{metrics}");
    assert!(line("past repeat spend,ranking,top_tenth_spend,0.490").len() > 30, "{metrics}");
    assert_eq!(line("population mean,baseline,correlation"), "population mean,baseline,correlation,,,,");
    assert_eq!(files[2].lines().count() - 1, 10 * 6, "{}", files[2]);
    let last = files[4].lines().last().unwrap();
    assert!(last.starts_with("78,1998-06-24,1998-06-30,7,holdout,"), "{last}");
    // Four models, two quantities: customers, the total and ten tenths.
    let coverage = &files[5];
    assert_eq!(coverage.lines().count() - 1, 4 * 2 * 12, "{coverage}");
    let total = coverage.lines().find(|line| line.starts_with("NBD,0.9,transactions,total,2357,0,,"));
    assert!(total.is_some_and(|line| line.ends_with(",1882")), "{coverage}");
    let json: serde_json::Value = serde_json::from_str(&files[6]).unwrap();
    let held = &json["validation"]["methods"][0]["coverage"]["transactions"]["total"];
    assert_eq!(held["actual"], 1882.0);
    assert_eq!(json["validation"]["transactions"], 1882);
    let page = &files[7];
    for words in [
        "Validation on a holdout",
        "Do the intervals hold?",
        "Weekly tracking",
        "<svg",
        "<title>Customers by calibration",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for foreign in ["<script", "http://", "https://"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn what_cannot_be_judged_is_said() {
    let scratch = Scratch::new();
    let rows: Vec<(i64, &str, f64)> = (0..30)
        .flat_map(|id| [(id, "2026-01-05", 10.0), (id, "2026-01-20", 5.0), (id, "2026-03-01", 4.0)])
        .collect();
    scratch.write_history("h.parquet", &rows);
    for (options, message, hint) in [
        (&[][..], "--calibration-end", "the last day that the models may see"),
        (
            &["--calibration-end", "2025-12-31"],
            "before the first order of the history, 2026-01-05",
            "2026-01-05",
        ),
        (&["--calibration-end", "2026-03-02"], "runs from 2026-01-05 to 2026-03-01", "before 2026-03-01"),
        (&["--calibration-end", "2026-03-01"], "leaves no holdout", "earlier"),
        (
            &["--calibration-end", "2026-03-05", "--as-of", "2026-03-20"],
            "none of the 30 customers observed up to it has an order in the holdout, which ends on 2026-03-20",
            "earlier",
        ),
        (&["--calibration-end", "2026-03-05", "--as-of", "2026-03-01"], "after the as-of date", "2026-03-01"),
        (&["--calibration-end", "2026-02-01", "--replications", "1"], "replications", "at least 2"),
        (&["--calibration-end", "2026-02-01", "--keep", "amount"], "--keep", "summarize"),
        (&["--calibration-end", "2026-02-01", "--margin", "0.5"], "--margin", "summarize"),
    ] {
        let ran = scratch.run(&[&["validate", "h.parquet", "-o", "v"], options].concat());
        assert_eq!(ran.code, 1, "{options:?} {}", ran.stderr);
        assert!(ran.stderr.contains(message) && ran.stderr.contains(hint), "{options:?} {}", ran.stderr);
        assert_eq!(scratch.names(), ["h.parquet"]);
    }
    // A folder that is no validation is left alone.
    fs::create_dir(scratch.path("v")).unwrap();
    scratch.write("v/thesis.txt", "years of work");
    let words = ["validate", "h.parquet", "--calibration-end", "2026-02-01", "-o", "v"];
    let ran = scratch.run(&words);
    assert!(ran.code == 1 && ran.stderr.contains("not a result of tiercast"), "{}", ran.stderr);
    assert_eq!(scratch.run(&["validate", "h.parquet", "--force"]).code, 2, "nothing to replace");
}

#[test]
fn models_that_cannot_be_fitted_are_left_out() {
    // Everybody buys once before the end and once after it: nothing to fit a repeat model to.
    let scratch = Scratch::new();
    let rows: Vec<(i64, &str, f64)> =
        (0..30).flat_map(|id| [(id, "2026-01-05", 10.0), (id, "2026-03-01", 4.0)]).collect();
    scratch.write_history("h.parquet", &rows);
    let words = ["validate", "h.parquet", "--calibration-end", "2026-02-01", "--json"];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = &json["validation"];
    assert_eq!((&of["transactions"], &of["preferred"]), (&30.into(), &serde_json::Value::Null));
    assert!(of["left_out"].as_array().is_some_and(|list| !list.is_empty()), "{of}");
    assert_eq!(of["methods"].as_array().map(Vec::len), Some(4));
    let ran = scratch.run(&words[..4]);
    assert!(ran.code == 0 && ran.stdout.contains("is left out"), "{}{}", ran.stdout, ran.stderr);
}
