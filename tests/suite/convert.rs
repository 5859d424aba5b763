//! CSV in, as users meet it: convert, then inspect and run on what came out.

use std::fs;

use serde_json::Value;

use crate::support::{Scratch, dataset};

const ORDERS: &str = "\
customer_id;order_date;amount
00123;31/01/2024;1.234,50
00123;15/02/2024;20,00
00456;03/01/2024;NA
00456;20/02/2024;99,95
00789;01/03/2024;5,00
00789;01/03/2024;5,00;x
00999;14/03/2024;7,25
";

#[track_caller]
fn fails(scratch: &Scratch, words: &[&str], parts: &[&str]) {
    let before = scratch.names();
    let ran = scratch.run(words);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("\nhint: "), "{}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "{part:?} is not in:\n{}", ran.stderr);
    }
    assert_eq!(scratch.names(), before, "nothing is left behind");
}

#[test]
fn a_european_export_becomes_a_history() {
    let scratch = Scratch::new();
    scratch.write("orders.csv", ORDERS);
    let ran = scratch.run(&["convert", "orders.csv", "-o", "orders.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!("convert", ran.stdout);
    assert_eq!(scratch.names(), ["orders.csv", "orders.parquet", "orders.set_aside.csv"]);
    let side = fs::read_to_string(scratch.path("orders.set_aside.csv")).unwrap();
    assert_eq!(
        side,
        "file,line,reason,column,value,record\n\
         orders.csv,7,field_count,,4 instead of 3,\"00789;01/03/2024;5,00;x\"\n"
    );
    let inspected = scratch.run(&["inspect", "orders.parquet", "--json"]);
    let value: Value = serde_json::from_str(&inspected.stdout).unwrap();
    assert_eq!(value["history"]["columns"]["customer"]["name"], "customer_id");
    assert_eq!(value["history"]["columns"]["time"]["type"], "Date32");
    assert_eq!(value["history"]["columns"]["amount"]["type"], "Decimal128(18, 2)");
    assert_eq!((&value["ledger"]["read"], &value["customers"]), (&6.into(), &4.into()));
    let ran = scratch.run(&["run", "orders.parquet", "-q"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);

    // Again: its own files are replaced, and a side file does not outlive what it is about.
    scratch.write("orders.csv", &ORDERS.replace(";x", ""));
    let ran = scratch.run(&["convert", "orders.csv", "-o", "orders.parquet", "--json", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["conversion"]["written"], 7);
    assert_eq!(value["set_aside_output"], Value::Null);
    assert_eq!(value["conversion"]["columns"][1]["date_format"], "%d/%m/%Y");
    let side = fs::read_to_string(scratch.path("orders.set_aside.csv")).unwrap();
    assert_eq!(side, "file,line,reason,column,value,record\n");
}

#[test]
fn everything_found_can_be_said_instead() {
    let scratch = Scratch::new();
    scratch.write("log.txt", "7#01/02/2024#1,234#x\n8#03/04/2024#2,500#y\n");
    let words = [
        "convert",
        "log.txt",
        "-o",
        "log.parquet",
        "--delimiter",
        "#",
        "--no-header",
        "--names",
        "id,date,amount,note",
        "--date-format",
        "%d/%m/%Y",
        "--decimal-comma",
        "--type",
        "id=text",
        "--null",
        "y",
        "--encoding",
        "latin1",
        "--json",
    ];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let types: Vec<&str> =
        (0..4).map(|i| value["conversion"]["columns"][i]["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["Utf8", "Date32", "Decimal128(18, 3)", "Utf8"]);
    assert_eq!(value["conversion"]["columns"][3]["nulls"], serde_json::json!([["y", 1]]));
    assert_eq!(value["conversion"]["files"][0]["encoding"], "windows1252");
}

#[test]
fn bad_input_gives_one_error_and_leaves_nothing() {
    let scratch = Scratch::new();
    let convert = |name: &'static str| ["convert", name, "-o", "o.parquet"];
    fails(&scratch, &convert("none.csv"), &["no such file or folder: none.csv"]);
    fs::create_dir(scratch.path("folder")).unwrap();
    fails(&scratch, &convert("folder"), &["folder: it is a folder", "folder/*.csv"]);
    scratch.write("empty.csv", "");
    fails(&scratch, &convert("empty.csv"), &["empty.csv: it is empty"]);
    scratch.write("heading.csv", "id,date,amount\n");
    fails(&scratch, &convert("heading.csv"), &["heading.csv: it has a heading and no rows"]);
    fs::copy(dataset("cdnow/cdnow_sample.parquet"), scratch.path("p.csv")).unwrap();
    fails(&scratch, &convert("p.csv"), &["p.csv: it is Parquet already", "tiercast inspect"]);
    fs::write(scratch.path("binary.csv"), [7u8, 0, 1, 2, 0, 0, 10, 9]).unwrap();
    fails(&scratch, &convert("binary.csv"), &["binary.csv: it is binary"]);
    scratch.write("day.csv", "id,date,amount\n1,01/02/2024,5.5\n");
    fails(&scratch, &convert("day.csv"), &["day.csv, line 2, column \"date\"", "'%m/%d/%Y'"]);
    scratch.write("mark.csv", "id;date;amount\n1;2024-01-01;1,234\n");
    fails(
        &scratch,
        &convert("mark.csv"),
        &["mark.csv, line 2, column \"amount\"", "\"1,234\"", "--decimal-comma"],
    );
    let words = ["convert", "mark.csv", "-o", "o.parquet", "--delimiter", ",", "--header"];
    fails(
        &scratch,
        &[&words[..], &["--type", "x=date"]].concat(),
        &["--type cannot be \"x\"", "the columns are"],
    );
    scratch.write("bad.csv", "id,date,amount\n1,2024-01-01\n2,2024-01-01\n");
    let words = ["convert", "bad.csv", "-o", "o.parquet", "--delimiter", ",", "--header"];
    fails(
        &scratch,
        &words,
        &["bad.csv, line 2: none of the 2 records can be written", "wrong number of fields: 2"],
    );
    scratch.write("good.csv", "id,date,amount\n1,2024-01-01,5.5\n");
    fails(&scratch, &["convert", "good.csv", "-o", "good.csv", "--force"], &["good.csv cannot be replaced"]);
    fails(
        &scratch,
        &["convert", "good.csv", "-o", "day.csv"],
        &["day.csv exists and is not a result of tiercast"],
    );
    // The side file's place is held by somebody's file.
    scratch.write("o.set_aside.csv", "years of work\n");
    fails(&scratch, &convert("good.csv"), &["o.set_aside.csv exists and is not a result of tiercast"]);
    for words in [
        &["convert", "good.csv"][..],
        &["convert", "-o", "x"],
        &["convert", "good.csv", "-o", "x", "--delimiter", "::"],
        &["convert", "good.csv", "-o", "x", "--type", "id=money"],
        &["convert", "good.csv", "-o", "x", "--header", "--no-header"],
    ] {
        assert_eq!(scratch.run(words).code, 2, "{words:?}");
    }
}

#[test]
fn a_single_slip_in_a_big_file_is_found_and_the_bytes_do_not_depend_on_threads() {
    let scratch = Scratch::new();
    let mut text = String::from("customer_id,date,amount\n");
    for i in 0..200_000 {
        let amount = if i == 150_000 { "oops".to_string() } else { format!("{}.{:02}", i % 500, i % 100) };
        text.push_str(&format!("{},2023-{:02}-{:02},{amount}\n", i % 5_000, i % 12 + 1, i % 28 + 1));
    }
    scratch.write("big.csv", &text);
    let bytes = |threads: &str| {
        let ran = scratch.run(&["convert", "big.csv", "-o", "big.parquet", "--threads", threads]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("big.csv, line 150002: oops"), "{}", ran.stdout);
        fs::read(scratch.path("big.parquet")).unwrap()
    };
    assert_eq!(bytes("1"), bytes("4"));
}
