//! `tiercast fit`: a table of customers → a fitted model.

mod covariates;
mod groups;

use std::path::PathBuf;

use tiercast::calendar::Unit;
use tiercast::clv::FitReport;
use tiercast::clv::covariates::Options;
use tiercast::customers::StatisticsFile;
use tiercast::pipeline::{CovariateColumns, Fitted, fit_customers, fit_customers_by, fit_customers_with};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, significant};
use tiercast::{Error, Result};

use crate::args::{DifferenceArgs, FitArgs, Global, UnitArg};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// The unit as it was typed.
pub(super) fn unit(typed: Option<UnitArg>) -> Option<Unit> {
    typed.map(|unit| match unit {
        UnitArg::Day => Unit::Day,
        UnitArg::Week => Unit::Week,
    })
}

/// What a fit of whatever kind has to show and to keep.
struct Outcome {
    /// What a reader should know first.
    warnings: Vec<String>,
    /// The result as tables.
    tables: String,
    /// The document to keep and to print as JSON; why there is none.
    document: Result<String>,
}

/// Runs the verb.
pub fn main(global: &Global, args: FitArgs) -> Result<()> {
    let settings = settings::resolve(global, Typed::default())?;
    let how = How::new(&args.differences)?;
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let out = args.output.as_ref().map(|path| OutputFile::begin(path, args.force, &inputs)).transpose()?;
    let outcome = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open(&args.customers, unit(args.unit))?;
        Ok(match how {
            How::Alike => alike(&fit_customers(&file, args.model, &bars)?),
            How::ByGroup(column) => groups::outcome(&fit_customers_by(&file, args.model, column, &bars)?),
            How::WithCovariates(columns, options) => {
                covariates::outcome(&fit_customers_with(&file, args.model, &columns, options, &bars)?)
            }
        })
    })?;
    bars.finish();
    if !global.quiet {
        outcome.warnings.iter().for_each(|warning| terminal::warning(warning));
    }
    if !global.json {
        terminal::print(&outcome.tables)?;
    }
    let document = outcome.document?;
    if global.json {
        terminal::print(&document)?;
    }
    out.map_or(Ok(()), |out| keep(global, out, &document))
}

fn keep(global: &Global, out: OutputFile, document: &str) -> Result<()> {
    std::fs::write(out.path(), document).map_err(|e| Error::io("write", out.path(), e))?;
    let place: PathBuf = out.finish()?;
    if !global.quiet {
        terminal::note(&format!("model in {}", place.display()));
    }
    Ok(())
}

/// How customers differ by what is known of them.
enum How<'a> {
    Alike,
    ByGroup(&'a str),
    WithCovariates(CovariateColumns, Options),
}

impl How<'_> {
    /// From what was typed.
    fn new(typed: &DifferenceArgs) -> Result<How<'_>> {
        let DifferenceArgs { by, covariates, purchase_covariates, dropout_covariates, penalty } = typed;
        let side = |own: &[String]| covariates.iter().chain(own).cloned().collect::<Vec<_>>();
        let columns =
            CovariateColumns { purchase: side(purchase_covariates), dropout: side(dropout_covariates) };
        let with = columns.purchase.iter().chain(&columns.dropout).next();
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
            (None, None, None) => Ok(How::Alike),
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

fn alike(fitted: &Fitted) -> Outcome {
    let reports = [Some(fitted.purchases.report()), fitted.spend.as_ref().map(|fit| &fit.report)];
    Outcome {
        warnings: reports.iter().flatten().flat_map(|report| report.warnings.clone()).collect(),
        tables: table(fitted),
        document: fitted.file().and_then(|file| file.document().text()),
    }
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

/// The two tables of fits: parameters, and what each fit amounts to.
fn tables_of(title: String, reports: &[&FitReport]) -> String {
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

fn table(fitted: &Fitted) -> String {
    let purchases = fitted.purchases.report();
    let title = title(fitted.fitted_to.customers, fitted.prospects, purchases.unit);
    let reports: Vec<&FitReport> =
        [Some(purchases), fitted.spend.as_ref().map(|fit| &fit.report)].into_iter().flatten().collect();
    tables_of(title, &reports)
}

/// Akaike's criterion, 2·parameters − 2·log-likelihood.
fn aic(report: &FitReport) -> Option<f64> {
    report.log_likelihood.map(|ll| 2.0 * (report.parameters.len() as f64 - ll))
}
