//! The whole chain as one call: history → customers → lifetime value → segments and tiers → strategies → comparison.
//!
//! The command line, and any other front end, calls [`run`] and shows what it returns; [`write_result`] turns it into
//! the files of a result folder.

mod assess;
mod choice;
mod clusters;
mod config;
mod customers_file;
mod explain;
mod grading;
mod holding;
mod init;
mod learn;
mod models;
mod movement;
mod page;
mod result;
mod runs;
mod scored_table;
mod simulate;
mod strategy_text;
mod tier_ledger;
mod tiers;
mod validation;

pub use assess::{
    AssessModel, AssessRequest, Assessed, AssessedScheme, Draws, Holdout, Interval, OwnRates, SURE, Sure,
    assess,
};
pub use choice::{ModelChoice, ModelSetting};
pub use clusters::{ClusterRequest, Clustered, NOISE, cluster_file};
pub use config::{DEFAULT_SCHEMES, RunConfig};
pub use customers_file::{customer_list, write_customers};
pub use explain::{
    AsideRows, Explained, ExplainedTier, Figure, HistoryRequest, OrderHistory, OrderRow, explain,
};
pub use holding::{Holding, Holdings, holdings};
pub use init::{STATISTICS, init_strategies};
pub use learn::{
    AskedPolicy, Basis, ContactColumns, Joined, LearnRequest, Learned, NoCount, ResponseOptions, Said,
    WithoutOutcome, learn, responses_toml,
};
pub use models::{
    CovariateColumns, Fitted, FittedCohort, FittedContract, FittedCovariates, FittedGroups,
    FittedOpportunities, GroupTotal, IntervalOptions, Intervals, NO_GROUP, OpportunityOptions, Scored,
    ScoredOpportunities, fit_cohorts, fit_customers, fit_customers_by, fit_customers_with, fit_opportunities,
    forecast_cohorts, predict_customers, read_cohorts, score_customers, score_opportunities, totals_csv,
};
pub use movement::{Movement, MovementRequest, ledger_movement, movement};
pub use result::{ConfigEntry, cohorts_summary, ledger_summary, opt_out_summary, write_result};
pub use runs::{Change, Gain, RunChanges, StrategyChange, compare_runs};
pub use simulate::{
    FutureOptions, MOST_FUTURES, SimulateModel, SimulateRequest, Simulated, SimulatedTable, SimulationFacts,
    about_fits, about_model, fingerprint, simulate_customers, simulation_manifest, write_simulation,
};
pub use strategy_text::StrategyText;
pub use tier_ledger::{LedgerEntry, LedgerHold, LedgerReport, LedgerState, ledger_entries, ledger_state};
pub use tiers::{
    CrossTable, HoldingReport, Language, SchemeResult, TierRequest, Tiered, open_tiers, tier_file,
};
pub use validation::{Validated, validate, validation_json, write_validation};

use std::path::Path;

use self::grading::Grading;
use self::simulate::{Crowd, Models};
use crate::calendar::Day;
use crate::clv::family::with_fit;
use crate::clv::{
    CustomerValue, Fit, GammaGamma, GammaGammaModel, ModelName, Patterns, PosteriorOptions, Prior,
    PurchaseFit, PurchaseParameters, ValueOptions, customer_value,
};
use crate::customers::concentration::Concentration;
use crate::customers::rfm::{self, Rfm};
use crate::customers::{
    Column, CustomerTable, Ids, ListReport, OrderDays, Prospects, Summary, Values, summarize_open,
};
use crate::error::Result;
use crate::history::{History, Source};
use crate::parallel;
use crate::progress::Progress;
use crate::report::format::percent;
use crate::segment::{SegmentOptions, Segmentation, segment};
use crate::simulate::ParameterDraws;
use crate::strategy::StrategySet;
use crate::tier::opt_out::{OptOutReport, OptOuts, Remark};
use crate::tier::{Columns, SchemeFile, Tiering};

/// Lines of a list that a warning names.
const LISTED: usize = 10;

/// Everything that a run found out.
#[derive(Debug)]
pub struct Run {
    /// The settings it ran with.
    pub config: RunConfig,
    /// The customer table with every column that was added, the ledger and the history's facts.
    pub summary: Summary,
    /// Those of the customers list who never ordered, and what became of the list.
    pub list: Option<(Prospects, ListReport)>,
    /// The schemes as they were written.
    pub schemes: Vec<SchemeFile>,
    /// Scores.
    pub rfm: Rfm,
    /// How concentrated spend is.
    pub concentration: Concentration,
    /// Which model of purchases and dropout it is, and why.
    pub model: ModelChoice,
    /// The model of purchases and dropout.
    pub purchases: PurchaseFit,
    /// The model of money per purchase.
    pub spend: Fit<GammaGamma>,
    /// Totals of lifetime value; empty when the models cannot be used.
    pub value: CustomerValue,
    /// Clusters.
    pub segmentation: Segmentation,
    /// Tiers by every scheme of the settings but those that rest on models that could not be fitted.
    pub tierings: Vec<Tiering>,
    /// The strategies, when there are some.
    pub strategies: Option<StrategySet>,
    /// What became of the list of those who opted out, where there was one.
    pub opt_out: Option<OptOutReport>,
    /// Their comparison, when there are strategies and the models can be used.
    pub simulated: Option<Simulated>,
    /// What the reader of any result has to know.
    pub warnings: Vec<String>,
}

impl Run {
    /// The last day of the calibration window, from which futures begin.
    pub fn begins(&self) -> Day {
        self.summary.table.window.calibration_end
    }
}

/// Runs the chain on `sources`; `strategies` are compared when given.
///
/// # Errors
/// Whatever is wrong with the strategy file, the sources or their rows. A fit that finds no optimum is no error: it
/// says so in its report, the stages that rest on it are left out, and a warning says which.
pub fn run(
    sources: &[Source],
    strategies: Option<&StrategyText>,
    config: &RunConfig,
    progress: &dyn Progress,
) -> Result<Run> {
    let options = FutureOptions {
        seed: config.seed,
        replications: config.replications,
        futures: 1,
        hold_parameters: false,
        hold_responses: false,
        until: None,
    };
    run_with(sources, strategies, config, &options, progress)
}

/// [`run`] with futures as `futures` says, whose seed and replications stand for those of `config`.
///
/// # Errors
/// Those of [`run`], and options that cannot be worked with.
pub fn run_with(
    sources: &[Source],
    strategies: Option<&StrategyText>,
    config: &RunConfig,
    futures: &FutureOptions,
    progress: &dyn Progress,
) -> Result<Run> {
    config.check()?;
    futures.check()?;
    let schemes = config.read_schemes()?;
    customers_file::check_kept(config, &schemes)?;
    let text = strategies;
    let strategies = text.map(|text| text.check(&schemes)).transpose()?;
    // Read before the rows, so that what is wrong with it is known at once.
    let history = History::open(sources, &config.history)?;
    let list = customer_list(config, &schemes, history.inspection())?;
    let opt_outs = config.opt_out.as_deref().map(OptOuts::read).transpose()?;
    let mut summary = summarize_open(history, config.unit, progress)?;
    let mut warnings = summary.warnings();

    progress.phase("scoring", 0);
    let rfm = rfm::scores(&summary.table);
    let concentration = Concentration::of(&summary.table);
    // Rules may look at everything that is known of customers; the list's columns stay the last ones.
    let mut own = summary.table.columns.len();
    insert(&mut summary.table, &mut own, rfm.columns());
    let list = match list {
        Some(list) => {
            let (prospects, counts) = list.join(&mut summary.table, 0..list.len())?;
            Some((prospects, list.report(counts)))
        }
        None => None,
    };
    let grading = Grading::begin(&schemes, &summary.table)?;
    progress.check()?;

    progress.phase("finding patterns", 0);
    let table = &summary.table;
    let patterns = Patterns::from_table(table)?;
    let (model, purchases) = choice::fit_chosen(sources, &summary, &patterns, config, progress)?;
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, progress)?;
    warnings.extend(purchases.report().warnings.iter().chain(&spend.report.warnings).cloned());

    let options = ValueOptions { horizon: config.horizon, discount: config.discount, margin: config.margin };
    let value = with_fit!(&purchases, fit => {
        customer_value(&patterns, &table.monetary_value, fit, Some(&spend), &options, progress)?
    });
    let draws = match &strategies {
        Some(_) => parameter_draws(&patterns, table, &purchases, &spend, (config, futures), progress)?,
        None => None,
    };
    drop(patterns);
    warnings.extend(value.warnings.iter().cloned());
    warnings.extend(purchases.model().and_then(|_| blind_to_dropout(purchases.name(), &table.frequency)));

    let options =
        SegmentOptions { clusters: config.clusters, seed: config.seed, ..SegmentOptions::default() };
    let segmentation = segment(table, &options, progress)?;
    warnings.extend(segmentation.warnings.iter().cloned());

    let table = &mut summary.table;
    insert(table, &mut own, value.columns.iter().cloned().chain([segmentation.column()]));
    let tierings = grading.finish(table, &mut warnings)?;

    let as_of = table.window.as_of;
    let opted_out = opt_outs.as_ref().map(|list| list.apply(&[&table.ids], as_of).0.concat());
    let simulated = match (&strategies, &draws) {
        (Some(set), Some(draws)) => {
            let found = Found { table, tierings: &tierings, value: &value, opted_out: opted_out.as_deref() };
            let models = purchases.parameters().zip(spend.params);
            let base = text.map_or(Path::new(""), StrategyText::folder);
            compare(
                set,
                &found,
                models.map(|models| (models, draws)),
                (futures, base),
                progress,
                &mut warnings,
            )?
        }
        (Some(_), None) => {
            warnings.push(NO_MODELS.into());
            None
        }
        (None, _) => None,
    };

    insert(&mut summary.table, &mut own, tierings.iter().map(Tiering::column));
    if let Some((prospects, report)) = &list {
        warnings.extend(report.warnings());
        warnings.extend(grading::without_prospects(&schemes, prospects));
    }
    let opt_out = opt_outs.map(|opt_outs| {
        // Who is on the list without an order is known too; the customers with orders are counted.
        let prospects = list.as_ref().map(|(prospects, _)| &prospects.ids);
        let tables: Vec<&Ids> = std::iter::once(&summary.table.ids).chain(prospects).collect();
        let (is_out, report) = opt_outs.apply(&tables, as_of);
        OptOutReport { customers: is_out[0].iter().filter(|&&is_out| is_out).count() as u64, ..report }
    });
    warnings.extend(opt_out.as_ref().and_then(doubtful_opt_outs));
    Ok(Run {
        config: config.clone(),
        summary,
        list,
        schemes,
        opt_out,
        rfm,
        concentration,
        model,
        purchases,
        spend,
        value,
        segmentation,
        tierings,
        strategies,
        simulated,
        warnings,
    })
}

/// Puts columns into the table behind its first `own`, in front of the customers list's.
fn insert(table: &mut CustomerTable, own: &mut usize, columns: impl IntoIterator<Item = Column>) {
    for column in columns {
        table.insert(*own, &column.name, column.values);
        *own += 1;
    }
}

/// What the reader of P(alive), and of what rests on it, has to know of a model to which some customers never leave.
fn blind_to_dropout(name: ModelName, frequency: &[u32]) -> Option<String> {
    if !name.is_blind_to_first_time_dropout() {
        return None;
    }
    let once = frequency.iter().filter(|&&x| x == 0).count();
    let (who, share) = match name {
        ModelName::Nbd => ("everybody", 1.0),
        _ => ("everybody without a repeat purchase", once as f64 / frequency.len().max(1) as f64),
    };
    Some(format!(
        "{} takes {who} ({} of the customers) for alive: its P(alive) is no label for churn, no tier or rule should rest on \
         it, and lifetime value, by which strategies may give, counts all of them as customers; --model pareto-nbd or \
         mbg-nbd lets them leave",
        name.title(),
        percent(share),
    ))
}

/// The models' parameters in every replication, drawn from their likelihoods; `None` when a model cannot be used.
fn parameter_draws(
    patterns: &Patterns,
    table: &CustomerTable,
    purchases: &PurchaseFit,
    spend: &Fit<GammaGamma>,
    (config, futures): (&RunConfig, &FutureOptions),
    progress: &dyn Progress,
) -> Result<Option<ParameterDraws>> {
    if futures.hold_parameters {
        return Ok(purchases.parameters().zip(spend.params).map(|(purchases, spend)| {
            let worlds = if futures.hold_responses { 1 } else { futures.worlds() };
            ParameterDraws::fixed(purchases, spend, worlds)
        }));
    }
    progress.phase("drawing parameters", 0);
    let options = PosteriorOptions { prior: Prior::default(), draws: futures.worlds(), seed: futures.seed };
    let of_spend = GammaGammaModel.likelihood(&table.frequency, &table.monetary_value)?;
    let purchases = purchases.posterior(patterns, config.unit, &options, progress)?;
    let spend = spend.posterior(&of_spend, &options, progress)?;
    Ok(purchases.zip(spend).map(|(purchases, spend)| ParameterDraws::new(&purchases, &spend)))
}

/// What a list of those who opted out has that a reader should look at: lines of nobody who is known, and dates that are
/// none.
fn doubtful_opt_outs(report: &OptOutReport) -> Option<String> {
    let doubtful: Vec<String> = report
        .by_remark(LISTED)
        .into_iter()
        .filter(|(remark, ..)| !matches!(remark, Remark::Repeated | Remark::NotYet))
        .map(|(remark, n, lines)| {
            let lines: Vec<String> = lines.iter().map(u64::to_string).collect();
            let more = if n > lines.len() as u64 { ", …" } else { "" };
            format!("{n} {} (lines {}{more})", remark.words(), lines.join(", "))
        })
        .collect();
    (!doubtful.is_empty())
        .then(|| format!("the list of those who opted out has lines: {}", doubtful.join("; ")))
}

/// Why there is no comparison where the models are of no use.
const NO_MODELS: &str = "strategies are not compared: they rest on lifetime models that could not be fitted";

/// What a run knows of its customers when strategies are compared.
struct Found<'a> {
    table: &'a CustomerTable,
    tierings: &'a [Tiering],
    value: &'a CustomerValue,
    /// Who may not be contacted, where there is a list of them.
    opted_out: Option<&'a [bool]>,
}

/// Compares strategies on the customers of a run; `None`, with a warning, when the models cannot be used.
fn compare(
    set: &StrategySet,
    found: &Found<'_>,
    models: Option<((PurchaseParameters, GammaGamma), &ParameterDraws)>,
    (options, base): (&FutureOptions, &Path),
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) -> Result<Option<Simulated>> {
    let &Found { table, tierings, value, opted_out } = found;
    let clv = value.columns.iter().find(|c| c.name == "clv").map(|c| &c.values);
    let (Some(((purchases, spend), draws)), Some(Values::Float(clv))) = (models, clv) else {
        warnings.push(NO_MODELS.into());
        return Ok(None);
    };
    let Some(tiering) = tierings.iter().find(|t| t.key == set.scheme) else {
        warnings.push(format!("strategies are not compared: nobody is graded by {}", set.scheme));
        return Ok(None);
    };
    let hash = parallel::collect(table.len(), |i| table.ids.hash(i));
    let columns = Columns::of_table(table);
    let crowd = Crowd {
        frequency: &table.frequency,
        recency_days: &table.recency_days,
        t_days: &table.t_days,
        monetary_value: &table.monetary_value,
        spend_over: OrderDays::Repeat,
        clv,
        tiering,
        columns: &columns,
        ids: &table.ids,
        hash: &hash,
        opted_out,
        base,
    };
    let models = Models { purchases, spend, draws };
    simulate::compare(set, &crowd, &models, options, progress, warnings).map(Some)
}
