//! Ids of several systems become customers: the join of a history with an id map, batch by batch, and its report.

mod batch;
mod report;
mod sources;
mod translated;

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::history::HistoryOptions;
use crate::history::files::ParquetFile;
use crate::history::id_map::IdMap;
use crate::history::join::sources::SourceOf;
use crate::history::source_keys::SPELLING;

pub use report::{IdCount, JoinReport, SourceCounts};

/// Sets of unmatched ids, so that threads seldom wait for each other.
const SHARDS: usize = 64;

/// What happens to rows whose id is not in the id map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unmatched {
    /// They are set aside.
    #[default]
    Aside,
    /// Their customer is their own id behind the name of the source, as in "shop:17".
    Keep,
}

/// How an id map makes customers of ids, as far as rows that are read at different times have to agree in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedIds {
    /// What happens to rows whose id is not in the map, which says how their customers are spelled.
    pub unmatched: Unmatched,
    /// The rules by which ids of two systems are spelled alike.
    pub spelling: u32,
}

/// The join of a history with an id map.
#[derive(Debug)]
pub(crate) struct Join {
    map: Arc<IdMap>,
    unmatched: Unmatched,
    files: Vec<SourceOf>,
    /// Hashes of the map's customers that look like a kept id.
    prefixed: Arc<HashSet<u64>>,
    tally: Tally,
}

/// What was met so far. It is the same whichever thread met it, and when.
#[derive(Debug, Default)]
struct Tally {
    /// A bit for each id of the map that the history has.
    met: Vec<AtomicU64>,
    /// Hashes of (source, id) that the map does not have; two of n fall together with odds of n²/2⁶⁵.
    unmatched: Vec<Mutex<HashSet<u64>>>,
    sources: Mutex<BTreeMap<String, SourceCounts>>,
}

impl Join {
    /// The join of files (which have rows) with `map`.
    ///
    /// Errors: [`Error::ColumnNotFound`] and [`Error::ColumnType`] for the source column; [`Error::Value`] for a file
    /// whose name is no source of the map, and for kept ids beside customers that are integers.
    pub(crate) fn new(map: Arc<IdMap>, files: &[ParquetFile], options: &HistoryOptions) -> Result<Join> {
        let unmatched = options.unmatched;
        if unmatched == Unmatched::Keep && !map.kind().is_text() {
            return Err(Error::value(
                "--unmatched",
                "keep",
                format!(
                    "the customers of {} are integers, and ids of two systems that are the same number would become one customer",
                    map.info().file
                ),
                "write the map's customer_id as text, or leave unmatched rows aside",
            ));
        }
        let files = files
            .iter()
            .map(|file| match options.source.as_deref() {
                Some(name) => sources::source_column(file, name).map(SourceOf::Column),
                None => match map.source(&file.given) {
                    None if unmatched == Unmatched::Aside => Err(sources::unknown_path(file, &map)),
                    _ => Ok(SourceOf::Path(file.given.clone())),
                },
            })
            .collect::<Result<Vec<_>>>()?;
        let prefixed = match unmatched {
            Unmatched::Keep => map.text_hashes(|text| text.contains(&b':')),
            Unmatched::Aside => HashSet::new(),
        };
        let tally = Tally::new(map.len());
        Ok(Join { map, unmatched, files, prefixed: Arc::new(prefixed), tally })
    }

    /// How ids become customers.
    pub(crate) fn mapped(&self) -> MappedIds {
        MappedIds { unmatched: self.unmatched, spelling: SPELLING }
    }

    /// The map.
    pub(crate) fn map(&self) -> &Arc<IdMap> {
        &self.map
    }

    /// The source of all rows of a file, where its path says it: equal in every column they may be of different sources.
    pub(crate) fn path_of(&self, file: usize) -> Option<&str> {
        match &self.files[file] {
            SourceOf::Path(name) => Some(name),
            SourceOf::Column(_) => None,
        }
    }

    /// The column of a file's sources.
    pub(crate) fn column(&self, file: usize) -> Option<usize> {
        match self.files[file] {
            SourceOf::Path(_) => None,
            SourceOf::Column(index) => Some(index),
        }
    }

    /// The same join, with nothing met.
    pub(crate) fn again(&self) -> Join {
        let (map, files, prefixed) = (Arc::clone(&self.map), self.files.clone(), Arc::clone(&self.prefixed));
        Join { map, unmatched: self.unmatched, files, prefixed, tally: Tally::new(self.map.len()) }
    }
}

impl Tally {
    fn new(ids: usize) -> Tally {
        Tally {
            met: (0..ids.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            unmatched: (0..SHARDS).map(|_| Mutex::default()).collect(),
            sources: Mutex::default(),
        }
    }

    #[inline]
    fn meet(&self, entry: u32) {
        let (word, bit) = (&self.met[entry as usize / 64], 1 << (entry % 64));
        // Most ids were met before: reading alone leaves the other cores' caches as they are.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether an id was not met before.
    fn is_new(&self, hash: u64) -> bool {
        let shard = &self.unmatched[(hash >> 58) as usize];
        shard.lock().unwrap_or_else(PoisonError::into_inner).insert(hash)
    }
}
