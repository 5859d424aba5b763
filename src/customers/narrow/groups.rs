//! Narrow rows brought together by customer, the customers in the order of their ids.

use std::ops::Range;

use crate::customers::blocks::Blocks;
use crate::customers::bucket_sort;
use crate::customers::codes::CodeTable;
use crate::customers::narrow::format::Format;

/// Places may be so many times as many as rows, for each to have a counter of its own.
const SPARSE: usize = 2;

/// Rows' words grouped by customer.
pub(crate) struct Groups<F: Format> {
    pub(crate) words: Vec<u64>,
    /// Where the rows of each group end. Groups may be empty.
    ends: Vec<u32>,
    which: Which<F::Key>,
}

/// Which group a key has.
enum Which<K> {
    /// Its own place.
    Place,
    /// The key of each group, and the groups of the rows in the order in which they lie.
    Found { keys: Vec<K>, of_rows: Vec<u32> },
}

impl<F: Format> Groups<F> {
    pub(crate) fn new(format: &F, blocks: &Blocks) -> Groups<F> {
        let count = blocks.list.iter().map(Vec::len).sum::<usize>() / F::ROW;
        if let Some(places) = format.places().filter(|&places| places <= SPARSE * count) {
            let places = (places, each(format, blocks).map(|(key, _, _)| F::place(key)));
            let (words, ends) = gather(format, blocks, count, places, |_, key| F::place(key));
            return Groups { words, ends, which: Which::Place };
        }
        let (keys, of_rows) = find(format, blocks, count);
        let groups = (keys.len(), of_rows.iter().map(|&group| group as usize));
        let (words, ends) = gather(format, blocks, count, groups, |row, _| of_rows[row] as usize);
        Groups { words, ends, which: Which::Found { keys, of_rows } }
    }

    /// Number of groups.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where the words of a group are.
    #[inline]
    pub(crate) fn range(&self, group: usize) -> Range<usize> {
        let begin = if group == 0 { 0 } else { self.ends[group - 1] as usize };
        begin..self.ends[group] as usize
    }

    /// The key of a group.
    #[inline]
    pub(crate) fn key(&self, group: usize) -> F::Key {
        match &self.which {
            Which::Place => F::of_place(group),
            Which::Found { keys, .. } => keys[group],
        }
    }

    /// The group of a key that has rows.
    pub(crate) fn group(&self, key: F::Key) -> Option<usize> {
        let group = match &self.which {
            Which::Place => F::place(key),
            Which::Found { keys, .. } => keys.binary_search(&key).ok()?,
        };
        (group < self.len() && !self.range(group).is_empty()).then_some(group)
    }

    /// The group of row `row` in the order in which rows lie, which has that key.
    pub(crate) fn of_row(&self, row: usize, key: F::Key) -> usize {
        match &self.which {
            Which::Place => F::place(key),
            Which::Found { of_rows, .. } => of_rows[row] as usize,
        }
    }
}

/// The rows of all blocks: key, number, word.
pub(crate) fn each<F: Format>(format: &F, blocks: &Blocks) -> impl Iterator<Item = (F::Key, u64, u64)> {
    blocks.list.iter().flat_map(|block| format.rows(block))
}

/// The keys in order, and the place among them of each row's.
fn find<F: Format>(format: &F, blocks: &Blocks, count: usize) -> (Vec<F::Key>, Vec<u32>) {
    let mut table = CodeTable::with_capacity(count / 8);
    let mut found: Vec<F::Key> = Vec::new();
    let mut of_rows: Vec<u32> = Vec::with_capacity(count);
    for (key, _, _) in each(format, blocks) {
        let (code, new) = table.code(F::hash(key), |code| found[code as usize] == key);
        if new {
            found.push(key);
        }
        of_rows.push(code);
    }
    let mut order: Vec<(u64, u32)> = found.iter().map(|&key| F::prefix(key)).zip(0..).collect();
    bucket_sort::sort(&mut order);
    for alike in order.chunk_by_mut(|a, b| a.0 == b.0) {
        alike.sort_unstable_by_key(|&(_, code)| found[code as usize]);
    }
    let mut ranks = vec![0u32; found.len()];
    for (&(_, code), rank) in order.iter().zip(0..) {
        ranks[code as usize] = rank;
    }
    of_rows.iter_mut().for_each(|code| *code = ranks[*code as usize]);
    (order.iter().map(|&(_, code)| found[code as usize]).collect(), of_rows)
}

/// A counting sort by group, of which the number and the rows' are given: the rows' words, and where those of each group
/// end.
fn gather<F: Format>(
    format: &F,
    blocks: &Blocks,
    count: usize,
    (groups, of_rows): (usize, impl Iterator<Item = usize>),
    group_of: impl Fn(usize, F::Key) -> usize,
) -> (Vec<u64>, Vec<u32>) {
    let mut ends = vec![0u32; groups];
    of_rows.for_each(|group| ends[group] += 1);
    let mut sum = 0;
    for end in &mut ends {
        (*end, sum) = (sum, sum + *end);
    }
    // `ends[group]` is where the next row of the group goes, and so where its rows end when all are placed.
    let mut words = vec![0; count];
    each(format, blocks).enumerate().for_each(|(i, (key, _, word))| {
        let end = &mut ends[group_of(i, key)];
        words[*end as usize] = word;
        *end += 1;
    });
    (words, ends)
}
