//! Folded partitions → the customer table in the order of ids, a stretch of customers at a time.
//!
//! Each partition's customers are in order already. A stretch (a row group of the table) takes its share of each: from
//! a sample of the ids one knows roughly, and from the ids between two of the sample exactly, where it begins in every
//! partition. Stretches are then made independently of each other, so that the table can be written by all threads and
//! never has to be in memory whole.

use crate::calendar::{Unit, Window};
use crate::customers::record::{compare, unpack};
use crate::customers::run::{Flat, Key, Run, Shape};
use crate::customers::spill::Spill;
use crate::customers::statistics::Statistics;
use crate::customers::table::{CustomerTable, Holdout, Ids};
use crate::error::{Error, Result};
use crate::history::{History, IdKind, IdPart};
use crate::parallel;

/// Customers of a stretch, which is also a row group of the table that is written: small enough for a few of them to
/// be at work at a time in little memory, large enough for columns to compress.
const STRETCH: usize = if cfg!(test) { 7 } else { 1 << 18 };

/// The customers of a history, folded but not yet side by side.
#[derive(Debug)]
pub struct Customers {
    runs: Vec<Run>,
    shape: Shape,
    kind: IdKind,
    /// What composite ids consist of.
    parts: Vec<IdPart>,
    window: Window,
    unit: Unit,
    spill: Spill,
    /// Where each stretch begins in each run; one more than there are stretches.
    begins: Vec<Vec<usize>>,
}

impl Customers {
    pub(crate) fn new(
        runs: Vec<Run>,
        shape: Shape,
        history: &History,
        window: Window,
        unit: Unit,
        spill: Spill,
    ) -> Result<Customers> {
        let begins = begins(&runs, shape, &spill)?;
        let (kind, parts) = (history.ids(), history.id_parts().to_vec());
        Ok(Customers { runs, shape, kind, parts, window, unit, spill, begins })
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.runs.iter().map(Run::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The windows of calibration and holdout.
    pub fn window(&self) -> Window {
        self.window
    }

    /// How many stretches the table is made of.
    pub fn stretches(&self) -> usize {
        self.begins.len() - 1
    }

    /// Stretch `i` of the table: the next 262,144 customers by id, or fewer in the last one.
    ///
    /// # Errors
    /// [`Error::Value`] for amounts that add up to infinity; [`Error::Io`] when the spill file cannot be read.
    pub fn stretch(&self, i: usize) -> Result<CustomerTable> {
        let (shape, mut flat) = (self.shape, Flat::default());
        for (run, (&begin, &end)) in self.runs.iter().zip(self.begins[i].iter().zip(&self.begins[i + 1])) {
            run.load(begin..end, shape, &self.spill, &mut flat)?;
        }
        let table = self.table(&flat);
        check_finite(&table)?;
        Ok(table)
    }

    /// The whole table.
    ///
    /// # Errors
    /// As for [`Customers::stretch`].
    pub fn into_table(self) -> Result<CustomerTable> {
        let mut whole: Option<CustomerTable> = None;
        parallel::try_ordered(
            self.stretches(),
            |i| self.stretch(i),
            |_, stretch| {
                match &mut whole {
                    Some(whole) => whole.append(stretch),
                    None => whole = Some(stretch),
                }
                Ok(())
            },
        )?;
        whole.ok_or_else(|| Error::internal("making the customer table", "there are no customers"))
    }

    fn table(&self, flat: &Flat) -> CustomerTable {
        let (shape, width, window) = (self.shape, self.shape.len(), self.window);
        let n = flat.records.len() / width;
        let record = |i: usize| &flat.records[i * width..(i + 1) * width];
        let mut order: Vec<(u64, u32)> = (0..n)
            .map(|i| {
                let record = record(i);
                let key = if shape.text { prefix(flat.text(record)) } else { shape.sortable(record[0]) };
                (key, i as u32)
            })
            .collect();
        if shape.text {
            let text = |i: u32| flat.text(record(i as usize));
            order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(text(a.1), text(b.1))));
        } else {
            order.sort_unstable();
        }
        let sorted: Vec<Statistics> = order.iter().map(|&(_, i)| shape.decode(record(i as usize))).collect();
        let id = |&(_, i): &(u64, u32)| record(i as usize)[0];
        let texts = || {
            let (mut ends, mut bytes) = (Vec::with_capacity(n), Vec::new());
            for &(_, i) in &order {
                let (first, words) = flat.text(record(i as usize));
                unpack(first, words, &mut bytes);
                ends.push(bytes.len());
            }
            (ends, bytes)
        };
        let ids = match self.kind {
            IdKind::Text { kind } => {
                let (ends, bytes) = texts();
                Ids::Text { ends, bytes, kind }
            }
            IdKind::Composite => {
                let (ends, bytes) = texts();
                Ids::Composite { ends, bytes, parts: self.parts.clone() }
            }
            IdKind::Unsigned { bits } => Ids::Unsigned { values: order.iter().map(id).collect(), bits },
            IdKind::Signed { bits } => {
                Ids::Signed { values: order.iter().map(|place| id(place) as i64).collect(), bits }
            }
        };
        let end = window.calibration_end;
        CustomerTable {
            ids,
            window,
            unit: self.unit,
            frequency: sorted.iter().map(|s| s.frequency).collect(),
            recency_days: sorted.iter().map(|s| s.last_order.since(s.first_order) as u32).collect(),
            t_days: sorted.iter().map(|s| end.since(s.first_order) as u32).collect(),
            monetary_value: sorted.iter().map(|s| s.monetary_value).collect(),
            first_order: sorted.iter().map(|s| s.first_order).collect(),
            last_order: sorted.iter().map(|s| s.last_order).collect(),
            orders: sorted.iter().map(|s| s.orders).collect(),
            transactions: sorted.iter().map(|s| s.transactions).collect(),
            total_spend: sorted.iter().map(|s| s.total_spend).collect(),
            holdout: window.has_holdout().then(|| Holdout {
                frequency: sorted.iter().map(|s| s.holdout_frequency).collect(),
                spend: sorted.iter().map(|s| s.holdout_spend).collect(),
            }),
            columns: Vec::new(),
        }
    }
}

/// The first word of a packed text, which decides most comparisons; UUIDs and other texts are told apart by `compare`.
fn prefix((first, words): (u64, &[u64])) -> u64 {
    let mut bytes = Vec::with_capacity(64);
    let word = words.first().copied().unwrap_or(0);
    if first & 0xffff < 0xfffe {
        return word;
    }
    unpack(first, words, &mut bytes);
    bytes.as_chunks::<8>().0.first().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Finite amounts may add up to what no figure can be made of.
fn check_finite(table: &CustomerTable) -> Result<()> {
    let holdout: &[f64] = table.holdout.as_ref().map_or(&[], |holdout| &holdout.spend);
    for sums in [&table.total_spend, &table.monetary_value, holdout] {
        if let Some(i) = sums.iter().position(|sum| !sum.is_finite()) {
            return Err(Error::value(
                format!("the amounts of customer {}", table.ids.text(i)),
                sums[i],
                "they add up to infinity",
                "write the amounts in a larger unit, or leave out those that are no money",
            ));
        }
    }
    Ok(())
}

/// Where each stretch begins in each run.
fn begins(runs: &[Run], shape: Shape, spill: &Spill) -> Result<Vec<Vec<usize>>> {
    let len: usize = runs.iter().map(Run::len).sum();
    let mut samples: Vec<&Key> = runs.iter().flat_map(Run::samples).collect();
    samples.sort_unstable();
    let inner = len.saturating_sub(1) / STRETCH;
    let found = parallel::try_map(inner, |i| begin(runs, &samples, (i + 1) * STRETCH, shape, spill))?;
    let mut out = vec![vec![0; runs.len()]];
    out.extend(found);
    out.push(runs.iter().map(Run::len).collect());
    Ok(out)
}

/// How many customers of each run are among the first `rank` of all.
fn begin(runs: &[Run], samples: &[&Key], rank: usize, shape: Shape, spill: &Spill) -> Result<Vec<usize>> {
    // Up to and with sample number m (from 0) there are at least (m + 1) · SAMPLE customers, and fewer than SAMPLE more in
    // each run.
    let at_least = |m: usize| (m + 1) * Run::SAMPLE;
    let low = (rank / Run::SAMPLE).checked_sub(runs.len() + 1).filter(|&m| m < samples.len());
    let low = low.filter(|&m| at_least(m) + runs.len() * Run::SAMPLE <= rank).map(|m| samples[m]);
    let high = samples.get(rank / Run::SAMPLE).copied();
    let mut flat = Flat::default();
    let mut at = |run: &Run, key: Option<&Key>, none: usize| match key {
        Some(key) => run.position(key, shape, spill, &mut flat),
        None => Ok(none),
    };
    let mut from = Vec::with_capacity(runs.len());
    let mut to = Vec::with_capacity(runs.len());
    for run in runs {
        from.push(at(run, low, 0)?);
        to.push(at(run, high, run.len())?);
    }
    let (mut keys, mut flat) = (Vec::new(), Flat::default());
    let mut owners = Vec::new();
    for (i, run) in runs.iter().enumerate() {
        run.keys(from[i]..to[i], shape, spill, &mut flat, &mut keys)?;
        owners.resize(keys.len(), i);
    }
    let before: usize = from.iter().sum();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    let wanted = rank - before;
    if wanted < order.len() {
        order.select_nth_unstable_by(wanted, |&a, &b| keys[a].cmp(&keys[b]));
    }
    order[..wanted].iter().for_each(|&i| from[owners[i]] += 1);
    Ok(from)
}
