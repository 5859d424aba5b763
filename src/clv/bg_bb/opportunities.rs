//! What BG/BB sees of customers: (x, t_x, n), the distinct ones with how many customers share each.

use crate::calendar::{CalendarPeriod, Day};
use crate::error::{Error, Result};

/// More opportunities than this are no discrete setting; the likelihood's work grows with their square.
pub const MOST_OPPORTUNITIES: u32 = 10_000;

const REMEDY: &str = "x counts the opportunities with a transaction after the first one, t_x is the number of the last \
                      of them (0 without any) and n the number of opportunities: x ≤ t_x ≤ n";

/// Customers with the same history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Repeat transactions, at most one per opportunity.
    pub x: u32,
    /// The opportunity of the last one, from 1 on; 0 without any.
    pub t_x: u32,
    /// Opportunities observed.
    pub n: u32,
    /// Customers.
    pub customers: u64,
}

/// The distinct (x, t_x, n) of a set of customers, ordered by n, then x, then t_x.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opportunities {
    cells: Vec<Cell>,
    of_row: Vec<u32>,
    customers: u64,
}

impl Opportunities {
    /// From each customer's repeat transactions x, opportunity of the last one t_x, and opportunities n.
    ///
    /// # Errors
    /// Slices of different lengths; t_x above n, x above t_x, only one of x and t_x being 0, or n above
    /// [`MOST_OPPORTUNITIES`]. The message names the customer (from 0 in the order given) and the value.
    pub fn from_statistics(x: &[u32], t_x: &[u32], n: &[u32]) -> Result<Opportunities> {
        let customers = x.len();
        same_lengths([customers, t_x.len(), n.len(), customers])?;
        Opportunities::build(
            (0..customers).map(|i| Cell { x: x[i], t_x: t_x[i], n: n[i], customers: 1 }).collect(),
        )
    }

    /// From a table of histories with the number of customers who share each; a history may occur more than once.
    ///
    /// # Errors
    /// As [`Opportunities::from_statistics`], a row taking the place of a customer.
    pub fn from_table(x: &[u32], t_x: &[u32], n: &[u32], customers: &[u64]) -> Result<Opportunities> {
        same_lengths([x.len(), t_x.len(), n.len(), customers.len()])?;
        Opportunities::build(
            (0..x.len()).map(|i| Cell { x: x[i], t_x: t_x[i], n: n[i], customers: customers[i] }).collect(),
        )
    }

    /// From the days of each customer's purchases, in any order, with the periods of a calendar as opportunities:
    /// see [`statistics_of_days`]. Histories are observed through the day `until`.
    ///
    /// # Errors
    /// As [`statistics_of_days`] and [`Opportunities::from_statistics`].
    pub fn from_days<'a>(
        customers: impl IntoIterator<Item = &'a [Day]>,
        period: CalendarPeriod,
        until: Day,
    ) -> Result<Opportunities> {
        let cell = |(i, days): (usize, &[Day])| {
            let (x, t_x, n) = statistics_of_days(days, period, until).ok_or_else(|| {
                Error::value(
                    format!("purchases of customer {i} up to {until}"),
                    days.len(),
                    "there is no first purchase",
                    "leave out customers without a purchase up to that day",
                )
            })?;
            Ok(Cell { x, t_x, n, customers: 1 })
        };
        Opportunities::build(customers.into_iter().enumerate().map(cell).collect::<Result<_>>()?)
    }

    fn build(rows: Vec<Cell>) -> Result<Opportunities> {
        for (i, row) in rows.iter().enumerate() {
            check(i, row)?;
        }
        if rows.len() > u32::MAX as usize {
            let problem = "there are more than 4,294,967,295 rows";
            return Err(Error::value("customers", rows.len(), problem, "give a table of distinct histories"));
        }
        let key = |i: u32| {
            let row = &rows[i as usize];
            (row.n, row.x, row.t_x)
        };
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_by_key(|&i| key(i));
        let mut cells: Vec<Cell> = Vec::new();
        let mut of_row = vec![0u32; rows.len()];
        for i in order {
            let row = rows[i as usize];
            match cells.last_mut() {
                Some(cell) if (cell.n, cell.x, cell.t_x) == key(i) => cell.customers += row.customers,
                _ => cells.push(row),
            }
            of_row[i as usize] = cells.len() as u32 - 1;
        }
        let customers = rows.iter().map(|row| row.customers).sum();
        Ok(Opportunities { cells, of_row, customers })
    }

    /// The distinct histories.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The index in [`Opportunities::cells`] of each customer (or row of a table), in the order given.
    pub fn of_rows(&self) -> &[u32] {
        &self.of_row
    }

    /// Customers.
    pub fn customers(&self) -> u64 {
        self.customers
    }
}

/// (x, t_x, n) of a customer who purchased on `days`, in any order: opportunities are the whole periods of the
/// calendar after the one of the first purchase, through the last one that had ended by `until`. Purchases in a period
/// that had not ended are not counted. None without a purchase up to `until`.
pub fn statistics_of_days(days: &[Day], period: CalendarPeriod, until: Day) -> Option<(u32, u32, u32)> {
    let first = period.index(*days.iter().filter(|&&day| day <= until).min()?);
    let mut with: Vec<i32> = days.iter().map(|&day| period.index(day)).collect();
    with.sort_unstable();
    with.dedup();
    Some(statistics_of_periods(first, with, last_whole_period(period, until)))
}

/// The number of the last period of the calendar that had ended by the end of the day `until`.
pub fn last_whole_period(period: CalendarPeriod, until: Day) -> i32 {
    let running = period.index(until);
    if period.end(running) == until { running } else { running - 1 }
}

/// (x, t_x, n) of a customer whose first purchase was in the period of the calendar number `first`, and who purchased in
/// those of `with` (ascending, each once; the first one may be among them): opportunities are the periods after the first
/// through `last`.
pub fn statistics_of_periods(first: i32, with: impl IntoIterator<Item = i32>, last: i32) -> (u32, u32, u32) {
    // A customer who came after the last one has not had an opportunity.
    let n = (last - first).max(0);
    let (mut x, mut t_x) = (0, 0);
    for opportunity in with.into_iter().map(|index| index - first).filter(|index| (1..=n).contains(index)) {
        x += 1;
        t_x = opportunity as u32;
    }
    (x, t_x, n as u32)
}

fn same_lengths(lengths: [usize; 4]) -> Result<()> {
    if lengths.iter().all(|&length| length == lengths[0]) {
        return Ok(());
    }
    let problem = "x, t_x, n and numbers of customers must have one entry per row";
    Err(Error::value("the statistics' lengths", format!("{lengths:?}"), problem, REMEDY))
}

fn check(i: usize, row: &Cell) -> Result<()> {
    let Cell { x, t_x, n, .. } = *row;
    let fail = |what: &str, value: u32, problem: String| {
        Err(Error::value(format!("{what} of customer {i}"), value, problem, REMEDY))
    };
    if n > MOST_OPPORTUNITIES {
        return Err(Error::value(
            format!("n of customer {i}"),
            n,
            format!("there are more than {MOST_OPPORTUNITIES} opportunities"),
            "take longer periods as opportunities, or a model in continuous time",
        ));
    }
    if t_x > n {
        return fail("t_x", t_x, format!("it is above n = {n}"));
    }
    if x > t_x {
        return fail("x", x, format!("it is above t_x = {t_x}"));
    }
    if x == 0 && t_x > 0 {
        return fail("t_x", t_x, "there is no repeat transaction (x = 0)".to_string());
    }
    Ok(())
}
