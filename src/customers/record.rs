//! Usable rows as records of 64-bit words: a head of fixed length, then the customer's text where ids are texts.
//!
//! Head: the id (of texts: 48 bits of the hash and how long the text is), amount, [`When`], extras. Texts of the form
//! `8f14e45f-ceea-467f-9d3b-0a1b2c3d4e5f` (36 characters, 16 bytes of content) are packed into two words, which is more than half of the memory
//! of a history with such ids.

use std::cmp::Ordering;

use crate::history::Extras;
use crate::history::event::{Event, When};

/// Words of a record before its extras.
const BEFORE_EXTRAS: usize = 3;

/// The length of a packed UUID, as it stands in the low 16 bits of a text's first word.
const UUID: u64 = 0xfffe;
/// The length of a text whose length stands in a word of its own.
const LONG: u64 = 0xffff;

/// How the rows of a history are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Ids are texts.
    pub(crate) text: bool,
    head: usize,
}

impl Layout {
    /// The layout of events with these extras.
    pub(crate) fn new(text: bool, extras: Extras) -> Layout {
        Layout { text, head: BEFORE_EXTRAS + extras.words() }
    }

    /// The layout of other records, with a head of `head` words of which the first is that of a row.
    pub(crate) const fn of_head(text: bool, head: usize) -> Layout {
        Layout { text, head }
    }

    /// Words of the head.
    #[inline]
    pub(crate) fn head(self) -> usize {
        self.head
    }

    /// Words of the record that `words` begin with.
    #[inline]
    pub(crate) fn len(self, words: &[u64]) -> usize {
        let head = self.head();
        if self.text { head + text_words(words[0], words.get(head).copied().unwrap_or(0)) } else { head }
    }

    /// Calls `f` with the address of each record of a block in that block, and the record.
    #[inline]
    pub(crate) fn each<'a>(self, block: &'a [u64], mut f: impl FnMut(usize, &'a [u64])) {
        if self.text {
            let mut at = 0;
            while at < block.len() {
                let len = self.len(&block[at..]);
                f(at, &block[at..at + len]);
                at += len;
            }
        } else {
            let head = self.head();
            for (i, record) in block.chunks_exact(head).enumerate() {
                f(i * head, record);
            }
        }
    }

    /// The customer's text, packed; empty where ids are integers.
    #[inline]
    pub(crate) fn text(self, record: &[u64]) -> &[u64] {
        &record[self.head()..self.len(record)]
    }

    /// The extras.
    #[inline]
    pub(crate) fn extras(self, record: &[u64]) -> &[u64] {
        &record[BEFORE_EXTRAS..self.head()]
    }
}

/// Id, or hash and length of a text.
#[inline]
pub(crate) fn id(record: &[u64]) -> u64 {
    record[0]
}

/// The amount's key.
#[inline]
pub(crate) fn amount(record: &[u64]) -> u64 {
    record[1]
}

/// Day, check and row number.
#[inline]
pub(crate) fn when(record: &[u64]) -> When {
    When(record[2])
}

/// Appends the head of an event's record.
#[inline]
pub(crate) fn push_head(block: &mut Vec<u64>, id: u64, event: &Event<'_>) {
    block.extend_from_slice(&[id, event.amount, event.when.0]);
    if !event.extras.is_empty() {
        block.extend_from_slice(event.extras);
    }
}

/// Words of a text after the head, from its first word and the one after the head.
#[inline]
pub(crate) fn text_words(first: u64, after_head: u64) -> usize {
    match first & 0xffff {
        UUID => 2,
        LONG => 1 + (after_head as usize).div_ceil(8),
        len => (len as usize).div_ceil(8),
    }
}

/// The bits of a hash that are kept.
#[inline]
fn kept(hash: u64) -> u64 {
    // In tests there are two, so that different texts meet all the time and only their bytes tell them apart.
    hash & if cfg!(test) { 0b11 << 62 } else { !0xffff }
}

/// The word that stands for a UUID in the head.
#[inline]
pub(crate) fn uuid_first(hash: u64) -> u64 {
    kept(hash) | UUID
}

/// Packs a text: returns the word that stands for it in the head, and fills `words` with what comes after the head.
///
/// Equal texts give equal words, different ones different words.
#[inline]
pub(crate) fn pack(text: &[u8], hash: u64, words: &mut Vec<u64>) -> u64 {
    words.clear();
    if let Some(pair) = pack_uuid(text) {
        words.extend_from_slice(&pair);
        return uuid_first(hash);
    }
    let hash = kept(hash);
    let long = text.len() as u64 >= UUID;
    if long {
        words.push(text.len() as u64);
    }
    let (whole, rest) = text.as_chunks::<8>();
    words.extend(whole.iter().map(|bytes| u64::from_be_bytes(*bytes)));
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        words.push(u64::from_be_bytes(last));
    }
    hash | if long { LONG } else { text.len() as u64 }
}

/// Where the dashes of a UUID are.
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// A byte in each byte of a word.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The values of eight lower-case hexadecimal digits, in a word of which the low half counts; all bits if one is none.
#[inline]
fn digits(text: [u8; 8]) -> u64 {
    let text = u64::from_be_bytes(text);
    // A letter has bit 6 set, and its low four bits are its value less 9.
    let values = (text & each(0x0f)) + (text >> 6 & each(1)) * 9;
    if as_text(values) != text || values & each(0xf0) != 0 {
        return u64::MAX;
    }
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (fours | fours >> 16) & 0xffff_ffff
}

/// Eight values below 16 as lower-case hexadecimal digits.
#[inline]
fn as_text(values: u64) -> u64 {
    let letters = (values + each(6)) >> 4 & each(1);
    values + each(b'0') + letters * u64::from(b'a' - b'0' - 10)
}

/// The eight hexadecimal digits of the low half of a word.
#[inline]
fn text_of(word: u64) -> [u8; 8] {
    let fours = (word | word << 16) & 0x0000_ffff_0000_ffff;
    let pairs = (fours | fours << 8) & 0x00ff_00ff_00ff_00ff;
    as_text((pairs | pairs << 4) & each(0x0f)).to_be_bytes()
}

/// The content of a UUID in lower case, which sorts like the text.
#[inline]
pub(crate) fn pack_uuid(text: &[u8]) -> Option<[u64; 2]> {
    let t: &[u8; 36] = text.try_into().ok()?;
    let two = |a: usize, b: usize| [t[a], t[a + 1], t[a + 2], t[a + 3], t[b], t[b + 1], t[b + 2], t[b + 3]];
    let parts = [digits(two(0, 4)), digits(two(9, 14)), digits(two(19, 24)), digits(two(28, 32))];
    let dashes = DASHES.iter().all(|&at| t[at] == b'-');
    let all = dashes && parts.iter().all(|&part| part != u64::MAX);
    all.then_some([parts[0] << 32 | parts[1], parts[2] << 32 | parts[3]])
}

/// The text of a UUID.
#[inline]
pub(crate) fn uuid_text([high, low]: [u64; 2]) -> [u8; 36] {
    let mut out = [b'-'; 36];
    let parts = [high >> 32, high, low >> 32, low].map(|word| text_of(word & 0xffff_ffff));
    for (part, [a, b]) in parts.iter().zip([[0, 4], [9, 14], [19, 24], [28, 32]]) {
        out[a..a + 4].copy_from_slice(&part[..4]);
        out[b..b + 4].copy_from_slice(&part[4..]);
    }
    out
}

/// Appends the bytes of a packed text: `first` is the word that stands for it in the head, `words` what came after the
/// head.
pub(crate) fn unpack(first: u64, words: &[u64], out: &mut Vec<u8>) {
    let begin = out.len();
    let (len, words) = match first & 0xffff {
        UUID => return out.extend_from_slice(&uuid_text([words[0], words[1]])),
        LONG => (words[0] as usize, &words[1..]),
        len => (len as usize, words),
    };
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    out.truncate(begin + len);
}

/// Compares two packed texts like their bytes.
#[inline]
pub(crate) fn compare(a: (u64, &[u64]), b: (u64, &[u64])) -> Ordering {
    let (kind_a, kind_b) = (a.0 & 0xffff, b.0 & 0xffff);
    if kind_a == UUID && kind_b == UUID {
        return a.1.cmp(b.1);
    }
    if kind_a < UUID && kind_b < UUID {
        // Zeros fill the last word, so that equal words differ by zeros at the end alone.
        return a.1.cmp(b.1).then(kind_a.cmp(&kind_b));
    }
    let bytes = |text: (u64, &[u64])| {
        let mut out = Vec::new();
        unpack(text.0, text.1, &mut out);
        out
    };
    bytes(a).cmp(&bytes(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(text: &[u8]) -> (u64, Vec<u64>) {
        let mut words = Vec::new();
        let first = pack(text, 0xf234_5678_9abc_def0, &mut words);
        assert_eq!(first & !0xffff, 0b11 << 62);
        assert_eq!(text_words(first, words.first().copied().unwrap_or(0)), words.len());
        let mut back = b"before".to_vec();
        unpack(first, &words, &mut back);
        assert_eq!(&back[6..], text);
        (first, words)
    }

    #[test]
    fn uuids_take_two_words() {
        let uuid = b"8f14e45f-ceea-467f-9d3b-0a1b2c3d4e5f";
        assert_eq!(round(uuid).1, [0x8f14_e45f_ceea_467f, 0x9d3b_0a1b_2c3d_4e5f]);
        for other in ["8F14e45f-ceea-467f-9d3b-0a1b2c3d4e5f", "8f14e45f-ceea-467f-9d3b-0a1b2c3d4e5g"] {
            assert_eq!(round(other.as_bytes()).1.len(), 5);
        }
        round(b"");
        round(&[b'x'; 70_000]);
        round(&[b'y'; 0xfffe]);
    }

    proptest! {
        #[test]
        fn uuids_and_nothing_else(mut text in "[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}", at in 0..36usize, byte: u8) {
            let words = pack_uuid(text.as_bytes()).unwrap();
            prop_assert_eq!(&uuid_text(words)[..], text.as_bytes());
            let number = u128::from(words[0]) << 64 | u128::from(words[1]);
            prop_assert_eq!(format!("{number:032x}"), text.replace('-', ""));
            let mut bytes = std::mem::take(&mut text).into_bytes();
            bytes[at] = byte;
            let good = if DASHES.contains(&at) { byte == b'-' } else { b"0123456789abcdef".contains(&byte) };
            prop_assert_eq!(pack_uuid(&bytes).is_some(), good);
        }

        #[test]
        fn texts_come_back_and_sort(
            texts in prop::collection::vec(prop_oneof!["[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}", ".{0,20}"], 2)
        ) {
            let bytes: Vec<&[u8]> = texts.iter().map(|t| t.as_bytes()).collect();
            let packed: Vec<(u64, Vec<u64>)> = bytes.iter().map(|t| round(t)).collect();
            prop_assert_eq!(packed[0] == packed[1], texts[0] == texts[1]);
            let [a, b] = [0, 1].map(|i: usize| (packed[i].0, packed[i].1.as_slice()));
            prop_assert_eq!(compare(a, b), bytes[0].cmp(bytes[1]));
        }
    }
}
