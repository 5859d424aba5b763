//! An Excel workbook: a sheet that sums up, then the rows, on as many sheets as they need.
//!
//! Ids are text, so that leading zeros and long numbers stay; counts and amounts are numbers, dates are text in the form
//! 2024-06-30. Nothing of the time or the machine of writing is in the file: the same table gives the same bytes.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as Style, Workbook, Worksheet, XlsxError};

use super::{Book, Cell, Sheet};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// UTF-16 units that a cell holds.
const MOST_UNITS: usize = 32_767;

/// Whole numbers from here on, and decimals of more digits, lose some in a sheet, and are written as texts.
const LARGEST: f64 = 1e15;

/// Rows of a sheet, its heading not among them.
const MOST_ROWS: u32 = 1_048_575;

/// Widths of columns, in digits: no narrower and no wider than these.
const WIDTHS: [f64; 2] = [8.0, 60.0];

/// Rows by whose texts a column's width is chosen, beside its heading.
const LOOKED_AT: usize = 100;

pub(super) fn write(
    book: &Book<'_>,
    stretches: usize,
    batch: impl Fn(usize) -> Result<RecordBatch>,
    path: &Path,
    progress: &dyn Progress,
) -> Result<usize> {
    let fail = |e: XlsxError| Error::io("write", path, std::io::Error::other(e));
    let mut workbook = Workbook::new();
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1).map_err(fail)?;
    workbook.set_properties(&DocProperties::new().set_author("tiercast").set_creation_datetime(&epoch));
    let bold = Style::new().set_bold();
    for sheet in &book.summary {
        summary(workbook.add_worksheet(), sheet, &bold).map_err(fail)?;
    }
    let (mut sheets, mut row) = (1, 1);
    let mut widths = Vec::new();
    let mut current = begun(&mut workbook, book, sheets, &bold).map_err(fail)?;
    for i in 0..stretches {
        progress.check()?;
        let batch = batch(i)?;
        let columns: Vec<Column> = batch
            .columns()
            .iter()
            .enumerate()
            .map(|(k, array)| Column::new(array, k == 0))
            .collect::<Result<_>>()?;
        if i == 0 {
            widths = columns.iter().zip(&book.columns).map(|(column, own)| column.width(&own.name)).collect();
            widen(&mut current, &widths).map_err(fail)?;
        }
        for at in 0..batch.num_rows() {
            if row > MOST_ROWS {
                workbook.push_worksheet(current);
                sheets += 1;
                current = begun(&mut workbook, book, sheets, &bold).map_err(fail)?;
                widen(&mut current, &widths).map_err(fail)?;
                row = 1;
            }
            for (k, column) in columns.iter().enumerate() {
                column.write(&mut current, row, k as u16, at).map_err(fail)?;
            }
            row += 1;
        }
        progress.advance(1);
    }
    workbook.push_worksheet(current);
    workbook.save(path).map_err(fail)?;
    Ok(sheets)
}

/// A sheet for rows, with its heading; rows go to disk as they come.
fn begun(
    workbook: &mut Workbook,
    book: &Book<'_>,
    number: usize,
    bold: &Style,
) -> Result<Worksheet, XlsxError> {
    let mut sheet = workbook.new_worksheet_with_constant_memory()?;
    sheet.set_name(if number == 1 { book.sheet.clone() } else { format!("{} {number}", book.sheet) })?;
    sheet.set_freeze_panes(1, 0)?;
    for (k, column) in book.columns.iter().enumerate() {
        sheet.write_string_with_format(0, k as u16, fitting(&column.name), bold)?;
    }
    Ok(sheet)
}

fn widen(sheet: &mut Worksheet, widths: &[f64]) -> Result<(), XlsxError> {
    for (k, &width) in widths.iter().enumerate() {
        sheet.set_column_width(k as u16, width)?;
    }
    Ok(())
}

/// How wide a text is, in digits: a Chinese character is as wide as two.
fn width_of(text: &str) -> f64 {
    let line = |line: &str| line.chars().map(|c| if c >= '\u{1100}' { 2.0 } else { 1.0 }).sum::<f64>();
    text.lines().map(line).fold(0.0, f64::max)
}

/// As much of a text as a cell holds.
fn fitting(text: &str) -> String {
    if text.encode_utf16().count() <= MOST_UNITS {
        return text.to_string();
    }
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units < MOST_UNITS
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

fn summary(sheet: &mut Worksheet, of: &Sheet, bold: &Style) -> Result<(), XlsxError> {
    sheet.set_name(&of.name)?;
    for (k, name) in of.heading.iter().enumerate() {
        sheet.write_string_with_format(0, k as u16, name, bold)?;
    }
    for (row, cells) in of.rows.iter().enumerate() {
        for (k, cell) in cells.iter().enumerate() {
            let (row, k) = (row as u32 + 1, k as u16);
            match cell {
                Cell::Text(text) => sheet.write_string(row, k, fitting(text))?,
                Cell::Number(value) => sheet.write_number(row, k, *value)?,
            };
        }
    }
    for (k, name) in of.heading.iter().enumerate() {
        let texts = of.rows.iter().map(|cells| match cells.get(k) {
            Some(Cell::Text(text)) => width_of(text),
            _ => 0.0,
        });
        let width = texts.fold(width_of(name), f64::max);
        sheet.set_column_width(k as u16, (width + 2.0).clamp(WIDTHS[0], WIDTHS[1]))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// Whether all values are numbers of a sheet to the last digit: it has 15 of them.
fn is_exact(array: &ArrayRef) -> bool {
    if let DataType::Decimal128(..) = array.data_type() {
        let values = array.as_primitive::<Decimal128Type>();
        return values.iter().flatten().all(|units| units.unsigned_abs() < LARGEST as u128);
    }
    if !array.data_type().is_integer() {
        return true;
    }
    let values = cast(array, &DataType::Float64).ok();
    values.is_some_and(|values| {
        values.as_primitive::<Float64Type>().iter().flatten().all(|v| v.abs() < LARGEST)
    })
}

/// A column of one batch, as a sheet takes it.
enum Column<'a> {
    Numbers(ArrayRef),
    Texts(&'a ArrayRef, ArrayFormatter<'a>),
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef, is_id: bool) -> Result<Column<'a>> {
        let fail = |e: &dyn std::fmt::Display| Error::internal("writing a workbook", e.to_string());
        if array.data_type().is_numeric() && !is_id && is_exact(array) {
            return Ok(Column::Numbers(cast(array, &DataType::Float64).map_err(|e| fail(&e))?));
        }
        // The options have the life of the program: a formatter borrows them.
        static OPTIONS: FormatOptions<'static> = FormatOptions::new();
        ArrayFormatter::try_new(array.as_ref(), &OPTIONS)
            .map(|text| Column::Texts(array, text))
            .map_err(|e| fail(&e))
    }

    /// How wide its column is, by its heading and its first texts.
    fn width(&self, heading: &str) -> f64 {
        let mut width = width_of(heading);
        if let Column::Texts(array, text) = self {
            for at in (0..array.len().min(LOOKED_AT)).filter(|&at| array.is_valid(at)) {
                width = width.max(width_of(&text.value(at).to_string()));
            }
        }
        (width + 2.0).clamp(WIDTHS[0], WIDTHS[1])
    }

    fn write(&self, sheet: &mut Worksheet, row: u32, column: u16, at: usize) -> Result<(), XlsxError> {
        match self {
            Column::Numbers(values) if values.is_valid(at) => {
                let value = values.as_primitive::<Float64Type>().value(at);
                // A sheet has no infinity.
                match value.is_finite() {
                    true => sheet.write_number(row, column, value)?,
                    false => sheet.write_string(row, column, value.to_string())?,
                };
            }
            Column::Texts(array, text) if array.is_valid(at) => {
                sheet.write_string(row, column, fitting(&text.value(at).to_string()))?;
            }
            _ => {}
        }
        Ok(())
    }
}
