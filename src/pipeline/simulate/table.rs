//! Strategies on a table of customers, by a model of `fit` or one that is fitted here.

use std::path::Path;

use super::super::scored_table::{ScoredTable, spend_so_far};
use super::super::tiers::stated_times;
use super::super::{StrategyText, blind_to_dropout, doubtful_opt_outs, fit_customers};
use super::{Crowd, FutureOptions, Models, Simulated, compare};
use crate::calendar::Day;
use crate::clv::{
    GammaGamma, ModelFile, ModelName, PosteriorOptions, Prior, PurchaseParameters, ValueOptions,
};
use crate::customers::{Ids, MoneyKind, Statistics, StatisticsFile, StatisticsOptions, WholeFile};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::simulate::ParameterDraws;
use crate::strategy::StrategySet;
use crate::tier::opt_out::{OptOutReport, OptOuts};
use crate::tier::{Look, SchemeFile, Tiering};

/// The model that futures are drawn from.
#[derive(Debug, Clone, Copy)]
pub enum SimulateModel<'a> {
    /// One of `fit`.
    File(&'a ModelFile),
    /// One that is fitted to the table.
    Fit(ModelName),
}

/// What is wanted.
#[derive(Debug)]
pub struct SimulateRequest<'a> {
    /// The strategies.
    pub strategies: &'a StrategyText,
    /// Schemes, among which is the one that the strategies speak of.
    pub schemes: &'a [SchemeFile],
    /// The model.
    pub model: SimulateModel<'a>,
    /// How futures are simulated.
    pub options: FutureOptions,
    /// Over what lifetime value is, by which budgets are spread and customers ranked.
    pub value: ValueOptions,
    /// Who opted out.
    pub opt_out: Option<&'a OptOuts>,
    /// The day up to which customers are observed, where the file does not say it.
    pub date: Option<Day>,
    /// How statistics are read.
    pub reading: &'a StatisticsOptions,
}

/// What a comparison on a table found out.
#[derive(Debug)]
pub struct SimulatedTable {
    /// The strategies after every check.
    pub set: StrategySet,
    /// The comparison.
    pub simulated: Simulated,
    /// Everybody's id.
    pub ids: Ids,
    /// Everybody's tier.
    pub tiering: Tiering,
    /// The day from which futures begin.
    pub begins: Day,
    /// Customers.
    pub customers: u64,
    /// Rows without an order.
    pub prospects: u64,
    /// The model that futures were drawn from.
    pub model: ModelFile,
    /// What became of the list of those who opted out.
    pub opt_out: Option<OptOutReport>,
    /// What the reader of any result has to know.
    pub warnings: Vec<String>,
}

/// Customers whose times are not whole days are rounded to days; this is how a warning says so.
const ROUNDED: &str = "recency and T are not whole days: futures are simulated from the nearest ones";

/// Compares strategies on the customers of a file.
///
/// # Errors
/// Those of the strategy file, the table, the model and the plans.
pub fn simulate_customers(
    file: &WholeFile,
    request: &SimulateRequest<'_>,
    progress: &dyn Progress,
) -> Result<SimulatedTable> {
    request.options.check()?;
    let set = request.strategies.check(request.schemes)?;
    let scheme = request.schemes.iter().find(|scheme| scheme.key == set.scheme);
    let scheme = scheme.ok_or_else(|| Error::internal("the scheme of the strategies", set.scheme.clone()))?;
    let typed = match file.about() {
        Some(_) => request.reading.unit,
        None => request.reading.unit.or(request.reading.otherwise),
    };
    let (unit, begins) = stated_times(file, typed, request.date)?;
    let mut warnings = Vec::new();
    let fitted;
    let model = match request.model {
        SimulateModel::File(model) => model,
        SimulateModel::Fit(name) => {
            fitted = fit(file.path(), name, request, progress, &mut warnings)?;
            &fitted
        }
    };
    let (purchases, spend) = parameters(model)?;
    let ids = file.ids()?;
    let keep = file.customers()?;
    let who: Vec<u32> = match &keep {
        Some(keep) => (0..).zip(keep).filter(|(_, kept)| **kept).map(|(row, _)| row).collect(),
        None => (0..ids.len() as u32).collect(),
    };
    let look = Look { file, keep: keep.as_deref(), unit, calibration_end: begins };
    let scored = ScoredTable::new(file, model, request.value, request.reading, who.len(), progress)?;
    let rows: Vec<usize> = who.iter().map(|&row| row as usize).collect();
    let own = if keep.is_some() { ids.select(&rows) } else { ids.clone() };
    let hash = parallel::collect(who.len(), |i| own.hash(i));
    let mut columns = look.columns();
    scored.check(&look, &ids, &who)?;
    scored.add_to(&mut columns);
    progress.phase("grading", 0);
    let total_spend = spend_so_far(&look)?;
    let tiering = scheme.ready(&columns)?.grade_rows(&total_spend, |i| own.text(i))?.tiering;
    let out = request.opt_out.map(|list| list.apply(&[&own], begins));
    let opted_out = out.as_ref().map(|(is_out, _)| is_out.concat());
    warnings.extend(out.as_ref().and_then(|(_, report)| doubtful_opt_outs(report)));
    warnings.extend(blind_to_dropout(model.purchases.model, &scored.statistics.frequency));
    check_range(file, &scored.statistics, &own)?;
    let days = |of: &[f64]| parallel::collect(of.len(), |i| of[i].round() as u32);
    let statistics = &scored.statistics;
    if !statistics.are_whole_days() {
        warnings.push(ROUNDED.into());
    }
    let (recency_days, t_days) = (days(&statistics.recency_days), days(&statistics.t_days));
    let crowd = Crowd {
        frequency: &statistics.frequency,
        recency_days: &recency_days,
        t_days: &t_days,
        monetary_value: &statistics.monetary_value,
        spend_over: scored.over,
        clv: &scored.scores.clv,
        tiering: &tiering,
        columns: &columns,
        ids: &own,
        hash: &hash,
        opted_out: opted_out.as_deref(),
        base: request.strategies.folder(),
    };
    let draws = draws(model, (purchases, spend), &request.options, &mut warnings)?;
    let models = Models { purchases, spend, draws: &draws };
    let simulated = compare(&set, &crowd, &models, &request.options, progress, &mut warnings)?;
    let opt_out = out.map(|(is_out, report)| OptOutReport {
        customers: is_out[0].iter().filter(|&&is_out| is_out).count() as u64,
        ..report
    });
    Ok(SimulatedTable {
        simulated,
        tiering: tiering.clone(),
        begins,
        customers: who.len() as u64,
        prospects: (ids.len() - who.len()) as u64,
        model: model.clone(),
        ids: own,
        opt_out,
        warnings,
        set,
    })
}

/// Fits a model to the table, with draws of its parameters.
fn fit(
    path: &Path,
    name: ModelName,
    request: &SimulateRequest<'_>,
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) -> Result<ModelFile> {
    let options = &request.options;
    let file = StatisticsFile::open_with(path, request.reading)?;
    let draws = PosteriorOptions { prior: Prior::default(), draws: options.worlds(), seed: options.seed };
    let fitted = fit_customers(&file, name, (!options.hold_parameters).then_some(&draws), progress)?;
    warnings.extend(fitted.warnings());
    fitted.file()
}

/// The parameters of both models.
fn parameters(model: &ModelFile) -> Result<(PurchaseParameters, GammaGamma)> {
    let wrong = |problem: String| Error::internal("a model that was checked", problem);
    let refuse = |problem: &str, remedy: &str| {
        Err(Error::value("--model", model.purchases.model.title(), problem, remedy))
    };
    let spend = match (model.spend_model().map_err(wrong)?, model.money()) {
        (Some(spend), Some(money)) if money.of != MoneyKind::Margin => spend,
        (Some(_), _) => {
            return refuse(
                "its model of spend is one of margins, and strategies reckon with what customers pay and a margin of it",
                "fit a model to monetary_value, and state the margin in the strategy file",
            );
        }
        (None, _) => {
            return refuse(
                "it has no model of spend, and strategies are about money",
                "fit it to a table with monetary_value",
            );
        }
    };
    Ok((model.parameters().map_err(wrong)?, spend))
}

/// A world for each draw of the parameters.
fn draws(
    model: &ModelFile,
    (purchases, spend): (PurchaseParameters, GammaGamma),
    options: &FutureOptions,
    warnings: &mut Vec<String>,
) -> Result<ParameterDraws> {
    let wrong = |problem: String| Error::internal("a model that was checked", problem);
    let worlds = if options.hold_parameters && options.hold_responses { 1 } else { options.worlds() };
    let fixed = || ParameterDraws::fixed(purchases, spend, worlds);
    if options.hold_parameters {
        return Ok(fixed());
    }
    let Some(kept) = &model.draws else {
        warnings.push(
            "the model file has no draws of its parameters: they are held at their estimates, intervals are too narrow, and no \
             verdict is given; fit it with --draws 400, or say --hold parameters"
                .into(),
        );
        return Ok(ParameterDraws { untrusted: true, ..fixed() });
    };
    let of_purchases = kept.purchase_parameters(model.purchases.model, purchases.unit()).map_err(wrong)?;
    let of_spend = kept.spend_models().map_err(wrong)?.unwrap_or_default();
    let Some(report_of_spend) = kept.spend.as_ref().map(|drawn| &drawn.report) else {
        return Err(wrong("there are draws of purchases and none of spend".into()));
    };
    let all =
        ParameterDraws::of(&of_purchases, (&of_spend, spend), [&kept.purchases.report, report_of_spend]);
    let there = all.draws.len();
    if there < worlds as usize {
        warnings.push(format!(
            "{worlds} worlds use the model file's {there} draws of the parameters several times: fit it with --draws {worlds} for \
             one each"
        ));
    }
    let each = (0..worlds as usize).map(|i| all.draws[i % there]).collect();
    // However often they are used, draws are worth as many as there are.
    Ok(ParameterDraws { draws: each, effective: all.effective.min(there as f64), distinct: there, ..all })
}

/// The longest history: 200 years. Beyond it, T is in another unit than it is said to be.
const LONGEST_DAYS: f64 = 200.0 * 365.25;

/// The most repeat purchases of one customer: one for each day of such a history.
const MOST_PURCHASES: u32 = 73_050;

/// Refuses histories that no customer has.
fn check_range(file: &WholeFile, statistics: &Statistics, ids: &Ids) -> Result<()> {
    let refuse = |what: &str, i: usize, value: f64, remedy: &str| {
        let name = format!("{what} of customer {} in {}", ids.text(i), file.path().display());
        Err(Error::value(name, value, "no customer has such a history", remedy))
    };
    if let Some(i) = statistics.t_days.iter().position(|&days| days > LONGEST_DAYS) {
        return refuse("T in days", i, statistics.t_days[i], "say its unit with --unit, or mend it");
    }
    match statistics.frequency.iter().position(|&x| x > MOST_PURCHASES) {
        Some(i) => {
            refuse("frequency", i, f64::from(statistics.frequency[i]), "mend it: it counts distinct periods")
        }
        None => Ok(()),
    }
}
