//! `tiercast migrate`: who moved between two tables of tiers.

use std::path::PathBuf;

use clap::ArgMatches;
use tiercast::pipeline::{Movement, MovementRequest, ledger_movement, movement, open_tiers};
use tiercast::report::format::{NONE, count, money, percent, significant};
use tiercast::report::hand_over::Format;
use tiercast::report::{FileKind, OutputFile};
use tiercast::tier::migration::DriftLevel;
use tiercast::tier::suppress::hidden;
use tiercast::{Error, Result};

use super::tier::{HIDDEN, refuse_suppressed_json};
use crate::args::{Global, MigrateArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: MigrateArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings = settings::resolve(global, Typed { matches, ..Typed::default() })?;
    refuse_suppressed_json(global, args.suppress_below)?;
    super::refuse_in_ledger(args.output.as_deref(), args.ledger.as_deref())?;
    let format = args.output.as_deref().map(Format::of).transpose()?;
    let inputs: Vec<PathBuf> = args.before.iter().chain(&args.after).cloned().collect();
    let bars = Bars::new(global)?;
    let begin = |path| OutputFile::begin(FileKind::Movers, path, args.force, &inputs);
    let out = args.output.as_deref().map(begin).transpose()?;
    let request = MovementRequest {
        scheme: args.scheme,
        tiers: args.tiers,
        value: args.value,
        features: args.features,
    };
    let found = super::with_threads(settings.threads, || {
        let place = out.as_ref().zip(format).map(|(out, format)| (out.path(), format));
        if let (Some(folder), Some(from), Some(to)) = (&args.ledger, args.from, args.to) {
            return ledger_movement(folder, [from, to], &request, place, &bars);
        }
        let open = |path: &Option<PathBuf>| match path {
            Some(path) => open_tiers(path, args.id.as_deref()),
            None => {
                Err(Error::value("BEFORE and AFTER", "", "two tables are needed", "name two tables of tiers"))
            }
        };
        movement(&open(&args.before)?, &open(&args.after)?, &request, place, &bars)
    })?;
    let place = out.map(OutputFile::finish).transpose()?;
    bars.finish();
    if !global.quiet {
        for drift in found.drift.iter().filter(|drift| drift.level == DriftLevel::Much) {
            terminal::warning(&format!(
                "{} has shifted much (stability index {}): thresholds made on the earlier customers no longer mean the same",
                drift.name,
                significant(drift.index.unwrap_or(f64::NAN), 3)
            ));
        }
        if let Some(place) = &place {
            let movers = count(found.migration.movers.len() as u64);
            terminal::note(&format!("{movers} movers in {}", place.display()));
        }
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "movement": found,
            "shares": found.migration.shares(),
            "weighted_kappa": found.migration.kappa(),
        }));
    }
    terminal::print(&(matrix(&found, args.suppress_below) + &drifts(&found)))
}

fn matrix(found: &Movement, suppress_below: u64) -> String {
    let migration = &found.migration;
    let mut heads = vec!["from".to_string()];
    heads.extend(migration.tiers.iter().map(|name| format!(">{name}")));
    heads.extend([">(gone)".to_string(), ">customers".to_string(), ">value".to_string()]);
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let shares = migration.shares();
    let hide = hidden(&migration.customers, suppress_below, true);
    let is_hidden = hide.iter().flatten().any(|&hide| hide);
    let kappa = migration.kappa().filter(|_| !is_hidden);
    // What moved in all follows from the cells.
    let in_all = match is_hidden {
        true => String::new(),
        false => format!(
            ": {} rose, {} fell, {} stayed{}",
            count(migration.raised),
            count(migration.lowered),
            count(migration.stayed),
            migration.moved().map_or(String::new(), |share| {
                let kappa = kappa.map(|kappa| format!("; weighted kappa {}", significant(kappa, 3)));
                format!(" ({} moved{})", percent(share), kappa.unwrap_or_default())
            })
        ),
    };
    let mut grid = Grid::new(format!("Movement by {}{in_all}", found.scheme), &heads);
    for (i, row) in migration.customers.iter().enumerate() {
        let name = migration.tiers.get(i).cloned().unwrap_or_else(|| "(new)".to_string());
        let share = |k: usize| {
            shares[i].as_ref().map_or(String::new(), |shares| format!(" ({})", percent(shares[k])))
        };
        let mut cells = vec![name];
        for (k, &n) in row.iter().enumerate() {
            cells.push(if hide[i][k] { HIDDEN.to_string() } else { format!("{}{}", count(n), share(k)) });
        }
        let (total, value) = (row.iter().sum::<u64>(), migration.value[i].iter().sum());
        let is_small = total > 0 && total < suppress_below;
        let shown = |text: String| if is_small { HIDDEN.to_string() } else { text };
        cells.push(shown(count(total)));
        cells.push(if found.value.is_some() { shown(money(value)) } else { NONE.to_string() });
        grid.row(cells);
    }
    let what = found.value.as_ref().map_or(String::new(), |name| {
        format!("Value is {name} of the later table, of the earlier one for who is gone.\n\n")
    });
    let words = "Weighted kappa is Cohen's, with linear weights: 1 where nobody has moved, 0 where tiers agree no more than \
                 by chance.\n\n";
    grid.text() + &what + kappa.map_or("", |_| words)
}

fn drifts(found: &Movement) -> String {
    if found.drift.is_empty() {
        return String::new();
    }
    let heads = ["figure", ">median before", ">after", ">stability index", "shift"];
    let mut grid = Grid::new("Whether customers have changed", &heads);
    for drift in &found.drift {
        let number = |value: Option<f64>| value.map_or(NONE.to_string(), |value| significant(value, 4));
        let level = match drift.level {
            DriftLevel::Little => "little",
            DriftLevel::Some => "some: look at it",
            DriftLevel::Much => "much",
            DriftLevel::Unknown => "no values to compare",
        };
        let [before, after] = drift.medians;
        grid.row(vec![
            drift.name.clone(),
            number(before),
            number(after),
            number(drift.index),
            level.to_string(),
        ]);
    }
    grid.text()
        + "The stability index is that of the shares between the earlier tenths: below 0.1 little, above 0.25 much.\n\n"
}
