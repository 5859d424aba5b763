//! Batches of ids (of customers or orders) into 64-bit integers or hashed bytes.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use crate::history::Reason;
use crate::history::composite::Composites;
use crate::history::types::IdKind;

/// The ids of one batch.
pub(crate) struct IdBatch {
    /// Rows without an id.
    pub(crate) nulls: Option<NullBuffer>,
    pub(crate) values: IdValues,
    /// Of an id map: why rows have no customer, in their order. Such rows count as nulls.
    pub(crate) misses: Vec<Miss>,
}

/// A row whose id an id map makes no customer of.
pub(crate) struct Miss {
    pub(crate) row: usize,
    pub(crate) reason: Reason,
    /// The id at fault.
    pub(crate) value: Option<String>,
}

impl IdBatch {
    /// Rows without any id.
    pub(crate) fn none(rows: usize) -> IdBatch {
        let values = IdValues::Integers(vec![0; rows]);
        IdBatch { nulls: Some(NullBuffer::new_null(rows)), values, misses: Vec::new() }
    }

    /// Whether row `row` has an id.
    #[inline]
    pub(crate) fn is_id(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) && self.blank(row).is_none()
    }

    /// Why row `row`, which counts as null, has no customer.
    pub(crate) fn why(&self, row: usize) -> (Reason, Option<String>) {
        match self.misses.binary_search_by_key(&row, |miss| miss.row) {
            Ok(at) => (self.misses[at].reason, self.misses[at].value.clone()),
            Err(_) => (Reason::NullCustomer, None),
        }
    }

    /// Entries of a dictionary of texts.
    pub(crate) fn entries(&self) -> usize {
        match &self.values {
            IdValues::Texts(texts) if texts.entries.is_some() => texts.hashes.len(),
            _ => 0,
        }
    }

    /// The entry of row `row` in a dictionary of texts.
    #[inline]
    pub(crate) fn entry(&self, row: usize) -> Option<usize> {
        match &self.values {
            IdValues::Texts(texts) => texts.entries.as_ref().map(|entries| entries[row]),
            _ => None,
        }
    }

    /// Whether every row that is not null has an id of one column.
    pub(crate) fn is_simple(&self) -> bool {
        match &self.values {
            IdValues::Integers(_) => true,
            IdValues::Texts(texts) => !texts.has_blanks,
            IdValues::Composites(_) => false,
        }
    }

    /// The id of row `row`, which is not null, if it is a text of nothing but white space.
    #[inline]
    pub(crate) fn blank(&self, row: usize) -> Option<&str> {
        match &self.values {
            IdValues::Integers(_) => None,
            IdValues::Texts(texts) => texts.blank(row),
            IdValues::Composites(ids) => ids.blank(row),
        }
    }
}

/// The values of one batch of ids; those of null rows mean nothing.
pub(crate) enum IdValues {
    /// One integer a row: its 64 bits, sign extended.
    Integers(Vec<u64>),
    /// Texts, possibly shared by several rows.
    Texts(Texts),
    /// Several columns together.
    Composites(Composites),
}

/// Texts with their hashes: one a row, or one a dictionary entry.
pub(crate) struct Texts {
    array: TextArray,
    /// Of each entry of a dictionary, or where they are known; else empty.
    hashes: Vec<u64>,
    /// Whether some text is empty or white space.
    has_blanks: bool,
    /// Entry of each row, where the column is a dictionary.
    entries: Option<Vec<usize>>,
}

enum TextArray {
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    Utf8View(StringViewArray),
}

/// A text or composite id.
#[derive(Debug, Clone, Copy)]
pub struct TextId<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    hash: Option<u64>,
}

impl<'a> TextId<'a> {
    /// An id, and its hash if it is known.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], hash: Option<u64>) -> TextId<'a> {
        TextId { bytes, hash }
    }

    /// The stable hash of its bytes, made now unless it is known.
    #[inline]
    pub fn hash(&self) -> u64 {
        self.hash.unwrap_or_else(|| id_hash(self.bytes))
    }
}

/// A 64-bit unsigned id that the signed type of the whole history cannot hold.
#[derive(Debug)]
pub(crate) struct Unrepresentable;

impl Texts {
    /// One text a row, none of them blank where it matters, with its hash.
    pub(crate) fn new(array: LargeStringArray, hashes: Vec<u64>) -> Texts {
        Texts { array: TextArray::LargeUtf8(array), hashes, has_blanks: false, entries: None }
    }

    /// Text and hash of row `row`.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> (&[u8], u64) {
        let id = self.id(row);
        (id.bytes, id.hash())
    }

    /// The id of row `row`.
    #[inline]
    pub(crate) fn id(&self, row: usize) -> TextId<'_> {
        let entry = self.entries.as_ref().map_or(row, |entries| entries[row]);
        let text = match &self.array {
            TextArray::Utf8(array) => array.value(entry),
            TextArray::LargeUtf8(array) => array.value(entry),
            TextArray::Utf8View(array) => array.value(entry),
        };
        TextId { bytes: text.as_bytes(), hash: self.hashes.get(entry).copied() }
    }

    /// The text of row `row` if it is empty or white space: no id, though not null.
    #[inline]
    pub(crate) fn blank(&self, row: usize) -> Option<&str> {
        if !self.has_blanks {
            return None;
        }
        std::str::from_utf8(self.id(row).bytes).ok().filter(|text| text.trim().is_empty())
    }
}

/// The ids of `array`, for a history whose ids are of kind `kind`.
pub(crate) fn ids(array: &ArrayRef, kind: IdKind) -> Result<IdBatch, Unrepresentable> {
    let mut nulls = array.logical_nulls();
    let (entries, flat) = match array.as_any_dictionary_opt() {
        // A row group of nulls alone: its keys point nowhere, and their decoder refuses them.
        Some(dictionary) if dictionary.values().is_empty() => {
            nulls = Some(NullBuffer::new_null(array.len()));
            (Some(vec![0; array.len()]), dictionary.values())
        }
        Some(dictionary) => (Some(dictionary.normalized_keys()), dictionary.values()),
        None => (None, array),
    };
    let values = if kind.is_text() {
        IdValues::Texts(texts(flat, entries))
    } else {
        let mut values = integers(flat, kind)?;
        if let Some(entries) = entries {
            // An empty dictionary has null rows only.
            values = entries.iter().map(|&entry| values.get(entry).copied().unwrap_or(0)).collect();
        }
        IdValues::Integers(values)
    };
    Ok(IdBatch { nulls, values, misses: Vec::new() })
}

/// The integers of an array as 64 bits, sign extended; those of null rows mean nothing.
pub(crate) fn integers(array: &ArrayRef, kind: IdKind) -> Result<Vec<u64>, Unrepresentable> {
    let values = bits(array);
    let too_large = |&v: &u64| v > i64::MAX as u64;
    if matches!(kind, IdKind::Signed { .. })
        && array.data_type() == &DataType::UInt64
        && values.iter().enumerate().any(|(i, v)| too_large(v) && array.is_valid(i))
    {
        return Err(Unrepresentable);
    }
    Ok(values)
}

fn bits(array: &ArrayRef) -> Vec<u64> {
    macro_rules! extend {
        ($type:ty, $wide:ty) => {
            array.as_primitive::<$type>().values().iter().map(|&v| <$wide>::from(v) as u64).collect()
        };
    }
    match array.data_type() {
        DataType::Int8 => extend!(Int8Type, i64),
        DataType::Int16 => extend!(Int16Type, i64),
        DataType::Int32 => extend!(Int32Type, i64),
        DataType::Int64 => extend!(Int64Type, i64),
        DataType::UInt8 => extend!(UInt8Type, u64),
        DataType::UInt16 => extend!(UInt16Type, u64),
        DataType::UInt32 => extend!(UInt32Type, u64),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().values().to_vec(),
        other => unreachable!("{other} was not accepted as an integer id"),
    }
}

fn texts(array: &ArrayRef, entries: Option<Vec<usize>>) -> Texts {
    let mut has_blanks = false;
    macro_rules! hashed {
        ($array:expr) => {{
            let mut hashes = Vec::with_capacity(if entries.is_some() { $array.len() } else { 0 });
            for i in 0..$array.len() {
                let text = $array.value(i);
                // Nearly all begin with a letter or a digit.
                let begins = text.as_bytes().first().is_some_and(u8::is_ascii_graphic);
                has_blanks |= !begins && text.trim_start().is_empty() && $array.is_valid(i);
                if entries.is_some() {
                    hashes.push(id_hash(text.as_bytes()));
                }
            }
            hashes
        }};
    }
    let (array, hashes) = match array.data_type() {
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>().clone();
            let hashes = hashed!(array);
            (TextArray::LargeUtf8(array), hashes)
        }
        DataType::Utf8View => {
            let array = array.as_string_view().clone();
            let hashes = hashed!(array);
            (TextArray::Utf8View(array), hashes)
        }
        _ => {
            let array = array.as_string::<i32>().clone();
            let hashes = hashed!(array);
            (TextArray::Utf8(array), hashes)
        }
    };
    Texts { array, hashes, has_blanks, entries }
}

/// The hash by which texts are brought together.
#[inline]
pub(crate) fn id_hash(id: &[u8]) -> u64 {
    crate::random::hash_text(id)
}

/// Mixed into the day of a row without an order id.
const NO_ORDER: u64 = 0x6e6f_206f_7264_6572;

/// The orders of `array` as 64 bits: integers by value, texts by their hash (two of a customer's n order texts fall
/// together with odds of n²/2⁶⁵). Rows without an id get `None`.
pub(crate) fn orders(array: &ArrayRef) -> Vec<Option<u64>> {
    let kind = IdKind::of(array.data_type()).unwrap_or(IdKind::Unsigned { bits: 64 });
    // The kind is the column's own, so that nothing can be unrepresentable.
    let Ok(batch) = ids(array, kind) else { return vec![None; array.len()] };
    (0..array.len())
        .map(|row| {
            let valid = batch.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            valid.then(|| match &batch.values {
                IdValues::Integers(values) => values[row],
                IdValues::Texts(texts) => texts.get(row).1,
                IdValues::Composites(ids) => ids.get(row).1,
            })
        })
        .collect()
}

/// The order that rows without an order id belong to: one per day.
#[inline]
pub(crate) fn order_of_day(day: i32) -> u64 {
    crate::random::hash_integer(day as u64 ^ NO_ORDER)
}
