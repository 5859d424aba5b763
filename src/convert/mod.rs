//! CSV in: one or several CSV files of one kind become one Parquet file.
//!
//! Each file is read twice in blocks of whole records: the first time to see what every column holds, the second time
//! to read it so. A type thus rests on all values and never on a sample, and what does not fit is set aside with line
//! and reason. What could be meant in two ways (day or month first, decimal comma or thousands) is refused.

mod columns;
mod date;
mod decide;
mod dialect;
mod input;
mod number;
mod profile;
mod records;
mod side_file;
mod write;

#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use crate::convert::decide::Kind;
pub use crate::convert::input::Wrapping;
pub use crate::convert::number::Mark;
pub use crate::convert::profile::NULLS;
pub use crate::convert::records::Misfit;
pub use crate::convert::side_file::{SIDE_HEADING, SetAside};

use crate::convert::input::{Block, Input};
use crate::convert::profile::{Lens, Profile};
use crate::convert::records::{Shape, Tally, for_each};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;

/// How the characters of a file are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, the default.
    Utf8,
    /// What Windows programs of western Europe and America write; includes Latin-1.
    Windows1252,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Encoding {
    /// The usual name.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Windows1252 => "Windows-1252",
            Encoding::Utf16Le => "UTF-16LE",
            Encoding::Utf16Be => "UTF-16BE",
        }
    }

    /// What decodes it; UTF-8 is read as it is.
    fn decoder(self) -> Option<&'static encoding_rs::Encoding> {
        match self {
            Encoding::Utf8 => None,
            Encoding::Windows1252 => Some(encoding_rs::WINDOWS_1252),
            Encoding::Utf16Le => Some(encoding_rs::UTF_16LE),
            Encoding::Utf16Be => Some(encoding_rs::UTF_16BE),
        }
    }
}

/// What the user says about the files; `None` is left to what they show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// Sign between fields.
    pub delimiter: Option<u8>,
    /// Whether the first record is a heading.
    pub header: Option<bool>,
    /// Names of all columns, instead of the heading's.
    pub names: Option<Vec<String>>,
    /// Whether double quotes hold fields together.
    pub quoting: bool,
    /// Coding of characters.
    pub encoding: Option<Encoding>,
    /// Form of dates, as for `strptime`.
    pub date_format: Option<String>,
    /// Decimal mark.
    pub decimal: Option<Mark>,
    /// The only separator of thousands.
    pub thousands: Option<char>,
    /// Texts that stand for no value, instead of [`NULLS`].
    pub nulls: Option<Vec<String>>,
    /// Columns whose type is said.
    pub types: Vec<(String, Kind)>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions {
            delimiter: None,
            header: None,
            names: None,
            quoting: true,
            encoding: None,
            date_format: None,
            decimal: None,
            thousands: None,
            nulls: None,
            types: Vec::new(),
        }
    }
}

/// One file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Its path.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Encoding and compression.
    #[serde(flatten)]
    pub wrapping: Wrapping,
    /// Sign between fields.
    pub delimiter: char,
    /// Whether its first record is a heading.
    pub header: bool,
    /// Records, without the heading.
    pub records: u64,
    /// Blank lines, which are no records.
    pub blank_lines: u64,
    /// Records that end in a delimiter too many.
    pub trailing_delimiters: u64,
    /// What else should be said.
    pub notes: Vec<String>,
}

/// One column as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// Its Arrow type as text.
    #[serde(rename = "type")]
    pub type_text: String,
    /// Form of its dates.
    pub date_format: Option<String>,
    /// Its decimal mark, if one occurs.
    pub decimal_mark: Option<Mark>,
    /// Fields that hold no value, by what stands in them.
    pub nulls: Vec<(String, u64)>,
    /// Why it is what it is, where that may surprise.
    pub note: Option<String>,
}

/// What became of the files. `read` = `written` + `set_aside`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conversion {
    /// The files.
    pub files: Vec<FileReport>,
    /// The columns.
    pub columns: Vec<ColumnReport>,
    /// Records read, without headings.
    pub read: u64,
    /// Rows written.
    pub written: u64,
    /// Records set aside.
    pub set_aside: u64,
    /// Those by reason and column.
    pub reasons: Vec<SetAside>,
}

/// Blocks in memory at once: a number that does not depend on threads.
const BATCH: usize = 16;

/// A file after the first pass.
struct Seen {
    path: PathBuf,
    wrapping: Wrapping,
    bytes: u64,
    layout: dialect::Layout,
    tally: Tally,
}

impl Seen {
    fn shape(&self) -> Shape {
        Shape {
            dialect: self.layout.dialect,
            width: self.layout.names.len(),
            decoded: self.wrapping.encoding != Encoding::Utf8,
        }
    }
}

/// Reads `inputs` and writes them as one Parquet file to `output`, and the records that do not fit as CSV to `side`.
///
/// Deterministic: the same files give the same bytes at any number of threads. Memory is bounded by blocks and one row
/// group, whatever the files' size.
///
/// Errors: [`Error::NoSuchFile`], [`Error::Io`]; [`Error::Csv`] for a file that is no CSV or is unclear, for
/// files that differ, and when no record can be written; [`Error::Value`] for an option; [`Error::Interrupted`].
pub fn convert(
    inputs: &[PathBuf],
    options: &CsvOptions,
    output: &Path,
    side: &Path,
    progress: &dyn Progress,
) -> Result<Conversion> {
    check(inputs, options)?;
    let lens = Lens::new(options)?;
    let bytes = inputs.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|m| m.len()).sum();
    progress.phase("looking", bytes);
    let (mut seen, mut profiles) = (Vec::new(), Vec::new());
    for path in inputs {
        look(path, options, &lens, &mut seen, &mut profiles, progress)?;
    }
    let names = &seen[0].layout.names;
    let read: u64 = seen.iter().map(|file| file.tally.records).sum();
    if read == 0 {
        return Err(Error::csv(
            &inputs[0],
            "it has a heading and no rows",
            "give a file with at least one row",
        ));
    }
    let decided = decide::decide(names, &profiles, inputs, &lens, options)?;
    let readings: Vec<decide::Reading> = decided.iter().map(|(reading, _)| reading.clone()).collect();
    let plan = write::Plan { seen: &seen, readings: &readings, lens: &lens };
    progress.phase("converting", bytes);
    let (written, reasons) = plan.write(output, side, progress)?;
    let set_aside = reasons.iter().map(|r| r.count).sum();
    if written == 0 {
        let words: Vec<String> =
            reasons.iter().map(|r| format!("{}: {}", r.reason.words(), r.count)).collect();
        return Err(Error::Csv {
            path: PathBuf::from(&reasons[0].file),
            line: Some(reasons[0].line),
            column: reasons[0].column.clone(),
            problem: format!("none of the {read} records can be written: {}", words.join(", ")),
            remedy: "check --delimiter, --encoding, --date-format and --type against the file".to_string(),
        });
    }
    let columns = (names.iter().zip(&profiles).zip(decided))
        .map(|((name, profile), (reading, note))| column_report(name, profile, &reading, note, &lens))
        .collect();
    let files = seen.into_iter().map(file_report).collect();
    Ok(Conversion { files, columns, read, written, set_aside, reasons })
}

fn check(inputs: &[PathBuf], options: &CsvOptions) -> Result<()> {
    let mut known = Vec::new();
    for path in inputs {
        if let Ok(whole) = path.canonicalize() {
            if known.contains(&whole) {
                return Err(Error::csv(
                    path,
                    "it is given twice, and its rows would count twice",
                    "give it once",
                ));
            }
            known.push(whole);
        }
    }
    if inputs.is_empty() {
        return Err(Error::value("the input", "", "no file is named", "name at least one CSV file"));
    }
    let mark = options.decimal.map(|m| m.byte() as char);
    if let Some(thousands) = options.thousands
        && (mark == Some(thousands) || thousands.is_ascii_alphanumeric() || "+-\"".contains(thousands))
    {
        return Err(Error::value(
            "--thousands",
            thousands,
            "it cannot separate thousands",
            "give a comma, a point, a space or an apostrophe, other than the decimal mark",
        ));
    }
    Ok(())
}

/// The first pass over one file.
fn look(
    path: &Path,
    options: &CsvOptions,
    lens: &Lens,
    seen: &mut Vec<Seen>,
    profiles: &mut Vec<Profile>,
    progress: &dyn Progress,
) -> Result<()> {
    let mut input = Input::open(path, options.encoding)?;
    let (wrapping, bytes) = (input.wrapping(), input.bytes);
    let layout = dialect::detect(path, &input.sample()?, options)?;
    if let Some(first) = seen.first()
        && first.layout.names != layout.names
    {
        return Err(Error::csv(
            path,
            format!(
                "its columns are {}, but those of {} are {}",
                layout.names.join(", "),
                first.path.display(),
                first.layout.names.join(", ")
            ),
            "convert files of different kinds one by one",
        ));
    }
    profiles.resize_with(layout.names.len(), || Profile::new(lens));
    let file = seen.len();
    let this = Seen { path: path.to_path_buf(), wrapping, bytes, layout, tally: Tally::default() };
    let shape = this.shape();
    let tally = each_batch(
        input,
        &this,
        progress,
        |block, skip| {
            let mut found: Vec<Profile> = (0..shape.width).map(|_| Profile::new(lens)).collect();
            let tally = for_each(block, shape, skip, |row| {
                if row.problem.is_none() {
                    for (profile, field) in found.iter_mut().zip(row.fields) {
                        profile.add(field, row.line, lens);
                    }
                }
            });
            Ok((tally, found))
        },
        |found| {
            for (profile, more) in profiles.iter_mut().zip(found) {
                profile.absorb(more, file);
            }
            Ok(())
        },
    )?;
    seen.push(Seen { tally, ..this });
    Ok(())
}

/// Reads a file in batches of blocks: `work` on each block in parallel, `take` of what it gave in order.
fn each_batch<R: Send>(
    input: Input,
    file: &Seen,
    progress: &dyn Progress,
    work: impl Fn(&Block, u64) -> Result<(Tally, R)> + Sync + Send,
    mut take: impl FnMut(R) -> Result<()>,
) -> Result<Tally> {
    let mut blocks = input.blocks(file.layout.dialect);
    let mut tally = Tally::default();
    // The heading is in the first block.
    let mut skip = u64::from(file.layout.header);
    loop {
        progress.check()?;
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH
            && let Some(block) = blocks.next()?
        {
            batch.push((block, std::mem::take(&mut skip)));
        }
        if batch.is_empty() {
            return Ok(tally);
        }
        let size: usize = batch.iter().map(|(block, _)| block.text.len()).sum();
        for done in parallel::map_items(batch, |(block, skip)| work(&block, skip)) {
            let (counts, result) = done?;
            tally.records += counts.records;
            tally.blank_lines += counts.blank_lines;
            tally.trailing_delimiters += counts.trailing_delimiters;
            take(result)?;
        }
        progress.advance(size as u64);
    }
}

fn column_report(
    name: &str,
    profile: &Profile,
    reading: &decide::Reading,
    note: Option<String>,
    lens: &Lens,
) -> ColumnReport {
    use decide::Reading::{Day, Decimal, Float, Integer, Moment, Text};
    let (date_format, decimal_mark) = match reading {
        Text => (None, None),
        Integer(style) => (None, (profile.ambiguous > 0).then_some(style.mark)),
        Decimal(style, _) | Float(style) => (None, Some(style.mark)),
        Day(reader) | Moment(reader, _) => (Some(reader.text()), None),
    };
    let word = |i: usize| match i {
        0 => "empty".to_string(),
        _ => String::from_utf8_lossy(&lens.nulls[i - 1]).into_owned(),
    };
    let nulls =
        profile.nulls.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, &n)| (word(i), n)).collect();
    ColumnReport {
        name: name.to_string(),
        type_text: reading.data_type().to_string(),
        date_format,
        decimal_mark,
        nulls,
        note,
    }
}

fn file_report(file: Seen) -> FileReport {
    FileReport {
        name: file.path.display().to_string(),
        bytes: file.bytes,
        wrapping: file.wrapping,
        delimiter: file.layout.dialect.delimiter as char,
        header: file.layout.header,
        records: file.tally.records,
        blank_lines: file.tally.blank_lines,
        trailing_delimiters: file.tally.trailing_delimiters,
        notes: file.layout.notes,
    }
}
