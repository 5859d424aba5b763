//! Cohorts on the command line.

use std::fs;

use crate::support::Scratch;

const HISTORY: [(i64, &str, f64); 5] = [
    (1, "2025-11-30", 10.0),
    (1, "2026-01-02", 2.5),
    (2, "2025-12-24", 4.0),
    (2, "2026-01-31", 8.0),
    (2, "2026-01-31", 0.25),
];

#[test]
fn summarize_counts_cohorts_where_asked() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &HISTORY);
    let ran = scratch.run(&["summarize", "h.parquet", "-o", "t.parquet", "--cohorts", "c.csv", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let cohorts = &json["cohorts"];
    assert_eq!((&cohorts["period"], &cohorts["cohorts"]), (&"month".into(), &2.into()));
    assert_eq!(
        fs::read_to_string(scratch.path("c.csv")).unwrap(),
        "cohort,cohort_customers,period,periods_since,customers,orders,spend,retention,cumulative_spend_per_customer\n\
         2025-11,1,2025-11,0,1,1,10,1,10\n\
         2025-11,1,2025-12,1,0,0,0,0,10\n\
         2025-11,1,2026-01,2,1,1,2.5,1,12.5\n\
         2025-12,1,2025-12,0,1,1,4,1,4\n\
         2025-12,1,2026-01,1,1,1,8.25,1,12.25\n"
    );
    // An earlier table of cohorts is replaced, somebody's file when forced only.
    let words =
        ["summarize", "h.parquet", "-o", "t.parquet", "--cohorts", "c.csv", "--cohort-period", "quarter"];
    assert_eq!(scratch.run(&words).code, 0);
    let words = words.map(|word| if word == "c.csv" { "mine.csv" } else { word });
    scratch.write("mine.csv", "years of work\n");
    assert_eq!(scratch.run(&words).code, 1);
    assert_eq!(scratch.run(&[&words[..], &["--force"]].concat()).code, 0);
    assert!(
        fs::read_to_string(scratch.path("c.csv")).unwrap().contains("2025-Q4,2,2026-Q1,1,2,2,10.75,1,12.375")
    );
    let ran = scratch.run(&["summarize", "h.parquet", "-o", "t.parquet", "--cohorts", "t.parquet"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("the customer table goes there"), "{}", ran.stderr);
}

#[test]
fn a_run_shows_who_comes_back() {
    let scratch = Scratch::new();
    let ran = scratch.run(&["run", "--replications", "2", "--cohort-period", "week", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let cohorts = &json["cohorts"];
    assert_eq!((&cohorts["period"], &cohorts["first"]), (&"week".into(), &"1997-W01".into()));
    assert_eq!((&cohorts["customers"], &cohorts["last_ends_early"]), (&23_570.into(), &true.into()));
    let csv = fs::read_to_string(scratch.path("tiercast-run/cohorts.csv")).unwrap();
    let weeks = 78;
    let lines = csv.lines().count() - 1;
    assert_eq!(
        lines,
        (0..cohorts["cohorts"].as_u64().unwrap() as usize).map(|i| weeks + 1 - i).sum::<usize>()
    );
    let page = fs::read_to_string(scratch.path("tiercast-run/report.html")).unwrap();
    assert!(page.contains("Who comes back") && page.contains("ordered in the week after their first"));
}
