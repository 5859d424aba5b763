//! `tiercast fit`: a table of customers → a fitted model. Contracts and opportunities have files of their own.

use clap::ArgMatches;
use tiercast::clv::{FitReport, ModelName};
use tiercast::customers::{OrderDays, StatisticsFile};
use tiercast::pipeline::{Fitted, fit_customers};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, significant};
use tiercast::{Error, Result};

use crate::args::{CohortColumnArgs, FitArgs, FitModel, Global};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
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

/// Fits a model of purchases, and one of spend.
fn purchases(global: &Global, args: FitArgs, model: ModelName, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_reading(matches, &["unit"])?;
    let settings = settings::resolve(global, Typed { reading: args.reading, matches, ..Typed::default() })?;
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let out = args.output.as_ref().map(|path| OutputFile::begin(path, args.force, &inputs)).transpose()?;
    let options = super::table_options(&settings, args.money);
    let (fitted, mut warnings) = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open_with(&args.customers, &options)?;
        Ok((fit_customers(&file, model, &bars)?, file.warnings().to_vec()))
    })?;
    bars.finish();
    warnings.extend(fitted.warnings());
    if !global.quiet {
        warnings.iter().for_each(|w| terminal::warning(w));
    }
    if !global.json {
        terminal::print(&table(&fitted))?;
    }
    let file = fitted.file()?;
    if global.json {
        terminal::print_json(&file.document())?;
    }
    if let Some(out) = out {
        keep(global, out, file.document().text()?)?;
    }
    Ok(())
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

fn table(fitted: &Fitted) -> String {
    let unit =
        fitted.purchases.report().unit.map_or(String::new(), |unit| format!(", time in {}s", unit.name()));
    let prospects = match fitted.prospects {
        0 => String::new(),
        prospects => format!(" ({} prospects left out)", count(prospects)),
    };
    let title = format!("Fitted to {} customers{prospects}{unit}", count(fitted.fitted_to.customers));
    let reports = [Some(fitted.purchases.report()), fitted.spend.as_ref().map(|fit| &fit.report)];
    reports_table(title, reports.into_iter().flatten()) + &money(fitted)
}

/// What the model of spend is about, and how it goes with the number of orders, which the model takes for independent.
fn money(fitted: &Fitted) -> String {
    let Some(fitted) = &fitted.money else { return String::new() };
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
