//! `tiercast bench`, on histories so small that only the shape of the figures can be held.

use serde_json::Value;

use crate::support::Scratch;

/// A history of `customers`, each with a purchase on three days.
fn write(scratch: &Scratch, name: &str, customers: i64) {
    let days = ["2024-01-01", "2024-02-01", "2024-03-05"];
    let rows: Vec<(i64, &str, f64)> =
        (0..customers).flat_map(|id| days.map(|day| (id, day, 1.0 + id as f64))).collect();
    scratch.write_history(name, &rows);
}

fn json(scratch: &Scratch, words: &[&str]) -> Value {
    let ran = scratch.run(words);
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn every_history_is_measured_at_every_number_of_threads() {
    let scratch = Scratch::new();
    write(&scratch, "small.parquet", 20);
    write(&scratch, "large.parquet", 2_000);
    let words =
        ["bench", "--history", "small.parquet", "large.parquet", "--threads-list", "2,1", "--rounds", "2"];
    let figures = json(&scratch, &[&words[..], &["--json", "-q"]].concat());
    assert_eq!((&figures["schema"], &figures["rounds"]), (&Value::from(1), &Value::from(2)));
    let histories = figures["histories"].as_array().unwrap();
    let rows: Vec<u64> = histories.iter().map(|h| h["rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [60, 6_000]);
    for history in histories {
        let file = scratch.path(history["name"].as_str().unwrap());
        assert_eq!(history["bytes"], file.metadata().unwrap().len());
        let runs = history["runs"].as_array().unwrap();
        let threads: Vec<u64> = runs.iter().map(|run| run["threads"].as_u64().unwrap()).collect();
        assert_eq!(threads, [1, 2]);
        assert_eq!(runs[0]["speed_up"], 1.0);
        for run in runs {
            assert_eq!(run["rounds"].as_array().unwrap().len(), 2);
            let seconds = run["seconds"].as_f64().unwrap();
            let stages = run["stages"].as_array().unwrap();
            let names: Vec<&str> = stages.iter().map(|stage| stage["name"].as_str().unwrap()).collect();
            for name in ["reading", "writing", "rest"] {
                assert!(names.contains(&name), "{name} is not in {names:?}");
            }
            assert!(stages.iter().all(|stage| stage["seconds"].as_f64().unwrap() <= seconds));
            assert!(
                (run["rows_per_second"].as_f64().unwrap() * seconds / history["rows"].as_f64().unwrap()
                    - 1.0)
                    .abs()
                    < 1e-9
            );
            if cfg!(target_os = "linux") {
                assert!(run["peak_memory_bytes"].as_f64().unwrap() > 1e6);
            }
        }
    }
    let growth = figures["growth"].as_array().unwrap();
    let whole = growth.iter().filter(|g| g["stage"] == "whole process");
    assert_eq!(whole.map(|g| g["threads"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    // The tables of the measured processes are gone.
    assert_eq!(scratch.names(), ["large.parquet", "small.parquet"]);

    let text = scratch.run(&[&words[..], &["-q"]].concat()).stdout;
    for part in ["small.parquet", "6,000", "peak memory", "Seconds by stage", "Growth", "2\u{a0}threads"] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn histories_that_are_kept_are_used_again() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.path("kept/customers-1000-seed-7/history")).unwrap();
    std::fs::create_dir_all(scratch.path("kept/customers-10-seed-7")).unwrap();
    write(&scratch, "kept/customers-1000-seed-7/history/part-0.parquet", 1_000);
    write(&scratch, "kept/customers-10-seed-7/history.parquet", 10);
    let words = ["bench", "--keep", "kept", "--seed", "7", "--rounds", "1", "--threads", "1", "--json"];
    let figures = json(&scratch, &[&words[..], &["--sizes", "1k,10"]].concat());
    let histories = figures["histories"].as_array().unwrap();
    let customers: Vec<u64> = histories.iter().map(|h| h["customers"].as_u64().unwrap()).collect();
    assert_eq!(customers, [10, 1_000]);
    assert!(histories.iter().all(|h| h["runs"].as_array().unwrap().len() == 1));
    assert!(scratch.path("kept/customers-10-seed-7/history.parquet").exists());

    std::fs::create_dir_all(scratch.path("kept/customers-5-seed-7")).unwrap();
    let ran = scratch.run(&["bench", "--keep", "kept", "--seed", "7", "--sizes", "5"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no generated history"), "{}", ran.stderr);
}

#[test]
fn options_reach_the_measured_processes_and_their_errors_come_back() {
    let scratch = Scratch::new();
    let (ids, others) = (crate::support::ids(&[1, 2, 2]), crate::support::ids(&[5, 5, 5]));
    let columns = [
        ("buyer", ids),
        ("seller", others),
        ("date", crate::support::days(&["2024-01-01", "2024-01-02", "2024-01-09"])),
        ("amount", crate::support::amounts(&[1.0, 2.0, 3.0])),
    ];
    scratch.write_batch("h.parquet", &columns);
    let words = ["bench", "--history", "h.parquet", "--threads-list", "1", "--rounds", "1", "--json"];
    let customers = |column: &str| {
        let figures = json(&scratch, &[&words[..], &["--", "--customer", column]].concat());
        figures["histories"][0]["customers"].as_u64().unwrap()
    };
    assert_eq!((customers("buyer"), customers("seller")), (2, 1));

    let failed = scratch.run(&["bench", "--history", "h.parquet", "--", "--customer", "byer"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
    for part in ["measuring h.parquet", "no column \"byer\"", "did you mean \"buyer\""] {
        assert!(failed.stderr.contains(part), "{part} is not in:\n{}", failed.stderr);
    }
}

#[test]
fn what_cannot_be_measured_is_refused_at_once() {
    let scratch = Scratch::new();
    for (words, part) in [
        (&["--sizes", "1x"][..], "write it as 250000, 100k or 10M"),
        (&["--sizes", "0"], "write it as 250000, 100k or 10M"),
        (&["--threads-list", "0"], "0 is not in 1..=1024"),
        (&["--rounds", "0"], "0 is not in 1.."),
        (&["--history", "h.parquet", "--sizes", "10"], "cannot be used with"),
    ] {
        let ran = scratch.run(&[&["bench"], words].concat());
        assert_eq!(ran.code, 2, "{words:?}");
        assert!(ran.stderr.contains(part), "{part} is not in:\n{}", ran.stderr);
    }
    let ran = scratch.run(&["bench", "--history", "nowhere.parquet"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no such file or folder: nowhere.parquet"), "{}", ran.stderr);
    assert!(scratch.names().is_empty());
}

#[test]
fn a_summary_says_what_its_stages_took() {
    let scratch = Scratch::new();
    write(&scratch, "h.parquet", 10);
    let summary = json(&scratch, &["summarize", "h.parquet", "-o", "c.parquet", "--json", "-q"]);
    let stages = summary["stages"].as_array().unwrap();
    assert!(
        stages.iter().any(|stage| stage["name"] == "writing" && stage["seconds"].as_f64().unwrap() >= 0.0)
    );
    assert_eq!(summary["peak_memory_bytes"].is_u64(), cfg!(target_os = "linux"));
}
