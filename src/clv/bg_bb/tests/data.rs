//! What BG/BB sees of customers: what cannot be is refused, and calendars become opportunities.

use super::super::*;
use crate::calendar::{CalendarPeriod, Day};

#[test]
fn impossible_statistics_are_refused() {
    let message = |x: u32, t_x: u32, n: u32| {
        Opportunities::from_statistics(&[0, x], &[0, t_x], &[0, n]).unwrap_err().to_string()
    };
    for (got, parts) in [
        (message(2, 7, 6), ["t_x of customer 1", "7", "above n = 6"]),
        (message(5, 4, 6), ["x of customer 1", "5", "above t_x = 4"]),
        (message(0, 3, 6), ["t_x of customer 1", "3", "no repeat transaction"]),
        (message(1, 0, 6), ["x of customer 1", "1", "above t_x = 0"]),
        (message(1, 1, 20_000), ["n of customer 1", "20000", "more than 10000"]),
    ] {
        for part in parts {
            assert!(got.contains(part), "{got}: {part}");
        }
    }
    assert!(Opportunities::from_statistics(&[0], &[0, 0], &[1]).is_err());
}

#[test]
fn customers_are_found_in_their_cells() {
    let data = Opportunities::from_statistics(&[1, 0, 1, 0], &[2, 0, 2, 0], &[3, 3, 3, 2]).unwrap();
    assert_eq!(data.customers(), 4);
    let of_customers: Vec<Cell> = data.of_rows().iter().map(|&i| data.cells()[i as usize]).collect();
    assert_eq!(data.cells().len(), 3);
    assert_eq!(of_customers[0], Cell { x: 1, t_x: 2, n: 3, customers: 2 });
    assert_eq!(of_customers[0], of_customers[2]);
    assert_eq!(of_customers[3], Cell { x: 0, t_x: 0, n: 2, customers: 1 });
}

#[test]
fn calendar_years_as_opportunities() {
    let days = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Day>>();
    let until = |text: &str| text.parse::<Day>().unwrap();
    let donor = days(&["1998-05-01", "1995-12-31", "1996-01-01", "1996-07-01", "2001-02-01"]);
    let year = CalendarPeriod::Year;
    assert_eq!(statistics_of_days(&donor, year, until("2001-12-31")), Some((3, 6, 6)));
    // 2001 has not ended.
    assert_eq!(statistics_of_days(&donor, year, until("2001-12-30")), Some((2, 3, 5)));
    assert_eq!(statistics_of_days(&donor, year, until("1995-12-31")), Some((0, 0, 0)));
    assert_eq!(statistics_of_days(&donor, year, until("1994-12-31")), None);
    let data = Opportunities::from_days([donor.as_slice(), &donor[..2]], year, until("2001-12-31")).unwrap();
    assert_eq!(
        data.cells(),
        [Cell { x: 1, t_x: 3, n: 6, customers: 1 }, Cell { x: 3, t_x: 6, n: 6, customers: 1 }]
    );
    let error = Opportunities::from_days([donor.as_slice(), &[]], year, until("2001-12-31")).unwrap_err();
    assert!(error.to_string().contains("customer 1"), "{error}");
}
