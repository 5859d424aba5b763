//! Where a narrow row says whose it is, and which it is: two words a row for integers, four for UUIDs.

use std::ops::Range;

use crate::customers::fold::id_hash;
use crate::customers::record::{Layout, id, pack, pack_uuid, unpack, uuid_first, uuid_text};
use crate::random::{hash_integer, hash_text};

/// The rows of one partition.
pub(crate) trait Format {
    /// What tells the partition's customers apart, and sorts like their ids.
    type Key: Copy + Ord;
    /// An id that may be of a customer without a key, sorting like ids.
    type Id: Ord;
    /// Words of a row.
    const ROW: usize;

    /// The rows of a block: key, number in the history, word.
    fn rows(&self, block: &[u64]) -> impl Iterator<Item = (Self::Key, u64, u64)>;

    /// Where keys are numbers below so many: how many.
    fn places(&self) -> Option<usize>;

    /// The key as such a number.
    fn place(key: Self::Key) -> usize;

    /// The key of such a number.
    fn of_place(place: usize) -> Self::Key;

    /// Spreads keys over 64 bits.
    fn hash(key: Self::Key) -> u64;

    /// The most of a key that 64 bits hold, sorting like it.
    fn prefix(key: Self::Key) -> u64;

    /// The id of a key.
    fn id(&self, key: Self::Key) -> Self::Id;

    /// The id of a record that is not narrow, and the key if it has one.
    fn of_record(&self, layout: Layout, record: &[u64]) -> (Self::Id, Option<Self::Key>);

    /// Appends what stands behind the head in the record of a row of that key, and returns the record's first word.
    fn record(&self, key: Self::Key, out: &mut Vec<u64>) -> u64;

    /// The first word of a customer's record and its hash; texts are appended to `texts`.
    fn customer(&self, key: Self::Key, texts: &mut Vec<u64>) -> (u64, u64);

    /// The same, of a customer who may have no key.
    fn other_customer(&self, id: &Self::Id, texts: &mut Vec<u64>) -> (u64, u64);
}

/// Integers: first word the id's mark (low half) and the row's number (high half), second word the view's.
#[derive(Debug, Clone)]
pub(crate) struct Integers {
    /// The keys that have a place in the partition.
    pub(crate) keys: Range<u64>,
    /// The mark of the first.
    pub(crate) first_mark: u32,
    pub(crate) sign: u64,
}

impl Integers {
    /// The words of a row.
    #[inline]
    pub(crate) fn pack(mark: u32, number: u64, word: u64) -> [u64; 2] {
        [u64::from(mark) | number << 32, word]
    }
}

impl Format for Integers {
    type Key = u32;
    type Id = u64;
    const ROW: usize = 2;

    #[inline]
    fn rows(&self, block: &[u64]) -> impl Iterator<Item = (u32, u64, u64)> {
        let rows = block.as_chunks::<2>().0.iter();
        rows.map(|&[who, word]| ((who as u32).wrapping_sub(self.first_mark), who >> 32, word))
    }

    fn places(&self) -> Option<usize> {
        usize::try_from(self.keys.end - self.keys.start).ok()
    }

    #[inline]
    fn place(key: u32) -> usize {
        key as usize
    }

    #[inline]
    fn of_place(place: usize) -> u32 {
        place as u32
    }

    #[inline]
    fn hash(key: u32) -> u64 {
        hash_integer(u64::from(key))
    }

    #[inline]
    fn prefix(key: u32) -> u64 {
        u64::from(key)
    }

    #[inline]
    fn id(&self, key: u32) -> u64 {
        self.keys.start + u64::from(key)
    }

    fn of_record(&self, _: Layout, record: &[u64]) -> (u64, Option<u32>) {
        let key = id(record) ^ self.sign;
        (key, self.keys.contains(&key).then(|| (key - self.keys.start) as u32))
    }

    fn record(&self, key: u32, _: &mut Vec<u64>) -> u64 {
        self.id(key) ^ self.sign
    }

    #[inline]
    fn customer(&self, key: u32, texts: &mut Vec<u64>) -> (u64, u64) {
        self.other_customer(&self.id(key), texts)
    }

    #[inline]
    fn other_customer(&self, id: &u64, _: &mut Vec<u64>) -> (u64, u64) {
        let id = id ^ self.sign;
        (id, hash_integer(id))
    }
}

/// A layout of texts; how long heads are does not matter here.
const TEXT: Layout = Layout::of_head(true, 0);

/// UUIDs: their two words, the row's number, the view's word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uuids;

impl Uuids {
    /// The words of a row.
    #[inline]
    pub(crate) fn pack([high, low]: [u64; 2], number: u64, word: u64) -> [u64; 4] {
        [high, low, number, word]
    }
}

impl Format for Uuids {
    type Key = u128;
    type Id = Vec<u8>;
    const ROW: usize = 4;

    #[inline]
    fn rows(&self, block: &[u64]) -> impl Iterator<Item = (u128, u64, u64)> {
        let rows = block.as_chunks::<4>().0.iter();
        rows.map(|&[high, low, number, word]| (u128::from(high) << 64 | u128::from(low), number, word))
    }

    fn places(&self) -> Option<usize> {
        None
    }

    fn place(_: u128) -> usize {
        unreachable!("UUIDs are no places")
    }

    fn of_place(_: usize) -> u128 {
        unreachable!("UUIDs are no places")
    }

    #[inline]
    fn hash(key: u128) -> u64 {
        // One after the other: halves with the same number in them must not cancel each other out.
        hash_integer(hash_integer((key >> 64) as u64) ^ key as u64)
    }

    #[inline]
    fn prefix(key: u128) -> u64 {
        (key >> 64) as u64
    }

    fn id(&self, key: u128) -> Vec<u8> {
        uuid_text([(key >> 64) as u64, key as u64]).to_vec()
    }

    fn of_record(&self, layout: Layout, record: &[u64]) -> (Vec<u8>, Option<u128>) {
        let mut text = Vec::new();
        unpack(id(record), layout.text(record), &mut text);
        let key = pack_uuid(&text).map(|[high, low]| u128::from(high) << 64 | u128::from(low));
        (text, key)
    }

    fn record(&self, key: u128, out: &mut Vec<u64>) -> u64 {
        let text = uuid_text([(key >> 64) as u64, key as u64]);
        pack(&text, hash_text(&text), out)
    }

    #[inline]
    fn customer(&self, key: u128, texts: &mut Vec<u64>) -> (u64, u64) {
        let words = [(key >> 64) as u64, key as u64];
        let first = uuid_first(hash_text(&uuid_text(words)));
        let at = texts.len() as u64;
        texts.extend_from_slice(&[first, words[0], words[1]]);
        (at, id_hash(TEXT, first))
    }

    fn other_customer(&self, id: &Vec<u8>, texts: &mut Vec<u64>) -> (u64, u64) {
        let mut words = Vec::new();
        let first = pack(id, hash_text(id), &mut words);
        let at = texts.len() as u64;
        texts.push(first);
        texts.extend_from_slice(&words);
        (at, id_hash(TEXT, first))
    }
}
