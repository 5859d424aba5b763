//! A comparison as the files of a folder.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use xxhash_rust::xxh3::Xxh3;

use super::super::{ConfigEntry, Run, opt_out_summary};
use super::{FutureOptions, Simulated};
use crate::calendar::Day;
use crate::clv::{FitReport, ModelFile};
use crate::customers::Ids;
use crate::error::{Error, Result};
use crate::report::format::{count, significant};
use crate::report::html::{Drawn, SimulationPage, render_simulation};
use crate::report::output::SIMULATION;
use crate::report::{OutputFolder, tables};
use crate::strategy::StrategySet;
use crate::tier::opt_out::OptOutReport;
use crate::tier::{Tier, Tiering};

/// Version of the manifest's layout; it changes when a key changes its meaning or goes.
const SCHEMA: u32 = 1;

/// What a comparison is about, for those who read its files.
#[derive(Debug, Clone, Copy)]
pub struct SimulationFacts<'a> {
    /// The strategies after every check.
    pub set: &'a StrategySet,
    /// What was found.
    pub simulated: &'a Simulated,
    /// How futures were simulated.
    pub options: &'a FutureOptions,
    /// The day from which they begin.
    pub begins: Day,
    /// Customers.
    pub customers: u64,
    /// Everybody's id, in the order of the table.
    pub ids: &'a Ids,
    /// Everybody's tier.
    pub tiering: &'a Tiering,
    /// Facts about the models: name and value, for readers.
    pub about_model: &'a [(String, String)],
    /// The models with their parameters.
    pub model: &'a Value,
    /// The input by its content.
    pub fingerprint: &'a str,
    /// What became of the list of those who opted out, where there was one.
    pub opt_out: Option<&'a OptOutReport>,
    /// Further facts that stand in the manifest under their own keys.
    pub more: &'a [(&'static str, Value)],
    /// What the reader of any result has to know.
    pub warnings: &'a [String],
}

/// Writes every file into `out`, which the caller finishes, and returns the manifest.
///
/// # Errors
/// [`Error::Io`].
pub fn write_simulation(
    facts: &SimulationFacts<'_>,
    config: &[ConfigEntry],
    out: &OutputFolder,
) -> Result<Value> {
    let (set, simulated) = (facts.set, facts.simulated);
    let comparison = &simulated.comparison;
    for (name, table) in [
        ("strategies", tables::strategies(Some(comparison))),
        ("standings", tables::standings(set, comparison)),
        ("periods", tables::periods(comparison)),
        ("sensitivity", tables::sensitivity(comparison, &simulated.sensitivity)),
        ("assumptions", tables::assumptions(set)),
        ("plans", tables::plans(set, comparison)),
    ] {
        out.write(&format!("{name}.csv"), table.csv()?)?;
        tables::write_parquet(&out.path(&format!("{name}.parquet")), &table.batch()?)?;
    }
    let contacts = tables::contacts(facts.ids, facts.tiering, set, comparison, &simulated.contacts)?;
    tables::write_parquet(&out.path("contacts.parquet"), &contacts)?;
    let place = out.path("contacts.csv");
    tables::contacts_csv(&place, facts.ids, facts.tiering, set, comparison, &simulated.contacts)?;
    let entries: Vec<(String, String)> = config
        .iter()
        .map(|entry| (entry.key.clone(), entry.value.clone().unwrap_or_else(|| "left to the data".into())))
        .collect();
    let page = SimulationPage {
        title: "",
        version: env!("CARGO_PKG_VERSION"),
        seed: facts.options.seed,
        currency: &set.currency,
        set,
        comparison,
        drawn: Drawn { parameters: simulated.parameters_are_drawn, responses: !facts.options.hold_responses },
        opt_out: facts.opt_out,
        sensitivity: &simulated.sensitivity,
        split_winners: simulated.split_winners.as_ref(),
        claims: &simulated.claims,
        warnings: facts.warnings,
        config: &entries,
        begins: facts.begins,
        model: facts.about_model,
    };
    out.write("report.html", render_simulation(&page))?;
    let manifest = simulation_manifest(facts, config);
    let text =
        serde_json::to_string_pretty(&manifest).map_err(|e| Error::internal("writing the manifest", e))?;
    out.write(SIMULATION, text + "\n")?;
    Ok(manifest)
}

/// What the folder's manifest says: the settings, the strategies, and everything that was found.
pub fn simulation_manifest(facts: &SimulationFacts<'_>, config: &[ConfigEntry]) -> Value {
    let of_tier = |tier: &Tier| json!({"name": tier.name, "customers": tier.customers, "rule": tier.rule});
    let tiers = json!({
        "key": facts.tiering.key,
        "tiers": facts.tiering.tiers.iter().map(of_tier).collect::<Vec<_>>(),
    });
    let mut out = json!({
        "tiercast": env!("CARGO_PKG_VERSION"),
        "schema": SCHEMA,
        "begins": facts.begins,
        "customers": facts.customers,
        "fingerprint": facts.fingerprint,
        "config": config,
        "options": facts.options,
        "model": facts.model,
        "tiers": [tiers],
        "strategies": facts.set,
        "simulated": facts.simulated,
        "opt_out": facts.opt_out.map(|of| opt_out_summary(of, facts.customers)),
        "warnings": facts.warnings,
    });
    if let Some(object) = out.as_object_mut() {
        for (key, value) in facts.more.iter().filter(|(_, value)| !value.is_null()) {
            object.insert((*key).to_string(), value.clone());
        }
    }
    out
}

/// The content of a file in a few letters: another file has other ones.
///
/// # Errors
/// [`Error::Io`].
pub fn fingerprint(path: &Path) -> Result<String> {
    let fail = |e| Error::io("read", path, e);
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(fail)? {
            0 => return Ok(format!("xxh3:{:032x}", hash.digest128())),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// Facts about the models of a file.
pub fn about_model(model: &ModelFile) -> Vec<(String, String)> {
    let listed = |parameters: Vec<(String, f64)>| {
        let each: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name} {}", significant(*value, 5))).collect();
        each.join(", ")
    };
    let by_name = |of: &BTreeMap<String, f64>| listed(of.iter().map(|(k, v)| (k.clone(), *v)).collect());
    let purchases = &model.purchases;
    let mut out = vec![(
        "Purchases".to_string(),
        format!("{}: {}", purchases.model.title(), by_name(&purchases.parameters)),
    )];
    if let Some(spend) = &model.spend {
        out.push(("Spend".to_string(), format!("Gamma-Gamma: {}", by_name(&spend.parameters))));
    }
    let draws = match &model.draws {
        Some(draws) => format!("{} of both models’ parameters", count(draws.len() as u64)),
        None => "none: the parameters are held at their estimates".to_string(),
    };
    out.push(("Draws".to_string(), draws));
    out
}

/// Facts about the models of a run.
pub fn about_fits(run: &Run) -> Vec<(String, String)> {
    let of = |report: &FitReport| {
        let each: Vec<String> =
            report.parameters.iter().map(|p| format!("{} {}", p.name, significant(p.estimate, 5))).collect();
        format!("{}: {}", report.model, each.join(", "))
    };
    vec![
        ("Purchases".to_string(), of(run.purchases.report())),
        ("Why this one".to_string(), run.model.reason.clone()),
        ("Spend".to_string(), of(&run.spend.report)),
    ]
}
