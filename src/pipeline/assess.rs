//! Whether tiers of a file of customers are any good: how sure they are, and what is lost by grading the wrong ones high.

mod drawn;
mod report;
mod sheet;

use std::path::Path;

pub use report::{Assessed, AssessedScheme, Draws, Holdout, Interval, OwnRates, SURE, Sure};

use self::drawn::Drawn;
use super::scored_table::spend_so_far;
use super::tiers::stated_times;
use crate::calendar::Day;
use crate::clv::{ModelFile, ValueOptions};
use crate::customers::{Ids, StatisticsOptions, WholeFile};
use crate::error::{Error, Result, nearest_first};
use crate::progress::Progress;
use crate::report::format::percent_exact;
use crate::report::hand_over::Format;
use crate::tier::judge::{Codes, Division, Ranked, Resampling, Sureness, Yardstick};
use crate::tier::{Graded, Look, SchemeFile};

/// What customers turned out to be worth, where nobody names another column.
const HOLDOUT: &str = "spend_holdout";

/// A model by which everybody's own rates and spend are drawn.
#[derive(Debug, Clone, Copy)]
pub struct AssessModel<'a> {
    /// One of purchases for all customers.
    pub model: &'a ModelFile,
    /// Over what they are valued.
    pub value: ValueOptions,
    /// Draws of everybody's own rates and spend.
    pub draws: u32,
}

/// What is wanted.
#[derive(Debug)]
pub struct AssessRequest<'a> {
    /// The schemes, each key once. Differences are to the first.
    pub schemes: &'a [SchemeFile],
    /// The model, if tiers are held against own rates.
    pub model: Option<AssessModel<'a>>,
    /// The column of what customers turned out to be worth; that of the holdout, if there is one, unless given.
    pub value: Option<&'a str>,
    /// The seed of every random number.
    pub seed: u64,
    /// Replications of the bootstrap over customers.
    pub replications: u32,
    /// The probability of intervals, between 0 and 1.
    pub level: f64,
    /// The date of the grading, where the file does not say it.
    pub date: Option<Day>,
    /// How statistics are read.
    pub reading: &'a StatisticsOptions,
}

/// The tiers of the customers of a file, and how sure they are.
pub(in crate::pipeline) struct Found<'a> {
    pub(in crate::pipeline) graded: Vec<Graded<'a>>,
    pub(in crate::pipeline) sureness: Option<Vec<Sureness>>,
}

/// Judges the tiers of the customers of `file`, and writes everybody's probabilities to `out`, if a place is given and there is
/// a model.
///
/// # Errors
/// Those of the file, the schemes, the model and of writing; neither a model nor a column to hold tiers against; scores in the
/// file that are not those of the model.
pub fn assess(
    file: &WholeFile,
    request: &AssessRequest<'_>,
    out: Option<(&Path, Format)>,
    progress: &dyn Progress,
) -> Result<Assessed> {
    let typed = match file.about() {
        Some(_) => request.reading.unit,
        None => request.reading.unit.or(request.reading.otherwise),
    };
    let (unit, calibration_end) = stated_times(file, typed, request.date)?;
    check(request)?;
    let ids = file.ids()?;
    let keep = file.customers()?;
    let look = Look { file, keep: keep.as_deref(), unit, calibration_end };
    let who: Vec<u32> = match &keep {
        Some(keep) => (0..).zip(keep).filter(|(_, kept)| **kept).map(|(row, _)| row).collect(),
        None => (0..ids.len() as u32).collect(),
    };
    let name = |i: usize| ids.text(who[i] as usize);
    let value =
        column_of_value(file, request)?.map(|name| Value::read(name, &look, &ids, &who)).transpose()?;
    if request.model.is_none() && value.is_none() {
        return Err(Error::value(
            "the table",
            file.path().display(),
            "it has no column spend_holdout, and neither a model nor another column is given to hold tiers against",
            "give --model, or --value COLUMN, or a table of `tiercast summarize --calibration-end DATE`",
        ));
    }
    let hash: Vec<u64> = who.iter().map(|&row| ids.hash(row as usize)).collect();
    let drawn = request.model.map(|model| Drawn::new(file, model, request, &hash, progress)).transpose()?;
    let mut columns = look.columns();
    if let Some(drawn) = &drawn {
        drawn.check(&look, &ids, &who)?;
        drawn.add_to(&mut columns);
    }
    let spend = spend_so_far(&look)?;
    let mut graded = Vec::new();
    progress.phase("grading", request.schemes.len() as u64);
    for scheme in request.schemes {
        progress.check()?;
        graded.push(scheme.ready(&columns)?.grade_rows(&spend, name)?);
        progress.advance(1);
    }
    let schemes: Vec<&Graded<'_>> = graded.iter().collect();
    let mut warnings = drawn.as_ref().map_or(Vec::new(), Drawn::warnings);
    for (scheme, drawn) in schemes.iter().filter_map(|scheme| Some((scheme, drawn.as_ref()?))) {
        warnings.extend(drawn.check_scheme(scheme, &look)?);
    }
    let sureness = drawn.as_ref().map(|drawn| drawn.sureness(&schemes, &name, progress)).transpose()?;
    let held = match &value {
        Some(value) => {
            let resampling =
                Resampling { seed: request.seed, replications: request.replications, level: request.level };
            let held = Yardstick::new(&value.values, &hash)?.judge(&codes(&graded), resampling, progress)?;
            Some((held, Ranked::new(value.values.clone())))
        }
        None => None,
    };
    warnings.extend(value.as_ref().and_then(Value::warning));
    let first = sureness.as_ref().and_then(|all| all.first());
    let spent = Ranked::new(spend.clone());
    let of_scheme = |k: usize| AssessedScheme {
        tiering: graded[k].tiering.clone(),
        spend_gini: Division::new(&graded[k].tiering.codes, graded[k].tiering.tiers.len(), &spend).gini(),
        spend_gini_of_best: spent.gini(),
        own_rates: sureness
            .as_ref()
            .map(|all| own_rates(&graded[k], &all[k], first.filter(|_| k > 0), request.level)),
        holdout: held.as_ref().map(|(held, ranked)| Holdout::new(&held[k], ranked)),
    };
    let assessed = Assessed {
        date: calibration_end,
        customers: who.len() as u64,
        prospects: (ids.len() - who.len()) as u64,
        level: request.level,
        seed: request.seed,
        draws: drawn.as_ref().map(Drawn::about),
        value: value.map(|value| value.name),
        replications: request.replications,
        schemes: (0..graded.len()).map(of_scheme).collect(),
        warnings: Vec::new(),
    };
    warnings.extend(assessed.remarks());
    let assessed = Assessed { warnings, ..assessed };
    if let Some((path, format)) = out {
        let found = Found { graded, sureness };
        sheet::book(file, &ids, keep.as_deref(), &found, &assessed)?.write(format, path, progress)?;
    }
    Ok(assessed)
}

/// What can be wrong before anything is computed.
fn check(request: &AssessRequest<'_>) -> Result<()> {
    // An interval has its ends inside the draws only where so many are.
    let fewest = (2.0 / (1.0 - request.level) - 1e-9).ceil() - 1.0;
    let draws = request.model.map(|model| ("--draws", model.draws));
    for (option, n) in draws.into_iter().chain([("--replications", request.replications)]) {
        if f64::from(n) < fewest {
            let problem = format!("intervals of {} do not rest on so few", percent_exact(request.level));
            let remedy = format!("give at least {fewest}, better ten times as many");
            return Err(Error::value(option, n, problem, remedy));
        }
    }
    Ok(())
}

/// What customers turned out to be worth.
struct Value {
    name: String,
    values: Vec<f64>,
    /// How many had no value, which counts as 0.
    missing: u64,
}

impl Value {
    fn read(name: String, look: &Look<'_>, ids: &Ids, who: &[u32]) -> Result<Value> {
        let mut values = look.numbers(&name)?;
        if let Some(i) = values.iter().position(|value| value.is_infinite()) {
            let what = format!(
                "\"{name}\" of customer {} in {}",
                ids.text(who[i] as usize),
                look.file.path().display()
            );
            let remedy = "give each customer a finite number";
            return Err(Error::value(what, values[i], "nothing can be added to it", remedy));
        }
        let missing = values.iter().filter(|value| value.is_nan()).count() as u64;
        values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
        Ok(Value { name, values, missing })
    }

    fn warning(&self) -> Option<String> {
        let words = || format!("{} customers have no \"{}\", which counts as 0", self.missing, self.name);
        (self.missing > 0).then(words)
    }
}

fn own_rates(graded: &Graded<'_>, sureness: &Sureness, first: Option<&Sureness>, level: f64) -> OwnRates {
    let looks = crate::clv::own_value::FIGURES.into_iter().filter(|name| graded.scheme().looks_at(name));
    OwnRates::new(&graded.tiering.codes, sureness, first, looks.map(String::from).collect(), level)
}

fn codes<'g>(graded: &'g [Graded<'_>]) -> Vec<Codes<'g>> {
    graded.iter().map(|graded| (&graded.tiering.codes[..], graded.tiering.tiers.len())).collect()
}

/// The column of what customers turned out to be worth.
fn column_of_value(file: &WholeFile, request: &AssessRequest<'_>) -> Result<Option<String>> {
    let columns = file.columns();
    let Some(name) = request.value else {
        return Ok(columns.into_iter().find(|name| name == HOLDOUT));
    };
    if columns.iter().any(|own| own == name) {
        return Ok(Some(name.to_string()));
    }
    Err(Error::ColumnNotFound {
        path: file.path().to_path_buf(),
        role: "value",
        wanted: Some(name.to_string()),
        columns: nearest_first(name, &columns),
    })
}
