//! The trial that a contact table and a table of customers make together.

use std::collections::HashMap;

use serde::Serialize;

use super::LearnRequest;
use crate::customers::table::Plain;
use crate::customers::{Ids, WholeFile};
use crate::error::{Error, Result, nearest_first};
use crate::learn::{Covariate, Trial};

/// What is known of customers before a contact, unless columns are named.
const RFM: [&str; 4] = ["days_since_last", "frequency", "T", "total_spend"];

/// Unknown customers whose ids are listed.
const LISTED: usize = 5;

/// Which columns of a contact table say what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactColumns {
    /// What is counted.
    pub outcome: String,
    /// Whether a customer was treated; `treated`, if there is one, unless given.
    pub treated: Option<String>,
    /// What it got; `action`, if there is one, unless given.
    pub action: Option<String>,
    /// What the control group got, where only the action says it; "none" or "control" unless given.
    pub control: Option<String>,
    /// The probability with which it was treated.
    pub probability: Option<String>,
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
    /// Rows without an outcome, an action or a probability.
    pub incomplete: u64,
}

pub(super) struct Read {
    pub(super) trial: Trial,
    pub(super) joined: Joined,
    pub(super) outcome: String,
    pub(super) covariates: Vec<String>,
    pub(super) warnings: Vec<String>,
}

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
    let probability = request
        .columns
        .probability
        .as_ref()
        .map(|name| numbers(contacts, name, "probability"))
        .transpose()?;
    let (known, covariates) = covariates(customers, &request.covariates)?;
    let place: HashMap<String, usize> = (0..ids.len()).map(|row| (ids.text(row), row)).collect();
    let who = contacts.ids()?;
    let mut joined = Joined {
        rows: who.len() as u64,
        used: 0,
        unknown: 0,
        unknown_ids: Vec::new(),
        without_tier: 0,
        incomplete: 0,
    };
    // By customer in the order of the ids' hashes, so that the order of rows does not show in sums.
    let mut rows: Vec<(u64, usize, usize)> = Vec::new();
    for row in 0..who.len() {
        let id = who.text(row);
        let Some(&at) = place.get(&id) else {
            joined.unknown += 1;
            if joined.unknown_ids.len() < LISTED {
                joined.unknown_ids.push(id);
            }
            continue;
        };
        let incomplete = outcome[row].is_nan()
            || arms.codes[row].is_none()
            || probability.as_ref().is_some_and(|p| p[row].is_nan());
        match (incomplete, usize::from(codes[at]) < tiers.len()) {
            (true, _) => joined.incomplete += 1,
            (_, false) => joined.without_tier += 1,
            _ => rows.push((ids.hash(at), row, at)),
        }
    }
    joined.used = rows.len() as u64;
    if rows.is_empty() {
        return Err(Error::Document {
            file: contacts.path().display().to_string(),
            problem: format!(
                "of its {} rows none is of a customer with a tier in {}: {} are not in it, {} have no tier, {} are incomplete",
                joined.rows,
                customers.path().display(),
                joined.unknown,
                joined.without_tier,
                joined.incomplete
            ),
            remedy: "give the table of those customers as they were before the contact; --id and --contact-id say which columns are \
                     the ids"
                .into(),
        });
    }
    rows.sort_unstable();
    let of_contact = |values: &[f64]| rows.iter().map(|&(_, row, _)| values[row]).collect::<Vec<f64>>();
    let of_customer = |values: &[f64]| rows.iter().map(|&(.., at)| values[at]).collect::<Vec<f64>>();
    let trial = Trial {
        hash: rows.iter().map(|&(hash, ..)| hash).collect(),
        tier: rows.iter().map(|&(.., at)| codes[at]).collect(),
        tiers: tiers.to_vec(),
        arm: rows.iter().map(|&(_, row, _)| arms.codes[row].unwrap_or(0)).collect(),
        arms: arms.names,
        outcome: of_contact(&outcome),
        probability: probability.as_ref().map(|p| of_contact(p)),
        covariates: known
            .iter()
            .zip(&covariates)
            .map(|(values, name)| Covariate { name: name.clone(), values: standardised(of_customer(values)) })
            .collect(),
    };
    let mut warnings = Vec::new();
    if joined.unknown > 0 {
        let more = if joined.unknown as usize > LISTED { ", …" } else { "" };
        warnings.push(format!(
            "{} contacts are of customers who are not in {} ({}{more}): they are left out",
            joined.unknown,
            customers.path().display(),
            joined.unknown_ids.join(", ")
        ));
    }
    if joined.without_tier > 0 {
        warnings
            .push(format!("{} contacts are of rows without a tier, and are left out", joined.without_tier));
    }
    if joined.incomplete > 0 {
        warnings.push(format!(
            "{} contacts have no outcome, action or probability, and are left out",
            joined.incomplete
        ));
    }
    Ok(Read {
        trial: trial.checked()?,
        joined,
        outcome: request.columns.outcome.clone(),
        covariates,
        warnings,
    })
}

/// Who got what.
struct Arms {
    /// The control first, the others by name.
    names: Vec<String>,
    codes: Vec<Option<u8>>,
}

impl Arms {
    fn read(contacts: &WholeFile, columns: &ContactColumns) -> Result<Arms> {
        let has = |name: &str| contacts.columns().iter().any(|own| own == name);
        let or = |given: &Option<String>, usual: &str| {
            given.clone().or_else(|| has(usual).then(|| usual.to_string()))
        };
        let treated = or(&columns.treated, "treated").map(|name| truths(contacts, &name)).transpose()?;
        let action = or(&columns.action, "action").map(|name| texts(contacts, &name)).transpose()?;
        let n = contacts.rows();
        let usual = |name: &str| {
            columns.control.as_deref().map_or(matches!(name, "none" | "control"), |own| own == name)
        };
        let labels: Vec<Option<String>> = match (treated, action) {
            (Some(treated), action) => (0..n)
                .map(|row| match treated[row]? {
                    false => Some(String::new()),
                    true => match &action {
                        Some(action) => action[row].clone(),
                        None => Some("treated".to_string()),
                    },
                })
                .collect(),
            (None, Some(action)) => action
                .into_iter()
                .map(|name| name.map(|name| if usual(&name) { String::new() } else { name }))
                .collect(),
            (None, None) => {
                return Err(Error::ColumnNotFound {
                    path: contacts.path().to_path_buf(),
                    role: "treated",
                    wanted: None,
                    columns: nearest_first("treated", &contacts.columns()),
                });
            }
        };
        let mut actions: Vec<String> =
            labels.iter().flatten().filter(|name| !name.is_empty()).cloned().collect();
        actions.sort_unstable();
        actions.dedup();
        let control = columns.control.clone().unwrap_or_else(|| "none".to_string());
        if !labels.iter().flatten().any(String::is_empty) {
            let problem = format!("{} has nobody who got it", contacts.path().display());
            let remedy = format!(
                "say with --control what the control group got; there are: {}",
                actions.iter().take(10).cloned().collect::<Vec<_>>().join(", ")
            );
            return Err(Error::value("the control group", control, problem, remedy));
        }
        if actions.len() > 100 {
            let remedy = "name the column of the action, which has a few values";
            return Err(Error::value("the actions", actions.len(), "they are too many", remedy));
        }
        let names: Vec<String> = std::iter::once(control).chain(actions).collect();
        let code = |name: &Option<String>| {
            let name = name.as_ref()?;
            let at = if name.is_empty() { 0 } else { names[1..].binary_search(name).ok()? + 1 };
            Some(at as u8)
        };
        Ok(Arms { codes: labels.iter().map(code).collect(), names })
    }
}

fn plain(file: &WholeFile, name: &str, role: &'static str) -> Result<Plain> {
    let values = file.column(name, None)?.ok_or_else(|| Error::ColumnNotFound {
        path: file.path().to_path_buf(),
        role,
        wanted: Some(name.to_string()),
        columns: nearest_first(name, &file.columns()),
    })?;
    values.plain(name)
}

fn wrong_type(file: &WholeFile, name: &str, role: &'static str, expected: &'static str) -> Error {
    Error::ColumnType {
        path: file.path().to_path_buf(),
        role,
        column: name.to_string(),
        found: "something else".into(),
        expected,
    }
}

/// Numbers; yes and no count as 1 and 0.
fn numbers(file: &WholeFile, name: &str, role: &'static str) -> Result<Vec<f64>> {
    match plain(file, name, role)? {
        Plain::Numbers(values) => Ok(values),
        Plain::Truths(values) => Ok(values
            .into_iter()
            .map(|value| value.map_or(f64::NAN, |yes| f64::from(u8::from(yes))))
            .collect()),
        _ => Err(wrong_type(file, name, role, "numbers, or true and false")),
    }
}

fn truths(file: &WholeFile, name: &str) -> Result<Vec<Option<bool>>> {
    match plain(file, name, "treated")? {
        Plain::Truths(values) => Ok(values),
        Plain::Numbers(values) => {
            if let Some(value) =
                values.iter().find(|value| !(value.is_nan() || **value == 0.0 || **value == 1.0))
            {
                let what = format!("\"{name}\" in {}", file.path().display());
                return Err(Error::value(what, value, "treated is 1, untreated 0", "name another column"));
            }
            Ok(values.into_iter().map(|value| (!value.is_nan()).then_some(value == 1.0)).collect())
        }
        _ => Err(wrong_type(file, name, "treated", "true and false, or 1 and 0")),
    }
}

fn texts(file: &WholeFile, name: &str) -> Result<Vec<Option<String>>> {
    match plain(file, name, "action")? {
        Plain::Texts { codes, names } => {
            Ok(codes.iter().map(|&code| names.get(code as usize).cloned()).collect())
        }
        _ => Err(wrong_type(file, name, "action", "texts")),
    }
}

/// ln(1 + x) of the columns, nothing and what is below 0 as 0.
fn covariates(customers: &WholeFile, named: &[String]) -> Result<(Vec<Vec<f64>>, Vec<String>)> {
    let columns = customers.columns();
    let names: Vec<String> = match named {
        [] => RFM
            .iter()
            .filter(|name| columns.iter().any(|own| own == *name))
            .map(|name| name.to_string())
            .collect(),
        named => named.to_vec(),
    };
    let mut out = Vec::new();
    for name in &names {
        let mut values = numbers(customers, name, "covariate")?;
        values.iter_mut().for_each(|value| *value = if *value > 0.0 { value.ln_1p() } else { 0.0 });
        out.push(values);
    }
    Ok((out, names))
}

/// Mean 0 and deviation 1; all 0 where nothing varies.
fn standardised(mut values: Vec<f64>) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
    values.iter_mut().for_each(|value| *value = (*value - mean) * scale);
    values
}
