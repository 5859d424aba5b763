//! A few rows from all over a history, to see what ids and amounts look like before all are read.

use crate::error::Result;
use crate::history::Sink;
use crate::history::scan::History;
use crate::history::split::Piece;
use crate::parallel;

impl History {
    /// Decodes `rows` rows at each of `points` places, evenly spread over the history, each place with a sink of its own.
    ///
    /// # Errors
    /// As for [`History::decode`].
    pub(crate) fn sample<S: Sink + Default + Send>(&self, points: u64, rows: u64) -> Result<Vec<S>> {
        let pieces: Vec<&Piece> = self.tasks.iter().flatten().collect();
        let total = self.rows();
        // Where pieces are many their beginnings will do, before which nothing has to be passed over.
        let many = pieces.len() as u64 >= points;
        parallel::try_map(points as usize, |point| {
            let row = (u128::from(total) * point as u128 / u128::from(points)) as u64;
            let mut piece = *pieces[pieces.partition_point(|piece| piece.base <= row).max(1) - 1];
            let skipped = if many { 0 } else { (row - piece.base).min(piece.rows - 1) };
            piece.start += skipped;
            piece.first_row += skipped;
            piece.base += skipped;
            piece.rows = rows.min(piece.rows - skipped);
            let mut sink = S::default();
            self.guarded(&piece, || self.decode_alone(&piece, &(), &mut sink))?;
            Ok(sink)
        })
    }
}
