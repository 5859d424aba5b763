//! What a file's first records say about how it is written: delimiter, heading, names.

use std::path::Path;

use csv::ByteRecord;

use crate::convert::CsvOptions;
use crate::convert::date::Parts;
use crate::convert::input::Dialect;
use crate::convert::number::{Mark, Style, parse};
use crate::error::{Error, Result};

/// Signs that are tried as delimiters.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records looked at.
const RECORDS: usize = 1_000;

/// What a file's beginning says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) dialect: Dialect,
    pub(crate) header: bool,
    /// Names of the columns, without a last one that is only a trailing delimiter.
    pub(crate) names: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// Detects what the options leave open.
///
/// Errors: [`Error::Csv`] when it is no text, or when delimiter, heading or names are not clear.
pub(crate) fn detect(path: &Path, sample: &[u8], options: &CsvOptions) -> Result<Layout> {
    let nul = sample.iter().take(8192).filter(|&&b| b == 0).count();
    if nul > 0 {
        return Err(Error::csv(
            path,
            "it is binary, not text: it holds zero bytes",
            "give a CSV file; text in UTF-16 without a byte order mark is read with --encoding utf-16le",
        ));
    }
    if sample.contains(&b'\r') && !sample.contains(&b'\n') {
        return Err(Error::csv(
            path,
            "its lines end in carriage returns alone",
            "write it again with line feeds, as by `tr '\\r' '\\n'`",
        ));
    }
    let delimiter = match options.delimiter {
        Some(delimiter) => delimiter,
        None => detect_delimiter(path, sample, options.quoting)?,
    };
    let dialect = Dialect { delimiter, quoting: options.quoting };
    let records = first_records(sample, dialect);
    let Some((first, body)) = records.split_first() else {
        return Err(Error::csv(path, "it holds blank lines only", "give a file with a heading and rows"));
    };
    let header = match options.header {
        Some(header) => header,
        None => detect_header(path, first, body)?,
    };
    let mut notes = Vec::new();
    let names = names(path, first, header, options, &mut notes)?;
    Ok(Layout { dialect, header, names, notes })
}

/// The first records, without the last one if the sample may cut it.
fn first_records(sample: &[u8], dialect: Dialect) -> Vec<ByteRecord> {
    let mut records: Vec<ByteRecord> =
        dialect.reader(sample).into_byte_records().take(RECORDS + 1).filter_map(|r| r.ok()).collect();
    if records.len() > RECORDS || sample.len() >= crate::convert::input::BLOCK && records.len() > 1 {
        records.pop();
    }
    records
}

fn detect_delimiter(path: &Path, sample: &[u8], quoting: bool) -> Result<u8> {
    let fits = |&delimiter: &u8| {
        let records = first_records(sample, Dialect { delimiter, quoting });
        let Some(first) = records.first().filter(|first| first.len() > 1) else { return false };
        let alike = |record: &&ByteRecord| {
            record.len() == first.len()
                || record.len() == first.len() + 1 && record[record.len() - 1].is_empty()
        };
        let others = records.len() - records.iter().filter(alike).count();
        // One slip is no other delimiter in a short file either.
        10 * others <= records.len() || others == 1 && records.len() >= 4
    };
    let found: Vec<u8> = DELIMITERS.into_iter().filter(fits).collect();
    match found[..] {
        [one] => Ok(one),
        [] => Err(Error::csv(
            path,
            "no delimiter divides its lines into equally many fields: not comma, semicolon, tab or |",
            "name it with --delimiter; if the heading is not the first line, remove what stands above it",
        )),
        _ => {
            let names: Vec<&str> = found.iter().map(|&d| delimiter_word(d)).collect();
            Err(Error::csv(
                path,
                format!("several signs could be the delimiter: {}", names.join(", ")),
                format!("name it, as in --delimiter '{}'", delimiter_text(found[0])),
            ))
        }
    }
}

/// "comma", "tab", …
pub(crate) fn delimiter_word(delimiter: u8) -> &'static str {
    match delimiter {
        b',' => "comma",
        b';' => "semicolon",
        b'\t' => "tab",
        b'|' => "|",
        _ => "given",
    }
}

fn delimiter_text(delimiter: u8) -> String {
    if delimiter == b'\t' { "\\t".to_string() } else { (delimiter as char).to_string() }
}

/// Whether a value is a number or a date, of whichever style.
fn is_typed(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    Parts::read(field).is_some_and(|parts| parts.forms().next().is_some())
        || Mark::BOTH.iter().any(|&mark| parse(field, Style { mark, thousands: None }).is_some())
}

/// A heading has words where the rows have numbers and dates.
fn detect_header(path: &Path, first: &ByteRecord, body: &[ByteRecord]) -> Result<bool> {
    let open = |problem: &str| Error::csv(path, problem, "say it with --header or --no-header");
    let filled = |field: &[u8]| !field.trim_ascii().is_empty();
    if body.is_empty() {
        return Ok(!first.iter().any(is_typed));
    }
    let (mut word, mut value) = (0, 0);
    for (i, field) in first.iter().enumerate() {
        let column = || body.iter().filter_map(|r| r.get(i)).filter(|f| filled(f));
        let (all, typed) = (column().count(), column().filter(|f| is_typed(f)).count());
        if filled(field) && all > 0 && 10 * typed >= 9 * all {
            if is_typed(field) { value += 1 } else { word += 1 }
        }
    }
    match (word, value) {
        (1.., 0) => Ok(true),
        (0, 1..) => Ok(false),
        (0, 0) => {
            Err(open("whether its first line is a heading is not clear: no column holds numbers or dates"))
        }
        _ => Err(open(
            "whether its first line is a heading is not clear: it has words and values where the rows have values",
        )),
    }
}

fn names(
    path: &Path,
    first: &ByteRecord,
    header: bool,
    options: &CsvOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let mut names: Vec<String> = match header {
        true => first.iter().map(|f| String::from_utf8_lossy(f).trim().to_string()).collect(),
        false => (1..=first.len()).map(|i| format!("column_{i}")).collect(),
    };
    if header && names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
        notes.push("the heading ends in a delimiter, after which no column is expected".to_string());
    }
    if !header && first.len() > 1 && first[first.len() - 1].is_empty() {
        names.pop();
        notes.push("the first record ends in a delimiter, after which no column is expected".to_string());
    }
    if let Some(given) = &options.names {
        if given.len() != names.len() {
            return Err(Error::csv(
                path,
                format!("it has {} columns, but --names gives {}", names.len(), given.len()),
                "give one name for each column, separated by commas",
            ));
        }
        names = given.clone();
    }
    for i in 0..names.len() {
        if names[i].is_empty() {
            names[i] = format!("column_{}", i + 1);
            notes.push(format!("column {} has no name and is called {}", i + 1, names[i]));
        }
        if names[i].contains('\u{fffd}') {
            return Err(Error::csv(
                path,
                format!("its heading is not valid UTF-8: \"{}\"", names[i]),
                "say how it is written, as in --encoding windows-1252",
            ));
        }
        if let Some(earlier) = names[..i].iter().position(|name| *name == names[i]) {
            return Err(Error::csv(
                path,
                format!("columns {} and {} are both called \"{}\"", earlier + 1, i + 1, names[i]),
                "give all names anew with --names a,b,c",
            ));
        }
    }
    Ok(names)
}
