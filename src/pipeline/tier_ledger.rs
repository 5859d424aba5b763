//! The ledger of tiers: who came into which tier when, by which rules or by whom. It is only ever added to.
//!
//! A ledger is a folder of Parquet files, one for each grading at which somebody moved, in the order of their numbers:
//! `000001_value_2024-06-30.parquet`. A row is a customer with its old and its new tier (null where it was not there
//! before, or is not any more). Replaying the files gives the tier of everybody on any day.
//!
//! Version 2 is written where tiers are held on to by a policy: beside the tier that holds stand what the policy holds
//! (another one where a tier is set by hand), when its term began and for how many gradings in a row the rules have said
//! something else. A row is then also a customer of whom only these changed. Files of version 1 are read as before.

mod add;
mod state;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub(super) use self::add::add;
pub use self::state::{LedgerHold, LedgerState, ledger_state};

use self::state::policy_of;
use crate::calendar::Day;
use crate::error::{Error, Result};
use crate::tier::SchemeFile;
use crate::tier::policy::Policy;

/// Versions of the files: without and with a policy.
const VERSIONS: [u32; 2] = [1, 2];

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
    /// The file that was added; none where nothing changed.
    pub added: Option<PathBuf>,
    /// Customers whose tier changed, those who were not there before or are not any more among them.
    pub moved: u64,
    /// Further customers of whom only changed what a policy waits for: a term that began anew, gradings in a row.
    pub waiting: u64,
    /// Customers with a tier, after it.
    pub customers: u64,
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

/// Whether a grading of a date may be added to a ledger, before anything is written.
///
/// # Errors
/// A date before the last one by one of the schemes; no policy where the ledger has one; two files of one number; a folder
/// that holds anything else.
pub(super) fn check(folder: &Path, schemes: &[SchemeFile], date: Day, policy: Option<Policy>) -> Result<()> {
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
        if let (Some(last), None) = (last, policy)
            && let Some(held) = policy_of(last)?
        {
            let problem = format!("the ledger holds on to tiers by {} with {}", scheme.key, held.code());
            let remedy =
                format!("give --policy {} to go on so, or --policy at-once to follow the rules", held.code());
            return Err(Error::value("--policy", "left out", problem, remedy));
        }
    }
    Ok(())
}
