//! Tiers set by hand: a CSV of customer, tier, who, why and until, laid over the automatic tiers.
//!
//! The automatic tier stays what it is; beside it stands the effective one. A line that cannot hold (an unknown customer
//! or tier, a date that is none, two lines that contradict each other) changes nothing and is listed with its reason.

mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::Serialize;

use crate::calendar::Day;
use crate::customers::Ids;
use crate::error::nearest_first;
use crate::random::{hash_integer, hash_text};

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Override {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The scheme that it is about; none where the file does not say.
    pub scheme: Option<String>,
    /// The customer's id as written.
    pub customer: String,
    /// The tier that it gets.
    pub tier: String,
    /// Who decided.
    pub who: String,
    /// Why.
    pub why: String,
    /// The last day on which it holds, as written; empty where it has no end.
    pub until: String,
}

/// The lines of a file of overrides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// In the order of the file.
    pub lines: Vec<Override>,
}

/// Why a line changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unheeded {
    /// Nobody answers for it: who or why is empty.
    Unsigned,
    /// Its last day is no date.
    BadDate,
    /// Its last day is past.
    Expired,
    /// The scheme has no such tier.
    UnknownTier,
    /// There is no such customer.
    UnknownCustomer,
    /// Another line gives the customer another tier: neither holds.
    Contradicted,
    /// An earlier line says the same.
    Repeated,
}

impl Unheeded {
    /// All, in the order in which a line is judged.
    pub const ALL: [Unheeded; 7] = [
        Unheeded::Unsigned,
        Unheeded::BadDate,
        Unheeded::Expired,
        Unheeded::UnknownTier,
        Unheeded::UnknownCustomer,
        Unheeded::Contradicted,
        Unheeded::Repeated,
    ];

    /// In words, for a table of reasons.
    pub fn words(self) -> &'static str {
        match self {
            Unheeded::Unsigned => "without who or why",
            Unheeded::BadDate => "until is no date",
            Unheeded::Expired => "expired",
            Unheeded::UnknownTier => "no such tier",
            Unheeded::UnknownCustomer => "no such customer",
            Unheeded::Contradicted => "two lines with different tiers",
            Unheeded::Repeated => "said before",
        }
    }
}

/// A line that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Idle {
    /// The line.
    #[serde(flatten)]
    pub line: Override,
    /// Why.
    pub reason: Unheeded,
    /// The tier with the nearest name, where there is no such tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

/// What overrides do to value: see [`OverrideReport::value`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ValueMoved {
    /// Customers who are in another tier by hand, and whose value can be held against that tier's.
    pub customers: u64,
    /// What they are worth together.
    pub own: f64,
    /// What as many average customers of the tiers are worth that they were put into, by the automatic tiers.
    pub expected: f64,
}

/// What became of the lines.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OverrideReport {
    /// Lines about this scheme.
    pub lines: u64,
    /// Lines about other schemes.
    pub other_schemes: u64,
    /// Lines that hold.
    pub heeded: u64,
    /// Customers whose effective tier is not the automatic one.
    pub changed: u64,
    /// Those of them who are in a better tier.
    pub raised: u64,
    /// Those of them who are in a worse tier.
    pub lowered: u64,
    /// Those of them who have no tier by the rules.
    pub given: u64,
    /// Where a value per customer is known: what the changed ones are worth against who belongs to those tiers by the
    /// rules. A negative difference is expected value given up for treating them like the tier; a positive one, gained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueMoved>,
    /// Lines that change nothing, in the order of the file.
    pub idle: Vec<Idle>,
}

/// The effective tiers.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// Of every customer: the tier that holds.
    pub effective: Vec<u8>,
    /// The customers with a line that holds, ascending, each with the line's place among [`Overrides::lines`].
    pub by_hand: Vec<(usize, usize)>,
    /// What became of the lines.
    pub report: OverrideReport,
}

/// Customers as the automatic rules put them.
#[derive(Debug, Clone, Copy)]
pub struct Automatic<'a> {
    /// The scheme's key.
    pub scheme: &'a str,
    /// Its tiers, best first.
    pub names: &'a [String],
    /// Who.
    pub ids: &'a Ids,
    /// Each one's tier; a code beyond the names for who has none, as prospects may.
    pub codes: &'a [u8],
    /// Each one's expected value, where it is known; NaN where it is not.
    pub value: Option<&'a [f64]>,
}

impl Overrides {
    /// Lays the lines over the automatic tiers as they are on `date`.
    pub fn apply(&self, to: Automatic<'_>, date: Day) -> Applied {
        let mut report = OverrideReport::default();
        let mut idle: Vec<(usize, Unheeded)> = Vec::new();
        let mut wanted: HashMap<u64, Vec<(usize, u8)>> = HashMap::new();
        for (i, line) in self.lines.iter().enumerate() {
            if line.scheme.as_deref().is_some_and(|scheme| scheme != to.scheme) {
                report.other_schemes += 1;
                continue;
            }
            report.lines += 1;
            match judge(line, to.names, date) {
                Ok(tier) => wanted.entry(id_hash(to.ids, &line.customer)).or_default().push((i, tier)),
                Err(reason) => idle.push((i, reason)),
            }
        }
        let mut by_hand = Vec::new();
        let mut effective = to.codes.to_vec();
        if !wanted.is_empty() {
            for (row, effective) in effective.iter_mut().enumerate() {
                let Some(lines) = wanted.get_mut(&to.ids.hash(row)) else { continue };
                // Of equal hashes only those that are this id.
                let own = |&(i, _): &(usize, u8)| self.lines[i].customer == to.ids.text(row);
                let (mine, others): (Vec<_>, Vec<_>) = lines.iter().copied().partition(own);
                *lines = others;
                let Some(&(first, tier)) = mine.first() else { continue };
                if mine.iter().any(|&(_, other)| other != tier) {
                    idle.extend(mine.iter().map(|&(i, _)| (i, Unheeded::Contradicted)));
                    continue;
                }
                idle.extend(mine[1..].iter().map(|&(i, _)| (i, Unheeded::Repeated)));
                *effective = tier;
                by_hand.push((row, first));
            }
        }
        idle.extend(wanted.values().flatten().map(|&(i, _)| (i, Unheeded::UnknownCustomer)));
        idle.sort_unstable();
        report.heeded = by_hand.len() as u64;
        for &(row, _) in &by_hand {
            let (automatic, by_hand) = (to.codes[row], effective[row]);
            // The best tier comes first.
            // Who had no tier is neither higher nor lower, but another.
            let is_new = usize::from(automatic) >= to.names.len();
            report.given += u64::from(is_new);
            report.raised += u64::from(by_hand < automatic && !is_new);
            report.lowered += u64::from(by_hand > automatic);
        }
        report.changed = report.raised + report.lowered + report.given;
        report.value = to.value.map(|value| moved(&to, value, &effective, &by_hand));
        report.idle = idle.into_iter().map(|(i, reason)| self.idle(i, reason, to.names)).collect();
        Applied { effective, by_hand, report }
    }

    fn idle(&self, i: usize, reason: Unheeded, names: &[String]) -> Idle {
        let line = self.lines[i].clone();
        let nearest = (reason == Unheeded::UnknownTier)
            .then(|| nearest_first(&line.tier, names).into_iter().next())
            .flatten();
        Idle { line, reason, nearest }
    }
}

impl OverrideReport {
    /// How many lines change nothing, by reason.
    pub fn idle_by_reason(&self) -> Vec<(Unheeded, u64)> {
        let count = |reason| self.idle.iter().filter(|idle| idle.reason == reason).count() as u64;
        Unheeded::ALL.into_iter().map(|reason| (reason, count(reason))).filter(|&(_, n)| n > 0).collect()
    }
}

/// The tier that a line asks for, if it can hold whoever the customer is.
fn judge(line: &Override, names: &[String], date: Day) -> Result<u8, Unheeded> {
    if line.who.is_empty() || line.why.is_empty() {
        return Err(Unheeded::Unsigned);
    }
    if !line.until.is_empty() {
        let until: Day = line.until.parse().map_err(|_| Unheeded::BadDate)?;
        if until < date {
            return Err(Unheeded::Expired);
        }
    }
    let tier = names.iter().position(|name| *name == line.tier).ok_or(Unheeded::UnknownTier)?;
    Ok(tier as u8)
}

/// The hash by which ids of that kind are found: integers by their value, anything else by its text.
pub(super) fn id_hash(ids: &Ids, text: &str) -> u64 {
    match ids {
        Ids::Signed { .. } => {
            text.parse::<i64>().map_or_else(|_| hash_text(text.as_bytes()), |id| hash_integer(id as u64))
        }
        Ids::Unsigned { .. } => text.parse::<u64>().map_or_else(|_| hash_text(text.as_bytes()), hash_integer),
        Ids::Text { .. } | Ids::Composite { .. } => hash_text(text.as_bytes()),
    }
}

/// What the customers in another tier are worth, against the automatic members of the tiers that they are put into.
fn moved(to: &Automatic<'_>, value: &[f64], effective: &[u8], by_hand: &[(usize, usize)]) -> ValueMoved {
    let mut sums = vec![(0.0, 0u64); to.names.len()];
    for (&code, value) in to.codes.iter().zip(value).filter(|(_, value)| value.is_finite()) {
        // Who has no tier by the rules is nobody's measure.
        if let Some((sum, count)) = sums.get_mut(usize::from(code)) {
            *sum += value;
            *count += 1;
        }
    }
    let mut out = ValueMoved::default();
    for &(row, _) in by_hand.iter().filter(|&&(row, _)| effective[row] != to.codes[row]) {
        let (sum, count) = sums[usize::from(effective[row])];
        if count > 0 && value[row].is_finite() {
            out.customers += 1;
            out.own += value[row];
            out.expected += sum / count as f64;
        }
    }
    out
}
