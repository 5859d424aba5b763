//! A study of compared strategies: do their intervals hold what happens, is a gain declared where there is none, and what is the
//! winner of a comparison worth?
//!
//! ```text
//! study_strategies coverage --worlds 1000 --draws 400 --seed 1 --out coverage.md
//! study_strategies null --experiments 1000 --customers 300,1200 --seed 1 --out null.md
//! study_strategies winner --experiments 4000 --customers 300,1200 --seed 1 --out winner.md
//! ```
//! Writes Markdown, and says on standard error how far it is. The tables are in `docs/studies/strategies.md`.

use std::io::Write;
use std::path::PathBuf;

use tiercast::clv::ModelName;
use tiercast::parallel;

#[path = "study_strategies/company.rs"]
mod company;
#[path = "study_strategies/coverage.rs"]
mod coverage;
#[path = "study_strategies/experiment.rs"]
mod experiment;

use company::{Fallible, percent};

/// Small true effects that differ.
const SMALL: experiment::Effects = [[0.02, 0.05, 0.10], [0.06, 0.0, 0.04]];

/// Customers of a world, at least and at most.
const CUSTOMERS: (u32, u32) = (1000, 1500);

/// Worlds of a comparison of what was learned from an experiment.
const WORLDS: u32 = 400;

/// Worlds between two words on how far it is.
const TOGETHER: u32 = 50;

struct Request {
    part: String,
    worlds: u32,
    draws: u32,
    experiments: u32,
    customers: Vec<u32>,
    seed: u64,
    out: PathBuf,
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let text = match request.part.as_str() {
        "coverage" => of_coverage(&request)?,
        "null" => of_null(&request)?,
        "winner" => of_winner(&request)?,
        other => return Err(format!("no part {other}: there are coverage, null and winner").into()),
    };
    Ok(std::fs::write(&request.out, text)?)
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let mut request = Request {
        part: words.next().ok_or("say which part: coverage, null or winner")?,
        worlds: 1000,
        draws: 400,
        experiments: 1000,
        customers: vec![300, 1200],
        seed: 1,
        out: PathBuf::new(),
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--worlds" => request.worlds = value()?.parse()?,
            "--draws" => request.draws = value()?.parse()?,
            "--experiments" => request.experiments = value()?.parse()?,
            "--customers" => {
                request.customers = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            "--seed" => request.seed = value()?.parse()?,
            "--out" => request.out = value()?.into(),
            option => return Err(format!("no option {option}").into()),
        }
    }
    if request.out.as_os_str().is_empty() {
        return Err("give --out FILE.md".into());
    }
    Ok(request)
}

fn of_coverage(request: &Request) -> Fallible<String> {
    let asked = coverage::Request { customers: CUSTOMERS, draws: request.draws, seed: request.seed };
    let mut out = format!(
        "{} worlds of each model, {} draws, seed {}, tiercast {}.\n\n",
        request.worlds,
        request.draws,
        request.seed,
        env!("CARGO_PKG_VERSION")
    );
    out += "| model | strategy | what came of it in its interval | what was to be expected in its interval | realised less expected (s.e.) |\n";
    out += "|---|---|---|---|---|\n";
    let mut notes = String::new();
    for (model, name) in [(ModelName::ParetoNbd, "Pareto/NBD"), (ModelName::BgNbd, "BG/NBD")] {
        let mut found = Vec::new();
        let mut unusable = 0;
        for first in (0..request.worlds).step_by(TOGETHER as usize) {
            let count = TOGETHER.min(request.worlds - first);
            let batch = parallel::map(count as usize, |i| coverage::world(model, first + i as u32, asked));
            for of_world in batch {
                match of_world? {
                    Some(of_world) => found.push(of_world),
                    None => unusable += 1,
                }
            }
            writeln!(std::io::stderr(), "{name}: {} of {} worlds", first + count, request.worlds)?;
        }
        out += &coverage::rows(name, &found)?;
        let doubtful = found.iter().filter(|of| !of.trusted).count();
        notes += &format!(
            "{name}: {unusable} worlds without a usable fit; draws not to be trusted in {doubtful}.\n"
        );
    }
    Ok(format!("{out}\n{notes}"))
}

fn head(request: &Request, with: &str) -> String {
    format!(
        "{} experiments of each size{with}, seed {}, tiercast {}.\n\n",
        request.experiments,
        request.seed,
        env!("CARGO_PKG_VERSION")
    )
}

fn found(request: &Request, asked: experiment::Request) -> Fallible<Vec<experiment::Found>> {
    let found = experiment::experiments(&asked, request.experiments)?;
    writeln!(std::io::stderr(), "{} customers a tier: {} experiments", asked.of_tier, found.len())?;
    Ok(found)
}

fn of_null(request: &Request) -> Fallible<String> {
    let mut out = head(request, &format!(", comparisons of {WORLDS} worlds"));
    out += "| customers a tier | experiments with all six lifts | any of six \"gains\" | any of six joint intervals above 0 | any of six intervals, each on its own, above 0 |\n";
    out += "|---|---|---|---|---|\n";
    for &of_tier in &request.customers {
        let asked =
            experiment::Request { of_tier, effects: experiment::NONE, worlds: WORLDS, seed: request.seed };
        let found = found(request, asked)?;
        let n = found.len();
        let cells = experiment::declared(&found).map(|hits| percent(hits, n)).join(" | ");
        out += &format!("| {of_tier} | {n} | {cells} |\n");
    }
    Ok(out)
}

fn of_winner(request: &Request) -> Fallible<String> {
    let mut out = head(request, "");
    out += "| true effects | customers a tier | the winner's true gain | its gain by the table above the truth | a half's winner by that half | by the other half | any strategy by a half | the other half's interval holds the truth |\n";
    out += "|---|---|---|---|---|---|---|---|\n";
    for (name, effects) in [("none", experiment::NONE), ("0 to 10 %", SMALL)] {
        for &of_tier in &request.customers {
            let asked = experiment::Request { of_tier, effects, worlds: 0, seed: request.seed };
            out += &experiment::row(name, of_tier, &found(request, asked)?);
        }
    }
    Ok(out)
}
