//! What the columns of a history can say beside who, when and how much, on the command line.

use std::fs::File;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int8Array, Int64Array, ListArray, RecordBatch, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Ran, Scratch, amounts, days, ids, texts};

const DAYS: [&str; 4] = ["2024-01-01", "2024-01-05", "2024-02-01", "2024-03-01"];

/// Four purchases of three customers with the columns that a till writes.
fn till(scratch: &Scratch, name: &str) {
    till_with(scratch, name, &[]);
}

/// The same with some columns replaced, or left out where there is none.
fn till_with(scratch: &Scratch, name: &str, changes: &[(&str, Option<ArrayRef>)]) {
    let cost = Float64Array::from(vec![Some(1.0), None, Some(f64::NAN), Some(0.5)]);
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("store", texts(&["north", "north", "south", "north"])),
        ("number", ids(&[1, 1, 1, 2])),
        ("date", days(&DAYS)),
        ("unit_price", amounts(&[2.5, 3.0, 4.0, 1.0])),
        ("qty", Arc::new(Int64Array::from(vec![Some(2), Some(1), Some(-1), None]))),
        ("currency", texts(&["EUR", "EUR", "EUR", "USD"])),
        ("cost", Arc::new(cost)),
        ("profit", amounts(&[1.0, 1.0, 1.0, 1.0])),
        ("city", Arc::new(StringArray::from(vec![Some("Bonn"), None, Some("Rom"), Some("Ulm")]))),
    ];
    for (changed, array) in changes {
        match array {
            Some(array) => {
                columns.iter_mut().filter(|(name, _)| name == changed).for_each(|c| c.1 = array.clone())
            }
            None => columns.retain(|(name, _)| name != changed),
        }
    }
    scratch.write_batch(name, &columns);
}

const TILL: [&str; 6] = ["--customer", "store,number", "--quantity", "qty", "--only-currency", "EUR"];

fn run(scratch: &Scratch, verb: &[&str], words: &[&str]) -> Ran {
    scratch.run(&[verb, words].concat())
}

fn fails(scratch: &Scratch, words: &[&str], parts: &[&str]) {
    let ran = scratch.run(words);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "{part:?} is not in {:?}", ran.stderr);
    }
}

fn table(scratch: &Scratch, name: &str) -> RecordBatch {
    let file = File::open(scratch.path(name)).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().next().unwrap().unwrap()
}

#[test]
fn a_till_is_read_as_it_is() {
    let scratch = Scratch::new();
    till(&scratch, "till.parquet");
    let more = ["--currency", "currency", "--cost", "cost", "--keep", "city"];
    let words = [&TILL[..], &more].concat();
    let ran = run(&scratch, &["summarize", "till.parquet", "-o", "out.parquet"], &words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for line in ["another currency", "refund", "cost or margin not known"] {
        assert!(ran.stdout.contains(line), "{line} is not in {}", ran.stdout);
    }
    assert!(ran.stderr.contains("1 rows have no cost or margin"), "{}", ran.stderr);
    let table = table(&scratch, "out.parquet");
    assert_eq!(table.column_by_name("store").unwrap().as_ref(), &StringArray::from(vec!["north"]));
    assert_eq!(table.column_by_name("number").unwrap().as_ref(), &Int64Array::from(vec![1]));
    assert_eq!(table.column_by_name("total_spend").unwrap().as_ref(), &Float64Array::from(vec![8.0]));
    assert!(table.column_by_name("customer_id").is_none());

    let ran = run(&scratch, &["inspect", "-q", "till.parquet"], &words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for (column, role) in [
        ("store", "customer"),
        ("number", "customer"),
        ("unit_price", "amount"),
        ("qty", "quantity"),
        ("currency", "currency"),
        ("cost", "cost"),
        ("city", "kept value"),
    ] {
        let line = ran.stdout.lines().find(|line| line.trim_start().starts_with(column)).unwrap();
        assert!(line.trim_end().ends_with(role), "{line}");
    }
}

#[test]
fn a_settings_file_names_one_column_or_several() {
    let scratch = Scratch::new();
    till(&scratch, "till.parquet");
    let settings = "customer = [\"store\", \"number\"]\nquantity = \"qty\"\nkeep = \"city\"\nmargin = \"profit\"\n\
                    currency = \"currency\"\nonly_currency = \"EUR\"\n";
    scratch.write("tiercast.toml", settings);
    let ran = scratch.run(&["config"]);
    for line in ["customer = [\"store\", \"number\"]", "keep = \"city\"", "margin = \"profit\""] {
        assert!(ran.stdout.contains(line), "{line} is not in {}", ran.stdout);
    }
    let ran = scratch.run(&["inspect", "till.parquet", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let columns = &json["history"]["columns"];
    assert_eq!(columns["customer"][1]["name"], "number");
    assert_eq!((&columns["margin"]["name"], &columns["keep"][0]["name"]), (&"profit".into(), &"city".into()));
    assert_eq!(json["history"]["ids"], "composite");
    assert_eq!(json["ledger"]["set_aside_by_reason"]["other_currency"], 1);
    // The same by variables.
    let variables =
        [("TIERCAST_CUSTOMER", "store,number"), ("TIERCAST_MARGIN", "0.5"), ("TIERCAST_KEEP", "city,store")];
    let ran = scratch.run_with(&["config"], &variables);
    for line in ["keep = [\"city\", \"store\"]", "margin = 0.5"] {
        assert!(ran.stdout.contains(line), "{line} is not in {}", ran.stdout);
    }
}

#[test]
fn names_that_no_column_has() {
    let scratch = Scratch::new();
    till(&scratch, "till.parquet");
    let base = ["inspect", "till.parquet", "--customer", "number", "--amount", "unit_price"];
    for (option, name, role, meant) in [
        ("--quantity", "qtty", "quantity", "qty"),
        ("--currency", "curency", "currency", "currency"),
        ("--cost", "costs", "cost", "cost"),
        ("--margin", "profits", "margin", "profit"),
        ("--keep", "citi", "kept value", "city"),
    ] {
        let expected = [format!("no column \"{name}\" for the {role}"), format!("did you mean \"{meant}\"?")];
        fails(&scratch, &[&base[..], &[option, name]].concat(), &expected.each_ref().map(String::as_str));
    }
    let twice = ["inspect", "till.parquet", "--customer", "number", "--customer", "stor"];
    fails(&scratch, &twice, &["no column \"stor\" for the customer", "did you mean \"store\"?"]);
}

#[test]
fn columns_that_cannot_be_what_they_are_named_for() {
    let scratch = Scratch::new();
    let list = ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(
        (0..4).map(|i| Some(vec![Some(i)])),
    );
    till_with(&scratch, "till.parquet", &[("profit", Some(Arc::new(list)))]);
    let base = ["inspect", "till.parquet", "--customer", "number", "--amount", "unit_price"];
    for (option, column, role) in [
        ("--quantity", "city", "quantity"),
        ("--currency", "qty", "currency"),
        ("--cost", "city", "cost"),
        ("--margin", "date", "margin"),
        ("--keep", "profit", "kept value"),
    ] {
        let part = format!("which cannot be the {role}");
        fails(&scratch, &[&base[..], &[option, column]].concat(), &[&part, column]);
    }
    let words = ["inspect", "till.parquet", "--customer", "number,date", "--amount", "unit_price"];
    fails(&scratch, &words, &["\"date\"", "cannot be the customer"]);
}

#[test]
fn options_that_contradict_each_other() {
    let scratch = Scratch::new();
    till(&scratch, "till.parquet");
    let base = ["inspect", "till.parquet", "--customer", "number", "--quantity", "qty"];
    let with = |more: &[&'static str]| [&base[..], more].concat();
    fails(
        &scratch,
        &with(&["--cost", "cost", "--margin", "profit"]),
        &["--cost cannot be \"cost\": --margin names a column as well"],
    );
    fails(&scratch, &with(&["--only-currency", "EUR"]), &["no column says the currency", "--currency"]);
    fails(&scratch, &with(&["--cost", "unit_price"]), &["no column looks like the amount"]);
    fails(&scratch, &with(&["--amount", "qty"]), &["it is the amount column already", "--quantity"]);
    fails(&scratch, &with(&["--keep", "city,city"]), &["it is the kept value column already", "once"]);
    fails(&scratch, &with(&["--customer", "number"]), &["it is the customer column already", "once"]);
    fails(&scratch, &with(&["--margin", "0.5"]), &["a share of revenue belongs to lifetime value"]);
    for (option, value) in [("--periods", "month:3"), ("--unit", "day")] {
        let said = format!("{option} cannot be \"{value}\"");
        fails(
            &scratch,
            &with(&[option, value]),
            &[&said, "belongs to the customer table", "tiercast summarize"],
        );
    }
}

#[test]
fn a_price_beside_pieces_is_refused_with_the_way_out() {
    let scratch = Scratch::new();
    till(&scratch, "till.parquet");
    fails(
        &scratch,
        &["inspect", "till.parquet", "--customer", "number"],
        &["beside \"qty\" it may be the price of one piece", "multiply it with --quantity qty"],
    );
}

#[test]
fn currencies_are_not_mixed() {
    let scratch = Scratch::new();
    till(&scratch, "till.parquet");
    let base =
        ["inspect", "till.parquet", "--customer", "number", "--quantity", "qty", "--currency", "currency"];
    fails(
        &scratch,
        &base,
        &["\"EUR, USD\"", "EUR in 3 rows", "USD in 1 row, first in row 3 of", "--only-currency EUR"],
    );
    let unknown = [&base[..], &["--only-currency", "EURO"]].concat();
    fails(&scratch, &unknown, &["no row has it", "did you mean EUR?"]);
    let some = StringArray::from(vec![Some("EUR"), Some(" "), None, Some("EUR")]);
    till_with(&scratch, "till.parquet", &[("currency", Some(Arc::new(some)))]);
    let ran = scratch.run(&[&base[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let reasons = &json["ledger"]["set_aside_by_reason"];
    assert_eq!((&reasons["null_currency"], &reasons["null_quantity"]), (&2.into(), &1.into()));
}

#[test]
fn what_is_kept_is_in_every_file() {
    let scratch = Scratch::new();
    till(&scratch, "a.parquet");
    till_with(&scratch, "b.parquet", &[("city", None)]);
    let words = ["inspect", "a.parquet", "b.parquet", "--customer", "number", "--amount", "unit_price"];
    let keep = |name: &'static str| [&words[..], &["--keep", name]].concat();
    fails(&scratch, &keep("city"), &["b.parquet: no column \"city\" for the kept value"]);
    till_with(&scratch, "b.parquet", &[("city", Some(ids(&[1, 2, 3, 4])))]);
    fails(&scratch, &keep("city"), &["the kept value column is Utf8 in", "Int64 in", "b.parquet", "--keep"]);
    // The widths of integers go together.
    let narrow: ArrayRef = Arc::new(Int8Array::from(vec![1, 2, 3, 4]));
    till_with(&scratch, "b.parquet", &[("qty", Some(narrow.clone())), ("number", Some(narrow))]);
    let ran = scratch.run(&keep("qty"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_kept_column_named_like_one_of_a_run_is_refused() {
    let scratch = Scratch::new();
    scratch.write_batch(
        "h.parquet",
        &[
            ("customer_id", ids(&[1, 2])),
            ("date", days(&["2024-01-01", "2024-01-02"])),
            ("amount", amounts(&[1.0, 2.0])),
            ("clv", amounts(&[1.0, 2.0])),
        ],
    );
    let ran = scratch.run(&["run", "h.parquet", "--keep", "clv"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.contains("--keep cannot be \"clv\": a run has a column of that name"),
        "{}",
        ran.stderr
    );
}
