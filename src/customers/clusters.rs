//! Rows in the order of customers → records, one customer at a time and without a table of all.
//!
//! A task knows nothing of its neighbours, to whom the rows of its first and of its last customer may belong too. Both are
//! held back as rows, and a seam, which gets the tasks in order, joins what is of one customer.

use std::cmp::Ordering;

use crate::customers::blocks::Pool;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule, id_hash};
use crate::customers::fold_one::{FoldOne, Who};
use crate::customers::record::{amount, pack, push_head, when};
use crate::customers::run::{Flat, Run};
use crate::customers::shape::Shape;
use crate::customers::statistics::{Money, Packed};
use crate::error::{Error, Result};
use crate::history::event::Event;
use crate::history::{Sink, TextId};

/// Rows of one customer, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The first word of its rows' records.
    first: u64,
    /// The id, where ids are texts.
    text: Vec<u8>,
    /// The packed text.
    words: Vec<u64>,
    /// The heads of the records.
    heads: Vec<u64>,
}

impl Held {
    fn compare(&self, other: &Held, shape: Shape) -> Ordering {
        if shape.text {
            self.text.cmp(&other.text)
        } else {
            shape.sortable(self.first).cmp(&shape.sortable(other.first))
        }
    }

    /// Bytes of the rows.
    pub(crate) fn bytes(&self) -> usize {
        self.heads.len() * 8
    }
}

/// Customers folded in the order of their ids.
struct Builder<'r, M: Money> {
    rule: &'r Rule,
    one: FoldOne<'r, M>,
    count: usize,
    texts: Vec<u64>,
    packed: Vec<Packed>,
}

impl<'r, M: Money> Builder<'r, M> {
    fn new(rule: &'r Rule, money: M) -> Builder<'r, M> {
        let one = FoldOne::new(rule, money, 0);
        Builder { rule, one, count: 0, texts: Vec::new(), packed: Vec::new() }
    }

    #[inline]
    fn add(&mut self, held: &Held, cohorts: Option<&mut CohortTally>) {
        let layout = self.rule.layout;
        let head = layout.head();
        self.packed.clear();
        let rows = held.heads.chunks_exact(head).enumerate();
        self.packed.extend(rows.map(|(i, row)| Packed::new(when(row), amount(row), (i * head) as u64)));
        let who = Who {
            integer: if layout.text { self.texts.len() as u64 } else { held.first },
            id_hash: id_hash(layout, held.first),
            number: self.count,
            before: None,
        };
        let record_at = |row: Packed| &held.heads[row.place() as usize..];
        if self.one.fold(who, &mut self.packed, record_at, cohorts) {
            self.count += 1;
            if layout.text {
                self.texts.push(held.first);
                self.texts.extend_from_slice(&held.words);
            }
        }
    }

    fn finish(self, place: impl Fn(Flat) -> Result<Run>) -> Result<Folded> {
        let FoldOne { tally, aside, suspects, records, .. } = self.one;
        let run = place(Flat { records, texts: self.texts })?;
        Ok(Folded { run, tally, aside, suspects })
    }
}

/// Customers of a run: so many are folded before they are put away.
const RUN: usize = if cfg!(test) { 5 } else { 1 << 16 };

/// Receives the rows of one task; `place` says where a run goes.
pub(crate) struct Clusters<'r, M: Money, P> {
    builder: Builder<'r, M>,
    place: &'r P,
    cohorts: Option<CohortTally>,
    first: Option<Held>,
    inner: Vec<Folded>,
    open: Held,
    broken: bool,
    failed: Option<Error>,
}

/// What a task's rows have become.
pub(crate) struct Clustering {
    first: Option<Held>,
    inner: Vec<Folded>,
    /// The last customer, if it is not the first.
    last: Option<Held>,
    /// Whether an id came after a greater one.
    pub(crate) broken: bool,
}

impl<'r, M: Money, P: Fn(Flat) -> Result<Run>> Clusters<'r, M, P> {
    pub(crate) fn new(
        rule: &'r Rule,
        money: M,
        place: &'r P,
        cohorts: Option<CohortTally>,
    ) -> Clusters<'r, M, P> {
        let builder = Builder::new(rule, money);
        let (open, inner) = (Held::default(), Vec::new());
        Clusters { builder, place, cohorts, first: None, inner, open, broken: false, failed: None }
    }

    /// Ends the customer at hand.
    #[inline]
    fn close(&mut self) {
        if self.first.is_none() {
            self.first = Some(std::mem::take(&mut self.open));
            return;
        }
        self.builder.add(&self.open, self.cohorts.as_mut());
        self.open.heads.clear();
        if self.builder.count == RUN {
            self.put_away();
        }
    }

    /// Makes a run of the customers folded so far.
    #[cold]
    fn put_away(&mut self) {
        let next = Builder::new(self.builder.rule, self.builder.one.money());
        match std::mem::replace(&mut self.builder, next).finish(self.place) {
            Ok(folded) => self.inner.push(folded),
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }

    /// What has become of the rows, and the cohorts' tally with them in it.
    pub(crate) fn finish(mut self) -> Result<(Clustering, Option<CohortTally>)> {
        self.put_away();
        if let Some(error) = self.failed {
            return Err(error);
        }
        let open = (!self.open.heads.is_empty()).then_some(self.open);
        let (first, last) = if self.first.is_some() { (self.first, open) } else { (open, None) };
        Ok((Clustering { first, inner: self.inner, last, broken: self.broken }, self.cohorts))
    }
}

impl<M: Money, P: Fn(Flat) -> Result<Run>> Sink for Clusters<'_, M, P> {
    #[inline]
    fn integer(&mut self, id: u64, event: Event<'_>) {
        if id != self.open.first || self.open.heads.is_empty() {
            if !self.open.heads.is_empty() {
                let shape = self.builder.rule.shape;
                self.broken |= shape.sortable(id) < shape.sortable(self.open.first);
                self.close();
            }
            self.open.first = id;
        }
        push_head(&mut self.open.heads, id, &event);
    }

    #[inline]
    fn text(&mut self, id: TextId<'_>, event: Event<'_>) {
        let (id, hash) = (id.bytes, || id.hash());
        if id != self.open.text || self.open.heads.is_empty() {
            if !self.open.heads.is_empty() {
                self.broken |= id < self.open.text.as_slice();
                self.close();
            }
            self.open.text.clear();
            self.open.text.extend_from_slice(id);
            self.open.first = pack(id, hash(), &mut self.open.words);
        }
        push_head(&mut self.open.heads, self.open.first, &event);
    }

    fn is_done(&self) -> bool {
        self.broken || self.failed.is_some()
    }
}

/// Joins the tasks' customers, which come in the order of the tasks.
pub(crate) struct Seam<'r, M: Money> {
    rule: &'r Rule,
    money: M,
    pool: &'r Pool,
    pub(crate) cohorts: Option<CohortTally>,
    /// The customer who may go on in the next task.
    held: Option<Held>,
    folded: Vec<Folded>,
    /// Bytes that the rows of one customer may take.
    limit: usize,
}

impl<'r, M: Money> Seam<'r, M> {
    pub(crate) fn new(
        rule: &'r Rule,
        money: M,
        pool: &'r Pool,
        cohorts: Option<CohortTally>,
        limit: usize,
    ) -> Seam<'r, M> {
        Seam { rule, money, pool, cohorts, held: None, folded: Vec::new(), limit }
    }

    /// Takes the next task. Returns whether the order still holds, and rows of one customer still fit.
    pub(crate) fn join(&mut self, next: Clustering) -> Result<bool> {
        let mut ended = Builder::new(self.rule, self.money);
        if let Some(first) = next.first {
            self.held = Some(match self.held.take() {
                None => first,
                Some(mut held) => match held.compare(&first, self.rule.shape) {
                    Ordering::Less => {
                        ended.add(&held, self.cohorts.as_mut());
                        first
                    }
                    Ordering::Equal => {
                        held.heads.extend_from_slice(&first.heads);
                        held
                    }
                    Ordering::Greater => return Ok(false),
                },
            });
        }
        if let Some(last) = next.last
            && let Some(held) = self.held.replace(last)
        {
            ended.add(&held, self.cohorts.as_mut());
        }
        self.push(ended)?;
        self.folded.extend(next.inner);
        Ok(self.held.as_ref().is_none_or(|held| held.bytes() <= self.limit))
    }

    fn push(&mut self, ended: Builder<'r, M>) -> Result<()> {
        let (shape, pool) = (self.rule.shape, self.pool);
        let ended = ended.finish(|flat| Ok(Run::new(shape, flat, pool)))?;
        self.folded.push(ended);
        Ok(())
    }

    /// All customers, and the cohorts' tally of those at the seams.
    pub(crate) fn finish(mut self) -> Result<(Vec<Folded>, Option<CohortTally>)> {
        let mut ended = Builder::new(self.rule, self.money);
        if let Some(held) = self.held.take() {
            ended.add(&held, self.cohorts.as_mut());
        }
        self.push(ended)?;
        Ok((self.folded, self.cohorts))
    }
}
