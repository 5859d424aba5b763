//! The rows of a history by partition, laid out as suits them: narrow where they are ids, times and amounts alone.

use crate::customers::blocks::Pool;
use crate::customers::cohorts::CohortTally;
use crate::customers::fold::{Folded, Rule, fold};
use crate::customers::memory::{Memory, open_blocks};
use crate::customers::narrow::{Narrow, NarrowScatter};
use crate::customers::record::Layout;
use crate::customers::run::Run;
use crate::customers::spill::Spill;
use crate::customers::store::{Open, Scatter, Store, partitions};
use crate::error::Result;
use crate::history::{History, HistoryOptions, TaskLedger};
use crate::parallel;
use crate::progress::Progress;

/// All rows, by partition.
///
/// Where there are narrow rows, the first parts of the store are theirs, and as many more are of the rows that do not fit.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    store: Store<'a>,
    partitions: usize,
    narrow: Option<Narrow>,
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

/// Bytes that folding takes for each byte of rows: they are sorted beside themselves, narrow ones are counted too, and in
/// the worst case all are made whole.
const FOLDING: [usize; 2] = [2, 4];

impl<'a> Rows<'a> {
    /// A place for the rows of `history`, beside `before` customers who were known before; `may_be_narrow` says whether
    /// ranges of ids may be tried.
    pub(crate) fn new(
        history: &History,
        before: u64,
        may_be_narrow: bool,
        memory: Memory,
        pool: &'a Pool,
        spill: &'a Spill,
    ) -> Rows<'a> {
        let partitions = partitions(history.rows() + before);
        let layout = Layout::new(history.ids().is_text(), history.extras());
        // Customers known before are found by their hashes, and blocks may be open for both kinds of rows.
        let open = open_blocks(history.rows(), parallel::threads() as u64) as usize;
        let may_be_narrow = may_be_narrow && before == 0 && memory.blocks / 9 >= open / 4;
        let narrow = if may_be_narrow { Narrow::plan(history, partitions) } else { None };
        let parts = if narrow.is_some() { 2 * partitions } else { partitions };
        Rows { store: Store::new(parts, layout, memory.blocks, pool, spill), partitions, narrow }
    }

    /// Number of partitions.
    pub(crate) fn len(&self) -> usize {
        self.partitions
    }

    /// Where rows that are not narrow are.
    fn wide(&self, partition: usize) -> usize {
        if self.narrow.is_some() { self.partitions + partition } else { partition }
    }

    /// How records of rows are laid out.
    pub(crate) fn layout(&self) -> Layout {
        self.store.layout
    }

    /// Whether the customers of a partition come after those of the one before it.
    pub(crate) fn in_order(&self) -> bool {
        self.narrow.is_some()
    }

    /// What scatters the rows of one thread.
    pub(crate) fn scattering(&self) -> Scattering<'_> {
        match &self.narrow {
            Some(plan) => {
                Scattering::Narrow(NarrowScatter::new(plan, Open::new(&self.store), self.partitions))
            }
            None => Scattering::Wide(Scatter::new(&self.store)),
        }
    }

    /// Partitions in the order in which they are best taken: those in memory first, because that frees it.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.partitions).collect();
        let on_disk = |p| {
            self.store.on_disk(p) + if self.narrow.is_some() { self.store.on_disk(self.wide(p)) } else { 0 }
        };
        order.sort_by_key(|&p| on_disk(p));
        order
    }

    /// Bytes that folding a partition takes.
    pub(crate) fn needed(&self, partition: usize) -> usize {
        let wide = self.store.bytes(self.wide(partition)) * FOLDING[0];
        wide + if self.narrow.is_some() { self.store.bytes(partition) * FOLDING[1] } else { 0 }
    }

    /// Calls `f` with the record of every row of a partition, which stays where it is.
    pub(crate) fn each_record(&self, partition: usize, mut f: impl FnMut(&[u64])) -> Result<()> {
        let layout = self.layout();
        self.store.each_block(self.wide(partition), |block| layout.each(block, |_, record| f(record)))?;
        let Some(plan) = &self.narrow else { return Ok(()) };
        let mut record = Vec::new();
        self.store.each_block(partition, |block| plan.each_record(partition, block, &mut record, &mut f))
    }

    /// Takes a partition and what was known of its customers before, and folds it.
    pub(crate) fn fold(
        &self,
        partition: usize,
        known: &Store<'_>,
        rule: &Rule,
        cohorts: Option<&mut CohortTally>,
    ) -> Result<Folded> {
        let pool = self.store.pool;
        let wide = self.store.take(self.wide(partition))?;
        let Some(plan) = &self.narrow else {
            return Ok(fold(wide, known.take(partition)?, rule, pool, cohorts));
        };
        let rows = self.store.take(partition)?;
        let (flat, folded) = plan.fold(partition, &rows, &wide, rule, cohorts);
        // Given back first, so that the customers take their memory.
        pool.give(rows.list.into_iter().chain(wide.list));
        let (tally, aside, suspects) = folded;
        Ok(Folded { run: Run::new(rule.shape, flat, pool), tally, aside, suspects })
    }

    /// Takes a partition, from disk where it is there, and gives its memory back.
    pub(crate) fn give_back(&self, partition: usize) -> Result<()> {
        let wide = self.store.take(self.wide(partition))?.list;
        self.store.pool.give(wide.into_iter().chain(self.store.take(partition)?.list));
        Ok(())
    }
}
