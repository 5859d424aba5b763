//! What can go wrong, with the context to say it in one line and a hint of what to do about it.
//!
//! The message names the file, column or key, and the value; the hint is data beside the error, so that the
//! terminal, `--json` and other front ends can each show it in their own way.

use std::path::{Path, PathBuf};

use crate::calendar::Day;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The cause underneath an [`Error`].
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path that does not exist.
    #[error("no such file or folder: {}", path.display())]
    NoSuchFile {
        /// The path as given.
        path: PathBuf,
    },
    /// A file that is not Parquet at all, or is damaged.
    #[error("{} is not a readable Parquet file: {problem}", path.display())]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that is no longer the one whose footer was read.
    #[error("{} changed while it was read", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// Times of which nobody knows whether they are local.
    #[error("{}: the times of column \"{column}\" are INT96, which does not say whether they are UTC or local", path.display())]
    TimeUnclear {
        /// The file.
        path: PathBuf,
        /// The time column.
        column: String,
    },
    /// A folder in which no Parquet file was found.
    #[error("no Parquet file in folder {}", path.display())]
    NoParquetInFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The files hold no rows.
    #[error("the history has no rows ({files})")]
    NoRows {
        /// The files, as a short list.
        files: String,
    },
    /// Every row was set aside.
    #[error("none of the {rows} rows read can be used: {reasons}")]
    NoUsableRow {
        /// Rows read.
        rows: u64,
        /// Counts by reason, in words.
        reasons: String,
    },
    /// A column that was asked for, or is needed, does not exist.
    #[error("{}: {}", path.display(), match wanted {
        Some(name) => format!("no column \"{name}\" for the {role}"),
        None => format!("no column looks like the {role}"),
    })]
    ColumnNotFound {
        /// The file.
        path: PathBuf,
        /// What the column is for: customer, time, amount, order.
        role: &'static str,
        /// The name that was asked for, if one was.
        wanted: Option<String>,
        /// The columns of the file, nearest names first.
        columns: Vec<String>,
    },
    /// Several columns could play a role.
    #[error("{}: several columns could be the {role}: {}", path.display(), candidates.join(", "))]
    ColumnAmbiguous {
        /// The file.
        path: PathBuf,
        /// What the column is for.
        role: &'static str,
        /// The candidates.
        candidates: Vec<String>,
    },
    /// A column whose type cannot play its role.
    #[error("{}: column \"{column}\" has type {found}, which cannot be the {role}", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// What the column is for.
        role: &'static str,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The types that can.
        expected: &'static str,
    },
    /// Two files that cannot be read as one history.
    #[error("the {role} column is {left} in {} but {right} in {}", left_path.display(), right_path.display())]
    Incompatible {
        /// What the column is for.
        role: &'static str,
        /// First file.
        left_path: PathBuf,
        /// Its type.
        left: String,
        /// Second file.
        right_path: PathBuf,
        /// Its type.
        right: String,
        /// What the user may do.
        remedy: String,
    },
    /// The as-of date (or the end of calibration) precedes the whole history.
    #[error("{name} {day} is before the first order of the history, {first}")]
    BeforeHistory {
        /// The option: `--as-of` or `--calibration-end`.
        name: &'static str,
        /// Its value.
        day: Day,
        /// First day of the history.
        first: Day,
    },
    /// A value given by the user that cannot be what it should be.
    #[error("{what} cannot be \"{value}\": {problem}")]
    Value {
        /// The option or key.
        what: String,
        /// The value given.
        value: String,
        /// Why it cannot be.
        problem: String,
        /// What would be allowed.
        remedy: String,
    },
    /// A configuration or strategy file that cannot be read as one.
    #[error("{file}: {problem}")]
    Document {
        /// The file, or the name of the bundled document.
        file: String,
        /// What is wrong, naming the key and the value.
        problem: String,
        /// What the user may do.
        remedy: String,
    },
    /// A CSV file that cannot be read as one table.
    #[error("{}{}{}: {problem}", path.display(), match line {
        Some(line) => format!(", line {line}"),
        None => String::new(),
    }, match column {
        Some(column) => format!(", column \"{column}\""),
        None => String::new(),
    })]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line, from 1, if it is about one.
        line: Option<u64>,
        /// The column, if it is about one.
        column: Option<String>,
        /// What is wrong, with the value.
        problem: String,
        /// What the user may do.
        remedy: String,
    },
    /// An output folder or file whose place is taken by something that it does not replace.
    #[error("{} exists and {what}", path.display())]
    OutputExists {
        /// The folder or file.
        path: PathBuf,
        /// What it is, as the rest of the sentence.
        what: String,
        /// Whether it is replaced when that is forced.
        replaceable: bool,
    },
    /// An output whose place is that of an input, or holds it.
    #[error("{} cannot be replaced: it is or holds the history or the working folder", path.display())]
    OutputHoldsInput {
        /// The folder or file.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// read, write, create, …
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A library below failed in a way that is not the input's fault.
    #[error("{doing} failed: {source}")]
    Internal {
        /// What was being done.
        doing: String,
        /// The cause.
        source: Cause,
    },
    /// The user interrupted the run.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// An [`Error::Io`] in one call: `.map_err(|e| Error::io("read", path, e))`.
    pub fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Error::Io { doing, path: path.to_path_buf(), source }
    }

    /// An [`Error::Internal`] in one call.
    pub fn internal(doing: impl Into<String>, source: impl Into<Cause>) -> Self {
        Error::Internal { doing: doing.into(), source: source.into() }
    }

    /// An [`Error::Value`] in one call.
    pub fn value(
        what: impl Into<String>,
        value: impl ToString,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Error::Value {
            what: what.into(),
            value: value.to_string(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// An [`Error::Csv`] about a whole file, in one call.
    pub fn csv(path: &Path, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Error::Csv {
            path: path.to_path_buf(),
            line: None,
            column: None,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// What the user may do about it; empty when the message already says everything.
    pub fn hint(&self) -> Option<String> {
        let list = |columns: &[String]| columns.join(", ");
        Some(match self {
            Error::NoSuchFile { .. } => "check the path; folders and several files may be given".into(),
            Error::NotParquet { .. } => {
                "give Parquet files; a file that was cut short has to be copied or written again. --skip-bad-files reads the others and lists it".into()
            }
            Error::FileChanged { .. } => {
                "run again when nothing writes to it any more, or on a copy of the files".into()
            }
            Error::TimeUnclear { .. } => {
                "Spark writes UTC: name the zone whose days count, as in --zone Europe/Paris or --zone UTC; Impala and Hive write local times: --zone local takes them as they stand".into()
            }
            Error::NoParquetInFolder { .. } => "Parquet files are found by the endings .parquet and .pq".into(),
            Error::NoRows { .. } => "give files with at least one row".into(),
            Error::NoUsableRow { .. } => {
                "look at the columns that were chosen with `tiercast inspect`, and name others with --customer, --time, --amount".into()
            }
            Error::ColumnNotFound { role, wanted, columns, .. } => match wanted {
                Some(_) => format!("did you mean \"{}\"? The columns are: {}", columns.first()?, list(columns)),
                None => format!("name it with --{role}; the columns are: {}", list(columns)),
            },
            Error::ColumnAmbiguous { role, candidates, .. } => {
                format!("choose one, as in --{role} {}", quoted(candidates.first()?))
            }
            Error::ColumnType { role, expected, .. } => format!("the {role} column may be {expected}"),
            Error::Incompatible { remedy, .. }
            | Error::Value { remedy, .. }
            | Error::Document { remedy, .. }
            | Error::Csv { remedy, .. } => remedy.clone(),
            Error::BeforeHistory { name, first, .. } => format!("give {name} a date from {first} on"),
            Error::OutputExists { replaceable: true, .. } => {
                "choose another place with -o, or replace this one with --force".into()
            }
            Error::OutputExists { .. } => "choose another place with -o".into(),
            Error::OutputHoldsInput { .. } => "choose another place for the result".into(),
            Error::Io { source, .. } => io_hint(source.kind()).into(),
            Error::Internal { .. } => "this looks like a defect of tiercast: please report it with the command".into(),
            Error::Interrupted => return None,
        })
    }

    /// Whether the input is at fault (exit code 1), as against the program or its use (2).
    pub fn is_input_fault(&self) -> bool {
        !matches!(self, Error::Internal { .. } | Error::Interrupted)
    }
}

/// What helps where reading or writing failed.
fn io_hint(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match kind {
        StorageFull | QuotaExceeded => {
            "the disk is full: free space there, or choose another place for the result with -o; verbs that read a history take --spill-folder for what does not fit in memory"
        }
        FileTooLarge => {
            "files may not grow so large there: raise the limit (ulimit -f), or choose another place for the result with -o; verbs that read a history take --spill-folder for what does not fit in memory"
        }
        ReadOnlyFilesystem => "nothing can be written there: choose another place",
        _ => "check that the path exists and may be read or written",
    }
}

/// A name as a shell takes it.
pub(crate) fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if plain { name.to_string() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

/// The candidate nearest to `wanted` first, the others after it in their own order.
///
/// Distance is the edit distance, case ignored, so that a typing error is answered with the name meant.
pub fn nearest_first(wanted: &str, candidates: &[String]) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut out = candidates.to_vec();
    let best = (0..out.len()).min_by_key(|&i| edit_distance(&wanted, &out[i].to_lowercase()));
    if let Some(best) = best {
        out[..=best].rotate_right(1);
    }
    out
}

/// The candidate that `wanted` is a slip for, if it is near one: fewer than half of its letters may be others.
pub(crate) fn slip_of(wanted: &str, candidates: &[String]) -> Option<String> {
    let nearest = nearest_first(wanted, candidates).into_iter().next()?;
    let distance = edit_distance(&wanted.to_lowercase(), &nearest.to_lowercase());
    (2 * distance < wanted.chars().count()).then_some(nearest)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_a_hint_of_its_own() {
        let hint = |kind: std::io::ErrorKind| Error::io("write", Path::new("x"), kind.into()).hint().unwrap();
        assert!(hint(std::io::ErrorKind::StorageFull).contains("the disk is full"));
        assert!(hint(std::io::ErrorKind::FileTooLarge).contains("ulimit -f"));
        assert!(hint(std::io::ErrorKind::PermissionDenied).contains("may be read or written"));
    }

    #[test]
    fn the_nearest_name_comes_first() {
        let columns: Vec<String> = ["date", "customer_id", "amount"].map(String::from).to_vec();
        assert_eq!(nearest_first("custmer", &columns), ["customer_id", "date", "amount"]);
        assert_eq!(nearest_first("Amount", &columns)[0], "amount");
        assert_eq!(slip_of("amuont", &columns).as_deref(), Some("amount"));
        assert_eq!(slip_of("description", &columns), None);
    }
}
