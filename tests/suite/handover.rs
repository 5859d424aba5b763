//! What is handed on beside a tier: who opted out, tiers held on to by a policy, the orders behind a customer, and tables in
//! another language.

use std::collections::BTreeMap;

use serde_json::Value;
use tiercast::calendar::Day;
use tiercast::customers::WholeFile;
use tiercast::customers::table::Plain;
use tiercast::tier::policy::{Held, Policy};

use crate::support::{Scratch, amounts, dataset, days, ids, texts};

fn json(scratch: &Scratch, words: &[&str]) -> Value {
    let ran = scratch.run(&[words, &["--json", "-q"]].concat());
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A column of texts by customer.
fn by_customer(scratch: &Scratch, table: &str, column: &str) -> BTreeMap<String, String> {
    let file = WholeFile::open(&scratch.path(table), None).unwrap();
    let ids = file.ids().unwrap();
    let Plain::Texts { codes, names } = file.column(column, None).unwrap().unwrap().plain(column).unwrap()
    else {
        panic!("{column} holds no texts");
    };
    (0..ids.len()).map(|i| (ids.text(i), names[codes[i] as usize].clone())).collect()
}

const OWN: &str = "scheme = \"own\"\ntitle = \"By spend\"\n[[tier]]\nname = \"a\"\nwhen = \"total_spend >= 66\"\n\
                   [[tier]]\nname = \"b\"\nwhen = \"total_spend >= 33\"\n[[tier]]\nname = \"c\"\ndefault = true\n";

const DATES: [&str; 7] =
    ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30", "2024-07-31"];

/// Tables of the same company at several dates: spend goes up and down, and some customers are missing from some tables.
fn company(scratch: &Scratch) {
    scratch.write("own.toml", OWN);
    for k in 0..DATES.len() as u64 {
        let mut stream = tiercast::random::Stream::new(3, k, 0, tiercast::random::Purpose::Spend);
        let spend: Vec<f64> = (0..120).map(|_| (100.0 * stream.uniform()).floor()).collect();
        let there: Vec<usize> = (0..120).filter(|i| !(i * 7 + k as usize * 3).is_multiple_of(23)).collect();
        let id: Vec<i64> = there.iter().map(|&i| i as i64).collect();
        let money: Vec<f64> = there.iter().map(|&i| spend[i]).collect();
        scratch.write_batch(
            &format!("c{k}.parquet"),
            &[("customer_id", ids(&id)), ("total_spend", amounts(&money))],
        );
    }
}

fn grade<'a>(table: &'a str, date: &'a str, ledger: &'a str, policy: &'a str, out: &'a str) -> Vec<&'a str> {
    let mut words =
        vec!["tier", table, "--scheme", "own.toml", "--date", date, "--ledger", ledger, "-o", out];
    if !policy.is_empty() {
        words.extend(["--policy", policy]);
    }
    words
}

/// The ledger leads from grading to grading as replaying all tables at once does, for every customer.
#[test]
fn a_ledger_holds_tiers_as_replaying_the_tables_does() {
    let scratch = Scratch::new();
    company(&scratch);
    let tiers = ["a", "b", "c"];
    for text in ["hysteresis:2,3", "term:3mo", "hysteresis:1,2", "at-once"] {
        let policy: Policy = text.parse().unwrap();
        let ledger = format!("ledger_{}", text.replace([':', ','], "_"));
        let mut held: BTreeMap<String, Held> = BTreeMap::new();
        let mut last = Value::Null;
        for (k, date) in DATES.iter().enumerate() {
            let (table, out) = (format!("c{k}.parquet"), format!("t{k}.parquet"));
            let words = grade(&table, date, &ledger, text, &out);
            last = json(&scratch, &words)["tiers"]["schemes"][0]["holding"].clone();
            let (automatic, found) =
                (by_customer(&scratch, &out, "automatic_own"), by_customer(&scratch, &out, "tier_own"));
            let code = |name: &String| tiers.iter().position(|tier| tier == name).unwrap() as u8;
            let day: Day = date.parse().unwrap();
            held = automatic
                .iter()
                .map(|(id, name)| {
                    let next = match held.get(id) {
                        Some(&own) => policy.follow(own, code(name), day),
                        None => Policy::begin(code(name), day),
                    };
                    (id.clone(), next)
                })
                .collect();
            for (id, held) in &held {
                assert_eq!(found[id], tiers[usize::from(held.tier)], "{text} {date} {id}");
            }
            let count = |of: &dyn Fn(u8, u8) -> bool| {
                held.iter().filter(|(id, held)| of(held.tier, code(&automatic[*id]))).count()
            };
            assert_eq!(last["above"], count(&|held, automatic| held < automatic));
            assert_eq!(last["below"], count(&|held, automatic| held > automatic));
            // The same grading once more is the same grading.
            if k == 3 {
                let again = json(&scratch, &grade(&table, date, &ledger, text, "again.parquet"));
                assert_eq!(again["tiers"]["ledger"][0]["added"], Value::Null);
                assert_eq!(by_customer(&scratch, "again.parquet", "tier_own"), found);
            }
        }
        // What `policies` says of the automatic tiers.
        let names: Vec<String> = (0..DATES.len()).map(|k| format!("t{k}.parquet")).collect();
        let mut words = vec!["policies", "--scheme", "own", "--policy", text];
        words.extend(names.iter().map(String::as_str));
        let found = &json(&scratch, &words)["holdings"]["policies"][0];
        assert_eq!(found["above_at_last"], last["above"], "{text}");
        assert_eq!(found["below_at_last"], last["below"], "{text}");
        let stale = last["above"].as_u64().unwrap() + last["below"].as_u64().unwrap();
        assert_eq!(stale == 0, text == "at-once", "{text}");
    }
    // Who holds on does not stop doing so in silence, and the other way round it is said.
    let ran = scratch.run(&grade("c6.parquet", "2024-08-31", "ledger_term_3mo", "", "t.parquet"));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("holds on to tiers by own with term:") && ran.stderr.contains("--policy at-once"),
        "{}",
        ran.stderr
    );
    let ran =
        scratch.run(&grade("c6.parquet", "2024-08-31", "ledger_term_3mo", "hysteresis:1,2", "t.parquet"));
    assert!(ran.stderr.contains("the ledger followed term:"), "{}", ran.stderr);
    let ran = scratch.run(&[
        "tier",
        "c0.parquet",
        "--scheme",
        "own.toml",
        "--date",
        "2024-01-31",
        "--policy",
        "at-once",
    ]);
    assert!(ran.code != 0 && ran.stderr.contains("--ledger"), "{}", ran.stderr);
}

/// A ledger without a policy may be gone on with by one, and a tier set by hand is above what is held, and leaves it alone.
#[test]
fn a_policy_goes_on_from_an_older_ledger_and_below_what_is_set_by_hand() {
    let scratch = Scratch::new();
    scratch.write("own.toml", OWN);
    let table = |name: &str, spend: &[f64]| {
        let id: Vec<i64> = (1..=spend.len() as i64).collect();
        scratch.write_batch(name, &[("customer_id", ids(&id)), ("total_spend", amounts(spend))]);
    };
    table("1.parquet", &[70.0, 70.0, 40.0]);
    table("2.parquet", &[10.0, 10.0, 40.0]);
    let tier = |table: &str, date: &str, more: &[&str]| {
        let mut words = grade(table, date, "ledger", "", "t.parquet");
        words.extend(more);
        let found = json(&scratch, &words);
        let held: Vec<String> = by_customer(&scratch, "t.parquet", "tier_own").into_values().collect();
        (found["tiers"].clone(), held.concat())
    };
    assert_eq!(tier("1.parquet", "2024-01-31", &[]).1, "aab");
    let policy = ["--policy", "hysteresis:1,2"];
    scratch.write("o.csv", "customer_id,tier,who,why\n2,b,Li Na,settled\n");
    let by_hand = [&policy[..], &["--overrides", "o.csv"]].concat();
    let (found, held) = tier("2.parquet", "2024-02-29", &by_hand);
    // Both are held above after one grading below; the second is in b by hand.
    assert_eq!(held, "abb");
    let scheme = &found["schemes"][0];
    assert_eq!((scheme["holding"]["above"].as_u64(), scheme["effective"][0].as_u64()), (Some(2), Some(1)));
    assert_eq!(scheme["overrides"]["lowered"], 1);
    // The second grading below: both have waited for long enough.
    assert_eq!(tier("2.parquet", "2024-03-31", &policy).1, "ccb");
    let state = tiercast::pipeline::ledger_state(&scratch.path("ledger"), "own", None).unwrap().unwrap();
    assert_eq!(state.policy, Some("hysteresis:1,2".parse().unwrap()));
    assert!(state.holds.iter().all(|hold| hold.held.is_some_and(|held| held.run == 0)));
    // Movement is that of the tiers that held.
    let words =
        ["migrate", "--ledger", "ledger", "--scheme", "own", "--tiers", "a,b,c", "--from", "2024-01-31"];
    let found = json(&scratch, &[&words[..], &["--to", "2024-02-29"]].concat());
    assert_eq!(found["movement"]["lowered"], 1);
}

#[test]
fn who_opted_out_is_said_beside_the_tier() {
    let scratch = Scratch::new();
    company(&scratch);
    scratch.write("out.csv", "customer_id,since\n1,\n2,2024-01-31\n3,2024-02-01\n4,never\n1,\nnobody,\n");
    let words =
        ["tier", "c0.parquet", "--scheme", "own.toml", "--date", "2024-01-31", "--opt-out", "out.csv"];
    let found = json(&scratch, &[&words[..], &["-o", "t.csv"]].concat());
    let report = &found["tiers"]["opt_out"];
    assert_eq!((report["lines"].as_u64(), report["customers"].as_u64()), (Some(6), Some(3)));
    let remarks: Vec<&str> =
        report["remarks"].as_array().unwrap().iter().map(|own| own["remark"].as_str().unwrap()).collect();
    assert_eq!(remarks, ["not_yet", "bad_date", "repeated", "unknown_customer"]);
    let by_tier: u64 = found["tiers"]["schemes"][0]["opted_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(by_tier, 3);
    let mut reader = csv::Reader::from_path(scratch.path("t.csv")).unwrap();
    let heading: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    let place = heading.iter().position(|name| name == "opted_out").unwrap();
    let out: Vec<String> = reader
        .records()
        .map(|row| row.unwrap())
        .filter(|row| &row[place] == "true")
        .map(|row| row[0].to_string())
        .collect();
    assert_eq!(out, ["1", "2", "4"]);
    let ran = scratch.run(&words);
    for wanted in [
        "opted out",
        "Opted out by 2024-01-31: 3 of the rows, by 6\u{a0}lines",
        "To look at: 1\u{a0}line of no such customer (lines 7)",
    ] {
        assert!(ran.stdout.contains(wanted), "{wanted}: {}", ran.stdout);
    }
    let ran = scratch.run(&[&words[..], &["--suppress-below", "5"]].concat());
    assert!(ran.stdout.contains("fewer than 5 of the rows"), "{}", ran.stdout);
    assert_eq!(scratch.run(&[&words[..], &["--lang", "zh", "-o", "zh.parquet", "-q"]].concat()).code, 0);
    let file = WholeFile::open(&scratch.path("zh.parquet"), Some("客户编号")).unwrap();
    assert!(file.columns().contains(&"谢绝联系".to_string()));
    scratch.write("out.csv", "customer,sinse\n1,\n");
    assert!(scratch.run(&words).stderr.contains("did you mean \"since\""));
}

/// A run with a list contacts nobody on it; with everybody on it all strategies are doing nothing.
#[test]
fn a_run_contacts_nobody_who_opted_out() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    let ran = scratch.run(&["summarize", history.to_str().unwrap(), "-q", "-o", "c.parquet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let file = WholeFile::open(&scratch.path("c.parquet"), None).unwrap();
    let ids = file.ids().unwrap();
    let list = |name: &str, step: usize| {
        let lines: Vec<String> = (0..ids.len()).step_by(step).map(|i| ids.text(i)).collect();
        scratch.write(name, &format!("customer_id\n{}\n", lines.join("\n")));
        lines.len() as u64
    };
    let third = list("third.csv", 3);
    list("all.csv", 1);
    let run = |name: &str, out: &str| {
        json(
            &scratch,
            &[
                "run",
                history.to_str().unwrap(),
                "--strategies",
                "bundled",
                "--model",
                "bg-nbd",
                "--replications",
                "8",
                "--opt-out",
                name,
                "-o",
                out,
            ],
        )
    };
    let found = run("third.csv", "third");
    assert_eq!(found["opt_out"]["customers"].as_u64(), Some(third));
    let share = found["opt_out"]["share"].as_f64().unwrap();
    assert!((share - third as f64 / ids.len() as f64).abs() < 1e-12);
    let page = std::fs::read_to_string(scratch.path("third/report.html")).unwrap();
    assert!(
        page.contains("contacted by no strategy") && page.contains("customers have opted out by 1998-06-30")
    );
    let differences = |found: &Value| -> Vec<f64> {
        let rows = found["comparison"]["rows"].as_array().unwrap();
        rows.iter().map(|row| row["difference"]["value"].as_f64().unwrap()).collect()
    };
    assert!(differences(&found).iter().any(|&x| x != 0.0));
    let found = run("all.csv", "all");
    assert!(differences(&found).iter().all(|&x| x == 0.0));
    for plan in found["comparison"]["plans"].as_array().unwrap() {
        assert_eq!(plan["cost"].as_f64(), Some(0.0));
    }
}

/// Tables in Chinese, in English, and one of each say the same.
#[test]
fn movement_is_the_same_in_any_language() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    for (name, day) in [("a", "1997-12-31"), ("b", "1998-06-30")] {
        let table = format!("{name}.parquet");
        let ran = scratch.run(&["summarize", history.to_str().unwrap(), "--as-of", day, "-q", "-o", &table]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for lang in ["en", "zh"] {
            let out = format!("{name}_{lang}.parquet");
            let ran = scratch.run(&["tier", &table, "--lang", lang, "--reasons", "-q", "-o", &out]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
    }
    let moved = |a: &str, b: &str| json(&scratch, &["migrate", a, b]);
    let english = moved("a_en.parquet", "b_en.parquet");
    let kappa = english["weighted_kappa"].as_f64().unwrap();
    assert!(kappa > 0.5 && kappa < 1.0, "{kappa}");
    for (a, b, first) in [
        ("a_zh.parquet", "b_zh.parquet", "高价值"),
        ("a_en.parquet", "b_zh.parquet", "High value"),
        ("a_zh.parquet", "b_en.parquet", "高价值"),
    ] {
        let found = moved(a, b);
        for what in ["customers", "value", "raised", "lowered", "drift"] {
            assert_eq!(found["movement"][what], english["movement"][what], "{a} {b} {what}");
        }
        assert_eq!(
            (&found["weighted_kappa"], &found["movement"]["tiers"][0]),
            (&english["weighted_kappa"], &first.into())
        );
        let held = json(&scratch, &["policies", a, b]);
        assert_eq!(
            held["holdings"]["policies"],
            json(&scratch, &["policies", "a_en.parquet", "b_en.parquet"])["holdings"]["policies"]
        );
    }
    let ran = scratch.run(&["migrate", "a_zh.parquet", "b_zh.parquet", "-o", "m.csv", "--id", "客户编号"]);
    assert!(ran.stdout.contains("weighted kappa 0."), "{}{}", ran.stdout, ran.stderr);
    let text = std::fs::read_to_string(scratch.path("m.csv")).unwrap();
    assert!(text.starts_with("customer_id,from,to,value,reason\n"), "{}", &text[..80]);
}

/// The orders of every customer add up to its table's figures, whatever is set aside.
#[test]
fn a_customer_is_explained_with_its_orders() {
    let scratch = Scratch::new();
    let rows: Vec<(i64, &str, f64)> = vec![
        (1, "2024-01-05", 10.25),
        (2, "2024-01-07", 3.0),
        (1, "2024-02-01", -4.0),
        (1, "2024-02-03", 7.5),
        (1, "2024-02-03", 7.5),
        (3, "2024-02-04", -1.0),
        (1, "2024-05-01", 99.0),
        (2, "2024-03-01", 8.0),
        (4, "2024-04-30", 2.0),
    ];
    let of = |half: &[(i64, &str, f64)], name: &str| {
        let shops: Vec<&str> = half.iter().map(|row| if row.2 > 5.0 { "web" } else { "store" }).collect();
        scratch.write_batch(
            name,
            &[
                ("customer_id", ids(&half.iter().map(|row| row.0).collect::<Vec<_>>())),
                ("date", days(&half.iter().map(|row| row.1).collect::<Vec<_>>())),
                ("amount", amounts(&half.iter().map(|row| row.2).collect::<Vec<_>>())),
                ("shop", texts(&shops)),
            ],
        );
    };
    of(&rows[..5], "h1.parquet");
    of(&rows[5..], "h2.parquet");
    let read = ["h1.parquet", "h2.parquet", "--drop-duplicates"];
    let ran = scratch.run(
        &[&["summarize"], &read[..], &["--as-of", "2024-04-30", "--keep", "shop", "-q", "-o", "c.parquet"]]
            .concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let explain = |who: &str, more: &[&str]| {
        let words =
            ["explain", who, "c.parquet", "--scheme", "frequency", "--history", "h1.parquet", "h2.parquet"];
        json(&scratch, &[&words[..], more].concat())["explained"]["history"].clone()
    };
    let found = explain("1", &["--drop-duplicates", "--keep", "shop"]);
    assert_eq!((found["rows"].as_u64(), found["as_of"].as_str()), (Some(5), Some("2024-04-30")));
    let orders: Vec<(String, f64, String)> = found["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |value: &Value| value.as_str().unwrap().to_string();
            (text(&row["date"]), row["amount"].as_f64().unwrap(), text(&row["shown"][0]))
        })
        .collect();
    assert_eq!(
        orders,
        [("2024-01-05".into(), 10.25, "web".into()), ("2024-02-03".into(), 7.5, "web".into())]
    );
    assert_eq!(
        found["set_aside"],
        serde_json::json!([
            {"reason": "after_as_of", "rows": 1},
            {"reason": "refund", "rows": 1},
            {"reason": "duplicate", "rows": 1},
        ])
    );
    assert_eq!(found["warnings"], serde_json::json!([]));
    // Read otherwise, or of another history, the figures are others.
    let found = explain("1", &[]);
    assert!(
        found["warnings"][0].as_str().unwrap().contains("the table says orders 2 and total_spend 17.75"),
        "{found}"
    );
    let ran = scratch.run(&["explain", "1", "c.parquet", "--scheme", "frequency", "--history", "h2.parquet"]);
    assert!(
        ran.stderr.contains("made of another history") && ran.stdout.contains("set aside: 1 (after"),
        "{}{}",
        ran.stderr,
        ran.stdout
    );
    let ran = scratch.run(&["explain", "4", "c.parquet", "--scheme", "frequency", "--history", "h1.parquet"]);
    assert!(ran.stderr.contains("the history has no row of customer 4"), "{}", ran.stderr);
    for (words, wanted) in [
        (vec!["--drop-duplicates"], "none is given"),
        (vec!["--history", "h1.parquet", "--periods", "month:3"], "which this verb does not make"),
        (vec!["--history", "none.parquet"], "none.parquet"),
    ] {
        let ran =
            scratch.run(&[&["explain", "1", "c.parquet", "--scheme", "frequency"], &words[..]].concat());
        assert!(ran.code == 1 && ran.stderr.contains(wanted), "{words:?}: {}", ran.stderr);
    }
}

/// All customers of the shop whose every oddity is in one history; and the last twenty of many orders.
#[test]
fn orders_add_up_to_the_table() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow.parquet");
    let ran = scratch.run(&[
        "summarize",
        history.to_str().unwrap(),
        "--as-of",
        "1997-12-31",
        "-q",
        "-o",
        "c.parquet",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let file = WholeFile::open(&scratch.path("c.parquet"), None).unwrap();
    let ids = file.ids().unwrap();
    let Plain::Numbers(orders) = file.column("orders", None).unwrap().unwrap().plain("orders").unwrap()
    else {
        panic!("orders are numbers");
    };
    let most = (0..ids.len()).max_by(|&a, &b| orders[a].total_cmp(&orders[b])).unwrap();
    for row in [most, 0, 5000, 10_000, 23_000] {
        let id = ids.text(row);
        let words =
            ["explain", &id, "c.parquet", "--scheme", "frequency", "--history", history.to_str().unwrap()];
        let found = json(&scratch, &words);
        let own = &found["explained"]["history"];
        assert_eq!(own["warnings"], serde_json::json!([]), "{id}");
        assert_eq!(own["totals"][0].as_f64(), Some(orders[row]));
        let sum: f64 =
            own["orders"].as_array().unwrap().iter().map(|row| row["amount"].as_f64().unwrap()).sum();
        assert!((sum - own["totals"][1].as_f64().unwrap()).abs() < 1e-9);
        if row == most {
            let ran = scratch.run(&words);
            let rows = own["orders"].as_array().unwrap().len();
            assert!(
                rows > 20
                    && ran.stdout.contains(&format!(
                        "The last 20 rows of orders up to 1997-12-31, {}\u{a0}rows before them",
                        rows - 20
                    )),
                "{}",
                ran.stdout
            );
        }
    }
}
