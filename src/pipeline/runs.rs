//! Two results side by side: what changed in what went in, and in what came out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::report::output::{MANIFEST, SIMULATION};

/// Something that is not the same in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What: keys from the outside in.
    pub what: String,
    /// In the first; null where it was not there.
    pub before: Value,
    /// In the second; null where it is not there.
    pub after: Value,
}

/// What one result says of one strategy's profit, against doing nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gain {
    /// The mean difference.
    pub value: f64,
    /// Interval of the expectation.
    pub mean: (f64, f64),
    /// Interval of what will happen.
    pub happens: (f64, f64),
    /// Numerical error of the mean.
    pub mc_error: f64,
}

/// One strategy in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrategyChange {
    /// Its name.
    pub name: String,
    /// Its gain in the first, where it was there.
    pub before: Option<Gain>,
    /// Its gain in the second, where it is there.
    pub after: Option<Gain>,
    /// What could be said of it in the first.
    pub verdict_before: Option<String>,
    /// What can be said of it in the second.
    pub verdict_after: Option<String>,
    /// Whether the means differ by more than twice their numerical errors together: less is no change of anything.
    pub moved: bool,
}

/// What changed from one result to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunChanges {
    /// The first result.
    pub first: PathBuf,
    /// The second.
    pub second: PathBuf,
    /// Data: its fingerprint, the customers, the first day of the futures.
    pub data: Vec<Change>,
    /// Settings.
    pub settings: Vec<Change>,
    /// Parameters of the models.
    pub models: Vec<Change>,
    /// Customers by tier, and the rules in words.
    pub tiers: Vec<Change>,
    /// The strategy file.
    pub strategies: Vec<Change>,
    /// Gains, strategy by strategy.
    pub gains: Vec<StrategyChange>,
    /// Warnings of the first only.
    pub warnings_gone: Vec<String>,
    /// Warnings of the second only.
    pub warnings_new: Vec<String>,
}

impl RunChanges {
    /// Whether nothing that went in differs.
    pub fn same_input(&self) -> bool {
        [&self.data, &self.settings, &self.models, &self.tiers, &self.strategies].iter().all(|c| c.is_empty())
    }
}

/// Holds two folders of `run` or `simulate` against each other.
///
/// # Errors
/// [`Error::Value`] for a folder that is none of these, [`Error::Document`] for a manifest that cannot be read.
pub fn compare_runs(first: &Path, second: &Path) -> Result<RunChanges> {
    let (a, b) = (read(first)?, read(second)?);
    let pick = |of: &Value, keys: &[&str]| -> Value {
        Value::Object(keys.iter().filter_map(|&key| Some((key.to_string(), of.get(key)?.clone()))).collect())
    };
    let data = |of: &Value| {
        let mut out =
            pick(of, &["fingerprint", "customers", "begins", "window", "unit", "files", "tiercast"]);
        let inner = of.get("input").and_then(|input| input.get("fingerprint"));
        if let (Some(object), Some(inner)) = (out.as_object_mut(), inner) {
            object.insert("fingerprint".into(), inner.clone());
        }
        out
    };
    Ok(RunChanges {
        first: first.to_path_buf(),
        second: second.to_path_buf(),
        data: changes(&data(&a), &data(&b)),
        settings: changes(&settings(&a), &settings(&b)),
        models: changes(&parameters(&a), &parameters(&b)),
        tiers: changes(&tiers(&a), &tiers(&b)),
        strategies: numbers_first(changes(&a["strategies"], &b["strategies"])),
        gains: gains(&a, &b),
        warnings_gone: without(&texts(&a["warnings"]), &texts(&b["warnings"])),
        warnings_new: without(&texts(&b["warnings"]), &texts(&a["warnings"])),
    })
}

/// The manifest of a folder, or the manifest itself.
fn read(path: &Path) -> Result<Value> {
    let file = match path.is_dir() {
        true => [SIMULATION, MANIFEST].map(|name| path.join(name)).into_iter().find(|file| file.is_file()),
        false => path.is_file().then(|| path.to_path_buf()),
    };
    let Some(file) = file else {
        return Err(Error::value(
            "RUN",
            path.display(),
            "it is no folder of `tiercast run` or `tiercast simulate`",
            "name a folder that holds run.json or simulation.json",
        ));
    };
    let text = std::fs::read_to_string(&file).map_err(|e| Error::io("read", &file, e))?;
    let document = |problem: String| Error::Document {
        file: file.display().to_string(),
        problem,
        remedy: "name a folder of `tiercast run` or `tiercast simulate`".into(),
    };
    let value: Value = serde_json::from_str(&text).map_err(|e| document(e.to_string()))?;
    match value.get("tiercast") {
        Some(_) => Ok(value),
        None => Err(document("it is not a manifest of tiercast".into())),
    }
}

/// Settings by their keys, and how futures were simulated.
fn settings(of: &Value) -> Value {
    let listed = of["config"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.get("key")?.as_str()?.to_string(), entry.get("value")?.clone())));
    let options = of["options"].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone()));
    Value::Object(listed.chain(options).collect())
}

/// Parameters by model, as they are named in the literature.
fn parameters(of: &Value) -> Value {
    let mut out = serde_json::Map::new();
    let reports = of["fits"].as_array().into_iter().flatten();
    let own = ["purchases", "spend"].into_iter().filter_map(|key| of["model"].get(key));
    for report in reports.chain(own) {
        let Some(model) = report["model"].as_str() else { continue };
        let parameters: serde_json::Map<String, Value> = match &report["parameters"] {
            Value::Array(list) => list
                .iter()
                .filter_map(|p| Some((p["name"].as_str()?.to_string(), p["estimate"].clone())))
                .collect(),
            Value::Object(by_name) => by_name.clone(),
            _ => continue,
        };
        out.insert(model_key(model), Value::Object(parameters));
    }
    Value::Object(out)
}

/// One name for a model: some results say "Pareto/NBD", others "pareto-nbd".
fn model_key(name: &str) -> String {
    name.to_lowercase().replace(['/', ' '], "-")
}

/// What decides comes before what is said of it, since long lists are cut when they are shown: strategies, actions and the head,
/// then effects, then halves and words.
fn numbers_first(mut changes: Vec<Change>) -> Vec<Change> {
    let place = |change: &Change| {
        let last = change.what.rsplit('.').next().unwrap_or_default();
        let is_beside =
            ["note", "description", "title", "key"].contains(&last) || change.what.contains(".halves.");
        match (is_beside, change.what.starts_with("responses.")) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        }
    };
    changes.sort_by_key(place);
    changes
}

/// Customers by scheme and tier.
fn tiers(of: &Value) -> Value {
    let scheme = |scheme: &Value| {
        let by_tier = scheme["tiers"]
            .as_array()?
            .iter()
            .filter_map(|tier| Some((tier["name"].as_str()?.to_string(), tier["customers"].clone())));
        Some((scheme["key"].as_str()?.to_string(), Value::Object(by_tier.collect())))
    };
    Value::Object(of["tiers"].as_array().into_iter().flatten().filter_map(scheme).collect())
}

/// What differs between two documents. Members of lists that have a name are matched by it.
fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let (mut a, mut b) = (BTreeMap::new(), BTreeMap::new());
    flatten("", before, &mut a);
    flatten("", after, &mut b);
    let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
    keys.sort();
    keys.dedup();
    let null = || Value::Null;
    keys.into_iter()
        .map(|key| (key, a.get(key).cloned().unwrap_or_else(null), b.get(key).cloned().unwrap_or_else(null)))
        .filter(|(_, before, after)| before != after)
        .map(|(what, before, after)| Change { what: what.clone(), before, after })
        .collect()
}

fn flatten(path: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
    let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| flatten(&below(key), value, out));
        }
        Value::Array(members) if members.iter().any(Value::is_object) => {
            for (i, member) in members.iter().enumerate() {
                let name = ["name", "key"].iter().find_map(|key| member.get(key)?.as_str());
                let key = name.map_or_else(
                    || (i + 1).to_string(),
                    |name| format!("\"{}\"", name.replace('\u{1f}', " ")),
                );
                flatten(&below(&key), member, out);
            }
        }
        leaf => {
            out.insert(path.to_string(), leaf.clone());
        }
    }
}

/// Each strategy's gain in profit and verdict, by name in the order of the file.
fn gains_of(of: &Value) -> Vec<(String, Gain, Option<String>)> {
    let comparison = [&of["simulated"]["comparison"], &of["comparison"]];
    let comparison = comparison.into_iter().find(|found| found.is_object()).unwrap_or(&Value::Null);
    let names = comparison["strategies"].as_array().into_iter().flatten();
    let rows: Vec<&Value> = comparison["rows"].as_array().into_iter().flatten().collect();
    names
        .enumerate()
        .skip(1)
        .filter_map(|(s, name)| {
            let row = rows
                .iter()
                .find(|row| row["strategy"] == s && row["tier"].is_null() && row["metric"] == "profit")?;
            let d = &row["difference"];
            let number = |key: &str| d[key].as_f64().unwrap_or(f64::NAN);
            let gain = Gain {
                value: number("value"),
                mean: (number("mean_lower"), number("mean_upper")),
                happens: (number("lower"), number("upper")),
                mc_error: number("mc_error"),
            };
            let verdict = comparison["standings"][s]["verdict"].as_str().map(String::from);
            Some((name.as_str()?.to_string(), gain, verdict))
        })
        .collect()
}

fn gains(a: &Value, b: &Value) -> Vec<StrategyChange> {
    let (first, second) = (gains_of(a), gains_of(b));
    let find = |of: &[(String, Gain, Option<String>)], name: &str| {
        of.iter().find(|(own, ..)| own == name).map(|(_, gain, verdict)| (*gain, verdict.clone()))
    };
    let mut names: Vec<&String> = first.iter().map(|(name, ..)| name).collect();
    names.extend(second.iter().map(|(name, ..)| name).filter(|name| find(&first, name).is_none()));
    names
        .into_iter()
        .map(|name| {
            let (before, after) = (find(&first, name), find(&second, name));
            let moved = match (&before, &after) {
                (Some((a, _)), Some((b, _))) => {
                    let error = a.mc_error.hypot(b.mc_error);
                    // What has no known error has moved where more than the last digits differ.
                    let error = if error.is_finite() { error } else { 0.0 };
                    (a.value - b.value).abs() > 2.0 * error + 1e-9 * a.value.abs()
                }
                _ => true,
            };
            StrategyChange {
                name: name.clone(),
                verdict_before: before.as_ref().and_then(|(_, verdict)| verdict.clone()),
                verdict_after: after.as_ref().and_then(|(_, verdict)| verdict.clone()),
                before: before.map(|(gain, _)| gain),
                after: after.map(|(gain, _)| gain),
                moved,
            }
        })
        .collect()
}

fn texts(of: &Value) -> Vec<String> {
    of.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(String::from)).collect()
}

fn without(of: &[String], other: &[String]) -> Vec<String> {
    of.iter().filter(|text| !other.contains(text)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(seed: u64, effect: f64, gain: f64) -> Value {
        json!({
            "tiercast": "0.1.0",
            "customers": 10,
            "config": [{"key": "seed", "value": seed.to_string(), "origin": "default"}],
            "model": {"purchases": {"model": "Pareto/NBD", "parameters": {"r": 0.5}}},
            "strategies": {"responses": [{"key": "act\u{1f}high", "effect": {"value": effect}}]},
            "simulated": {"comparison": {
                "strategies": ["do_nothing", "even"],
                "rows": [{"strategy": 1, "tier": null, "metric": "profit", "difference": {
                    "value": gain, "lower": gain - 2.0, "upper": gain + 2.0,
                    "mean_lower": gain - 1.0, "mean_upper": gain + 1.0, "mc_error": 0.1,
                }}],
                "standings": [{"verdict": "baseline"}, {"verdict": if gain > 1.0 { "gains" } else { "undecided" }}],
            }},
            "warnings": [format!("effect {effect}")],
        })
    }

    #[test]
    fn what_changed_is_named_and_what_did_not_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, manifest: Value| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join(SIMULATION), manifest.to_string()).unwrap();
            path
        };
        let (a, b) = (write("a", manifest(1, 0.1, 0.5)), write("b", manifest(2, 0.3, 4.0)));
        let found = compare_runs(&a, &b).unwrap();
        assert!(found.data.is_empty() && found.models.is_empty() && !found.same_input());
        assert_eq!(found.settings[0].what, "seed");
        assert_eq!(found.strategies.len(), 1);
        assert_eq!(found.strategies[0].what, "responses.\"act high\".effect.value");
        assert_eq!((&found.strategies[0].before, &found.strategies[0].after), (&json!(0.1), &json!(0.3)));
        let even = &found.gains[0];
        assert!(even.moved && even.verdict_before.as_deref() == Some("undecided"));
        assert_eq!(even.verdict_after.as_deref(), Some("gains"));
        assert_eq!((found.warnings_gone.len(), found.warnings_new.len()), (1, 1));

        let again = compare_runs(&a, &a).unwrap();
        assert!(again.same_input() && !again.gains[0].moved && again.warnings_new.is_empty());
    }

    #[test]
    fn models_have_one_name_and_what_decides_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, manifest: Value| {
            let path = folder.path().join(name);
            std::fs::write(&path, manifest.to_string()).unwrap();
            path
        };
        // As of a table with a model file, and of a history.
        let response = |effect: f64| {
            json!([{"key": "act", "effect": {"note": effect, "value": effect},
                    "halves": [{"effect": effect}, {"effect": 0}]}])
        };
        let table = json!({
            "tiercast": "0.1.0",
            "model": {
                "purchases": {"model": "pareto-nbd", "parameters": {"r": 0.5, "alpha": 9.0}},
                "spend": {"model": "gamma-gamma", "parameters": {"p": 6.0}},
            },
            "strategies": {"responses": response(1.0), "strategies": [{"name": "all", "budget": 1}]},
        });
        let parameter = |name: &str, estimate: f64| json!({"name": name, "estimate": estimate});
        let history = json!({
            "tiercast": "0.1.0",
            "fits": [
                {"model": "Pareto/NBD", "parameters": [parameter("r", 0.5), parameter("alpha", 10.0)]},
                {"model": "Gamma-Gamma", "parameters": [parameter("p", 6.0)]},
            ],
            "strategies": {"responses": response(2.0), "strategies": [{"name": "all", "budget": 2}]},
        });
        let found = compare_runs(&write("a", table), &write("b", history)).unwrap();
        let names = |of: &[Change]| of.iter().map(|change| change.what.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found.models), ["pareto-nbd.alpha"]);
        assert_eq!(
            names(&found.strategies),
            [
                "strategies.\"all\".budget",
                "responses.\"act\".effect.value",
                "responses.\"act\".effect.note",
                "responses.\"act\".halves.1.effect",
            ]
        );
    }

    #[test]
    fn what_is_no_result_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(compare_runs(folder.path(), folder.path()).is_err());
        std::fs::write(folder.path().join(MANIFEST), "{}").unwrap();
        assert!(compare_runs(folder.path(), folder.path()).is_err());
    }
}
