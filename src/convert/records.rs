//! The records of a block: what is on which line, and whether a record is one of the table at all.

use csv::ByteRecord;

use crate::convert::input::{Block, Dialect, newlines};

/// What is wrong with a record as a whole or with one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfit {
    /// It has more or fewer fields than the heading.
    FieldCount,
    /// It holds bytes that are no characters in the file's encoding.
    InvalidText,
    /// A value that is no whole number.
    NotInteger,
    /// A value that is no number.
    NotNumber,
    /// A value that is no date in the column's format.
    NotDate,
    /// A time without its distance from UTC in a column that has them.
    NoOffset,
}

impl Misfit {
    /// The name in the side file.
    pub fn key(self) -> &'static str {
        match self {
            Misfit::FieldCount => "field_count",
            Misfit::InvalidText => "invalid_text",
            Misfit::NotInteger => "not_an_integer",
            Misfit::NotNumber => "not_a_number",
            Misfit::NotDate => "not_a_date",
            Misfit::NoOffset => "no_offset",
        }
    }

    /// In words, for the ledger.
    pub fn words(self) -> &'static str {
        match self {
            Misfit::FieldCount => "wrong number of fields",
            Misfit::InvalidText => "invalid characters",
            Misfit::NotInteger => "not a whole number",
            Misfit::NotNumber => "not a number",
            Misfit::NotDate => "not a date",
            Misfit::NoOffset => "no distance from UTC",
        }
    }
}

/// What the records of a file have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) dialect: Dialect,
    /// Fields of a record.
    pub(crate) width: usize,
    /// Whether the text was decoded, which puts U+FFFD where it could not be.
    pub(crate) decoded: bool,
}

/// Counts of what is no record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) blank_lines: u64,
    pub(crate) trailing_delimiters: u64,
}

/// A record with its place.
pub(crate) struct Row<'a> {
    pub(crate) fields: &'a ByteRecord,
    /// As it stands in the file, without the line break at its end.
    pub(crate) raw: &'a [u8],
    pub(crate) line: u64,
    /// Whether it is a record of the table.
    pub(crate) problem: Option<Misfit>,
}

/// Calls `each` with the records of a block, without the first `skip`.
pub(crate) fn for_each(block: &Block, shape: Shape, skip: u64, mut each: impl FnMut(Row)) -> Tally {
    let mut reader = shape.dialect.reader(&block.text);
    let mut record = ByteRecord::new();
    let mut tally = Tally::default();
    let (mut line, mut counted, mut left) = (block.first_line, 0usize, skip);
    loop {
        // The reader skips blank lines before a record; where it stands is before them.
        let before = reader.position().byte() as usize;
        let more = reader.read_byte_record(&mut record).expect("reading from memory does not fail");
        let after = reader.position().byte() as usize;
        let blank = block.text[before..after].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        // The second half of a CRLF belongs to the record before.
        let own = usize::from(before > 0 && block.text[..before].ends_with(b"\r") && blank > 0);
        tally.blank_lines += newlines(&block.text[before + own..before + blank]);
        if !more {
            return tally;
        }
        let start = before + blank;
        line += newlines(&block.text[counted..start]);
        counted = start;
        if left > 0 {
            left -= 1;
            continue;
        }
        tally.records += 1;
        let mut raw = &block.text[start..after];
        while let [rest @ .., b'\n' | b'\r'] = raw {
            raw = rest;
        }
        let fields = record.len();
        let trailing = fields == shape.width + 1 && record[shape.width].is_empty();
        let problem = if raw.contains(&0) || !is_text(raw, shape.decoded) {
            Some(Misfit::InvalidText)
        } else if fields == shape.width || trailing {
            None
        } else {
            Some(Misfit::FieldCount)
        };
        tally.trailing_delimiters += u64::from(trailing && problem.is_none());
        each(Row { fields: &record, raw, line, problem });
    }
}

fn is_text(raw: &[u8], decoded: bool) -> bool {
    std::str::from_utf8(raw).is_ok_and(|text| !decoded || !text.contains('\u{fffd}'))
}
