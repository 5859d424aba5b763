//! A few rows from all over a history, to see what ids and amounts look like before all are read.

use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use crate::error::Result;
use crate::history::Sink;
use crate::history::scan::History;
use crate::history::split::Piece;
use crate::parallel;
use crate::random::hash_integer;

/// Rows over which those of one place are spread: a page or so, which has to be decoded anyway. Where rows are sorted
/// within a file or a row group, rows side by side would be of a few customers.
const SPREAD: u64 = if cfg!(test) { 20 } else { 1 << 16 };
/// Rows side by side.
const TOGETHER: u64 = if cfg!(test) { 2 } else { 32 };

impl History {
    /// Decodes about `rows` rows at each of `points` places all over the history, each place with a sink of its own. The
    /// last place is the end. What the rows' numbers are means nothing.
    ///
    /// # Errors
    /// As for [`History::decode`].
    pub(crate) fn sample<S: Sink + Default + Send>(&self, points: u64, rows: u64) -> Result<Vec<S>> {
        let pieces: Vec<&Piece> = self.tasks.iter().flatten().collect();
        parallel::try_map(points as usize, |point| {
            let row = self.place(point as u64, points);
            let piece = *pieces[pieces.partition_point(|piece| piece.base <= row).max(1) - 1];
            let (rows, some) = spread(&piece, row - piece.base, rows);
            let mut sink = S::default();
            self.guarded(&piece, || self.decode_some(&Piece { rows, ..piece }, some, &mut sink))?;
            Ok(sink)
        })
    }

    /// A row in the `point`-th of `points` equal stretches; of the last one the last. Not the first of each, since what
    /// begins a file or a day is not like the rest.
    fn place(&self, point: u64, points: u64) -> u64 {
        let total = u128::from(self.rows());
        if point + 1 == points {
            return self.rows() - 1;
        }
        let at = u128::from(point) << 32 | u128::from(hash_integer(point) >> 32);
        (total * at / (u128::from(points) << 32)) as u64
    }
}

/// Up to `rows` rows of a piece around row `at`, and the choice of them from its row group.
fn spread(piece: &Piece, at: u64, rows: u64) -> (u64, RowSelection) {
    let len = piece.rows.min(SPREAD.max(rows));
    let begin = at.min(piece.rows - len);
    let rows = rows.min(len);
    // As many runs as have their room, one run for each equal part.
    let runs = (rows / TOGETHER).max(1);
    let mut selectors = Vec::new();
    let (mut passed, mut chosen) = (0, 0);
    for run in 0..runs {
        let from = piece.start + begin + len * run / runs;
        let own = rows * (run + 1) / runs - rows * run / runs;
        selectors.push(RowSelector::skip((from - passed) as usize));
        selectors.push(RowSelector::select(own as usize));
        passed = from + own;
        chosen += own;
    }
    (chosen, RowSelection::from(selectors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_of_the_piece(start in 0..100u64, len in 1..100u64, at in 0..100u64, rows in 1..40u64) {
            let piece = Piece { file: 0, group: 0, start, first_row: start, base: start, rows: len };
            let (chosen, some) = spread(&piece, at.min(len - 1), rows);
            prop_assert_eq!(chosen, rows.min(len));
            let (mut row, mut found) = (0, 0);
            for selector in some.iter() {
                if !selector.skip {
                    prop_assert!(row >= start && row + selector.row_count as u64 <= start + len);
                    found += selector.row_count as u64;
                }
                row += selector.row_count as u64;
            }
            prop_assert_eq!(found, chosen);
        }
    }
}
