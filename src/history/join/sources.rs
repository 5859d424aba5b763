//! Where the source of a row is said, and what a message says of one that the map does not have.

use arrow_schema::DataType;

use crate::error::{Error, Result, nearest_first};
use crate::history::files::ParquetFile;
use crate::history::id_map::IdMap;
use crate::history::types::IdKind;

/// Sources that a message lists.
const SHOWN: usize = 10;

/// Where the source of a file's rows is said.
#[derive(Debug, Clone)]
pub(super) enum SourceOf {
    /// One source for the whole file.
    Path(String),
    /// A column of the file.
    Column(usize),
}

/// The column of sources of a file.
pub(super) fn source_column(file: &ParquetFile, name: &str) -> Result<usize> {
    let fields = file.schema().fields();
    let Some((index, field)) = fields.iter().enumerate().find(|(_, field)| field.name() == name) else {
        let columns: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        return Err(Error::ColumnNotFound {
            path: file.path().to_path_buf(),
            role: "source",
            wanted: Some(name.to_string()),
            columns: nearest_first(name, &columns),
        });
    };
    if IdKind::of(field.data_type()).is_none() {
        return Err(Error::ColumnType {
            path: file.path().to_path_buf(),
            role: "source",
            column: name.to_string(),
            found: match field.data_type() {
                DataType::Null => "null: no folder of the file names it".to_string(),
                other => other.to_string(),
            },
            expected: "an integer of any width, or text (also as a dictionary)",
        });
    }
    Ok(index)
}

pub(super) fn unknown_path(file: &ParquetFile, map: &IdMap) -> Error {
    Error::value(
        format!("the source of {}", file.path().display()),
        &file.given,
        format!("{} has no such source", map.info().file),
        format!(
            "{}. The source is the name of the file or folder as given, or what a column says: --source COLUMN",
            remedy(&file.given, map)
        ),
    )
}

pub(super) fn remedy(name: &str, map: &IdMap) -> String {
    let nearest = nearest_first(name, &map.info().sources);
    format!(
        "did you mean \"{}\"? The map's sources are: {}",
        nearest.first().map_or("", String::as_str),
        list(nearest.iter().cloned())
    )
}

/// The first of a list, and how many more there are.
pub(super) fn list(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = names.take(SHOWN).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}
