//! One customer's rows in canonical order → its statistics, in one scan for both windows.

use crate::amount::AmountKind;
use crate::calendar::{Day, Window};
use crate::customers::cohorts::CohortTally;
use crate::history::event::{CHECK_BITS, When, ZERO, float_of, units_of};
use crate::history::{Extras, Reason};

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
        let what = fold(row.amount() ^ K[0], order.rotate_left(41) ^ row.day().0 as u64 ^ K[1]);
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

/// A customer's rows, sorted, with what belongs to them.
pub(crate) struct Customer<'a, F> {
    pub(crate) id_hash: u64,
    pub(crate) rows: &'a [Packed],
    pub(crate) extras: Extras,
    /// The extras of a row.
    pub(crate) extras_of: F,
}

impl<'a, F: Fn(Packed) -> &'a [u64]> Customer<'a, F> {
    #[inline]
    fn order(&self, row: Packed) -> u64 {
        if self.extras.order { self.extras.order_of((self.extras_of)(row)) } else { 0 }
    }

    /// Scans the rows. `tally` counts those used, `cohorts` what they say of cohorts, `aside` receives the others; the result is `None` for a customer who
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
        mut cohorts: Option<&mut CohortTally>,
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
        if let Some(cohorts) = &mut cohorts {
            cohorts.begin(first_order);
        }

        let (mut spend, mut total, mut repeats, mut holdout) =
            (M::Sum::default(), M::Sum::default(), M::Sum::default(), M::Sum::default());
        let (mut days, mut holdout_days, mut transactions, mut order_ids) = (0u32, 0u32, 0u32, 0u32);
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
                if self.extras.order {
                    // An order counts once a day: what is known of a day is complete when the day is over.
                    scratch.clear();
                    scratch.extend(orders.iter().map(|&row| self.order(row)));
                    scratch.sort_unstable();
                    scratch.dedup();
                    order_ids += scratch.len() as u32;
                }
            }
            if let Some(cohorts) = cohorts.as_deref_mut().filter(|_| !in_holdout) {
                cohorts.add_day(day, !orders.is_empty(), today.iter().map(|row| row.amount()));
            }
            for &row in today {
                tally.count(row, self.order(row), self.id_hash, in_holdout);
            }
        }
        total += spend;
        if days > 1 {
            repeats += spend;
        }
        let frequency = days - 1;
        Some(Statistics {
            monetary_value: if frequency == 0 { 0.0 } else { money.value(repeats) / f64::from(frequency) },
            total_spend: money.value(total),
            holdout_spend: money.value(holdout),
            first_order,
            last_order,
            frequency,
            orders: if self.extras.order { order_ids } else { days },
            transactions,
            holdout_frequency: holdout_days,
        })
    }
}
