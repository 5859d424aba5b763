//! Groups and covariates beside what else `fit` and `predict` do: other money, draws and intervals, models of other kinds,
//! bounds of parameters.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array};
use serde_json::Value;
use tiercast::clv::GammaGamma;

use crate::groups::{World, bad, good, json, scores};
use crate::support::Scratch;

/// The world's table with sums over all order days, of which 40 % is margin: means are `spend`, or 20 without a repeat
/// purchase.
fn with_margins(world: &World) -> (Vec<(&'static str, ArrayRef)>, Vec<f64>) {
    let mean = |i: usize| if world.x[i] == 0 { 20.0 } else { world.spend[i] };
    let margins: Vec<f64> = (0..world.x.len()).map(|i| 0.4 * mean(i)).collect();
    let total = |i: usize, mean: f64| (world.x[i] + 1) as f64 * mean;
    let column = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
    let mut columns = world.columns();
    columns.push(("total_spend", column((0..world.x.len()).map(|i| total(i, mean(i))).collect())));
    columns.push(("total_margin", column((0..world.x.len()).map(|i| total(i, margins[i])).collect())));
    (columns, margins)
}

/// A model of margins by group or with covariates reads the margins again, over the same order days.
#[test]
fn other_money_goes_with_groups_and_covariates() {
    let scratch = Scratch::new();
    let world = World::new(6);
    let (mut columns, margins) = with_margins(&world);
    scratch.write_batch("c.parquet", &columns);
    for how in ["--by region", "--covariates age"] {
        let line = format!("fit c.parquet --model bg-nbd {how} --money total_margin -o m.json --force");
        let ran = good(&scratch, &line);
        assert!(ran.stdout.contains("means over all order days"), "{how}: {}", ran.stdout);
        let model = json(&scratch, "m.json");
        assert_eq!(model["money"]["is"]["column"], "total_margin", "{how}");
        assert_eq!(model["money"]["is"]["over"], "all", "{how}");
        let ran = good(&scratch, "predict m.json c.parquet -o s.parquet");
        assert!(ran.stdout.contains("lifetime value is margin"), "{how}: {}", ran.stdout);
        let number = |name: &str| model["spend"]["parameters"][name].as_f64().unwrap();
        let spend = GammaGamma { p: number("p"), q: number("q"), gamma: number("gamma") };
        for (i, got) in scores(&scratch, "s.parquet", "expected_spend").into_iter().enumerate() {
            let want = spend.expected_spend(world.x[i] as u32 + 1, margins[i]);
            assert!((got / want - 1.0).abs() < 1e-12, "{how}, {i}: {got} {want}");
        }
        bad(
            &scratch,
            "predict m.json c.parquet -o t.parquet --margin 0.3",
            &["--margin", "fitted to margins"],
        );
    }
    bad(&scratch, "fit c.parquet --by region --money region", &["region"]);
    let line = "fit c.parquet --covariates total_margin --money total_margin";
    bad(&scratch, line, &["total_margin", "statistics that the models explain"]);
    columns.retain(|(name, _)| *name != "total_margin");
    scratch.write_batch("less.parquet", &columns);
    bad(&scratch, "predict m.json less.parquet -o t.parquet", &["total_margin"]);
    good(&scratch, "fit c.parquet --model bg-nbd --by region -o n.json");
    columns.retain(|(name, _)| *name != "monetary_value");
    scratch.write_batch("none.parquet", &columns);
    let says = ["the model has one of spend", "no column \"monetary_value\""];
    bad(&scratch, "predict n.json none.parquet -o t.parquet", &says);
    assert!(!scratch.names().contains(&"t.parquet".to_string()));
}

#[test]
fn what_does_not_go_with_groups_is_refused() {
    let scratch = Scratch::new();
    World::new(7).write(&scratch, "c.parquet");
    for how in ["--by region", "--covariates age", "--dropout-covariates plan"] {
        let line = format!("fit c.parquet --model bg-nbd {how} --draws 100");
        bad(&scratch, &line, &["--draws", "one model for all customers", "leave out --by"]);
    }
    for model in ["sbg", "bdw"] {
        for (how, option) in
            [("--by region", "--by"), ("--covariates age", "--covariates"), ("--penalty 1", "--penalty")]
        {
            let words = format!("fit c.parquet --model {model} {how}");
            let words: Vec<&str> = words.split_whitespace().collect();
            let ran = scratch.run(&words);
            assert_eq!(ran.code, 1, "{words:?}: {}", ran.stderr);
            let says = ran.stderr.contains(option) && ran.stderr.contains("belongs to models of purchases");
            assert!(says, "{words:?}: {}", ran.stderr);
        }
    }
    let words = ["fit", "c.parquet", "--model", "bg-bb", "--opportunity", "month", "--by", "region"];
    let ran = scratch.run(&words);
    assert!(ran.code == 1 && ran.stderr.contains("belongs to models of purchases"), "{}", ran.stderr);

    good(&scratch, "fit c.parquet --model bg-nbd --by region -o g.json");
    good(&scratch, "fit c.parquet --model bg-nbd --covariates age -o x.json");
    for (model, words) in [("g.json", "by group"), ("x.json", "with covariates")] {
        let line = format!("predict {model} c.parquet -o s.parquet --intervals 90%");
        bad(&scratch, &line, &["--intervals", "one model of purchases for all customers", model, words]);
    }
    assert_eq!(scratch.names(), ["c.parquet", "g.json", "x.json"]);
}

/// Files by group and with covariates have the bounds of all model files; so have customers' own parameters.
#[test]
fn bounds_hold_for_groups_and_covariates() {
    let scratch = Scratch::new();
    let mut world = World::new(8);
    world.write(&scratch, "c.parquet");
    good(&scratch, "fit c.parquet --model bg-nbd --by region -o g.json");
    good(&scratch, "fit c.parquet --model bg-nbd --purchase-covariates age -o x.json");
    let edited = |name: &str, pointer: &str, value: f64| {
        let mut model: Value = json(&scratch, name);
        *model.pointer_mut(pointer).unwrap() = value.into();
        scratch.write("bad.json", &model.to_string());
    };
    for (name, pointer, value, says) in [
        ("g.json", "/mean/r", 1e300, "\"mean\": the parameter \"r\" is 1e300, which is not between"),
        ("g.json", "/groups/north/b", 1e-30, "group \"north\": the parameter \"b\" is 1e-30"),
        ("g.json", "/purchases/parameters/a", 0.0, "\"a\" is 0e0"),
        ("g.json", "/spend/parameters/q", 1.0, "not above 1: the mean spend"),
        ("x.json", "/purchases/parameters/alpha", 1e30, "\"alpha\" is 1e30"),
        ("x.json", "/spend/parameters/q", 0.9, "not above 1: the mean spend"),
    ] {
        edited(name, pointer, value);
        bad(&scratch, "predict bad.json c.parquet -o s.parquet", &["bad.json", says]);
    }
    world.age[12] = Some(1e5);
    world.write(&scratch, "far.parquet");
    let says = ["the covariates in row 12", "\"alpha\" is", "not between 1e-18 and 1e18"];
    bad(&scratch, "predict x.json far.parquet -o s.parquet", &says);
    assert!(!scratch.names().contains(&"s.parquet".to_string()));
}
