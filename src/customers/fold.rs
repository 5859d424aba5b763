//! One partition → the statistics of its customers: codes, a counting sort, a small sort per customer, one scan each.

use crate::amount::AmountKind;
use crate::calendar::Window;
use crate::customers::blocks::{BLOCK_BITS, Blocks, Pool};
use crate::customers::codes::CodeTable;
use crate::customers::cohorts::{CohortRule, CohortTally};
use crate::customers::record::{Layout, amount, compare, id, when};
use crate::customers::run::{Flat, Run, Shape};
use crate::customers::statistics::{Customer, Floats, Money, Packed, Statistics, Tally, Units};
use crate::customers::suspects::{Suspect, suspects};
use crate::history::event::amount_text;
use crate::history::{IdKind, Reason};
use crate::random::hash_integer;

/// What a fold has to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) window: Window,
    pub(crate) amounts: AmountKind,
    pub(crate) layout: Layout,
    pub(crate) shape: Shape,
    /// Keep all rows of customers who may have duplicates, so that they can be scanned again without them.
    pub(crate) drop_duplicates: bool,
    /// How cohorts are counted, if they are.
    pub(crate) cohorts: Option<CohortRule>,
}

impl Rule {
    /// The shape of customers with ids of that kind.
    pub(crate) fn shape(ids: IdKind, window: Window) -> Shape {
        Shape {
            text: ids.is_text(),
            signed: matches!(ids, IdKind::Signed { .. }),
            holdout: window.has_holdout(),
        }
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

/// Folds the rows of a partition, and gives their blocks back. Cohorts are counted where there is a tally for them.
pub(crate) fn fold(rows: Blocks, rule: &Rule, pool: &Pool, cohorts: Option<&mut CohortTally>) -> Folded {
    match rule.amounts {
        AmountKind::Float => fold_as(rows, rule, Floats, pool, cohorts),
        AmountKind::Scaled { scale } => fold_as(rows, rule, Units { scale }, pool, cohorts),
    }
}

/// The rows of a partition grouped by customer.
struct Grouped {
    packed: Vec<Packed>,
    /// Where the rows of each code end.
    ends: Vec<usize>,
    /// The id of each code, or the address of a row that has it.
    ids: Vec<u64>,
    codes: CodeTable,
}

fn group(rows: &Blocks, layout: Layout) -> Grouped {
    let count = rows.list.iter().map(Vec::len).sum::<usize>() / layout.head();
    let mut codes: Vec<u32> = Vec::with_capacity(count);
    let mut ids: Vec<u64> = Vec::new();
    let mut table = CodeTable::with_capacity(count / 8);
    for (number, block) in rows.list.iter().enumerate() {
        layout.each(block, |at, record| {
            let (code, new) = if layout.text {
                let same = |code: u32| {
                    let other = rows.at(ids[code as usize]);
                    other[0] == id(record) && layout.text(other) == layout.text(record)
                };
                // The low bits are the text's length.
                table.code(id(record).rotate_right(16), same)
            } else {
                // The hash of integers is a bijection: equal hashes are equal ids.
                table.code(hash_integer(id(record)), |_| true)
            };
            if new {
                ids.push(if layout.text { (number as u64) << BLOCK_BITS | at as u64 } else { id(record) });
            }
            codes.push(code);
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
            packed[*slot] =
                Packed::new(when(record), amount(record), (number as u64) << BLOCK_BITS | at as u64);
            *slot += 1;
        });
    }
    ends.pop();
    Grouped { packed, ends, ids, codes: table }
}

fn fold_as<M: Money>(
    rows: Blocks,
    rule: &Rule,
    money: M,
    pool: &Pool,
    mut cohorts: Option<&mut CohortTally>,
) -> Folded {
    let layout = rule.layout;
    let Grouped { mut packed, ends, ids, codes } = group(&rows, layout);
    let mut found: Vec<(u32, Statistics)> = Vec::with_capacity(ids.len());
    let (mut tally, mut aside, mut suspected) = (Tally::default(), Vec::new(), Vec::new());
    let mut scratch = Vec::new();
    let mut begin = 0;
    for code in 0..ids.len() {
        let own = &mut packed[begin..ends[code]];
        begin = ends[code];
        own.sort_unstable();
        let id_hash = codes.hash(code);
        let extras_of = |row: Packed| layout.extras(rows.at(row.place()));
        let customer = Customer { id_hash, rows: own, extras: layout.extras, extras_of };
        let statistics = customer.scan(
            money,
            rule.window,
            &mut scratch,
            &mut tally,
            cohorts.as_deref_mut(),
            |row, reason| {
                let value = match reason {
                    Reason::NewInHoldout => row.day().to_string(),
                    _ => amount_text(row.amount(), rule.amounts),
                };
                aside.push(Aside { row: when(rows.at(row.place())).row(), reason, value });
            },
        );
        let Some(statistics) = statistics else { continue };
        if own.windows(2).any(|pair| pair[0].may_equal(pair[1])) {
            // Refunds before the first order are not used, and so are not compared.
            let used = own.iter().copied().skip_while(|row| row.day() < statistics.first_order);
            let record_of = |row: Packed| &rows.at(row.place())[..layout.head()];
            suspected.extend(suspects(used, rule.drop_duplicates, record_of).map(|rows| Suspect {
                customer: code,
                id_hash,
                rows,
            }));
        }
        found.push((code as u32, statistics));
    }
    drop(packed);

    if layout.text {
        let text = |code: u32| {
            let record = rows.at(ids[code as usize]);
            (id(record), layout.text(record))
        };
        found.sort_unstable_by(|a, b| compare(text(a.0), text(b.0)));
    } else {
        found.sort_unstable_by_key(|&(code, _)| rule.shape.sortable(ids[code as usize]));
    }
    let mut flat = Flat { records: Vec::with_capacity(found.len() * rule.shape.len()), texts: Vec::new() };
    for (code, statistics) in &found {
        let mut own = ids[*code as usize];
        if layout.text {
            let record = rows.at(own);
            own = flat.texts.len() as u64;
            flat.texts.push(id(record));
            flat.texts.extend_from_slice(layout.text(record));
        }
        rule.shape.encode(own, statistics, &mut flat.records);
    }
    if !suspected.is_empty() {
        // Customers are known by their places from now on.
        let mut places = vec![0; ids.len()];
        found.iter().enumerate().for_each(|(place, &(code, _))| places[code as usize] = place);
        suspected.iter_mut().for_each(|suspect| suspect.customer = places[suspect.customer]);
        suspected.sort_by_key(|suspect| suspect.customer);
    }
    pool.give(rows.list);
    Folded { run: Run::new(rule.shape, flat, pool), tally, aside, suspects: suspected }
}
