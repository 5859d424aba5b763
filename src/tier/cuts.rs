//! Tiers cut from one number per customer, the biggest first. A threshold is a value, so ties are never split.

use crate::customers::spend::{ascending, millionths, threshold};
use crate::parallel;

/// For each of `percents` (ascending) the value that the top so many percent of customers reach: the one at rank
/// ⌈percent·n/100⌉ from the top. Customers equal to it belong to the top as well. None where there is no customer.
pub(super) fn by_rank(values: &[f64], percents: &[u64]) -> Vec<Option<f64>> {
    let sorted = ascending(values.to_vec());
    let n = sorted.len();
    let at = |percent: u64| (percent * n as u64).div_ceil(100) as usize;
    percents.iter().map(|&percent| (n > 0).then(|| sorted[n - at(percent).max(1)])).collect()
}

/// For each of `percents` (ascending) the smallest value of the customers who, the biggest first, make so many
/// percent of the sum: a group of equal customers belongs to them when those above it make less than that share.
/// Negative values count as 0. None where there is nothing to share.
pub(super) fn by_share(values: &[f64], percents: &[u64]) -> Vec<Option<f64>> {
    let sorted = ascending(values.iter().map(|value| value.max(0.0)).collect());
    // Whole millionths add exactly: whether a share is 70 % does not depend on rounding.
    let total: i128 = sorted.iter().map(|&value| millionths(value)).sum();
    let mut out = vec![None; percents.len()];
    if total == 0 {
        return out;
    }
    let mut before = 0i128;
    for group in sorted.chunk_by(|a, b| a == b).rev() {
        // `out` is the last group whose share before it was small enough.
        for (slot, &percent) in out.iter_mut().zip(percents) {
            if before * 100 < total * i128::from(percent) {
                *slot = Some(group[0]);
            }
        }
        before += millionths(group[0]) * group.len() as i128;
    }
    out
}

/// The tier of every customer: the first whose threshold the value reaches, else the one after the last.
pub(super) fn codes(values: &[f64], thresholds: &[Option<f64>]) -> Vec<u8> {
    parallel::collect(values.len(), |i| {
        let reached = |limit: &Option<f64>| limit.is_some_and(|limit| values[i] >= limit);
        thresholds.iter().position(reached).unwrap_or(thresholds.len()) as u8
    })
}

/// Who is in each of the tiers between the thresholds, in words: one tier more than there are thresholds.
pub(super) fn words(what: &str, thresholds: &[Option<f64>]) -> Vec<String> {
    let bound = |at: Option<usize>| at.and_then(|at| thresholds.get(at)).copied().flatten();
    (0..=thresholds.len())
        .map(|tier| match (bound(tier.checked_sub(1)), bound(Some(tier))) {
            (Some(above), Some(limit)) if limit >= above => {
                "nobody: the tier above already has everyone who would be here".into()
            }
            (Some(above), Some(limit)) => {
                format!("{what} of at least {} and below {}", threshold(limit), threshold(above))
            }
            (None, Some(limit)) => format!("{what} of at least {}", threshold(limit)),
            (Some(above), None) => format!("{what} below {}", threshold(above)),
            (None, None) if tier == thresholds.len() => format!("any {what}"),
            (None, None) => "nobody: there is nothing to share".into(),
        })
        .collect()
}

/// The thresholds that exist, with the names of the tiers that they open.
pub(super) fn named(names: &[&str], thresholds: &[Option<f64>]) -> Vec<(String, f64)> {
    names.iter().zip(thresholds).filter_map(|(name, limit)| Some((name.to_string(), (*limit)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(by_rank(&values, &[20, 50]), [Some(9.0), Some(6.0)]);
        // 11 customers: ranks 3 and 6.
        let values: Vec<f64> = (1..=11).map(f64::from).collect();
        assert_eq!(by_rank(&values, &[20, 50]), [Some(9.0), Some(6.0)]);
        assert_eq!(by_rank(&[], &[20]), [None]);
    }

    #[test]
    fn shares_are_exact_at_the_cut() {
        // After 70 the share is 70 % and no longer below it; after 70 + 20 it is 90 %.
        assert_eq!(by_share(&[10.0, 70.0, 20.0], &[70, 90]), [Some(70.0), Some(20.0)]);
        // 0.7, 0.2, 0.1 add up to 1 as millionths, though not as floating point.
        assert_eq!(by_share(&[0.1, 0.7, 0.2], &[70, 90]), [Some(0.7), Some(0.2)]);
        // Before the group of 30s there are 40 %: all of them come along.
        assert_eq!(by_share(&[30.0, 40.0, 30.0, 0.0, -9.0], &[70, 90]), [Some(30.0), Some(30.0)]);
        assert_eq!(by_share(&[0.0, -1.0], &[70, 90]), [None, None]);
    }

    #[test]
    fn words_and_codes() {
        let limits = [Some(1234.5), Some(10.0)];
        assert_eq!(codes(&[10.0, 9.99, 1234.5, 5000.0], &limits), [1, 2, 0, 0]);
        assert_eq!(
            words("total spend", &limits),
            [
                "total spend of at least 1,234.50",
                "total spend of at least 10.00 and below 1,234.50",
                "total spend below 10.00"
            ]
        );
        assert!(words("total spend", &[Some(3.0), Some(3.0)])[1].starts_with("nobody"));
        assert_eq!(words("total spend", &[None, None])[2], "any total spend");
        assert_eq!(codes(&[0.0], &[None, None]), [2]);
    }
}
