//! Rows that may be exact duplicates: what the fold keeps of them, and the scan without those that are.

use crate::amount::AmountKind;
use crate::customers::account::Account;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule};
use crate::customers::record::{Layout, amount, when};
use crate::customers::scan::{Counts, Customer, PackedView};
use crate::customers::spill::Spill;
use crate::customers::statistics::{Floats, Money, Packed, Tally, Units};
use crate::error::Result;

/// A customer some of whose rows may be equal in every column.
#[derive(Debug)]
pub(crate) struct Suspect {
    /// Its place in [`Folded::run`].
    pub(crate) customer: usize,
    pub(crate) id_hash: u64,
    /// The record of what was known of it before these rows.
    pub(crate) before: Option<Vec<u64>>,
    pub(crate) rows: SuspectRows,
}

/// The rows of a [`Suspect`] in canonical order: all if duplicates are dropped, else only those that may be equal.
#[derive(Debug, Default)]
pub(crate) struct SuspectRows {
    /// The heads of their records, one after the other.
    pub(crate) heads: Vec<u64>,
    /// Rows of one customer with the same number may be equal; `None` for rows that equal no other.
    pub(crate) groups: Vec<Option<u32>>,
}

impl SuspectRows {
    /// The number in the history of each row.
    pub(crate) fn numbers(&self, layout: Layout) -> impl Iterator<Item = u64> {
        self.heads.chunks_exact(layout.head()).map(|record| when(record).row())
    }
}

/// Of a customer's rows, sorted, those that may equal another one, numbered by group; with `all` the others too.
pub(crate) fn suspects<'a>(
    rows: impl Iterator<Item = Packed>,
    all: bool,
    record_of: impl Fn(Packed) -> &'a [u64],
) -> Option<SuspectRows> {
    let rows: Vec<Packed> = rows.collect();
    let mut out = SuspectRows::default();
    let mut groups = 0;
    for run in rows.chunk_by(|a, b| a.may_equal(*b)) {
        let group = (run.len() > 1).then_some(groups);
        groups += u32::from(group.is_some());
        if group.is_some() || all {
            for &row in run {
                out.heads.extend_from_slice(record_of(row));
                out.groups.push(group);
            }
        }
    }
    (groups > 0).then_some(out)
}

/// Scans a suspect again without some of its rows, and corrects the partition's figures and the cohorts'.
pub(crate) fn rescan(
    folded: &mut Folded,
    suspect: &Suspect,
    dropped: &[bool],
    rule: &Rule,
    spill: &Spill,
    cohorts: Option<&mut CohortTally>,
) -> Result<()> {
    let mut record = match rule.shape.amounts {
        AmountKind::Float => recount(folded, suspect, dropped, rule, Floats, cohorts),
        AmountKind::Scaled { scale } => recount(folded, suspect, dropped, rule, Units { scale }, cohorts),
    };
    folded.run.replace(suspect.customer, &mut record, spill)
}

/// The record of a suspect without the rows that are dropped; what was counted of them is taken back.
fn recount<M: Money>(
    folded: &mut Folded,
    suspect: &Suspect,
    dropped: &[bool],
    rule: &Rule,
    money: M,
    mut cohorts: Option<&mut CohortTally>,
) -> Vec<u64> {
    let layout = rule.layout;
    let records: Vec<&[u64]> = suspect.rows.heads.chunks_exact(layout.head()).collect();
    let mut scan = |keep: &dyn Fn(usize) -> bool, back: bool| {
        let rows: Vec<Packed> = (0..records.len())
            .filter(|&i| keep(i))
            .map(|i| Packed::new(when(records[i]), amount(records[i]), i as u64))
            .collect();
        let extras_of = |row: Packed| layout.extras(records[row.place() as usize]);
        let customer = Customer { id_hash: suspect.id_hash, rows: &rows, view: PackedView(extras_of) };
        let (mut account, mut tally, mut cohorts) =
            (Account::default(), Tally::default(), cohorts.as_deref_mut());
        match &suspect.before {
            Some(record) => account = rule.shape.account(record, money),
            None => rule.scan.clear(&mut account),
        }
        if let Some(cohorts) = &mut cohorts {
            cohorts.take_back(back);
        }
        let mut counts = Counts { tally: &mut tally, cohorts, scratch: &mut Vec::new() };
        customer.scan(money, &rule.scan, &mut account, &mut counts, |_, _| {});
        (account, tally)
    };
    let (_, before) = scan(&|_| true, true);
    // The first copy of a row stays, so that the customer keeps its first order.
    let (after, tally) = scan(&|i| !dropped[i], false);
    folded.tally.subtract(&before);
    folded.tally.add(&tally);
    let mut record = Vec::with_capacity(rule.shape.len());
    rule.shape.encode(0, &after, money, &rule.scan, &mut record);
    record
}
