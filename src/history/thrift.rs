//! Whether a footer's sizes can be true, before a library reserves memory for what they say.
//!
//! A footer is one struct in Thrift's compact protocol. Each element of a list takes at least a byte: a list of two
//! thousand million row groups in a footer of a few hundred bytes is damage, and to make room for it ends the process.

/// Deepest nesting that is followed; Parquet's footers nest about ten deep.
const DEEPEST: usize = 64;

/// Whether the bytes begin with one whole struct all of whose sizes fit into them.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    Walk { rest: bytes }.skip(STRUCT, DEEPEST).is_some()
}

const STRUCT: u8 = 12;

struct Walk<'a> {
    rest: &'a [u8],
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take(&mut self, bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    /// A number of seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Passes over a value of that type.
    fn skip(&mut self, kind: u8, deepest: usize) -> Option<()> {
        let deeper = deepest.checked_sub(1)?;
        match kind {
            // True and false, which a field holds in its type.
            1 | 2 => Some(()),
            3 => self.take(1),
            4..=6 => self.number().map(|_| ()),
            7 => self.take(8),
            8 => {
                let length = self.number()?;
                self.take(length)
            }
            9 | 10 => {
                let header = self.byte()?;
                let size = if header >> 4 == 15 { self.number()? } else { u64::from(header >> 4) };
                self.elements(size, &[header & 0x0f], deeper)
            }
            11 => match self.number()? {
                0 => Some(()),
                size => {
                    let kinds = self.byte()?;
                    self.elements(size, &[kinds >> 4, kinds & 0x0f], deeper)
                }
            },
            STRUCT => loop {
                let header = self.byte()?;
                if header == 0 {
                    return Some(());
                }
                // Far from the field before it, a field's number follows.
                if header >> 4 == 0 {
                    self.number()?;
                }
                self.skip(header & 0x0f, deeper)?;
            },
            13 => self.take(16),
            _ => None,
        }
    }

    fn elements(&mut self, size: u64, kinds: &[u8], deeper: usize) -> Option<()> {
        if size > self.rest.len() as u64 {
            return None;
        }
        for _ in 0..size {
            for &kind in kinds {
                match kind {
                    // Of their own, they take a byte.
                    1 | 2 => self.take(1)?,
                    _ => self.skip(kind, deeper)?,
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_to_fit() {
        // Field 1: a list of three numbers; field 2: text; field 3: a map of a text to a struct.
        let whole = [0x19, 0x35, 1, 2, 0x80, 1, 0x18, 2, b'h', b'i', 0x1b, 1, 0x8c, 1, b'k', 0, 0];
        assert!(is_whole(&whole));
        for end in 0..whole.len() {
            assert!(!is_whole(&whole[..end]), "{end}");
        }
        // A list of 2^31 − 1 structs.
        let mut absurd = vec![0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07];
        absurd.extend([0; 1000]);
        assert!(!is_whole(&absurd));
        assert!(!is_whole(&[0x1c; 1000]), "too deep");
        assert!(!is_whole(&[0x1e, 0]), "no such type");
    }
}
