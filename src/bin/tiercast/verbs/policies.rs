//! `tiercast policies`: what holding on to tiers saves and costs.

use std::path::PathBuf;

use clap::ArgMatches;
use tiercast::Result;
use tiercast::customers::WholeFile;
use tiercast::pipeline::{Holdings, MovementRequest, holdings, open_tiers};
use tiercast::report::format::{NONE, count, money, percent};
use tiercast::tier::policy::Policy;

use crate::args::{Global, PoliciesArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: PoliciesArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings = settings::resolve(global, Typed { matches, ..Typed::default() })?;
    let bars = Bars::new(global)?;
    let policies = match &args.policy[..] {
        [] => vec![Policy::AtOnce, Policy::Hysteresis { up: 1, down: 2 }, Policy::Term { days: 363 }],
        given => given.to_vec(),
    };
    let request = MovementRequest {
        scheme: args.scheme,
        tiers: args.tiers,
        value: args.value,
        ..MovementRequest::default()
    };
    let found = super::with_threads(settings.threads, || {
        let open = |path: &PathBuf| open_tiers(path, args.id.as_deref());
        let files: Vec<WholeFile> = args.tables.iter().map(open).collect::<Result<_>>()?;
        holdings(&files, &request, &policies, &bars)
    })?;
    bars.finish();
    if global.json {
        return terminal::print_json(&serde_json::json!({ "schema": 1, "holdings": found }));
    }
    terminal::print(&text(&found))
}

fn text(found: &Holdings) -> String {
    let dates: Vec<String> = found.dates.iter().map(ToString::to_string).collect();
    let title = format!("Holding on to tiers by {}, graded on {}", found.scheme, dates.join(", "));
    let heads = [
        "policy",
        ">moves",
        ">saved",
        ">stale grades",
        ">above",
        ">held above at last",
        ">their value",
        ">below",
    ];
    let mut grid = Grid::new(title, &heads);
    for holding in &found.policies {
        let cost = holding.cost;
        let share =
            |n: u64| if cost.grades > 0 { percent(n as f64 / cost.grades as f64) } else { NONE.to_string() };
        let saved = match cost.moves_at_once {
            0 => NONE.to_string(),
            all => percent(1.0 - cost.moves as f64 / all as f64),
        };
        grid.row(vec![
            holding.policy.to_string(),
            count(cost.moves),
            saved,
            share(cost.stale),
            share(cost.above),
            count(holding.above_at_last),
            holding.value_above.map_or(NONE.to_string(), money),
            count(holding.below_at_last),
        ]);
    }
    let what = found
        .value
        .as_ref()
        .map_or(String::new(), |name| format!(" Their value is {name} at the last grading."));
    grid.text()
        + &format!(
            "Stale grades are customers × gradings in another tier than the rules say then; above, in a better one.{what}\n\n"
        )
}
