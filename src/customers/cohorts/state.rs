//! Cohorts in a state: the counts exactly as they are held, so that those of later days are added to them.

use std::fmt::Write;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::{CalendarPeriod, Day};
use crate::customers::cohorts::{Cell, CohortTally};

/// Cohorts as a state holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateCohorts {
    /// The period of the calendar by which they are counted.
    pub period: CalendarPeriod,
    /// Rows whose amount is too large to be added exactly.
    pub(crate) too_large: i64,
    /// The counts as text: cohorts end with a semicolon and their periods with a comma; customers, orders and spend in whole
    /// units stand with spaces between them, or nothing where all are 0. It is too long for what a state says of itself.
    #[serde(skip)]
    pub(crate) cells: Arc<str>,
}

impl CohortTally {
    /// The counts for a state.
    pub(crate) fn to_state(&self) -> StateCohorts {
        let mut cells = String::new();
        for cohort in 0..self.rule.periods {
            for cell in &self.cells[self.at(cohort, cohort)..=self.at(cohort, self.rule.periods - 1)] {
                if *cell != Cell::default() {
                    // Writing to a string cannot fail.
                    let _ = write!(cells, "{} {} {}", cell.customers, cell.orders, cell.spend);
                }
                cells.push(',');
            }
            cells.push(';');
        }
        StateCohorts { period: self.rule.period, too_large: self.too_large, cells: cells.into() }
    }

    /// Adds the counts of a state whose first order was on the first of these days and which was closed on the other. `None`
    /// if they are no counts of these days, by the period of this tally.
    pub(crate) fn add_state(&mut self, state: &StateCohorts, days: (Day, Day)) -> Option<()> {
        let period = self.rule.period;
        let [first, last] = [days.0, days.1].map(|day| period.index(day));
        let periods = usize::try_from(last - first + 1).ok()?;
        if state.period != period || first != self.rule.first || periods > self.rule.periods {
            return None;
        }
        let mut cohorts = state.cells.split_terminator(';');
        for cohort in 0..periods {
            let mut cells = cohorts.next()?.split_terminator(',');
            for period in cohort..periods {
                let at = self.at(cohort, period);
                self.cells[at].add(&Cell::parse(cells.next()?)?);
            }
            if cells.next().is_some() {
                return None;
            }
        }
        self.too_large += state.too_large;
        cohorts.next().is_none().then_some(())
    }
}

impl Cell {
    fn parse(text: &str) -> Option<Cell> {
        if text.is_empty() {
            return Some(Cell::default());
        }
        let mut numbers = text.split(' ');
        let cell = Cell {
            customers: numbers.next()?.parse().ok()?,
            orders: numbers.next()?.parse().ok()?,
            spend: numbers.next()?.parse().ok()?,
        };
        numbers.next().is_none().then_some(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::AmountKind;
    use crate::calendar::Window;
    use crate::customers::cohorts::CohortRule;
    use crate::history::CohortPeriod;
    use crate::history::event::float_key;

    fn tally(first: Day, last: Day) -> CohortTally {
        let window = Window { calibration_end: last, as_of: last };
        let period = CohortPeriod::By(CalendarPeriod::Month);
        CohortTally::new(CohortRule::new(period, first, window, AmountKind::Float).unwrap())
    }

    #[test]
    fn counts_come_back_in_a_longer_window() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let [first, closed, last] = ["2026-01-05", "2026-03-15", "2026-06-01"].map(day);
        let count = |tally: &mut CohortTally| {
            tally.begin(first, None);
            tally.add_day(first, true, [0.1, 0.2, 1e300].map(float_key).into_iter());
            tally.add_day(closed, true, [f64::MAX.sqrt()].map(float_key).into_iter());
            tally.begin(day("2026-02-28"), None);
            tally.add_day(day("2026-02-28"), true, [1e18].map(float_key).into_iter());
            tally.add_day(day("2026-03-01"), false, [-1e18].map(float_key).into_iter());
        };
        let mut before = tally(first, closed);
        count(&mut before);
        let state = before.to_state();
        assert_eq!((state.too_large, &state.cells[..1]), (2, "1"));
        let (mut at_once, mut added) = (tally(first, last), tally(first, last));
        count(&mut at_once);
        added.add_state(&state, (first, closed)).unwrap();
        assert_eq!((&added.cells, added.too_large), (&at_once.cells, at_once.too_large));
        let mut same = tally(first, closed);
        same.add_state(&state, (first, closed)).unwrap();
        assert_eq!(same.to_state(), state);
    }

    #[test]
    fn what_are_no_counts_of_these_days_is_refused() {
        let (first, last) = (Day(20_000), Day(20_050));
        let state = tally(first, last).to_state();
        let refused = |state: &StateCohorts, first: Day, last: Day| {
            tally(Day(20_000), Day(20_050)).add_state(state, (first, last)).is_none()
        };
        assert!(!refused(&state, first, last));
        assert!(refused(&state, first, Day(20_100)) && refused(&state, Day(20_040), last));
        assert!(refused(&state, first, Day(20_001)), "it has more cohorts");
        let with = |cells: &str| StateCohorts { cells: cells.into(), ..state.clone() };
        let periods = state.cells.matches(';').count();
        assert_eq!(periods, 2);
        assert!(!refused(&with("1 2 -3,,;4 5 6,;"), first, last));
        for cells in ["", "1 2 3,,;", "1 2 3,,;,,;", "1 2,,;,;", "1 2 3 4,,;,;", "x 2 3,,;,;", ",,;,;,;"] {
            assert!(refused(&with(cells), first, last), "{cells}");
        }
        assert!(refused(&StateCohorts { period: CalendarPeriod::Week, ..state }, first, last));
    }
}
