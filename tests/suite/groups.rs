//! Fits by group and with covariates on the command line, and scores by them.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tiercast::calendar::Unit;
use tiercast::clv::{BgNbd, PurchaseModel};
use tiercast::random::{Purpose, Stream};

use crate::support::{Ran, Scratch};

const REGIONS: [&str; 4] = ["north", "south", "east", "west"];
const CUSTOMERS: usize = 900;

/// Customers of BG/NBD in days: purchases go with the region and with age, dropout with the plan.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) x: Vec<i64>,
    t_x: Vec<f64>,
    t: Vec<f64>,
    pub(crate) spend: Vec<f64>,
    pub(crate) region: Vec<Option<String>>,
    cohort: Vec<i64>,
    pub(crate) age: Vec<Option<f64>>,
    plan: Vec<Option<String>>,
    member: Vec<bool>,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut out = World::default();
        for i in 0..CUSTOMERS {
            let mut stream = Stream::new(seed, i as u64, 0, Purpose::Synth);
            let region = (stream.uniform() * 4.0) as usize;
            let age = (20.0 + 50.0 * stream.uniform()).floor();
            let monthly = stream.uniform() < 0.4;
            let rate = stream.gamma(0.9) / 20.0 * (0.03 * (age - 45.0) + 0.4 * region as f64 - 0.6).exp();
            let p = stream.beta(if monthly { 1.6 } else { 0.8 }, 3.0);
            let t = (150.0 + 450.0 * stream.uniform()).floor();
            let (mut x, mut t_x, mut now) = (0, 0.0, 0.0);
            loop {
                now += stream.exponential() / rate;
                if now > t {
                    break;
                }
                (x, t_x) = (x + 1, now);
                if stream.uniform() < p {
                    break;
                }
            }
            let level = stream.gamma(3.7) / 15.0;
            out.x.push(x);
            out.t_x.push(t_x);
            out.t.push(t);
            out.spend.push(if x == 0 { 0.0 } else { stream.gamma(6.0 * x as f64) / level / x as f64 });
            out.region.push((i % 30 != 7).then(|| REGIONS[region].to_string()));
            out.cohort.push([9, 10, 11][i % 3]);
            out.age.push(Some(age));
            out.plan.push(Some(if monthly { "month" } else { "year" }.to_string()));
            out.member.push(stream.uniform() < 0.5);
        }
        out
    }

    pub(crate) fn columns(&self) -> Vec<(&'static str, ArrayRef)> {
        let numbers = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
        vec![
            ("id", Arc::new(Int64Array::from_iter_values(0..self.x.len() as i64)) as ArrayRef),
            ("frequency", Arc::new(Int64Array::from(self.x.clone()))),
            ("recency", numbers(&self.t_x)),
            ("T", numbers(&self.t)),
            ("monetary_value", numbers(&self.spend)),
            ("region", Arc::new(StringArray::from(self.region.clone()))),
            ("cohort", Arc::new(Int64Array::from(self.cohort.clone()))),
            ("age", Arc::new(Float64Array::from(self.age.clone()))),
            ("plan", Arc::new(StringArray::from(self.plan.clone()))),
            ("member", Arc::new(BooleanArray::from(self.member.clone()))),
        ]
    }

    pub(crate) fn write(&self, scratch: &Scratch, name: &str) {
        scratch.write_batch(name, &self.columns());
    }

    /// Customer i is that of `order[i]`.
    fn reordered(&self, order: &[usize]) -> World {
        fn by<T: Clone>(values: &[T], order: &[usize]) -> Vec<T> {
            order.iter().map(|&i| values[i].clone()).collect()
        }
        World {
            x: by(&self.x, order),
            t_x: by(&self.t_x, order),
            t: by(&self.t, order),
            spend: by(&self.spend, order),
            region: by(&self.region, order),
            cohort: by(&self.cohort, order),
            age: by(&self.age, order),
            plan: by(&self.plan, order),
            member: by(&self.member, order),
        }
    }
}

fn read(scratch: &Scratch, name: &str) -> RecordBatch {
    let file = File::open(scratch.path(name)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap()
}

pub(crate) fn scores(scratch: &Scratch, name: &str, column: &str) -> Vec<f64> {
    read(scratch, name).column_by_name(column).unwrap().as_primitive::<Float64Type>().values().to_vec()
}

/// Runs a line of words; days are the unit of all tables here.
fn run(scratch: &Scratch, line: &str) -> Ran {
    let words: Vec<&str> = line.split_whitespace().chain(["--unit", "day"]).collect();
    scratch.run(&words)
}

pub(crate) fn good(scratch: &Scratch, line: &str) -> Ran {
    let ran = run(scratch, line);
    assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    ran
}

pub(crate) fn bad(scratch: &Scratch, line: &str, says: &[&str]) {
    let ran = run(scratch, line);
    assert_eq!(ran.code, 1, "{line}: {}", ran.stderr);
    assert!(says.iter().all(|says| ran.stderr.contains(says)), "{line}: {}", ran.stderr);
    assert!(ran.stderr.contains("hint:"), "{line}: {}", ran.stderr);
}

pub(crate) fn json(scratch: &Scratch, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(scratch.path(name)).unwrap()).unwrap()
}

#[test]
fn groups_are_fitted_and_scored() {
    let scratch = Scratch::new();
    let world = World::new(1);
    world.write(&scratch, "c.parquet");
    let ran = good(&scratch, "fit c.parquet --model bg-nbd --by region -o m.json");
    for says in ["north", "(none)", "Between groups by region", "shrinkage to the mean", "verified optimum"] {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    for says in ["one for all groups", "30 customers have no region", "with 5 groups the spread"] {
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
    let model = json(&scratch, "m.json");
    assert_eq!(model["kind"], "purchases-by-group");
    assert_eq!(model["groups"].as_object().unwrap().len(), 5);
    let counted: u64 =
        model["pooling"]["groups"].as_array().unwrap().iter().map(|g| g["customers"].as_u64().unwrap()).sum();
    assert_eq!(counted, CUSTOMERS as u64);
    let printed = good(&scratch, "fit c.parquet --model bg-nbd --by region --json");
    assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap(), model);
    // More purchases from north to west, as they were drawn.
    let rate = |group: &Value| group["r"].as_f64().unwrap() / group["alpha"].as_f64().unwrap();
    let rates = REGIONS.map(|region| rate(&model["groups"][region]));
    assert!(rates.is_sorted(), "{rates:?}");

    // Scores are those of the group's parameters, those of other groups of their mean.
    let mut others = world.clone();
    others.region[3] = Some("mars".to_string());
    others.region[4] = Some("moon".to_string());
    others.write(&scratch, "p.parquet");
    let ran = good(&scratch, "predict m.json p.parquet -o s.parquet --json");
    assert!(ran.stderr.contains("2 customers are of 2 groups"), "{}", ran.stderr);
    assert!(ran.stderr.contains("mars, moon") && ran.stderr.contains("groups' mean"), "{}", ran.stderr);
    let totals: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(totals["totals"]["unknown_groups"], serde_json::json!({"mars": 1, "moon": 1}));
    let alive = scores(&scratch, "s.parquet", "p_alive");
    assert_eq!(alive.len(), CUSTOMERS);
    for (i, alive) in alive.into_iter().enumerate() {
        let name = others.region[i].as_deref().unwrap_or("(none)");
        let group = model["groups"].get(name).unwrap_or(&model["mean"]);
        let number = |name: &str| group[name].as_f64().unwrap();
        let (r, alpha, a, b) = (number("r"), number("alpha"), number("a"), number("b"));
        let params = BgNbd { r, alpha, a, b, unit: Unit::Day };
        let want = params.p_alive(others.x[i] as u32, others.t_x[i], others.t[i]);
        assert!((alive - want).abs() < 1e-12, "{i}: {alive} {want}");
    }
    // A column of another type with the same names is the same column.
    good(&scratch, "fit c.parquet --model nbd --by cohort -o n.json");
    assert!(json(&scratch, "n.json")["groups"]["9"].is_object());
    let mut columns = world.columns();
    let texts = StringArray::from_iter_values(world.cohort.iter().map(i64::to_string));
    columns[6].1 = Arc::new(texts);
    scratch.write_batch("t.parquet", &columns);
    let ran = good(&scratch, "predict n.json t.parquet -o t2.parquet");
    assert!(!ran.stderr.contains("does not know"), "{}", ran.stderr);
    columns.retain(|(name, _)| *name != "region");
    scratch.write_batch("u.parquet", &columns);
    bad(&scratch, "predict m.json u.parquet -o v.parquet", &["no column \"region\" for the groups"]);
    assert!(!scratch.names().contains(&"v.parquet".to_string()));
}

#[test]
fn groups_do_not_show_threads_or_order() {
    let world = World::new(2);
    let order: Vec<usize> = (0..CUSTOMERS).map(|i| (i * 7 + 5) % CUSTOMERS).collect();
    assert_ne!(CUSTOMERS % 7, 0);
    let files = [(world.clone(), "1"), (world.clone(), "3"), (world.reordered(&order), "2")];
    let models: Vec<Vec<u8>> = files
        .iter()
        .map(|(world, threads)| {
            let scratch = Scratch::new();
            world.write(&scratch, "c.parquet");
            good(
                &scratch,
                &format!("fit c.parquet --model bg-nbd --by region -o m.json --threads {threads}"),
            );
            good(&scratch, &format!("predict m.json c.parquet -o s.parquet --threads {threads}"));
            let model = json(&scratch, "m.json");
            let mut bytes = model["groups"].to_string().into_bytes();
            if *threads != "2" {
                bytes.extend(model.to_string().into_bytes());
                bytes.extend(std::fs::read(scratch.path("s.parquet")).unwrap());
            }
            bytes
        })
        .collect();
    assert!(models[0] == models[1]);
    assert!(models[0].starts_with(&models[2]), "the order of rows shows");
}

#[test]
fn bad_groups_are_refused() {
    let scratch = Scratch::new();
    let mut world = World::new(3);
    world.write(&scratch, "c.parquet");
    for (options, says) in [
        ("--by regoin", &["no column \"regoin\" for the groups", "region"][..]),
        ("--by age", &["column \"age\" has type Float64", "text, integers or booleans"]),
        ("--by frequency", &["--by", "statistics that the models explain"]),
        ("--by region --covariates age", &["--by", "\"age\"", "do not go together"]),
        ("--penalty 3", &["--penalty", "no covariates"]),
    ] {
        bad(&scratch, &format!("fit c.parquet --model bg-nbd {options} -o m.json"), says);
    }
    world.region = vec![Some("north".to_string()); CUSTOMERS];
    world.write(&scratch, "one.parquet");
    bad(&scratch, "fit one.parquet --by region", &["--by", "same value, \"north\""]);
    world.region[0] = Some("(none)".to_string());
    world.write(&scratch, "none.parquet");
    bad(&scratch, "fit none.parquet --by region", &["\"(none)\", which stands for customers without one"]);
    // A file by group says what it is where another is needed, and is checked.
    good(&scratch, "fit c.parquet --model bg-nbd --by member -o m.json");
    let text = std::fs::read_to_string(scratch.path("m.json")).unwrap();
    let mut model: Value = serde_json::from_str(&text).unwrap();
    model["groups"]["true"]["alpha"] = (-1.0).into();
    scratch.write("bad.json", &model.to_string());
    bad(
        &scratch,
        "predict bad.json c.parquet -o s.parquet",
        &["bad.json", "group \"true\"", "\"alpha\" is -1e0", "between 1e-18 and 1e18"],
    );
    assert_eq!(scratch.names(), ["bad.json", "c.parquet", "m.json", "none.parquet", "one.parquet"]);
}

#[test]
fn covariates_are_fitted_and_scored() {
    let scratch = Scratch::new();
    let world = World::new(4);
    world.write(&scratch, "c.parquet");
    let line = "fit c.parquet --model bg-nbd --purchase-covariates age,member --dropout-covariates plan";
    let ran = good(&scratch, &format!("{line} -o m.json"));
    for says in ["plan = month, against year", "likelihood ratio", "3 degrees of freedom", "With and without"]
    {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("the model of spend has no covariates"), "{}", ran.stderr);
    let model = json(&scratch, "m.json");
    assert_eq!(model["kind"], "purchases-with-covariates");
    let coefficients = model["coefficients"]["coefficients"].as_array().unwrap();
    // Age moves purchases by 0.03 a year; membership by nothing. ln(1.6/0.8) for the plan.
    for (coefficient, truth) in coefficients.iter().zip([0.03, 0.0, 2f64.ln()]) {
        let estimate = coefficient["estimate"].as_f64().unwrap();
        let error = coefficient["standard_error"].as_f64().unwrap();
        assert!((estimate - truth).abs() < 3.5 * error, "{coefficient}");
    }

    let mut others = world.clone();
    others.age[5] = Some(90.0);
    others.write(&scratch, "p.parquet");
    let ran = good(&scratch, "predict m.json p.parquet -o s.parquet");
    assert!(ran.stderr.contains("1 customers have covariates beyond"), "{}", ran.stderr);
    let alive = scores(&scratch, "s.parquet", "p_alive");
    let orders = scores(&scratch, "s.parquet", "expected_transactions");
    let number = |pointer: &str| model.pointer(pointer).unwrap().as_f64().unwrap();
    let base = |name: &str| number(&format!("/purchases/parameters/{name}"));
    let effect = |k: usize, what: &str| number(&format!("/covariates/purchase/{k}/{what}"));
    let (reference, other) = match world.member.iter().filter(|member| **member).count() {
        members if members > CUSTOMERS / 2 => ("true", "false"),
        _ => ("false", "true"),
    };
    assert_eq!(model["covariates"]["purchase"][1]["reference"], reference);
    for (i, (alive, orders)) in alive.into_iter().zip(orders).enumerate() {
        let is_reference = world.member[i].to_string() == reference;
        let member = if is_reference { 0.0 } else { effect(1, &format!("coefficients/{other}")) };
        let purchase = effect(0, "coefficient") * (others.age[i].unwrap() - effect(0, "mean")) + member;
        let monthly = world.plan[i].as_deref() == Some("month");
        let dropout = if monthly { number("/covariates/dropout/0/coefficients/month") } else { 0.0 };
        let (alpha, a) = (base("alpha") * (-purchase).exp(), base("a") * dropout.exp());
        let params = BgNbd { r: base("r"), alpha, a, b: base("b"), unit: Unit::Day };
        let (x, t_x, t) = (world.x[i] as u32, world.t_x[i], world.t[i]);
        assert!((alive - params.p_alive(x, t_x, t)).abs() < 1e-12, "{i}");
        let want = PurchaseModel::conditional_expected(&params, x, t_x, t, 365.25);
        assert!((orders - want).abs() < 1e-9 * (1.0 + want), "{i}: {orders} {want}");
    }
    // A penalty shrinks, shows both likelihoods and tests nothing.
    let ran = good(&scratch, &format!("{line} --penalty 100 -o n.json"));
    assert!(ran.stdout.contains("less the penalty at 100"), "{}", ran.stdout);
    assert!(ran.stdout.contains("No likelihood-ratio test"), "{}", ran.stdout);
    let shrunk = json(&scratch, "n.json");
    let age = |model: &Value| model["covariates"]["purchase"][0]["coefficient"].as_f64().unwrap();
    assert!(age(&shrunk) > 0.0 && age(&shrunk) < age(&model));
    // Threads do not show.
    for threads in ["1", "3"] {
        good(&scratch, &format!("{line} -o t{threads}.json --threads {threads}"));
        let line = format!("predict t{threads}.json c.parquet -o t{threads}.parquet --threads {threads}");
        good(&scratch, &line);
    }
    for (a, b) in [("t1.json", "t3.json"), ("t1.parquet", "t3.parquet")] {
        assert!(std::fs::read(scratch.path(a)).unwrap() == std::fs::read(scratch.path(b)).unwrap(), "{a}");
    }
    // Both sides at once, of the other model.
    good(&scratch, "fit c.parquet --model pareto-nbd --covariates age -o p.json");
    let both = json(&scratch, "p.json");
    assert_eq!(both["covariates"]["dropout"][0]["column"], "age");
}

#[test]
fn bad_covariates_are_refused() {
    let scratch = Scratch::new();
    let world = World::new(5);
    let mut columns = world.columns();
    let doubled: Vec<f64> = world.age.iter().map(|age| 2.0 * age.unwrap()).collect();
    columns.push(("twice", Arc::new(Float64Array::from(doubled))));
    columns.push(("same", Arc::new(Int64Array::from(vec![3; CUSTOMERS]))));
    let names = StringArray::from_iter_values((0..CUSTOMERS).map(|i| format!("c{i}")));
    columns.push(("name", Arc::new(names)));
    scratch.write_batch("c.parquet", &columns);
    for (options, says) in [
        ("--covariates ages", &["no column \"ages\" for the covariate", "age"][..]),
        ("--covariates region", &["\"region\"", "30 customers", "the first in row 7"]),
        ("--covariates age,twice", &["\"twice\"", "follows from \"age\""]),
        ("--covariates same", &["\"same\"", "all customers have this value"]),
        ("--covariates name", &["\"name\"", "900 levels"]),
        ("--covariates age --purchase-covariates age", &["\"age\"", "twice"]),
        ("--covariates recency", &["recency", "statistics that the models explain"]),
        ("--covariates age --penalty -1", &["--penalty", "from 0 on"]),
    ] {
        bad(&scratch, &format!("fit c.parquet --model bg-nbd {options} -o m.json"), says);
    }
    bad(&scratch, "fit c.parquet --model mbg-nbd --covariates age", &["mbg-nbd", "covariates are not there"]);
    assert_eq!(scratch.names(), ["c.parquet"]);

    good(&scratch, "fit c.parquet --model bg-nbd --purchase-covariates age,plan -o m.json");
    let mut others = world.clone();
    others.plan[11] = Some("decade".to_string());
    others.write(&scratch, "level.parquet");
    let line = "predict m.json level.parquet -o s.parquet";
    bad(&scratch, line, &["\"plan\"", "\"decade\"", "no customer of the fit", "row 11"]);
    others.plan[11] = None;
    others.write(&scratch, "null.parquet");
    bad(&scratch, "predict m.json null.parquet -o s.parquet", &["\"plan\"", "row 11", "no value", "null"]);
    let mut columns = world.columns();
    columns[7].1 = Arc::new(StringArray::from(vec!["old"; CUSTOMERS]));
    scratch.write_batch("text.parquet", &columns);
    bad(&scratch, "predict m.json text.parquet -o s.parquet", &["\"age\"", "fitted to numbers"]);
    columns.remove(7);
    scratch.write_batch("less.parquet", &columns);
    bad(&scratch, "predict m.json less.parquet -o s.parquet", &["no column \"age\" for the covariate"]);
    assert!(!scratch.names().contains(&"s.parquet".to_string()));
}
