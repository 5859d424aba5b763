//! One customer's rows in canonical order → its statistics, in one scan for both windows.

use crate::amount::AmountKind;
use crate::calendar::{Day, Window};
use crate::history::Reason;
use crate::history::event::{When, ZERO, float_of, units_of};
use crate::random::hash_integer;

/// Bits of a [`Packed`] below the check: the row's place in its partition.
const PLACE_BITS: u32 = 32;
/// Bits of the check of a [`When`].
const CHECK_BITS: u32 = 15;

/// Day (17 bits), amount (64), check (15) and place in the partition (32): sorting these numbers puts a customer's rows
/// in canonical order (day, then amount), and equal rows next to each other, without looking anything up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Packed(u128);

impl Packed {
    #[inline]
    pub(crate) fn new(when: When, amount: u64, place: u32) -> Packed {
        let (day, check) = (when.0 >> CHECK_BITS, when.0 & ((1 << CHECK_BITS) - 1));
        Packed(
            u128::from(day) << (64 + CHECK_BITS + PLACE_BITS)
                | u128::from(amount) << (CHECK_BITS + PLACE_BITS)
                | u128::from(check) << PLACE_BITS
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
    pub(crate) fn place(self) -> usize {
        self.0 as u32 as usize
    }

    /// The same row at another place.
    pub(crate) fn at_place(self, place: u32) -> Packed {
        Packed(self.0 >> PLACE_BITS << PLACE_BITS | u128::from(place))
    }

    /// Whether two rows agree in day, amount and check, so that they may be equal in every column.
    #[inline]
    pub(crate) fn may_equal(self, other: Packed) -> bool {
        self.0 >> PLACE_BITS == other.0 >> PLACE_BITS
    }

    #[inline]
    fn is_refund(self) -> bool {
        self.amount() < ZERO
    }
}

/// How amounts are added.
pub(crate) trait Money: Copy + Sync {
    /// A sum of amounts.
    type Sum: Copy + Default + std::ops::AddAssign;
    /// The amount of a key.
    fn of(self, key: u64) -> Self::Sum;
    /// A sum as a number.
    fn value(self, sum: Self::Sum) -> f64;
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
}

/// The statistics of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Statistics {
    /// The id as 64 bits, or the code of its text.
    pub(crate) id: u64,
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

    #[inline]
    fn count(&mut self, row: Packed, order: u64, id_hash: u64, holdout: bool) {
        if holdout {
            self.used_holdout += 1;
        } else {
            self.used += 1;
        }
        self.zero_amounts += u64::from(row.amount() == ZERO);
        self.refunds_netted += u64::from(row.is_refund());
        let what = hash_integer(row.amount().rotate_left(17) ^ row.day().0 as u64 ^ order.rotate_left(41));
        let mix = hash_integer(what.wrapping_add(id_hash));
        self.digest[0] = self.digest[0].wrapping_add(mix);
        self.digest[1] = self.digest[1].wrapping_add(hash_integer(mix ^ what));
    }
}

/// A customer's rows, sorted, with what belongs to them.
pub(crate) struct Customer<'a> {
    pub(crate) id: u64,
    pub(crate) id_hash: u64,
    pub(crate) rows: &'a [Packed],
    /// Orders by place, where the history has them.
    pub(crate) orders: Option<&'a [u64]>,
}

impl Customer<'_> {
    fn order(&self, row: Packed) -> u64 {
        self.orders.map_or(0, |orders| orders[row.place()])
    }

    /// Scans the rows. `tally` counts those used, `aside` receives the others; the result is `None` for a customer who
    /// has no order in the calibration window.
    ///
    /// A refund counts against the latest order day on or before it, so that it may lower an earlier day's spend; after
    /// the end of calibration it lowers the holdout's spend instead, because what is known later must not change the
    /// figures that are predicted from.
    pub(crate) fn scan<M: Money>(
        &self,
        money: M,
        window: Window,
        scratch: &mut Vec<u64>,
        tally: &mut Tally,
        mut aside: impl FnMut(Packed, Reason),
    ) -> Option<Statistics> {
        let first_order = self.rows.iter().find(|row| !row.is_refund()).map(|row| row.day());
        let orphans = first_order
            .map_or(self.rows.len(), |first| self.rows.iter().take_while(|row| row.day() < first).count());
        let (orphans, rows) = self.rows.split_at(orphans);
        for &row in orphans {
            aside(row, Reason::RefundWithoutOrder);
        }
        let first_order = first_order?;
        if first_order > window.calibration_end {
            for &row in rows {
                aside(row, Reason::NewInHoldout);
            }
            return None;
        }

        scratch.clear();
        let (mut spend, mut total, mut repeats, mut holdout) =
            (M::Sum::default(), M::Sum::default(), M::Sum::default(), M::Sum::default());
        let (mut days, mut holdout_days, mut transactions) = (0u32, 0u32, 0u32);
        let mut last_order = first_order;
        let mut rest = rows;
        while let Some(&row) = rest.first() {
            let day = row.day();
            let same_day = rest.iter().take_while(|row| row.day() == day).count();
            let (today, later) = rest.split_at(same_day);
            rest = later;
            let (refunds, orders) = today.split_at(today.iter().take_while(|row| row.is_refund()).count());
            let in_holdout = day > window.calibration_end;
            if in_holdout {
                let mut day_spend = M::Sum::default();
                for row in orders.iter().chain(refunds) {
                    day_spend += money.of(row.amount());
                }
                holdout += day_spend;
                holdout_days += u32::from(!orders.is_empty());
            } else {
                if !orders.is_empty() {
                    if days > 0 {
                        total += spend;
                    }
                    if days > 1 {
                        repeats += spend;
                    }
                    spend = M::Sum::default();
                    days += 1;
                    last_order = day;
                }
                for row in orders.iter().chain(refunds) {
                    spend += money.of(row.amount());
                }
                transactions += orders.len() as u32;
                if self.orders.is_some() {
                    scratch.extend(orders.iter().map(|&row| self.order(row)));
                }
            }
            for &row in today {
                tally.count(row, self.order(row), self.id_hash, in_holdout);
            }
        }
        total += spend;
        if days > 1 {
            repeats += spend;
        }
        let orders = if self.orders.is_some() {
            scratch.sort_unstable();
            scratch.dedup();
            scratch.len() as u32
        } else {
            days
        };
        let frequency = days - 1;
        Some(Statistics {
            id: self.id,
            monetary_value: if frequency == 0 { 0.0 } else { money.value(repeats) / f64::from(frequency) },
            total_spend: money.value(total),
            holdout_spend: money.value(holdout),
            first_order,
            last_order,
            frequency,
            orders,
            transactions,
            holdout_frequency: holdout_days,
        })
    }
}
