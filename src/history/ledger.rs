//! The ledger: every row read is used, or set aside for a reason and counted.

use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::history::join::JoinReport;

/// Why a row was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// No customer id (null or empty text).
    NullCustomer,
    /// No currency, where a column says the currency.
    NullCurrency,
    /// A currency other than the one chosen.
    OtherCurrency,
    /// No source, where a column says the source and an id map needs it.
    NullSource,
    /// An id that the id map does not have.
    UnmatchedId,
    /// An id that stands for several customers in the id map.
    AmbiguousId,
    /// No date.
    NullTime,
    /// A date outside 1900-01-01 to 2199-12-31, or beyond what days can count.
    ImpossibleDate,
    /// After the as-of date.
    AfterAsOf,
    /// No amount.
    NullAmount,
    /// No quantity, where the amount is a price times a quantity.
    NullQuantity,
    /// An amount that is NaN or infinite.
    NotFiniteAmount,
    /// A negative amount.
    Refund,
    /// A negative amount of a customer without an order on or before that day (with refunds netted).
    RefundWithoutOrder,
    /// An exact duplicate of a row that is used (when duplicates are dropped).
    Duplicate,
    /// A purchase of a customer whose first order came after the end of calibration.
    NewInHoldout,
}

impl Reason {
    /// Every reason, in the order in which they are reported.
    pub const ALL: [Reason; 16] = [
        Reason::NullCustomer,
        Reason::NullCurrency,
        Reason::OtherCurrency,
        Reason::NullSource,
        Reason::UnmatchedId,
        Reason::AmbiguousId,
        Reason::NullTime,
        Reason::ImpossibleDate,
        Reason::AfterAsOf,
        Reason::NullAmount,
        Reason::NullQuantity,
        Reason::NotFiniteAmount,
        Reason::Refund,
        Reason::RefundWithoutOrder,
        Reason::Duplicate,
        Reason::NewInHoldout,
    ];

    /// The reason as a key, as in `set_aside.parquet`.
    pub fn key(self) -> &'static str {
        match self {
            Reason::NullCustomer => "null_customer",
            Reason::NullCurrency => "null_currency",
            Reason::OtherCurrency => "other_currency",
            Reason::NullSource => "null_source",
            Reason::UnmatchedId => "unmatched_id",
            Reason::AmbiguousId => "ambiguous_id",
            Reason::NullTime => "null_time",
            Reason::ImpossibleDate => "impossible_date",
            Reason::AfterAsOf => "after_as_of",
            Reason::NullAmount => "null_amount",
            Reason::NullQuantity => "null_quantity",
            Reason::NotFiniteAmount => "not_finite_amount",
            Reason::Refund => "refund",
            Reason::RefundWithoutOrder => "refund_without_order",
            Reason::Duplicate => "duplicate",
            Reason::NewInHoldout => "new_in_holdout",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Reason::NullCustomer => "no customer id",
            Reason::NullCurrency => "no currency",
            Reason::OtherCurrency => "another currency",
            Reason::NullSource => "no source",
            Reason::UnmatchedId => "id not in the id map",
            Reason::AmbiguousId => "id of several customers in the id map",
            Reason::NullTime => "no date",
            Reason::ImpossibleDate => "impossible date",
            Reason::AfterAsOf => "after the as-of date",
            Reason::NullAmount => "no amount",
            Reason::NullQuantity => "no quantity",
            Reason::NotFiniteAmount => "amount not a number",
            Reason::Refund => "refund",
            Reason::RefundWithoutOrder => "refund before any order",
            Reason::Duplicate => "exact duplicate",
            Reason::NewInHoldout => "customer first seen in the holdout",
        })
    }
}

/// One row that was set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAsideRow {
    /// Index into [`Ledger::files`].
    pub file: u32,
    /// Position of the row in its file, from 0.
    pub row: u64,
    /// Why.
    pub reason: Reason,
    /// The value at fault as text; `None` for nulls.
    pub value: Option<String>,
}

/// A file that was set aside whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedFile {
    /// The name under which it would have been read.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
    /// Its rows, where its footer could be read.
    pub rows: Option<u64>,
}

impl SkippedFile {
    pub(crate) fn new(name: String, error: &Error, rows: Option<u64>) -> SkippedFile {
        SkippedFile { name, problem: error.to_string(), rows }
    }
}

/// What became of every row read.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The files, by the names they were read under.
    pub files: Vec<String>,
    /// Files that were set aside whole because they are bad; none of their rows counts below.
    pub skipped: Vec<SkippedFile>,
    /// Rows read.
    pub read: u64,
    /// Rows used for the calibration window.
    pub used: u64,
    /// Rows used for the holdout window.
    pub used_holdout: u64,
    /// The rows set aside, ordered by (file, row).
    pub set_aside: Vec<SetAsideRow>,
    /// Of the rows used: those with amount 0, which count as orders.
    pub zero_amounts: u64,
    /// Of the rows used: refunds that were subtracted.
    pub refunds_netted: u64,
    /// Of the rows that can be used: those that repeat another one exactly in every column (used, unless duplicates are
    /// dropped). Rows set aside for another reason are not compared.
    pub duplicates: u64,
    /// Of the rows that can be used: those whose cost (or margin) is not known, where a column says it. They count as
    /// rows without cost.
    pub without_cost: u64,
    /// The currency of the rows used, where a column says it.
    pub currency: Option<String>,
    /// What became of the ids of each source, where an id map makes customers of them.
    pub join: Option<JoinReport>,
}

impl Ledger {
    /// Rows set aside by reason, in the order of [`Reason::ALL`], only those that occur.
    pub fn counts(&self) -> Vec<(Reason, u64)> {
        Reason::ALL
            .into_iter()
            .map(|reason| (reason, self.set_aside.iter().filter(|row| row.reason == reason).count() as u64))
            .filter(|&(_, count)| count > 0)
            .collect()
    }

    /// Whether rows read = rows used + rows set aside. It always holds; the tests and the run check it.
    pub fn adds_up(&self) -> bool {
        self.read == self.used + self.used_holdout + self.set_aside.len() as u64
    }
}
