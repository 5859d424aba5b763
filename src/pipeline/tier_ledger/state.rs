//! What a ledger says: its files replayed up to a day.

use std::path::Path;

use super::{LedgerEntry, VERSIONS, ledger_entries};
use crate::calendar::Day;
use crate::customers::table::Plain;
use crate::customers::{Ids, WholeFile};
use crate::error::{Error, Result};
use crate::pipeline::tiers::NO_TIER;
use crate::tier::migration::{Match, matched};
use crate::tier::policy::{Held, Policy};

/// What a policy holds of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerHold {
    /// The tier that is held apart from tiers set by hand, as a code of the state's names with the beginning of its term and
    /// the gradings in a row. None where a tier was set by hand in a ledger without a policy, or where there is none by the
    /// rules.
    pub held: Option<Held>,
}

/// Everybody's tier on a day.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerState {
    /// Who has a tier.
    pub ids: Ids,
    /// The place of each one's tier among `names`.
    pub codes: Vec<u8>,
    /// What a policy has to know of each one.
    pub holds: Vec<LedgerHold>,
    /// The tiers that there were, in the order in which they were met.
    pub names: Vec<String>,
    /// The policy of the last grading; none where the rules were followed at once.
    pub policy: Option<Policy>,
}

impl LedgerState {
    /// Of a ledger without a grading, with ids of the type of `ids`.
    pub(super) fn empty(ids: &Ids) -> LedgerState {
        LedgerState {
            ids: ids.select(&[]),
            codes: Vec::new(),
            holds: Vec::new(),
            names: Vec::new(),
            policy: None,
        }
    }
}

/// Everybody's tier by a scheme after the last grading up to `date`, or after the last of all; `None` where there was
/// none.
///
/// # Errors
/// Those of the files; a file of a later version.
pub fn ledger_state(folder: &Path, scheme: &str, date: Option<Day>) -> Result<Option<LedgerState>> {
    let mut state: Option<LedgerState> = None;
    for entry in ledger_entries(folder, Some(scheme))? {
        if date.is_none_or(|date| entry.date <= date) {
            state = Some(follow(state, &entry)?);
        }
    }
    Ok(state)
}

/// The policy of a file; none where it follows the rules at once.
pub(super) fn policy_of(entry: &LedgerEntry) -> Result<Option<Policy>> {
    let page = Page::open(entry)?;
    page.policy()
}

/// One file of a ledger, opened.
struct Page<'e> {
    entry: &'e LedgerEntry,
    file: WholeFile,
    version: u32,
}

impl<'e> Page<'e> {
    fn open(entry: &'e LedgerEntry) -> Result<Page<'e>> {
        let page = Page { entry, file: WholeFile::open(&entry.path, None)?, version: 0 };
        let said = match page.column("ledger")? {
            Plain::Numbers(values) => values.first().copied().unwrap_or(0.0),
            _ => 0.0,
        };
        match VERSIONS.into_iter().find(|&version| f64::from(version) == said) {
            Some(version) => Ok(Page { version, ..page }),
            None => {
                let is_later = said > f64::from(VERSIONS[1]);
                let age = if is_later { "a later tiercast wrote it: it is" } else { "it is" };
                let [first, last] = VERSIONS;
                Err(page.damaged(format!(
                    "{age} of version {said}, and this tiercast reads versions {first} and {last}"
                )))
            }
        }
    }

    fn damaged(&self, problem: String) -> Error {
        Error::Document {
            file: self.entry.path.display().to_string(),
            problem,
            remedy: "use the tiercast that wrote it; a ledger is only ever added to, never edited".into(),
        }
    }

    fn column(&self, name: &str) -> Result<Plain> {
        let missing = || self.damaged(format!("it has no column \"{name}\""));
        self.file.column(name, None)?.ok_or_else(missing)?.plain(name)
    }

    /// A column of texts: codes, and what they stand for; a code beyond them is a null.
    fn texts(&self, name: &str) -> Result<(Vec<u32>, Vec<String>)> {
        match self.column(name)? {
            Plain::Texts { codes, names } => Ok((codes, names)),
            _ => Err(self.damaged(format!("its column \"{name}\" holds no texts"))),
        }
    }

    fn policy(&self) -> Result<Option<Policy>> {
        if self.version == VERSIONS[0] {
            return Ok(None);
        }
        let (_, names) = self.texts("policy")?;
        let wrong = || self.damaged("its column \"policy\" is not one policy in every row".into());
        let [one] = &names[..] else { return Err(wrong()) };
        one.parse().map(Some).map_err(|_| wrong())
    }

    /// What is held of each row; tiers are codes of `all`, which gets those that are missing.
    fn holds(&self, all: &mut Vec<String>, new: &[u8]) -> Result<Vec<LedgerHold>> {
        let begun = |tier: u8| Held { tier, since: self.entry.date, run: 0 };
        if self.version == VERSIONS[0] {
            // Without a policy the tier by the rules is what holds, but where a tier was set by hand.
            let (by_hand, names) = self.texts("by_hand")?;
            let is_by_hand = |row: usize| (by_hand[row] as usize) < names.len();
            let hold = |(row, &tier): (usize, &u8)| LedgerHold {
                held: (tier != NO_TIER && !is_by_hand(row)).then(|| begun(tier)),
            };
            return Ok(new.iter().enumerate().map(hold).collect());
        }
        let (held, names) = self.texts("held")?;
        let places = self.places(all, &names)?;
        let (since, days) = self.texts("since")?;
        let days: Vec<Day> = days
            .iter()
            .map(|day| day.parse().map_err(|_| self.damaged(format!("\"{day}\" is no day"))))
            .collect::<Result<_>>()?;
        let Plain::Numbers(run) = self.column("run")? else {
            return Err(self.damaged("its column \"run\" holds no numbers".into()));
        };
        let hold = |row: usize| {
            let tier = places.get(held[row] as usize).copied();
            let since = days.get(since[row] as usize).copied();
            let held = tier.zip(since).map(|(tier, since)| Held { tier, since, run: run[row] as i32 });
            LedgerHold { held }
        };
        Ok((0..new.len()).map(hold).collect())
    }

    /// The codes of names among `all`, which gets those that are missing.
    fn places(&self, all: &mut Vec<String>, names: &[String]) -> Result<Vec<u8>> {
        let place = |name: &String| {
            let at = all.iter().position(|own| own == name).unwrap_or_else(|| {
                all.push(name.clone());
                all.len() - 1
            });
            u8::try_from(at).ok().filter(|&at| at != NO_TIER)
        };
        let places: Option<Vec<u8>> = names.iter().map(place).collect();
        places.ok_or_else(|| self.damaged("it names more tiers than there can be".into()))
    }
}

/// The state after one more file.
fn follow(state: Option<LedgerState>, entry: &LedgerEntry) -> Result<LedgerState> {
    let page = Page::open(entry)?;
    let ids = page.file.ids()?;
    let state = state.unwrap_or_else(|| LedgerState::empty(&ids));
    let LedgerState { ids: known, mut codes, mut holds, names: mut all, .. } = state;
    let (new, names) = page.texts("new")?;
    let places = page.places(&mut all, &names)?;
    let new: Vec<u8> =
        new.into_iter().map(|code| places.get(code as usize).copied().unwrap_or(NO_TIER)).collect();
    let new_holds = page.holds(&mut all, &new)?;
    let mut added = Vec::new();
    for Match { before, after } in matched(&known, &ids)? {
        match (before, after) {
            (Some(before), Some(after)) => (codes[before], holds[before]) = (new[after], new_holds[after]),
            (None, Some(after)) => added.push(after),
            (_, None) => {}
        }
    }
    let kept: Vec<usize> = (0..codes.len()).filter(|&row| codes[row] != NO_TIER).collect();
    let added: Vec<usize> = added.into_iter().filter(|&row| new[row] != NO_TIER).collect();
    let mut codes: Vec<u8> =
        kept.iter().map(|&row| codes[row]).chain(added.iter().map(|&row| new[row])).collect();
    let mut holds: Vec<LedgerHold> =
        kept.iter().map(|&row| holds[row]).chain(added.iter().map(|&row| new_holds[row])).collect();
    let other = || page.damaged("its ids are of another type than those of the files before it".into());
    let ids = known.select(&kept).joined(ids.select(&added)).ok_or_else(other)?;
    // Names that nobody has any more would fill the codes in the end.
    let mut is_used = vec![false; all.len()];
    codes.iter().for_each(|&code| is_used[usize::from(code)] = true);
    holds.iter().filter_map(|hold| hold.held).for_each(|held| is_used[usize::from(held.tier)] = true);
    let names: Vec<String> = (0..all.len()).filter(|&at| is_used[at]).map(|at| all[at].clone()).collect();
    let moved: Vec<u8> =
        (0..all.len()).map(|at| is_used[..at].iter().filter(|&&used| used).count() as u8).collect();
    codes.iter_mut().for_each(|code| *code = moved[usize::from(*code)]);
    holds.iter_mut().filter_map(|hold| hold.held.as_mut()).for_each(|held| {
        held.tier = moved[usize::from(held.tier)];
    });
    Ok(LedgerState { ids, codes, holds, names, policy: page.policy()? })
}
