//! Amounts as whole numbers of 32 bits, where they are money of a few decimals.

use crate::amount::AmountKind;
use crate::history::event::{float_key, float_of, units_key, units_of};

/// If more than one amount in so many does not fit, none is tried.
const FEW: usize = 16;

/// Amounts as whole numbers of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Short {
    /// Units as they are.
    Units,
    /// Numbers that are the nearest to so many hundredths, or other parts.
    Parts(f64),
}

/// Parts of the unit that floating-point amounts may be in: whole numbers, cents, mills, tenths of mills.
const PARTS: [f64; 4] = [1.0, 100.0, 1000.0, 10_000.0];

/// 1.5 · 2⁵².
const ROUNDER: f64 = 6_755_399_441_055_744.0;

impl Short {
    /// The way in which most of these amounts fit, if nearly all do.
    pub(super) fn of(keys: &[u64], kind: AmountKind) -> Option<Short> {
        let misfits = |short: Short| keys.iter().filter(|&&key| short.pack(key).is_none()).count();
        let all: &[Short] = match kind {
            AmountKind::Scaled { .. } => &[Short::Units],
            AmountKind::Float => &PARTS.map(Short::Parts),
        };
        // Of several that are equally good, the coarsest.
        let (misfits, short) =
            all.iter().map(|&short| (misfits(short), short)).min_by_key(|&(misfits, _)| misfits)?;
        (misfits * FEW <= keys.len()).then_some(short)
    }

    /// An amount of 32 bits that sorts like its key; `None` if it does not fit exactly.
    #[inline]
    pub(crate) fn pack(self, key: u64) -> Option<u32> {
        let whole = match self {
            Short::Units => i32::try_from(units_of(key)).ok()?,
            Short::Parts(parts) => {
                let amount = float_of(key);
                // Added to 1.5 · 2⁵², a number that is not too large is rounded to a whole one, which then stands in the
                // low bits.
                let moved = amount * parts + ROUNDER;
                let whole = moved - ROUNDER;
                if whole / parts != amount || whole.abs() > f64::from(i32::MAX) {
                    return None;
                }
                moved.to_bits() as i32
            }
        };
        Some(whole as u32 ^ 1 << 31)
    }

    /// Packs amounts as [`Short::pack`] does. Returns whether all fit; if not, what is in `out` means nothing.
    ///
    /// Rows are many: without branches several are packed at a time.
    #[inline]
    pub(super) fn pack_all(self, keys: &[u64], out: &mut [u32]) -> bool {
        let mut fit = true;
        match self {
            Short::Units => {
                for (&key, out) in keys.iter().zip(out) {
                    let units = units_of(key);
                    fit &= i64::from(units as i32) == units;
                    *out = units as u32 ^ 1 << 31;
                }
            }
            Short::Parts(parts) => {
                for (&key, out) in keys.iter().zip(out) {
                    let amount = float_of(key);
                    let moved = amount * parts + ROUNDER;
                    let whole = moved - ROUNDER;
                    fit &= (whole / parts == amount) & (whole.abs() <= f64::from(i32::MAX));
                    *out = moved.to_bits() as u32 ^ 1 << 31;
                }
            }
        }
        fit
    }

    /// The amount's key.
    #[inline]
    pub(crate) fn key(self, packed: u32) -> u64 {
        let whole = (packed ^ 1 << 31) as i32;
        match self {
            Short::Units => units_key(i64::from(whole)),
            Short::Parts(parts) => float_key(f64::from(whole) / parts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_fit_or_do_not() {
        let cents = Short::Parts(100.0);
        for x in [0.0, 0.01, 19.99, -19.99, 1234.5, -0.07, 21_474_836.47] {
            let packed = cents.pack(float_key(x)).unwrap();
            assert_eq!(float_of(cents.key(packed)).to_bits(), x.to_bits());
        }
        for x in [0.001, 1e-300, 0.1 + 0.2, 21_474_836.48, -1e300, 1e300, f64::MIN_POSITIVE] {
            assert_eq!(cents.pack(float_key(x)), None, "{x}");
        }
        for units in [0, 1, -1, i64::from(i32::MAX), i64::from(i32::MIN)] {
            let packed = Short::Units.pack(units_key(units)).unwrap();
            assert_eq!(units_of(Short::Units.key(packed)), units);
        }
        assert_eq!(Short::Units.pack(units_key(1 << 31)), None);
    }

    #[test]
    fn the_coarsest_parts_are_chosen() {
        let of = |amounts: &[f64]| {
            let keys: Vec<u64> = amounts.iter().map(|&amount| float_key(amount)).collect();
            Short::of(&keys, AmountKind::Float)
        };
        assert_eq!(of(&[5.0, -3.0]), Some(Short::Parts(1.0)));
        assert_eq!(of(&[5.0, 3.25]), Some(Short::Parts(100.0)));
        assert_eq!(of(&[5.0, 3.255]), Some(Short::Parts(1000.0)));
        assert_eq!(of(&[5.0, 1.0 / 3.0]), None);
        let mut mostly = vec![5.25; 100];
        mostly[7] = 1.0 / 3.0;
        assert_eq!(of(&mostly), Some(Short::Parts(100.0)));
    }

    proptest! {
        #[test]
        fn together_as_one_by_one(
            values in prop::collection::vec(prop_oneof![(-5000..5000i64).prop_map(|c| c as f64 / 100.0), any::<f64>()], 1..40),
            units in prop::collection::vec(prop_oneof![-5000..5000i64, any::<i64>()], 1..40),
        ) {
            let floats: Vec<u64> = values.iter().filter(|x| x.is_finite()).map(|&x| float_key(x)).collect();
            let units: Vec<u64> = units.iter().map(|&units| units_key(units)).collect();
            for (short, keys) in [(Short::Parts(100.0), floats), (Short::Parts(1000.0), vec![]), (Short::Units, units)] {
                let mut out = vec![0; keys.len()];
                let all = short.pack_all(&keys, &mut out);
                let one_by_one: Option<Vec<u32>> = keys.iter().map(|&key| short.pack(key)).collect();
                prop_assert_eq!(all.then_some(out), one_by_one);
            }
        }
    }
}
