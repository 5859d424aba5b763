//! The ends of 95 % intervals from values that are equally likely.

/// The share of an interval left out at each of its ends.
const TAIL: f64 = 0.025;

/// The ends, linear between order statistics (Hyndman and Fan's type 7). There must be a value.
pub(super) fn of_means(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let quantile = |p: f64| {
        let place = p * (values.len() - 1) as f64;
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
        assert_eq!(of_means(values.clone()), (25.0, 975.0));
        assert_eq!(of_counts(values), (25.0, 975.0));
        assert_eq!(of_means(vec![3.0]), (3.0, 3.0));
    }
}
