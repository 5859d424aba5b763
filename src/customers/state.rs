//! What is known of a history up to a day, so that later days can be added without reading it again.
//!
//! A state is closed at the end of its last day: sums go on from left to right, and orders of a day are counted when it is
//! over, so that a state and the rows after it give what all rows would have given, bit for bit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::{AmountKind, Refunds};
use crate::calendar::{Day, LastPeriods};
use crate::customers::statistics::Tally;
use crate::error::{Error, Result};
use crate::history::{History, HistoryOptions, IdKind, Ledger};

/// The layout of a state; another one is refused.
pub(crate) const VERSION: u32 = 1;

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
    /// How amounts were added.
    pub amounts: AmountKind,
    /// How costs were added, if there were any, and the name of their sum.
    pub costs: Option<(String, AmountKind)>,
    /// Whether orders were told apart by their ids.
    pub has_orders: bool,
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
        }
    }
}

impl StateInfo {
    /// Adds the digest of the rows behind it.
    pub(crate) fn add_to(&self, tally: &mut Tally) {
        let word = |text: &String| u64::from_str_radix(text, 16).unwrap_or(0);
        for (sum, more) in tally.digest.iter_mut().zip(&self.digest) {
            *sum = sum.wrapping_add(word(more));
        }
    }

    /// Refuses rows that cannot be added to this state: with other settings or types its sums would have been others.
    pub(crate) fn check(&self, file: &str, history: &History, options: &HistoryOptions) -> Result<()> {
        let refuse = |what: &str, own: String, other: String| {
            Err(Error::value(
                "--append",
                file,
                format!("it was made with {what} {own}, and the new files are read with {other}"),
                "read the whole history again, or give the option that the state was made with",
            ))
        };
        let words = |amounts: AmountKind| match amounts {
            AmountKind::Float => "floating point".to_string(),
            AmountKind::Scaled { scale } => format!("exact numbers of {scale} decimals"),
        };
        let yes = |is: bool| if is { "yes" } else { "no" }.to_string();
        let zone = |zone: &Option<String>| zone.clone().unwrap_or_else(|| "local times".to_string());
        let inspection = history.inspection();
        if self.amounts != history.amounts() {
            return refuse("amounts as", words(self.amounts), words(history.amounts()));
        }
        if self.ids.join(history.ids()) != Some(history.ids()) {
            return refuse("ids as", self.ids.words(), history.ids().words());
        }
        if self.has_orders != history.extras().order {
            return refuse("an order column:", yes(self.has_orders), yes(history.extras().order));
        }
        if self.refunds != options.refunds {
            return refuse(
                "refunds",
                format!("{:?}", self.refunds).to_lowercase(),
                format!("{:?}", options.refunds).to_lowercase(),
            );
        }
        if self.drop_duplicates != options.drop_duplicates {
            return refuse("duplicates dropped:", yes(self.drop_duplicates), yes(options.drop_duplicates));
        }
        if self.zone != inspection.zone {
            return refuse("the zone", zone(&self.zone), zone(&inspection.zone));
        }
        let periods = |periods: Option<LastPeriods>| periods.map_or("none".to_string(), |p| p.to_string());
        if self.periods.map(|(periods, _)| periods) != options.periods {
            let own = periods(self.periods.map(|(periods, _)| periods));
            return refuse("periods", own, periods(options.periods));
        }
        if options.calibration_end.is_some() {
            return Err(Error::value(
                "--calibration-end",
                file,
                "a state has no holdout",
                "read the whole history to calibrate and hold out",
            ));
        }
        if options.cohorts.is_some() {
            return Err(Error::value(
                "--cohorts",
                file,
                "a state does not keep the cohorts of its rows",
                "read the whole history for cohorts, or leave --cohorts out",
            ));
        }
        match options.as_of {
            Some(as_of) if as_of < self.closed => Err(Error::value(
                "--as-of",
                as_of,
                format!("the state {file} holds what happened up to {}", self.closed),
                format!("give a date from {} on, or read the whole history", self.closed),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses rows of days that the state holds.
    pub(crate) fn refuse_closed(&self, file: &str, rows: u64, first: &str) -> Error {
        Error::value(
            "--append",
            file,
            format!(
                "{rows} rows of the new files are dated on or before {}, the last day of the state; the first file \
                 with such rows is {first}",
                self.closed
            ),
            format!(
                "give only files with rows after {}; if rows came late, read the whole history again",
                self.closed
            ),
        )
    }
}
