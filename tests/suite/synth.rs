//! `tiercast synth`: what it writes, what it refuses, and that the rest reads it.

use std::fs;

use serde_json::Value;

use crate::support::Scratch;

#[test]
fn a_history_with_its_truth() {
    let scratch = Scratch::new();
    let words =
        ["synth", "--customers", "2_000", "--seed", "7", "--ids", "uuid", "--attributes", "-o", "out"];
    let made = scratch.run(&words);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(made.stderr.contains("of 2,000 customers in"), "{}", made.stderr);
    let truth: Value =
        serde_json::from_str(&fs::read_to_string(scratch.path("out/truth.json")).unwrap()).unwrap();
    assert_eq!(truth["parameters"]["model"]["alpha"], 3.75);
    assert_eq!(truth["parameters"]["seed"], 7);
    assert_eq!(truth["written"]["customers"], 2000);
    assert_eq!(truth["join_until"], "2024-08-10");
    let first = fs::read(scratch.path("out/history/part-000.parquet")).unwrap();

    let read =
        scratch.run(&["summarize", "out/history", "--as-of", "2024-12-28", "-o", "t.parquet", "--json"]);
    assert_eq!(read.code, 0, "{}", read.stderr);
    let summary: Value = serde_json::from_str(&read.stdout).unwrap();
    assert_eq!(summary["customers"], 2000);
    assert_eq!(summary["ledger"]["read"], truth["written"]["orders"]);

    // The same again takes its place; with other threads it is the same.
    let again = scratch.run(&[&words[..], &["--threads", "3"]].concat());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(fs::read(scratch.path("out/history/part-000.parquet")).unwrap() == first);
    assert_eq!(scratch.names(), ["out", "t.parquet"]);
}

#[test]
fn only_its_own_results_are_replaced() {
    let scratch = Scratch::new();
    let words = ["synth", "--customers", "10", "-o", "out"];
    assert_eq!(scratch.run(&words).code, 0);
    // A run does not replace it.
    let run = scratch.run(&["run", "--out", "out"]);
    assert_eq!(run.code, 1);
    let says = "holds a generated history, not the result of a run";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    // A file of somebody else's, at the top or within the history, keeps the folder.
    for name in ["out/notes.txt", "out/history/notes.txt"] {
        scratch.write(name, "mine");
        let refused = scratch.run(&words);
        assert_eq!(refused.code, 1);
        let says = format!("holds a generated history and what is no part of it: {}", &name["out/".len()..]);
        assert!(refused.stderr.contains(&says), "{}", refused.stderr);
        fs::remove_file(scratch.path(name)).unwrap();
    }
    assert_eq!(scratch.run(&words).code, 0);
    scratch.write("out/notes.txt", "mine");
    assert_eq!(scratch.run(&[&words[..], &["--force"]].concat()).code, 0);
    assert!(!scratch.path("out/notes.txt").exists());
}

#[test]
fn the_check_prints_truth_and_estimates() {
    let scratch = Scratch::new();
    let made = scratch.run(&["synth", "--customers", "5_000", "--check=4_000", "-o", "out"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    for part in ["Pareto/NBD from the first 4,000", "exact times", "whole days", "alpha", "verified optimum"]
    {
        assert!(made.stdout.contains(part), "{part} is not in:\n{}", made.stdout);
    }
    let made = scratch.run(&[
        "synth",
        "--customers",
        "5_000",
        "--model",
        "bg-nbd",
        "--check",
        "-o",
        "out",
        "--json",
    ]);
    let truth: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(truth["recovery"]["customers"], 5000);
    assert_eq!(truth["recovery"]["parameters"][2]["name"], "a");
}

#[test]
fn what_cannot_be_is_refused() {
    let scratch = Scratch::new();
    for (words, code, says) in [
        (&["--customers", "0"][..], 1, "there is nobody to generate"),
        (&["--customers", "-3"], 2, "a whole number from 0 on"),
        (&["--customers", "ten"], 2, "10_000_000"),
        (&["--r", "-1"], 1, "the parameter r cannot be \"-1\""),
        (&["--gamma", "NaN"], 1, "it is not a number"),
        (&["--seasonality", "2"], 1, "it is not between 0 and 1"),
        (&["--a", "1"], 1, "no such parameter"),
        (&["--start", "2024-02-30"], 2, "not a calendar date"),
        (&["--start", "2024-02-03", "--end", "2024-02-01"], 1, "before the start"),
        (&["--check=0"], 1, "nobody to fit to"),
    ] {
        let ran = scratch.run(&[&["synth", "-o", "out"], words].concat());
        assert_eq!(ran.code, code, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
        assert!(scratch.names().is_empty());
    }
}
