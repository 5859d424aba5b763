//! The study in small: a dozen worlds, and bands so wide that only a wrong interval leaves them.

use super::*;
use crate::parallel::with_threads;

/// The best fifths, and three more by recency.
fn tier_of(r: u8, f: u8, m: u8) -> u8 {
    match (r, f, m) {
        (_, 4.., 4..) => 0,
        (4.., ..) => 1,
        (2.., ..) => 2,
        _ => 3,
    }
}

fn options(customers: u32) -> CoverageOptions {
    CoverageOptions {
        seed: 3,
        draws: 200,
        prior: Prior::Flat,
        level: 0.9,
        customers: (customers, customers),
        tier_of,
        tiers: 4,
    }
}

/// 12 worlds with some 15 groups each, which are not independent: taken together, totals of a world count about as three.
/// 36 numbers with a chance of .9 have a mean of .9 ± .05; below .72 or above .999 lies what no luck explains.
#[test]
fn totals_and_customers_are_held_as_often_as_intervals_say() {
    let options = options(250);
    let outcomes: Vec<Outcome> =
        (0..12).map(|number| cover(number, Truth::WellSpecified, &options).unwrap()).collect();
    let tally = Tally::of(&outcomes, None);
    assert_eq!((tally.worlds, tally.without_fit, tally.cells.len()), (12, 0, 30));
    for quantity in [Quantity::Orders, Quantity::Spend] {
        let cells = tally.cells.iter().filter(|(key, _)| key.1 == quantity).map(|(_, cell)| cell);
        let (covered, worlds) = cells.fold((0, 0), |sum, cell| (sum.0 + cell.covered, sum.1 + cell.worlds));
        let share = f64::from(covered) / f64::from(worlds);
        assert!((0.72..0.999).contains(&share), "{quantity:?}: {covered} of {worlds}");
    }
    // A customer's own: 3,000 of them, whole numbers, so that more than the level is covered.
    let [orders, spend] = tally.customers.covered.map(|n| n as f64 / tally.customers.customers as f64);
    assert!((0.9..0.99).contains(&orders), "{orders}");
    assert!((0.88..0.99).contains(&spend), "{spend}");
    // What happened adds up, whatever the division.
    for outcome in &outcomes {
        for quantity in [Quantity::Orders, Quantity::Spend] {
            let sum = |wanted: fn(Group) -> bool| {
                let of = outcome.totals.iter().filter(|held| held.quantity == quantity && wanted(held.group));
                of.map(|held| held.actual).sum::<f64>()
            };
            let all = sum(|group| group == Group::All);
            for parts in
                [sum(|group| matches!(group, Group::Tier(_))), sum(|group| matches!(group, Group::Tenth(_)))]
            {
                assert!((parts - all).abs() <= 1e-9 * all, "{parts} {all}");
            }
        }
    }
}

#[test]
fn a_better_season_is_missed() {
    let options = options(400);
    let outcomes: Vec<Outcome> =
        (0..6).map(|number| cover(number, Truth::Misspecified, &options).unwrap()).collect();
    let tally = Tally::of(&outcomes, None);
    let all = tally.cells[&(Group::All, Quantity::Orders)];
    assert!(all.covered < all.worlds && all.below < all.worlds, "{all:?}");
}

#[test]
fn a_world_is_its_number_at_any_number_of_threads() {
    let options = CoverageOptions { draws: 50, ..options(100) };
    let of = |threads| with_threads(threads, || cover(2, Truth::WellSpecified, &options)).unwrap().unwrap();
    let one = of(1);
    assert_eq!(one.model, ModelName::ParetoNbd);
    assert_eq!(of(3), one);
    assert_ne!(cover(5, Truth::WellSpecified, &options).unwrap().parameters, one.parameters);
}
