//! Ids of a file's customers as hashes, and their division into groups by a column.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;

use super::{Rows, StatisticsFile};
use crate::error::{Error, Result, nearest_first};
use crate::random::{hash_integer, hash_text};

/// The column of ids in tables of `summarize`.
const CUSTOMER_ID: &str = "customer_id";

/// What tells a group from others, in the order in which groups are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKey {
    /// A whole number.
    Integer(i128),
    /// A text.
    Text(String),
    /// No value.
    Missing,
}

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupKey::Integer(value) => value.fmt(f),
            GroupKey::Text(text) => text.fmt(f),
            GroupKey::Missing => f.pad("(none)"),
        }
    }
}

/// Some customers' groups.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grouped {
    /// Each customer's, a place in `keys`.
    pub codes: Vec<u32>,
    /// The groups that there are, in no particular order.
    pub keys: Vec<GroupKey>,
}

impl StatisticsFile {
    /// The places of the columns that are the customers' id: those of the names, or `customer_id` where none is given.
    ///
    /// # Errors
    /// A column that is not there, or that holds neither integers nor texts.
    pub fn id_columns(&self, names: &[String]) -> Result<Vec<usize>> {
        if names.is_empty() {
            return self.customer_id().map(|place| vec![place]);
        }
        names.iter().map(|name| self.key_column(name, "customer")).collect()
    }

    /// The place of the column `customer_id`, or of the only one that differs in case alone.
    fn customer_id(&self) -> Result<usize> {
        let columns = self.columns();
        let like: Vec<usize> =
            (0..columns.len()).filter(|&place| columns[place].eq_ignore_ascii_case(CUSTOMER_ID)).collect();
        let exact = like.iter().copied().find(|&place| columns[place] == CUSTOMER_ID);
        let place = match (exact, &like[..]) {
            (Some(place), _) | (None, &[place]) => place,
            (None, []) => {
                return Err(Error::Document {
                    file: self.path.display().to_string(),
                    problem: format!(
                        "it has no column \"{CUSTOMER_ID}\", and random numbers are keyed by the id"
                    ),
                    remedy: "name the columns of the id: --id COLUMN".to_string(),
                });
            }
            (None, several) => {
                let candidates: Vec<&str> = several.iter().map(|&place| columns[place]).collect();
                return Err(super::several(&self.path, CUSTOMER_ID, &candidates));
            }
        };
        self.check_key(place, "customer")?;
        Ok(place)
    }

    /// The place of a column of integers or texts.
    ///
    /// # Errors
    /// A column that is not there, or that holds neither.
    pub fn key_column(&self, name: &str, role: &'static str) -> Result<usize> {
        let columns = self.columns();
        let place = columns.iter().position(|column| *column == name).ok_or_else(|| {
            let columns: Vec<String> = columns.iter().map(|column| column.to_string()).collect();
            let columns = nearest_first(name, &columns);
            Error::ColumnNotFound { path: self.path.clone(), role, wanted: Some(name.to_string()), columns }
        })?;
        self.check_key(place, role)?;
        Ok(place)
    }

    fn check_key(&self, place: usize, role: &'static str) -> Result<()> {
        let field = self.schema().field(place);
        if kind(field.data_type()).is_some() {
            return Ok(());
        }
        Err(Error::ColumnType {
            path: self.path.clone(),
            role,
            column: field.name().clone(),
            found: field.data_type().to_string(),
            expected: "integers or texts",
        })
    }

    /// Stable hashes of the ids of the customers in `rows`, which are all columns of stretch `i`: the same as the customer
    /// table's for ids of one column.
    ///
    /// # Errors
    /// A customer without an id, with its row; damage.
    pub fn hashes(&self, i: usize, rows: &Rows, places: &[usize]) -> Result<Vec<u64>> {
        let mut parts = Vec::with_capacity(places.len());
        for &place in places {
            let column = rows.batch.column(place);
            let missing = (0..column.len()).find(|&row| rows.customers[row] && column.is_null(row));
            if let Some(row) = missing {
                let what = format!(
                    "{} in row {} of {}",
                    self.schema().field(place).name(),
                    self.stretches[i].first + row as u64,
                    self.path.display()
                );
                return Err(Error::value(
                    what,
                    "null",
                    "a customer's random numbers are keyed by its id",
                    "give every customer an id",
                ));
            }
            parts.push(self.key(column)?.hashes(&rows.customers));
        }
        if let [one] = &mut parts[..] {
            return Ok(std::mem::take(one));
        }
        let customers = parts.first().map_or(0, Vec::len);
        let together = |k: usize| {
            let bytes: Vec<u8> = parts.iter().flat_map(|part| part[k].to_le_bytes()).collect();
            hash_text(&bytes)
        };
        Ok((0..customers).map(together).collect())
    }

    /// The groups of the customers in `rows`, which are all columns of a stretch, by the column at `place`.
    ///
    /// # Errors
    /// Damage.
    pub fn groups(&self, rows: &Rows, place: usize) -> Result<Grouped> {
        let key = self.key(rows.batch.column(place))?;
        Ok(match &key {
            Key::Signed(array) => {
                let values = array.as_primitive::<Int64Type>();
                grouped(array, &rows.customers, |i| values.value(i), |v| GroupKey::Integer(v.into()))
            }
            Key::Unsigned(array) => {
                let values = array.as_primitive::<UInt64Type>();
                grouped(array, &rows.customers, |i| values.value(i), |v| GroupKey::Integer(v.into()))
            }
            Key::Text(array) => {
                let values = array.as_string::<i64>();
                grouped(array, &rows.customers, |i| values.value(i), |v| GroupKey::Text(v.to_string()))
            }
        })
    }

    fn key(&self, column: &ArrayRef) -> Result<Key> {
        let wanted = kind(column.data_type());
        let wanted =
            wanted.ok_or_else(|| Error::internal("a key of customers", column.data_type().to_string()))?;
        let array = cast(column, &wanted).map_err(|e| super::damaged(&self.path, &e))?;
        Ok(match wanted {
            DataType::Int64 => Key::Signed(array),
            DataType::UInt64 => Key::Unsigned(array),
            _ => Key::Text(array),
        })
    }
}

/// A column in one of the three types that keys have.
enum Key {
    Signed(ArrayRef),
    Unsigned(ArrayRef),
    Text(ArrayRef),
}

impl Key {
    /// Hashes of the values where `wanted`.
    fn hashes(&self, wanted: &[bool]) -> Vec<u64> {
        let rows = (0..wanted.len()).filter(|&row| wanted[row]);
        match self {
            Key::Signed(array) => {
                let values = array.as_primitive::<Int64Type>();
                rows.map(|row| hash_integer(values.value(row) as u64)).collect()
            }
            Key::Unsigned(array) => {
                let values = array.as_primitive::<UInt64Type>();
                rows.map(|row| hash_integer(values.value(row))).collect()
            }
            Key::Text(array) => {
                let values = array.as_string::<i64>();
                rows.map(|row| hash_text(values.value(row).as_bytes())).collect()
            }
        }
    }
}

/// The type as which a key's values are read; none for what is no key.
fn kind(of: &DataType) -> Option<DataType> {
    match of {
        DataType::Dictionary(_, values) => kind(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(DataType::LargeUtf8),
        of if of.is_signed_integer() => Some(DataType::Int64),
        of if of.is_unsigned_integer() => Some(DataType::UInt64),
        _ => None,
    }
}

fn grouped<V: Copy + Eq + Hash>(
    array: &ArrayRef,
    wanted: &[bool],
    value: impl Fn(usize) -> V,
    key: impl Fn(V) -> GroupKey,
) -> Grouped {
    let mut out = Grouped::default();
    let mut found: HashMap<Option<V>, u32> = HashMap::new();
    for row in (0..wanted.len()).filter(|&row| wanted[row]) {
        let own = array.is_valid(row).then(|| value(row));
        let code = *found.entry(own).or_insert_with(|| {
            out.keys.push(own.map_or(GroupKey::Missing, &key));
            out.keys.len() as u32 - 1
        });
        out.codes.push(code);
    }
    out
}
