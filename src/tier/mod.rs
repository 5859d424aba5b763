//! Tiers: every customer in exactly one class of a scheme, with the thresholds as numbers and in words.
//!
//! A scheme is a document in the rule language ([`SchemeFile`], [`rules`]), held against [`Columns`]; [`builtin`] has those that come
//! with tiercast. `tiercast run` grades by three that are also written by hand and use the scores that it has already: those
//! implement [`Scheme`] and come by [`schemes`].
//! Tiers are always listed from the best to the worst, and a customer's code is its tier's place in that list.

pub mod abc;
pub mod builtin;
pub mod by_value;
pub mod cluster_scheme;
pub mod columns;
mod cuts;
pub mod file_columns;
pub mod graded;
pub mod judge;
pub mod migration;
pub mod overrides;
pub mod policy;
pub mod rfm_four;
pub mod rules;
pub mod scheme_file;
mod scheme_reader;
pub mod suppress;
mod tiering_words;
pub mod value;

pub use columns::Columns;
pub use file_columns::Look;
pub use graded::{Graded, ReadyScheme, Reason};
pub use scheme_file::{Labels, SchemeFile};

use serde::Serialize;

use crate::customers::rfm::Rfm;
use crate::customers::{Column, CustomerTable, Values};
use crate::error::{Error, Result, nearest_first};

/// A way of putting customers into tiers.
pub trait Scheme: Sync {
    /// The name by which it is asked for, such as `value`.
    fn key(&self) -> &str;

    /// What it does, as a heading.
    fn title(&self) -> &str;

    /// The column that it adds to the customer table, such as `tier_value`.
    fn column(&self) -> &str;

    /// Its tiers, best first.
    fn tiers(&self) -> Vec<&str>;

    /// The tier of every customer. Fails where the table lacks what the scheme looks at.
    fn grade(&self, table: &CustomerTable, rfm: &Rfm) -> Result<Tiering>;
}

/// The built-in schemes.
pub fn schemes() -> [&'static dyn Scheme; 3] {
    [&value::Value, &rfm_four::RfmFour, &abc::Abc]
}

/// The built-in scheme of that key.
pub fn scheme(key: &str) -> Result<&'static dyn Scheme> {
    schemes().into_iter().find(|scheme| scheme.key() == key).ok_or_else(|| {
        let keys: Vec<String> = schemes().iter().map(|scheme| scheme.key().to_string()).collect();
        let keys = nearest_first(key, &keys);
        Error::value(
            "the grading scheme",
            key,
            "there is no such scheme",
            format!("did you mean \"{}\"? The schemes are: {}", keys[0], keys.join(", ")),
        )
    })
}

/// Puts the customers of `table`, whose scores are `rfm`, into the tiers of `scheme`.
pub fn grade(table: &CustomerTable, rfm: &Rfm, scheme: &dyn Scheme) -> Result<Tiering> {
    scheme.grade(table, rfm)
}

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
    /// Counts customers and spend by tier. `rules` has the words of every tier of the scheme, `codes` the tier of
    /// every customer of the table.
    pub fn new(
        scheme: &dyn Scheme,
        table: &CustomerTable,
        rules: Vec<String>,
        thresholds: Vec<(String, f64)>,
        codes: Vec<u8>,
    ) -> Tiering {
        let totals = Totals {
            key: scheme.key().into(),
            title: scheme.title().into(),
            column_name: scheme.column().into(),
            names: scheme.tiers().into_iter().map(String::from).collect(),
        };
        totals.count(&table.total_spend, rules, thresholds, codes)
    }

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
        let mut spend = vec![0.0; names.len()];
        // In the table's order, so that the sums do not depend on threads.
        for (&code, &amount) in codes.iter().zip(total_spend) {
            customers[usize::from(code)] += 1;
            spend[usize::from(code)] += amount;
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::customers::concentration::Concentration;
    use crate::customers::rfm;
    use crate::customers::testing::{Row, any_rows, table};
    use crate::parallel;

    #[test]
    fn schemes_are_found_by_name() {
        for scheme in schemes() {
            assert_eq!(super::scheme(scheme.key()).unwrap().title(), scheme.title());
            assert!(scheme.column().starts_with("tier_"));
        }
        let error = scheme("vlue").err().unwrap();
        assert_eq!(error.to_string(), "the grading scheme cannot be \"vlue\": there is no such scheme");
        assert_eq!(error.hint().unwrap(), "did you mean \"value\"? The schemes are: value, rfm, abc");
    }

    #[test]
    fn an_empty_table_has_empty_tiers() {
        let table = table(&[]);
        for scheme in schemes() {
            let tiering = grade(&table, &rfm::scores(&table), scheme).unwrap();
            assert!(tiering.tiers.iter().all(|tier| tier.customers == 0 && tier.share_of_customers == 0.0));
        }
    }

    #[test]
    fn threads_change_nothing() {
        let row = |id: i64| Row {
            id,
            frequency: (id * id % 11) as u32,
            since: (id * 7 % 365) as u32,
            total_spend: (id * 7919 % 10_007) as f64 / 100.0,
            ..Row::default()
        };
        let table = table(&(0..30_000).map(row).collect::<Vec<_>>());
        let all = || {
            let scores = rfm::scores(&table);
            let tierings = schemes().map(|scheme| grade(&table, &scores, scheme).unwrap());
            (scores, tierings, Concentration::of(&table))
        };
        let one = parallel::with_threads(1, all).unwrap();
        for threads in [2, 3] {
            assert_eq!(parallel::with_threads(threads, all).unwrap(), one);
        }
    }

    proptest! {
        #[test]
        fn every_customer_has_one_tier(rows in any_rows(80), by in 1usize..79) {
            let mut turned = rows.clone();
            turned.rotate_left(by % rows.len());
            let (table, turned) = (table(&rows), table(&turned));
            let (scores, turned_scores) = (rfm::scores(&table), rfm::scores(&turned));
            for scheme in schemes() {
                let tiering = grade(&table, &scores, scheme).unwrap();
                prop_assert_eq!(&tiering, &grade(&turned, &turned_scores, scheme).unwrap());
                prop_assert_eq!(tiering.names(), scheme.tiers());
                prop_assert_eq!(tiering.codes.len(), table.len());
                prop_assert!(tiering.codes.iter().all(|&code| usize::from(code) < tiering.tiers.len()));
                prop_assert_eq!(tiering.tiers.iter().map(|tier| tier.customers).sum::<u64>(), table.len() as u64);
                let share: f64 = tiering.tiers.iter().map(|tier| tier.share_of_customers).sum();
                prop_assert!((share - 1.0).abs() < 1e-12);
                prop_assert!(tiering.thresholds.iter().all(|(_, value)| value.is_finite()));
                for i in 0..table.len() {
                    for j in 0..table.len() {
                        let (a, b) = (table.total_spend[i], table.total_spend[j]);
                        if scheme.key() != "rfm" && a >= b {
                            prop_assert!(tiering.codes[i] <= tiering.codes[j], "{a} {b}");
                        }
                    }
                }
            }
        }
    }
}
