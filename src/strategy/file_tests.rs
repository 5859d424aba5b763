//! The files that there are: those before mean the same, the schema takes them, and the examples can be planned.

use std::path::Path;

use super::{BUNDLED, Curve, Lever, People, Plan, Rule, StrategyFile, StrategySet, schema};
use crate::customers::testing::{Row, table};
use crate::tier::{Columns, builtin};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap()
}

/// With the tiers of the schemes that come with tiercast.
fn known(file: &str, text: &str) -> StrategySet {
    let schemes: Vec<(String, Vec<String>)> = ["value", "abc", "potential"]
        .into_iter()
        .map(|key| {
            let scheme = builtin::scheme_file(key).unwrap();
            (key.to_string(), scheme.tiers().into_iter().map(String::from).collect())
        })
        .collect();
    match StrategyFile::parse(file, text).and_then(|typed| StrategySet::new(file, typed, &schemes)) {
        Ok(set) => set,
        Err(error) => panic!("{error}: {:?}", error.hint()),
    }
}

#[test]
fn the_files_before_mean_the_same() {
    let set = known("bundled", BUNDLED);
    assert_eq!((set.periods, set.discount, set.new_customers.is_none()), (12, None, true));
    assert_eq!(set.strategies.len(), 4);
    assert!(set.strategies[1..].iter().all(|strategy| strategy.budget == Some(6000.0)));
    assert_eq!(set.strategies[3].rule, Rule::Shares { action: 0, shares: vec![0.80, 0.15, 0.05] });
    let mailing = set.response(0, 1, Lever::PurchaseRate).unwrap();
    assert_eq!((mailing.curve.clone(), mailing.effect.lower), (Curve::Saturating { scale: 0.6 }, 0.05));
    // What draws are keyed by.
    assert_eq!(mailing.key, "personal_mailing\u{1f}mid\u{1f}purchase_rate");
    let shop = known("shop", &read("datasets/shop/strategies.toml"));
    assert_eq!((shop.periods, shop.actions[0].max_per_customer), (12, Some(1.5)));
    assert_eq!(shop.responses[0].curve, Curve::Power { scale: 1.5, exponent: 1.0 });
}

/// The JSON value against the part of the schema at `of`: types, keys, what is required, and the words of an enumeration.
fn validate(
    root: &serde_json::Value,
    of: &serde_json::Value,
    value: &serde_json::Value,
    at: &str,
) -> Result<(), String> {
    if let Some(name) = of.get("$ref").and_then(|r| r.as_str()) {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        return validate(root, target, value, at);
    }
    for key in ["anyOf", "oneOf"] {
        let Some(several) = of.get(key).and_then(|s| s.as_array()) else { continue };
        let errors: Vec<String> =
            several.iter().filter_map(|one| validate(root, one, value, at).err()).collect();
        if errors.len() == several.len() {
            return Err(errors.join("; "));
        }
    }
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let types: Vec<&str> = match of.get("type") {
        Some(serde_json::Value::String(one)) => vec![one],
        Some(serde_json::Value::Array(all)) => all.iter().filter_map(|one| one.as_str()).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.into_iter().any(is) {
        return Err(format!("{at}: {value} is not {}", of["type"]));
    }
    if of.get("const").is_some_and(|one| one != value)
        || of.get("enum").is_some_and(|all| !all.as_array().unwrap().contains(value))
    {
        return Err(format!("{at}: {value} is not among {of}"));
    }
    if let Some(fields) = value.as_object() {
        for name in of.get("required").and_then(|r| r.as_array()).into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("{at}: {name} is missing"));
            }
        }
        for (name, field) in fields {
            let place = format!("{at}.{name}");
            match (of.pointer(&format!("/properties/{name}")), of.get("additionalProperties")) {
                (Some(own), _) => validate(root, own, field, &place)?,
                (None, Some(serde_json::Value::Bool(false))) => return Err(format!("{place} is unknown")),
                (None, Some(others)) => validate(root, others, field, &place)?,
                (None, None) => {}
            }
        }
    }
    if let (Some(items), Some(entries)) = (of.get("items"), value.as_array()) {
        for (i, entry) in entries.iter().enumerate() {
            validate(root, items, entry, &format!("{at}[{i}]"))?;
        }
    }
    Ok(())
}

#[test]
fn the_schema_takes_what_is_taken_and_refuses_what_is_not() {
    let root: serde_json::Value = serde_json::from_str(&schema().unwrap()).unwrap();
    let valid = |text: &str| {
        let value: toml::Value = toml::from_str(text).unwrap();
        validate(&root, &root, &serde_json::to_value(value).unwrap(), "")
    };
    for name in ["shop", "manufacturer", "bank"] {
        let text = read(&format!("examples/strategies/{name}.toml"));
        assert_eq!(valid(&text), Ok(()), "{name}");
        let set = known(name, &text);
        assert!(set.strategies.len() >= 4 && set.claims.len() == 1, "{name}");
    }
    assert_eq!(valid(BUNDLED), Ok(()));
    assert_eq!(valid(&read("datasets/shop/strategies.toml")), Ok(()));
    let changed = |from: &str, to: &str| {
        assert!(BUNDLED.contains(from), "{from}");
        valid(&BUNDLED.replacen(from, to, 1))
    };
    assert_eq!(changed("budget", "budgett"), Err(".budgett is unknown".to_string()));
    assert_eq!(changed("margin = 0.30", ""), Err(": \"margin\" is missing".to_string()));
    assert!(changed("\"saturating\"", "\"sigmoid\"").is_err());
    assert_eq!(changed("\"saturating\"", "\"exponential\""), Ok(()));
    assert!(changed("scale = 0.60", "scale = \"much\"").is_err());
    // Words of people who argue with the file go along.
    let description = root.pointer("/properties/margin/description").and_then(|d| d.as_str()).unwrap();
    assert!(description.starts_with("Profit before the cost of actions"), "{description}");
}

/// Customers as unequal as real ones: every strategy of every example reaches some of them, and nothing of it is refused.
#[test]
fn the_examples_can_be_planned() {
    let row = |id: i64| Row {
        id,
        frequency: (id % 7) as u32,
        since: (id * 37 % 400) as u32,
        monetary_value: 10.0,
        total_spend: 50_000.0 / id as f64,
    };
    let table = table(&(1..=600).map(row).collect::<Vec<_>>());
    let columns = Columns::of_table(&table);
    let clv: Vec<f64> = table.total_spend.iter().map(|spend| 0.2 * spend).collect();
    let hash: Vec<u64> = (0..table.len()).map(|i| table.ids.hash(i)).collect();
    for name in ["shop", "manufacturer", "bank"] {
        let set = known(name, &read(&format!("examples/strategies/{name}.toml")));
        let scheme = builtin::scheme_file(&set.scheme).unwrap();
        let graded = scheme.grade(&table, &columns).unwrap();
        let people = People {
            tier: &graded.tiering.codes,
            tiers: set.tiers.len(),
            clv: &clv,
            opted_out: None,
            hash: &hash,
            ids: &table.ids,
            columns: &columns,
            seed: 1,
            base: Path::new(""),
        };
        for (s, strategy) in set.strategies.iter().enumerate().skip(1) {
            let (plan, warnings) = match Plan::new(&set, s, &people) {
                Ok(planned) => planned,
                Err(error) => panic!("{name}: {error}: {:?}", error.hint()),
            };
            assert!(warnings.is_empty(), "{warnings:?}");
            let contacts: u64 = plan.contacts.iter().flatten().sum();
            assert!(contacts > 0, "{name} {}", strategy.name);
            // Every entry of `give` takes somebody.
            for k in 0..plan.treatments.len() {
                assert!(plan.contacts.iter().any(|tier| tier[k] > 0), "{name} {}: {k}", strategy.name);
            }
        }
    }
}
