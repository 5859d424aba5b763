//! Whether fits with covariates and fits by group recover known parameters, as a Markdown document on stdout.
//!
//! ```text
//! cargo run --release --example study_recovery -- [--seed N] [--effects WORLDS] [--groups WORLDS] [--date DAY]
//! ```
//! Without options, what `docs/studies/recovery.md` holds: 100 worlds of covariates and 25 worlds of groups for each
//! of BG/NBD and Pareto/NBD. Progress goes to stderr. The same options give the same numbers.

use std::io::Write;
use std::time::Instant;

use tiercast::recovery::{Study, effects, groups};

/// What was asked for.
struct Request {
    seed: u64,
    effects: u32,
    groups: u32,
    date: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let request = request(&words)?;
    let Request { seed, .. } = request;
    let effects = effects::Size { seed, worlds: request.effects, customers: 4_000 };
    let groups = groups::Size { seed, worlds: request.groups, groups: (20, 50), customers: (100, 1_600) };
    let command: Vec<&str> = "cargo run --release --example study_recovery --"
        .split(' ')
        .chain(words.iter().map(String::as_str))
        .collect();
    let mut page = format!(
        "# Recovery of known parameters: covariates and groups\n\n`{}`\n\nSeed {seed}; {}; tiercast {}.\n\n{ABOUT}\n",
        command.join(" ").trim_end_matches(" --"),
        request.date,
        env!("CARGO_PKG_VERSION")
    );
    let timed = |name: &str, study: &dyn Fn() -> tiercast::Result<Study>| {
        let start = Instant::now();
        let study = study()?;
        writeln!(std::io::stderr(), "{name}: {:.0} s", start.elapsed().as_secs_f64())?;
        Ok::<Study, Box<dyn std::error::Error>>(study)
    };
    let studies = [
        timed("BG/NBD, covariates", &|| effects::bg_nbd_effects(effects, &()))?,
        timed("Pareto/NBD, covariates", &|| effects::pareto_nbd_effects(effects, &()))?,
        timed("BG/NBD, groups", &|| groups::bg_nbd_groups(groups, &()))?,
        timed("Pareto/NBD, groups", &|| groups::pareto_nbd_groups(groups, &()))?,
    ];
    for study in &studies {
        page += &study.markdown();
        page.push('\n');
    }
    let within: u64 = studies.iter().map(|study| study.all.within).sum();
    let pairs: u64 = studies.iter().map(|study| study.all.pairs).sum();
    let share = 100.0 * within as f64 / pairs as f64;
    page += &format!("All together: {within} of {pairs} pairs within three standard errors, {share:.2} %.\n");
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

const ABOUT: &str = "\
Worlds give (x, t_x, T) in continuous time and follow the model that is fitted; the logarithms of their parameters differ
from world to world. Customers with covariates: a number and a level of three move purchases, another number and a level
of two move dropout. Groups: 20 to 50 of 100 to 1,600 customers each, whose parameters come from a normal population on
the scale-free scale; z compares the pooled estimate with the group's own truth, by the standard error of the pooled
estimate. A pair is a parameter and a fit, or a parameter and a group. Parameters are compared as logarithms, coefficients as they
are. A normal z lies within three standard errors in 99.73 % of pairs, with mean 0 and deviation 1.
";

fn request(words: &[String]) -> Result<Request, String> {
    let mut out = Request { seed: 20_261_125, effects: 100, groups: 25, date: "no date given".to_string() };
    for pair in words.chunks(2) {
        let [option, value] = pair else { return Err(format!("{} needs a value", pair[0])) };
        let number = || value.parse::<u32>().map_err(|e| format!("{option} {value}: {e}"));
        match option.as_str() {
            "--seed" => out.seed = value.parse().map_err(|e| format!("{option} {value}: {e}"))?,
            "--effects" => out.effects = number()?,
            "--groups" => out.groups = number()?,
            "--date" => out.date.clone_from(value),
            _ => return Err(format!("no option {option}: --seed, --effects, --groups, --date")),
        }
    }
    Ok(out)
}
