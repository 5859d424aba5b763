//! `tiercast predict`: a fitted model and a table of customers → the table with scores. Contracts and opportunities have
//! files of their own.

use clap::ArgMatches;
use tiercast::clv::model_file::AnyModelFile;
use tiercast::clv::predict::Interval;
use tiercast::clv::{CustomerModel, ValueOptions};
use tiercast::customers::{Money, MoneyKind, StatisticsFile};
use tiercast::pipeline::{
    GroupTotal, IntervalOptions, Intervals, Scored, predict_customers, score_customers, totals_csv,
};
use tiercast::report::format::{NONE, count, interval, money, number, percent_exact, significant};
use tiercast::report::{FileKind, OutputFile};
use tiercast::{Error, Result};

use crate::args::{CohortColumnArgs, DiscountArg, Global, HorizonArg, ModelArgs, PredictArgs};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Origin, Settings, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: PredictArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let model = AnyModelFile::read(&args.model)?;
    if let (Some(level), false) = (args.intervals, matches!(model, AnyModelFile::Purchases(_))) {
        let problem = format!(
            "intervals rest on draws of one model of purchases for all customers, and {} holds {}",
            args.model.display(),
            model.kind().words()
        );
        return Err(Error::value("--intervals", percent_exact(level.0), problem, "leave it out"));
    }
    match model {
        AnyModelFile::Purchases(model) => purchases(global, args, CustomerModel::Alike(&model), matches),
        AnyModelFile::ByGroup(model) => purchases(global, args, CustomerModel::ByGroup(&model), matches),
        AnyModelFile::WithCovariates(model) => {
            purchases(global, args, CustomerModel::WithCovariates(&model), matches)
        }
        AnyModelFile::Contract(model) => super::contracts::predict(global, args, &model, matches),
        AnyModelFile::Opportunities(model) => super::opportunities::predict(global, args, &model, matches),
    }
}

/// The part of clv that remains of what the model of spend is about, and a warning of what is not applied.
pub(super) fn margin(model: CustomerModel<'_>, settings: &Settings) -> Result<(f64, Option<String>)> {
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
    model: CustomerModel<'_>,
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
    let models = ModelArgs { horizon, discount, seed: args.seed, ..ModelArgs::default() };
    let typed = Typed { reading: args.reading, models, matches, ..Typed::default() };
    let settings = settings::resolve(global, typed)?;
    if let (Origin::Flag, None) = (settings.origin("seed"), args.intervals) {
        let problem = "it is for intervals, and none are asked for";
        return Err(Error::value(
            "--seed",
            settings.run.seed,
            problem,
            "add --intervals 90%, or leave it out",
        ));
    }
    let (margin, not_applied) = margin(model, &settings)?;
    let options = ValueOptions { horizon: settings.run.horizon, discount: settings.run.discount, margin };
    // A model of other money than the usual reads the same column again.
    let column = model.money().filter(|money| *money != Money::revenue()).map(|money| money.column);
    let reading = super::table_options(&settings, column);
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone(), args.model.clone()];
    let out = OutputFile::begin(FileKind::Scores, &args.output, args.force, &inputs)?;
    if args.totals.as_ref().is_some_and(|totals| super::place(totals) == super::place(&args.output)) {
        let problem = "it is the file for the scores as well";
        return Err(Error::value("--totals", args.output.display(), problem, "give it a name of its own"));
    }
    let totals_out =
        args.totals.as_ref().map(|path| OutputFile::begin(FileKind::Totals, path, args.force, &inputs));
    let totals_out = totals_out.transpose()?;
    let wanted = args.intervals.map(|level| IntervalOptions {
        level: level.0,
        seed: (*settings.origin("seed") != Origin::Default).then_some(settings.run.seed),
        id: args.id,
        totals_by: args.totals_by,
    });
    let (scored, intervals, mut warnings, out) = super::with_threads(settings.threads, || {
        let file = StatisticsFile::open_with(&args.customers, &reading)?;
        let (scored, intervals) = match (&wanted, model) {
            (Some(wanted), CustomerModel::Alike(model)) => {
                let (scored, intervals) =
                    predict_customers(&file, model, &options, wanted, out.path(), &bars)?;
                (scored, Some(intervals))
            }
            // Of another kind intervals were refused above.
            _ => (score_customers(&file, model, &options, out.path(), &bars)?, None),
        };
        Ok((scored, intervals, file.warnings().to_vec(), out))
    })?;
    warnings.extend(not_applied);
    if let (Some(out), Some(intervals)) = (&totals_out, &intervals) {
        std::fs::write(out.path(), totals_csv(intervals)?).map_err(|e| Error::io("write", out.path(), e))?;
    }
    let place = out.finish()?;
    let totals_place = totals_out.map(OutputFile::finish).transpose()?;
    let stages = bars.finish();
    let purchases = model.name();
    if !global.quiet {
        warnings.iter().for_each(|w| terminal::warning(w));
        if purchases.is_blind_to_first_time_dropout() {
            terminal::warning(&format!(
                "{} takes everybody without a repeat purchase for alive: its P(alive) is no churn label",
                purchases.title()
            ));
        }
        if model.money().is_none() {
            terminal::warning("the model has none of spend: there are no money values");
        }
        remarks(&scored).iter().for_each(|remark| terminal::warning(remark));
        intervals.iter().flat_map(|found| &found.warnings).for_each(|warning| terminal::warning(warning));
        if let Some(place) = &totals_place {
            terminal::note(&format!("totals in {}", place.display()));
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
            "intervals": intervals,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    let ends =
        intervals.as_ref().map_or(String::new(), |found| totals(found, &options, totals_place.is_none()));
    terminal::print(&(table(&scored, &options, model) + &ends))
}

/// Names of groups that a warning lists.
const LISTED: usize = 5;

/// What a reader of scores by group or by covariates should know.
fn remarks(scored: &Scored) -> Vec<String> {
    let mut out = Vec::new();
    let unknown = &scored.unknown_groups;
    if !unknown.is_empty() {
        let names: Vec<&str> = unknown.keys().take(LISTED).map(String::as_str).collect();
        let more = if unknown.len() > LISTED { ", …" } else { "" };
        out.push(format!(
            "{} customers are of {} groups that the model does not know ({}{more}): they have the groups' mean",
            count(unknown.values().sum()),
            count(unknown.len() as u64),
            names.join(", ")
        ));
    }
    if scored.negative_money > 0 {
        out.push(format!(
            "{} customers have a mean value of orders below 0, which counts as 0 in expected_spend and clv",
            count(scored.negative_money)
        ));
    }
    if scored.beyond_fit > 0 {
        out.push(format!(
            "{} customers have covariates beyond those of the fit: their scores are extrapolations",
            count(scored.beyond_fit)
        ));
    }
    out
}

/// Totals with both intervals; of groups, if they are not in a file.
fn totals(found: &Intervals, options: &ValueOptions, with_groups: bool) -> String {
    let level = percent_exact(found.level);
    let title = format!(
        "Totals over {} with {level} intervals from {} draws of the parameters",
        options.horizon, found.draws
    );
    let by = found.totals_by.clone().unwrap_or_default();
    let heads = [by.as_str(), ">customers", "", ">expected", ">its interval", ">what will happen"];
    let mut grid = Grid::new(title, &heads);
    let groups = if with_groups { &found.groups[..] } else { &[] };
    for total in std::iter::once(&found.all).chain(groups) {
        let GroupTotal { group, expected_transactions, clv, intervals } = total;
        let whole = |value: f64| end(value, |v| number(v, 0));
        let mut line =
            |first: bool, what: &str, value: String, own: &Interval, print: &dyn Fn(f64) -> String| {
                grid.row(vec![
                    if first { group.clone().unwrap_or_else(|| "all".to_string()) } else { String::new() },
                    if first { count(intervals.customers) } else { String::new() },
                    what.to_string(),
                    value,
                    interval(own.mean_lower, own.mean_upper, print),
                    interval(own.lower, own.upper, print),
                ]);
            };
        line(true, "transactions", significant(*expected_transactions, 6), &intervals.orders, &whole);
        if let Some(own) = &intervals.clv {
            line(false, "lifetime value", clv.map_or(NONE.into(), money), own, &|v| end(v, money));
        }
    }
    grid.text()
        + "\"Its interval\" is how well the expectation is known; \"what will happen\" adds the customers' own rates and chance.\n\n"
}

/// An end of an interval, which may be infinite where some draws have no mean.
fn end(value: f64, print: impl Fn(f64) -> String) -> String {
    if value == f64::INFINITY { "∞".to_string() } else { print(value) }
}

fn table(scored: &Scored, options: &ValueOptions, model: CustomerModel<'_>) -> String {
    let ValueOptions { horizon, discount, margin } = options;
    let title = model.name().title();
    let mut title = format!("Expected by {title} over {horizon}, discounted at {discount}");
    if let Some(money) = model.money() {
        title.push_str("; lifetime value is ");
        if *margin != 1.0 {
            title.push_str(&format!("{} of ", percent_exact(*margin)));
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
    line("alive", scored.alive, &|v| significant(v, 6));
    line("transactions", scored.expected_transactions, &|v| significant(v, 6));
    if let Some(clv) = scored.clv {
        line("lifetime value", clv, &|v| money(v));
    }
    grid.text()
}
