//! The customers for whom a plan is made.

use std::path::Path;

use crate::customers::Ids;
use crate::error::{Error, Result};
use crate::tier::Columns;
use crate::tier::judge::Exact;

/// Customers in the order of their ids, one entry each.
pub struct People<'a, 'c> {
    /// Index of each customer's tier.
    pub tier: &'a [u8],
    /// How many tiers there are.
    pub tiers: usize,
    /// Lifetime value of each.
    pub clv: &'a [f64],
    /// Whether each has opted out; `None` where nobody has.
    pub opted_out: Option<&'a [bool]>,
    /// The stable hash of each id, by which lots are keyed.
    pub hash: &'a [u64],
    /// The ids, for lists.
    pub ids: &'a Ids,
    /// What rules and rankings look at.
    pub columns: &'a Columns<'c>,
    /// The seed of lots.
    pub seed: u64,
    /// The folder of the strategy file, from which the paths of lists go.
    pub base: &'a Path,
}

/// What a rule needs to know of a tier.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TierFacts {
    /// Customers in it.
    pub customers: u64,
    /// Those of them who may be contacted: all but who opted out.
    pub reachable: u64,
    /// Sum of the lifetime values of those who may be contacted; a value that is no number counts as 0.
    pub clv: f64,
}

impl People<'_, '_> {
    /// How many customers there are.
    pub fn len(&self) -> usize {
        self.tier.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tier.is_empty()
    }

    /// Whether a customer may be contacted.
    pub fn may_be_contacted(&self, row: usize) -> bool {
        !self.opted_out.is_some_and(|out| out[row])
    }

    /// The tiers. Sums are exact, so that the order of customers does not show.
    ///
    /// # Errors
    /// [`Error::Internal`] for a tier that is none, or columns of unequal length.
    pub fn facts(&self) -> Result<Vec<TierFacts>> {
        let n = self.len();
        let lengths =
            [self.clv.len(), self.hash.len(), self.ids.len(), self.opted_out.map_or(n, <[bool]>::len)];
        if lengths.iter().any(|&length| length != n) || self.columns.rows() != n {
            return Err(Error::internal("planning", "columns of another table"));
        }
        let mut facts = vec![TierFacts::default(); self.tiers];
        let mut clv = vec![Exact::default(); self.tiers];
        for (row, &tier) in self.tier.iter().enumerate() {
            let tier = usize::from(tier);
            let Some(of) = facts.get_mut(tier) else {
                return Err(Error::internal(
                    "planning",
                    format!("customer {} has no tier", self.ids.text(row)),
                ));
            };
            of.customers += 1;
            if self.may_be_contacted(row) {
                of.reachable += 1;
                if self.clv[row].is_finite() {
                    clv[tier] = clv[tier] + Exact::of(self.clv[row]);
                }
            }
        }
        for (of, clv) in facts.iter_mut().zip(clv) {
            of.clv = clv.value();
        }
        Ok(facts)
    }
}
