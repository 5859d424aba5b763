//! What is known of a history up to a day, so that later days can be added without reading it again.
//!
//! A state is closed at the end of its last day: sums go on from left to right, and orders of a day are counted when it is
//! over, so that a state and the rows after it give what all rows would have given, bit for bit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::{AmountKind, Refunds};
use crate::calendar::{Day, LastPeriods};
use crate::customers::cohorts::{CohortTally, StateCohorts};
use crate::customers::statistics::Tally;
use crate::error::{Error, Result};
use crate::history::{CohortPeriod, HistoryOptions, IdKind, IdPart, Ledger, MappedIds, Reason};

mod check;

pub(crate) use check::{check_options, columns};

/// The layout of a state; another one is refused.
pub(crate) const VERSION: u32 = 2;

/// What a state says of itself, beside its customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateInfo {
    /// Version of the layout.
    pub version: u32,
    /// The last day that it holds whole.
    pub closed: Day,
    /// The first day of an order.
    pub first_order: Day,
    /// Number of customers.
    pub customers: u64,
    /// What the ids are.
    pub ids: IdKind,
    /// What ids of several columns consist of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_parts: Vec<IdPart>,
    /// How an id map made customers of the ids, if one did.
    pub id_map: Option<MappedIds>,
    /// How amounts were added.
    pub amounts: AmountKind,
    /// How costs were added, if there were any, and the name of their sum.
    pub costs: Option<(String, AmountKind)>,
    /// The columns of who (where it is one of the file's own), when, how much, and what else rows say, by their roles.
    pub columns: BTreeMap<String, String>,
    /// The currency of the rows, where a column says it.
    pub currency: Option<String>,
    /// Whether refunds were netted.
    pub refunds: Refunds,
    /// Whether exact duplicates were set aside.
    pub drop_duplicates: bool,
    /// The zone in which instants became days.
    pub zone: Option<String>,
    /// The periods kept apart, and the number of the first.
    pub periods: Option<(LastPeriods, i32)>,
    /// The kept columns.
    pub kept: Vec<String>,
    /// The cohorts, if they were counted.
    pub cohorts: Option<StateCohorts>,
    /// Rows read, used, and set aside by reason.
    pub rows: StateRows,
    /// The digest of the rows used, as two numbers in hexadecimal.
    pub(crate) digest: [String; 2],
}

/// Counts of the rows behind a state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StateRows {
    /// Rows read.
    pub read: u64,
    /// Rows used.
    pub used: u64,
    /// Rows set aside, by reason.
    pub set_aside: BTreeMap<String, u64>,
    /// Of those used: amounts of 0, refunds subtracted, exact duplicates.
    pub zero_amounts: u64,
    /// Refunds that were subtracted.
    pub refunds_netted: u64,
    /// Exact duplicates of another row.
    pub duplicates: u64,
    /// Rows whose cost (or margin) is not known, where a column says it.
    pub without_cost: u64,
}

impl StateRows {
    /// The counts of these rows and of those of a ledger together.
    pub(crate) fn with(&self, ledger: &Ledger) -> StateRows {
        let mut set_aside = self.set_aside.clone();
        for (reason, count) in ledger.counts() {
            *set_aside.entry(reason.key().to_string()).or_default() += count;
        }
        StateRows {
            read: self.read + ledger.read,
            used: self.used + ledger.used,
            set_aside,
            zero_amounts: self.zero_amounts + ledger.zero_amounts,
            refunds_netted: self.refunds_netted + ledger.refunds_netted,
            duplicates: self.duplicates + ledger.duplicates,
            without_cost: self.without_cost + ledger.without_cost,
        }
    }
}

impl StateInfo {
    /// The last day of the state and the cohorts, for rows that are read with `options` and added to it. A state that is
    /// made of one with cohorts has them too, whether or not they are asked for.
    pub(crate) fn settings(&self, options: &HistoryOptions) -> (Option<Day>, Option<CohortPeriod>) {
        let own = self.cohorts.as_ref().filter(|_| options.state).map(|own| CohortPeriod::By(own.period));
        (Some(self.closed), options.cohorts.or(own))
    }

    /// Adds the digest of the rows behind it, and what cohorts did up to its last day.
    ///
    /// # Errors
    /// [`Error::Value`] for cohorts that are not those of its days.
    pub(crate) fn add_to(&self, tally: &mut Tally, cohorts: Option<&mut CohortTally>) -> Result<()> {
        let word = |text: &String| u64::from_str_radix(text, 16).unwrap_or(0);
        for (sum, more) in tally.digest.iter_mut().zip(&self.digest) {
            *sum = sum.wrapping_add(word(more));
        }
        if let (Some(cohorts), Some(own)) = (cohorts, &self.cohorts) {
            let damaged = || {
                let remedy = "read the whole history again with --cohorts and --state";
                Error::value("--append", "the cohorts of the state", "they are not those of its days", remedy)
            };
            cohorts.add_state(own, (self.first_order, self.closed)).ok_or_else(damaged)?;
        }
        Ok(())
    }

    /// What a reader of figures that rest on it should know, in sentences.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let rows = self.rows.set_aside.get(Reason::UnmatchedId.key()).copied().unwrap_or(0);
        let late = format!(
            "{rows} rows of the state are set aside because the id map did not have their ids when they were read; what \
             it has learnt since counts for them only when the whole history is read again"
        );
        if rows > 0 { vec![late] } else { Vec::new() }
    }
}
