//! One number with what is known about it.

use serde::Serialize;

/// The levels of every interval: 2.5 % and 97.5 %.
pub(super) const LEVELS: (f64, f64) = (0.025, 0.975);

/// One number with what is known about it.
///
/// - `lower`/`upper` (95 %): quantiles over replications, each with its own parameters, responses, customers' rates
///   and futures: what will happen.
/// - `mean_lower`/`mean_upper`: quantiles of the expectation, over parameters and responses only.
/// - `mc_error`: the numerical error of `value`, which more replications make smaller; never an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean: of the exact expectations in all worlds, which is that over replications without the noise of futures (each
    /// future's own closed-form mean as its control variate); over replications where there is no closed form.
    pub value: f64,
    /// 2.5 % quantile of what will happen.
    pub lower: f64,
    /// 97.5 % quantile of what will happen.
    pub upper: f64,
    /// 2.5 % quantile of the expectation; NaN where it has no closed form.
    pub mean_lower: f64,
    /// 97.5 % quantile of the expectation; NaN where it has no closed form.
    pub mean_upper: f64,
    /// Standard error of `value` from the finite number of worlds, or of replications; 0 where it is exact, NaN where it
    /// cannot be known.
    pub mc_error: f64,
}

impl Estimate {
    /// Of what was sampled by replication and what is expected by world.
    pub(super) fn new(sampled: &[f64], expected: Option<&[f64]>, basis: Basis) -> Estimate {
        let of_what_happens = sorted(sampled);
        let (value, mc_error) = match expected {
            // Nothing varies: the only world is as all worlds are.
            Some(of) if basis.is_fixed && of.len() == 1 => (of[0], 0.0),
            Some(of) => basis.mean_and_error(of),
            // Futures of one world go together: their mean is one value of it.
            None if basis.is_fixed || basis.futures < 2 => basis.mean_and_error(sampled),
            None => {
                let each = |of: &[f64]| mean_and_error(of).0;
                basis.mean_and_error(&sampled.chunks(basis.futures).map(each).collect::<Vec<_>>())
            }
        };
        let mean = expected.map(sorted);
        let end = |level| mean.as_ref().map_or(f64::NAN, |of| quantile(of, level));
        Estimate {
            value,
            lower: quantile(&of_what_happens, LEVELS.0),
            upper: quantile(&of_what_happens, LEVELS.1),
            mean_lower: end(LEVELS.0),
            mean_upper: end(LEVELS.1),
            mc_error,
        }
    }
}

/// What estimates rest on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis {
    /// Whether all worlds are the same: parameters and all that is believed are held.
    pub is_fixed: bool,
    /// Futures of each world.
    pub futures: usize,
    /// As many independent worlds are worth as much, where that is fewer than there are.
    pub effective: f64,
}

impl Basis {
    /// The mean of the worlds' values and its standard error.
    fn mean_and_error(&self, of: &[f64]) -> (f64, f64) {
        let (mean, error) = mean_and_error(of);
        let n = of.len() as f64;
        (mean, if self.effective < n { error * (n / self.effective).sqrt() } else { error })
    }
}

/// The mean and its standard error; NaN of a single value.
pub(in crate::simulate) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    // Deviations from the first value: a constant has exactly error 0 and itself as the mean.
    let origin = values.first().copied().unwrap_or(f64::NAN);
    let shift = values.iter().map(|v| v - origin).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - origin - shift).powi(2)).sum();
    let error = if values.len() > 1 { (squares / (n - 1.0) / n).sqrt() } else { f64::NAN };
    (origin + shift, error)
}

/// The values in ascending order.
pub(in crate::simulate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut out = values.to_vec();
    out.sort_by(f64::total_cmp);
    out
}

/// Quantile of sorted values, linear between order statistics (Hyndman and Fan's type 7).
pub(in crate::simulate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = p * last as f64;
    let (low, part) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(last);
    sorted[low] + part * (sorted[high] - sorted[low])
}

/// The mean of the worst `share` of sorted values (expected shortfall), the value at the border in part.
pub(super) fn worst_mean(sorted: &[f64], share: f64) -> f64 {
    let count = share * sorted.len() as f64;
    let whole = (count.floor() as usize).min(sorted.len());
    let part = if whole < sorted.len() { (count - whole as f64) * sorted[whole] } else { 0.0 };
    (sorted[..whole].iter().sum::<f64>() + part) / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::normal_quantile;

    #[test]
    fn quantiles_interpolate() {
        let x: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&x, 0.025), 2.5);
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }

    #[test]
    fn a_constant_has_no_error() {
        let basis = |is_fixed| Basis { is_fixed, futures: 1, effective: f64::INFINITY };
        let e = Estimate::new(&[0.1; 7], Some(&[0.2; 7]), basis(false));
        assert_eq!((e.value, e.lower, e.upper, e.mean_lower, e.mc_error), (0.2, 0.1, 0.1, 0.2, 0.0));
        let e = Estimate::new(&[0.1; 7], None, basis(false));
        assert!(e.value == 0.1 && e.mc_error == 0.0 && e.mean_lower.is_nan());
        assert_eq!(Estimate::new(&[0.1, 0.3], Some(&[0.2]), basis(true)).mc_error, 0.0);
        assert!(Estimate::new(&[0.1, 0.3], Some(&[0.2]), basis(false)).mc_error.is_nan());
    }

    /// Draws that are used again and again, and futures of one draw, are worth no more than the draws.
    #[test]
    fn errors_know_what_draws_are_worth() {
        let all: Vec<f64> = (0..100).map(|i| f64::from(i % 10)).collect();
        let error = |futures, effective, expected: bool| {
            let basis = Basis { is_fixed: false, futures, effective };
            Estimate::new(&all, expected.then_some(&all[..]), basis).mc_error
        };
        let naive = error(1, f64::INFINITY, true);
        assert!((error(1, 10.0, true) / naive - 10f64.sqrt()).abs() < 1e-12);
        // Ten futures of each world, whose means are all the same.
        assert_eq!(error(10, f64::INFINITY, false), 0.0);
        assert!(error(1, f64::INFINITY, false) == naive);
    }

    /// Oracle: the worst-5 % mean of N(100, 20) is 58.7457.
    #[test]
    fn the_worst_five_percent_of_a_normal() {
        let n = 200_000;
        let x: Vec<f64> =
            (0..n).map(|i| 100.0 + 20.0 * normal_quantile((i as f64 + 0.5) / n as f64)).collect();
        assert!((worst_mean(&x, 0.05) - 58.7457).abs() < 1e-3);
        // Three values: the worst 5 % are 0.15 of the lowest.
        assert_eq!(worst_mean(&[1.0, 2.0, 3.0], 0.05), 1.0);
        assert!((worst_mean(&[1.0, 2.0, 3.0], 0.5) - (1.0 + 0.5 * 2.0) / 1.5).abs() < 1e-15);
    }
}
