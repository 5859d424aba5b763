//! From values to places on a chart, and where the ticks go.

/// A straight map from values to places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    values: (f64, f64),
    places: (f64, f64),
}

impl Scale {
    /// Maps `values.0` to `places.0` and `values.1` to `places.1`. Equal or impossible values are spread to ±1.
    pub fn new(values: (f64, f64), places: (f64, f64)) -> Scale {
        let finite = values.0.is_finite() && values.1.is_finite();
        let values = match values {
            _ if !finite => (0.0, 1.0),
            (low, high) if high > low => (low, high),
            (low, _) => (low - 1.0, low + 1.0),
        };
        Scale { values, places }
    }

    /// The place of a value; values beyond the ends are put on them.
    pub fn at(&self, value: f64) -> f64 {
        let part = (value - self.values.0) / (self.values.1 - self.values.0);
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        self.places.0 + part * (self.places.1 - self.places.0)
    }

    /// About `wanted` round values between the ends, and the distance between them.
    pub fn ticks(&self, wanted: usize) -> (Vec<f64>, f64) {
        let (low, high) = self.values;
        let step = round_step((high - low) / wanted.max(1) as f64);
        let first = (low / step - 1e-9).ceil();
        let last = (high / step + 1e-9).floor();
        let count = (last - first).clamp(0.0, 50.0) as i32;
        // Multiples of the step, not sums: 0 is exactly 0.
        ((0..=count).map(|i| (first + f64::from(i)) * step).collect(), step)
    }
}

/// The largest magnitude of some ticks.
pub fn largest(ticks: &[f64]) -> f64 {
    ticks.iter().fold(0.0, |most, at| at.abs().max(most))
}

/// The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is at least `step`.
pub fn round_step(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&s| s >= step * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let scale = Scale::new((-130.0, 420.0), (0.0, 100.0));
        assert_eq!(scale.ticks(5), (vec![0.0, 200.0, 400.0], 200.0));
        assert_eq!(Scale::new((0.0, 1.0), (0.0, 1.0)).ticks(5).0.len(), 6);
    }

    #[test]
    fn places_stay_inside() {
        let scale = Scale::new((0.0, 10.0), (100.0, 0.0));
        assert_eq!((scale.at(0.0), scale.at(10.0), scale.at(99.0)), (100.0, 0.0, 0.0));
        assert!(scale.at(f64::NAN).is_finite());
        assert_eq!(Scale::new((3.0, 3.0), (0.0, 2.0)).at(3.0), 1.0);
        assert!(Scale::new((f64::NAN, 3.0), (0.0, 2.0)).at(3.0).is_finite());
    }
}
