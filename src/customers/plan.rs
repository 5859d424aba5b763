//! What summarising a history would take, from its footers alone: no row is read and nothing is written.

use serde::Serialize;

use crate::customers::groups::STRETCH;
use crate::customers::memory::{Memory, open_blocks};
use crate::customers::store::partitions;
use crate::error::Result;
use crate::history::{History, HistoryOptions, Inspection, Source};
use crate::parallel;

/// Bytes of an id where no footer says how long the texts are.
const ASSUMED_ID_BYTES: f64 = 16.0;

/// What the program takes beside rows and customers, as measured: its code, the footers and the writer's buffers.
const BASE: u64 = 30 << 20;

/// What a thread takes to decode rows and to fold a partition, as measured.
const THREAD: u64 = 8 << 20;

/// What a thread takes to make and encode a full stretch of the table, as measured.
const FULL_STRETCH: u64 = 32 << 20;

/// A number of which only bounds are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Between {
    /// At least about this.
    pub least: u64,
    /// At most about this.
    pub most: u64,
}

/// How rows come to their customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "name")]
#[non_exhaustive]
pub enum Strategy {
    /// Rows are scattered to partitions by their customer, and each partition is folded.
    Scatter {
        /// How many, which depends on the rows alone.
        partitions: usize,
    },
    /// Rows stand in the order of customers, by what the footers say, and are folded as they are read; should a row stand
    /// elsewhere, they are scattered after all.
    Stream,
}

/// How long the ids of a history with text ids are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IdLength {
    /// Mean bytes.
    pub bytes: f64,
    /// Whether the footers say so; else it is an assumption.
    pub known: bool,
}

/// What summarising a history would take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Files, columns and types.
    pub history: Inspection,
    /// Row groups of all files.
    pub row_groups: u64,
    /// How rows come to their customers.
    pub strategy: Strategy,
    /// Threads to work with.
    pub threads: usize,
    /// Bytes of memory (or disk) for a row: fewer where all amounts are money of a few decimals and ids lie close together
    /// or are UUIDs, which no footer says.
    pub bytes_per_row: Between,
    /// The length of ids, where they are texts.
    pub id_length: Option<IdLength>,
    /// Customers: no more than there are rows, or integers between the smallest and the largest id.
    pub customers: Between,
    /// Bytes for all rows.
    pub row_bytes: Between,
    /// Bytes for all customers once their rows are folded.
    pub customer_bytes: Between,
    /// The limit, if there is one.
    pub memory_limit: Option<u64>,
    /// Whether everything fits the limit, so that nothing goes to disk, whatever the number of customers.
    pub fits: bool,
    /// Expected peak of the process's memory, in bytes. With a limit `most` is at most the limit.
    pub memory: Between,
    /// Expected size of the spill file, in bytes.
    pub spill: Between,
}

/// What [`crate::customers::read_history`] would take with `threads` threads (0 for one per core), from the footers alone.
///
/// Rows are counted as they lie in memory: three words of 64 bits each, one more with an order column, and packed texts; two
/// words, or four with a UUID, where rows are narrow. Neither that nor how many customers there are stands in a footer, so
/// that memory and spill file have bounds, not one figure.
///
/// # Errors
/// Those of opening a history; [`crate::Error::Value`] for a memory limit that is too small to work with, as reading would say.
pub fn plan(sources: &[Source], options: &HistoryOptions, threads: usize) -> Result<Plan> {
    parallel::with_threads(threads, || {
        let history = History::open(sources, options)?;
        plan_of(&history, options, parallel::threads())
    })?
}

fn plan_of(history: &History, options: &HistoryOptions, threads: usize) -> Result<Plan> {
    let rows = history.rows();
    let share = Memory::share(options.memory_limit, history.bytes() as u64, rows, threads as u64)?;
    let id_length = history.ids().is_text().then(|| {
        let bytes = history.id_bytes();
        IdLength { bytes: bytes.unwrap_or(ASSUMED_ID_BYTES), known: bytes.is_some() }
    });
    let id_words = id_length.map_or(0.0, |length| packed_words(length.bytes));
    let wide = 3.0 + history.extras().words() as f64 + id_words;
    let narrow = match id_length {
        _ if history.extras().words() > 0 || options.append.is_some() => wide,
        None => 2.0,
        Some(length) if length.bytes == UUID_BYTES => 4.0,
        Some(_) => wide,
    };
    let between = |least: f64, most: f64| Between { least: least as u64, most: most as u64 };
    let bytes_per_row = between(8.0 * narrow, 8.0 * wide);
    let row_bytes = between(8.0 * narrow * rows as f64, 8.0 * wide * rows as f64);
    let customers = Between { least: 1, most: history.id_span().map_or(rows, |span| span.min(rows)) };
    let per_customer = 8.0
        * (figure_words(history, options) as f64 + if id_length.is_some() { 1.0 + id_words } else { 0.0 });
    let of_customers = |n: u64| (n as f64 * per_customer) as u64;
    let customer_bytes = Between { least: of_customers(customers.least), most: of_customers(customers.most) };

    let threads_wide = threads as u64;
    let fixed = |customers: u64| {
        // As many stretches at work as there are threads, if there are so many, and the last need not be full.
        let at_work = customers.min(threads_wide * STRETCH as u64);
        BASE + threads_wide * THREAD + (at_work as f64 / STRETCH as f64 * FULL_STRETCH as f64) as u64
    };
    // Half of the blocks being filled is empty at the end, and keeping account of blocks takes a hundredth.
    let held = |bytes: u64| bytes + bytes / 100;
    let in_blocks = |bytes: u64| held(bytes) + open_blocks(rows, threads_wide) / 2;
    // Partitions give their rows' memory back while their customers are folded, so that customers need more only where
    // they are larger than their rows.
    let streams = history.clustered().is_some_and(|clustered| clustered.promised);
    let memory = Between {
        least: fixed(customers.least) + if streams { 0 } else { in_blocks(row_bytes.least) },
        most: fixed(customers.most)
            + in_blocks(row_bytes.most).max(held(customer_bytes.most))
            + open_blocks(rows, threads_wide) / 2,
    };
    let limit = options.memory_limit.unwrap_or(u64::MAX);
    let blocks = u64::try_from(share.blocks).unwrap_or(u64::MAX);
    let needs_room = |bytes: u64| bytes + open_blocks(rows, threads_wide);
    let fits = needs_room(row_bytes.most).max(customer_bytes.most) <= blocks;
    // Partitions are written whole, down to nine tenths of the limit; one that went to disk once stays there.
    let spill = Between {
        least: needs_room(row_bytes.least).saturating_sub(blocks).min(row_bytes.least),
        most: if fits { 0 } else { row_bytes.most + customer_bytes.most },
    };
    Ok(Plan {
        row_groups: history.inspection().files.iter().map(|file| file.row_groups as u64).sum(),
        history: history.inspection().clone(),
        strategy: if streams { Strategy::Stream } else { Strategy::Scatter { partitions: partitions(rows) } },
        threads,
        bytes_per_row,
        id_length,
        customers,
        row_bytes,
        customer_bytes,
        memory_limit: options.memory_limit,
        fits,
        memory: Between { least: memory.least.min(limit), most: memory.most.min(limit) },
        spill,
    })
}

/// Bytes of a UUID's text.
const UUID_BYTES: f64 = 36.0;

/// Words of a packed text of so many bytes on average; those of 36 are taken for UUIDs, which take two.
fn packed_words(bytes: f64) -> f64 {
    if bytes == UUID_BYTES { 2.0 } else { (bytes / 8.0).ceil() }
}

/// Words of a customer's figures.
fn figure_words(history: &History, options: &HistoryOptions) -> usize {
    let more = usize::from(options.calibration_end.is_some()) + usize::from(history.costs().is_some());
    let kept = history.extras().keep.div_ceil(2);
    6 + more + kept + options.periods.map_or(0, |last| 1 + 2 * usize::from(last.count))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};

    use super::*;
    use crate::history::testing::{parquet, source};

    fn history(ids: ArrayRef) -> [Source; 1] {
        let rows = ids.len();
        let dates =
            Arc::new(Date32Array::from_iter_values((0..rows).map(|i| 9000 + i as i32 % 500))) as ArrayRef;
        let amounts = Arc::new(Float64Array::from(vec![1.0; rows])) as ArrayRef;
        [source("h", parquet(vec![("customer_id", ids), ("date", dates), ("amount", amounts)], 500))]
    }

    #[test]
    fn footers_bound_rows_and_customers() {
        let ids = Arc::new(Int64Array::from_iter_values((0..1000).map(|i| 5 + i % 40)));
        let plan = plan(&history(ids), &HistoryOptions::default(), 2).unwrap();
        assert_eq!((plan.history.rows, plan.row_groups, plan.threads), (1000, 2, 2));
        assert_eq!(plan.strategy, Strategy::Scatter { partitions: 32 });
        assert_eq!(plan.row_bytes, Between { least: 16_000, most: 24_000 });
        assert_eq!((plan.customers.most, plan.customer_bytes.most), (40, 40 * 48));
        assert_eq!((plan.fits, plan.spill), (true, Between { least: 0, most: 0 }));
        assert!(plan.memory.least <= plan.memory.most);
    }

    #[test]
    fn texts_are_measured_by_the_footer() {
        let uuid = |i: u64| format!("8f14e45f-ceea-467f-9d3b-0a1b2c3d{:04x}", i);
        let ids = Arc::new(StringArray::from_iter_values((0..1000).map(|i| uuid(i % 40))));
        let plan = plan(&history(ids), &HistoryOptions::default(), 1).unwrap();
        assert_eq!(plan.id_length, Some(IdLength { bytes: 36.0, known: true }));
        assert_eq!(plan.bytes_per_row, Between { least: 32, most: 40 });
        assert_eq!(plan.customers.most, 1000);
    }

    #[test]
    fn a_limit_bounds_memory_and_what_does_not_fit_goes_to_disk() {
        let ids = || Arc::new(Int64Array::from_iter_values((0..1000).map(|i| i % 40)));
        let limit = |bytes| HistoryOptions { memory_limit: Some(bytes), ..HistoryOptions::default() };
        let tight = plan(&history(ids()), &limit(12_000), 1).unwrap();
        assert_eq!((tight.fits, tight.memory.most), (false, 12_000));
        assert!(tight.spill.least > 0 && tight.spill.least <= tight.spill.most);
        let wide = plan(&history(ids()), &limit(1 << 30), 1).unwrap();
        assert!(wide.fits && wide.memory.most < 1 << 30);
        let error = plan(&history(ids()), &limit(1000), 1).unwrap_err();
        assert!(error.to_string().contains("too small to work with"), "{error}");
    }
}
