//! One partition of narrow rows → the statistics of its customers.
//!
//! Nothing has to be sorted but the rows of each customer, and mostly those come in order too. The few customers of whom
//! more has to be known than their rows' words say (rows set aside, perhaps equal, or not narrow) are folded from whole
//! records.

use std::collections::BTreeMap;

use crate::amount::AmountKind;
use crate::customers::blocks::Blocks;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Aside, Rule};
use crate::customers::fold_one::{FoldOne, Who};
use crate::customers::narrow::format::Format;
use crate::customers::narrow::groups::{Groups, each};
use crate::customers::narrow::view::NarrowView;
use crate::customers::record::{amount, when};
use crate::customers::run::Flat;
use crate::customers::statistics::{Floats, Money, Packed, Tally, Units};
use crate::customers::suspects::Suspect;

/// What is counted of a partition, the rows set aside, and the customers with rows that may be equal.
pub(crate) type Counted = (Tally, Vec<Aside>, Vec<Suspect>);

/// Folds the rows of a partition, and the records of those that do not fit.
pub(crate) fn fold_rows<F: Format>(
    format: &F,
    view: NarrowView,
    rows: &Blocks,
    wide: &Blocks,
    rule: &Rule,
    cohorts: Option<&mut CohortTally>,
) -> (Flat, Counted) {
    let part = Part { format, view, rows, wide, rule };
    match rule.shape.amounts {
        AmountKind::Float => part.fold(Floats, cohorts),
        AmountKind::Scaled { scale } => part.fold(Units { scale }, cohorts),
    }
}

/// A partition.
struct Part<'a, F> {
    format: &'a F,
    view: NarrowView,
    rows: &'a Blocks,
    wide: &'a Blocks,
    rule: &'a Rule,
}

/// Sorts the rows of a customer. Returns whether their words say all that has to be known.
#[inline]
fn is_plain(words: &mut [u64], last: u64) -> bool {
    if !words.is_sorted_by(|a, b| a < b) {
        words.sort_unstable();
        if words.windows(2).any(|pair| pair[0] == pair[1]) {
            return false;
        }
    }
    // Whatever comes before the first order, or only after the end of calibration, is set aside.
    words.first().is_some_and(|&first| !NarrowView::is_refund(first) && first <= last)
}

/// Customers who are folded from whole records.
struct Whole<F: Format> {
    /// Of each group one more than its place among the heads; 0 for the others. Empty if there is none.
    of_group: Vec<u32>,
    /// The heads of their rows' records.
    heads: Vec<Vec<u64>>,
    /// Those of customers all of whose rows are wide.
    wide: BTreeMap<F::Id, Vec<u64>>,
    /// Whether all such customers are known.
    is_complete: bool,
}

impl<F: Format> Whole<F> {
    /// Customers with wide rows.
    fn new(part: &Part<'_, F>, groups: &Groups<F>) -> Whole<F> {
        let (of_group, heads, wide) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut whole = Whole { of_group, heads, wide, is_complete: false };
        let layout = part.rule.layout;
        for block in &part.wide.list {
            layout.each(block, |_, record| {
                let (id, key) = part.format.of_record(layout, record);
                let heads = match key.and_then(|key| groups.group(key)) {
                    Some(group) => whole.heads_of(group, groups.len()),
                    None => whole.wide.entry(id).or_default(),
                };
                heads.extend_from_slice(&record[..layout.head()]);
            });
        }
        whole
    }

    fn heads_of(&mut self, group: usize, groups: usize) -> &mut Vec<u64> {
        self.of_group.resize(groups, 0);
        if self.of_group[group] == 0 {
            self.heads.push(Vec::new());
            self.of_group[group] = self.heads.len() as u32;
        }
        &mut self.heads[self.of_group[group] as usize - 1]
    }

    /// The heads of a group's rows, if it is one of them.
    #[inline]
    fn of(&self, group: usize) -> Option<&[u64]> {
        let number = self.of_group.get(group).copied().unwrap_or(0) as usize;
        number.checked_sub(1).map(|at| self.heads[at].as_slice())
    }

    /// Finds all such customers from group `first` on, and the heads of their narrow rows.
    #[cold]
    fn complete(&mut self, part: &Part<'_, F>, groups: &mut Groups<F>, first: usize, last: u64) {
        let len = groups.len();
        for group in first..len {
            let range = groups.range(group);
            if !range.is_empty() && !is_plain(&mut groups.words[range], last) {
                self.heads_of(group, len);
            }
        }
        for (i, (key, number, word)) in each(part.format, part.rows).enumerate() {
            let group = groups.of_row(i, key);
            if self.of(group).is_some() {
                self.heads_of(group, len).extend_from_slice(&part.view.head(0, word, number));
            }
        }
        self.is_complete = true;
    }
}

impl<F: Format> Part<'_, F> {
    fn fold<M: Money>(&self, money: M, mut cohorts: Option<&mut CohortTally>) -> (Flat, Counted) {
        let Part { format, view, rule, .. } = *self;
        let mut groups = Groups::new(format, self.rows);
        let mut whole = Whole::new(self, &groups);
        let last = NarrowView::last_of(rule.scan.end());
        if !whole.heads.is_empty() {
            whole.complete(self, &mut groups, 0, last);
        }
        let customers = (0..groups.len()).filter(|&group| !groups.range(group).is_empty()).count();
        let mut one = FoldOne::new(rule, money, customers + whole.wide.len());
        let mut texts = Vec::new();
        let plain = one.is_plain();
        let mut wide = std::mem::take(&mut whole.wide).into_iter().peekable();
        for group in 0..groups.len() {
            let range = groups.range(group);
            if range.is_empty() {
                continue;
            }
            let key = groups.key(group);
            if wide.peek().is_some() {
                let id = format.id(key);
                while let Some((other, heads)) = wide.next_if(|(other, _)| *other < id) {
                    let who = format.other_customer(&other, &mut texts);
                    self.fold_whole(&mut one, who, &heads, &mut texts, cohorts.as_deref_mut());
                }
            }
            let mut heads = whole.of(group);
            if heads.is_none() && !whole.is_complete && !is_plain(&mut groups.words[range.clone()], last) {
                whole.complete(self, &mut groups, group, last);
                heads = whole.of(group);
            }
            let who = format.customer(key, &mut texts);
            match heads {
                Some(heads) => self.fold_whole(&mut one, who, heads, &mut texts, cohorts.as_deref_mut()),
                None => {
                    let words = &groups.words[range];
                    let all_orders = plain && NarrowView::are_orders(words);
                    one.fold_used(who, words, view, all_orders, cohorts.as_deref_mut());
                }
            }
        }
        for (id, heads) in wide {
            let who = format.other_customer(&id, &mut texts);
            self.fold_whole(&mut one, who, &heads, &mut texts, cohorts.as_deref_mut());
        }
        let FoldOne { tally, aside, suspects, records, .. } = one;
        (Flat { records, texts }, (tally, aside, suspects))
    }

    /// Folds a customer from the heads of its rows' records. `who` is the first word of its record, and its hash; its
    /// text, the last of `texts`, is taken back if there is no record.
    fn fold_whole<M: Money>(
        &self,
        one: &mut FoldOne<'_, M>,
        (first, id_hash): (u64, u64),
        heads: &[u64],
        texts: &mut Vec<u64>,
        cohorts: Option<&mut CohortTally>,
    ) {
        let head = self.rule.layout.head();
        let rows = heads.chunks_exact(head).enumerate();
        let mut rows: Vec<Packed> =
            rows.map(|(i, record)| Packed::new(when(record), amount(record), i as u64)).collect();
        let number = one.records.len() / self.rule.shape.len();
        let who = Who { integer: first, id_hash, number, before: None };
        let record_at = |row: Packed| &heads[row.place() as usize * head..];
        if !one.fold(who, &mut rows, record_at, cohorts) && self.rule.shape.text {
            texts.truncate(first as usize);
        }
    }
}
