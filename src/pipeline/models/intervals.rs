//! A file of customers scored with intervals: of the expectation, and of what will happen.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::groups::NO_GROUP;
use super::score::{Scored, score};
use crate::clv::predict::{Customers, Groups, PredictOptions, Predicted, Predictor, Sums, Total};
use crate::clv::{CustomerModel, ModelFile, Scores, ValueOptions};
use crate::customers::{GroupKey, Grouped, Rows, StatisticsFile};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::format::percent_exact;

/// What intervals are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalOptions {
    /// The probability that they are to have, between 0 and 1, such as .9.
    pub level: f64,
    /// The seed of random numbers; that of the model's draws where none is given.
    pub seed: Option<u64>,
    /// The columns that are the customers' id, by which random numbers are keyed; `customer_id` where none is given.
    pub id: Vec<String>,
    /// A column by whose values totals are wanted.
    pub totals_by: Option<String>,
}

/// Totals with both intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// The probability that the intervals have.
    pub level: f64,
    /// The seed of random numbers.
    pub seed: u64,
    /// Draws of the parameters that they rest on.
    pub draws: usize,
    /// All customers'.
    pub all: GroupTotal,
    /// The column by which the groups are told apart.
    pub totals_by: Option<String>,
    /// Each group's, in the order of its values.
    pub groups: Vec<GroupTotal>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// Some customers' totals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupTotal {
    /// The group's value; none for all customers.
    pub group: Option<String>,
    /// Purchases expected within the horizon, at the fitted parameters.
    pub expected_transactions: f64,
    /// Lifetime value, at the fitted parameters, where there is a model of spend.
    pub clv: Option<f64>,
    /// Customers, and both intervals from the draws.
    pub intervals: Total,
}

/// Writes the customers of a file with their scores by a model and, from the model's draws, intervals of them. Stretch by
/// stretch, in one pass: memory grows neither with customers nor with customers × draws.
///
/// # Errors
/// Those of [`super::score_customers`]; a model without draws; customers without an id; too many groups.
pub fn predict_customers(
    file: &StatisticsFile,
    model: &ModelFile,
    options: &ValueOptions,
    intervals: &IntervalOptions,
    out: &Path,
    progress: &dyn Progress,
) -> Result<(Scored, Intervals)> {
    let (Some(draws), Some(models)) =
        (&model.draws, model.drawn_models().map_err(|problem| Error::internal("a checked model", problem))?)
    else {
        return Err(Error::value(
            "--intervals",
            percent_exact(intervals.level),
            "the model file has no draws of the parameters to rest them on",
            "fit the model again with draws: `tiercast fit CUSTOMERS -o MODEL --draws 400`",
        ));
    };
    let columns = file.columns();
    let own = Names::ALL.iter().flat_map(|name| Names::ENDS.iter().map(move |end| format!("{name}{end}")));
    if let Some(name) = own.into_iter().find(|own| columns.iter().any(|name| own.eq_ignore_ascii_case(name)))
    {
        return Err(Error::value(
            "the customers' file",
            file.path().display(),
            format!("it has a column \"{name}\" already"),
            "give the table of `tiercast summarize`, or drop the column",
        ));
    }
    let seed = intervals.seed.unwrap_or(draws.seed);
    let spend = models.spend.as_deref();
    let predict = PredictOptions { value: *options, level: intervals.level, seed };
    let mut predictor = Predictor::new(&models.purchases, spend, predict)?;
    if let Some(money) = model.money() {
        predictor = predictor.over(money.over);
    }
    let group = intervals.totals_by.as_deref().map(|name| file.key_column(name, "--totals-by"));
    let stretches = Stretches {
        file,
        predictor: &predictor,
        id: file.id_columns(&intervals.id)?,
        group: group.transpose()?,
        sums: Mutex::new(InOrder::new(&predictor)),
    };
    let scored = score(file, CustomerModel::Alike(model), options, Some(&stretches), out, progress)?;
    let sums = stretches.sums.into_inner().unwrap_or_else(PoisonError::into_inner);
    let of = |group: Option<String>, sum: &GroupSum| sum.total(group, intervals.level);
    let mut warnings = draws.warnings();
    warnings.extend(predictor.warnings());
    let found = Intervals {
        level: intervals.level,
        seed,
        draws: models.purchases.len(),
        all: of(None, &sums.all),
        totals_by: intervals.totals_by.clone(),
        groups: sums.groups.iter().map(|(key, sum)| of(Some(key.to_string()), sum)).collect(),
        warnings,
    };
    Ok((scored, found))
}

/// The columns of intervals: each of these names with some of these ends.
struct Names;

impl Names {
    const ALL: [&str; 5] = ["p_alive", "expected_transactions", "dert", "expected_spend", "clv"];
    const ENDS: [&str; 4] = ["_mean_lower", "_mean_upper", "_lower", "_upper"];
}

/// The stretches of a file, whose sums are added in their order, whatever order they are done in.
pub(super) struct Stretches<'a> {
    file: &'a StatisticsFile,
    predictor: &'a Predictor<'a>,
    /// Places of the columns of the id.
    id: Vec<usize>,
    /// Place of the column by which customers are grouped.
    group: Option<usize>,
    sums: Mutex<InOrder>,
}

/// Sums over the customers of a group.
#[derive(Debug, Clone)]
struct GroupSum {
    expected_transactions: f64,
    clv: f64,
    by_draw: Sums,
}

impl GroupSum {
    fn of_nobody(by_draw: Sums) -> GroupSum {
        GroupSum { expected_transactions: 0.0, clv: 0.0, by_draw }
    }

    fn add(&mut self, more: &GroupSum) {
        self.expected_transactions += more.expected_transactions;
        self.clv += more.clv;
        self.by_draw.add(&more.by_draw);
    }

    fn total(&self, group: Option<String>, level: f64) -> GroupTotal {
        let intervals = self.by_draw.total(level);
        let clv = intervals.clv.map(|_| self.clv);
        GroupTotal { group, expected_transactions: self.expected_transactions, clv, intervals }
    }
}

/// Sums of the stretches up to one, and of later ones that are done already: a few, as writing goes in order too.
struct InOrder {
    next: usize,
    waiting: BTreeMap<usize, (GroupSum, Vec<(GroupKey, GroupSum)>)>,
    all: GroupSum,
    groups: BTreeMap<GroupKey, GroupSum>,
}

impl InOrder {
    fn new(predictor: &Predictor<'_>) -> InOrder {
        let all = GroupSum::of_nobody(predictor.no_sums());
        InOrder { next: 0, waiting: BTreeMap::new(), all, groups: BTreeMap::new() }
    }

    fn add(&mut self, i: usize, all: GroupSum, groups: Vec<(GroupKey, GroupSum)>) {
        self.waiting.insert(i, (all, groups));
        while let Some((all, groups)) = self.waiting.remove(&self.next) {
            self.all.add(&all);
            for (key, sum) in groups {
                match self.groups.get_mut(&key) {
                    Some(group) => group.add(&sum),
                    None => drop(self.groups.insert(key, sum)),
                }
            }
            self.next += 1;
        }
    }
}

impl Stretches<'_> {
    /// The columns of intervals of stretch `i`, whose sums are added.
    pub(super) fn predict(
        &self,
        i: usize,
        rows: &Rows,
        scores: &Scores,
        progress: &dyn Progress,
    ) -> Result<Vec<(&'static str, Vec<f64>)>> {
        let hash = self.file.hashes(i, rows, &self.id)?;
        let grouped = self.group.map(|place| self.file.groups(rows, place)).transpose()?;
        check_groups(grouped.as_ref())?;
        let groups = grouped.as_ref().map(|found| Groups { codes: &found.codes, count: found.keys.len() });
        let customers = Customers { statistics: &rows.statistics, hash: &hash, groups };
        let mut predicted = self.predictor.predict(&customers, progress)?;
        let nobody = self.predictor.no_sums();
        let by_draw = std::mem::replace(&mut predicted.sums, nobody);
        let all = GroupSum {
            expected_transactions: scores.expected_transactions.iter().sum(),
            clv: scores.clv.iter().sum(),
            by_draw,
        };
        let mut sums: Vec<GroupSum> = predicted.groups.drain(..).map(GroupSum::of_nobody).collect();
        let keys = grouped.map_or(Vec::new(), |grouped| {
            for (k, &code) in grouped.codes.iter().enumerate() {
                sums[code as usize].expected_transactions += scores.expected_transactions[k];
                sums[code as usize].clv += scores.clv.get(k).copied().unwrap_or(0.0);
            }
            grouped.keys
        });
        let mut found = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        found.add(i, all, keys.into_iter().zip(sums).collect());
        self.predictor.check_groups(found.groups.len())?;
        drop(found);
        Ok(columns(predicted))
    }
}

/// Refuses a group of the name that stands for none: the two could not be told apart.
fn check_groups(grouped: Option<&Grouped>) -> Result<()> {
    let is_none = |key: &GroupKey| matches!(key, GroupKey::Text(name) if name == NO_GROUP);
    match grouped.is_some_and(|grouped| grouped.keys.iter().any(is_none)) {
        true => Err(Error::value(
            "--totals-by",
            NO_GROUP,
            "a customer has this value, which stands for customers without one",
            "give that group another name",
        )),
        false => Ok(()),
    }
}

fn columns(of: Predicted) -> Vec<(&'static str, Vec<f64>)> {
    let mut out = vec![
        ("p_alive_mean_lower", of.p_alive.mean_lower),
        ("p_alive_mean_upper", of.p_alive.mean_upper),
        ("expected_transactions_mean_lower", of.orders.mean_lower),
        ("expected_transactions_mean_upper", of.orders.mean_upper),
        ("expected_transactions_lower", of.orders.lower),
        ("expected_transactions_upper", of.orders.upper),
    ];
    if let Some(dert) = of.dert {
        out.extend([("dert_mean_lower", dert.mean_lower), ("dert_mean_upper", dert.mean_upper)]);
    }
    if let Some(spend) = of.spend {
        out.extend([
            ("expected_spend_mean_lower", spend.mean_lower),
            ("expected_spend_mean_upper", spend.mean_upper),
        ]);
    }
    if let Some(clv) = of.clv {
        out.extend([
            ("clv_mean_lower", clv.mean_lower),
            ("clv_mean_upper", clv.mean_upper),
            ("clv_lower", clv.lower),
            ("clv_upper", clv.upper),
        ]);
    }
    out
}
