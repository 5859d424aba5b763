//! `tier` and `migrate`: files of customers graded, handed on, and held against each other.

use std::collections::BTreeMap;

use calamine::{Data, Reader, Xlsx, open_workbook};
use serde_json::Value;
use tiercast::customers::WholeFile;
use tiercast::customers::table::Plain;

use crate::support::{Scratch, dataset};

/// A scratch folder with the customers of the CDNOW log up to a day.
fn customers(name: &str, as_of: &str) -> Scratch {
    let scratch = Scratch::new();
    summarize(&scratch, name, as_of);
    scratch
}

fn summarize(scratch: &Scratch, name: &str, as_of: &str) {
    let history = dataset("cdnow/cdnow.parquet");
    let ran = scratch.run(&["summarize", history.to_str().unwrap(), "--as-of", as_of, "-q", "-o", name]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

fn json(scratch: &Scratch, words: &[&str]) -> Value {
    let ran = scratch.run(&[words, &["--json", "-q"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The rows of a CSV file by column.
fn csv(scratch: &Scratch, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(scratch.path(name)).unwrap();
    let heading = reader.headers().unwrap().iter().map(String::from).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect();
    (heading, rows)
}

/// The tiers that the main job prints (README): value 4,715 high; and all formats hold the same.
#[test]
fn the_cdnow_customers_in_three_formats() {
    let scratch = customers("c.parquet", "1998-06-30");
    let common = ["tier", "c.parquet", "--scheme", "value,rfm,abc"];
    let found = json(&scratch, &[&common[..], &["-o", "t.csv", "--reasons"]].concat());
    let counts = |k: usize| -> Vec<u64> {
        let tiers = found["tiers"]["schemes"][k]["tiers"].as_array().unwrap();
        tiers.iter().map(|tier| tier["customers"].as_u64().unwrap()).collect()
    };
    assert_eq!(counts(0)[0], 4715);
    for k in 0..3 {
        assert_eq!(counts(k).iter().sum::<u64>(), 23_570);
    }
    // Cross-tables: rows of value × rfm add up to the tiers of value.
    let cross = &found["tiers"]["cross"][0];
    assert_eq!((cross["rows"].as_str(), cross["columns"].as_str()), (Some("value"), Some("rfm")));
    for (row, count) in cross["customers"].as_array().unwrap().iter().zip(counts(0)) {
        assert_eq!(row.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>(), count);
    }
    let (heading, rows) = csv(&scratch, "t.csv");
    let want = [
        "customer_id",
        "tier_value",
        "level_value",
        "reason_value",
        "tier_rfm",
        "level_rfm",
        "reason_rfm",
        "tier_abc",
        "level_abc",
        "reason_abc",
        "date",
        "orders",
        "total_spend",
        "days_since_last",
    ];
    assert_eq!(heading, want);
    assert_eq!(rows.len(), 23_570);
    assert_eq!(rows.iter().filter(|row| row[1] == "High value").count(), 4715);
    assert!(rows.iter().all(|row| (row[1] == "High value") == (row[2] == "3") && row[10] == "1998-06-30"));
    assert!(rows[0][3].starts_with("spent "), "{:?}", rows[0]);

    // The workbook and the Parquet file hold the same rows.
    for name in ["t.xlsx", "t.parquet"] {
        let ran = scratch.run(&[&common[..], &["-o", name, "--reasons", "-q"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let mut workbook: Xlsx<_> = open_workbook(scratch.path("t.xlsx")).unwrap();
    assert_eq!(workbook.sheet_names(), ["Summary", "Customers"]);
    let range = workbook.worksheet_range("Customers").unwrap();
    assert_eq!(range.height(), 23_571);
    let file = WholeFile::open(&scratch.path("t.parquet"), None).unwrap();
    assert_eq!(file.rows(), 23_570);
    for (k, name) in heading.iter().enumerate().skip(1) {
        let plain = file.column(name, None).unwrap().unwrap().plain(name).unwrap();
        for (i, row) in rows.iter().enumerate() {
            let cell = range.get_value((i as u32 + 1, k as u32)).unwrap_or(&Data::Empty);
            let own = match &plain {
                Plain::Numbers(values) => {
                    assert_eq!(*cell, Data::Float(values[i]), "{name} {i}");
                    values[i].to_string()
                }
                Plain::Texts { codes, names } => {
                    assert_eq!(*cell, Data::String(names[codes[i] as usize].clone()), "{name} {i}");
                    names[codes[i] as usize].clone()
                }
                other => panic!("{name}: {other:?}"),
            };
            let same = match (own.parse::<f64>(), row[k].parse::<f64>()) {
                (Ok(a), Ok(b)) => a == b,
                _ => own == row[k],
            };
            assert!(same, "{name} {i}: {own} {}", row[k]);
        }
    }
    let summary = workbook.worksheet_range("Summary").unwrap();
    assert_eq!(summary.get_value((1, 3)), Some(&Data::Float(4715.0)));
}

#[test]
fn threads_change_no_byte() {
    let scratch = customers("c.parquet", "1998-06-30");
    let file = |name: &str, threads: &str| {
        let ran = scratch.run(&[
            "tier",
            "c.parquet",
            "--scheme",
            "value,segments,life_cycle",
            "--reasons",
            "--threads",
            threads,
            "-q",
            "-o",
            name,
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        std::fs::read(scratch.path(name)).unwrap()
    };
    let one = file("1.parquet", "1");
    assert_eq!(file("2.parquet", "2"), one);
    assert_eq!(file("3.parquet", "3"), one);
}

#[test]
fn overrides_change_what_they_say_and_nothing_else() {
    let scratch = customers("c.parquet", "1998-06-30");
    let before = json(&scratch, &["tier", "c.parquet", "-o", "a.csv"]);
    let (_, rows) = csv(&scratch, "a.csv");
    let low: Vec<&str> =
        rows.iter().filter(|row| row[1] == "Low value").map(|row| row[0].as_str()).take(7).collect();
    let mut text = "customer_id,tier,who,why,until\n".to_string();
    low.iter().for_each(|id| text += &format!("{id},high,Li Na,key account,\n"));
    text += &format!("{},mid,Wu,moved on,1998-06-29\n", rows[0][0]);
    text += "nobody,high,Wu,dreams,\n";
    scratch.write("o.csv", &text);
    let found = json(&scratch, &["tier", "c.parquet", "--overrides", "o.csv", "-o", "b.csv"]);
    let scheme = &found["tiers"]["schemes"][0];
    assert_eq!(scheme["overrides"]["changed"], 7);
    assert_eq!(scheme["overrides"]["raised"], 7);
    assert_eq!(scheme["tiers"], before["tiers"]["schemes"][0]["tiers"]);
    let reasons: Vec<&str> = scheme["overrides"]["idle"]
        .as_array()
        .unwrap()
        .iter()
        .map(|idle| idle["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["expired", "unknown_customer"]);
    // Low customers are worth less than high ones: something is given up.
    let value = &scheme["overrides"]["value"];
    assert!(value["own"].as_f64().unwrap() < value["expected"].as_f64().unwrap());
    let (heading, after) = csv(&scratch, "b.csv");
    assert_eq!(heading[1..5], ["tier_value", "level_value", "automatic_value", "by_hand_value"]);
    let differ: Vec<&Vec<String>> = after.iter().filter(|row| row[1] != row[3]).collect();
    assert_eq!(differ.len(), 7);
    assert!(
        differ
            .iter()
            .all(|row| low.contains(&row[0].as_str()) && row[4] == "Li Na: key account" && row[2] == "3")
    );
}

#[test]
fn chinese_labels_pseudonyms_and_a_way_back() {
    let scratch = customers("c.parquet", "1998-06-30");
    scratch.write("key", "a key of more than sixteen bytes\n");
    let words = ["tier", "c.parquet", "--lang", "zh", "--pseudonymize", "key", "-q", "-o", "t.csv"];
    assert_eq!(scratch.run(&words).code, 0);
    let (heading, rows) = csv(&scratch, "t.csv");
    assert_eq!(
        heading,
        ["客户编号", "客户等级_value", "等级序号_value", "分级日期", "订单数", "消费总额", "距上次下单天数"]
    );
    assert_eq!(rows.iter().filter(|row| row[1] == "高价值").count(), 4715);
    // In the order of the pseudonyms: that of the ids would tell whose is whose.
    assert!(rows.iter().all(|row| row[0].len() == 32) && rows.is_sorted_by(|a, b| a[0] < b[0]));
    let ran = scratch.run(&[&words[..], &["--ledger", "ledger"]].concat());
    assert!(ran.code == 1 && ran.stderr.contains("a ledger holds the ids themselves"), "{}", ran.stderr);
    // What a CRM gives back as CSV is the same table.
    let ran = scratch.run(&["convert", "t.csv", "-q", "-o", "back.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let back = WholeFile::open(&scratch.path("back.parquet"), Some("客户编号")).unwrap();
    let ids = back.ids().unwrap();
    let tiers = back.column("客户等级_value", None).unwrap().unwrap().plain("tier").unwrap();
    let Plain::Texts { codes, names } = tiers else { panic!("{tiers:?}") };
    for (i, row) in rows.iter().enumerate() {
        assert_eq!((ids.text(i), &names[codes[i] as usize]), (row[0].clone(), &row[1]));
    }
    // An earlier table of tiers is replaced; somebody's file is not.
    assert_eq!(scratch.run(&words).code, 0);
    scratch.write("t.csv", "thesis");
    assert_eq!(scratch.run(&words).code, 1);
}

#[test]
fn movement_between_two_dates() {
    let scratch = customers("a.parquet", "1997-12-31");
    summarize(&scratch, "b.parquet", "1998-06-30");
    for (from, to) in [("a.parquet", "ta.parquet"), ("b.parquet", "tb.parquet")] {
        assert_eq!(
            scratch.run(&["tier", from, "--scheme", "value,life_cycle", "--reasons", "-q", "-o", to]).code,
            0
        );
    }
    for scheme in ["value", "life_cycle"] {
        let found = json(
            &scratch,
            &[
                "migrate",
                "ta.parquet",
                "tb.parquet",
                "--scheme",
                scheme,
                "--tiers",
                if scheme == "value" {
                    "High value,Mid value,Low value"
                } else {
                    "Active,New,Prospect,Dormant,Lost"
                },
                "-o",
                "m.csv",
                "--force",
            ],
        );
        let movement = &found["movement"];
        let cells: Vec<Vec<u64>> = serde_json::from_value(movement["customers"].clone()).unwrap();
        assert_eq!(cells.iter().flatten().sum::<u64>(), 23_570);
        for shares in found["shares"].as_array().unwrap().iter().filter(|row| !row.is_null()) {
            let sum: f64 = shares.as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
        let moved = movement["raised"].as_u64().unwrap() + movement["lowered"].as_u64().unwrap();
        let (heading, rows) = csv(&scratch, "m.csv");
        assert_eq!(heading, ["customer_id", "from", "to", "value", "reason"]);
        assert_eq!(rows.len() as u64, moved);
        assert!(moved > 0 && rows.iter().all(|row| row[1] != row[2] && !row[4].is_empty()));
        // By the value at stake, the most first.
        let values: Vec<f64> = rows.iter().map(|row| row[3].parse().unwrap()).collect();
        assert!(values.is_sorted_by(|a, b| a >= b));
    }
    // Half a year later everybody has been away for longer.
    let ran = scratch.run(&["migrate", "ta.parquet", "tb.parquet"]);
    assert!(ran.stderr.contains("days_since_last has shifted much"), "{}", ran.stderr);
    assert!(ran.stdout.contains("Movement by value: "), "{}", ran.stdout);
}

#[test]
fn schemes_of_columns_files_and_documents() {
    let scratch = Scratch::new();
    let shop = dataset("shop");
    let (orders, list) = (shop.join("orders.parquet"), shop.join("customers.parquet"));
    let ran = scratch.run(&[
        "summarize",
        orders.to_str().unwrap(),
        "--customers-list",
        list.to_str().unwrap(),
        "-q",
        "-o",
        "c.parquet",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = json(
        &scratch,
        &["tier", "c.parquet", "--scheme", "life_cycle,value", "--by", "region", "-o", "t.csv"],
    );
    let schemes = found["tiers"]["schemes"].as_array().unwrap();
    let keys: Vec<&str> = schemes.iter().map(|scheme| scheme["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["life_cycle", "value", "by_region"]);
    let sizes = |k: usize| -> BTreeMap<String, u64> {
        let tiers = schemes[k]["tiers"].as_array().unwrap();
        tiers
            .iter()
            .map(|tier| (tier["name"].as_str().unwrap().to_string(), tier["customers"].as_u64().unwrap()))
            .collect()
    };
    // Prospects are a tier of the life cycle, and in no tier of value.
    let prospects = found["tiers"]["prospects"].as_u64().unwrap();
    assert!(prospects > 1000);
    assert_eq!((sizes(0)["prospect"], schemes[0]["without_tier"].as_u64()), (prospects, Some(0)));
    assert_eq!(schemes[1]["without_tier"].as_u64(), Some(prospects));
    assert_eq!(sizes(0).values().sum::<u64>(), found["tiers"]["rows"].as_u64().unwrap());
    let (_, rows) = csv(&scratch, "t.csv");
    assert_eq!(rows.iter().filter(|row| row[3].is_empty()).count() as u64, prospects);

    // A printed document is a scheme of one's own.
    let ran = scratch.run(&["tier", "--print", "--scheme", "value"]);
    let mine = ran.stdout.replace("scheme = \"value\"", "scheme = \"mine\"").replace("20%", "5%");
    scratch.write("mine.toml", &mine);
    let found = json(&scratch, &["tier", "c.parquet", "--scheme", "mine.toml"]);
    let tier = &found["tiers"]["schemes"][0]["tiers"][0];
    assert!((tier["share_of_customers"].as_f64().unwrap() - 0.05).abs() < 0.001, "{tier}");
}

#[test]
fn bad_input_is_named() {
    let scratch = customers("c.parquet", "1998-06-30");
    let fails = |words: &[&str], wanted: &[&str]| {
        let ran = scratch.run(&[&["tier", "c.parquet"], words].concat());
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.stderr);
        for wanted in wanted {
            assert!(ran.stderr.contains(wanted), "{words:?}: {}", ran.stderr);
        }
        assert!(!scratch.path("t.csv").exists());
    };
    fails(&["--scheme", "valeu"], &["there is no such scheme", "did you mean \"value\"?"]);
    fails(&["--scheme", "value,value"], &["two schemes have that key"]);
    fails(&["--scheme", "clv", "-o", "t.csv"], &["clv"]);
    fails(&["-o", "t.txt"], &["its ending says no format"]);
    fails(&["-o", "t.csv", "--with", "region"], &["has no such column"]);
    fails(&["--by", "regoin"], &["there is no such column"]);
    fails(&["--overrides", "none.csv"], &["none.csv"]);
    fails(
        &["-o", "t.csv", "--with", "total_spend,orders", "--unit", "day"],
        &["says itself that its times are in weeks"],
    );
    fails(&["--suppress-below", "5", "--json"], &["--json prints every count"]);
    fails(&["-o", "ledger/t.csv", "--ledger", "ledger"], &["holds nothing but its own files"]);
    fails(&["--id", "customer"], &["no column \"customer\"", "customer_id"]);
    scratch.write("o.csv", "customer_id,tier,who,why\n1,high,a,b\n");
    fails(&["--scheme", "value,rfm", "--overrides", "o.csv"], &["line 2", "value, rfm"]);
    scratch.write(
        "mine.toml",
        "scheme = \"mine\"\ntitle = \"t\"\n[[tier]]\nname = \"a\"\nwhen = \"total_spend > 100\"\n",
    );
    fails(&["--scheme", "mine.toml", "-o", "t.csv"], &["customers have no tier", "default = true"]);
    let ran = scratch.run(&["migrate", "c.parquet", "c.parquet"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no column \"tier_value\""), "{}", ran.stderr);
}

#[test]
fn one_customer_is_explained() {
    let scratch = customers("c.parquet", "1998-06-30");
    scratch.write("o.csv", "customer_id,tier,who,why,scheme\n1,high,Li Na,founder's friend,value\n");
    let ran = scratch.run(&["explain", "1", "c.parquet", "--overrides", "o.csv", "-q"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for wanted in [
        "Customer 1",
        "total_spend",
        "value: high",
        "by the rules",
        "Li Na: founder's friend",
        "rfm: ",
        "As of 1998-06-30.",
    ] {
        assert!(ran.stdout.contains(wanted), "{wanted}: {}", ran.stdout);
    }
    // The sentence is the one that `tier` writes.
    let found = json(&scratch, &["explain", "1", "c.parquet", "--scheme", "rfm"]);
    assert_eq!(
        scratch.run(&["tier", "c.parquet", "--scheme", "rfm", "--reasons", "-q", "-o", "t.csv"]).code,
        0
    );
    let (_, rows) = csv(&scratch, "t.csv");
    let row = rows.iter().find(|row| row[0] == "1").unwrap();
    assert_eq!(found["explained"]["tiers"][0]["reason"], row[3].as_str());
    let ran = scratch.run(&["explain", "x1", "c.parquet"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("has no such customer"), "{}", ran.stderr);
}

/// The ledger of two gradings replays to the second one, and says who moved as the tables do.
#[test]
fn a_ledger_replays_to_the_current_state() {
    let scratch = customers("a.parquet", "1997-12-31");
    summarize(&scratch, "b.parquet", "1998-06-30");
    scratch.write("o.csv", "customer_id,tier,who,why,until\n1,high,Li Na,key account,1998-01-31\n");
    let grade = |table: &str, out: &str| {
        json(&scratch, &["tier", table, "--ledger", "ledger", "--overrides", "o.csv", "-o", out])
    };
    let first = grade("a.parquet", "ta.csv");
    let ledger = &first["tiers"]["ledger"][0];
    // Everybody is new in the first grading.
    assert_eq!((ledger["moved"].as_u64(), ledger["customers"].as_u64()), (Some(23_570), Some(23_570)));
    let second = grade("b.parquet", "tb.csv");
    let moved = second["tiers"]["ledger"][0]["moved"].as_u64().unwrap();
    assert!(scratch.path("ledger/000002_value_1998-06-30.parquet").exists());
    let (_, before) = csv(&scratch, "ta.csv");
    let (_, after) = csv(&scratch, "tb.csv");
    assert_eq!(before.iter().zip(&after).filter(|(a, b)| a[1] != b[1]).count() as u64, moved);
    // The override has expired by then.
    assert_eq!((before[0][1].as_str(), before[0][4].as_str()), ("High value", "Li Na: key account"));
    assert_eq!((after[0][1] == after[0][3], after[0][4].as_str()), (true, ""));
    let state = tiercast::pipeline::ledger_state(&scratch.path("ledger"), "value", None).unwrap().unwrap();
    let by_id: BTreeMap<String, &str> = (0..state.codes.len())
        .map(|i| (state.ids.text(i), state.names[usize::from(state.codes[i])].as_str()))
        .collect();
    for row in &after {
        let label = match by_id[&row[0]] {
            "high" => "High value",
            "mid" => "Mid value",
            other => {
                assert_eq!(other, "low");
                "Low value"
            }
        };
        assert_eq!(label, row[1]);
    }
    let found =
        json(&scratch, &["migrate", "--ledger", "ledger", "--from", "1998-01-15", "--to", "1998-06-30"]);
    let movement = &found["movement"];
    assert_eq!(movement["raised"].as_u64().unwrap() + movement["lowered"].as_u64().unwrap(), moved);
    // The same grading once more adds nothing; an earlier date is refused; so is a file that a later tiercast wrote.
    assert_eq!(grade("b.parquet", "tb.csv")["tiers"]["ledger"][0]["added"], Value::Null);
    let ran = scratch.run(&["tier", "a.parquet", "--ledger", "ledger"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("a grading by value of 1998-06-30 already"), "{}", ran.stderr);
    let later = [
        ("customer_id", crate::support::ids(&[1])),
        ("new", crate::support::texts(&["high"])),
        ("ledger", crate::support::amounts(&[3.0])),
    ];
    scratch.write_batch("ledger/000003_value_1998-07-31.parquet", &later);
    let ran = scratch.run(&["migrate", "--ledger", "ledger", "--from", "1998-01-15", "--to", "1998-12-31"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("a later tiercast wrote it: it is of version 3"), "{}", ran.stderr);
    scratch.write("ledger/notes.txt", "x");
    assert!(
        scratch
            .run(&["tier", "b.parquet", "--ledger", "ledger"])
            .stderr
            .contains("it is no file of a ledger of tiers")
    );
}

#[test]
fn holding_on_saves_moves_and_leaves_tiers_stale() {
    let scratch = Scratch::new();
    let mut tables = Vec::new();
    for (k, day) in ["1997-12-31", "1998-02-28", "1998-04-30", "1998-06-30"].into_iter().enumerate() {
        let (table, tiers) = (format!("c{k}.parquet"), format!("t{k}.parquet"));
        summarize(&scratch, &table, day);
        assert_eq!(scratch.run(&["tier", &table, "-q", "-o", &tiers]).code, 0);
        tables.push(tiers);
    }
    let mut words = vec!["policies", "--tiers", "High value,Mid value,Low value"];
    words.extend(tables.iter().map(String::as_str));
    let with = |more: &[&'static str]| {
        let mut all = words.clone();
        all.extend(more);
        all
    };
    let policies = ["-p", "at-once", "-p", "hysteresis:1,2", "-p", "term:12mo", "-p", "hysteresis:1,1"];
    let found = json(&scratch, &with(&policies));
    let of = |k: usize, what: &str| found["holdings"]["policies"][k]["cost"][what].as_u64().unwrap();
    for k in 0..4 {
        assert_eq!(of(k, "grades"), 3 * 23_570);
        assert_eq!(of(k, "moves_at_once"), of(0, "moves"));
    }
    assert_eq!((of(0, "stale"), of(3, "stale")), (0, 0));
    for k in [1, 2] {
        assert!(of(k, "moves") < of(0, "moves") && of(k, "stale") > 0, "{k}");
        // Up at once: nobody is held below.
        assert_eq!(of(k, "above"), of(k, "stale"));
        assert_eq!(found["holdings"]["policies"][k]["below_at_last"], 0);
    }
    // A term of a year outlasts the gradings: nobody falls.
    let last: u64 = found["holdings"]["policies"][2]["above_at_last"].as_u64().unwrap();
    assert!(last > found["holdings"]["policies"][1]["above_at_last"].as_u64().unwrap());
    let ran = scratch.run(&with(&["-p", "term:12mo"]));
    assert!(ran.stdout.contains("up at once, down after 363 days"), "{}", ran.stdout);
    let turned = ["policies", "t1.parquet", "t0.parquet", "--tiers", "High value,Mid value,Low value"];
    assert!(scratch.run(&turned).stderr.contains("in the order of their dates"));
    assert!(scratch.run(&["policies", "c0.parquet", "c1.parquet"]).stderr.contains("no column \"date\""));
}

/// What a reader could work out is hidden as well.
#[test]
fn small_counts_are_hidden() {
    let scratch = Scratch::new();
    let ids: Vec<i64> = (0..40).collect();
    let tiers = |moved: &[i64]| -> Vec<&str> {
        ids.iter().map(|id| if (*id < 20) != moved.contains(id) { "A" } else { "B" }).collect()
    };
    let table = |name: &str, moved: &[i64]| {
        let spend: Vec<f64> = ids.iter().map(|&id| 10.0 * id as f64).collect();
        let columns = [
            ("customer_id", crate::support::ids(&ids)),
            ("tier_own", crate::support::texts(&tiers(moved))),
            ("total_spend", crate::support::amounts(&spend)),
        ];
        scratch.write_batch(name, &columns);
    };
    table("a.parquet", &[]);
    table("b.parquet", &[3, 4, 30]);
    let words = ["migrate", "a.parquet", "b.parquet", "--scheme", "own", "--tiers", "A,B"];
    let open = scratch.run(&words);
    assert!(open.stdout.contains("1 rose, 2 fell, 37 stayed"), "{} {}", open.stdout, open.stderr);
    let hidden = scratch.run(&[&words[..], &["--suppress-below", "5"]].concat()).stdout;
    assert!(!hidden.contains("rose") && hidden.contains("…"), "{hidden}");
    // Two customers and their 2 of 20 are in no cell.
    assert!(!hidden.contains("2 (10.0 %)") && !hidden.contains("18 (90.0 %)"), "{hidden}");
    // Nobody says the order of these tiers.
    let ran = scratch.run(&words[..5]);
    assert!(ran.code == 1 && ran.stderr.contains("nobody says in which order"), "{}", ran.stderr);
}
