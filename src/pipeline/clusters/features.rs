//! The columns by which customers are compared: found, read, and put in the order of the customers' ids.

use crate::customers::spend::count;
use crate::customers::table::Plain;
use crate::customers::{Ids, WholeFile};
use crate::error::{Error, Result, nearest_first};
use crate::parallel;
use crate::segment::points::{refusal, unusable};
use crate::segment::transform::{LeftOut, Prepared, Source, SourceReport};
use crate::segment::{Feature, Points};
use crate::tier::cluster_scheme::{CLUSTER, NUMBER};
use crate::tier::file_columns::HOLDOUT;

/// The customers of a file, in ascending order of their ids.
pub(super) struct Table {
    /// Everybody's id, by row of the file.
    pub(super) ids: Ids,
    /// The row of each customer; none where it is its place.
    rows: Option<Vec<u32>>,
    customers: usize,
    /// The features' columns by customer; NaN where there is no number.
    pub(super) values: Vec<Vec<f64>>,
    clv: Option<Money>,
    total_spend: Option<Money>,
}

/// Money of the customers.
enum Money {
    /// A feature, by its place.
    Feature(usize),
    /// A column that is no feature.
    Beside(Vec<f64>),
}

/// Looks at names and types before anything is read.
pub(super) fn check(file: &WholeFile, features: &[Feature]) -> Result<()> {
    let names = file.columns();
    for feature in features {
        let name = &feature.column;
        let wrong = |problem: String, remedy: String| Err(Error::value("--feature", name, problem, remedy));
        if [CLUSTER, NUMBER].iter().any(|own| own.eq_ignore_ascii_case(name)) {
            let problem = "an earlier clustering made it, and the result has columns of that name".into();
            return wrong(problem, "rename the column if it is something else".into());
        }
        if name == file.id_name() {
            let problem = "it is the column of ids, and distances between ids say nothing".into();
            return wrong(problem, "take another column, or name the one of ids with --id".into());
        }
        let Some(found) = file.type_of(name).filter(|_| names.contains(name)) else {
            let near = nearest_first(name, &names);
            let mut remedy = match near.first() {
                Some(first) => format!("did you mean \"{first}\"? The columns are: {}", near.join(", ")),
                None => "the table has no column but the id".into(),
            };
            if name.contains(':') {
                remedy += "; behind a column may stand log, winsor=LOW%,HIGH% and raw, with colons between";
            }
            return wrong(format!("{} has no such column", file.path().display()), remedy);
        };
        if HOLDOUT.contains(&name.as_str()) {
            let problem = "it is of the holdout: what came after must not decide a cluster".into();
            return wrong(problem, "take figures of the calibration".into());
        }
        if !file.is_number(name) {
            let problem = format!("its type is {found}, and distances need numbers");
            return wrong(problem, "take a column of numbers, or write codes as numbers first".into());
        }
    }
    Ok(())
}

impl Table {
    pub(super) fn read(file: &WholeFile, features: &[Feature]) -> Result<Table> {
        let ids = file.ids()?;
        let keep = file.customers()?;
        let ascending = ids.ascending();
        let rows: Option<Vec<u32>> = match (ascending, &keep) {
            (None, None) => None,
            (order, keep) => {
                let all = order.unwrap_or_else(|| (0..ids.len() as u32).collect());
                let is_kept = |row: &u32| keep.as_ref().is_none_or(|keep| keep[*row as usize]);
                Some(all.into_iter().filter(is_kept).collect())
            }
        };
        let customers = rows.as_ref().map_or(ids.len(), Vec::len);
        if customers == 0 {
            return Err(Error::Document {
                file: file.path().display().to_string(),
                problem: format!("none of its {} rows is a customer with an order", count(ids.len() as u64)),
                remedy: "give a table with at least one customer".into(),
            });
        }
        let mut table = Table { ids, rows, customers, values: Vec::new(), clv: None, total_spend: None };
        for feature in features {
            let values = table.column(file, &feature.column, false)?;
            table.values.push(values);
        }
        // Money beside the features says which clusters are the best: for that the nearest number is near enough.
        let known = |table: &Table, name: &str| -> Result<Option<Money>> {
            if let Some(at) = features.iter().position(|feature| feature.column == name) {
                return Ok(Some(Money::Feature(at)));
            }
            let beside = file.is_number(name).then(|| table.column(file, name, true)).transpose()?;
            Ok(beside.map(Money::Beside))
        };
        table.clv = known(&table, "clv")?;
        table.total_spend = known(&table, "total_spend")?;
        Ok(table)
    }

    /// How many customers.
    pub(super) fn customers(&self) -> usize {
        self.customers
    }

    /// The row of a customer in the file.
    pub(super) fn row(&self, customer: usize) -> usize {
        self.rows.as_ref().map_or(customer, |rows| rows[customer] as usize)
    }

    /// Lifetime value, if it is known.
    pub(super) fn clv(&self) -> Option<&[f64]> {
        self.money(self.clv.as_ref())
    }

    /// Total spend, if it is known.
    pub(super) fn total_spend(&self) -> Option<&[f64]> {
        self.money(self.total_spend.as_ref())
    }

    fn money<'a>(&'a self, money: Option<&'a Money>) -> Option<&'a [f64]> {
        Some(match money? {
            Money::Feature(at) => &self.values[*at],
            Money::Beside(values) => values,
        })
    }

    /// A column of numbers by customer; with `rounded` those beyond 2^53 are the nearest floating-point number.
    fn column(&self, file: &WholeFile, name: &str, rounded: bool) -> Result<Vec<f64>> {
        let missing = || Error::internal("reading a column", format!("the file has lost \"{name}\""));
        let values = match file.column(name, None)?.ok_or_else(missing)?.plain(name)? {
            Plain::Numbers(values) => values,
            Plain::Whole(values) if rounded => {
                values.into_iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect()
            }
            Plain::Whole(_) => {
                let problem =
                    "some of its numbers are beyond 2^53, as ids are: distances between them say nothing";
                return Err(Error::value("--feature", name, problem, "take another column"));
            }
            _ => return Err(Error::internal("reading a column", format!("\"{name}\" lost its type"))),
        };
        Ok(match &self.rows {
            Some(rows) => parallel::collect(rows.len(), |i| values[rows[i] as usize]),
            None => values,
        })
    }

    /// The features made comparable.
    pub(super) fn prepared(&self, features: &[Feature]) -> Result<Prepared> {
        let mut sources = Vec::new();
        for (feature, values) in features.iter().zip(&self.values) {
            sources.push(Source { name: feature.column.clone(), values, transform: feature.transform });
        }
        let prepared = Prepared::of(&sources)?;
        if prepared.used.is_empty() {
            let names: Vec<String> = features.iter().map(Feature::to_string).collect();
            let customers = count(self.customers as u64);
            let reports = || prepared.reports.iter();
            let problem = if reports().all(|report| report.left_out == Some(LeftOut::Same)) {
                format!("each is the same for all {customers} customers: there is nothing to group by")
            } else {
                let each = |report: &SourceReport| {
                    format!("{} {}", report.name, report.left_out.map_or("", LeftOut::words))
                };
                let all: Vec<String> = reports().map(each).collect();
                format!("there is nothing to group {customers} customers by: {}", all.join(", "))
            };
            let remedy = "give features in which customers differ";
            return Err(Error::value("the features", names.join(", "), problem, remedy));
        }
        Ok(prepared)
    }

    /// The prepared columns as points; a value that cannot be compared is called by its column and customer.
    pub(super) fn points<'a>(&self, prepared: &'a Prepared) -> Result<Points<'a>> {
        for (column, name) in prepared.columns.iter().zip(prepared.names()) {
            if let Some(customer) = unusable(column) {
                let id = self.ids.text(self.row(customer));
                return Err(refusal(format!("{name} of customer {id}"), column[customer]));
            }
        }
        prepared.points()
    }
}

/// What was done to features that a reader should know.
pub(super) fn warnings(reports: &[SourceReport], customers: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    for report in reports {
        let SourceReport { name, not_finite, .. } = report;
        match (report.left_out, *not_finite) {
            (Some(LeftOut::Same), missing) if missing > 0 => {
                let who = "for whom it is a number";
                warnings.push(format!("{name} is the same for every customer {who} and was left out"));
            }
            (Some(why), _) => warnings.push(format!("{name} {} and was left out", why.words())),
            (None, 0) => {}
            (None, missing) => warnings.push(format!(
                "{name} is no number for {} of {} customers, who count as the mean",
                count(missing),
                count(customers as u64)
            )),
        }
    }
    warnings
}
