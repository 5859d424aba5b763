//! A contact table and a table of customers → what the action does in each tier.

mod arms;
mod columns;
mod read;
mod responses;
mod warnings;

pub use read::{ContactColumns, Joined, WithoutOutcome};
pub use responses::{ResponseOptions, responses_toml};

use serde::Serialize;

use super::tiers::{TierRequest, schemes_over, stated_times};
use crate::calendar::Day;
use crate::customers::WholeFile;
use crate::error::{Error, Result};
use crate::learn::{
    Balance, Effect, Halved, Policy, PolicyValue, Power, Shrunk, Trial, balance, effects, halved, power,
    shrink, value_of,
};
use crate::progress::Progress;

/// A policy as it is asked for: which tier gets what, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedPolicy {
    /// Its name.
    pub name: String,
    /// (tier, action); tiers that are not named get the control.
    pub gives: Vec<(String, String)>,
}

/// What somebody says of how customers came into the arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Nothing.
    Nothing,
    /// By lot.
    ByLot,
    /// Not by lot, or nobody knows: a table that no lottery would make is taken too.
    Observational,
}

/// What it rests on that the arms are comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The table says the probabilities of treatment, and what was known before does not contradict them.
    Probabilities,
    /// It was said that it was by lot, and what was known before does not contradict it.
    SaidByLot,
    /// What was known before is alike; nobody says that it was by lot.
    AlikeBefore,
    /// Nothing but the columns that are adjusted for.
    Observational,
}

impl Basis {
    /// Whether it is an experiment. Arms that are alike are none yet: a test of few customers finds few differences, and none in
    /// what is not in the table.
    pub fn is_experiment(self) -> bool {
        matches!(self, Basis::Probabilities | Basis::SaidByLot)
    }
}

/// What is wanted.
#[derive(Debug)]
pub struct LearnRequest<'a> {
    /// The scheme by which customers are put into tiers, as they were before the contact: one.
    pub tiers: TierRequest<'a>,
    /// Which columns of the contact table say what.
    pub columns: ContactColumns,
    /// Columns of the customers' table that are adjusted for; those of RFM unless given.
    pub covariates: Vec<String>,
    /// What is said of how customers came into the arms.
    pub said: Said,
    /// The lift that the next test is to find.
    pub lift: f64,
    /// The seed by which customers come into halves.
    pub seed: u64,
    /// Policies to value.
    pub policies: &'a [AskedPolicy],
}

/// Customers whose outcome is no count of orders, by what is wrong with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct NoCount {
    /// Below 0.
    pub negative: u64,
    /// From 0 on, and no whole number.
    pub not_whole: u64,
}

impl NoCount {
    fn of(outcomes: &[f64]) -> NoCount {
        let count =
            |is_such: fn(f64) -> bool| outcomes.iter().filter(|&&value| is_such(value)).count() as u64;
        NoCount {
            negative: count(|value| value < 0.0),
            not_whole: count(|value| value >= 0.0 && value.fract() != 0.0),
        }
    }
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learned {
    /// The scheme of the tiers.
    pub scheme: String,
    /// The day up to which customers were known.
    pub date: Day,
    /// What became of the rows of the contact table.
    pub joined: Joined,
    /// The control group.
    pub control: String,
    /// The outcome.
    pub outcome: String,
    /// Customers of whom it cannot be a count.
    pub no_count: NoCount,
    /// What was adjusted for: sign(x)·ln(1 + |x|) of the columns, and where values are missing, whether they are.
    pub covariates: Vec<String>,
    /// Whether the probabilities of treatment were known.
    pub known_probabilities: bool,
    /// What it rests on that the arms are comparable.
    pub basis: Basis,
    /// Whether the arms are too different for a lottery, and were taken nevertheless.
    pub doubtful: bool,
    /// Whether the arms are alike, by action.
    pub balance: Vec<Balance>,
    /// By action and tier.
    pub effects: Vec<Effect>,
    /// Lifts drawn towards those of the other tiers.
    pub shrunk: Vec<Shrunk>,
    /// Lifts on two halves of the customers.
    pub halves: Vec<Halved>,
    /// The seed by which they came into halves.
    pub seed: u64,
    /// What a next test needs.
    pub power: Vec<Power>,
    /// What policies would have been worth.
    pub policies: Vec<PolicyValue>,
    /// The tiers, best first.
    pub tiers: Vec<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// Learns from `contacts` what its actions do to the customers of `customers`, tier by tier.
///
/// # Errors
/// Those of the files and of the scheme; columns that are not there; contacts of nobody who is in a tier; a trial of which nothing can
/// be learned ([`Trial::checked`]); arms that are too different for a lottery, or of which nothing can be told, unless that is accepted; a
/// policy that names no tier or action, a tier twice, or what the trial has not tried.
pub fn learn(
    contacts: &WholeFile,
    customers: &WholeFile,
    request: &LearnRequest<'_>,
    progress: &dyn Progress,
) -> Result<Learned> {
    stated_times(customers, request.tiers.unit, request.tiers.date)?;
    let ids = customers.ids()?;
    let (date, mut graded) = schemes_over(customers, &request.tiers, &ids, progress, |over, scheme| {
        (scheme.key.clone(), over.graded.tiering.names(), over.automatic.clone())
    })?;
    let (scheme, tiers, codes) =
        graded.pop().ok_or_else(|| Error::internal("learning", "there is no scheme"))?;
    progress.phase("joining contacts", 0);
    let read::Read { trial, joined, covariates, mut warnings } =
        read::trial(contacts, customers, &ids, (&tiers, &codes), request)?;
    let balance = balance(&trial);
    let doubtful = balance.iter().find(|balance| balance.is_doubtful());
    let basis = match request.said {
        Said::Observational => Basis::Observational,
        _ if doubtful.is_some() => {
            return Err(not_random(contacts, doubtful, request.columns.probability.as_deref()));
        }
        _ if trial.probability.is_some() => Basis::Probabilities,
        Said::ByLot => Basis::SaidByLot,
        Said::Nothing => match balance.iter().find(|balance| balance.degrees == 0) {
            Some(found) => return Err(untold(contacts, found)),
            None => Basis::AlikeBefore,
        },
    };
    progress.phase("estimating effects", 0);
    let effects = effects(&trial, basis != Basis::Observational);
    warnings.extend(warnings::of(&balance, &effects, basis, doubtful.is_some()));
    let policies = request.policies.iter().map(|asked| value_of(&trial, &policy(&trial, asked)?));
    Ok(Learned {
        scheme,
        date,
        joined,
        control: trial.arms[0].clone(),
        outcome: request.columns.outcome.clone(),
        no_count: NoCount::of(&trial.outcome),
        covariates,
        known_probabilities: trial.probability.is_some(),
        basis,
        doubtful: doubtful.is_some(),
        shrunk: shrink(&effects),
        halves: halved(&trial, request.seed, basis != Basis::Observational),
        seed: request.seed,
        power: power(&effects, request.lift),
        policies: policies.collect::<Result<_>>()?,
        effects,
        balance,
        tiers,
        warnings,
    })
}

/// Nothing says that it was by lot, and nothing can be held against it.
fn untold(contacts: &WholeFile, found: &Balance) -> Error {
    let skipped = match &found.skipped[..] {
        [] => String::new(),
        skipped => format!(", and in {} everybody or nobody was treated", skipped.join(", ")),
    };
    let problem = format!(
        "nothing says whether \"{}\" was given by lot: there are no probabilities and no columns of before that could be compared{skipped}",
        found.action
    );
    let remedy = "name the probability of treatment (--probability) or what was known before (--covariate); say --randomised if it was by \
                  lot, or --observational if it was not";
    columns::document(contacts, problem, remedy)
}

/// `probability` is the column that says how likely each customer was to be treated.
fn not_random(contacts: &WholeFile, found: Option<&Balance>, probability: Option<&str>) -> Error {
    let Some(found) = found else { return Error::internal("holding arms against a lottery", "no action") };
    let mut worst: Vec<_> = found.differences.iter().collect();
    worst.sort_by(|a, b| b.standardised.abs().total_cmp(&a.standardised.abs()));
    let listed: Vec<String> =
        worst.iter().take(3).map(|d| format!("{} by {:+.2}", d.name, d.standardised)).collect();
    let counted = found.expected_treated.map_or(String::new(), |expected| {
        format!("{} were treated where the probabilities make {expected:.0}", found.treated)
    });
    let differ = match &listed[..] {
        [] => String::new(),
        listed => format!(
            "its customers differ from the others before it, in standard deviations {} (χ² {:.1} with {} degrees of freedom, p = {:.1e})",
            listed.join(", "),
            found.chi_square,
            found.degrees,
            found.p_value
        ),
    };
    let parts: Vec<String> = [differ, counted].into_iter().filter(|part| !part.is_empty()).collect();
    let problem = format!("\"{}\" was not given by lot: {}", found.action, parts.join("; "));
    let nevertheless = "with --observational effects are estimated nevertheless, and are as good as the columns adjusted for";
    let remedy = match probability {
        None => format!(
            "name the probability of treatment (--probability) if it differed between customers; {nevertheless}"
        ),
        Some(name) => format!(
            "check the column \"{name}\": it has to hold the probability with which each customer was to be treated, in the tables \
             as they were then; leave --probability out where it is not known: {nevertheless}"
        ),
    };
    columns::document(contacts, problem, &remedy)
}

fn policy(trial: &Trial, asked: &AskedPolicy) -> Result<Policy> {
    let find = |what: &str, name: &str, known: &[String]| {
        known.iter().position(|own| own == name).ok_or_else(|| {
            let near = crate::error::nearest_first(name, known);
            let remedy = format!(
                "did you mean \"{}\"? There are: {}",
                near.first().map_or("", String::as_str),
                known.join(", ")
            );
            Error::value(
                format!("{what} of policy \"{}\"", asked.name),
                name,
                "there is none of that name",
                remedy,
            )
        })
    };
    let mut arm = vec![None; trial.tiers.len()];
    for (tier, action) in &asked.gives {
        let place = &mut arm[find("a tier", tier, &trial.tiers)?];
        if place.is_some() {
            let what = format!("a tier of policy \"{}\"", asked.name);
            return Err(Error::value(what, tier, "it is named twice", "name each tier once"));
        }
        *place = Some(find("an action", action, &trial.arms)? as u8);
    }
    Ok(Policy { name: asked.name.clone(), arm: arm.into_iter().map(|arm| arm.unwrap_or(0)).collect() })
}
