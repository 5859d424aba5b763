//! A study of intervals: how often they hold what happens, over a thousand worlds with known parameters.
//!
//! ```text
//! study_coverage --worlds 1000 --misspecified 200 --seed 1 --draws 400 --out coverage.md
//! ```
//! Writes Markdown, after every few worlds of what is known so far, and says on standard error how far it is. The table
//! is in `docs/studies/coverage.md`.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use tiercast::clv::{ModelName, Prior};
use tiercast::parallel;
use tiercast::recovery::coverage::{Cell, CoverageOptions, Group, Outcome, Quantity, Tally, Truth, cover};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Worlds that are worked on together.
const BLOCK: u32 = 24;

/// What a cell's coverage may be, for intervals of 90 %.
const BAND: std::ops::RangeInclusive<f64> = 0.87..=0.93;

const TIERS: [&str; 4] = ["high value", "potential", "ordinary", "lost"];

/// The tier of the built-in scheme `rfm`, which its rules state, for scores of 1 to 5.
fn rfm_tier(r: u8, f: u8, m: u8) -> u8 {
    match r {
        1 => 3,
        2 if f >= 4 && m >= 4 => 1,
        2 if f <= 2 && m <= 2 => 3,
        2 => 2,
        _ if f >= 4 && m >= 4 => 0,
        _ if f >= 3 || m >= 3 => 1,
        _ => 2,
    }
}

struct Request {
    worlds: u32,
    misspecified: u32,
    options: CoverageOptions,
    out: PathBuf,
}

fn main() -> Fallible<()> {
    let request = request(std::env::args().skip(1))?;
    let (mut well, mut badly) = (Vec::new(), Vec::new());
    run(&request, Truth::WellSpecified, &mut well, |well| save(&request, well, &[]))?;
    run(&request, Truth::Misspecified, &mut badly, |badly| save(&request, &well, badly))?;
    save(&request, &well, &badly)
}

/// Writes what is known so far.
fn save(request: &Request, well: &[Outcome], badly: &[Outcome]) -> Fallible<()> {
    let mut out = Vec::new();
    let CoverageOptions { seed, draws, customers, prior, .. } = request.options;
    writeln!(
        out,
        "{} worlds of {} to {} customers and {} misspecified ones, seed {seed}, {draws} draws, prior {prior:?}, tiercast \
         {}.\n",
        well.len(),
        customers.0,
        customers.1,
        badly.len(),
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "## Well-specified worlds\n")?;
    worlds(&mut out, well)?;
    writeln!(out)?;
    cells(&mut out, &Tally::of(well, None), true)?;
    writeln!(out, "\n## By model\n")?;
    by_model(&mut out, well)?;
    writeln!(out, "\n## Misspecified worlds, without a gate\n")?;
    worlds(&mut out, badly)?;
    writeln!(out)?;
    cells(&mut out, &Tally::of(badly, None), false)?;
    Ok(std::fs::write(&request.out, out)?)
}

fn request(mut words: impl Iterator<Item = String>) -> Fallible<Request> {
    let options = CoverageOptions {
        seed: 1,
        draws: 400,
        prior: Prior::default(),
        level: 0.9,
        customers: (1000, 1600),
        tier_of: rfm_tier,
        tiers: TIERS.len(),
    };
    let mut request = Request { worlds: 1000, misspecified: 200, options, out: PathBuf::new() };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--worlds" => request.worlds = value()?.parse()?,
            "--misspecified" => request.misspecified = value()?.parse()?,
            "--seed" => request.options.seed = value()?.parse()?,
            "--draws" => request.options.draws = value()?.parse()?,
            "--fewest" => request.options.customers.0 = value()?.parse()?,
            "--most" => request.options.customers.1 = value()?.parse()?,
            "--out" => request.out = value()?.into(),
            "--prior" => request.options.prior = value()?.parse()?,
            option => return Err(format!("no option {option}").into()),
        }
    }
    if request.out.as_os_str().is_empty() {
        return Err("give --out FILE.md".into());
    }
    if request.options.customers.0 > request.options.customers.1 {
        return Err("--fewest is above --most".into());
    }
    Ok(request)
}

fn run(
    request: &Request,
    truth: Truth,
    out: &mut Vec<Outcome>,
    mut save: impl FnMut(&[Outcome]) -> Fallible<()>,
) -> Fallible<()> {
    let worlds = match truth {
        Truth::WellSpecified => request.worlds,
        Truth::Misspecified => request.misspecified,
    };
    for first in (0..worlds).step_by(BLOCK as usize) {
        let block = BLOCK.min(worlds - first) as usize;
        out.extend(parallel::try_map(block, |i| cover(first + i as u32, truth, &request.options))?);
        writeln!(std::io::stderr(), "{truth:?}: {} of {worlds} worlds", out.len())?;
        save(out)?;
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// What the worlds' fits ended in.
fn worlds(out: &mut impl Write, outcomes: &[Outcome]) -> Fallible<()> {
    writeln!(
        out,
        "| model | worlds | a fit not usable | usable, no verified optimum | draws not to be trusted |"
    )?;
    writeln!(out, "|---|---|---|---|---|")?;
    for model in [Some(ModelName::BgNbd), Some(ModelName::MbgNbd), Some(ModelName::ParetoNbd), None] {
        let tally = Tally::of(outcomes, model);
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            model.map_or("all", ModelName::title),
            tally.worlds,
            tally.without_fit,
            tally.not_verified,
            tally.poor
        )?;
    }
    let mut ended = std::collections::BTreeMap::new();
    for outcome in outcomes {
        let names = outcome.verdicts.each_ref().map(tiercast::recovery::fits::label);
        if names.iter().any(|name| name != "verified optimum") {
            *ended.entry((outcome.model.title(), names)).or_insert(0u32) += 1;
        }
    }
    for ((model, [purchases, spend]), count) in ended {
        writeln!(out, "\n- {count} × {model}: {purchases}; Gamma-Gamma: {spend}")?;
    }
    Ok(())
}

fn name(group: Group) -> String {
    match group {
        Group::All => "all customers".to_string(),
        Group::Tier(code) => format!("tier {}", TIERS[code]),
        Group::Tenth(code) => format!("tenth {}", code + 1),
    }
}

fn quantity_name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Orders => "orders",
        Quantity::Spend => "spend",
    }
}

fn cells(out: &mut impl Write, tally: &Tally, gated: bool) -> Fallible<()> {
    let gate = if gated { " 87–93 % |" } else { "" };
    writeln!(
        out,
        "| total of | quantity | worlds | coverage, % | Monte Carlo error | below, % | above, % | at an end, % | ends half, % |{gate}"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|{}", if gated { "---|" } else { "" })?;
    let mut outside = 0;
    for (&(group, quantity), cell) in &tally.cells {
        let inside = BAND.contains(&cell.coverage());
        outside += u32::from(!inside);
        let above = cell.worlds - cell.covered - cell.below;
        let share = |n: u32| percent(f64::from(n) / f64::from(cell.worlds));
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |{}",
            name(group),
            quantity_name(quantity),
            cell.worlds,
            percent(cell.coverage()),
            percent(cell.error()),
            share(cell.below),
            share(above),
            share(cell.at_an_end),
            percent(cell.without_atoms()),
            match (gated, inside) {
                (false, _) => "",
                (true, true) => " inside |",
                (true, false) => " **outside** |",
            }
        )?;
    }
    let of = &tally.customers;
    let [orders, spend] = of.covered.map(|covered| percent(covered as f64 / of.customers as f64));
    if gated {
        writeln!(out, "\nCells outside the band: {outside} of {}.", tally.cells.len())?;
    }
    writeln!(
        out,
        "\nCustomers’ own intervals: {} customers, coverage {orders} % for orders and {spend} % for spend.",
        of.customers
    )?;
    Ok(())
}

fn by_model(out: &mut impl Write, outcomes: &[Outcome]) -> Fallible<()> {
    let models = [ModelName::BgNbd, ModelName::MbgNbd, ModelName::ParetoNbd];
    let tallies = models.map(|model| Tally::of(outcomes, Some(model)));
    let heads = models.map(ModelName::title).join(" | ");
    writeln!(
        out,
        "Coverage, %, ± its Monte Carlo error.\n\n| total of | quantity | {heads} |\n|---|---|---|---|---|"
    )?;
    let Some(first) = tallies.first() else { return Ok(()) };
    for key in first.cells.keys() {
        let show = |cell: Option<&Cell>| {
            cell.map_or("–".to_string(), |cell| {
                format!("{} ± {}", percent(cell.coverage()), percent(cell.error()))
            })
        };
        let shown = tallies.each_ref().map(|tally| show(tally.cells.get(key)));
        writeln!(out, "| {} | {} | {} |", name(key.0), quantity_name(key.1), shown.join(" | "))?;
    }
    for (k, quantity) in ["orders", "spend"].into_iter().enumerate() {
        let of = tallies.each_ref().map(|tally| {
            percent(tally.customers.covered[k] as f64 / tally.customers.customers.max(1) as f64)
        });
        writeln!(out, "| each customer | {quantity} | {} |", of.join(" | "))?;
    }
    Ok(())
}
