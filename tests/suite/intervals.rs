//! Draws of the parameters in model files, and intervals of predictions, on the command line.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::{Ran, Scratch, dataset};

const NAMES: [&str; 5] = ["p_alive", "expected_transactions", "dert", "expected_spend", "clv"];

fn read(path: &std::path::Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap()
}

fn numbers(table: &RecordBatch, name: &str) -> Vec<f64> {
    table.column_by_name(name).unwrap().as_primitive::<Float64Type>().values().to_vec()
}

#[track_caller]
fn good(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

/// The CDNOW sample up to 1997-09-30 as a table of customers, and a model of it with draws.
fn sample(scratch: &Scratch, draws: &str) -> Ran {
    let history = dataset("cdnow/cdnow_sample.parquet");
    let history = history.to_str().unwrap();
    let words =
        ["summarize", history, "--customer", "sample_id", "--as-of", "1997-09-30", "-o", "c.parquet", "-q"];
    good(scratch.run(&words));
    good(scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "m.json", "--draws", draws]))
}

#[test]
fn draws_are_kept_and_read_back() {
    let scratch = Scratch::new();
    let fitted = sample(&scratch, "100");
    for part in ["100 draws of the parameters, prior weak", "97.5 %", "Trust in the draws", "reliable"] {
        assert!(fitted.stdout.contains(part), "{part}: {}", fitted.stdout);
    }
    let text = std::fs::read_to_string(scratch.path("m.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["draws"]["seed"], 1);
    assert_eq!(json["draws"]["purchases"]["report"]["trust"], "good");
    assert_eq!(json["draws"]["spend"]["report"]["prior"], "weak");
    assert_eq!(json["draws"]["purchases"]["parameters"]["alpha"].as_array().unwrap().len(), 100);
    // Another prior and seed are other draws; the same ones are the same file at any number of threads.
    for (name, words) in [
        ("same.json", ["--prior", "weak", "--threads", "3"]),
        ("seed.json", ["--prior", "weak", "--seed", "2"]),
        ("flat.json", ["--prior", "flat", "--seed", "1"]),
    ] {
        let fit = ["fit", "c.parquet", "--model", "bg-nbd", "--draws", "100", "-o", name];
        good(scratch.run(&[&fit[..], &words[..]].concat()));
        let other = std::fs::read_to_string(scratch.path(name)).unwrap();
        assert_eq!(other == text, name == "same.json", "{name}");
    }
    // Without draws the file says nothing of them, and a prior of nothing is refused.
    good(scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "none.json"]));
    assert!(!std::fs::read_to_string(scratch.path("none.json")).unwrap().contains("draws"));
    for words in [["--prior", "weak"], ["--seed", "3"]] {
        let refused = scratch.run(&[&["fit", "c.parquet", "--draws", "0"][..], &words[..]].concat());
        assert!(refused.code == 1 && refused.stderr.contains("--draws 400"), "{}", refused.stderr);
    }
    let refused = scratch.run(&["fit", "c.parquet", "--draws", "100", "--prior", "strong"]);
    assert!(refused.code != 0 && refused.stderr.contains("flat or weak"), "{}", refused.stderr);
}

#[test]
fn intervals_of_customers_totals_and_groups() {
    let scratch = Scratch::new();
    sample(&scratch, "60");
    let predict = |threads: &str| {
        let (scores, totals) = (format!("s{threads}.parquet"), format!("t{threads}.csv"));
        let words = [
            "predict",
            "m.json",
            "c.parquet",
            "-o",
            &scores,
            "--intervals",
            "90%",
            "--totals-by",
            "frequency",
            "--totals",
            &totals,
            "--margin",
            "0.3",
            "--json",
            "--threads",
            threads,
        ];
        let json: Value = serde_json::from_str(&good(scratch.run(&words)).stdout).unwrap();
        let bytes = |name: &str| std::fs::read(scratch.path(name)).unwrap();
        (json["intervals"].clone(), bytes(&scores), bytes(&totals))
    };
    let found = predict("1");
    assert!(found == predict("3"));
    let (json, _, csv) = found;
    let scored = read(&scratch.path("s1.parquet"));
    let (of, n) = (|name: &str| numbers(&scored, name), scored.num_rows());
    for name in NAMES {
        let (lower, upper) = (of(&format!("{name}_mean_lower")), of(&format!("{name}_mean_upper")));
        // The estimate need not lie within for a customer, but it does for nearly all.
        let value = of(name);
        let within = (0..n).filter(|&i| lower[i] <= value[i] && value[i] <= upper[i]).count();
        assert!(within as f64 > 0.95 * n as f64, "{name}: {within} of {n}");
    }
    for name in ["expected_transactions", "clv"] {
        let (lower, upper) = (of(&format!("{name}_lower")), of(&format!("{name}_upper")));
        assert!((0..n).all(|i| 0.0 <= lower[i] && lower[i] <= upper[i]));
        // Luck is wider than what is not known of the mean.
        let mean_upper = of(&format!("{name}_mean_upper"));
        assert!(upper.iter().sum::<f64>() > 1.5 * mean_upper.iter().sum::<f64>());
    }
    assert!(of("expected_transactions_upper").iter().all(|orders| orders.fract() == 0.0));
    assert!(
        scored.column_by_name("dert_upper").is_none() && scored.column_by_name("p_alive_lower").is_none()
    );
    let total: f64 = of("clv").iter().sum();
    let all = &json["all"];
    assert!((all["clv"].as_f64().unwrap() / total - 1.0).abs() < 1e-9 && all["group"].is_null());
    let ends =
        |of: &Value| ["mean_lower", "mean_upper", "lower", "upper"].map(|end| of[end].as_f64().unwrap());
    let [mean_lower, mean_upper, lower, upper] = ends(&all["intervals"]["clv"]);
    assert!(lower < mean_lower && mean_lower < total && total < mean_upper && mean_upper < upper);
    // The groups are those of the column, in its order, and their customers all.
    let groups = json["groups"].as_array().unwrap();
    assert_eq!((groups[0]["group"].as_str(), groups[2]["group"].as_str()), (Some("0"), Some("2")));
    let customers: u64 = groups.iter().map(|g| g["intervals"]["customers"].as_u64().unwrap()).sum();
    assert_eq!(customers, 2357);
    let csv = String::from_utf8(csv).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].starts_with("column,group,customers,expected_transactions,expected_transactions_mean_lower")
    );
    assert!(lines[1].starts_with(",,2357,") && lines[2].starts_with("frequency,0,"), "{csv}");
    assert_eq!(lines.len(), groups.len() + 2);
    // Printed, where no file is named.
    let words =
        ["predict", "m.json", "c.parquet", "-o", "p.parquet", "--intervals", "0.9", "--horizon", "13w"];
    let printed = good(scratch.run(&words)).stdout;
    assert!(
        printed.contains("90\u{a0}% intervals from 60 draws") && printed.contains("what will happen"),
        "{printed}"
    );
}

/// Somebody's table: ids of texts, a region, a prospect, no money.
#[test]
fn anybodys_table_with_an_id() {
    let scratch = Scratch::new();
    sample(&scratch, "40");
    let frequency: ArrayRef = Arc::new(Int64Array::from(vec![Some(2), None, Some(0), Some(5)]));
    let times = |values: [Option<f64>; 4]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let text = |values: [Option<&str>; 4]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let table = |name: &str, ids: ArrayRef| {
        scratch.write_batch(
            name,
            &[
                ("who", ids),
                ("region", text([Some("west"), Some("east"), None, Some("east")])),
                ("frequency", Arc::clone(&frequency)),
                ("recency", times([Some(20.0), None, Some(0.0), Some(30.0)])),
                ("T", times([Some(38.0), None, Some(38.0), Some(38.0)])),
            ],
        );
    };
    table("d.parquet", text([Some("a"), None, Some("b"), Some("c")]));
    // The table has no money, so the model must have none of spend.
    let mut model: Value = serde_json::from_slice(&std::fs::read(scratch.path("m.json")).unwrap()).unwrap();
    for (pointer, keys) in [("", &["spend", "money"][..]), ("/draws", &["spend"][..])] {
        let place = model.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
        keys.iter().for_each(|key| drop(place.remove(*key)));
    }
    scratch.write("m.json", &model.to_string());
    let base = ["predict", "m.json", "d.parquet", "--unit", "week", "--intervals", "80%", "-o", "s.parquet"];
    let with = |words: &[&str]| scratch.run(&[&base[..], words].concat());
    let refused = with(&[]);
    assert!(refused.code == 1 && refused.stderr.contains("--id COLUMN"), "{}", refused.stderr);
    let ran = good(with(&["--id", "who", "--totals-by", "region"]));
    for part in ["east", "west", "(none)"] {
        assert!(ran.stdout.contains(part), "{}", ran.stdout);
    }
    let scored = read(&scratch.path("s.parquet"));
    let column = scored.column_by_name("expected_transactions_upper").unwrap();
    assert!(column.is_null(1) && column.null_count() == 1);
    assert!(scored.column_by_name("clv_lower").is_none());
    // An id of two columns is another id.
    let first = numbers(&scored, "expected_transactions_mean_upper");
    good(with(&["--id", "who,frequency"]));
    let second = read(&scratch.path("s.parquet"));
    assert_eq!(numbers(&second, "expected_transactions_mean_upper"), first);
    // What cannot be.
    table("d.parquet", text([Some("a"), None, None, Some("c")]));
    for (words, says) in [
        (vec!["--id", "who"], "who in row 2 of d.parquet"),
        (vec!["--id", "whom"], "whom"),
        (vec!["--id", "T"], "integers or texts"),
        (vec!["--id", "frequency", "--totals-by", "T"], "integers or texts"),
        (vec!["--id", "frequency", "--totals-by", "nation"], "nation"),
    ] {
        std::fs::remove_file(scratch.path("s.parquet")).ok();
        let ran = with(&words);
        assert!(ran.code == 1 && ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
        assert!(!scratch.names().contains(&"s.parquet".to_string()));
    }
}

#[test]
fn what_has_no_draws_has_no_intervals() {
    let scratch = Scratch::new();
    sample(&scratch, "20");
    good(scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "none.json"]));
    let words = |model: &'static str, more: &[&'static str]| {
        [&["predict", model, "c.parquet", "-o", "s.parquet"][..], more].concat()
    };
    for (words, says) in [
        (words("none.json", &["--intervals", "90%"]), "tiercast fit CUSTOMERS -o MODEL --draws"),
        (words("m.json", &["--intervals", "90"]), "write 90% or 0.9"),
        (words("m.json", &["--intervals", "0%"]), "write 90% or 0.9"),
        (words("m.json", &["--totals-by", "frequency"]), "--intervals"),
        (words("m.json", &["--intervals", "90%", "--totals", "s.parquet"]), "a name of its own"),
    ] {
        let ran = scratch.run(&words);
        assert!(ran.code != 0 && ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
        assert!(!scratch.names().contains(&"s.parquet".to_string()));
    }
    // Few draws are said, and so is a file whose draws somebody edited.
    let ran = good(scratch.run(&words("m.json", &["--intervals", "95%"])));
    assert!(ran.stderr.contains("20 draws are too few"), "{}", ran.stderr);
    let text = std::fs::read_to_string(scratch.path("m.json")).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    for (name, values, says) in [
        ("r", serde_json::json!([0.2]), "not as many draws"),
        ("r", serde_json::json!([]), "not as many draws"),
        ("q", serde_json::json!([0.2]), "no parameter"),
        ("a", serde_json::json!(vec![-1.0; 20]), "not all positive"),
    ] {
        let whole = json.clone();
        json["draws"]["purchases"]["parameters"][name] = values;
        scratch.write("bad.json", &json.to_string());
        json = whole;
        let ran = scratch.run(&words("bad.json", &["--intervals", "90%"]));
        assert!(
            ran.code == 1 && ran.stderr.contains("bad.json") && ran.stderr.contains(says),
            "{}",
            ran.stderr
        );
    }
    // What is not trusted is said again where it is used.
    json["draws"]["purchases"]["report"]["trust"] = "poor".into();
    json["draws"]["purchases"]["report"]["prior"] = "flat".into();
    scratch.write("poor.json", &json.to_string());
    let ran = good(scratch.run(&words("poor.json", &["--intervals", "90%"])));
    assert!(ran.stderr.contains("do not trust the intervals that rest on BG/NBD"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--prior weak"), "{}", ran.stderr);
}
