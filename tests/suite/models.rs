//! `fit` and `predict` on the command line.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt32Type};
use arrow_array::{ArrayRef, Date64Array, Float64Array, RecordBatch};
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
    // What is typed counts more than what the table says of itself, and is told apart from it.
    let ran = scratch.run(&["fit", "c.parquet", "--model", "nbd", "--unit", "day"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("time in days"), "{}", ran.stdout);
    assert!(ran.stderr.contains("says itself that they are weeks"), "{}", ran.stderr);
    // Environment and settings file are asked where the table says nothing, and not otherwise.
    let unit = [("TIERCAST_UNIT", "day")];
    let ran = scratch.run_with(&["fit", "d.parquet", "--model", "bg-nbd"], &unit);
    assert!(ran.code == 0 && ran.stdout.contains("-14363.530"), "{}{}", ran.stdout, ran.stderr);
    let ran = scratch.run_with(&["fit", "c.parquet", "--model", "nbd"], &unit);
    assert!(ran.code == 0 && ran.stdout.contains("time in weeks"), "{}{}", ran.stdout, ran.stderr);
    scratch.write("tiercast.toml", "unit = \"day\"\n");
    let ran = scratch.run(&["predict", "d.json", "d.parquet", "-o", "t.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        std::fs::read(scratch.path("s.parquet")).unwrap(),
        std::fs::read(scratch.path("t.parquet")).unwrap()
    );
    // No money in the table.
    let ran = scratch.run(&["fit", "d.parquet", "--model", "nbd"]);
    assert!(ran.stderr.contains("no column \"monetary_value\""), "{}", ran.stderr);
}

/// The sample's table with more columns.
fn with_columns(scratch: &Scratch, name: &str, more: &[(&str, ArrayRef)]) -> RecordBatch {
    let table = read(&scratch.path("c.parquet"));
    let schema = table.schema();
    let own = schema.fields().iter().map(|field| field.name().as_str()).zip(table.columns().iter().cloned());
    let columns: Vec<(&str, ArrayRef)> = own.chain(more.iter().cloned()).collect();
    scratch.write_batch(name, &columns);
    table
}

#[test]
fn margins_are_money_too() {
    let scratch = Scratch::new();
    sample(&scratch);
    let table = read(&scratch.path("c.parquet"));
    let number = |batch: &RecordBatch, name: &str| {
        batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().values().to_vec()
    };
    let spend = number(&table, "total_spend");
    let of_spend = |share: f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(spend.iter().map(|spend| share * spend)))
    };
    with_columns(&scratch, "k.parquet", &[("total_margin", of_spend(0.4)), ("total_cost", of_spend(0.6))]);
    let fit = |money: &str, out: &str| {
        let words = ["fit", "k.parquet", "--model", "bg-nbd", "--unit", "week", "--money", money, "-o", out];
        let ran = scratch.run(&words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let said = fit("total_margin", "m.json");
    assert!(said.contains("Spend is margin (total_margin), means over all order days"), "{said}");
    assert!(said.contains("Correlation of their number and value: "), "{said}");
    // Costs say the same.
    assert!(fit("total_cost", "n.json").contains("margin (total_spend less total_cost)"));
    let base = ["predict", "m.json", "k.parquet", "--unit", "week", "-o", "s.parquet"];
    let ran = scratch.run(&base);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("lifetime value is margin (total_margin)"), "{}", ran.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(scratch.path("m.json")).unwrap()).unwrap();
    let part = |name: &str| json["spend"]["parameters"][name].as_f64().unwrap();
    let scored = read(&scratch.path("s.parquet"));
    let counts = table.column_by_name("frequency").unwrap().as_primitive::<UInt32Type>();
    for (i, got) in number(&scored, "expected_spend").iter().enumerate().take(300) {
        // Fader and Hardie's equation 5, with all order days.
        let orders = f64::from(counts.value(i) + 1);
        let want = (part("gamma") + 0.4 * spend[i]) * part("p") / (part("p") * orders + part("q") - 1.0);
        assert!((got / want - 1.0).abs() < 1e-9, "{i}: {got} {want}");
    }
    let other: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(scratch.path("n.json")).unwrap()).unwrap();
    let (a, b) = (part("q"), other["spend"]["parameters"]["q"].as_f64().unwrap());
    assert!((a / b - 1.0).abs() < 1e-4, "{a} {b}");
    // A share of a margin is nothing; a share of a settings file is for other verbs, and said.
    let ran = scratch.run(&[&base[..], &["--margin", "0.3"]].concat());
    assert!(ran.code == 1 && ran.stderr.contains("fitted to margins"), "{}", ran.stderr);
    let ran = scratch.run_with(&base, &[("TIERCAST_MARGIN", "0.3")]);
    assert!(ran.code == 0 && ran.stderr.contains("not applied"), "{}", ran.stderr);
    // The model reads the same column again.
    let ran = scratch.run(&["predict", "m.json", "c.parquet", "-o", "t.parquet"]);
    assert!(ran.code == 1 && ran.stderr.contains("no column \"total_margin\""), "{}", ran.stderr);
    for (money, says) in [("total_spend", "it is a sum"), ("abc", "no column \"abc\"")] {
        let ran = scratch.run(&["fit", "k.parquet", "--unit", "week", "--money", money]);
        assert!(ran.code == 1 && ran.stderr.contains(says), "{}", ran.stderr);
    }
}

#[test]
fn the_margin_is_a_share_from_flag_environment_or_file() {
    let scratch = Scratch::new();
    sample(&scratch);
    assert_eq!(scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "m.json"]).code, 0);
    let base = ["predict", "m.json", "c.parquet", "-o", "s.parquet", "--json"];
    let clv = |more: &[&str], variables: &[(&str, &str)]| {
        let ran = scratch.run_with(&[&base[..], more].concat(), variables);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        json["totals"]["clv"].as_f64().unwrap()
    };
    let revenue = clv(&[], &[]);
    let same = |got: f64, share: f64| assert!((got / revenue / share - 1.0).abs() < 1e-12, "{got} {share}");
    same(clv(&["--margin", "0.5"], &[]), 0.5);
    same(clv(&[], &[("TIERCAST_MARGIN", "0.25")]), 0.25);
    scratch.write("tiercast.toml", "margin = 0.125\n");
    same(clv(&[], &[]), 0.125);
    same(clv(&["--margin", "0.5"], &[("TIERCAST_MARGIN", "0.25")]), 0.5);
    // A column there is for `summarize`: lifetime value stays revenue.
    scratch.write("tiercast.toml", "margin = \"profit\"\n");
    same(clv(&[], &[]), 1.0);
    let ran = scratch.run(&[&base[..], &["--margin", "profit"]].concat());
    assert!(ran.code == 1 && ran.stderr.contains("no share of revenue"), "{}", ran.stderr);
}

#[test]
fn a_model_of_spend_needs_money_and_columns_keep_their_types() {
    let scratch = Scratch::new();
    sample(&scratch);
    assert_eq!(scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "m.json"]).code, 0);
    let table = read(&scratch.path("c.parquet"));
    let column = |name: &str| table.column_by_name(name).unwrap().clone();
    let days: ArrayRef = Arc::new(Date64Array::from(vec![86_400_000i64 * 9_999; table.num_rows()]));
    let columns = ["frequency", "recency", "T"].map(|name| (name, column(name)));
    scratch.write_batch("d.parquet", &columns);
    let words = ["predict", "m.json", "d.parquet", "--unit", "week", "-o", "s.parquet"];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("no column \"monetary_value\"") && ran.stderr.contains("hint:"),
        "{}",
        ran.stderr
    );
    assert!(!scratch.names().contains(&"s.parquet".to_string()));
    let mut columns = columns.to_vec();
    columns.extend([("monetary_value", column("monetary_value")), ("since", days.clone())]);
    scratch.write_batch("d.parquet", &columns);
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(read(&scratch.path("s.parquet")).column_by_name("since").unwrap(), &days);
    // Dates are dates to those who do not know Arrow's own note, too.
    let file = File::open(scratch.path("s.parquet")).unwrap();
    let schema =
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().parquet_schema().root_schema().clone();
    let since = schema.get_fields().iter().find(|field| field.name() == "since").unwrap();
    assert_eq!(since.get_basic_info().logical_type_ref().map(|t| format!("{t:?}")), Some("Date".to_string()));
    // Messages name no option that the verb does not have.
    scratch.write("bad.parquet", "no table");
    let ran = scratch.run(&["fit", "bad.parquet", "--unit", "week"]);
    assert!(ran.code == 1 && ran.stderr.contains("not a readable Parquet file"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("skip-bad-files"), "{}", ran.stderr);
    let ran = scratch.run(&["fit", "c.parquet", "--customer", "id"]);
    assert!(ran.code == 1 && ran.stderr.contains("--customer"), "{}", ran.stderr);
}

#[test]
fn model_files_are_checked() {
    let scratch = Scratch::new();
    sample(&scratch);
    assert_eq!(scratch.run(&["fit", "c.parquet", "--model", "bg-nbd", "-o", "m.json"]).code, 0);
    let text = std::fs::read_to_string(scratch.path("m.json")).unwrap();
    let alpha = text.lines().find(|line| line.trim().starts_with("\"alpha\":")).unwrap().trim().to_string();
    let q = text.lines().find(|line| line.trim().starts_with("\"q\":")).unwrap().trim().to_string();
    for (what, to, says) in [
        ("\"version\": 1", "\"version\": 7", "version is 7"),
        ("\"tiercast-model\"", "\"other-model\"", "no model of tiercast"),
        ("\"model\": \"bg-nbd\"", "\"model\": \"bg-xyz\"", "bg-xyz"),
        (alpha.as_str(), "\"alpha\": -1.0,", "\"alpha\" is -1e0, which is not between"),
        (alpha.as_str(), "\"alpha\": 1e308,", "\"alpha\" is 1e308, which is not between"),
        (q.as_str(), "\"q\": 0.9", "mean spend over customers would be infinite"),
        ("\"kind\": \"purchases\"", "\"kind\": \"contract\"", "what cannot be"),
        ("\"kind\": \"purchases\"", "\"kind\": \"seances\"", "no kind of model"),
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
        (vec!["predict", "m.json", "c.parquet", "-o", "s.parquet", "--margin", "0"], "margin"),
        (vec!["predict", "m.json", "no.parquet", "-o", "s.parquet"], "no such file"),
        (vec!["fit", "c.parquet", "--model", "abc"], "choose one of"),
    ] {
        let ran = scratch.run(&words);
        assert_ne!(ran.code, 0, "{words:?}");
        assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
    }
}
