//! Models fitted by group to a file of customers, and customers scored by the model of their group.

use std::collections::BTreeMap;

use super::fit::{FittedSpend, fitted_to, patterns_of, spend_warnings};
use super::{check_customers, refuse_outcome};
use crate::clv::grouped::{GroupedReport, Groups, fit_groups_named};
use crate::clv::model_file::{FittedMoney, FittedTo, GroupModels};
use crate::clv::{Fit, GammaGamma, GroupsFile, ManyScorer, ModelName, PurchaseFit, Scores};
use crate::customers::{FileColumn, FileValues, Known, Rows, StatisticsFile};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::format::count;

/// The group of customers for whom the column has a null.
pub const NO_GROUP: &str = "(none)";

/// A column with more groups than this tells customers, not groups.
const MOST_GROUPS: usize = 10_000;

/// What the column is, in messages.
const ROLE: &str = "groups";

/// Fits by group to a file of customers.
#[derive(Debug)]
pub struct FittedGroups {
    /// The column of the groups.
    pub column: String,
    /// The model of purchases of all customers together.
    pub purchases: PurchaseFit,
    /// The groups.
    pub groups: GroupedReport,
    /// The model of spend, where the file has money: one for all groups.
    pub spend: Option<Fit<GammaGamma>>,
    /// What that was fitted to.
    pub money: Option<FittedMoney>,
    /// What they were fitted to.
    pub fitted_to: FittedTo,
    /// Rows without statistics.
    pub prospects: u64,
    /// Customers for whom the column has a null, who are the group [`NO_GROUP`].
    pub without_group: u64,
}

impl FittedGroups {
    /// What a reader of the fit should know.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = self.purchases.report().warnings.clone();
        out.extend(self.groups.warnings.iter().cloned());
        out.extend(spend_warnings(self.spend.as_ref()));
        if self.spend.as_ref().is_some_and(|fit| fit.params.is_some()) {
            out.push("the model of spend is one for all groups".to_string());
        }
        if self.without_group > 0 {
            out.push(format!(
                "{} customers have no {}: they are the group {NO_GROUP}",
                count(self.without_group),
                self.column
            ));
        }
        out
    }

    /// The file to keep.
    ///
    /// # Errors
    /// As for [`GroupsFile::new`].
    pub fn file(&self) -> Result<GroupsFile> {
        let (purchases, spend) = (&self.purchases, self.spend.as_ref().zip(self.money.as_ref()));
        GroupsFile::new(&self.column, purchases, &self.groups, spend, self.fitted_to.clone())
    }
}

/// Fits a model to each group of a file's customers, with partial pooling.
///
/// # Errors
/// Those of reading; a column that is not there or cannot tell groups, has one value only or more than 10,000, or a
/// group of the name that stands for none.
pub fn fit_customers_by(
    file: &StatisticsFile,
    model: ModelName,
    column: &str,
    progress: &dyn Progress,
) -> Result<FittedGroups> {
    refuse_outcome(file, "--by", column)?;
    let found = file.column(ROLE, column)?;
    found.check_labels(file, ROLE)?;
    progress.phase("reading", file.stretches() as u64);
    let (statistics, values) = file.statistics_with(&[(found, true)])?;
    let Some(Known { values: FileValues::Labels { names, codes }, missing }) = values.into_iter().next()
    else {
        return Err(Error::internal("reading groups", "no labels"));
    };
    check_customers(file, codes.len())?;
    let groups = groups_of(column, &names, &codes)?;
    progress.phase("finding patterns", 0);
    let patterns = patterns_of(&statistics)?;
    let (purchases, groups) = fit_groups_named(model, &patterns, &groups, file.unit(), progress)?;
    let FittedSpend { spend, money, .. } = FittedSpend::new(file, &statistics, progress)?;
    let customers = statistics.frequency.len() as u64;
    Ok(FittedGroups {
        column: column.to_string(),
        purchases,
        groups,
        spend,
        money,
        fitted_to: fitted_to(file, customers),
        prospects: file.rows() - customers,
        without_group: missing.map_or(0, |missing| missing.customers),
    })
}

/// The groups in the order in which one reads them: whole numbers by value, others as texts, and last who has none.
fn groups_of(column: &str, names: &[String], codes: &[Option<u32>]) -> Result<Groups> {
    let refused =
        |value: &str, problem: String, remedy: &str| Err(Error::value("--by", value, problem, remedy));
    check_names(column, names)?;
    if names.len() > MOST_GROUPS {
        let problem = format!("it has {} different values: that tells customers, not groups", names.len());
        return refused(
            column,
            problem,
            "give a column with at most 10,000 values, such as a region or a cohort",
        );
    }
    let nobody = codes.iter().any(Option::is_none);
    if names.len() + usize::from(nobody) < 2 {
        let problem =
            format!("all customers have the same value, \"{}\"", names.first().map_or(NO_GROUP, |n| n));
        return refused(column, problem, "leave --by out");
    }
    let number = |place: usize| names[place].parse::<i128>().ok();
    let mut order: Vec<usize> = (0..names.len()).collect();
    let numbers = order.iter().all(|&place| number(place).is_some());
    order.sort_by(|&a, &b| {
        let by_value = if numbers { number(a).cmp(&number(b)) } else { std::cmp::Ordering::Equal };
        by_value.then_with(|| names[a].cmp(&names[b]))
    });
    let mut places = vec![0u32; names.len()];
    for (place, &name) in (0u32..).zip(&order) {
        places[name] = place;
    }
    let mut listed: Vec<String> = order.into_iter().map(|name| names[name].clone()).collect();
    let last = listed.len() as u32;
    if nobody {
        listed.push(NO_GROUP.to_string());
    }
    Groups::new(listed, codes.iter().map(|code| code.map_or(last, |code| places[code as usize])).collect())
}

/// Refuses a group of the name that stands for none: the two could not be told apart.
fn check_names(column: &str, names: &[String]) -> Result<()> {
    if names.iter().any(|name| name == NO_GROUP) {
        let problem = format!("it has the value \"{NO_GROUP}\", which stands for customers without one");
        return Err(Error::value(
            "the column of the groups",
            column,
            problem,
            "give that group another name",
        ));
    }
    Ok(())
}

/// Scores customers by the models of a file.
pub(super) struct ByGroup<'a> {
    models: GroupModels,
    column: FileColumn,
    many: ManyScorer<'a>,
}

impl<'a> ByGroup<'a> {
    /// A scorer of a file's customers.
    ///
    /// # Errors
    /// A file without the column of the groups.
    pub fn new(model: &GroupsFile, file: &StatisticsFile, many: ManyScorer<'a>) -> Result<ByGroup<'a>> {
        let models =
            model.models().map_err(|problem| Error::internal("a model that was checked", problem))?;
        let column = file.column(ROLE, &model.column)?;
        column.check_labels(file, ROLE)?;
        Ok(ByGroup { models, column, many })
    }

    /// The scores, and customers by each group that the model does not know.
    ///
    /// # Errors
    /// A group of the name that stands for none.
    pub fn score(&self, rows: &Rows, progress: &dyn Progress) -> Result<(Scores, BTreeMap<String, u64>)> {
        let FileValues::Labels { names, codes } = rows.labels(&self.column)? else {
            return Err(Error::internal("reading groups", "no labels"));
        };
        check_names(self.column.name(), &names)?;
        let place = |name: &str| self.models.places.get(name).copied();
        let places: Vec<Option<u32>> = names.iter().map(|name| place(name)).collect();
        let none = place(NO_GROUP);
        let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
        let of: Vec<u32> = codes
            .iter()
            .map(|code| {
                let known = code.map_or(none, |code| places[code as usize]);
                known.unwrap_or_else(|| {
                    let name = code.map_or(NO_GROUP, |code| names[code as usize].as_str());
                    *unknown.entry(name.to_string()).or_default() += 1;
                    self.models.mean()
                })
            })
            .collect();
        let scores = self.many.score(&self.models.models, &of, &rows.statistics, progress)?;
        Ok((scores, unknown))
    }
}
