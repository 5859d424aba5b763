//! A study of learned effects: how often their intervals hold the truth, over thousands of trials with known effects.
//!
//! ```text
//! study_learn --trials 4000 --customers 1500 --seed 1 --out learn.md
//! ```
//! Writes Markdown. The table is in `docs/studies/learn.md`.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use tiercast::learn::worlds::World;
use tiercast::learn::{Estimator, Policy, PolicyEstimate, effects, value_of};
use tiercast::parallel;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const WORLDS: [(World, &str); 5] = [
    (World::Lottery, "a lottery, probabilities said"),
    (World::LotteryUnsaid, "a lottery, probabilities not said"),
    (World::Null, "a lottery without any effect"),
    (World::BentOutcome, "outcomes bend, probabilities right"),
    (World::WrongProbability, "probabilities wrong, outcomes linear"),
];

const POLICIES: [(&str, [u8; 3]); 3] =
    [("nobody", [0, 0, 0]), ("everybody", [1, 1, 1]), ("mid only", [0, 1, 0])];

struct Request {
    trials: u32,
    customers: u32,
    seed: u64,
    out: PathBuf,
}

/// The error of an estimate against the truth, and whether its interval holds it.
struct Judged {
    error: f64,
    standard_error: f64,
    holds: bool,
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let mut out = Vec::new();
    let Request { trials, customers, seed, .. } = request;
    writeln!(
        out,
        "{trials} trials of {customers} customers in three tiers for each world, seed {seed}, tiercast {}.\n",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(
        out,
        "| world | estimator | mean error, in its own standard errors | intervals of 95 % that hold the truth |\n|---|---|---|---|"
    )?;
    for (world, words) in WORLDS {
        let found = parallel::try_map(trials as usize, |number| {
            Ok(effects(&world.trial(seed, number as u32, customers)?, true))
        })?;
        for by in Estimator::ALL {
            let all: Vec<Judged> = found
                .iter()
                .flatten()
                .enumerate()
                .filter_map(|(k, effect)| {
                    let (estimate, truth) = (effect.by(by)?, world.effect(k % 3));
                    let holds = estimate.lower <= truth && truth <= estimate.upper;
                    Some(Judged {
                        error: estimate.effect - truth,
                        standard_error: estimate.standard_error,
                        holds,
                    })
                })
                .collect();
            // Where probabilities differ within tiers there is no difference in means.
            if !all.is_empty() {
                writeln!(out, "| {words} | {} | {} |", by.words(), line(&all))?;
            }
        }
    }
    writeln!(
        out,
        "\n| world | policy | estimator | mean error, in its own standard errors | intervals of 95 % that hold the truth |\n|---|---|---|---|---|"
    )?;
    for (world, words) in WORLDS {
        for (name, arm) in POLICIES {
            let found = parallel::try_map(trials as usize / 4, |number| {
                let trial = world.trial(seed.wrapping_add(1), number as u32, customers)?;
                value_of(&trial, &Policy { name: name.into(), arm: arm.to_vec() })
            })?;
            let truth = world.value(arm.map(|arm| arm == 1));
            let judged = |of: &dyn Fn(usize) -> PolicyEstimate| -> Vec<Judged> {
                (0..found.len())
                    .map(|k| {
                        let PolicyEstimate { value, standard_error, lower, upper } = of(k);
                        Judged {
                            error: value - truth,
                            standard_error,
                            holds: lower <= truth && truth <= upper,
                        }
                    })
                    .collect()
            };
            for (by, all) in [
                ("weights", judged(&|k| found[k].ips)),
                ("normalised", judged(&|k| found[k].self_normalised)),
                ("doubly robust", judged(&|k| found[k].doubly_robust)),
            ] {
                writeln!(out, "| {words} | {name} | {by} | {} |", line(&all))?;
            }
        }
    }
    Ok(std::fs::write(&request.out, out)?)
}

/// The mean error over its own standard error, that of a single estimate, and coverage.
fn line(all: &[Judged]) -> String {
    let n = all.len() as f64;
    let mean = all.iter().map(|j| j.error).sum::<f64>() / n;
    let variance = all.iter().map(|j| (j.error - mean).powi(2)).sum::<f64>() / n;
    let said = all.iter().map(|j| j.standard_error).sum::<f64>() / n;
    let held = all.iter().filter(|j| j.holds).count() as f64 / n;
    format!(
        "{:+.1} ({mean:+.4} ± {:.4}; spread {:.4}, said {said:.4}) | {:.1} %",
        mean / (variance / n).sqrt(),
        (variance / n).sqrt(),
        variance.sqrt(),
        100.0 * held
    )
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let mut request = Request { trials: 4000, customers: 1500, seed: 1, out: PathBuf::new() };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--trials" => request.trials = value()?.parse()?,
            "--customers" => request.customers = value()?.parse()?,
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
