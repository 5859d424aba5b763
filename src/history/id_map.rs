//! A map from the ids of several systems to customers: which customer (source, source id) is.
//!
//! Each line costs about 40 bytes, and what its texts take. An entry holds all that a look-up compares but texts, so that
//! it costs three visits to memory: the bucket, the entry and the customer.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::history::source_keys::{Key, Sort};
use crate::history::types::IdKind;
use crate::parallel;
use crate::random::hash_text;

/// In [`Entry::row`]: the id stands for several customers.
const AMBIGUOUS: u32 = 1 << 31;

/// What an id map is, for people and for the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdMapInfo {
    /// The file or folder as given.
    pub file: String,
    /// The columns taken for source, source id and customer id, in the first file.
    pub columns: [String; 3],
    /// Its lines.
    pub lines: u64,
    /// Lines without a source, source id or customer id, which are left out.
    pub null_lines: u64,
    /// Lines that say what another line says.
    pub duplicate_lines: u64,
    /// Its sources, by name.
    pub sources: Vec<String>,
}

/// Which customer an id of a source is.
#[derive(Debug)]
pub struct IdMap {
    info: IdMapInfo,
    kind: IdKind,
    /// What stands for each source in a hash.
    seeds: Vec<u64>,
    /// Sorted by their mixed hash; `starts[b]` is the first one of bucket `b`.
    entries: Vec<Entry>,
    starts: Vec<u32>,
    shift: u32,
    /// Of each line kept, those of its id that is a text.
    ids: Texts,
    customers: Customers,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    word: u64,
    /// The source's number and the sort of the word.
    source: u32,
    /// The line that names the customer.
    row: u32,
}

/// Texts one after the other.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    #[inline]
    fn get(&self, row: u32) -> &[u8] {
        let row = row as usize;
        &self.bytes[if row == 0 { 0 } else { self.ends[row - 1] }..self.ends[row]]
    }

    fn append(&mut self, other: &Texts) {
        let moved = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| end + moved));
    }
}

/// The customer of each line.
#[derive(Debug)]
pub(crate) enum Customers {
    /// 64 bits each, sign extended.
    Integers(Vec<u64>),
    Texts(CustomerTexts),
}

#[derive(Debug, Default)]
pub(crate) struct CustomerTexts {
    pub(crate) texts: Texts,
    pub(crate) hashes: Vec<u64>,
}

impl CustomerTexts {
    /// Text and hash of a line's customer.
    #[inline]
    pub(crate) fn get(&self, row: u32) -> (&[u8], u64) {
        (self.texts.get(row), self.hashes[row as usize])
    }
}

impl Customers {
    fn same(&self, a: u32, b: u32) -> bool {
        match self {
            Customers::Integers(values) => values[a as usize] == values[b as usize],
            Customers::Texts(texts) => texts.get(a).0 == texts.get(b).0,
        }
    }
}

/// What a look-up found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The customer of that line; `entry` is the number of the entry.
    Customer {
        entry: u32,
        row: u32,
    },
    /// Several customers.
    Ambiguous {
        entry: u32,
    },
    Nothing,
}

impl IdMap {
    /// A map of parts of its lines, in their order.
    pub(crate) fn of(
        parts: Vec<Part>,
        kind: IdKind,
        path: &Path,
        columns: [String; 3],
        lines: u64,
    ) -> Result<IdMap> {
        let rows: usize = parts.iter().map(|part| part.entries.len()).sum();
        if rows >= AMBIGUOUS as usize {
            return Err(Error::value(
                "--id-map",
                path.display(),
                format!("it has more than {AMBIGUOUS} lines"),
                "leave out the lines of ids that the history does not have",
            ));
        }
        let names: BTreeSet<&String> = parts.iter().flat_map(|part| &part.sources).collect();
        let sources: Vec<String> = names.into_iter().cloned().collect();
        let seeds: Vec<u64> = sources.iter().map(|name| seed(name)).collect();
        let mut entries = Vec::with_capacity(rows);
        let mut texts = Texts::default();
        let mut customers = match kind {
            IdKind::Text { .. } => Customers::Texts(CustomerTexts::default()),
            _ => Customers::Integers(Vec::with_capacity(rows)),
        };
        for part in parts {
            let codes: Vec<u32> = (part.sources.iter())
                .map(|name| sources.partition_point(|source| source < name) as u32)
                .collect();
            let base = entries.len() as u32;
            entries.extend(part.entries.iter().map(|&(source, sort, word, row)| Entry {
                word,
                source: codes[source as usize] << 2 | sort as u32,
                row: base + row,
            }));
            texts.append(&part.ids);
            match (&mut customers, part.customers) {
                (Customers::Integers(all), Customers::Integers(some)) => all.extend(some),
                (Customers::Texts(all), Customers::Texts(some)) => {
                    all.texts.append(&some.texts);
                    all.hashes.extend(some.hashes);
                }
                _ => return Err(Error::internal("reading the id map", "customers of two kinds")),
            }
        }
        let kept = entries.len() as u64;
        let mix = |entry: &Entry| entry.mix(&seeds);
        parallel::sort_by(&mut entries, |a, b| {
            (mix(a), a.source, a.word)
                .cmp(&(mix(b), b.source, b.word))
                .then_with(|| texts.get(a.row).cmp(texts.get(b.row)))
                .then(a.row.cmp(&b.row))
        });
        let mut last = 0;
        let (mut twice, mut unique): (u64, Vec<Entry>) = (0, Vec::with_capacity(entries.len()));
        for entry in entries {
            match unique.last_mut() {
                Some(known) if known.same_id(&entry, &texts) => {
                    if customers.same(last, entry.row) {
                        twice += 1;
                    } else {
                        known.row |= AMBIGUOUS;
                    }
                }
                _ => {
                    last = entry.row;
                    unique.push(entry);
                }
            }
        }
        unique.shrink_to_fit();
        // As many buckets as entries, or up to twice as many.
        let bits = (unique.len().max(2).next_power_of_two()).trailing_zeros();
        let shift = 64 - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for entry in &unique {
            starts[(mix(entry) >> shift) as usize + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        let info = IdMapInfo {
            file: path.display().to_string(),
            columns,
            lines,
            null_lines: lines - kept,
            duplicate_lines: twice,
            sources,
        };
        Ok(IdMap { info, kind, seeds, entries: unique, starts, shift, ids: texts, customers })
    }

    /// What it is.
    pub fn info(&self) -> &IdMapInfo {
        &self.info
    }

    /// What the customers' ids are.
    pub fn kind(&self) -> IdKind {
        self.kind
    }

    /// Different ids of all sources.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Number of a source.
    pub(crate) fn source(&self, name: &str) -> Option<u32> {
        self.info.sources.binary_search_by(|source| source.as_str().cmp(name)).ok().map(|at| at as u32)
    }

    /// The source of an entry, and whether its id stands for several customers.
    pub(crate) fn about(&self, entry: usize) -> (u32, bool) {
        let entry = self.entries[entry];
        (entry.source >> 2, entry.row & AMBIGUOUS != 0)
    }

    pub(crate) fn customers(&self) -> &Customers {
        &self.customers
    }

    /// Hashes of the customers whose ids are texts that `wanted` holds for.
    pub(crate) fn text_hashes(&self, wanted: impl Fn(&[u8]) -> bool) -> HashSet<u64> {
        match &self.customers {
            Customers::Integers(_) => HashSet::new(),
            Customers::Texts(texts) => (0..texts.hashes.len() as u32)
                .map(|row| texts.get(row))
                .filter(|(text, _)| wanted(text))
                .map(|(_, hash)| hash)
                .collect(),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let customers = match &self.customers {
            Customers::Integers(values) => values.len() * 8,
            Customers::Texts(texts) => texts.texts.bytes.len() + texts.hashes.len() * 16,
        };
        self.entries.len() * size_of::<Entry>()
            + self.starts.len() * 4
            + self.ids.ends.len() * 8
            + self.ids.bytes.len()
            + customers
    }

    /// Looks up an id of the source of that number.
    #[inline]
    pub(crate) fn find(&self, source: u32, key: Key<'_>) -> Found {
        let mixed = Key::mix(key.word, key.sort, self.seeds[source as usize]);
        let bucket = (mixed >> self.shift) as usize;
        let source = source << 2 | key.sort as u32;
        for entry in self.starts[bucket]..self.starts[bucket + 1] {
            let found = self.entries[entry as usize];
            let row = found.row & !AMBIGUOUS;
            if found.word == key.word
                && found.source == source
                && (key.sort != Sort::Text || self.ids.get(row) == key.text)
            {
                return match found.row == row {
                    true => Found::Customer { entry, row },
                    false => Found::Ambiguous { entry },
                };
            }
        }
        Found::Nothing
    }
}

impl Entry {
    fn mix(&self, seeds: &[u64]) -> u64 {
        let sort = match self.source & 3 {
            0 => Sort::Whole,
            1 => Sort::Negative,
            _ => Sort::Text,
        };
        Key::mix(self.word, sort, seeds[(self.source >> 2) as usize])
    }

    fn same_id(&self, other: &Entry, texts: &Texts) -> bool {
        self.word == other.word
            && self.source == other.source
            && texts.get(self.row & !AMBIGUOUS) == texts.get(other.row)
    }
}

/// What stands for a source in a hash: of its name, so that nothing depends on which other sources there are.
pub(crate) fn seed(name: &str) -> u64 {
    hash_text(name.as_bytes())
}

/// The lines of one row group that have all three values.
pub(crate) struct Part {
    pub(crate) sources: Vec<String>,
    /// Source, sort and word of the id, and the line.
    pub(crate) entries: Vec<(u32, Sort, u64, u32)>,
    pub(crate) ids: Texts,
    pub(crate) customers: Customers,
}
