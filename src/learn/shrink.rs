//! Lifts of small tiers drawn towards those of the others, as far as the tiers are alike.

use serde::Serialize;

use super::effect::{Effect, Z};
use crate::special::gamma_q;

/// Scale of the half-normal prior of the standard deviation of ln(1 + lift) between tiers: a value of 0.5 lets tiers of one action
/// differ by a factor of 7 from the lowest to the highest of them (95 % of them).
pub const PRIOR_SCALE: f64 = 0.5;

/// Values of that standard deviation that are looked at, denser near 0.
const GRID: usize = 600;

/// The largest of them in scales of the prior.
const REACH: f64 = 5.0;

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
    /// Standard deviation of ln(1 + lift) between tiers, its posterior mean.
    pub between: f64,
}

/// A hierarchical model over the tiers of each action: ln(1 + lift) of a tier is normal around a common mean that may be anything, with a
/// standard deviation τ between tiers whose prior is half-normal with scale [`PRIOR_SCALE`] (Röver and others, "On weakly informative
/// prior distributions for the heterogeneity parameter in Bayesian random-effects meta-analysis", Research Synthesis Methods 12,
/// 2021). Everything but τ is normal given τ (Gelman and others, Bayesian Data Analysis, 5.4), and τ is summed over a grid.
/// That τ is not known is thus in the interval: two or three tiers say little of it, and a plug-in estimate would make the interval
/// too narrow.
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
                let lift = effect.lift?;
                // Half of the interval, made by Student's t: a tier of few customers is less sure than its standard error says.
                let half = 0.5 * (lift.upper.ln_1p() - lift.lower.ln_1p());
                let usable = half.is_finite() && half > 0.0;
                usable.then(|| (effect, lift.lift.ln_1p(), (half / Z).powi(2)))
            })
            .collect();
        if of_action.len() < 2 {
            continue;
        }
        let pairs: Vec<(f64, f64)> = of_action.iter().map(|(_, y, v)| (*y, *v)).collect();
        let grid = grid(&pairs);
        let mean_of = |of: &dyn Fn(&Node) -> f64| grid.iter().map(|node| node.weight * of(node)).sum::<f64>();
        for (effect, y, v) in of_action {
            let parts: Vec<(f64, f64, f64)> = grid.iter().map(|node| node.part(y, v)).collect();
            let log = parts.iter().map(|(weight, mean, _)| weight * mean).sum::<f64>();
            out.push(Shrunk {
                action: effect.action.clone(),
                tier: effect.tier.clone(),
                lift: log.exp_m1(),
                lower: quantile(&parts, 0.025).exp_m1(),
                upper: quantile(&parts, 0.975).exp_m1(),
                own: mean_of(&|node| node.own(v)),
                between: mean_of(&|node| node.between),
            });
        }
    }
    out
}

/// One value of τ: its posterior weight, and the common mean given it.
struct Node {
    between: f64,
    weight: f64,
    mean: f64,
    of_mean: f64,
}

impl Node {
    fn own(&self, v: f64) -> f64 {
        let square = self.between * self.between;
        square / (square + v)
    }

    /// The tier's own effect given τ: weight, mean and standard deviation.
    fn part(&self, y: f64, v: f64) -> (f64, f64, f64) {
        let own = self.own(v);
        let variance = own * v + (1.0 - own).powi(2) * self.of_mean;
        (self.weight, own * y + (1.0 - own) * self.mean, variance.sqrt())
    }
}

/// The posterior of τ on a grid of τ = reach·u³, u at the middles of equal steps.
fn grid(pairs: &[(f64, f64)]) -> Vec<Node> {
    let logs: Vec<(Node, f64)> = (0..GRID)
        .map(|k| {
            let u = (k as f64 + 0.5) / GRID as f64;
            let between = PRIOR_SCALE * REACH * u * u * u;
            let square = between * between;
            let (mean, of_mean) = common(pairs, square);
            let of_pair =
                |(y, v): &(f64, f64)| 0.5 * (v + square).ln() + 0.5 * (y - mean).powi(2) / (v + square);
            let log = 0.5 * of_mean.ln() - pairs.iter().map(of_pair).sum::<f64>()
                - 0.5 * (between / PRIOR_SCALE).powi(2)
                // The step in τ: 3u².
                + 2.0 * u.ln();
            (Node { between, weight: 0.0, mean, of_mean }, log)
        })
        .collect();
    let most = logs.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logs.iter().map(|(_, log)| (log - most).exp()).sum();
    let weighted = logs.into_iter().map(|(node, log)| Node { weight: (log - most).exp() / total, ..node });
    weighted.filter(|node| node.weight > 1e-12).collect()
}

/// The common mean and its variance.
fn common(pairs: &[(f64, f64)], between: f64) -> (f64, f64) {
    let weight: f64 = pairs.iter().map(|(_, v)| 1.0 / (v + between)).sum();
    let sum: f64 = pairs.iter().map(|(y, v)| y / (v + between)).sum();
    (sum / weight, 1.0 / weight)
}

/// The quantile of a mixture of normals (weight, mean, standard deviation), by Newton's steps within halving.
fn quantile(parts: &[(f64, f64, f64)], p: f64) -> f64 {
    // Probability below, and density.
    let at = |x: f64| {
        parts.iter().fold((0.0, 0.0), |(below, density), (weight, mean, sd)| {
            let z = (x - mean) / sd;
            (below + weight * normal_below(z), density + weight * (-0.5 * z * z).exp() / sd * ROOT)
        })
    };
    let end = |(_, mean, sd): &(f64, f64, f64), side: f64| mean + side * 8.0 * sd;
    let mut low = parts.iter().map(|part| end(part, -1.0)).fold(f64::INFINITY, f64::min);
    let mut high = parts.iter().map(|part| end(part, 1.0)).fold(f64::NEG_INFINITY, f64::max);
    let mut x = 0.5 * (low + high);
    for _ in 0..100 {
        let (below, density) = at(x);
        if below < p {
            low = x
        } else {
            high = x
        }
        let newton = x - (below - p) / density;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let step = (next - x).abs();
        x = next;
        if step <= 1e-12 * (1.0 + x.abs()) {
            break;
        }
    }
    x
}

/// 1/√(2π).
const ROOT: f64 = 0.398_942_280_401_432_7;

/// Φ(z).
fn normal_below(z: f64) -> f64 {
    let tail = 0.5 * gamma_q(0.5, 0.5 * z * z);
    if z < 0.0 { tail } else { 1.0 - tail }
}
