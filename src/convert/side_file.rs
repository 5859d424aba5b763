//! The records that could not be converted, each with its place, the reason and what it says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::convert::records::Misfit;
use crate::error::{Error, Result};

/// The columns of the side file. A file that begins with them is one of tiercast's.
pub const SIDE_HEADING: [&str; 6] = ["file", "line", "reason", "column", "value", "record"];

/// A record set aside.
pub(crate) struct Aside {
    pub(crate) line: u64,
    pub(crate) reason: Misfit,
    pub(crate) column: Option<usize>,
    pub(crate) value: String,
    pub(crate) record: String,
}

/// Records set aside for one reason in one column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SetAside {
    /// Why.
    pub reason: Misfit,
    /// Where, if it is one column's value.
    pub column: Option<String>,
    /// How many.
    pub count: u64,
    /// File, line and value of the first.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// Its value.
    pub value: String,
}

/// The side file in the making, and what it holds in counts.
pub(crate) struct SideFile<'a> {
    path: &'a Path,
    names: &'a [String],
    writer: csv::Writer<BufWriter<File>>,
    counts: BTreeMap<(Misfit, Option<usize>), SetAside>,
}

impl<'a> SideFile<'a> {
    pub(crate) fn create(path: &'a Path, names: &'a [String]) -> Result<SideFile<'a>> {
        let file = File::create(path).map_err(|e| Error::io("create", path, e))?;
        let writer = csv::Writer::from_writer(BufWriter::new(file));
        let mut side = SideFile { path, names, writer, counts: BTreeMap::new() };
        side.write(&SIDE_HEADING)?;
        Ok(side)
    }

    fn write(&mut self, cells: &[&str]) -> Result<()> {
        self.writer.write_record(cells).map_err(|e| Error::io("write", self.path, std::io::Error::other(e)))
    }

    pub(crate) fn add(&mut self, file: &Path, aside: &Aside) -> Result<()> {
        let file = file.display().to_string();
        let column = aside.column.map(|i| self.names[i].clone());
        let Aside { line, reason, value, record, .. } = aside;
        let cells =
            [&file, &line.to_string(), reason.key(), column.as_deref().unwrap_or_default(), value, record];
        self.write(&cells)?;
        let first =
            || SetAside { reason: *reason, column, count: 0, file, line: *line, value: value.clone() };
        self.counts.entry((*reason, aside.column)).or_insert_with(first).count += 1;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Vec<SetAside>> {
        self.writer.flush().map_err(|e| Error::io("write", self.path, e))?;
        Ok(self.counts.into_values().collect())
    }
}
