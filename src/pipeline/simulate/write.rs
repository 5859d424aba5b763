//! A comparison as the files of a folder.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use xxhash_rust::xxh3::Xxh3;

use super::super::ConfigEntry;
use super::{FutureOptions, Simulated};
use crate::calendar::Day;
use crate::error::{Error, Result};
use crate::report::output::SIMULATION;
use crate::report::{OutputFolder, tables};
use crate::strategy::StrategySet;

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
    /// Facts about the models, for readers.
    pub model: &'a Value,
    /// The input by its content.
    pub fingerprint: &'a str,
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
    let comparison = &facts.simulated.comparison;
    out.write("strategies.csv", tables::strategies_csv(Some(comparison))?)?;
    let manifest = simulation_manifest(facts, config);
    let text =
        serde_json::to_string_pretty(&manifest).map_err(|e| Error::internal("writing the manifest", e))?;
    out.write(SIMULATION, text + "\n")?;
    Ok(manifest)
}

/// What the folder's manifest says: the settings, the strategies, and everything that was found.
pub fn simulation_manifest(facts: &SimulationFacts<'_>, config: &[ConfigEntry]) -> Value {
    let mut out = json!({
        "tiercast": env!("CARGO_PKG_VERSION"),
        "schema": SCHEMA,
        "begins": facts.begins,
        "customers": facts.customers,
        "fingerprint": facts.fingerprint,
        "config": config,
        "options": facts.options,
        "model": facts.model,
        "strategies": facts.set,
        "simulated": facts.simulated,
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
