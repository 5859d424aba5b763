//! States on the command line: yesterday's and today's files equal all of them.

use std::fs;

use crate::support::Scratch;

const DAYS: [&str; 5] = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-02-10", "2024-02-11"];

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
