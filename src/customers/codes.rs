//! Codes for the distinct customers of a partition.

/// Codes 0, 1, … of distinct values in the order of their first appearance, found by hash and an exact test.
///
/// Open addressing with linear probing; slots hold code + 1, and hashes are kept by code so that growing and most
/// misses never look at a value.
#[derive(Debug, Default)]
pub(crate) struct CodeTable {
    slots: Vec<u32>,
    hashes: Vec<u64>,
}

impl CodeTable {
    /// With room for `values` values before it grows.
    pub(crate) fn with_capacity(values: usize) -> CodeTable {
        CodeTable {
            slots: vec![0; (values * 2).next_power_of_two().max(16)],
            hashes: Vec::with_capacity(values),
        }
    }

    /// The code of the value with `hash` for which `same(code)` holds, or a new code and `true`.
    #[inline]
    pub(crate) fn code(&mut self, hash: u64, same: impl Fn(u32) -> bool) -> (u32, bool) {
        if self.hashes.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots[at] {
                0 => {
                    let code = self.hashes.len() as u32;
                    self.slots[at] = code + 1;
                    self.hashes.push(hash);
                    return (code, true);
                }
                slot if self.hashes[slot as usize - 1] == hash && same(slot - 1) => return (slot - 1, false),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// The hash of a code's value.
    pub(crate) fn hash(&self, code: usize) -> u64 {
        self.hashes[code]
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(16);
        self.slots.clear();
        self.slots.resize(len, 0);
        for (code, &hash) in self.hashes.iter().enumerate() {
            let mut at = hash as usize & (len - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = code as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::hash_integer;

    #[test]
    fn codes_are_given_once() {
        let mut table = CodeTable::default();
        for i in 0..1000u64 {
            assert_eq!(table.code(hash_integer(i), |_| true), (i as u32, true));
        }
        for i in 0..1000u64 {
            assert_eq!(table.code(hash_integer(i), |_| true), (i as u32, false));
            assert_eq!(table.hash(i as usize), hash_integer(i));
        }
        // One hash for all: only the test tells them apart.
        let (mut table, mut values) = (CodeTable::default(), Vec::new());
        let codes: Vec<u32> = ["a", "b", "a", "", "b", ""]
            .iter()
            .map(|text| {
                let (code, new) = table.code(7, |code| values[code as usize] == *text);
                if new {
                    values.push(*text);
                }
                code
            })
            .collect();
        assert_eq!(codes, [0, 1, 0, 2, 1, 2]);
    }
}
