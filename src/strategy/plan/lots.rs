//! Lots: the keyed random order in which customers are contacted where not all can be, and how many a limit allows.

use super::People;
use crate::parallel;
use crate::random::{Purpose, Stream};

/// A customer's lot; the smallest are drawn first.
pub(super) fn lot(people: &People, row: usize) -> u64 {
    Stream::new(people.seed, people.hash[row], 0, Purpose::Selection).bits()
}

/// The first `n` of some customers by lot, in no particular order.
pub(super) fn first(people: &People, rows: Vec<usize>, n: u64) -> Vec<usize> {
    if n >= rows.len() as u64 {
        return rows;
    }
    let n = n as usize;
    if n == 0 {
        return Vec::new();
    }
    // The hash decides between equal lots, so that the order of the table never does.
    let mut lots = parallel::collect(rows.len(), |i| (lot(people, rows[i]), people.hash[rows[i]], rows[i]));
    lots.select_nth_unstable(n - 1);
    lots.truncate(n);
    lots.into_iter().map(|(_, _, row)| row).collect()
}

/// What the share `share` of `n` is in whole customers: rounded up, as `top(x, 20%)` does in tier rules.
pub(super) fn part(share: f64, n: u64) -> u64 {
    let exact = share * n as f64;
    // 0.07 × 100 is 7.000000000000001.
    ((exact - 1e-9 * exact.max(1.0)).ceil().max(0.0) as u64).min(n)
}

/// How many at `each` the amount `limit` allows.
pub(super) fn affordable(limit: f64, each: f64) -> u64 {
    if each <= 0.0 {
        return u64::MAX;
    }
    // 0.3/0.1 is 2.9999999999999996: one more where it fits up to rounding. Infinity is the greatest number.
    let n = (limit / each).max(0.0).floor();
    let one_more = n + 1.0;
    (if one_more * each <= limit * (1.0 + 1e-12) { one_more } else { n }) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_customers() {
        assert_eq!((part(0.07, 100), part(0.1, 30), part(0.5, 3), part(1.0, 7)), (7, 3, 2, 7));
        assert_eq!((part(0.01, 5), part(0.5, 0)), (1, 0));
        assert_eq!((affordable(0.3, 0.1), affordable(0.299, 0.1), affordable(-1.0, 2.0)), (3, 2, 0));
        assert_eq!((affordable(5.0, 0.0), affordable(f64::INFINITY, 2.0)), (u64::MAX, u64::MAX));
    }
}
