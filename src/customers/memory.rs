//! How a limit on memory is shared out.

use crate::customers::blocks::BLOCK_WORDS;
use crate::customers::store::partitions;
use crate::error::{Error, Result};
use crate::history::{History, HistoryOptions};
use crate::parallel;

/// What the program itself takes: code, footers, the buffers of the writer.
const PROGRAM: u64 = if cfg!(test) { 0 } else { 48 << 20 };
/// What a thread takes to decode rows, fold a partition or make a stretch of the table.
const PER_THREAD: u64 = if cfg!(test) { 0 } else { 96 << 20 };

/// The shares of a limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Bytes for blocks of rows and customers.
    pub(crate) blocks: usize,
}

impl Memory {
    /// The shares of the limit of `options`, for reading `history` with the threads at hand.
    ///
    /// Errors: [`Error::Value`] for a limit that is too small to work with.
    pub(crate) fn plan(history: &History, options: &HistoryOptions) -> Result<Memory> {
        let Some(limit) = options.memory_limit else { return Ok(Memory { blocks: usize::MAX }) };
        let threads = parallel::threads() as u64;
        let block = BLOCK_WORDS as u64 * 8;
        // Each thread fills a block of every partition, and a few full ones have to fit beside them.
        let open = partitions(history.rows()) as u64 * block * threads;
        let fixed = PROGRAM + history.bytes() as u64;
        let needed = fixed + threads * PER_THREAD + open + open / 4;
        if limit < needed {
            let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
            return Err(Error::value(
                "memory-limit",
                format!("{}MiB", megabytes(limit)),
                format!("it is too small to work with on {threads} threads"),
                format!("give at least {}MiB, or fewer --threads", megabytes(needed)),
            ));
        }
        Ok(Memory { blocks: (limit - fixed - threads * PER_THREAD) as usize })
    }
}
