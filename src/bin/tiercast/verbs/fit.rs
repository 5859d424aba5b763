//! `tiercast fit`: a table of customers → a fitted model.

use tiercast::Result;
use tiercast::calendar::Unit;
use tiercast::clv::FitReport;
use tiercast::customers::StatisticsFile;
use tiercast::pipeline::{Fitted, fit_customers};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, significant};

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
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let out = args.output.as_ref().map(|path| OutputFile::begin(path, args.force, &inputs)).transpose()?;
    let fitted = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open(&args.customers, unit(args.unit))?;
        fit_customers(&file, args.model, &bars)
    })?;
    bars.finish();
    if !global.quiet {
        let reports = [Some(fitted.purchases.report()), fitted.spend.as_ref().map(|fit| &fit.report)];
        reports.iter().flatten().flat_map(|report| &report.warnings).for_each(|w| terminal::warning(w));
    }
    if !global.json {
        terminal::print(&table(&fitted))?;
    }
    let file = fitted.file()?;
    if global.json {
        terminal::print_json(&file.document())?;
    }
    if let Some(out) = out {
        std::fs::write(out.path(), file.document().text()?)
            .map_err(|e| tiercast::Error::io("write", out.path(), e))?;
        let place = out.finish()?;
        if !global.quiet {
            terminal::note(&format!("model in {}", place.display()));
        }
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
    parameters.text() + &fits.text()
}

/// Akaike's criterion, 2·parameters − 2·log-likelihood.
fn aic(report: &FitReport) -> Option<f64> {
    report.log_likelihood.map(|ll| 2.0 * (report.parameters.len() as f64 - ll))
}
