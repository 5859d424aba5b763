//! `tiercast assess`: whether tiers are any good.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use tiercast::clv::own_value::FIGURES;
use tiercast::clv::{AnyModelFile, CustomerModel, ModelFile, ValueOptions};
use tiercast::customers::{Money, WholeFile};
use tiercast::pipeline::{AssessModel, AssessRequest, Assessed, AssessedScheme, Interval, assess};
use tiercast::report::format::{NONE, count, interval, money, number, percent, percent_exact};
use tiercast::report::hand_over::Format;
use tiercast::report::{FileKind, OutputFile};
use tiercast::tier::judge::{Cut, Spread};
use tiercast::{Error, Result};

use super::tier::{check_keys, named, with_clusters};
use crate::args::{AssessArgs, Global, HistoryArgs, ModelArgs};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Draws of everybody's own rates unless told otherwise: a probability of a half is then known to ± .035.
const DRAWS: u32 = 200;
/// Replications of the bootstrap unless told otherwise.
const REPLICATIONS: u32 = 400;

/// Runs the verb.
pub fn main(global: &Global, args: AssessArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let models =
        ModelArgs { horizon: args.horizon, discount: args.discount, seed: args.seed, ..ModelArgs::default() };
    let reading = HistoryArgs { margin: args.margin.clone(), unit: args.unit, ..HistoryArgs::default() };
    let settings = settings::resolve(global, Typed { reading, models, matches, ..Typed::default() })?;
    let named = named(&args.scheme)?;
    let model = args.model.as_deref().map(read_model).transpose()?;
    let typed = |id: &str| matches.and_then(|m| m.value_source(id)) == Some(ValueSource::CommandLine);
    let refuse = |id: &str, problem: &str, remedy: &str| match typed(id) {
        true => {
            let raw = matches.and_then(|m| m.get_raw(id)?.next()).unwrap_or_default();
            Err(Error::value(format!("--{id}"), raw.to_string_lossy(), problem, remedy))
        }
        false => Ok(()),
    };
    if model.is_none() {
        for id in ["horizon", "discount", "margin"] {
            refuse(
                id,
                "it is about lifetime value, which only a model gives",
                "add --model MODEL, or leave it out",
            )?;
        }
    }
    let (margin, not_applied) = match &model {
        Some(model) => super::predict::margin(CustomerModel::Alike(model), &settings)?,
        None => (1.0, None),
    };
    let value = ValueOptions { horizon: settings.run.horizon, discount: settings.run.discount, margin };
    let column = model.as_ref().and_then(|model| model.money()).filter(|money| *money != Money::revenue());
    let reading = super::table_options(&settings, column.map(|money| money.column));
    let format = args.output.as_deref().map(Format::of).transpose()?;
    let bars = Bars::new(global)?;
    let inputs: Vec<PathBuf> = std::iter::once(&args.customers).chain(&args.model).cloned().collect();
    let begin = |path: &PathBuf| OutputFile::begin(FileKind::Sureness, path, args.force, &inputs);
    let out = args.output.as_ref().map(begin).transpose()?;
    let found = super::with_threads(settings.threads, || {
        let file = WholeFile::open(&args.customers, args.id.as_deref())?;
        let schemes = with_clusters(named, &file)?;
        check_keys(&schemes, None)?;
        if args.value.is_none() && !file.columns().iter().any(|name| name == "spend_holdout") {
            let problem = "there is no column to hold tiers against, over which customers would be resampled";
            refuse("replications", problem, "add --value COLUMN, or leave it out")?;
        }
        let request = AssessRequest {
            schemes: &schemes,
            model: model.as_deref().map(|model| AssessModel {
                model,
                value,
                draws: args.draws.unwrap_or(DRAWS),
            }),
            value: args.value.as_deref(),
            seed: settings.run.seed,
            replications: args.replications.unwrap_or(REPLICATIONS),
            level: args.level.0,
            date: args.date,
            reading: &reading,
        };
        let place = out.as_ref().zip(format).map(|(out, format)| (out.path(), format));
        assess(&file, &request, place, &bars)
    })?;
    let place = out.map(OutputFile::finish).transpose()?;
    let stages = bars.finish();
    if !global.quiet {
        found.warnings.iter().chain(&not_applied).for_each(|warning| terminal::warning(warning));
        if found.prospects > 0 {
            terminal::note(&format!("{} rows without an order are left out", count(found.prospects)));
        }
        if let Some(place) = place {
            terminal::note(&format!("everybody's probabilities in {}", place.display()));
        }
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "assessed": found,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    terminal::print(&text(&found))
}

/// A model of purchases for all customers.
fn read_model(path: &Path) -> Result<Box<ModelFile>> {
    match AnyModelFile::read(path)? {
        AnyModelFile::Purchases(model) => Ok(model),
        other => {
            let problem = format!(
                "own rates are drawn by one model of purchases for all customers, and it holds {}",
                other.kind().words()
            );
            let remedy = "fit pareto-nbd, bg-nbd, mbg-nbd or nbd without --by and covariates";
            Err(Error::value("--model", path.display(), problem, remedy))
        }
    }
}

fn text(found: &Assessed) -> String {
    let mut text = String::new();
    for scheme in &found.schemes {
        text += &sureness(found, scheme);
        text += &curve(found, scheme);
    }
    text + &lost_by_own_rates(found) + &lost_in_holdout(found)
}

/// P(tier), tier by tier.
fn sureness(found: &Assessed, scheme: &AssessedScheme) -> String {
    let (Some(own), Some(draws)) = (&scheme.own_rates, found.draws) else { return String::new() };
    let key = &scheme.tiering.key;
    if own.depends_on.is_empty() {
        return format!(
            "{key}: its rules look at none of {}, so that own rates change no tier; what such tiers lose is below\n\n",
            FIGURES.join(", ")
        );
    }
    let title = format!(
        "How sure the tiers by {key} are: tiers by customers' own rates, thresholds held fixed, {} draws (one probability is known to ± {} \
         or better)",
        draws.draws,
        percent(0.5 / f64::from(draws.draws).sqrt())
    );
    let names = scheme.tiering.names();
    let heads: Vec<String> = ["tier", ">customers", ">sure (90 %)"]
        .into_iter()
        .map(String::from)
        .chain(names.iter().map(|name| format!(">{name}")))
        .collect();
    let mut grid = Grid::new(title, &heads.iter().map(String::as_str).collect::<Vec<_>>());
    for (tier, sure) in scheme.tiering.tiers.iter().zip(&own.tiers) {
        let share = match tier.customers {
            0 => NONE.to_string(),
            all => format!("{} ({})", count(sure.sure), percent(sure.sure as f64 / all as f64)),
        };
        let mut cells = vec![tier.name.clone(), count(tier.customers), share];
        cells.extend(
            sure.probability.iter().map(|&p| if tier.customers > 0 { percent(p) } else { NONE.into() }),
        );
        grid.row(cells);
    }
    grid.text()
}

/// What each tier holds of spend, of worth by own rates and of what came later: a Lorenz curve by tier.
fn curve(found: &Assessed, scheme: &AssessedScheme) -> String {
    let tiers = &scheme.tiering.tiers;
    let all: Vec<(String, Vec<f64>)> = [
        Some(("spend so far".to_string(), tiers.iter().map(|tier| tier.spend).collect::<Vec<f64>>())),
        scheme.own_rates.as_ref().zip(found.draws).map(|(own, draws)| {
            (worth_of(draws.has_money).to_string(), own.worth.iter().map(|worth| worth.value).collect())
        }),
        scheme
            .holdout
            .as_ref()
            .zip(found.value.clone())
            .map(|(holdout, name)| (name, holdout.held.worth.clone())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let heads: Vec<String> = ["tier".to_string(), ">customers".into(), ">together".into()]
        .into_iter()
        .chain(all.iter().flat_map(|(name, _)| [format!(">{name}"), ">together".to_string()]))
        .collect();
    let title = format!("What the tiers by {} hold, and together with the better ones", scheme.tiering.key);
    let mut grid = Grid::new(title, &heads.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut customers, mut sums) = (0.0, vec![0.0; all.len()]);
    for (k, tier) in tiers.iter().enumerate() {
        customers += tier.share_of_customers;
        let mut cells = vec![tier.name.clone(), percent(tier.share_of_customers), percent(customers)];
        for ((_, worth), sum) in all.iter().zip(&mut sums) {
            let total: f64 = worth.iter().sum();
            *sum += worth[k];
            let share = |of: f64| if total > 0.0 { percent(of / total) } else { NONE.to_string() };
            cells.extend([share(worth[k]), share(*sum)]);
        }
        grid.row(cells);
    }
    grid.text()
}

fn worth_of(has_money: bool) -> &'static str {
    if has_money { "lifetime value" } else { "expected transactions" }
}

/// The best tiers down to one, by name.
fn down_to(scheme: &AssessedScheme, at: usize) -> String {
    let names = scheme.tiering.names();
    match at {
        0 => names[0].clone(),
        _ => format!("{} to {}", names[0], names[at]),
    }
}

fn share(part: f64, whole: f64) -> String {
    if whole > 0.0 { percent(part / whole) } else { NONE.to_string() }
}

/// What is lost by own rates.
fn lost_by_own_rates(found: &Assessed) -> String {
    let Some(draws) = found.draws else { return String::new() };
    let level = percent_exact(found.level);
    let title = format!(
        "What misgrading loses: {} over {} by own rates, with {level} intervals",
        worth_of(draws.has_money),
        draws.horizon
    );
    let heads =
        ["scheme", "best tiers", ">customers", ">worth", ">of the best", ">lost", ">its interval", ">share"];
    let mut grid = Grid::new(title, &heads);
    for scheme in &found.schemes {
        let Some(own) = &scheme.own_rates else { continue };
        for (at, (cut, regret)) in own.cuts.iter().zip(&own.regret).enumerate() {
            let ends = interval(regret.lower, regret.upper, money);
            grid.row(row(scheme, at, cut, ends));
        }
    }
    let mut text = grid.text();
    let mut accuracy = Grid::new(
        "Accuracy ratio by own rates (1: no order of customers is better; the rates are the model's, which favours schemes by it)",
        &["", ">tiers", ">ratio", ">its interval", ">above the first", ">its interval"],
    );
    for scheme in &found.schemes {
        let Some(own) = &scheme.own_rates else { continue };
        let print = |value: f64| number(value, 3);
        let cells = |of: Option<Interval>| match of {
            Some(Interval { value, lower, upper }) => [print(value), interval(lower, upper, print)],
            None => [NONE.to_string(), String::new()],
        };
        let mut line = vec![scheme.tiering.key.clone(), count(scheme.tiering.tiers.len() as u64)];
        line.extend(cells(own.accuracy));
        line.extend(cells(own.above_first));
        accuracy.row(line);
    }
    text += &accuracy.text();
    text
}

fn row(scheme: &AssessedScheme, at: usize, cut: &Cut, ends: String) -> Vec<String> {
    vec![
        if at == 0 { scheme.tiering.key.clone() } else { String::new() },
        down_to(scheme, at),
        count(cut.customers),
        money(cut.held),
        money(cut.best),
        money(cut.regret),
        ends,
        share(cut.regret, cut.best),
    ]
}

/// What is lost against what came later.
fn lost_in_holdout(found: &Assessed) -> String {
    let Some(name) = &found.value else { return String::new() };
    let level = percent_exact(found.level);
    let title = format!("Against {name}, luck included, with {level} intervals over customers");
    let heads =
        ["scheme", "best tiers", ">customers", ">worth", ">of the best", ">lost", ">its interval", ">share"];
    let mut grid = Grid::new(title, &heads);
    let mut compared = Grid::new(
        format!("Accuracy ratio against {name}"),
        &["", ">tiers", ">ratio", ">its interval", ">above the first", ">its interval"],
    );
    for scheme in &found.schemes {
        let Some(holdout) = &scheme.holdout else { continue };
        for (at, (cut, regret)) in holdout.held.cuts.iter().zip(&holdout.held.regret).enumerate() {
            grid.row(row(scheme, at, cut, interval(regret.lower, regret.upper, money)));
        }
        let print = |value: f64| number(value, 3);
        let cells = |spread: Option<Spread>| match spread {
            Some(Spread { value, lower, upper }) => [print(value), interval(lower, upper, print)],
            None => [NONE.to_string(), String::new()],
        };
        let mut line = vec![scheme.tiering.key.clone(), count(scheme.tiering.tiers.len() as u64)];
        line.extend(cells(holdout.held.accuracy));
        line.extend(cells(holdout.held.above_first));
        compared.row(line);
    }
    grid.text()
        + &compared.text()
        + "More tiers order customers more finely: ratios of schemes with as many tiers compare rules alone.\n\n"
}
