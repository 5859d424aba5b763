//! A history written into a folder, with the truth beside it.
//!
//! Customers are drawn chunk by chunk, in rounds of a fixed number of chunks; while a round is drawn, the one before
//! is written. What is in memory depends neither on the number of customers nor on that of threads.

use std::fs;
use std::path::Path;

use arrow_array::RecordBatch;
use serde::Serialize;

use super::columns::{self, Row, Table};
use super::customer::Customer;
use super::plan::{Order, Plan};
use super::slices::{Pilot, Slices, scatter};
use super::{HISTORY, TRUTH};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;

/// Customers drawn as one piece.
const CHUNK: u64 = 8192;

/// Pieces of a round.
const ROUND: u64 = 16;

/// Parts of the history in memory at once.
const PARTS_AT_ONCE: usize = 4;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Customers.
    pub customers: u64,
    /// Rows of the history.
    pub orders: u64,
    /// Files of the history.
    pub parts: u64,
    /// Customers who had not left at the end of the window.
    pub alive_at_end: u64,
}

/// A chunk of customers on its way to the files.
struct Chunk {
    truth: RecordBatch,
    of_slice: Vec<Vec<u8>>,
    orders: u64,
    alive: u64,
}

/// Writes `history/part-….parquet` and `truth.parquet` into `folder`, which must exist and not hold them. The same
/// bytes at any number of threads.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written, [`Error::Interrupted`] when `progress` says so; files already
/// begun then stay.
pub fn write(plan: &Plan, folder: &Path, progress: &dyn Progress) -> Result<Written> {
    let history = folder.join(HISTORY);
    fs::create_dir(&history).map_err(|e| Error::io("create", &history, e))?;
    let pilot = Pilot::new(plan);
    let parts = pilot.parts(plan.config().customers);
    let by_time = plan.config().order == Order::Time;
    // Rows in customers' order are drawn part by part, the truth apart from them.
    let ends = if by_time { pilot.ends(parts) } else { Vec::new() };
    let mut slices = Slices::new(folder, if by_time { ends.len() + 1 } else { 0 })?;
    drop(pilot);
    let mut written = draw(plan, folder, &ends, &mut slices, progress)?;
    let files = if by_time { slices.len() } else { parts };
    written.parts = files as u64;
    progress.phase("writing files", files as u64);
    for first in (0..files).step_by(PARTS_AT_ONCE) {
        progress.check()?;
        parallel::try_map(PARTS_AT_ONCE.min(files - first), |i| {
            let part = first + i;
            let rows = if by_time { slices.sorted(part)? } else { rows_of_part(plan, part, files) };
            columns::write_rows(plan.config(), &history.join(format!("part-{part:03}.parquet")), &rows)?;
            progress.advance(1);
            Ok(())
        })?;
    }
    Ok(written)
}

/// Draws every customer, writes the truth and, for rows in time order, scatters the rows.
fn draw(
    plan: &Plan,
    folder: &Path,
    ends: &[i64],
    slices: &mut Slices,
    progress: &dyn Progress,
) -> Result<Written> {
    let customers = plan.config().customers;
    let mut truth = columns::truth_table(plan.config(), &folder.join(TRUTH))?;
    let mut written = Written { customers, orders: 0, parts: 0, alive_at_end: 0 };
    progress.phase("drawing", customers);
    let mut drawn: Vec<Chunk> = Vec::new();
    let chunks = customers.div_ceil(CHUNK);
    for first in (0..chunks).step_by(ROUND as usize) {
        progress.check()?;
        let round = first..(first + ROUND).min(chunks);
        let earlier = std::mem::take(&mut drawn);
        let jobs = std::iter::once(Job::Store(earlier, &mut truth, slices, &mut written));
        let results = parallel::map_items(jobs.chain(round.map(Job::Draw)).collect(), |job| match job {
            Job::Store(chunks, truth, slices, written) => {
                store(chunks, truth, slices, written).map(|()| None)
            }
            Job::Draw(chunk) => {
                let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(customers);
                progress.advance(range.end - range.start);
                draw_chunk(plan, range, ends).map(Some)
            }
        });
        drawn = results.into_iter().filter_map(Result::transpose).collect::<Result<_>>()?;
    }
    store(drawn, &mut truth, slices, &mut written)?;
    truth.finish()?;
    Ok(written)
}

/// A piece of a round.
enum Job<'a, 'b> {
    Store(Vec<Chunk>, &'a mut Table, &'a mut Slices<'b>, &'a mut Written),
    Draw(u64),
}

fn draw_chunk(plan: &Plan, range: std::ops::Range<u64>, ends: &[i64]) -> Result<Chunk> {
    let customers: Vec<Customer> = range.map(|i| plan.customer(i as u32)).collect();
    let by_time = plan.config().order == Order::Time;
    Ok(Chunk {
        truth: columns::truth_batch(plan.config(), &customers)?,
        orders: customers.iter().map(|c| c.purchases.len() as u64).sum(),
        alive: customers.iter().filter(|c| c.is_alive()).count() as u64,
        of_slice: if by_time { scatter(customers.iter().flat_map(rows), ends) } else { Vec::new() },
    })
}

fn store(chunks: Vec<Chunk>, truth: &mut Table, slices: &mut Slices, written: &mut Written) -> Result<()> {
    for chunk in chunks {
        truth.write(&chunk.truth)?;
        slices.append(&chunk.of_slice)?;
        written.orders += chunk.orders;
        written.alive_at_end += chunk.alive;
    }
    Ok(())
}

fn rows(customer: &Customer) -> impl Iterator<Item = Row> {
    let index = customer.index;
    customer.purchases.iter().map(move |p| Row { time: p.time, index, amount: p.amount })
}

/// The rows of the customers of a part, each part with its share of the customers.
fn rows_of_part(plan: &Plan, part: usize, parts: usize) -> Vec<Row> {
    let end = |part: usize| (plan.config().customers as u128 * part as u128 / parts as u128) as u32;
    let mut out = Vec::new();
    for index in end(part)..end(part + 1) {
        out.extend(rows(&plan.customer(index)));
    }
    out
}
