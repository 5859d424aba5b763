//! `tiercast fit`: a table of customers → a fitted model.

use tiercast::calendar::Unit;
use tiercast::clv::{FitReport, PosteriorOptions, PosteriorReport, Trust};
use tiercast::customers::StatisticsFile;
use tiercast::pipeline::{Fitted, fit_customers};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, number, significant};
use tiercast::{Error, Result};

use crate::args::{FitArgs, Global, UnitArg};
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

/// Runs the verb.
pub fn main(global: &Global, args: FitArgs) -> Result<()> {
    let settings = settings::resolve(global, Typed::default())?;
    let draws = draws(&args)?;
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let out = args.output.as_ref().map(|path| OutputFile::begin(path, args.force, &inputs)).transpose()?;
    let fitted = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open(&args.customers, unit(args.unit))?;
        fit_customers(&file, args.model, draws.as_ref(), &bars)
    })?;
    bars.finish();
    if !global.quiet {
        let reports = [Some(fitted.purchases.report()), fitted.spend.as_ref().map(|fit| &fit.report)];
        reports.iter().flatten().flat_map(|report| &report.warnings).for_each(|w| terminal::warning(w));
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
        std::fs::write(out.path(), file.document().text()?).map_err(|e| Error::io("write", out.path(), e))?;
        let place = out.finish()?;
        if !global.quiet {
            terminal::note(&format!("model in {}", place.display()));
        }
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
    let mut parameters = Grid::new(title, &["model", "parameter", ">estimate", ">standard error"]);
    let mut fits = Grid::new("Fits", &["model", ">log-likelihood", ">AIC", ">gradient", "verdict"]);
    for report in
        [Some(fitted.purchases.report()), fitted.spend.as_ref().map(|fit| &fit.report)].into_iter().flatten()
    {
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
    let reports: Vec<&PosteriorReport> = fitted.draws.iter().flat_map(|draws| draws.reports()).collect();
    parameters.text() + &fits.text() + &drawn(&reports)
}

/// Akaike's criterion, 2·parameters − 2·log-likelihood.
fn aic(report: &FitReport) -> Option<f64> {
    report.log_likelihood.map(|ll| 2.0 * (report.parameters.len() as f64 - ll))
}
