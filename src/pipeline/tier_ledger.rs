//! The ledger of tiers: who came into which tier when, by which rules or by whom. It is only ever added to.
//!
//! A ledger is a folder of Parquet files, one for each grading at which somebody moved, in the order of their numbers:
//! `000001_value_2024-06-30.parquet`. A row is a customer with its old and its new tier (null where it was not there
//! before, or is not any more). Replaying the files gives the tier of everybody on any day.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::tiers::{NO_TIER, Over, TierRequest};
use crate::calendar::Day;
use crate::customers::table::Plain;
use crate::customers::{Ids, WholeFile};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::hand_over::{Book, Cells, Format, HandOver};
use crate::report::{FileKind, OutputFile};
use crate::tier::SchemeFile;
use crate::tier::migration::{Match, matched};

/// The version of the files.
const VERSION: u32 = 1;

/// Digits of a file's number.
const DIGITS: usize = 6;

/// One file of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerEntry {
    /// The file.
    pub path: PathBuf,
    /// Its number, from 1.
    pub number: u32,
    /// The scheme.
    pub scheme: String,
    /// The date of the grading.
    pub date: Day,
}

/// What adding to a ledger did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerReport {
    /// The scheme.
    pub scheme: String,
    /// The file that was added; none where nobody moved.
    pub added: Option<PathBuf>,
    /// Customers whose tier changed, those who were not there before or are not any more among them.
    pub moved: u64,
    /// Customers with a tier, after it.
    pub customers: u64,
}

/// Everybody's tier on a day.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerState {
    /// Who has a tier.
    pub ids: Ids,
    /// The place of each one's tier among `names`.
    pub codes: Vec<u8>,
    /// The tiers that there were, in the order in which they were met.
    pub names: Vec<String>,
}

/// The files of a ledger about a scheme, in their order; none where there is no such folder.
///
/// # Errors
/// [`Error::Io`]; [`Error::Document`] for a file whose name is none of a ledger's.
pub fn ledger_entries(folder: &Path, scheme: Option<&str>) -> Result<Vec<LedgerEntry>> {
    let mut out = Vec::new();
    if !folder.exists() {
        return Ok(out);
    }
    let listed = std::fs::read_dir(folder).map_err(|e| Error::io("read", folder, e))?;
    for file in listed {
        let path = file.map_err(|e| Error::io("read", folder, e))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Work that another run left behind, and the like.
        if name.starts_with('.') {
            continue;
        }
        let entry = entry(&path, &name).ok_or_else(|| Error::Document {
            file: path.display().to_string(),
            problem: "it is no file of a ledger of tiers".into(),
            remedy: "give a folder that holds a ledger and nothing else, or one that does not exist yet"
                .into(),
        })?;
        out.push(entry);
    }
    out.sort_by_key(|entry| entry.number);
    if let Some(pair) = out.windows(2).find(|pair| pair[0].number == pair[1].number) {
        return Err(Error::Document {
            file: folder.display().to_string(),
            problem: format!("two files of the ledger have number {}", pair[0].number),
            remedy: "keep the one that was added first: what comes after it was graded against it".into(),
        });
    }
    out.retain(|entry| scheme.is_none_or(|scheme| entry.scheme == scheme));
    Ok(out)
}

fn entry(path: &Path, name: &str) -> Option<LedgerEntry> {
    let rest = name.strip_suffix(".parquet")?;
    let (number, rest) = rest.split_once('_')?;
    let (scheme, date) = rest.rsplit_once('_')?;
    let number = number.parse().ok().filter(|_| number.len() >= DIGITS)?;
    Some(LedgerEntry { path: path.to_path_buf(), number, scheme: scheme.into(), date: date.parse().ok()? })
}

/// Everybody's tier by a scheme after the last grading up to `date`, or after the last of all; `None` where there was
/// none.
///
/// # Errors
/// Those of the files; a file of a later version.
pub fn ledger_state(folder: &Path, scheme: &str, date: Option<Day>) -> Result<Option<LedgerState>> {
    let mut state: Option<LedgerState> = None;
    for entry in ledger_entries(folder, Some(scheme))? {
        if date.is_none_or(|date| entry.date <= date) {
            state = Some(follow(state, &entry)?);
        }
    }
    Ok(state)
}

/// The state after one more file.
fn follow(state: Option<LedgerState>, entry: &LedgerEntry) -> Result<LedgerState> {
    let file = WholeFile::open(&entry.path, None)?;
    let damaged = |problem: String| Error::Document {
        file: entry.path.display().to_string(),
        problem,
        remedy: "use the tiercast that wrote it; a ledger is only ever added to, never edited".into(),
    };
    let column = |name: &str| -> Result<Plain> {
        let values =
            file.column(name, None)?.ok_or_else(|| damaged(format!("it has no column \"{name}\"")))?;
        values.plain(name)
    };
    let version = match column("ledger")? {
        Plain::Numbers(values) => values.first().copied().unwrap_or(0.0),
        _ => 0.0,
    };
    if version != f64::from(VERSION) {
        let age = if version > f64::from(VERSION) { "a later tiercast wrote it: it is" } else { "it is" };
        return Err(damaged(format!(
            "{age} of version {version}, and this tiercast reads version {VERSION}"
        )));
    }
    let ids = file.ids()?;
    let Plain::Texts { codes, names } = column("new")? else {
        return Err(damaged("its column \"new\" holds no texts".into()));
    };
    let state =
        state.unwrap_or_else(|| LedgerState { ids: ids.select(&[]), codes: Vec::new(), names: Vec::new() });
    let LedgerState { ids: known, codes: mut held, names: mut all } = state;
    let place: Vec<u8> = names
        .iter()
        .map(|name| {
            let at = all.iter().position(|own| own == name).unwrap_or_else(|| {
                all.push(name.clone());
                all.len() - 1
            });
            u8::try_from(at).ok().filter(|&at| at != NO_TIER)
        })
        .collect::<Option<_>>()
        .ok_or_else(|| damaged("it names more tiers than there can be".into()))?;
    let new = |row: usize| place.get(codes[row] as usize).copied().unwrap_or(NO_TIER);
    let mut added = Vec::new();
    for Match { before, after } in matched(&known, &ids)? {
        match (before, after) {
            (Some(before), Some(after)) => held[before] = new(after),
            (None, Some(after)) => added.push(after),
            (_, None) => {}
        }
    }
    let kept: Vec<usize> = (0..held.len()).filter(|&row| held[row] != NO_TIER).collect();
    let added: Vec<usize> = added.into_iter().filter(|&row| new(row) != NO_TIER).collect();
    let codes: Vec<u8> = kept.iter().map(|&row| held[row]).chain(added.iter().map(|&row| new(row))).collect();
    let ids = known
        .select(&kept)
        .joined(ids.select(&added))
        .ok_or_else(|| damaged("its ids are of another type than those of the files before it".into()))?;
    // Names that nobody has any more would fill the codes in the end.
    let mut is_used = vec![false; all.len()];
    codes.iter().for_each(|&code| is_used[usize::from(code)] = true);
    let names: Vec<String> = (0..all.len()).filter(|&at| is_used[at]).map(|at| all[at].clone()).collect();
    let moved: Vec<u8> =
        (0..all.len()).map(|at| is_used[..at].iter().filter(|&&used| used).count() as u8).collect();
    let codes = codes.into_iter().map(|code| moved[usize::from(code)]).collect();
    Ok(LedgerState { ids, codes, names })
}

/// Whether a grading of a date may be added to a ledger, before anything is written.
///
/// # Errors
/// A date before the last one by one of the schemes; two files of one number; a folder that holds anything else.
pub(super) fn check(folder: &Path, schemes: &[SchemeFile], date: Day) -> Result<()> {
    let all = ledger_entries(folder, None)?;
    for scheme in schemes {
        let last = all.iter().rev().find(|entry| entry.scheme == scheme.key);
        if let Some(last) = last.filter(|last| last.date > date) {
            let problem = format!("the ledger has a grading by {} of {} already", scheme.key, last.date);
            return Err(Error::value(
                "the date of the grading",
                date,
                problem,
                "give --date on or after that day",
            ));
        }
    }
    Ok(())
}

/// Adds what a grading changed.
///
/// # Errors
/// A date before the last one of the ledger; those of reading and writing.
pub(super) fn add(
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
    let state = ledger_state(folder, &scheme.key, None)?;
    let state =
        state.unwrap_or_else(|| LedgerState { ids: ids.select(&[]), codes: Vec::new(), names: Vec::new() });
    let old_name = |row: usize| state.names.get(usize::from(state.codes[row]));
    let new_name = |row: usize| names.get(usize::from(over.effective()[row]));
    let mut moves: Vec<(Option<usize>, Option<usize>)> = Vec::new();
    for Match { before, after } in matched(&state.ids, ids)? {
        if before.and_then(old_name) != after.and_then(new_name) {
            moves.push((before, after));
        }
    }
    let customers = over.effective().iter().filter(|&&code| code != NO_TIER).count() as u64;
    let report =
        LedgerReport { scheme: scheme.key.clone(), added: None, moved: moves.len() as u64, customers };
    if moves.is_empty() {
        return Ok(report);
    }
    let number = all.last().map_or(1, |entry| entry.number.saturating_add(1));
    let path = folder.join(format!("{number:0DIGITS$}_{}_{date}.parquet", scheme.key));
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, e))?;
    let out = OutputFile::begin(FileKind::TierLedger, &path, false, &[])?;
    let rules = format!("{:016x}", scheme.fingerprint);
    let (moves, day) = (&moves, date.to_string());
    let column = |name: &str, cells| HandOver { name: name.to_string(), cells };
    // Ids keep their type, whoever of the two tables has them.
    let before: Vec<usize> =
        moves.iter().filter(|(_, after)| after.is_none()).filter_map(|&(b, _)| b).collect();
    let after: Vec<usize> = moves.iter().filter_map(|&(_, after)| after).collect();
    let order: Vec<(Option<usize>, Option<usize>)> = moves
        .iter()
        .filter(|(_, after)| after.is_some())
        .chain(moves.iter().filter(|(_, after)| after.is_none()))
        .copied()
        .collect();
    let who = ids.select(&after).joined(state.ids.select(&before)).ok_or_else(|| {
        Error::value(
            "the ids",
            scheme.key.clone(),
            "they are of another type than those of the ledger",
            "keep one type",
        )
    })?;
    let by_hand = |row: usize| over.by_hand(row, request.overrides);
    let columns = vec![
        column("customer_id", Cells::Carried(who.into_column()?)),
        column("old", Cells::Made(Box::new(|k| order[k].0.and_then(old_name).cloned()))),
        column("new", Cells::Made(Box::new(|k| order[k].1.and_then(new_name).cloned()))),
        column("by_hand", Cells::Made(Box::new(|k| order[k].1.and_then(by_hand)))),
        column("date", Cells::Made(Box::new(|_| Some(day.clone())))),
        column("rules", Cells::Made(Box::new(|_| Some(rules.clone())))),
        column("ledger", Cells::Numbers(vec![f64::from(VERSION); order.len()])),
    ];
    Book { rows: order.len(), columns, summary: Vec::new(), sheet: String::new(), order: None }.write(
        Format::Parquet,
        out.path(),
        progress,
    )?;
    Ok(LedgerReport { added: Some(out.finish_new()?), ..report })
}
