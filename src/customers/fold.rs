//! One partition → the statistics of its customers: codes, a counting sort, a small sort per customer, one scan each.

use crate::amount::AmountKind;
use crate::calendar::Window;
use crate::customers::partition::{Chunk, CodeTable, TextTable};
use crate::customers::statistics::{Customer, Floats, Money, Packed, Statistics, Tally, Units};
use crate::history::event::amount_text;
use crate::history::{IdKind, Reason};
use crate::random::hash_integer;

/// What a fold has to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) window: Window,
    pub(crate) amounts: AmountKind,
    pub(crate) ids: IdKind,
    pub(crate) has_orders: bool,
    /// Keep all rows of customers who may have duplicates, so that they can be scanned again without them.
    pub(crate) drop_duplicates: bool,
}

/// A row that the fold set aside.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) task: u32,
    pub(crate) row: u32,
    pub(crate) reason: Reason,
    pub(crate) value: String,
}

/// A customer some of whose rows may be equal in every column.
#[derive(Debug)]
pub(crate) struct Suspect {
    /// Index into [`Folded::customers`].
    pub(crate) customer: usize,
    pub(crate) id_hash: u64,
    /// Its rows, in canonical order: all if duplicates are dropped, else only those of a group.
    pub(crate) rows: Vec<SuspectRow>,
}

/// A row of a [`Suspect`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct SuspectRow {
    pub(crate) packed: Packed,
    pub(crate) order: u64,
    pub(crate) task: u32,
    pub(crate) row: u32,
    /// Rows of one customer with the same number may be equal; `None` for rows that equal no other.
    pub(crate) group: Option<u32>,
}

/// A folded partition.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) customers: Vec<Statistics>,
    /// The texts of ids, by code.
    pub(crate) texts: TextTable,
    pub(crate) tally: Tally,
    pub(crate) aside: Vec<Aside>,
    pub(crate) suspects: Vec<Suspect>,
}

/// Folds a partition given as its chunks with their tasks, in the order of the tasks.
pub(crate) fn fold(chunks: Vec<(u32, Chunk)>, rule: &Rule) -> Folded {
    match rule.amounts {
        AmountKind::Float => fold_as(chunks, rule, Floats),
        AmountKind::Scaled { scale } => fold_as(chunks, rule, Units { scale }),
    }
}

/// The rows of a partition grouped by customer.
struct Grouped {
    packed: Vec<Packed>,
    /// Where the rows of each code end.
    ends: Vec<usize>,
    /// Id (or text code) of each code.
    ids: Vec<u64>,
    texts: TextTable,
}

fn group(chunks: &mut [(u32, Chunk)], kind: IdKind) -> Grouped {
    let rows: usize = chunks.iter().map(|(_, chunk)| chunk.rows.len()).sum();
    let mut texts = TextTable::default();
    let mut codes: Vec<u32> = Vec::with_capacity(rows);
    let mut ids: Vec<u64> = Vec::new();
    if kind.is_text() {
        texts = TextTable::with_capacity(rows / 8);
        for (_, chunk) in chunks.iter_mut() {
            let local = std::mem::take(&mut chunk.texts);
            let map: Vec<u32> = (0..local.len()).map(|i| texts.code(local.text(i), local.hash(i))).collect();
            codes.extend(chunk.rows.iter().map(|row| map[row.id as usize]));
        }
        ids.extend(0..texts.len() as u64);
    } else {
        let mut table = CodeTable::with_capacity(rows / 8);
        for (_, chunk) in chunks.iter() {
            for row in &chunk.rows {
                // The hash of integers is a bijection: equal hashes are equal ids.
                let (code, new) = table.code(hash_integer(row.id), |_| true);
                if new {
                    ids.push(row.id);
                }
                codes.push(code);
            }
        }
    }
    let mut ends = vec![0usize; ids.len() + 1];
    for &code in &codes {
        ends[code as usize + 1] += 1;
    }
    for i in 1..ends.len() {
        ends[i] += ends[i - 1];
    }
    // `ends[code]` is where the next row of `code` goes, and so where its rows end when all are placed.
    let mut packed = vec![Packed::default(); rows];
    let mut place = 0u32;
    for (_, chunk) in chunks.iter() {
        for row in &chunk.rows {
            let slot = &mut ends[codes[place as usize] as usize];
            packed[*slot] = Packed::new(row.when, row.amount, place);
            *slot += 1;
            place += 1;
        }
    }
    ends.pop();
    Grouped { packed, ends, ids, texts }
}

fn fold_as<M: Money>(mut chunks: Vec<(u32, Chunk)>, rule: &Rule, money: M) -> Folded {
    let Grouped { mut packed, ends, ids, texts } = group(&mut chunks, rule.ids);
    let orders: Option<Vec<u64>> =
        rule.has_orders.then(|| chunks.iter().flat_map(|(_, chunk)| chunk.orders.iter().copied()).collect());
    let mut starts: Vec<usize> = Vec::with_capacity(chunks.len());
    let mut total = 0;
    for (_, chunk) in &chunks {
        starts.push(total);
        total += chunk.rows.len();
    }
    let origin = |row: Packed| {
        let chunk = starts.partition_point(|&start| start <= row.place()) - 1;
        let (task, chunk_rows) = &chunks[chunk];
        (*task, chunk_rows.rows[row.place() - starts[chunk]].row)
    };

    let mut out = Folded { customers: Vec::with_capacity(ids.len()), ..Folded::default() };
    let mut scratch = Vec::new();
    let mut begin = 0;
    for (code, &id) in ids.iter().enumerate() {
        let rows = &mut packed[begin..ends[code]];
        begin = ends[code];
        rows.sort_unstable();
        let id_hash = if rule.ids.is_text() { texts.hash(code) } else { hash_integer(id) };
        let customer = Customer { id, id_hash, rows, orders: orders.as_deref() };
        let aside = &mut out.aside;
        let found = customer.scan(money, rule.window, &mut scratch, &mut out.tally, |row, reason| {
            let (task, place) = origin(row);
            let value = match reason {
                Reason::NewInHoldout => row.day().to_string(),
                _ => amount_text(row.amount(), rule.amounts),
            };
            aside.push(Aside { task, row: place, reason, value });
        });
        let Some(statistics) = found else { continue };
        if rows.windows(2).any(|pair| pair[0].may_equal(pair[1])) {
            let order = |row: Packed| orders.as_ref().map_or(0, |orders| orders[row.place()]);
            // Refunds before the first order are not used, and so are not compared.
            let used: Vec<Packed> =
                rows.iter().copied().skip_while(|row| row.day() < statistics.first_order).collect();
            let rows = suspects(&used, rule.drop_duplicates, |row| {
                let (task, place) = origin(row);
                SuspectRow { packed: row, order: order(row), task, row: place, group: None }
            });
            if !rows.is_empty() {
                out.suspects.push(Suspect { customer: out.customers.len(), id_hash, rows });
            }
        }
        out.customers.push(statistics);
    }
    out.texts = texts;
    out
}

/// The rows that may equal another one, numbered by group; with `all` the others too.
fn suspects(rows: &[Packed], all: bool, row_of: impl Fn(Packed) -> SuspectRow) -> Vec<SuspectRow> {
    let mut out = Vec::new();
    let mut groups = 0;
    for run in rows.chunk_by(|a, b| a.may_equal(*b)) {
        let group = (run.len() > 1).then_some(groups);
        groups += u32::from(group.is_some());
        if group.is_some() || all {
            out.extend(run.iter().map(|&row| SuspectRow { group, ..row_of(row) }));
        }
    }
    if groups == 0 { Vec::new() } else { out }
}

/// Scans a suspect again without some of its rows, and corrects the partition's figures.
pub(crate) fn rescan(folded: &mut Folded, suspect: &Suspect, dropped: &[bool], rule: &Rule) {
    let scan = |keep: &dyn Fn(usize) -> bool| {
        let kept: Vec<&SuspectRow> =
            suspect.rows.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, row)| row).collect();
        // Places are renumbered, so that orders can be found by them; canonical order stays as it is.
        let rows: Vec<Packed> =
            kept.iter().enumerate().map(|(i, row)| row.packed.at_place(i as u32)).collect();
        let orders: Vec<u64> = kept.iter().map(|row| row.order).collect();
        let customer = Customer {
            id: folded.customers[suspect.customer].id,
            id_hash: suspect.id_hash,
            rows: &rows,
            orders: rule.has_orders.then_some(orders.as_slice()),
        };
        let (mut scratch, mut tally) = (Vec::new(), Tally::default());
        let found = match rule.amounts {
            AmountKind::Float => customer.scan(Floats, rule.window, &mut scratch, &mut tally, |_, _| {}),
            AmountKind::Scaled { scale } => {
                customer.scan(Units { scale }, rule.window, &mut scratch, &mut tally, |_, _| {})
            }
        };
        (found, tally)
    };
    let (_, before) = scan(&|_| true);
    let (after, tally) = scan(&|i| !dropped[i]);
    folded.tally.subtract(&before);
    folded.tally.add(&tally);
    // The first copy of a row stays, so that the customer keeps its first order.
    if let Some(after) = after {
        folded.customers[suspect.customer] = after;
    }
}
