//! `tiercast explain`: one customer's figures, tiers and reasons.

use clap::ArgMatches;
use tiercast::Result;
use tiercast::customers::WholeFile;
use tiercast::history::{HistoryOptions, Source};
use tiercast::pipeline::{Explained, HistoryRequest, Language, OrderHistory, TierRequest, explain};
use tiercast::report::format::{NONE, count, plural};
use tiercast::tier::overrides::Overrides;

use super::tier::{self, check_keys, named, with_clusters};
use crate::args::{ExplainArgs, Global, HistoryArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Origin, Typed};
use crate::terminal;

/// Orders that are printed.
const PRINTED: usize = 20;

/// Runs the verb.
pub fn main(global: &Global, args: ExplainArgs, matches: Option<&ArgMatches>) -> Result<()> {
    if args.history.is_empty() {
        super::refuse_typed::<HistoryArgs>(
            matches,
            &["unit"],
            "it is about reading a purchase history, and none is given",
            "name the history with --history, or leave it out",
        )?;
    } else {
        super::refuse_share(&args.reading, matches)?;
        super::refuse_of_table(matches, &[("periods", "--periods")])?;
    }
    let unit = args.reading.unit;
    let settings = settings::resolve(global, Typed { reading: args.reading, matches, ..Typed::default() })?;
    // The unit of environment and settings file is about tables that are made.
    let unit = unit.filter(|_| *settings.origin("unit") == Origin::Flag).map(tier::unit);
    let history = HistoryOptions { periods: None, cohorts: None, ..settings.run.history.clone() };
    let named = named(&args.scheme)?;
    let overrides = args.overrides.as_deref().map(Overrides::read).transpose()?;
    let bars = Bars::new(global)?;
    let found = super::with_threads(settings.threads, || {
        let file = WholeFile::open(&args.customers, args.id.as_deref())?;
        let schemes = with_clusters(named, &file)?;
        check_keys(&schemes, overrides.as_ref())?;
        let request = TierRequest {
            schemes: &schemes,
            overrides: overrides.as_ref(),
            date: args.date,
            unit,
            with: &[],
            reasons: true,
            language: Language::En,
            pseudonyms: None,
            ledger: None,
            policy: None,
            opt_out: None,
        };
        let sources: Vec<Source> = args.history.iter().cloned().map(Source::Path).collect();
        let history = HistoryRequest { sources: &sources, options: &history };
        explain(&file, &args.who, &request, Some(&history).filter(|_| !sources.is_empty()), &bars)
    })?;
    bars.finish();
    if !global.quiet {
        found
            .history
            .iter()
            .flat_map(|history| &history.warnings)
            .for_each(|warning| terminal::warning(warning));
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({ "schema": 1, "explained": found }));
    }
    terminal::print(&text(&found))
}

fn text(found: &Explained) -> String {
    let mut figures = Grid::new(format!("Customer {}", found.customer), &["", ""]);
    for figure in &found.figures {
        figures.row(vec![figure.column.clone(), figure.value.clone().unwrap_or_else(|| NONE.to_string())]);
    }
    let mut text = figures.text();
    for tier in &found.tiers {
        let name = tier.tier.as_deref().unwrap_or("no tier: the scheme is about customers with orders");
        let mut grid = Grid::new(format!("{}: {name}", tier.scheme), &["", ""]);
        let mut line = |what: &str, value: &Option<String>| {
            if let Some(value) = value {
                grid.row(vec![what.to_string(), value.clone()]);
            }
        };
        line("why", &tier.reason);
        line("rule", &tier.rule);
        line("by the rules", &tier.automatic);
        line("set by hand", &tier.by_hand);
        text += &grid.text();
    }
    text += &found.history.as_ref().map_or(String::new(), orders);
    text + &format!("As of {}.\n", found.date)
}

/// The last orders, and what became of the other rows.
fn orders(history: &OrderHistory) -> String {
    let earlier = history.orders.len().saturating_sub(PRINTED);
    let until = history.as_of.map_or(String::new(), |day| format!(" up to {day}"));
    let title = match earlier {
        0 => format!("Orders{until}"),
        n => format!(
            "The last {PRINTED} rows of orders{until}, {} before them",
            plural(n as u64, "row", "rows")
        ),
    };
    let mut heads = vec!["date".to_string(), ">amount".to_string()];
    heads.extend(history.columns.iter().cloned());
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut grid = Grid::new(title, &heads);
    for order in &history.orders[earlier..] {
        let mut cells = vec![order.date.to_string(), order.amount_text.clone()];
        cells.extend(order.shown.iter().map(|text| text.clone().unwrap_or_else(|| NONE.to_string())));
        grid.row(cells);
    }
    let mut text = if history.orders.is_empty() { String::new() } else { grid.text() };
    text += &format!("{} of the customer in the history", plural(history.rows, "row", "rows"));
    for aside in &history.set_aside {
        text += &format!("; set aside: {} ({})", count(aside.rows), aside.reason);
    }
    text + "\n\n"
}
