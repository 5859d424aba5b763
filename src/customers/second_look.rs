//! Exact duplicates: the few rows that agree in customer, day and amount are read again in full and compared.

use std::collections::HashMap;

use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule};
use crate::customers::spill::Spill;
use crate::customers::suspects::rescan;
use crate::error::Result;
use crate::history::{History, Ledger, Reason, SetAsideRow};
use crate::progress::Progress;

/// Counts the exact duplicates among the rows used and, if they are dropped, sets them aside and corrects their
/// customers' statistics and cohorts.
///
/// A row is a duplicate if a row before it (by file and row) is equal in every column of the file; the first stays.
pub(crate) fn find_duplicates(
    history: &History,
    folded: &mut [Folded],
    rule: &Rule,
    spill: &Spill,
    ledger: &mut Ledger,
    cohorts: &mut Option<CohortTally>,
    progress: &dyn Progress,
) -> Result<()> {
    let digests = digests(history, folded, rule, progress)?;
    for part in folded.iter_mut() {
        for suspect in std::mem::take(&mut part.suspects) {
            // In reading order, so that the first copy stays; the group tells customers' and days' rows apart where
            // they agree in every column that was read.
            let numbers: Vec<u64> = suspect.rows.numbers(rule.layout).collect();
            let mut order: Vec<usize> =
                (0..numbers.len()).filter(|&i| suspect.rows.groups[i].is_some()).collect();
            order.sort_unstable_by_key(|&i| numbers[i]);
            let mut seen: HashMap<(Option<u32>, u128), usize> = HashMap::new();
            let mut dropped = vec![false; numbers.len()];
            for i in order {
                let digest = digests.get(&numbers[i]).copied().unwrap_or(0);
                let first = *seen.entry((suspect.rows.groups[i], digest)).or_insert(i);
                if first == i {
                    continue;
                }
                ledger.duplicates += 1;
                if rule.drop_duplicates {
                    dropped[i] = true;
                    let (file, at) = history.locate(numbers[i]);
                    let (first_file, first_at) = history.locate(numbers[first]);
                    let value = if first_file == file {
                        format!("same as row {first_at}")
                    } else {
                        format!("same as row {first_at} of {}", ledger.files[first_file as usize])
                    };
                    ledger.set_aside.push(SetAsideRow {
                        file,
                        row: at,
                        reason: Reason::Duplicate,
                        value: Some(value),
                    });
                }
            }
            if dropped.contains(&true) {
                rescan(part, &suspect, &dropped, rule, spill, cohorts.as_mut())?;
            }
        }
    }
    Ok(())
}

/// Digests of the suspects' whole rows by number; none where the columns that were read are all there is.
fn digests(
    history: &History,
    folded: &[Folded],
    rule: &Rule,
    progress: &dyn Progress,
) -> Result<HashMap<u64, u128>> {
    if !history.rows_say_more() {
        return Ok(HashMap::new());
    }
    let mut rows: Vec<u64> = folded
        .iter()
        .flat_map(|part| &part.suspects)
        .flat_map(|suspect| suspect.rows.numbers(rule.layout).zip(&suspect.rows.groups))
        .filter(|(_, group)| group.is_some())
        .map(|(number, _)| number)
        .collect();
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    rows.sort_unstable();
    progress.phase("comparing", rows.len() as u64);
    let digests = history.digests(&rows, progress)?;
    Ok(rows.into_iter().zip(digests).collect())
}
