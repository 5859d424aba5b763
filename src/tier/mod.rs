//! Tiers: every customer in exactly one class of a scheme, with the thresholds as numbers and in words.
//!
//! A scheme is a document in the rule language ([`SchemeFile`], [`rules`]), held against [`Columns`]; [`builtin`] has those that come
//! with tiercast.
//! Tiers are always listed from the best to the worst, and a customer's code is its tier's place in that list.

pub mod builtin;
#[cfg(test)]
mod by_hand;
pub mod by_value;
pub mod cluster_scheme;
pub mod columns;
mod csv_list;
pub mod file_columns;
pub mod graded;
pub mod judge;
pub mod migration;
pub mod opt_out;
pub mod overrides;
pub mod policy;
pub mod rules;
pub mod scheme_file;
mod scheme_reader;
pub mod suppress;
mod tiering_words;

pub use columns::Columns;
pub use file_columns::Look;
pub use graded::{Graded, ReadyScheme, Reason};
use judge::Exact;
pub use scheme_file::{Labels, SchemeFile};

use serde::Serialize;

use crate::customers::{Column, Values};

/// One tier of a scheme: its rule, and how many customers and how much spend it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tier {
    /// Its name, which is its label in the customer table.
    pub name: String,
    /// Who belongs to it, in words with the real thresholds.
    pub rule: String,
    /// How many customers do.
    pub customers: u64,
    /// Their share of all customers, 0 to 1.
    pub share_of_customers: f64,
    /// Their total spend.
    pub spend: f64,
    /// Their share of all spend; 0 where there is no spend to share.
    pub share_of_spend: f64,
}

/// The tiers of all customers by one scheme.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tiering {
    /// The scheme's key.
    pub key: String,
    /// The scheme's title.
    pub title: String,
    /// The column that it adds to the customer table.
    pub column_name: String,
    /// The tiers, best first.
    pub tiers: Vec<Tier>,
    /// The thresholds as numbers, by name.
    pub thresholds: Vec<(String, f64)>,
    /// Index into `tiers` of every customer.
    #[serde(skip)]
    pub codes: Vec<u8>,
}

impl Tiering {
    /// The tiers' names, best first.
    pub fn names(&self) -> Vec<String> {
        self.tiers.iter().map(|tier| tier.name.clone()).collect()
    }

    /// The tier of customer `i`.
    pub fn tier(&self, i: usize) -> &Tier {
        &self.tiers[usize::from(self.codes[i])]
    }

    /// The tiers as a column of the customer table.
    pub fn column(&self) -> Column {
        Column {
            name: self.column_name.clone(),
            values: Values::Label { codes: self.codes.clone(), names: self.names() },
        }
    }
}

/// What a scheme is called, for counting its tiers.
pub(crate) struct Totals {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) column_name: String,
    /// The tiers, best first.
    pub(crate) names: Vec<String>,
}

impl Totals {
    /// Counts customers and their spend by tier.
    pub(crate) fn count(
        self,
        total_spend: &[f64],
        rules: Vec<String>,
        thresholds: Vec<(String, f64)>,
        codes: Vec<u8>,
    ) -> Tiering {
        let Totals { key, title, column_name, names } = self;
        assert_eq!((rules.len(), codes.len()), (names.len(), total_spend.len()), "scheme {key}");
        let mut customers = vec![0u64; names.len()];
        // Exact sums: the order of the table does not show.
        let mut exact = vec![Exact::default(); names.len()];
        for (&code, &amount) in codes.iter().zip(total_spend) {
            customers[usize::from(code)] += 1;
            let sum = &mut exact[usize::from(code)];
            *sum = *sum + Exact::of(amount);
        }
        let spend: Vec<f64> = exact.iter().map(|sum| sum.value()).collect();
        let total: f64 = spend.iter().sum();
        let tiers = names
            .into_iter()
            .zip(rules)
            .enumerate()
            .map(|(i, (name, rule))| Tier {
                name,
                rule,
                customers: customers[i],
                share_of_customers: customers[i] as f64 / codes.len().max(1) as f64,
                spend: spend[i],
                share_of_spend: if total > 0.0 { spend[i] / total } else { 0.0 },
            })
            .collect();
        Tiering { key, title, column_name, tiers, thresholds, codes }
    }
}
