//! `tiercast predict`: a fitted model and a table of customers → the table with scores.

use clap::ArgMatches;
use tiercast::clv::predict::Interval;
use tiercast::clv::{ModelFile, ValueOptions};
use tiercast::customers::StatisticsFile;
use tiercast::pipeline::{
    GroupTotal, IntervalOptions, Intervals, Scored, predict_customers, score_customers, totals_csv,
};
use tiercast::report::OutputFile;
use tiercast::report::format::{NONE, count, interval, money, number, percent, significant};
use tiercast::{Error, Result};

use crate::args::{Global, ModelArgs, PredictArgs};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: PredictArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let models = ModelArgs { horizon: args.horizon, discount: args.discount, ..ModelArgs::default() };
    let settings = settings::resolve(global, Typed { models, matches, ..Typed::default() })?;
    let margin = args.share.unwrap_or(1.0);
    if !(margin > 0.0 && margin <= 1.0) {
        let remedy = "give the share of revenue that remains, such as 0.3";
        return Err(Error::value("--share", margin, "it is not above 0 and up to 1", remedy));
    }
    let options = ValueOptions { horizon: settings.run.horizon, discount: settings.run.discount, margin };
    let bars = Bars::new(global)?;
    let inputs = [args.customers.clone(), args.model.clone()];
    let out = OutputFile::begin(&args.output, args.force, &inputs)?;
    if args.totals.as_ref() == Some(&args.output) {
        let problem = "it is the file for the scores as well";
        return Err(Error::value("--totals", args.output.display(), problem, "give it a name of its own"));
    }
    let totals_out =
        args.totals.as_ref().map(|path| OutputFile::begin(path, args.force, &inputs)).transpose()?;
    let wanted = args.intervals.map(|level| IntervalOptions {
        level: level.0,
        seed: args.seed,
        id: args.id,
        totals_by: args.totals_by,
    });
    let (model, scored, intervals, out) = super::with_threads(settings.threads, || {
        let model = ModelFile::read(&args.model)?;
        let file = StatisticsFile::open(&args.customers, super::fit::unit(args.unit))?;
        let (scored, intervals) = match &wanted {
            Some(wanted) => {
                let (scored, intervals) =
                    predict_customers(&file, &model, &options, wanted, out.path(), &bars)?;
                (scored, Some(intervals))
            }
            None => (score_customers(&file, &model, &options, out.path(), &bars)?, None),
        };
        Ok((model, scored, intervals, out))
    })?;
    if let (Some(out), Some(intervals)) = (&totals_out, &intervals) {
        std::fs::write(out.path(), totals_csv(intervals)?).map_err(|e| Error::io("write", out.path(), e))?;
    }
    let place = out.finish()?;
    let totals_place = totals_out.map(OutputFile::finish).transpose()?;
    let stages = bars.finish();
    let purchases = model.purchases.model;
    if !global.quiet {
        if purchases.is_blind_to_first_time_dropout() {
            terminal::warning(&format!(
                "{} takes everybody without a repeat purchase for alive: its P(alive) is no churn label",
                purchases.title()
            ));
        }
        if model.spend.is_none() {
            terminal::warning("the model has none of spend: there are no money values");
        }
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
            "totals": scored,
            "intervals": intervals,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    let ends =
        intervals.as_ref().map_or(String::new(), |found| totals(found, &options, totals_place.is_none()));
    terminal::print(&(table(&scored, &options, purchases.title()) + &ends))
}

/// Totals with both intervals; of groups, if they are not in a file.
fn totals(found: &Intervals, options: &ValueOptions, with_groups: bool) -> String {
    let level = percent(found.level);
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

fn table(scored: &Scored, options: &ValueOptions, model: &str) -> String {
    let title = format!("Expected by {model} over {}, discounted at {}", options.horizon, options.discount);
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
