//! The bootstrap over customers: weights instead of copies.
//!
//! In each replication every customer counts Poisson(1) times, independently (Chamandy, Muralidharan, Najmi and Naidu,
//! "Estimating Uncertainty for Massive Data Streams", 2012): like drawing customers with replacement, but a customer's
//! weight depends on (seed, the hash of its id, replication) alone. So neither the order of rows nor threads matter,
//! and nothing is stored. Replication 0 is the data as they are.

use crate::random::{Purpose, Stream};

/// Most times that a customer counts: more have a probability below 1e-10, less than a 32-bit number can say.
const MOST: usize = 12;

/// The weights of customers in every replication.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    seed: u64,
    replications: usize,
    /// `cuts[k]` = P(weight ≤ k)·2³².
    cuts: [u32; MOST],
}

impl Weights {
    pub(super) fn new(seed: u64, replications: u32) -> Weights {
        let mut cuts = [0; MOST];
        let (mut term, mut sum) = ((-1f64).exp(), 0.0);
        for (k, cut) in cuts.iter_mut().enumerate() {
            sum += term;
            term /= (k + 1) as f64;
            // `as` saturates.
            *cut = (sum * 4_294_967_296.0) as u32;
        }
        Weights { seed, replications: replications as usize, cuts }
    }

    /// Replications with the data as they are: the length of what [`Weights::fill`] fills.
    pub(super) fn len(&self) -> usize {
        self.replications + 1
    }

    /// The weights of the customer with that hash.
    #[inline]
    pub(super) fn fill(&self, hash: u64, out: &mut [f64]) {
        out[0] = 1.0;
        let mut stream = Stream::new(self.seed, hash, 0, Purpose::Bootstrap);
        for pair in out[1..].chunks_mut(2) {
            let bits = stream.bits();
            for (weight, bits) in pair.iter_mut().zip([bits as u32, (bits >> 32) as u32]) {
                let mut k = 0;
                while k < MOST && bits >= self.cuts[k] {
                    k += 1;
                }
                *weight = k as f64;
            }
        }
    }
}

/// A statistic of the data and of every replication (NaN where it does not exist), as estimate, standard error and
/// interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) value: f64,
    pub(super) standard_error: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// What the ends of an interval leave out on each side.
const TAIL: f64 = 0.025;

impl Spread {
    /// `values[0]` is that of the data; the interval is that of the 2.5 % and 97.5 % quantiles of the others.
    pub(super) fn of(values: &[f64]) -> Spread {
        let value = values[0];
        let mut others: Vec<f64> = values[1..].iter().copied().filter(|v| v.is_finite()).collect();
        // Replications that mostly fail say nothing of the spread.
        if !value.is_finite() || others.len() < 2 || others.len() * 2 < values.len() {
            return Spread { value, standard_error: f64::NAN, lower: f64::NAN, upper: f64::NAN };
        }
        others.sort_unstable_by(f64::total_cmp);
        let n = others.len() as f64;
        // Around the first, so that equal values have no spread at all.
        let mean = others.iter().map(|v| v - others[0]).sum::<f64>() / n;
        let squares: f64 = others.iter().map(|v| (v - others[0] - mean).powi(2)).sum();
        let quantile = |p: f64| {
            let at = p * (n - 1.0);
            let (below, part) = (at.floor() as usize, at.fract());
            let above = (below + 1).min(others.len() - 1);
            others[below] + part * (others[above] - others[below])
        };
        Spread {
            value,
            standard_error: (squares / (n - 1.0)).sqrt(),
            lower: quantile(TAIL),
            upper: quantile(1.0 - TAIL),
        }
    }
}
