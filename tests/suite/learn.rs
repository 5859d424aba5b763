//! `learn`: what a contact does, from the shop's randomised call-back and from tables that are no lottery.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, StringArray};
use serde_json::Value;
use tiercast::random::{Purpose, Stream, hash_integer, hash_text};

use crate::support::{Scratch, dataset, json, ok, refused};

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
    assert!(text.contains("# cost_on_contact = 1.5\n"));
    assert_eq!(text.matches("\nhalves = [{ effect = ").count(), 3);
    assert!(text.contains("that it lasts longer is an assumption (--over") && !text.contains("\nover"));
    // Said over how long the outcome looks: that it is held for longer is an assumption, and a warning says so.
    ok(&scratch, &[&words[..], &["--over", "12w", "-q"]].concat());
    let text = std::fs::read_to_string(scratch.path("responses.toml")).unwrap();
    assert_eq!(text.matches("\nover = \"12w\"\n").count(), 3);
    assert!(!text.contains("--over"));
    let head = "horizon = \"12w\"\nmargin = 0.3\nbudget = 1000\ntiers = \"value\"\n[[action]]\nname = \"call_back\"\ncost_on_contact = 1.5\n";
    let strategy = "\n[[strategy]]\nname = \"everybody\"\naction = \"call_back\"\nrule = \"uniform\"\n";
    scratch.write("strategies.toml", &format!("{head}{text}{strategy}"));
    let orders = dataset("shop/orders.parquet");
    let words = ["run", orders.to_str().unwrap(), "--strategies", "strategies.toml", "--dry-run", "-q"];
    ok(&scratch, &words);
    let held = |horizon: &str| {
        let text = format!("{head}{text}{strategy}").replacen("\"12w\"", &format!("\"{horizon}\""), 1);
        scratch.write("longer.toml", &text);
        let words = ["simulate", "before.parquet", "--strategies", "longer.toml", "--model", "nbd"];
        let ran =
            scratch.run(&[&words[..], &["--hold", "parameters,responses", "--replications", "2"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr
    };
    let said = "3 responses were measured over 12w and are held for 24w: that they last is an assumption";
    assert_eq!(held("24w").matches(said).count(), 1);
    assert!(!held("12w").contains("measured over"));
    // Spend is no count of orders.
    let spend = [
        "learn",
        contacts.to_str().unwrap(),
        "before.parquet",
        "--outcome",
        "spend_12w",
        "-o",
        "responses.toml",
    ];
    let on = |lever: &str| {
        let ran = scratch.run(&[&spend[..], &["--cost", "1.5", "--on", lever]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr.contains("\"spend_12w\" is no whole number for ")
            && ran.stderr.contains("a count of orders")
    };
    assert!(on("purchase_rate") && !on("spend"));
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
    assert!(text.contains("source = \"experiment\"") && !text.contains("source = \"assumption\""));
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
    contacts("chosen.parquet", &|i| spend(i) > 200.0 || i % 7 == 0, &orders, n);
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
    // Probabilities that the table contradicts are to be looked at: naming them is no remedy.
    let chance: ArrayRef = Arc::new(Float64Array::from(vec![0.9; n]));
    let treated: ArrayRef = Arc::new(BooleanArray::from((0..n).map(|i| i % 2 == 0).collect::<Vec<_>>()));
    let columns =
        [("customer_id", ids(n)), ("treated", treated), ("orders", numbers(&orders, n)), ("chance", chance)];
    scratch.write_batch("contradicted.parquet", &columns);
    let words = learn("contradicted.parquet", &["--probability", "chance"]);
    refused(
        &scratch,
        &words,
        &["where the probabilities make 540", "check the column \"chance\"", "--observational"],
    );
    assert!(!scratch.run(&words).stderr.contains("name the probability"));
    // Where no tier has a response nothing is written.
    let write = ["-o", "none.toml", "--cost", "1", "--on", "purchase_rate", "--randomised"];
    contacts("below.parquet", &|i| i % 2 == 0, &|i| orders(i) - 9.0, n);
    refused(
        &scratch,
        &learn("below.parquet", &write),
        &["there is none to write", "not above 0 in both arms", "--outcome"],
    );
    contacts("few.parquet", &|i| i % 2 == 0, &orders, 12);
    refused(&scratch, &learn("few.parquet", &write), &["there is none to write", "fewer than 10 customers"]);
    assert!(!scratch.names().contains(&"none.toml".to_string()));
    // Below 0 is no count either.
    contacts("back.parquet", &|i| i % 2 == 0, &|i| if i == 7 { -1.0 } else { 1.0 + orders(i) }, n);
    let ran = scratch.run(&learn("back.parquet", &write));
    assert!(ran.code == 0 && ran.stderr.contains("\"orders\" is below 0 for 1 of 600"), "{}", ran.stderr);
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
        &learn("fine.parquet", &["-o", "x.toml", "--cost=-1", "--on", "spend"]),
        &["--cost", "from 0 on"],
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
    let lot = |i: usize| hash_integer(i as u64) % 3;
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
    ];
    let ran = scratch.run(&[&words[..], &["--json"]].concat());
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
        assert_eq!(ok(&scratch, &[&words[..], &["--json", "--threads", threads]].concat()), ran.stdout);
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

/// The halves as anybody can make them again: within tier and arm by a random number keyed by seed and id, and each is what `learn` says of
/// its contacts alone, in whatever order the rows are.
#[test]
fn each_half_is_what_learn_says_of_it_alone() {
    let scratch = Scratch::new();
    let n = 3000usize;
    let id = |i: usize| format!("c{i}");
    let spend = |i: usize| (i * 7919 % 3001) as f64;
    let numbers = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    let ids =
        |of: &[usize]| -> ArrayRef { Arc::new(StringArray::from_iter_values(of.iter().map(|&i| id(i)))) };
    let all: Vec<usize> = (0..n).collect();
    let customers = [
        ("customer_id", ids(&all)),
        ("total_spend", numbers(all.iter().map(|&i| spend(i)).collect())),
        ("age", numbers(all.iter().map(|&i| (hash_integer(i as u64 + 7) % 50) as f64).collect())),
    ];
    scratch.write_batch("customers.parquet", &customers);
    let treated = |i: usize| hash_integer(i as u64).is_multiple_of(2);
    let outcome = |i: usize| {
        let luck = Stream::new(9, i as u64, 0, Purpose::Synth).exponential();
        luck + spend(i) / 3000.0 + if treated(i) { 0.4 } else { 0.0 }
    };
    let contacts = |name: &str, of: &[usize]| {
        let called: ArrayRef =
            Arc::new(BooleanArray::from(of.iter().map(|&i| treated(i)).collect::<Vec<_>>()));
        let came = numbers(of.iter().map(|&i| outcome(i)).collect());
        scratch.write_batch(name, &[("customer_id", ids(of)), ("treated", called), ("orders", came)]);
    };
    // The top fifth of the spenders is one tier, the next three tenths another.
    let tier = |i: usize| {
        let above = (0..n).filter(|&other| spend(other) > spend(i)).count();
        if above < n / 5 { 0 } else { 1 + usize::from(above >= n / 2) }
    };
    let mut cells: BTreeMap<_, Vec<(u64, u64, usize)>> = BTreeMap::new();
    for &i in &all {
        let hash = hash_text(id(i).as_bytes());
        let lot = Stream::new(7, hash, 0, Purpose::Halves).bits();
        cells.entry((tier(i), treated(i))).or_default().push((lot, hash, i));
    }
    let mut halves = [Vec::new(), Vec::new()];
    for cell in cells.values_mut() {
        cell.sort_unstable();
        let first = cell[0].0 as usize & 1;
        cell.iter().enumerate().for_each(|(rank, &(.., i))| halves[(first + rank) % 2].push(i));
    }
    contacts("all.parquet", &all);
    let mut turned = all.clone();
    turned.sort_unstable_by_key(|&i| hash_integer(i as u64 + 99));
    contacts("turned.parquet", &turned);
    let words = |table: &'static str, seed: &'static str| {
        let table =
            ["learn", table, "customers.parquet", "--outcome", "orders", "--randomised", "--seed", seed];
        [&table[..], &["--date", "2026-01-01", "--covariate", "total_spend,age"]].concat()
    };
    let whole = json(&scratch, &words("all.parquet", "7"));
    assert_eq!(json(&scratch, &words("turned.parquet", "7"))["learned"], whole["learned"]);
    let other = json(&scratch, &words("all.parquet", "8"));
    assert_ne!(other["learned"]["halves"], whole["learned"]["halves"]);
    assert_eq!(other["learned"]["effects"], whole["learned"]["effects"]);
    for (k, (name, half)) in ["first.parquet", "second.parquet"].into_iter().zip(&halves).enumerate() {
        contacts(name, half);
        let alone = json(&scratch, &words(name, "7"));
        let effects = alone["learned"]["effects"].as_array().unwrap();
        assert_eq!(effects.len(), 3);
        for (at, effect) in effects.iter().enumerate() {
            let found = &whole["learned"]["halves"][at]["halves"][k];
            assert_eq!((&found["treated"], &found["untreated"]), (&effect["treated"], &effect["untreated"]));
            for end in ["lift", "unbiased", "lower", "upper"] {
                let of = |value: &Value| value["lift"][end].as_f64().unwrap();
                assert!((of(found) - of(effect)).abs() < 1e-9, "{end}: {found} {effect}");
            }
        }
    }
    // What is written are these figures; where a half has too few it is said.
    let written = ["-o", "r.toml", "--cost", "2", "--on", "purchase_rate"];
    ok(&scratch, &[&words("all.parquet", "7")[..], &written].concat());
    let text = std::fs::read_to_string(scratch.path("r.toml")).unwrap();
    let parsed: toml::Table = text.parse().unwrap();
    for (at, response) in parsed["response"].as_array().unwrap().iter().enumerate() {
        for k in 0..2 {
            let of_half = &whole["learned"]["halves"][at]["halves"][k]["lift"];
            for (key, end) in [("effect", "unbiased"), ("lower", "lower"), ("upper", "upper")] {
                let found = response["halves"][k][key].as_float().unwrap();
                assert!((found - of_half[end].as_f64().unwrap()).abs() < 1e-6, "{response}");
            }
        }
    }
    let few: Vec<usize> = (0..n).filter(|&i| tier(i) > 0 || i % 20 == 0).collect();
    contacts("few.parquet", &few);
    ok(&scratch, &[&words("few.parquet", "7")[..], &written].concat());
    let text = std::fs::read_to_string(scratch.path("r.toml")).unwrap();
    assert_eq!((text.matches("\nhalves = [").count(), text.matches("# No halves").count()), (2, 1), "{text}");
}
