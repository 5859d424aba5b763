//! Histories of several systems and the map of their ids, on the command line.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tiercast::Error;
use tiercast::calendar::Unit;
use tiercast::customers::{summarize, summarize_open};
use tiercast::history::{History, HistoryOptions, Source};

use crate::support::{Ran, Scratch, amounts, dataset, days, ids, texts};

fn read(path: &std::path::Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let batches: Vec<RecordBatch> =
        reader.with_batch_size(1 << 20).build().unwrap().map(|b| b.unwrap()).collect();
    batches.into_iter().next().unwrap()
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn map(scratch: &Scratch, lines: &[(&str, &str, &str)]) {
    let columns: [(&str, ArrayRef); 3] = [
        ("source", texts(&lines.iter().map(|line| line.0).collect::<Vec<_>>())),
        ("source_id", texts(&lines.iter().map(|line| line.1).collect::<Vec<_>>())),
        ("customer_id", texts(&lines.iter().map(|line| line.2).collect::<Vec<_>>())),
    ];
    scratch.write_batch("map.parquet", &columns);
}

/// A shop in a folder with integer ids, and an ERP in a file with ids that are texts.
fn two_systems() -> Scratch {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("shop")).unwrap();
    scratch.write_history("shop/1.parquet", &[(17, "2026-01-01", 5.0), (18, "2026-01-02", 6.0)]);
    scratch.write_history("shop/2.parquet", &[(17, "2026-01-05", 7.0), (99, "2026-01-06", 1.0)]);
    scratch.write_batch(
        "erp.parquet",
        &[
            // Another system calls its customers otherwise.
            ("client_id", texts(&["17", "C-1", "C-2", "C-2"])),
            ("date", days(&["2026-01-03", "2026-01-03", "2026-01-04", "2026-01-04"])),
            ("amount", amounts(&[10.0, 20.0, 40.0, 40.0])),
        ],
    );
    map(
        &scratch,
        &[
            ("shop", "17", "anna"),
            ("shop", "18", "bert"),
            ("erp", "17", "cora"),
            ("erp", "C-1", "anna"),
            ("erp", "C-1", "anna"),
            ("erp", "C-2", "bert"),
            ("erp", "C-2", "cora"),
            ("erp", "C-3", "dora"),
        ],
    );
    scratch
}

const SUMMARIZE: [&str; 7] =
    ["summarize", "shop/", "erp.parquet", "-o", "t.parquet", "--id-map", "map.parquet"];

#[test]
fn several_systems_become_one_history() {
    let scratch = two_systems();
    let found = json(&scratch.run(&[&SUMMARIZE[..], &["--json"]].concat()));
    let table = read(&scratch.path("t.parquet"));
    assert_eq!(table.column(0).as_ref(), texts(&["anna", "bert", "cora"]).as_ref());
    assert_eq!(table.column_by_name("total_spend").unwrap().as_ref(), amounts(&[32.0, 6.0, 10.0]).as_ref());
    let ledger = &found["ledger"];
    assert_eq!((&ledger["read"], &ledger["used"], &ledger["set_aside"]), (&8.into(), &5.into(), &3.into()));
    let reasons = &ledger["set_aside_by_reason"];
    assert_eq!((&reasons["unmatched_id"], &reasons["ambiguous_id"]), (&1.into(), &2.into()));
    let join = &ledger["id_map"];
    assert_eq!((&join["map"]["lines"], &join["map"]["duplicate_lines"]), (&8.into(), &1.into()));
    let counts = |source: &str, what: &str| {
        let counts = &join["sources"][source][what];
        (counts["ids"].as_u64().unwrap(), counts["rows"].as_u64().unwrap())
    };
    assert_eq!(
        ["matched", "unmatched", "ambiguous"].map(|what| counts("shop", what)),
        [(2, 3), (1, 1), (0, 0)]
    );
    assert_eq!(
        ["matched", "unmatched", "ambiguous"].map(|what| counts("erp", what)),
        [(2, 2), (0, 0), (1, 2)]
    );

    let ran = scratch.run(&SUMMARIZE);
    assert!(ran.stdout.contains("Ids by map.parquet"), "{}", ran.stdout);
    assert!(ran.stdout.contains("id of several customers in the id map"), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 ids of source \"erp\" stand for several customers"), "{}", ran.stderr);
    let ran = scratch.run(&["inspect", "shop", "erp.parquet", "--id-map", "map.parquet"]);
    assert!(
        ran.stdout.contains("Ids by map.parquet") && ran.stdout.contains("3 customers"),
        "{}",
        ran.stdout
    );

    // Kept, each unmatched id is a customer of its own.
    json(&scratch.run(&[&SUMMARIZE[..], &["--json", "--unmatched", "keep"]].concat()));
    let table = read(&scratch.path("t.parquet"));
    assert_eq!(table.column(0).as_ref(), texts(&["anna", "bert", "cora", "shop:99"]).as_ref());

    // The map is an input: it is never replaced.
    let words = ["summarize", "shop", "-o", "map.parquet", "--id-map", "map.parquet", "--force"];
    assert_eq!(scratch.run(&words).code, 1);
}

#[test]
fn a_source_is_a_column_a_folder_or_a_match_of_a_pattern() {
    let scratch = two_systems();
    let spend = || {
        let table = read(&scratch.path("t.parquet"));
        table.column_by_name("total_spend").unwrap().clone()
    };
    let tail = ["-o", "t.parquet", "--id-map", "map.parquet", "--json"];
    // As given, a match of a pattern counts by itself: the shop as a folder, the ERP as a file.
    json(&scratch.run(&[&["summarize", "[se]*[pr]*"][..], &tail].concat()));
    let expected = spend();
    assert_eq!(expected.as_ref(), amounts(&[32.0, 6.0, 10.0]).as_ref());
    json(&scratch.run(&[&["summarize", "erp.parquet", "./shop/../shop"][..], &tail].concat()));
    assert_eq!(&spend(), &expected);
    for (name, source) in [("shop/1", "shop"), ("shop/2", "shop"), ("erp", "erp")] {
        let folder = format!("all/system={source}");
        std::fs::create_dir_all(scratch.path(&folder)).unwrap();
        let to = format!("{folder}/{}.parquet", name.replace('/', "-"));
        std::fs::copy(scratch.path(&format!("{name}.parquet")), scratch.path(&to)).unwrap();
    }
    json(&scratch.run(&[&["summarize", "all", "--source", "system"][..], &tail].concat()));
    assert_eq!(&spend(), &expected);
    // A column of the file itself, and integers as sources.
    scratch.write_batch(
        "one.parquet",
        &[
            ("customer_id", ids(&[1, 1, 2])),
            ("date", days(&["2026-01-01", "2026-01-01", "2026-01-02"])),
            ("amount", amounts(&[1.0, 2.0, 4.0])),
            ("system", Arc::new(Int64Array::from(vec![Some(1), Some(2), None]))),
        ],
    );
    scratch.write_batch(
        "numbers.parquet",
        &[("source", ids(&[1, 2])), ("source_id", ids(&[1, 1])), ("customer_id", ids(&[8, 9]))],
    );
    let words = [
        "summarize",
        "one.parquet",
        "--source",
        "system",
        "-o",
        "t.parquet",
        "--id-map",
        "numbers.parquet",
        "--json",
    ];
    let found = json(&scratch.run(&words));
    assert_eq!(found["ledger"]["set_aside_by_reason"]["null_source"], 1);
    assert_eq!(read(&scratch.path("t.parquet")).column(0).as_ref(), ids(&[8, 9]).as_ref());
    let ran = scratch.run(&["inspect", "one.parquet", "--source", "system", "--id-map", "numbers.parquet"]);
    assert!(
        ran.stdout.lines().any(|line| line.contains("system") && line.contains("source")),
        "{}",
        ran.stdout
    );
}

#[test]
fn equal_rows_of_two_systems_are_no_duplicates() {
    let scratch = Scratch::new();
    for name in ["a.parquet", "b.parquet"] {
        scratch
            .write_history(name, &[(1, "2026-01-01", 5.0), (2, "2026-01-01", 5.0), (1, "2026-01-01", 5.0)]);
    }
    map(&scratch, &[("a", "1", "x"), ("a", "2", "x"), ("b", "1", "x"), ("b", "2", "y")]);
    let words = [
        "summarize",
        "a.parquet",
        "b.parquet",
        "-o",
        "t.parquet",
        "--id-map",
        "map.parquet",
        "--drop-duplicates",
        "--json",
    ];
    let found = json(&scratch.run(&words));
    assert_eq!(found["ledger"]["set_aside_by_reason"]["duplicate"], 2);
    let table = read(&scratch.path("t.parquet"));
    assert_eq!(table.column_by_name("total_spend").unwrap().as_ref(), amounts(&[15.0, 5.0]).as_ref());
}

#[test]
fn nothing_depends_on_threads_or_the_order_of_files() {
    let scratch = Scratch::new();
    let n = 3_000i64;
    for (file, offset) in [("a", 0), ("b", 7), ("c", 1_000)] {
        let id: Vec<i64> = (0..n).map(|i| (i * 37 + offset) % 1_700).collect();
        let day: Vec<String> = (0..n).map(|i| format!("2026-01-{:02}", i % 28 + 1)).collect();
        let day: Vec<&str> = day.iter().map(String::as_str).collect();
        let amount: Vec<f64> = (0..n).map(|i| 0.1 * (i % 91) as f64).collect();
        scratch.write_batch(
            &format!("{file}.parquet"),
            &[("customer_id", ids(&id)), ("date", days(&day)), ("amount", amounts(&amount))],
        );
    }
    let lines: Vec<(&str, i64)> =
        ["a", "b", "c"].into_iter().flat_map(|s| (0..1_500).map(move |id| (s, id))).collect();
    let names: Vec<&str> = lines.iter().map(|line| line.0).collect();
    let id: Vec<i64> = lines.iter().map(|line| line.1).collect();
    let customers: Vec<String> =
        lines.iter().map(|(s, id)| if id % 5 == 0 { format!("{s}{id}") } else { format!("p{id}") }).collect();
    let customers: Vec<&str> = customers.iter().map(String::as_str).collect();
    scratch.write_batch(
        "map.parquet",
        &[("source", texts(&names)), ("source_id", ids(&id)), ("customer_id", texts(&customers))],
    );
    let run = |files: [&str; 3], threads: &str, unmatched: &str| {
        let tail = [
            "-o",
            "t.parquet",
            "--id-map",
            "map.parquet",
            "--threads",
            threads,
            "--unmatched",
            unmatched,
            "--json",
        ];
        let found = json(&scratch.run(&[&["summarize"][..], &files, &tail].concat()));
        (std::fs::read(scratch.path("t.parquet")).unwrap(), found["ledger"].clone())
    };
    for how in ["aside", "keep"] {
        let first = run(["a.parquet", "b.parquet", "c.parquet"], "1", how);
        let join = &first.1["id_map"]["sources"]["a"];
        assert_eq!((&join["matched"]["ids"], &join["unmatched"]["ids"]), (&1500.into(), &200.into()));
        assert!(run(["a.parquet", "b.parquet", "c.parquet"], "4", how) == first);
        assert!(run(["c.parquet", "a.parquet", "b.parquet"], "3", how) == first);
    }
}

#[test]
fn rows_in_the_order_of_their_own_ids_are_in_none_of_the_customers() {
    let scratch = Scratch::new();
    let own: Vec<i64> = (1..=23_570).collect();
    let other: Vec<i64> = own.iter().map(|id| 23_571 - id).collect();
    scratch.write_batch(
        "map.parquet",
        &[
            ("source", texts(&vec!["cdnow"; own.len()])),
            ("source_id", ids(&own)),
            ("customer_id", ids(&other)),
        ],
    );
    let history = dataset("cdnow/cdnow.parquet");
    let common = ["summarize", history.to_str().unwrap(), "--json", "-o"];
    let plain = json(&scratch.run(&[&common[..], &["plain.parquet"]].concat()));
    let mapped = json(&scratch.run(&[&common[..], &["mapped.parquet", "--id-map", "map.parquet"]].concat()));
    assert_eq!(plain["ledger"]["used"], mapped["ledger"]["used"]);
    let spend = |name: &str| -> Vec<u64> {
        let table = read(&scratch.path(name));
        let spend = table.column_by_name("total_spend").unwrap().as_primitive::<Float64Type>().clone();
        spend.values().iter().map(|spend| spend.to_bits()).collect()
    };
    let (plain, mut mapped) = (spend("plain.parquet"), spend("mapped.parquet"));
    mapped.reverse();
    assert!(plain == mapped);
}

#[test]
fn a_run_over_mapped_ids_is_the_run_over_the_ids() {
    let scratch = Scratch::new();
    let own: Vec<i64> = (1..=23_570).collect();
    scratch.write_batch(
        "map.parquet",
        &[("source", texts(&vec!["cdnow"; own.len()])), ("source_id", ids(&own)), ("customer_id", ids(&own))],
    );
    let history = dataset("cdnow/cdnow.parquet");
    let common = ["run", history.to_str().unwrap(), "--replications", "2", "--json", "--out"];
    let plain = json(&scratch.run(&[&common[..], &["plain"]].concat()));
    let mapped = json(&scratch.run(&[&common[..], &["mapped", "--id-map", "map.parquet"]].concat()));
    for key in ["customers", "fits", "segments", "tiers", "lifetime_value", "concentration", "cohorts"] {
        assert_eq!(plain[key], mapped[key], "{key}");
    }
    assert!(plain["ledger"]["id_map"].is_null());
    assert_eq!(mapped["ledger"]["id_map"]["sources"]["cdnow"]["matched"]["ids"], 23_570);
    let manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(scratch.path("mapped/run.json")).unwrap()).unwrap();
    assert_eq!(manifest["ledger"], mapped["ledger"]);
    assert_eq!(manifest["input"]["history"]["id_map"]["sources"][0], "cdnow");
    let page = |run: &str| std::fs::read_to_string(scratch.path(&format!("{run}/report.html"))).unwrap();
    assert!(page("mapped").contains("Ids by source") && !page("plain").contains("Ids by source"));
    assert!(page("mapped").contains("<td>cdnow</td><td class=\"n\">23,570</td><td class=\"n\">69,659</td>"));
}

#[test]
fn what_is_open_is_not_opened_again() {
    let scratch = two_systems();
    let sources: Vec<Source> = ["shop", "erp.parquet"].map(|name| Source::Path(scratch.path(name))).into();
    let options = HistoryOptions { id_map: Some(scratch.path("map.parquet")), ..HistoryOptions::default() };
    let expected = summarize(&sources, &options, Unit::Week, &()).unwrap();
    let history = History::open(&sources, &options).unwrap();
    std::fs::remove_file(scratch.path("map.parquet")).unwrap();
    let found = summarize_open(history, Unit::Week, &()).unwrap();
    assert_eq!(found.table, expected.table);
    assert_eq!(found.ledger.join, expected.ledger.join);
    // Rows are those of the files that were opened, or there are none.
    map(&scratch, &[("shop", "17", "anna"), ("shop", "18", "bert"), ("erp", "17", "cora")]);
    let history = History::open(&sources, &options).unwrap();
    scratch.write_history("shop/1.parquet", &[(17, "2026-01-01", 5.0)]);
    let error = summarize_open(history, Unit::Week, &()).unwrap_err();
    assert!(matches!(error, Error::FileChanged { .. }), "{error}");
}

#[test]
fn what_cannot_be_joined_is_refused_with_a_remedy() {
    let scratch = two_systems();
    scratch.write_history("shp.parquet", &[(17, "2026-01-01", 5.0)]);
    scratch.write_batch(
        "numbers.parquet",
        &[("source", texts(&["shop"])), ("source_id", ids(&[17])), ("customer_id", ids(&[1]))],
    );
    scratch.write_batch("bare.parquet", &[("source", texts(&["shop"])), ("customer_id", ids(&[1]))]);
    let cases: [(&[&str], &str, &str); 9] = [
        (&["shop", "--source", "system"], "there is no id map", "--id-map"),
        (&["shop", "--unmatched", "keep"], "there is no id map", "--id-map"),
        (&["shp.parquet", "--id-map", "map.parquet"], "has no such source", "did you mean \"shop\"?"),
        (
            &["shop", "--id-map", "map.parquet", "--source", "systm"],
            "no column \"systm\" for the source",
            "columns are",
        ),
        (&["shop", "--id-map", "map.parquet", "--source", "amount"], "cannot be the source", "text"),
        (&["shop", "--id-map", "numbers.parquet", "--unmatched", "keep"], "are integers", "as text"),
        (
            &["shop", "--id-map", "bare.parquet"],
            "it has no column source_id",
            "source, source_id and customer_id",
        ),
        (&["shop", "--id-map", "none.parquet"], "no such file or folder: none.parquet", "check the path"),
        (&["shop", "erp.parquet"], "customer column is", "files of one kind"),
    ];
    for (words, problem, remedy) in cases {
        let ran = scratch.run(&[&["summarize", "-o", "t.parquet"][..], words].concat());
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(problem) && ran.stderr.contains(remedy), "{words:?}: {}", ran.stderr);
        assert!(!scratch.path("t.parquet").exists());
    }
    // Sources in a column that the map does not have.
    scratch.write_batch(
        "one.parquet",
        &[
            ("customer_id", ids(&[17, 18])),
            ("date", days(&["2026-01-01", "2026-01-02"])),
            ("amount", amounts(&[1.0, 4.0])),
            ("system", texts(&["shop", "Shop"])),
        ],
    );
    let words =
        ["summarize", "one.parquet", "-o", "t.parquet", "--id-map", "map.parquet", "--source", "system"];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("the source cannot be \"Shop\""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("1 rows have it") && ran.stderr.contains("did you mean \"shop\"?"),
        "{}",
        ran.stderr
    );
    let ran = scratch.run(&[&words[..], &["--unmatched", "keep"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("source \"Shop\" is not in the id map"), "{}", ran.stderr);
}
