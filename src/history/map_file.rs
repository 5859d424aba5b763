//! Reads an id map: finds its three columns and decodes its lines.

use std::path::Path;

use arrow_schema::DataType;

use crate::error::{Error, Result};
use crate::history::Source;
use crate::history::files::{ParquetFile, open_all};
use crate::history::footer::damaged;
use crate::history::hive::add_columns;
use crate::history::id_map::{CustomerTexts, Customers, IdMap, Part, Texts};
use crate::history::keys::{IdBatch, IdValues, Unrepresentable, ids};
use crate::history::names::normalise;
use crate::history::source_keys::{Labels, own_ids};
use crate::history::types::IdKind;
use crate::parallel;

/// Lines decoded at a time.
const BATCH: usize = 1 << 16;

/// Names of the three columns, best first.
const SOURCE: &[&[&str]] =
    &[&["source", "sourcename", "sourcesystem"], &["system", "systemname", "origin", "src"]];
const SOURCE_ID: &[&[&str]] = &[
    &["sourceid", "sourcecustomerid"],
    &["systemid", "sourcekey", "localid", "localcustomerid", "externalid", "srcid"],
    &["id"],
];
const CUSTOMER_ID: &[&[&str]] = &[
    &["customerid"],
    &["customer", "masterid", "mastercustomerid", "goldenid", "globalid", "unifiedid", "personid", "custid"],
];

impl IdMap {
    /// Reads a map: a Parquet file, or a folder of them, with the columns `source`, `source_id` and `customer_id` (or
    /// names that say the same). Source ids may be integers or texts, where 17 and "17" are one id. Lines without one of
    /// the three are counted and left out; a line may stand more than once.
    ///
    /// # Errors
    /// What can be wrong with a file or a column; [`Error::Incompatible`] for customers that are texts in one file and
    /// integers in another; [`Error::Value`] for a map without a line.
    pub fn read(path: &Path) -> Result<IdMap> {
        let opened = open_all(&[Source::Path(path.to_path_buf())])?;
        let mut files: Vec<ParquetFile> =
            opened.into_iter().map(|file| file.map_err(|(_, error)| error)).collect::<Result<_>>()?;
        files.retain(|file| file.rows() > 0);
        add_columns(&mut files);
        let columns = files.iter().map(MapColumns::of).collect::<Result<Vec<_>>>()?;
        let (Some(first), Some(names)) = (files.first(), columns.first()) else {
            return Err(empty(path, "it has no line"));
        };
        let names = names.at.map(|index| first.schema().field(index).name().clone());
        let kind = customers_kind(&files, &columns)?;
        let groups: Vec<(usize, usize)> = (0..files.len())
            .flat_map(|file| (0..files[file].groups()).map(move |group| (file, group)))
            .collect();
        let parts = parallel::try_map(groups.len(), |i| {
            let (file, group) = groups[i];
            read_group(&files[file], &columns[file], group, kind)
        })?;
        let lines = files.iter().map(ParquetFile::rows).sum();
        let map = IdMap::of(parts, kind, path, names, lines)?;
        if map.len() == 0 {
            return Err(empty(path, "no line has a source, a source id and a customer id"));
        }
        Ok(map)
    }
}

fn empty(path: &Path, problem: &str) -> Error {
    let remedy = "give a table with the columns source, source_id and customer_id";
    Error::value("--id-map", path.display(), problem, remedy)
}

/// Where the three columns of a file are.
struct MapColumns {
    /// Source, source id and customer id among the columns of the file.
    at: [usize; 3],
}

impl MapColumns {
    fn of(file: &ParquetFile) -> Result<MapColumns> {
        let source = column(file, "source", SOURCE)?;
        let id = column(file, "source_id", SOURCE_ID)?;
        let customer = column(file, "customer_id", CUSTOMER_ID)?;
        Ok(MapColumns { at: [source, id, customer] })
    }
}

/// The column of one of the names, of the best class that has one.
fn column(file: &ParquetFile, what: &'static str, classes: &[&[&str]]) -> Result<usize> {
    let fields = file.schema().fields();
    let names = |at: &[usize]| -> Vec<String> { at.iter().map(|&i| fields[i].name().clone()).collect() };
    let value = |problem: String| {
        let all: Vec<usize> = (0..fields.len()).collect();
        let remedy = format!(
            "name the columns source, source_id and customer_id, each once; the columns are: {}",
            names(&all).join(", ")
        );
        Error::value("--id-map", file.path().display(), problem, remedy)
    };
    for class in classes {
        let of_class: Vec<usize> =
            (0..fields.len()).filter(|&i| class.contains(&normalise(fields[i].name()).as_str())).collect();
        match of_class[..] {
            [] => {}
            [index] if IdKind::of(fields[index].data_type()).is_some() => return Ok(index),
            [index] => {
                return Err(Error::ColumnType {
                    path: file.path().to_path_buf(),
                    role: what,
                    column: fields[index].name().clone(),
                    found: fields[index].data_type().to_string(),
                    expected: "an integer of any width, or text (also as a dictionary)",
                });
            }
            _ => {
                return Err(value(format!(
                    "several columns could be {what}: {}",
                    names(&of_class).join(", ")
                )));
            }
        }
    }
    Err(value(format!("it has no column {what}")))
}

fn customers_kind(files: &[ParquetFile], columns: &[MapColumns]) -> Result<IdKind> {
    let kind = |i: usize| {
        let data_type: &DataType = files[i].schema().field(columns[i].at[2]).data_type();
        IdKind::of(data_type).ok_or_else(|| Error::internal("finding columns", "a column lost its type"))
    };
    let first = kind(0)?;
    let mut all = first;
    for (i, file) in files.iter().enumerate().skip(1) {
        let other = kind(i)?;
        all = all.join(other).ok_or_else(|| Error::Incompatible {
            role: "customer_id",
            left_path: files[0].path().to_path_buf(),
            left: first.words(),
            right_path: file.path().to_path_buf(),
            right: other.words(),
            remedy: "write all files of the id map with the same type of customer_id".into(),
        })?;
    }
    Ok(all)
}

fn read_group(file: &ParquetFile, columns: &MapColumns, group: usize, kind: IdKind) -> Result<Part> {
    let mut sorted = columns.at;
    sorted.sort_unstable();
    let place = columns.at.map(|index| sorted.partition_point(|&other| other < index));
    let mut part = Part {
        sources: Vec::new(),
        entries: Vec::new(),
        ids: Texts::default(),
        customers: match kind {
            IdKind::Text { .. } => Customers::Texts(CustomerTexts::default()),
            _ => Customers::Integers(Vec::new()),
        },
    };
    let mut labels = Labels::default();
    for batch in file.reader(group, Some(&sorted), None, BATCH)? {
        let batch = batch.map_err(|e| damaged(file.path(), &e))?;
        let [source, id, customer] = place.map(|at| batch.column(at));
        let (source, id) = (own_ids(source), own_ids(id));
        let customer = ids(customer, kind).map_err(|Unrepresentable| {
            let problem =
                format!("customer_id is signed in one of its files, and one is beyond {}", i64::MAX);
            let remedy = "write all files of the id map with the same type of customer_id";
            Error::value("--id-map", file.path().display(), problem, remedy)
        })?;
        for row in 0..batch.num_rows() {
            let has = |ids: &IdBatch| ids.is_id(row);
            if !(has(&source.0) && has(&id.0) && has(&customer)) {
                continue;
            }
            let label = labels.of(source.key(row), |name| {
                part.sources.push(name);
                part.sources.len() as u32 - 1
            });
            let key = id.key(row);
            part.entries.push((label, key.sort, key.word, part.entries.len() as u32));
            part.ids.push(key.text);
            match (&mut part.customers, &customer.values) {
                (Customers::Integers(all), IdValues::Integers(values)) => all.push(values[row]),
                (Customers::Texts(all), IdValues::Texts(texts)) => {
                    let (text, hash) = texts.get(row);
                    all.texts.push(text);
                    all.hashes.push(hash);
                }
                _ => return Err(Error::internal("reading the id map", "customers of two kinds")),
            }
        }
    }
    Ok(part)
}
