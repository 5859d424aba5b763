//! `tiercast validate`: models and baselines judged by a holdout.

use clap::ArgMatches;
use tiercast::Result;
use tiercast::clv::validate::{Criterion, Figure, Method, Validation};
use tiercast::history::files_of;
use tiercast::pipeline::{self, ConfigEntry, Validated};
use tiercast::progress::Progress;
use tiercast::report::format::{NONE, count, money, number, percent, plural};
use tiercast::report::output::{Kind, OutputFolder};
use tiercast::report::validation::{frequency, quantities};

use crate::args::{Global, ModelArgs, ValidateArgs};
use crate::bars::Bars;
use crate::render::Grid;
use crate::settings::{self, Settings, Typed};
use crate::terminal;

/// Options that shape columns of the customer table, of which none is made here.
const OF_TABLE: [(&str, &str); 4] =
    [("periods", "--periods"), ("keep", "--keep"), ("cost", "--cost"), ("margin", "--margin")];

/// Settings that change nothing here, or no result.
const NOT_LISTED: [&str; 16] = [
    "threads",
    "memory_limit",
    "spill_folder",
    "out",
    "periods",
    "keep",
    "cost",
    "margin",
    "customers_list",
    "list_id",
    "cohort_period",
    "model",
    "horizon",
    "discount",
    "clusters",
    "strategies",
];

/// Runs the verb.
pub fn main(global: &Global, args: ValidateArgs, matches: Option<&ArgMatches>) -> Result<()> {
    super::refuse_of_table(matches, &OF_TABLE)?;
    let models = ModelArgs { replications: args.replications, seed: args.seed, ..ModelArgs::default() };
    let typed = Typed { reading: args.reading, models, matches, ..Typed::default() };
    let mut settings = settings::resolve(global, typed)?;
    // What a settings file says of the table's columns is for other verbs.
    let history = &mut settings.run.history;
    (history.periods, history.cost, history.margin) = (None, None, None);
    history.keep.clear();
    let sources = super::sources(&args.history);
    let mut inputs = files_of(&sources)?;
    inputs.extend(super::list_files(&settings)?);
    inputs.extend(settings.file.clone());
    let bars = Bars::new(global)?;
    // Begun before the work, so that a place that cannot be written is known at once.
    let out = args
        .output
        .as_ref()
        .map(|folder| OutputFolder::begin_kind(Kind::Validation, folder, args.force, &inputs));
    let out = out.transpose()?;
    let entries = entries(&settings);
    let (validated, out) = super::with_threads(settings.threads, || {
        let validated = pipeline::validate(&sources, &settings.run, &bars)?;
        if let Some(out) = &out {
            bars.phase("writing", 0);
            pipeline::write_validation(&validated, &entries, out)?;
        }
        bars.check()?;
        Ok((validated, out))
    })?;
    let path = out.map(OutputFolder::finish).transpose()?;
    bars.finish();
    if !global.quiet {
        validated.warnings.iter().for_each(|w| terminal::warning(w));
    }
    if global.json {
        terminal::print_json(&pipeline::validation_json(&validated, &entries))?;
    } else {
        terminal::print(&text(&validated))?;
    }
    if let (false, Some(path)) = (global.quiet, path) {
        terminal::note(&format!("report: {}", path.join("report.html").display()));
    }
    Ok(())
}

fn entries(settings: &Settings) -> Vec<ConfigEntry> {
    let listed = settings.list.iter().filter(|setting| !NOT_LISTED.contains(&setting.key));
    listed
        .map(|s| ConfigEntry { key: s.key.to_string(), value: s.value.clone(), origin: s.origin.to_string() })
        .collect()
}

fn text(validated: &Validated) -> String {
    let of = &validated.validation;
    let mut text = holdout(of) + &fits(of);
    text += &criteria(
        of,
        "Transactions",
        &[
            (Criterion::Mae, ">MAE"),
            (Criterion::Rmse, ">RMSE"),
            (Criterion::Correlation, ">correlation"),
            (Criterion::Bias, ">bias of total"),
            (Criterion::DecileError, ">decile error"),
            (Criterion::GiniTransactions, ">Gini"),
        ],
    );
    text += &criteria(
        of,
        "Spend",
        &[
            (Criterion::SpendMae, ">MAE"),
            (Criterion::SpendBias, ">bias of total"),
            (Criterion::GiniSpend, ">Gini"),
            (Criterion::TopTenthSpend, ">made by the top tenth"),
        ],
    );
    text += &coverage(of);
    text += &by_frequency(of);
    text += &of.preferred.as_ref().map_or(String::new(), |preferred| deciles(&of.methods[preferred.method]));
    text += "What it says\n";
    of.conclusions.iter().for_each(|line| text += &format!("- {line}\n"));
    text
}

fn holdout(of: &Validation) -> String {
    let mut grid = Grid::new("Holdout", &["", ">"]);
    for (what, value) in [
        ("calibration to", of.window.calibration_end.to_string()),
        ("holdout to", of.window.as_of.to_string()),
        ("days of the holdout", count(of.holdout_days.into())),
        ("customers", count(of.customers)),
        ("transactions in the holdout", count(of.transactions)),
        ("spend in the holdout", money(of.spend)),
    ] {
        grid.row(vec![what.to_string(), value]);
    }
    grid.text()
}

fn fits(of: &Validation) -> String {
    let mut grid = Grid::new("Fits to the calibration window", &["model", ">log-likelihood", "verdict"]);
    for fit in of.fits.iter().chain([&of.spend_fit]) {
        let likelihood = fit.log_likelihood.map_or(NONE.to_string(), |value| number(value, 3));
        grid.row(vec![fit.model.to_string(), likelihood, fit.verdict.sentence()]);
    }
    grid.text()
}

/// A criterion with its standard error.
fn cell(criterion: Criterion, figure: Option<Figure>) -> String {
    let show = |value: f64| match criterion {
        _ if criterion.is_share() => percent(value),
        Criterion::SpendMae => money(value),
        _ => number(value, 4),
    };
    match figure {
        None => NONE.to_string(),
        Some(Figure { value, standard_error: Some(error), .. }) => {
            format!("{} ± {}", show(value), show(error))
        }
        Some(figure) => show(figure.value),
    }
}

fn criteria(of: &Validation, title: &str, columns: &[(Criterion, &str)]) -> String {
    let resamples = plural(of.replications.into(), "resample", "resamples");
    let title = format!("{title}, ± standard error over {resamples} of the customers");
    let heads: Vec<&str> = std::iter::once("method").chain(columns.iter().map(|column| column.1)).collect();
    let mut grid = Grid::new(title, &heads);
    for method in &of.methods {
        if columns.iter().all(|column| method.figure(column.0).is_none()) {
            continue;
        }
        let cells = columns.iter().map(|column| cell(column.0, method.figure(column.0)));
        grid.row(std::iter::once(method.name.clone()).chain(cells).collect());
    }
    grid.text()
}

/// How often intervals held; nothing where no model has any.
fn coverage(of: &Validation) -> String {
    let judged = of.methods.iter().filter_map(|method| Some((method, method.coverage.as_ref()?)));
    let judged: Vec<_> = judged.collect();
    let Some((_, first)) = judged.first() else { return String::new() };
    let title = format!("Intervals that claim {}: what they hold", percent(first.level));
    let heads = ["method", "of", ">each customer's", ">tenths", ">total from", ">to", ">actual", ">held"];
    let mut grid = Grid::new(title, &heads);
    for (method, coverage) in judged {
        for (quantity, covered) in quantities(coverage) {
            let tenths = covered.tenths.iter().filter(|tenth| tenth.covered).count();
            let share = covered.customers.map_or(NONE.to_string(), |figure| match figure.standard_error {
                Some(error) => format!("{} ± {}", percent(figure.value), percent(error)),
                None => percent(figure.value),
            });
            let total = covered.total;
            grid.row(vec![
                method.name.clone(),
                quantity.to_string(),
                share,
                format!("{tenths} of {}", covered.tenths.len()),
                number(total.lower, 0),
                number(total.upper, 0),
                number(total.actual, 0),
                if total.covered { "yes" } else { "no" }.to_string(),
            ]);
        }
    }
    grid.text()
}

fn by_frequency(of: &Validation) -> String {
    let shown: Vec<usize> = (0..of.methods.len()).filter(|&m| of.methods[m].transactions.is_some()).collect();
    let mut heads = vec!["repeat purchases".to_string(), ">customers".to_string()];
    heads.extend(of.tracked.iter().map(|&m| format!(">expected by {}", of.methods[m].name)));
    heads.push(">actual".to_string());
    heads.extend(shown.iter().map(|&m| format!(">{}", of.methods[m].name)));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let title = "By repeat purchases in calibration: customers, then mean transactions in the holdout";
    let mut grid = Grid::new(title, &heads);
    for group in &of.by_frequency {
        let value = |figure: Option<Figure>, decimals| {
            figure.map_or(NONE.to_string(), |figure| number(figure.value, decimals))
        };
        let mut cells = vec![frequency(group), value(Some(group.customers), 0)];
        cells.extend(
            of.tracked.iter().map(|&m| {
                group.expected_customers[m].map_or(NONE.to_string(), |expected| number(expected, 1))
            }),
        );
        cells.push(value(group.actual, 3));
        cells.extend(shown.iter().map(|&m| value(group.predicted[m], 3)));
        grid.row(cells);
    }
    grid.text()
}

fn deciles(method: &Method) -> String {
    let title = format!("Tenths of the customers by what {} predicts: mean transactions", method.name);
    let mut grid = Grid::new(title, &[">tenth", ">customers", ">predicted", ">actual", ">standard error"]);
    for decile in &method.deciles {
        grid.row(vec![
            decile.decile.to_string(),
            number(decile.customers, 0),
            number(decile.predicted.value, 3),
            number(decile.actual.value, 3),
            decile.actual.standard_error.map_or(NONE.to_string(), |error| number(error, 3)),
        ]);
    }
    grid.text()
}
