//! Tierings held against one column of what customers turned out to be worth, with their bootstrap over customers.
//!
//! In each replication every customer counts Poisson(1) times (Chamandy, Muralidharan, Najmi and Naidu, "Estimating
//! Uncertainty for Massive Data Streams", 2012); its weight is keyed by (seed, the hash of its id, replication) alone. All
//! tierings see the same weights, so that differences between them are paired.

use serde::Serialize;

use super::division::{Cut, Division, Ranked, area};
use crate::clv::predict::ends;
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream};

/// A figure with the ends of its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Of the customers as they are.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// One tiering held against the column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// What each tier turned out to be worth.
    pub worth: Vec<f64>,
    /// The best tiers down to each but the last.
    pub cuts: Vec<Cut>,
    /// The regret of each of them.
    pub regret: Vec<Spread>,
    /// The accuracy ratio ([`Division::accuracy`]); none where nobody is worth anything.
    pub accuracy: Option<Spread>,
    /// By how much its accuracy ratio is above that of the first tiering; none for the first.
    pub above_first: Option<Spread>,
}

/// What customers turned out to be worth.
#[derive(Debug, Clone)]
pub struct Yardstick {
    /// By worth, the most first; equal ones by hash.
    order: Vec<u32>,
    values: Vec<f64>,
    hash: Vec<u64>,
}

/// How it is resampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// The seed of the weights.
    pub seed: u64,
    /// Replications.
    pub replications: u32,
    /// The probability of intervals, between 0 and 1.
    pub level: f64,
}

/// A tiering: each customer's tier, and how many tiers there are.
pub type Codes<'a> = (&'a [u8], usize);

impl Yardstick {
    /// `values[i]` is what customer i turned out to be worth, `hash[i]` the stable hash of its id.
    ///
    /// # Errors
    /// Unequal lengths, and a value that is no finite number.
    pub fn new(values: &[f64], hash: &[u64]) -> Result<Yardstick> {
        if values.len() != hash.len() {
            return Err(Error::internal("judging tiers", "values and hashes of different customers"));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            let remedy = "give each customer a finite number";
            return Err(Error::value(
                "what a customer is worth",
                value,
                "nothing can be added to it",
                remedy,
            ));
        }
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        let key = |i: u32| (values[i as usize], hash[i as usize], i);
        parallel::sort_by(&mut order, |&a, &b| {
            let ((x, x_hash, x_at), (y, y_hash, y_at)) = (key(a), key(b));
            y.total_cmp(&x).then(x_hash.cmp(&y_hash)).then(x_at.cmp(&y_at))
        });
        let values = order.iter().map(|&i| values[i as usize]).collect();
        let hash = order.iter().map(|&i| hash[i as usize]).collect();
        Ok(Yardstick { order, values, hash })
    }

    /// Holds tierings of the same customers against it.
    ///
    /// # Errors
    /// Tierings of other customers, fewer than 2 replications, a level outside (0, 1), and [`Error::Interrupted`].
    pub fn judge(
        &self,
        tierings: &[Codes<'_>],
        resampling: Resampling,
        progress: &dyn Progress,
    ) -> Result<Vec<Held>> {
        let Resampling { replications, level, .. } = resampling;
        if tierings.iter().any(|(codes, tiers)| codes.len() != self.order.len() || *tiers == 0) {
            return Err(Error::internal("judging tiers", "tiers of other customers"));
        }
        if replications < 2 || !(level > 0.0 && level < 1.0) {
            let remedy = "give 2 replications or more, and a level between 0 and 1";
            return Err(Error::value("the replications", replications, "no interval rests on them", remedy));
        }
        // In the order of the worth, so that every replication reads from front to back.
        let tierings: Vec<(Vec<u8>, usize)> = tierings
            .iter()
            .map(|(codes, tiers)| (self.order.iter().map(|&i| codes[i as usize]).collect(), *tiers))
            .collect();
        progress.phase("resampling customers", u64::from(replications));
        let resampled = parallel::try_map(replications as usize, |k| {
            progress.check()?;
            let found = self.resample(&tierings, resampling.seed, k as u32);
            progress.advance(1);
            Ok(found)
        })?;
        let ranked = Ranked::new(self.values.clone());
        let divisions: Vec<Division> =
            tierings.iter().map(|(codes, tiers)| Division::new(codes, *tiers, &self.values)).collect();
        let accuracy: Vec<Option<f64>> =
            divisions.iter().map(|division| division.accuracy(&ranked)).collect();
        let spread = |value: Option<f64>, of: &dyn Fn(&[Weighed]) -> Option<f64>| {
            Some(Spread::of(value?, resampled.iter().filter_map(|found| of(found)).collect(), level))
        };
        let held = |(k, division): (usize, &Division)| {
            let cuts = division.cuts(&ranked);
            let regret = |(at, cut): (usize, &Cut)| {
                let all = resampled.iter().map(|found| found[k].regret[at]).collect();
                Spread::of(cut.regret, all, level)
            };
            let above = accuracy[k].zip(accuracy[0]).map(|(own, first)| own - first).filter(|_| k > 0);
            Held {
                worth: division.worth(),
                regret: cuts.iter().enumerate().map(regret).collect(),
                cuts,
                accuracy: spread(accuracy[k], &|found| found[k].accuracy),
                above_first: spread(above, &|found| Some(found[k].accuracy? - found[0].accuracy?)),
            }
        };
        Ok(divisions.iter().enumerate().map(held).collect())
    }

    /// One replication: what each tiering makes of customers who count several times or not at all.
    fn resample(&self, tierings: &[(Vec<u8>, usize)], seed: u64, k: u32) -> Vec<Weighed> {
        let weight = |hash: &u64| poisson(Stream::new(seed, *hash, k, Purpose::Bootstrap).uniform());
        let weights: Vec<u8> = self.hash.iter().map(weight).collect();
        let by_tier = |(codes, tiers): &(Vec<u8>, usize)| {
            let (mut customers, mut worth) = (vec![0.0; *tiers], vec![0.0; *tiers]);
            for ((&code, &weight), &value) in codes.iter().zip(&weights).zip(&self.values) {
                let tier = usize::from(code).min(tiers - 1);
                customers[tier] += f64::from(weight);
                worth[tier] += f64::from(weight) * value;
            }
            (customers, worth)
        };
        let divided: Vec<(Vec<f64>, Vec<f64>)> = tierings.iter().map(by_tier).collect();
        // How many customers each cut has, the fewest first, and where its best goes.
        let mut cuts: Vec<(f64, usize, usize)> = Vec::new();
        let mut out: Vec<Weighed> = Vec::new();
        for (k, (customers, worth)) in divided.iter().enumerate() {
            let (mut so_far, mut held, mut regret) = (0.0, 0.0, Vec::new());
            for at in 0..customers.len() - 1 {
                so_far += customers[at];
                held += worth[at];
                cuts.push((so_far, k, at));
                regret.push(-held);
            }
            out.push(Weighed { regret, accuracy: area(customers, worth) });
        }
        cuts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let (mut customers, mut worth, mut twice) = (0.0, 0.0, 0.0);
        let mut next = cuts.iter().peekable();
        for (&weight, &value) in weights.iter().zip(&self.values) {
            let (weight, before) = (f64::from(weight), worth);
            while let Some((at, k, cut)) = next.next_if(|(at, ..)| *at <= customers + weight) {
                out[*k].regret[*cut] += before + (at - customers) * value;
            }
            worth += weight * value;
            twice += weight * (before + worth);
            customers += weight;
        }
        let of_best = twice / (customers * worth) - 1.0;
        for found in &mut out {
            found.accuracy = found.accuracy.filter(|_| of_best > 0.0).map(|gini| gini / of_best);
        }
        out
    }
}

/// What a replication found of one tiering.
#[derive(Debug, Clone)]
struct Weighed {
    regret: Vec<f64>,
    accuracy: Option<f64>,
}

impl Spread {
    /// Around `value`, the interval of `level` of the others; without a spread where fewer than two of them exist.
    fn of(value: f64, others: Vec<f64>, level: f64) -> Spread {
        let (lower, upper) = match others.len() {
            0 | 1 => (f64::NAN, f64::NAN),
            _ => ends(&others, 0.5 * (1.0 - level), &mut Vec::new()),
        };
        Spread { value, lower, upper }
    }
}

/// How often a customer counts: Poisson(1), by inversion.
fn poisson(uniform: f64) -> u8 {
    let (mut term, mut sum, mut k) = ((-1f64).exp(), (-1f64).exp(), 0u8);
    // Beyond 17 the terms vanish against 1.
    while uniform >= sum && k < 17 {
        k += 1;
        term /= f64::from(k);
        sum += term;
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::hash_integer;

    /// A replication is what the plain version makes of customers copied as often as they count.
    #[test]
    fn replications_are_copies() {
        let n = 500u64;
        let values: Vec<f64> = (0..n).map(|i| ((i * i * 31) % 97) as f64 - 5.0).collect();
        let hash: Vec<u64> = (0..n).map(hash_integer).collect();
        let codes: Vec<u8> = (0..n).map(|i| ((i * 13) % 4) as u8).collect();
        let yardstick = Yardstick::new(&values, &hash).unwrap();
        let ordered: Vec<u8> = yardstick.order.iter().map(|&i| codes[i as usize]).collect();
        for k in 0..20 {
            let found = yardstick.resample(&[(ordered.clone(), 4)], 9, k);
            let (mut copied_codes, mut copied_values) = (Vec::new(), Vec::new());
            for i in 0..n as usize {
                let weight = poisson(Stream::new(9, hash[i], k, Purpose::Bootstrap).uniform());
                for _ in 0..weight {
                    copied_codes.push(codes[i]);
                    copied_values.push(values[i]);
                }
            }
            let division = Division::new(&copied_codes, 4, &copied_values);
            let ranked = Ranked::new(copied_values);
            for (got, want) in found[0].regret.iter().zip(division.cuts(&ranked)) {
                assert!((got - want.regret).abs() < 1e-6, "{got} {want:?}");
            }
            let (got, want) = (found[0].accuracy.unwrap(), division.accuracy(&ranked).unwrap());
            assert!((got - want).abs() < 1e-9, "{got} {want}");
        }
    }

    #[test]
    fn weights_are_poisson() {
        let n = 200_000u32;
        let mut counts = [0u32; 18];
        for i in 0..n {
            let uniform = Stream::new(1, hash_integer(u64::from(i)), 3, Purpose::Bootstrap).uniform();
            counts[usize::from(poisson(uniform))] += 1;
        }
        let mut p = (-1f64).exp();
        for (k, &count) in counts.iter().enumerate().take(6) {
            let (n, share) = (f64::from(n), f64::from(count) / f64::from(n));
            assert!((share - p).abs() < 4.0 * (p / n).sqrt(), "{k}: {share} {p}");
            p /= (k + 1) as f64;
        }
        assert_eq!((poisson(0.0), poisson(1.0 - f64::EPSILON)), (0, 17));
    }
}
