//! Ids of several systems become customers: the join of a history with an id map, batch by batch, and its report.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, LargeStringArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, nearest_first};
use crate::history::files::ParquetFile;
use crate::history::id_map::{Customers, Found, IdMap, IdMapInfo, seed};
use crate::history::keys::id_hash;
use crate::history::keys::{IdBatch, IdValues, Miss, Texts};
use crate::history::source_keys::{Key, Labels, SPELLING, own_ids};
use crate::history::types::IdKind;
use crate::history::{HistoryOptions, Reason};

/// Sets of unmatched ids, so that threads seldom wait for each other.
const SHARDS: usize = 64;

/// Sources that a message lists.
const SHOWN: usize = 10;

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

/// Where the source of a file's rows is said.
#[derive(Debug, Clone)]
enum SourceOf {
    /// One source for the whole file.
    Path(String),
    /// A column of the file.
    Column(usize),
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
                Some(name) => source_column(file, name).map(SourceOf::Column),
                None => match map.source(&file.given) {
                    None if unmatched == Unmatched::Aside => Err(unknown_path(file, &map)),
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

    /// Whether rows that are equal in every column may have different sources.
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

    /// The customers of a batch of file `file`, whose ids are `ids` and whose sources, if a column says them, `sources`.
    pub(crate) fn batch(&self, file: usize, ids: &ArrayRef, sources: Option<&ArrayRef>) -> Result<IdBatch> {
        let own = own_ids(ids);
        let mut batch = Batch {
            join: self,
            locals: Vec::new(),
            misses: Vec::new(),
            unmatched: Vec::new(),
            out: Out::new(self.map.kind(), ids.len()),
        };
        let sources = sources.map(own_ids);
        let mut labels = Labels::default();
        let whole = match &self.files[file] {
            SourceOf::Path(name) if sources.is_none() => Some(batch.local(name.clone())?),
            _ => None,
        };
        // Of each dictionary entry, what was found for it last.
        let mut memo: Vec<Option<(u32, Found)>> = vec![None; own.0.entries()];
        for row in 0..ids.len() {
            if !own.0.is_id(row) {
                let null = own.0.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                let blank = if null { None } else { own.0.blank(row).map(str::to_string) };
                batch.miss(row, Reason::NullCustomer, blank);
                continue;
            }
            let local = match (whole, &sources) {
                (Some(local), _) => local,
                (None, Some(sources)) if sources.0.is_id(row) => {
                    let mut failed = None;
                    let label = labels.of(sources.key(row), |name| {
                        batch.local(name).unwrap_or_else(|error| {
                            failed = Some(error);
                            0
                        })
                    });
                    if let Some(error) = failed {
                        return Err(error);
                    }
                    label
                }
                _ => {
                    batch.miss(row, Reason::NullSource, None);
                    continue;
                }
            };
            let key = own.key(row);
            let found = match own.0.entry(row) {
                None => batch.find(local, key),
                Some(entry) => match memo[entry] {
                    Some((of, found)) if of == local => found,
                    _ => {
                        let found = batch.find(local, key);
                        memo[entry] = Some((local, found));
                        found
                    }
                },
            };
            batch.take(row, local, key, found)?;
        }
        Ok(batch.finish())
    }

    /// The same join, with nothing met.
    pub(crate) fn again(&self) -> Join {
        let (map, files, prefixed) = (Arc::clone(&self.map), self.files.clone(), Arc::clone(&self.prefixed));
        Join { map, unmatched: self.unmatched, files, prefixed, tally: Tally::new(self.map.len()) }
    }

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

/// A source of the rows of a batch.
struct Local {
    name: String,
    seed: u64,
    code: Option<u32>,
    counts: SourceCounts,
}

/// A batch that is being translated.
struct Batch<'a> {
    join: &'a Join,
    locals: Vec<Local>,
    misses: Vec<Miss>,
    /// Source and hash of ids that the map does not have.
    unmatched: Vec<(u64, u32)>,
    out: Out,
}

impl Batch<'_> {
    fn local(&mut self, name: String) -> Result<u32> {
        if self.join.unmatched == Unmatched::Keep && name.contains(':') {
            return Err(Error::value(
                "the source",
                name,
                "kept ids would be ambiguous: they are written as source:id",
                "give the source a name without \":\", or leave unmatched rows aside",
            ));
        }
        let code = self.join.map.source(&name);
        self.locals.push(Local { seed: seed(&name), code, counts: SourceCounts::default(), name });
        Ok(self.locals.len() as u32 - 1)
    }

    #[inline]
    fn find(&self, local: u32, key: Key<'_>) -> Found {
        match self.locals[local as usize].code {
            Some(code) => self.join.map.find(code, key),
            None => Found::Nothing,
        }
    }

    fn miss(&mut self, row: usize, reason: Reason, value: Option<String>) {
        self.misses.push(Miss { row, reason, value });
        self.out.nothing();
    }

    #[inline]
    fn take(&mut self, row: usize, local: u32, key: Key<'_>, found: Found) -> Result<()> {
        let source = &mut self.locals[local as usize];
        match found {
            Found::Customer { entry, row } => {
                self.join.tally.meet(entry);
                source.counts.matched.rows += 1;
                self.out.customer(self.join.map.customers(), row);
                Ok(())
            }
            Found::Ambiguous { entry } => {
                self.join.tally.meet(entry);
                source.counts.ambiguous.rows += 1;
                let value = format!("{}:{}", source.name, key.shown());
                self.miss(row, Reason::AmbiguousId, Some(value));
                Ok(())
            }
            Found::Nothing => {
                source.counts.unmatched.rows += 1;
                self.unmatched.push((Key::mix(key.word, key.sort, source.seed), local));
                let value = format!("{}:{}", source.name, key.shown());
                if self.join.unmatched == Unmatched::Aside {
                    self.miss(row, Reason::UnmatchedId, Some(value));
                    return Ok(());
                }
                let hash = id_hash(value.as_bytes());
                if self.join.prefixed.contains(&hash) {
                    return Err(Error::value(
                        "--unmatched",
                        "keep",
                        format!("\"{value}\" would be the id of a kept customer and is one of the id map's"),
                        "rename the map's customer, or leave unmatched rows aside",
                    ));
                }
                self.out.text(value.as_bytes(), hash);
                Ok(())
            }
        }
    }

    fn finish(mut self) -> IdBatch {
        self.unmatched.sort_unstable();
        self.unmatched.dedup();
        for &(hash, local) in &self.unmatched {
            if self.join.tally.is_new(hash) {
                self.locals[local as usize].counts.unmatched.ids += 1;
            }
        }
        let mut sources = self.join.tally.sources.lock().unwrap_or_else(PoisonError::into_inner);
        for local in self.locals {
            sources.entry(local.name).or_default().add(&local.counts);
        }
        drop(sources);
        self.out.finish(self.misses)
    }
}

impl SourceCounts {
    fn add(&mut self, other: &SourceCounts) {
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

/// The customers of a batch so far.
enum Out {
    Integers(Vec<u64>),
    Texts { bytes: Vec<u8>, offsets: Vec<i64>, hashes: Vec<u64> },
}

impl Out {
    fn new(kind: IdKind, rows: usize) -> Out {
        match kind {
            IdKind::Text { .. } => {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                Out::Texts { bytes: Vec::new(), offsets, hashes: Vec::with_capacity(rows) }
            }
            _ => Out::Integers(Vec::with_capacity(rows)),
        }
    }

    #[inline]
    fn text(&mut self, text: &[u8], hash: u64) {
        if let Out::Texts { bytes, offsets, hashes } = self {
            bytes.extend_from_slice(text);
            offsets.push(bytes.len() as i64);
            hashes.push(hash);
        }
    }

    #[inline]
    fn customer(&mut self, customers: &Customers, row: u32) {
        match (self, customers) {
            (Out::Integers(values), Customers::Integers(all)) => values.push(all[row as usize]),
            (out, Customers::Texts(texts)) => {
                let (text, hash) = texts.get(row);
                out.text(text, hash);
            }
            (Out::Texts { .. }, Customers::Integers(_)) => unreachable!("both are of the map's kind"),
        }
    }

    fn nothing(&mut self) {
        match self {
            Out::Integers(values) => values.push(0),
            Out::Texts { .. } => self.text(&[], 0),
        }
    }

    fn finish(self, misses: Vec<Miss>) -> IdBatch {
        let (rows, values) = match self {
            Out::Integers(values) => (values.len(), IdValues::Integers(values)),
            Out::Texts { bytes, offsets, hashes } => {
                let array = LargeStringArray::new(OffsetBuffer::new(offsets.into()), bytes.into(), None);
                (hashes.len(), IdValues::Texts(Texts::new(array, hashes)))
            }
        };
        let nulls = (!misses.is_empty()).then(|| {
            let mut valid = vec![true; rows];
            misses.iter().for_each(|miss| valid[miss.row] = false);
            NullBuffer::from(valid)
        });
        IdBatch { nulls, values, misses }
    }
}

/// The column of sources of a file.
fn source_column(file: &ParquetFile, name: &str) -> Result<usize> {
    let fields = file.schema().fields();
    let Some((index, field)) = fields.iter().enumerate().find(|(_, field)| field.name() == name) else {
        let columns: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        return Err(Error::ColumnNotFound {
            path: file.path().to_path_buf(),
            role: "source",
            wanted: Some(name.to_string()),
            columns: nearest_first(name, &columns),
        });
    };
    if IdKind::of(field.data_type()).is_none() {
        return Err(Error::ColumnType {
            path: file.path().to_path_buf(),
            role: "source",
            column: name.to_string(),
            found: match field.data_type() {
                DataType::Null => "null: no folder of the file names it".to_string(),
                other => other.to_string(),
            },
            expected: "an integer of any width, or text (also as a dictionary)",
        });
    }
    Ok(index)
}

fn unknown_path(file: &ParquetFile, map: &IdMap) -> Error {
    Error::value(
        format!("the source of {}", file.path().display()),
        &file.given,
        format!("{} has no such source", map.info().file),
        format!(
            "{}. The source is the name of the file or folder as given, or what a column says: --source COLUMN",
            remedy(&file.given, map)
        ),
    )
}

fn remedy(name: &str, map: &IdMap) -> String {
    let nearest = nearest_first(name, &map.info().sources);
    format!(
        "did you mean \"{}\"? The map's sources are: {}",
        nearest.first().map_or("", String::as_str),
        list(nearest.iter().cloned())
    )
}

/// The first of a list, and how many more there are.
fn list(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = names.take(SHOWN).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}
