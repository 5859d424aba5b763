//! From paths to the Parquet files that they stand for: folders walked, links followed, results left out.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::history::Source;

/// Endings by which Parquet files are found in folders.
const ENDINGS: [&str; 2] = ["parquet", "pq"];

/// The manifest of a tiercast result, and the key by which it is known for one.
const MANIFEST: &str = "run.json";
const MANIFEST_KEY: &str = "\"tiercast\"";

/// The paths of the Parquet files that the sources stand for, in reading order; sources in memory have none.
///
/// Folders are walked, by path, and links followed. Names that begin with `.` or `_` are other tools' notes, and
/// folders within that hold an earlier result of tiercast are no history: both are left out.
///
/// Errors: [`Error::NoSuchFile`], [`Error::NoParquetInFolder`], [`Error::NotParquet`] for what is no regular file,
/// [`Error::Io`].
pub fn files_of(sources: &[Source]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for source in sources {
        if let Source::Path(path) = source {
            found.extend(paths_of(path)?);
        }
    }
    Ok(found)
}

/// The files that one path stands for.
pub(crate) fn paths_of(path: &Path) -> Result<Vec<PathBuf>> {
    let meta = fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if meta.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    if !meta.is_dir() {
        return Err(Error::NotParquet {
            path: path.to_path_buf(),
            problem: "it is not a regular file; Parquet needs one that can be read at any place".into(),
        });
    }
    let root = fs::canonicalize(path).map_err(|e| Error::io("read", path, e))?;
    let mut walk = Walk { seen: vec![root.clone()], root, found: Vec::new() };
    walk.enter(path)?;
    if walk.found.is_empty() {
        return Err(Error::NoParquetInFolder { path: path.to_path_buf() });
    }
    walk.found.sort();
    Ok(walk.found)
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, error),
    }
}

struct Walk {
    root: PathBuf,
    /// Folders entered, without links: each is read once, whichever way leads there.
    seen: Vec<PathBuf>,
    found: Vec<PathBuf>,
}

impl Walk {
    fn enter(&mut self, folder: &Path) -> Result<()> {
        let io = |e| Error::io("read", folder, e);
        let mut entries = fs::read_dir(folder).map_err(io)?.collect::<Result<Vec<_>, _>>().map_err(io)?;
        // Own folders before those behind links, and by name: what is found does not depend on the file system.
        entries
            .sort_by_key(|entry| (entry.file_type().is_ok_and(|kind| kind.is_symlink()), entry.file_name()));
        for entry in entries {
            if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
                continue;
            }
            let path = entry.path();
            let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
            let is_ours = ending.is_some_and(|e| ENDINGS.contains(&e.as_str()));
            match fs::metadata(&path) {
                Ok(meta) if meta.is_dir() => self.subfolder(&path)?,
                Ok(meta) => {
                    if is_ours && meta.is_file() {
                        self.found.push(path);
                    }
                }
                // A link to nowhere matters only where a part of the history should be.
                Err(error) if is_ours => return Err(unreadable(&path, error)),
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn subfolder(&mut self, path: &Path) -> Result<()> {
        let whole = fs::canonicalize(path).map_err(|e| Error::io("read", path, e))?;
        // A link up would bring in what stands beside the folder that was given.
        let leads_back = self.root.starts_with(&whole) || self.seen.contains(&whole);
        if leads_back || is_result(path) {
            return Ok(());
        }
        self.seen.push(whole);
        self.enter(path)
    }
}

/// Whether the folder is a result of tiercast: its tables are Parquet as well, and no history.
fn is_result(folder: &Path) -> bool {
    fs::read_to_string(folder.join(MANIFEST)).is_ok_and(|text| text.contains(MANIFEST_KEY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn names(root: &Path) -> Vec<String> {
        let found = files_of(&[Source::Path(root.to_path_buf())]).unwrap();
        found.iter().map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn earlier_results_are_no_history() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "log.parquet", "");
        write(root, "tiercast-out/customers.parquet", "");
        write(root, "tiercast-out/run.json", r#"{"tiercast": "0.1.0"}"#);
        write(root, "2024/more.parquet", "");
        write(root, "2024/run.json", r#"{"other": 1}"#);
        assert_eq!(names(root), ["2024/more.parquet", "log.parquet"]);
        assert_eq!(names(&root.join("tiercast-out")), ["customers.parquet"]);
        let memory = Source::Bytes { name: "a".into(), data: bytes::Bytes::new() };
        assert_eq!(files_of(&[memory]).unwrap(), Vec::<PathBuf>::new());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_do_not_lead_in_circles() {
        use std::os::unix::fs::symlink;
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path().join("history");
        write(&root, "own/1.parquet", "");
        write(folder.path(), "beside.parquet", "");
        write(elsewhere.path(), "2.parquet", "");
        symlink(elsewhere.path(), root.join("linked")).unwrap();
        symlink(&root, elsewhere.path().join("back")).unwrap();
        symlink(folder.path(), root.join("up")).unwrap();
        symlink(root.join("own"), root.join("again")).unwrap();
        assert_eq!(names(&root), ["linked/2.parquet", "own/1.parquet"]);
        symlink(root.join("nowhere"), root.join("3.parquet")).unwrap();
        let error = files_of(&[Source::Path(root.clone())]).unwrap_err();
        assert!(matches!(&error, Error::NoSuchFile { path } if path == &root.join("3.parquet")), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_named_so() {
        let error = files_of(&[Source::Path("/dev/null".into())]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/dev/null is not a readable Parquet file: it is not a regular file; Parquet needs one that can be read at any place"
        );
    }
}
