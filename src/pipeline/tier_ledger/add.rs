//! A grading added to a ledger: what it changed, as one more file.

use std::path::Path;

use super::{DIGITS, LedgerReport, LedgerState, VERSIONS, ledger_entries, ledger_state};
use crate::calendar::Day;
use crate::customers::Ids;
use crate::error::{Error, Result};
use crate::pipeline::tiers::{NO_TIER, Over, TierRequest};
use crate::progress::Progress;
use crate::report::hand_over::{Book, Cells, Format, HandOver};
use crate::report::{FileKind, OutputFile};
use crate::tier::SchemeFile;
use crate::tier::migration::{Match, matched};

/// A customer whose line is written: its place in the ledger's state and in the grading.
type Place = (Option<usize>, Option<usize>);

/// Adds what a grading changed.
///
/// # Errors
/// Those of reading and writing; ids of another type than the ledger's.
pub(in crate::pipeline) fn add(
    folder: &Path,
    over: &Over<'_>,
    scheme: &SchemeFile,
    ids: &Ids,
    request: &TierRequest<'_>,
    date: Day,
    progress: &dyn Progress,
) -> Result<LedgerReport> {
    let all = ledger_entries(folder, None)?;
    let names = over.graded.tiering.names();
    let state = ledger_state(folder, &scheme.key, None)?.unwrap_or_else(|| LedgerState::empty(ids));
    let old_name = |row: usize| state.names.get(usize::from(state.codes[row]));
    let new_name = |row: usize| names.get(usize::from(over.effective()[row]));
    // What a policy waits for, with its tier by name.
    let policy = over.held.as_ref().map(|held| held.report.policy.code());
    let waited = |row: usize| {
        let held = state.holds[row].held?;
        Some((state.names.get(usize::from(held.tier))?, held.since, held.run))
    };
    let waits = |row: usize| {
        let held = over.held.as_ref()?.by_row[row]?;
        Some((names.get(usize::from(held.tier))?, held.since, held.run))
    };
    let (mut changed, mut waiting) = (Vec::<Place>::new(), 0);
    for Match { before, after } in matched(&state.ids, ids)? {
        if before.and_then(old_name) != after.and_then(new_name) {
            changed.push((before, after));
        } else if policy.is_some() && before.and_then(waited) != after.and_then(waits) {
            changed.push((before, after));
            waiting += 1;
        }
    }
    let customers = over.effective().iter().filter(|&&code| code != NO_TIER).count() as u64;
    let moved = changed.len() as u64 - waiting;
    let report = LedgerReport { scheme: scheme.key.clone(), added: None, moved, waiting, customers };
    // Another policy is said in the next file, if anything changes by then.
    if changed.is_empty() {
        return Ok(report);
    }
    let number = all.last().map_or(1, |entry| entry.number.saturating_add(1));
    let path = folder.join(format!("{number:0DIGITS$}_{}_{date}.parquet", scheme.key));
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e))?;
    let out = OutputFile::begin(FileKind::TierLedger, &path, false, &[])?;
    let rules = format!("{:016x}", scheme.fingerprint);
    let (changed, day) = (&changed, date.to_string());
    let column = |name: &str, cells| HandOver { name: name.to_string(), cells };
    // Ids keep their type, whoever of the two tables has them.
    let before: Vec<usize> =
        changed.iter().filter(|(_, after)| after.is_none()).filter_map(|&(b, _)| b).collect();
    let after: Vec<usize> = changed.iter().filter_map(|&(_, after)| after).collect();
    let there = changed.iter().filter(|(_, after)| after.is_some());
    let order: Vec<Place> =
        there.chain(changed.iter().filter(|(_, after)| after.is_none())).copied().collect();
    let order = &order;
    let who = ids.select(&after).joined(state.ids.select(&before)).ok_or_else(|| {
        let problem = "they are of another type than those of the ledger";
        Error::value("the ids", scheme.key.clone(), problem, "keep one type")
    })?;
    let by_hand = |row: usize| over.by_hand(row, request.overrides);
    let version = if policy.is_some() { VERSIONS[1] } else { VERSIONS[0] };
    let mut columns = vec![
        column("customer_id", Cells::Carried(who.into_column()?)),
        column("old", Cells::Made(Box::new(|k| order[k].0.and_then(old_name).cloned()))),
        column("new", Cells::Made(Box::new(|k| order[k].1.and_then(new_name).cloned()))),
        column("by_hand", Cells::Made(Box::new(|k| order[k].1.and_then(by_hand)))),
        column("date", Cells::Made(Box::new(|_| Some(day.clone())))),
        column("rules", Cells::Made(Box::new(|_| Some(rules.clone())))),
        column("ledger", Cells::Numbers(vec![f64::from(version); order.len()])),
    ];
    if let Some(policy) = &policy {
        let of = |k: usize| order[k].1.and_then(waits);
        let name = |row: usize| names.get(usize::from(over.automatic[row]));
        let run = |k: usize| of(k).map_or(f64::NAN, |(.., run)| f64::from(run));
        columns.extend([
            column("automatic", Cells::Made(Box::new(move |k| order[k].1.and_then(name).cloned()))),
            column("held", Cells::Made(Box::new(move |k| of(k).map(|(tier, ..)| tier.clone())))),
            column("since", Cells::Made(Box::new(move |k| of(k).map(|(_, since, _)| since.to_string())))),
            column("run", Cells::Numbers((0..order.len()).map(run).collect())),
            column("policy", Cells::Made(Box::new(move |_| Some(policy.clone())))),
        ]);
    }
    Book { rows: order.len(), columns, summary: Vec::new(), sheet: String::new(), order: None }.write(
        Format::Parquet,
        out.path(),
        progress,
    )?;
    Ok(LedgerReport { added: Some(out.finish_new()?), ..report })
}
