//! A small town for tests of plans: ten customers in three tiers, three actions, and responses for all of them.

use std::borrow::Cow;
use std::path::PathBuf;

use super::{People, Plan};
use crate::calendar::Day;
use crate::customers::Ids;
use crate::error::Result;
use crate::random::hash_integer;
use crate::strategy::{StrategyFile, StrategySet};
use crate::tier::Columns;
use crate::tier::columns::Loaded;
use crate::tier::rules::{Kind, Measure};

/// One customer: id, tier, lifetime value, whether it opted out.
pub(crate) type Customer = (i64, u8, f64, bool);

/// Ids 1 to 10: two high, three mid, five low.
pub(crate) const CUSTOMERS: [Customer; 10] = [
    (1, 0, 100.0, false),
    (2, 0, 80.0, false),
    (3, 1, 30.0, false),
    (4, 1, 20.0, false),
    (5, 1, 10.0, false),
    (6, 2, 5.0, false),
    (7, 2, 4.0, false),
    (8, 2, 3.0, false),
    (9, 2, 2.0, false),
    (10, 2, 1.0, false),
];

/// What plans look at.
pub(crate) struct Town {
    ids: Ids,
    tier: Vec<u8>,
    clv: Vec<f64>,
    opted_out: Vec<bool>,
    hash: Vec<u64>,
    columns: Columns<'static>,
    pub(crate) base: PathBuf,
}

impl Town {
    pub(crate) fn new(customers: &[Customer]) -> Town {
        let ids: Vec<i64> = customers.iter().map(|one| one.0).collect();
        let mut columns = Columns::new(ids.len(), Day(20_000));
        let numbers = |values: Vec<f64>| Loaded::Numbers(Cow::Owned(values));
        let number = Kind::Number(Measure::Plain);
        // The same for two customers each, and missing for the fifth.
        let pairs = ids.iter().map(|&id| if id == 5 { f64::NAN } else { (id / 2) as f64 });
        columns.push("pair", number, numbers(pairs.collect()));
        columns.push("number", number, numbers(ids.iter().map(|&id| id as f64).collect()));
        let names = Cow::Owned(vec!["north".to_string(), "south".to_string()]);
        let codes = ids.iter().map(|&id| u8::from(id % 2 == 0)).collect();
        columns.push("region", Kind::Text, Loaded::Labels { codes: Cow::Owned(codes), names });
        Town {
            tier: customers.iter().map(|one| one.1).collect(),
            clv: customers.iter().map(|one| one.2).collect(),
            opted_out: customers.iter().map(|one| one.3).collect(),
            hash: ids.iter().map(|&id| hash_integer(id as u64)).collect(),
            ids: Ids::Signed { values: ids, bits: 64 },
            columns,
            base: PathBuf::new(),
        }
    }

    pub(crate) fn people(&self) -> People<'_, 'static> {
        People {
            tier: &self.tier,
            tiers: 3,
            clv: &self.clv,
            opted_out: Some(&self.opted_out),
            hash: &self.hash,
            ids: &self.ids,
            columns: &self.columns,
            seed: 7,
            base: &self.base,
        }
    }

    /// The plan of the first strategy of a file.
    pub(crate) fn plan(&self, text: &str) -> Result<(Plan, Vec<String>)> {
        Plan::new(&set(text)?, 1, &self.people())
    }

    /// The treatment of each customer as a money, in the order of the customers; 0 is none.
    pub(crate) fn money(&self, plan: &Plan) -> Vec<f64> {
        let of = |row: usize| plan.of(row, usize::from(self.tier[row])).map_or(0.0, |own| own.money);
        (0..self.tier.len()).map(|row| if self.opted_out[row] { 0.0 } else { of(row) }).collect()
    }
}

/// Letters of up to 5 each, the more the better, calls of 2 and ten minutes, gifts of 3 for up to four customers, and offers of 1 with a fixed
/// cost of 10; responses of all in all tiers.
pub(crate) fn text(head: &str, strategy: &str) -> String {
    let mut out = format!("horizon = \"12mo\"\nmargin = 0.3\ntiers = \"value\"\n{head}\n");
    for (name, rest) in [
        ("letter", "max_per_customer = 5"),
        ("call", "cost_on_contact = 2\nminutes_on_contact = 10\nstock_on_contact = 1"),
        ("gift", "cost_on_contact = 3\nmax_customers = 4"),
        ("offer", "cost_on_contact = 1\nfixed_cost = 10"),
    ] {
        out += &format!("[[action]]\nname = \"{name}\"\n{rest}\n");
        let curve = if name == "letter" { "curve = \"saturating\"\nscale = 2\n" } else { "" };
        for tier in ["high", "mid", "low"] {
            out += &format!(
                "[[response]]\naction = \"{name}\"\ntier = \"{tier}\"\non = \"purchase_rate\"\neffect = 0.1\n\
                 lower = 0.0\nupper = 0.2\nsource = \"assumption\"\n{curve}"
            );
        }
    }
    format!("{out}[[strategy]]\nname = \"s\"\n{strategy}\n")
}

pub(crate) fn set(text: &str) -> Result<StrategySet> {
    let schemes = [("value".to_string(), ["high", "mid", "low"].map(String::from).to_vec())];
    StrategySet::new("s.toml", StrategyFile::parse("s.toml", text)?, &schemes)
}

/// The message of an error and its hint.
pub(crate) fn words<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "no error".to_string(),
        Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
    }
}
