//! Bad files: whose fault an error is, which files have one, and a history without them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::history::SkippedFile;
use crate::history::decode::Sink;
use crate::history::event::Event;
use crate::history::footer::damaged_group;
use crate::history::keys::TextId;
use crate::history::scan::History;
use crate::history::split::Piece;
use crate::parallel;
use crate::progress::Progress;

/// Takes rows and keeps none.
struct Nothing;

impl Sink for Nothing {
    fn integer(&mut self, _: u64, _: Event) {}
    fn text(&mut self, _: TextId, _: Event) {}
}

impl History {
    /// Runs `work` on a piece. If the file has changed since it was opened, that is the error, whatever else went wrong.
    pub(crate) fn guarded<T>(&self, piece: &Piece, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let file = &self.files[piece.file as usize];
        // The decoder returns errors for nearly all damage; a panic on a damaged page is damage too.
        let done = catch_unwind(AssertUnwindSafe(work));
        match done {
            Ok(Err(Error::Interrupted)) => Err(Error::Interrupted),
            Ok(done) => file.unchanged().and(done),
            Err(_) => {
                file.unchanged()?;
                Err(damaged_group(file.path(), piece.group, &"its content cannot be decoded"))
            }
        }
    }

    /// The file (as an index into the inspection's files) whose fault an error is: it is damaged, changed, gone or not
    /// to be read.
    pub fn file_at_fault(&self, error: &Error) -> Option<usize> {
        let path = match error {
            Error::NotParquet { path, .. } | Error::FileChanged { path } | Error::NoSuchFile { path } => path,
            Error::Io { doing: "read", path, .. } => path,
            _ => return None,
        };
        self.files.iter().position(|file| file.path() == path)
    }

    /// Decodes every row of every file and keeps none: the files that are bad, with what is wrong, in their order.
    ///
    /// Errors: [`Error::Interrupted`], and what is wrong without being one file's fault.
    pub fn bad_files(&self, progress: &dyn Progress) -> Result<Vec<(usize, Error)>> {
        progress.phase("looking for bad files", self.rows());
        let pieces: Vec<&Piece> = self.tasks.iter().flatten().collect();
        let found = parallel::map(pieces.len(), |i| {
            self.guarded(pieces[i], || self.decode_alone(pieces[i], progress, &mut Nothing)).err()
        });
        let mut bad: Vec<(usize, Error)> = Vec::new();
        for (piece, error) in pieces.into_iter().zip(found) {
            let Some(error) = error else { continue };
            if self.file_at_fault(&error).is_none() {
                return Err(error);
            }
            let file = piece.file as usize;
            if bad.last().is_none_or(|(last, _)| *last != file) {
                bad.push((file, error));
            }
        }
        Ok(bad)
    }

    /// The same history without the files `bad`, which are listed as skipped, each with what is wrong with it.
    ///
    /// Everything is settled anew by the files that stay: columns, types, zone, tasks, and the numbers of the files.
    ///
    /// Errors: the first of `bad` if no file with rows would stay; those of [`History::open`].
    pub fn without(&self, mut bad: Vec<(usize, Error)>) -> Result<History> {
        bad.sort_by_key(|(file, _)| *file);
        let mut skipped = self.inspection().skipped.clone();
        let mut stays = vec![true; self.files.len()];
        for (file, error) in &bad {
            if std::mem::replace(&mut stays[*file], false) {
                let file = &self.files[*file];
                skipped.push(SkippedFile::new(file.name.clone(), error, Some(file.rows())));
            }
        }
        let files: Vec<_> = self
            .files
            .iter()
            .zip(&stays)
            .filter(|(_, stays)| **stays)
            .map(|(file, _)| file.clone())
            .collect();
        match bad.into_iter().next() {
            Some((_, error)) if files.iter().all(|file| file.rows() == 0) => Err(error),
            _ => {
                let map = self.join.as_ref().map(|join| Arc::clone(join.map()));
                History::of(files, skipped, map, self.options())
            }
        }
    }
}
