//! Files → tasks: small row groups together, long ones in pieces, so that all threads have work.
//!
//! No figure depends on where a history is cut: rows keep their order and their place in the file.

use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use crate::history::files::ParquetFile;

/// Small row groups are read together until a task has this many rows: below it, starting a task costs more than its
/// rows, and its share of a partition becomes a handful.
const ROWS_PER_TASK: u64 = if cfg!(test) { 64 } else { 1 << 17 };

/// A row group of more rows than this is read in pieces.
pub(crate) const SPLIT_ROWS: u64 = if cfg!(test) { 100 } else { 1 << 22 };

/// Most pieces of a row group whose pages' places are unknown: each piece passes over the pages before it by their
/// headers, so that the work passed over grows with the square of the pieces.
const MOST_UNINDEXED: u64 = 16;

/// A stretch of rows in one row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) file: u32,
    pub(crate) group: usize,
    /// Row of the row group at which the piece begins.
    pub(crate) start: u64,
    /// Row of the file at which the piece begins.
    pub(crate) first_row: u64,
    /// Number of its first row in the history.
    pub(crate) base: u64,
    pub(crate) rows: u64,
}

impl Piece {
    /// The rows to choose from its row group; `None` for all.
    pub(crate) fn selection(&self, file: &ParquetFile) -> Option<RowSelection> {
        if self.rows == file.group_rows(self.group) {
            return None;
        }
        let (before, rows) = (self.start as usize, self.rows as usize);
        Some(RowSelection::from(vec![RowSelector::skip(before), RowSelector::select(rows)]))
    }
}

/// Pieces that are read one after the other by one thread.
pub(crate) type Task = Vec<Piece>;

/// The tasks of a history, in the order of its rows.
pub(crate) fn tasks(files: &[ParquetFile]) -> Vec<Task> {
    let mut tasks = Vec::new();
    let (mut task, mut task_rows, mut base) = (Task::new(), 0, 0);
    for (number, file) in files.iter().enumerate() {
        let mut first_row = 0;
        for group in 0..file.groups() {
            let rows = file.group_rows(group);
            let mut start = 0;
            let size = piece_rows(rows, file.is_indexed());
            while start < rows {
                let rows = size.min(rows - start);
                task.push(Piece { file: number as u32, group, start, first_row, base, rows });
                (start, first_row, task_rows) = (start + rows, first_row + rows, task_rows + rows);
                base += rows;
                if task_rows >= ROWS_PER_TASK {
                    tasks.push(std::mem::take(&mut task));
                    task_rows = 0;
                }
            }
        }
    }
    if task_rows > 0 {
        tasks.push(task);
    }
    tasks
}

/// Rows of each piece of a row group of `rows` rows; the last may have fewer.
fn piece_rows(rows: u64, indexed: bool) -> u64 {
    let pieces = rows.div_ceil(SPLIT_ROWS);
    let pieces = if indexed { pieces } else { pieces.min(MOST_UNINDEXED) };
    rows.div_ceil(pieces.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_row_group_evenly() {
        assert_eq!(piece_rows(SPLIT_ROWS, false), SPLIT_ROWS);
        assert_eq!(piece_rows(SPLIT_ROWS + 1, true), SPLIT_ROWS / 2 + 1);
        assert_eq!(piece_rows(0, true), 1);
        let long = 1000 * SPLIT_ROWS;
        assert_eq!(long.div_ceil(piece_rows(long, true)), 1000);
        assert_eq!(long.div_ceil(piece_rows(long, false)), MOST_UNINDEXED);
    }
}
