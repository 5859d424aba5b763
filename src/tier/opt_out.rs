//! Customers who do not want to be contacted: a CSV with a column `customer_id`, and if need be `since`.
//!
//! A customer on the list keeps its tier; what is handed on says so beside it, and no strategy contacts it. In doubt the
//! list holds: a line whose date cannot be read counts as said, because the error the other way is the worse one.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Serialize;

use super::csv_list::{self, Known};
use super::overrides::id_hash;
use crate::calendar::Day;
use crate::customers::Ids;
use crate::error::Result;

/// The columns. The date may be missing.
const COLUMNS: [Known; 2] = [("customer_id", &["customer_id", "customer", "id"]), ("since", &["since"])];

/// How many of [`COLUMNS`] there must be.
const NEEDED: usize = 1;

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptOut {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The customer's id as written.
    pub customer: String,
    /// The first day on which it holds, as written; empty where it holds in any case.
    pub since: String,
}

/// A list of who opted out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptOuts {
    /// In the order of the file.
    pub lines: Vec<OptOut>,
}

/// What there is to say of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// It names nobody, and changes nothing.
    NoCustomer,
    /// Its date is none; it holds all the same.
    BadDate,
    /// Its date is still to come: it does not hold yet.
    NotYet,
    /// There is no such customer.
    UnknownCustomer,
    /// An earlier line that holds says the same.
    Repeated,
}

impl Remark {
    /// All, in the order in which a line is judged.
    pub const ALL: [Remark; 5] =
        [Remark::NoCustomer, Remark::BadDate, Remark::NotYet, Remark::UnknownCustomer, Remark::Repeated];

    /// In words, for a table of remarks.
    pub fn words(self) -> &'static str {
        match self {
            Remark::NoCustomer => "without a customer",
            Remark::BadDate => "whose since is no date (taken as opted out)",
            Remark::NotYet => "still to come (not opted out yet)",
            Remark::UnknownCustomer => "of no such customer",
            Remark::Repeated => "of a customer named before",
        }
    }
}

/// A line with what there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remarked {
    /// The line.
    #[serde(flatten)]
    pub line: OptOut,
    /// The remark.
    pub remark: Remark,
}

/// What became of the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptOutReport {
    /// Lines.
    pub lines: u64,
    /// The day on which the list was held against the customers.
    pub date: Day,
    /// Customers who have opted out by then.
    pub customers: u64,
    /// Lines that there is something to say of, in the order of the file.
    pub remarks: Vec<Remarked>,
}

impl OptOutReport {
    /// How many lines there are by remark, and the numbers of the first `most` of them.
    pub fn by_remark(&self, most: usize) -> Vec<(Remark, u64, Vec<u64>)> {
        let of = |remark| {
            let lines: Vec<u64> =
                self.remarks.iter().filter(|own| own.remark == remark).map(|own| own.line.line).collect();
            (remark, lines.len() as u64, lines.into_iter().take(most).collect())
        };
        Remark::ALL.into_iter().map(of).filter(|&(_, n, _)| n > 0).collect()
    }
}

impl OptOuts {
    /// Reads a list: UTF-8, comma-separated, with a heading.
    ///
    /// # Errors
    /// [`crate::Error::Io`], and [`crate::Error::Csv`] for a file without the column `customer_id`, with other columns than
    /// that and `since`, or with lines of unequal length.
    pub fn read(path: &Path) -> Result<OptOuts> {
        let wanted = "give a heading with customer_id, and if need be since";
        let lines = csv_list::read(path, &COLUMNS, NEEDED, wanted)?.into_iter().map(|line| {
            let mut fields = line.fields.into_iter();
            let mut next = || fields.next().unwrap_or_default();
            OptOut { line: line.line, customer: next(), since: next() }
        });
        Ok(OptOuts { lines: lines.collect() })
    }

    /// Which of the customers have opted out on `date`, by table and row, and what became of the lines. Several tables are
    /// parts of one company: who is in any of them is known.
    pub fn apply(&self, tables: &[&Ids], date: Day) -> (Vec<Vec<bool>>, OptOutReport) {
        let mut is_out: Vec<Vec<bool>> = tables.iter().map(|ids| vec![false; ids.len()]).collect();
        let mut remarks: Vec<(usize, Remark)> = Vec::new();
        // Lines by the customer as written: of each, whether it holds.
        let mut of_customer: HashMap<&str, Vec<(usize, bool)>> = HashMap::new();
        for (i, line) in self.lines.iter().enumerate() {
            if line.customer.is_empty() {
                remarks.push((i, Remark::NoCustomer));
                continue;
            }
            let holds = match line.since.parse::<Day>() {
                _ if line.since.is_empty() => true,
                Ok(since) if since > date => {
                    remarks.push((i, Remark::NotYet));
                    false
                }
                Ok(_) => true,
                Err(_) => {
                    remarks.push((i, Remark::BadDate));
                    true
                }
            };
            of_customer.entry(&line.customer).or_default().push((i, holds));
        }
        let mut is_known: HashMap<&str, bool> =
            of_customer.keys().map(|&customer| (customer, false)).collect();
        for (ids, is_out) in tables.iter().zip(&mut is_out) {
            // What one customer is called in the list, in more than one way.
            let mut wanted: HashMap<String, Vec<&str>> = HashMap::new();
            for &customer in of_customer.keys() {
                wanted.entry(canonical(ids, customer)).or_default().push(customer);
            }
            // Texts of integers are made only where their hash is wanted.
            let hashes: Option<HashSet<u64>> = match ids {
                Ids::Signed { .. } | Ids::Unsigned { .. } => {
                    Some(wanted.keys().map(|customer| id_hash(ids, customer)).collect())
                }
                Ids::Text { .. } | Ids::Composite { .. } => None,
            };
            for (row, is_out) in is_out.iter_mut().enumerate().filter(|_| !wanted.is_empty()) {
                if hashes.as_ref().is_some_and(|hashes| !hashes.contains(&ids.hash(row))) {
                    continue;
                }
                let Some(customers) = wanted.get(ids.text(row).trim()) else { continue };
                for &customer in customers {
                    is_known.insert(customer, true);
                    *is_out |= of_customer[customer].iter().any(|&(_, holds)| holds);
                }
            }
        }
        for (customer, lines) in &of_customer {
            if !is_known[customer] {
                remarks.extend(lines.iter().map(|&(i, _)| (i, Remark::UnknownCustomer)));
            } else {
                let mut holding = lines.iter().filter(|&&(_, holds)| holds);
                remarks.extend(holding.by_ref().skip(1).map(|&(i, _)| (i, Remark::Repeated)));
            }
        }
        remarks.sort_unstable();
        let customers = is_out.iter().flatten().filter(|&&is_out| is_out).count() as u64;
        let remarks = remarks.into_iter().map(|(i, remark)| Remarked { line: self.lines[i].clone(), remark });
        let report =
            OptOutReport { lines: self.lines.len() as u64, date, customers, remarks: remarks.collect() };
        (is_out, report)
    }
}

/// How a customer of the list is called among ids: blanks around it do not count, and integers are what they say (`007`, `+7`).
/// In doubt the list holds.
fn canonical(ids: &Ids, customer: &str) -> String {
    let text = customer.trim();
    let whole = text.strip_prefix('+').unwrap_or(text);
    match ids {
        Ids::Signed { .. } => whole.parse::<i64>().map_or_else(|_| text.to_string(), |id| id.to_string()),
        Ids::Unsigned { .. } => whole.parse::<u64>().map_or_else(|_| text.to_string(), |id| id.to_string()),
        Ids::Text { .. } | Ids::Composite { .. } => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::customers::table::TextKind;

    fn ids(values: &[i64]) -> Ids {
        Ids::Signed { values: values.to_vec(), bits: 64 }
    }

    fn list(lines: &[(&str, &str)]) -> OptOuts {
        let line = |(i, &(customer, since)): (usize, &(&str, &str))| OptOut {
            line: i as u64 + 2,
            customer: customer.into(),
            since: since.into(),
        };
        OptOuts { lines: lines.iter().enumerate().map(line).collect() }
    }

    /// In doubt the list holds: blanks around an id, zeros before it and a plus change nobody.
    #[test]
    fn one_customer_may_be_written_in_several_ways() {
        let date: Day = "2024-06-30".parse().unwrap();
        let texts = ["A17 ", "b", "007"];
        let (mut ends, mut bytes) = (Vec::new(), Vec::new());
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len());
        }
        let texts = Ids::Text { ends, bytes, kind: TextKind::Utf8 };
        let (out, report) =
            list(&[("A17", ""), ("+7", ""), ("07", ""), ("7", "")]).apply(&[&texts, &ids(&[7, 8])], date);
        assert_eq!(out, [vec![true, false, false], vec![true, false]]);
        assert_eq!(report.customers, 2);
        assert!(report.remarks.iter().all(|own| own.remark != Remark::UnknownCustomer));
    }

    #[test]
    fn who_is_out_and_what_became_of_each_line() {
        let date: Day = "2024-06-30".parse().unwrap();
        let lines = [
            ("1", ""),
            ("2", "2024-06-30"),
            ("3", "2024-07-01"),
            ("4", "soon"),
            ("9", ""),
            ("", ""),
            ("1", "2024-01-01"),
            ("3", "2024-08-01"),
            ("5", "2024-07-01"),
            ("5", "2024-05-01"),
            ("07", ""),
        ];
        let (out, report) = list(&lines).apply(&[&ids(&[1, 2, 3, 4, 5]), &ids(&[7])], date);
        assert_eq!(out, [vec![true, true, false, true, true], vec![true]]);
        assert_eq!((report.lines, report.customers), (11, 5));
        let found: Vec<(u64, Remark)> =
            report.remarks.iter().map(|own| (own.line.line, own.remark)).collect();
        let want = [
            (4, Remark::NotYet),
            (5, Remark::BadDate),
            (6, Remark::UnknownCustomer),
            (7, Remark::NoCustomer),
            (8, Remark::Repeated),
            (9, Remark::NotYet),
            (10, Remark::NotYet),
        ];
        assert_eq!(found, want);
        assert_eq!(report.by_remark(2)[2], (Remark::NotYet, 3, vec![4, 9]));
    }

    #[test]
    fn a_list_is_read_and_what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            OptOuts::read(&path)
        };
        let found = read("\u{feff}since,customer_id\n2024-01-01, 007 \n,8\n").unwrap();
        assert_eq!(found, list(&[("007", "2024-01-01"), ("8", "")]));
        assert_eq!(read("customer_id\n1\n").unwrap().lines.len(), 1);
        let error = |text: &str| format!("{:?}", read(text).unwrap_err());
        assert!(error("since\n2024-01-01\n").contains("the column \\\"customer_id\\\" is missing"));
        assert!(error("customer_id,sinse\n1,\n").contains("did you mean \\\"since\\\""));
        assert!(error("customer_id,since\n1\n").contains("it is not such a table"));
    }

    proptest! {
        /// Whoever is named without a date is out, and nobody else.
        #[test]
        fn those_on_the_list_and_nobody_else(named in prop::collection::vec(0i64..30, 0..40)) {
            let table: Vec<i64> = (0..20).collect();
            let texts: Vec<String> = named.iter().map(i64::to_string).collect();
            let lines: Vec<(&str, &str)> = texts.iter().map(|text| (text.as_str(), "")).collect();
            let (out, report) = list(&lines).apply(&[&ids(&table)], Day(0));
            for (row, id) in table.iter().enumerate() {
                prop_assert_eq!(out[0][row], named.contains(id));
            }
            prop_assert_eq!(report.customers, out[0].iter().filter(|&&is_out| is_out).count() as u64);
        }
    }
}
