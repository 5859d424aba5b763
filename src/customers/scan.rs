//! One customer's rows in canonical order → its account, in one scan for both windows.

use crate::amount::AmountKind;
use crate::calendar::{Day, Window};
use crate::customers::account::{Account, LastValue, Periods};
use crate::customers::cohorts::CohortTally;
use crate::customers::statistics::{Money, Packed, Tally};
use crate::history::event::ZERO;
use crate::history::extras::{NO_COST, NO_VALUE};
use crate::history::{Extras, Reason};

/// What a scan has to know.
#[derive(Debug, Clone)]
pub(crate) struct ScanRule {
    pub(crate) window: Window,
    pub(crate) extras: Extras,
    /// How costs are added, where rows have them.
    pub(crate) costs: Option<AmountKind>,
    pub(crate) periods: Option<Periods>,
    /// Of each kept column the rank of each code: greater values have greater ranks.
    pub(crate) ranks: Vec<Vec<u32>>,
}

/// What is counted of all customers.
pub(crate) struct Counts<'a> {
    pub(crate) tally: &'a mut Tally,
    pub(crate) cohorts: Option<&'a mut CohortTally>,
    pub(crate) scratch: &'a mut Vec<u64>,
}

/// How rows say what they are.
pub(crate) trait View<'a> {
    /// A row in the form in which it is sorted: day, then amount.
    type Row: Copy;
    fn day(&self, row: Self::Row) -> Day;
    /// The amount's key.
    fn amount(&self, row: Self::Row) -> u64;
    fn extras(&self, row: Self::Row) -> &'a [u64];
}

/// The view of [`Packed`] rows, whose extras are found by their addresses.
pub(crate) struct PackedView<F>(pub(crate) F);

impl<'a, F: Fn(Packed) -> &'a [u64]> View<'a> for PackedView<F> {
    type Row = Packed;
    #[inline]
    fn day(&self, row: Packed) -> Day {
        row.day()
    }
    #[inline]
    fn amount(&self, row: Packed) -> u64 {
        row.amount()
    }
    #[inline]
    fn extras(&self, row: Packed) -> &'a [u64] {
        (self.0)(row)
    }
}

/// A customer's rows, sorted, with what belongs to them.
pub(crate) struct Customer<'r, R, V> {
    pub(crate) id_hash: u64,
    pub(crate) rows: &'r [R],
    pub(crate) view: V,
}

impl<'a, R: Copy, V: View<'a, Row = R>> Customer<'_, R, V> {
    #[inline]
    fn order(&self, row: R, rule: &ScanRule) -> u64 {
        if rule.extras.order { rule.extras.order_of(self.view.extras(row)) } else { 0 }
    }

    #[inline]
    fn is_refund(&self, row: R) -> bool {
        self.view.amount(row) < ZERO
    }

    /// Adds the rows to what is known of the customer. `counts` counts those used, `aside` receives the
    /// others; a customer
    /// who has no order in the calibration window has no days afterwards.
    ///
    /// A refund counts against the latest order day on or before it, so that it may lower an earlier day's spend; after
    /// the end of calibration it lowers the holdout's spend instead, because what is known later must not change the
    /// figures that are predicted from.
    pub(crate) fn scan<M: Money>(
        &self,
        money: M,
        rule: &ScanRule,
        account: &mut Account<M::Sum>,
        counts: &mut Counts<'_>,
        mut aside: impl FnMut(R, Reason),
    ) {
        let Counts { tally, cohorts, scratch } = counts;
        let mut rest = self.rows;
        if account.days == 0 {
            let first_order = rest.iter().find(|&&row| !self.is_refund(row)).map(|&row| self.view.day(row));
            let orphans = first_order.map_or(rest.len(), |first| {
                rest.iter().take_while(|&&row| self.view.day(row) < first).count()
            });
            let (orphans, rows) = rest.split_at(orphans);
            orphans.iter().for_each(|&row| aside(row, Reason::RefundWithoutOrder));
            if first_order.is_none_or(|first| first > rule.window.calibration_end) {
                rows.iter().for_each(|&row| aside(row, Reason::NewInHoldout));
                return;
            }
            rest = rows;
        }
        if let Some(cohorts) = cohorts {
            let known = (account.days > 0).then_some((Day(account.first_order), Day(account.last_order)));
            if let Some(first) = known.map(|(first, _)| first).or(rest.first().map(|&row| self.view.day(row)))
            {
                cohorts.begin(first, known.map(|(_, last)| last));
            }
        }
        let more = rule.costs.is_some() || !rule.ranks.is_empty();
        let periods = rule.periods.as_ref();
        while let Some(&row) = rest.first() {
            let day = self.view.day(row);
            let same_day = rest.iter().take_while(|&&row| self.view.day(row) == day).count();
            let (today, later) = rest.split_at(same_day);
            rest = later;
            let (refunds, orders) =
                today.split_at(today.iter().take_while(|&&row| self.is_refund(row)).count());
            let in_holdout = day > rule.window.calibration_end;
            if in_holdout {
                let mut day_spend = M::Sum::default();
                for &row in orders.iter().chain(refunds) {
                    day_spend += money.of(self.view.amount(row));
                }
                account.holdout += day_spend;
                account.holdout_days += u32::from(!orders.is_empty());
            } else {
                if !orders.is_empty() {
                    account.begin_day(day, periods);
                    account.count_orders(self.order_count(orders, rule, scratch), periods);
                }
                for &row in orders.iter().chain(refunds) {
                    account.pending += money.of(self.view.amount(row));
                }
                account.transactions += orders.len() as u32;
                if more {
                    self.add_more(today, rule, account, scratch);
                }
            }
            match cohorts {
                Some(cohorts) if !in_holdout => {
                    cohorts.add_day(day, !orders.is_empty(), today.iter().map(|&row| self.view.amount(row)));
                }
                Some(cohorts) if !orders.is_empty() => cohorts.add_holdout_order(day),
                _ => {}
            }
            for &row in today {
                tally.count(day, self.view.amount(row), self.order(row, rule), self.id_hash, in_holdout);
            }
        }
    }

    /// Orders of a day. An order id counts once a day: what is known of a day is complete when the day is over.
    #[inline]
    fn order_count(&self, orders: &[R], rule: &ScanRule, scratch: &mut Vec<u64>) -> u32 {
        if !rule.extras.order {
            return 1;
        }
        scratch.clear();
        scratch.extend(orders.iter().map(|&row| self.order(row, rule)));
        scratch.sort_unstable();
        scratch.dedup();
        scratch.len() as u32
    }

    /// Costs and kept values of a day.
    fn add_more<S>(&self, today: &[R], rule: &ScanRule, account: &mut Account<S>, scratch: &mut Vec<u64>) {
        if let Some(kind) = rule.costs {
            // In the order of the costs, since rows of one amount stand in no order of their own.
            scratch.clear();
            scratch.extend(today.iter().map(|&row| rule.extras.cost_of(self.view.extras(row))));
            scratch.sort_unstable();
            scratch.iter().filter(|&&key| key != NO_COST).for_each(|&key| account.cost.add(key, kind));
        }
        for &row in today {
            let extras = self.view.extras(row);
            for (column, ranks) in rule.ranks.iter().enumerate() {
                let code = rule.extras.code_of(extras, column);
                if code == NO_VALUE {
                    continue;
                }
                let found = LastValue { tick: rule.extras.tick_of(extras), code };
                let known = account.kept[column];
                let rank = |value: LastValue| (value.tick, ranks[value.code as usize]);
                if known.code == NO_VALUE || rank(found) > rank(known) {
                    account.kept[column] = found;
                }
            }
        }
    }
}

impl ScanRule {
    /// The calibration window's end.
    pub(crate) fn end(&self) -> Day {
        self.window.calibration_end
    }

    /// An account as it is before a customer's first row.
    #[inline]
    pub(crate) fn clear<S: Copy + Default + std::ops::AddAssign>(&self, account: &mut Account<S>) {
        account.clear(self.periods.as_ref().map_or(0, Periods::len), self.ranks.len());
    }
}

/// What [`Customer::scan`] does, for rows of orders that are all used, of a history that has nothing but amounts.
///
/// Rows are handed over as day, amount's key; they are most of all rows there are, and this is most of the work.
#[inline]
pub(crate) fn scan_orders<M: Money>(
    rows: impl Iterator<Item = (Day, u64)>,
    id_hash: u64,
    money: M,
    end: Day,
    account: &mut Account<M::Sum>,
    tally: &mut Tally,
) {
    // As in `Account::begin_day`, but in registers.
    let mut days = [0u32; 2];
    let mut last = [Day(i32::MIN); 2];
    let (mut total, mut repeats, mut pending) = (M::Sum::default(), M::Sum::default(), M::Sum::default());
    let (mut gap_squares, mut used) = (0u64, [0u32; 2]);
    let (mut holdout, mut day_spend) = (M::Sum::default(), M::Sum::default());
    for (day, amount) in rows {
        let later = usize::from(day > end);
        used[later] += 1;
        tally.mix(day, amount, 0, id_hash);
        let value = money.of(amount);
        if later == 0 {
            if day != last[0] {
                if days[0] == 0 {
                    account.first_order = day.0;
                } else {
                    total += pending;
                    if days[0] > 1 {
                        repeats += pending;
                    }
                    let gap = (day.0 - last[0].0) as u64;
                    gap_squares += gap * gap;
                }
                pending = M::Sum::default();
                days[0] += 1;
                last[0] = day;
            }
            pending += value;
        } else {
            if day != last[1] {
                holdout += day_spend;
                day_spend = M::Sum::default();
                days[1] += 1;
                last[1] = day;
            }
            day_spend += value;
        }
        tally.zero_amounts += u64::from(amount == ZERO);
    }
    holdout += day_spend;
    tally.used += u64::from(used[0]);
    tally.used_holdout += u64::from(used[1]);
    account.days = days[0];
    account.last_order = last[0].0;
    // One order a day.
    account.order_ids = days[0];
    account.transactions = used[0];
    account.gap_squares = gap_squares;
    (account.total, account.repeats, account.pending) = (total, repeats, pending);
    (account.holdout_days, account.holdout) = (days[1], holdout);
}
