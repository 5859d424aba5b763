//! Numbers over all customers: thresholds that keep equals together, means, cuts of scores.
//!
//! Customers without a value do not count. A threshold is the value of a customer, found by rank in whole numbers, so
//! that 20 % of 15 customers are 3 and no rounding error makes them 4. Sums are made in ascending order of the values
//! and in fixed pieces: they depend neither on threads nor on the order of customers.

use super::code::{Num, Prepared, Program};
use super::eval::Chunk;
use crate::customers::spend::{ascending, millionths};
use crate::error::{Error, Result};
use crate::parallel;

/// A share as it was written, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fraction {
    /// In lowest terms.
    pub(crate) of: u64,
    pub(crate) parts: u64,
}

impl Fraction {
    /// `value` as the decimal that it is written as (or so many percent); none where that has too many digits.
    pub(crate) fn of(value: f64, percent: bool) -> Option<Fraction> {
        let text = value.to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let scale = decimals.len() as u32 + if percent { 2 } else { 0 };
        let parts = 10u64.checked_pow(scale).filter(|&parts| parts <= 1_000_000_000_000)?;
        let of: u64 = format!("{whole}{decimals}").parse().ok()?;
        let common = divisor(of, parts);
        Some(Fraction { of: of / common, parts: parts / common })
    }

    /// Whether it is above 0 and at most 1.
    pub(crate) fn is_share(self) -> bool {
        self.of > 0 && self.of <= self.parts
    }

    /// ⌈share · n⌉
    fn ceil_of(self, n: usize) -> usize {
        (u128::from(self.of) * n as u128).div_ceil(u128::from(self.parts)) as usize
    }
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { divisor(b, a % b) }
}

/// What is made of all values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum What {
    /// The value at rank ⌈share·n⌉ from the top.
    Top(Fraction),
    /// The value at rank ⌈share·n⌉ from the bottom: the inverse of the empirical distribution.
    Quantile(Fraction),
    /// The least value of the biggest customers who make that share of the sum.
    Share(Fraction),
    Mean,
    /// The middle value, or the mean of the two in the middle.
    Median,
    /// The standard deviation of a sample.
    Deviation,
    /// The 20, 40, 60 and 80 % quantiles.
    Cuts,
    /// All of them.
    Sorted,
}

impl What {
    pub(crate) fn name(self) -> &'static str {
        match self {
            What::Top(_) => "top",
            What::Quantile(_) => "quantile",
            What::Share(_) => "share",
            What::Mean => "mean",
            What::Median => "median",
            What::Deviation => "sd",
            What::Cuts => "score5",
            What::Sorted => "rank",
        }
    }
}

/// A number over all customers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    pub(crate) what: What,
    pub(crate) of: Num,
}

/// All values in ascending order, and every so many of them: those fit a fast memory, and what is searched in the others
/// lies together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranks {
    values: Vec<f64>,
    some: Vec<f64>,
}

impl Ranks {
    const EVERY: usize = 512;

    fn new(values: Vec<f64>) -> Ranks {
        let some = values.iter().step_by(Ranks::EVERY).copied().collect();
        Ranks { values, some }
    }

    /// How many values are greater.
    pub(crate) fn above(&self, value: f64) -> usize {
        // The last of the some that is not greater begins the stretch in which greater ones begin.
        let begin = self.some.partition_point(|x| *x <= value).saturating_sub(1) * Ranks::EVERY;
        let stretch = &self.values[begin..(begin + Ranks::EVERY).min(self.values.len())];
        self.values.len() - begin - stretch.partition_point(|x| *x <= value)
    }
}

/// Customers that one thread takes at a time.
const PIECE: usize = 16 * super::eval::CHUNK;

impl Program<'_> {
    /// Computes all aggregates, those that others rest on first.
    ///
    /// # Errors
    /// Values too large for an exact share of their sum.
    pub(crate) fn prepare(&mut self) -> Result<()> {
        // Sorting is what costs time: values are sorted once for all aggregates of them.
        let mut kept: Vec<(Num, Vec<f64>)> = Vec::new();
        for i in self.prepared.len()..self.aggregates.len() {
            let Aggregate { what, of } = self.aggregates[i].clone();
            if !kept.iter().any(|(num, _)| *num == of) {
                let values: Vec<f64> = self.all(&of).into_iter().filter(|value| !value.is_nan()).collect();
                kept.push((of.clone(), ascending(values)));
            }
            let at = kept.iter().position(|(num, _)| *num == of).unwrap_or_default();
            let is_last = |rest: &[Aggregate]| rest.iter().all(|other| other.of != of);
            let last = is_last(&self.aggregates[i + 1..]);
            let result = match what {
                What::Sorted if last => Prepared::Sorted(Ranks::new(std::mem::take(&mut kept[at].1))),
                _ => made_of(what, &kept[at].1)?,
            };
            if last {
                kept.swap_remove(at);
            }
            self.prepared.push(result);
        }
        Ok(())
    }

    /// The values of all customers.
    pub(crate) fn all(&self, num: &Num) -> Vec<f64> {
        let pieces = parallel::map_chunks(self.rows, PIECE, |rows| {
            let mut out = Vec::with_capacity(rows.len());
            for begin in rows.clone().step_by(super::eval::CHUNK) {
                let chunk = Chunk::new(self, begin..(begin + super::eval::CHUNK).min(rows.end));
                out.extend_from_slice(&chunk.numbers(num));
            }
            out
        });
        pieces.concat()
    }
}

/// An aggregate of values in ascending order.
fn made_of(what: What, sorted: &[f64]) -> Result<Prepared> {
    let n = sorted.len();
    let from_bottom =
        |rank: usize| rank.checked_sub(1).and_then(|at| sorted.get(at)).copied().unwrap_or(f64::NAN);
    let cut = |of: u64| from_bottom(Fraction { of, parts: 5 }.ceil_of(n));
    Ok(Prepared::Number(match what {
        What::Top(share) => from_bottom((n + 1).saturating_sub(share.ceil_of(n))),
        What::Quantile(share) => from_bottom(share.ceil_of(n)),
        What::Share(share) => by_share(sorted, share)?,
        What::Mean => mean(sorted),
        What::Median if n.is_multiple_of(2) => middle(from_bottom(n / 2), from_bottom(n / 2 + 1)),
        What::Median => from_bottom(n / 2 + 1),
        What::Deviation => deviation(sorted),
        What::Cuts => return Ok(Prepared::Cuts([cut(1), cut(2), cut(3), cut(4)])),
        What::Sorted => return Ok(Prepared::Sorted(Ranks::new(sorted.to_vec()))),
    }))
}

fn middle(a: f64, b: f64) -> f64 {
    if a == b { a } else { a / 2.0 + b / 2.0 }
}

/// The sum, in fixed pieces.
fn sum(values: &[f64], of: impl Fn(f64) -> f64 + Sync) -> f64 {
    parallel::reduce_chunks(
        values.len(),
        4096,
        |rows| values[rows].iter().map(|&x| of(x)).sum(),
        |a: f64, b| a + b,
    )
    .unwrap_or(0.0)
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let n = values.len() as f64;
    // What the first mean lost to rounding is in the mean of what is left.
    let first = sum(values, |x| x) / n;
    first + sum(values, |x| x - first) / n
}

fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let mean = mean(values);
    (sum(values, |x| (x - mean) * (x - mean)) / (values.len() - 1) as f64).sqrt()
}

/// The smallest value of the customers who, the biggest first, make that share of the sum: equals belong to them when
/// those above make less. Negative values count as 0. Null where there is nothing to share.
fn by_share(sorted: &[f64], share: Fraction) -> Result<f64> {
    let too_large = || {
        let largest = sorted.last().copied().unwrap_or_default();
        let remedy = "express the column in larger units, or cut it with top() or quantile()";
        Error::value("a value of share()", largest, "it is too large for exact shares of a sum", remedy)
    };
    if sorted.last().is_some_and(|largest| *largest > 1e18) {
        return Err(too_large());
    }
    // Whole millionths add exactly: whether a share is 70 % does not depend on rounding.
    let total: i128 = sorted.iter().map(|&value| millionths(value.max(0.0))).sum();
    if total == 0 {
        return Ok(f64::NAN);
    }
    let limit = total.checked_mul(i128::from(share.of)).ok_or_else(too_large)?;
    let mut before = 0i128;
    let mut threshold = f64::NAN;
    for group in sorted.chunk_by(|a, b| a.max(0.0) == b.max(0.0)).rev() {
        if before.checked_mul(i128::from(share.parts)).ok_or_else(too_large)? >= limit {
            break;
        }
        let value = group[0].max(0.0);
        threshold = value;
        before += millionths(value) * group.len() as i128;
    }
    Ok(threshold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::by_hand;

    fn number(what: What, values: &[f64]) -> f64 {
        match made_of(what, &ascending(values.to_vec())).unwrap() {
            Prepared::Number(value) => value,
            other => panic!("{other:?}"),
        }
    }

    fn percent(value: f64) -> Fraction {
        Fraction::of(value, true).unwrap()
    }

    #[test]
    fn fractions_are_what_was_written() {
        assert_eq!(Fraction::of(20.0, true), Some(Fraction { of: 1, parts: 5 }));
        assert_eq!(Fraction::of(0.2, false), Some(Fraction { of: 1, parts: 5 }));
        assert_eq!(Fraction::of(33.3, true), Some(Fraction { of: 333, parts: 1000 }));
        // 0.2 · 15 is more than 3 in floating point.
        assert_eq!(Fraction::of(0.2, false).unwrap().ceil_of(15), 3);
        assert!(!percent(0.0).is_share() && !percent(100.1).is_share() && percent(100.0).is_share());
        assert_eq!(Fraction::of(1e-300, false), None);
    }

    #[test]
    fn by_hand() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(number(What::Top(percent(25.0)), &values), 4.0);
        assert_eq!(number(What::Top(percent(26.0)), &values), 3.0);
        assert_eq!(number(What::Top(percent(100.0)), &values), 1.0);
        assert_eq!(number(What::Quantile(percent(50.0)), &values), 2.0);
        assert_eq!(number(What::Median, &values), 2.5);
        assert_eq!(number(What::Median, &[5.0, 1.0, 2.0]), 2.0);
        assert_eq!(number(What::Mean, &values), 2.5);
        assert_eq!(number(What::Deviation, &values), (5.0f64 / 3.0).sqrt());
        assert!(number(What::Deviation, &[1.0]).is_nan());
        assert!(number(What::Top(percent(20.0)), &[]).is_nan() && number(What::Mean, &[]).is_nan());
        assert_eq!(number(What::Mean, &[0.1; 10]), 0.1);
    }

    #[test]
    fn ranks_of_many() {
        let sorted: Vec<f64> = (0..5000).map(|i| f64::from(i / 3)).collect();
        let ranks = Ranks::new(sorted.clone());
        for value in [-1.0, 0.0, 0.5, 170.0, 171.0, 511.0, 900.5, 1666.0, 1e9] {
            assert_eq!(ranks.above(value), sorted.iter().filter(|x| **x > value).count(), "{value}");
        }
        assert_eq!(Ranks::new(Vec::new()).above(1.0), 0);
    }

    #[test]
    fn shares_and_ranks_are_those_of_the_cuts() {
        for values in [
            vec![10.0, 70.0, 20.0],
            vec![0.1, 0.7, 0.2],
            vec![30.0, 40.0, 30.0, 0.0, -9.0],
            vec![0.0, -1.0],
            vec![],
            (0..100).map(|i| f64::from(i * i % 17) / 3.0 - 1.0).collect(),
        ] {
            for share in [1u64, 20, 50, 70, 90, 100] {
                let null = |value: f64| (!value.is_nan()).then_some(value);
                let fraction = percent(share as f64);
                assert_eq!(
                    null(number(What::Share(fraction), &values)),
                    by_hand::by_share(&values, &[share])[0]
                );
                assert_eq!(
                    null(number(What::Top(fraction), &values)),
                    by_hand::by_rank(&values, &[share])[0]
                );
            }
        }
        assert!(made_of(What::Share(percent(70.0)), &[1.0, 1e300]).is_err());
    }
}
