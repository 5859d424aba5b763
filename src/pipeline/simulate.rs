//! Strategies on customers: plans, futures, comparison, and on which assumptions it rests.

mod table;
mod warnings;
mod write;

use std::path::Path;

pub use self::table::{SimulateModel, SimulateRequest, SimulatedTable, simulate_customers};
pub use self::write::{
    SimulationFacts, about_fits, about_model, fingerprint, simulation_manifest, write_simulation,
};

use serde::Serialize;

use crate::clv::{GammaGamma, PurchaseParameters};
use crate::customers::{Ids, OrderDays};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::simulate::{
    ClaimCheck, Comparison, Engine, Evaluator, Heads, Metric, Outcome, ParameterDraws, Parameters,
    Population, Sensitivity, SimulateOptions, SplitWinner, sensitivity, split_winners,
};
use crate::strategy::{Given, People, Plan, StrategySet};
use crate::tier::{Columns, Tiering};

/// What a comparison found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simulated {
    /// Strategies side by side.
    pub comparison: Comparison,
    /// What each strategy's gain rests on.
    pub sensitivity: Vec<Sensitivity>,
    /// The winner of each half of the contacts, valued by the other, where responses were learned with halves.
    pub split_winners: Option<[SplitWinner; 2]>,
    /// Claims of the strategy file against the data.
    pub claims: Vec<ClaimCheck>,
    /// Whether the models' parameters were drawn in each world.
    pub parameters_are_drawn: bool,
    /// By strategy, then customer in the order of the table: 0 for no contact, k + 1 for the k-th treatment of its plan.
    #[serde(skip)]
    pub contacts: Vec<Vec<u8>>,
}

/// How futures are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FutureOptions {
    /// The seed of every random number.
    pub seed: u64,
    /// Futures of every customer: at most so many with `until`, and as many as there are draws make.
    pub replications: u32,
    /// Futures of each world (draw of parameters and responses), from 1 to [`MOST_FUTURES`].
    pub futures: u32,
    /// Whether the models' parameters are held at their estimates.
    pub hold_parameters: bool,
    /// Whether responses are held at their stated values.
    pub hold_responses: bool,
    /// Goes on until the standard error of every difference in profit is at most this much money, or the draws are used up.
    pub until: Option<f64>,
}

impl FutureOptions {
    /// As many worlds as these replications take.
    pub fn worlds(&self) -> u32 {
        self.replications.div_ceil(self.futures.max(1))
    }

    /// Whether every value can be worked with.
    ///
    /// # Errors
    /// [`Error::Value`] that says what would be possible.
    pub fn check(&self) -> Result<()> {
        let refuse = |option: &str, value: String, problem: &str, remedy: String| {
            Err(Error::value(option, value, problem, remedy))
        };
        // Two are needed for a Monte Carlo error.
        if self.replications < 2 {
            let remedy = "give at least 2; intervals want some hundreds".to_string();
            return refuse(
                "--replications",
                self.replications.to_string(),
                "no interval can rest on it",
                remedy,
            );
        }
        if !(1..=MOST_FUTURES).contains(&self.futures) {
            let remedy = format!("give a number from 1 to {MOST_FUTURES}");
            let problem = "intervals rest on draws of the parameters, which so many futures would share";
            return refuse("--futures-per-draw", self.futures.to_string(), problem, remedy);
        }
        match self.until {
            Some(until) if !(until.is_finite() && until > 0.0) => {
                let remedy = "give an amount of money above 0".to_string();
                refuse("--until", until.to_string(), "no standard error gets there", remedy)
            }
            _ => Ok(()),
        }
    }
}

/// Futures that may share one draw of parameters and responses.
pub const MOST_FUTURES: u32 = 8;

/// Worlds that are added before it is looked again whether they are enough.
const WORLDS_BETWEEN_LOOKS: usize = 180;

/// The customers with all that a comparison looks at, in the order of their ids.
pub(super) struct Crowd<'a, 'c> {
    pub frequency: &'a [u32],
    pub recency_days: &'a [u32],
    pub t_days: &'a [u32],
    pub monetary_value: &'a [f64],
    /// What the mean spend is over.
    pub spend_over: OrderDays,
    pub clv: &'a [f64],
    pub tiering: &'a Tiering,
    pub columns: &'a Columns<'c>,
    pub ids: &'a Ids,
    pub hash: &'a [u64],
    /// Who may not be contacted, where there is a list of them.
    pub opted_out: Option<&'a [bool]>,
    /// The folder that the strategy file's paths start from.
    pub base: &'a Path,
}

/// Models with their draws.
pub(super) struct Models<'a> {
    pub purchases: PurchaseParameters,
    pub spend: GammaGamma,
    pub draws: &'a ParameterDraws,
}

/// Plans, simulates and compares.
pub(super) fn compare(
    set: &StrategySet,
    crowd: &Crowd<'_, '_>,
    models: &Models<'_>,
    options: &FutureOptions,
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) -> Result<Simulated> {
    let tiers = crowd.tiering.tiers.len();
    let people = People {
        tier: &crowd.tiering.codes,
        tiers,
        clv: crowd.clv,
        opted_out: crowd.opted_out,
        hash: crowd.hash,
        ids: crowd.ids,
        columns: crowd.columns,
        seed: options.seed,
        base: crowd.base,
    };
    progress.phase("planning", 0);
    let mut plans: Vec<Plan> = Vec::with_capacity(set.strategies.len());
    for index in 0..set.strategies.len() {
        let (plan, remarks) = Plan::new(set, index, &people)?;
        warnings.extend(remarks);
        plans.push(plan);
    }
    let (customers, reachable) = heads(crowd, tiers);
    warnings.extend(warnings::of_durations(set));
    warnings.extend(warnings::of_plans(set, &plans, &reachable));
    let contacts: Vec<Vec<u8>> = plans.iter().map(|plan| contacts(plan, crowd)).collect();
    warnings.extend(warnings::of_equal_plans(set, &plans, &contacts));
    let once =
        crowd.frequency.iter().filter(|&&x| x == 0).count() as f64 / crowd.frequency.len().max(1) as f64;
    warnings.extend(warnings::of_levers(set, &plans, &models.purchases, once));
    let below_zero = crowd.monetary_value.iter().filter(|value| **value < 0.0).count();
    if below_zero > 0 {
        warnings
            .push(format!("{below_zero} customers have a mean value of orders below 0, which counts as 0"));
    }
    check_size(set)?;
    let heads = Heads { customers: &customers, reachable: &reachable };
    let population = Population {
        frequency: crowd.frequency,
        recency_days: crowd.recency_days,
        t_days: crowd.t_days,
        monetary_value: crowd.monetary_value,
        tier: &crowd.tiering.codes,
        tiers,
        hash: crowd.hash,
        spend_over: crowd.spend_over,
        opted_out: crowd.opted_out,
    };
    let draws = models.draws;
    let is_one_world = options.hold_parameters && options.hold_responses;
    let futures_of_each = if is_one_world { options.replications } else { options.futures };
    let simulate = SimulateOptions {
        seed: options.seed,
        draw_responses: !options.hold_responses,
        futures: futures_of_each.max(1) as usize,
    };
    let engine = Engine::new(population, set, &plans, simulate)?;
    let outcome = futures(&engine, set, &plans, heads, draws, options, progress)?;
    let comparison = Comparison::new(&outcome, set, &plans, heads, draws);
    warnings.extend(warnings::of_comparison(set, &comparison, &reachable, draws, options));
    progress.phase("weighing assumptions", 0);
    let parameters = Parameters { purchases: models.purchases, spend: models.spend };
    let evaluator = Evaluator::new(&engine, parameters, &plans, &reachable);
    // At the estimates there is nothing to weigh where the mean of spend is infinite.
    let is_finite = models.spend.q > 1.0;
    let claims = claims(set, crowd, &comparison);
    warnings.extend(claims.iter().filter_map(warnings::of_claim));
    Ok(Simulated {
        sensitivity: if is_finite { sensitivity(&evaluator, set, progress)? } else { Vec::new() },
        split_winners: split_winners(&evaluator, set, options.seed).filter(|_| is_finite),
        contacts,
        parameters_are_drawn: !draws.is_fixed,
        comparison,
        claims,
    })
}

/// The most new customers that are expected within the horizon: each of them is simulated one by one.
const MOST_NEW_CUSTOMERS: f64 = 1e7;

/// The longest horizon, as everywhere.
const LONGEST_DAYS: f64 = 100.0 * 365.25;

/// Refuses what would run for ever.
fn check_size(set: &StrategySet) -> Result<()> {
    if set.horizon.days() > LONGEST_DAYS {
        let remedy = "give a horizon of at most 100 years";
        return Err(Error::value(
            "horizon",
            set.horizon,
            "no model of today's customers reaches so far",
            remedy,
        ));
    }
    let periods = set.periods as f64;
    match &set.new_customers {
        Some(new) if new.upper * periods > MOST_NEW_CUSTOMERS => Err(Error::value(
            "[new_customers] upper",
            new.upper,
            format!("{periods} periods would bring more than ten million customers"),
            "give the number per period of the horizon",
        )),
        _ => Ok(()),
    }
}

/// Simulates all draws, or as many as are enough.
fn futures(
    engine: &Engine<'_>,
    set: &StrategySet,
    plans: &[Plan],
    heads: Heads<'_>,
    draws: &ParameterDraws,
    options: &FutureOptions,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let Some(until) = options.until else { return engine.run(&draws.draws, progress) };
    let mut outcome = engine.nothing_yet();
    for batch in draws.draws.chunks(WORLDS_BETWEEN_LOOKS) {
        engine.extend(&mut outcome, batch, progress)?;
        let comparison = Comparison::new(&outcome, set, plans, heads, draws);
        let error = |s: usize| comparison.find(s, None, Metric::Profit).map(|row| row.difference.mc_error);
        // An error that is not known yet is not small enough.
        if (1..set.strategies.len()).filter_map(error).all(|error| error <= until) {
            break;
        }
    }
    Ok(outcome)
}

/// Who is contacted under a plan.
fn contacts(plan: &Plan, crowd: &Crowd<'_, '_>) -> Vec<u8> {
    let codes = &crowd.tiering.codes;
    let is_out = |i: usize| crowd.opted_out.is_some_and(|of| of[i]);
    parallel::collect(codes.len(), |i| match &plan.given {
        _ if is_out(i) => 0,
        Given::ByTier(of) => of[usize::from(codes[i])],
        Given::ByCustomer(of) => of[i],
    })
}

/// By tier: customers, and those of them who may be contacted.
fn heads(crowd: &Crowd<'_, '_>, tiers: usize) -> (Vec<u64>, Vec<u64>) {
    let (mut customers, mut reachable) = (vec![0; tiers], vec![0; tiers]);
    for (i, &code) in crowd.tiering.codes.iter().enumerate() {
        customers[usize::from(code)] += 1;
        reachable[usize::from(code)] += u64::from(!crowd.opted_out.is_some_and(|of| of[i]));
    }
    (customers, reachable)
}

/// Every claim against the tier's share of spend so far and of the revenue to come.
fn claims(set: &StrategySet, crowd: &Crowd<'_, '_>, comparison: &Comparison) -> Vec<ClaimCheck> {
    let spend: f64 = crowd.tiering.tiers.iter().map(|tier| tier.spend).sum();
    let revenue = |tier| comparison.find(0, tier, Metric::Revenue).map_or(f64::NAN, |row| row.estimate.value);
    // New customers are no part of what is claimed about those who are there.
    let tiers = crowd.tiering.tiers.len();
    let all: f64 = (0..tiers).map(|k| revenue(Some(k))).sum();
    set.claims
        .iter()
        .map(|claim| {
            let share = crowd.tiering.tiers[claim.tier].spend / spend;
            ClaimCheck::new(
                (claim.name.clone(), set.tiers[claim.tier].clone()),
                (claim.lift, claim.sales),
                share,
                revenue(Some(claim.tier)) / all,
            )
        })
        .collect()
}
