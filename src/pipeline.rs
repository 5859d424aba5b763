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
mod holding;
mod learn;
mod models;
mod movement;
mod page;
mod result;
mod tier_ledger;
mod tiers;
mod validation;

pub use assess::{
    AssessModel, AssessRequest, Assessed, AssessedScheme, Draws, Holdout, Interval, OwnRates, SURE, Sure,
    assess,
};
pub use choice::{ModelChoice, ModelSetting};
pub use clusters::{ClusterRequest, Clustered, NOISE, cluster_file};
pub use config::RunConfig;
pub use customers_file::{customer_list, write_customers};
pub use explain::{Explained, ExplainedTier, Figure, explain};
pub use holding::{Holding, Holdings, holdings};
pub use learn::{
    AskedPolicy, Basis, ContactColumns, Joined, LearnRequest, Learned, ResponseOptions, Said, WithoutOutcome,
    learn, responses_toml,
};
pub use models::{
    CovariateColumns, Fitted, FittedCohort, FittedContract, FittedCovariates, FittedGroups,
    FittedOpportunities, GroupTotal, IntervalOptions, Intervals, NO_GROUP, OpportunityOptions, Scored,
    ScoredOpportunities, fit_cohorts, fit_customers, fit_customers_by, fit_customers_with, fit_opportunities,
    forecast_cohorts, predict_customers, read_cohorts, score_customers, score_opportunities, totals_csv,
};
pub use movement::{Movement, MovementRequest, ledger_movement, movement};
pub use result::{ConfigEntry, cohorts_summary, ledger_summary, write_result};
pub use tier_ledger::{LedgerEntry, LedgerReport, LedgerState, ledger_entries, ledger_state};
pub use tiers::{CrossTable, Language, SchemeResult, TierRequest, Tiered, tier_file};
pub use validation::{Validated, validate, validation_json, write_validation};

use crate::calendar::Day;
use crate::clv::family::with_fit;
use crate::clv::{
    CustomerValue, Fit, GammaGamma, GammaGammaModel, ModelName, Patterns, PosteriorOptions, Prior,
    PurchaseFit, ValueOptions, customer_value,
};
use crate::customers::concentration::Concentration;
use crate::customers::rfm::{self, Rfm};
use crate::customers::{CustomerTable, ListReport, Prospects, Summary, Values, summarize_open};
use crate::error::Result;
use crate::history::{History, Source};
use crate::parallel;
use crate::progress::Progress;
use crate::report::format::percent;
use crate::segment::{SegmentOptions, Segmentation, segment};
use crate::simulate::{
    Comparison, Engine, FEWEST_FOR_A_VERDICT, ParameterDraws, Population, SimulateOptions,
};
use crate::strategy::file::StrategyFile;
use crate::strategy::{Plan, StrategySet, TierFacts};
use crate::tier::{self, Tiering};

/// A strategy file by name and content.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategyText {
    /// What errors and the report call it.
    pub name: String,
    /// TOML.
    pub text: String,
}

impl StrategyText {
    /// The bundled strategies, which go with the bundled history.
    pub fn bundled() -> StrategyText {
        StrategyText { name: "bundled strategies".to_string(), text: crate::strategy::BUNDLED.to_string() }
    }

    /// Reads and checks everything that can be checked without customers.
    pub fn check(&self) -> Result<StrategySet> {
        let schemes: Vec<(String, Vec<String>)> = tier::schemes()
            .iter()
            .map(|s| (s.key().to_string(), s.tiers().into_iter().map(String::from).collect()))
            .collect();
        StrategySet::new(&self.name, StrategyFile::parse(&self.name, &self.text)?, &schemes)
    }
}

/// Everything that a run found out.
#[derive(Debug)]
pub struct Run {
    /// The settings it ran with.
    pub config: RunConfig,
    /// The customer table with every column that was added, the ledger and the history's facts.
    pub summary: Summary,
    /// Those of the customers list who never ordered, and what became of the list.
    pub list: Option<(Prospects, ListReport)>,
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
    /// Tiers by every built-in scheme.
    pub tierings: Vec<Tiering>,
    /// The strategies, when there are some.
    pub strategies: Option<StrategySet>,
    /// Their comparison, when there are strategies and the models can be used.
    pub comparison: Option<Comparison>,
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
    config.check()?;
    customers_file::check_kept(config)?;
    let strategies = strategies.map(StrategyText::check).transpose()?;
    // Read before the rows, so that what is wrong with it is known at once.
    let history = History::open(sources, &config.history)?;
    let list = customer_list(config, history.inspection())?;
    let mut summary = summarize_open(history, config.unit, progress)?;
    let mut warnings = summary.warnings();
    let table = &summary.table;

    progress.phase("scoring", 0);
    let rfm = rfm::scores(table);
    let concentration = Concentration::of(table);
    let tierings: Vec<Tiering> =
        tier::schemes().iter().map(|scheme| tier::grade(table, &rfm, *scheme)).collect::<Result<_>>()?;
    progress.check()?;

    progress.phase("finding patterns", 0);
    let patterns = Patterns::from_table(table)?;
    let (model, purchases) = choice::fit_chosen(sources, &summary, &patterns, config, progress)?;
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, progress)?;
    warnings.extend(purchases.report().warnings.iter().chain(&spend.report.warnings).cloned());

    let options = ValueOptions { horizon: config.horizon, discount: config.discount, margin: config.margin };
    let value = with_fit!(&purchases, fit => {
        customer_value(&patterns, &table.monetary_value, fit, Some(&spend), &options, progress)?
    });
    let draws = match &strategies {
        Some(_) => parameter_draws(&patterns, table, &purchases, &spend, config, progress)?,
        None => None,
    };
    drop(patterns);
    warnings.extend(value.warnings.iter().cloned());
    warnings.extend(blind_to_dropout(&purchases, table));

    let options =
        SegmentOptions { clusters: config.clusters, seed: config.seed, ..SegmentOptions::default() };
    let segmentation = segment(table, &options, progress)?;
    warnings.extend(segmentation.warnings.iter().cloned());

    let comparison = match &strategies {
        Some(set) => compare(set, table, &tierings, draws.as_ref(), &value, config, progress, &mut warnings)?,
        None => None,
    };

    let added = rfm.columns().into_iter().chain(value.columns.iter().cloned());
    let added = added.chain([segmentation.column()]).chain(tierings.iter().map(Tiering::column));
    let table = &mut summary.table;
    for column in added.collect::<Vec<_>>() {
        table.push(&column.name, column.values);
    }
    let list = match list {
        Some(list) => {
            let (prospects, counts) = list.join(table, 0..list.len())?;
            let report = list.report(counts);
            warnings.extend(report.warnings());
            Some((prospects, report))
        }
        None => None,
    };
    Ok(Run {
        config: config.clone(),
        summary,
        list,
        rfm,
        concentration,
        model,
        purchases,
        spend,
        value,
        segmentation,
        tierings,
        strategies,
        comparison,
        warnings,
    })
}

/// What the reader of P(alive), and of what rests on it, has to know of a model to which some customers never leave.
fn blind_to_dropout(purchases: &PurchaseFit, table: &CustomerTable) -> Option<String> {
    let name = purchases.name();
    if !name.is_blind_to_first_time_dropout() || purchases.model().is_none() {
        return None;
    }
    let once = table.frequency.iter().filter(|&&x| x == 0).count();
    let (who, share) = match name {
        ModelName::Nbd => ("everybody", 1.0),
        _ => ("everybody without a repeat purchase", once as f64 / table.len().max(1) as f64),
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
    config: &RunConfig,
    progress: &dyn Progress,
) -> Result<Option<ParameterDraws>> {
    progress.phase("drawing parameters", 0);
    let options = PosteriorOptions { prior: Prior::default(), draws: config.replications, seed: config.seed };
    let of_spend = GammaGammaModel.likelihood(&table.frequency, &table.monetary_value)?;
    let purchases = purchases.posterior(patterns, config.unit, &options, progress)?;
    let spend = spend.posterior(&of_spend, &options, progress)?;
    Ok(purchases.zip(spend).map(|(purchases, spend)| ParameterDraws::new(&purchases, &spend)))
}

/// Plans, simulates and compares; `None`, with a warning, when the models cannot be used.
#[allow(clippy::too_many_arguments)]
fn compare(
    set: &StrategySet,
    table: &CustomerTable,
    tierings: &[Tiering],
    draws: Option<&ParameterDraws>,
    value: &CustomerValue,
    config: &RunConfig,
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) -> Result<Option<Comparison>> {
    let clv = value.columns.iter().find(|c| c.name == "clv").map(|c| &c.values);
    let (Some(draws), Some(Values::Float(clv))) = (draws, clv) else {
        warnings.push(
            "strategies are not compared: they rest on lifetime models that could not be fitted".into(),
        );
        return Ok(None);
    };
    warnings.extend(draws.warnings.iter().cloned());
    let tiering =
        tierings.iter().find(|t| t.key == set.scheme).expect("the set was checked against the schemes");
    let facts = tier_facts(tiering, clv);
    let plans: Vec<Plan> = (0..set.strategies.len()).map(|i| Plan::new(set, i, &facts)).collect();
    for (strategy, plan) in set.strategies.iter().zip(&plans) {
        // A thousandth of the budget is rounding; more is money that the reader thinks was spent.
        if plan.unspent > 1e-3 * strategy.budget {
            warnings.push(format!(
                "strategy \"{}\" leaves {:.2} of its budget unspent: caps are reached, or tiers are empty",
                strategy.name, plan.unspent
            ));
        }
    }
    for (strategy, plan) in set.strategies.iter().zip(&plans) {
        if plan.fixed_cost > 0.0 && plan.per_customer.iter().all(|&money| money <= 0.0) {
            warnings.push(format!(
                "strategy \"{}\" pays its action's fixed cost and has nothing left to give to any customer",
                strategy.name
            ));
        }
    }
    if config.replications < FEWEST_FOR_A_VERDICT {
        warnings.push(format!(
            "{} replications are too few for a verdict on any strategy: give at least {FEWEST_FOR_A_VERDICT}",
            config.replications
        ));
    }
    let hash = parallel::collect(table.len(), |i| table.ids.hash(i));
    let population = Population {
        frequency: &table.frequency,
        recency_days: &table.recency_days,
        t_days: &table.t_days,
        monetary_value: &table.monetary_value,
        tier: &tiering.codes,
        tiers: tiering.tiers.len(),
        hash: &hash,
    };
    let options = SimulateOptions { seed: config.seed, draw_responses: true };
    let outcome = Engine::new(population, set, &plans, options).run(&draws.draws, progress)?;
    Ok(Some(Comparison::new(&outcome, set, &plans, &facts, draws)))
}

/// Customers and lifetime value of each tier, summed in the table's order.
fn tier_facts(tiering: &Tiering, clv: &[f64]) -> Vec<TierFacts> {
    let mut facts = vec![TierFacts { customers: 0, clv: 0.0 }; tiering.tiers.len()];
    for (&code, value) in tiering.codes.iter().zip(clv) {
        facts[usize::from(code)].customers += 1;
        facts[usize::from(code)].clv += value;
    }
    facts
}
