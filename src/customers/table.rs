//! The customer table as a struct of columns, and as Arrow.

mod about;
mod batch;
mod list;
pub(crate) mod more;
mod plain;
mod state_file;
mod statistics_file;
mod stretches;
mod survivors_file;
mod whole_file;

pub(crate) use about::KEY as CUSTOMERS_KEY;
pub use about::TableInfo;
pub use batch::{into_record_batch, to_record_batch, with_prospects};
pub use list::{CustomerList, ListCounts, ListReport, Prospects};
pub use plain::{NO_TEXT, Plain};
pub(crate) use state_file::{KEY as STATE_KEY, read_customers, read_info, read_kept};
pub use statistics_file::{
    FileColumn, FileValues, GroupKey, Grouped, Known, Missing, Money, MoneyKind, OrderDays, Rows, Statistics,
    StatisticsFile, StatisticsOptions, no_number,
};
pub use survivors_file::{SurvivorColumns, SurvivorRows};
pub use whole_file::{Added, WholeFile};

use arrow_array::{Array, ArrayRef};

use crate::calendar::{Day, Unit, Window};
use crate::error::{Error, Result};
use crate::history::composite;
use crate::parallel;
use crate::random::{hash_integer, hash_text};

/// The customers' ids, in ascending order (integers by value, texts by bytes), with the type they came in.
#[derive(Debug, Clone, PartialEq)]
pub enum Ids {
    /// Signed integers of any width.
    Signed {
        /// The values.
        values: Vec<i64>,
        /// Width of the column they came from: 8, 16, 32 or 64.
        bits: u8,
    },
    /// Unsigned integers of any width.
    Unsigned {
        /// The values.
        values: Vec<u64>,
        /// Width of the column they came from: 8, 16, 32 or 64.
        bits: u8,
    },
    /// Texts (Utf8, LargeUtf8, Utf8View or a dictionary of one of them), one after the other.
    Text {
        /// `ends[i]` is where text `i` ends in `bytes`.
        ends: Vec<usize>,
        /// All texts, UTF-8.
        bytes: Vec<u8>,
        /// Which of the text types they came in.
        kind: TextKind,
    },
    /// Several columns together.
    Composite {
        /// `ends[i]` is where id `i` ends in `bytes`.
        ends: Vec<usize>,
        /// All ids as bytes that sort like their parts, one after the other.
        bytes: Vec<u8>,
        /// Name and kind of each part.
        parts: Vec<IdPart>,
    },
}

pub use crate::history::{IdPart, TextKind};

/// String of bytes number `i`.
fn piece<'a>(ends: &[usize], bytes: &'a [u8], i: usize) -> &'a [u8] {
    &bytes[if i == 0 { 0 } else { ends[i - 1] }..ends[i]]
}

impl Ids {
    /// Number of customers.
    pub fn len(&self) -> usize {
        match self {
            Ids::Signed { values, .. } => values.len(),
            Ids::Unsigned { values, .. } => values.len(),
            Ids::Text { ends, .. } | Ids::Composite { ends, .. } => ends.len(),
        }
    }

    /// Whether there is no customer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As a column of a table.
    ///
    /// # Errors
    /// Ids of several columns, which are no column.
    pub fn into_column(self) -> Result<Values> {
        let mut columns = batch::ids(self)?;
        match (columns.pop(), columns.is_empty()) {
            (Some((_, array)), true) => Ok(Values::Array(array)),
            _ => Err(Error::internal("writing ids", "they are of several columns")),
        }
    }

    /// These and then those of another table; `None` where they are of another type.
    pub fn joined(mut self, other: Ids) -> Option<Ids> {
        let same = match (&mut self, &other) {
            (Ids::Signed { bits, .. }, Ids::Signed { bits: more, .. })
            | (Ids::Unsigned { bits, .. }, Ids::Unsigned { bits: more, .. }) => {
                *bits = (*bits).max(*more);
                true
            }
            (Ids::Text { .. }, Ids::Text { .. }) => true,
            (Ids::Composite { parts, .. }, Ids::Composite { parts: more, .. }) => parts == more,
            _ => false,
        };
        if same {
            self.append(other);
        }
        same.then_some(self)
    }

    /// Those of some rows, in their order.
    pub fn select(&self, rows: &[usize]) -> Ids {
        let texts = |ends: &[usize], bytes: &[u8]| {
            let (mut new_ends, mut new_bytes) = (Vec::with_capacity(rows.len()), Vec::new());
            for &row in rows {
                new_bytes.extend_from_slice(piece(ends, bytes, row));
                new_ends.push(new_bytes.len());
            }
            (new_ends, new_bytes)
        };
        match self {
            Ids::Signed { values, bits } => {
                Ids::Signed { values: rows.iter().map(|&row| values[row]).collect(), bits: *bits }
            }
            Ids::Unsigned { values, bits } => {
                Ids::Unsigned { values: rows.iter().map(|&row| values[row]).collect(), bits: *bits }
            }
            Ids::Text { ends, bytes, kind } => {
                let (ends, bytes) = texts(ends, bytes);
                Ids::Text { ends, bytes, kind: *kind }
            }
            Ids::Composite { ends, bytes, parts } => {
                let (ends, bytes) = texts(ends, bytes);
                Ids::Composite { ends, bytes, parts: parts.clone() }
            }
        }
    }

    /// Appends ids of the same kind that come after these.
    fn append(&mut self, other: Ids) {
        match (self, other) {
            (Ids::Signed { values, .. }, Ids::Signed { values: more, .. }) => values.extend(more),
            (Ids::Unsigned { values, .. }, Ids::Unsigned { values: more, .. }) => values.extend(more),
            (Ids::Text { ends, bytes, .. }, Ids::Text { ends: more, bytes: texts, .. })
            | (Ids::Composite { ends, bytes, .. }, Ids::Composite { ends: more, bytes: texts, .. }) => {
                let before = bytes.len();
                ends.extend(more.into_iter().map(|end| before + end));
                bytes.extend(texts);
            }
            _ => unreachable!("stretches of one table have ids of one kind"),
        }
    }

    /// The bytes of text or composite id `i`; nothing for integers.
    fn bytes(&self, i: usize) -> &[u8] {
        match self {
            Ids::Text { ends, bytes, .. } | Ids::Composite { ends, bytes, .. } => piece(ends, bytes, i),
            _ => &[],
        }
    }

    /// The rows in ascending order of the ids (integers by value, texts by bytes); `None` where they are in it.
    pub fn ascending(&self) -> Option<Vec<u32>> {
        let compare = |a: usize, b: usize| match self {
            Ids::Signed { values, .. } => values[a].cmp(&values[b]),
            Ids::Unsigned { values, .. } => values[a].cmp(&values[b]),
            _ => self.bytes(a).cmp(self.bytes(b)),
        };
        if (1..self.len()).all(|i| compare(i - 1, i).is_le()) {
            return None;
        }
        let mut rows: Vec<u32> = (0..self.len() as u32).collect();
        // The row settles ids that are equal.
        parallel::sort_by(&mut rows, |&a, &b| compare(a as usize, b as usize).then(a.cmp(&b)));
        Some(rows)
    }

    /// Id `i` as text; the parts of a composite id with strokes between them, as in "north/17".
    pub fn text(&self, i: usize) -> String {
        match self {
            Ids::Signed { values, .. } => values[i].to_string(),
            Ids::Unsigned { values, .. } => values[i].to_string(),
            Ids::Text { ends, bytes, .. } => String::from_utf8_lossy(piece(ends, bytes, i)).into_owned(),
            Ids::Composite { ends, bytes, parts } => composite::text(parts, piece(ends, bytes, i)),
        }
    }

    /// The stable hash of id `i`, by which random numbers are keyed: it depends on the id's value alone.
    pub fn hash(&self, i: usize) -> u64 {
        match self {
            Ids::Signed { values, .. } => hash_integer(values[i] as u64),
            Ids::Unsigned { values, .. } => hash_integer(values[i]),
            Ids::Text { ends, bytes, .. } | Ids::Composite { ends, bytes, .. } => {
                hash_text(piece(ends, bytes, i))
            }
        }
    }
}

/// What customers did in the holdout window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holdout {
    /// Days with a purchase.
    pub frequency: Vec<u32>,
    /// Money spent.
    pub spend: Vec<f64>,
}

/// A column that a later stage adds (scores, expectations, clusters, tiers).
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in `customers.parquet`.
    pub name: String,
    /// Its values, one per customer.
    pub values: Values,
}

/// The values of an added column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers.
    Float(Vec<f64>),
    /// Counts, scores, cluster numbers.
    Count(Vec<u32>),
    /// One of a few labels: `names[codes[i]]`.
    Label {
        /// Index into `names` of every customer.
        codes: Vec<u8>,
        /// The labels.
        names: Vec<String>,
    },
    /// Anything else, in the type it came in: attributes of a customers list, kept values, numbers of which some are
    /// missing.
    Array(ArrayRef),
}

/// Columns that every customer table may have, in their order.
const COLUMNS: [&str; 14] = [
    "customer_id",
    "frequency",
    "recency",
    "T",
    "monetary_value",
    "first_order",
    "last_order",
    "orders",
    "transactions",
    "total_spend",
    "days_since_last",
    "frequency_holdout",
    "spend_holdout",
    "T_holdout",
];

/// The column of every customer table with that name, whatever its case: many readers tell columns apart without it.
pub fn is_column(name: &str) -> Option<&'static str> {
    COLUMNS.into_iter().find(|column| column.eq_ignore_ascii_case(name))
}

/// One row per customer, ordered by id; every vector has the same length.
///
/// Durations are whole days; [`CustomerTable::recency`] and [`CustomerTable::t`] give them in the table's unit.
/// Definitions follow Fader, Hardie and Lee (2005).
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerTable {
    /// Who.
    pub ids: Ids,
    /// The windows of calibration and holdout.
    pub window: Window,
    /// The unit of recency and T in the output and the models.
    pub unit: Unit,
    /// Repeat purchases: days with an order after the first such day.
    pub frequency: Vec<u32>,
    /// Days from the first order to the last.
    pub recency_days: Vec<u32>,
    /// Days from the first order to the end of calibration.
    pub t_days: Vec<u32>,
    /// Mean spend of the repeat purchases (per day with an order, the first excluded); 0 where frequency is 0.
    pub monetary_value: Vec<f64>,
    /// Day of the first order.
    pub first_order: Vec<Day>,
    /// Day of the last order.
    pub last_order: Vec<Day>,
    /// Distinct order ids of each day where the history has them, else distinct days (frequency + 1).
    pub orders: Vec<u32>,
    /// Rows.
    pub transactions: Vec<u32>,
    /// Money spent in all.
    pub total_spend: Vec<f64>,
    /// What they did in the holdout, when there is one.
    pub holdout: Option<Holdout>,
    /// What later stages added, in order.
    pub columns: Vec<Column>,
}

impl CustomerTable {
    /// Number of customers.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no customer.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Appends the customers of the next stretch of the same table.
    pub(crate) fn append(&mut self, next: CustomerTable) -> Result<()> {
        self.ids.append(next.ids);
        self.frequency.extend(next.frequency);
        self.recency_days.extend(next.recency_days);
        self.t_days.extend(next.t_days);
        self.monetary_value.extend(next.monetary_value);
        self.first_order.extend(next.first_order);
        self.last_order.extend(next.last_order);
        self.orders.extend(next.orders);
        self.transactions.extend(next.transactions);
        self.total_spend.extend(next.total_spend);
        if let (Some(holdout), Some(next)) = (&mut self.holdout, next.holdout) {
            holdout.frequency.extend(next.frequency);
            holdout.spend.extend(next.spend);
        }
        more::append(&mut self.columns, next.columns)
    }

    /// Recency (first order to last) of customer `i` in the table's unit.
    pub fn recency(&self, i: usize) -> f64 {
        self.unit.of_days(self.recency_days[i])
    }

    /// T (first order to the end of calibration) of customer `i` in the table's unit.
    pub fn t(&self, i: usize) -> f64 {
        self.unit.of_days(self.t_days[i])
    }

    /// Whole days from the last order of customer `i` to the end of calibration.
    pub fn days_since_last(&self, i: usize) -> u32 {
        self.t_days[i] - self.recency_days[i]
    }

    /// The added column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Adds a column; `values` must have one entry per customer and the name must be new.
    pub fn push(&mut self, name: &str, values: Values) {
        self.insert(self.columns.len(), name, values);
    }

    /// The same at a place among the columns that were added.
    pub fn insert(&mut self, at: usize, name: &str, values: Values) {
        let len = match &values {
            Values::Float(v) => v.len(),
            Values::Count(v) => v.len(),
            Values::Label { codes, .. } => codes.len(),
            Values::Array(array) => array.len(),
        };
        assert_eq!(len, self.len(), "column {name}");
        assert!(self.column(name).is_none(), "column {name} twice");
        self.columns.insert(at, Column { name: name.to_string(), values });
    }
}
