//! Groups that are known before the holdout: tiers by scores of the calibration, tenths by expected value.

use super::world::History;
use super::{CoverageOptions, Group};

/// Groups by expected value.
pub(super) const TENTHS: usize = 10;

/// Each customer's groups.
pub(super) struct Groups {
    pub(super) tier: Vec<u32>,
    pub(super) tenth: Vec<u32>,
}

impl Groups {
    /// `values` are what customers are expected to spend.
    pub(super) fn new(history: &History, values: &[f64], options: &CoverageOptions) -> Groups {
        let customers = values.len();
        // Days without an order, the fewer the better.
        let absent: Vec<f64> = (0..customers).map(|i| history.recency[i] - history.t[i]).collect();
        let orders: Vec<f64> = history.frequency.iter().map(|&x| f64::from(x)).collect();
        let [r, f, m] = [&absent, &orders, &history.total_spend].map(|measure| scores(measure));
        let tier = |i: usize| u32::from((options.tier_of)(r[i], f[i], m[i]));
        let mut order: Vec<usize> = (0..customers).collect();
        // Ties in the order of the customers, which is that of nothing.
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let mut tenth = vec![0; customers];
        for (rank, i) in order.into_iter().enumerate() {
            tenth[i] = (rank * TENTHS / customers) as u32;
        }
        Groups { tier: (0..customers).map(tier).collect(), tenth }
    }

    /// Whether customer `i` is in a group.
    pub(super) fn has(&self, group: Group, i: usize) -> bool {
        match group {
            Group::All => true,
            Group::Tier(code) => self.tier[i] as usize == code,
            Group::Tenth(code) => self.tenth[i] as usize == code,
        }
    }
}

/// Scores from 1 to 5 by fifths, equal values alike: by the share of customers that have less.
fn scores(measure: &[f64]) -> Vec<u8> {
    let mut sorted = measure.to_vec();
    sorted.sort_by(f64::total_cmp);
    let less = |value: f64| sorted.partition_point(|&other| other < value);
    measure.iter().map(|&value| 1 + (5 * less(value) / measure.len()) as u8).collect()
}
