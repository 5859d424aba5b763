//! A study of learned effects: how often their intervals hold the truth, over thousands of trials with known effects.
//!
//! ```text
//! study_learn --trials 2000 --customers 300,1500 --seed 1 --out learn.md
//! ```
//! Writes Markdown. The tables are in `docs/studies/learn.md`.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use tiercast::learn::worlds::World;
use tiercast::learn::{Effect, Estimator, Lift, Policy, PolicyEstimate, PolicyValue, effects, value_of};
use tiercast::parallel;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const WORLDS: [(World, &str); 8] = [
    (World::Lottery, "a lottery, probabilities said"),
    (World::LotteryUnsaid, "a lottery, probabilities not said"),
    (World::Null, "a lottery without any effect"),
    (World::Counts, "a lottery, orders of which most have none"),
    (World::BentOutcome, "regressions wrong, probabilities right"),
    (World::BentOutcomeUnsaid, "regressions wrong, probabilities estimated"),
    (World::HeavyTails, "regressions wrong, outcomes with heavy tails"),
    (World::WrongProbability, "probabilities wrong, regressions right"),
];

const POLICIES: [(&str, [u8; 3]); 3] =
    [("nobody", [0, 0, 0]), ("everybody", [1, 1, 1]), ("mid only", [0, 1, 0])];

type OfPolicy = fn(&PolicyValue) -> PolicyEstimate;

const WAYS: [(&str, OfPolicy); 4] = [
    ("weights", |value| value.ips),
    ("normalised", |value| value.self_normalised),
    ("doubly robust", |value| value.doubly_robust),
    ("above nobody", |value| value.above_control),
];

struct Request {
    trials: u32,
    customers: Vec<u32>,
    seed: u64,
    out: PathBuf,
}

/// The error of an estimate against the truth, and whether its interval holds it.
struct Judged {
    error: f64,
    standard_error: f64,
    holds: bool,
}

impl Judged {
    fn new(value: f64, standard_error: f64, (lower, upper): (f64, f64), truth: f64) -> Judged {
        Judged { error: value - truth, standard_error, holds: lower <= truth && truth <= upper }
    }
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let mut out = Vec::new();
    let sizes: Vec<String> = request.customers.iter().map(u32::to_string).collect();
    writeln!(
        out,
        "{} trials for each world and size, seed {}, tiercast {}.",
        request.trials,
        request.seed,
        env!("CARGO_PKG_VERSION")
    )?;
    let columns = format!("{} |\n|---|---|{}", sizes.join(" | "), "---|".repeat(sizes.len()));
    writeln!(out, "\n| world | estimator | {columns}")?;
    for (world, words) in WORLDS {
        of_effects(&mut out, &request, world, words)?;
    }
    writeln!(out, "\n| world | policy and estimator | {columns}")?;
    for (world, words) in WORLDS {
        of_policies(&mut out, &request, world, words)?;
    }
    Ok(std::fs::write(&request.out, out)?)
}

/// Rows of a table: by estimator one cell for each size.
struct Rows(Vec<(String, Vec<String>)>);

impl Rows {
    fn add(&mut self, name: &str, cell: String) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, cells)) => cells.push(cell),
            None => self.0.push((name.to_string(), vec![cell])),
        }
    }

    fn write(self, out: &mut impl Write, words: &str) -> Fallible<()> {
        for (name, cells) in self.0 {
            writeln!(out, "| {words} | {name} | {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}

fn of_effects(out: &mut impl Write, request: &Request, world: World, words: &str) -> Fallible<()> {
    let mut rows = Rows(Vec::new());
    for &customers in &request.customers {
        let found = parallel::try_map(request.trials as usize, |number| {
            Ok(effects(&world.trial(request.seed, number as u32, customers)?, world.by_lot()))
        })?;
        let all = |of: &dyn Fn(usize, &Effect) -> Option<Judged>| -> Vec<Judged> {
            found.iter().flatten().enumerate().filter_map(|(k, effect)| of(k % 3, effect)).collect()
        };
        for by in Estimator::ALL {
            let judged = all(&|tier, effect| {
                let e = effect.by(by)?;
                Some(Judged::new(e.effect, e.standard_error, (e.lower, e.upper), world.effect(tier)))
            });
            // Where probabilities differ within tiers there is no difference in means.
            if !judged.is_empty() {
                rows.add(by.words(), cell(&judged));
            }
        }
        let lifts = all(&|tier, effect| {
            let Lift { lift, log_error, lower, upper, .. } = effect.lift?;
            let truth = (world.effect(tier) / world.base(tier)).ln_1p();
            Some(Judged::new(lift.ln_1p(), log_error, (lower.ln_1p(), upper.ln_1p()), truth))
        });
        rows.add("ln(1 + lift)", cell(&lifts));
    }
    rows.write(out, words)
}

fn of_policies(out: &mut impl Write, request: &Request, world: World, words: &str) -> Fallible<()> {
    let mut rows = Rows(Vec::new());
    for &customers in &request.customers {
        let policies = POLICIES
            .map(|(name, arm)| (Policy { name: name.into(), arm: arm.to_vec() }, arm.map(|a| a == 1)));
        let found = parallel::try_map(request.trials as usize, |number| {
            let trial = world.trial(request.seed.wrapping_add(1), number as u32, customers)?;
            policies.iter().map(|(policy, _)| value_of(&trial, policy)).collect::<Result<Vec<_>, _>>()
        })?;
        for (k, (policy, treated)) in policies.iter().enumerate() {
            for (by, of) in WAYS {
                let against = if by == "above nobody" { world.value([false; 3]) } else { 0.0 };
                let judged: Vec<Judged> = found
                    .iter()
                    .map(|values| {
                        let PolicyEstimate { value, standard_error, lower, upper } = of(&values[k]);
                        Judged::new(value, standard_error, (lower, upper), world.value(*treated) - against)
                    })
                    .collect();
                // Nobody is not above nobody.
                if judged.iter().any(|judged| judged.standard_error > 0.0) {
                    rows.add(&format!("{}: {by}", policy.name), cell(&judged));
                }
            }
        }
    }
    rows.write(out, words)
}

/// Coverage, the mean error over its own standard error, and the mean standard error over the deviation that there is.
fn cell(all: &[Judged]) -> String {
    let n = all.len() as f64;
    let mean = all.iter().map(|j| j.error).sum::<f64>() / n;
    let deviation = (all.iter().map(|j| (j.error - mean).powi(2)).sum::<f64>() / n).sqrt();
    let said = all.iter().map(|j| j.standard_error).sum::<f64>() / n;
    let held = all.iter().filter(|j| j.holds).count() as f64 / n;
    format!("{:.1} % ({:+.1}; {:.2})", 100.0 * held, mean / deviation * n.sqrt(), said / deviation)
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let mut request = Request { trials: 2000, customers: vec![300, 1500], seed: 1, out: PathBuf::new() };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--trials" => request.trials = value()?.parse()?,
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
