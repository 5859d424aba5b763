//! Every bad input gives one clear error with a hint, exit code 1, and leaves nothing behind.

use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, TimestampMicrosecondArray};

use crate::support::{Scratch, amounts, dataset, days, ids, texts};

/// Runs `tiercast run` with `words` and expects a failure whose message has all of `parts`, and that the folder holds
/// what it held before.
#[track_caller]
fn fails(scratch: &Scratch, words: &[&str], parts: &[&str]) {
    let before = scratch.names();
    let ran = scratch.run(words);
    assert_eq!(ran.code, 1, "exit code\nstdout: {}\nstderr: {}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout, "", "nothing on stdout");
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    let errors = ran.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "one error: {}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nhint: "), "a hint: {}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "{part:?} is not in:\n{}", ran.stderr);
    }
    assert_eq!(scratch.names(), before, "nothing is left behind");
}

const ROWS: [(i64, &str, f64); 5] = [
    (1, "2024-01-01", 10.0),
    (1, "2024-02-01", 12.0),
    (2, "2024-01-05", 20.0),
    (2, "2024-03-01", 8.0),
    (3, "2024-01-20", 5.0),
];

#[test]
fn no_such_file() {
    fails(&Scratch::new(), &["run", "nowhere.parquet"], &["no such file or folder: nowhere.parquet"]);
}

#[test]
fn not_parquet() {
    let scratch = Scratch::new();
    scratch.write("orders.csv", "customer,date,amount\n1,2024-01-01,10\n");
    fails(&scratch, &["run", "orders.csv"], &["orders.csv is not a readable Parquet file"]);
    scratch.write("empty.parquet", "");
    fails(&scratch, &["run", "empty.parquet"], &["empty.parquet is not a readable Parquet file"]);
}

#[test]
fn truncated_parquet() {
    let scratch = Scratch::new();
    let whole = fs::read(dataset("cdnow/cdnow_sample.parquet")).unwrap();
    fs::write(scratch.path("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    fails(&scratch, &["run", "cut.parquet"], &["cut.parquet is not a readable Parquet file"]);
    // The footer is whole, the pages are not.
    let mut torn = whole.clone();
    torn[100..20_000].fill(0xa5);
    fs::write(scratch.path("torn.parquet"), torn).unwrap();
    fails(&scratch, &["run", "torn.parquet"], &["torn.parquet is not a readable Parquet file"]);
}

#[test]
fn a_folder_without_parquet() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("folder")).unwrap();
    fs::write(scratch.path("folder/notes.txt"), "x").unwrap();
    fails(&scratch, &["run", "folder"], &["no Parquet file in folder folder"]);
}

#[test]
fn no_rows() {
    let scratch = Scratch::new();
    scratch.write_history("none.parquet", &[]);
    fails(&scratch, &["run", "none.parquet"], &["the history has no rows", "none.parquet"]);
}

#[test]
fn no_row_usable() {
    let scratch = Scratch::new();
    scratch.write_history("refunds.parquet", &[(1, "2024-01-01", -1.0), (2, "2024-01-02", f64::NAN)]);
    fails(
        &scratch,
        &["run", "refunds.parquet"],
        &["none of the 2 rows read can be used", "refund: 1", "amount not a number: 1"],
    );
}

#[test]
fn no_candidate_columns() {
    let scratch = Scratch::new();
    let (who, when, much) = (ids(&[1]), days(&["2024-01-01"]), amounts(&[1.0]));
    scratch.write_batch(
        "a.parquet",
        &[("zebra", who.clone()), ("date", when.clone()), ("amount", much.clone())],
    );
    fails(&scratch, &["run", "a.parquet"], &["no column looks like the customer", "--customer", "zebra"]);
    scratch.write_batch("b.parquet", &[("customer_id", who), ("date", when), ("note", texts(&["x"]))]);
    fails(&scratch, &["run", "b.parquet"], &["no column looks like the amount", "--amount"]);
    fails(
        &scratch,
        &["run", "a.parquet", "--customer", "zebr"],
        &["no column \"zebr\" for the customer", "did you mean \"zebra\"?"],
    );
}

#[test]
fn several_candidate_columns() {
    let scratch = Scratch::new();
    let who = ids(&[1]);
    scratch.write_batch(
        "two.parquet",
        &[
            ("customer_id", who.clone()),
            ("CustomerID", who),
            ("date", days(&["2024-01-01"])),
            ("amount", amounts(&[1.0])),
        ],
    );
    fails(
        &scratch,
        &["run", "two.parquet"],
        &["several columns could be the customer: customer_id, CustomerID", "--customer customer_id"],
    );
}

#[test]
fn a_column_of_an_impossible_type() {
    let scratch = Scratch::new();
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    scratch.write_batch(
        "flags.parquet",
        &[("customer_id", ids(&[1])), ("date", flags), ("amount", amounts(&[1.0]))],
    );
    fails(
        &scratch,
        &["run", "flags.parquet", "--time", "date"],
        &["column \"date\" has type Boolean, which cannot be the time"],
    );
}

#[test]
fn files_that_do_not_go_together() {
    let scratch = Scratch::new();
    scratch.write_history("a.parquet", &ROWS);
    scratch.write_batch(
        "b.parquet",
        &[("customer_id", texts(&["1"])), ("date", days(&["2024-01-01"])), ("amount", amounts(&[1.0]))],
    );
    fails(
        &scratch,
        &["run", "a.parquet", "b.parquet"],
        &["the customer column is", "a.parquet", "b.parquet"],
    );
    let instant = |zone: Option<&str>| -> ArrayRef {
        let array = TimestampMicrosecondArray::from(vec![1_700_000_000_000_000]);
        Arc::new(match zone {
            Some(zone) => array.with_timezone(zone),
            None => array,
        })
    };
    for (name, zone) in
        [("naive.parquet", None), ("utc.parquet", Some("UTC")), ("paris.parquet", Some("Europe/Paris"))]
    {
        scratch.write_batch(
            name,
            &[("customer_id", ids(&[1])), ("order_ts", instant(zone)), ("amount", amounts(&[1.0]))],
        );
    }
    fails(
        &scratch,
        &["run", "naive.parquet", "utc.parquet"],
        &["the time column is", "naive.parquet", "utc.parquet"],
    );
    fails(&scratch, &["run", "utc.parquet", "paris.parquet"], &["UTC", "Europe/Paris", "--zone"]);
    fails(&scratch, &["run", "utc.parquet", "--zone", "Mars/Olympus"], &["Mars/Olympus"]);
}

#[test]
fn dates_before_the_history() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &ROWS);
    fails(
        &scratch,
        &["run", "h.parquet", "--as-of", "2023-12-31"],
        &["--as-of 2023-12-31 is before the first order of the history, 2024-01-01"],
    );
    fails(
        &scratch,
        &["run", "h.parquet", "--calibration-end", "2023-12-31"],
        &["--calibration-end 2023-12-31 is before the first order of the history, 2024-01-01"],
    );
    fails(&scratch, &["run", "h.parquet", "--calibration-end", "2025-01-01"], &["2025-01-01"]);
}

#[test]
fn nobody_buys_again_is_said_and_the_rest_runs() {
    let scratch = Scratch::new();
    scratch.write_history(
        "once.parquet",
        &[(1, "2024-01-01", 10.0), (2, "2024-01-05", 20.0), (3, "2024-01-20", 5.0)],
    );
    let ran = scratch.run(&["run", "once.parquet", "--strategies", "bundled"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("repeat purchase"), "{}", ran.stderr);
    let strategies = fs::read_to_string(scratch.path("tiercast-run/strategies.csv")).unwrap();
    assert_eq!(strategies.lines().count(), 1, "the heading alone: {strategies}");
    assert!(fs::read_to_string(scratch.path("tiercast-run/tiers.csv")).unwrap().contains("value,high"));
    assert!(scratch.path("tiercast-run/report.html").is_file());
}

#[test]
fn the_strategy_file() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &ROWS);
    let good = tiercast::strategy::BUNDLED;
    let change = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        scratch.write("s.toml", &good.replacen(from, to, 1));
    };
    let fails = |parts: &[&str]| fails(&scratch, &["run", "h.parquet", "--strategies", "s.toml"], parts);

    change("budget = 6000", "budgett = 6000");
    fails(&["s.toml", "unknown field `budgett`"]);
    change("budget = 6000", "budget = -6000");
    fails(&["s.toml", "budget = -6000 is not a number from 0 on"]);
    change("max_per_customer = 5.0", "fixed_cost = -5.0");
    fails(&["s.toml", "\"personal_mailing\": fixed_cost = -5 is not a number from 0 on"]);
    change("tier = \"low\"", "tier = \"lowest\"");
    fails(&["s.toml", "tier = \"lowest\" is not a tier of this scheme", "did you mean \"low\"?"]);
    // Without the response of one tier, a strategy would rest on an unstated one.
    let start = good.find("[[response]]\naction = \"personal_mailing\"\ntier = \"low\"").unwrap();
    let end = start + good[start..].find("[[strategy]]").unwrap();
    scratch.write("s.toml", &format!("{}{}", &good[..start], &good[end..]));
    fails(&["s.toml", "no [[response]] says what action \"personal_mailing\" does to tier \"low\""]);
    change("name = \"top_heavy\"", "name = \"even\"");
    fails(&["s.toml", "[[strategy]] name = \"even\" occurs twice"]);
    change("name = \"top_heavy\"", "name = \"do_nothing\"");
    fails(&["s.toml", "\"do_nothing\": this name is taken"]);
    change("low = 0.05", "low = 0.25");
    fails(&["s.toml", "\"top_heavy\": the shares add up to 1.2"]);
    change("rule = \"uniform\"", "rule = \"unifrom\"");
    fails(&["s.toml", "unifrom", "uniform"]);
    change("source = \"assumption\"", "source = \"hope\"");
    fails(&["s.toml", "hope", "assumption"]);
    change("scale = 0.60", "scale = 0");
    fails(&["s.toml", "scale = 0 is not a positive amount of money"]);
    change("lower = 0.02", "lower = 0.2");
    fails(&["s.toml", "lower = 0.2, effect = 0.08, upper = 0.14 are not in this order"]);
    change("action = \"personal_mailing\"\nrule", "action = \"personal_mail\"\nrule");
    fails(&["s.toml", "action = \"personal_mail\" is not an [[action]]", "personal_mailing"]);
    change("horizon = \"12mo\"", "horizon = \"12\"");
    fails(&["s.toml", "12"]);
    change("tiers = \"value\"", "tiers = \"valeu\"");
    fails(&["s.toml", "\"valeu\" is not a tier scheme", "did you mean \"value\"?"]);
    fs::remove_file(scratch.path("s.toml")).unwrap();
    fails(&["no such file or folder: s.toml"]);
}

#[test]
fn the_settings_file_and_the_environment() {
    let scratch = Scratch::new();
    scratch.write("tiercast.toml", "sede = 3\n");
    fails(&scratch, &["config"], &["tiercast.toml", "unknown field `sede`"]);
    scratch.write("tiercast.toml", "horizon = \"soon\"\n");
    fails(&scratch, &["config"], &["tiercast.toml", "soon"]);
    fs::remove_file(scratch.path("tiercast.toml")).unwrap();
    fails(&scratch, &["config", "--config", "other.toml"], &["no such file or folder: other.toml"]);
    let ran = scratch.run_with(&["config"], &[("TIERCAST_SEDE", "3")]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("did you mean TIERCAST_SEED?"), "{}", ran.stderr);
    fails(&scratch, &["config", "--clusters", "0"], &["clusters (command line) cannot be \"0\""]);
    fails(&scratch, &["config", "--replications", "1"], &["replications (command line) cannot be \"1\""]);
    fails(&scratch, &["config", "--margin", "1.5"], &["margin (command line) cannot be \"1.5\""]);
}

#[test]
fn an_output_folder_that_holds_something_else() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &ROWS);
    fs::create_dir(scratch.path("mine")).unwrap();
    fs::write(scratch.path("mine/thesis.txt"), "years of work").unwrap();
    fails(
        &scratch,
        &["run", "h.parquet", "--out", "mine"],
        &["mine exists and is not a result of tiercast", "--force"],
    );
    assert_eq!(fs::read_to_string(scratch.path("mine/thesis.txt")).unwrap(), "years of work");
    // The folder of the input is never replaced, whatever is asked.
    fails(
        &scratch,
        &["run", "h.parquet", "--out", ".", "--force"],
        &["holds the history or the working folder"],
    );
    let forced = scratch.run(&["run", "h.parquet", "--out", "mine", "--force"]);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(!scratch.path("mine/thesis.txt").exists());
    // What tiercast wrote itself is replaced without asking.
    let again = scratch.run(&["run", "h.parquet", "--out", "mine"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
}

#[test]
fn an_unwritable_output_folder() {
    let scratch = Scratch::new();
    scratch.write_history("h.parquet", &ROWS);
    // /proc takes no folders, not even from root.
    let before = scratch.names();
    let ran = scratch.run(&["run", "h.parquet", "--out", "/proc/tiercast-run"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write to /proc"), "{}", ran.stderr);
    assert_eq!(scratch.names(), before);
    let ran = scratch.run(&["summarize", "h.parquet", "-o", "missing/customers.parquet"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let ran = scratch.run(&["summarize", "h.parquet", "-o", "h.parquet"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn usage_errors_are_another_exit_code() {
    let scratch = Scratch::new();
    for words in [&["run", "--no-such-flag"][..], &["run", "--seed", "x"], &["fly"], &["summarize"]] {
        assert_eq!(scratch.run(words).code, 2, "{words:?}");
    }
}

#[test]
fn amounts_that_are_all_null() {
    let scratch = Scratch::new();
    let nothing: ArrayRef = Arc::new(Float64Array::from(vec![None, None]));
    scratch.write_batch(
        "h.parquet",
        &[("customer_id", ids(&[1, 2])), ("date", days(&["2024-01-01", "2024-01-02"])), ("amount", nothing)],
    );
    fails(&scratch, &["run", "h.parquet"], &["none of the 2 rows read can be used", "no amount: 2"]);
}
