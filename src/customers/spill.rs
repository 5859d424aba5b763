//! Words that do not fit in memory, in a file that has no name: whatever ends the program, nothing is left of it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use crate::error::{Error, Result};

/// A stretch of words in the spill file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Byte at which it begins.
    at: u64,
    words: usize,
}

impl Extent {
    /// Words `begin..begin + words` of it.
    pub(crate) fn part(self, begin: usize, words: usize) -> Extent {
        debug_assert!(begin + words <= self.words);
        Extent { at: self.at + begin as u64 * 8, words }
    }

    pub(crate) fn words(self) -> usize {
        self.words
    }
}

/// The spill file, made when it is first written to.
#[derive(Debug)]
pub(crate) struct Spill {
    folder: PathBuf,
    file: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    len: u64,
}

impl Spill {
    /// A spill file in `folder`; the system's temporary folder when none is given.
    pub(crate) fn new(folder: Option<PathBuf>) -> Spill {
        Spill { folder: folder.unwrap_or_else(std::env::temp_dir), file: Mutex::new(None) }
    }

    /// Appends words.
    pub(crate) fn write(&self, words: &[u64]) -> Result<Extent> {
        let failed = |e| Error::io("write the spill file in", &self.folder, e);
        let mut guard = self.lock();
        let open = match &mut *guard {
            Some(open) => open,
            // Unlinked as soon as it is opened.
            none => none.insert(Open { file: tempfile::tempfile_in(&self.folder).map_err(failed)?, len: 0 }),
        };
        open.file.seek(SeekFrom::Start(open.len)).map_err(failed)?;
        open.file.write_all(bytemuck::cast_slice(words)).map_err(failed)?;
        let extent = Extent { at: open.len, words: words.len() };
        open.len += words.len() as u64 * 8;
        Ok(extent)
    }

    /// Writes other words in the place of an extent.
    pub(crate) fn rewrite(&self, extent: Extent, words: &[u64]) -> Result<()> {
        let failed = |e| Error::io("write the spill file in", &self.folder, e);
        debug_assert_eq!(extent.words, words.len());
        if let Some(open) = &mut *self.lock() {
            open.file.seek(SeekFrom::Start(extent.at)).map_err(failed)?;
            open.file.write_all(bytemuck::cast_slice(words)).map_err(failed)?;
        }
        Ok(())
    }

    /// Appends the words of an extent to `out`.
    pub(crate) fn read(&self, extent: Extent, out: &mut Vec<u64>) -> Result<()> {
        let failed = |e| Error::io("read the spill file in", &self.folder, e);
        let begin = out.len();
        out.resize(begin + extent.words, 0);
        if let Some(open) = &mut *self.lock() {
            open.file.seek(SeekFrom::Start(extent.at)).map_err(failed)?;
            open.file.read_exact(bytemuck::cast_slice_mut(&mut out[begin..])).map_err(failed)?;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_and_the_file_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::new(Some(folder.path().to_path_buf()));
        let a = spill.write(&[1, 2, 3]).unwrap();
        let b = spill.write(&[4, u64::MAX]).unwrap();
        let mut out = vec![9];
        spill.read(b, &mut out).unwrap();
        spill.read(a.part(1, 2), &mut out).unwrap();
        assert_eq!(out, [9, 4, u64::MAX, 2, 3]);
        spill.rewrite(a.part(2, 1), &[7]).unwrap();
        out.clear();
        spill.read(a, &mut out).unwrap();
        assert_eq!(out, [1, 2, 7]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_none_is_named() {
        let spill = Spill::new(Some("/nowhere/at/all".into()));
        let error = spill.write(&[1]).unwrap_err();
        assert!(error.to_string().starts_with("cannot write the spill file in /nowhere/at/all"), "{error}");
    }
}
