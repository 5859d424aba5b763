//! Output that appears whole or not at all: written beside its place and renamed when complete.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::report::output_file::FileKind;
use crate::report::stale::{self, EARLIER, PREFIX, SUFFIX};

/// The files of a result folder. A folder that holds these and nothing else, `run.json` among them, is an earlier
/// result and may be replaced.
pub const RESULT_FILES: [&str; 7] = [
    "customers.parquet",
    "cohorts.csv",
    "tiers.csv",
    "strategies.csv",
    "set_aside.parquet",
    "run.json",
    "report.html",
];

/// The files of a folder that holds a validation.
pub const VALIDATION_FILES: [&str; 8] = [
    "metrics.csv",
    "differences.csv",
    "deciles.csv",
    "by_frequency.csv",
    "coverage.csv",
    "tracking.csv",
    VALIDATION,
    "report.html",
];

/// The file that marks a folder as a validation.
pub const VALIDATION: &str = "validation.json";

/// The files of a folder that holds a simulation.
pub const SIMULATION_FILES: [&str; 16] = [
    "strategies.csv",
    "strategies.parquet",
    "standings.csv",
    "standings.parquet",
    "periods.csv",
    "periods.parquet",
    "sensitivity.csv",
    "sensitivity.parquet",
    "assumptions.csv",
    "assumptions.parquet",
    "plans.csv",
    "plans.parquet",
    "contacts.csv",
    "contacts.parquet",
    SIMULATION,
    "report.html",
];

/// The file that marks a folder as a simulation.
pub const SIMULATION: &str = "simulation.json";

/// The file that marks a folder as a result.
pub const MANIFEST: &str = "run.json";

/// What is no part of a result and keeps it from being replaced: so many are named.
const LISTED: usize = 3;

/// What tables name as their maker: it tells a table of ours from a history.
pub const MAKER: &str = "tiercast";

/// What a result folder is: it replaces only its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The result of a run.
    Run,
    /// A generated history with its truth.
    Synth,
    /// The validation of models on a holdout.
    Validation,
    /// Strategies compared by `simulate`.
    Simulation,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Run, Kind::Synth, Kind::Validation, Kind::Simulation];

    /// In words.
    fn words(self) -> &'static str {
        match self {
            Kind::Run => "the result of a run",
            Kind::Synth => "a generated history",
            Kind::Validation => "a validation",
            Kind::Simulation => "a simulation",
        }
    }

    /// The files and folders that it holds at most.
    fn holds(self) -> &'static [&'static str] {
        match self {
            Kind::Run => &RESULT_FILES,
            Kind::Synth => &["truth.json", "truth.parquet", "history"],
            Kind::Validation => &VALIDATION_FILES,
            Kind::Simulation => &SIMULATION_FILES,
        }
    }

    /// The file that marks it.
    fn mark(self) -> &'static str {
        match self {
            Kind::Run => MANIFEST,
            Kind::Synth => "truth.json",
            Kind::Validation => VALIDATION,
            Kind::Simulation => SIMULATION,
        }
    }
}

/// A result folder in the making. Dropped without [`OutputFolder::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct OutputFolder {
    kind: Kind,
    target: PathBuf,
    force: bool,
    inputs: Vec<PathBuf>,
    scratch: tempfile::TempDir,
    /// Says that somebody works on it.
    _lock: Option<fs::File>,
    inner: PathBuf,
}

impl OutputFolder {
    /// Begins a result that will appear at `target`; a link is followed. `inputs` are the files that the run reads.
    ///
    /// # Errors
    /// [`Error::OutputExists`] when `target` holds something that is not a result and `force` is not given, or is a
    /// file; [`Error::OutputHoldsInput`] when it holds one of the `inputs` or the working folder, whatever is forced;
    /// [`Error::Value`] and [`Error::Io`] when the place cannot be written or replaced.
    pub fn begin(target: &Path, force: bool, inputs: &[PathBuf]) -> Result<OutputFolder> {
        OutputFolder::begin_kind(Kind::Run, target, force, inputs)
    }

    /// [`OutputFolder::begin`] for a result of any kind.
    ///
    /// # Errors
    /// As there.
    pub fn begin_kind(kind: Kind, target: &Path, force: bool, inputs: &[PathBuf]) -> Result<OutputFolder> {
        let (target, beside) = place(target)?;
        check_replaceable(kind, &target, force, inputs)?;
        if is_mount_point(&target, &beside) {
            return Err(Error::value(
                "the output folder",
                target.display(),
                "it is a mount point, which cannot be replaced as a whole",
                "give a folder inside it",
            ));
        }
        stale::sweep(&beside);
        let scratch = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempdir_in(&beside)
            .map_err(|e| Error::io("write to", &beside, e))?;
        let lock = stale::lock(scratch.path());
        // The scratch folder is private; the result gets the permissions that the user's own folders get.
        let inner = scratch.path().join("result");
        fs::create_dir(&inner).map_err(|e| Error::io("create", &inner, e))?;
        Ok(OutputFolder { kind, target, force, inputs: inputs.to_vec(), scratch, _lock: lock, inner })
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
    ///
    /// # Errors
    /// As for [`OutputFolder::begin`]: what appeared at the place since then is not lost either.
    pub fn finish(self) -> Result<PathBuf> {
        check_replaceable(self.kind, &self.target, self.force, &self.inputs)?;
        if let Some(parent) = self.target.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, e))?;
        }
        let old = self.scratch.path().join(EARLIER);
        let replaced = self.target.exists();
        if replaced {
            fs::rename(&self.target, &old).map_err(|e| Error::io("replace", &self.target, e))?;
        }
        if let Err(e) = fs::rename(&self.inner, &self.target) {
            if replaced && fs::rename(&old, &self.target).is_err() {
                // The earlier result must outlive this failure, if not in its place.
                let kept = self.scratch.keep();
                return Err(Error::io("put back the earlier result, which is now in", &kept, e));
            }
            return Err(Error::io("create", &self.target, e));
        }
        Ok(self.target)
    }
}

/// The place itself, links followed and `..` resolved, and the nearest folder above it that exists.
pub(super) fn place(target: &Path) -> Result<(PathBuf, PathBuf)> {
    let absolute = std::path::absolute(target).map_err(|e| Error::io("find", target, e))?;
    let absolute = match absolute.canonicalize() {
        Ok(real) => real,
        Err(e) if absolute.is_symlink() => return Err(Error::io("follow the link", &absolute, e)),
        Err(_) => absolute,
    };
    let existing = absolute
        .ancestors()
        .skip(1)
        .find(|above| above.exists())
        .ok_or_else(|| Error::io("find", &absolute, std::io::ErrorKind::NotFound.into()))?;
    let below = absolute.strip_prefix(existing).unwrap_or(&absolute);
    if below.components().any(|part| part == std::path::Component::ParentDir)
        || absolute.file_name().is_none()
    {
        let problem = "it goes up from a folder that does not exist";
        return Err(Error::value("the output", target.display(), problem, "write the path without \"..\""));
    }
    let existing = existing.canonicalize().map_err(|e| Error::io("find", existing, e))?;
    if !existing.is_dir() {
        return Err(Error::io("write to", &existing, std::io::ErrorKind::NotADirectory.into()));
    }
    Ok((existing.join(below), existing))
}

/// Whether a result may take the place of what is at `target`, if anything is.
fn check_replaceable(kind: Kind, target: &Path, force: bool, inputs: &[PathBuf]) -> Result<()> {
    if !target.exists() {
        return Ok(());
    }
    if holds_any(target, inputs) {
        return Err(Error::OutputHoldsInput { path: target.to_path_buf() });
    }
    let exists =
        |what: String, replaceable| Error::OutputExists { path: target.to_path_buf(), what, replaceable };
    if !target.is_dir() {
        return Err(exists("is no folder, and the result is one".to_string(), false));
    }
    if force || is_empty(target) || is_result(kind, target) {
        return Ok(());
    }
    let found = Kind::ALL.into_iter().find(|&other| is_result(other, target));
    let marked = || Kind::ALL.into_iter().find(|&other| is_marked(other, target));
    let what = match (found, marked()) {
        (Some(found), _) => format!("holds {}, not {}", found.words(), kind.words()),
        (None, Some(marked)) => {
            format!("holds {} and what is no part of it: {}", marked.words(), strangers(marked, target))
        }
        (None, None) => "is not a result of tiercast".to_string(),
    };
    Err(exists(what, true))
}

#[cfg(unix)]
fn is_mount_point(target: &Path, parent: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| fs::metadata(path).map(|m| m.dev()).ok();
    target.exists() && device(target) != device(parent)
}

#[cfg(not(unix))]
fn is_mount_point(_: &Path, _: &Path) -> bool {
    false
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Whether a folder holds an earlier result of a kind and nothing else.
fn is_result(kind: Kind, folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else { return false };
    entries.all(|entry| entry.is_ok_and(|entry| is_part(kind, &entry))) && is_marked(kind, folder)
}

/// Whether an entry of a folder is part of a result of a kind.
fn is_part(kind: Kind, entry: &fs::DirEntry) -> bool {
    let named = kind.holds().iter().any(|known| entry.file_name() == *known);
    // A folder inside a result holds tables of ours and nothing else.
    named && (!entry.path().is_dir() || holds_own_tables(&entry.path()))
}

/// Whether the file that marks a result of a kind is there.
fn is_marked(kind: Kind, folder: &Path) -> bool {
    fs::read_to_string(folder.join(kind.mark()))
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .is_some_and(|manifest| manifest.get("tiercast").is_some())
}

/// The first entries, by name, that are no part of a result of a kind; of a folder of tables those in it that are none.
fn strangers(kind: Kind, folder: &Path) -> String {
    let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| !is_part(kind, entry)) {
        let is_folder_of_tables = kind.holds().iter().any(|known| entry.file_name() == *known);
        if is_folder_of_tables {
            let inside = fs::read_dir(entry.path()).into_iter().flatten().flatten();
            let others = inside.filter(|inner| !is_own_table(inner));
            names.extend(others.map(|inner| format!("{}/{}", name(&entry), name(&inner))));
        } else {
            names.push(name(&entry));
        }
    }
    names.sort();
    let more = if names.len() > LISTED { ", …" } else { "" };
    names.truncate(LISTED);
    names.join(", ") + more
}

fn is_own_table(entry: &fs::DirEntry) -> bool {
    FileKind::of(&entry.path()) == Some(FileKind::History)
}

fn holds_own_tables(folder: &Path) -> bool {
    fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| is_own_table(&entry))))
}

/// Whether replacing `target` would remove one of `inputs` or the working folder.
pub(super) fn holds_any(target: &Path, inputs: &[PathBuf]) -> bool {
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
        // A result to which something was added is not replaced either, and what that is is said; an input never.
        fs::write(root.path().join(MANIFEST), r#"{"tiercast": "0.1.0"}"#).unwrap();
        assert!(refused(false, &[]));
        let error = OutputFolder::begin(root.path(), false, &[]).unwrap_err().to_string();
        assert!(error.contains("holds the result of a run and what is no part of it: thesis.txt"), "{error}");
        assert!(refused(true, &[root.path().join("thesis.txt")]));
        // A file is never taken for a folder.
        let file = root.path().join("thesis.txt");
        assert!(matches!(OutputFolder::begin(&file, true, &[]), Err(Error::OutputExists { .. })));
    }

    #[test]
    fn what_appears_meanwhile_is_not_lost() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let out = OutputFolder::begin(&target, false, &[]).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("thesis.txt"), "years of work").unwrap();
        assert!(matches!(out.finish(), Err(Error::OutputExists { .. })));
        assert_eq!(names(root.path()), ["out"]);
        assert_eq!(names(&target), ["thesis.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_impossible_places_known_at_once() {
        let root = tempfile::tempdir().unwrap();
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let out = OutputFolder::begin(&link, false, &[]).unwrap();
        out.write("tiers.csv", "x").unwrap();
        out.finish().unwrap();
        assert!(link.is_symlink());
        assert_eq!(names(&real), ["tiers.csv"]);

        let dangling = root.path().join("dangling");
        std::os::unix::fs::symlink(root.path().join("nowhere"), &dangling).unwrap();
        for bad in [dangling, real.join("tiers.csv/x"), root.path().join("new/..")] {
            assert!(OutputFolder::begin(&bad, false, &[]).is_err(), "{}", bad.display());
        }
        assert_eq!(names(root.path()), ["dangling", "link", "real"]);
    }
}
