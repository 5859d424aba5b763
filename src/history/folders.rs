//! From paths and patterns to the Parquet files that they stand for: folders walked, links followed, results left out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::error::{Error, Result};
use crate::history::Source;
use crate::history::files::unreadable;
use crate::history::hive::{Keys, keys_of};

/// Endings by which Parquet files are found in folders.
const ENDINGS: [&str; 2] = ["parquet", "pq"];

/// The manifest of a tiercast result, and the key by which it is known for one.
const MANIFEST: &str = "run.json";
const MANIFEST_KEY: &str = "\"tiercast\"";

/// What makes a path that does not exist a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// How patterns match: as a shell does it, where `*` stops at a `/` and hidden names are matched by their dot alone.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A file that was found, and what its folders say of it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) keys: Keys,
    /// The name of the file, folder or match of a pattern through which it was found: the source of its rows where no
    /// column says it.
    pub(crate) given: String,
}

/// The paths of the Parquet files that the sources stand for, in reading order; sources in memory have none.
///
/// Folders are walked, by path, and links followed. A path that does not exist and holds `*`, `?` or `[` is a pattern;
/// `**` stands for any folders. Names that begin with `.` or `_` are other tools' notes, and folders within that hold an
/// earlier result of tiercast are no history: both are left out.
///
/// Errors: [`Error::NoSuchFile`], [`Error::NoParquetInFolder`], [`Error::NotParquet`] for what is no regular file,
/// [`Error::Value`] for a pattern that matches nothing or is none, [`Error::Io`].
pub fn files_of(sources: &[Source]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for source in sources {
        if let Source::Path(path) = source {
            found.extend(found_at(path)?.into_iter().map(|one| one.path));
        }
    }
    Ok(found)
}

/// The files that one path or pattern stands for, by path.
///
/// The folders that count as columns are those below the folder that was given, or all of the path of a file or of what
/// a pattern matched.
pub(crate) fn found_at(path: &Path) -> Result<Vec<Found>> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => {
            return match path.to_str().filter(|text| text.contains(WILD)) {
                Some(pattern) if error.kind() == std::io::ErrorKind::NotFound => matching(pattern),
                _ => Err(unreadable(path, error)),
            };
        }
    };
    if meta.is_file() {
        return Ok(vec![Found {
            path: path.to_path_buf(),
            keys: keys_of(path),
            given: name_of(path, false),
        }]);
    }
    if !meta.is_dir() {
        return Err(Error::NotParquet {
            path: path.to_path_buf(),
            problem: "it is not a regular file; Parquet needs one that can be read at any place".into(),
        });
    }
    let found = walk(path)?;
    if found.is_empty() {
        return Err(Error::NoParquetInFolder { path: path.to_path_buf() });
    }
    let below = |file: &Path| keys_of(file.strip_prefix(path).unwrap_or(file));
    let given = name_of(path, true);
    Ok(found.into_iter().map(|file| Found { keys: below(&file), path: file, given: given.clone() }).collect())
}

/// What a path is called: the name of a folder, and that of a file without its ending.
fn name_of(path: &Path, is_folder: bool) -> String {
    let name = |path: &Path| match is_folder {
        true => path.file_name().map(|name| name.to_string_lossy().into_owned()),
        false => path.file_stem().map(|name| name.to_string_lossy().into_owned()),
    };
    // "." and ".." have no name of their own.
    name(path).or_else(|| name(&fs::canonicalize(path).ok()?)).unwrap_or_default()
}

/// The files that a pattern matches, and those in folders that it matches.
fn matching(pattern: &str) -> Result<Vec<Found>> {
    let wrong = |problem: String| {
        let remedy = "quote the pattern as in 'orders/*.parquet': * and ? stand for parts of one name, [0-3] for one \
                      character, ** for any folders; files are found by the endings .parquet and .pq";
        Error::value("the history", pattern, problem, remedy)
    };
    let paths = glob::glob_with(pattern, MATCHING).map_err(|e| wrong(format!("it is no pattern: {e}")))?;
    let mut skip = Skip { pattern: Path::new(pattern), known: HashMap::new() };
    // By path, and once, whichever way leads there.
    let mut found = BTreeMap::new();
    for path in paths {
        let path = path.map_err(|e| {
            let folder = e.path().to_path_buf();
            unreadable(&folder, e.into())
        })?;
        if is_note(&path) || skip.leads_through_another(&path) {
            continue;
        }
        let meta = fs::metadata(&path);
        let given = name_of(&path, meta.as_ref().is_ok_and(fs::Metadata::is_dir));
        let files = match meta {
            Ok(meta) if meta.is_dir() && is_result(&path) => Vec::new(),
            Ok(meta) if meta.is_dir() => walk(&path)?,
            Ok(meta) if is_ours(&path) && meta.is_file() => vec![path],
            Err(error) if is_ours(&path) => return Err(unreadable(&path, error)),
            _ => Vec::new(),
        };
        for file in files {
            let keys = keys_of(&file);
            found.entry(file).or_insert((keys, given.clone()));
        }
    }
    if found.is_empty() {
        return Err(wrong("no such file, and as a pattern it matches no Parquet file".to_string()));
    }
    Ok(found.into_iter().map(|(path, (keys, given))| Found { path, keys, given }).collect())
}

/// Folders on the way to a match that a walk would not have entered.
struct Skip<'a> {
    pattern: &'a Path,
    known: HashMap<PathBuf, bool>,
}

impl Skip<'_> {
    /// Whether a folder that the pattern does not spell out is another tool's note or an earlier result.
    fn leads_through_another(&mut self, path: &Path) -> bool {
        let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
            return false;
        };
        if let Some(&known) = self.known.get(folder) {
            return known;
        }
        let skipped = !self.pattern.starts_with(folder)
            && (is_note(folder) || is_result(folder) || self.leads_through_another(folder));
        self.known.insert(folder.to_path_buf(), skipped);
        skipped
    }
}

fn is_ours(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
}

fn is_note(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']))
}

/// The files below a folder, by path.
fn walk(path: &Path) -> Result<Vec<PathBuf>> {
    let root = fs::canonicalize(path).map_err(|e| unreadable(path, e))?;
    let mut walk = Walk { seen: HashSet::from([root.clone()]), root, found: Vec::new() };
    walk.enter(path)?;
    walk.found.sort();
    Ok(walk.found)
}

struct Walk {
    root: PathBuf,
    /// Folders entered, without links: each is read once, whichever way leads there.
    seen: HashSet<PathBuf>,
    found: Vec<PathBuf>,
}

impl Walk {
    fn enter(&mut self, folder: &Path) -> Result<()> {
        let io = |e| unreadable(folder, e);
        let mut entries = fs::read_dir(folder).map_err(io)?.collect::<Result<Vec<_>, _>>().map_err(io)?;
        // Own folders before those behind links, and by name: what is found does not depend on the file system.
        entries.sort_by_cached_key(|entry| {
            (entry.file_type().is_ok_and(|kind| kind.is_symlink()), entry.file_name())
        });
        for entry in entries {
            let path = entry.path();
            if is_note(&path) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(meta) if meta.is_dir() => self.subfolder(&path)?,
                Ok(meta) => {
                    if is_ours(&path) && meta.is_file() {
                        self.found.push(path);
                    }
                }
                // A link to nowhere matters only where a part of the history should be.
                Err(error) if is_ours(&path) => return Err(unreadable(&path, error)),
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn subfolder(&mut self, path: &Path) -> Result<()> {
        let whole = fs::canonicalize(path).map_err(|e| unreadable(path, e))?;
        // A link up would bring in what stands beside the folder that was given.
        let leads_back = self.root.starts_with(&whole) || self.seen.contains(&whole);
        if leads_back || is_result(path) {
            return Ok(());
        }
        self.seen.insert(whole);
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

    fn matched(root: &Path, pattern: &str) -> Vec<String> {
        names_of(&root.join(pattern), root)
    }

    fn names_of(path: &Path, root: &Path) -> Vec<String> {
        let found = found_at(path).unwrap();
        found.iter().map(|one| one.path.strip_prefix(root).unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for month in ["01", "02", "11"] {
            write(root, &format!("year=2026/month={month}/a.parquet"), "");
        }
        write(root, "b.pq", "");
        write(root, "note.txt", "");
        write(root, "_tmp/c.parquet", "");
        write(root, "out/customers.parquet", "");
        write(root, "out/run.json", r#"{"tiercast": "0.1.0"}"#);
        write(root, "odd[1].parquet", "");
        let months = ["year=2026/month=01/a.parquet", "year=2026/month=02/a.parquet"];
        assert_eq!(matched(root, "year=2026/month=0[1-3]/*.parquet"), months);
        assert_eq!(matched(root, "year=2026/month=0?"), months);
        assert_eq!(matched(root, "**/*.pq"), ["b.pq"]);
        assert_eq!(matched(root, "**/a.parquet").len(), 3);
        assert_eq!(
            matched(root, "*"),
            ["b.pq", "odd[1].parquet", months[0], months[1], "year=2026/month=11/a.parquet"]
        );
        assert_eq!(matched(root, "**/*.parquet").len(), 4);
        assert_eq!(matched(root, "out/*.parquet"), ["out/customers.parquet"]);
        // A path that exists is no pattern.
        assert_eq!(matched(root, "odd[1].parquet"), ["odd[1].parquet"]);
        for (pattern, problem) in [
            ("*.csv", "matches no Parquet file"),
            ("note.*", "matches no Parquet file"),
            ("a[", "it is no pattern"),
        ] {
            let error = found_at(&root.join(pattern)).unwrap_err().to_string();
            assert!(error.contains(pattern) && error.contains(problem), "{error}");
        }
        let keys =
            |path: &str| found_at(&root.join(path)).unwrap()[0].keys.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys("year=2026/*"), ["month", "year"]);
        assert_eq!(keys("year=2026"), ["month"]);
        assert_eq!(keys("year=2026/month=01/a.parquet"), ["month", "year"]);
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
