//! `tiercast synth`: a history from known parameters, and whether the fits find them again.

use clap::ArgMatches;
use tiercast::Result;
use tiercast::calendar::Day;
use tiercast::recovery::{Recovery, recover};
use tiercast::report::format::{count, significant};
use tiercast::report::output::{Kind, OutputFolder};
use tiercast::synth::{self, Config, HISTORY, Model, Plan, Spend, TRUTH, Written};

use crate::args::{Global, ModelArg, SynthArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// The file of parameters; it marks the folder as a result.
const PARAMETERS: &str = "truth.json";

/// The window when only its start is known: 104 weeks.
const DAYS: i32 = 104 * 7;

/// The start of the window when it is not stated.
const START: &str = "2023-01-01";

/// Runs the verb.
pub fn main(global: &Global, args: SynthArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings = settings::resolve(global, Typed { matches, ..Typed::default() })?;
    let plan = Plan::new(config(&args)?)?;
    if args.check == Some(0) {
        return Err(tiercast::Error::value("--check", 0, "there is nobody to fit to", "give at least 1"));
    }
    let bars = Bars::new(global)?;
    let out = OutputFolder::begin_kind(Kind::Synth, &args.out, args.force, &[])?;
    let (written, recovery) = super::with_threads(settings.threads, || {
        let written = synth::write(&plan, &out.path(""), &bars)?;
        let recovery = args.check.map(|customers| recover(&plan, customers, &bars)).transpose()?;
        Ok((written, recovery))
    })?;
    let truth = truth(&plan, &written, recovery.as_ref());
    let text =
        serde_json::to_string_pretty(&truth).map_err(|e| tiercast::Error::internal("writing JSON", e))?;
    out.write(PARAMETERS, text + "\n")?;
    let place = out.finish()?;
    bars.finish();
    if global.json {
        return terminal::print_json(&truth);
    }
    if !global.quiet {
        terminal::note(&format!(
            "{} orders of {} customers in {}",
            count(written.orders),
            count(written.customers),
            place.join(HISTORY).display()
        ));
    }
    let Some(recovery) = recovery else { return Ok(()) };
    if plan.config().seasonality > 0.0 && !global.quiet {
        terminal::warning("the models know no seasons: the estimates answer for the swing too");
    }
    terminal::print(&table(&plan, &recovery))
}

fn config(args: &SynthArgs) -> Result<Config> {
    let start: Day = match args.start {
        Some(day) => day,
        None => START.parse()?,
    };
    let model = match args.model {
        ModelArg::ParetoNbd => Model::ParetoNbd {
            r: args.r.unwrap_or(0.8),
            alpha: args.alpha.unwrap_or(3.75),
            s: args.s.unwrap_or(0.6),
            beta: args.beta.unwrap_or(12.0),
        },
        ModelArg::BgNbd => Model::BgNbd {
            r: args.r.unwrap_or(0.243),
            alpha: args.alpha.unwrap_or(4.414),
            a: args.a.unwrap_or(0.793),
            b: args.b.unwrap_or(2.426),
        },
    };
    for (name, value, of_model) in [
        ("--s", args.s, ModelArg::ParetoNbd),
        ("--beta", args.beta, ModelArg::ParetoNbd),
        ("--a", args.a, ModelArg::BgNbd),
        ("--b", args.b, ModelArg::BgNbd),
    ] {
        if let Some(value) = value.filter(|_| of_model != args.model) {
            let problem = "the model that was chosen has no such parameter";
            return Err(tiercast::Error::value(
                name,
                value,
                problem,
                "choose the other --model, or leave it out",
            ));
        }
    }
    Ok(Config {
        customers: args.customers,
        seed: args.seed,
        model,
        spend: Spend { p: args.p, q: args.q, gamma: args.gamma },
        start,
        end: args.end.unwrap_or(Day(start.0.saturating_add(DAYS - 1))),
        join_until: args.join_until,
        seasonality: args.seasonality,
        ids: args.ids.into(),
        attributes: args.attributes,
        order: args.order.into(),
    })
}

fn truth(plan: &Plan, written: &Written, recovery: Option<&Recovery>) -> serde_json::Value {
    serde_json::json!({
        "schema": 1,
        "tiercast": env!("CARGO_PKG_VERSION"),
        "unit": "week",
        "parameters": plan.config(),
        "join_until": plan.join_until(),
        "written": written,
        "files": {"history": format!("{HISTORY}/"), "truth": TRUTH},
        "recovery": recovery,
    })
}

fn table(plan: &Plan, recovery: &Recovery) -> String {
    let title = format!(
        "Recovery of {} from the first {} customers",
        recovery.exact.model,
        count(recovery.customers)
    );
    let heads =
        ["parameter", ">true", ">exact times", ">s.e. of its log", ">z", ">whole days", ">by merging"];
    let mut grid = Grid::new(&title, &heads);
    let number = |value: Option<f64>, digits| value.map_or("-".to_string(), |v| significant(v, digits));
    for p in &recovery.parameters {
        grid.row(vec![
            p.name.to_string(),
            significant(p.truth, 5),
            number(p.exact, 5),
            number(p.log_standard_error, 2),
            p.z.map_or("-".to_string(), |z| format!("{z:+.2}")),
            number(p.merged, 5),
            p.merged_bias.map_or("-".to_string(), |bias| format!("{:+.1} %", 100.0 * bias)),
        ]);
    }
    format!(
        "{}exact times: {}\nwhole days, a day's purchases merged: {}\n{}\n",
        grid.text(),
        recovery.exact.verdict.sentence(),
        recovery.merged.verdict.sentence(),
        match plan.config().seasonality > 0.0 {
            true => "with seasons, neither fit is of the model that generated the history",
            false => "days hide purchases that share one, most of all from frequent buyers: that is the bias",
        }
    )
}
