//! `tiercast predict`: a fitted model and a table of customers → the table with scores. Contracts and opportunities have
//! files of their own.

use clap::ArgMatches;
use tiercast::clv::model_file::AnyModelFile;
use tiercast::clv::{ModelFile, ValueOptions};
use tiercast::customers::{Money, MoneyKind, StatisticsFile};
use tiercast::pipeline::{Scored, score_customers};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, money};
use tiercast::{Error, Result};

use crate::args::{CohortColumnArgs, DiscountArg, Global, HorizonArg, ModelArgs, PredictArgs};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Origin, Settings, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: PredictArgs, matches: Option<&ArgMatches>) -> Result<()> {
    match AnyModelFile::read(&args.model)? {
        AnyModelFile::Purchases(model) => purchases(global, args, &model, matches),
        AnyModelFile::Contract(model) => super::contracts::predict(global, args, &model, matches),
        AnyModelFile::Opportunities(model) => super::opportunities::predict(global, args, &model, matches),
    }
}

/// The part of clv that remains of what the model of spend is about, and a warning of what is not applied.
fn margin(model: &ModelFile, settings: &Settings) -> Result<(f64, Option<String>)> {
    let share = settings.run.margin;
    if let (Origin::Flag, Some(column)) = (settings.origin("margin"), &settings.run.history.margin) {
        let remedy = "give a share, such as 0.3; a model of margins comes from `tiercast fit --money`";
        return Err(Error::value("--margin", column, "it is no share of revenue", remedy));
    }
    let of = model.money().map_or(MoneyKind::Revenue, |money| money.of);
    match settings.origin("margin") {
        _ if of != MoneyKind::Margin || share == 1.0 => Ok((share, None)),
        Origin::Flag => {
            let problem = "the model was fitted to margins, of which no share is taken";
            Err(Error::value("--margin", share, problem, "leave it out"))
        }
        origin => Ok((
            1.0,
            Some(format!("the margin {share} of {origin} is not applied: the model was fitted to margins")),
        )),
    }
}

/// Scores a table of customers.
fn purchases(
    global: &Global,
    args: PredictArgs,
    model: &ModelFile,
    matches: Option<&ArgMatches>,
) -> Result<()> {
    super::refuse_reading(matches, &["unit", "margin"])?;
    let belongs = "it belongs to models of contracts, and this one is of purchases";
    super::refuse_typed::<CohortColumnArgs>(matches, &[], belongs, "leave it out")?;
    let horizon = match args.horizon {
        Some(HorizonArg::Periods(periods)) => {
            let remedy = "write a number and a unit: 90d, 39w, 12mo or 1yr";
            return Err(Error::value(
                "--horizon",
                periods,
                "it has no unit, and purchases have no periods",
                remedy,
            ));
        }
        Some(HorizonArg::Span(span)) => Some(span),
        None => None,
    };
    let discount = match args.discount {
        Some(DiscountArg::PerPeriod(rate)) => {
            let remedy = "write a percentage and its period: 10%/yr, 1%/mo or 0.2%/w";
            return Err(Error::value("--discount", rate, "purchases have no periods", remedy));
        }
        Some(DiscountArg::Rate(discount)) => Some(discount),
        None => None,
    };
    let models = ModelArgs { horizon, discount, ..ModelArgs::default() };
    let typed = Typed { reading: args.reading, models, matches, ..Typed::default() };
    let settings = settings::resolve(global, typed)?;
    let (margin, not_applied) = margin(model, &settings)?;
    let options = ValueOptions { horizon: settings.run.horizon, discount: settings.run.discount, margin };
    // A model of other money than the usual reads the same column again.
    let column = model.money().filter(|money| *money != Money::revenue()).map(|money| money.column);
    let reading = super::table_options(&settings, column);
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone(), args.model.clone()];
    let out = OutputFile::begin(&args.output, args.force, &inputs)?;
    let (scored, mut warnings, out) = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open_with(&args.customers, &reading)?;
        let scored = score_customers(&file, model, &options, out.path(), &bars)?;
        Ok((scored, file.warnings().to_vec(), out))
    })?;
    warnings.extend(not_applied);
    let place = out.finish()?;
    let stages = bars.finish();
    let purchases = model.purchases.model;
    if !global.quiet {
        warnings.iter().for_each(|w| terminal::warning(w));
        if purchases.is_blind_to_first_time_dropout() {
            terminal::warning(&format!(
                "{} takes everybody without a repeat purchase for alive: its P(alive) is no churn label",
                purchases.title()
            ));
        }
        if model.spend.is_none() {
            terminal::warning("the model has none of spend: there are no money values");
        }
        terminal::note(&format!("{} customers in {}", count(scored.customers), place.display()));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "model": purchases,
            "horizon": options.horizon,
            "discount": options.discount,
            "margin": options.margin,
            "money": model.money(),
            "totals": scored,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    terminal::print(&table(&scored, &options, model))
}

fn table(scored: &Scored, options: &ValueOptions, model: &ModelFile) -> String {
    let ValueOptions { horizon, discount, margin } = options;
    let title = model.purchases.model.title();
    let mut title = format!("Expected by {title} over {horizon}, discounted at {discount}");
    if let Some(money) = model.money() {
        title.push_str("; lifetime value is ");
        if *margin != 1.0 {
            title.push_str(&format!("{} % of ", 100.0 * margin));
        }
        title.push_str(&money.words());
    }
    let mut grid = Grid::new(title, &["", ">all customers", ">mean"]);
    let customers = (scored.customers as f64).max(1.0);
    grid.row(vec!["customers".into(), count(scored.customers), String::new()]);
    if scored.prospects > 0 {
        grid.row(vec!["prospects, not scored".into(), count(scored.prospects), String::new()]);
    }
    let mut line = |name: &str, total: f64, format: &dyn Fn(f64) -> String| {
        grid.row(vec![name.into(), format(total), format(total / customers)]);
    };
    line("alive", scored.alive, &|v| tiercast::report::format::significant(v, 6));
    line("transactions", scored.expected_transactions, &|v| tiercast::report::format::significant(v, 6));
    if let Some(clv) = scored.clv {
        line("lifetime value", clv, &|v| money(v));
    }
    grid.text()
}
