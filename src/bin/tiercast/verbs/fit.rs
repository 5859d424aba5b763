//! `tiercast fit`: a table of customers → a fitted model. Contracts and opportunities have files of their own.

mod alike;
mod covariates;
mod groups;

use clap::ArgMatches;
use tiercast::calendar::Unit;
use tiercast::clv::covariates::Options;
use tiercast::clv::model_file::FittedMoney;
use tiercast::clv::{FitReport, ModelName, PosteriorOptions};
use tiercast::customers::{OrderDays, StatisticsFile};
use tiercast::pipeline::{CovariateColumns, fit_customers, fit_customers_by, fit_customers_with};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, significant};
use tiercast::{Error, Result};

use crate::args::{CohortColumnArgs, DifferenceArgs, FitArgs, FitModel, Global, ModelArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Origin, Settings, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: FitArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let needed = |option: &str, value: String, model: &str| {
        Error::value(option, value, format!("it belongs to {model}"), "leave it out, or choose that model")
    };
    if !matches!(args.model, FitModel::Contract(_)) {
        let belongs = "it belongs to models of contracts";
        super::refuse_typed::<CohortColumnArgs>(matches, &[], belongs, "leave it out, or fit sbg or bdw")?;
    }
    if !matches!(args.model, FitModel::Purchases(_)) {
        let (belongs, remedy) = ("it belongs to models of purchases", "leave it out, or choose that model");
        super::refuse_typed::<DifferenceArgs>(matches, &[], belongs, remedy)?;
    }
    if let (Some(period), false) = (args.opportunity, matches!(args.model, FitModel::Opportunities(_))) {
        return Err(needed("--opportunity", period.to_string(), "bg-bb"));
    }
    if let (Some(money), false) = (&args.money, matches!(args.model, FitModel::Purchases(_))) {
        return Err(needed("--money", money.clone(), "models of purchases"));
    }
    match args.model {
        FitModel::Purchases(model) => purchases(global, args, model, matches),
        FitModel::Contract(model) => super::contracts::fit(global, args, model, matches),
        FitModel::Opportunities(_) => super::opportunities::fit(global, args, matches),
    }
}

/// What a fit of purchases of whatever kind has to show and to keep.
struct Outcome {
    /// What a reader should know first.
    warnings: Vec<String>,
    /// The result as tables.
    tables: String,
    /// The document to keep and to print as JSON; why there is none.
    document: Result<String>,
}

/// Fits a model of purchases, and one of spend.
fn purchases(global: &Global, args: FitArgs, model: ModelName, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_reading(matches, &["unit"])?;
    let settings = resolve(global, &args, matches)?;
    let draws = draws(&args, 0, &settings)?;
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let out = super::model_place(&args, &inputs)?;
    let options = super::table_options(&settings, args.money.clone());
    let (outcome, mut warnings) = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open_with(&args.customers, &options)?;
        let how = How::new(&args.differences, draws, &file)?;
        let outcome = match how {
            How::Alike(draws) => alike::outcome(&fit_customers(&file, model, draws.as_ref(), &bars)?),
            How::ByGroup(column) => groups::outcome(&fit_customers_by(&file, model, column, &bars)?),
            How::WithCovariates(columns, options) => {
                covariates::outcome(&fit_customers_with(&file, model, &columns, options, &bars)?)
            }
        };
        Ok((outcome, file.warnings().to_vec()))
    })?;
    bars.finish();
    warnings.extend(outcome.warnings);
    if !global.quiet {
        warnings.iter().for_each(|warning| terminal::warning(warning));
    }
    if !global.json {
        terminal::print(&outcome.tables)?;
    }
    let document = outcome.document?;
    if global.json {
        terminal::print(&document)?;
    }
    out.map_or(Ok(()), |out| keep(global, out, document))
}

/// Writes a model's file.
pub(super) fn keep(global: &Global, out: OutputFile, text: String) -> Result<()> {
    std::fs::write(out.path(), text).map_err(|e| Error::io("write", out.path(), e))?;
    let place = out.finish()?;
    if !global.quiet {
        terminal::note(&format!("model in {}", place.display()));
    }
    Ok(())
}

/// The settings of a fit.
pub(super) fn resolve(global: &Global, args: &FitArgs, matches: Option<&ArgMatches>) -> Result<Settings> {
    let models = ModelArgs { seed: args.seed, ..ModelArgs::default() };
    settings::resolve(global, Typed { reading: args.reading.clone(), models, matches, ..Typed::default() })
}

/// The draws that are wanted, `by_default` unless a number was typed; there may be none.
pub(super) fn draws(args: &FitArgs, by_default: u32, settings: &Settings) -> Result<PosteriorOptions> {
    let (draws, seed) = (args.draws.unwrap_or(by_default), settings.run.seed);
    if draws == 0 {
        // A prior or a seed of nothing would be ignored in silence; environment and settings file say it of other verbs.
        let typed = *settings.origin("seed") == Origin::Flag;
        let given = args.prior.map(|prior| ("--prior", prior.to_string()));
        let given = given.or_else(|| typed.then(|| ("--seed", seed.to_string())));
        let problem = "it is for draws of the parameters, and there are none";
        if let Some((option, value)) = given {
            return Err(Error::value(option, value, problem, "say how many: --draws 400"));
        }
    }
    Ok(PosteriorOptions { prior: args.prior.unwrap_or_default(), draws, seed })
}

/// How customers differ by what is known of them.
enum How<'a> {
    Alike(Option<PosteriorOptions>),
    ByGroup(&'a str),
    WithCovariates(CovariateColumns, Options),
}

impl How<'_> {
    /// From what was typed, the draws that were asked for, and the file whose columns are named.
    fn new<'a>(typed: &'a DifferenceArgs, draws: PosteriorOptions, file: &StatisticsFile) -> Result<How<'a>> {
        let DifferenceArgs { by, covariates, purchase_covariates, dropout_covariates, penalty } = typed;
        let columns = file.columns();
        let both = names("--covariates", covariates, &columns)?;
        let side = |option: &str, own: &[String]| -> Result<Vec<String>> {
            Ok(both.iter().cloned().chain(names(option, own, &columns)?).collect())
        };
        let columns = CovariateColumns {
            purchase: side("--purchase-covariates", purchase_covariates)?,
            dropout: side("--dropout-covariates", dropout_covariates)?,
        };
        let draws = (draws.draws > 0).then_some(draws);
        let with = columns.purchase.iter().chain(&columns.dropout).next();
        if let (Some(draws), Some(column)) = (draws, by.as_ref().or(with)) {
            let problem =
                format!("draws are kept for one model for all customers, and \"{column}\" makes them differ");
            let remedy = "leave out --by or the covariates, or the draws";
            return Err(Error::value("--draws", draws.draws, problem, remedy));
        }
        match (by, with, penalty) {
            (Some(by), Some(with), _) => Err(Error::value(
                "--by",
                by,
                format!("there are covariates too (\"{with}\"), and the two do not go together"),
                "fit by group, or give the column of the groups as one of the covariates",
            )),
            (_, None, Some(penalty)) => Err(Error::value(
                "--penalty",
                penalty,
                "there are no covariates whose coefficients it could shrink",
                "give --covariates, or leave it out",
            )),
            (Some(by), None, None) => Ok(How::ByGroup(by)),
            (None, None, None) => Ok(How::Alike(draws)),
            (None, Some(_), penalty) => {
                let penalty = penalty.unwrap_or(0.0);
                if !(penalty.is_finite() && penalty >= 0.0) {
                    let problem = "it is not a number from 0 on";
                    return Err(Error::value("--penalty", penalty, problem, "give 0 for none"));
                }
                Ok(How::WithCovariates(columns, Options { penalty }))
            }
        }
    }
}

/// The columns that the values of an option name: a value that is a column's name is that column, commas and all; others
/// are lists with commas between the names.
fn names(option: &str, values: &[String], columns: &[&str]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for value in values {
        let parts: Vec<&str> = value.split(',').collect();
        let is_one = columns.contains(&value.as_str());
        if is_one && parts.len() > 1 && parts.iter().all(|part| columns.contains(part)) {
            let problem = "it is a column's name, and each of its parts is one as well";
            return Err(Error::value(option, value, problem, "rename the column with the comma"));
        }
        match is_one {
            true => out.push(value.clone()),
            false => out.extend(parts.into_iter().map(String::from)),
        }
    }
    Ok(out)
}

/// The line above the tables: to whom, and in what unit.
fn title(customers: u64, prospects: u64, unit: Option<Unit>) -> String {
    let unit = unit.map_or(String::new(), |unit| format!(", time in {}s", unit.name()));
    let prospects = match prospects {
        0 => String::new(),
        prospects => format!(" ({} prospects left out)", count(prospects)),
    };
    format!("Fitted to {} customers{prospects}{unit}", count(customers))
}

/// What the model of spend is about, and how it goes with the number of orders, which the model takes for independent.
fn money(fitted: Option<&FittedMoney>) -> String {
    let Some(fitted) = fitted else { return String::new() };
    let over = match fitted.money.over {
        OrderDays::Repeat => "repeat purchases",
        OrderDays::All => "all order days",
    };
    let correlation = match &fitted.correlation {
        Some(c) => format!("{:.3}, 95 % interval {:.3} to {:.3}", c.value, c.lower, c.upper),
        None => "not determined: fewer than four customers, or no variation".to_string(),
    };
    format!(
        "Spend is {}, means over {over}. Correlation of their number and value: {correlation}\n",
        fitted.money.words()
    )
}

/// Parameters with their errors, and the fits they are from.
pub(super) fn reports_table<'a>(title: String, reports: impl Iterator<Item = &'a FitReport>) -> String {
    let mut parameters = Grid::new(title, &["model", "parameter", ">estimate", ">standard error"]);
    let mut fits = Grid::new("Fits", &["model", ">log-likelihood", ">AIC", ">gradient", "verdict"]);
    for report in reports {
        for (i, parameter) in report.parameters.iter().enumerate() {
            parameters.row(vec![
                if i == 0 { report.model.into() } else { String::new() },
                parameter.name.into(),
                significant(parameter.estimate, 6),
                parameter.standard_error.map_or("unknown".into(), |e| significant(e, 3)),
            ]);
        }
        fits.row(vec![
            report.model.into(),
            report.log_likelihood.map_or("none".into(), |v| format!("{v:.3}")),
            aic(report).map_or("none".into(), |v| format!("{v:.3}")),
            format!("{:.0e}", report.gradient_norm),
            report.verdict.sentence(),
        ]);
    }
    parameters.text() + &fits.text()
}

/// Akaike's criterion, 2·parameters − 2·log-likelihood.
fn aic(report: &FitReport) -> Option<f64> {
    report.log_likelihood.map(|ll| 2.0 * (report.parameters.len() as f64 - ll))
}
