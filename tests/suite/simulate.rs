//! `simulate`, `init` and `compare`: what strategies gain, on whom, and what is refused.

use std::collections::BTreeMap;
use std::fs::File;

use arrow_array::{Array, RecordBatch, UInt64Array};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::{Scratch, dataset, json, ok, refused, write_parquet};

/// A scratch folder with CDNOW's sample customers, and a model of theirs with draws.
fn cdnow() -> Scratch {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    let words = ["summarize", history.to_str().unwrap(), "--customer", "sample_id", "-q", "-o", "c.parquet"];
    ok(&scratch, &words);
    ok(&scratch, &["fit", "c.parquet", "--model", "bg-nbd", "--draws", "240", "-q", "-o", "m.json"]);
    scratch
}

/// A strategy file of one action with these effects (value, half width) in high, mid and low, and what else is given.
fn file(effects: [(f64, f64); 3], head: &str, action: &str, strategies: &str) -> String {
    let mut text = format!(
        "horizon = \"52w\"\nperiods = 4\nmargin = 0.5\ntiers = \"value\"\n{head}\n[[action]]\nname = \"act\"\n{action}\n"
    );
    for (tier, (effect, width)) in ["high", "mid", "low"].iter().zip(effects) {
        text += &format!(
            "[[response]]\naction = \"act\"\ntier = \"{tier}\"\non = \"purchase_rate\"\neffect = {effect}\nlower = {}\nupper = \
             {}\nsource = \"assumption\"\n",
            effect - width,
            effect + width
        );
    }
    text + strategies
}

const BY_TIER: &str = "[[strategy]]\nname = \"more to the high\"\naction = \"act\"\nrule = \"shares\"\nshares = { high = 1.0 }\n\
                       [[strategy]]\nname = \"even\"\naction = \"act\"\nrule = \"uniform\"\n";

fn standing<'v>(found: &'v Value, name: &str) -> (&'v Value, f64) {
    let comparison = &found["simulated"]["comparison"];
    let s = comparison["strategies"].as_array().unwrap().iter().position(|own| own == name).unwrap();
    let rows = comparison["rows"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["strategy"] == s && row["tier"].is_null() && row["metric"] == "profit")
        .unwrap();
    (&comparison["standings"][s], row["difference"]["value"].as_f64().unwrap())
}

/// Everybody assumes that the high tier should get more. Where it does not respond, that strategy ranks last, and the loss is
/// said.
#[test]
fn more_for_a_tier_that_does_not_respond_ranks_last() {
    let scratch = cdnow();
    let text = file([(0.0, 0.0), (0.5, 0.1), (0.5, 0.1)], "budget = 1000", "cost_on_contact = 1.0", BY_TIER);
    scratch.write("s.toml", &text);
    let found = json(
        &scratch,
        &["simulate", "c.parquet", "--strategies", "s.toml", "--model", "m.json", "--replications", "240"],
    );
    let (high, of_high) = standing(&found, "more to the high");
    let (even, of_even) = standing(&found, "even");
    assert!(of_high < -400.0 && of_high < of_even, "{of_high} {of_even}");
    assert_eq!(
        (&high["verdict"], &even["p_best"]),
        (&Value::from("loses"), &Value::from(even["p_best"].as_f64().unwrap()))
    );
    let shown = ok(
        &scratch,
        &[
            "simulate",
            "c.parquet",
            "--strategies",
            "s.toml",
            "--model",
            "m.json",
            "--replications",
            "240",
            "-q",
        ],
    );
    assert!(shown.contains("loses"), "{shown}");
}

/// A discount that nobody answers costs what it leaves to those who would have bought anyway.
#[test]
fn a_discount_for_who_does_not_care_loses_and_says_so() {
    let scratch = cdnow();
    let action = "cost_on_contact = 0.0\nprice_cut = 0.2";
    let only = "[[strategy]]\nname = \"cut for the high\"\naction = \"act\"\nrule = \"shares\"\nshares = { high = 1.0 }\n";
    scratch.write("s.toml", &file([(0.0, 0.01); 3], "budget = 1000", action, only));
    let words =
        ["simulate", "c.parquet", "--strategies", "s.toml", "--model", "m.json", "--replications", "240"];
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in ["sets prices by tier (high 20.0", "loses", "hardly order more for a lower price"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    // What it loses is a fifth of the high tier's revenue, claims by everybody included.
    let found = json(&scratch, &words);
    let (standing, gain) = standing(&found, "cut for the high");
    assert_eq!(standing["verdict"], "loses");
    let rows = found["simulated"]["comparison"]["rows"].as_array().unwrap();
    let revenue = rows
        .iter()
        .find(|row| row["strategy"] == 1 && row["tier"] == 0 && row["metric"] == "revenue")
        .unwrap();
    let revenue = revenue["estimate"]["value"].as_f64().unwrap();
    assert!((gain + 0.2 * revenue).abs() < 0.02 * revenue, "{gain} {revenue}");
}

/// Values of periods are those of the horizon in parts, tier by tier, what would have come in anyway taken off.
#[test]
fn periods_add_up_to_the_horizon() {
    let scratch = cdnow();
    let action = "cost_on_contact = 1.0\ncost_on_response = 0.2\ncannibalisation = { value = 0.3, lower = 0.1, upper = 0.5, source = \
                  \"elicited\" }";
    scratch.write("s.toml", &file([(0.2, 0.3), (0.4, 0.1), (0.1, 0.2)], "budget = 1000", action, BY_TIER));
    let words =
        ["simulate", "c.parquet", "--strategies", "s.toml", "--model", "m.json", "--replications", "40"];
    let found = json(&scratch, &words);
    let comparison = &found["simulated"]["comparison"];
    let periods = comparison["periods"].as_array().unwrap();
    let mut compared = 0;
    for row in comparison["rows"].as_array().unwrap() {
        let Some(metric) = ["orders", "revenue"].into_iter().find(|metric| row["metric"] == *metric) else {
            continue;
        };
        let own = periods.iter().filter(|of| of["strategy"] == row["strategy"] && of["tier"] == row["tier"]);
        let own: Vec<&Value> = own.collect();
        assert_eq!(own.len(), 4);
        for (whole, part) in
            [("estimate", metric.to_string()), ("difference", format!("{metric}_difference"))]
        {
            let sum: f64 = own.iter().map(|of| of[&part]["value"].as_f64().unwrap()).sum();
            let whole = row[whole]["value"].as_f64().unwrap();
            assert!((sum - whole).abs() < 1e-9 * (1.0 + whole.abs()), "{part}: {sum} {whole}");
            compared += 1;
        }
    }
    assert_eq!(compared, 3 * 4 * 2 * 2);
}

/// The loss that is said of a cut is the cut's own: what contacts and fixed cost take is said to be that.
#[test]
fn a_cut_is_not_blamed_for_what_contacts_cost() {
    let scratch = cdnow();
    let words =
        ["simulate", "c.parquet", "--strategies", "s.toml", "--model", "m.json", "--replications", "240"];
    let said = |effect: f64| {
        let action = "cost_on_contact = 20.0\nprice_cut = 0.02";
        let only =
            "[[strategy]]\nname = \"cut\"\naction = \"act\"\nrule = \"shares\"\nshares = { high = 1.0 }\n";
        scratch.write("s.toml", &file([(effect, 0.01); 3], "budget = 100000", action, only));
        let found = json(&scratch, &words);
        let (_, gain) = standing(&found, "cut");
        let plan = &found["simulated"]["comparison"]["plans"][1];
        let warnings = found["warnings"].as_array().unwrap();
        let of: Vec<&str> =
            warnings.iter().map(|w| w.as_str().unwrap()).filter(|w| w.contains("in tier high")).collect();
        assert_eq!(of.len(), 1, "{warnings:?}");
        (of[0].to_string(), gain, plan["cost"].as_f64().unwrap())
    };
    let (cut, gain, paid) = said(0.0);
    let own = tiercast::report::format::money(-(gain + paid));
    assert!(
        cut.contains(&format!("loses {own} in tier high by what its orders cost")),
        "{gain} {paid}: {cut}"
    );
    assert!(cut.contains("come on top") && cut.contains("hardly order more"), "{cut}");
    let (contacts, gain, paid) = said(0.2);
    assert!(gain < 0.0 && gain + paid > 0.0);
    assert!(contacts.contains("contacts and fixed cost") && !contacts.contains("hardly"), "{contacts}");
}

/// A budget that reaches everybody leaves rules nothing to choose, and a file without strategies has nothing to compare.
#[test]
fn strategies_that_are_the_same_plan_and_none_at_all_are_said() {
    let scratch = cdnow();
    let words = [
        "simulate",
        "c.parquet",
        "--strategies",
        "s.toml",
        "--model",
        "m.json",
        "--replications",
        "20",
        "-o",
        "out",
    ];
    let best = "[[strategy]]\nname = \"best\"\naction = \"act\"\nrule = \"top_n\"\n\
                [[strategy]]\nname = \"even\"\naction = \"act\"\nrule = \"uniform\"\n\
                [[strategy]]\nname = \"by_clv\"\naction = \"act\"\nrule = \"proportional_to_clv\"\n\
                [[strategy]]\nname = \"some\"\naction = \"act\"\nrule = \"shares\"\nshares = { high = 1.0 }\n";
    let same = "strategies \"best\", \"even\" and \"by_clv\" are the same plan, the same customers with the same money: each contacts \
                all who may be contacted; a smaller budget";
    for (budget, is_same) in [("budget = 100000", true), ("budget = 500", false)] {
        scratch.write("s.toml", &file([(0.2, 0.1); 3], budget, "cost_on_contact = 1.0", best));
        let found = json(&scratch, &words);
        let is_said = |w: &Value| w.as_str().unwrap().contains(same);
        assert_eq!(found["warnings"].as_array().unwrap().iter().any(is_said), is_same, "{found}");
        let page = std::fs::read_to_string(scratch.path("out/report.html")).unwrap();
        assert_eq!(page.contains("are the same plan"), is_same);
        std::fs::remove_dir_all(scratch.path("out")).unwrap();
    }
    scratch.write("s.toml", &file([(0.2, 0.1); 3], "", "cost_on_contact = 1.0", ""));
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("only doing nothing is simulated"), "{}", ran.stderr);
}

/// Spread money comes out to the last digit, and no number is −0.
#[test]
fn tables_have_no_rounding_dust() {
    let scratch = cdnow();
    let spread = "[[strategy]]\nname = \"even\"\naction = \"act\"\nrule = \"uniform\"\n";
    let text = file([(0.2, 0.1); 3], "budget = 8000", "", spread);
    scratch.write(
        "s.toml",
        &text
            .replace("on = \"purchase_rate\"", "on = \"purchase_rate\"\ncurve = \"saturating\"\nscale = 1.0"),
    );
    ok(
        &scratch,
        &[
            "simulate",
            "c.parquet",
            "--strategies",
            "s.toml",
            "--model",
            "m.json",
            "--replications",
            "20",
            "-q",
            "-o",
            "out",
        ],
    );
    for name in ["standings", "strategies", "plans", "periods", "sensitivity"] {
        let text = std::fs::read_to_string(scratch.path(&format!("out/{name}.csv"))).unwrap();
        assert!(text.lines().all(|line| line.split(',').all(|cell| cell != "-0")), "{name}: {text}");
    }
    let standings = std::fs::read_to_string(scratch.path("out/standings.csv")).unwrap();
    let rows: Vec<Vec<&str>> = standings.lines().map(|line| line.split(',').collect()).collect();
    let of = |name: &str| rows[2][rows[0].iter().position(|column| *column == name).unwrap()];
    assert_eq!(
        (of("cost"), of("upfront_cost"), of("unspent"), of("limited_by")),
        ("8000", "8000", "0", "budget")
    );
}

/// "VIP repurchase +30 % gave +20 % sales" needs two thirds of the sales to be theirs.
#[test]
fn a_claim_is_held_against_the_shares() {
    let scratch = cdnow();
    let claims = "[[claim]]\nname = \"VIP\"\ntier = \"high\"\nlift = 0.30\nsales = 0.20\n\
                  [[claim]]\nname = \"low\"\ntier = \"low\"\nlift = 0.30\nsales = 0.20\n\
                  [[claim]]\nname = \"modest\"\ntier = \"high\"\nlift = 0.30\nsales = 0.05\n";
    scratch
        .write("s.toml", &(file([(0.0, 0.1); 3], "budget = 1000", "cost_on_contact = 1", BY_TIER) + claims));
    let words =
        ["simulate", "c.parquet", "--strategies", "s.toml", "--model", "m.json", "--replications", "20"];
    let found = json(&scratch, &words);
    let of = |k: usize, key: &str| found["simulated"]["claims"][k][key].as_f64().unwrap();
    assert!((of(0, "share_needed") - 2.0 / 3.0).abs() < 1e-12);
    assert!(of(0, "share_of_spend") > 0.5 && of(1, "share_of_spend") < 0.3);
    assert_eq!(found["simulated"]["claims"][1]["verdict"], "needs_more");
    let ran = scratch.run(&words);
    assert!(ran.stderr.contains("the claim \"low\" does not add up"), "{}", ran.stderr);
    // Apart from that, as on the page and in JSON.
    assert_eq!(found["simulated"]["claims"][2]["verdict"], "gives_more");
    assert!(ran.stderr.contains("the claim \"modest\" says too little"), "{}", ran.stderr);
    assert!(ran.stdout.contains("it says too little, the tier alone gives more"), "{}", ran.stdout);
}

/// Every file of a result, by name.
fn files(scratch: &Scratch, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(scratch.path(folder)).unwrap();
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(|entry| read(entry.unwrap())).collect()
}

/// The rows of a table in another order.
fn shuffled(scratch: &Scratch, from: &str, to: &str) {
    let file = File::open(scratch.path(from)).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(|batch| batch.unwrap()).collect();
    let batch = arrow_select::concat::concat_batches(&schema, &batches).unwrap();
    let n = batch.num_rows() as u64;
    let order = UInt64Array::from_iter_values((0..n).map(|i| i * 1009 % n));
    let columns =
        batch.columns().iter().map(|c| arrow_select::take::take(c, &order, None).unwrap()).collect();
    assert_eq!(order.len(), batch.num_rows());
    write_parquet(&scratch.path(to), &RecordBatch::try_new(schema, columns).unwrap());
}

const CHOSEN: &str = "[[strategy]]\nname = \"top\"\naction = \"act\"\nrule = \"top_n\"\nn = 300\n\
    [[strategy]]\nname = \"lot\"\naction = \"act\"\nrule = \"uniform\"\n\
    [[strategy]]\nname = \"rules\"\nrule = \"rules\"\ngive = [{ action = \"act\", where = \"tier = mid and days_since_last > 60\", share = 0.5 }]\n\
    [[strategy]]\nname = \"list\"\naction = \"act\"\nrule = \"list\"\nlist = \"list.csv\"\n";

#[test]
fn tables_do_not_depend_on_threads_or_on_the_order_of_customers() {
    let scratch = cdnow();
    let head = "budget = 700\ndiscount = \"10%/yr\"\n[new_customers]\nper_period = 20\nlower = 10\nupper = 30\nsource = \"elicited\"\n";
    scratch.write("s.toml", &file([(0.2, 0.1); 3], head, "cost_on_contact = 1.0", CHOSEN));
    scratch.write("list.csv", "customer_id\n17\n4\n999\n");
    shuffled(&scratch, "c.parquet", "d.parquet");
    let run = |table: &str, threads: &str, out: &str| {
        let words = [
            "simulate",
            table,
            "--strategies",
            "s.toml",
            "--model",
            "m.json",
            "--replications",
            "30",
            "--threads",
            threads,
            "-q",
            "-o",
            out,
        ];
        ok(&scratch, &words);
        files(&scratch, out)
    };
    let one = run("c.parquet", "1", "one");
    assert_eq!(one.len(), 16, "{:?}", one.keys());
    for (threads, out) in [("2", "two"), ("3", "three")] {
        assert!(run("c.parquet", threads, out) == one, "{threads} threads");
    }
    let other = run("d.parquet", "2", "other");
    for (name, bytes) in &one {
        // The table of contacts has the customers in the order of the table; the manifest names the input by its bytes.
        if !["contacts.parquet", "contacts.csv", "simulation.json"].contains(&name.as_str()) {
            assert!(other[name] == *bytes, "{name} after shuffling");
        }
    }
    let manifest = |files: &BTreeMap<String, Vec<u8>>| -> Value {
        serde_json::from_slice(&files["simulation.json"]).unwrap()
    };
    assert_eq!(manifest(&one)["simulated"], manifest(&other)["simulated"]);
}

#[test]
fn a_file_to_start_from_runs_and_decides_nothing() {
    let scratch = cdnow();
    ok(&scratch, &["init", "c.parquet", "-o", "s.toml", "-q"]);
    refused(&scratch, &["init", "c.parquet", "-o", "s.toml"], &["s.toml", "may have been edited", "--force"]);
    // A table of tiers is not the customers that it was made of.
    ok(&scratch, &["tier", "c.parquet", "-o", "tiers.parquet", "-q"]);
    let made = ["tiers.parquet: it is a table of tiers", "no frequency, recency, T", "tiercast summarize"];
    refused(&scratch, &["init", "tiers.parquet", "--date", "1998-06-30"], &made);
    refused(&scratch, &["simulate", "tiers.parquet", "--strategies", "s.toml"], &made);
    // A table says its own day.
    let words =
        ["simulate", "c.parquet", "--strategies", "s.toml", "--model", "m.json", "--date", "2020-01-01"];
    refused(&scratch, &words, &["--date cannot be \"2020-01-01\"", "observed up to 1998-06-30"]);
    refused(&scratch, &["init", "c.parquet", "--date", "2020-01-01"], &["--date", "1998-06-30"]);
    let words = [
        "simulate",
        "c.parquet",
        "--strategies",
        "s.toml",
        "--model",
        "m.json",
        "--replications",
        "240",
        "-o",
        "a",
    ];
    let found = json(&scratch, &words);
    let standings = found["simulated"]["comparison"]["standings"].as_array().unwrap();
    assert_eq!(standings.len(), 7);
    assert!(standings[1..].iter().all(|of| of["verdict"] != "gains"), "{standings:?}");
    // Its budget leaves the rules something to choose.
    let warnings = found["warnings"].as_array().unwrap();
    assert!(!warnings.iter().any(|w| w.as_str().unwrap().contains("same plan")), "{warnings:?}");
    // The same again is no change; another seed is one that moves nothing.
    let again = [
        "simulate",
        "c.parquet",
        "--strategies",
        "s.toml",
        "--model",
        "m.json",
        "--replications",
        "240",
        "-q",
        "-o",
        "b",
    ];
    ok(&scratch, &again);
    scratch.write("b/mine.txt", "a note");
    refused(&scratch, &again, &["holds a simulation and what is no part of it: mine.txt", "--force"]);
    assert!(ok(&scratch, &["compare", "a", "b"]).contains("are the same"));
    let text = std::fs::read_to_string(scratch.path("s.toml")).unwrap();
    scratch.write(
        "t.toml",
        &text.replacen(
            "effect = 0.0\nlower = -0.1\nupper = 0.1",
            "effect = 0.5\nlower = 0.4\nupper = 0.6",
            1,
        ),
    );
    ok(
        &scratch,
        &[
            "simulate",
            "c.parquet",
            "--strategies",
            "t.toml",
            "--model",
            "m.json",
            "--replications",
            "240",
            "-q",
            "-o",
            "d",
        ],
    );
    let changes = ok(&scratch, &["compare", "a", "d"]);
    for part in ["Strategy file", "effect.value", "only_high", "yes"] {
        assert!(changes.contains(part), "{part}: {changes}");
    }
    let changes = json(&scratch, &["compare", "a", "d"]);
    assert!(changes["changes"]["gains"].as_array().unwrap().iter().any(|of| of["verdict_after"] == "gains"));
    assert!(
        serde_json::from_str::<Value>(&ok(&scratch, &["init", "--schema"])).unwrap()["properties"]["horizon"]
            .is_object()
    );
}

#[test]
fn a_history_is_fitted_and_graded_by_the_way() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    scratch.write("s.toml", &file([(0.5, 0.1); 3], "budget = 1000", "cost_on_contact = 1", BY_TIER));
    let words = [
        "simulate",
        history.to_str().unwrap(),
        "--customer",
        "sample_id",
        "--strategies",
        "s.toml",
        "--model",
        "mbg-nbd",
        "--replications",
        "240",
        "--futures-per-draw",
        "1",
        "-o",
        "out",
    ];
    let found = json(&scratch, &words);
    assert_eq!(found["customers"], 2357);
    assert_eq!(standing(&found, "even").0["verdict"], "gains");
    assert!(scratch.path("out/report.html").is_file() && scratch.path("out/contacts.parquet").is_file());
}

/// Who opted out is contacted by no strategy, however it chooses.
#[test]
fn opt_outs_hold_for_every_rule() {
    let scratch = cdnow();
    scratch.write("s.toml", &file([(0.2, 0.1); 3], "budget = 700", "cost_on_contact = 1.0", CHOSEN));
    scratch.write("list.csv", "customer_id\n17\n4\n999\n");
    let ids: Vec<String> = (1..=2357).filter(|i| i % 3 != 0).map(|i: i32| i.to_string()).collect();
    scratch.write("out.csv", &format!("customer_id\n{}\n", ids.join("\n")));
    let words = [
        "simulate",
        "c.parquet",
        "--strategies",
        "s.toml",
        "--model",
        "m.json",
        "--replications",
        "4",
        "--opt-out",
        "out.csv",
        "-q",
        "-o",
        "r",
    ];
    ok(&scratch, &words);
    let file = File::open(scratch.path("r/contacts.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut contacted = 0;
    for batch in reader {
        let batch = batch.unwrap();
        let ids = arrow_cast::cast(batch.column(0), &arrow_schema::DataType::Int64).unwrap();
        let ids = ids.as_any().downcast_ref::<arrow_array::Int64Array>().unwrap();
        for column in &batch.columns()[2..] {
            for i in (0..batch.num_rows()).filter(|&i| column.is_valid(i)) {
                assert_eq!(ids.value(i) % 3, 0, "customer {} opted out", ids.value(i));
                contacted += 1;
            }
        }
    }
    assert!(contacted > 800, "{contacted}");
}

/// What can be wrong with a strategy file, options and tables.
#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let scratch = cdnow();
    let good = file([(0.2, 0.1); 3], "budget = 1000", "cost_on_contact = 1.0", BY_TIER);
    let say = |text: &str, more: &[&str], parts: &[&str]| {
        scratch.write("s.toml", text);
        let words = [
            &[
                "simulate",
                "c.parquet",
                "--strategies",
                "s.toml",
                "--model",
                "m.json",
                "--replications",
                "4",
                "-o",
                "never",
            ],
            more,
        ]
        .concat();
        refused(&scratch, &words, parts);
        assert!(!scratch.path("never").exists());
    };
    say(&good.replace("tier = \"mid\"", "tier = \"midd\""), &[], &["s.toml", "midd", "mid"]);
    say(
        &good.replace("action = \"act\"\nrule = \"uniform\"", "action = \"atc\"\nrule = \"uniform\""),
        &[],
        &["atc", "act"],
    );
    say(
        &(good.clone() + "[[strategy]]\nname = \"x\"\naction = \"act\"\nrule = \"top_n\"\nby = \"clvv\"\n"),
        &[],
        &["clvv", "clv"],
    );
    say(&good.replace("tiers = \"value\"", "tiers = \"valeu\""), &[], &["valeu", "value"]);
    say(&good.replacen("lower = 0.1", "lower = 0.3", 1), &[], &["lower = 0.3", "effect = 0.2"]);
    say(&good.replacen("effect = 0.2\nlower = 0.1", "effect = 0.2\nlower = -1.5", 1), &[], &["below −100 %"]);
    say(&good.replace("high = 1.0 }", "high = 1.1 }"), &[], &["shares", "1.1"]);
    say(
        &good.replace("cost_on_contact = 1.0", "cost_on_contact = 1.0\nfixed_cost = 1200"),
        &[],
        &["1200", "1000", "raise the budget"],
    );
    say(&good, &["--replications", "0"], &["--replications"]);
    say(&good, &["--futures-per-draw", "9"], &["--futures-per-draw", "from 1 to 8"]);
    say(&good, &["--until=-1"], &["--until"]);
    say(&good.replace("margin = 0.5", "margin = 0.5\nmagrin = 1"), &[], &["magrin"]);
    refused(&scratch, &["simulate", "c.parquet"], &["--strategies", "tiercast init"]);
    refused(&scratch, &["simulate", "nowhere.parquet", "--strategies", "s.toml"], &["nowhere.parquet"]);
    scratch.write("s.toml", &good);
    refused(&scratch, &["simulate", "c.parquet", "--strategies", "s.toml", "--model", "gb-nbd"], &["gb-nbd"]);
    refused(&scratch, &["compare", "m.json", "m.json"], &["m.json", "not a manifest"]);
    refused(&scratch, &["compare", ".", "."], &["tiercast run"]);
}

/// The examples that are shown run, on whatever customers.
#[test]
fn the_example_scenarios_run() {
    let scratch = cdnow();
    for name in ["shop", "manufacturer", "bank"] {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/strategies/{name}.toml"));
        let words = [
            "simulate",
            "c.parquet",
            "--strategies",
            path.to_str().unwrap(),
            "--replications",
            "20",
            "--model",
            "pareto-nbd",
            "-o",
            name,
        ];
        let found = json(&scratch, &words);
        assert!(found["simulated"]["comparison"]["strategies"].as_array().unwrap().len() > 2, "{name}");
        let page = std::fs::read_to_string(scratch.path(name).join("report.html")).unwrap();
        assert!(page.contains("</html>") && page.contains("Assumptions"), "{name}");
    }
}

/// Until the numerical error is small enough, and no further.
#[test]
fn replications_until_the_error_is_small_enough() {
    let scratch = cdnow();
    scratch.write("s.toml", &file([(0.2, 0.1); 3], "budget = 1000", "cost_on_contact = 1.0", BY_TIER));
    let worlds = |until: &str| {
        let words = [
            "simulate",
            "c.parquet",
            "--strategies",
            "s.toml",
            "--model",
            "m.json",
            "--replications",
            "720",
            "--until",
            until,
        ];
        json(&scratch, &words)["simulated"]["comparison"]["worlds"].as_u64().unwrap()
    };
    assert_eq!((worlds("1e9"), worlds("1e-9")), (180, 720));
}
