//! How a limit on memory is shared out.

use crate::customers::blocks::BLOCK_WORDS;
use crate::customers::store::partitions;
use crate::error::{Error, Result};
use crate::history::{History, HistoryOptions};
use crate::parallel;

/// What the program itself takes: code, footers, the buffers of the writer.
pub(crate) const PROGRAM: u64 = if cfg!(test) { 0 } else { 48 << 20 };
/// What a thread takes to decode rows, fold a partition or make a stretch of the table. Measured: the table in README.
pub(crate) const PER_THREAD: u64 = if cfg!(test) { 0 } else { 64 << 20 };

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
        Memory::share(
            options.memory_limit,
            history.bytes() as u64,
            history.rows(),
            parallel::threads() as u64,
        )
    }

    /// The shares of a limit, for reading `rows` rows with `threads` threads beside `held` bytes that stay in memory.
    ///
    /// Errors: as for [`Memory::plan`].
    pub(crate) fn share(limit: Option<u64>, held: u64, rows: u64, threads: u64) -> Result<Memory> {
        let Some(limit) = limit else { return Ok(Memory { blocks: usize::MAX }) };
        // A few full blocks have to fit beside those that are being filled.
        let open = open_blocks(rows, threads);
        let fixed = PROGRAM + held;
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

/// Bytes of the blocks that are being filled: each thread fills one of every partition.
pub(crate) fn open_blocks(rows: u64, threads: u64) -> u64 {
    partitions(rows) as u64 * BLOCK_WORDS as u64 * 8 * threads
}
