//! Rows on their way into time order: scattered into scratch files by slices of time, and read back slice by slice.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::columns::Row;
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::parallel;

/// Rows that a part of the history should have: what is in memory at once is a few of them.
pub(super) const PART: usize = 2 << 20;

/// Scratch files at most, so that they can all be open.
const MOST_SLICES: usize = 512;

/// Customers whose rows say where the slices' ends should be.
const PILOT: u32 = 20_000;

/// What the first customers say of all.
pub(super) struct Pilot {
    /// Times of their purchases, ascending.
    times: Vec<i64>,
    customers: u32,
}

impl Pilot {
    pub fn new(plan: &Plan) -> Pilot {
        let customers = PILOT.min(plan.config().customers as u32);
        let drawn = parallel::collect(customers as usize, |i| {
            plan.customer(i as u32).purchases.iter().map(|p| p.time).collect::<Vec<_>>()
        });
        let mut times = drawn.concat();
        times.sort_unstable();
        Pilot { times, customers }
    }

    /// How many parts the history should have.
    pub fn parts(&self, customers: u64) -> usize {
        let rows = self.times.len() as f64 / f64::from(self.customers) * customers as f64;
        ((rows / PART as f64).ceil() as usize).clamp(1, MOST_SLICES)
    }

    /// Times at which the second and further of `parts` slices begin.
    pub fn ends(&self, parts: usize) -> Vec<i64> {
        let mut ends: Vec<i64> = (1..parts).map(|i| self.times[i * self.times.len() / parts]).collect();
        ends.dedup();
        ends
    }
}

/// The scratch files.
pub(super) struct Slices<'a> {
    folder: &'a Path,
    files: Vec<File>,
    rows: Vec<u64>,
}

impl<'a> Slices<'a> {
    /// `count` files that have no name: they vanish with the process, whatever happens.
    pub fn new(folder: &'a Path, count: usize) -> Result<Slices<'a>> {
        let files = (0..count)
            .map(|_| tempfile::tempfile_in(folder).map_err(|e| Error::io("write to", folder, e)))
            .collect::<Result<_>>()?;
        Ok(Slices { folder, files, rows: vec![0; count] })
    }

    /// Appends rows, as bytes, to each slice.
    pub fn append(&mut self, of_slice: &[Vec<u8>]) -> Result<()> {
        for ((file, rows), bytes) in self.files.iter_mut().zip(&mut self.rows).zip(of_slice) {
            file.write_all(bytes).map_err(|e| Error::io("write to", self.folder, e))?;
            *rows += (bytes.len() / Row::SIZE) as u64;
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// The rows of a slice in order: by time, then customer, then amount.
    pub fn sorted(&self, slice: usize) -> Result<Vec<Row>> {
        let fail = |e| Error::io("read from", self.folder, e);
        let mut file = &self.files[slice];
        file.seek(SeekFrom::Start(0)).map_err(fail)?;
        let mut rows = Vec::with_capacity(self.rows[slice] as usize);
        let mut bytes = vec![0; Row::SIZE << 15];
        let mut left = self.rows[slice] as usize * Row::SIZE;
        while left > 0 {
            let piece = left.min(bytes.len());
            file.read_exact(&mut bytes[..piece]).map_err(fail)?;
            rows.extend(bytes[..piece].as_chunks::<{ Row::SIZE }>().0.iter().map(Row::from_bytes));
            left -= piece;
        }
        rows.sort_unstable_by_key(|row| (row.time, row.index, row.amount.to_bits()));
        Ok(rows)
    }
}

/// Rows of a chunk of customers, as bytes, by slice.
pub(super) fn scatter(rows: impl Iterator<Item = Row>, ends: &[i64]) -> Vec<Vec<u8>> {
    let mut out = vec![Vec::new(); ends.len() + 1];
    for row in rows {
        let slice = ends.partition_point(|&end| end <= row.time);
        out[slice].extend_from_slice(&row.to_bytes());
    }
    out
}
