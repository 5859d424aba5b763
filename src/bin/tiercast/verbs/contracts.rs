//! `tiercast fit` and `predict` for contracts: survivors by cohort → a fitted model → survivors to come.

use clap::ArgMatches;
use tiercast::calendar::Span;
use tiercast::clv::contractual::{CohortForecast, ForecastOptions, Spread, Step};
use tiercast::clv::model_file::{ContractFile, ContractName};
use tiercast::customers::SurvivorColumns;
use tiercast::pipeline::{FittedContract, fit_cohorts, forecast_cohorts};
use tiercast::report::format::{count, significant};
use tiercast::report::{FileKind, OutputFile};
use tiercast::{Error, Result};

use super::periods::ModelPeriod;
use crate::args::{CohortColumnArgs, FitArgs, Global, HistoryArgs, ModelArgs, PredictArgs};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Draws of the parameters that a model file holds.
const DRAWS: u32 = 1000;

/// Lines of a table on the terminal.
const MOST_LINES: usize = 60;

fn columns(args: &CohortColumnArgs) -> SurvivorColumns {
    let defaults = SurvivorColumns::default();
    SurvivorColumns {
        cohort: args.cohort_column.clone().unwrap_or(defaults.cohort),
        period: args.period_column.clone().unwrap_or(defaults.period),
        survivors: args.survivors_column.clone().unwrap_or(defaults.survivors),
    }
}

fn refuse_reading(matches: Option<&ArgMatches>) -> Result<()> {
    let belongs = "contracts have survivors by cohort and no history, no unit and no money";
    super::refuse_typed::<HistoryArgs>(matches, &[], belongs, "leave it out")
}

/// Fits sBG or BdW.
pub fn fit(global: &Global, args: FitArgs, model: ContractName, matches: Option<&ArgMatches>) -> Result<()> {
    refuse_reading(matches)?;
    let settings = super::fit::resolve(global, &args, matches)?;
    let draws = super::fit::draws(&args, DRAWS, &settings)?;
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone()];
    let out = super::model_place(&args, &inputs)?;
    let fitted = super::with_threads(settings.threads, || {
        fit_cohorts(&args.customers, &columns(&args.cohorts), model, &draws, &bars)
    })?;
    bars.finish();
    if !global.quiet {
        fitted.warnings().iter().for_each(|w| terminal::warning(w));
    }
    if !global.json {
        terminal::print(&fit_table(&fitted))?;
    }
    let file = fitted.file(args.cohorts.period)?;
    if global.json {
        terminal::print(&file.document().text()?)?;
    }
    match out {
        Some(out) => super::fit::keep(global, out, file.document().text()?),
        None => Ok(()),
    }
}

fn fit_table(fitted: &FittedContract) -> String {
    let about = &fitted.fitted_to;
    let title = format!(
        "Fitted to {} customers of {} cohorts, up to {} renewals",
        count(about.customers),
        count(about.cohorts),
        about.periods
    );
    let mut text = super::fit::reports_table(title, [&fitted.report, &fitted.other].into_iter());
    text.push_str(&match &fitted.duration_dependence {
        Some(test) => format!(
            "sBG against BdW (do losses depend on a customer's age?): χ² = {:.3} with 1 degree of freedom, p = {}\n",
            test.statistic,
            significant(test.p_value, 3)
        ),
        None => "sBG against BdW: one of the two fits is not usable\n".to_string(),
    });
    if let Some(test) = &fitted.goodness_of_fit {
        text.push_str(&format!(
            "Losses against {}'s: χ² = {:.1} with {} degrees of freedom, p = {}\n\n",
            fitted.name.title(),
            test.statistic,
            test.degrees_of_freedom,
            significant(test.p_value, 3)
        ));
    }
    let title = format!("Share of the cohort left, observed and by {}", fitted.name.title());
    let mut grid = Grid::new(title, &["cohort", ">period", ">left", ">observed", ">fitted"]);
    let (mut lines, mut all) = (0, 0);
    for cohort in fitted.survival() {
        all += cohort.survivors.len();
        for (period, &left) in cohort.survivors.iter().enumerate() {
            if lines == MOST_LINES {
                break;
            }
            lines += 1;
            grid.row(vec![
                if period == 0 { cohort.cohort.to_string() } else { String::new() },
                period.to_string(),
                count(left),
                cohort.observed.get(period).map_or("none".into(), |share| format!("{share:.4}")),
                format!("{:.4}", cohort.fitted[period]),
            ]);
        }
    }
    text.push_str(&grid.text());
    if all > lines {
        text.push_str(&format!("{} more lines with --json\n", count((all - lines) as u64)));
    }
    text
}

/// The length of a period, from the file and what was typed.
fn period(model: &ContractFile, typed: Option<Span>) -> Result<Option<Span>> {
    match (model.period, typed) {
        (Some(known), Some(typed)) if !super::periods::are_same(known.days(), typed.days()) => {
            let problem = format!("the model was fitted to periods of {known}");
            Err(Error::value("--period", typed, problem, "leave it out, or fit the model again"))
        }
        (known, typed) => Ok(known.or(typed)),
    }
}

/// Forecasts the cohorts of a file.
pub fn predict(
    global: &Global,
    args: PredictArgs,
    model: &ContractFile,
    matches: Option<&ArgMatches>,
) -> Result<()> {
    refuse_reading(matches)?;
    let models = ModelArgs { seed: args.seed, ..ModelArgs::default() };
    let settings = settings::resolve(global, Typed { models, matches, ..Typed::default() })?;
    let length = period(model, args.cohorts.period)?;
    let period = ModelPeriod { name: "period", days: length.map(Span::days) };
    let options = ForecastOptions {
        horizon: period.horizon(args.horizon, &settings)?,
        discount: period.discount(args.discount, &settings)?,
        seed: super::seed(&settings, model.drawn.as_ref().map(|drawn| drawn.seed))?,
    };
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone(), args.model.clone()];
    let out = OutputFile::begin(FileKind::Forecast, &args.output, args.force, &inputs)?;
    let forecasts = super::with_threads(settings.threads, || {
        forecast_cohorts(&args.customers, &columns(&args.cohorts), model, &options, out.path(), &bars)
    })?;
    let place = out.finish()?;
    let stages = bars.finish();
    if !global.quiet {
        model.drawn.iter().flat_map(|drawn| &drawn.warnings).for_each(|w| terminal::warning(w));
        if model.drawn.is_none() {
            terminal::warning("the model has no draws of its parameters: there are no intervals");
        }
        let mut steps = forecasts.iter().flat_map(|forecast| &forecast.steps);
        if steps.clone().any(|step| step.derl.is_none()) {
            terminal::warning("DERL is infinite at this discount: it is left out");
        } else if model.drawn.is_some() && steps.any(|step| step.derl_spread.is_none()) {
            terminal::warning(
                "the interval of DERL is left out: at this discount DERL is infinite for some of the draws of the parameters",
            );
        }
        terminal::note(&format!("{} cohorts in {}", count(forecasts.len() as u64), place.display()));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "model": model.contract.model,
            "period": length,
            "horizon": options.horizon,
            "discount_per_period": options.discount,
            "cohorts": forecasts,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    terminal::print(&forecast_table(&forecasts, model, &options))
}

fn forecast_table(forecasts: &[CohortForecast], model: &ContractFile, options: &ForecastOptions) -> String {
    let title = format!(
        "By {}, {} periods after the last one of each cohort; DERL at {} % per period, of a customer left now",
        model.contract.model.title(),
        options.horizon,
        significant(100.0 * options.discount, 4)
    );
    let heading =
        ["cohort", ">period", ">left now", ">expected then", ">95 %, its mean", ">95 %, with luck", ">DERL"];
    let mut grid = Grid::new(title, &heading);
    for forecast in forecasts.iter().take(MOST_LINES) {
        let (Some(now), Some(then)) = (forecast.steps.first(), forecast.steps.last()) else { continue };
        let spread = then.survivors_spread;
        grid.row(vec![
            forecast.cohort.clone(),
            now.period.to_string(),
            count(now.survivors as u64),
            format!("{:.1}", then.survivors),
            spread.map_or("unknown".into(), |Spread { mean, .. }| format!("{:.1} to {:.1}", mean.0, mean.1)),
            spread
                .and_then(|spread| spread.luck)
                .map_or("unknown".into(), |(low, high)| format!("{low} to {high}")),
            derl(now),
        ]);
    }
    let more = forecasts.len().saturating_sub(MOST_LINES) as u64;
    let more = if more > 0 { format!("{} more cohorts in the file\n", count(more)) } else { String::new() };
    grid.text() + &more
}

fn derl(step: &Step) -> String {
    match (step.derl, step.derl_spread) {
        (None, _) => "none".to_string(),
        (Some(value), None) => format!("{value:.3}"),
        (Some(value), Some(Spread { mean: (low, high), .. })) => {
            format!("{value:.3} ({low:.3} to {high:.3})")
        }
    }
}
