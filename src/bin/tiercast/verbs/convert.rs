//! `tiercast convert`: CSV files → one Parquet file, and beside it what did not fit.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::json;
use tiercast::Result;
use tiercast::convert::{Conversion, CsvOptions, Encoding, FileReport, Mark, convert};
use tiercast::report::format::{count, percent, plural};
use tiercast::report::{FileKind, OutputFile};

use crate::args::{ConvertArgs, CsvArgs, EncodingArg, Global};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: ConvertArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings = settings::resolve(global, Typed { matches, ..Typed::default() })?;
    let options = options(args.csv);
    let side_path = side_path(&args.output);
    let mut inputs = args.files.clone();
    inputs.extend(settings.file.clone());
    let bars = Bars::new(global)?;
    let out = OutputFile::begin(FileKind::History, &args.output, args.force, &inputs)?;
    let side = OutputFile::begin(FileKind::SetAside, &side_path, args.force, &inputs)?;
    let (conversion, out, side) = super::with_threads(settings.threads, || {
        let conversion = convert(&args.files, &options, out.path(), side.path(), &bars)?;
        Ok((conversion, out, side))
    })?;
    // An earlier side file must not be taken for this conversion's.
    if conversion.set_aside > 0 || side_path.exists() {
        side.finish()?;
    }
    let path = out.finish()?;
    bars.finish();
    if !global.quiet {
        notes(&conversion).iter().for_each(|note| terminal::note(&terminal::harmless(note)));
        terminal::note(&format!("{} in {}", plural(conversion.written, "row", "rows"), path.display()));
    }
    let side_path = Some(side_path).filter(|_| conversion.set_aside > 0);
    if global.json {
        return terminal::print_json(&json!({
            "schema": 1,
            "output": args.output,
            "set_aside_output": side_path,
            "conversion": conversion,
        }));
    }
    let mut text = files(&conversion) + &columns(&conversion) + &ledger(&conversion);
    if let Some(side_path) = side_path {
        let records = plural(conversion.set_aside, "record", "records");
        text.push_str(&format!("{records} set aside with line and reason in {}\n", side_path.display()));
    }
    terminal::print(&text)
}

/// `orders.parquet` → `orders.set_aside.csv`: no Parquet, so that a folder read as a history does not count it.
fn side_path(output: &Path) -> PathBuf {
    output.with_extension("set_aside.csv")
}

fn options(args: CsvArgs) -> CsvOptions {
    CsvOptions {
        delimiter: args.delimiter,
        header: args.header.then_some(true).or(args.no_header.then_some(false)),
        names: args.names.map(|names| names.iter().map(|name| name.trim().to_string()).collect()),
        quoting: !args.no_quotes,
        encoding: args.encoding.map(|encoding| match encoding {
            EncodingArg::Utf8 => Encoding::Utf8,
            EncodingArg::Windows1252 => Encoding::Windows1252,
            EncodingArg::Utf16Le => Encoding::Utf16Le,
            EncodingArg::Utf16Be => Encoding::Utf16Be,
        }),
        date_format: args.date_format,
        decimal: args.decimal_comma.then_some(Mark::Comma).or(args.decimal_point.then_some(Mark::Point)),
        thousands: args.thousands,
        nulls: args.nulls,
        types: args.types,
    }
}

fn files(conversion: &Conversion) -> String {
    let mut grid = Grid::new("Files", &["file", ">records", ">bytes", "encoding", "delimiter", "heading"]);
    for file in &conversion.files {
        grid.row(vec![
            file.name.clone(),
            count(file.records),
            count(file.bytes),
            encoding(file),
            delimiter(file.delimiter),
            if file.header { "first line" } else { "none" }.into(),
        ]);
    }
    grid.text()
}

fn encoding(file: &FileReport) -> String {
    let mut text = file.wrapping.encoding.name().to_string();
    if file.wrapping.byte_order_mark {
        text.push_str(" with mark");
    }
    if file.wrapping.gzip {
        text.push_str(", gzip");
    }
    text
}

fn delimiter(sign: char) -> String {
    match sign {
        ',' => "comma".into(),
        ';' => "semicolon".into(),
        '\t' => "tab".into(),
        other => other.to_string(),
    }
}

fn columns(conversion: &Conversion) -> String {
    let mut grid = Grid::new("Columns", &["column", "type", "read as", "no value"]);
    for column in &conversion.columns {
        let format = column.date_format.clone();
        let mark = column.decimal_mark.map(|mark| format!("decimal {}", mark.word()));
        let nulls: Vec<String> =
            column.nulls.iter().map(|(text, n)| format!("{} {text}", count(*n))).collect();
        grid.row(vec![
            column.name.clone(),
            column.type_text.clone(),
            format.or(mark).unwrap_or_default(),
            nulls.join(", "),
        ]);
    }
    grid.text()
}

fn ledger(conversion: &Conversion) -> String {
    let mut grid = Grid::new("Ledger", &["records", ">count", ">share", "first"]);
    let mut line = |what: String, n: u64, first: String| {
        grid.row(vec![what, count(n), percent(n as f64 / conversion.read as f64), first]);
    };
    line("read".into(), conversion.read, String::new());
    line("written".into(), conversion.written, String::new());
    line("set aside".into(), conversion.set_aside, String::new());
    for reason in &conversion.reasons {
        let place = reason.column.as_ref().map_or(String::new(), |column| format!(" in {column}"));
        let value = if reason.value.is_empty() { String::new() } else { format!(": {}", reason.value) };
        line(
            format!("  {}{place}", reason.reason.words()),
            reason.count,
            format!("{}, line {}{value}", reason.file, reason.line),
        );
    }
    grid.text()
}

/// What the tables do not say.
fn notes(conversion: &Conversion) -> Vec<String> {
    let mut notes = Vec::new();
    for file in &conversion.files {
        notes.extend(file.notes.iter().map(|note| format!("{}: {note}", file.name)));
        for (n, one, many) in [
            (file.blank_lines, "blank line, which is no record", "blank lines, which are no records"),
            (file.trailing_delimiters, "record ends in a delimiter", "records end in a delimiter"),
        ] {
            if n > 0 {
                notes.push(format!("{}: {}", file.name, plural(n, one, many)));
            }
        }
    }
    let of = |c: &tiercast::convert::ColumnReport| c.note.as_ref().map(|n| format!("column {}: {n}", c.name));
    notes.extend(conversion.columns.iter().filter_map(of));
    if conversion.reasons.iter().any(|r| r.reason == tiercast::convert::Misfit::InvalidText) {
        notes.push("characters that are not UTF-8 are often --encoding windows-1252".to_string());
    }
    notes
}
