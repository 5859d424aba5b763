//! The word that says day, amount and check of a narrow row, and sorts like them.

use crate::calendar::Day;
use crate::customers::narrow::short::Short;
use crate::customers::scan::View;
use crate::history::event::{CHECK_BITS, When};

/// Bits below the day, and below the amount.
const BELOW_DAY: u32 = 32 + BELOW_AMOUNT;
const BELOW_AMOUNT: u32 = CHECK_BITS + 4;

/// What a narrow row's last word says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NarrowView(pub(crate) Short);

impl View<'static> for NarrowView {
    type Row = u64;
    #[inline]
    fn day(&self, row: u64) -> Day {
        Day((row >> BELOW_DAY) as i32 + Day::EARLIEST.0)
    }
    #[inline]
    fn amount(&self, row: u64) -> u64 {
        self.0.key((row >> BELOW_AMOUNT) as u32)
    }
    #[inline]
    fn extras(&self, _: u64) -> &'static [u64] {
        &[]
    }
}

impl NarrowView {
    /// Whether the amount is below 0.
    #[inline]
    pub(crate) fn is_refund(row: u64) -> bool {
        row >> (BELOW_AMOUNT + 31) & 1 == 0
    }

    /// Whether no amount is below 0.
    #[inline]
    pub(crate) fn are_orders(rows: &[u64]) -> bool {
        !NarrowView::is_refund(rows.iter().fold(u64::MAX, |all, row| all & row))
    }

    /// The head of a row's record of the usual kind.
    #[inline]
    pub(crate) fn head(&self, id: u64, row: u64, number: u64) -> [u64; 3] {
        let check = row >> 4 & ((1 << CHECK_BITS) - 1);
        [id, self.amount(row), When::new(self.day(row), check, number).0]
    }

    /// The greatest word of a row of that day.
    pub(crate) fn last_of(day: Day) -> u64 {
        let days = day.clamp(Day::EARLIEST, Day::LATEST).0 - Day::EARLIEST.0;
        (days as u64) << BELOW_DAY | ((1 << BELOW_DAY) - 1)
    }

    /// The word of a row.
    #[inline]
    pub(super) fn pack(when: When, amount: u32) -> u64 {
        // The day is in the same place.
        when.0 >> BELOW_DAY << BELOW_DAY | u64::from(amount) << BELOW_AMOUNT | when.check() << 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{ZERO, float_key};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_come_back_and_sort(
            days in [-20_000..20_000i32, -20_000..20_000],
            cents in any::<[i32; 2]>(),
            checks in any::<[u64; 2]>(),
            number in 0..1u64 << 32,
        ) {
            let view = NarrowView(Short::Parts(100.0));
            let made = [0, 1].map(|i| {
                let when = When::new(Day(days[i]), checks[i], number);
                let key = float_key(f64::from(cents[i]) / 100.0);
                let row = NarrowView::pack(when, view.0.pack(key).unwrap());
                assert_eq!(view.head(7, row, number), [7, key, when.0]);
                assert_eq!(NarrowView::is_refund(row), key < ZERO);
                (row, (when.day(), key, when.check()))
            });
            prop_assert_eq!(made[0].0.cmp(&made[1].0), made[0].1.cmp(&made[1].1));
        }
    }
}
