//! The statistics of a customer, a row as it is sorted, and how amounts are added and rows counted.

use crate::amount::AmountKind;
use crate::calendar::Day;
use crate::customers::account::{halves, whole};
use crate::history::event::{CHECK_BITS, When, ZERO, float_of, units_of};

/// Bits of a [`Packed`] below the check: the record's address in its partition.
const PLACE_BITS: u32 = 36;

/// Day (17 bits), amount (64), check (11) and address in the partition (36): sorting these numbers puts a customer's rows
/// in canonical order (day, then amount), and equal rows next to each other, without looking anything up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Packed(u128);

impl Packed {
    #[inline]
    pub(crate) fn new(when: When, amount: u64, place: u64) -> Packed {
        let day = (when.day().0 - Day::EARLIEST.0) as u128;
        Packed(
            day << (64 + CHECK_BITS + PLACE_BITS)
                | u128::from(amount) << (CHECK_BITS + PLACE_BITS)
                | u128::from(when.check()) << PLACE_BITS
                | u128::from(place),
        )
    }

    #[inline]
    pub(crate) fn day(self) -> Day {
        Day((self.0 >> (64 + CHECK_BITS + PLACE_BITS)) as i32 + Day::EARLIEST.0)
    }

    #[inline]
    pub(crate) fn amount(self) -> u64 {
        (self.0 >> (CHECK_BITS + PLACE_BITS)) as u64
    }

    #[inline]
    pub(crate) fn place(self) -> u64 {
        self.0 as u64 & ((1 << PLACE_BITS) - 1)
    }

    /// Whether two rows agree in day, amount and check, so that they may be equal in every column.
    #[inline]
    pub(crate) fn may_equal(self, other: Packed) -> bool {
        self.0 >> PLACE_BITS == other.0 >> PLACE_BITS
    }
}

/// How amounts are added.
pub(crate) trait Money: Copy + Send + Sync {
    /// A sum of amounts.
    type Sum: Copy + Default + std::ops::AddAssign + std::fmt::Debug;
    /// The amount of a key.
    fn of(self, key: u64) -> Self::Sum;
    /// A sum as a number.
    fn value(self, sum: Self::Sum) -> f64;
    /// A sum as words.
    fn words(self, sum: Self::Sum) -> [u64; 2];
    /// The sum of words.
    fn of_words(self, words: [u64; 2]) -> Self::Sum;
}

/// Floating point, added in canonical order.
#[derive(Clone, Copy)]
pub(crate) struct Floats;

impl Money for Floats {
    type Sum = f64;
    #[inline]
    fn of(self, key: u64) -> f64 {
        float_of(key)
    }
    #[inline]
    fn value(self, sum: f64) -> f64 {
        sum
    }
    fn words(self, sum: f64) -> [u64; 2] {
        [sum.to_bits(), 0]
    }
    fn of_words(self, words: [u64; 2]) -> f64 {
        f64::from_bits(words[0])
    }
}

/// Whole units of 10^-scale, added exactly: 2³² rows of 64 bits stay within 96.
#[derive(Clone, Copy)]
pub(crate) struct Units {
    pub(crate) scale: u8,
}

impl Money for Units {
    type Sum = i128;
    #[inline]
    fn of(self, key: u64) -> i128 {
        i128::from(units_of(key))
    }
    #[inline]
    fn value(self, sum: i128) -> f64 {
        AmountKind::scaled_to_f64(sum, self.scale)
    }
    fn words(self, sum: i128) -> [u64; 2] {
        halves(sum)
    }
    fn of_words(self, words: [u64; 2]) -> i128 {
        whole(words)
    }
}

/// The statistics of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) monetary_value: f64,
    pub(crate) total_spend: f64,
    pub(crate) holdout_spend: f64,
    pub(crate) first_order: Day,
    pub(crate) last_order: Day,
    pub(crate) frequency: u32,
    pub(crate) orders: u32,
    pub(crate) transactions: u32,
    pub(crate) holdout_frequency: u32,
}

/// Rows counted, and the digest of those used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) used: u64,
    pub(crate) used_holdout: u64,
    pub(crate) zero_amounts: u64,
    pub(crate) refunds_netted: u64,
    /// Wrapping sums of two 64-bit mixes of each used row: the same for any order of rows.
    pub(crate) digest: [u64; 2],
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Tally) {
        self.used += other.used;
        self.used_holdout += other.used_holdout;
        self.zero_amounts += other.zero_amounts;
        self.refunds_netted += other.refunds_netted;
        for (sum, x) in self.digest.iter_mut().zip(other.digest) {
            *sum = sum.wrapping_add(x);
        }
    }

    pub(crate) fn subtract(&mut self, other: &Tally) {
        self.used -= other.used;
        self.used_holdout -= other.used_holdout;
        self.zero_amounts -= other.zero_amounts;
        self.refunds_netted -= other.refunds_netted;
        for (sum, x) in self.digest.iter_mut().zip(other.digest) {
            *sum = sum.wrapping_sub(x);
        }
    }

    /// Counts a row that is used.
    #[inline]
    pub(crate) fn count(&mut self, day: Day, amount: u64, order: u64, id_hash: u64, holdout: bool) {
        if holdout {
            self.used_holdout += 1;
        } else {
            self.used += 1;
        }
        self.zero_amounts += u64::from(amount == ZERO);
        self.refunds_netted += u64::from(amount < ZERO);
        self.mix(day, amount, order, id_hash);
    }

    /// Adds a row to the digest.
    #[inline]
    pub(crate) fn mix(&mut self, day: Day, amount: u64, order: u64, id_hash: u64) {
        let what = fold(amount ^ K[0], order.rotate_left(41) ^ day.0 as u64 ^ K[1]);
        let mix = u128::from((what.0 ^ what.1) ^ id_hash) * u128::from(K[2]);
        self.digest[0] = self.digest[0].wrapping_add(mix as u64 ^ what.0);
        self.digest[1] = self.digest[1].wrapping_add((mix >> 64) as u64 ^ what.1.rotate_left(32));
    }
}

/// Odd numbers without a pattern (fractional digits of pi).
const K: [u64; 3] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1];

/// The halves of a product.
#[inline]
fn fold(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    (product as u64, (product >> 64) as u64)
}
