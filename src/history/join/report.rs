//! What became of the ids of each source.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::error::{Error, Result, nearest_first};
use crate::history::id_map::IdMapInfo;
use crate::history::join::sources::{list, remedy};
use crate::history::join::{Join, Unmatched};

/// Different ids, and rows with one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct IdCount {
    /// Different ids.
    pub ids: u64,
    /// Rows.
    pub rows: u64,
}

/// What became of the ids of one source. Rows without an id are in none of the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceCounts {
    /// Of one customer.
    pub matched: IdCount,
    /// Not in the map.
    pub unmatched: IdCount,
    /// Of several customers.
    pub ambiguous: IdCount,
}

/// How a history and an id map go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinReport {
    /// The map.
    pub map: IdMapInfo,
    /// What happened to rows whose id is not in the map.
    pub unmatched: Unmatched,
    /// The sources of the history, by name.
    pub sources: BTreeMap<String, SourceCounts>,
}

impl Join {
    /// What became of the ids.
    ///
    /// Errors: [`Error::Value`] for sources that the map does not have, unless their ids are kept.
    pub(crate) fn report(&self) -> Result<JoinReport> {
        let mut sources = self.tally.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unknown: Vec<(&String, u64)> = (sources.iter())
            .filter(|(name, _)| self.map.source(name).is_none())
            .map(|(name, counts)| (name, counts.unmatched.rows))
            .collect();
        if let (Some((first, rows)), Unmatched::Aside) = (unknown.first(), self.unmatched) {
            let others = match unknown.len() {
                1 => String::new(),
                _ => format!(
                    "; nor has it {}",
                    list(unknown[1..].iter().map(|(name, rows)| format!("\"{name}\" ({rows} rows)")))
                ),
            };
            let problem =
                format!("{} has no such source, and {rows} rows have it{others}", self.map.info().file);
            return Err(Error::value("the source", first, problem, remedy(first, &self.map)));
        }
        let names = &self.map.info().sources;
        for entry in 0..self.map.len() {
            if self.tally.met[entry / 64].load(Ordering::Relaxed) >> (entry % 64) & 1 == 1 {
                let (source, ambiguous) = self.map.about(entry);
                if let Some(counts) = sources.get_mut(&names[source as usize]) {
                    match ambiguous {
                        true => counts.ambiguous.ids += 1,
                        false => counts.matched.ids += 1,
                    }
                }
            }
        }
        Ok(JoinReport { map: self.map.info().clone(), unmatched: self.unmatched, sources })
    }
}

impl JoinReport {
    /// What a reader of any figure should know, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.map.null_lines > 0 {
            out.push(format!(
                "{} of {} lines of the id map {} have no source, source id or customer id and are left out",
                self.map.null_lines, self.map.lines, self.map.file
            ));
        }
        for (name, counts) in &self.sources {
            if self.map.sources.binary_search(name).is_err() {
                let nearest = nearest_first(name, &self.map.sources);
                out.push(format!(
                    "source \"{name}\" is not in the id map: its {} ids are kept as they are (the map's nearest source is \"{}\")",
                    counts.unmatched.ids,
                    nearest.first().map_or("", String::as_str)
                ));
            }
            if counts.ambiguous.ids > 0 {
                out.push(format!(
                    "{} ids of source \"{name}\" stand for several customers in the id map: their {} rows are set aside",
                    counts.ambiguous.ids, counts.ambiguous.rows
                ));
            }
        }
        out
    }
}

impl SourceCounts {
    /// Adds the counts of another part of the rows, or of another source.
    pub(crate) fn add(&mut self, other: &SourceCounts) {
        let each = [
            (&mut self.matched, other.matched),
            (&mut self.unmatched, other.unmatched),
            (&mut self.ambiguous, other.ambiguous),
        ];
        for (all, some) in each {
            all.ids += some.ids;
            all.rows += some.rows;
        }
    }
}
