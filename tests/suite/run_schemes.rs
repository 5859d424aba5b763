//! `tiercast run --scheme`: other schemes than the three of the main job, and strategies over their tiers.

use std::collections::BTreeMap;
use std::fs::{self, File};

use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::{Scratch, dataset};

/// A scheme by what the history, the scores and the models say.
const MINE: &str = r#"
scheme = "mine"
title = "Core"
[let]
high = "top(clv, 10%)"
[[tier]]
name = "core"
when = "clv >= high and r_score >= 4"
[[tier]]
name = "others"
default = true
"#;

/// One action on the tiers of that scheme.
const STRATEGIES: &str = r#"
horizon = "26w"
margin = 0.5
budget = 500
tiers = "mine"
[[action]]
name = "gift"
[[response]]
action = "gift"
tier = "core"
on = "purchase_rate"
curve = "saturating"
scale = 2.0
effect = 0.1
lower = 0.05
upper = 0.15
source = "assumption"
[[response]]
action = "gift"
tier = "others"
on = "purchase_rate"
curve = "saturating"
scale = 2.0
effect = 0.0
lower = 0.0
upper = 0.0
source = "assumption"
[[strategy]]
name = "to_the_core"
action = "gift"
rule = "shares"
shares = { core = 1.0 }
"#;

fn json(scratch: &Scratch, words: &[&str]) -> (Value, String) {
    let ran = scratch.run(&[words, &["--json"]].concat());
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    (serde_json::from_str(&ran.stdout).unwrap(), ran.stderr)
}

/// Customers by tier of every scheme of a list of tierings.
fn sizes(tierings: &Value) -> BTreeMap<String, Vec<(String, u64)>> {
    let of = |tiering: &Value| {
        let tiers = tiering["tiers"].as_array().unwrap().iter();
        let size = |t: &Value| (t["name"].as_str().unwrap().to_string(), t["customers"].as_u64().unwrap());
        (tiering["key"].as_str().unwrap().to_string(), tiers.map(size).collect())
    };
    tierings.as_array().unwrap().iter().map(of).collect()
}

fn read(scratch: &Scratch, name: &str) -> RecordBatch {
    let file = File::open(scratch.path(name)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(1 << 20).build();
    reader.unwrap().next().unwrap().unwrap()
}

#[test]
fn strategies_give_by_the_tiers_of_a_scheme_of_ones_own() {
    let scratch = Scratch::new();
    scratch.write("mine.toml", MINE);
    scratch.write("s.toml", STRATEGIES);
    let history = dataset("cdnow/cdnow_sample.parquet");
    let words = ["run", history.to_str().unwrap(), "--scheme", "stages,mine.toml,value", "--periods"];
    let more =
        ["quarter:4", "--strategies", "s.toml", "--model", "bg-nbd", "--replications", "20", "-o", "r"];
    let (run, _) = json(&scratch, &[&words[..], &more].concat());
    let found = sizes(&run["tiers"]);
    let keys: Vec<&str> =
        run["tiers"].as_array().unwrap().iter().map(|tiering| tiering["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["stages", "mine", "value"]);
    // The same as `tier` gives of the run's own table.
    let words = ["tier", "r/customers.parquet", "--scheme", "stages,mine.toml,value", "-q"];
    let (graded, _) = json(&scratch, &words);
    assert_eq!(sizes(&graded["tiers"]["schemes"]), found);
    let core = found["mine"][0].1;
    // Of the 236 in the top tenth, those who ordered lately.
    assert!((51..=236).contains(&core), "{core}");
    // All of the money goes to the core.
    assert_eq!(run["strategies"]["scheme"], "mine");
    assert_eq!(run["comparison"]["tiers"], serde_json::json!(["core", "others"]));
    let plan = &run["comparison"]["plans"][1];
    assert_eq!(plan["contacts"], serde_json::json!([[core], [0]]));
    assert!((plan["treatments"][0]["money"].as_f64().unwrap() - 500.0 / core as f64).abs() < 1e-9);
    let table = read(&scratch, "r/customers.parquet");
    let schema = table.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names[names.len() - 4..], ["cluster", "tier_stages", "tier_mine", "tier_value"]);
    let tiers = fs::read_to_string(scratch.path("r/tiers.csv")).unwrap();
    assert!(tiers.contains("mine,core") && !tiers.contains("abc,A"), "{tiers}");
    assert!(fs::read_to_string(scratch.path("r/report.html")).unwrap().contains("used by the strategies"));
}

/// Rules of a run see the list's columns; prospects are graded by `tier` alone, which is said.
#[test]
fn a_run_by_what_the_customers_list_says() {
    let scratch = Scratch::new();
    let (orders, list) = (dataset("shop/orders.parquet"), dataset("shop/customers.parquet"));
    let words = ["run", orders.to_str().unwrap(), "--customers-list", list.to_str().unwrap(), "--refunds"];
    let more = ["net", "--drop-duplicates", "--model", "bg-nbd", "--out", "r"];
    let (run, notes) =
        json(&scratch, &[&words[..], &more, &["--scheme", "satisfaction,life_cycle"]].concat());
    let found = sizes(&run["tiers"]);
    // As docs/schemes.md has them.
    let satisfaction = found["satisfaction"].iter().map(|(_, n)| *n);
    assert_eq!(satisfaction.collect::<Vec<_>>(), [4549, 4782, 5378, 3283]);
    assert_eq!(found["life_cycle"].iter().map(|(_, n)| *n).collect::<Vec<_>>(), [4753, 1476, 0, 3149, 8614]);
    assert!(notes.contains("life_cycle: the 2008 prospects of the customers list have no tier"), "{notes}");
    let table = read(&scratch, "r/customers.parquet");
    assert_eq!(table.column_by_name("tier_life_cycle").unwrap().null_count(), 2008);
    let at = |name: &str| table.schema().index_of(name).unwrap();
    assert_eq!(at("tier_satisfaction"), at("cluster") + 1);
    assert!(at("tier_life_cycle") < at("nature"));
    let (graded, _) = json(&scratch, &["tier", "r/customers.parquet", "--scheme", "life_cycle", "-q"]);
    assert_eq!(sizes(&graded["tiers"]["schemes"])["life_cycle"][2], ("prospect".to_string(), 2008));
}

/// Where nobody buys again there is no lifetime value, and who grades by it is told.
#[test]
fn schemes_without_their_models_are_left_out() {
    let scratch = Scratch::new();
    let rows = [(1, "2024-01-01", 10.0), (2, "2024-01-05", 20.0), (3, "2024-01-20", 5.0)];
    scratch.write_history("once.parquet", &rows);
    scratch.write("s.toml", &tiercast::strategy::BUNDLED.replace("tiers = \"value\"", "tiers = \"clv\""));
    let words = ["run", "once.parquet", "--scheme", "clv,loyalty,value", "--strategies", "s.toml"];
    let (run, notes) = json(&scratch, &words);
    assert_eq!(sizes(&run["tiers"]).into_keys().collect::<Vec<_>>(), ["loyalty", "value"]);
    assert!(notes.contains("nobody is graded by clv: it looks at clv, which models"), "{notes}");
    assert!(run["comparison"].is_null());
}

#[test]
fn bad_schemes_are_named_before_anything_is_written() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    scratch.write("s.toml", &tiercast::strategy::BUNDLED.replace("tiers = \"value\"", "tiers = \"clv\""));
    let fails = |words: &[&str], wanted: &[&str]| {
        let ran = scratch.run(&[&["run", history.to_str().unwrap()], words].concat());
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.stderr);
        for wanted in wanted {
            assert!(ran.stderr.contains(wanted), "{words:?}: {}", ran.stderr);
        }
        assert!(!scratch.path("tiercast-run").exists());
    };
    fails(&["--scheme", "valeu"], &["there is no such scheme", "did you mean \"value\"?"]);
    fails(&["--scheme", "value,value"], &["two schemes have that key"]);
    fails(&["--scheme", "none.toml", "--dry-run"], &["none.toml"]);
    fails(&["--scheme", "stages"], &["--periods quarter:"]);
    let wanted = "tiers = \"clv\" is not a tier scheme by which the run grades (--scheme)";
    fails(&["--strategies", "s.toml", "--dry-run"], &[wanted, "value, rfm, abc"]);
    scratch.write("tiercast.toml", "scheme = []\n");
    fails(&[], &["a run grades by at least one scheme", "tiercast.toml"]);
    scratch.write("tiercast.toml", "scheme = \"clv\"\n");
    let ran = scratch.run(&["run", "--strategies", "s.toml", "--dry-run", "-q"]);
    assert!(ran.stdout.contains("Tiers by: clv\n"), "{}{}", ran.stdout, ran.stderr);
    let ran = scratch.run_with(&["config"], &[("TIERCAST_SCHEME", "abc,clv")]);
    let line = ran.stdout.lines().find(|line| line.starts_with("scheme")).unwrap();
    assert!(
        line.starts_with("scheme = [\"abc\", \"clv\"] ") && line.ends_with("# TIERCAST_SCHEME"),
        "{line}"
    );
    // A scheme is an input, which no result may replace.
    fs::create_dir(scratch.path("own")).unwrap();
    scratch.write("own/mine.toml", MINE);
    let ran = scratch.run(&["run", "--scheme", "own/mine.toml", "--out", "own", "--force", "--dry-run"]);
    assert!(ran.code == 1 && scratch.path("own/mine.toml").exists(), "{}", ran.stdout);
}
