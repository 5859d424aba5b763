//! Exact duplicates: the few rows that agree in customer, day and amount are read again in full and compared.

use std::collections::HashMap;

use crate::customers::fold::{Folded, Rule, rescan};
use crate::error::Result;
use crate::history::{History, Ledger, Reason, SetAsideRow};
use crate::progress::Progress;

/// Counts the exact duplicates among the rows used and, if they are dropped, sets them aside and corrects their
/// customers' statistics.
///
/// A row is a duplicate if a row before it (by file and row) is equal in every column of the file; the first stays.
pub(crate) fn find_duplicates(
    history: &History,
    folded: &mut [Folded],
    rule: &Rule,
    ledger: &mut Ledger,
    progress: &dyn Progress,
) -> Result<()> {
    let digests = digests(history, folded, progress)?;
    for part in folded.iter_mut() {
        for suspect in std::mem::take(&mut part.suspects) {
            // In reading order, so that the first copy stays; the group tells customers' and days' rows apart where
            // they agree in every column that was read.
            let mut order: Vec<usize> =
                (0..suspect.rows.len()).filter(|&i| suspect.rows[i].group.is_some()).collect();
            order.sort_unstable_by_key(|&i| (suspect.rows[i].task, suspect.rows[i].row));
            let mut seen: HashMap<(Option<u32>, u128), usize> = HashMap::new();
            let mut dropped = vec![false; suspect.rows.len()];
            for i in order {
                let row = &suspect.rows[i];
                let digest = digests.get(&(row.task, row.row)).copied().unwrap_or(0);
                let first = *seen.entry((row.group, digest)).or_insert(i);
                if first == i {
                    continue;
                }
                ledger.duplicates += 1;
                if rule.drop_duplicates {
                    dropped[i] = true;
                    let (file, at) = history.locate(row.task, row.row);
                    let original = &suspect.rows[first];
                    let (first_file, first_at) = history.locate(original.task, original.row);
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
                rescan(part, &suspect, &dropped, rule);
            }
        }
    }
    Ok(())
}

/// Digests of the suspects' whole rows; none where the columns that were read are all there is.
fn digests(
    history: &History,
    folded: &[Folded],
    progress: &dyn Progress,
) -> Result<HashMap<(u32, u32), u128>> {
    if !history.rows_say_more() {
        return Ok(HashMap::new());
    }
    let mut rows: Vec<(u32, u32)> = folded
        .iter()
        .flat_map(|part| &part.suspects)
        .flat_map(|suspect| &suspect.rows)
        .filter(|row| row.group.is_some())
        .map(|row| (row.task, row.row))
        .collect();
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    rows.sort_unstable();
    progress.phase("comparing", rows.len() as u64);
    let digests = history.digests(&rows, progress)?;
    Ok(rows.into_iter().zip(digests).collect())
}
