//! A run as the files of a result folder, and as the manifest that describes them.

use serde::Serialize;
use serde_json::{Value, json};

use super::Run;
use crate::customers::cohorts::CohortTable;
use crate::customers::{to_record_batch, with_prospects};
use crate::error::{Error, Result};
use crate::history::Ledger;
use crate::report::output::MANIFEST;
use crate::report::{OutputFolder, tables};
use crate::tier::opt_out::OptOutReport;
use crate::tier::{SchemeFile, builtin};

/// Version of the manifest's layout; it changes when a key changes its meaning or goes.
const SCHEMA: u32 = 2;

/// One setting with its origin, as the front end resolved it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigEntry {
    /// The key, as in a settings file.
    pub key: String,
    /// The value as TOML; `None` when it was left to the data.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: String,
}

/// Writes every file of the result into `out`, which the caller finishes, and returns the manifest.
pub fn write_result(run: &Run, config: &[ConfigEntry], out: &OutputFolder) -> Result<Value> {
    let table = &run.summary.table;
    let customers = match &run.list {
        Some((prospects, _)) => with_prospects(table, prospects)?,
        None => to_record_batch(table)?,
    };
    tables::write_parquet(&out.path("customers.parquet"), &customers)?;
    tables::write_parquet(&out.path("set_aside.parquet"), &tables::set_aside(&run.summary.ledger)?)?;
    out.write("cohorts.csv", tables::cohorts_csv(run.summary.cohorts.as_ref())?)?;
    out.write("tiers.csv", tables::tiers_csv(&run.tierings)?)?;
    out.write(
        "strategies.csv",
        tables::strategies_csv(run.simulated.as_ref().map(|found| &found.comparison))?,
    )?;
    let manifest = manifest(run, config);
    let text =
        serde_json::to_string_pretty(&manifest).map_err(|e| Error::internal("writing the manifest", e))?;
    out.write(MANIFEST, text + "\n")?;
    out.write("report.html", super::page::render(run, config))?;
    Ok(manifest)
}

/// The counts of a ledger.
pub fn ledger_summary(ledger: &Ledger) -> Value {
    let reasons: serde_json::Map<String, Value> =
        ledger.counts().into_iter().map(|(reason, n)| (reason.key().to_string(), json!(n))).collect();
    json!({
        "read": ledger.read,
        "used": ledger.used,
        "used_holdout": ledger.used_holdout,
        "set_aside": ledger.set_aside.len(),
        "set_aside_by_reason": reasons,
        "zero_amounts": ledger.zero_amounts,
        "refunds_netted": ledger.refunds_netted,
        "duplicates": ledger.duplicates,
        "id_map": ledger.join,
        "skipped_files": ledger.skipped,
        "without_cost": ledger.without_cost,
    })
}

/// What the lines of `cohorts.csv` are.
pub fn cohorts_summary(table: &CohortTable) -> Value {
    json!({
        "period": table.period,
        "first": table.labels.first(),
        "last": table.labels.last(),
        "last_ends_early": table.ends_early,
        "cohorts": table.cohorts.len(),
        "customers": table.cohorts.iter().map(|cohort| cohort.customers).sum::<u64>(),
    })
}

/// Who opted out: the report with their share of the customers.
pub fn opt_out_summary(report: &OptOutReport, customers: u64) -> Value {
    // Results are passed on: who is on the list, and has nothing to do with these customers, is not.
    let remark = |(remark, lines, first)| json!({"remark": remark, "lines": lines, "first": first});
    json!({
        "lines": report.lines,
        "date": report.date,
        "customers": report.customers,
        "share": report.customers as f64 / customers.max(1) as f64,
        "remarks": report.by_remark(10).into_iter().map(remark).collect::<Vec<_>>(),
    })
}

/// Which rules a run graded by: a file of somebody's own may have changed since.
fn scheme(scheme: &SchemeFile) -> Value {
    let own = builtin::is_file(&scheme.file).then_some(&scheme.document);
    json!({
        "key": scheme.key,
        "file": scheme.file,
        "rules": format!("{:016x}", scheme.fingerprint),
        "document": own,
    })
}

fn manifest(run: &Run, config: &[ConfigEntry]) -> Value {
    let table = &run.summary.table;
    let top: Vec<Value> =
        run.concentration.top.iter().map(|t| json!({"customers": t.customers, "spend": t.spend})).collect();
    json!({
        "tiercast": env!("CARGO_PKG_VERSION"),
        "schema": SCHEMA,
        "seed": run.config.seed,
        "replications": run.config.replications,
        "config": config,
        "input": {
            "fingerprint": run.summary.fingerprint,
            "history": run.summary.history,
        },
        "ledger": ledger_summary(&run.summary.ledger),
        "customers": table.len(),
        "customers_list": run.list.as_ref().map(|(_, report)| report),
        "cohorts": run.summary.cohorts.as_ref().map(cohorts_summary),
        "window": table.window,
        "unit": table.unit,
        "rfm": run.rfm,
        "concentration": {"gini": run.concentration.gini, "top": top},
        "model": run.model,
        "fits": [run.purchases.report(), &run.spend.report],
        "lifetime_value": {
            "horizon": run.config.horizon,
            "discount": run.config.discount,
            "margin": run.config.margin,
            "expected_transactions": run.value.expected_transactions,
            "clv": run.value.clv,
        },
        "segments": run.segmentation,
        "schemes": run.schemes.iter().map(scheme).collect::<Vec<_>>(),
        "tiers": run.tierings,
        "opt_out": run.opt_out.as_ref().map(|report| opt_out_summary(report, table.len() as u64)),
        "strategies": run.strategies,
        "comparison": run.simulated.as_ref().map(|found| &found.comparison),
        "sensitivity": run.simulated.as_ref().map(|found| &found.sensitivity),
        "split_winners": run.simulated.as_ref().and_then(|found| found.split_winners),
        "claims": run.simulated.as_ref().map(|found| &found.claims),
        "warnings": run.warnings,
    })
}
