//! Memory in blocks of one size: rows and folded customers are kept in them, so that what one stage gives back the next
//! one takes, and what is held can be counted and written to disk as it stands.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The base-two logarithm of [`BLOCK_WORDS`].
pub(crate) const BLOCK_BITS: u32 = if cfg!(test) { 5 } else { 10 };

/// Words of a block: 8 KiB, so that the half-filled blocks of a thousand partitions are a few megabytes a thread, and a
/// block is still long enough to be read from disk at one go.
pub(crate) const BLOCK_WORDS: usize = 1 << BLOCK_BITS;

/// A stretch of 64-bit words. It is longer than [`BLOCK_WORDS`] only where one record is.
pub(crate) type Block = Vec<u64>;

/// Blocks that are not in use, and how much memory those in use take.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Mutex<Vec<Block>>,
    live: AtomicUsize,
}

impl Pool {
    /// An empty block with room for [`BLOCK_WORDS`], or for `words` if that is more.
    pub(crate) fn take(&self, words: usize) -> Block {
        let words = words.max(BLOCK_WORDS);
        self.live.fetch_add(words * 8, Ordering::Relaxed);
        if words == BLOCK_WORDS
            && let Some(block) = self.free().pop()
        {
            return block;
        }
        Vec::with_capacity(words)
    }

    /// Takes blocks back.
    pub(crate) fn give(&self, blocks: impl IntoIterator<Item = Block>) {
        let mut free = self.free();
        for mut block in blocks {
            self.live.fetch_sub(block.capacity() * 8, Ordering::Relaxed);
            if block.capacity() == BLOCK_WORDS {
                block.clear();
                free.push(block);
            }
        }
    }

    /// Counts memory that is not of blocks.
    pub(crate) fn note(&self, bytes: usize) {
        self.live.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts it no longer.
    pub(crate) fn forget(&self, bytes: usize) {
        self.live.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes in use.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Block>> {
        self.free.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Blocks of records; a record is never cut in two, and one that is longer than a block has a block of its own.
///
/// The address of a record is the number of its block and its place in it.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) list: Vec<Block>,
}

impl Blocks {
    /// The words from an address on, to the end of its block.
    #[inline]
    pub(crate) fn at(&self, address: u64) -> &[u64] {
        &self.list[(address >> BLOCK_BITS) as usize][address as usize & (BLOCK_WORDS - 1)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_and_used_again() {
        let pool = Pool::default();
        let (mut short, mut long) = (pool.take(3), pool.take(3 * BLOCK_WORDS));
        short.extend_from_slice(&[1, 2, 3]);
        long.extend(0..3 * BLOCK_WORDS as u64);
        let blocks = Blocks { list: vec![short, long] };
        assert_eq!(blocks.at(1), [2, 3]);
        assert_eq!(blocks.at(1 << BLOCK_BITS).len(), 3 * BLOCK_WORDS);
        assert_eq!(pool.live(), 4 * BLOCK_WORDS * 8);
        pool.note(8);
        pool.give(blocks.list);
        assert_eq!((pool.live(), pool.free().len()), (8, 1));
        assert!(pool.take(1).is_empty());
        pool.forget(8);
        assert_eq!(pool.live(), BLOCK_WORDS * 8);
    }
}
