//! Distinct histories: what a model with three statistics can tell apart, with how many customers share each.
//!
//! A million customers have far fewer distinct (x, t_x, T), and a tenth as many distinct (x, T). Fits work on the
//! first with weights, expectations on the second, and a customer's result is looked up.

use crate::customers::CustomerTable;
use crate::error::{Error, Result};
use crate::parallel;

/// The distinct (x, t_x, T) of a set of customers: x repeat purchases, the last at t_x, observed for T.
///
/// Patterns are ordered by x, then T, then t_x, whatever the order of the customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Patterns {
    /// The distinct times (t_x and T alike) in days, ascending.
    times: Vec<f64>,
    frequency: Vec<u32>,
    /// Index into `times`.
    recency: Vec<u32>,
    /// Index into `times`.
    t: Vec<u32>,
    weight: Vec<u32>,
    pair: Vec<u32>,
    /// The distinct (x, T), the latter as an index into `times`.
    pairs: Vec<(u32, u32)>,
    of_customer: Vec<u32>,
}

/// The remedy of all errors about statistics that cannot be.
const REMEDY: &str = "frequency counts repeat purchases from 0 on, recency is 0 without them and at most T";

impl Patterns {
    /// The patterns of a customer table.
    ///
    /// # Errors
    /// As [`Patterns::from_days`]; a table made by this crate has none of these faults.
    pub fn from_table(table: &CustomerTable) -> Result<Patterns> {
        Patterns::from_days(&table.frequency, &table.recency_days, &table.t_days)
    }

    /// The patterns of customers given by repeat purchases, whole days to the last one and whole days observed.
    ///
    /// # Errors
    /// Slices of different lengths; a recency above T, or above 0 without a repeat purchase.
    pub fn from_days(frequency: &[u32], recency_days: &[u32], t_days: &[u32]) -> Result<Patterns> {
        let longest = t_days.iter().chain(recency_days).copied().max().unwrap_or(0);
        // A table of ranks by day is quickest; histories of dates span at most 110,000 days.
        if longest < 1 << 24 {
            let mut rank = vec![0u32; longest as usize + 1];
            for &day in t_days.iter().chain(recency_days) {
                rank[day as usize] = 1;
            }
            let mut times = Vec::new();
            for (day, slot) in (0u32..).zip(&mut rank) {
                if *slot == 1 {
                    *slot = times.len() as u32;
                    times.push(f64::from(day));
                }
            }
            let recency = |i: usize| rank[recency_days[i] as usize];
            let t = |i: usize| rank[t_days[i] as usize];
            return Patterns::build(frequency, recency_days.len(), t_days.len(), times, recency, t);
        }
        let as_times = |days: &[u32]| days.iter().map(|&d| f64::from(d)).collect::<Vec<_>>();
        Patterns::from_times(frequency, &as_times(recency_days), &as_times(t_days))
    }

    /// The patterns of customers whose times are not whole days (worlds in continuous time), in days.
    ///
    /// # Errors
    /// As [`Patterns::from_days`]; a time that is negative or not finite.
    pub fn from_times(frequency: &[u32], recency_days: &[f64], t_days: &[f64]) -> Result<Patterns> {
        if let Some(&bad) = recency_days.iter().chain(t_days).find(|t| !(t.is_finite() && **t >= 0.0)) {
            return Err(Error::value("recency or T", bad, "it is not a number from 0 on", REMEDY));
        }
        let mut times: Vec<f64> = recency_days.iter().chain(t_days).map(|&t| t + 0.0).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let rank = |time: f64| times.partition_point(|&other| other < time) as u32;
        let recency: Vec<u32> = parallel::collect(recency_days.len(), |i| rank(recency_days[i]));
        let t: Vec<u32> = parallel::collect(t_days.len(), |i| rank(t_days[i]));
        Patterns::build(frequency, recency.len(), t.len(), times, |i| recency[i], |i| t[i])
    }

    fn build(
        frequency: &[u32],
        recencies: usize,
        ts: usize,
        times: Vec<f64>,
        recency: impl Fn(usize) -> u32 + Sync + Send,
        t: impl Fn(usize) -> u32 + Sync + Send,
    ) -> Result<Patterns> {
        let customers = frequency.len();
        if recencies != customers || ts != customers || customers > u32::MAX as usize {
            let lengths = format!("{customers}, {recencies}, {ts}");
            let problem = "frequency, recency and T must have one entry per customer";
            return Err(Error::value("the statistics' lengths", lengths, problem, REMEDY));
        }
        // x, T, t_x and the customer packed into one number: sorting it is sorting the patterns.
        let mut keys: Vec<u128> = parallel::collect(customers, |i| {
            u128::from(frequency[i]) << 96 | u128::from(t(i)) << 64 | u128::from(recency(i)) << 32 | i as u128
        });
        for i in 0..customers {
            if recency(i) > t(i) {
                return Err(Error::value("recency", times[recency(i) as usize], "it is above T", REMEDY));
            }
            if frequency[i] == 0 && times[recency(i) as usize] > 0.0 {
                let recency = times[recency(i) as usize];
                return Err(Error::value("recency", recency, "there is no repeat purchase", REMEDY));
            }
        }
        parallel::sort_by_key(&mut keys, |&key| key);
        let mut out = Patterns {
            times,
            frequency: Vec::new(),
            recency: Vec::new(),
            t: Vec::new(),
            weight: Vec::new(),
            pair: Vec::new(),
            pairs: Vec::new(),
            of_customer: vec![0; customers],
        };
        let mut last = None;
        for key in keys {
            if last != Some(key >> 32) {
                last = Some(key >> 32);
                let (x, t) = ((key >> 96) as u32, (key >> 64) as u32);
                if out.pairs.last() != Some(&(x, t)) {
                    out.pairs.push((x, t));
                }
                out.frequency.push(x);
                out.t.push(t);
                out.recency.push((key >> 32) as u32);
                out.pair.push(out.pairs.len() as u32 - 1);
                out.weight.push(0);
            }
            let pattern = out.frequency.len() - 1;
            out.weight[pattern] += 1;
            out.of_customer[key as u32 as usize] = pattern as u32;
        }
        Ok(out)
    }

    /// The patterns of some of the customers, each listed once, as if they were the only ones; customer i of the
    /// result is `customers[i]`.
    pub(super) fn of_customers(&self, customers: &[u32]) -> Patterns {
        // Customers by pattern: the order of patterns is the order of their histories.
        let mut order: Vec<(u32, u32)> =
            (0u32..).zip(customers).map(|(i, &customer)| (self.of_customer[customer as usize], i)).collect();
        order.sort_unstable();
        self.of_order(&order)
    }

    /// An even sample of about `wanted` customers, every n-th in the order of histories: what a search starts from.
    /// `None` where there are less than four times as many.
    pub(super) fn thinned(&self, wanted: usize) -> Option<Patterns> {
        let step = self.customers() / wanted;
        if step < 4 {
            return None;
        }
        let (mut seen, mut order) = (step / 2, Vec::with_capacity(wanted + 1));
        for (pattern, &weight) in (0u32..).zip(&self.weight) {
            let before = seen / step;
            seen += weight as usize;
            for _ in before..seen / step {
                order.push((pattern, order.len() as u32));
            }
        }
        Some(self.of_order(&order))
    }

    /// The patterns of (pattern, customer of the result), ascending by pattern.
    fn of_order(&self, order: &[(u32, u32)]) -> Patterns {
        let kept = |p: u32| [self.recency[p as usize], self.t[p as usize]];
        let mut times: Vec<u32> = order.iter().flat_map(|&(p, _)| kept(p)).collect();
        times.sort_unstable();
        times.dedup();
        let rank = |time: u32| times.partition_point(|&other| other < time) as u32;
        let mut out = Patterns {
            times: times.iter().map(|&i| self.times[i as usize]).collect(),
            frequency: Vec::new(),
            recency: Vec::new(),
            t: Vec::new(),
            weight: Vec::new(),
            pair: Vec::new(),
            pairs: Vec::new(),
            of_customer: vec![0; order.len()],
        };
        let mut last = None;
        for &(pattern, i) in order {
            if last != Some(pattern) {
                last = Some(pattern);
                let [recency, t] = kept(pattern).map(rank);
                let x = self.frequency[pattern as usize];
                if out.pairs.last() != Some(&(x, t)) {
                    out.pairs.push((x, t));
                }
                out.frequency.push(x);
                out.t.push(t);
                out.recency.push(recency);
                out.pair.push(out.pairs.len() as u32 - 1);
                out.weight.push(0);
            }
            let pattern = out.frequency.len() - 1;
            out.weight[pattern] += 1;
            out.of_customer[i as usize] = pattern as u32;
        }
        out
    }

    /// Number of patterns.
    pub fn len(&self) -> usize {
        self.frequency.len()
    }

    /// Whether there is no customer.
    pub fn is_empty(&self) -> bool {
        self.frequency.is_empty()
    }

    /// Number of customers.
    pub fn customers(&self) -> usize {
        self.of_customer.len()
    }

    /// The pattern of customer `i`.
    pub fn of_customer(&self, i: usize) -> usize {
        self.of_customer[i] as usize
    }

    /// Repeat purchases of a pattern.
    pub fn frequency(&self, pattern: usize) -> u32 {
        self.frequency[pattern]
    }

    /// Days from a pattern's first purchase to its last.
    pub fn recency_days(&self, pattern: usize) -> f64 {
        self.times[self.recency[pattern] as usize]
    }

    /// Days for which a pattern was observed.
    pub fn t_days(&self, pattern: usize) -> f64 {
        self.times[self.t[pattern] as usize]
    }

    /// Customers who share a pattern.
    pub fn weight(&self, pattern: usize) -> u32 {
        self.weight[pattern]
    }

    /// Which of [`Patterns::pairs`] a pattern has.
    pub fn pair_of(&self, pattern: usize) -> usize {
        self.pair[pattern] as usize
    }

    /// Number of distinct (x, T).
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The (x, T in days) of a pair.
    pub fn pair(&self, pair: usize) -> (u32, f64) {
        let (x, t) = self.pairs[pair];
        (x, self.times[t as usize])
    }

    /// The distinct times in days, ascending, to which the two following indices point.
    pub(super) fn times(&self) -> &[f64] {
        &self.times
    }

    /// Index of a pattern's recency in [`Patterns::times`].
    pub(super) fn recency_index(&self, pattern: usize) -> usize {
        self.recency[pattern] as usize
    }

    /// Index of a pattern's T in [`Patterns::times`].
    pub(super) fn t_index(&self, pattern: usize) -> usize {
        self.t[pattern] as usize
    }

    /// The first pattern with a repeat purchase.
    pub(super) fn first_repeater(&self) -> usize {
        self.frequency.partition_point(|&x| x == 0)
    }

    /// Repeat purchases of all customers.
    pub fn total_frequency(&self) -> f64 {
        (0..self.len()).map(|i| f64::from(self.frequency[i]) * f64::from(self.weight[i])).sum()
    }

    /// Days for which all customers together were observed.
    pub fn total_t_days(&self) -> f64 {
        (0..self.len()).map(|i| self.t_days(i) * f64::from(self.weight[i])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_merge_and_order() {
        let x = [2, 0, 2, 1, 0, 2, 2];
        let recency = [20, 0, 20, 0, 0, 21, 20];
        let t = [30, 30, 30, 5, 7, 30, 31];
        let patterns = Patterns::from_days(&x, &recency, &t).unwrap();
        let listed: Vec<_> = (0..patterns.len())
            .map(|i| {
                (patterns.frequency(i), patterns.t_days(i), patterns.recency_days(i), patterns.weight(i))
            })
            .collect();
        assert_eq!(
            listed,
            [
                (0, 7., 0., 1),
                (0, 30., 0., 1),
                (1, 5., 0., 1),
                (2, 30., 20., 2),
                (2, 30., 21., 1),
                (2, 31., 20., 1)
            ]
        );
        assert_eq!(patterns.pairs(), 5);
        assert_eq!(patterns.pair_of(3), patterns.pair_of(4));
        for i in 0..x.len() {
            let p = patterns.of_customer(i);
            assert_eq!(
                (patterns.frequency(p), patterns.recency_days(p), patterns.t_days(p)),
                (x[i], f64::from(recency[i]), f64::from(t[i]))
            );
        }
        assert_eq!(patterns.first_repeater(), 2);
        assert_eq!(patterns.total_frequency(), 9.0);
        let as_times = |days: &[u32]| days.iter().map(|&d| f64::from(d)).collect::<Vec<_>>();
        assert_eq!(Patterns::from_times(&x, &as_times(&recency), &as_times(&t)).unwrap(), patterns);
    }

    #[test]
    fn some_of_the_customers() {
        let x = [2, 0, 2, 1, 0, 2, 2];
        let recency = [20, 0, 20, 0, 0, 21, 20];
        let t = [30, 30, 30, 5, 7, 30, 31];
        let whole = Patterns::from_days(&x, &recency, &t).unwrap();
        for chosen in [vec![], vec![3u32], vec![6, 0, 2], vec![1, 5, 4, 0, 2], (0..7).collect()] {
            let of = |column: &[u32]| chosen.iter().map(|&i| column[i as usize]).collect::<Vec<_>>();
            let want = Patterns::from_days(&of(&x), &of(&recency), &of(&t)).unwrap();
            assert_eq!(whole.of_customers(&chosen), want, "{chosen:?}");
        }
    }

    #[test]
    fn an_even_sample() {
        let n = 1000u32;
        let x: Vec<u32> = (0..n).map(|i| i * i % 7).collect();
        let t: Vec<u32> = (0..n).map(|i| 50 + i % 90).collect();
        let recency: Vec<u32> = x.iter().zip(&t).map(|(&x, &t)| if x > 0 { t / 2 } else { 0 }).collect();
        let whole = Patterns::from_days(&x, &recency, &t).unwrap();
        let few = whole.thinned(100).unwrap();
        assert_eq!(few.customers(), 100);
        assert!((few.total_t_days() / 100.0 / (whole.total_t_days() / 1000.0) - 1.0).abs() < 0.02);
        assert!((few.total_frequency() / 100.0 / (whole.total_frequency() / 1000.0) - 1.0).abs() < 0.02);
        assert_eq!(whole.thinned(300), None);
    }

    #[test]
    fn impossible_statistics_are_refused() {
        for (x, recency, t) in [(1, 6, 5), (0, 1, 5)] {
            let error = Patterns::from_days(&[x], &[recency], &[t]).unwrap_err();
            assert!(error.to_string().contains("recency"), "{error}");
        }
        assert!(Patterns::from_days(&[0, 1], &[0], &[0]).is_err());
        assert!(Patterns::from_times(&[0], &[0.0], &[f64::NAN]).is_err());
        assert!(Patterns::from_days(&[], &[], &[]).unwrap().is_empty());
    }
}
