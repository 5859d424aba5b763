//! `tiercast simulate`: strategies on a table of customers, or on a history.

mod input;

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::{Value, json};
use tiercast::clv::{AnyModelFile, CustomerModel, ModelFile, ModelName, ValueOptions};
use tiercast::customers::{Money, WholeFile};
use tiercast::history::{Source, files_of};
use tiercast::pipeline::{
    self, ConfigEntry, FutureOptions, ModelSetting, SimulateModel, SimulateRequest, SimulationFacts,
    StrategyText, simulate_customers,
};
use tiercast::progress::Progress;
use tiercast::report::format::count;
use tiercast::report::output::{Kind, OutputFolder};
use tiercast::strategy::StrategySet;
use tiercast::strategy::file::StrategyFile;
use tiercast::tier::opt_out::{OptOutReport, OptOuts};
use tiercast::tier::{SchemeFile, builtin};
use tiercast::{Error, Result};

use super::tier::{named, with_clusters};
use crate::args::{Global, HistoryArgs, HoldArg, ModelArgs, SimulateArgs};
use crate::bars::Bars;
use crate::settings::{self, Origin, Settings, Typed};
use crate::{tables, terminal};

/// Settings that change nothing here, or no result.
const NOT_LISTED: [&str; 10] = [
    "threads",
    "memory_limit",
    "spill_folder",
    "out",
    "model",
    "replications",
    "clusters",
    "cohort_period",
    "scheme",
    "strategies",
];

/// Runs the verb.
pub fn main(global: &Global, args: SimulateArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let models = ModelArgs {
        horizon: args.horizon,
        discount: args.discount,
        replications: args.replications,
        seed: args.seed,
        ..ModelArgs::default()
    };
    let typed = Typed {
        reading: args.reading.clone(),
        models,
        opt_out: args.opt_out.clone(),
        strategies: args.strategies.clone(),
        matches,
        ..Typed::default()
    };
    let settings = settings::resolve(global, typed)?;
    let Some(path) = &settings.strategies else {
        return Err(Error::value(
            "--strategies",
            "",
            "no strategy file is given",
            "give one with --strategies; `tiercast init CUSTOMERS -o strategies.toml` writes one to start from",
        ));
    };
    let strategies = StrategyText::read(path)?;
    let options = options(&args, &settings);
    options.check()?;
    let is_table = match args.input.as_slice() {
        [one] => input::is_table(one, args.id.as_deref())?,
        _ => false,
    };
    let mut inputs = files_of(&args.input.iter().cloned().map(Source::Path).collect::<Vec<_>>())?;
    inputs.extend([path.clone()]);
    inputs.extend(settings.run.opt_out.clone());
    inputs.extend(args.model.iter().chain(&args.scheme).map(PathBuf::from).filter(|path| path.exists()));
    inputs.extend(settings.file.clone());
    inputs.extend(strategies.list_files()?);
    let bars = Bars::new(global)?;
    let begin = |folder: &PathBuf| OutputFolder::begin_kind(Kind::Simulation, folder, args.force, &inputs);
    let out = args.output.as_ref().map(begin).transpose()?;
    let job = Job { args: &args, settings: &settings, strategies: &strategies, options, matches };
    let (shown, out) = super::with_threads(settings.threads, || {
        let shown =
            if is_table { job.table(&bars, out.as_ref())? } else { job.history(&bars, out.as_ref())? };
        bars.check()?;
        Ok((shown, out))
    })?;
    let place = out.map(OutputFolder::finish).transpose()?;
    bars.finish();
    if !global.quiet {
        shown.warnings.iter().for_each(|w| terminal::warning(w));
        shown.notes.iter().for_each(|n| terminal::note(n));
    }
    if global.json {
        terminal::print_json(&shown.manifest)?;
    } else {
        terminal::print(&shown.text)?;
    }
    if let (false, Some(path)) = (global.quiet, place) {
        terminal::note(&format!("report: {}", path.join("report.html").display()));
    }
    Ok(())
}

fn options(args: &SimulateArgs, settings: &Settings) -> FutureOptions {
    FutureOptions {
        seed: settings.run.seed,
        replications: settings.run.replications,
        futures: args.futures_per_draw,
        hold_parameters: args.hold.contains(&HoldArg::Parameters),
        hold_responses: args.hold.contains(&HoldArg::Responses),
        until: args.until,
    }
}

/// Who is contacted by no strategy.
fn opted_out(report: &OptOutReport, customers: u64) -> String {
    format!(
        "note: {} of {} customers have opted out by {} and are contacted by no strategy",
        count(report.customers),
        count(customers),
        report.date
    )
}

/// What is shown at the end.
struct Shown {
    manifest: Value,
    text: String,
    warnings: Vec<String>,
    notes: Vec<String>,
}

struct Job<'a> {
    args: &'a SimulateArgs,
    settings: &'a Settings,
    strategies: &'a StrategyText,
    options: FutureOptions,
    matches: Option<&'a ArgMatches>,
}

impl Job<'_> {
    fn table(&self, bars: &Bars, out: Option<&OutputFolder>) -> Result<Shown> {
        let (args, settings) = (self.args, self.settings);
        let except = ["unit", "margin"];
        super::refuse_typed::<HistoryArgs>(
            self.matches,
            &except,
            "it is about reading a purchase history, and this is a table of customers",
            "leave it out, or give it to `tiercast summarize`",
        )?;
        let model = self.model_file()?;
        let file = WholeFile::open(&args.input[0], args.id.as_deref())?;
        let schemes = self.schemes(Some(&file))?;
        let opt_outs = settings.run.opt_out.as_deref().map(OptOuts::read).transpose()?;
        let file_model = model.as_ref().ok();
        let margin = match file_model {
            Some(model) => super::predict::margin(CustomerModel::Alike(model), settings)?.0,
            None => settings.run.margin,
        };
        let column = file_model.and_then(|model| model.money()).filter(|money| *money != Money::revenue());
        let reading = super::table_options(settings, column.map(|money| money.column));
        let value = ValueOptions { horizon: settings.run.horizon, discount: settings.run.discount, margin };
        let request = SimulateRequest {
            strategies: self.strategies,
            schemes: &schemes,
            model: match &model {
                Ok(file) => SimulateModel::File(file),
                Err(name) => SimulateModel::Fit(*name),
            },
            options: self.options,
            value,
            opt_out: opt_outs.as_ref(),
            date: args.date,
            reading: &reading,
        };
        let found = simulate_customers(&file, &request, bars)?;
        let facts = SimulationFacts {
            set: &found.set,
            simulated: &found.simulated,
            options: &self.options,
            begins: found.begins,
            customers: found.customers,
            ids: &found.ids,
            tiering: &found.tiering,
            about_model: &pipeline::about_model(&found.model),
            model: &json!({ "purchases": found.model.purchases, "spend": found.model.spend }),
            fingerprint: &pipeline::fingerprint(&args.input[0])?,
            opt_out: found.opt_out.as_ref(),
            more: &[("prospects", json!(found.prospects)), ("files", self.files(&found.set)?)],
            warnings: &found.warnings,
        };
        let mut shown = self.shown(&facts, bars, out)?;
        shown.notes.extend(found.opt_out.as_ref().map(|of| opted_out(of, found.customers)));
        if found.prospects > 0 {
            shown.notes.push(format!("note: {} rows without an order are left out", count(found.prospects)));
        }
        Ok(shown)
    }

    fn history(&self, bars: &Bars, out: Option<&OutputFolder>) -> Result<Shown> {
        let (args, settings) = (self.args, self.settings);
        for (option, given) in [("--id", args.id.clone()), ("--date", args.date.map(|d| d.to_string()))] {
            if let Some(value) = given {
                let problem = "it is about a table of customers, and this is a history";
                return Err(Error::value(option, value, problem, "use --customer and --as-of"));
            }
        }
        let model = match self.model_name() {
            Some(name) if Path::new(&name).exists() => {
                return Err(Error::value(
                    "--model",
                    name,
                    "a model of `fit` goes with the table of customers that it was fitted to, and this is a history",
                    "give the table of `tiercast summarize`, or leave --model out",
                ));
            }
            Some(name) => name.parse::<ModelSetting>()?,
            None => ModelSetting::Auto,
        };
        let scheme = self.scheme_name()?;
        let mut config = settings.run.clone();
        config.model = model;
        config.schemes = vec![scheme];
        let sources: Vec<Source> = args.input.iter().cloned().map(Source::Path).collect();
        let run = pipeline::run_with(&sources, Some(self.strategies), &config, &self.options, bars)?;
        let (Some(set), Some(simulated)) = (&run.strategies, &run.simulated) else {
            return Err(Error::value(
                "the history",
                args.input[0].display(),
                run.warnings
                    .iter()
                    .find(|warning| warning.starts_with("strategies are not compared"))
                    .cloned()
                    .unwrap_or_default(),
                "choose another model, or give more customers",
            ));
        };
        let tiering = run.tierings.iter().find(|tiering| tiering.key == set.scheme);
        let Some(tiering) = tiering else {
            return Err(Error::internal("the tiers of a comparison", "they are gone"));
        };
        let facts = SimulationFacts {
            set,
            simulated,
            options: &self.options,
            begins: run.begins(),
            customers: run.summary.table.len() as u64,
            ids: &run.summary.table.ids,
            tiering,
            about_model: &pipeline::about_fits(&run),
            model: &json!({ "choice": run.model, "purchases": run.purchases.report(), "spend": run.spend.report }),
            fingerprint: &run.summary.fingerprint,
            opt_out: run.opt_out.as_ref(),
            more: &[("files", self.files(set)?)],
            warnings: &run.warnings,
        };
        let mut shown = self.shown(&facts, bars, out)?;
        shown.notes.extend(run.opt_out.as_ref().map(|of| opted_out(of, facts.customers)));
        Ok(shown)
    }

    fn shown(&self, facts: &SimulationFacts<'_>, bars: &Bars, out: Option<&OutputFolder>) -> Result<Shown> {
        let entries = self.entries();
        let manifest = match out {
            Some(out) => {
                bars.phase("writing", 0);
                pipeline::write_simulation(facts, &entries, out)?
            }
            None => pipeline::simulation_manifest(facts, &entries),
        };
        Ok(Shown {
            manifest,
            text: tables::simulated(facts.set, facts.simulated, facts.begins),
            warnings: facts.warnings.to_vec(),
            notes: Vec::new(),
        })
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let listed = self.settings.list.iter().filter(|setting| !NOT_LISTED.contains(&setting.key));
        listed
            .map(|s| ConfigEntry {
                key: s.key.to_string(),
                value: s.value.clone(),
                origin: s.origin.to_string(),
            })
            .collect()
    }

    /// The contents of the lists that customers are taken from, in a few letters each.
    fn files(&self, set: &StrategySet) -> Result<Value> {
        let lists = set.list_paths(self.strategies.folder());
        let mut out = serde_json::Map::new();
        for path in lists.iter().chain(&self.settings.run.opt_out) {
            out.insert(path.display().to_string(), Value::from(pipeline::fingerprint(path)?));
        }
        Ok(Value::Object(out))
    }

    /// The model as it is named on the command line, in the environment or in the settings file.
    fn model_name(&self) -> Option<String> {
        let of_file = match self.settings.origin("model") {
            Origin::File(_) => Some(self.settings.run.model.to_string()),
            _ => None,
        };
        self.args.model.clone().or(of_file)
    }

    /// The model of a file, or the name of one to fit.
    fn model_file(&self) -> Result<std::result::Result<Box<ModelFile>, ModelName>> {
        // Which model predicts a history best cannot be asked of a table, which has no second half.
        let Some(name) = self.model_name().filter(|name| name != "auto") else {
            return Ok(Err(ModelName::ParetoNbd));
        };
        let path = Path::new(&name);
        if !path.exists() {
            return match name.parse::<ModelName>() {
                Ok(name) => Ok(Err(name)),
                Err(_) => Err(Error::value(
                    "--model",
                    name,
                    "it is neither a file nor the name of a model",
                    "give a model of `tiercast fit`, or one of pareto-nbd, bg-nbd, mbg-nbd, nbd to fit it here",
                )),
            };
        }
        match AnyModelFile::read(path)? {
            AnyModelFile::Purchases(model) => Ok(Ok(model)),
            other => {
                let problem = format!(
                    "futures are drawn from one model of purchases for all customers, and it holds {}",
                    other.kind().words()
                );
                let remedy = "fit pareto-nbd, bg-nbd, mbg-nbd or nbd without --by and covariates";
                Err(Error::value("--model", path.display(), problem, remedy))
            }
        }
    }

    /// The scheme as the command line or the strategy file names it.
    fn scheme_name(&self) -> Result<String> {
        if let Some(scheme) = &self.args.scheme {
            return Ok(scheme.clone());
        }
        Ok(StrategyFile::parse(&self.strategies.name, &self.strategies.text)?.tiers)
    }

    /// The scheme of the tiers; where the strategy file names none that there is, all that there are, for its error.
    fn schemes(&self, file: Option<&WholeFile>) -> Result<Vec<SchemeFile>> {
        let name = self.scheme_name()?;
        if self.args.scheme.is_none() && !builtin::keys().any(|key| key == name) && name != "clusters" {
            return builtin::keys().map(builtin::scheme_file).collect();
        }
        let named = named(&[name])?;
        match file {
            Some(file) => with_clusters(named, file),
            None => Ok(named.into_iter().flatten().collect()),
        }
    }
}
