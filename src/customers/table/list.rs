//! A customers list joined to the customer table: attributes of those who ordered, and those who never did.

use std::cmp::Ordering;
use std::ops::Range;
use std::path::Path;

use arrow_array::UInt64Array;
use arrow_select::take::take;
use serde::Serialize;

use crate::customers::names;
use crate::customers::table::{Column, CustomerTable, Ids, Values, is_column};
use crate::error::{Error, Result};
use crate::history::list::{ListIds, ListTable, read_list};
use crate::history::{ColumnRef, IdKind, Inspection};

/// Customers with their attributes, in the order of their ids, whether they ever ordered or not.
#[derive(Debug)]
pub struct CustomerList {
    name: String,
    id: ColumnRef,
    kind: IdKind,
    ids: Ids,
    attributes: Vec<Column>,
    rows: u64,
    null_ids: u64,
}

/// Those of a list who never ordered, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospects {
    /// Who.
    pub ids: Ids,
    /// What the list says of them; all are [`Values::Array`].
    pub attributes: Vec<Column>,
}

/// How a list and the customers of a history go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ListCounts {
    /// Customers with orders who are in the list.
    pub matched: u64,
    /// Customers with orders who are not in the list.
    pub not_listed: u64,
    /// Those of the list without an order.
    pub prospects: u64,
}

impl ListCounts {
    /// The counts of two stretches together.
    pub fn add(&mut self, other: ListCounts) {
        self.matched += other.matched;
        self.not_listed += other.not_listed;
        self.prospects += other.prospects;
    }
}

/// What became of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListReport {
    /// The file or folder.
    pub name: String,
    /// The column of the ids.
    pub id: ColumnRef,
    /// The other columns, by name.
    pub attributes: Vec<String>,
    /// Rows read.
    pub rows: u64,
    /// Rows without an id, which are left out.
    pub null_ids: u64,
    /// Customers and prospects.
    #[serde(flatten)]
    pub counts: ListCounts,
}

impl ListReport {
    /// What a reader should know of it, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.null_ids > 0 {
            out.push(format!(
                "{} of {} rows of {} have no id in \"{}\" and are left out",
                self.null_ids, self.rows, self.name, self.id.name
            ));
        }
        if self.rows > self.null_ids && self.counts.matched == 0 {
            out.push(format!(
                "no customer of the history is in {}: see that \"{}\" holds the ids of the history",
                self.name, self.id.name
            ));
        }
        out
    }
}

impl CustomerList {
    /// Reads the list at `path` for customers of `history`; its ids are in column `id`, or in the one found by name.
    /// `taken` are names of columns that later stages add to the customer table.
    ///
    /// # Errors
    /// What can be wrong with a file or a column; [`Error::Incompatible`] for texts against integers; [`Error::Value`]
    /// for an id that stands twice, and for an attribute named like a column of the customer table.
    pub fn read(path: &Path, id: Option<&str>, history: &Inspection, taken: &[&str]) -> Result<CustomerList> {
        let ListTable { name, id, kind, ids, attributes, rows, null_ids } = read_list(path, id, history)?;
        let schema = attributes.schema();
        for (i, field) in schema.fields().iter().enumerate() {
            let own = field.name();
            let is_own = |other: &&str| other.eq_ignore_ascii_case(own);
            let before =
                schema.fields()[..i].iter().map(|field| field.name().as_str()).find(|other| is_own(other));
            let problem = match (
                is_column(own).or_else(|| taken.iter().copied().find(|other| is_own(other))),
                before,
            ) {
                (Some(column), _) => format!("the customer table has a column \"{column}\" already"),
                (None, Some(other)) => format!("the list has a column \"{other}\" already"),
                (None, None) => continue,
            };
            let remedy = "rename the column in the list, or leave it out";
            return Err(Error::value(format!("an attribute of {name}"), own, problem, remedy));
        }
        let attributes = schema
            .fields()
            .iter()
            .zip(attributes.columns())
            .map(|(field, array)| Column { name: field.name().clone(), values: Values::Array(array.clone()) })
            .collect();
        let ids = match (ids, kind) {
            (ListIds::Integers(values), IdKind::Signed { bits }) => {
                Ids::Signed { values: values.into_iter().map(|v| v as i64).collect(), bits }
            }
            (ListIds::Integers(values), IdKind::Unsigned { bits }) => Ids::Unsigned { values, bits },
            (ListIds::Texts { ends, bytes }, IdKind::Text { kind }) => Ids::Text { ends, bytes, kind },
            _ => return Err(Error::internal("reading the customers list", "ids of two kinds")),
        };
        Ok(CustomerList { name, id, kind, ids, attributes, rows, null_ids })
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nobody is in the list.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many of its ids come before id `i` of `ids`, which are of the history.
    pub(crate) fn before(&self, ids: &Ids, i: usize) -> Result<usize> {
        let ids = widened(ids.clone(), self.kind)?;
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match compare(&self.ids, middle, &ids, i) {
                Ordering::Less => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Adds the attributes of its customers to `table`, widens the table's ids to hold those of the list, and returns
    /// the others: those of `range` of the list, which must be the part that the table's customers can be in.
    ///
    /// # Errors
    /// [`Error::Value`] for an unsigned id that the signed ones of the list cannot be beside, and for an attribute named
    /// like a column of the table.
    pub fn join(&self, table: &mut CustomerTable, range: Range<usize>) -> Result<(Prospects, ListCounts)> {
        table.ids = widened(
            std::mem::replace(&mut table.ids, Ids::Unsigned { values: Vec::new(), bits: 8 }),
            self.kind,
        )?;
        let mut rows: Vec<Option<u64>> = Vec::with_capacity(table.len());
        let mut others: Vec<u64> = Vec::new();
        let mut at = range.start;
        for i in 0..table.len() {
            while at < range.end && compare(&self.ids, at, &table.ids, i) == Ordering::Less {
                others.push(at as u64);
                at += 1;
            }
            let found = at < range.end && compare(&self.ids, at, &table.ids, i) == Ordering::Equal;
            rows.push(found.then_some(at as u64));
            at += usize::from(found);
        }
        others.extend((at..range.end).map(|row| row as u64));
        let matched = rows.iter().flatten().count() as u64;
        let counts =
            ListCounts { matched, not_listed: table.len() as u64 - matched, prospects: others.len() as u64 };
        let (rows, others) = (UInt64Array::from(rows), UInt64Array::from(others));
        for attribute in &self.attributes {
            if let Some(column) = names::like(&attribute.name, table.columns.iter().map(|c| c.name.as_str()))
            {
                return Err(names::twice(&format!("an attribute of {}", self.name), &attribute.name, column));
            }
            table.push(&attribute.name, taken(&attribute.values, &rows)?);
        }
        let attributes = self.attributes.iter().map(|attribute| {
            Ok(Column { name: attribute.name.clone(), values: taken(&attribute.values, &others)? })
        });
        let prospects = Prospects {
            attributes: attributes.collect::<Result<_>>()?,
            ids: select(&self.ids, others.values())?,
        };
        Ok((prospects, counts))
    }

    /// What became of it.
    pub fn report(&self, counts: ListCounts) -> ListReport {
        ListReport {
            name: self.name.clone(),
            id: self.id.clone(),
            attributes: self.attributes.iter().map(|attribute| attribute.name.clone()).collect(),
            rows: self.rows,
            null_ids: self.null_ids,
            counts,
        }
    }
}

fn taken(values: &Values, rows: &UInt64Array) -> Result<Values> {
    let Values::Array(array) = values else {
        return Err(Error::internal("joining the customers list", "an attribute is no array"));
    };
    take(array, rows, None).map(Values::Array).map_err(|e| Error::internal("joining the customers list", e))
}

/// Compares id `i` of `a` with id `j` of `b`, which are of one kind.
fn compare(a: &Ids, i: usize, b: &Ids, j: usize) -> Ordering {
    match (a, b) {
        (Ids::Signed { values: a, .. }, Ids::Signed { values: b, .. }) => a[i].cmp(&b[j]),
        (Ids::Unsigned { values: a, .. }, Ids::Unsigned { values: b, .. }) => a[i].cmp(&b[j]),
        _ => a.bytes(i).cmp(b.bytes(j)),
    }
}

/// Ids in the type that holds those of the list too.
fn widened(ids: Ids, kind: IdKind) -> Result<Ids> {
    Ok(match (ids, kind) {
        (Ids::Signed { values, .. }, IdKind::Signed { bits }) => Ids::Signed { values, bits },
        (Ids::Unsigned { values, .. }, IdKind::Unsigned { bits }) => Ids::Unsigned { values, bits },
        (Ids::Unsigned { values, .. }, IdKind::Signed { bits }) => {
            if let Some(large) = values.iter().find(|&&value| i64::try_from(value).is_err()) {
                return Err(Error::value(
                    "an id of the history",
                    large,
                    "the ids of the customers list are signed and cannot be as large",
                    "write the ids of both with one type",
                ));
            }
            Ids::Signed { values: values.into_iter().map(|value| value as i64).collect(), bits }
        }
        (Ids::Text { ends, bytes, .. }, IdKind::Text { kind }) => Ids::Text { ends, bytes, kind },
        _ => return Err(Error::internal("joining the customers list", "ids of two kinds")),
    })
}

fn select(ids: &Ids, rows: &[u64]) -> Result<Ids> {
    Ok(match ids {
        Ids::Signed { values, bits } => {
            Ids::Signed { values: rows.iter().map(|&row| values[row as usize]).collect(), bits: *bits }
        }
        Ids::Unsigned { values, bits } => {
            Ids::Unsigned { values: rows.iter().map(|&row| values[row as usize]).collect(), bits: *bits }
        }
        &Ids::Text { kind, .. } => {
            let (mut ends, mut bytes) = (Vec::with_capacity(rows.len()), Vec::new());
            for &row in rows {
                bytes.extend_from_slice(ids.bytes(row as usize));
                ends.push(bytes.len());
            }
            Ids::Text { ends, bytes, kind }
        }
        Ids::Composite { .. } => {
            return Err(Error::internal("joining the customers list", "its ids are of several columns"));
        }
    })
}

/// The rows of two ascending lists of ids in one order; those of `b` are numbered after those of `a`. No id is in both.
pub(super) fn merge(a: &Ids, b: &Ids) -> Vec<u64> {
    let (n, mut i, mut j) = (a.len(), 0, 0);
    let mut out = Vec::with_capacity(n + b.len());
    while i < n || j < b.len() {
        if j == b.len() || (i < n && compare(a, i, b, j) == Ordering::Less) {
            out.push(i as u64);
            i += 1;
        } else {
            out.push((n + j) as u64);
            j += 1;
        }
    }
    out
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
