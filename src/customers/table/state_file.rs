//! A state as a Parquet file: one row per customer with its account, and what the state says of itself in the footer, the
//! counts of its cohorts among it.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, UInt32Type, UInt64Type};
use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, RecordBatch, UInt32Array, UInt64Array,
};
use arrow_schema::Schema;
use arrow_select::take::take;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::amount::AmountKind;
use crate::customers::account::{halves, whole};
use crate::customers::groups::{Customers, ids, order};
use crate::customers::shape::{NO_RANK, Shape};
use crate::customers::state::{StateInfo, VERSION};
use crate::customers::table::batch;
use crate::error::{Error, Result};
use crate::history::composite::{Composites, Refused};
use crate::history::kept::Kept;
use crate::history::{History, IdBatch, IdKind, IdValues, id_batch};
use crate::random::hash_integer;

/// The key of the footer under which a state says what it is.
pub(crate) const KEY: &str = "tiercast.state";

/// The key of the counts of cohorts in what a state says of itself.
const COHORTS: &str = "cohort_cells";

/// Rows read at a time.
const BATCH: usize = 65_536;

/// Digits of an exact sum.
const DIGITS: u8 = 38;

/// Places of an account's words in a record (see `shape.rs`).
const SUMS: [(&str, usize); 3] = [("total", 5), ("repeats", 7), ("pending", 9)];

impl Customers {
    /// Stretch `i` of the state: one row per customer with its account.
    ///
    /// # Errors
    /// [`Error::Value`] for sums that do not fit a state; [`Error::Io`] when the spill file cannot be read;
    /// [`Error::Internal`] if the customers are no accounts, which is a defect of the caller.
    pub fn state_stretch(&self, i: usize, info: &StateInfo) -> Result<RecordBatch> {
        let shape = self.about.shape;
        if !shape.account {
            return Err(Error::internal("writing a state", "the customers were not kept as accounts"));
        }
        let flat = self.flat(i)?;
        let width = shape.len();
        let records: Vec<&[u64]> = order(&flat, shape)
            .iter()
            .map(|&i| &flat.records[i as usize * width..(i as usize + 1) * width])
            .collect();
        let high = |at: usize| records.iter().map(move |record| (record[at] >> 32) as u32);
        let low = |at: usize| records.iter().map(move |record| record[at] as u32);
        let days = |days: Vec<i32>| Arc::new(Date32Array::from(days)) as ArrayRef;
        let counts = |counts: Vec<u32>| Arc::new(UInt32Array::from(counts)) as ArrayRef;
        let ids = batch::ids(ids(&flat, &records, self.about.kind, &self.about.parts))?;
        let ids = ids.into_iter().enumerate();
        let mut columns: Vec<(String, ArrayRef)> =
            ids.map(|(part, (_, array))| (id_column(self.about.kind, part), array)).collect();
        columns.extend([
            ("first_order".into(), days(high(1).map(|day| day as i32).collect())),
            ("last_order".into(), days(low(1).map(|day| day as i32).collect())),
            ("days".into(), counts(high(2).collect())),
            ("orders".into(), counts(low(2).collect())),
            ("transactions".into(), counts(low(3).collect())),
            (
                "gap_squares".into(),
                Arc::new(UInt64Array::from_iter_values(records.iter().map(|record| record[4]))) as ArrayRef,
            ),
        ]);
        for (name, at) in SUMS {
            columns.push((name.into(), sums(&records, at, shape.amounts)?));
        }
        let mut at = shape.first_optional();
        if let Some((name, kind)) = &info.costs {
            columns.push((name.clone(), sums(&records, at, *kind)?));
            at += 2;
        }
        if let Some((periods, first)) = info.periods {
            for i in 0..i32::from(periods.count) {
                let label = periods.period.label(first + i);
                columns.push((format!("orders_{label}"), counts(low(at).collect())));
                columns.push((format!("spend_{label}"), sums(&records, at + 1, shape.amounts)?));
                at += 3;
            }
        }
        for (i, column) in self.about.kept.iter().enumerate() {
            let ranks = &self.about.rule.ranks[i];
            let rank = |record: &&[u64]| Some(ranks[record[at + 1] as usize]).filter(|&rank| rank != NO_RANK);
            let ranks: UInt32Array = records.iter().map(rank).collect();
            let values =
                take(&column.values, &ranks, None).map_err(|e| Error::internal("writing a state", e))?;
            columns.push((last_value(&column.name), values));
            let ticks = UInt64Array::from_iter_values(records.iter().map(|record| record[at]));
            columns.push((tick_of(&column.name), Arc::new(ticks)));
            at += 2;
        }
        let mut says = serde_json::to_value(info).map_err(|e| Error::internal("writing a state", e))?;
        if let Some(cohorts) = &info.cohorts {
            says[COHORTS] = (*cohorts.cells).into();
        }
        let text = says.to_string();
        // Only last values may be null, whether or not there are some in this stretch.
        let fixed = columns.len() - 2 * info.kept.len();
        let columns = columns.into_iter().enumerate().map(|(i, (name, array))| (name, array, i >= fixed));
        let made = RecordBatch::try_from_iter_with_nullable(columns)
            .map_err(|e| Error::internal("writing a state", e))?;
        let metadata = HashMap::from([(KEY.to_string(), text)]);
        let schema = Schema::new_with_metadata(made.schema().fields().clone(), metadata);
        made.with_schema(Arc::new(schema)).map_err(|e| Error::internal("writing a state", e))
    }
}

/// The column of ids, or of part `part` of ids of several columns, whose own names may be those of other columns here.
fn id_column(kind: IdKind, part: usize) -> String {
    match kind {
        IdKind::Composite => format!("customer_id.{}", part + 1),
        _ => "customer_id".to_string(),
    }
}

/// The column of a kept column's last values, and that of when they were seen.
fn last_value(name: &str) -> String {
    format!("last {name}")
}

fn tick_of(name: &str) -> String {
    format!("tick of {name}")
}

/// Two words each, as numbers.
fn sums(records: &[&[u64]], at: usize, kind: AmountKind) -> Result<ArrayRef> {
    let words = records.iter().map(|record| [record[at], record[at + 1]]);
    Ok(match kind {
        AmountKind::Float => {
            Arc::new(Float64Array::from_iter_values(words.map(|[bits, _]| f64::from_bits(bits))))
        }
        AmountKind::Scaled { scale } => {
            let sums = Decimal128Array::from_iter_values(words.map(whole));
            let too_long = |e| {
                Error::value(
                    "--state",
                    "a sum",
                    format!("it has too many digits: {e}"),
                    "write amounts with fewer decimals",
                )
            };
            Arc::new(sums.with_precision_and_scale(DIGITS, scale as i8).map_err(too_long)?)
        }
    })
}

/// What a state says of itself.
///
/// # Errors
/// [`Error::NoSuchFile`], [`Error::NotParquet`], [`Error::Value`] for a file that is no state or one of another version.
pub(crate) fn read_info(path: &Path) -> Result<StateInfo> {
    let reader = open(path)?;
    let no_state = |problem: &str| {
        let remedy = "give a state that `tiercast summarize --state FILE` wrote";
        Error::value("--append", path.display(), problem, remedy)
    };
    let text = reader.schema().metadata().get(KEY).ok_or_else(|| no_state("it is no state of tiercast"))?;
    let unreadable = || no_state("what it says of itself cannot be read");
    let mut says: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
    let version = says["version"].as_u64().ok_or_else(unreadable)?;
    if version != u64::from(VERSION) {
        let (age, remedy) = match version < u64::from(VERSION) {
            true => ("an earlier", "read the whole history again with --state"),
            false => ("a later", "use that tiercast, or read the whole history again with --state"),
        };
        let problem = format!(
            "{age} tiercast made it: it is a state of version {version}, and this tiercast adds to those of version {VERSION}"
        );
        return Err(Error::value("--append", path.display(), problem, remedy));
    }
    let cells = says[COHORTS].take();
    let mut info: StateInfo = serde_json::from_value(says).map_err(|_| unreadable())?;
    if let Some(cohorts) = &mut info.cohorts {
        cohorts.cells = cells.as_str().ok_or_else(unreadable)?.into();
    }
    Ok(info)
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, e),
    })?;
    let damaged = |e: parquet::errors::ParquetError| Error::NotParquet {
        path: path.to_path_buf(),
        problem: e.to_string(),
    };
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)
}

/// A customer of a state: the hash of its id, its text if ids are texts, and its record.
pub(crate) struct Known<'a> {
    pub(crate) hash: u64,
    pub(crate) text: &'a [u8],
    /// The record of an account; the first word is the id of integers.
    pub(crate) record: &'a [u64],
}

/// Gives every customer of the state to `sink`, as accounts of `shape`, whose first period is number `first_period`, with
/// ids as the rows of `history` have them.
///
/// # Errors
/// [`Error::NotParquet`] for damage, [`Error::Value`] for ids that those of the rows cannot hold, and what `sink` returns.
pub(crate) fn read_customers(
    path: &Path,
    info: &StateInfo,
    shape: Shape,
    first_period: i32,
    history: &History,
    mut sink: impl FnMut(Known<'_>) -> Result<()>,
) -> Result<()> {
    let damaged = |problem: String| Error::NotParquet { path: path.to_path_buf(), problem };
    let reader = open(path)?.with_batch_size(BATCH).build().map_err(|e| damaged(e.to_string()))?;
    for found in reader {
        let found = found.map_err(|e| damaged(e.to_string()))?;
        let column = |name: &str| {
            found.column_by_name(name).ok_or_else(|| damaged(format!("the state has no column \"{name}\"")))
        };
        let who = ids_of(path, info, &found, history)?;
        let days = |name| Ok::<_, Error>(column(name)?.as_primitive::<Date32Type>().values().clone());
        let counts = |name: &str| Ok::<_, Error>(column(name)?.as_primitive::<UInt32Type>().values().clone());
        let (first, last) = (days("first_order")?, days("last_order")?);
        let (order_days, orders) = (counts("days")?, counts("orders")?);
        let transactions = counts("transactions")?;
        let squares = column("gap_squares")?.as_primitive::<UInt64Type>().values().clone();
        let mut totals = Vec::new();
        for (name, _) in SUMS {
            totals.push(words(column(name)?, info.amounts));
        }
        let costs = match &info.costs {
            Some((name, kind)) => Some(words(column(name)?, *kind)),
            None => None,
        };
        let mut periods = Vec::new();
        if let Some((last_periods, _)) = info.periods {
            for i in 0..i32::from(last_periods.count) {
                // Periods that the state does not hold came later, and those before the first are forgotten.
                let label = last_periods.period.label(first_period + i);
                periods.push(match found.column_by_name(&format!("orders_{label}")) {
                    Some(orders) => {
                        let spend = words(column(&format!("spend_{label}"))?, info.amounts);
                        Some((orders.as_primitive::<UInt32Type>().values().clone(), spend))
                    }
                    None => None,
                });
            }
        }
        let codes = codes(path, info, &found, history.kept())?;
        let mut ticks = Vec::new();
        for name in &info.kept {
            ticks.push(column(&tick_of(name))?.as_primitive::<UInt64Type>().values().clone());
        }
        let pair = |a: u32, b: u32| u64::from(a) << 32 | u64::from(b);
        let mut record = Vec::with_capacity(shape.len());
        for row in 0..found.num_rows() {
            let (id, hash, text) = match &who.values {
                IdValues::Integers(values) => (values[row], hash_integer(values[row]), &[][..]),
                IdValues::Texts(texts) => {
                    let (text, hash) = texts.get(row);
                    (0, hash, text)
                }
                IdValues::Composites(ids) => {
                    let (bytes, hash) = ids.get(row);
                    (0, hash, bytes)
                }
            };
            record.clear();
            record.extend_from_slice(&[
                id,
                pair(first[row] as u32, last[row] as u32),
                pair(order_days[row], orders[row]),
                u64::from(transactions[row]),
                squares[row],
            ]);
            totals.iter().for_each(|sums| record.extend_from_slice(&sums[row]));
            if let Some(costs) = &costs {
                record.extend_from_slice(&costs[row]);
            }
            for period in &periods {
                match period {
                    Some((orders, spend)) => {
                        record.push(u64::from(orders[row]));
                        record.extend_from_slice(&spend[row]);
                    }
                    None => record.extend_from_slice(&[0; 3]),
                }
            }
            for (ticks, codes) in ticks.iter().zip(&codes) {
                record.extend_from_slice(&[ticks[row], u64::from(codes[row])]);
            }
            debug_assert_eq!(record.len(), shape.len());
            sink(Known { hash, text, record: &record })?;
        }
    }
    Ok(())
}

/// The ids of a batch in the kinds of the rows', so that a customer's are the same words here and there.
fn ids_of(path: &Path, info: &StateInfo, found: &RecordBatch, history: &History) -> Result<IdBatch> {
    let not_those = || Error::NotParquet {
        path: path.to_path_buf(),
        problem: "its ids are not those that it names".to_string(),
    };
    let kinds: Vec<IdKind> = match info.ids {
        IdKind::Composite => info.id_parts.iter().map(|part| part.kind).collect(),
        kind => vec![kind],
    };
    let mut arrays = Vec::with_capacity(kinds.len());
    for (part, &kind) in kinds.iter().enumerate() {
        let array = found.column_by_name(&id_column(info.ids, part)).ok_or_else(not_those)?;
        // Texts are large where they were many.
        let held = IdKind::of(array.data_type()).ok_or_else(not_those)?;
        if held.is_text() != kind.is_text() || !kind.is_text() && held != kind {
            return Err(not_those());
        }
        arrays.push(array);
    }
    let too_large = || {
        let problem = "it holds ids beyond 63 bits, and the new files have signed integers";
        let remedy = "write all files with the same type of id";
        Error::value("--append", path.display(), problem, remedy)
    };
    if info.ids != IdKind::Composite {
        return id_batch(arrays[0], history.ids()).map_err(|_| too_large());
    }
    let kinds: Vec<IdKind> = history.id_parts().iter().map(|part| part.kind).collect();
    let (ids, nulls) = Composites::of(&arrays, &kinds).map_err(|refused| match refused {
        // Parts are integers of the rows' own sign, or the state was refused.
        Refused::Unrepresentable(_) => not_those(),
        Refused::Arrow(error) => Error::internal("encoding the ids of a state", error),
    })?;
    Ok(IdBatch { nulls, values: IdValues::Composites(ids), misses: Vec::new() })
}

/// Gives the values that a state kept their codes, before those of the rows are ranked.
///
/// # Errors
/// As for [`read_customers`], and [`Error::Value`] for values of another type than the rows'.
pub(crate) fn read_kept(path: &Path, info: &StateInfo, kept: &Kept) -> Result<()> {
    if info.kept.is_empty() {
        return Ok(());
    }
    let damaged = |e: String| Error::NotParquet { path: path.to_path_buf(), problem: e };
    let reader = open(path)?.with_batch_size(BATCH).build().map_err(|e| damaged(e.to_string()))?;
    for found in reader {
        codes(path, info, &found.map_err(|e| damaged(e.to_string()))?, kept)?;
    }
    Ok(())
}

/// The codes of a batch's kept values.
fn codes(path: &Path, info: &StateInfo, found: &RecordBatch, kept: &Kept) -> Result<Vec<Vec<u32>>> {
    let mut arrays = Vec::with_capacity(info.kept.len());
    for name in &info.kept {
        let array = found.column_by_name(&last_value(name)).ok_or_else(|| Error::NotParquet {
            path: path.to_path_buf(),
            problem: format!("the state has no column \"{}\"", last_value(name)),
        })?;
        arrays.push(Arc::clone(array));
    }
    kept.codes_of("--append", &arrays)
}

fn words(array: &ArrayRef, kind: AmountKind) -> Vec<[u64; 2]> {
    match kind {
        AmountKind::Float => {
            array.as_primitive::<Float64Type>().values().iter().map(|sum| [sum.to_bits(), 0]).collect()
        }
        AmountKind::Scaled { .. } => {
            array.as_primitive::<Decimal128Type>().values().iter().map(|&sum| halves(sum)).collect()
        }
    }
}
