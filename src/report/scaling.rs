//! What a series of measured times says: its middle, the speed-up by threads, the growth by size.

/// The median; `None` of nothing. Of an even number of values, the mean of the middle two.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (&upper, &lower) = (sorted.get(sorted.len() / 2)?, sorted.get(sorted.len().saturating_sub(1) / 2)?);
    Some(f64::midpoint(lower, upper))
}

/// How many times faster than `base` seconds a run of `seconds` is; `None` where one of them is too short to be measured.
pub fn speed_up(base: f64, seconds: f64) -> Option<f64> {
    (base > 0.0 && seconds > 0.0).then(|| base / seconds)
}

/// The exponent g with which time grows with size, time ∝ size^g: the least squares slope of log time on log size.
///
/// `points` are (size, seconds); those without a positive size and time say nothing and are left out. `None` with fewer
/// than two different sizes. 1 is linear; below it, fixed costs are being spread.
pub fn growth_exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(size, seconds)| *size > 0.0 && *seconds > 0.0)
        .map(|(size, seconds)| (size.ln(), seconds.ln()))
        .collect();
    let n = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let varied: f64 = logs.iter().map(|p| (p.0 - x).powi(2)).sum();
    let together: f64 = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    (varied > 0.0).then(|| together / varied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_do_not_depend_on_order() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[5.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 30.0]), Some(3.0));
    }

    #[test]
    fn a_power_law_gives_its_exponent() {
        for g in [0.5, 1.0, 1.7] {
            let points: Vec<(f64, f64)> = [1e5, 1e6, 1e7].map(|n: f64| (n, 3e-7 * n.powf(g))).into();
            assert!((growth_exponent(&points).unwrap() - g).abs() < 1e-12);
        }
        // Least squares: two runs of one size count with their mean logarithm.
        let scattered = [(10.0, 1.0), (10.0, 4.0), (1000.0, 200.0)];
        assert!((growth_exponent(&scattered).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_size_or_no_time_has_no_growth() {
        assert_eq!(growth_exponent(&[]), None);
        assert_eq!(growth_exponent(&[(1e6, 1.0), (1e6, 2.0)]), None);
        assert_eq!(growth_exponent(&[(1e5, 0.0), (1e6, 2.0)]), None);
    }

    #[test]
    fn speed_up_is_a_ratio_of_times() {
        assert_eq!(speed_up(4.0, 2.0), Some(2.0));
        assert_eq!(speed_up(4.0, 0.0), None);
    }
}
