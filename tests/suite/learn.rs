//! `learn`: what a contact does, from the shop's randomised call-back and from tables that are no lottery.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, StringArray};
use serde_json::Value;

use crate::support::{Scratch, dataset};

fn ok(scratch: &Scratch, words: &[&str]) -> String {
    let ran = scratch.run(words);
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    ran.stdout
}

fn json(scratch: &Scratch, words: &[&str]) -> Value {
    serde_json::from_str(&ok(scratch, &[words, &["--json", "-q"]].concat())).unwrap()
}

fn refused(scratch: &Scratch, words: &[&str], parts: &[&str]) {
    let ran = scratch.run(words);
    assert_ne!(ran.code, 0, "{words:?}");
    for part in parts {
        assert!(ran.stderr.contains(part), "{words:?}: {part}: {}", ran.stderr);
    }
}

/// The shop's customers as of the day before the call.
fn shop() -> Scratch {
    let scratch = Scratch::new();
    let (orders, list) = (dataset("shop/orders.parquet"), dataset("shop/customers.parquet"));
    let words = [
        "summarize",
        orders.to_str().unwrap(),
        "--customers-list",
        list.to_str().unwrap(),
        "--drop-duplicates",
        "--as-of",
        "2025-01-12",
        "-q",
        "-o",
        "before.parquet",
    ];
    ok(&scratch, &words);
    scratch
}

/// The truth of the trial: lifts of about 3, 50 and 22 % in the three tiers (docs/shop.md).
#[test]
fn the_shops_call_back() {
    let scratch = shop();
    let contacts = dataset("shop/contacts.parquet");
    let words = [
        "learn",
        contacts.to_str().unwrap(),
        "before.parquet",
        "--outcome",
        "orders_12w",
        "--probability",
        "probability",
        "--policy",
        "nobody=",
        "--policy",
        "mid=mid:call_back",
        "-o",
        "responses.toml",
        "--cost",
        "1.5",
    ];
    let found = json(&scratch, &words);
    let learned = &found["learned"];
    assert_eq!(learned["known_probabilities"], Value::Bool(true));
    assert_eq!(learned["observational"], Value::Bool(false));
    assert!(learned["balance"][0]["p_value"].as_f64().unwrap() > 0.001);
    let effects = learned["effects"].as_array().unwrap();
    let truth = [0.03, 0.50, 0.22];
    for (effect, truth) in effects.iter().zip(truth) {
        let end = |name: &str| effect["lift"][name].as_f64().unwrap();
        assert!(end("lower") < truth && truth < end("upper"), "{effect}");
        assert_eq!(effect["estimates"].as_array().unwrap().len(), 4);
    }
    // Nobody is the control; calling the mid tier adds the effect there times its share.
    let policies = learned["policies"].as_array().unwrap();
    assert_eq!(policies[0]["above_control"]["value"].as_f64(), Some(0.0));
    assert!(policies[1]["above_control"]["lower"].as_f64().unwrap() > 0.0);
    // What is written is what a strategy file takes.
    let text = std::fs::read_to_string(scratch.path("responses.toml")).unwrap();
    assert_eq!(text.matches("[[response]]").count(), 3);
    assert_eq!(text.matches("source = \"experiment\"").count(), 3);
    let head = "horizon = \"12w\"\nmargin = 0.3\nbudget = 1000\ntiers = \"value\"\n[[action]]\nname = \"call_back\"\n";
    let strategy = "\n[[strategy]]\nname = \"everybody\"\naction = \"call_back\"\nrule = \"uniform\"\n";
    scratch.write("strategies.toml", &format!("{head}{text}{strategy}"));
    let orders = dataset("shop/orders.parquet");
    let words = ["run", orders.to_str().unwrap(), "--strategies", "strategies.toml", "--dry-run", "-q"];
    ok(&scratch, &words);
    // An earlier file of ours is replaced, another one is not.
    scratch.write("mine.toml", "a = 1\n");
    let mut other =
        vec!["learn", contacts.to_str().unwrap(), "before.parquet", "--outcome", "orders_12w", "-q", "-o"];
    other.extend(["responses.toml", "--cost", "1.5", "--shrink"]);
    ok(&scratch, &other);
    other[7] = "mine.toml";
    refused(&scratch, &other, &["mine.toml"]);
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let scratch = shop();
    let contacts = dataset("shop/contacts.parquet");
    let words = ["learn", contacts.to_str().unwrap(), "before.parquet", "--outcome", "spend_12w"];
    let one = ok(&scratch, &[&words[..], &["--threads", "1"]].concat());
    for threads in ["2", "3"] {
        assert_eq!(ok(&scratch, &[&words[..], &["--threads", threads]].concat()), one);
    }
}

#[test]
fn what_is_no_trial_is_refused() {
    let scratch = Scratch::new();
    let n = 600usize;
    let ids =
        |n: usize| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..n).map(|i| format!("c{i}")))) };
    let numbers = |of: &dyn Fn(usize) -> f64, n: usize| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values((0..n).map(of)))
    };
    let spend = |i: usize| (i * 7919 % 601) as f64;
    scratch.write_batch("customers.parquet", &[("customer_id", ids(n)), ("total_spend", numbers(&spend, n))]);
    let contacts = |name: &str, treated: &dyn Fn(usize) -> bool, outcome: &dyn Fn(usize) -> f64, n: usize| {
        let treated: ArrayRef = Arc::new(BooleanArray::from((0..n).map(treated).collect::<Vec<_>>()));
        scratch.write_batch(
            name,
            &[("customer_id", ids(n)), ("treated", treated), ("orders", numbers(outcome, n))],
        );
    };
    let orders = |i: usize| (i * 31 % 5) as f64;
    let learn = |name: &'static str, more: &[&'static str]| -> Vec<&'static str> {
        let words = ["learn", name, "customers.parquet", "--outcome", "orders", "--date", "2026-01-01"];
        [&words[..], more].concat()
    };
    // The best customers were called: no lottery.
    contacts("chosen.parquet", &|i| spend(i) > 300.0 || i % 7 == 0, &orders, n);
    refused(
        &scratch,
        &learn("chosen.parquet", &[]),
        &["not given by lot", "total_spend by +", "--observational"],
    );
    let found = json(&scratch, &learn("chosen.parquet", &["--observational", "-o", "r.toml", "--cost", "1"]));
    assert_eq!(found["learned"]["observational"], Value::Bool(true));
    let text = std::fs::read_to_string(scratch.path("r.toml")).unwrap();
    assert!(text.contains("source = \"assumption\"") && text.contains("not by lot"));
    // Nothing varies.
    contacts("same.parquet", &|i| i % 2 == 0, &|_| 1.0, n);
    refused(&scratch, &learn("same.parquet", &[]), &["outcome", "same for everybody"]);
    contacts("all.parquet", &|_| true, &orders, n);
    refused(&scratch, &learn("all.parquet", &[]), &["control group", "nobody who got it"]);
    // Contacts of customers whom nobody knows are counted and listed.
    contacts("more.parquet", &|i| i % 2 == 0, &orders, n + 7);
    let ran = scratch.run(&learn("more.parquet", &[]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("7 contacts are of customers who are not in")
            && ran.stderr.contains("c600, c601")
    );
    // Names.
    contacts("fine.parquet", &|i| i % 2 == 0, &orders, n);
    let mut words = learn("fine.parquet", &[]);
    words[4] = "order";
    refused(&scratch, &words, &["order", "orders"]);
    refused(&scratch, &learn("fine.parquet", &["--policy", "p=hih:treated"]), &["hih", "high"]);
    refused(&scratch, &learn("fine.parquet", &["--policy", "p"]), &["NAME=TIER:ACTION"]);
    refused(&scratch, &learn("fine.parquet", &["--probability", "orders"]), &["not between 0 and 1"]);
    refused(&scratch, &learn("fine.parquet", &["--treated", "customer"]), &["customer"]);
    refused(&scratch, &learn("fine.parquet", &["-o", "x.toml", "--cost", "0"]), &["--cost", "positive"]);
    assert!(!scratch.names().contains(&"x.toml".to_string()));
}
