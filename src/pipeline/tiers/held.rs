//! Tiers that are held on to: what a policy makes of a grading and of what a ledger holds.

use std::path::Path;

use serde::Serialize;

use super::{NO_TIER, Over};
use crate::calendar::Day;
use crate::customers::Ids;
use crate::error::Result;
use crate::pipeline::tier_ledger::ledger_state;
use crate::tier::migration::matched;
use crate::tier::policy::{Held, Policy};

/// How tiers are held on to, and how many are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldingReport {
    /// The policy.
    pub policy: Policy,
    /// Customers who are held above the tier by the rules; tiers set by hand are not looked at.
    pub above: u64,
    /// Customers who are held below it.
    pub below: u64,
    /// Customers who begin with the tier by the rules: they are new, come back, or the ledger does not say what was held.
    pub begun: u64,
    /// The policy of the ledger's last grading before this one, where it was another: "at once, without a policy" is none.
    /// Tiers and terms go on; gradings in a row begin anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_from: Option<Option<Policy>>,
}

/// What is held of each row of a file.
pub(in crate::pipeline) struct HeldTiers {
    /// By row; none where the scheme is not about it.
    pub(in crate::pipeline) by_row: Vec<Option<Held>>,
    /// The same, the tiers alone; [`NO_TIER`] for none.
    pub(in crate::pipeline) codes: Vec<u8>,
    /// What came of it.
    pub(in crate::pipeline) report: HoldingReport,
}

/// Follows a grading by a policy, from what the ledger held before that date: a grading that is made twice is followed once.
///
/// # Errors
/// Those of the ledger's files; ids of another kind.
pub(super) fn hold(
    folder: &Path,
    policy: Policy,
    over: &Over<'_>,
    key: &str,
    ids: &Ids,
    date: Day,
) -> Result<HeldTiers> {
    let names = over.graded.tiering.names();
    let before = ledger_state(folder, key, Some(Day(date.0 - 1)))?;
    let mut known: Vec<Option<Held>> = vec![None; ids.len()];
    let mut changed_from = None;
    if let Some(state) = &before {
        // Tiers by their names: a scheme may have lost some, and their customers begin anew.
        let place = |name: &String| names.iter().position(|own| own == name).map(|place| place as u8);
        let places: Vec<Option<u8>> = state.names.iter().map(place).collect();
        changed_from = (state.policy != Some(policy)).then_some(state.policy);
        for pair in matched(&state.ids, ids)? {
            let (Some(then), Some(row)) = (pair.before, pair.after) else { continue };
            let Some(held) = state.holds[then].held else { continue };
            let run = if changed_from.is_some() { 0 } else { held.run };
            known[row] = places[usize::from(held.tier)].map(|tier| Held { tier, run, ..held });
        }
    }
    let mut report = HoldingReport { policy, above: 0, below: 0, begun: 0, changed_from };
    let mut by_row = Vec::with_capacity(ids.len());
    for (&automatic, known) in over.automatic.iter().zip(known) {
        by_row.push((automatic != NO_TIER).then(|| match known {
            Some(held) => policy.follow(held, automatic, date),
            None => {
                report.begun += 1;
                Policy::begin(automatic, date)
            }
        }));
    }
    let codes: Vec<u8> =
        by_row.iter().map(|held: &Option<Held>| held.map_or(NO_TIER, |held| held.tier)).collect();
    for (&held, &automatic) in codes.iter().zip(&over.automatic) {
        // The best tier is 0.
        report.above += u64::from(held < automatic);
        report.below += u64::from(held > automatic);
    }
    Ok(HeldTiers { by_row, codes, report })
}
