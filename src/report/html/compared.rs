//! What every section about strategies looks at, and how it prints what is believed.

use super::Drawn;
use crate::calendar::Day;
use crate::report::format::{percent, signed_percent, significant};
use crate::simulate::{ClaimCheck, Comparison, Estimate, Metric, Sensitivity, SplitWinner};
use crate::strategy::{Assumed, Curve, Lever, StrategySet};

/// Strategies side by side with what they rest on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared<'a> {
    pub set: &'a StrategySet,
    pub comparison: &'a Comparison,
    pub sensitivity: &'a [Sensitivity],
    pub split_winners: Option<&'a [SplitWinner; 2]>,
    pub claims: &'a [ClaimCheck],
    pub currency: &'a str,
    /// The last day of the history: the horizon begins after it.
    pub begins: Day,
    /// What worlds draw anew.
    pub drawn: Drawn,
}

impl Compared<'_> {
    /// Whether expectations have an interval: whether there are worlds that differ.
    pub fn has_intervals(&self) -> bool {
        self.drawn.without_interval(self.comparison.worlds).is_none()
    }

    /// The interval of an expectation; NaN where it has none.
    pub fn mean_interval(&self, of: &Estimate) -> (f64, f64) {
        if self.has_intervals() { (of.mean_lower, of.mean_upper) } else { (f64::NAN, f64::NAN) }
    }

    /// The difference in profit from doing nothing.
    pub fn gain(&self, strategy: usize, tier: Option<usize>) -> Option<Estimate> {
        self.comparison.find(strategy, tier, Metric::Profit).map(|row| row.difference)
    }

    /// The value of a metric under a strategy.
    pub fn value(&self, strategy: usize, tier: Option<usize>, metric: Metric) -> f64 {
        self.comparison.find(strategy, tier, metric).map_or(f64::NAN, |row| row.estimate.value)
    }

    /// "profit", with the currency where there is one.
    pub fn profit(&self) -> String {
        if self.currency.is_empty() { "profit".to_string() } else { format!("profit ({})", self.currency) }
    }

    /// The name of a strategy.
    pub fn name(&self, strategy: usize) -> &str {
        self.comparison.strategies.get(strategy).map_or("", String::as_str)
    }

    /// The strategies but the baseline, that of the headline first.
    pub fn leader_first(&self) -> Vec<usize> {
        let leader = super::headline::leader(self.comparison).map(|(s, _)| s);
        let others = (1..self.comparison.strategies.len()).filter(|&s| Some(s) != leader);
        leader.into_iter().chain(others).collect()
    }
}

/// How the values of a belief are printed.
pub(super) fn printer(set: &StrategySet, of: Assumed) -> fn(f64) -> String {
    match of {
        Assumed::Effect(i) => match (set.responses[i].on, &set.responses[i].curve) {
            (_, Curve::Logit { .. }) => |x| significant(x, 4),
            (Lever::Reactivation, _) => percent,
            _ => signed_percent,
        },
        Assumed::Breakage(_) | Assumed::Cannibalisation(_) => percent,
        Assumed::Arrivals => |x| significant(x, 4),
    }
}

/// The same for a belief that only its name is known of.
pub(super) fn printer_by_name(set: &StrategySet, name: &str) -> fn(f64) -> String {
    let found = set.assumed().into_iter().find(|&of| set.assumed_name(of) == name);
    found.map_or(|x| significant(x, 4), |of| printer(set, of))
}
