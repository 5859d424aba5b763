//! Scatters narrow rows, and those that do not fit to a store beside theirs.

use std::ops::Range;

use crate::customers::narrow::format::{Format, Integers, Uuids};
use crate::customers::narrow::view::NarrowView;
use crate::customers::narrow::{Narrow, NarrowIds, uuid_key};
use crate::customers::record::pack_uuid;
use crate::customers::store::Open;
use crate::error::Result;
use crate::history::event::{Event, When};
use crate::history::{Sink, TextId};

/// Rows that are packed together.
const TOGETHER: usize = if cfg!(test) { 5 } else { 256 };

/// Scatters the rows of one thread.
#[derive(Debug)]
pub(crate) struct NarrowScatter<'a> {
    plan: &'a Narrow,
    /// Of signed integers the sign bit.
    sign: u64,
    open: Open<'a>,
    /// The first part of the store for rows that do not fit.
    wide: usize,
}

impl<'a> NarrowScatter<'a> {
    pub(crate) fn new(plan: &'a Narrow, open: Open<'a>, wide: usize) -> NarrowScatter<'a> {
        let sign = if let NarrowIds::Integers { sign } = plan.ids { sign } else { 0 };
        NarrowScatter { plan, sign, open, wide }
    }

    /// What went wrong while blocks were handed on.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.open.check()
    }

    /// Hands on the blocks that are not full.
    pub(crate) fn finish(self) -> Result<()> {
        self.open.finish()
    }

    #[inline]
    fn take(&mut self, id: u64, event: Event<'_>) {
        let plan = self.plan;
        let found = plan.ranges.mark(id ^ self.sign);
        if let (Some((partition, mark)), Some(short)) = (found, plan.short.pack(event.amount)) {
            let row = Integers::pack(mark, event.when.row(), NarrowView::pack(event.when, short));
            self.open.block(partition, Integers::ROW).extend_from_slice(&row);
            return;
        }
        let nearest = || plan.ranges.nearest(id ^ self.sign);
        let partition = found.map_or_else(nearest, |(partition, _)| partition);
        self.open.integer(self.wide + partition, id, &event);
    }

    /// Takes a text that is no UUID with a place, or a row whose amount does not fit.
    #[cold]
    fn take_wide(&mut self, id: TextId<'_>, event: Event<'_>) {
        let NarrowIds::Uuids { least } = &self.plan.ids else { return };
        let place = pack_uuid(id.bytes).and_then(|[high, _]| self.plan.ranges.mark(uuid_key(high)));
        let nearest = || least.partition_point(|least| least.as_slice() <= id.bytes);
        let partition = place.map_or_else(nearest, |(partition, _)| partition);
        self.open.text(self.wide + partition, id, id.hash(), &event);
    }
}

/// Packs and stores rows, [`TOGETHER`] at a time: everything is made ready first, because while rows are stored, which
/// waits for memory, nothing else is. `place` says partition and key of an id, `pack` makes a row of key, number and word.
///
/// Returns the stretches of which some row does not fit, and no row was stored.
#[inline(always)]
fn together<I: Copy, K: Copy + Default, const ROW: usize>(
    plan: &Narrow,
    open: &mut Open<'_>,
    ids: &[I],
    whens: &[u64],
    amounts: &[u64],
    place: impl Fn(I) -> Option<(usize, K)>,
    pack: impl Fn(K, u64, u64) -> [u64; ROW],
) -> Vec<Range<usize>> {
    let (mut shorts, mut partitions) = ([0; TOGETHER], [0u16; TOGETHER]);
    let mut rows = [[0; ROW]; TOGETHER];
    let chunks = ids.chunks(TOGETHER).zip(whens.chunks(TOGETHER)).zip(amounts.chunks(TOGETHER));
    let mut rest = Vec::new();
    for (number, ((ids, whens), amounts)) in chunks.enumerate() {
        let mut fit = plan.short.pack_all(amounts, &mut shorts);
        for (i, ((&id, &when), &short)) in ids.iter().zip(whens).zip(&shorts).enumerate() {
            let placed = place(id);
            fit &= placed.is_some();
            let (partition, key) = placed.unwrap_or_default();
            partitions[i] = partition as u16;
            let when = When(when);
            rows[i] = pack(key, when.row(), NarrowView::pack(when, short));
        }
        if fit {
            for (&partition, row) in partitions[..ids.len()].iter().zip(&rows) {
                open.block(usize::from(partition), ROW).extend_from_slice(row);
            }
        } else {
            let first = number * TOGETHER;
            rest.push(first..first + ids.len());
        }
    }
    rest
}

impl Sink for NarrowScatter<'_> {
    #[inline]
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.take(id, event);
    }

    fn integers(&mut self, ids: &[u64], whens: &[u64], amounts: &[u64]) {
        let NarrowScatter { plan, sign, open, .. } = self;
        let place = |id: u64| plan.ranges.mark(id ^ *sign);
        for rest in together(plan, open, ids, whens, amounts, place, Integers::pack) {
            for i in rest {
                self.take(ids[i], Event { when: When(whens[i]), amount: amounts[i], extras: &[] });
            }
        }
    }

    fn texts(&mut self, ids: &[TextId<'_>], whens: &[u64], amounts: &[u64]) {
        let NarrowScatter { plan, open, .. } = self;
        let place = |id: TextId<'_>| {
            let words = pack_uuid(id.bytes)?;
            plan.ranges.mark(uuid_key(words[0])).map(|(partition, _)| (partition, words))
        };
        for rest in together(plan, open, ids, whens, amounts, place, Uuids::pack) {
            for i in rest {
                self.text(ids[i], Event { when: When(whens[i]), amount: amounts[i], extras: &[] });
            }
        }
    }

    #[inline]
    fn text(&mut self, id: TextId<'_>, event: Event<'_>) {
        let plan = self.plan;
        if let Some(words) = pack_uuid(id.bytes)
            && let Some((partition, _)) = plan.ranges.mark(uuid_key(words[0]))
            && let Some(short) = plan.short.pack(event.amount)
        {
            let row = Uuids::pack(words, event.when.row(), NarrowView::pack(event.when, short));
            self.open.block(partition, Uuids::ROW).extend_from_slice(&row);
        } else {
            self.take_wide(id, event);
        }
    }
}
