//! `tiercast fit`: a table of customers → a fitted model. Contracts and opportunities have files of their own.

use clap::ArgMatches;
use tiercast::clv::{FitReport, ModelName, PosteriorOptions, PosteriorReport, Trust};
use tiercast::customers::{OrderDays, StatisticsFile};
use tiercast::pipeline::{Fitted, fit_customers};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, number, significant};
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
    let of_draws = [
        ("--draws", args.draws.map(|draws| draws.to_string())),
        ("--prior", args.prior.map(|prior| prior.to_string())),
        ("--seed", args.seed.map(|seed| seed.to_string())),
    ];
    if let (Some((option, Some(value))), false) = (
        of_draws.into_iter().find(|(_, value)| value.is_some()),
        matches!(args.model, FitModel::Purchases(_)),
    ) {
        return Err(needed(option, value, "models of purchases"));
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
    let draws = draws(&args)?;
    let settings = settings::resolve(global, Typed { reading: args.reading, matches, ..Typed::default() })?;
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let out = args.output.as_ref().map(|path| OutputFile::begin(path, args.force, &inputs)).transpose()?;
    let options = super::table_options(&settings, args.money);
    let (fitted, mut warnings) = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open_with(&args.customers, &options)?;
        Ok((fit_customers(&file, model, draws.as_ref(), &bars)?, file.warnings().to_vec()))
    })?;
    bars.finish();
    warnings.extend(fitted.warnings());
    if !global.quiet {
        warnings.iter().for_each(|w| terminal::warning(w));
        fitted.draws.iter().flat_map(|draws| draws.warnings()).for_each(|w| terminal::warning(&w));
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

/// The draws that are wanted.
fn draws(args: &FitArgs) -> Result<Option<PosteriorOptions>> {
    let draws = args.draws.unwrap_or(0);
    if draws == 0 {
        // A prior or a seed of nothing would be ignored in silence.
        let given = args.prior.map(|prior| ("--prior", prior.to_string()));
        let given = given.or_else(|| args.seed.map(|seed| ("--seed", seed.to_string())));
        let problem = "it is for draws of the parameters, and there are none";
        return match given {
            Some((option, value)) => Err(Error::value(option, value, problem, "say how many: --draws 400")),
            None => Ok(None),
        };
    }
    let (prior, seed) = (args.prior.unwrap_or_default(), args.seed.unwrap_or(1));
    Ok(Some(PosteriorOptions { prior, draws, seed }))
}

/// What the draws say of the parameters, and how far they can be trusted.
fn drawn(reports: &[&PosteriorReport]) -> String {
    let Some(first) = reports.first() else { return String::new() };
    let prior = first.prior;
    let title = format!("{} draws of the parameters, prior {}", count(first.draws.into()), prior.sentence());
    let mut parameters = Grid::new(title, &["model", "parameter", ">median", ">2.5 %", ">97.5 %"]);
    let heads = ["model", ">k̂", ">proposals", ">worth draws", "draws are"];
    let mut trust = Grid::new("Trust in the draws", &heads);
    for report in reports {
        for (i, parameter) in report.parameters.iter().enumerate() {
            parameters.row(vec![
                if i == 0 { report.model.to_string() } else { String::new() },
                parameter.name.to_string(),
                significant(parameter.median, 6),
                significant(parameter.lower, 6),
                significant(parameter.upper, 6),
            ]);
        }
        trust.row(vec![
            report.model.to_string(),
            report.k_hat.map_or("none".into(), |k| number(k, 2)),
            count(report.proposals.into()),
            number(report.effective, 0),
            match report.trust {
                Trust::Good => "reliable".into(),
                Trust::Fair => "usable".into(),
                Trust::Poor => "not to be trusted".into(),
            },
        ]);
    }
    parameters.text() + &trust.text()
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
    let draws: Vec<&PosteriorReport> = fitted.draws.iter().flat_map(|draws| draws.reports()).collect();
    reports_table(title, reports.into_iter().flatten()) + &money(fitted) + &drawn(&draws)
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
