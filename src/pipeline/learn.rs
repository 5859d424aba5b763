//! A contact table and a table of customers → what the action does in each tier.

mod read;
mod responses;

pub use read::{ContactColumns, Joined};
pub use responses::{ResponseOptions, responses_toml};

use serde::Serialize;

use super::tiers::{TierRequest, schemes_over};
use crate::calendar::Day;
use crate::customers::WholeFile;
use crate::error::{Error, Result};
use crate::learn::{
    Balance, Effect, Policy, PolicyValue, Power, Shrunk, Trial, balance, effects, power, shrink, value_of,
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

/// What is wanted.
#[derive(Debug)]
pub struct LearnRequest<'a> {
    /// The scheme by which customers are put into tiers, as they were before the contact: one.
    pub tiers: TierRequest<'a>,
    /// Which columns of the contact table say what.
    pub columns: ContactColumns,
    /// Columns of the customers' table that are adjusted for; those of RFM unless given.
    pub covariates: Vec<String>,
    /// Whether a table that is no lottery is taken nevertheless.
    pub observational: bool,
    /// The lift that the next test is to find.
    pub lift: f64,
    /// Policies to value.
    pub policies: &'a [AskedPolicy],
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
    /// What was adjusted for: ln(1 + the column).
    pub covariates: Vec<String>,
    /// Whether the probabilities of treatment were known.
    pub known_probabilities: bool,
    /// Whether the arms are too different for a lottery, and were taken nevertheless.
    pub observational: bool,
    /// Whether the arms are alike, by action.
    pub balance: Vec<Balance>,
    /// By action and tier.
    pub effects: Vec<Effect>,
    /// Lifts drawn towards those of the other tiers.
    pub shrunk: Vec<Shrunk>,
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
/// be learned ([`Trial::checked`]); arms that are too different for a lottery, unless that is accepted; a policy that names no tier or
/// action, or that the trial has not tried.
pub fn learn(
    contacts: &WholeFile,
    customers: &WholeFile,
    request: &LearnRequest<'_>,
    progress: &dyn Progress,
) -> Result<Learned> {
    let ids = customers.ids()?;
    let (date, mut graded) = schemes_over(customers, &request.tiers, &ids, progress, |over, scheme| {
        (scheme.key.clone(), over.graded.tiering.names(), over.automatic.clone())
    })?;
    let (scheme, tiers, codes) =
        graded.pop().ok_or_else(|| Error::internal("learning", "there is no scheme"))?;
    progress.phase("joining contacts", 0);
    let read::Read { trial, joined, outcome, covariates, warnings } =
        read::trial(contacts, customers, &ids, (&tiers, &codes), request)?;
    let balance = balance(&trial);
    let doubtful = balance.iter().find(|balance| balance.is_doubtful());
    if let (Some(found), false) = (doubtful, request.observational) {
        return Err(not_random(contacts, found));
    }
    progress.phase("estimating effects", 0);
    let effects = effects(&trial);
    let policies = request.policies.iter().map(|asked| value_of(&trial, &policy(&trial, asked)?));
    Ok(Learned {
        scheme,
        date,
        joined,
        control: trial.arms[0].clone(),
        outcome,
        covariates,
        known_probabilities: trial.probability.is_some(),
        observational: doubtful.is_some(),
        shrunk: shrink(&effects),
        power: power(&effects, request.lift),
        policies: policies.collect::<Result<_>>()?,
        effects,
        balance,
        tiers,
        warnings,
    })
}

fn not_random(contacts: &WholeFile, found: &Balance) -> Error {
    let mut worst: Vec<_> = found.differences.iter().collect();
    worst.sort_by(|a, b| b.standardised.abs().total_cmp(&a.standardised.abs()));
    let listed: Vec<String> =
        worst.iter().take(3).map(|d| format!("{} by {:+.2}", d.name, d.standardised)).collect();
    let counted = found.expected_treated.map_or(String::new(), |expected| {
        format!("; {} were treated where the probabilities make {expected:.0}", found.treated)
    });
    Error::Document {
        file: contacts.path().display().to_string(),
        problem: format!(
            "\"{}\" was not given by lot: its customers differ from the others before it, in standard deviations {} (χ² {:.1} with {} \
             degrees of freedom, p = {:.1e}){counted}",
            found.action,
            listed.join(", "),
            found.chi_square,
            found.degrees,
            found.p_value
        ),
        remedy: "name the probability of treatment (--probability) if it differed between customers; with --observational effects are \
                 estimated nevertheless, and are as good as the columns adjusted for"
            .into(),
    }
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
    let mut arm = vec![0; trial.tiers.len()];
    for (tier, action) in &asked.gives {
        arm[find("a tier", tier, &trial.tiers)?] = find("an action", action, &trial.arms)? as u8;
    }
    Ok(Policy { name: asked.name.clone(), arm })
}
