//! `tiercast config`, `strategies` and `completions`: what needs no history.

use clap::{ArgMatches, CommandFactory};
use tiercast::Result;

use crate::args::{Cli, ConfigArgs, Global};
use crate::settings::{self, Typed};
use crate::terminal;

/// Prints the resolved settings as a settings file whose comments say where each value comes from.
pub fn main(global: &Global, args: ConfigArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let typed = Typed {
        reading: args.reading,
        listed: args.listed,
        cohort: args.cohort,
        models: args.models,
        opt_out: args.opt_out,
        tiers: args.tiers,
        strategies: args.strategies,
        out: args.out,
        matches,
    };
    let settings = settings::resolve(global, typed)?;
    if global.json {
        let list: Vec<_> = settings
            .list
            .iter()
            .map(|s| serde_json::json!({"key": s.key, "value": s.value, "origin": s.origin.to_string()}))
            .collect();
        return terminal::print_json(&serde_json::json!({"schema": 1, "settings": list}));
    }
    let lines = settings.list.iter().map(|s| match &s.value {
        Some(value) => format!("{:<40} # {}", format!("{} = {value}", s.key), s.origin),
        None => format!("{:<40} # left to the data", format!("# {} =", s.key)),
    });
    terminal::print(&lines.collect::<Vec<_>>().join("\n"))
}

/// Prints the bundled strategy file.
pub fn strategies(global: &Global) -> Result<()> {
    settings::resolve(global, Typed::default())?;
    text(global, tiercast::strategy::BUNDLED)
}

/// Text, or with `--json` an object that holds it.
fn text(global: &Global, text: &str) -> Result<()> {
    if global.json {
        return terminal::print_json(&serde_json::json!({"schema": 1, "text": text}));
    }
    terminal::print(text)
}

/// Prints a completion script.
pub fn completions(global: &Global, shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tiercast", &mut script);
    text(global, &String::from_utf8_lossy(&script))
}
