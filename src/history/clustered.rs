//! Whether the footers promise that each customer's rows stand together, in the order of the ids.

use std::cmp::Ordering;

use arrow_array::{Array, ArrayRef};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use crate::calendar::Day;
use crate::history::files::ParquetFile;
use crate::history::keys::{IdBatch, IdValues, ids};
use crate::history::scan::History;
use crate::history::types::{IdKind, TimeKind};
use crate::history::values::{days, ticks};

/// What the footers say of a history whose customers may stand together. Nothing here may be relied on: statistics can
/// be wrong, and say nothing of the order within a row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clustered {
    /// The days between which all times lie.
    pub(crate) days: (Day, Day),
    /// Whether there is more than one row group, so that the order of their ids says something.
    pub(crate) promised: bool,
}

impl History {
    /// What the footers say, if the row groups' ids ascend in reading order; `None` if they do not or are not known.
    pub(crate) fn clustered(&self) -> Option<Clustered> {
        // Customers of a state stand in no order beside the rows, and kept values can be compared only when all are known.
        if self.options().append.is_some() || self.extras().keep > 0 {
            return None;
        }
        // The footers know the ids of the files, and an id map makes others of them.
        if self.join.is_some() {
            return None;
        }
        let (mut first, mut last) = (Day(i32::MAX), Day(i32::MIN));
        let mut before: Option<IdBatch> = None;
        let mut groups = 0;
        // Files without rows come last, and have no columns.
        for (file, columns) in self.files.iter().zip(&self.columns) {
            let [customer] = &columns.customer[..] else { return None };
            let [least, greatest] = bounds(file, customer.index)?;
            let [earliest, latest] = bounds(file, columns.time.index)?;
            first = first.min(self.day_of(&earliest)?.into_iter().min()?);
            last = last.max(self.day_of(&latest)?.into_iter().max()?);
            for group in 0..least.len() {
                let least = ids(&least.slice(group, 1), self.ids()).ok()?;
                if let Some(before) = &before
                    && compare(self.ids(), before, &least) == Ordering::Greater
                {
                    return None;
                }
                before = Some(ids(&greatest.slice(group, 1), self.ids()).ok()?);
                groups += 1;
            }
        }
        Some(Clustered { days: (first, last), promised: groups > 1 })
    }

    /// The least and the greatest integer id as the footers say, if they do. It may not be relied on.
    pub(crate) fn id_bounds(&self) -> Option<(u64, u64)> {
        if self.join.is_some() {
            return None;
        }
        let key = |id: u64| if self.ids().is_signed() { id ^ 1 << 63 } else { id };
        let (mut low, mut high) = (u64::MAX, 0);
        for (file, columns) in self.files.iter().zip(&self.columns) {
            let [customer] = &columns.customer[..] else { return None };
            for bound in bounds(file, customer.index)? {
                let IdValues::Integers(ids) = ids(&bound, self.ids()).ok()?.values else { return None };
                for id in ids {
                    (low, high) = (low.min(key(id)), high.max(key(id)));
                }
            }
        }
        (low <= high).then(|| (key(low), key(high)))
    }

    /// The least and the greatest text id as the footers say, if they do. It may not be relied on.
    pub(crate) fn text_bounds(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        if self.join.is_some() {
            return None;
        }
        let mut found: Option<(Vec<u8>, Vec<u8>)> = None;
        for (file, columns) in self.files.iter().zip(&self.columns) {
            let [customer] = &columns.customer[..] else { return None };
            for bound in bounds(file, customer.index)? {
                let IdValues::Texts(texts) = ids(&bound, self.ids()).ok()?.values else { return None };
                for row in 0..bound.len() {
                    let text = texts.id(row).bytes;
                    let (least, greatest) = found.get_or_insert_with(|| (text.to_vec(), text.to_vec()));
                    if text < least.as_slice() {
                        *least = text.to_vec();
                    }
                    if text > greatest.as_slice() {
                        *greatest = text.to_vec();
                    }
                }
            }
        }
        found
    }

    /// The days of a column of times.
    fn day_of(&self, times: &ArrayRef) -> Option<Vec<Day>> {
        let (mut tick, mut day) = (Vec::new(), Vec::new());
        ticks(times, &mut tick);
        let mut clock = self.zone.as_ref().map(|zone| zone.clock());
        days(&tick, TimeKind::of(times.data_type())?, clock.as_mut(), &mut day);
        Some(day.into_iter().map(Day).collect())
    }
}

/// The least and the greatest value of a column in each row group that has rows; `None` if one is not known.
fn bounds(file: &ParquetFile, column: usize) -> Option<[ArrayRef; 2]> {
    if column >= file.own_columns() {
        return None;
    }
    let schema = file.metadata.schema();
    let field = schema.field(column);
    let meta = file.metadata.metadata();
    let descriptor = meta.file_metadata().schema_descr();
    let converter = StatisticsConverter::try_new(field.name(), schema, descriptor).ok()?;
    let groups: Vec<_> = meta.row_groups().iter().filter(|group| group.num_rows() > 0).collect();
    let found =
        [converter.row_group_mins(groups.iter().copied()), converter.row_group_maxes(groups.iter().copied())];
    let [Ok(least), Ok(greatest)] = found else { return None };
    let known =
        least.len() == groups.len() && least.logical_null_count() + greatest.logical_null_count() == 0;
    let same = least.data_type() == field.data_type() && greatest.data_type() == field.data_type();
    (known && same).then_some([least, greatest])
}

/// Compares the first ids of two batches.
fn compare(kind: IdKind, a: &IdBatch, b: &IdBatch) -> Ordering {
    match (&a.values, &b.values) {
        (IdValues::Integers(a), IdValues::Integers(b)) => match kind {
            IdKind::Signed { .. } => (a[0] as i64).cmp(&(b[0] as i64)),
            _ => a[0].cmp(&b[0]),
        },
        (IdValues::Texts(a), IdValues::Texts(b)) => a.get(0).0.cmp(b.get(0).0),
        // Never: all ids of a history are of one kind.
        _ => Ordering::Greater,
    }
}
