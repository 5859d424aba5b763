//! Values into Arrow columns, record by record: all of a record or nothing.

use std::sync::Arc;

use arrow_array::builder::{
    Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use csv::ByteRecord;

use crate::convert::decide::{DIGITS, Reading};
use crate::convert::number::{float, parse};
use crate::convert::profile::Lens;
use crate::convert::records::Misfit;
use crate::error::{Error, Result};

/// A value read and not yet in its column.
enum Cell {
    Null,
    Whole(i64),
    Real(f64),
    Day(i32),
    Text,
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
    Float(Float64Builder),
    Day(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
}

/// The columns of one block under construction.
pub(crate) struct Columns<'a> {
    readings: &'a [Reading],
    lens: &'a Lens,
    builders: Vec<Builder>,
    cells: Vec<Cell>,
    rows: usize,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(readings: &'a [Reading], lens: &'a Lens) -> Columns<'a> {
        let builder = |reading: &Reading| match (reading, reading.data_type()) {
            (Reading::Text, _) => Builder::Text(StringBuilder::new()),
            (Reading::Integer(_), _) => Builder::Integer(Int64Builder::new()),
            (Reading::Decimal(..), kind) => Builder::Decimal(Decimal128Builder::new().with_data_type(kind)),
            (Reading::Float(_), _) => Builder::Float(Float64Builder::new()),
            (Reading::Day(_), _) => Builder::Day(Date32Builder::new()),
            (Reading::Moment(..), kind) => {
                let DataType::Timestamp(_, zone) = kind else { unreachable!("moments are timestamps") };
                Builder::Moment(TimestampMicrosecondBuilder::new().with_timezone_opt(zone))
            }
        };
        let builders = readings.iter().map(builder).collect();
        Columns { readings, lens, builders, cells: Vec::new(), rows: 0 }
    }

    /// Adds a record whose fields are valid UTF-8, or says which column it does not fit and why.
    pub(crate) fn add(&mut self, record: &ByteRecord) -> Result<(), (usize, Misfit)> {
        self.cells.clear();
        for (i, reading) in self.readings.iter().enumerate() {
            let cell = read(&record[i], reading, self.lens).map_err(|misfit| (i, misfit))?;
            self.cells.push(cell);
        }
        for (i, (cell, builder)) in self.cells.iter().zip(&mut self.builders).enumerate() {
            match (builder, cell) {
                (Builder::Text(b), Cell::Text) => {
                    b.append_value(std::str::from_utf8(&record[i]).expect("the record was checked"));
                }
                (Builder::Text(b), _) => b.append_null(),
                (Builder::Integer(b), Cell::Whole(value)) => b.append_value(*value),
                (Builder::Integer(b), _) => b.append_null(),
                (Builder::Decimal(b), Cell::Whole(value)) => b.append_value(i128::from(*value)),
                (Builder::Decimal(b), _) => b.append_null(),
                (Builder::Float(b), Cell::Real(value)) => b.append_value(*value),
                (Builder::Float(b), _) => b.append_null(),
                (Builder::Day(b), Cell::Day(value)) => b.append_value(*value),
                (Builder::Day(b), _) => b.append_null(),
                (Builder::Moment(b), Cell::Whole(value)) => b.append_value(*value),
                (Builder::Moment(b), _) => b.append_null(),
            }
        }
        self.rows += 1;
        Ok(())
    }

    pub(crate) fn finish(self, schema: &SchemaRef) -> Result<RecordBatch> {
        let arrays = self.builders.into_iter().map(|builder| -> ArrayRef {
            match builder {
                Builder::Text(mut b) => Arc::new(b.finish()),
                Builder::Integer(mut b) => Arc::new(b.finish()),
                Builder::Decimal(mut b) => Arc::new(b.finish()),
                Builder::Float(mut b) => Arc::new(b.finish()),
                Builder::Day(mut b) => Arc::new(b.finish()),
                Builder::Moment(mut b) => Arc::new(b.finish()),
            }
        });
        RecordBatch::try_new(Arc::clone(schema), arrays.collect())
            .map_err(|e| Error::internal("building a table from CSV", e))
    }
}

fn read(field: &[u8], reading: &Reading, lens: &Lens) -> Result<Cell, Misfit> {
    let trimmed = field.trim_ascii();
    if lens.null(trimmed).is_some() {
        return Ok(Cell::Null);
    }
    let scaled = |style, scale| parse(trimmed, style).and_then(|number| number.scaled(scale));
    match reading {
        Reading::Text => Ok(Cell::Text),
        Reading::Integer(style) => scaled(*style, 0).map(Cell::Whole).ok_or(Misfit::NotInteger),
        Reading::Decimal(style, scale) => {
            debug_assert!(*scale < DIGITS);
            scaled(*style, *scale).map(Cell::Whole).ok_or(Misfit::NotNumber)
        }
        Reading::Float(style) => {
            let number = parse(trimmed, *style).and_then(|_| float(trimmed, *style));
            number.map(Cell::Real).ok_or(Misfit::NotNumber)
        }
        Reading::Day(reader) => match reader.read(trimmed) {
            Some(moment) => Ok(Cell::Day(moment.day)),
            None => Err(Misfit::NotDate),
        },
        Reading::Moment(reader, utc) => match reader.read(trimmed) {
            Some(moment) if *utc && moment.offset.is_none() => Err(Misfit::NoOffset),
            Some(moment) => Ok(Cell::Whole(moment.micros())),
            None => Err(Misfit::NotDate),
        },
    }
}
