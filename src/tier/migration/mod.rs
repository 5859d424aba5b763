//! Movement between two gradings: who went from which tier to which, and what they are worth.

mod drift;
mod matched;
#[cfg(test)]
mod tests;

pub use drift::{Drift, DriftLevel, Feature, drift};
pub use matched::{Match, matched};

use serde::Serialize;

use crate::customers::Ids;
use crate::error::{Error, Result};

/// Customers in tiers at one date.
#[derive(Debug, Clone, Copy)]
pub struct Graded<'a> {
    /// Who, each once, in any order.
    pub ids: &'a Ids,
    /// Each one's tier.
    pub codes: &'a [u8],
    /// The tiers, best first.
    pub names: &'a [String],
    /// Each one's expected value where it is known; NaN where it is not.
    pub value: Option<&'a [f64]>,
}

/// One customer in another tier than before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mover {
    /// The place in the earlier table.
    pub before: usize,
    /// The place in the later table.
    pub after: usize,
    /// The earlier tier, as a code of [`Migration::tiers`].
    pub from: u8,
    /// The later tier.
    pub to: u8,
    /// What is at stake: the customer's later value, or the earlier one where only that is known; 0 where none is.
    pub value: f64,
}

/// From which tier to which.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Migration {
    /// The tiers, best first.
    pub tiers: Vec<String>,
    /// By earlier tier (the last row: not there before) and later tier (the last column: gone): customers.
    pub customers: Vec<Vec<u64>>,
    /// The same of value: later, or earlier for who is gone; 0 where none is known.
    pub value: Vec<Vec<f64>>,
    /// Customers in both tables and a better tier than before.
    pub raised: u64,
    /// Customers in both tables and a worse tier than before.
    pub lowered: u64,
    /// Customers in both tables and the same tier.
    pub stayed: u64,
    /// Those in another tier, by the value at stake, the most first.
    #[serde(skip)]
    pub movers: Vec<Mover>,
}

impl Migration {
    /// Between two gradings by the same tiers.
    ///
    /// # Errors
    /// [`Error::Value`] for other tiers, ids of another kind, and an id that stands twice.
    pub fn new(before: Graded<'_>, after: Graded<'_>) -> Result<Migration> {
        if before.names != after.names {
            return Err(Error::value(
                "the later tiers",
                after.names.join(", "),
                format!("the earlier ones are {}", before.names.join(", ")),
                "compare two gradings by one scheme",
            ));
        }
        let tiers = before.names.len();
        let mut out = Migration {
            tiers: before.names.to_vec(),
            customers: vec![vec![0; tiers + 1]; tiers + 1],
            value: vec![vec![0.0; tiers + 1]; tiers + 1],
            raised: 0,
            lowered: 0,
            stayed: 0,
            movers: Vec::new(),
        };
        let known = |graded: &Graded<'_>, at: usize| graded.value.map(|v| v[at]).filter(|v| v.is_finite());
        for Match { before: b, after: a } in matched(before.ids, after.ids)? {
            let from = b.map_or(tiers, |b| usize::from(before.codes[b]));
            let to = a.map_or(tiers, |a| usize::from(after.codes[a]));
            let later = a.and_then(|a| known(&after, a));
            let value = later.or_else(|| b.and_then(|b| known(&before, b))).unwrap_or(0.0);
            out.customers[from][to] += 1;
            out.value[from][to] += value;
            let (Some(b), Some(a)) = (b, a) else { continue };
            if from == to {
                out.stayed += 1;
                continue;
            }
            if to < from {
                out.raised += 1
            } else {
                out.lowered += 1
            }
            out.movers.push(Mover { before: b, after: a, from: from as u8, to: to as u8, value });
        }
        // Of equal values in the order of the earlier table.
        out.movers.sort_by(|x, y| y.value.total_cmp(&x.value).then(x.before.cmp(&y.before)));
        Ok(out)
    }

    /// The shares of each row: of the customers of an earlier tier, how many are where; none for a tier without
    /// customers.
    pub fn shares(&self) -> Vec<Option<Vec<f64>>> {
        let share = |row: &Vec<u64>| {
            let total: u64 = row.iter().sum();
            (total > 0).then(|| row.iter().map(|&n| n as f64 / total as f64).collect())
        };
        self.customers.iter().map(share).collect()
    }

    /// Cohen's kappa with linear weights between the two gradings of the customers in both tables: 1 where all have the tier
    /// that they had, 0 where the tiers agree as much as two gradings would that have nothing to do with each other. Of k
    /// tiers, i and j agree to 1 − |i − j|/(k − 1). None where there is nobody, or where chance alone agrees in full.
    ///
    /// J. Cohen, "Weighted kappa: Nominal scale agreement with provision for scaled disagreement or partial credit",
    /// Psychological Bulletin 70 (1968) 213–220; κ = 1 − Σ v·p(i, j) / Σ v·p(i)·p(j) with the disagreement v = |i − j|.
    pub fn kappa(&self) -> Option<f64> {
        let k = self.tiers.len();
        let both: Vec<&[u64]> = self.customers[..k].iter().map(|row| &row[..k]).collect();
        let before: Vec<f64> = both.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
        let after: Vec<f64> = (0..k).map(|j| both.iter().map(|row| row[j]).sum::<u64>() as f64).collect();
        let all: f64 = before.iter().sum();
        let (mut found, mut expected) = (0.0, 0.0);
        for i in 0..k {
            for j in 0..k {
                let apart = i.abs_diff(j) as f64;
                found += apart * both[i][j] as f64;
                expected += apart * before[i] * after[j];
            }
        }
        // Without its number of tiers: it is the same in both sums.
        (expected > 0.0).then(|| 1.0 - found * all / expected)
    }

    /// The share of the customers in both tables who are in another tier; none where there is nobody.
    pub fn moved(&self) -> Option<f64> {
        let (moved, all) = (self.raised + self.lowered, self.raised + self.lowered + self.stayed);
        (all > 0).then(|| moved as f64 / all as f64)
    }
}
