//! The trial that a contact table and a table of customers make together.

use std::collections::HashMap;

use serde::Serialize;

use super::LearnRequest;
use super::arms::Arms;
use super::columns::{adjusted, covariates, document, numbers};
use crate::customers::{Ids, WholeFile};
use crate::error::Result;
use crate::learn::{Covariate, Trial};
use crate::special::chi_square_tail;

/// Unknown customers whose ids are listed.
const LISTED: usize = 5;

/// Which columns of a contact table say what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactColumns {
    /// What is counted.
    pub outcome: String,
    /// Whether no outcome means that there was none, 0; else such rows are left out.
    pub missing_is_zero: bool,
    /// Whether a customer was treated; `treated`, if there is one, unless given.
    pub treated: Option<String>,
    /// What it got; `action`, if there is one, unless given.
    pub action: Option<String>,
    /// What the control group got, where only the action says it; "none" or "control" unless given.
    pub control: Option<String>,
    /// The probability with which it was treated.
    pub probability: Option<String>,
}

/// Rows of an arm without an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithoutOutcome {
    /// The arm.
    pub arm: String,
    /// Its rows of customers with a tier.
    pub rows: u64,
    /// Of them, without an outcome.
    pub without: u64,
}

/// What became of the rows of a contact table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// Rows.
    pub rows: u64,
    /// Customers of the trial.
    pub used: u64,
    /// Rows of customers who are not in the table.
    pub unknown: u64,
    /// The first of them.
    pub unknown_ids: Vec<String>,
    /// Rows of customers without a tier: prospects.
    pub without_tier: u64,
    /// Rows of which it is not known what the customer got, or with which probability.
    pub incomplete: u64,
    /// Of them, those whose action is a blank text.
    pub blank_actions: u64,
    /// Rows without an outcome, by arm.
    pub without_outcome: Vec<WithoutOutcome>,
    /// Whether those rows count as an outcome of 0; else they are left out.
    pub missing_is_zero: bool,
}

pub(super) struct Read {
    pub(super) trial: Trial,
    pub(super) joined: Joined,
    pub(super) covariates: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// A contact of the trial, by the hash of its customer's id: the order of rows must not show in sums.
type Row = (u64, usize, usize);

/// Joins the two tables.
pub(super) fn trial(
    contacts: &WholeFile,
    customers: &WholeFile,
    ids: &Ids,
    (tiers, codes): (&[String], &[u8]),
    request: &LearnRequest<'_>,
) -> Result<Read> {
    let arms = Arms::read(contacts, &request.columns)?;
    let outcome = numbers(contacts, &request.columns.outcome, "outcome")?;
    let name = request.columns.probability.as_ref();
    let probability = name.map(|name| numbers(contacts, name, "probability")).transpose()?;
    let known = covariates(customers, &request.covariates)?;
    let who = contacts.ids()?;
    let places = places(&who, ids);
    let without = |name: &String| WithoutOutcome { arm: name.clone(), rows: 0, without: 0 };
    let mut joined = Joined {
        rows: who.len() as u64,
        used: 0,
        unknown: 0,
        unknown_ids: Vec::new(),
        without_tier: 0,
        incomplete: 0,
        blank_actions: 0,
        without_outcome: arms.names.iter().map(without).collect(),
        missing_is_zero: request.columns.missing_is_zero,
    };
    let mut rows: Vec<Row> = Vec::new();
    for (row, at) in places.into_iter().enumerate() {
        let Some(at) = at else {
            joined.unknown += 1;
            if joined.unknown_ids.len() < LISTED {
                joined.unknown_ids.push(who.text(row));
            }
            continue;
        };
        let without_probability = probability.as_ref().is_some_and(|p| p[row].is_nan());
        let arm = match arms.codes[row] {
            Some(arm) if !without_probability => arm,
            _ => {
                joined.incomplete += 1;
                joined.blank_actions += u64::from(arms.blank[row]);
                continue;
            }
        };
        if usize::from(codes[at]) >= tiers.len() {
            joined.without_tier += 1;
            continue;
        }
        let of_arm = &mut joined.without_outcome[usize::from(arm)];
        of_arm.rows += 1;
        of_arm.without += u64::from(outcome[row].is_nan());
        if !outcome[row].is_nan() || joined.missing_is_zero {
            rows.push((ids.hash(at), row, at));
        }
    }
    joined.used = rows.len() as u64;
    rows.sort_unstable();
    let outcomes: Vec<f64> =
        rows.iter().map(|&(_, row, _)| if outcome[row].is_nan() { 0.0 } else { outcome[row] }).collect();
    let said = probability.as_ref().map(|p| rows.iter().map(|&(_, row, _)| p[row]).collect::<Vec<f64>>());
    let checked = Checked { contacts, customers, who: &who, rows: &rows, request };
    checked.some(&joined)?;
    checked.outcomes(&outcomes)?;
    checked.probabilities(said.as_deref(), &arms.names)?;
    let mut warnings = counts(&joined, customers);
    let mut adjusted_for = Vec::new();
    for (name, values) in known {
        let values: Vec<f64> = rows.iter().map(|&(.., at)| values[at]).collect();
        checked.covariate(&name, &values)?;
        let (values, missing) = adjusted(values);
        adjusted_for.push(Covariate { name: name.clone(), values });
        if let Some((values, count)) = missing {
            warnings.push(format!(
                "\"{name}\" in {} is missing for {count} customers of the trial: they have the mean of the others, and that it is missing \
                 is adjusted for too",
                customers.path().display()
            ));
            adjusted_for.push(Covariate { name: format!("{name} is missing"), values });
        }
    }
    let arm: Vec<u8> = rows.iter().map(|&(_, row, _)| arms.codes[row].unwrap_or(0)).collect();
    checked.arms(&arm, &arms.names)?;
    let trial = Trial {
        hash: rows.iter().map(|&(hash, ..)| hash).collect(),
        tier: rows.iter().map(|&(.., at)| codes[at]).collect(),
        tiers: tiers.to_vec(),
        arm,
        arms: arms.names,
        outcome: outcomes,
        probability: said,
        covariates: adjusted_for,
    };
    let covariates = trial.covariates.iter().map(|covariate| covariate.name.clone()).collect();
    Ok(Read { trial: trial.checked()?, joined, covariates, warnings })
}

/// The customer of every contact. Contacts are indexed, which are few, and customers pass by.
fn places(who: &Ids, ids: &Ids) -> Vec<Option<usize>> {
    let index: HashMap<String, usize> = (0..who.len()).map(|row| (who.text(row), row)).collect();
    let mut out = vec![None; who.len()];
    for at in 0..ids.len() {
        if let Some(&row) = index.get(&ids.text(at)) {
            out[row] = Some(at);
        }
    }
    out
}

/// Checks whose errors name the file, the column and the customer.
struct Checked<'a> {
    contacts: &'a WholeFile,
    customers: &'a WholeFile,
    who: &'a Ids,
    rows: &'a [Row],
    request: &'a LearnRequest<'a>,
}

impl Checked<'_> {
    fn customer(&self, k: usize) -> String {
        self.who.text(self.rows[k].1)
    }

    fn some(&self, joined: &Joined) -> Result<()> {
        if joined.used > 0 {
            return Ok(());
        }
        let without: u64 = joined.without_outcome.iter().map(|arm| arm.without).sum();
        let problem = format!(
            "of its {} rows none is of a customer with a tier in {}: {} are not in it, {} have no tier, {} are incomplete, {without} have \
             no outcome",
            joined.rows,
            self.customers.path().display(),
            joined.unknown,
            joined.without_tier,
            joined.incomplete
        );
        let remedy = "give the table of those customers as they were before the contact; --id and --contact-id say which columns are \
                      the ids";
        Err(document(self.contacts, problem, remedy))
    }

    fn outcomes(&self, outcomes: &[f64]) -> Result<()> {
        let column = &self.request.columns.outcome;
        if let Some(k) = outcomes.iter().position(|value| !value.is_finite()) {
            let problem = format!(
                "the outcome \"{column}\" of customer {} is {}: no finite number",
                self.customer(k),
                outcomes[k]
            );
            return Err(document(self.contacts, problem, "mend the row or leave it out"));
        }
        if outcomes.iter().all(|value| *value == outcomes[0]) {
            let problem = format!(
                "the outcome \"{column}\" is the same for everybody, {}: nothing can be learned from it",
                outcomes[0]
            );
            return Err(document(self.contacts, problem, "name another column with --outcome"));
        }
        Ok(())
    }

    fn probabilities(&self, said: Option<&[f64]>, arms: &[String]) -> Result<()> {
        let (Some(said), Some(column)) = (said, &self.request.columns.probability) else { return Ok(()) };
        if arms.len() > 2 {
            let problem = format!(
                "with several actions ({}) the probability \"{column}\" does not say which it is of",
                arms[1..].join(", ")
            );
            let remedy = "give one table for each action, or leave the probability out";
            return Err(document(self.contacts, problem, remedy));
        }
        if let Some(k) = said.iter().position(|p| !(*p > 0.0 && *p < 1.0)) {
            let problem = format!(
                "the probability \"{column}\" of customer {} is {}, not between 0 and 1: who is always or never treated says nothing of \
                 the difference",
                self.customer(k),
                said[k]
            );
            return Err(document(self.contacts, problem, "leave such customers out"));
        }
        Ok(())
    }

    fn covariate(&self, name: &str, values: &[f64]) -> Result<()> {
        match values.iter().position(|value| value.is_infinite()) {
            Some(k) => {
                let problem =
                    format!("\"{name}\" of customer {} is {}: no finite number", self.customer(k), values[k]);
                Err(document(self.customers, problem, "mend it, or name other columns with --covariate"))
            }
            None => Ok(()),
        }
    }

    fn arms(&self, arm: &[u8], names: &[String]) -> Result<()> {
        let empty = names.iter().enumerate().find(|(k, _)| !arm.iter().any(|&arm| usize::from(arm) == *k));
        if let Some((k, name)) = empty {
            let what = if k == 0 { "the control group" } else { "the action" };
            let problem = format!(
                "of {what} \"{name}\" no row is left once those without a customer, a tier or an outcome are out"
            );
            let remedy = "give the table of those customers as they were before the contact, or leave the action's rows out";
            return Err(document(self.contacts, problem, remedy));
        }
        if names.len() < 2 {
            let problem = "nobody was treated: nothing can be compared".to_string();
            return Err(document(
                self.contacts,
                problem,
                "give a table with treated and untreated customers",
            ));
        }
        Ok(())
    }
}

/// What was left out, in words.
fn counts(joined: &Joined, customers: &WholeFile) -> Vec<String> {
    let mut out = Vec::new();
    if joined.unknown > 0 {
        let more = if joined.unknown as usize > LISTED { ", …" } else { "" };
        out.push(format!(
            "{} contacts are of customers who are not in {} ({}{more}): they are left out",
            joined.unknown,
            customers.path().display(),
            joined.unknown_ids.join(", ")
        ));
    }
    if joined.without_tier > 0 {
        out.push(format!("{} contacts are of rows without a tier, and are left out", joined.without_tier));
    }
    if joined.incomplete > 0 {
        let blank = match joined.blank_actions {
            0 => String::new(),
            blank => format!(" (the action of {blank} is blank)"),
        };
        out.push(format!(
            "of {} contacts it is not known what they got, or with which probability{blank}: they are left out",
            joined.incomplete
        ));
    }
    if joined.without_outcome.iter().any(|arm| arm.without > 0) {
        let of_arm = |arm: &WithoutOutcome| format!("{} of {} \"{}\"", arm.without, arm.rows, arm.arm);
        let listed: Vec<String> = joined.without_outcome.iter().map(of_arm).collect();
        let done = if joined.missing_is_zero {
            "they count as 0"
        } else {
            "they are left out (--missing-outcome zero takes them for 0)"
        };
        let differ = if differ(&joined.without_outcome) {
            "; more so in some arms than in others: what the action does may be mixed up with whose outcome is known"
        } else {
            ""
        };
        out.push(format!("contacts without an outcome: {}; {done}{differ}", listed.join(", ")));
    }
    out
}

/// Whether shares of the arms differ by more than chance would have it in one of twenty tables (Pearson's χ²).
fn differ(arms: &[WithoutOutcome]) -> bool {
    let (rows, without) =
        arms.iter().fold((0, 0), |(rows, without), arm| (rows + arm.rows, without + arm.without));
    let share = without as f64 / rows as f64;
    if !(share > 0.0 && share < 1.0) {
        return false;
    }
    let arms: Vec<&WithoutOutcome> = arms.iter().filter(|arm| arm.rows > 0).collect();
    let of_arm = |arm: &&WithoutOutcome| {
        (arm.without as f64 - share * arm.rows as f64).powi(2) / (arm.rows as f64 * share * (1.0 - share))
    };
    arms.len() > 1 && chi_square_tail(arms.iter().map(of_arm).sum(), (arms.len() - 1) as f64) < 0.05
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_outcomes_are_held_against_the_arms() {
        let arm = |rows: u64, without: u64| WithoutOutcome { arm: String::new(), rows, without };
        // By hand: share 0.1, χ² = 2·25/9 = 5.56, beyond 3.84; then 2·4/9.
        assert!(differ(&[arm(100, 5), arm(100, 15)]));
        assert!(!differ(&[arm(100, 8), arm(100, 12)]));
        assert!(!differ(&[arm(100, 0), arm(100, 0)]) && !differ(&[arm(9, 9), arm(9, 9)]));
    }
}
