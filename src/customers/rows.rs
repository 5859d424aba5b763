//! The rows of a history by partition, laid out as suits them: narrow where they are ids, times and amounts alone.

use crate::customers::blocks::Pool;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule, fold};
use crate::customers::memory::Memory;
use crate::customers::narrow::{Narrow, NarrowScatter};
use crate::customers::record::Layout;
use crate::customers::run::Run;
use crate::customers::spill::Spill;
use crate::customers::store::{Open, Scatter, Store, partitions};
use crate::error::Result;
use crate::history::{History, HistoryOptions, TaskLedger};
use crate::progress::Progress;

/// All rows, by partition.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// The rows; only those that are not narrow if there are narrow ones.
    pub(crate) wide: Store<'a>,
    narrow: Option<NarrowStore<'a>>,
}

#[derive(Debug)]
struct NarrowStore<'a> {
    plan: Narrow,
    store: Store<'a>,
}

/// Scatters the rows of one thread.
#[derive(Debug)]
pub(crate) enum Scattering<'a> {
    Wide(Scatter<'a>),
    Narrow(NarrowScatter<'a>),
}

impl Scattering<'_> {
    /// Decodes a task and scatters its rows.
    pub(crate) fn decode(
        &mut self,
        history: &History,
        task: usize,
        options: &HistoryOptions,
        progress: &dyn Progress,
    ) -> Result<TaskLedger> {
        match self {
            Scattering::Wide(scatter) => {
                let ledger = history.decode(task, options, progress, scatter)?;
                scatter.check().map(|()| ledger)
            }
            Scattering::Narrow(scatter) => {
                let ledger = history.decode(task, options, progress, scatter)?;
                scatter.check().map(|()| ledger)
            }
        }
    }

    /// Hands on what is left.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Scattering::Wide(scatter) => scatter.finish(),
            Scattering::Narrow(scatter) => scatter.finish(),
        }
    }
}

impl<'a> Rows<'a> {
    /// A place for the rows of `history`, beside `before` customers who were known before.
    pub(crate) fn new(
        history: &History,
        before: u64,
        memory: Memory,
        pool: &'a Pool,
        spill: &'a Spill,
    ) -> Rows<'a> {
        let count = partitions(history.rows() + before);
        let layout = Layout::new(history.ids().is_text(), history.extras());
        let store = || Store::new(count, layout, memory.blocks, pool, spill);
        // Customers known before are found by their hashes.
        let plan = if before == 0 { Narrow::plan(history, count) } else { None };
        Rows { wide: store(), narrow: plan.map(|plan| NarrowStore { plan, store: store() }) }
    }

    /// Number of partitions.
    pub(crate) fn len(&self) -> usize {
        self.wide.len()
    }

    /// Whether the customers of a partition come after those of the one before it.
    pub(crate) fn in_order(&self) -> bool {
        self.narrow.is_some()
    }

    /// What scatters the rows of one thread.
    pub(crate) fn scattering(&self) -> Scattering<'_> {
        let wide = Scatter::new(&self.wide);
        match &self.narrow {
            Some(NarrowStore { plan, store }) => {
                Scattering::Narrow(NarrowScatter::new(plan, Open::new(store), wide))
            }
            None => Scattering::Wide(wide),
        }
    }

    /// Partitions in the order in which they are best taken: those in memory first, because that frees it.
    pub(crate) fn order(&self) -> Vec<usize> {
        self.narrow.as_ref().map_or(&self.wide, |narrow| &narrow.store).order()
    }

    /// Bytes of a partition.
    pub(crate) fn bytes(&self, partition: usize) -> usize {
        self.wide.bytes(partition) + self.narrow.as_ref().map_or(0, |narrow| narrow.store.bytes(partition))
    }

    /// Calls `f` with the record of every row of a partition, which stays where it is.
    pub(crate) fn each_record(&self, partition: usize, mut f: impl FnMut(&[u64])) -> Result<()> {
        let layout = self.wide.layout;
        self.wide.each_block(partition, |block| layout.each(block, |_, record| f(record)))?;
        let Some(NarrowStore { plan, store }) = &self.narrow else { return Ok(()) };
        let mut record = Vec::new();
        store.each_block(partition, |block| plan.each_record(partition, block, &mut record, &mut f))
    }

    /// Takes a partition and what was known of its customers before, and folds it.
    pub(crate) fn fold(
        &self,
        partition: usize,
        known: &Store<'_>,
        rule: &Rule,
        cohorts: Option<&mut CohortTally>,
    ) -> Result<Folded> {
        let pool = self.wide.pool;
        let wide = self.wide.take(partition)?;
        match &self.narrow {
            Some(NarrowStore { plan, store }) => {
                let rows = store.take(partition)?;
                let place = |flat| Run::new(rule.shape, flat, pool);
                let folded = plan.fold(partition, &rows, &wide, rule, cohorts, place);
                pool.give(rows.list.into_iter().chain(wide.list));
                Ok(folded)
            }
            None => Ok(fold(wide, known.take(partition)?, rule, pool, cohorts)),
        }
    }

    /// Takes a partition, from disk where it is there, and gives its memory back.
    pub(crate) fn give_back(&self, partition: usize) -> Result<()> {
        let pool = self.wide.pool;
        pool.give(self.wide.take(partition)?.list);
        self.narrow
            .iter()
            .try_for_each(|narrow| narrow.store.take(partition).map(|rows| pool.give(rows.list)))
    }
}
