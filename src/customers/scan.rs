//! One customer's rows in canonical order → its account, in one scan for both windows.

use crate::amount::AmountKind;
use crate::calendar::{Day, Window};
use crate::customers::account::{Account, LastValue, Periods};
use crate::customers::cohorts::CohortTally;
use crate::customers::statistics::{Money, Packed, Tally};
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

/// A customer's rows, sorted, with what belongs to them.
pub(crate) struct Customer<'a, F> {
    pub(crate) id_hash: u64,
    pub(crate) rows: &'a [Packed],
    /// The extras of a row.
    pub(crate) extras_of: F,
}

impl<'a, F: Fn(Packed) -> &'a [u64]> Customer<'a, F> {
    #[inline]
    fn order(&self, row: Packed, rule: &ScanRule) -> u64 {
        if rule.extras.order { rule.extras.order_of((self.extras_of)(row)) } else { 0 }
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
        mut aside: impl FnMut(Packed, Reason),
    ) {
        let Counts { tally, cohorts, scratch } = counts;
        let mut rest = self.rows;
        if account.days == 0 {
            let first_order = rest.iter().find(|row| !row.is_refund()).map(|row| row.day());
            let orphans = first_order
                .map_or(rest.len(), |first| rest.iter().take_while(|row| row.day() < first).count());
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
            if let Some(first) = known.map(|(first, _)| first).or(rest.first().map(|row| row.day())) {
                cohorts.begin(first, known.map(|(_, last)| last));
            }
        }
        let more = rule.costs.is_some() || !rule.ranks.is_empty();
        let periods = rule.periods.as_ref();
        while let Some(&row) = rest.first() {
            let day = row.day();
            let same_day = rest.iter().take_while(|row| row.day() == day).count();
            let (today, later) = rest.split_at(same_day);
            rest = later;
            let (refunds, orders) = today.split_at(today.iter().take_while(|row| row.is_refund()).count());
            let in_holdout = day > rule.window.calibration_end;
            if in_holdout {
                let mut day_spend = M::Sum::default();
                for row in orders.iter().chain(refunds) {
                    day_spend += money.of(row.amount());
                }
                account.holdout += day_spend;
                account.holdout_days += u32::from(!orders.is_empty());
            } else {
                if !orders.is_empty() {
                    account.begin_day(day, periods);
                    account.count_orders(self.order_count(orders, rule, scratch), periods);
                }
                for row in orders.iter().chain(refunds) {
                    account.pending += money.of(row.amount());
                }
                account.transactions += orders.len() as u32;
                if more {
                    self.add_more(today, rule, account, scratch);
                }
            }
            if let Some(cohorts) = cohorts.as_mut().filter(|_| !in_holdout) {
                cohorts.add_day(day, !orders.is_empty(), today.iter().map(|row| row.amount()));
            }
            for &row in today {
                tally.count(row, self.order(row, rule), self.id_hash, in_holdout);
            }
        }
    }

    /// Orders of a day. An order id counts once a day: what is known of a day is complete when the day is over.
    #[inline]
    fn order_count(&self, orders: &[Packed], rule: &ScanRule, scratch: &mut Vec<u64>) -> u32 {
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
    fn add_more<S>(
        &self,
        today: &[Packed],
        rule: &ScanRule,
        account: &mut Account<S>,
        scratch: &mut Vec<u64>,
    ) {
        if let Some(kind) = rule.costs {
            // In the order of the costs, since rows of one amount stand in no order of their own.
            scratch.clear();
            scratch.extend(today.iter().map(|&row| rule.extras.cost_of((self.extras_of)(row))));
            scratch.sort_unstable();
            scratch.iter().filter(|&&key| key != NO_COST).for_each(|&key| account.cost.add(key, kind));
        }
        for &row in today {
            let extras = (self.extras_of)(row);
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
