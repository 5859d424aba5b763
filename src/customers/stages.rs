//! The stages of summarising one by one, for the benches: no part of the library's interface, and free to change.

use crate::calendar::Unit;
use crate::customers::Customers;
use crate::customers::blocks::{Blocks, Pool};
use crate::customers::fold::{Folded, Rule, fold};
use crate::customers::groups::About;
use crate::customers::record::Layout;
use crate::customers::scan::ScanRule;
use crate::customers::shape::Shape;
use crate::customers::spill::Spill;
use crate::customers::store::{Scatter, Store, partitions};
use crate::error::Result;
use crate::history::event::Event;
use crate::history::{History, Sink};
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
    fn text(&mut self, _: &[u8], hash: u64, event: Event<'_>) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(hash ^ event.amount);
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
    store: Store<'a>,
    history: &'a History,
    layout: Layout,
}

/// Decodes all rows and scatters them to their partitions.
pub fn scatter<'a>(history: &'a History, ground: &'a Ground) -> Result<Rows<'a>> {
    let layout = Layout::new(history.ids().is_text(), history.extras());
    let store = Store::new(partitions(history.rows()), layout, ground.limit, &ground.pool, &ground.spill);
    let workers = parallel::try_workers(
        history.tasks(),
        || Scatter::new(&store),
        |scatter, task| {
            history.decode(task, history.options(), &(), scatter)?;
            scatter.check()
        },
    )?;
    parallel::map_items(workers, Scatter::finish).into_iter().collect::<Result<()>>()?;
    Ok(Rows { store, history, layout })
}

impl Rows<'_> {
    /// Takes every partition out, from disk where it is there, and gives its memory back.
    pub fn take(self) -> Result<()> {
        for partition in self.store.order() {
            self.store.pool.give(self.store.take(partition)?.list);
        }
        Ok(())
    }
}

/// Folds all partitions to customers, observed over `window`.
pub fn fold_all(
    rows: Rows<'_>,
    window: crate::calendar::Window,
    folder: std::path::PathBuf,
) -> Result<Customers> {
    let Rows { store, history, layout } = rows;
    let scan = ScanRule { window, extras: history.extras(), costs: None, periods: None, ranks: Vec::new() };
    let shape = Shape::new(history.ids(), history.amounts(), &scan, false);
    let rule = Rule { scan, layout, shape, drop_duplicates: false, cohorts: None };
    let folded: Vec<Folded> = parallel::try_map(store.len(), |partition| {
        Ok(fold(store.take(partition)?, Blocks::default(), &rule, store.pool, None))
    })?;
    let runs = folded.into_iter().map(|part| part.run).collect();
    let kind = history.ids();
    let (unit, parts) = (Unit::Week, history.id_parts().to_vec());
    let about =
        About { shape, rule: rule.scan, kind, parts, unit, cost_name: "total_cost", kept: Vec::new() };
    Customers::new(runs, about, Spill::new(Some(folder)))
}
