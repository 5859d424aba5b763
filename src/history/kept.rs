//! Columns that are kept: the distinct values of the whole history, each with a code that rows carry.
//!
//! Codes are given as values arrive, so that they depend on the threads; the ranks of values among all values, which
//! is what counts in the end, do not.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};
use crate::history::extras::NO_VALUE;
use crate::history::types::IdKind;
use crate::history::whole_rows::one_zero;

/// Values that a thread remembers of a column; beyond them it asks the table of all threads.
const REMEMBERED: usize = 1 << 14;

/// Parts of a table with a lock each, so that threads seldom wait for each other.
const SHARDS: usize = 64;

/// Hashes of value bytes, which are their own good key.
#[derive(Default)]
struct OfBytes(u64);

impl Hasher for OfBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxh3_64(bytes);
    }

    /// The length of the bytes that follow, whose hash has it too.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Codes by the bytes of values, which sort like the values.
type Codes = HashMap<Box<[u8]>, u32, BuildHasherDefault<OfBytes>>;

/// The kept columns of a history while its rows are read.
#[derive(Debug, Default)]
pub struct Kept {
    columns: Vec<Growing>,
}

#[derive(Debug)]
struct Growing {
    name: String,
    data_type: DataType,
    /// Codes given so far.
    given: AtomicU64,
    shards: Vec<Mutex<Codes>>,
}

/// The distinct values of a kept column.
#[derive(Debug, Clone)]
pub struct KeptColumn {
    /// Its name in the first file.
    pub name: String,
    /// By code: the place of the value among all values in ascending order. Entry 0, the code of no value, means nothing.
    pub ranks: Vec<u32>,
    /// The values in ascending order: the value of rank r is number r.
    pub values: ArrayRef,
}

impl PartialEq for KeptColumn {
    fn eq(&self, other: &KeptColumn) -> bool {
        self.name == other.name && self.ranks == other.ranks && *self.values == *other.values
    }
}

/// Whether values of that type can be kept.
pub(crate) fn can_be_kept(data_type: &DataType) -> bool {
    let plain = plain(data_type);
    let is_known = plain.is_primitive() && !matches!(plain, DataType::Interval(_));
    is_known || plain == &DataType::Boolean || IdKind::of(plain).is_some()
}

/// The type of a column without its dictionary.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

/// The type that holds the values of a column in one file, and in another.
pub(crate) fn common_type(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Timestamp};
    let (a, b) = (plain(a), plain(b));
    if a == b {
        return Some(a.clone());
    }
    if let (Some(x), Some(y)) = (IdKind::of(a), IdKind::of(b)) {
        let joined = x.join(y)?;
        // No integer holds the values of both.
        let wide = |kind| kind == IdKind::Unsigned { bits: 64 };
        if (wide(x) || wide(y)) && !wide(joined) {
            return None;
        }
        return Some(joined.integer_type().unwrap_or(DataType::LargeUtf8));
    }
    let digits = |data_type: &DataType| match data_type {
        Decimal32(digits, scale)
        | Decimal64(digits, scale)
        | Decimal128(digits, scale)
        | Decimal256(digits, scale) => Some((*digits, *scale)),
        _ => None,
    };
    match (a, b) {
        (a, b) if a.is_floating() && b.is_floating() => {
            let wide = a.primitive_width().max(b.primitive_width());
            Some(if wide == Some(8) { DataType::Float64 } else { DataType::Float32 })
        }
        (Date32 | Date64, Date32 | Date64) => Some(Date64),
        (Timestamp(x, zone), Timestamp(y, other)) if zone == other => {
            let fineness = |unit: &TimeUnit| match unit {
                TimeUnit::Second => 0,
                TimeUnit::Millisecond => 1,
                TimeUnit::Microsecond => 2,
                TimeUnit::Nanosecond => 3,
            };
            let finest = if fineness(x) > fineness(y) { x } else { y };
            Some(Timestamp(*finest, zone.clone()))
        }
        _ => {
            let ((x, scale), (y, other)) = (digits(a)?, digits(b)?);
            let most = x.max(y);
            let joined = if most <= 38 { Decimal128(most, scale) } else { Decimal256(most, scale) };
            (scale == other).then_some(joined)
        }
    }
}

impl Kept {
    /// For columns of these names, and types that hold the values of all files.
    pub(crate) fn new(columns: Vec<(String, DataType)>) -> Kept {
        let columns = columns.into_iter().map(|(name, data_type)| Growing {
            name,
            data_type: plain(&data_type).clone(),
            given: AtomicU64::new(0),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        });
        Kept { columns: columns.collect() }
    }

    /// The same columns before any value was met, for a history that is read again.
    pub(crate) fn emptied(&self) -> Kept {
        Kept::new(self.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect())
    }

    /// The codes of values that were kept before, one array a column in the order of the columns.
    ///
    /// # Errors
    /// [`Error::Value`] for a column of another type than the history's.
    pub(crate) fn codes_of(&self, what: &str, arrays: &[ArrayRef]) -> Result<Vec<Vec<u32>>> {
        let mut coder = Coder::new(self)?;
        let mut out = Vec::with_capacity(arrays.len());
        for (i, (array, column)) in arrays.iter().zip(&self.columns).enumerate() {
            if array.data_type() != &column.data_type {
                return Err(Error::value(
                    what,
                    &column.name,
                    format!(
                        "it kept values of type {}, and the files have {}",
                        array.data_type(),
                        column.data_type
                    ),
                    "write the column with its earlier type, or read the whole history again",
                ));
            }
            let mut codes = Vec::new();
            coder.codes(i, array, &mut codes).map_err(|e| Error::internal("reading kept values", e))?;
            out.push(codes);
        }
        Ok(out)
    }

    /// Number of columns.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The values met so far. The result does not depend on the order in which they came.
    ///
    /// # Errors
    /// [`Error::Internal`] if the values do not come back from their bytes.
    pub fn finish(&self) -> Result<Vec<KeptColumn>> {
        self.columns.iter().map(Growing::finish).collect()
    }
}

impl Growing {
    /// The code of a value; a new one if it was not met before. `None` when there are no more codes.
    fn code(&self, value: &[u8]) -> Option<u32> {
        let shard = (xxh3_64(value) >> 32) as usize % SHARDS;
        let mut codes = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&code) = codes.get(value) {
            return Some(code);
        }
        let code = u32::try_from(self.given.fetch_add(1, Ordering::Relaxed) + 1).ok()?;
        codes.insert(value.into(), code);
        Some(code)
    }

    fn finish(&self) -> Result<KeptColumn> {
        let shards: Vec<_> =
            self.shards.iter().map(|s| s.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        let codes = shards.iter().flat_map(|codes| codes.iter());
        let mut sorted: Vec<(&[u8], u32)> = codes.map(|(value, &code)| (&value[..], code)).collect();
        sorted.sort_unstable();
        let mut ranks = vec![0; sorted.len() + 1];
        for (rank, (_, code)) in sorted.iter().enumerate() {
            ranks[*code as usize] = rank as u32;
        }
        // 32-bit offsets end at 2 GiB; beyond it the large type holds the same texts.
        let small = i32::try_from(sorted.iter().map(|(value, _)| value.len()).sum::<usize>()).is_ok();
        let data_type = match &self.data_type {
            DataType::Utf8 if !small => DataType::LargeUtf8,
            other => other.clone(),
        };
        let values = || -> Result<ArrayRef, ArrowError> {
            let converter = RowConverter::new(vec![SortField::new(data_type)])?;
            let parser = converter.parser();
            let mut arrays = converter.convert_rows(sorted.iter().map(|(value, _)| parser.parse(value)))?;
            Ok(arrays.remove(0))
        };
        let values = values().map_err(|e| Error::internal("collecting the values of a kept column", e))?;
        Ok(KeptColumn { name: self.name.clone(), ranks, values })
    }
}

/// Gives codes to the values of one stretch of rows.
pub(crate) struct Coder<'a> {
    kept: &'a Kept,
    converters: Vec<RowConverter>,
    /// What this thread has met of each column.
    known: Vec<Codes>,
}

impl<'a> Coder<'a> {
    pub(crate) fn new(kept: &'a Kept) -> Result<Coder<'a>> {
        let converter = |column: &Growing| {
            RowConverter::new(vec![SortField::new(column.data_type.clone())])
                .map_err(|e| Error::internal("encoding kept values", e))
        };
        let converters = kept.columns.iter().map(converter).collect::<Result<_>>()?;
        Ok(Coder { kept, converters, known: kept.columns.iter().map(|_| Codes::default()).collect() })
    }

    /// The codes of kept column `column`, for each row of `array`.
    pub(crate) fn codes(
        &mut self,
        column: usize,
        array: &ArrayRef,
        out: &mut Vec<u32>,
    ) -> Result<(), ArrowError> {
        out.clear();
        let Some(dictionary) = array.as_any_dictionary_opt() else {
            return self.plain(column, array, None, out);
        };
        if dictionary.values().is_empty() {
            out.resize(array.len(), NO_VALUE);
            return Ok(());
        }
        // A dictionary may hold values that no row has; they are no values of the history.
        let keys = dictionary.normalized_keys();
        let valid = |row: usize| dictionary.keys().is_valid(row);
        let mut used = vec![false; dictionary.values().len()];
        for (row, &key) in keys.iter().enumerate() {
            used[key] |= valid(row);
        }
        let mut of_values = Vec::new();
        self.plain(column, dictionary.values(), Some(used), &mut of_values)?;
        out.extend(
            keys.iter().enumerate().map(|(row, &key)| if valid(row) { of_values[key] } else { NO_VALUE }),
        );
        Ok(())
    }

    /// The codes of an array without dictionary; rows that are not `used` get none.
    fn plain(
        &mut self,
        column: usize,
        array: &ArrayRef,
        used: Option<Vec<bool>>,
        out: &mut Vec<u32>,
    ) -> Result<(), ArrowError> {
        let growing = &self.kept.columns[column];
        let array = match array.data_type() == &growing.data_type {
            true => array.clone(),
            false => {
                let options = CastOptions { safe: false, ..CastOptions::default() };
                cast_with_options(array, &growing.data_type, &options)?
            }
        };
        let array = one_zero(&array);
        let values = NullBuffer::union(array.logical_nulls().as_ref(), numbers(&array).as_ref());
        let values = NullBuffer::union(values.as_ref(), used.map(NullBuffer::from).as_ref());
        let rows = self.converters[column].convert_columns(&[array])?;
        let known = &mut self.known[column];
        let mut last = None;
        for (i, row) in rows.iter().enumerate() {
            if values.as_ref().is_some_and(|values| values.is_null(i)) {
                out.push(NO_VALUE);
                continue;
            }
            let bytes = row.data();
            let code = match last {
                // Equal values often follow each other.
                Some((before, code)) if before == bytes => code,
                _ => match known.get(bytes) {
                    Some(&code) => code,
                    None => {
                        let code = growing.code(bytes).ok_or_else(|| {
                            ArrowError::ComputeError(format!("\"{}\" has too many values", growing.name))
                        })?;
                        if known.len() < REMEMBERED {
                            known.insert(bytes.into(), code);
                        }
                        code
                    }
                },
            };
            last = Some((bytes, code));
            out.push(code);
        }
        Ok(())
    }
}

/// Where a floating-point column has a number: what is none is no value either.
fn numbers(array: &ArrayRef) -> Option<NullBuffer> {
    macro_rules! numbers {
        ($type:ty) => {
            array.as_primitive::<$type>().values().iter().map(|v| !v.is_nan()).collect::<Vec<bool>>()
        };
    }
    let valid = match array.data_type() {
        DataType::Float16 => numbers!(Float16Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        _ => return None,
    };
    valid.contains(&false).then(|| NullBuffer::from(valid))
}
