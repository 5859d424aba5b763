//! Weekly tracking: repeat purchases expected and made, week by week through calibration and holdout.
//!
//! Expected is Σ E[X(t)] over the customers of the calibration window, each from the day of its first order; nothing
//! that was observed of a customer enters but that day. The sum and its difference by week are those of Fader, Hardie
//! and Lee (2005), figure 4.

use serde::Serialize;

use super::forecast::Forecast;
use crate::calendar::{Day, Window};
use crate::customers::cohorts::DailyOrders;
use crate::parallel;

/// Days of a week.
const WEEK: i32 = 7;

/// One week: seven days, fewer at both ends of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Week {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// Days in it.
    pub days: u32,
    /// Whether it lies in the holdout; no week lies in both.
    pub holdout: bool,
    /// Repeat purchases made.
    pub actual: u64,
    /// Repeat purchases made from the first day on.
    pub cumulative_actual: u64,
    /// Repeat purchases expected by each model.
    pub expected: Vec<f64>,
    /// The same from the first day on.
    pub cumulative_expected: Vec<f64>,
}

/// Weeks from the first order to the end of the holdout, counted from the end of calibration both ways.
pub(super) fn weeks(
    first_orders: &[Day],
    daily: &DailyOrders,
    window: Window,
    models: &[&dyn Forecast],
) -> Vec<Week> {
    let (first, days) = (daily.first, daily.orders.len());
    let mut began = vec![0u64; days];
    for day in first_orders {
        if let Some(n) = began.get_mut(day.since(first) as usize) {
            *n += 1;
        }
    }
    let ends = ends(first, window);
    // E[X(t)] at every whole number of days.
    let expected: Vec<Vec<f64>> = models
        .iter()
        .map(|model| {
            let unit = model.unit();
            parallel::collect(days, |t| if t == 0 { 0.0 } else { model.expected(unit.of_days(t as u32)) })
        })
        .collect();
    let cumulative: Vec<Vec<f64>> = parallel::map(ends.len(), |w| {
        let end = ends[w].since(first) as usize;
        let sum = |of: &Vec<f64>| (0..=end).map(|day| began[day] as f64 * of[end - day]).sum::<f64>();
        expected.iter().map(sum).collect()
    });
    let mut out: Vec<Week> = Vec::with_capacity(ends.len());
    let mut from = first;
    for (&to, cumulative_expected) in ends.iter().zip(cumulative) {
        let range = from.since(first) as usize..=to.since(first) as usize;
        // Everybody's first order is no repeat purchase.
        let actual: u64 = range.map(|day| daily.orders[day].saturating_sub(began[day])).sum();
        let before = out.last();
        let grown = |(m, sum): (usize, &f64)| sum - before.map_or(0.0, |week| week.cumulative_expected[m]);
        out.push(Week {
            from,
            to,
            days: (to.since(from) + 1) as u32,
            holdout: from > window.calibration_end,
            actual,
            cumulative_actual: actual + before.map_or(0, |week| week.cumulative_actual),
            expected: cumulative_expected.iter().enumerate().map(grown).collect(),
            cumulative_expected,
        });
        from = Day(to.0 + 1);
    }
    out
}

/// The last days of the weeks.
fn ends(first: Day, window: Window) -> Vec<Day> {
    let back = window.calibration_end.since(first).div_euclid(WEEK);
    let ends = (-back..).map(|k| Day(window.calibration_end.0 + WEEK * k));
    let mut ends: Vec<Day> = ends.take_while(|&end| end < window.as_of).collect();
    ends.push(window.as_of);
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_week_lies_in_both_windows() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let window = Window { calibration_end: day("1997-09-30"), as_of: day("1998-06-30") };
        let list = ends(day("1997-01-01"), window);
        assert_eq!((list.len(), list[0], list[38]), (78, day("1997-01-07"), day("1997-09-30")));
        assert_eq!(list[77], day("1998-06-30"));
        let list = ends(day("1997-09-30"), Window { as_of: day("1997-10-02"), ..window });
        assert_eq!(list, [day("1997-09-30"), day("1997-10-02")]);
        let list = ends(day("1997-09-29"), Window { as_of: day("1997-10-07"), ..window });
        assert_eq!(list, [day("1997-09-30"), day("1997-10-07")]);
    }
}
