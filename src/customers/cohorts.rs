//! Cohorts: customers by the period of their first order, and what they did in each period after it.
//!
//! Everything is counted in integers (money in whole units), so that a count is the same whatever order rows, partitions
//! and threads come in.

mod daily;
mod state;

use serde::Serialize;

use crate::amount::AmountKind;
use crate::calendar::{CalendarPeriod, Day, Window};
use crate::error::{Error, Result};
use crate::history::CohortPeriod;
use crate::history::event::{float_of, units_of};

use daily::DailyTally;

pub use daily::DailyOrders;
pub use state::StateCohorts;

/// More periods than this make a table that nobody can read, and that does not fit beside every thread.
const MOST_PERIODS: usize = 1200;

/// Amounts held as floating point are counted in units of 2^-30: exact for what has so few binary digits, else to a
/// billionth.
const FLOAT_UNITS: f64 = (1u64 << 30) as f64;

/// The largest amount, in units, of which 2³² rows can be added.
const LARGEST: i128 = 1 << 94;

/// By which periods customers are counted, and between which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CohortRule {
    period: CalendarPeriod,
    /// Number of the first period.
    first: i32,
    /// The days of the calibration window from the first order on.
    days: (Day, Day),
    /// How many periods there are.
    periods: usize,
    amounts: AmountKind,
    window: Window,
}

impl CohortRule {
    /// A rule for orders from `first` on, and for the days of the calibration window only.
    ///
    /// # Errors
    /// [`Error::Value`] for more than 1,200 periods.
    pub(crate) fn new(
        wanted: CohortPeriod,
        first: Day,
        window: Window,
        amounts: AmountKind,
    ) -> Result<CohortRule> {
        let last = window.calibration_end;
        let count = |period: CalendarPeriod| (period.index(last) - period.index(first) + 1).max(1) as usize;
        let period = match wanted {
            CohortPeriod::By(period) => period,
            CohortPeriod::Auto if count(CalendarPeriod::Month) <= 36 => CalendarPeriod::Month,
            CohortPeriod::Auto if count(CalendarPeriod::Quarter) <= 48 => CalendarPeriod::Quarter,
            CohortPeriod::Auto => CalendarPeriod::Year,
        };
        let periods = count(period);
        if periods > MOST_PERIODS {
            return Err(Error::value(
                "--cohort-period",
                period,
                format!("{first} to {last} are {periods} of them, and at most {MOST_PERIODS} are counted"),
                "choose a longer period: month, quarter or year",
            ));
        }
        Ok(CohortRule { period, first: period.index(first), days: (first, last), periods, amounts, window })
    }

    /// By which period of the calendar.
    pub(crate) fn period(&self) -> CalendarPeriod {
        self.period
    }

    /// An amount's key in whole units.
    #[inline]
    fn units(&self, key: u64) -> i128 {
        match self.amounts {
            AmountKind::Scaled { .. } => i128::from(units_of(key)),
            AmountKind::Float => {
                let units = (float_of(key) * FLOAT_UNITS).round_ties_even();
                // The short way is the usual one; a cast to 128 bits is a function call.
                if units.abs() < 9e18 { i128::from(units as i64) } else { units as i128 }
            }
        }
    }

    fn money(&self, units: i128) -> f64 {
        match self.amounts {
            AmountKind::Float => units as f64 / FLOAT_UNITS,
            AmountKind::Scaled { scale } => AmountKind::scaled_to_f64(units, scale),
        }
    }
}

/// What the customers of one cohort did in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cell {
    customers: i64,
    orders: i64,
    spend: i128,
}

impl Cell {
    fn add(&mut self, more: &Cell) {
        self.customers += more.customers;
        self.orders += more.orders;
        self.spend += more.spend;
    }
}

/// Counts by cohort and period, as they grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CohortTally {
    rule: CohortRule,
    /// The period of each day, from the first day on.
    period_of: Vec<u16>,
    /// Cohort by cohort, each from its own period on.
    cells: Vec<Cell>,
    /// Orders of each day, where there is a holdout.
    daily: DailyTally,
    /// 1 to count, −1 to take back what was counted.
    sign: i64,
    /// Rows whose amount is too large to be added exactly.
    too_large: i64,
    /// The cohort of the customer at hand, and the last period in which it ordered.
    cohort: usize,
    ordered_in: Option<usize>,
}

impl CohortTally {
    pub(crate) fn new(rule: CohortRule) -> CohortTally {
        let (first, last) = rule.days;
        let period_of =
            (first.0..=last.0).map(|day| (rule.period.index(Day(day)) - rule.first) as u16).collect();
        let cells = vec![Cell::default(); rule.periods * (rule.periods + 1) / 2];
        let daily = DailyTally::new(first, rule.window);
        CohortTally { rule, period_of, cells, daily, sign: 1, too_large: 0, cohort: 0, ordered_in: None }
    }

    /// Counts from now on, or takes back.
    pub(crate) fn take_back(&mut self, back: bool) {
        self.sign = if back { -1 } else { 1 };
    }

    /// Begins the next customer, who ordered first on that day, and of whom orders up to `counted` were counted before.
    #[inline]
    pub(crate) fn begin(&mut self, first_order: Day, counted: Option<Day>) {
        self.cohort = self.period(first_order);
        self.ordered_in = counted.map(|day| self.period(day));
    }

    /// Counts a day of the customer at hand: its rows' amounts, and whether one of them is an order. Days come in order and
    /// lie in the calibration window.
    #[inline]
    pub(crate) fn add_day(&mut self, day: Day, is_order: bool, amounts: impl Iterator<Item = u64>) {
        let (mut spend, mut too_large) = (0, 0);
        for key in amounts {
            let units = self.rule.units(key);
            if units.unsigned_abs() > LARGEST.unsigned_abs() {
                too_large += 1;
            } else {
                spend += units;
            }
        }
        let period = self.period(day);
        let (sign, at) = (self.sign, self.at(self.cohort, period));
        self.too_large += sign * too_large;
        let cell = &mut self.cells[at];
        cell.spend += i128::from(sign) * spend;
        if is_order {
            cell.orders += sign;
            self.daily.add(day, sign);
            // A customer counts once a period.
            if self.ordered_in != Some(period) {
                cell.customers += sign;
                self.ordered_in = Some(period);
            }
        }
    }

    /// Counts an order of the customer at hand in the holdout, once a day.
    #[inline]
    pub(crate) fn add_holdout_order(&mut self, day: Day) {
        self.daily.add(day, self.sign);
    }

    #[inline]
    fn period(&self, day: Day) -> usize {
        usize::from(self.period_of[day.since(self.rule.days.0) as usize])
    }

    #[inline]
    fn at(&self, cohort: usize, period: usize) -> usize {
        // Each cohort before has one period less than the one before it.
        cohort * (2 * self.rule.periods + 1 - cohort) / 2 + period - cohort
    }

    /// Adds the counts of other customers.
    pub(crate) fn merge(&mut self, other: &CohortTally) {
        debug_assert_eq!(self.rule, other.rule);
        self.too_large += other.too_large;
        self.daily.merge(&other.daily);
        for (cell, more) in self.cells.iter_mut().zip(&other.cells) {
            cell.add(more);
        }
    }

    /// The counts with what they mean.
    pub(crate) fn finish(&self) -> CohortTable {
        let rule = &self.rule;
        let money = |units: i128| (self.too_large == 0).then(|| rule.money(units));
        let cohorts = (0..rule.periods).filter_map(|cohort| {
            let cells = &self.cells[self.at(cohort, cohort)..=self.at(cohort, rule.periods - 1)];
            // In the period of its first order every customer of a cohort orders.
            let size = cells[0].customers as u64;
            let mut so_far = 0;
            let periods = cells.iter().map(|cell| {
                so_far += cell.spend;
                CohortCell {
                    customers: cell.customers as u64,
                    orders: cell.orders as u64,
                    spend: money(cell.spend),
                    retention: cell.customers as f64 / size as f64,
                    spend_per_customer: money(so_far).map(|spend| spend / size as f64),
                }
            });
            (size > 0).then(|| Cohort { period: cohort, customers: size, cells: periods.collect() })
        });
        let label = |i: usize| rule.period.label(rule.first + i as i32);
        CohortTable {
            period: rule.period,
            labels: (0..rule.periods).map(label).collect(),
            ends_early: rule.days.1 < rule.period.end(rule.first + rule.periods as i32 - 1),
            cohorts: cohorts.collect(),
            daily: self.daily.finish(),
        }
    }
}

/// Customers by the period of their first order, and what they did from then on; within the calibration window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CohortTable {
    /// What a period is.
    pub period: CalendarPeriod,
    /// The periods, one after the other: 2026-01, 2026-Q1, 2026.
    pub labels: Vec<String>,
    /// Whether calibration ends before the last period does.
    pub ends_early: bool,
    /// The cohorts that have customers.
    pub cohorts: Vec<Cohort>,
    /// Orders of each day from the first order to the end of the holdout; none without a holdout.
    #[serde(skip)]
    pub daily: Option<DailyOrders>,
}

impl CohortTable {
    /// Whether spend could be added exactly.
    pub fn has_spend(&self) -> bool {
        self.cohorts.iter().flat_map(|cohort| &cohort.cells).all(|cell| cell.spend.is_some())
    }
}

/// The customers whose first order was in one period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cohort {
    /// Index into [`CohortTable::labels`].
    pub period: usize,
    /// How many they are.
    pub customers: u64,
    /// What they did in that period, in the next one, and so on to the last.
    pub cells: Vec<CohortCell>,
}

/// What the customers of a cohort did in one period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CohortCell {
    /// Customers with an order.
    pub customers: u64,
    /// Days with an order, summed over customers.
    pub orders: u64,
    /// Money spent; a refund that is netted lowers the period in which it was given. `None` if amounts are too large to be
    /// added exactly.
    pub spend: Option<f64>,
    /// Share of the cohort's customers with an order.
    pub retention: f64,
    /// Money spent up to the end of the period, per customer of the cohort.
    pub spend_per_customer: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{float_key, units_key};

    fn rule(period: CohortPeriod, first: &str, last: &str) -> Result<CohortRule> {
        let last: Day = last.parse()?;
        let window = Window { calibration_end: last, as_of: last };
        CohortRule::new(period, first.parse()?, window, AmountKind::Float)
    }

    #[test]
    fn the_period_follows_the_length() {
        let auto = |first, last| rule(CohortPeriod::Auto, first, last).unwrap().period;
        assert_eq!(auto("2020-01-31", "2022-12-01"), CalendarPeriod::Month);
        assert_eq!(auto("2020-01-31", "2023-01-01"), CalendarPeriod::Quarter);
        assert_eq!(auto("2001-01-01", "2012-12-31"), CalendarPeriod::Quarter);
        assert_eq!(auto("2001-01-01", "2013-01-01"), CalendarPeriod::Year);
        let weeks = CohortPeriod::By(CalendarPeriod::Week);
        let error = rule(weeks, "1990-01-01", "2020-01-01").unwrap_err();
        assert!(error.to_string().contains("are 1566 of them"), "{error}");
    }

    #[test]
    fn the_books_example() {
        let mut tally = CohortTally::new(rule(CohortPeriod::Auto, "2026-01-05", "2026-03-15").unwrap());
        let day = |text: &str| text.parse::<Day>().unwrap();
        let key = |x: f64| std::iter::once(float_key(x));
        tally.begin(day("2026-01-05"), None);
        tally.add_day(day("2026-01-05"), true, key(10.0));
        tally.add_day(day("2026-01-20"), true, key(5.5));
        tally.add_day(day("2026-03-01"), true, key(4.0));
        tally.add_day(day("2026-03-15"), false, key(-4.0));
        tally.begin(day("2026-01-31"), None);
        tally.add_day(day("2026-01-31"), true, key(1.0));
        let table = tally.finish();
        assert_eq!((table.labels.join(" "), table.ends_early), ("2026-01 2026-02 2026-03".to_string(), true));
        assert_eq!(table.cohorts.len(), 1);
        let cells = &table.cohorts[0].cells;
        let found: Vec<_> = cells.iter().map(|c| (c.customers, c.orders, c.spend, c.retention)).collect();
        assert_eq!(found, [(2, 3, Some(16.5), 1.0), (0, 0, Some(0.0), 0.0), (1, 1, Some(0.0), 0.5)]);
        assert_eq!(cells[2].spend_per_customer, Some(8.25));
        let before = tally.clone();
        for back in [false, true] {
            tally.take_back(back);
            tally.begin(day("2026-02-01"), None);
            tally.add_day(day("2026-02-01"), true, key(0.1));
        }
        assert_eq!(tally.cells, before.cells);
        // Two halves are the whole.
        let mut sum = before.clone();
        sum.merge(&before);
        assert_eq!(sum.finish().cohorts[0].customers, 4);
    }

    #[test]
    fn money_is_exact_or_absent() {
        let rule = rule(CohortPeriod::Auto, "2026-01-05", "2026-01-15").unwrap();
        assert_eq!(
            rule.money(
                rule.units(float_key(-1e17)) + rule.units(float_key(1e17)) + rule.units(float_key(0.25))
            ),
            0.25
        );
        let mut tally = CohortTally::new(rule);
        tally.begin(Day(rule.days.0.0), None);
        tally.add_day(rule.days.0, true, [float_key(1e300), float_key(1.0)].into_iter());
        let table = tally.finish();
        assert!(table.cohorts[0].cells[0].spend.is_none() && !table.has_spend());
        let cents = CohortRule { amounts: AmountKind::Scaled { scale: 2 }, ..rule };
        assert_eq!(
            cents.money(cents.units(units_key(i64::MAX)) - cents.units(units_key(i64::MAX - 7))),
            0.07
        );
    }
}
