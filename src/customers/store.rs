//! The rows of a history by partition, in memory as far as the limit allows and else on disk.

use std::sync::{Mutex, MutexGuard};

use crate::customers::blocks::{Block, Blocks, Pool};
use crate::customers::record::{Layout, pack, push_head};
use crate::customers::spill::{Extent, Spill};
use crate::error::{Error, Result};
use crate::history::event::Event;
use crate::history::{Sink, TextId};
use crate::random::hash_integer;

/// Rows a partition should have: its rows and what folding needs beside them stay near a core.
const ROWS_PER_PARTITION: u64 = if cfg!(test) { 32 } else { 1 << 16 };

/// More partitions than this write to more places at once than a core keeps track of.
const MOST_PARTITIONS: u64 = 1024;

/// How many partitions a history of `rows` rows is scattered to: a power of two that depends on the rows alone.
pub(crate) fn partitions(rows: u64) -> usize {
    rows.div_ceil(ROWS_PER_PARTITION).next_power_of_two().min(MOST_PARTITIONS) as usize
}

/// All rows, by partition.
#[derive(Debug)]
pub(crate) struct Store<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) spill: &'a Spill,
    /// How the records of rows are laid out, but for those of narrow ones.
    pub(crate) layout: Layout,
    /// Bytes that blocks may take in memory.
    limit: usize,
    parts: Vec<Mutex<Part>>,
    /// Held by the thread that makes room.
    evicting: Mutex<()>,
}

/// The rows of one partition.
#[derive(Debug, Default)]
struct Part {
    blocks: Vec<Block>,
    on_disk: Vec<Extent>,
}

impl<'a> Store<'a> {
    /// A store of `count` (a power of two) partitions whose blocks take about `limit` bytes of memory at most.
    pub(crate) fn new(
        count: usize,
        layout: Layout,
        limit: usize,
        pool: &'a Pool,
        spill: &'a Spill,
    ) -> Store<'a> {
        let parts = (0..count).map(|_| Mutex::default()).collect();
        Store { pool, spill, layout, limit, parts, evicting: Mutex::default() }
    }

    /// Number of partitions.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    fn part(&self, partition: usize) -> MutexGuard<'_, Part> {
        self.parts[partition].lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes a block of rows of a partition.
    fn push(&self, partition: usize, block: Block) -> Result<()> {
        let mut part = self.part(partition);
        // A partition that went to disk once stays there: what is left in memory is then folded without reading.
        if part.on_disk.is_empty() {
            part.blocks.push(block);
        } else {
            part.on_disk.push(self.spill.write(&block)?);
            self.pool.give([block]);
        }
        drop(part);
        if self.pool.live() > self.limit { self.make_room() } else { Ok(()) }
    }

    /// Writes the largest partitions to disk until a tenth of the limit is free.
    fn make_room(&self) -> Result<()> {
        let Ok(_guard) = self.evicting.try_lock() else { return Ok(()) };
        while self.pool.live() > self.limit / 10 * 9 {
            let sizes = (0..self.len()).map(|p| self.part(p).blocks.len());
            let Some((largest, size)) = sizes.enumerate().max_by_key(|&(p, size)| (size, p)) else { break };
            if size == 0 {
                break;
            }
            let mut part = self.part(largest);
            for block in std::mem::take(&mut part.blocks) {
                part.on_disk.push(self.spill.write(&block)?);
                self.pool.give([block]);
            }
        }
        Ok(())
    }

    /// Stretches of a partition that are on disk.
    pub(crate) fn on_disk(&self, partition: usize) -> usize {
        self.part(partition).on_disk.len()
    }

    /// Bytes of a partition.
    pub(crate) fn bytes(&self, partition: usize) -> usize {
        let part = self.part(partition);
        let disk: usize = part.on_disk.iter().map(|extent| extent.words() * 8).sum();
        part.blocks.iter().map(|block| block.len() * 8).sum::<usize>() + disk
    }

    /// Takes a partition out. Blocks on disk are read into memory.
    pub(crate) fn take(&self, partition: usize) -> Result<Blocks> {
        let Part { blocks, on_disk } = std::mem::take(&mut *self.part(partition));
        let mut list = blocks;
        for extent in on_disk {
            let mut block = self.pool.take(extent.words());
            self.spill.read(extent, &mut block)?;
            list.push(block);
        }
        Ok(Blocks { list })
    }

    /// Calls `f` with every block of a partition, which stays where it is.
    pub(crate) fn each_block(&self, partition: usize, mut f: impl FnMut(&[u64])) -> Result<()> {
        let part = self.part(partition);
        part.blocks.iter().for_each(|block| f(block));
        let mut block = Vec::new();
        for &extent in &part.on_disk {
            block.clear();
            self.spill.read(extent, &mut block)?;
            f(&block);
        }
        Ok(())
    }
}

/// The blocks that a thread is filling, one of each partition.
#[derive(Debug)]
pub(crate) struct Open<'a> {
    store: &'a Store<'a>,
    blocks: Vec<Block>,
    words: Vec<u64>,
    failed: Option<Error>,
}

impl<'a> Open<'a> {
    pub(crate) fn new(store: &'a Store<'a>) -> Open<'a> {
        let blocks = (0..store.len()).map(|_| Vec::new()).collect();
        Open { store, blocks, words: Vec::new(), failed: None }
    }

    /// The block of a partition, with room for a record of `words` words.
    #[inline]
    pub(crate) fn block(&mut self, partition: usize, words: usize) -> &mut Block {
        if self.blocks[partition].capacity() - self.blocks[partition].len() < words {
            self.next_block(partition, words);
        }
        &mut self.blocks[partition]
    }

    /// Hands a partition's block on and begins another.
    #[cold]
    fn next_block(&mut self, partition: usize, words: usize) {
        let full = std::mem::replace(&mut self.blocks[partition], self.store.pool.take(words));
        if full.is_empty() {
            return;
        }
        if let Err(error) = self.store.push(partition, full) {
            self.failed.get_or_insert(error);
        }
    }

    /// Takes a row of an integer id.
    #[inline]
    pub(crate) fn integer(&mut self, partition: usize, id: u64, event: &Event<'_>) {
        push_head(self.block(partition, 3 + event.extras.len()), id, event);
    }

    /// Takes a row of a text.
    #[inline]
    pub(crate) fn text(&mut self, partition: usize, id: TextId<'_>, hash: u64, event: &Event<'_>) {
        let mut words = std::mem::take(&mut self.words);
        let first = pack(id.bytes, hash, &mut words);
        let block = self.block(partition, 3 + event.extras.len() + words.len());
        push_head(block, first, event);
        block.extend_from_slice(&words);
        self.words = words;
    }

    /// What went wrong while blocks were handed on.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Hands on the blocks that are not full.
    pub(crate) fn finish(mut self) -> Result<()> {
        for (partition, block) in std::mem::take(&mut self.blocks).into_iter().enumerate() {
            if !block.is_empty() {
                self.store.push(partition, block)?;
            }
        }
        self.check()
    }
}

/// Scatters rows: one for each thread, with a block of its own for each partition.
#[derive(Debug)]
pub(crate) struct Scatter<'a> {
    open: Open<'a>,
    layout: Layout,
    shift: u32,
    words: Vec<u64>,
}

impl<'a> Scatter<'a> {
    pub(crate) fn new(store: &'a Store<'a>) -> Scatter<'a> {
        let shift = 64 - store.len().trailing_zeros();
        Scatter { open: Open::new(store), layout: store.layout, shift, words: Vec::new() }
    }

    /// What went wrong while blocks were handed on.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.open.check()
    }

    /// Hands on the blocks that are not full.
    pub(crate) fn finish(self) -> Result<()> {
        self.open.finish()
    }

    /// Takes a record as it stands: its head, and the text of its id where ids are texts.
    pub(crate) fn record(&mut self, hash: u64, text: &[u8], head: &[u64]) {
        if !self.layout.text {
            self.block(hash, head.len()).extend_from_slice(head);
            return;
        }
        let mut words = std::mem::take(&mut self.words);
        let first = pack(text, hash, &mut words);
        let block = self.block(hash, head.len() + words.len());
        block.push(first);
        block.extend_from_slice(&head[1..]);
        block.extend_from_slice(&words);
        self.words = words;
    }

    #[inline]
    fn partition(&self, hash: u64) -> usize {
        hash.checked_shr(self.shift).unwrap_or(0) as usize
    }

    /// The block for a record of `words` words. The high bits of the hash choose the partition, the low ones the slot of
    /// a table.
    #[inline]
    fn block(&mut self, hash: u64, words: usize) -> &mut Block {
        self.open.block(self.partition(hash), words)
    }
}

impl Sink for Scatter<'_> {
    #[inline]
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.open.integer(self.partition(hash_integer(id)), id, &event);
    }

    #[inline]
    fn text(&mut self, id: TextId<'_>, event: Event<'_>) {
        let hash = id.hash();
        self.open.text(self.partition(hash), id, hash, &event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_depend_on_rows_alone() {
        assert_eq!(partitions(1), 1);
        assert_eq!(partitions(ROWS_PER_PARTITION + 1), 2);
        assert_eq!(partitions(u64::MAX / 2), MOST_PARTITIONS as usize);
    }
}
