//! States on the command line: yesterday's and today's files equal all of them.

use std::fs;

use arrow_array::ArrayRef;

use crate::support::{Scratch, amounts, days, ids, texts};

const DAYS: [&str; 6] = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-02-10", "2024-02-11", "2024-02-12"];

fn rows(days: std::ops::Range<usize>) -> Vec<(i64, &'static str, f64)> {
    let row = |i: usize, id: i64| (id, DAYS[i], 0.1 * (i as f64 + id as f64));
    days.flat_map(|i| (0..4).filter(move |id| (i as i64 + id) % 3 > 0).map(move |id| row(i, id))).collect()
}

#[test]
fn day_by_day_is_all_at_once() {
    let scratch = Scratch::new();
    scratch.write_history("all.parquet", &rows(0..5));
    for (name, days) in [("1.parquet", 0..1), ("2.parquet", 1..3), ("3.parquet", 3..5)] {
        scratch.write_history(name, &rows(days));
    }
    let run = |words: &[&str]| {
        let ran = scratch.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        ran
    };
    for extra in [&[][..], &["--periods", "month:3"]] {
        let with = |words: &[&'static str]| [words, extra].concat();
        run(&with(&["summarize", "all.parquet", "-o", "all_at_once.parquet"]));
        run(&with(&["summarize", "1.parquet", "-o", "c.parquet", "--state", "s.parquet"]));
        let append = ["-o", "c.parquet", "--append", "s.parquet", "--state", "s.parquet"];
        for day in ["2.parquet", "3.parquet"] {
            let ran = run(&with(&[&["summarize", day][..], &append].concat()));
            assert!(ran.stderr.contains("added to a state of"), "{}", ran.stderr);
        }
        let [parts, whole] =
            ["c.parquet", "all_at_once.parquet"].map(|name| fs::read(scratch.path(name)).unwrap());
        assert_eq!(parts, whole);
        // The same file again: its days are closed, and nothing changes.
        let before = fs::read(scratch.path("s.parquet")).unwrap();
        let ran = scratch.run(&with(&[&["summarize", "3.parquet"][..], &append].concat()));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains("dated on or before 2024-02-11"), "{}", ran.stderr);
        assert!(ran.stderr.contains("read the whole history again"), "{}", ran.stderr);
        assert_eq!(fs::read(scratch.path("s.parquet")).unwrap(), before);
        assert_eq!(fs::read(scratch.path("c.parquet")).unwrap(), whole);
    }
    let names = ["1.parquet", "2.parquet", "3.parquet", "all.parquet", "all_at_once.parquet"];
    assert_eq!(scratch.names(), [&names[..], &["c.parquet", "s.parquet"]].concat());
}

#[test]
fn what_is_no_state_is_refused() {
    let scratch = Scratch::new();
    scratch.write_history("1.parquet", &rows(0..3));
    scratch.write_history("2.parquet", &rows(3..5));
    let fails = |words: &[&str], part: &str| {
        let ran = scratch.run(words);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    };
    let append = |state| ["summarize", "2.parquet", "-o", "c.parquet", "--append", state];
    fails(&append("1.parquet"), "it is no state of tiercast");
    fails(&append("missing.parquet"), "no such file or folder: missing.parquet");
    let state = ["summarize", "1.parquet", "-o", "c.parquet", "--state"];
    fails(&[&state[..], &["c.parquet"]].concat(), "give the state a file of its own");
    fails(&[&state[..], &["2.parquet"]].concat(), "2.parquet exists and is not a result of tiercast");
    assert_eq!(scratch.names(), ["1.parquet", "2.parquet"]);
}

/// Stores and numbers in them: customers by two columns.
fn till(scratch: &Scratch, name: &str, days_of: std::ops::Range<usize>) {
    let rows: Vec<(i64, &str, f64)> = rows(days_of);
    let stores: Vec<&str> = rows.iter().map(|row| ["north", "south"][row.0 as usize % 2]).collect();
    let numbers: Vec<i64> = rows.iter().map(|row| row.0 / 2).collect();
    let dates: Vec<&str> = rows.iter().map(|row| row.1).collect();
    let spent: Vec<f64> = rows.iter().map(|row| row.2).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("store", texts(&stores)),
        ("number", ids(&numbers)),
        ("date", days(&dates)),
        ("amount", amounts(&spent)),
    ];
    scratch.write_batch(name, &columns);
}

#[test]
fn cohorts_of_customers_by_two_columns_day_by_day() {
    let scratch = Scratch::new();
    till(&scratch, "all.parquet", 0..5);
    for (name, days) in [("1.parquet", 0..1), ("2.parquet", 1..3), ("3.parquet", 3..4), ("4.parquet", 4..5)] {
        till(&scratch, name, days);
    }
    let run = |words: &[&str]| {
        let by = ["--customer", "store,number", "--cohort-period", "week", "--json"];
        let ran = scratch.run(&[words, &by].concat());
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()
    };
    let [table, asks] = [["-o", "c.parquet"], ["--cohorts", "c.csv"]];
    let state = ["--state", "s.parquet"];
    run(&[
        &["summarize", "all.parquet", "-o", "whole.parquet", "--cohorts", "whole.csv"][..],
        &["--state", "w.parquet"],
    ]
    .concat());
    run(&[&["summarize", "1.parquet"][..], &table, &asks, &state].concat());
    let append = [&table[..], &["--append", "s.parquet", "--force"], &state].concat();
    // A day without asking for the file.
    run(&[&["summarize", "2.parquet"][..], &append].concat());
    run(&[&["summarize", "3.parquet"][..], &append].concat());
    let last = run(&[&["summarize", "4.parquet"][..], &append, &asks].concat());
    let says = &last["state"];
    assert_eq!((&says["ids"], &says["id_parts"][1]["name"]), (&"composite".into(), &"number".into()));
    assert_eq!(
        (&says["cohorts"]["period"], &says["cohorts"]["cells"]),
        (&"week".into(), &serde_json::Value::Null)
    );
    for (parts, whole) in [("c.parquet", "whole.parquet"), ("c.csv", "whole.csv"), ("s.parquet", "w.parquet")]
    {
        assert!(fs::read(scratch.path(parts)).unwrap() == fs::read(scratch.path(whole)).unwrap(), "{parts}");
    }
    // Another period, other columns, and a holdout.
    till(&scratch, "5.parquet", 5..6);
    let before = fs::read(scratch.path("s.parquet")).unwrap();
    for (words, part) in [
        (
            &["--cohorts", "c.csv", "--customer", "store,number"][..],
            "cohorts by week, and the new files are read with cohorts by month",
        ),
        (&["--customer", "number,store"], "number (64-bit integers), store (text)"),
        (&["--customer", "store,number", "--calibration-end", "2024-02-10"], "a state has no holdout"),
    ] {
        let ran = scratch.run(&[&["summarize", "5.parquet"][..], &append, words].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    assert_eq!(fs::read(scratch.path("s.parquet")).unwrap(), before);
}

#[test]
fn an_id_map_is_remembered() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("shop")).unwrap();
    for (name, days) in [("shop/1.parquet", 0..3), ("shop/2.parquet", 3..5)] {
        scratch.write_history(name, &rows(days));
    }
    let map: [(&str, ArrayRef); 3] = [
        ("source", texts(&["1", "1", "2", "2", "shop", "shop"])),
        ("source_id", ids(&[1, 2, 1, 2, 1, 2])),
        ("customer_id", texts(&["anna", "bert", "anna", "bert", "anna", "bert"])),
    ];
    scratch.write_batch("map.parquet", &map);
    let run = |words: &[&str]| {
        let ran = scratch.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        ran
    };
    let mapped = ["--id-map", "map.parquet"];
    run(&[&["summarize", "shop", "-o", "whole.parquet"][..], &mapped].concat());
    run(&[&["summarize", "shop/1.parquet", "-o", "c.parquet", "--state", "s.parquet"][..], &mapped].concat());
    let append = ["summarize", "shop/2.parquet", "-o", "c.parquet", "--append", "s.parquet"];
    let ran = run(&[&append[..], &mapped].concat());
    assert!(ran.stderr.contains("rows of the state are set aside because the id map"), "{}", ran.stderr);
    let [parts, whole] = ["c.parquet", "whole.parquet"].map(|name| fs::read(scratch.path(name)).unwrap());
    assert_eq!(parts, whole);
    let ran = scratch.run(&append);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("give the map with --id-map"), "{}", ran.stderr);
}
