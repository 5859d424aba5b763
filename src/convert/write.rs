//! The second pass: every record read as decided, written or set aside.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::convert::columns::Columns;
use crate::convert::decide::Reading;
use crate::convert::input::Input;
use crate::convert::profile::Lens;
use crate::convert::records::{Row, for_each};
use crate::convert::side_file::{Aside, SetAside, SideFile};
use crate::convert::{Seen, each_batch};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Rows and bytes of a row group, whichever is reached first: they bound the memory.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 64 << 20;

/// What was decided.
pub(crate) struct Plan<'a> {
    pub(crate) seen: &'a [Seen],
    pub(crate) readings: &'a [Reading],
    pub(crate) lens: &'a Lens,
}

impl Plan<'_> {
    fn schema(&self) -> SchemaRef {
        let names = &self.seen[0].layout.names;
        let fields = names.iter().zip(self.readings).map(|(n, r)| Field::new(n, r.data_type(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Writes both files; gives the number of rows written and what was set aside.
    pub(crate) fn write(
        &self,
        output: &Path,
        side: &Path,
        progress: &dyn Progress,
    ) -> Result<(u64, Vec<SetAside>)> {
        let schema = self.schema();
        let mut side = SideFile::create(side, &self.seen[0].layout.names)?;
        let file = File::create(output).map_err(|e| Error::io("create", output, e))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(concat!("tiercast ", env!("CARGO_PKG_VERSION")).to_string())
            .build();
        let fail = |e: ParquetError| Error::io("write", output, std::io::Error::other(e));
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(fail)?;
        let mut written = 0;
        for seen in self.seen {
            let input = Input::open(&seen.path, Some(seen.wrapping.encoding))?;
            let shape = seen.shape();
            let tally = each_batch(
                input,
                seen,
                progress,
                |block, skip| {
                    let mut columns = Columns::new(self.readings, self.lens);
                    let mut aside = Vec::new();
                    let tally = for_each(block, shape, skip, |row| {
                        let problem = match row.problem {
                            Some(misfit) => Err((None, misfit)),
                            None => columns.add(row.fields).map_err(|(i, misfit)| (Some(i), misfit)),
                        };
                        if let Err((column, reason)) = problem {
                            aside.push(self.set_aside(&row, column, reason));
                        }
                    });
                    Ok((tally, (columns.finish(&schema)?, aside)))
                },
                |(batch, aside)| {
                    written += batch.num_rows() as u64;
                    writer.write(&batch).map_err(fail)?;
                    if writer.in_progress_size() > GROUP_BYTES {
                        writer.flush().map_err(fail)?;
                    }
                    aside.iter().try_for_each(|aside| side.add(&seen.path, aside))
                },
            )?;
            if tally.records != seen.tally.records {
                return Err(Error::csv(
                    &seen.path,
                    "it changed while it was read",
                    "convert it again when nobody writes to it",
                ));
            }
        }
        writer.close().map_err(fail)?;
        Ok((written, side.finish()?))
    }

    fn set_aside(&self, row: &Row, column: Option<usize>, reason: crate::convert::Misfit) -> Aside {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let value = match (column, reason) {
            (Some(i), _) => text(&row.fields[i]),
            (None, crate::convert::Misfit::FieldCount) => {
                let wanted = self.seen[0].layout.names.len();
                format!("{} instead of {wanted}", row.fields.len())
            }
            (None, _) => String::new(),
        };
        Aside { line: row.line, reason, column, value, record: text(row.raw) }
    }
}
