//! `tiercast learn`: what an action does in each tier, from a randomised contact table.

use clap::ArgMatches;
use tiercast::customers::WholeFile;
use tiercast::learn::{Estimator, Lacking, PolicyEstimate};
use tiercast::pipeline::{
    ContactColumns, Language, LearnRequest, Learned, ResponseOptions, Said, TierRequest, learn,
    responses_toml,
};
use tiercast::report::format::{NONE, count, interval, number, percent, significant};
use tiercast::report::{FileKind, OutputFile};
use tiercast::strategy::Lever;
use tiercast::{Error, Result};

use super::tier::{named, unit, with_clusters};
use crate::args::{Global, LearnArgs, ModelArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: LearnArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let models = ModelArgs { seed: args.seed, ..ModelArgs::default() };
    let settings = settings::resolve(global, Typed { models, matches, ..Typed::default() })?;
    let named = named(std::slice::from_ref(&args.scheme))?;
    let options = args.cost.map(|cost| options(&args, cost)).transpose()?;
    let bars = Bars::new(global)?;
    let inputs = [args.contacts.clone(), args.customers.clone()];
    let begin = |path| OutputFile::begin(FileKind::Responses, path, args.force, &inputs);
    let out = args.output.as_deref().map(begin).transpose()?;
    let found = super::with_threads(settings.threads, || {
        let contacts = WholeFile::open(&args.contacts, args.contact_id.as_deref())?;
        let customers = WholeFile::open(&args.customers, args.id.as_deref())?;
        let schemes = with_clusters(named, &customers)?;
        let request = LearnRequest {
            tiers: TierRequest {
                schemes: &schemes,
                policy: None,
                overrides: None,
                opt_out: None,
                date: args.date,
                unit: args.unit.map(unit),
                with: &[],
                reasons: false,
                language: Language::En,
                pseudonyms: None,
                ledger: None,
            },
            columns: ContactColumns {
                outcome: args.outcome.clone(),
                missing_is_zero: args.missing_outcome == "zero",
                treated: args.treated.clone(),
                action: args.action.clone(),
                control: args.control.clone(),
                probability: args.probability.clone(),
            },
            covariates: args.covariates.clone(),
            said: match (args.observational, args.randomised) {
                (true, _) => Said::Observational,
                (_, true) => Said::ByLot,
                _ => Said::Nothing,
            },
            lift: args.lift.0,
            seed: settings.run.seed,
            policies: &args.policy,
        };
        learn(&contacts, &customers, &request, &bars)
    })?;
    let mut warnings = found.warnings.clone();
    if let (Some(out), Some(options)) = (&out, &options) {
        let (text, left) = responses_toml(&found, options)?;
        warnings.extend(left);
        std::fs::write(out.path(), text).map_err(|e| Error::io("write", out.path(), e))?;
    }
    let place = out.map(OutputFile::finish).transpose()?;
    bars.finish();
    if !global.quiet {
        warnings.iter().for_each(|warning| terminal::warning(warning));
        if let Some(place) = place {
            terminal::note(&format!("responses in {}", place.display()));
        }
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "learned": found,
        }));
    }
    terminal::print(&text(&found))
}

fn options(args: &LearnArgs, cost: f64) -> Result<ResponseOptions> {
    if !(cost.is_finite() && cost >= 0.0) {
        let problem = "it is not an amount of money from 0 on";
        return Err(Error::value("--cost", cost, problem, "give what one contact costs"));
    }
    let on = match args.on.as_deref() {
        Some("spend") => Lever::Spend,
        _ => Lever::PurchaseRate,
    };
    Ok(ResponseOptions { cost, on, shrink: args.shrink, over: args.over })
}

fn text(found: &Learned) -> String {
    let mut text = balance(found) + &effects(found) + &lifts(found);
    if !found.policies.is_empty() {
        text += &policies(found);
    }
    text
}

fn balance(found: &Learned) -> String {
    let mut text = String::new();
    for balance in &found.balance {
        let title = format!(
            "Were they alike before? {} against {} ({} customers, {} treated; p = {} that a lottery differs as much)",
            balance.action,
            found.control,
            count(balance.customers),
            count(balance.treated),
            if balance.degrees == 0 { NONE.to_string() } else { significant(balance.p_value, 2) }
        );
        let heads = ["ln(1 + x), standardised", ">treated", ">others", ">difference"];
        let mut grid = Grid::new(title, &heads);
        for difference in &balance.differences {
            grid.row(vec![
                difference.name.clone(),
                finite(difference.treated),
                finite(difference.untreated),
                number(difference.standardised, 3),
            ]);
        }
        text += &grid.text();
    }
    text
}

fn effects(found: &Learned) -> String {
    let title = format!("What it adds to {} of a customer, with 95 % intervals", found.outcome);
    let ways = Estimator::ALL.map(|way| format!(">{}", way.words()));
    let heads: Vec<&str> = ["action", "tier", ">treated", ">others", ">their mean"]
        .into_iter()
        .chain(ways.iter().map(String::as_str))
        .collect();
    let mut grid = Grid::new(title, &heads);
    for effect in &found.effects {
        let mut cells = vec![
            effect.action.clone(),
            effect.tier.clone(),
            count(effect.treated),
            count(effect.untreated),
            significant(effect.base, 4),
        ];
        cells.extend(Estimator::ALL.map(|way| match effect.by(way) {
            Some(found) => {
                let print = |value: f64| number(value, 3);
                format!("{} ({})", print(found.effect), interval(found.lower, found.upper, print))
            }
            None => match effect.lacking {
                Some(Lacking::Customers) => "too few".to_string(),
                Some(Lacking::Variance) => "no variance".to_string(),
                None => NONE.to_string(),
            },
        }));
        grid.row(cells);
    }
    let mut text = grid.text();
    if found.effects.iter().any(|effect| effect.confounded) {
        text += "The difference in means is left out where some of a tier were likelier to be treated than others: it would be there \
                 without any effect. \"Their mean\" is then the doubly robust one.\n\n";
    }
    text
}

fn finite(value: f64) -> String {
    if value.is_finite() { number(value, 3) } else { NONE.to_string() }
}

fn lifts(found: &Learned) -> String {
    let wanted = found.power.first().map_or(NONE.to_string(), |power| percent(power.lift));
    let next = format!(">customers to find {wanted}");
    let heads =
        ["action", "tier", ">lift", ">95 %", ">with the other tiers", ">95 %", ">detectable", next.as_str()];
    let mut grid = Grid::new("Lifts (doubly robust), and what a next test of the same shares needs", &heads);
    for (effect, power) in found.effects.iter().zip(&found.power) {
        let shrunk = found.shrunk.iter().find(|s| s.action == effect.action && s.tier == effect.tier);
        let none = || [NONE.to_string(), String::new()];
        let own = effect.lift.map_or_else(none, |l| [percent(l.lift), interval(l.lower, l.upper, percent)]);
        let with = shrunk.map_or_else(none, |s| [percent(s.lift), interval(s.lower, s.upper, percent)]);
        let mut cells = vec![effect.action.clone(), effect.tier.clone()];
        cells.extend(own);
        cells.extend(with);
        cells.push(power.detectable_lift.map_or(NONE.to_string(), percent));
        cells.push(power.customers.map_or(NONE.to_string(), count));
        grid.row(cells);
    }
    grid.text()
}

fn policies(found: &Learned) -> String {
    let title = format!(
        "What policies would have been worth: mean {} of a customer, ± standard error",
        found.outcome
    );
    let heads =
        ["policy", ">followed", ">by weights", ">normalised", ">doubly robust", ">above nobody", ">95 %"];
    let mut grid = Grid::new(title, &heads);
    for value in &found.policies {
        let print = |value: PolicyEstimate| {
            format!("{} ± {}", number(value.value, 4), number(value.standard_error, 4))
        };
        grid.row(vec![
            value.policy.name.clone(),
            count(value.followed),
            print(value.ips),
            print(value.self_normalised),
            print(value.doubly_robust),
            print(value.above_control),
            interval(value.above_control.lower, value.above_control.upper, |value| number(value, 4)),
        ]);
    }
    grid.text()
        + "A policy that was chosen by the effects above is valued too well here: the same luck chose it (the winner's curse). Choose on \
           one half of the customers and value on the other, or test it.\n\n"
}
