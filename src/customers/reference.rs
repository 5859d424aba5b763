//! The slow, obvious summary of a history: the oracle that the fast one is tested against.

use std::collections::{BTreeMap, BTreeSet};

use crate::amount::Refunds;
use crate::calendar::{CalendarPeriod, Day};
use crate::history::{HistoryOptions, Reason};

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: Option<i64>,
    pub(crate) day: Option<i32>,
    /// Hour of the day, in histories with timestamps.
    pub(crate) hour: u8,
    pub(crate) amount: Option<f64>,
    pub(crate) order: Option<i64>,
    /// A column that has no role.
    pub(crate) note: u8,
}

/// The statistics of one customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) first: Day,
    pub(crate) last: Day,
    pub(crate) frequency: u32,
    pub(crate) monetary_value: f64,
    pub(crate) orders: u32,
    pub(crate) transactions: u32,
    pub(crate) total_spend: f64,
    pub(crate) holdout: (u32, f64),
}

/// What the summary should be.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) customers: BTreeMap<i64, Line>,
    pub(crate) set_aside: BTreeMap<usize, Reason>,
    pub(crate) used: u64,
    pub(crate) used_holdout: u64,
    pub(crate) zero_amounts: u64,
    pub(crate) refunds_netted: u64,
    pub(crate) duplicates: u64,
    pub(crate) as_of: Option<Day>,
    /// Customers, orders and spend by the ISO week of the first order and that of what was done.
    pub(crate) cohorts: BTreeMap<(i32, i32), (u64, u64, f64)>,
    /// Customers of the table with an order on each day, holdout included.
    pub(crate) daily: BTreeMap<Day, u64>,
}

/// Summarises rows whose amounts add up exactly in any order.
pub(crate) fn summarize(rows: &[Row], options: &HistoryOptions, has_orders: bool) -> Expected {
    let mut out = Expected::default();
    let mut usable: Vec<usize> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let reason = if row.id.is_none() {
            Some(Reason::NullCustomer)
        } else if row.day.is_none() {
            Some(Reason::NullTime)
        } else if !row.day.is_some_and(|day| Day(day).is_possible()) {
            Some(Reason::ImpossibleDate)
        } else if options.as_of.is_some_and(|as_of| row.day > Some(as_of.0)) {
            Some(Reason::AfterAsOf)
        } else if row.amount.is_none() {
            Some(Reason::NullAmount)
        } else if !row.amount.is_some_and(f64::is_finite) {
            Some(Reason::NotFiniteAmount)
        } else if row.amount < Some(0.0) && options.refunds == Refunds::Aside {
            Some(Reason::Refund)
        } else {
            None
        };
        match reason {
            Some(reason) => _ = out.set_aside.insert(i, reason),
            None => usable.push(i),
        }
    }
    let is_order = |i: usize| rows[i].amount >= Some(0.0);
    // A refund of somebody who never ordered before says nothing of when the history ends.
    let counts = |i: usize| {
        let ordered = |j: usize| is_order(j) && rows[j].id == rows[i].id && rows[j].day <= rows[i].day;
        is_order(i) || usable.iter().any(|&j| ordered(j))
    };
    let last = usable.iter().copied().filter(|&i| counts(i)).filter_map(|i| rows[i].day).max();
    out.as_of = options.as_of.or(last.map(Day));
    let Some(as_of) = out.as_of else { return out };
    let end = options.calibration_end.unwrap_or(as_of);
    for id in usable.iter().filter_map(|&i| rows[i].id).collect::<BTreeSet<i64>>() {
        let own: Vec<usize> = usable.iter().copied().filter(|&i| rows[i].id == Some(id)).collect();
        customer(rows, id, &own, options, end, has_orders, &mut out);
    }
    out
}

fn customer(
    rows: &[Row],
    id: i64,
    own: &[usize],
    options: &HistoryOptions,
    end: Day,
    has_orders: bool,
    out: &mut Expected,
) {
    let day = |i: usize| Day(rows[i].day.unwrap());
    let amount = |i: usize| rows[i].amount.unwrap();
    let first = own.iter().copied().filter(|&i| amount(i) >= 0.0).map(day).min();
    let mut used: Vec<usize> = Vec::new();
    for &i in own {
        if first.is_none_or(|first| day(i) < first) {
            out.set_aside.insert(i, Reason::RefundWithoutOrder);
        } else if first > Some(end) {
            out.set_aside.insert(i, Reason::NewInHoldout);
        } else if used.iter().any(|&j| rows[j] == rows[i]) {
            out.duplicates += 1;
            if options.drop_duplicates {
                out.set_aside.insert(i, Reason::Duplicate);
            } else {
                used.push(i);
            }
        } else {
            used.push(i);
        }
    }
    if used.is_empty() {
        return;
    }
    let mut spend: BTreeMap<Day, f64> = BTreeMap::new();
    let mut orders = BTreeSet::new();
    let mut transactions = 0;
    let is_order = |i: usize| amount(i) >= 0.0;
    for &i in used.iter().filter(|&&i| is_order(i)) {
        *spend.entry(day(i)).or_default() += amount(i);
        if day(i) <= end {
            transactions += 1;
            // An order counts once a day, and rows without an order id are one order a day.
            orders.insert((day(i), rows[i].order));
        }
    }
    let days: Vec<Day> = spend.keys().copied().filter(|&d| d <= end).collect();
    let mut holdout_refunds = 0.0;
    for &i in used.iter().filter(|&&i| !is_order(i)) {
        if day(i) > end {
            holdout_refunds += amount(i);
        } else {
            let latest = *days.iter().rfind(|&&d| d <= day(i)).unwrap();
            *spend.get_mut(&latest).unwrap() += amount(i);
        }
    }
    for &day in spend.keys() {
        *out.daily.entry(day).or_default() += 1;
    }
    let week = |day: Day| CalendarPeriod::Week.index(day);
    let cohort = week(days[0]);
    for period in days.iter().map(|&day| week(day)).collect::<BTreeSet<i32>>() {
        out.cohorts.entry((cohort, period)).or_default().0 += 1;
    }
    for &day in &days {
        out.cohorts.entry((cohort, week(day))).or_default().1 += 1;
    }
    for &i in used.iter().filter(|&&i| day(i) <= end) {
        out.cohorts.entry((cohort, week(day(i)))).or_default().2 += amount(i);
    }
    for &i in &used {
        *(if day(i) <= end { &mut out.used } else { &mut out.used_holdout }) += 1;
        out.zero_amounts += u64::from(amount(i) == 0.0);
        out.refunds_netted += u64::from(!is_order(i));
    }
    let (first, last) = (days[0], days[days.len() - 1]);
    let frequency = days.len() as u32 - 1;
    let repeats: f64 = days[1..].iter().map(|day| spend[day]).sum();
    let after = || spend.iter().filter(|(day, _)| **day > end).map(|(_, spend)| *spend);
    let line = Line {
        first,
        last,
        frequency,
        monetary_value: if frequency == 0 { 0.0 } else { repeats / f64::from(frequency) },
        orders: if has_orders { orders.len() as u32 } else { frequency + 1 },
        transactions,
        total_spend: days.iter().map(|day| spend[day]).sum(),
        holdout: (after().count() as u32, after().sum::<f64>() + holdout_refunds),
    };
    out.customers.insert(id, line);
}
