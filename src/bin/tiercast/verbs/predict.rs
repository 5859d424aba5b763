//! `tiercast predict`: a fitted model and a table of customers → the table with scores.

use clap::ArgMatches;
use tiercast::clv::{AnyModelFile, ValueOptions};
use tiercast::customers::StatisticsFile;
use tiercast::pipeline::{Scored, score_customers};
use tiercast::report::OutputFile;
use tiercast::report::format::{count, money};
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
    let (model, scored, out) = super::with_threads(settings.threads, || {
        let model = AnyModelFile::read(&args.model)?;
        let file = StatisticsFile::open(&args.customers, super::fit::unit(args.unit))?;
        let scored = score_customers(&file, &model, &options, out.path(), &bars)?;
        Ok((model, scored, out))
    })?;
    let place = out.finish()?;
    let stages = bars.finish();
    let purchases = model.model();
    if !global.quiet {
        if purchases.is_blind_to_first_time_dropout() {
            terminal::warning(&format!(
                "{} takes everybody without a repeat purchase for alive: its P(alive) is no churn label",
                purchases.title()
            ));
        }
        if !model.has_spend() {
            terminal::warning("the model has none of spend: there are no money values");
        }
        remarks(&scored).iter().for_each(|remark| terminal::warning(remark));
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
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    terminal::print(&table(&scored, &options, purchases.title()))
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
    if scored.beyond_fit > 0 {
        out.push(format!(
            "{} customers have covariates beyond those of the fit: their scores are extrapolations",
            count(scored.beyond_fit)
        ));
    }
    out
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
    line("alive", scored.alive, &|v| tiercast::report::format::significant(v, 6));
    line("transactions", scored.expected_transactions, &|v| tiercast::report::format::significant(v, 6));
    if let Some(clv) = scored.clv {
        line("lifetime value", clv, &|v| money(v));
    }
    grid.text()
}
