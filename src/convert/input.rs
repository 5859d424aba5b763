//! From a path to blocks of whole records: gzip and encodings undone, cut where records end.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::convert::Encoding;
use crate::error::{Error, Result};

/// Bytes of a block. Blocks depend on the data alone, so that nothing depends on threads.
pub(crate) const BLOCK: usize = 1 << 20;

/// A record longer than this is a quote that was never closed.
const LONGEST_RECORD: usize = 16 << 20;

/// How one file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quoting: bool,
}

impl Dialect {
    /// A reader of the records in `text`.
    pub(crate) fn reader<'a>(&self, text: &'a [u8]) -> csv::Reader<&'a [u8]> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .quoting(self.quoting)
            .from_reader(text)
    }
}

/// A file opened, decompressed and decoded.
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) encoding: Encoding,
    pub(crate) byte_order_mark: bool,
    pub(crate) gzip: bool,
    text: Box<dyn Read>,
}

/// What was found at the beginning of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrapping {
    /// How its characters are coded.
    pub encoding: Encoding,
    /// Whether it begins with a byte order mark.
    pub byte_order_mark: bool,
    /// Whether it is compressed with gzip.
    pub gzip: bool,
}

impl Input {
    pub(crate) fn wrapping(&self) -> Wrapping {
        Wrapping { encoding: self.encoding, byte_order_mark: self.byte_order_mark, gzip: self.gzip }
    }

    /// Opens a file and looks at its first bytes.
    ///
    /// Errors: [`Error::NoSuchFile`], [`Error::Io`]; [`Error::Csv`] for a folder, an empty file and what is no text.
    pub(crate) fn open(path: &Path, encoding: Option<Encoding>) -> Result<Input> {
        let meta = fs::metadata(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
            _ => Error::io("read", path, e),
        })?;
        let csv = |problem: &str, remedy: &str| Error::csv(path, problem, remedy);
        if meta.is_dir() {
            return Err(csv("it is a folder", "name the CSV files themselves, as in folder/*.csv"));
        }
        if !meta.is_file() {
            let problem = "it is not a regular file, and a CSV file is read twice";
            return Err(csv(problem, "save it to a file first"));
        }
        let io = |e| Error::io("read", path, e);
        let mut raw: Box<dyn Read> = Box::new(File::open(path).map_err(io)?);
        let mut start = beginning(&mut raw).map_err(io)?;
        let gzip = start.starts_with(&[0x1f, 0x8b]);
        if gzip {
            raw = Box::new(flate2::read::MultiGzDecoder::new(Cursor::new(start).chain(raw)));
            start = beginning(&mut raw).map_err(io)?;
        }
        if start.is_empty() {
            return Err(csv("it is empty", "give a file with a heading and rows"));
        }
        if start.starts_with(b"PAR1") {
            return Err(csv(
                "it is Parquet already, not CSV",
                "it needs no conversion: look at it with `tiercast inspect`",
            ));
        }
        if start.starts_with(b"PK\x03\x04") {
            return Err(csv(
                "it is a ZIP archive or a spreadsheet, not CSV",
                "unpack it, or save the sheet as CSV in the spreadsheet program",
            ));
        }
        let marks: [(&[u8], Encoding); 3] = [
            (&[0xef, 0xbb, 0xbf], Encoding::Utf8),
            (&[0xff, 0xfe], Encoding::Utf16Le),
            (&[0xfe, 0xff], Encoding::Utf16Be),
        ];
        let mark = marks.iter().find(|(mark, _)| start.starts_with(mark));
        if let (Some((_, found)), Some(given)) = (mark, encoding)
            && *found != given
        {
            return Err(Error::csv(
                path,
                format!("its byte order mark says {}, not {}", found.name(), given.name()),
                "leave --encoding out",
            ));
        }
        let found = encoding.or(mark.map(|(_, e)| *e)).unwrap_or(Encoding::Utf8);
        let start = start.split_off(mark.map_or(0, |(mark, _)| mark.len()));
        let rest = Cursor::new(start).chain(raw);
        let text: Box<dyn Read> = match found.decoder() {
            None => Box::new(rest),
            Some(decoder) => Box::new(
                encoding_rs_io::DecodeReaderBytesBuilder::new()
                    .encoding(Some(decoder))
                    .bom_sniffing(false)
                    .build(rest),
            ),
        };
        Ok(Input {
            path: path.to_path_buf(),
            bytes: meta.len(),
            encoding: found,
            byte_order_mark: mark.is_some(),
            gzip,
            text,
        })
    }

    /// The first bytes of the text, for detection; they are read again as blocks afterwards.
    pub(crate) fn sample(&mut self) -> Result<Vec<u8>> {
        let sample = read_up_to(&mut self.text, BLOCK).map_err(|e| self.broken(e))?;
        let rest = std::mem::replace(&mut self.text, Box::new(std::io::empty()));
        self.text = Box::new(Cursor::new(sample.clone()).chain(rest));
        Ok(sample)
    }

    fn broken(&self, error: std::io::Error) -> Error {
        if self.gzip {
            let problem = format!("its gzip stream is damaged or cut short: {error}");
            return Error::csv(&self.path, problem, "copy or compress the file again");
        }
        Error::io("read", &self.path, error)
    }

    /// The text in blocks.
    pub(crate) fn blocks(self, dialect: Dialect) -> Blocks {
        Blocks { input: self, dialect, carry: Vec::new(), line: 1, ended: false }
    }
}

fn beginning(input: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    read_up_to(input, 8)
}

fn read_up_to(input: &mut dyn Read, most: usize) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(most);
    input.take(most as u64).read_to_end(&mut out)?;
    Ok(out)
}

/// Whole records.
pub(crate) struct Block {
    pub(crate) text: Vec<u8>,
    /// Line of the file, from 1, on which the block begins.
    pub(crate) first_line: u64,
}

/// A file as blocks of whole records.
pub(crate) struct Blocks {
    input: Input,
    dialect: Dialect,
    carry: Vec<u8>,
    line: u64,
    ended: bool,
}

impl Blocks {
    /// The next block, or `None` at the end.
    ///
    /// Errors: [`Error::Io`]; [`Error::Csv`] for a quote that is never closed and for damaged gzip.
    pub(crate) fn next(&mut self) -> Result<Option<Block>> {
        let mut text = std::mem::take(&mut self.carry);
        let end = loop {
            if !self.ended {
                let wanted = BLOCK.max(text.len());
                let read = self.input.text.by_ref().take(wanted as u64).read_to_end(&mut text);
                self.ended = read.map_err(|e| self.input.broken(e))? < wanted;
            }
            let (end, open) = self.last_record_end(&text);
            match open {
                Some(at) if self.ended || text.len() - at > LONGEST_RECORD => {
                    let line = self.line + newlines(&text[..at]);
                    let remedy = "close it, or read quotes as ordinary characters with --no-quotes";
                    return Err(self.endless(line, "a quote is opened here and never closed", remedy));
                }
                None if self.ended => break text.len(),
                _ if end > 0 => break end,
                _ if text.len() > LONGEST_RECORD => {
                    let remedy = "give a text file whose lines end in line breaks";
                    return Err(self.endless(self.line, "a record of more than 16 MiB begins here", remedy));
                }
                _ => {}
            }
        };
        self.carry = text.split_off(end);
        if text.is_empty() {
            return Ok(None);
        }
        let first_line = self.line;
        self.line += newlines(&text);
        Ok(Some(Block { text, first_line }))
    }

    fn endless(&self, line: u64, problem: &str, remedy: &str) -> Error {
        Error::Csv {
            path: self.input.path.clone(),
            line: Some(line),
            column: None,
            problem: problem.to_string(),
            remedy: remedy.to_string(),
        }
    }

    /// The end of the last whole record (0 without one), and where a quote that is still open was opened.
    fn last_record_end(&self, text: &[u8]) -> (usize, Option<usize>) {
        if !self.dialect.quoting || !text.contains(&b'"') {
            return (text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1), None);
        }
        scan(text, self.dialect.delimiter)
    }
}

/// Walks through quotes as the parser does: a quote opens only at the beginning of a field.
fn scan(text: &[u8], delimiter: u8) -> (usize, Option<usize>) {
    let (mut end, mut at, mut fresh) = (0, 0, true);
    while at < text.len() {
        let byte = text[at];
        if fresh && byte == b'"' {
            let opened = at;
            at += 1;
            loop {
                match text[at..].iter().position(|&b| b == b'"') {
                    None => return (end, Some(opened)),
                    Some(n) if text.get(at + n + 1) == Some(&b'"') => at += n + 2,
                    Some(n) => {
                        at += n + 1;
                        break;
                    }
                }
            }
            fresh = false;
            continue;
        }
        fresh = byte == delimiter || byte == b'\n' || byte == b'\r';
        at += 1;
        if byte == b'\n' {
            end = at;
        }
    }
    (end, None)
}

/// Line breaks in a text.
pub(crate) fn newlines(text: &[u8]) -> u64 {
    text.iter().filter(|&&b| b == b'\n').count() as u64
}
