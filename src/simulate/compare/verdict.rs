//! What the differences allow to say about each strategy, corrected for how many strategies are compared.

use serde::Serialize;

use super::estimate::{mean_and_error, sorted};
use crate::simulate::parameters::{FEWEST_FOR_A_VERDICT, ParameterDraws};

/// The standard normal's 95 % quantile: how sure one is of the end of an interval that faces 0.
const END_Z: f64 = 1.644_853_626_951_472_2;

/// All intervals of the comparison together hold with this probability.
const JOINT: f64 = 0.95;

/// What the differences allow to say about a strategy's profit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The baseline itself.
    Baseline,
    /// The whole joint interval of the expected difference is above 0, by more than its ends' numerical error.
    Gains,
    /// The whole joint interval of the expected difference is below 0, by more than its ends' numerical error.
    Loses,
    /// The interval contains 0 or may do so, there are too few worlds or the draws of the parameters are worth too
    /// few independent ones (fewer than 180), they are not to be trusted, or the mean of spend is too poorly known.
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
    /// The same in standard deviations: 95 % of worlds have no difference further from its mean.
    deviations: f64,
}

/// Joint intervals by ranks: the narrowest bands of equal rank from both ends that hold 95 % of the worlds as a whole
/// (Besag, Green, Higdon and Mengersen, "Bayesian computation and stochastic systems", Statistical Science 10, 1995). Of one
/// difference it is the interval from 2.5 % to 97.5 %.
///
/// `differences` are by strategy, then world.
pub(super) fn joint(differences: &[Vec<f64>]) -> Joint {
    let n = differences.first().map_or(0, Vec::len);
    if n == 0 {
        return Joint {
            intervals: vec![(f64::NAN, f64::NAN); differences.len()],
            tail: 0.0,
            deviations: 0.0,
        };
    }
    let mut furthest = vec![0usize; n];
    let mut deviant = vec![0.0f64; n];
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
        let (mean, error) = mean_and_error(of);
        let deviation = error * (n as f64).sqrt();
        for (deviant, value) in deviant.iter_mut().zip(of) {
            if deviation > 0.0 {
                *deviant = deviant.max((value - mean).abs() / deviation);
            }
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
    let deviations = sorted(&deviant).get(inside).copied().unwrap_or(0.0);
    Joint { intervals, tail: (n - last) as f64 / n.max(1) as f64 + 0.5 / n.max(1) as f64, deviations }
}

impl Joint {
    /// Which side of 0 an expected difference lies on, the numerical error of the interval's end included. `worlds` are its
    /// values.
    ///
    /// An end is a quantile of finitely many worlds. Its own 95 % bound goes by ranks (binomial, normal approximation), with as
    /// many worlds as the draws of the parameters are worth where that is fewer. Where that rank does not exist, because many
    /// strategies share few worlds, the bound is that of a normal distribution's quantile, or the outermost world if that is
    /// further.
    pub(super) fn verdict(&self, worlds: &[f64], draws: &ParameterDraws) -> Verdict {
        let n = worlds.len() as f64;
        // The resampling is systematic: where no proposal has more weight than one draw, n draws carry the noise of n
        // independent ones and no more (the proposals' 1/effective and the resampling's 1/n − 1/effective). Where some have,
        // they are few: the largest weights are smoothed.
        let worth = n.min(draws.effective);
        if worth < f64::from(FEWEST_FOR_A_VERDICT) || draws.effective.is_nan() {
            return Verdict::Undecided;
        }
        let of = sorted(worlds);
        let rank = n * (self.tail - END_Z * (self.tail * (1.0 - self.tail) / worth).sqrt());
        let (low, high) = if rank >= 1.0 {
            let rank = rank as usize;
            (of[rank - 1], of[of.len() - rank])
        } else {
            let (mean, error) = mean_and_error(worlds);
            let deviation = error * n.sqrt();
            let c = self.deviations;
            let reach = (c + END_Z * ((1.0 + 0.5 * c * c) / worth).sqrt()) * deviation;
            (of[0].min(mean - reach), of[of.len() - 1].max(mean + reach))
        };
        match (low, high) {
            (low, _) if low > 0.0 => Verdict::Gains,
            (_, high) if high < 0.0 => Verdict::Loses,
            _ => Verdict::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    fn draws(strategies: usize, n: u32, seed: u64) -> Vec<Vec<f64>> {
        (0..strategies as u64)
            .map(|s| (0..n).map(|i| Stream::new(seed, s + 1, i, Purpose::Sample).normal()).collect())
            .collect()
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
        assert!((six.deviations - 2.63).abs() < 0.05);
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
