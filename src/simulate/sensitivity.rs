//! Which assumption matters: what a strategy gains at either end of each belief, and at which value it would gain nothing.

use serde::Serialize;

use super::evaluate::Evaluator;
use crate::error::Result;
use crate::progress::Progress;
use crate::strategy::{Assumed, Belief, Curve, Lever, Source, StrategySet, World};

/// One belief in what one strategy gains, all others as stated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// What it is called.
    pub name: String,
    /// The stated value and the ends of its interval.
    pub value: f64,
    /// 2.5 % quantile.
    pub lower: f64,
    /// 97.5 % quantile.
    pub upper: f64,
    /// Where it comes from.
    pub source: Source,
    /// The gain in expected profit over doing nothing at the lower end …
    pub gain_at_lower: f64,
    /// … and at the upper.
    pub gain_at_upper: f64,
    /// The value nearest to the stated one at which the strategy gains nothing; `None` where none that was searched does.
    pub break_even: Option<f64>,
    /// The least and the largest value that were searched.
    pub searched: (f64, f64),
}

impl Bar {
    /// How far the gain moves from one end of the belief to the other.
    pub fn swing(&self) -> f64 {
        (self.gain_at_upper - self.gain_at_lower).abs()
    }
}

/// How one strategy's gain rests on what is believed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensitivity {
    /// Index of the strategy.
    pub strategy: usize,
    /// Its gain in expected profit with everything as stated, at the models' estimates.
    pub gain: f64,
    /// The beliefs that it rests on, the one that moves most first.
    pub bars: Vec<Bar>,
}

/// Where what is possible has no end, so many times the stated value are searched, …
const TIMES: f64 = 10.0;

/// … and at least so far from 0: ten times next to nothing is nothing.
const AT_LEAST: f64 = 1.0;

/// Points between the ends of what is possible at which a change of sign is looked for.
const POINTS: usize = 24;

/// Every strategy but the first, against every belief that changes what it gains.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub fn sensitivity(
    evaluator: &Evaluator,
    set: &StrategySet,
    progress: &dyn Progress,
) -> Result<Vec<Sensitivity>> {
    let stated = set.stated();
    let gains = evaluator.gains(&stated);
    let scale = evaluator.scale(&stated);
    let mut out: Vec<Sensitivity> = (1..gains.len())
        .map(|strategy| Sensitivity { strategy, gain: gains[strategy], bars: Vec::new() })
        .collect();
    for of in set.assumed() {
        progress.check()?;
        let Some(belief) = set.belief(of) else { continue };
        let at = |value: f64| {
            let mut world = stated.clone();
            world.set(of, value);
            evaluator.gains(&world)
        };
        let grid = grid(set, of, belief);
        let on_grid: Vec<Vec<f64>> = grid.iter().map(|&value| at(value)).collect();
        let (at_lower, at_upper) = (at(belief.lower), at(belief.upper));
        for own in &mut out {
            let s = own.strategy;
            let curve: Vec<f64> = on_grid.iter().map(|gains| gains[s]).collect();
            // Rounding of the profits that the gain is a difference of is no movement.
            let moves = |gain: f64| (gain - own.gain).abs() > 1e-12 * (1.0 + scale + own.gain.abs());
            if !curve.iter().copied().any(moves) {
                continue;
            }
            own.bars.push(Bar {
                name: set.assumed_name(of),
                value: belief.value,
                lower: belief.lower,
                upper: belief.upper,
                source: belief.source,
                gain_at_lower: at_lower[s],
                gain_at_upper: at_upper[s],
                searched: (grid[0], grid[grid.len() - 1]),
                break_even: root(&grid, &curve, belief.value, |value| at(value)[s]),
            });
        }
    }
    for own in &mut out {
        own.bars.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    }
    Ok(out)
}

/// Possible values of a belief, ascending, the stated one among them; where there is no end of them, up to ten times the stated
/// one, and the ends of its interval in any case, since whether the sign turns within that is what is asked.
fn grid(set: &StrategySet, of: Assumed, belief: &Belief) -> Vec<f64> {
    let stated = belief.value;
    let far = (TIMES * stated.abs()).max(AT_LEAST);
    let (below, above) = (belief.lower.min(-far), belief.upper.max(far));
    let (low, high) = match of {
        Assumed::Effect(i) => match (set.responses[i].on, &set.responses[i].curve) {
            (Lever::Reactivation, _) => (0.0, 1.0),
            (_, Curve::Logit { .. }) => (below, above),
            // Nothing falls by more than all of it.
            _ => (-1.0, above),
        },
        Assumed::Breakage(_) | Assumed::Cannibalisation(_) => (0.0, 1.0),
        Assumed::Arrivals => (0.0, above),
    };
    let mut out: Vec<f64> = (0..POINTS).map(|i| low + (high - low) * i as f64 / POINTS as f64).collect();
    // To the digit, since the page and the table name the ends.
    out.push(high);
    out.push(stated.clamp(low, high));
    out.sort_by(f64::total_cmp);
    out.dedup();
    out
}

/// Where a curve crosses 0 nearest to `near`, by the Illinois form of false position between the neighbouring points.
fn root(grid: &[f64], curve: &[f64], near: f64, at: impl Fn(f64) -> f64) -> Option<f64> {
    let crosses = |i: &usize| (curve[*i] <= 0.0) != (curve[*i + 1] <= 0.0);
    let distance = |i: usize| {
        if (grid[i]..=grid[i + 1]).contains(&near) {
            0.0
        } else {
            (grid[i] - near).abs().min((grid[i + 1] - near).abs())
        }
    };
    let cell = (0..grid.len() - 1).filter(crosses).min_by(|&a, &b| distance(a).total_cmp(&distance(b)))?;
    let (mut a, mut b) = ((grid[cell], curve[cell]), (grid[cell + 1], curve[cell + 1]));
    let mut side = 0;
    for _ in 0..60 {
        let x = (a.0 * b.1 - b.0 * a.1) / (b.1 - a.1);
        if !x.is_finite() || (b.0 - a.0).abs() <= 1e-10 * b.0.abs().max(1e-6) {
            break;
        }
        let y = at(x);
        if y == 0.0 {
            return Some(x);
        }
        if (y <= 0.0) == (a.1 <= 0.0) {
            a = (x, y);
            if side == -1 {
                b.1 *= 0.5;
            }
            side = -1;
        } else {
            b = (x, y);
            if side == 1 {
                a.1 *= 0.5;
            }
            side = 1;
        }
        if (y / (1.0 + curve[cell].abs().max(curve[cell + 1].abs()))).abs() < 1e-12 {
            return Some(x);
        }
    }
    Some(0.5 * (a.0 + b.0))
}

/// Draws of a half's effects behind the interval of the winner's gain.
const DRAWS: u32 = 200;

/// The strategy that one half of the contacts chooses, valued by the other half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SplitWinner {
    /// Index of the strategy that the half chose.
    pub strategy: usize,
    /// What it gains by the half that chose it.
    pub gain_in_choice: f64,
    /// What it gains by the other half: not favoured by having been chosen.
    pub gain: f64,
    /// 2.5 % quantile of the latter over the half's own uncertainty.
    pub lower: f64,
    /// 97.5 % quantile.
    pub upper: f64,
}

/// Where responses were learned with halves of a table of contacts: the winner of each half, valued by the other. Beliefs
/// without halves are as stated. At the models' estimates.
pub fn split_winners(evaluator: &Evaluator, set: &StrategySet, seed: u64) -> Option<[SplitWinner; 2]> {
    if set.strategies.len() < 2 || set.responses.iter().all(|r| r.halves.is_none()) {
        return None;
    }
    let of_half = |half: usize, value: &dyn Fn(usize, &Belief) -> f64| -> World {
        let mut world = set.stated();
        for (i, response) in set.responses.iter().enumerate() {
            if let Some(halves) = &response.halves {
                let own = halves[half];
                let belief = Belief {
                    value: own.effect,
                    lower: own.lower,
                    upper: own.upper,
                    ..response.effect.clone()
                };
                world.effects[i] = value(i, &belief);
            }
        }
        world
    };
    let gains: [Vec<f64>; 2] = [0, 1].map(|half| evaluator.gains(&of_half(half, &|_, belief| belief.value)));
    Some([0, 1].map(|half: usize| {
        let own = &gains[half];
        let strategy = (2..own.len()).fold(1, |best, s| if own[s] > own[best] { s } else { best });
        let other = 1 - half;
        let mut drawn: Vec<f64> = (0..DRAWS)
            .map(|k| {
                let key = |i: usize| format!("{}\u{1f}half {other}", set.responses[i].key);
                let world = of_half(other, &|i, belief| belief.draw(&key(i), seed, k));
                evaluator.gains(&world)[strategy]
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        SplitWinner {
            strategy,
            gain_in_choice: own[strategy],
            gain: gains[other][strategy],
            lower: super::compare::quantile(&drawn, 0.025),
            upper: super::compare::quantile(&drawn, 0.975),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::BUNDLED;
    use crate::strategy::file::StrategyFile;

    fn searched(on: Lever, curve: Curve, (value, lower, upper): (f64, f64, f64)) -> (f64, f64) {
        let known = vec![("value".to_string(), ["high", "mid", "low"].map(String::from).to_vec())];
        let mut set =
            StrategySet::new("test", StrategyFile::parse("test", BUNDLED).unwrap(), &known).unwrap();
        (set.responses[0].on, set.responses[0].curve) = (on, curve);
        let belief = Belief { value, lower, upper, ..set.responses[0].effect.clone() };
        let grid = grid(&set, Assumed::Effect(0), &belief);
        assert!(grid.is_sorted() && grid.contains(&value));
        (grid[0], grid[grid.len() - 1])
    }

    #[test]
    fn lifts_are_searched_tenfold_at_least_by_one_and_never_below_all() {
        let lift = |belief| searched(Lever::PurchaseRate, Curve::Constant, belief);
        assert_eq!(lift((0.059, -0.075, 0.193)), (-1.0, 1.0));
        assert_eq!(lift((0.49, 0.288, 0.691)), (-1.0, 4.9));
        // The sign may turn anywhere in the interval.
        assert_eq!(lift((0.05, -0.9, 3.0)), (-1.0, 3.0));
        let logit = Curve::Logit { base: 0.2 };
        assert_eq!(searched(Lever::PurchaseRate, logit, (4.0, -50.0, 9.0)), (-50.0, 40.0));
        assert_eq!(searched(Lever::Reactivation, Curve::Constant, (0.05, 0.0, 0.1)), (0.0, 1.0));
    }
}
