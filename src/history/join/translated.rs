//! The customers of a batch, in the type of the map's.

use arrow_array::LargeStringArray;
use arrow_buffer::{NullBuffer, OffsetBuffer};

use crate::history::id_map::Customers;
use crate::history::keys::{IdBatch, IdValues, Miss, Texts};
use crate::history::types::IdKind;

/// The customers of a batch so far.
pub(super) enum Out {
    Integers(Vec<u64>),
    Texts { bytes: Vec<u8>, offsets: Vec<i64>, hashes: Vec<u64> },
}

impl Out {
    pub(super) fn new(kind: IdKind, rows: usize) -> Out {
        match kind {
            IdKind::Text { .. } => {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                Out::Texts { bytes: Vec::new(), offsets, hashes: Vec::with_capacity(rows) }
            }
            _ => Out::Integers(Vec::with_capacity(rows)),
        }
    }

    #[inline]
    pub(super) fn text(&mut self, text: &[u8], hash: u64) {
        if let Out::Texts { bytes, offsets, hashes } = self {
            bytes.extend_from_slice(text);
            offsets.push(bytes.len() as i64);
            hashes.push(hash);
        }
    }

    #[inline]
    pub(super) fn customer(&mut self, customers: &Customers, row: u32) {
        match (self, customers) {
            (Out::Integers(values), Customers::Integers(all)) => values.push(all[row as usize]),
            (out, Customers::Texts(texts)) => {
                let (text, hash) = texts.get(row);
                out.text(text, hash);
            }
            (Out::Texts { .. }, Customers::Integers(_)) => unreachable!("both are of the map's kind"),
        }
    }

    pub(super) fn nothing(&mut self) {
        match self {
            Out::Integers(values) => values.push(0),
            Out::Texts { .. } => self.text(&[], 0),
        }
    }

    pub(super) fn finish(self, misses: Vec<Miss>) -> IdBatch {
        let (rows, values) = match self {
            Out::Integers(values) => (values.len(), IdValues::Integers(values)),
            Out::Texts { bytes, offsets, hashes } => {
                let array = LargeStringArray::new(OffsetBuffer::new(offsets.into()), bytes.into(), None);
                (hashes.len(), IdValues::Texts(Texts::new(array, hashes)))
            }
        };
        let nulls = (!misses.is_empty()).then(|| {
            let mut valid = vec![true; rows];
            misses.iter().for_each(|miss| valid[miss.row] = false);
            NullBuffer::from(valid)
        });
        IdBatch { nulls, values, misses }
    }
}
