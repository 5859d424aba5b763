//! Output that appears whole or not at all: written beside its place and renamed when complete.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The files of a result folder. A folder that holds these and nothing else, `run.json` among them, is an earlier
/// result and may be replaced.
pub const RESULT_FILES: [&str; 6] =
    ["customers.parquet", "tiers.csv", "strategies.csv", "set_aside.parquet", "run.json", "report.html"];

/// The file that marks a folder as a result.
pub const MANIFEST: &str = "run.json";

/// A result folder in the making. Dropped without [`OutputFolder::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct OutputFolder {
    target: PathBuf,
    scratch: tempfile::TempDir,
    inner: PathBuf,
}

impl OutputFolder {
    /// Begins a result that will appear at `target`.
    ///
    /// # Errors
    /// [`Error::OutputExists`] when `target` holds something that is not a result and `force` is not given, or is a
    /// file; [`Error::OutputHoldsInput`] when it holds one of the `inputs` or the working folder, whatever is forced;
    /// [`Error::Io`] when the place cannot be written.
    pub fn begin(target: &Path, force: bool, inputs: &[PathBuf]) -> Result<OutputFolder> {
        let target = std::path::absolute(target).map_err(|e| Error::io("find", target, e))?;
        if target.exists() {
            if holds_any(&target, inputs) {
                return Err(Error::OutputHoldsInput { path: target });
            }
            if !target.is_dir() || !(force || is_empty(&target) || is_result(&target)) {
                return Err(Error::OutputExists { path: target });
            }
        }
        let beside = nearest_existing_parent(&target);
        let scratch = tempfile::Builder::new()
            .prefix(".tiercast-")
            .tempdir_in(&beside)
            .map_err(|e| Error::io("write to", &beside, e))?;
        // The scratch folder is private; the result gets the permissions that the user's own folders get.
        let inner = scratch.path().join("result");
        fs::create_dir(&inner).map_err(|e| Error::io("create", &inner, e))?;
        Ok(OutputFolder { target, scratch, inner })
    }

    /// Where a file of the result is to be written.
    pub fn path(&self, name: &str) -> PathBuf {
        self.inner.join(name)
    }

    /// Writes a file of the result.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(name);
        fs::write(&path, content).map_err(|e| Error::io("write", &path, e))
    }

    /// Puts the result in its place, replacing an earlier one whole.
    pub fn finish(self) -> Result<PathBuf> {
        let io = |doing| move |path: &Path, e| Error::io(doing, path, e);
        if let Some(parent) = self.target.parent() {
            fs::create_dir_all(parent).map_err(|e| io("create")(parent, e))?;
        }
        let old = self.scratch.path().join("earlier");
        let replaced = self.target.exists();
        if replaced {
            fs::rename(&self.target, &old).map_err(|e| io("replace")(&self.target, e))?;
        }
        if let Err(e) = fs::rename(&self.inner, &self.target) {
            if replaced {
                // The earlier result goes back to where it was; the first error is the one to report.
                let _ = fs::rename(&old, &self.target);
            }
            return Err(io("create")(&self.target, e));
        }
        Ok(self.target)
    }
}

/// A single file in the making, for verbs with one output. Dropped without finish, it leaves nothing behind.
#[derive(Debug)]
pub struct OutputFile {
    target: PathBuf,
    scratch: tempfile::NamedTempFile,
}

impl OutputFile {
    /// Begins a file that will appear at `target`, replacing a file there.
    ///
    /// # Errors
    /// [`Error::OutputExists`] when `target` is a folder; [`Error::OutputHoldsInput`] when it is one of the `inputs`;
    /// [`Error::Io`] when its folder does not exist or cannot be written.
    pub fn begin(target: &Path, inputs: &[PathBuf]) -> Result<OutputFile> {
        let target = std::path::absolute(target).map_err(|e| Error::io("find", target, e))?;
        if holds_any(&target, inputs) {
            return Err(Error::OutputHoldsInput { path: target });
        }
        if target.is_dir() {
            return Err(Error::OutputExists { path: target });
        }
        let folder = target.parent().unwrap_or(Path::new("/"));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".tiercast-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let scratch = builder.tempfile_in(folder).map_err(|e| Error::io("write to", folder, e))?;
        Ok(OutputFile { target, scratch })
    }

    /// Where it is to be written.
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Puts the file in its place.
    pub fn finish(self) -> Result<PathBuf> {
        let target = self.target;
        self.scratch.persist(&target).map_err(|e| Error::io("create", &target, e.error))?;
        Ok(target)
    }
}

fn nearest_existing_parent(path: &Path) -> PathBuf {
    path.ancestors().skip(1).find(|p| p.is_dir()).unwrap_or(Path::new("/")).to_path_buf()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Whether a folder holds an earlier result and nothing else.
fn is_result(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let mut names = entries.map(|entry| entry.map(|e| e.file_name()));
    let known = names.all(|name| name.is_ok_and(|name| RESULT_FILES.iter().any(|known| name == *known)));
    known
        && fs::read_to_string(folder.join(MANIFEST))
            .ok()
            .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
            .is_some_and(|manifest| manifest.get("tiercast").is_some())
}

/// Whether replacing `target` would remove one of `inputs` or the working folder.
fn holds_any(target: &Path, inputs: &[PathBuf]) -> bool {
    let Ok(target) = target.canonicalize() else { return false };
    let here = std::env::current_dir().ok();
    inputs.iter().chain(&here).any(|path| path.canonicalize().is_ok_and(|path| path.starts_with(&target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_result_appears_whole_and_replaces_an_earlier_one() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("deep/out");
        for round in ["one", "two"] {
            let out = OutputFolder::begin(&target, false, &[]).unwrap();
            out.write(MANIFEST, r#"{"tiercast": "0.1.0"}"#).unwrap();
            out.write("tiers.csv", round).unwrap();
            out.finish().unwrap();
            assert_eq!(fs::read_to_string(target.join("tiers.csv")).unwrap(), round);
        }
        assert_eq!(names(root.path()), ["deep"]);
        assert_eq!(names(&root.path().join("deep")), ["out"]);
    }

    #[test]
    fn nothing_is_left_when_it_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let out = OutputFolder::begin(&root.path().join("out"), false, &[]).unwrap();
        out.write("tiers.csv", "half").unwrap();
        drop(out);
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn what_is_not_a_result_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.txt"), "years of work").unwrap();
        let refused = |force, inputs: &[PathBuf]| {
            matches!(
                OutputFolder::begin(root.path(), force, inputs),
                Err(Error::OutputExists { .. } | Error::OutputHoldsInput { .. })
            )
        };
        assert!(refused(false, &[]));
        assert!(!refused(true, &[]));
        // A result to which something was added is not replaced either, and an input never.
        fs::write(root.path().join(MANIFEST), r#"{"tiercast": "0.1.0"}"#).unwrap();
        assert!(refused(false, &[]));
        assert!(refused(true, &[root.path().join("thesis.txt")]));
        // A file is never taken for a folder.
        let file = root.path().join("thesis.txt");
        assert!(matches!(OutputFolder::begin(&file, true, &[]), Err(Error::OutputExists { .. })));
    }

    #[test]
    fn a_file_replaces_a_file_but_never_its_input() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("c.parquet");
        fs::write(&target, "old").unwrap();
        let out = OutputFile::begin(&target, &[]).unwrap();
        fs::write(out.path(), "new").unwrap();
        out.finish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert!(OutputFile::begin(&target, std::slice::from_ref(&target)).is_err());
        assert_eq!(names(root.path()), ["c.parquet"]);
    }
}
