//! Rows in few words, for the histories that most companies have: ids are integers not too far apart or UUIDs, amounts
//! are money of a few decimals, and there is nothing else.
//!
//! What tells the customer and the row's number comes first ([`mod@format`]), then a word that sorts like day, amount and
//! check ([`view`]). Partitions are ranges of ids. What does not fit is kept as it is, in a store of its own.

mod fold;
mod format;
mod groups;
mod scatter;
mod short;
mod view;

use crate::customers::blocks::Blocks;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::Rule;
use crate::customers::narrow::fold::{Counted, fold_rows};
use crate::customers::narrow::format::{Format, Integers, Uuids};
use crate::customers::narrow::short::Short;
use crate::customers::narrow::view::NarrowView;
use crate::customers::ranges::Ranges;
use crate::customers::record::{pack_uuid, uuid_text};
use crate::customers::run::Flat;
use crate::history::event::Event;
use crate::history::{History, Sink, TextId};

pub(crate) use scatter::NarrowScatter;

/// Places in a history at which its rows are looked at first.
const POINTS: u64 = if cfg!(test) { 3 } else { 8 };
/// Rows that are looked at, at each.
const ROWS: u64 = if cfg!(test) { 8 } else { 2048 };
/// If more than one id in so many is no UUID, none is tried.
const FEW: usize = 16;

/// How the rows of a history are made narrow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Narrow {
    ranges: Ranges,
    short: Short,
    ids: NarrowIds,
}

/// What ids are.
#[derive(Debug, Clone, PartialEq)]
enum NarrowIds {
    /// Integers; of signed ones the sign bit, so that keys sort like ids.
    Integers { sign: u64 },
    /// UUIDs, and the least of each partition but the first.
    Uuids { least: Vec<[u8; 36]> },
}

/// Ids and amounts of some rows.
#[derive(Debug, Default)]
struct Sample {
    ids: Vec<u64>,
    amounts: Vec<u64>,
    /// Texts that are no UUIDs.
    others: usize,
}

impl Sink for Sample {
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.ids.push(id);
        self.amounts.push(event.amount);
    }

    fn text(&mut self, id: TextId<'_>, event: Event<'_>) {
        self.amounts.push(event.amount);
        match pack_uuid(id.bytes) {
            Some([high, _]) => self.ids.push(uuid_key(high)),
            None => self.others += 1,
        }
    }
}

/// The key of a UUID's first half: ranges need room above the greatest.
#[inline]
fn uuid_key(high: u64) -> u64 {
    high >> 1
}

impl Narrow {
    /// How the rows of `history` are made narrow in `partitions` partitions; `None` if few would be.
    ///
    /// No figure depends on it. A history that cannot be read is none that could be made narrow: the error shows when
    /// it is read in earnest.
    pub(crate) fn plan(history: &History, partitions: usize) -> Option<Narrow> {
        if history.extras().words() > 0 || history.rows() > u64::from(u32::MAX) {
            return None;
        }
        let samples: Vec<Sample> = history.sample(POINTS, ROWS).ok()?;
        let amounts: Vec<u64> = samples.iter().flat_map(|sample| sample.amounts.iter().copied()).collect();
        let short = Short::of(&amounts, history.amounts())?;
        let ids = samples.iter().flat_map(|sample| sample.ids.iter().copied());
        if history.ids().is_text() {
            if samples.iter().map(|sample| sample.others).sum::<usize>() * FEW > amounts.len() {
                return None;
            }
            let keys: Vec<u64> = ids.collect();
            let half = |text: &[u8]| pack_uuid(text).map(|[high, _]| uuid_key(high));
            let bounds =
                history.text_bounds().and_then(|(least, greatest)| half(&least).zip(half(&greatest)));
            let ranges = Ranges::new(&keys, bounds, partitions, u64::BITS)?;
            // No UUID has a key from 2⁶³ on: partitions that begin there are after all.
            let least = |key: u64| if key >> 63 == 0 { uuid_text([key << 1, 0]) } else { [0xff; 36] };
            let least = (1..partitions).map(|p| least(ranges.keys(p).start)).collect();
            return Some(Narrow { ranges, short, ids: NarrowIds::Uuids { least } });
        }
        let sign = if history.ids().is_signed() { 1 << 63 } else { 0 };
        let keys: Vec<u64> = ids.map(|id| id ^ sign).collect();
        let bounds = history.id_bounds().map(|(least, greatest)| (least ^ sign, greatest ^ sign));
        let ranges = Ranges::new(&keys, bounds, partitions, u32::BITS)?;
        Some(Narrow { ranges, short, ids: NarrowIds::Integers { sign } })
    }

    fn view(&self) -> NarrowView {
        NarrowView(self.short)
    }

    fn integers(&self, partition: usize, sign: u64) -> Integers {
        Integers { keys: self.ranges.keys(partition), first_mark: self.ranges.first_mark(partition), sign }
    }

    /// Calls `f` with the record of every row of a block of a partition, made in `record`.
    pub(crate) fn each_record(
        &self,
        partition: usize,
        block: &[u64],
        record: &mut Vec<u64>,
        mut f: impl FnMut(&[u64]),
    ) {
        match self.ids {
            NarrowIds::Integers { sign } => {
                each_of(&self.integers(partition, sign), self.view(), block, record, &mut f);
            }
            NarrowIds::Uuids { .. } => each_of(&Uuids, self.view(), block, record, &mut f),
        }
    }

    /// Folds the rows of a partition and the records of those that do not fit, and leaves their blocks to the caller.
    pub(crate) fn fold(
        &self,
        partition: usize,
        rows: &Blocks,
        wide: &Blocks,
        rule: &Rule,
        cohorts: Option<&mut CohortTally>,
    ) -> (Flat, Counted) {
        let view = self.view();
        match self.ids {
            NarrowIds::Integers { sign } => {
                fold_rows(&self.integers(partition, sign), view, rows, wide, rule, cohorts)
            }
            NarrowIds::Uuids { .. } => fold_rows(&Uuids, view, rows, wide, rule, cohorts),
        }
    }
}

fn each_of<F: Format>(
    format: &F,
    view: NarrowView,
    block: &[u64],
    record: &mut Vec<u64>,
    f: &mut impl FnMut(&[u64]),
) {
    for (key, number, word) in format.rows(block) {
        record.clear();
        let first = format.record(key, record);
        let head = view.head(first, word, number);
        record.splice(0..0, head);
        f(record);
    }
}
