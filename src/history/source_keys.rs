//! Ids as different systems write them: an integer and its decimal text are the same id.

use std::collections::HashMap;

use arrow_array::ArrayRef;

use crate::history::keys::{IdBatch, IdValues, Unrepresentable, ids};
use crate::history::types::IdKind;
use crate::random::hash_integer;

/// The version of the rules by which ids are the same, and of how kept ids are written: a state holds customers that came
/// of them.
pub(crate) const SPELLING: u32 = 1;

/// What a key's word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub(crate) enum Sort {
    /// An integer from 0 on.
    Whole = 0,
    /// A negative integer.
    Negative = 1,
    /// The hash of a text that no integer is written as.
    Text = 2,
}

/// An id of some system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) word: u64,
    pub(crate) sort: Sort,
    /// The text, empty for integers.
    pub(crate) text: &'a [u8],
}

impl<'a> Key<'a> {
    /// The key of 64 bits, sign extended where the type is signed.
    #[inline]
    pub(crate) fn of_integer(bits: u64, signed: bool) -> Key<'static> {
        let sort = if signed && (bits as i64) < 0 { Sort::Negative } else { Sort::Whole };
        Key { word: bits, sort, text: &[] }
    }

    /// The key of a text and its hash. "17" is the integer 17; "017" and "+17" are texts.
    #[inline]
    pub(crate) fn of_text(text: &'a [u8], hash: u64) -> Key<'a> {
        integer(text).unwrap_or(Key { word: hash, sort: Sort::Text, text })
    }

    /// Spread over 64 bits, together with what stands for its source.
    #[inline]
    pub(crate) fn mix(word: u64, sort: Sort, seed: u64) -> u64 {
        hash_integer(word ^ seed.wrapping_add((sort as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// The id as text.
    pub(crate) fn shown(&self) -> String {
        match self.sort {
            Sort::Whole => self.word.to_string(),
            Sort::Negative => (self.word as i64).to_string(),
            Sort::Text => String::from_utf8_lossy(self.text).into_owned(),
        }
    }
}

/// The integer of a text that is written in the one usual way.
#[inline]
fn integer(text: &[u8]) -> Option<Key<'static>> {
    let (sort, first) = match text {
        [b'-', first, ..] => (Sort::Negative, first),
        [first, ..] => (Sort::Whole, first),
        [] => return None,
    };
    if !(b'1'..=b'9').contains(first) && text != b"0" {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let word = match sort {
        Sort::Negative => text.parse::<i64>().ok()? as u64,
        _ => text.parse::<u64>().ok()?,
    };
    Some(Key { word, sort, text: &[] })
}

/// Ids in the type of their own column.
pub(crate) struct OwnIds(pub(crate) IdBatch, bool);

/// The ids of a column whose type can be that of ids.
pub(crate) fn own_ids(array: &ArrayRef) -> OwnIds {
    let kind = IdKind::of(array.data_type()).unwrap_or(IdKind::Unsigned { bits: 64 });
    let signed = matches!(kind, IdKind::Signed { .. });
    // The kind is the column's own: nothing can be unrepresentable.
    let batch = ids(array, kind).unwrap_or_else(|Unrepresentable| IdBatch::none(array.len()));
    OwnIds(batch, signed)
}

impl OwnIds {
    #[inline]
    pub(crate) fn key(&self, row: usize) -> Key<'_> {
        match &self.0.values {
            IdValues::Integers(values) => Key::of_integer(values[row], self.1),
            IdValues::Texts(texts) => {
                let (text, hash) = texts.get(row);
                Key::of_text(text, hash)
            }
            IdValues::Composites(_) => unreachable!("the ids of one column"),
        }
    }
}

/// Few different names, each with a number.
#[derive(Default)]
pub(crate) struct Labels {
    known: HashMap<(u64, Sort), u32>,
    last: Option<((u64, Sort), u32)>,
}

impl Labels {
    /// The number of a name; `new` gives one to a name that is not known. Texts are known by their hash: two of n names
    /// fall together with odds of n²/2⁶⁵.
    #[inline]
    pub(crate) fn of(&mut self, key: Key<'_>, new: impl FnOnce(String) -> u32) -> u32 {
        let word = (key.word, key.sort);
        if let Some((last, label)) = self.last
            && last == word
        {
            return label;
        }
        let label = *self.known.entry(word).or_insert_with(|| new(key.shown()));
        self.last = Some((word, label));
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::hash_text;

    fn of(text: &str) -> Key<'_> {
        Key::of_text(text.as_bytes(), hash_text(text.as_bytes()))
    }

    #[test]
    fn integers_are_their_decimal_texts() {
        for value in [0, 1, 17, -1, -170, i64::MAX, i64::MIN] {
            let key = Key::of_integer(value as u64, true);
            assert_eq!(key, of(&value.to_string()));
            assert_eq!(key.shown(), value.to_string());
        }
        assert_eq!(Key::of_integer(u64::MAX, false), of("18446744073709551615"));
        assert_ne!(Key::of_integer(u64::MAX, false), Key::of_integer(u64::MAX, true));
    }

    #[test]
    fn other_texts_stay_texts() {
        for text in ["017", "+17", "-0", "-", "", "1.0", "17 ", "1e3", "18446744073709551616", "x", "００"]
        {
            assert_eq!((of(text).sort, of(text).shown().as_str()), (Sort::Text, text));
        }
    }
}
