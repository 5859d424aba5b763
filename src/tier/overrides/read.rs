//! The file of overrides: a CSV with a heading.

use std::path::Path;

use super::{Override, Overrides};
use crate::error::Result;
use crate::tier::csv_list::{self, Known};

/// The columns, the first name of each being its own. The scheme and until may be missing.
const COLUMNS: [Known; 6] = [
    ("customer_id", &["customer_id", "customer", "id"]),
    ("tier", &["tier"]),
    ("who", &["who"]),
    ("why", &["why"]),
    ("until", &["until"]),
    ("scheme", &["scheme"]),
];

/// How many of [`COLUMNS`] there must be.
const NEEDED: usize = 4;

impl Overrides {
    /// Reads a file: UTF-8, comma-separated, with a heading.
    ///
    /// # Errors
    /// [`crate::Error::Io`], and [`crate::Error::Csv`] for a file without the columns `customer_id`, `tier`, `who` and `why`, with
    /// other columns than those, `until` and `scheme`, or with lines of unequal length.
    pub fn read(path: &Path) -> Result<Overrides> {
        let wanted = "give a heading with customer_id, tier, who and why, and if need be until and scheme";
        let lines = csv_list::read(path, &COLUMNS, NEEDED, wanted)?.into_iter().map(|line| {
            let mut fields = line.fields.into_iter();
            let mut next = || fields.next().unwrap_or_default();
            Override {
                line: line.line,
                customer: next(),
                tier: next(),
                who: next(),
                why: next(),
                until: next(),
                scheme: Some(next()).filter(|scheme| !scheme.is_empty()),
            }
        });
        Ok(Overrides { lines: lines.collect() })
    }
}
