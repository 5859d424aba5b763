//! The folded customers of a partition, in the order of their ids, in memory or on disk.

use std::cmp::Ordering;

use crate::customers::blocks::{BLOCK_WORDS, Block, Pool};
use crate::customers::record::{compare, text_words};
use crate::customers::shape::Shape;
use crate::customers::spill::{Extent, Spill};
use crate::error::Result;

/// Of every so many customers of a run the id is kept, so that a place in it is found without reading much of it.
const SAMPLE: usize = if cfg!(test) { 4 } else { 64 };

/// Records in a block.
fn per_block(shape: Shape) -> usize {
    (BLOCK_WORDS / shape.len()).max(1)
}

/// An id that can be compared with others of the same history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Integer(u64),
    /// The word that stands for a text in a row's head, and the packed text.
    Text(u64, Box<[u64]>),
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Integer(a), Key::Integer(b)) => a.cmp(b),
            (Key::Text(a, x), Key::Text(b, y)) => compare((*a, x), (*b, y)),
            (Key::Integer(_), Key::Text(..)) => Ordering::Less,
            (Key::Text(..), Key::Integer(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Customers in the order of their ids.
#[derive(Debug)]
pub(crate) struct Run {
    len: usize,
    place: Place,
    /// Ids number `SAMPLE - 1`, `2 · SAMPLE - 1`, ….
    samples: Vec<Key>,
}

#[derive(Debug)]
enum Place {
    Memory { records: Vec<Block>, texts: Vec<u64> },
    Disk { records: Extent, texts: Extent },
}

/// Records side by side with their texts.
#[derive(Debug, Default)]
pub(crate) struct Flat {
    pub(crate) records: Vec<u64>,
    /// Each text as the word that stands for it in a row's head, and the packed text.
    pub(crate) texts: Vec<u64>,
}

impl Flat {
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.texts.clear();
    }

    /// The head's word and the packed text of a record.
    #[inline]
    pub(crate) fn text(&self, record: &[u64]) -> (u64, &[u64]) {
        let at = record[0] as usize;
        (self.texts[at], packed(&self.texts[at..]))
    }

    /// Ids number `SAMPLE - 1`, `2 · SAMPLE - 1`, ….
    fn samples(&self, shape: Shape) -> Vec<Key> {
        let records = self.records.chunks_exact(shape.len());
        records.skip(SAMPLE - 1).step_by(SAMPLE).map(|record| self.key(shape, record)).collect()
    }

    fn key(&self, shape: Shape, record: &[u64]) -> Key {
        if shape.text {
            let (first, words) = self.text(record);
            Key::Text(first, words.into())
        } else {
            Key::Integer(shape.sortable(record[0]))
        }
    }
}

/// The packed text behind its first word.
#[inline]
fn packed(text: &[u64]) -> &[u64] {
    &text[1..1 + text_words(text[0], text.get(1).copied().unwrap_or(0))]
}

impl Run {
    /// A run of the records of `flat`, which are in order, in blocks of the pool.
    pub(crate) fn new(shape: Shape, flat: Flat, pool: &Pool) -> Run {
        let width = shape.len();
        let len = flat.records.len() / width;
        let samples = flat.samples(shape);
        let records = flat
            .records
            .chunks(width * per_block(shape))
            .map(|words| {
                let mut block = pool.take(words.len());
                block.extend_from_slice(words);
                block
            })
            .collect();
        let mut texts = flat.texts;
        texts.shrink_to_fit();
        pool.note(texts.capacity() * 8);
        Run { len, place: Place::Memory { records, texts }, samples }
    }

    /// A run of the records of `flat`, which are in order, on disk.
    pub(crate) fn on_disk(shape: Shape, flat: &Flat, spill: &Spill) -> Result<Run> {
        let place = Place::Disk { records: spill.write(&flat.records)?, texts: spill.write(&flat.texts)? };
        Ok(Run { len: flat.records.len() / shape.len(), place, samples: flat.samples(shape) })
    }

    /// Number of customers.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The ids that were kept.
    pub(crate) fn samples(&self) -> impl Iterator<Item = &Key> {
        self.samples.iter()
    }

    /// Customers that each kept id stands for.
    pub(crate) const SAMPLE: usize = SAMPLE;

    /// Moves it to disk, if it is not there.
    pub(crate) fn evict(&mut self, pool: &Pool, spill: &Spill) -> Result<()> {
        let Place::Memory { records, texts } = &mut self.place else { return Ok(()) };
        let (records, texts) = (std::mem::take(records), std::mem::take(texts));
        let flat = records.concat();
        let place = Place::Disk { records: spill.write(&flat)?, texts: spill.write(&texts)? };
        pool.give(records);
        pool.forget(texts.capacity() * 8);
        self.place = place;
        Ok(())
    }

    /// Appends the customers of `range` to `out`.
    pub(crate) fn load(
        &self,
        range: std::ops::Range<usize>,
        shape: Shape,
        spill: &Spill,
        out: &mut Flat,
    ) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let width = shape.len();
        let begin = out.records.len();
        match &self.place {
            Place::Memory { records, .. } => {
                let per = per_block(shape);
                let mut at = range.start;
                while at < range.end {
                    let (block, offset) = (at / per, at % per);
                    let count = (per - offset).min(range.end - at);
                    out.records.extend_from_slice(&records[block][offset * width..(offset + count) * width]);
                    at += count;
                }
            }
            Place::Disk { records, .. } => {
                spill.read(records.part(range.start * width, range.len() * width), &mut out.records)?;
            }
        }
        if !shape.text {
            return Ok(());
        }
        // Texts lie in the order of the customers: those of the range from the first one's to the end of the last one's.
        let first = out.records[begin] as usize;
        let last = out.records[out.records.len() - width] as usize;
        let moved = out.texts.len();
        match &self.place {
            Place::Memory { texts, .. } => {
                let end = last + 1 + packed(&texts[last..]).len();
                out.texts.extend_from_slice(&texts[first..end]);
            }
            Place::Disk { texts, .. } => {
                // How long the last text is stands in its first two words.
                let mut head = Vec::new();
                spill.read(texts.part(last, (texts.words() - last).min(2)), &mut head)?;
                let len = text_words(head[0], head.get(1).copied().unwrap_or(0));
                spill.read(texts.part(first, last + 1 + len - first), &mut out.texts)?;
            }
        }
        for record in out.records[begin..].chunks_exact_mut(width) {
            record[0] = record[0] - first as u64 + moved as u64;
        }
        Ok(())
    }

    /// How many of its customers have an id of at most `key`.
    pub(crate) fn position(&self, key: &Key, shape: Shape, spill: &Spill, flat: &mut Flat) -> Result<usize> {
        let begin = self.samples.partition_point(|sample| sample <= key) * SAMPLE;
        let end = (begin + SAMPLE).min(self.len);
        flat.clear();
        self.load(begin..end, shape, spill, flat)?;
        let records: Vec<&[u64]> = flat.records.chunks_exact(shape.len()).collect();
        Ok(begin + records.partition_point(|record| flat.key(shape, record) <= *key))
    }

    /// The ids of `range`.
    pub(crate) fn keys(
        &self,
        range: std::ops::Range<usize>,
        shape: Shape,
        spill: &Spill,
        flat: &mut Flat,
        out: &mut Vec<Key>,
    ) -> Result<()> {
        flat.clear();
        self.load(range, shape, spill, flat)?;
        out.extend(flat.records.chunks_exact(shape.len()).map(|record| flat.key(shape, record)));
        Ok(())
    }

    /// Puts another record in the place of customer `i`'s, which keeps its id.
    pub(crate) fn replace(&mut self, i: usize, record: &mut [u64], spill: &Spill) -> Result<()> {
        let width = record.len();
        match &mut self.place {
            Place::Memory { records, .. } => {
                let per = (BLOCK_WORDS / width).max(1);
                let begin = i % per * width;
                let old = &mut records[i / per][begin..begin + width];
                record[0] = old[0];
                old.copy_from_slice(record);
                Ok(())
            }
            Place::Disk { records, .. } => {
                let extent = records.part(i * width, width);
                let mut old = Vec::new();
                spill.read(extent, &mut old)?;
                record[0] = old[0];
                spill.rewrite(extent, record)
            }
        }
    }
}
