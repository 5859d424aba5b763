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
        "--on",
        "purchase_rate",
    ];
    let found = json(&scratch, &words);
    let learned = &found["learned"];
    assert_eq!(learned["known_probabilities"], Value::Bool(true));
    assert_eq!(
        (learned["basis"].as_str(), &learned["doubtful"]),
        (Some("probabilities"), &Value::Bool(false))
    );
    assert!(learned["balance"][0]["p_value"].as_f64().unwrap() > 0.001);
    let effects = learned["effects"].as_array().unwrap();
    let truth = [0.03, 0.50, 0.22];
    for (effect, truth) in effects.iter().zip(truth) {
        let end = |name: &str| effect["lift"][name].as_f64().unwrap();
        assert!(end("lower") < truth && truth < end("upper"), "{effect}");
        // Four, or three where tiers and strata differ and probabilities vary within a tier.
        let plain = usize::from(effect["confounded"] == Value::Bool(false));
        assert_eq!(effect["estimates"].as_array().unwrap().len(), 3 + plain);
        assert!(effect["overlap"]["largest_weight"].as_f64().unwrap() < 0.01);
    }
    // Nobody is the control; calling the mid tier adds the effect there times its share.
    let policies = learned["policies"].as_array().unwrap();
    assert_eq!(policies[0]["above_control"]["value"].as_f64(), Some(0.0));
    assert!(policies[1]["above_control"]["lower"].as_f64().unwrap() > 0.0);
    // What is written is what a strategy file takes.
    let text = std::fs::read_to_string(scratch.path("responses.toml")).unwrap();
    assert_eq!(text.matches("[[response]]").count(), 3);
    assert_eq!(text.matches("source = \"experiment\"").count(), 3);
    assert!(text.contains("# max_per_customer = 1.5\n"));
    let head = "horizon = \"12w\"\nmargin = 0.3\nbudget = 1000\ntiers = \"value\"\n[[action]]\nname = \"call_back\"\nmax_per_customer = 1.5\n";
    let strategy = "\n[[strategy]]\nname = \"everybody\"\naction = \"call_back\"\nrule = \"uniform\"\n";
    scratch.write("strategies.toml", &format!("{head}{text}{strategy}"));
    let orders = dataset("shop/orders.parquet");
    let words = ["run", orders.to_str().unwrap(), "--strategies", "strategies.toml", "--dry-run", "-q"];
    ok(&scratch, &words);
    // An earlier file of ours is replaced, another one is not.
    scratch.write("mine.toml", "a = 1\n");
    let mut other =
        vec!["learn", contacts.to_str().unwrap(), "before.parquet", "--outcome", "orders_12w", "-q", "-o"];
    other.extend(["responses.toml", "--cost", "1.5", "--on", "purchase_rate", "--shrink"]);
    ok(&scratch, &other);
    // Nobody says that it was by lot: alike arms are no experiment.
    let text = std::fs::read_to_string(scratch.path("responses.toml")).unwrap();
    assert!(text.contains("source = \"assumption\"") && text.contains("not known to be by lot"));
    ok(&scratch, &[&other[..], &["--randomised"]].concat());
    let text = std::fs::read_to_string(scratch.path("responses.toml")).unwrap();
    assert!(text.contains("source = \"experiment\"") && !text.contains("assumption"));
    let unsaid = &other[..10];
    assert_eq!(unsaid.last(), Some(&"1.5"));
    refused(&scratch, unsaid, &["--on"]);
    other[7] = "mine.toml";
    refused(&scratch, &other, &["mine.toml"]);
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let scratch = shop();
    let contacts = dataset("shop/contacts.parquet");
    let words = ["learn", contacts.to_str().unwrap(), "before.parquet", "--outcome", "spend_12w", "--json"];
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
    let found = json(
        &scratch,
        &learn("chosen.parquet", &["--observational", "-o", "r.toml", "--cost", "1", "--on", "spend"]),
    );
    assert_eq!(found["learned"]["basis"].as_str(), Some("observational"));
    assert_eq!(found["learned"]["effects"][0]["confounded"], Value::Bool(true));
    refused(&scratch, &learn("chosen.parquet", &["--randomised"]), &["not given by lot"]);
    let text = std::fs::read_to_string(scratch.path("r.toml")).unwrap();
    assert!(text.contains("source = \"assumption\"") && text.contains("not by lot"));
    // Nothing varies.
    contacts("same.parquet", &|i| i % 2 == 0, &|_| 1.0, n);
    refused(&scratch, &learn("same.parquet", &[]), &["same.parquet", "\"orders\"", "same for everybody"]);
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
    refused(&scratch, &learn("fine.parquet", &["--policy", "p=high:treated,high:none"]), &["high", "twice"]);
    refused(&scratch, &learn("fine.parquet", &["--control", "x"]), &["--control", "\"treated\""]);
    // Whether it was by lot cannot be told without anything to compare, and is not taken for granted.
    let bare = ["--covariate", "nothing"];
    scratch.write_batch(
        "bare.parquet",
        &[("customer_id", ids(n)), ("total_spend", numbers(&spend, n)), ("nothing", numbers(&|_| 1.0, n))],
    );
    let mut words = learn("fine.parquet", &bare);
    words[2] = "bare.parquet";
    refused(&scratch, &words, &["nothing says whether", "--randomised", "--observational"]);
    let found = json(&scratch, &[&words[..], &["--randomised"]].concat());
    assert_eq!(found["learned"]["basis"].as_str(), Some("said_by_lot"));
    let found = json(&scratch, &[&words[..], &["--observational"]].concat());
    assert_eq!(found["learned"]["basis"].as_str(), Some("observational"));
    refused(&scratch, &learn("fine.parquet", &["--policy", "p"]), &["NAME=TIER:ACTION"]);
    refused(
        &scratch,
        &learn("fine.parquet", &["--probability", "orders"]),
        &["fine.parquet", "\"orders\" of customer c", "not between 0 and 1"],
    );
    refused(&scratch, &learn("fine.parquet", &["--treated", "customer"]), &["customer"]);
    refused(
        &scratch,
        &learn("fine.parquet", &["-o", "x.toml", "--cost", "0", "--on", "spend"]),
        &["--cost", "positive"],
    );
    assert!(!scratch.names().contains(&"x.toml".to_string()));
}

/// Two actions by name, blank ones, outcomes and covariates that are missing, and a tier of which nobody was called.
#[test]
fn tables_with_holes() {
    let scratch = Scratch::new();
    let n = 6000usize;
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values((0..n).map(|i| format!("c{i}"))));
    let spend = |i: usize| (i * 7919 % 6007) as f64;
    let known: ArrayRef = Arc::new(Float64Array::from_iter(
        (0..n).map(|i| (i % 10 != 3).then(|| (i * 86_028 % 5003) as f64 - 2500.0)),
    ));
    let money: ArrayRef = Arc::new(Float64Array::from_iter_values((0..n).map(spend)));
    scratch.write_batch(
        "customers.parquet",
        &[("customer_id", ids.clone()), ("total_spend", money), ("balance", known)],
    );
    // The highest tier is spend from the top fifth on: nobody there gets the letter.
    let lot = |i: usize| i * 104_729 % 7919 % 3;
    let action = |i: usize| match (lot(i), i % 100) {
        (_, 7) => Some(" "),
        (_, 8) => None,
        (0, _) => Some("control"),
        (1, _) => Some("call"),
        _ if spend(i) > 4500.0 => Some("control"),
        _ => Some("letter"),
    };
    let actions: ArrayRef = Arc::new(StringArray::from_iter((0..n).map(action)));
    let noise = |i: usize| (i * 31_337 % 1009) as f64 / 1009.0;
    let outcome = |i: usize| {
        let lift = if action(i) == Some("call") { 0.5 } else { 0.0 };
        let missing = i % 50 == 11 || (action(i) == Some("letter") && i % 10 == 1);
        (!missing).then(|| 1.0 + lift + noise(i))
    };
    let outcomes: ArrayRef = Arc::new(Float64Array::from_iter((0..n).map(outcome)));
    scratch.write_batch(
        "contacts.parquet",
        &[("customer_id", ids.clone()), ("action", actions.clone()), ("orders", outcomes)],
    );
    let words = [
        "learn",
        "contacts.parquet",
        "customers.parquet",
        "--outcome",
        "orders",
        "--date",
        "2026-01-01",
        "--covariate",
        "balance",
        "--json",
    ];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "the action of 60 is blank",
        "contacts without an outcome",
        "more so in some arms",
        "\"balance\" in customers.parquet is missing for",
        "everybody or nobody got \"letter\" in high",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let learned = &found["learned"];
    assert_eq!(learned["joined"]["incomplete"].as_u64(), Some(120));
    assert_eq!(learned["control"].as_str(), Some("control"));
    assert_eq!(learned["covariates"], serde_json::json!(["balance", "balance is missing"]));
    for effect in learned["effects"].as_array().unwrap() {
        let truth = if effect["action"].as_str() == Some("call") { 0.5 } else { 0.0 };
        let Some(last) = effect["estimates"].as_array().unwrap().last() else {
            assert_eq!((effect["action"].as_str(), effect["tier"].as_str()), (Some("letter"), Some("high")));
            continue;
        };
        assert!((last["effect"].as_f64().unwrap() - truth).abs() < 0.1, "{effect}");
    }
    for threads in ["1", "3"] {
        assert_eq!(ok(&scratch, &[&words[..], &["--threads", threads]].concat()), ran.stdout);
    }
    // Nothing means nothing: more customers, and less of the letter.
    let zero = json(&scratch, &[&words[..], &["--missing-outcome", "zero"]].concat());
    let used = |found: &Value| found["learned"]["joined"]["used"].as_u64().unwrap();
    assert!(used(&zero) > used(&found));
    // Treated by an action that is a control group's.
    let all: ArrayRef = Arc::new(BooleanArray::from((0..n).map(|i| i % 2 == 0).collect::<Vec<_>>()));
    let numbers: ArrayRef = Arc::new(Float64Array::from_iter_values((0..n).map(noise)));
    scratch.write_batch(
        "both.parquet",
        &[("customer_id", ids), ("action", actions), ("treated", all), ("orders", numbers)],
    );
    let mut both = words;
    both[1] = "both.parquet";
    refused(&scratch, &both, &["both.parquet", "customer c", "control group"]);
}
