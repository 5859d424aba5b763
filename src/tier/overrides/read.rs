//! The file of overrides: a CSV with a heading.

use std::path::Path;

use super::{Override, Overrides};
use crate::error::{Error, Result, nearest_first};

/// The columns, the first name of each being its own. The scheme and until may be missing.
const COLUMNS: [(&str, &[&str]); 6] = [
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
    /// [`Error::Io`], and [`Error::Csv`] for a file without the columns `customer_id`, `tier`, `who` and `why`, with
    /// other columns than those, `until` and `scheme`, or with lines of unequal length.
    pub fn read(path: &Path) -> Result<Overrides> {
        let fail = |line: Option<u64>, column: Option<String>, problem: String, remedy: &str| Error::Csv {
            path: path.to_path_buf(),
            line,
            column,
            problem,
            remedy: remedy.to_string(),
        };
        let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let broken = |error: csv::Error| {
            let line = error.position().map(csv::Position::line);
            let remedy =
                "write UTF-8 text with commas between fields, as many in every line as in the heading";
            fail(line, None, format!("it is not such a table: {error}"), remedy)
        };
        let heading = reader.headers().map_err(broken)?.clone();
        let wanted = "give a heading with customer_id, tier, who and why, and if need be until and scheme";
        let mut places = [None; COLUMNS.len()];
        for (at, name) in heading.iter().enumerate() {
            let known =
                COLUMNS.iter().position(|(_, names)| names.iter().any(|own| own.eq_ignore_ascii_case(name)));
            let Some(column) = known else {
                let own: Vec<String> = COLUMNS.iter().map(|(name, _)| (*name).to_string()).collect();
                let nearest = &nearest_first(name, &own)[0];
                let remedy = format!("did you mean \"{nearest}\"? Otherwise leave the column out");
                return Err(fail(Some(1), Some(name.to_string()), "there is no such column".into(), &remedy));
            };
            if places[column].replace(at).is_some() {
                let problem = format!("it is the {} a second time", COLUMNS[column].0);
                return Err(fail(Some(1), Some(name.to_string()), problem, "keep one of the two"));
            }
        }
        if let Some(missing) = (0..NEEDED).find(|&column| places[column].is_none()) {
            let problem = format!("the column \"{}\" is missing", COLUMNS[missing].0);
            return Err(fail(Some(1), None, problem, wanted));
        }
        let mut out = Overrides::default();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let field =
                |column: usize| places[column].and_then(|at| record.get(at)).unwrap_or("").to_string();
            out.lines.push(Override {
                line: record.position().map_or(0, csv::Position::line),
                customer: field(0),
                tier: field(1),
                who: field(2),
                why: field(3),
                until: field(4),
                scheme: Some(field(5)).filter(|scheme| !scheme.is_empty()),
            });
        }
        Ok(out)
    }
}
