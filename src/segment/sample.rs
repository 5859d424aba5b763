//! Fair samples of rows that do not depend on threads, and hardly on which other rows there are.

use crate::parallel;
use crate::random::{Purpose, Stream, hash_integer};

/// What a row is known by to random numbers. A customer's is the hash of its id: the sample then changes little when
/// customers join, and not at all when rows are stored in another order.
pub type RowKey<'a> = &'a (dyn Fn(usize) -> u64 + Sync);

/// The key of rows that have nothing but their number.
pub fn by_number(row: usize) -> u64 {
    hash_integer(row as u64)
}

/// `wanted` of `rows` rows in ascending order: those with the smallest random numbers, keyed by (seed, key, replication).
/// All of them where there are no more.
pub(super) fn choose(rows: usize, wanted: usize, key: RowKey<'_>, seed: u64, replication: u32) -> Vec<usize> {
    if wanted >= rows {
        return (0..rows).collect();
    }
    let draw = |row: usize| Stream::new(seed, key(row), replication, Purpose::Sample).bits();
    // Only numbers up to a threshold can be among the smallest ones, six standard deviations above what is expected.
    let expected = wanted as f64;
    let share = (expected + 6.0 * expected.sqrt() + 16.0) / rows as f64;
    let threshold = if share < 1.0 { (share * 2f64.powi(64)) as u64 } else { u64::MAX };
    let below = |threshold: u64| {
        let chunk = |range: std::ops::Range<usize>| {
            range.map(|row| (draw(row), row)).filter(|&(drawn, _)| drawn <= threshold).collect::<Vec<_>>()
        };
        parallel::map_chunks(rows, 16_384, chunk).concat()
    };
    let mut drawn = below(threshold);
    if drawn.len() < wanted {
        drawn = below(u64::MAX);
    }
    // The row settles the rare tie of two keys.
    drawn.select_nth_unstable(wanted - 1);
    let mut chosen: Vec<usize> = drawn[..wanted].iter().map(|&(_, row)| row).collect();
    chosen.sort_unstable();
    chosen
}

/// A resample of the same expected size, in the order of the rows: each counts as often as a Poisson number with mean 1,
/// keyed by (seed, key, replication), says.
pub(super) fn resample(rows: usize, key: RowKey<'_>, seed: u64, replication: u32) -> Vec<usize> {
    let times = |row: usize| {
        let u = Stream::new(seed, key(row), replication, Purpose::Bootstrap).uniform();
        let (mut n, mut term) = (0, (-1.0f64).exp());
        let mut up_to = term;
        while u > up_to && n < 20 {
            n += 1;
            term /= f64::from(n);
            up_to += term;
        }
        n as usize
    };
    parallel::map_chunks(rows, 16_384, |range| {
        range.flat_map(|row| std::iter::repeat_n(row, times(row))).collect::<Vec<_>>()
    })
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_fair_and_keyed() {
        let chosen = choose(3000, 1000, &by_number, 1, 0);
        assert_eq!(chosen.len(), 1000);
        assert!(chosen.is_sorted() && chosen.windows(2).all(|pair| pair[0] < pair[1]));
        assert_ne!(chosen, choose(3000, 1000, &by_number, 2, 0));
        assert_ne!(chosen, choose(3000, 1000, &by_number, 1, 1));
        // A third of them below row 1000, within five standard errors.
        let low = chosen.iter().filter(|&&row| row < 1000).count() as f64;
        assert!((low - 333.3).abs() < 5.0 * 12.2);
        assert_eq!(choose(5, 5, &by_number, 1, 0), [0, 1, 2, 3, 4]);
        // The smallest numbers of all, not just small ones.
        let slow = |wanted: usize| {
            let draw = |row: usize| Stream::new(7, by_number(row), 3, Purpose::Sample).bits();
            let mut all: Vec<(u64, usize)> = (0..50_000).map(|row| (draw(row), row)).collect();
            all.sort_unstable();
            let mut rows: Vec<usize> = all[..wanted].iter().map(|&(_, row)| row).collect();
            rows.sort_unstable();
            rows
        };
        for wanted in [1, 40, 49_990] {
            assert_eq!(choose(50_000, wanted, &by_number, 7, 3), slow(wanted));
        }
    }

    #[test]
    fn equal_keys_do_not_break_a_sample() {
        assert_eq!(choose(100, 10, &|_| 5, 1, 0), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn resamples_have_their_size() {
        let rows = resample(10_000, &by_number, 1, 0);
        assert!((rows.len() as f64 - 10_000.0).abs() < 500.0);
        assert!(rows.is_sorted());
        let different = 1 + rows.windows(2).filter(|pair| pair[0] != pair[1]).count();
        // A row is left out with probability 1/e.
        assert!((different as f64 - 6321.0).abs() < 5.0 * 48.3, "{different}");
    }
}
