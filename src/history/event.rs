//! One usable row: how day and amount are packed so that sorting bits sorts values.

use crate::amount::AmountKind;
use crate::calendar::Day;

/// Bits of the row number: histories of up to 2³⁶ rows (68 thousand million).
pub(crate) const ROW_BITS: u32 = 36;
/// Bits of the check between day and row number.
pub(crate) const CHECK_BITS: u32 = 11;

/// The key of amount 0, of either kind; refunds lie below it.
pub const ZERO: u64 = 1 << 63;

/// A possible day (17 bits), 11 bits of a hash of whatever else orders the row in time, and the row's number in the history
/// (36 bits). Equal rows have equal checks, and different rows of one customer, day and amount mostly differ, so that
/// few have to be compared in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub u64);

impl When {
    /// `day` is possible ([`Day::is_possible`]), `row` below 2³⁶.
    #[inline]
    pub fn new(day: Day, check: u64, row: u64) -> When {
        let day = ((day.0 - Day::EARLIEST.0) as u64) << (CHECK_BITS + ROW_BITS);
        When(day | (check & ((1 << CHECK_BITS) - 1)) << ROW_BITS | row)
    }

    /// The day.
    #[inline]
    pub fn day(self) -> Day {
        Day((self.0 >> (CHECK_BITS + ROW_BITS)) as i32 + Day::EARLIEST.0)
    }

    /// The check.
    #[inline]
    pub(crate) fn check(self) -> u64 {
        self.0 >> ROW_BITS & ((1 << CHECK_BITS) - 1)
    }

    /// The number of the row in the history, in reading order from 0.
    #[inline]
    pub fn row(self) -> u64 {
        self.0 & ((1 << ROW_BITS) - 1)
    }
}

/// The check of a time in ticks and an order id.
#[inline]
pub(crate) fn check(ticks: i64, order: u64) -> u64 {
    // The high half of a product mixes every bit of the input into it.
    let product =
        u128::from(ticks as u64 ^ order.rotate_left(31) ^ 0x9e37_79b9_7f4a_7c15) * 0xd1b5_4a32_d192_ed03;
    (product >> 64) as u64 ^ product as u64 >> 40
}

/// A usable row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its day and its number.
    pub when: When,
    /// Its amount as a sortable key ([`float_key`], [`units_key`]).
    pub amount: u64,
    /// What else the history has of each row, as [`crate::history::Extras`] lists it.
    pub extras: &'a [u64],
}

/// A finite amount as bits that sort like the amount (the IEEE total order); −0 counts as 0.
#[inline]
pub fn float_key(amount: f64) -> u64 {
    let bits = (amount + 0.0).to_bits();
    bits ^ (((bits as i64 >> 63) as u64) | ZERO)
}

/// The amount of a key made by [`float_key`].
#[inline]
pub fn float_of(key: u64) -> f64 {
    f64::from_bits(if key >= ZERO { key ^ ZERO } else { !key })
}

/// Exact units as bits that sort like them.
#[inline]
pub fn units_key(units: i64) -> u64 {
    units as u64 ^ ZERO
}

/// The units of a key made by [`units_key`].
#[inline]
pub fn units_of(key: u64) -> i64 {
    (key ^ ZERO) as i64
}

/// The amount of a key as text, as in "-12.50".
pub fn amount_text(key: u64, kind: AmountKind) -> String {
    match kind {
        AmountKind::Float => float_of(key).to_string(),
        AmountKind::Scaled { scale: 0 } => units_of(key).to_string(),
        AmountKind::Scaled { scale } => {
            let units = units_of(key);
            let digits = format!("{:0width$}", units.unsigned_abs(), width = usize::from(scale) + 1);
            let (whole, rest) = digits.split_at(digits.len() - usize::from(scale));
            format!("{}{whole}.{rest}", if units < 0 { "-" } else { "" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_like_amounts_and_come_back() {
        let amounts = [-1e300, -5.5, -1e-300, 0.0, 1e-300, 0.01, 7.0, 1e300];
        assert!(amounts.map(float_key).is_sorted());
        for x in amounts {
            assert_eq!(float_of(float_key(x)).to_bits(), x.to_bits());
        }
        assert_eq!(float_key(-0.0), ZERO);
        assert_eq!(float_key(0.0), ZERO);
        assert_eq!(units_key(0), ZERO);
        for x in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert_eq!(units_of(units_key(x)), x);
        }
        assert!(units_key(-1) < units_key(0));
    }

    #[test]
    fn days_pack() {
        let last = (1 << ROW_BITS) - 1;
        for day in [Day::EARLIEST, Day(0), Day(10_000), Day::LATEST] {
            for (check, row) in [(0, last), (u64::MAX, 0), (5, 7)] {
                let when = When::new(day, check, row);
                assert_eq!((when.day(), when.row()), (day, row));
                assert_eq!(when.check(), check & ((1 << CHECK_BITS) - 1));
            }
        }
        assert!(When::new(Day(5), u64::MAX, last) < When::new(Day(6), 0, 0));
    }

    #[test]
    fn amounts_print() {
        let scaled = |units, scale| amount_text(units_key(units), AmountKind::Scaled { scale });
        assert_eq!(scaled(-1250, 2), "-12.50");
        assert_eq!(scaled(-5, 3), "-0.005");
        assert_eq!(scaled(7, 0), "7");
        assert_eq!(amount_text(float_key(-2.5), AmountKind::Float), "-2.5");
    }
}
