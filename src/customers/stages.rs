//! The stages of summarising one by one, for the benches: no part of the library's interface, and free to change.

use crate::calendar::Unit;
use crate::customers::Customers;
use crate::customers::blocks::Pool;
use crate::customers::fold::{Folded, Rule};
use crate::customers::groups::About;
use crate::customers::memory::Memory;
use crate::customers::rows::{self as by_partition, Scattering};
use crate::customers::scan::ScanRule;
use crate::customers::shape::Shape;
use crate::customers::spill::Spill;
use crate::customers::store::Store;
use crate::error::Result;
use crate::history::event::Event;
use crate::history::{History, Sink, TextId};
use crate::parallel;

/// A sink that only counts.
#[derive(Debug, Default)]
struct Count {
    rows: u64,
    /// Of all ids and amounts, so that nothing is decoded in vain.
    sum: u64,
}

impl Sink for Count {
    #[inline]
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(id ^ event.amount);
    }

    #[inline]
    fn text(&mut self, id: TextId<'_>, event: Event<'_>) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(id.bytes.len() as u64 ^ event.amount);
    }
}

/// Decodes all rows and forgets them; how many there were, and a sum over them.
pub fn decode(history: &History) -> Result<(u64, u64)> {
    let counts = parallel::try_workers(history.tasks(), Count::default, |count, task| {
        history.decode(task, history.options(), &(), count).map(|_| ())
    })?;
    Ok(counts.iter().fold((0, 0), |(rows, sum), count| (rows + count.rows, sum.wrapping_add(count.sum))))
}

/// Where rows are scattered to: memory, and a file for what does not fit.
#[derive(Debug)]
pub struct Ground {
    pool: Pool,
    spill: Spill,
    limit: usize,
}

impl Ground {
    /// With room for `limit` bytes of rows in memory, and the rest in `folder`.
    pub fn new(limit: usize, folder: std::path::PathBuf) -> Ground {
        Ground { pool: Pool::default(), spill: Spill::new(Some(folder)), limit }
    }
}

/// Rows by partition.
#[derive(Debug)]
pub struct Rows<'a> {
    rows: by_partition::Rows<'a>,
    history: &'a History,
}

/// Decodes all rows and scatters them to their partitions.
pub fn scatter<'a>(history: &'a History, ground: &'a Ground) -> Result<Rows<'a>> {
    let memory = Memory { blocks: ground.limit };
    let rows = by_partition::Rows::new(history, 0, true, memory, &ground.pool, &ground.spill);
    let workers = parallel::try_workers(
        history.tasks(),
        || rows.scattering(),
        |scattering, task| scattering.decode(history, task, history.options(), &()).map(|_| ()),
    )?;
    parallel::map_items(workers, Scattering::finish).into_iter().collect::<Result<()>>()?;
    Ok(Rows { rows, history })
}

impl Rows<'_> {
    /// Takes every partition out, from disk where it is there, and gives its memory back.
    pub fn take(self) -> Result<()> {
        self.rows.order().into_iter().try_for_each(|partition| self.rows.give_back(partition))
    }
}

/// Folds all partitions to customers, observed over `window`.
pub fn fold_all(
    rows: Rows<'_>,
    window: crate::calendar::Window,
    folder: std::path::PathBuf,
) -> Result<Customers> {
    let Rows { rows, history } = rows;
    let layout = rows.layout();
    let scan = ScanRule { window, extras: history.extras(), costs: None, periods: None, ranks: Vec::new() };
    let shape = Shape::new(history.ids(), history.amounts(), &scan, false);
    let rule = Rule { scan, layout, shape, drop_duplicates: false, cohorts: None };
    let (pool, nowhere) = (Pool::default(), Spill::new(None));
    let known = Store::new(rows.len(), rule.before(), usize::MAX, &pool, &nowhere);
    let folded: Vec<Folded> =
        parallel::try_map(rows.len(), |partition| rows.fold(partition, &known, &rule, None))?;
    let in_order = rows.in_order();
    let runs = folded.into_iter().map(|part| part.run).collect();
    let kind = history.ids();
    let (unit, parts) = (Unit::Week, history.id_parts().to_vec());
    let about =
        About { shape, rule: rule.scan, kind, parts, unit, cost_name: "total_cost", kept: Vec::new() };
    let spill = Spill::new(Some(folder));
    if in_order { Ok(Customers::in_order(runs, about, spill)) } else { Customers::new(runs, about, spill) }
}
