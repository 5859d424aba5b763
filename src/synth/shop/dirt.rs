//! The rows of the orders' file: every order, and what else a shop's export holds.
//!
//! Dirt is added and never put in the place of an order, so that the truth stays whole.

use super::orders::Purchase;
use super::{Member, Part, START, WEEKS, day_of, stream};
use crate::calendar::Day;
use crate::random::Stream;

/// Rows of guests, who have no customer id.
pub const GUESTS: usize = 40;
/// Refunds of orders, in whole or in part, three to thirty days later.
pub const REFUNDS: usize = 180;
/// Refunds to prospects, who never ordered under their id.
pub const ORPHAN_REFUNDS: usize = 5;
/// Rows without an amount.
pub const NO_AMOUNT: usize = 12;
/// Rows without a date.
pub const NO_DATE: usize = 6;
/// Rows dated 1899-12-30, which is what a spreadsheet makes of an empty date.
pub const SPREADSHEET_DATES: usize = 4;
/// Orders that stand in the file twice, equal in every column.
pub const DUPLICATES: usize = 60;

/// Day 0 of spreadsheets: 1899-12-30.
const SPREADSHEET_ZERO: Day = Day(-25569);

/// The first order id.
const FIRST_ORDER: i64 = 100_001;

/// Share of refunds that give back everything.
const WHOLE_REFUNDS: f64 = 0.7;

/// A row of the orders' file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub order: i64,
    /// The customer's number.
    pub customer: Option<u32>,
    pub day: Option<Day>,
    pub cents: Option<i64>,
    pub cost: Option<i64>,
    pub channel: &'static str,
    pub items: i32,
}

/// A row at its place in time.
struct Placed {
    at: f64,
    /// Whether it is an order of the truth.
    is_order: bool,
    row: Row,
}

impl Placed {
    fn new(at: f64, customer: u32, purchase: &Purchase) -> Placed {
        let row = Row {
            order: 0,
            customer: Some(customer),
            day: Some(day_of(at)),
            cents: Some(purchase.cents),
            cost: purchase.cost,
            channel: purchase.channel,
            items: purchase.items,
        };
        Placed { at, is_order: false, row }
    }
}

/// All rows, as they were entered.
pub(super) fn rows(seed: u64, members: &[Member]) -> Vec<Row> {
    let mut stream = stream(seed, 0, Part::Dirt);
    let orders: Vec<(u32, &Purchase)> =
        members.iter().flat_map(|m| m.purchases.iter().map(|p| (m.profile.number, p))).collect();
    let mut placed: Vec<Placed> =
        orders.iter().map(|&(n, p)| Placed { is_order: true, ..Placed::new(p.at, n, p) }).collect();
    placed.extend(refunds(&mut stream, &orders));
    placed.extend(orphans(&mut stream, &orders, members));
    let bad = GUESTS + NO_AMOUNT + NO_DATE + SPREADSHEET_DATES;
    for (i, place) in choose(&mut stream, (0..orders.len()).collect(), bad).into_iter().enumerate() {
        // Like an order, at a later time.
        let (number, purchase) = orders[place];
        let at = purchase.at + stream.uniform() * (WEEKS - purchase.at);
        let mut like = Placed::new(at, number, purchase);
        if i < GUESTS {
            like.row.customer = None;
        } else if i < GUESTS + NO_AMOUNT {
            like.row.cents = None;
        } else if i < GUESTS + NO_AMOUNT + NO_DATE {
            like.row.day = None;
        } else {
            like.row.day = Some(SPREADSHEET_ZERO);
        }
        placed.push(like);
    }
    placed.sort_by(|a, b| a.at.total_cmp(&b.at));
    for (row, order) in placed.iter_mut().zip(FIRST_ORDER..) {
        row.row.order = order;
    }
    let of_truth = (0..placed.len()).filter(|&i| placed[i].is_order).collect();
    let twice = choose(&mut stream, of_truth, DUPLICATES);
    let mut rows: Vec<Row> = placed.into_iter().map(|p| p.row).collect();
    let copies: Vec<Row> = twice.into_iter().map(|i| rows[i].clone()).collect();
    rows.extend(copies);
    rows.sort_by_key(|row| row.order);
    rows
}

fn refunds(stream: &mut Stream, orders: &[(u32, &Purchase)]) -> Vec<Placed> {
    let can_be = |i: &usize| orders[*i].1.cents >= 100 && orders[*i].1.at < WEEKS - 5.0;
    let chosen = choose(stream, (0..orders.len()).filter(can_be).collect(), REFUNDS);
    let refund = |place: usize| {
        let (number, purchase) = orders[place];
        let at = purchase.at + (3.0 + 27.0 * stream.uniform()) / 7.0;
        let (whole, part) = (stream.uniform() < WHOLE_REFUNDS, 0.2 + 0.6 * stream.uniform());
        let share = if whole { 1.0 } else { part };
        let back = |cents: i64| -(cents as f64 * share).round() as i64;
        let mut placed = Placed::new(at, number, purchase);
        placed.row.cents = Some(back(purchase.cents));
        placed.row.cost = purchase.cost.map(back);
        placed.row.items = ((f64::from(purchase.items) * share).round() as i32).max(1);
        placed
    };
    chosen.into_iter().map(refund).collect()
}

fn orphans(stream: &mut Stream, orders: &[(u32, &Purchase)], members: &[Member]) -> Vec<Placed> {
    let prospects = (0..members.len()).filter(|&i| members[i].profile.behaviour.is_none()).collect();
    let prospects = choose(stream, prospects, ORPHAN_REFUNDS);
    let like =
        choose(stream, (0..orders.len()).filter(|&i| orders[i].1.cents > 0).collect(), prospects.len());
    let refund = |(prospect, like): (usize, usize)| {
        let profile = &members[prospect].profile;
        let (_, purchase) = orders[like];
        let signup = f64::from(profile.signup.since(START)) / 7.0;
        let mut placed = Placed::new(signup + stream.uniform() * (WEEKS - signup), profile.number, purchase);
        placed.row.cents = Some(-purchase.cents);
        placed.row.cost = purchase.cost.map(|cost| -cost);
        placed
    };
    prospects.into_iter().zip(like).map(refund).collect()
}

/// `k` of the candidates (or all, if there are fewer), in random order.
fn choose(stream: &mut Stream, mut candidates: Vec<usize>, k: usize) -> Vec<usize> {
    let k = k.min(candidates.len());
    for i in 0..k {
        let rest = candidates.len() - i;
        // Rounding must not lead past the end.
        let j = i + ((stream.uniform() * rest as f64) as usize).min(rest - 1);
        candidates.swap(i, j);
    }
    candidates.truncate(k);
    candidates
}
