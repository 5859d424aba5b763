//! One partition → the statistics of its customers: codes, a counting sort, a small sort per customer, one scan each.

use crate::amount::AmountKind;
use crate::customers::blocks::{BLOCK_BITS, Blocks, Pool};
use crate::customers::bucket_sort;
use crate::customers::codes::CodeTable;
use crate::customers::cohorts::{CohortRule, CohortTally};
use crate::customers::fold_one::{FoldOne, Who};
use crate::customers::record::{Layout, amount, compare, id, when};
use crate::customers::run::{Flat, Run};
use crate::customers::scan::ScanRule;
use crate::customers::shape::Shape;
use crate::customers::statistics::{Floats, Money, Packed, Tally, Units};
use crate::customers::suspects::Suspect;
use crate::history::Reason;
use crate::random::hash_integer;

/// What a fold has to know.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) scan: ScanRule,
    pub(crate) layout: Layout,
    pub(crate) shape: Shape,
    /// Keep all rows of customers who may have duplicates, so that they can be scanned again without them.
    pub(crate) drop_duplicates: bool,
    /// How cohorts are counted, if they are.
    pub(crate) cohorts: Option<CohortRule>,
}

impl Rule {
    /// How customers known before are laid out among the rows of a store: a record of an account, then the text.
    pub(crate) fn before(&self) -> Layout {
        Layout::of_head(self.layout.text, self.shape.len())
    }
}

/// A row that the fold set aside.
#[derive(Debug)]
pub(crate) struct Aside {
    /// Its number in the history.
    pub(crate) row: u64,
    pub(crate) reason: Reason,
    pub(crate) value: String,
}

/// A folded partition.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) run: Run,
    pub(crate) tally: Tally,
    pub(crate) aside: Vec<Aside>,
    pub(crate) suspects: Vec<Suspect>,
}

/// Folds the rows of a partition and what was known of its customers before, and gives their blocks back. Cohorts are
/// counted where there is a tally for them.
pub(crate) fn fold(
    rows: Blocks,
    before: Blocks,
    rule: &Rule,
    pool: &Pool,
    cohorts: Option<&mut CohortTally>,
) -> Folded {
    match rule.shape.amounts {
        AmountKind::Float => fold_as(rows, before, rule, Floats, pool, cohorts),
        AmountKind::Scaled { scale } => fold_as(rows, before, rule, Units { scale }, pool, cohorts),
    }
}

/// Where a customer's id is.
#[derive(Debug, Clone, Copy)]
enum Id {
    Integer(u64),
    /// In the row at this address.
    Row(u64),
    /// In the record at this address of what was known before.
    Before(u64),
}

/// The rows of a partition grouped by customer.
struct Grouped {
    packed: Vec<Packed>,
    /// Where the rows of each code end.
    ends: Vec<usize>,
    /// The id of each code.
    ids: Vec<Id>,
    codes: CodeTable,
    /// Of each code the address of what was known before; empty if nothing was of anybody.
    known: Vec<Option<u64>>,
}

/// The hash of a customer from the first word of its rows' records.
#[inline]
pub(crate) fn id_hash(layout: Layout, first: u64) -> u64 {
    // The low bits of a text's word are its length.
    if layout.text { first.rotate_right(16) } else { hash_integer(first) }
}

fn group(rows: &Blocks, before: &Blocks, rule: &Rule) -> Grouped {
    let (layout, old) = (rule.layout, rule.before());
    let count = rows.list.iter().map(Vec::len).sum::<usize>() / layout.head();
    let mut codes: Vec<u32> = Vec::with_capacity(count);
    let mut ids: Vec<Id> = Vec::new();
    let mut table = CodeTable::with_capacity(count / 8);
    let address = |block: usize, at: usize| (block as u64) << BLOCK_BITS | at as u64;
    let mut code_of = |ids: &[Id], record: &[u64], layout: Layout| {
        if !layout.text {
            // The hash of integers is a bijection: equal hashes are equal ids.
            return table.code(id_hash(layout, id(record)), |_| true);
        }
        let same = |code: u32| {
            let (other, its) = match ids[code as usize] {
                Id::Row(at) => (rows.at(at), rule.layout),
                Id::Before(at) => (before.at(at), old),
                Id::Integer(_) => return false,
            };
            other[0] == id(record) && its.text(other) == layout.text(record)
        };
        table.code(id_hash(layout, id(record)), same)
    };
    for (number, block) in rows.list.iter().enumerate() {
        layout.each(block, |at, record| {
            let (code, new) = code_of(&ids, record, layout);
            if new {
                ids.push(if layout.text { Id::Row(address(number, at)) } else { Id::Integer(id(record)) });
            }
            codes.push(code);
        });
    }
    let mut known: Vec<Option<u64>> = Vec::new();
    for (number, block) in before.list.iter().enumerate() {
        old.each(block, |at, record| {
            let (code, new) = code_of(&ids, record, old);
            if new {
                ids.push(if old.text { Id::Before(address(number, at)) } else { Id::Integer(id(record)) });
            }
            known.resize(ids.len(), None);
            known[code as usize] = Some(address(number, at));
        });
    }
    let mut ends = vec![0usize; ids.len() + 1];
    for &code in &codes {
        ends[code as usize + 1] += 1;
    }
    for i in 1..ends.len() {
        ends[i] += ends[i - 1];
    }
    // `ends[code]` is where the next row of `code` goes, and so where its rows end when all are placed.
    let mut packed = vec![Packed::default(); codes.len()];
    let mut codes = codes.into_iter();
    for (number, block) in rows.list.iter().enumerate() {
        layout.each(block, |at, record| {
            let slot = &mut ends[codes.next().expect("a code a row") as usize];
            packed[*slot] = Packed::new(when(record), amount(record), address(number, at));
            *slot += 1;
        });
    }
    ends.pop();
    Grouped { packed, ends, ids, codes: table, known }
}

fn fold_as<M: Money>(
    rows: Blocks,
    before: Blocks,
    rule: &Rule,
    money: M,
    pool: &Pool,
    mut cohorts: Option<&mut CohortTally>,
) -> Folded {
    let layout = rule.layout;
    let Grouped { mut packed, ends, ids, codes, known } = group(&rows, &before, rule);
    // The text of a code's customer, from a row or from what was known before.
    let text = |code: u32| match ids[code as usize] {
        Id::Row(address) => {
            let record = rows.at(address);
            (id(record), layout.text(record))
        }
        Id::Before(address) => {
            let record = before.at(address);
            (id(record), rule.before().text(record))
        }
        Id::Integer(_) => (0, &[][..]),
    };
    let record_before = |address: u64| &before.at(address)[..rule.shape.len()];

    let width = rule.shape.len();
    let mut found: Vec<u32> = Vec::with_capacity(ids.len());
    let mut one = FoldOne::new(rule, money, ids.len());
    let mut begin = 0;
    for code in 0..ids.len() {
        let own = &mut packed[begin..ends[code]];
        begin = ends[code];
        let known = known.get(code).copied().flatten();
        let who = Who {
            integer: if let Id::Integer(id) = ids[code] { id } else { 0 },
            id_hash: codes.hash(code),
            number: code,
            before: known.map(record_before),
        };
        if one.fold(who, own, |row| rows.at(row.place()), cohorts.as_deref_mut()) {
            found.push(code as u32);
        }
    }
    let FoldOne { tally, aside, suspects: mut suspected, records, .. } = one;
    drop(packed);

    let mut order: Vec<u32> = (0..found.len() as u32).collect();
    if layout.text {
        order.sort_unstable_by(|&a, &b| compare(text(found[a as usize]), text(found[b as usize])));
    } else {
        // Keys lie beside the places, so that sorting looks nothing up.
        let key = |place: u32| rule.shape.sortable(records[place as usize * width]);
        let mut keyed: Vec<(u64, u32)> = order.iter().map(|&place| (key(place), place)).collect();
        bucket_sort::sort(&mut keyed);
        order = keyed.into_iter().map(|(_, place)| place).collect();
    }
    let mut flat = Flat { records: Vec::with_capacity(records.len()), texts: Vec::new() };
    for &place in &order {
        let at = flat.records.len();
        flat.records.extend_from_slice(&records[place as usize * width..(place as usize + 1) * width]);
        if layout.text {
            let (first, words) = text(found[place as usize]);
            flat.records[at] = flat.texts.len() as u64;
            flat.texts.push(first);
            flat.texts.extend_from_slice(words);
        }
    }
    if !suspected.is_empty() {
        // Customers are known by their places from now on.
        let mut places = vec![0; ids.len()];
        for (place, &at) in order.iter().enumerate() {
            places[found[at as usize] as usize] = place;
        }
        suspected.iter_mut().for_each(|suspect| suspect.customer = places[suspect.customer]);
        suspected.sort_by_key(|suspect| suspect.customer);
    }
    pool.give(rows.list.into_iter().chain(before.list));
    Folded { run: Run::new(rule.shape, flat, pool), tally, aside, suspects: suspected }
}
