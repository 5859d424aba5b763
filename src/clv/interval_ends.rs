//! The ends of 95 % intervals from values that are equally likely.

/// The share of an interval left out at each of its ends.
const TAIL: f64 = 0.025;

/// The ends, linear between order statistics at places p·(n + 1) (Hyndman and Fan's type 6): one more value lies between with that probability. There must be a value.
pub(super) fn of_means(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let quantile = |p: f64| {
        let last = (values.len() - 1) as f64;
        let place = (p * (last + 2.0) - 1.0).clamp(0.0, last);
        let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
        // Two equal infinities have no difference.
        if low == high { low } else { low + (place - place.floor()) * (high - low) }
    };
    (quantile(TAIL), quantile(1.0 - TAIL))
}

/// The ends of counts, which stay whole: the smallest that so many are not above. There must be a count.
pub(super) fn of_counts(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let quantile = |p: f64| values[((p * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1];
    (quantile(TAIL), quantile(1.0 - TAIL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_quantiles() {
        let values: Vec<f64> = (0..=1000).rev().map(f64::from).collect();
        let (lower, upper) = of_means(values.clone());
        assert!((lower - 24.05).abs() < 1e-9 && (upper - 975.95).abs() < 1e-9, "{lower} {upper}");
        assert_eq!(of_counts(values), (25.0, 975.0));
        assert_eq!(of_means(vec![3.0]), (3.0, 3.0));
    }
}
