//! Rows scattered by the customer's hash, so that each partition holds all rows of its customers.

use crate::history::event::{Event, When};
use crate::history::{IdKind, Sink};
use crate::random::hash_integer;

/// Rows a partition should have: its rows (24 bytes) and their sorted copy (16 bytes) stay in a core's cache.
const ROWS_PER_PARTITION: u64 = if cfg!(test) { 32 } else { 1 << 16 };

/// More partitions than this write to more places at once than a core keeps track of.
const MOST_PARTITIONS: u64 = 1024;

/// How many partitions a history of `rows` rows is scattered to: a power of two that depends on the rows alone.
pub(crate) fn partitions(rows: u64) -> usize {
    rows.div_ceil(ROWS_PER_PARTITION).next_power_of_two().min(MOST_PARTITIONS) as usize
}

/// One usable row, without its order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// The id as 64 bits, or the code of a text among the texts of its [`Chunk`].
    pub(crate) id: u64,
    pub(crate) amount: u64,
    pub(crate) when: When,
    /// Place in the task.
    pub(crate) row: u32,
}

/// The rows of one task in one partition.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) rows: Vec<Row>,
    /// One per row where the history has orders, else empty.
    pub(crate) orders: Vec<u64>,
    pub(crate) texts: TextTable,
}

impl Chunk {
    /// The id of one of its rows in a form that can be compared with those of other chunks.
    pub(crate) fn id(&self, row: &Row) -> (u64, &[u8]) {
        if self.texts.len() == 0 { (row.id, &[]) } else { (0, self.texts.text(row.id as usize)) }
    }
}

/// Scatters the rows of one task.
pub(crate) struct Scatter {
    chunks: Vec<Chunk>,
    shift: u32,
    has_orders: bool,
}

impl Scatter {
    /// For a task of `rows` rows and `count` (a power of two) partitions.
    pub(crate) fn new(count: usize, rows: u64, kind: IdKind, has_orders: bool) -> Scatter {
        // A quarter more than the mean share, so that growing is the exception.
        let share = (rows as usize / count) * 5 / 4 + 8;
        let chunk = || Chunk {
            rows: Vec::with_capacity(share),
            orders: Vec::with_capacity(if has_orders { share } else { 0 }),
            texts: if kind.is_text() { TextTable::with_capacity(share / 4) } else { TextTable::default() },
        };
        Scatter {
            chunks: (0..count).map(|_| chunk()).collect(),
            shift: 64 - count.trailing_zeros(),
            has_orders,
        }
    }

    /// The chunks, one per partition.
    pub(crate) fn finish(mut self) -> Vec<Chunk> {
        for chunk in &mut self.chunks {
            chunk.texts.index = CodeTable::default();
        }
        self.chunks
    }

    /// The high bits choose the partition, the low ones the slot of a table.
    #[inline]
    fn chunk(&mut self, hash: u64) -> &mut Chunk {
        let partition = hash.checked_shr(self.shift).unwrap_or(0);
        &mut self.chunks[partition as usize]
    }
}

impl Sink for Scatter {
    #[inline]
    fn integer(&mut self, id: u64, event: Event) {
        let has_orders = self.has_orders;
        let chunk = self.chunk(hash_integer(id));
        chunk.rows.push(Row { id, amount: event.amount, when: event.when, row: event.row });
        if has_orders {
            chunk.orders.push(event.order);
        }
    }

    #[inline]
    fn text(&mut self, id: &[u8], hash: u64, event: Event) {
        let has_orders = self.has_orders;
        let chunk = self.chunk(hash);
        let code = chunk.texts.code(id, hash);
        chunk.rows.push(Row { id: u64::from(code), amount: event.amount, when: event.when, row: event.row });
        if has_orders {
            chunk.orders.push(event.order);
        }
    }
}

/// Codes 0, 1, … of distinct values in the order of their first appearance, found by hash and an exact test.
///
/// Open addressing with linear probing; slots hold code + 1, and hashes are kept by code so that growing and most
/// misses never look at a value.
#[derive(Debug, Default)]
pub(crate) struct CodeTable {
    slots: Vec<u32>,
    hashes: Vec<u64>,
}

impl CodeTable {
    /// With room for `values` values before it grows.
    pub(crate) fn with_capacity(values: usize) -> CodeTable {
        CodeTable {
            slots: vec![0; (values * 2).next_power_of_two().max(16)],
            hashes: Vec::with_capacity(values),
        }
    }

    /// The code of the value with `hash` for which `same(code)` holds, or a new code and `true`.
    #[inline]
    pub(crate) fn code(&mut self, hash: u64, same: impl Fn(u32) -> bool) -> (u32, bool) {
        if self.hashes.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots[at] {
                0 => {
                    let code = self.hashes.len() as u32;
                    self.slots[at] = code + 1;
                    self.hashes.push(hash);
                    return (code, true);
                }
                slot if self.hashes[slot as usize - 1] == hash && same(slot - 1) => return (slot - 1, false),
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(16);
        self.slots.clear();
        self.slots.resize(len, 0);
        for (code, &hash) in self.hashes.iter().enumerate() {
            let mut at = hash as usize & (len - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = code as u32 + 1;
        }
    }
}

/// Distinct texts with their codes, one after the other in memory.
#[derive(Debug, Default)]
pub(crate) struct TextTable {
    index: CodeTable,
    ends: Vec<usize>,
    bytes: Vec<u8>,
    hashes: Vec<u64>,
}

impl TextTable {
    pub(crate) fn with_capacity(texts: usize) -> TextTable {
        TextTable { index: CodeTable::with_capacity(texts), ..TextTable::default() }
    }

    /// The code of a text; bytes are compared, not only hashes.
    #[inline]
    pub(crate) fn code(&mut self, text: &[u8], hash: u64) -> u32 {
        let (ends, bytes) = (&self.ends, &self.bytes);
        let (code, new) = self.index.code(hash, |code| slice(ends, bytes, code as usize) == text);
        if new {
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len());
            self.hashes.push(hash);
        }
        code
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn text(&self, code: usize) -> &[u8] {
        slice(&self.ends, &self.bytes, code)
    }

    pub(crate) fn hash(&self, code: usize) -> u64 {
        self.hashes[code]
    }
}

fn slice<'a>(ends: &[usize], bytes: &'a [u8], code: usize) -> &'a [u8] {
    let begin = if code == 0 { 0 } else { ends[code - 1] };
    &bytes[begin..ends[code]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_given_once() {
        let mut table = TextTable::default();
        // One hash for all: only the bytes tell them apart.
        let codes: Vec<u32> =
            ["a", "b", "a", "", "b", ""].iter().map(|t| table.code(t.as_bytes(), 7)).collect();
        assert_eq!(codes, [0, 1, 0, 2, 1, 2]);
        assert_eq!(table.text(1), b"b");
        let mut table = CodeTable::default();
        for i in 0..1000u64 {
            assert_eq!(table.code(hash_integer(i), |_| true), (i as u32, true));
        }
        for i in 0..1000u64 {
            assert_eq!(table.code(hash_integer(i), |_| true), (i as u32, false));
        }
    }

    #[test]
    fn partitions_depend_on_rows_alone() {
        assert_eq!(partitions(1), 1);
        assert_eq!(partitions(ROWS_PER_PARTITION + 1), 2);
        assert_eq!(partitions(u64::MAX / 2), MOST_PARTITIONS as usize);
    }
}
