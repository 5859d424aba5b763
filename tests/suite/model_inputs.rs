//! What is given to `fit` and `predict` beside the models: places of outputs, seeds, priors, horizons, and tables that say
//! what cannot be.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::groups::{World, bad, good, json};
use crate::support::{Ran, Scratch};

fn survivors(scratch: &Scratch, name: &str) {
    // "Regular" of Fader and Hardie, "How to Project Customer Retention" (2007).
    let left = [1000, 631, 468, 382, 326, 289, 262, 241];
    let rows: String = (0..).zip(left).map(|(period, left)| format!("Regular,{period},{left}\n")).collect();
    scratch.write(name, &format!("cohort,period,survivors\n{rows}"));
}

fn line(scratch: &Scratch, line: &str, variables: &[(&str, &str)]) -> Ran {
    scratch.run_with(&line.split_whitespace().collect::<Vec<_>>(), variables)
}

#[track_caller]
fn refused(ran: Ran, says: &str) {
    assert!(matches!(ran.code, 1 | 2) && ran.stderr.contains(says), "{says}: {}", ran.stderr);
}

#[track_caller]
fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

fn read(scratch: &Scratch, name: &str) -> RecordBatch {
    let file = std::fs::File::open(scratch.path(name)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap()
}

/// An output replaces an earlier one of its kind; a history or another output only by force.
#[test]
fn outputs_replace_their_own_kind() {
    let scratch = Scratch::new();
    World::new(7).write(&scratch, "c.parquet");
    scratch.write("h.csv", "id,date,amount\n1,2024-01-01,5.5\n1,2024-02-01,6.5\n");
    done(line(&scratch, "convert h.csv -o h.parquet", &[]));
    for _ in 0..2 {
        good(&scratch, "fit c.parquet --model bg-nbd --draws 40 -o m.json");
        good(
            &scratch,
            "predict m.json c.parquet -o s.parquet --intervals 80% --id id --totals-by cohort --totals t.csv",
        );
    }
    // A customer table and a state replace their own kind as well.
    for _ in 0..2 {
        good(&scratch, "summarize h.parquet --customer id -o sum.parquet --state st.parquet");
    }
    // However the name is written, two outputs in one place are one output too many.
    bad(
        &scratch,
        "summarize h.parquet --customer id -o new.parquet --cohorts ./new.parquet",
        &["the customer table goes there"],
    );
    bad(
        &scratch,
        "summarize h.parquet --customer id -o new.parquet --state ./new.parquet",
        &["another result goes there"],
    );
    assert!(!scratch.path("new.parquet").exists());
    for (words, what) in [
        ("predict m.json c.parquet -o h.parquet", "h.parquet exists and is a history"),
        ("predict m.json c.parquet -o t.csv", "t.csv exists and is a table of totals"),
        ("fit c.parquet --model nbd -o s.parquet", "s.parquet exists and is a table of scores, not a model"),
        ("summarize h.parquet --customer id -o s.parquet", "s.parquet exists and is a table of scores"),
        ("predict m.json c.parquet -o sum.parquet", "sum.parquet exists and is a table of customers"),
        ("summarize h.parquet --customer id -o st.parquet", "st.parquet exists and is a state"),
        ("fit c.parquet --model nbd -o h.csv", "h.csv exists and is not a result of tiercast"),
    ] {
        bad(&scratch, words, &[what, "--force"]);
    }
    good(&scratch, "fit c.parquet --model nbd -o s.parquet --force");
    assert_eq!(json(&scratch, "s.parquet")["purchases"]["model"], "nbd");
}

/// The seed is a setting like others: flag, then environment, then settings file.
#[test]
fn the_seed_is_a_setting() {
    let scratch = Scratch::new();
    World::new(8).write(&scratch, "c.parquet");
    let two = [("TIERCAST_SEED", "2")];
    let seed_of = |name: &str, draws: &str| json(&scratch, name)[draws]["seed"].as_u64().unwrap();
    let fit = "fit c.parquet --unit day --model bg-nbd --draws 40 -o m.json";
    done(line(&scratch, fit, &two));
    assert_eq!(seed_of("m.json", "draws"), 2);
    done(line(&scratch, &format!("{fit} --seed 3"), &two));
    assert_eq!(seed_of("m.json", "draws"), 3);
    let predict = "predict m.json c.parquet --unit day -o s.parquet --intervals 80% --id id --json";
    let used = |more: &str, variables: &[(&str, &str)]| {
        let ran = done(line(&scratch, &format!("{predict} {more}"), variables));
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["intervals"]["seed"].as_u64().unwrap()
    };
    assert_eq!((used("", &[]), used("", &two), used("--seed 5", &two)), (3, 2, 5));
    // Without intervals only a seed that was typed is a slip.
    let plain = "predict m.json c.parquet --unit day -o s.parquet";
    done(line(&scratch, plain, &two));
    refused(line(&scratch, &format!("{plain} --seed 5"), &two), "--intervals");
    survivors(&scratch, "s.csv");
    done(line(&scratch, "fit s.csv --model sbg -o k.json", &two));
    assert_eq!(seed_of("k.json", "drawn"), 2);
    scratch.write("tiercast.toml", "seed = 9\n");
    assert_eq!(used("", &[]), 9);
    done(line(&scratch, "fit s.csv --model sbg --seed 4 -o k.json", &[]));
    assert_eq!(seed_of("k.json", "drawn"), 4);
}

/// Contracts take draws and a prior as purchases do, say what they keep in the same shape, and know one length of time
/// by two names.
#[test]
fn contracts_are_fitted_and_kept_like_purchases() {
    let scratch = Scratch::new();
    survivors(&scratch, "s.csv");
    let ran = done(line(&scratch, "fit s.csv --model bdw --period 1yr -o m.json --json", &[]));
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed, json(&scratch, "m.json"));
    assert_eq!(printed["kind"], "contract");
    assert_eq!(printed["comparison"]["survival"][0]["survivors"][1], 631);
    assert_eq!(printed["drawn"]["report"]["prior"], "weak");
    assert_eq!(printed["drawn"]["draws"]["c"].as_array().unwrap().len(), 1000);
    let base = "predict m.json s.csv -o f.parquet";
    done(line(&scratch, &format!("{base} --period 12mo"), &[]));
    refused(line(&scratch, &format!("{base} --period 6mo"), &[]), "periods of 1yr");
    // DERL is finite for the estimate, and not for every draw: that is said.
    let fit = "fit s.csv --model bdw -o m.json --prior flat --draws 60";
    done(line(&scratch, fit, &[]));
    let mut model = json(&scratch, "m.json");
    assert_eq!(model["drawn"]["report"]["prior"], "flat");
    model["contract"]["parameters"]["gamma"] = 3.0.into();
    model["drawn"]["draws"]["gamma"][0] = 0.1.into();
    scratch.write("n.json", &model.to_string());
    let free = "predict n.json s.csv -o f.parquet --horizon 3 --discount 0%/period";
    let ran = done(line(&scratch, free, &[]));
    assert!(ran.stderr.contains("the interval of DERL is left out"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("DERL is infinite at this discount"), "{}", ran.stderr);
    // Extreme parameters end at once.
    model["contract"]["parameters"]["c"] = 1e18.into();
    scratch.write("n.json", &model.to_string());
    done(line(&scratch, free, &[]));
    done(line(&scratch, "fit s.csv --model sbg -o m.json --draws 0", &[]));
    let refusing =
        line(&scratch, "predict m.json s.csv -o f.parquet --horizon 3 --discount 1%/period --seed 2", &[]);
    refused(refusing, "no draws");
    // No hint names an option that `fit` does not have.
    scratch.write("t.csv", "cohort,period,survivors\na,0,\"1,000\"\na,1,631\n");
    let ran = line(&scratch, "fit t.csv --model sbg", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("`tiercast convert`"), "{}", ran.stderr);
}

/// Who ordered first in a week that has not ended has had no opportunity, and the horizon is 52 weeks unless said.
#[test]
fn customers_without_an_opportunity_are_left_out() {
    let scratch = Scratch::new();
    let mut rows: Vec<(i64, String, f64)> = Vec::new();
    for id in 0..60i64 {
        // Mondays from 2024-01-01 on.
        let weeks =
            (0..12).filter(|week| *week == 0 || (id * 7 + week * week) % 5 < 2 && *week < 3 + id % 10);
        rows.extend(weeks.map(|week| {
            let day = "2024-01-01".parse::<tiercast::calendar::Day>().unwrap().0 + 7 * week as i32;
            (id, tiercast::calendar::Day(day).to_string(), 10.0)
        }));
    }
    // 2024-03-25 is the Monday of the week that is running on the 27th; 2024-03-24 ends the last whole one.
    rows.extend([
        (100, "2024-03-20".to_string(), 5.0),
        (101, "2024-03-25".to_string(), 5.0),
        (102, "2024-03-27".to_string(), 5.0),
    ]);
    let rows: Vec<(i64, &str, f64)> =
        rows.iter().map(|(id, day, amount)| (*id, day.as_str(), *amount)).collect();
    scratch.write_history("h.parquet", &rows);
    let fit = "fit h.parquet --model bg-bb --opportunity week -o m.json --draws 40";
    let ran = done(line(&scratch, fit, &[]));
    let says = "2 customers ordered first after 2024-03-24";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    assert_eq!(json(&scratch, "m.json")["fitted_to"]["customers"], 61);
    let predict = "predict m.json h.parquet -o s.parquet --json";
    let ran = done(line(&scratch, predict, &[]));
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((found["horizon"].as_u64(), found["found"]["not_scored"].as_u64()), (Some(52), Some(2)));
    assert_eq!(found["found"]["totals"]["customers"], 61);
    let scored = read(&scratch, "s.parquet");
    let expected = scored.column_by_name("expected_transactions").unwrap().as_primitive::<Float64Type>();
    let n = scored.column_by_name("n").unwrap().as_primitive::<UInt32Type>();
    let ids = scored.column(0).as_primitive::<arrow_array::types::Int64Type>();
    for (i, &id) in ids.values().iter().enumerate() {
        assert_eq!((expected.is_null(i), n.is_null(i)), (id > 100, id > 100), "{id}");
        assert!(id != 100 || n.value(i) == 0);
    }
    let total: f64 = expected.iter().flatten().sum();
    assert!((found["found"]["totals"]["expected_transactions"].as_f64().unwrap() / total - 1.0).abs() < 1e-9);
    // A year that somebody asked for is still no whole number of weeks.
    refused(line(&scratch, &format!("{predict} --horizon 12mo"), &[]), "no whole number of weeks");
    refused(line(&scratch, predict, &[("TIERCAST_HORIZON", "12mo")]), "no whole number of weeks");
}

#[test]
fn columns_that_cannot_be_told_apart_or_counted() {
    let scratch = Scratch::new();
    let world = World::new(9);
    let mut columns = world.columns();
    let n = world.x.len();
    let numbers =
        |of: &dyn Fn(usize) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values((0..n).map(of))) };
    let age = |i: usize| world.age[i].unwrap();
    columns.push(("age, in years", numbers(&age)));
    columns.push(("large", numbers(&|i| 1e15 + age(i))));
    columns.push(("lost", numbers(&|i| 1e17 + 8.0 * (i % 3) as f64)));
    columns.push(("infinite", numbers(&|i| if i == 13 { f64::INFINITY } else { age(i) })));
    let group = |i: usize| if i == 3 { "(none)" } else { "some" };
    columns.push(("group", Arc::new(StringArray::from_iter_values((0..n).map(group)))));
    scratch.write_batch("c.parquet", &columns);
    let fit = |covariates: &[&str], out: &str| {
        let mut words = vec!["fit", "c.parquet", "--unit", "day", "--model", "bg-nbd", "-o", out];
        covariates.iter().for_each(|name| words.extend(["--purchase-covariates", name]));
        scratch.run(&words)
    };
    // A name with a comma, alone and beside others; digits that a large mean takes are not lost.
    done(fit(&["age, in years"], "a.json"));
    done(fit(&["plan", "age, in years"], "b.json"));
    done(fit(&["age"], "d.json"));
    done(fit(&["large"], "l.json"));
    let coefficient =
        |name: &str| json(&scratch, name)["covariates"]["purchase"][0]["coefficient"].as_f64().unwrap();
    assert_eq!(coefficient("a.json"), coefficient("d.json"));
    assert!((coefficient("l.json") / coefficient("d.json") - 1.0).abs() < 1e-2);
    assert_eq!(json(&scratch, "b.json")["covariates"]["purchase"][1]["column"], "age, in years");
    refused(fit(&["lost"], "x.json"), "the last digit");
    let ran = fit(&["infinite"], "x.json");
    assert!(
        ran.stderr.contains("inf") && ran.stderr.contains("row 13") && !ran.stderr.contains("null"),
        "{}",
        ran.stderr
    );
    let mut infinite = world.clone();
    infinite.age[13] = Some(f64::INFINITY);
    infinite.write(&scratch, "i.parquet");
    let ran = line(&scratch, "predict d.json i.parquet --unit day -o s.parquet", &[]);
    assert!(
        ran.code == 1 && ran.stderr.contains("cannot be \"inf\"") && ran.stderr.contains("row 13"),
        "{}",
        ran.stderr
    );
    // The name that stands for no group cannot be a group's.
    good(&scratch, "fit c.parquet --model bg-nbd --draws 40 -o m.json");
    let by = "predict m.json c.parquet -o s.parquet --intervals 80% --id id --totals-by group";
    bad(&scratch, by, &["--totals-by", "(none)", "another name"]);
    // A level is said as it was written.
    let ran = good(&scratch, "predict m.json c.parquet -o s.parquet --intervals 7% --id id --margin 0.07");
    assert!(
        ran.stdout.contains("with 7\u{a0}% intervals") && ran.stdout.contains(" 7\u{a0}% of "),
        "{}",
        ran.stdout
    );
    // Money below 0 is counted.
    let mut owing = world.clone();
    let owe: Vec<usize> = (0..n).filter(|&i| world.x[i] > 0).take(4).collect();
    owe.iter().for_each(|&i| owing.spend[i] = -3.5);
    owing.write(&scratch, "o.parquet");
    let ran = good(&scratch, "fit o.parquet --model bg-nbd -o m.json");
    assert!(ran.stderr.contains("4 customers with a mean value of orders not above 0"), "{}", ran.stderr);
    let ran = good(&scratch, "predict m.json o.parquet -o s.parquet --json");
    assert!(ran.stderr.contains("4 customers have a mean value of orders below 0"), "{}", ran.stderr);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["totals"]["negative_money"], 4);
}

#[test]
fn prospects_alone_tell_nothing() {
    let scratch = Scratch::new();
    let nothing: ArrayRef = Arc::new(Float64Array::from(vec![None, None]));
    let ages: ArrayRef = Arc::new(Int64Array::from(vec![30, 40]));
    let names = ["frequency", "recency", "T"].map(|name| (name, Arc::clone(&nothing)));
    scratch.write_batch("p.parquet", &[&names[..], &[("age", ages)]].concat());
    for how in ["--covariates age", "--by age"] {
        bad(
            &scratch,
            &format!("fit p.parquet --model bg-nbd {how}"),
            &["p.parquet", "2 rows are all prospects"],
        );
    }
}
