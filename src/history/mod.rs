//! Purchase histories in: which columns say who, when and how much, and what became of every row.

mod clustered;
#[cfg(test)]
mod column_tests;
pub mod composite;
mod currency;
pub mod decode;
#[cfg(test)]
mod detection_tests;
pub mod event;
pub mod extras;
mod files;
#[cfg(test)]
mod files_tests;
mod folders;
mod footer;
mod hive;
pub mod id_map;
pub mod join;
#[cfg(test)]
mod join_tests;
pub mod kept;
mod keys;
pub mod ledger;
pub(crate) mod list;
mod map_file;
mod names;
mod of_customer;
#[cfg(test)]
mod regression_tests;
mod roles;
mod sample;
pub mod scan;
pub mod schema;
mod sizes;
mod skip;
mod source_keys;
mod split;
pub(crate) mod stamp;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod thrift;
mod together;
pub mod types;
mod values;
mod whole_rows;
mod words;
pub mod zone;

pub(crate) use clustered::Clustered;
pub use composite::IdPart;
pub use currency::Currencies;
pub use decode::{Sink, TaskLedger};
pub use extras::Extras;
pub use folders::files_of;
pub use id_map::{IdMap, IdMapInfo};
pub use join::{IdCount, JoinReport, MappedIds, SourceCounts, Unmatched};
pub use kept::KeptColumn;
pub use keys::TextId;
pub(crate) use keys::{IdBatch, IdValues, ids as id_batch};
pub use ledger::{Ledger, Reason, SetAsideRow, SkippedFile};
pub use of_customer::CustomerRow;
pub(crate) use roles::Role;
pub use scan::{FileInfo, History, Inspection};
pub use schema::{ColumnRef, Detected, How};
pub use types::{IdKind, TextKind};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::amount::Refunds;
use crate::calendar::{CalendarPeriod, Day, LastPeriods};
use crate::error::Result;

/// Where a history comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A Parquet file, a folder of them, or a pattern as in `orders/*.parquet`.
    Path(PathBuf),
    /// A Parquet file in memory, such as the bundled one.
    Bytes {
        /// The name by which it is reported.
        name: String,
        /// Its content.
        data: bytes::Bytes,
    },
}

/// The CDNOW purchase log: 69,659 rows of 23,570 customers, 1997-01-01 to 1998-06-30 (see `datasets/cdnow`).
pub fn bundled() -> Source {
    static CDNOW: &[u8] = include_bytes!("../../datasets/cdnow/cdnow.parquet");
    Source::Bytes { name: "cdnow.parquet (bundled)".to_string(), data: bytes::Bytes::from_static(CDNOW) }
}

/// What the sources hold, from their footers alone.
pub fn inspect(sources: &[Source], options: &HistoryOptions) -> Result<Inspection> {
    Ok(History::open(sources, options)?.inspection().clone())
}

/// By which periods customers are counted as cohorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CohortPeriod {
    /// Months up to 36 of them, quarters up to 48, else years.
    Auto,
    /// That period.
    #[serde(untagged)]
    By(CalendarPeriod),
}

/// How a history is read. The default finds every column by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryOptions {
    /// The column that says who bought, or the columns that say it together.
    #[serde(with = "one_or_many")]
    pub customer: Vec<String>,
    /// The column that says when.
    pub time: Option<String>,
    /// The column that says how much.
    pub amount: Option<String>,
    /// The column that says which order a row belongs to.
    pub order: Option<String>,
    /// The column that counts pieces: the amount is then the price of one of them.
    pub quantity: Option<String>,
    /// The column that says in which currency the amount is. A mixture is refused unless `only_currency` chooses.
    pub currency: Option<String>,
    /// The currency whose rows are used; those of the others are set aside.
    pub only_currency: Option<String>,
    /// The column that says what a row cost the seller.
    pub cost: Option<String>,
    /// The column that says what the seller earned with a row; not together with `cost`.
    pub margin: Option<String>,
    /// Columns whose last known value is kept for each customer.
    #[serde(with = "one_or_many")]
    pub keep: Vec<String>,
    /// The IANA time zone in which instants become days; the columns' own zone unless given. "local" takes INT96 times,
    /// which do not say what they are, as they stand.
    pub zone: Option<String>,
    /// The last day looked at; the history's last day unless given.
    pub as_of: Option<Day>,
    /// The last day of the calibration window; `as_of` unless given.
    pub calibration_end: Option<Day>,
    /// What happens to negative amounts.
    pub refunds: Refunds,
    /// A Parquet file, or a folder of them, that says which customer each id of each source is.
    pub id_map: Option<PathBuf>,
    /// The column that says a row's source; the name of the file or folder as given unless there is one.
    pub source: Option<String>,
    /// What happens to rows whose id is not in the id map.
    pub unmatched: Unmatched,
    /// Whether exact duplicates of a row are set aside.
    pub drop_duplicates: bool,
    /// Whether bad files are set aside whole and listed; without it, the first of them is an error.
    pub skip_bad_files: bool,
    /// The last periods of the calendar for which orders and spend are kept apart.
    pub periods: Option<LastPeriods>,
    /// A state to which the rows are added (`summarize --append`).
    #[serde(skip)]
    pub append: Option<PathBuf>,
    /// Whether customers are kept as accounts, so that a state can be written.
    #[serde(skip)]
    pub state: bool,
    /// The last day of the state, set when it is read: rows up to it are counted and refused.
    #[serde(skip)]
    pub closed: Option<Day>,
    /// Bytes of memory that reading may take; what does not fit goes to disk. No result depends on it.
    pub memory_limit: Option<u64>,
    /// The folder for what does not fit; the system's temporary folder unless given.
    pub spill_folder: Option<PathBuf>,
    /// Whether customers are counted by cohort, and by which period.
    pub cohorts: Option<CohortPeriod>,
}

/// Names as a settings file may hold them: one, or a list.
pub mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Many(Vec<String>),
    }

    /// One name as itself, any other number of them as a list.
    pub fn serialize<S: Serializer>(names: &[String], out: S) -> Result<S::Ok, S::Error> {
        match names {
            [name] => name.serialize(out),
            _ => names.serialize(out),
        }
    }

    /// A name or a list of names.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
        Ok(match Names::deserialize(input)? {
            Names::One(name) => vec![name],
            Names::Many(names) => names,
        })
    }
}
