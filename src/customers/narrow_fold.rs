//! One partition of narrow rows → the statistics of its customers.
//!
//! Places in a partition are small numbers in the order of the ids, so that mostly no table is needed to find a
//! customer's rows, and nothing has to be sorted but the rows of each customer. The few customers of whom more has to be
//! known than their rows' second words say (rows set aside, perhaps equal, or not narrow) are folded from whole records.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::amount::AmountKind;
use crate::customers::blocks::{Blocks, Pool};
use crate::customers::bucket_sort;
use crate::customers::codes::CodeTable;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule};
use crate::customers::fold_one::{FoldOne, Who};
use crate::customers::narrow::{Narrow, NarrowView, ROW, rows};
use crate::customers::record::{amount, id, when};
use crate::customers::run::{Flat, Run};
use crate::customers::statistics::{Floats, Money, Packed, Units};
use crate::random::hash_integer;

/// Places may be so many times as many as rows, for each to have a counter of its own.
const SPARSE: usize = 4;

/// The rows of a partition.
pub(crate) struct NarrowRows<'a> {
    pub(crate) plan: &'a Narrow,
    /// The keys that have a place in it.
    pub(crate) keys: Range<u64>,
    pub(crate) first_mark: u32,
    pub(crate) rows: Blocks,
    /// Records of the rows that do not fit.
    pub(crate) wide: Blocks,
}

impl NarrowRows<'_> {
    /// Place, number and second word of each row, in the order in which they lie.
    fn each(&self) -> impl Iterator<Item = (u32, u64, u64)> {
        let each = self.rows.list.iter().flat_map(|block| rows(block));
        each.map(|(mark, number, word)| (mark.wrapping_sub(self.first_mark), number, word))
    }
}

/// Folds the rows of a partition, and gives their blocks back.
pub(crate) fn fold_narrow(
    rows: NarrowRows<'_>,
    rule: &Rule,
    pool: &Pool,
    cohorts: Option<&mut CohortTally>,
) -> Folded {
    match rule.shape.amounts {
        AmountKind::Float => fold_as(rows, rule, Floats, pool, cohorts),
        AmountKind::Scaled { scale } => fold_as(rows, rule, Units { scale }, pool, cohorts),
    }
}

/// Rows' second words grouped by customer, the customers in the order of their ids.
struct Groups {
    words: Vec<u64>,
    /// Where the rows of each group end. Groups may be empty.
    ends: Vec<u32>,
    who: Places,
}

/// Which group a place has.
enum Places {
    /// Its own number.
    Dense,
    /// The place of each group, and the groups of the rows in the order in which they lie.
    Sparse { places: Vec<u32>, of_rows: Vec<u32> },
}

impl Groups {
    fn new(rows: &NarrowRows<'_>) -> Groups {
        let span = (rows.keys.end - rows.keys.start) as usize;
        let count = rows.rows.list.iter().map(Vec::len).sum::<usize>() / ROW;
        if span <= SPARSE * count {
            let (words, ends) = gather(rows, count, span, |_, place| place as usize);
            return Groups { words, ends, who: Places::Dense };
        }
        let mut table = CodeTable::with_capacity(count / 4);
        let mut found: Vec<(u64, u32)> = Vec::new();
        let mut of_rows: Vec<u32> = Vec::with_capacity(count);
        for (place, _, _) in rows.each() {
            // The hash is a bijection: equal hashes are equal places.
            let (code, new) = table.code(hash_integer(u64::from(place)), |_| true);
            if new {
                found.push((u64::from(place), code));
            }
            of_rows.push(code);
        }
        bucket_sort::sort(&mut found);
        let mut ranks = vec![0u32; found.len()];
        for (&(_, code), rank) in found.iter().zip(0..) {
            ranks[code as usize] = rank;
        }
        of_rows.iter_mut().for_each(|code| *code = ranks[*code as usize]);
        let (words, ends) = gather(rows, count, found.len(), |row, _| of_rows[row] as usize);
        let places = found.iter().map(|&(place, _)| place as u32).collect();
        Groups { words, ends, who: Places::Sparse { places, of_rows } }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, group: usize) -> Range<usize> {
        let begin = if group == 0 { 0 } else { self.ends[group - 1] as usize };
        begin..self.ends[group] as usize
    }

    /// The place of a group.
    fn place(&self, group: usize) -> u32 {
        match &self.who {
            Places::Dense => group as u32,
            Places::Sparse { places, .. } => places[group],
        }
    }

    /// The group of a place that has rows.
    fn group(&self, place: u32) -> Option<usize> {
        let group = match &self.who {
            Places::Dense => place as usize,
            Places::Sparse { places, .. } => places.binary_search(&place).ok()?,
        };
        (group < self.len() && !self.range(group).is_empty()).then_some(group)
    }

    /// The group of row `row` in the order in which rows lie, whose place is `place`.
    fn of_row(&self, row: usize, place: u32) -> usize {
        match &self.who {
            Places::Dense => place as usize,
            Places::Sparse { of_rows, .. } => of_rows[row] as usize,
        }
    }
}

/// A counting sort by group: the rows' second words, and where those of each group end.
fn gather(
    rows: &NarrowRows<'_>,
    count: usize,
    groups: usize,
    group_of: impl Fn(usize, u32) -> usize,
) -> (Vec<u64>, Vec<u32>) {
    let mut ends = vec![0u32; groups];
    rows.each().enumerate().for_each(|(i, (place, _, _))| ends[group_of(i, place)] += 1);
    let mut sum = 0;
    for end in &mut ends {
        (*end, sum) = (sum, sum + *end);
    }
    // `ends[group]` is where the next row of the group goes, and so where its rows end when all are placed.
    let mut words = vec![0; count];
    rows.each().enumerate().for_each(|(i, (place, _, word))| {
        let end = &mut ends[group_of(i, place)];
        words[*end as usize] = word;
        *end += 1;
    });
    (words, ends)
}

/// Sorts the rows of a customer. Returns whether their second words say all that has to be known.
#[inline]
fn is_plain(words: &mut [u64], last_first_day: u64) -> bool {
    if !words.is_sorted_by(|a, b| a < b) {
        words.sort_unstable();
        if words.windows(2).any(|pair| pair[0] == pair[1]) {
            return false;
        }
    }
    // Whatever comes before the first order, or only after the end of calibration, is set aside.
    words.first().is_some_and(|&first| !NarrowView::is_refund(first) && first <= last_first_day)
}

/// Customers who are folded from whole records.
struct Whole {
    /// Of each group one more than the number of its records; 0 for the others. Empty if there is none.
    of_group: Vec<u32>,
    records: Vec<Vec<u64>>,
    /// Customers all of whose rows are wide, by key.
    wide: BTreeMap<u64, Vec<u64>>,
}

impl Whole {
    /// Customers with wide rows.
    fn new(rows: &NarrowRows<'_>, groups: &Groups, rule: &Rule) -> Whole {
        let mut whole = Whole { of_group: Vec::new(), records: Vec::new(), wide: BTreeMap::new() };
        for block in &rows.wide.list {
            rule.layout.each(block, |_, record| {
                let key = id(record) ^ rows.plan.sign;
                let place = rows.keys.contains(&key).then(|| (key - rows.keys.start) as u32);
                let records = match place.and_then(|place| groups.group(place)) {
                    Some(group) => whole.records_of(group, groups.len()),
                    None => whole.wide.entry(key).or_default(),
                };
                records.extend_from_slice(record);
            });
        }
        whole
    }

    fn records_of(&mut self, group: usize, groups: usize) -> &mut Vec<u64> {
        self.of_group.resize(groups, 0);
        if self.of_group[group] == 0 {
            self.records.push(Vec::new());
            self.of_group[group] = self.records.len() as u32;
        }
        &mut self.records[self.of_group[group] as usize - 1]
    }

    fn is(&self, group: usize) -> bool {
        self.of_group.get(group).is_some_and(|&number| number > 0)
    }

    /// Appends the narrow rows of the groups.
    fn gather(&mut self, rows: &NarrowRows<'_>, groups: &Groups) {
        let view = rows.plan.view();
        for (i, (place, number, word)) in rows.each().enumerate() {
            let group = groups.of_row(i, place);
            if self.is(group) {
                let id = (rows.keys.start + u64::from(place)) ^ rows.plan.sign;
                let head = view.head(id, word, number);
                self.records_of(group, groups.len()).extend_from_slice(&head);
            }
        }
    }
}

fn fold_as<M: Money>(
    rows: NarrowRows<'_>,
    rule: &Rule,
    money: M,
    pool: &Pool,
    mut cohorts: Option<&mut CohortTally>,
) -> Folded {
    let mut groups = Groups::new(&rows);
    let mut whole = Whole::new(&rows, &groups, rule);
    let view = rows.plan.view();
    let last_first_day = NarrowView::last_of(rule.scan.end());
    let mut is_gathered = false;
    if !whole.records.is_empty() {
        gather_rest(&mut groups, &mut whole, &rows, 0, last_first_day);
        is_gathered = true;
    }

    let customers = (0..groups.len()).filter(|&group| !groups.range(group).is_empty()).count();
    let mut one = FoldOne::new(rule, money, customers + whole.wide.len());
    let (width, plain) = (rule.shape.len(), one.is_plain());
    let mut packed = Vec::new();
    let mut fold_whole =
        |one: &mut FoldOne<'_, M>, key: u64, records: &[u64], cohorts: Option<&mut CohortTally>| {
            packed.clear();
            let each = records.chunks_exact(rule.layout.head()).enumerate();
            packed.extend(each.map(|(i, record)| Packed::new(when(record), amount(record), i as u64)));
            let integer = key ^ rows.plan.sign;
            let number = one.records.len() / width;
            let who = Who { integer, id_hash: hash_integer(integer), number, before: None };
            one.fold(who, &mut packed, |row| &records[row.place() as usize * rule.layout.head()..], cohorts);
        };
    let mut wide = std::mem::take(&mut whole.wide).into_iter().peekable();
    for group in 0..groups.len() {
        let range = groups.range(group);
        if range.is_empty() {
            continue;
        }
        let key = rows.keys.start + u64::from(groups.place(group));
        while let Some((key, records)) = wide.next_if(|&(other, _)| other < key) {
            fold_whole(&mut one, key, &records, cohorts.as_deref_mut());
        }
        if !whole.is(group) {
            if is_gathered || is_plain(&mut groups.words[range.clone()], last_first_day) {
                let words = &groups.words[range];
                let all_orders = plain && NarrowView::are_orders(words);
                one.fold_used(key ^ rows.plan.sign, words, view, all_orders, cohorts.as_deref_mut());
                continue;
            }
            gather_rest(&mut groups, &mut whole, &rows, group, last_first_day);
            is_gathered = true;
        }
        let records = &whole.records[whole.of_group[group] as usize - 1];
        fold_whole(&mut one, key, records, cohorts.as_deref_mut());
    }
    for (key, records) in wide {
        fold_whole(&mut one, key, &records, cohorts.as_deref_mut());
    }
    let FoldOne { tally, aside, suspects, records, .. } = one;
    pool.give(rows.rows.list.into_iter().chain(rows.wide.list));
    Folded { run: Run::new(rule.shape, Flat { records, texts: Vec::new() }, pool), tally, aside, suspects }
}

/// Finds all customers from group `first` on who have to be folded from whole records, and their records.
#[cold]
fn gather_rest(
    groups: &mut Groups,
    whole: &mut Whole,
    rows: &NarrowRows<'_>,
    first: usize,
    last_first_day: u64,
) {
    let len = groups.len();
    for group in first..len {
        let range = groups.range(group);
        if !range.is_empty() && !is_plain(&mut groups.words[range], last_first_day) {
            whole.records_of(group, len);
        }
    }
    whole.gather(rows, groups);
}
