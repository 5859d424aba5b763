//! The verb `convert`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tiercast::convert::Kind;

#[derive(Debug, Clone, Args)]
pub struct ConvertArgs {
    /// CSV files of one kind, also compressed with gzip
    #[arg(value_name = "CSV", required = true)]
    pub files: Vec<PathBuf>,
    /// Parquet file to write; an earlier conversion is replaced
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the files even if they are something else
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub csv: CsvArgs,
}

/// How CSV files are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "CSV (found in the files where not given)")]
pub struct CsvArgs {
    /// Sign between fields: one character, or \t for a tab
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// The first line is a heading
    #[arg(long, conflicts_with = "no_header")]
    pub header: bool,
    /// The first line is no heading; columns are called column_1, column_2, … unless --names is given
    #[arg(long)]
    pub no_header: bool,
    /// Names of all columns, instead of the heading's
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub names: Option<Vec<String>>,
    /// Quotes are ordinary characters
    #[arg(long)]
    pub no_quotes: bool,
    /// Coding of characters [default: by the byte order mark, or utf-8]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<EncodingArg>,
    /// Form of dates, as '%d/%m/%Y'; a time of day may follow the common ones
    #[arg(long, value_name = "FORMAT")]
    pub date_format: Option<String>,
    /// Decimals are written 1,5
    #[arg(long, conflicts_with = "decimal_point")]
    pub decimal_comma: bool,
    /// Decimals are written 1.5
    #[arg(long)]
    pub decimal_point: bool,
    /// The only separator of thousands [default: the other decimal mark, spaces and apostrophes]
    #[arg(long, value_name = "CHAR")]
    pub thousands: Option<char>,
    /// A text that stands for no value, may be repeated [default: NA, N/A, #N/A, NULL, null, NaN, nan, \N]
    #[arg(long = "null", value_name = "TEXT")]
    pub nulls: Option<Vec<String>>,
    /// What a column holds: text, integer, number or date; may be repeated
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = typed_column)]
    pub types: Vec<(String, Kind)>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum EncodingArg {
    #[value(name = "utf-8", alias = "utf8")]
    Utf8,
    /// Western Windows, and Latin-1
    #[value(name = "windows-1252", aliases = ["latin1", "latin-1", "iso-8859-1", "cp1252"])]
    Windows1252,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
}

/// One ASCII sign, or `\t`.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [sign] if sign.is_ascii() && !sign.is_ascii_alphanumeric() && !b"\"\r\n.-".contains(sign) => {
            Ok(*sign)
        }
        _ => Err("a delimiter is one sign, such as , ; | or \\t for a tab".to_string()),
    }
}

/// `COLUMN=TYPE`; the name may hold an equals sign.
fn typed_column(text: &str) -> Result<(String, Kind), String> {
    let (column, kind) = text.rsplit_once('=').ok_or("write it as COLUMN=TYPE, as in price=number")?;
    let kind = match kind {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "date" => Kind::Date,
        _ => return Err(format!("\"{kind}\" is no type: text, integer, number or date")),
    };
    Ok((column.to_string(), kind))
}
