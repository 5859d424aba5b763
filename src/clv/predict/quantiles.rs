//! Means and ends of intervals.

/// Mean, and the quantiles at `tail` and 1 − `tail`, linear between order statistics (Hyndman and Fan's type 6: place
/// p·(n + 1) of n). Between them lies one more draw with probability 1 − 2 `tail` exactly; with type 7, the common
/// one, an interval of 90 % from 400 draws would be one of 89.55 %.
pub(super) fn summary(values: &[f64], tail: f64, scratch: &mut Vec<f64>) -> (f64, f64, f64) {
    let (lower, upper) = ends(values, tail, scratch);
    (values.iter().sum::<f64>() / values.len() as f64, lower, upper)
}

/// The quantiles of [`summary`].
pub(crate) fn ends(values: &[f64], tail: f64, scratch: &mut Vec<f64>) -> (f64, f64) {
    scratch.clear();
    scratch.extend_from_slice(values);
    let n = values.len() as f64;
    let place = |p: f64| {
        let at = (p * (n + 1.0) - 1.0).clamp(0.0, n - 1.0);
        (at.floor() as usize, at.fract())
    };
    let ((low, low_part), (high, high_part)) = (place(tail), place(1.0 - tail));
    // What lies beyond the upper quantile is found first, so that the lower one is looked for in what is left.
    let (below, at_high, above) = scratch.select_nth_unstable_by(high, f64::total_cmp);
    let at_high = *at_high;
    let next_high = least(above).unwrap_or(at_high);
    let (at_low, next_low) = if low < high {
        let (_, at_low, above) = below.select_nth_unstable_by(low, f64::total_cmp);
        (*at_low, least(above).unwrap_or(at_high))
    } else {
        (at_high, next_high)
    };
    // Also where both are infinite.
    let between = |from: f64, to: f64, part: f64| {
        if part == 0.0 || from == to { from } else { from + part * (to - from) }
    };
    (between(at_low, next_low, low_part), between(at_high, next_high, high_part))
}

/// The same ends for whole numbers: the smallest numbers that at least `tail` and 1 − `tail` of the draws do not exceed.
pub(super) fn whole_ends(values: &[f64], tail: f64, scratch: &mut Vec<f64>) -> (f64, f64) {
    scratch.clear();
    scratch.extend_from_slice(values);
    let n = values.len();
    let place = |p: f64| whole_place(p, n);
    let (low, high) = (place(tail), place(1.0 - tail));
    let (below, at_high, _) = scratch.select_nth_unstable_by(high, f64::total_cmp);
    let upper = *at_high;
    let lower = if low < high { *below.select_nth_unstable_by(low, f64::total_cmp).1 } else { upper };
    (lower, upper)
}

/// Place, from 0 on, of the smallest of `n` sorted values that at least a share `p` of them does not exceed. A share
/// that is a whole number of values but for the rounding of `p` (1 − .95 is one) is that number.
fn whole_place(p: f64, n: usize) -> usize {
    ((p * n as f64 - 1e-9).ceil() as usize).clamp(1, n) - 1
}

fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_moves_no_place() {
        // The tenth of 400 at 2.5 %, however the level was written.
        let tail = 0.5 * (1.0 - 0.95);
        assert_eq!((whole_place(tail, 400), whole_place(1.0 - tail, 400)), (9, 389));
        assert_eq!((whole_place(0.5 * (1.0 - 0.99), 200), whole_place(0.05, 400)), (0, 19));
    }

    /// Against sorting, with ties, infinities and every length up to 40.
    #[test]
    fn ends_are_those_of_sorted_numbers() {
        for n in 1..40usize {
            let values: Vec<f64> = (0..n)
                .map(|i| match (i * 7919) % 11 {
                    10 => f64::INFINITY,
                    other => other as f64 * 0.3,
                })
                .collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for tail in [0.005, 0.05, 0.25, 0.4999] {
                let quantile = |p: f64| {
                    let at = (p * (n as f64 + 1.0) - 1.0).clamp(0.0, n as f64 - 1.0);
                    let (from, to) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
                    if from == to { from } else { from + at.fract() * (to - from) }
                };
                let whole = |p: f64| sorted[whole_place(p, n)];
                let mut scratch = Vec::new();
                assert_eq!(ends(&values, tail, &mut scratch), (quantile(tail), quantile(1.0 - tail)));
                assert_eq!(whole_ends(&values, tail, &mut scratch), (whole(tail), whole(1.0 - tail)));
            }
        }
    }
}
