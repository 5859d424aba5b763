//! `tiercast fit` and `predict` for opportunities: a purchase history cut into periods of the calendar → BG/BB → its
//! customers scored.

use clap::ArgMatches;
use tiercast::calendar::{CalendarPeriod, Period};
use tiercast::clv::bg_bb::OpportunityExpectations;
use tiercast::clv::model_file::OpportunitiesFile;
use tiercast::history::files_of;
use tiercast::pipeline::{
    FittedOpportunities, OpportunityOptions, ScoredOpportunities, fit_opportunities, score_opportunities,
};
use tiercast::report::format::{count, significant};
use tiercast::report::{FileKind, OutputFile};
use tiercast::{Error, Result};

use super::periods::ModelPeriod;
use crate::args::{CohortColumnArgs, FitArgs, Global, ModelArgs, PredictArgs};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Draws of the parameters that a model file holds: each is evaluated for every distinct history.
const DRAWS: u32 = 400;

/// The farthest horizon, in opportunities: two centuries of weeks.
const MOST_OPPORTUNITIES: u32 = 10_000;

/// Options that shape columns of the customer table, or belong to money: opportunities know neither.
const NOT_FOR_OPPORTUNITIES: [(&str, &str); 5] = [
    ("periods", "--periods"),
    ("keep", "--keep"),
    ("cost", "--cost"),
    ("margin", "--margin"),
    ("unit", "--unit"),
];

/// The mean length of a period of the calendar, in days.
fn days(period: CalendarPeriod) -> f64 {
    match period {
        CalendarPeriod::Week => Period::Week.days(),
        CalendarPeriod::Month => Period::Month.days(),
        CalendarPeriod::Quarter => 3.0 * Period::Month.days(),
        CalendarPeriod::Year => Period::Year.days(),
    }
}

/// Fits BG/BB.
pub fn fit(global: &Global, args: FitArgs, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_of_table(matches, &NOT_FOR_OPPORTUNITIES)?;
    let opportunity = args.opportunity.ok_or_else(|| {
        let problem = "nobody says what an opportunity is";
        Error::value("--model", args.model, problem, "add --opportunity week, month, quarter or year")
    })?;
    let settings = super::fit::resolve(global, &args, matches)?;
    let draws = super::fit::draws(&args, DRAWS, &settings)?;
    let sources = super::sources(std::slice::from_ref(&args.customers));
    let mut inputs = files_of(&sources)?;
    inputs.extend(super::list_files(&settings)?);
    let bars = Bars::new(global)?;
    let out = super::model_place(&args, &inputs)?;
    let options = OpportunityOptions { history: &settings.run.history, opportunity, unit: settings.run.unit };
    let fitted =
        super::with_threads(settings.threads, || fit_opportunities(&sources, &options, &draws, &bars))?;
    bars.finish();
    if !global.quiet {
        fitted.warnings.iter().for_each(|w| terminal::warning(w));
    }
    if !global.json {
        terminal::print(&fit_table(&fitted))?;
    }
    let file = fitted.file()?;
    if global.json {
        terminal::print(&file.document().text()?)?;
    }
    match out {
        Some(out) => super::fit::keep(global, out, file.document().text()?),
        None => Ok(()),
    }
}

fn fit_table(fitted: &FittedOpportunities) -> String {
    let title = format!(
        "Fitted to {} customers, {}s up to {}, at most {} of them after a customer's first",
        count(fitted.fitted_to.customers),
        fitted.opportunity,
        fitted.fitted_to.until,
        fitted.opportunities
    );
    let aside = fitted.report.set_aside.iter();
    let aside = aside.map(|aside| format!("{} customers: {}\n", count(aside.customers), aside.reason));
    let reports = [&fitted.report, &fitted.without_dropout];
    super::fit::reports_table(title, reports.into_iter()) + &aside.collect::<String>()
}

/// Scores the customers of a history.
pub fn predict(
    global: &Global,
    args: PredictArgs,
    model: &OpportunitiesFile,
    matches: Option<&ArgMatches>,
) -> Result<()> {
    super::refuse_of_table(matches, &NOT_FOR_OPPORTUNITIES[..4])?;
    let belongs = "it belongs to models of contracts, and this one is of opportunities";
    super::refuse_typed::<CohortColumnArgs>(matches, &[], belongs, "leave it out")?;
    let models = ModelArgs { seed: args.seed, ..ModelArgs::default() };
    let typed = Typed { reading: args.reading, models, matches, ..Typed::default() };
    let settings = settings::resolve(global, typed)?;
    let period = ModelPeriod { name: model.opportunity.name(), days: Some(days(model.opportunity)) };
    let options = OpportunityExpectations {
        horizon: period.horizon(args.horizon, &settings)?,
        discount: period.discount(args.discount, &settings)?,
        seed: super::seed(&settings, model.drawn.as_ref().map(|drawn| drawn.seed))?,
    };
    // What will happen is drawn opportunity by opportunity.
    if !(1..=MOST_OPPORTUNITIES).contains(&options.horizon) {
        let problem = format!("it is not between 1 and {MOST_OPPORTUNITIES} opportunities");
        return Err(Error::value("--horizon", options.horizon, problem, "give one such as 5"));
    }
    let sources = super::sources(std::slice::from_ref(&args.customers));
    let mut inputs = files_of(&sources)?;
    inputs.extend(super::list_files(&settings)?);
    inputs.push(args.model.clone());
    let bars = Bars::new(global)?;
    let out = OutputFile::begin(FileKind::Scores, &args.output, args.force, &inputs)?;
    let history = &settings.run.history;
    let scored = super::with_threads(settings.threads, || {
        score_opportunities(&sources, history, settings.run.unit, model, &options, out.path(), &bars)
    })?;
    let place = out.finish()?;
    let stages = bars.finish();
    if !global.quiet {
        scored.warnings.iter().for_each(|w| terminal::warning(w));
        model.drawn.iter().flat_map(|drawn| &drawn.warnings).for_each(|w| terminal::warning(w));
        terminal::note(&format!("{} customers in {}", count(scored.totals.customers), place.display()));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "model": model.transactions.model,
            "opportunity": model.opportunity,
            "horizon": options.horizon,
            "discount_per_opportunity": options.discount,
            "found": scored,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    terminal::print(&score_table(&scored, model, &options))
}

fn score_table(
    scored: &ScoredOpportunities,
    model: &OpportunitiesFile,
    options: &OpportunityExpectations,
) -> String {
    let title = format!(
        "Expected by BG/BB over the {} {}(s) after {}, discounted at {} % each",
        options.horizon,
        model.opportunity,
        scored.until,
        significant(100.0 * options.discount, 4)
    );
    let mut grid = Grid::new(title, &["", ">all customers", ">95 %, its mean", ">mean"]);
    let totals = &scored.totals;
    let customers = (totals.customers as f64).max(1.0);
    let mean = totals.expected_transactions_mean;
    grid.row(vec!["customers".into(), count(totals.customers), String::new(), String::new()]);
    if scored.not_scored > 0 {
        let count = count(scored.not_scored);
        grid.row(vec!["too late, not scored".into(), count, String::new(), String::new()]);
    }
    for (name, total, mean) in
        [("alive", totals.alive, None), ("transactions", totals.expected_transactions, mean)]
    {
        let mean = mean.map_or(String::new(), |(low, high)| {
            format!("{} to {}", significant(low, 6), significant(high, 6))
        });
        grid.row(vec![name.into(), significant(total, 6), mean, significant(total / customers, 6)]);
    }
    grid.text()
}
