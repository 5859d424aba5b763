//! `tiercast explain`: one customer's figures, tiers and reasons.

use clap::ArgMatches;
use tiercast::Result;
use tiercast::customers::WholeFile;
use tiercast::pipeline::{Explained, Language, TierRequest, explain};
use tiercast::report::format::NONE;
use tiercast::tier::overrides::Overrides;

use super::tier::{check_keys, named, unit, with_clusters};
use crate::args::{ExplainArgs, Global};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: ExplainArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings = settings::resolve(global, Typed { matches, ..Typed::default() })?;
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
            unit: args.unit.map(unit),
            with: &[],
            reasons: true,
            language: Language::En,
            pseudonyms: None,
            ledger: None,
        };
        explain(&file, &args.customer, &request, &bars)
    })?;
    bars.finish();
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
    text + &format!("As of {}.\n", found.date)
}
