//! Folded partitions → the customer table in the order of ids, a stretch of customers at a time.
//!
//! Each partition's customers are in order already. A stretch (a row group of the table) takes its share of each: from
//! a sample of the ids one knows roughly, and from the ids between two of the sample exactly, where it begins in every
//! partition. Stretches are then made independently of each other, so that the table can be written by all threads and
//! never has to be in memory whole.

use crate::calendar::{Unit, Window};
use crate::customers::bucket_sort;
use crate::customers::names;
use crate::customers::record::{compare, unpack};
use crate::customers::run::{Flat, Key, Run};
use crate::customers::scan::ScanRule;
use crate::customers::shape::Shape;
use crate::customers::spill::Spill;
use crate::customers::statistics::Statistics;
use crate::customers::table::more::{kept, numbers};
use crate::customers::table::{Column, CustomerList, CustomerTable, Holdout, Ids, Values};
use crate::error::{Error, Result};
use crate::history::{IdKind, IdPart, KeptColumn};
use crate::parallel;

/// Customers of a stretch, which is also a row group of the table that is written: small enough for a few of them to
/// be at work at a time in little memory, large enough for columns to compress.
pub(crate) const STRETCH: usize = if cfg!(test) { 7 } else { 1 << 17 };

/// The customers of a history, folded but not yet side by side.
#[derive(Debug)]
pub struct Customers {
    pub(crate) runs: Vec<Run>,
    pub(crate) about: About,
    pub(crate) spill: Spill,
    /// Where each stretch begins in each run; one more than there are stretches.
    begins: Vec<Vec<usize>>,
}

/// What all customers have in common.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) shape: Shape,
    pub(crate) rule: ScanRule,
    pub(crate) kind: IdKind,
    /// What composite ids consist of.
    pub(crate) parts: Vec<IdPart>,
    pub(crate) unit: Unit,
    /// The name of the sum of costs.
    pub(crate) cost_name: &'static str,
    pub(crate) kept: Vec<KeptColumn>,
}

impl Customers {
    pub(crate) fn new(runs: Vec<Run>, about: About, spill: Spill) -> Result<Customers> {
        let begins = begins(&runs, about.shape, &spill)?;
        Ok(Customers { runs, about, spill, begins })
    }

    /// The customers of runs that follow each other in the order of ids.
    pub(crate) fn in_order(runs: Vec<Run>, about: About, spill: Spill) -> Customers {
        let len: usize = runs.iter().map(Run::len).sum();
        let place = |rank: usize| {
            let mut left = rank;
            let each = runs.iter().map(|run| {
                let own = left.min(run.len());
                left -= own;
                own
            });
            each.collect()
        };
        let begins = (0..len.div_ceil(STRETCH)).map(|i| i * STRETCH).chain([len]).map(place).collect();
        Customers { runs, about, spill, begins }
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
        self.about.rule.window
    }

    /// How many stretches the table is made of.
    pub fn stretches(&self) -> usize {
        self.begins.len() - 1
    }

    /// Stretch `i` of the table: the next 131,072 customers by id, or fewer in the last one.
    ///
    /// # Errors
    /// [`Error::Value`] for amounts that add up to infinity; [`Error::Io`] when the spill file cannot be read.
    pub fn stretch(&self, i: usize) -> Result<CustomerTable> {
        let table = self.table(&self.flat(i)?)?;
        check_finite(&table)?;
        Ok(table)
    }

    /// The records of a stretch, each run's in order.
    pub(crate) fn flat(&self, i: usize) -> Result<Flat> {
        let mut flat = Flat::default();
        for (run, (&begin, &end)) in self.runs.iter().zip(self.begins[i].iter().zip(&self.begins[i + 1])) {
            run.load(begin..end, self.about.shape, &self.spill, &mut flat)?;
        }
        Ok(flat)
    }

    /// Where in a list each stretch begins, the first at 0, and where the list ends: those of the list between two
    /// stretches belong to the former.
    ///
    /// # Errors
    /// [`Error::Value`] for ids that cannot be beside those of the list; [`Error::Io`] when the spill file cannot be read.
    pub fn places_in(&self, list: &CustomerList) -> Result<Vec<usize>> {
        let mut places = vec![0];
        for i in 1..self.stretches() {
            let mut flat = Flat::default();
            for (run, (&begin, &end)) in self.runs.iter().zip(self.begins[i].iter().zip(&self.begins[i + 1]))
            {
                run.load(begin..end.min(begin + 1), self.about.shape, &self.spill, &mut flat)?;
            }
            places.push(list.before(&self.table(&flat)?.ids, 0)?);
        }
        places.push(list.len());
        Ok(places)
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
                    Some(whole) => whole.append(stretch)?,
                    None => whole = Some(stretch),
                }
                Ok(())
            },
        )?;
        whole.ok_or_else(|| Error::internal("making the customer table", "there are no customers"))
    }

    fn table(&self, flat: &Flat) -> Result<CustomerTable> {
        let About { shape, rule, .. } = &self.about;
        let finished;
        let (flat, shape) = if shape.account {
            finished = self.finished(flat);
            (&finished, shape.figures())
        } else {
            (flat, *shape)
        };
        let (order, end) = (order(flat, shape), rule.end());
        let width = shape.len();
        let records: Vec<&[u64]> =
            order.iter().map(|&i| &flat.records[i as usize * width..(i as usize + 1) * width]).collect();
        let n = records.len();
        let counts = || Vec::with_capacity(n);
        let amounts = || Vec::with_capacity(n);
        let (mut first_order, mut last_order) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let (mut frequency, mut recency_days, mut t_days) = (counts(), counts(), counts());
        let (mut orders, mut transactions) = (counts(), counts());
        let (mut monetary_value, mut total_spend) = (amounts(), amounts());
        let mut holdout =
            rule.window.has_holdout().then(|| Holdout { frequency: counts(), spend: amounts() });
        for record in &records {
            let s = shape.statistics(record);
            frequency.push(s.frequency);
            recency_days.push(s.last_order.since(s.first_order) as u32);
            t_days.push(end.since(s.first_order) as u32);
            monetary_value.push(s.monetary_value);
            first_order.push(s.first_order);
            last_order.push(s.last_order);
            orders.push(s.orders);
            transactions.push(s.transactions);
            total_spend.push(s.total_spend);
            if let Some(holdout) = &mut holdout {
                holdout.frequency.push(s.holdout_frequency);
                holdout.spend.push(s.holdout_spend);
            }
        }
        Ok(CustomerTable {
            ids: ids(flat, &records, self.about.kind, &self.about.parts),
            window: rule.window,
            unit: self.about.unit,
            frequency,
            recency_days,
            t_days,
            monetary_value,
            first_order,
            last_order,
            orders,
            transactions,
            total_spend,
            holdout,
            columns: self.more(shape, &records)?,
        })
    }

    /// Accounts as figures.
    fn finished(&self, flat: &Flat) -> Flat {
        let About { shape, rule, .. } = &self.about;
        let mut records = Vec::with_capacity(flat.records.len() / shape.len() * shape.figures().len());
        for record in flat.records.chunks_exact(shape.len()) {
            shape.finish(record, rule, &mut records);
        }
        Flat { records, texts: flat.texts.clone() }
    }

    /// The columns that not every history has.
    fn more(&self, shape: Shape, records: &[&[u64]]) -> Result<Vec<Column>> {
        let mut out = Vec::new();
        if shape.has_cost() {
            let values = Values::Float(records.iter().map(|record| shape.cost(record)).collect());
            out.push(Column { name: self.about.cost_name.to_string(), values });
        }
        if let Some(periods) = &self.about.rule.periods {
            // Mean and sample variance of the days between order days, from exact sums.
            let days = |s: &Statistics| s.last_order.since(s.first_order) as f64;
            let mean = |s: &Statistics| (s.frequency > 0).then(|| days(s) / f64::from(s.frequency));
            let sorted: Vec<Statistics> = records.iter().map(|record| shape.statistics(record)).collect();
            out.push(numbers(names::GAP_MEAN, sorted.iter().map(mean)));
            let variance = |(record, s): (&&[u64], &Statistics)| {
                let (n, sum) = (u128::from(s.frequency), s.last_order.since(s.first_order) as u128);
                // n · Σ gap² − (Σ gap)² is a whole number, so that nothing cancels.
                let spread = n * u128::from(shape.gap_squares(record)) - sum * sum;
                (n > 1).then(|| spread as f64 / (n * (n - 1)) as f64)
            };
            out.push(numbers(names::GAP_VARIANCE, records.iter().zip(&sorted).map(variance)));
            for (i, [orders_name, spend_name]) in names::of_periods(periods).enumerate() {
                let orders = records.iter().map(|record| shape.period(record, i).0).collect();
                let spend = records.iter().map(|record| shape.period(record, i).1).collect();
                out.push(Column { name: orders_name, values: Values::Count(orders) });
                out.push(Column { name: spend_name, values: Values::Float(spend) });
            }
        }
        for (i, column) in self.about.kept.iter().enumerate() {
            let ranks = records.iter().map(|record| shape.rank(record, i));
            out.push(kept(&column.name, &column.values, ranks)?);
        }
        Ok(out)
    }
}

/// The order of ids of records that lie in runs.
pub(crate) fn order(flat: &Flat, shape: Shape) -> Vec<u32> {
    let width = shape.len();
    let record = |i: u32| &flat.records[i as usize * width..(i as usize + 1) * width];
    // Ranges of ids come in order.
    let records = flat.records.chunks_exact(width);
    let is_sorted = if shape.text {
        records.is_sorted_by(|a, b| compare(flat.text(a), flat.text(b)).is_le())
    } else {
        records.is_sorted_by_key(|record| shape.sortable(record[0]))
    };
    if is_sorted {
        return (0..(flat.records.len() / width) as u32).collect();
    }
    let mut order: Vec<(u64, u32)> = (0..(flat.records.len() / width) as u32)
        .map(|i| (if shape.text { prefix(flat.text(record(i))) } else { shape.sortable(record(i)[0]) }, i))
        .collect();
    if shape.text {
        let text = |i: u32| flat.text(record(i));
        order.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(text(a.1), text(b.1))));
    } else {
        bucket_sort::sort(&mut order);
    }
    order.into_iter().map(|(_, i)| i).collect()
}

/// The ids of records.
pub(crate) fn ids(flat: &Flat, records: &[&[u64]], kind: IdKind, parts: &[IdPart]) -> Ids {
    let texts = || {
        // A UUID has three words and 36 bytes.
        let room = flat.texts.len() * 12;
        let (mut ends, mut bytes) = (Vec::with_capacity(records.len()), Vec::with_capacity(room));
        for record in records {
            let (first, words) = flat.text(record);
            unpack(first, words, &mut bytes);
            ends.push(bytes.len());
        }
        (ends, bytes)
    };
    match kind {
        IdKind::Text { kind } => {
            let (ends, bytes) = texts();
            Ids::Text { ends, bytes, kind }
        }
        IdKind::Composite => {
            let (ends, bytes) = texts();
            Ids::Composite { ends, bytes, parts: parts.to_vec() }
        }
        IdKind::Unsigned { bits } => {
            Ids::Unsigned { values: records.iter().map(|record| record[0]).collect(), bits }
        }
        IdKind::Signed { bits } => {
            Ids::Signed { values: records.iter().map(|record| record[0] as i64).collect(), bits }
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
