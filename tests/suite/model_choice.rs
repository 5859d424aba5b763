//! The model that `run` uses: asked for, preferred by a holdout, or what is left.

use std::fs;

use serde_json::Value;

use crate::support::{Scratch, dataset};

fn sample() -> String {
    dataset("cdnow/cdnow_sample.parquet").to_str().unwrap().to_string()
}

fn manifest(scratch: &Scratch, out: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(scratch.path(out).join("run.json")).unwrap()).unwrap()
}

#[test]
fn the_model_asked_for_is_used_everywhere() {
    let scratch = Scratch::new();
    for (key, title) in
        [("pareto-nbd", "Pareto/NBD"), ("bg-nbd", "BG/NBD"), ("mbg-nbd", "MBG/NBD"), ("nbd", "NBD")]
    {
        let history = sample();
        let words = [
            "run",
            &history,
            "--model",
            key,
            "--strategies",
            "bundled",
            "--replications",
            "20",
            "--out",
            key,
        ];
        let ran = scratch.run(&words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains(&format!("{title} was asked for.")), "{}", ran.stdout);
        let run = manifest(&scratch, key);
        assert_eq!(run["model"]["asked"], key);
        assert_eq!(run["model"]["used"], key);
        assert_eq!(run["model"]["holdout"], Value::Null);
        assert_eq!(run["fits"][0]["model"], title);
        assert_eq!(run["comparison"]["replications"], 20);
        assert!(run["lifetime_value"]["clv"]["value"].as_f64().unwrap() > 1e4);
        // Everybody alive is said where it is so.
        let blind = run["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|w| w.as_str().unwrap().starts_with(&format!("{title} takes everybody")));
        assert_eq!(blind, ["bg-nbd", "nbd"].contains(&key), "{key}");
        assert_eq!(ran.stderr.contains("is no label for churn"), blind);
        let page = fs::read_to_string(scratch.path(key).join("report.html")).unwrap();
        assert!(page.contains(&format!("{title} was asked for.")));
    }
}

/// 39 weeks after 39: RMSE 1.6028, 1.6080, 1.6072 and 1.860, computed independently of this program.
#[test]
fn auto_is_what_the_second_half_of_the_history_prefers() {
    let scratch = Scratch::new();
    let ran = scratch.run(&["run", &sample(), "--customer", "sample_id", "--out", "auto"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let run = manifest(&scratch, "auto");
    let model = &run["model"];
    assert_eq!((&model["asked"], &model["used"]), (&"auto".into(), &"pareto-nbd".into()));
    let holdout = &model["holdout"];
    assert_eq!(holdout["window"]["calibration_end"], "1997-09-30");
    assert_eq!(holdout["window"]["as_of"], "1998-06-30");
    assert_eq!((&holdout["customers"], &holdout["judged"]), (&2357.into(), &2357.into()));
    let rmse: Vec<(String, String)> = holdout["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            (m["model"].as_str().unwrap().to_string(), format!("{:.3}", m["rmse"]["value"].as_f64().unwrap()))
        })
        .collect();
    let want = [("pareto-nbd", "1.603"), ("bg-nbd", "1.608"), ("mbg-nbd", "1.607"), ("nbd", "1.860")];
    assert_eq!(rmse, want.map(|(model, rmse)| (model.to_string(), rmse.to_string())));
    // The fit is that to the whole history.
    assert_eq!(run["window"]["calibration_end"], "1998-06-30");
    let reason = model["reason"].as_str().unwrap();
    assert!(
        reason
            .starts_with("Fitted up to 1997-09-30 and judged by what came after it, Pareto/NBD is preferred")
    );
    for text in [ran.stdout, fs::read_to_string(scratch.path("auto/report.html")).unwrap()] {
        assert!(text.contains(reason), "{reason}\n{text}");
        assert!(text.contains("1.6028"));
    }
    assert!(!ran.stderr.contains("churn"), "{}", ran.stderr);
}

/// In a world of BG/NBD whose customers differ much in how soon they leave, the bootstrap can tell.
#[test]
fn another_model_is_used_where_it_is_clearly_better() {
    let scratch = Scratch::new();
    let world = [
        "synth",
        "--model",
        "bg-nbd",
        "--customers",
        "6000",
        "--seed",
        "3",
        "--r",
        "1",
        "--alpha",
        "2",
        "--a",
        "0.5",
        "--b",
        "0.5",
        "--start",
        "2023-01-01",
        "--end",
        "2023-12-31",
        "-o",
        "world",
    ];
    let ran = scratch.run(&world);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = scratch.run(&["run", "world/history", "--out", "o"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let run = manifest(&scratch, "o");
    assert_eq!(run["model"]["used"], "bg-nbd");
    let models = run["model"]["holdout"]["models"].as_array().unwrap();
    let pareto = models.iter().find(|m| m["model"] == "pareto-nbd").unwrap();
    assert!(pareto["difference"]["lower"].as_f64().unwrap() > 0.0, "{pareto}");
    assert_eq!(run["fits"][0]["model"], "BG/NBD");
    assert!(ran.stderr.contains("BG/NBD takes everybody without a repeat purchase"), "{}", ran.stderr);
}

/// A run's own holdout stays one: the choice looks at nothing after the end of calibration.
#[test]
fn the_choice_does_not_see_the_holdout() {
    let scratch = Scratch::new();
    let history = sample();
    let whole = ["run", &history, "--calibration-end", "1997-09-30", "--out", "whole"];
    assert_eq!(scratch.run(&whole).code, 0);
    let cut = ["run", &history, "--as-of", "1997-09-30", "--out", "cut"];
    assert_eq!(scratch.run(&cut).code, 0);
    let (whole, cut) = (manifest(&scratch, "whole"), manifest(&scratch, "cut"));
    assert_eq!(whole["model"], cut["model"]);
    assert_eq!(whole["model"]["holdout"]["window"]["as_of"], "1997-09-30");
    assert_eq!(whole["model"]["holdout"]["window"]["calibration_end"], "1997-05-17");
    assert!(whole["window"]["as_of"] == "1998-06-30" && whole["fits"] == cut["fits"]);
}

#[test]
fn where_nothing_can_be_judged_pareto_nbd_is_taken_and_said() {
    let scratch = Scratch::new();
    // Nobody comes back in the second half.
    let mut rows = vec![(1000, "2024-06-28", 10.0)];
    for id in 0..60 {
        rows.push((id, "2024-01-01", 10.0 + id as f64));
        if id % 2 == 0 {
            rows.push((id, "2024-02-01", 12.0));
        }
        if id % 6 == 0 {
            rows.push((id, "2024-03-01", 17.0));
        }
    }
    scratch.write_history("h.parquet", &rows);
    let ran = scratch.run(&["run", "h.parquet", "--out", "o"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let model = &manifest(&scratch, "o")["model"];
    let reason = model["reason"].as_str().unwrap();
    assert!(reason.contains("0 of 60 customers have an order in the holdout"), "{reason}");
    assert!(reason.contains("Pareto/NBD is taken"), "{reason}");
    assert!(ran.stdout.contains(reason), "{}", ran.stdout);

    // A single day has no halves, and nobody who bought again: nothing can be fitted, and that is said.
    scratch.write_history("day.parquet", &[(1, "2024-01-01", 1.0), (2, "2024-01-01", 2.0)]);
    let ran = scratch.run(&["run", "day.parquet", "--out", "d"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let model = &manifest(&scratch, "d")["model"];
    assert_eq!(model["used"], "pareto-nbd");
    assert_eq!(model["holdout"], Value::Null);
    let reason = model["reason"].as_str().unwrap();
    assert!(reason.contains("has no halves"), "{reason}");
    for title in ["Pareto/NBD", "BG/NBD", "MBG/NBD", "NBD"] {
        assert!(
            reason.contains(&format!("The fit of {title} to the whole history is not usable")),
            "{reason}"
        );
    }
    assert!(ran.stderr.contains("no lifetime values"), "{}", ran.stderr);
}

#[test]
fn an_unknown_model_is_refused_wherever_it_comes_from() {
    let scratch = Scratch::new();
    let history = sample();
    let flag = scratch.run(&["run", &history, "--model", "best"]);
    let variable = scratch.run_with(&["run", &history], &[("TIERCAST_MODEL", "best")]);
    scratch.write("bad.toml", "model = \"best\"\n");
    let file = scratch.run(&["run", &history, "--config", "bad.toml"]);
    for ran in [flag, variable, file] {
        assert_ne!(ran.code, 0);
        assert!(ran.stderr.contains("best") && ran.stderr.contains("no such model"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("choose auto or one of pareto-nbd, bg-nbd, mbg-nbd, nbd"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(scratch.names(), ["bad.toml"]);
    scratch.write("good.toml", "model = \"mbg-nbd\"\n");
    let ran = scratch.run(&["config", "--config", "good.toml"]);
    assert!(ran.stdout.contains("model = \"mbg-nbd\""), "{}", ran.stdout);
    let ran = scratch.run_with(&["config", "--json"], &[("TIERCAST_MODEL", "nbd")]);
    let settings: Value = serde_json::from_str(&ran.stdout).unwrap();
    let model = settings["settings"].as_array().unwrap().iter().find(|s| s["key"] == "model").unwrap();
    assert_eq!((&model["value"], &model["origin"]), (&"\"nbd\"".into(), &"TIERCAST_MODEL".into()));
}

#[test]
fn the_choice_does_not_depend_on_threads() {
    let scratch = Scratch::new();
    let history = sample();
    let run = |threads: &str| {
        let words = ["run", &history, "--threads", threads, "--out", threads];
        assert_eq!(scratch.run(&words).code, 0);
        fs::read(scratch.path(threads).join("run.json")).unwrap()
    };
    assert!(run("1") == run("3"));
}
