//! Folded customers as records of 64-bit words.
//!
//! There are two kinds: the figures of the customer table, and whole accounts, which take more room and to which later
//! days can be added. The first word is the id, or the address of the text among the texts.

use crate::amount::AmountKind;
use crate::calendar::Day;
use crate::customers::account::{Account, CostSum, LastValue, PeriodSum};
use crate::customers::scan::ScanRule;
use crate::customers::state::StateInfo;
use crate::customers::statistics::{Floats, Money, Statistics, Units};
use crate::history::IdKind;

/// How customers are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) text: bool,
    /// Ids are signed integers.
    pub(crate) signed: bool,
    /// Whole accounts.
    pub(crate) account: bool,
    pub(crate) amounts: AmountKind,
    holdout: bool,
    cost: Option<AmountKind>,
    periods: usize,
    kept: usize,
}

/// Words of an account before what not every history has.
const ACCOUNT: usize = 11;
/// Words of the table's figures before what not every history has.
const FIGURES: usize = 6;

fn pair(a: u32, b: u32) -> u64 {
    u64::from(a) << 32 | u64::from(b)
}

fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

impl Shape {
    /// The shape of customers with ids of that kind, scanned by that rule.
    pub(crate) fn new(ids: IdKind, amounts: AmountKind, rule: &ScanRule, account: bool) -> Shape {
        Shape {
            text: ids.is_text(),
            signed: matches!(ids, IdKind::Signed { .. }),
            account,
            amounts,
            holdout: rule.window.has_holdout(),
            cost: rule.costs,
            periods: rule.periods.as_ref().map_or(0, |periods| periods.len()),
            kept: rule.ranks.len(),
        }
    }

    /// The shape of a state's accounts.
    pub(crate) fn of_state(state: &StateInfo) -> Shape {
        Shape {
            text: state.ids.is_text(),
            signed: matches!(state.ids, IdKind::Signed { .. }),
            account: true,
            amounts: state.amounts,
            holdout: false,
            cost: state.costs.as_ref().map(|(_, kind)| *kind),
            periods: state.periods.map_or(0, |(periods, _)| usize::from(periods.count)),
            kept: state.kept.len(),
        }
    }

    /// The same customers as figures of the table.
    pub(crate) fn figures(self) -> Shape {
        Shape { account: false, ..self }
    }

    /// Words of a record.
    pub(crate) fn len(self) -> usize {
        if self.account {
            ACCOUNT + 2 * usize::from(self.cost.is_some()) + 3 * self.periods + 2 * self.kept
        } else {
            self.first_kept() + self.kept.div_ceil(2)
        }
    }

    /// The place in a record of accounts of what not every history has.
    pub(crate) fn first_optional(self) -> usize {
        ACCOUNT
    }

    /// What sorts integers' ids like numbers.
    #[inline]
    pub(crate) fn sortable(self, id: u64) -> u64 {
        if self.signed { id ^ (1 << 63) } else { id }
    }

    /// Appends the record of an account.
    #[inline]
    pub(crate) fn encode<M: Money>(
        self,
        id: u64,
        account: &Account<M::Sum>,
        money: M,
        rule: &ScanRule,
        out: &mut Vec<u64>,
    ) {
        if self.account {
            self.encode_account(id, account, money, out);
        } else {
            self.encode_figures(id, account, money, rule, out);
        }
    }

    #[inline]
    fn encode_figures<M: Money>(
        self,
        id: u64,
        account: &Account<M::Sum>,
        money: M,
        rule: &ScanRule,
        out: &mut Vec<u64>,
    ) {
        let s = account.statistics(money);
        out.extend_from_slice(&[
            id,
            s.total_spend.to_bits(),
            s.monetary_value.to_bits(),
            pair(s.first_order.0 as u32, s.last_order.0 as u32),
            pair(s.frequency, s.orders),
            pair(s.transactions, s.holdout_frequency),
        ]);
        if self.holdout {
            out.push(s.holdout_spend.to_bits());
        }
        if let Some(kind) = self.cost {
            out.push(account.cost.value(kind).to_bits());
        }
        if self.periods > 0 {
            out.push(account.gap_squares);
            for sum in account.period_sums(rule.periods.as_ref()) {
                out.extend_from_slice(&[u64::from(sum.orders), money.value(sum.spend).to_bits()]);
            }
        }
        let rank = |(column, value): (usize, &LastValue)| rule.ranks[column][value.code as usize];
        for (i, values) in account.kept.chunks(2).enumerate() {
            let second = values.get(1).map_or(0, |value| rank((2 * i + 1, value)));
            out.push(pair(second, rank((2 * i, &values[0]))));
        }
    }

    fn encode_account<M: Money>(self, id: u64, account: &Account<M::Sum>, money: M, out: &mut Vec<u64>) {
        out.extend_from_slice(&[
            id,
            pair(account.first_order as u32, account.last_order as u32),
            pair(account.days, account.order_ids),
            u64::from(account.transactions),
            account.gap_squares,
        ]);
        for sum in [account.total, account.repeats, account.pending] {
            out.extend_from_slice(&money.words(sum));
        }
        if let Some(kind) = self.cost {
            out.extend_from_slice(&account.cost.words(kind));
        }
        for sum in &account.periods {
            out.push(u64::from(sum.orders));
            out.extend_from_slice(&money.words(sum.spend));
        }
        for value in &account.kept {
            out.extend_from_slice(&[value.tick, u64::from(value.code)]);
        }
    }

    /// The account of a record of accounts.
    pub(crate) fn account<M: Money>(self, record: &[u64], money: M) -> Account<M::Sum> {
        let sum = |at: usize| money.of_words([record[at], record[at + 1]]);
        let mut at = ACCOUNT;
        let cost = self.cost.map_or_else(CostSum::default, |kind| {
            at += 2;
            CostSum::of_words([record[at - 2], record[at - 1]], kind)
        });
        let periods = (0..self.periods)
            .map(|i| PeriodSum { orders: record[at + 3 * i] as u32, spend: sum(at + 3 * i + 1) })
            .collect();
        at += 3 * self.periods;
        let kept = (0..self.kept)
            .map(|i| LastValue { tick: record[at + 2 * i], code: record[at + 2 * i + 1] as u32 })
            .collect();
        Account {
            first_order: high(record[1]) as i32,
            last_order: record[1] as u32 as i32,
            days: high(record[2]),
            order_ids: record[2] as u32,
            transactions: record[3] as u32,
            gap_squares: record[4],
            total: sum(5),
            repeats: sum(7),
            pending: sum(9),
            cost,
            periods,
            kept,
            holdout_days: 0,
            holdout: M::Sum::default(),
        }
    }

    /// Appends the figures of a record of accounts.
    pub(crate) fn finish(self, record: &[u64], rule: &ScanRule, out: &mut Vec<u64>) {
        let figures = self.figures();
        match self.amounts {
            AmountKind::Float => {
                figures.encode(record[0], &self.account(record, Floats), Floats, rule, out);
            }
            AmountKind::Scaled { scale } => {
                let money = Units { scale };
                figures.encode(record[0], &self.account(record, money), money, rule, out);
            }
        }
    }

    /// The statistics of a record of figures.
    #[inline]
    pub(crate) fn statistics(self, record: &[u64]) -> Statistics {
        Statistics {
            total_spend: f64::from_bits(record[1]),
            monetary_value: f64::from_bits(record[2]),
            first_order: Day(high(record[3]) as i32),
            last_order: Day(record[3] as u32 as i32),
            frequency: high(record[4]),
            orders: record[4] as u32,
            transactions: high(record[5]),
            holdout_frequency: record[5] as u32,
            holdout_spend: if self.holdout { f64::from_bits(record[FIGURES]) } else { 0.0 },
        }
    }

    /// Whether there are costs.
    pub(crate) fn has_cost(self) -> bool {
        self.cost.is_some()
    }

    /// The sum of costs of a record of figures.
    pub(crate) fn cost(self, record: &[u64]) -> f64 {
        f64::from_bits(record[FIGURES + usize::from(self.holdout)])
    }

    fn first_period(self) -> usize {
        FIGURES + usize::from(self.holdout) + usize::from(self.cost.is_some())
    }

    /// The sum of the squared gaps of a record of figures with periods.
    pub(crate) fn gap_squares(self, record: &[u64]) -> u64 {
        record[self.first_period()]
    }

    /// Orders and spend of period `i` of a record of figures.
    pub(crate) fn period(self, record: &[u64], i: usize) -> (u32, f64) {
        let at = self.first_period() + 1 + 2 * i;
        (record[at] as u32, f64::from_bits(record[at + 1]))
    }

    fn first_kept(self) -> usize {
        self.first_period() + if self.periods == 0 { 0 } else { 1 + 2 * self.periods }
    }

    /// The rank of the last value of kept column `column` of a record of figures; `None` if there is none.
    pub(crate) fn rank(self, record: &[u64], column: usize) -> Option<u32> {
        let word = record[self.first_kept() + column / 2];
        let rank = if column.is_multiple_of(2) { word as u32 } else { high(word) };
        (rank != NO_RANK).then_some(rank)
    }
}

/// The rank of no value, which stands first in every list of ranks.
pub(crate) const NO_RANK: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{CalendarPeriod, Window};
    use crate::customers::account::Periods;

    #[test]
    fn accounts_come_back_and_finish_as_they_would_have() {
        let end = Day(20_000);
        let rule = ScanRule {
            window: Window { calibration_end: end, as_of: end },
            extras: Default::default(),
            costs: Some(AmountKind::Float),
            periods: Some(Periods::new(CalendarPeriod::Month, 3, end)),
            ranks: vec![vec![NO_RANK, 1, 0], vec![NO_RANK, 0], vec![NO_RANK]],
        };
        let ids = IdKind::Signed { bits: 64 };
        let money = Units { scale: 2 };
        let mut account: Account<i128> = Account::default();
        rule.clear(&mut account);
        for (day, amount) in [(19_900, 1234), (19_970, -5), (20_000, 1 << 70)] {
            account.begin_day(Day(day), rule.periods.as_ref());
            account.count_orders(2, rule.periods.as_ref());
            account.pending += amount;
        }
        account.cost.add(crate::history::event::float_key(2.5), AmountKind::Float);
        account.kept[0] = LastValue { tick: 9, code: 2 };
        account.kept[1] = LastValue { tick: 9, code: 1 };
        let whole = Shape::new(ids, AmountKind::Scaled { scale: 2 }, &rule, true);
        let (mut record, mut figures, mut finished) = (Vec::new(), Vec::new(), Vec::new());
        whole.encode(7, &account, money, &rule, &mut record);
        assert_eq!(record.len(), whole.len());
        assert_eq!(whole.account(&record, money), account);
        let shape = whole.figures();
        shape.encode(7, &account, money, &rule, &mut figures);
        assert_eq!(figures.len(), shape.len());
        whole.finish(&record, &rule, &mut finished);
        assert_eq!(finished, figures);
        assert_eq!(shape.statistics(&figures).frequency, 2);
        assert_eq!(shape.cost(&figures), 2.5);
        assert_eq!(shape.gap_squares(&figures), 70 * 70 + 30 * 30);
        assert_eq!(shape.period(&figures, 1), (2, -0.05));
        assert_eq!(shape.period(&figures, 2), (2, (1i128 << 70) as f64 / 100.0));
        assert_eq!([0, 1, 2].map(|column| shape.rank(&figures, column)), [Some(0), Some(0), None]);
    }
}
