//! `assess`: how sure tiers are, and what is lost against what came later.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, UInt32Array};
use serde_json::Value;

use crate::support::{Scratch, dataset, json, ok, refused};

/// A scratch folder with CDNOW's sample customers up to 1997-09-30 with their holdout, and a model with draws.
fn cdnow() -> Scratch {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    let history = history.to_str().unwrap();
    let words = [
        "summarize",
        history,
        "--customer",
        "sample_id",
        "--calibration-end",
        "1997-09-30",
        "-q",
        "-o",
        "c.parquet",
    ];
    ok(&scratch, &words);
    ok(&scratch, &["fit", "c.parquet", "--model", "bg-nbd", "--draws", "50", "-q", "-o", "m.json"]);
    scratch
}

#[test]
fn cdnow_against_its_own_rates_and_its_holdout() {
    let scratch = cdnow();
    let words =
        ["assess", "c.parquet", "--model", "m.json", "--scheme", "value,clv", "--draws", "40", "-o", "p.csv"];
    let found = json(&scratch, &words);
    let schemes = found["assessed"]["schemes"].as_array().unwrap();
    let [value, clv] = &schemes[..] else { panic!() };
    assert_eq!(value["own_rates"]["depends_on"].as_array().unwrap().len(), 0);
    assert_eq!(clv["own_rates"]["depends_on"], serde_json::json!(["clv"]));
    let number = |value: &Value| value.as_f64().unwrap();
    // By lifetime value less is lost by own rates.
    let lost = |scheme: &Value| number(&scheme["own_rates"]["cuts"][0]["regret"]);
    assert!(lost(clv) < lost(value), "{} {}", lost(clv), lost(value));
    assert!(clv["holdout"]["above_first"]["value"].as_f64().is_some());
    assert!(value["holdout"]["above_first"].is_null());

    // The file: one row a customer, probabilities add up to 1, and tiers by value are certain.
    let mut reader = csv::Reader::from_path(scratch.path("p.csv")).unwrap();
    let heading: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    let of_clv = [
        "tier_clv",
        "p_tier_clv",
        "p_above_clv",
        "p_clv_high",
        "p_clv_mid",
        "p_clv_low",
        "likeliest_clv",
        "date",
    ];
    assert_eq!(heading[heading.len() - 8..], of_clv);
    let at = |name: &str| heading.iter().position(|own| own == name).unwrap();
    let mut rows = 0;
    for row in reader.records() {
        let row = row.unwrap();
        let number = |name: &str| row[at(name)].parse::<f64>().unwrap();
        let all = number("p_clv_high") + number("p_clv_mid") + number("p_clv_low");
        assert!((all - 1.0).abs() < 1e-9);
        assert_eq!(number("p_tier_value"), 1.0);
        assert_eq!(number("p_tier_clv"), number(&format!("p_clv_{}", &row[at("tier_clv")])));
        rows += 1;
    }
    assert_eq!(rows, 2357);

    // The same bytes at any number of threads; a workbook and a Parquet file are written too.
    let one = std::fs::read(scratch.path("p.csv")).unwrap();
    for threads in ["1", "2", "3"] {
        let again = json(&scratch, &[&words[..], &["--threads", threads]].concat());
        assert_eq!(again["assessed"], found["assessed"]);
        assert_eq!(std::fs::read(scratch.path("p.csv")).unwrap(), one);
    }
    for name in ["p.xlsx", "p.parquet"] {
        ok(&scratch, &[&words[..9], &[name, "-q"]].concat());
    }
    let text = ok(&scratch, &words[..8]);
    for part in [
        "How sure the tiers by clv are",
        "high to mid",
        "Against spend_holdout, luck included",
        "own rates change no tier",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The table of `predict` has the same scores, and is taken; with another horizon it is not.
    ok(&scratch, &["predict", "m.json", "c.parquet", "-q", "-o", "s.parquet"]);
    let again = json(
        &scratch,
        &["assess", "s.parquet", "--model", "m.json", "--scheme", "value,clv", "--draws", "40"],
    );
    assert_eq!(again["assessed"]["schemes"], found["assessed"]["schemes"]);
    let other = ["assess", "s.parquet", "--model", "m.json", "--horizon", "6mo"];
    refused(&scratch, &other, &["of customer", "horizon", "hint"]);
}

/// A column of the truth: what is printed is what adding up by hand gives, in any order of rows.
#[test]
fn the_regret_printed_is_that_of_the_truth() {
    let scratch = Scratch::new();
    let n = 3000i64;
    let ids: Vec<i64> = (0..n).collect();
    let spend: Vec<f64> = ids.iter().map(|i| ((i * 7919) % 1009) as f64 + 0.25).collect();
    let truth: Vec<f64> =
        ids.iter().map(|i| ((i * 7919) % 1009) as f64 + ((i * 31) % 577) as f64 * 1.7).collect();
    let write = |name: &str, order: &[usize]| {
        let column = |values: &[f64]| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(order.iter().map(|&i| values[i])))
        };
        let whole: ArrayRef = Arc::new(UInt32Array::from(vec![1; order.len()]));
        let id: ArrayRef = Arc::new(Int64Array::from_iter_values(order.iter().map(|&i| ids[i])));
        let columns = [
            ("customer_id", id),
            ("frequency", whole),
            ("total_spend", column(&spend)),
            ("truth", column(&truth)),
        ];
        scratch.write_batch(name, &columns);
    };
    let forward: Vec<usize> = (0..n as usize).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    write("a.parquet", &forward);
    write("b.parquet", &backward);
    let words = ["--value", "truth", "--date", "2026-01-01", "--replications", "50"];
    let found = json(&scratch, &[&["assess", "a.parquet"], &words[..]].concat());
    let scheme = &found["assessed"]["schemes"][0];
    // High: at least the spend of the customer at rank 600.
    let mut sorted = spend.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let inside: Vec<usize> = forward.iter().copied().filter(|&i| spend[i] >= sorted[599]).collect();
    let mut best = truth.clone();
    best.sort_by(|a, b| b.total_cmp(a));
    let want = best[..inside.len()].iter().sum::<f64>() - inside.iter().map(|&i| truth[i]).sum::<f64>();
    let cut = &scheme["holdout"]["cuts"][0];
    assert_eq!(cut["customers"].as_u64().unwrap() as usize, inside.len());
    let got = cut["regret"].as_f64().unwrap();
    assert!((got - want).abs() < 1e-9 * want, "{got} {want}");
    let turned = json(&scratch, &[&["assess", "b.parquet"], &words[..]].concat());
    assert_eq!(turned["assessed"], found["assessed"]);
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let scratch = cdnow();
    let history = dataset("cdnow/cdnow_sample.parquet");
    let plain =
        ["summarize", history.to_str().unwrap(), "--customer", "sample_id", "-q", "-o", "plain.parquet"];
    ok(&scratch, &plain);
    refused(&scratch, &["assess", "plain.parquet"], &["spend_holdout", "--model"]);
    let both = ["assess", "plain.parquet", "--model", "m.json", "--replications", "9"];
    refused(&scratch, &both, &["--replications", "resampled"]);
    refused(
        &scratch,
        &["assess", "c.parquet", "--value", "spend_holdot"],
        &["spend_holdot", "spend_holdout"],
    );
    refused(&scratch, &["assess", "c.parquet", "--horizon", "6mo"], &["--horizon", "add --model"]);
    refused(&scratch, &["assess", "c.parquet", "--draws", "9"], &["--model"]);
    refused(&scratch, &["assess", "c.parquet", "--scheme", "clv"], &["there is no column \"clv\""]);
    refused(
        &scratch,
        &["assess", "c.parquet", "--model", "m.json", "--draws", "1"],
        &["--draws", "at least 19"],
    );
    refused(&scratch, &["assess", "c.parquet", "--model", "c.parquet"], &["c.parquet"]);
    // Nobody has less than .02 by the model; by own rates who has left has 0.
    let rules = "scheme = \"s\"\n[[tier]]\nname = \"a\"\nwhen = \"p_alive > 0\"\n";
    scratch.write("s.toml", rules);
    let words = ["assess", "c.parquet", "--model", "m.json", "--scheme", "s.toml", "--draws", "20"];
    refused(&scratch, &words, &["rates customer", "no rule takes it", "default = true"]);
    assert!(!scratch.names().iter().any(|name| name.starts_with("p.")));
}

/// More customers than one thread takes at a time, in two orders and at several numbers of threads: the same figures, to the bit.
/// Prospects are left out; ids are texts, times in days; nothing is discounted.
#[test]
fn neither_threads_nor_the_order_of_rows_count() {
    let scratch = Scratch::new();
    let n = 20_000usize;
    let write = |name: &str, order: &[usize]| {
        let whole = |of: &dyn Fn(usize) -> Option<u32>| -> ArrayRef {
            Arc::new(order.iter().map(|&i| of(i)).collect::<UInt32Array>())
        };
        let real = |of: &dyn Fn(usize) -> Option<f64>| -> ArrayRef {
            Arc::new(order.iter().map(|&i| of(i)).collect::<Float64Array>())
        };
        let id: ArrayRef =
            Arc::new(arrow_array::StringArray::from_iter_values(order.iter().map(|i| format!("k{i:05}"))));
        // One in fifty has never ordered.
        let is = |i: usize| i % 50 != 7;
        let x = |i: usize| (i * 7919 % 97 / 12) as u32;
        let columns = [
            ("customer_id", id),
            ("frequency", whole(&|i| is(i).then(|| x(i)))),
            ("recency", real(&|i| is(i).then(|| if x(i) > 0 { (i % 300 + 20) as f64 } else { 0.0 }))),
            ("T", real(&|i| is(i).then_some(330.0))),
            (
                "monetary_value",
                real(&|i| is(i).then(|| if x(i) > 0 { (i % 83) as f64 / 3.0 + 1.0 } else { 0.0 })),
            ),
            ("total_spend", real(&|i| is(i).then(|| (i % 83) as f64 / 3.0 * f64::from(x(i) + 1)))),
            ("spend_holdout", real(&|i| is(i).then(|| ((i * 31) % 211) as f64 / 7.0 * f64::from(x(i))))),
        ];
        scratch.write_batch(name, &columns);
    };
    let forward: Vec<usize> = (0..n).collect();
    let shuffled: Vec<usize> = (0..n).map(|i| i * 7919 % n).collect();
    write("a.parquet", &forward);
    write("b.parquet", &shuffled);
    ok(
        &scratch,
        &["fit", "a.parquet", "--model", "mbg-nbd", "--unit", "day", "--draws", "20", "-q", "-o", "m.json"],
    );
    let assess = |file: &str, threads: &str| {
        let words = [
            "assess",
            file,
            "--model",
            "m.json",
            "--scheme",
            "clv,value",
            "--draws",
            "20",
            "--discount",
            "0%/yr",
        ];
        let more = ["--unit", "day", "--date", "2026-01-01", "--replications", "20", "--threads", threads];
        json(&scratch, &[&words[..], &more].concat())["assessed"].clone()
    };
    let one = assess("a.parquet", "1");
    assert_eq!((one["customers"].as_u64(), one["prospects"].as_u64()), (Some(19_600), Some(400)));
    assert_eq!(one["date"].as_str(), Some("2026-01-01"));
    assert_eq!(assess("a.parquet", "2"), one);
    assert_eq!(assess("b.parquet", "3"), one);
}

/// Without a model of spend, worth is expected transactions; a scheme that asks for money is refused, not held fixed.
#[test]
fn without_money_customers_are_worth_their_orders() {
    let scratch = Scratch::new();
    let n = 400usize;
    let column =
        |of: &dyn Fn(usize) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values((0..n).map(of))) };
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(0..n as i64));
    let x = |i: usize| (i % 9) as u32;
    let columns = [
        ("customer_id", id),
        ("frequency", Arc::new(UInt32Array::from_iter_values((0..n).map(x))) as ArrayRef),
        ("recency", column(&|i| if x(i) > 0 { (i % 40 + 2) as f64 } else { 0.0 })),
        ("T", column(&|_| 52.0)),
        // Of another program: nobody draws it.
        ("clv", column(&|i| i as f64)),
    ];
    scratch.write_batch("c.parquet", &columns);
    ok(
        &scratch,
        &["fit", "c.parquet", "--model", "mbg-nbd", "--unit", "week", "--draws", "30", "-q", "-o", "m.json"],
    );
    let rules = "scheme = \"orders\"\n[[tier]]\nname = \"many\"\nwhen = \"expected_transactions >= top(expected_transactions, 20%)\"\n\
                 [[tier]]\nname = \"few\"\ndefault = true\n";
    scratch.write("s.toml", rules);
    let words =
        ["assess", "c.parquet", "--model", "m.json", "--unit", "week", "--date", "2026-01-01", "--scheme"];
    let found = json(&scratch, &[&words[..], &["s.toml"]].concat());
    assert_eq!(found["assessed"]["draws"]["has_money"], Value::Bool(false));
    let own = &found["assessed"]["schemes"][0]["own_rates"];
    assert_eq!(own["depends_on"], serde_json::json!(["expected_transactions"]));
    assert!(own["regret"][0]["value"].as_f64().unwrap() > 0.0);
    refused(&scratch, &[&words[..], &["clv"]].concat(), &["look at clv", "model of spend"]);
    // Somebody's own date is the table's where it says none; another one than the table's is refused.
    let scratch = cdnow();
    let other = ["assess", "c.parquet", "--model", "m.json", "--date", "1998-01-01"];
    refused(&scratch, &other, &["--date", "1997-09-30"]);
}
