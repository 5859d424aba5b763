//! The customers of two tables, each with its place in both.

use crate::customers::Ids;
use crate::error::{Error, Result};
use crate::parallel;

/// One customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Its place in the earlier table, if it is there.
    pub before: Option<usize>,
    /// Its place in the later table, if it is there.
    pub after: Option<usize>,
}

/// All customers of either table: in the order of the earlier one, then those who are new, in the order of the later.
///
/// # Errors
/// [`Error::Value`] for ids of two kinds, and for an id that stands twice in one table.
pub fn matched(before: &Ids, after: &Ids) -> Result<Vec<Match>> {
    if kind(before) != kind(after) {
        let remedy = "give tables whose ids are of one kind";
        let problem = format!("those of the earlier table are {}", kind(before));
        return Err(Error::value("the ids of the later table", kind(after), problem, remedy));
    }
    let (left, right) = (by_hash(before, "earlier")?, by_hash(after, "later")?);
    let mut of_before = vec![None; before.len()];
    let mut is_known = vec![false; after.len()];
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        match left[i].0.cmp(&right[j].0) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                // Ids of one hash, nearly always one each.
                let hash = left[i].0;
                let mine = run(&left[i..], hash);
                let theirs = run(&right[j..], hash);
                for &(_, b) in mine {
                    let same =
                        theirs.iter().find(|&&(_, a)| before.text(b as usize) == after.text(a as usize));
                    if let Some(&(_, a)) = same {
                        of_before[b as usize] = Some(a as usize);
                        is_known[a as usize] = true;
                    }
                }
                (i, j) = (i + mine.len(), j + theirs.len());
            }
        }
    }
    let old = of_before.into_iter().enumerate().map(|(b, after)| Match { before: Some(b), after });
    let new = (0..after.len()).filter(|&a| !is_known[a]).map(|a| Match { before: None, after: Some(a) });
    Ok(old.chain(new).collect())
}

fn kind(ids: &Ids) -> &'static str {
    match ids {
        Ids::Signed { .. } | Ids::Unsigned { .. } => "integers",
        Ids::Text { .. } => "texts",
        Ids::Composite { .. } => "of several columns",
    }
}

/// The places by hash, each id once.
fn by_hash(ids: &Ids, table: &str) -> Result<Vec<(u64, u32)>> {
    let mut out = parallel::collect(ids.len(), |i| (ids.hash(i), i as u32));
    out.sort_unstable();
    for group in out.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        for (k, &(_, i)) in group.iter().enumerate() {
            let text = ids.text(i as usize);
            if group[..k].iter().any(|&(_, other)| ids.text(other as usize) == text) {
                let problem = "it stands there twice";
                return Err(Error::value(
                    format!("an id of the {table} table"),
                    text,
                    problem,
                    "give each customer one row",
                ));
            }
        }
    }
    Ok(out)
}

fn run(sorted: &[(u64, u32)], hash: u64) -> &[(u64, u32)] {
    &sorted[..sorted.iter().take_while(|(own, _)| *own == hash).count()]
}
