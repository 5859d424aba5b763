//! Lifts of small tiers drawn towards those of the others, as far as the tiers are alike.

use serde::Serialize;

use super::effect::{Effect, Z};

/// An action's lift in a tier, with what the other tiers say of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shrunk {
    /// The action.
    pub action: String,
    /// The tier.
    pub tier: String,
    /// The lift, drawn towards the mean of the tiers.
    pub lift: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// How much of the tier's own estimate is left in it, 0 to 1.
    pub own: f64,
    /// Standard deviation of ln(1 + lift) between tiers.
    pub between: f64,
}

/// Empirical Bayes over the tiers of each action: ln(1 + lift) of a tier is normal around a common mean, with the variance between
/// tiers that makes Σ (own − mean)²/(error² + variance) as large as it is on average (Paule and Mandel, "Consensus values and
/// weighting factors", Journal of Research of the National Bureau of Standards 87, 1982). The interval has the error of the common
/// mean in it, not that of the variance: with two or three tiers it may be too narrow.
///
/// Actions with fewer than two tiers that have a lift are left out.
pub fn shrink(effects: &[Effect]) -> Vec<Shrunk> {
    let mut out = Vec::new();
    let mut actions: Vec<&str> = effects.iter().map(|effect| effect.action.as_str()).collect();
    actions.dedup();
    for action in actions {
        let of_action: Vec<(&Effect, f64, f64)> = effects
            .iter()
            .filter(|effect| effect.action == action)
            .filter_map(|effect| {
                let lift = effect.lift.filter(|lift| lift.log_error > 0.0)?;
                Some((effect, lift.lift.ln_1p(), lift.log_error.powi(2)))
            })
            .collect();
        if of_action.len() < 2 {
            continue;
        }
        let pairs: Vec<(f64, f64)> = of_action.iter().map(|(_, y, v)| (*y, *v)).collect();
        let between = paule_mandel(&pairs);
        let (mean, of_mean) = common(&pairs, between);
        for (effect, y, v) in of_action {
            let own = between / (between + v);
            let log = own * y + (1.0 - own) * mean;
            let variance = own * v + (1.0 - own).powi(2) * of_mean;
            let end = |z: f64| (log + z * variance.sqrt()).exp_m1();
            out.push(Shrunk {
                action: effect.action.clone(),
                tier: effect.tier.clone(),
                lift: log.exp_m1(),
                lower: end(-Z),
                upper: end(Z),
                own,
                between: between.sqrt(),
            });
        }
    }
    out
}

/// The common mean and its variance.
fn common(pairs: &[(f64, f64)], between: f64) -> (f64, f64) {
    let weight: f64 = pairs.iter().map(|(_, v)| 1.0 / (v + between)).sum();
    let sum: f64 = pairs.iter().map(|(y, v)| y / (v + between)).sum();
    (sum / weight, 1.0 / weight)
}

/// The variance between: where Σ (y − mean)²/(v + variance) is the number of tiers less one; 0 where it is less at 0.
fn paule_mandel(pairs: &[(f64, f64)]) -> f64 {
    let excess = |between: f64| {
        let (mean, _) = common(pairs, between);
        pairs.iter().map(|(y, v)| (y - mean).powi(2) / (v + between)).sum::<f64>() - (pairs.len() - 1) as f64
    };
    if excess(0.0) <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while excess(high) > 0.0 {
        high *= 2.0;
    }
    // It falls in the variance: halving finds the root to the last digits.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if excess(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
