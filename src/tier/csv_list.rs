//! Lists that people keep by hand: a CSV with a heading whose columns are known.

use std::path::Path;

use crate::error::{Error, Result, nearest_first};

/// A column of a list: its name, and what else it may be called. The name is among them.
pub(super) type Known = (&'static str, &'static [&'static str]);

/// One line: its number in the file, from 1, and its fields in the order of the columns; empty where a column is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListLine {
    pub(super) line: u64,
    pub(super) fields: Vec<String>,
}

/// Reads a list: UTF-8, comma-separated, with a heading. The first `needed` of the columns must be there, in any order;
/// `wanted` says in words which heading to give.
///
/// # Errors
/// [`Error::Io`], and [`Error::Csv`] for a file without the columns that must be there, with other columns, or with lines
/// of unequal length.
pub(super) fn read(path: &Path, columns: &[Known], needed: usize, wanted: &str) -> Result<Vec<ListLine>> {
    let fail = |line: Option<u64>, column: Option<String>, problem: String, remedy: &str| Error::Csv {
        path: path.to_path_buf(),
        line,
        column,
        problem,
        remedy: remedy.to_string(),
    };
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let broken = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        let remedy = "write UTF-8 text with commas between fields, as many in every line as in the heading";
        fail(line, None, format!("it is not such a table: {error}"), remedy)
    };
    let heading = reader.headers().map_err(broken)?.clone();
    let mut places = vec![None; columns.len()];
    for (at, name) in heading.iter().enumerate() {
        let known =
            columns.iter().position(|(_, names)| names.iter().any(|own| own.eq_ignore_ascii_case(name)));
        let Some(column) = known else {
            let own: Vec<String> = columns.iter().map(|(name, _)| (*name).to_string()).collect();
            let nearest = nearest_first(name, &own).into_iter().next().unwrap_or_default();
            let remedy = format!("did you mean \"{nearest}\"? Otherwise leave the column out");
            return Err(fail(Some(1), Some(name.to_string()), "there is no such column".into(), &remedy));
        };
        if places[column].replace(at).is_some() {
            let problem = format!("it is the {} a second time", columns[column].0);
            return Err(fail(Some(1), Some(name.to_string()), problem, "keep one of the two"));
        }
    }
    if let Some(missing) = (0..needed).find(|&column| places[column].is_none()) {
        let problem = format!("the column \"{}\" is missing", columns[missing].0);
        return Err(fail(Some(1), None, problem, wanted));
    }
    let mut out = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let field = |place: &Option<usize>| place.and_then(|at| record.get(at)).unwrap_or("").to_string();
        out.push(ListLine {
            line: record.position().map_or(0, csv::Position::line),
            fields: places.iter().map(field).collect(),
        });
    }
    Ok(out)
}
