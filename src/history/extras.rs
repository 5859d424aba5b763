//! What events carry beside customer, day and amount, and how it lies in their words.

/// Which words an [`Event`](crate::history::event::Event) has beside day, amount and customer.
///
/// In this order: the order; the cost (or margin) as a sortable key like the amount's; and, where columns are kept, the time in
/// ticks (sortable, all of one unit) and the codes of the kept values, two to a word, the first in the low half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// The order as 64 bits.
    pub order: bool,
    /// The cost or the margin.
    pub cost: bool,
    /// How many columns are kept.
    pub keep: usize,
}

/// The key of a cost that is not known. No amount has it.
pub const NO_COST: u64 = u64::MAX;

/// The code of a value that is null.
pub const NO_VALUE: u32 = 0;

impl Extras {
    /// Words of each event.
    pub fn words(self) -> usize {
        let kept = if self.keep == 0 { 0 } else { 1 + self.keep.div_ceil(2) };
        usize::from(self.order) + usize::from(self.cost) + kept
    }

    /// The order of an event with these extras; 0 where the history has none.
    #[inline]
    pub fn order_of(self, extras: &[u64]) -> u64 {
        if self.order { extras[0] } else { 0 }
    }

    /// The cost's key, or [`NO_COST`].
    #[inline]
    pub fn cost_of(self, extras: &[u64]) -> u64 {
        if self.cost { extras[usize::from(self.order)] } else { NO_COST }
    }

    /// The time: a number that sorts like it. 0 where nothing is kept.
    #[inline]
    pub fn tick_of(self, extras: &[u64]) -> u64 {
        if self.keep > 0 { extras[self.first_kept()] } else { 0 }
    }

    /// The code of kept column `column`.
    #[inline]
    pub fn code_of(self, extras: &[u64], column: usize) -> u32 {
        let word = extras[self.first_kept() + 1 + column / 2];
        if column.is_multiple_of(2) { word as u32 } else { (word >> 32) as u32 }
    }

    fn first_kept(self) -> usize {
        usize::from(self.order) + usize::from(self.cost)
    }

    /// Appends the words of an event: what is not carried is passed over.
    pub fn push(self, order: u64, cost: u64, tick: i64, codes: &[u32], out: &mut Vec<u64>) {
        if self.order {
            out.push(order);
        }
        if self.cost {
            out.push(cost);
        }
        if self.keep > 0 {
            out.push(tick as u64 ^ (1 << 63));
            out.extend(
                codes.chunks(2).map(|pair| {
                    u64::from(pair[0]) | u64::from(pair.get(1).copied().unwrap_or(NO_VALUE)) << 32
                }),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for (order, cost, keep) in [(true, true, 3), (false, true, 0), (true, false, 2), (false, false, 0)] {
            let extras = Extras { order, cost, keep };
            let mut words = Vec::new();
            extras.push(7, 8, -5, &[1, 2, 3][..keep], &mut words);
            assert_eq!(words.len(), extras.words());
            assert_eq!(extras.order_of(&words), if order { 7 } else { 0 });
            assert_eq!(extras.cost_of(&words), if cost { 8 } else { NO_COST });
            for column in 0..keep {
                assert_eq!(extras.code_of(&words, column), column as u32 + 1);
            }
            if keep > 0 {
                assert!(extras.tick_of(&words) < 1 << 63);
            }
        }
    }
}
