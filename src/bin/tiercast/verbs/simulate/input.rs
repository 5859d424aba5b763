//! What is given to `simulate`: a table of customers, a history, or a table of ours that is neither.

use std::path::Path;

use tiercast::calendar::Unit;
use tiercast::customers::{StatisticsFile, WholeFile};
use tiercast::pipeline::STATISTICS;
use tiercast::report::FileKind;
use tiercast::{Error, Result};

/// Whether a path is a table of customers, and no history.
pub(super) fn is_table(path: &Path, id: Option<&str>) -> Result<bool> {
    if !path.exists() {
        // A pattern; or an error that reading a history words better.
        return Ok(false);
    }
    if path.is_dir() {
        return Ok(false);
    }
    match WholeFile::open(path, id) {
        Ok(file) => {
            let columns = file.columns();
            let is_table = STATISTICS.iter().all(|name| columns.iter().any(|own| own == name));
            if !is_table {
                refuse_made(path)?;
            }
            Ok(is_table)
        }
        // A table whose id is another column is no history: its own error says what is missing.
        Err(error) => match StatisticsFile::open(path, Some(Unit::Week)) {
            Ok(_) => Err(error),
            Err(_) => Ok(false),
        },
    }
}

/// A table that was made of customers is neither they nor a history, though it may have ids and a date.
fn refuse_made(path: &Path) -> Result<()> {
    let made = [FileKind::Tiers, FileKind::Sureness, FileKind::Movers, FileKind::TierLedger];
    match FileKind::of(path).filter(|kind| made.contains(kind)) {
        None => Ok(()),
        Some(kind) => Err(Error::Document {
            file: path.display().to_string(),
            problem: format!(
                "it is {}: it has no {}, which futures of customers start from",
                kind.words(),
                STATISTICS.join(", ")
            ),
            remedy: "give the table of `tiercast summarize` (or of `predict`) that it was made of, which is put into tiers here"
                .into(),
        }),
    }
}
