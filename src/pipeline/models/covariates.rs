//! Models fitted with covariates to a file of customers, and customers scored by their own covariates.

use std::collections::HashMap;

use super::fit::{FittedSpend, fitted_to, patterns_of, spend_warnings};
use super::{check_customers, refuse_outcome};
use crate::clv::covariates::{
    Covariate, CovariateReport, Covariates, Effect, Effects, Options, Value, Values, check_takes_covariates,
    fit_named,
};
use crate::clv::model_file::{FittedMoney, FittedTo};
use crate::clv::{CovariatesFile, Fit, GammaGamma, ManyScorer, ModelName, PurchaseModel, Scores};
use crate::customers::{FileColumn, FileValues, Known, Missing, Rows, StatisticsFile, no_number};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// More levels than this are names of customers, or of too little to learn from.
const MOST_LEVELS: usize = 50;

/// So many customers a level has at least on average.
const CUSTOMERS_PER_LEVEL: usize = 10;

/// What the columns are, in messages.
const ROLE: &str = "covariate";

/// The columns of covariates by name. One may be on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CovariateColumns {
    /// Of purchases.
    pub purchase: Vec<String>,
    /// Of dropout.
    pub dropout: Vec<String>,
}

/// A fit with covariates to a file of customers.
#[derive(Debug)]
pub struct FittedCovariates {
    /// The model of purchases.
    pub model: ModelName,
    /// What was found.
    pub report: CovariateReport,
    /// What each covariate does, where the fit is usable.
    pub effects: Option<Effects>,
    /// The model of spend, where the file has money: without covariates.
    pub spend: Option<Fit<GammaGamma>>,
    /// What that was fitted to.
    pub money: Option<FittedMoney>,
    /// What they were fitted to.
    pub fitted_to: FittedTo,
    /// Rows without statistics.
    pub prospects: u64,
}

impl FittedCovariates {
    /// What a reader of the fit should know.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = self.report.fit.warnings.clone();
        out.extend(spend_warnings(self.spend.as_ref()));
        if self.spend.as_ref().is_some_and(|fit| fit.params.is_some()) {
            out.push("the model of spend has no covariates".to_string());
        }
        out
    }

    /// The file to keep.
    ///
    /// # Errors
    /// As for [`CovariatesFile::new`].
    pub fn file(&self) -> Result<CovariatesFile> {
        let (effects, spend) = (self.effects.as_ref(), self.spend.as_ref().zip(self.money.as_ref()));
        CovariatesFile::new(self.model, &self.report, effects, spend, self.fitted_to.clone())
    }
}

/// Fits a model with covariates: columns of numbers as they are, others as levels against the most frequent one.
///
/// # Errors
/// Those of reading; a model that takes no covariates; a column that is not there, has missing values, no differences or
/// too many levels, or follows from others.
pub fn fit_customers_with(
    file: &StatisticsFile,
    model: ModelName,
    columns: &CovariateColumns,
    options: Options,
    progress: &dyn Progress,
) -> Result<FittedCovariates> {
    check_takes_covariates(model)?;
    let mut names: Vec<&String> = Vec::new();
    for name in columns.purchase.iter().chain(&columns.dropout) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let wanted: Vec<(FileColumn, bool)> = names
        .iter()
        .map(|name| {
            refuse_outcome(file, "a covariate", name)?;
            let column = file.column(ROLE, name)?;
            let labels = !column.is_numeric();
            Ok((column, labels))
        })
        .collect::<Result<_>>()?;
    progress.phase("reading", file.stretches() as u64);
    let (statistics, values) = file.statistics_with(&wanted)?;
    let customers = statistics.frequency.len();
    check_customers(file, customers)?;
    let mut known: Vec<Covariate> = Vec::new();
    for (name, Known { values, missing }) in names.iter().zip(values) {
        if let Some(missing) = missing {
            return Err(missing_values(file, name, missing));
        }
        known.push(Covariate { name: (*name).clone(), values: as_covariate(name, values, customers)? });
    }
    let side = |side: &[String]| -> Vec<Covariate> {
        side.iter().filter_map(|name| known.iter().find(|known| known.name == *name).cloned()).collect()
    };
    let covariates = Covariates::new(&side(&columns.purchase), &side(&columns.dropout), customers)?;
    drop(known);
    progress.phase("finding patterns", 0);
    let patterns = patterns_of(&statistics)?;
    let (report, effects) = fit_named(model, &patterns, &covariates, file.unit(), options, progress)?;
    let FittedSpend { spend, money, .. } = FittedSpend::new(file, &statistics, progress)?;
    let customers = customers as u64;
    let (fitted_to, prospects) = (fitted_to(file, customers), file.rows() - customers);
    Ok(FittedCovariates { model, report, effects, spend, money, fitted_to, prospects })
}

fn refused(name: &str, value: impl ToString, problem: impl Into<String>, remedy: &str) -> Error {
    Error::value(format!("the covariate \"{name}\""), value, problem, remedy)
}

fn missing_values(file: &StatisticsFile, name: &str, missing: Missing) -> Error {
    let problem = format!(
        "{} customers of {} have no value or an infinite one, the first in row {}",
        missing.customers,
        file.path().display(),
        missing.first_row
    );
    refused(
        name,
        missing.says,
        problem,
        "leave those customers out, or give missing values a level or a number of their own",
    )
}

fn as_covariate(name: &str, values: FileValues, customers: usize) -> Result<Values> {
    Ok(match values {
        FileValues::Numbers(values) => Values::Numeric(values),
        FileValues::Labels { names: levels, codes } => {
            if levels.len() > MOST_LEVELS
                || levels.len() > 1 && levels.len() > customers / CUSTOMERS_PER_LEVEL
            {
                let problem = format!(
                    "it has {} levels, at most {MOST_LEVELS} are allowed and one for {CUSTOMERS_PER_LEVEL} of the {customers} \
                     customers",
                    levels.len()
                );
                let remedy = "merge rare levels, or fit by group with --by, which pools them";
                return Err(refused(name, format!("{} levels", levels.len()), problem, remedy));
            }
            Values::Categorical { levels, codes }
        }
    })
}

/// Scores customers by the parameters that their covariates give them.
pub(super) struct ByCovariates<'a> {
    model: &'a CovariatesFile,
    file: &'a StatisticsFile,
    purchase: Vec<(FileColumn, &'a Effect)>,
    dropout: Vec<(FileColumn, &'a Effect)>,
    many: ManyScorer<'a>,
}

impl<'a> ByCovariates<'a> {
    /// A scorer of a file's customers.
    ///
    /// # Errors
    /// A file without a covariate of the fit, or with numbers in place of levels or the reverse.
    pub fn new(
        model: &'a CovariatesFile,
        file: &'a StatisticsFile,
        many: ManyScorer<'a>,
    ) -> Result<ByCovariates<'a>> {
        let columns = |effects: &'a [Effect]| -> Result<Vec<(FileColumn, &'a Effect)>> {
            effects
                .iter()
                .map(|effect| {
                    let column = file.column(ROLE, effect.column())?;
                    if effect.is_numeric() && !column.is_numeric() {
                        let problem = "the model was fitted to numbers there";
                        return Err(refused(
                            effect.column(),
                            "text",
                            problem,
                            "give the column as it was in the fit",
                        ));
                    }
                    if !effect.is_numeric() {
                        column.check_labels(file, ROLE)?;
                    }
                    Ok((column, effect))
                })
                .collect()
        };
        let (purchase, dropout) = (columns(&model.covariates.purchase)?, columns(&model.covariates.dropout)?);
        Ok(ByCovariates { model, file, purchase, dropout, many })
    }

    /// The scores, and how many customers have a number beyond those of the fit.
    ///
    /// # Errors
    /// A missing value, and a level that no customer of the fit had, with column and row.
    pub fn score(&self, rows: &Rows, progress: &dyn Progress) -> Result<(Scores, u64)> {
        let customers = rows.statistics.frequency.len();
        let mut beyond = vec![false; customers];
        let purchase = self.shifts(rows, &self.purchase, &mut beyond)?;
        let dropout = self.shifts(rows, &self.dropout, &mut beyond)?;
        // Customers with the same covariates have the same model.
        let mut places: HashMap<(u64, u64), u32> = HashMap::new();
        let mut models: Vec<Box<dyn PurchaseModel>> = Vec::new();
        let mut of = Vec::with_capacity(customers);
        for (i, (&purchase, &dropout)) in purchase.iter().zip(&dropout).enumerate() {
            let key = (purchase.to_bits(), dropout.to_bits());
            if let Some(&place) = places.get(&key) {
                of.push(place);
                continue;
            }
            let model = self.model.model_of(purchase, dropout).map_err(|problem| {
                let what =
                    format!("the covariates in row {} of {}", rows.row_of(i), self.file.path().display());
                Error::value(
                    what,
                    format!("{purchase}, {dropout}"),
                    format!("they lead where nothing can be computed: {problem}"),
                    "check the values against those of the fit",
                )
            })?;
            let place = models.len() as u32;
            models.push(model);
            places.insert(key, place);
            of.push(place);
        }
        let beyond = beyond.into_iter().filter(|&beyond| beyond).count() as u64;
        Ok((self.many.score(&models, &of, &rows.statistics, progress)?, beyond))
    }

    /// What the covariates of one side add for each customer.
    fn shifts(
        &self,
        rows: &Rows,
        columns: &[(FileColumn, &Effect)],
        beyond: &mut [bool],
    ) -> Result<Vec<f64>> {
        let mut sums = vec![0.0; beyond.len()];
        for (column, effect) in columns {
            let missing = |i: usize, says: &str| {
                let what = format!("the covariate \"{}\"", column.name());
                let problem = format!(
                    "row {} of {} has no value that counts",
                    rows.row_of(i),
                    self.file.path().display()
                );
                Error::value(what, says, problem, "give it a value, or leave the customer out")
            };
            if effect.is_numeric() {
                let FileValues::Numbers(values) = rows.numbers(column)? else { continue };
                for (i, &value) in values.iter().enumerate() {
                    let says = || match value.is_finite() {
                        true => missing(i, &value.to_string()),
                        false => missing(i, no_number(value)),
                    };
                    sums[i] += effect.of(Value::Number(value)).ok_or_else(says)?;
                    beyond[i] |= effect.is_beyond(value);
                }
                continue;
            }
            let FileValues::Labels { names, codes } = rows.labels(column)? else { continue };
            let shifts: Vec<Option<f64>> = names.iter().map(|name| effect.of(Value::Level(name))).collect();
            for (i, code) in codes.iter().enumerate() {
                let code = code.ok_or_else(|| missing(i, "null"))? as usize;
                sums[i] += shifts[code].ok_or_else(|| {
                    let problem = format!(
                        "no customer of the fit had this level, the first to have it is in row {} of {}",
                        rows.row_of(i),
                        self.file.path().display()
                    );
                    refused(
                        column.name(),
                        &names[code],
                        problem,
                        "fit again with such customers, or leave them out",
                    )
                })?;
            }
        }
        Ok(sums)
    }
}
