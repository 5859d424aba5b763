//! What the differences allow to say about each strategy, corrected for how many strategies are compared.

use serde::Serialize;

use super::estimate::{quantile, sorted};
use crate::random::normal_quantile;
use crate::simulate::parameters::{FEWEST_FOR_A_VERDICT, ParameterDraws};

/// The standard normal's 95 % quantile: how sure one is of the end of an interval that faces 0.
const END_Z: f64 = 1.644_853_626_951_472_2;

/// With few worlds the error of an end is taken for at most this share of its distance from the median; verdicts ask for more worlds.
const MOST_OF_REACH: f64 = 0.5;

/// All intervals of the comparison together hold with this probability.
const JOINT: f64 = 0.95;

/// What the differences allow to say about a strategy's profit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The baseline itself.
    Baseline,
    /// The whole joint interval of the expected difference is above 0.
    Gains,
    /// The whole joint interval of the expected difference is below 0.
    Loses,
    /// The interval contains 0, there are too few worlds or the draws of the parameters are worth too few independent ones
    /// (fewer than 180), they are not to be trusted, or the mean of spend is too poorly known.
    Undecided,
}

impl Verdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Baseline => "baseline",
            Verdict::Gains => "gains",
            Verdict::Loses => "loses",
            Verdict::Undecided => "undecided",
        }
    }
}

/// Intervals of several expected differences that hold together with 95 %.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Joint {
    /// By difference.
    pub intervals: Vec<(f64, f64)>,
    /// The share of worlds beyond each end.
    tail: f64,
}

/// Joint intervals by ranks: the narrowest bands of equal rank from both ends that hold 95 % of the worlds as a whole
/// (Besag, Green, Higdon and Mengersen, "Bayesian computation and stochastic systems", Statistical Science 10, 1995). Of one
/// difference it is the interval from 2.5 % to 97.5 %.
///
/// `differences` are by strategy, then world.
pub(super) fn joint(differences: &[Vec<f64>]) -> Joint {
    let n = differences.first().map_or(0, Vec::len);
    if n == 0 {
        return Joint { intervals: vec![(f64::NAN, f64::NAN); differences.len()], tail: 0.0 };
    }
    let mut furthest = vec![0usize; n];
    for of in differences {
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| of[i].total_cmp(&of[j]));
        let mut begin = 0;
        while begin < n {
            let value = of[order[begin]];
            let end = begin + order[begin..].iter().take_while(|&&world| of[world] == value).count().max(1);
            // From either end, 1 is the end itself; the larger is how far out it is. Equal values have the least extreme of
            // their ranks in common: a constant is never far out.
            let rank = (begin..end).map(|below| (below + 1).max(n - below)).min().unwrap_or(n);
            for &world in &order[begin..end] {
                furthest[world] = furthest[world].max(rank);
            }
            begin = end;
        }
    }
    furthest.sort_unstable();
    let inside = ((JOINT * n as f64).ceil() as usize).clamp(1, n.max(1)) - 1;
    let last = furthest.get(inside).copied().unwrap_or(1);
    let intervals = differences
        .iter()
        .map(|of| {
            let of = sorted(of);
            (of[n - last], of[last - 1])
        })
        .collect();
    Joint { intervals, tail: ((n - last) as f64 + 0.5) / n as f64 }
}

impl Joint {
    /// The same intervals, each end further out by its own numerical error: with about 95 % the end of infinitely many worlds is
    /// not beyond it. More worlds make them narrower.
    ///
    /// An end is a quantile of finitely many worlds, or of as many as the draws of the parameters are worth where those are
    /// fewer. Its standard error is √(p(1 − p)/n)/density, the density that of a normal distribution which has the end and the
    /// median where they are: ranks so far out are too few to take it from the worlds themselves.
    pub(super) fn with_their_errors(
        &self,
        differences: &[Vec<f64>],
        draws: &ParameterDraws,
    ) -> Vec<(f64, f64)> {
        let p = self.tail.clamp(f64::MIN_POSITIVE, 0.5);
        let z = normal_quantile(p);
        let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        let further = |worlds: usize, reach: f64| {
            // An end that came out too near makes its own error too small: (1 + k) turns into 1/(1 − k).
            let k = (END_Z * (p * (1.0 - p) / worth(worlds, draws)).sqrt() / density / -z).min(MOST_OF_REACH);
            reach * k / (1.0 - k)
        };
        let each = differences.iter().zip(&self.intervals).map(|(of, &(low, high))| {
            let median = quantile(&sorted(of), 0.5);
            (low + further(of.len(), low - median), high + further(of.len(), high - median))
        });
        each.collect()
    }
}

/// As many independent worlds are worth as much as `worlds`.
///
/// The resampling of draws is systematic: where no proposal has more weight than one draw, n draws carry the noise of n independent
/// ones and no more (the proposals' 1/effective and the resampling's 1/n − 1/effective). Where some have, they are few: the
/// largest weights are smoothed.
fn worth(worlds: usize, draws: &ParameterDraws) -> f64 {
    if draws.effective.is_nan() { 0.0 } else { (worlds as f64).min(draws.effective) }
}

/// Which side of 0 a joint interval lies on; undecided where the worlds are too few for its ends.
pub(super) fn verdict(joint: (f64, f64), worlds: usize, draws: &ParameterDraws) -> Verdict {
    let few = worth(worlds, draws) < f64::from(FEWEST_FOR_A_VERDICT);
    match joint {
        _ if few || draws.mean_doubtful || draws.untrusted => Verdict::Undecided,
        (low, _) if low > 0.0 => Verdict::Gains,
        (_, high) if high < 0.0 => Verdict::Loses,
        _ => Verdict::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Unit;
    use crate::clv::{GammaGamma, Nbd};
    use crate::random::{Purpose, Stream};

    fn draws(strategies: usize, n: u32, seed: u64) -> Vec<Vec<f64>> {
        (0..strategies as u64)
            .map(|s| (0..n).map(|i| Stream::new(seed, s + 1, i, Purpose::Sample).normal()).collect())
            .collect()
    }

    fn fixed() -> ParameterDraws {
        let spend = GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 };
        ParameterDraws::fixed(Nbd { r: 1.0, alpha: 1.0, unit: Unit::Week }, spend, 1)
    }

    #[test]
    fn one_interval_is_the_usual_one_and_six_are_wider() {
        let one = joint(&draws(1, 4000, 1));
        assert!(
            (one.intervals[0].0 + 1.96).abs() < 0.1 && (one.intervals[0].1 - 1.96).abs() < 0.1,
            "{one:?}"
        );
        assert!((one.tail - 0.025).abs() < 1e-3);
        // Six independent ones: each has to hold with 0.95^(1/6), which is 2.63 standard deviations.
        let six = joint(&draws(6, 20_000, 2));
        for (low, high) in &six.intervals {
            assert!((low + 2.63).abs() < 0.15 && (high - 2.63).abs() < 0.15, "{six:?}");
        }
    }

    #[test]
    fn joint_intervals_hold_together() {
        let all = draws(4, 2000, 3);
        let found = joint(&all);
        let held = (0..2000)
            .filter(|&w| {
                all.iter().zip(&found.intervals).all(|(of, (low, high))| (*low..=*high).contains(&of[w]))
            })
            .count();
        assert!((1900..=1925).contains(&held), "{held}");
    }

    /// Of 2,000 sets of 400 worlds the ends must have those of infinitely many worlds inside 95 % of the time.
    #[test]
    fn ends_with_their_errors_are_not_too_near() {
        let draws_of = ParameterDraws { effective: f64::INFINITY, ..fixed() };
        let (mut inside, sets) = (0, 2000);
        for seed in 0..sets {
            let of = draws(1, 400, 100 + seed);
            let (low, high) = joint(&of).with_their_errors(&of, &draws_of)[0];
            inside += usize::from(low < -1.959_964) + usize::from(high > 1.959_964);
        }
        let share = inside as f64 / (2 * sets) as f64;
        assert!((0.93..0.97).contains(&share), "{share}");
        // A constant has no error; draws worth fewer have more.
        let one = draws(1, 400, 4);
        let end =
            |effective| joint(&one).with_their_errors(&one, &ParameterDraws { effective, ..fixed() })[0].0;
        assert!(end(200.0) < end(400.0) && end(400.0) < joint(&one).intervals[0].0);
        let constant = vec![vec![-100.0; 400]];
        assert_eq!(joint(&constant).with_their_errors(&constant, &draws_of), [(-100.0, -100.0)]);
    }

    /// Strategies with a fixed loss, or cut off at 0 in many worlds, do not widen the intervals of the others.
    #[test]
    fn constants_count_for_nothing() {
        let one = draws(1, 1000, 4).remove(0);
        let cut: Vec<f64> = one.iter().map(|v| v.max(3.5)).collect();
        let alone = joint(std::slice::from_ref(&one));
        let found = joint(&[one, vec![-100.0; 1000], cut]);
        assert_eq!(found.intervals[0], alone.intervals[0]);
        assert_eq!(found.intervals[1], (-100.0, -100.0));
        assert!(joint(&[]).intervals.is_empty());
    }

    #[test]
    fn equal_differences_are_one() {
        let one = draws(1, 1000, 4).remove(0);
        let (alone, thrice) = (joint(std::slice::from_ref(&one)), joint(&[one.clone(), one.clone(), one]));
        assert_eq!(alone.intervals[0], thrice.intervals[2]);
    }
}
