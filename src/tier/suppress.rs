//! Small cells kept out of what is handed on: a count of three customers can tell who they are.
//!
//! Primary suppression hides counts from 1 to k − 1. Where a row or a column shows its total, one hidden cell follows from
//! the others; then a second one is hidden, the smallest that is not 0 (secondary suppression; Willenborg and de Waal,
//! "Elements of Statistical Disclosure Control", 2001, chapter 4). This protects rows and columns one at a time, as
//! single-table suppression does: a chain through several of them with intervals narrower than k is not searched for.

/// Which cells of a table of counts (rows of equal length) are to be hidden. With `totals` the sums of rows and columns
/// are shown beside it.
pub fn hidden(counts: &[Vec<u64>], k: u64, totals: bool) -> Vec<Vec<bool>> {
    let mut out: Vec<Vec<bool>> =
        counts.iter().map(|row| row.iter().map(|&n| n > 0 && n < k).collect()).collect();
    if !totals {
        return out;
    }
    let columns = counts.first().map_or(0, Vec::len);
    let rows: Vec<Vec<(usize, usize)>> = (0..counts.len())
        .map(|i| (0..columns).map(|j| (i, j)).collect())
        .chain((0..columns).map(|j| (0..counts.len()).map(|i| (i, j)).collect()))
        .collect();
    // Each pass hides at least one more cell, or ends.
    loop {
        let mut changed = false;
        for line in &rows {
            let alone: Vec<_> = line.iter().filter(|&&(i, j)| out[i][j]).collect();
            // Hidden cells that together are below k are told by their sum as well.
            let sum: u64 = alone.iter().map(|&&(i, j)| counts[i][j]).sum();
            if alone.is_empty() || (alone.len() > 1 && sum >= k) {
                continue;
            }
            let shown = line.iter().filter(|&&(i, j)| !out[i][j] && counts[i][j] > 0);
            // Where nothing else is left, a 0 is hidden: that it is one is then unknown too.
            let next = shown.min_by_key(|&&(i, j)| (counts[i][j], i, j));
            let next = next.or_else(|| line.iter().find(|&&(i, j)| !out[i][j]));
            if let Some(&(i, j)) = next {
                out[i][j] = true;
                changed = true;
            }
        }
        if !changed {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_cell_and_what_would_reveal_it() {
        let counts = vec![vec![50, 3, 40], vec![60, 30, 20], vec![70, 80, 90]];
        assert_eq!(
            hidden(&counts, 5, false),
            [[false, true, false], [false, false, false], [false, false, false]]
        );
        // In its row 40 is the smallest other one, in its column 30; then those two lines need one each: 20 serves both.
        assert_eq!(
            hidden(&counts, 5, true),
            [[false, true, true], [false, true, true], [false, false, false]]
        );
        assert!(hidden(&[vec![0, 7], vec![9, 0]], 5, true).iter().flatten().all(|&h| !h));
        assert!(hidden(&[], 5, true).is_empty());
    }

    proptest! {
        #[test]
        fn no_hidden_cell_follows_from_a_line(counts in (2usize..5, 2usize..5).prop_flat_map(|(rows, columns)| {
            prop::collection::vec(prop::collection::vec(0u64..30, columns), rows)
        }), k in 2u64..10) {
            let out = hidden(&counts, k, true);
            let columns = counts[0].len();
            for (i, row) in counts.iter().enumerate() {
                for (j, &n) in row.iter().enumerate() {
                    prop_assert!(out[i][j] || n == 0 || n >= k);
                }
            }
            let lines = (0..counts.len()).map(|i| (0..columns).map(|j| (i, j)).collect::<Vec<_>>());
            let lines = lines.chain((0..columns).map(|j| (0..counts.len()).map(|i| (i, j)).collect()));
            for line in lines {
                let alone = line.iter().filter(|&&(i, j)| out[i][j]).count();
                prop_assert!(alone != 1, "{counts:?} {out:?}");
            }
        }
    }
}
