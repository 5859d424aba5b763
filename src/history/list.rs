//! A list of customers: a table of ids with what is known of each besides orders.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{RecordBatch, UInt64Array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use crate::error::{Error, Result};
use crate::history::files::{ParquetFile, open_all};
use crate::history::footer::damaged;
use crate::history::keys::{IdValues, ids};
use crate::history::names::normalise;
use crate::history::schema::{ColumnRef, How, customer_column};
use crate::history::types::IdKind;
use crate::history::{Inspection, Source};
use crate::parallel;

/// Rows decoded at a time.
const BATCH: usize = 1 << 16;

/// The rows of a list that have an id, in the order of the ids.
#[derive(Debug)]
pub(crate) struct ListTable {
    /// The file or folder as given.
    pub(crate) name: String,
    /// The column of the ids.
    pub(crate) id: ColumnRef,
    /// What the ids are, together with those of the history.
    pub(crate) kind: IdKind,
    pub(crate) ids: ListIds,
    /// All columns but the id.
    pub(crate) attributes: RecordBatch,
    /// Rows of the table.
    pub(crate) rows: u64,
    /// Rows without an id, which are left out.
    pub(crate) null_ids: u64,
}

/// Ids in ascending order, none twice.
#[derive(Debug)]
pub(crate) enum ListIds {
    /// 64 bits each, sign extended.
    Integers(Vec<u64>),
    /// `ends[i]` is where text `i` ends in `bytes`.
    Texts { ends: Vec<usize>, bytes: Vec<u8> },
}

/// Reads a list whose ids are those of `history`.
///
/// The ids are in the column named `id`, else in the one named like the history's, else in one whose name is that of a
/// customer.
///
/// # Errors
/// What can be wrong with a file or a column; [`Error::Incompatible`] for texts against integers; [`Error::Value`] for an
/// id that stands twice or does not fit.
pub(crate) fn read_list(path: &Path, id: Option<&str>, history: &Inspection) -> Result<ListTable> {
    if history.ids == IdKind::Composite {
        return Err(Error::value(
            "--customers-list",
            path.display(),
            "the customers' ids are of several columns, and a list has its ids in one",
            "leave the list out, or write the ids of both as one column",
        ));
    }
    let opened = open_all(&[Source::Path(path.to_path_buf())])?;
    let files: Vec<ParquetFile> =
        opened.into_iter().map(|file| file.map_err(|(_, error)| error)).collect::<Result<_>>()?;
    let first = files.first().ok_or_else(|| Error::NoSuchFile { path: path.to_path_buf() })?;
    let schema = Arc::new(first.schema().clone());
    if let Some(other) = files.iter().find(|file| fields(file.schema()) != fields(&schema)) {
        return Err(Error::value(
            "--customers-list",
            path.display(),
            format!("{} and {} have different columns or types", first.name, other.name),
            "give one table, or a folder of files with the same columns",
        ));
    }
    let column = id_column(first, id, history)?;
    let own = IdKind::of(schema.field(column.index).data_type())
        .ok_or_else(|| Error::internal("finding columns", "a column lost its type"))?;
    let kind = own.join(history.ids).ok_or_else(|| Error::Incompatible {
        role: "customer",
        left_path: history.files.first().map(|file| file.name.clone()).unwrap_or_default().into(),
        left: history.ids.words(),
        right_path: path.to_path_buf(),
        right: own.words(),
        remedy: format!(
            "write \"{}\" with the type of the history's ids, or name another column with --list-id",
            column.name
        ),
    })?;
    let batch = read(&files, &schema, path)?;
    let found = ids(batch.column(column.index), kind).map_err(|_| {
        Error::value(
            "--customers-list",
            path.display(),
            format!("the history's ids are signed, and \"{}\" has one beyond {}", column.name, i64::MAX),
            "write the ids of both with one type",
        )
    })?;
    let rows = batch.num_rows();
    let valid = |row: &usize| {
        found.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)) && found.blank(*row).is_none()
    };
    let mut order: Vec<usize> = (0..rows).filter(valid).collect();
    let null_ids = (rows - order.len()) as u64;
    let list = match &found.values {
        IdValues::Integers(values) => {
            let flip = if matches!(kind, IdKind::Signed { .. }) { 1 << 63 } else { 0 };
            parallel::sort_by_key(&mut order, |&row| (values[row] ^ flip, row));
            refuse_twice(
                &order,
                |a, b| values[a] == values[b],
                |row| match flip {
                    0 => values[row].to_string(),
                    _ => (values[row] as i64).to_string(),
                },
                path,
            )?;
            ListIds::Integers(order.iter().map(|&row| values[row]).collect())
        }
        IdValues::Texts(texts) => {
            let text = |row: usize| texts.get(row).0;
            parallel::sort_by(&mut order, |&a, &b| text(a).cmp(text(b)).then(a.cmp(&b)));
            let name = |row: usize| String::from_utf8_lossy(text(row)).into_owned();
            refuse_twice(&order, |a, b| text(a) == text(b), name, path)?;
            let (mut ends, mut bytes) = (Vec::with_capacity(order.len()), Vec::new());
            for &row in &order {
                bytes.extend_from_slice(text(row));
                ends.push(bytes.len());
            }
            ListIds::Texts { ends, bytes }
        }
        IdValues::Composites(_) => {
            return Err(Error::internal("reading a list", "ids of one column are not composite"));
        }
    };
    let order: UInt64Array = order.into_iter().map(|row| row as u64).collect::<Vec<u64>>().into();
    let mut attributes = take_record_batch(&batch, &order).map_err(|e| too_large(path, e))?;
    attributes.remove_column(column.index);
    Ok(ListTable {
        name: path.display().to_string(),
        id: column,
        kind,
        ids: list,
        attributes,
        rows: rows as u64,
        null_ids,
    })
}

fn fields(schema: &Schema) -> Vec<(&String, &DataType)> {
    schema.fields().iter().map(|field| (field.name(), field.data_type())).collect()
}

/// The column of the ids; errors name the option of the list and not that of the history.
fn id_column(file: &ParquetFile, id: Option<&str>, history: &Inspection) -> Result<ColumnRef> {
    let schema = file.schema();
    // An id map makes other ids of the history's: the list's are like those.
    let wanted = match &history.id_map {
        Some(map) => Some(normalise(&map.columns[2])),
        None => history.columns.customer.first().map(|column| normalise(&column.name)),
    };
    let alike: Vec<&str> = schema
        .fields()
        .iter()
        .filter(|field| Some(normalise(field.name())) == wanted)
        .map(|field| field.name().as_str())
        .collect();
    let found = match (id, &alike[..]) {
        (None, [one]) => {
            customer_column(file.path(), schema, Some(one)).map(|c| ColumnRef { how: How::ByName, ..c })
        }
        _ => customer_column(file.path(), schema, id),
    };
    found.map_err(|error| match error {
        Error::ColumnNotFound { path, wanted, columns, .. } => {
            Error::ColumnNotFound { path, role: "list-id", wanted, columns }
        }
        Error::ColumnAmbiguous { path, candidates, .. } => {
            Error::ColumnAmbiguous { path, role: "list-id", candidates }
        }
        Error::ColumnType { path, column, found, expected, .. } => {
            Error::ColumnType { path, role: "list-id", column, found, expected }
        }
        other => other,
    })
}

fn read(files: &[ParquetFile], schema: &Arc<Schema>, path: &Path) -> Result<RecordBatch> {
    let groups: Vec<(&ParquetFile, usize)> = files
        .iter()
        .flat_map(|file| (0..file.metadata.metadata().num_row_groups()).map(move |group| (file, group)))
        .collect();
    let parts = parallel::try_map(groups.len(), |i| {
        let (file, group) = groups[i];
        file.reader(group, None, None, BATCH)?
            .collect::<Result<Vec<RecordBatch>, ArrowError>>()
            .map_err(|e| damaged(file.path(), &e))
    })?;
    let whole = concat_batches(schema, parts.iter().flatten()).map_err(|e| too_large(path, e))?;
    // Parquet has no dates in milliseconds: they would be written as plain integers.
    let columns = schema.fields().iter().zip(whole.columns()).map(|(field, column)| {
        let column = match field.data_type() {
            DataType::Date64 => cast(column, &DataType::Date32),
            _ => Ok(Arc::clone(column)),
        };
        column.map(|column| (field.name(), column, true))
    });
    let columns = columns.collect::<Result<Vec<_>, _>>();
    columns
        .and_then(RecordBatch::try_from_iter_with_nullable)
        .map_err(|e| Error::internal("reading the customers list", e))
}

/// Texts of more than 2 GiB in one column do not fit in its type when they lie side by side.
fn too_large(path: &Path, error: ArrowError) -> Error {
    Error::value(
        "--customers-list",
        path.display(),
        format!("a column cannot be held whole: {error}"),
        "leave the column out, or write it as large_string",
    )
}

fn refuse_twice(
    order: &[usize],
    same: impl Fn(usize, usize) -> bool,
    name: impl Fn(usize) -> String,
    path: &Path,
) -> Result<()> {
    let mut twice = order.chunk_by(|&a, &b| same(a, b)).filter(|rows| rows.len() > 1);
    let Some(rows) = twice.next() else { return Ok(()) };
    let shown: Vec<String> = rows.iter().take(5).map(usize::to_string).collect();
    let more = if rows.len() > 5 { " and others" } else { "" };
    let others = match twice.count() {
        0 => String::new(),
        n => format!(", and {n} more ids stand more than once"),
    };
    Err(Error::value(
        "--customers-list",
        path.display(),
        format!(
            "customer {} stands in rows {}{more} (counted from 0){others}",
            name(rows[0]),
            shown.join(", ")
        ),
        "keep one row for each customer",
    ))
}
