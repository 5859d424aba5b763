//! What is known of one customer up to a day, in a form that later days can be added to from left to right.

use crate::amount::AmountKind;
use crate::calendar::{CalendarPeriod, Day};
use crate::customers::statistics::{Money, Statistics};
use crate::history::event::{float_of, units_of};

/// The last periods of the calendar for which orders and spend are kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Periods {
    pub(crate) period: CalendarPeriod,
    /// First day of each, in order, and the day after the last.
    starts: Vec<Day>,
}

impl Periods {
    /// The last `count` periods up to and with that of `end`.
    pub(crate) fn new(period: CalendarPeriod, count: usize, end: Day) -> Periods {
        let first = period.index(end) - count as i32 + 1;
        let starts = (first..=first + count as i32).map(|index| period.start(index)).collect();
        Periods { period, starts }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of the first.
    pub(crate) fn first(&self) -> i32 {
        self.period.index(self.starts[0])
    }

    /// The period of a day; `None` before the first.
    #[inline]
    fn slot(&self, day: Day) -> Option<usize> {
        self.starts.partition_point(|&start| start <= day).checked_sub(1).filter(|&slot| slot < self.len())
    }
}

/// A sum of costs of a kind of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct CostSum {
    exact: i128,
    float: f64,
}

impl CostSum {
    /// Adds the cost of a key.
    #[inline]
    pub(crate) fn add(&mut self, key: u64, kind: AmountKind) {
        match kind {
            AmountKind::Float => self.float += float_of(key),
            AmountKind::Scaled { .. } => self.exact += i128::from(units_of(key)),
        }
    }

    /// The sum as a number.
    pub(crate) fn value(self, kind: AmountKind) -> f64 {
        match kind {
            AmountKind::Float => self.float,
            AmountKind::Scaled { scale } => AmountKind::scaled_to_f64(self.exact, scale),
        }
    }

    /// The sum as words.
    pub(crate) fn words(self, kind: AmountKind) -> [u64; 2] {
        match kind {
            AmountKind::Float => [self.float.to_bits(), 0],
            AmountKind::Scaled { .. } => halves(self.exact),
        }
    }

    /// The sum of words.
    pub(crate) fn of_words(words: [u64; 2], kind: AmountKind) -> CostSum {
        match kind {
            AmountKind::Float => CostSum { float: f64::from_bits(words[0]), exact: 0 },
            AmountKind::Scaled { .. } => CostSum { exact: whole(words), float: 0.0 },
        }
    }
}

/// The two words of an exact sum.
pub(crate) fn halves(sum: i128) -> [u64; 2] {
    [sum as u64, (sum >> 64) as u64]
}

/// The exact sum of two words.
pub(crate) fn whole([low, high]: [u64; 2]) -> i128 {
    (i128::from(high as i64) << 64) | i128::from(low)
}

/// Orders and spend of a period.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct PeriodSum<S> {
    pub(crate) orders: u32,
    pub(crate) spend: S,
}

/// The last known value of a kept column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LastValue {
    /// When it was seen, sortable.
    pub(crate) tick: u64,
    /// Its code; 0 for none.
    pub(crate) code: u32,
}

/// What is known of one customer; `S` is a sum of amounts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Account<S> {
    /// Days with an order. The other figures mean something only if there is one.
    pub(crate) days: u32,
    pub(crate) first_order: i32,
    pub(crate) last_order: i32,
    /// Distinct order ids of each day.
    pub(crate) order_ids: u32,
    /// Rows with an order.
    pub(crate) transactions: u32,
    /// Sum of the squares of the days between one order day and the next.
    pub(crate) gap_squares: u64,
    /// Spend of the order days before the last, and of those of them after the first.
    pub(crate) total: S,
    pub(crate) repeats: S,
    /// Spend of the last order day, which a refund may still lower.
    pub(crate) pending: S,
    pub(crate) cost: CostSum,
    pub(crate) periods: Vec<PeriodSum<S>>,
    pub(crate) kept: Vec<LastValue>,
    pub(crate) holdout_days: u32,
    pub(crate) holdout: S,
}

impl<S: Copy + Default + std::ops::AddAssign> Account<S> {
    /// Forgets everything; the lengths of the lists stay.
    #[inline]
    pub(crate) fn clear(&mut self, periods: usize, kept: usize) {
        let (mut lists, mut values) = (std::mem::take(&mut self.periods), std::mem::take(&mut self.kept));
        lists.clear();
        lists.resize(periods, PeriodSum::default());
        values.clear();
        values.resize(kept, LastValue::default());
        *self = Account { periods: lists, kept: values, ..Account::default() };
    }

    /// Begins a day with an order.
    #[inline]
    pub(crate) fn begin_day(&mut self, day: Day, periods: Option<&Periods>) {
        if self.days == 0 {
            self.first_order = day.0;
        } else {
            self.total += self.pending;
            if self.days > 1 {
                self.repeats += self.pending;
            }
            if let Some(slot) = periods.and_then(|periods| periods.slot(Day(self.last_order))) {
                self.periods[slot].spend += self.pending;
            }
            let gap = (day.0 - self.last_order) as u64;
            self.gap_squares += gap * gap;
        }
        self.pending = S::default();
        self.days += 1;
        self.last_order = day.0;
    }

    /// Counts orders of the day that was begun last.
    #[inline]
    pub(crate) fn count_orders(&mut self, orders: u32, periods: Option<&Periods>) {
        self.order_ids += orders;
        if let Some(slot) = periods.and_then(|periods| periods.slot(Day(self.last_order))) {
            self.periods[slot].orders += orders;
        }
    }

    /// Orders and spend of each period, the last day's spend included.
    pub(crate) fn period_sums(&self, periods: Option<&Periods>) -> Vec<PeriodSum<S>> {
        let mut out = self.periods.clone();
        if let Some(slot) = periods.and_then(|periods| periods.slot(Day(self.last_order))) {
            out[slot].spend += self.pending;
        }
        out
    }

    /// The figures of the customer table.
    #[inline]
    pub(crate) fn statistics<M: Money<Sum = S>>(&self, money: M) -> Statistics {
        let frequency = self.days - 1;
        let (mut total, mut repeats) = (self.total, self.repeats);
        total += self.pending;
        if self.days > 1 {
            repeats += self.pending;
        }
        Statistics {
            monetary_value: if frequency == 0 { 0.0 } else { money.value(repeats) / f64::from(frequency) },
            total_spend: money.value(total),
            holdout_spend: money.value(self.holdout),
            first_order: Day(self.first_order),
            last_order: Day(self.last_order),
            frequency,
            orders: self.order_ids,
            transactions: self.transactions,
            holdout_frequency: self.holdout_days,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        let periods = Periods::new(CalendarPeriod::Quarter, 3, day("2026-02-10"));
        assert_eq!(periods.len(), 3);
        assert_eq!(CalendarPeriod::Quarter.label(periods.first()), "2025-Q3");
        assert_eq!(periods.slot(day("2025-06-30")), None);
        assert_eq!(periods.slot(day("2025-07-01")), Some(0));
        assert_eq!(periods.slot(day("2026-01-01")), Some(2));
        assert_eq!(periods.slot(day("2026-04-01")), None);
    }

    #[test]
    fn exact_sums_are_words() {
        for sum in [0, 1, -1, i128::from(i64::MAX) * 3, i128::MIN] {
            assert_eq!(whole(halves(sum)), sum);
        }
    }
}
