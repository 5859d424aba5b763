//! The command line as its users meet it.

use std::fs;
use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::{Scratch, dataset};

fn read_batch(path: &std::path::Path) -> arrow_array::RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect();
    batches.into_iter().next().unwrap_or_else(|| arrow_array::RecordBatch::new_empty(schema))
}

#[test]
fn without_arguments_the_main_job_runs_on_the_bundled_history() {
    let scratch = Scratch::new();
    let ran = scratch.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in ["69,659", "23,570", "verified optimum", "do_nothing", "top_heavy", "undecided"] {
        assert!(ran.stdout.contains(part), "{part} is not in:\n{}", ran.stdout);
    }
    assert!(ran.stderr.contains("report: tiercast-run/report.html"), "{}", ran.stderr);
    let mut names: Vec<String> = fs::read_dir(scratch.path("tiercast-run"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "cohorts.csv",
            "customers.parquet",
            "report.html",
            "run.json",
            "set_aside.parquet",
            "strategies.csv",
            "tiers.csv"
        ]
    );
    assert_eq!(scratch.names(), ["tiercast-run"]);

    let customers = read_batch(&scratch.path("tiercast-run/customers.parquet"));
    assert_eq!(customers.num_rows(), 23_570);
    let schema = customers.schema();
    for column in [
        "customer_id",
        "frequency",
        "recency",
        "T",
        "monetary_value",
        "first_order",
        "last_order",
        "orders",
        "transactions",
        "total_spend",
        "days_since_last",
        "r_score",
        "f_score",
        "m_score",
        "rfm_code",
        "p_alive",
        "expected_transactions",
        "expected_spend",
        "clv",
        "clv_mean_lower",
        "clv_mean_upper",
        "cluster",
        "tier_value",
        "tier_rfm",
        "tier_abc",
    ] {
        assert!(schema.column_with_name(column).is_some(), "{column}");
    }
    let ids = customers.column(0).as_primitive::<Int64Type>();
    assert!(ids.values().windows(2).all(|pair| pair[0] < pair[1]), "ordered by id");

    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(scratch.path("tiercast-run/run.json")).unwrap()).unwrap();
    assert_eq!(manifest["ledger"]["read"], 69_659);
    assert_eq!(manifest["seed"], 1);
    assert_eq!(manifest["fits"][0]["verdict"]["kind"], "verified_optimum");
    assert_eq!(manifest["tiercast"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn json_is_one_object_on_stdout() {
    let scratch = Scratch::new();
    scratch.write_history(
        "h.parquet",
        &[(1, "2024-01-01", 1.0), (1, "2024-02-01", 2.0), (2, "2024-01-10", 5.0), (3, "2024-01-11", -5.0)],
    );
    for words in [
        &["run", "h.parquet", "--json", "-q"][..],
        &["inspect", "h.parquet", "--json"],
        &["summarize", "h.parquet", "-o", "c.parquet", "--json"],
        &["config", "--json"],
        &["run", "h.parquet", "--json", "--dry-run"],
    ] {
        let ran = scratch.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{words:?}: {e}"));
        // The manifest of a run has another layout since strategies have standings.
        let is_manifest = words[0] == "run" && !words.contains(&"--dry-run");
        assert_eq!(value["schema"], if is_manifest { 2 } else { 1 }, "{words:?}");
    }
    let failed = scratch.run(&["run", "nowhere.parquet", "--json"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
    let value: Value = serde_json::from_str(&failed.stderr).unwrap();
    assert_eq!(value["exit_code"], 1);
    assert!(value["error"].as_str().unwrap().contains("nowhere.parquet"));
}

#[test]
fn quiet_says_nothing_beside_the_result() {
    let scratch = Scratch::new();
    let sample = dataset("cdnow/cdnow_sample.parquet");
    let ran = scratch.run(&["summarize", sample.to_str().unwrap(), "-o", "c.parquet", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(read_batch(&scratch.path("c.parquet")).num_rows(), 2_357);
    assert_eq!(scratch.names(), ["c.parquet"]);
}

#[test]
fn a_dry_run_checks_and_writes_nothing() {
    let scratch = Scratch::new();
    let ran = scratch.run(&["run", "--dry-run"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("400 futures of every customer under: do_nothing, even"), "{}", ran.stdout);
    assert!(scratch.names().is_empty());
}

#[test]
fn own_customers_meet_no_bundled_assumptions_unasked() {
    let scratch = Scratch::new();
    scratch.write_history(
        "h.parquet",
        &[(1, "2024-01-01", 1.0), (1, "2024-02-01", 2.0), (2, "2024-01-10", 5.0), (2, "2024-01-15", 5.0)],
    );
    let ran = scratch.run(&["run", "h.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("no strategies were compared"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("top_heavy"));
}

#[test]
fn settings_come_from_flags_then_environment_then_file_then_defaults() {
    let scratch = Scratch::new();
    scratch.write("tiercast.toml", "seed = 5\nclusters = 4\nhorizon = \"90d\"\n");
    let ran = scratch.run_with(
        &["config", "--seed", "7"],
        &[("TIERCAST_SEED", "6"), ("TIERCAST_CLUSTERS", "3"), ("TIERCAST_UNIT", "day")],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let line = |key: &str| {
        let line = ran.stdout.lines().find(|l| l.starts_with(&format!("{key} = "))).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("seed"), "seed = 7 # command line");
    assert_eq!(line("clusters"), "clusters = 3 # TIERCAST_CLUSTERS");
    assert_eq!(line("unit"), "unit = \"day\" # TIERCAST_UNIT");
    assert_eq!(line("horizon"), "horizon = \"90d\" # tiercast.toml");
    assert_eq!(line("margin"), "margin = 1.0 # default");
    // What it prints is a settings file.
    scratch.write("again.toml", &ran.stdout);
    let again = scratch.run(&["config", "--config", "again.toml"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("seed = 7"));
    // The environment counts without a verb too.
    let ran = scratch.run_with(&["--json", "-q"], &[("TIERCAST_REPLICATIONS", "20"), ("TIERCAST_SEED", "6")]);
    let manifest: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&manifest["replications"], &manifest["seed"]), (&Value::from(20), &Value::from(6)));
}

#[test]
fn rows_set_aside_are_listed_with_file_and_row() {
    let scratch = Scratch::new();
    scratch.write_history(
        "h.parquet",
        &[
            (1, "2024-01-01", 1.0),
            (1, "2024-02-01", 2.0),
            (2, "2024-01-10", -5.0),
            (2, "2024-01-11", f64::NAN),
            (2, "2024-01-12", 5.0),
            (2, "2024-01-15", 5.0),
            (2, "2030-01-15", 5.0),
        ],
    );
    let ran = scratch.run(&["run", "h.parquet", "--as-of", "2024-12-31"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let aside = read_batch(&scratch.path("tiercast-run/set_aside.parquet"));
    let text = |name: &str| -> Vec<String> {
        let column =
            arrow_cast::cast(aside.column_by_name(name).unwrap(), &arrow_schema::DataType::Utf8).unwrap();
        column.as_string::<i32>().iter().map(|v| v.unwrap_or("").to_string()).collect()
    };
    assert_eq!(text("reason"), ["refund", "not_finite_amount", "after_as_of"]);
    assert_eq!(aside.column_by_name("row").unwrap().as_primitive::<UInt64Type>().values(), &[2, 3, 6]);
    assert!(text("file").iter().all(|f| f.ends_with("h.parquet")));
    assert_eq!(text("value")[0], "-5");
    assert_eq!(text("value")[2], "2030-01-15");
}

#[test]
fn help_names_every_verb_and_completions_are_written() {
    let scratch = Scratch::new();
    let help = scratch.run(&["--help"]).stdout;
    for verb in
        ["run", "inspect", "convert", "summarize", "validate", "bench", "config", "strategies", "completions"]
    {
        assert!(help.contains(&format!("  {verb} ")), "{verb}");
        assert_eq!(scratch.run(&[verb, "--help"]).code, 0);
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(scratch.run(&["completions", shell]).stdout.contains("tiercast"));
    }
    let strategies = scratch.run(&["strategies"]).stdout;
    assert_eq!(strategies, tiercast::strategy::BUNDLED);
}

/// What users see, word for word. The strategies' figures are left out: they may differ in the last digit where another
/// machine's `exp` does.
#[test]
fn what_is_printed() {
    let scratch = Scratch::new();
    let run = scratch.run(&["run", "-q", "--replications", "200"]).stdout;
    insta::assert_snapshot!("run", run.split("Strategies over").next().unwrap());
    insta::assert_snapshot!("inspect", scratch.run(&["inspect", "-q"]).stdout);
    insta::assert_snapshot!("config", scratch.run(&["config"]).stdout);
    insta::assert_snapshot!("help", scratch.run(&["--help"]).stdout);
    insta::assert_snapshot!("error", scratch.run(&["run", "nowhere.parquet"]).stderr);
}
