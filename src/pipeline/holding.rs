//! Policies of holding on to tiers, over several gradings of the same company: how many moves each saves, and how many
//! customers it leaves in a tier that is no longer theirs.

use serde::Serialize;

use super::movement::{MovementRequest, Side, has, need, of_tiers, one_language, order, side};
use crate::calendar::Day;
use crate::customers::WholeFile;
use crate::customers::table::Plain;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::tier::migration::matched;
use crate::tier::policy::{Cost, Held, Policy};

/// What a policy came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holding {
    /// The policy.
    pub policy: Policy,
    /// Over all gradings but the first.
    pub cost: Cost,
    /// Customers held above the tier of the rules at the last grading.
    pub above_at_last: u64,
    /// Customers held below it.
    pub below_at_last: u64,
    /// What those held above are worth at the last grading, where a value is known.
    pub value_above: Option<f64>,
}

/// Several gradings under several policies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holdings {
    /// The key of the scheme.
    pub scheme: String,
    /// The dates of the gradings, ascending.
    pub dates: Vec<Day>,
    /// The column of value, if there is one.
    pub value: Option<String>,
    /// By policy, as they were asked for.
    pub policies: Vec<Holding>,
}

/// A table that has been followed.
struct Graded {
    side: Side,
    /// By row: the automatic tier.
    codes: Vec<Option<u8>>,
    /// By policy and row: what is held.
    held: Vec<Vec<Option<Held>>>,
}

/// Follows the tables, which are automatic gradings by one scheme, with each policy. A customer who is missing from a table,
/// or has no tier there, begins anew after it.
///
/// # Errors
/// Tables without a date, or not in the order of their dates; else as for [`super::movement()`].
pub fn holdings(
    files: &[WholeFile],
    request: &MovementRequest,
    policies: &[Policy],
    progress: &dyn Progress,
) -> Result<Holdings> {
    policies.iter().try_for_each(Policy::check)?;
    let dates: Vec<Day> = files.iter().map(date_of).collect::<Result<_>>()?;
    if let Some(k) = (1..dates.len()).find(|&k| dates[k] <= dates[k - 1]) {
        return Err(Error::value(
            "the date of a table",
            dates[k],
            format!("{} before it is of {}", files[k - 1].path().display(), dates[k - 1]),
            "give the tables in the order of their dates, each date once",
        ));
    }
    let has_value = |name: &&str| files.iter().all(|file| file.columns().iter().any(|own| own == name));
    let value = request
        .value
        .clone()
        .or_else(|| ["clv", "total_spend"].into_iter().find(has_value).map(String::from));
    if let Some(name) = &request.value {
        files.iter().try_for_each(|file| need(file, name, "--value"))?;
    }
    // What was set by hand is no policy: where both are there, the automatic tiers count.
    let column = |file: &WholeFile| {
        let automatic = format!("automatic_{}", request.scheme);
        if has(file, &automatic) { automatic } else { format!("tier_{}", request.scheme) }
    };
    let mut sides: Vec<Side> =
        files.iter().map(|file| side(file, &column(file), value.as_deref())).collect::<Result<_>>()?;
    one_language(&mut sides, &request.scheme);
    let tiers = order(&files.iter().collect::<Vec<_>>(), &sides.iter().collect::<Vec<_>>(), request)?;
    progress.phase("following", files.len() as u64);
    let mut costs = vec![Cost::default(); policies.len()];
    let mut before: Option<Graded> = None;
    for ((file, &date), now) in files.iter().zip(&dates).zip(sides) {
        progress.check()?;
        let codes = of_tiers(file, &column(file), &now, &tiers)?;
        let mut held = vec![vec![None; codes.len()]; policies.len()];
        let mut earlier = vec![None; codes.len()];
        if let Some(then) = &before {
            for pair in matched(&then.side.ids, &now.ids)? {
                if let (Some(b), Some(a)) = (pair.before, pair.after) {
                    earlier[a] = Some(b);
                }
            }
        }
        for (row, code) in codes.iter().enumerate() {
            let Some(automatic) = *code else { continue };
            for (k, policy) in policies.iter().enumerate() {
                let known = before
                    .as_ref()
                    .zip(earlier[row])
                    .and_then(|(then, b)| Some((then.codes[b]?, then.held[k][b]?)));
                held[k][row] = Some(match known {
                    None => Policy::begin(automatic, date),
                    Some((was, own)) => {
                        let next = policy.follow(own, automatic, date);
                        costs[k].count(own, next, was, automatic);
                        next
                    }
                });
            }
        }
        before = Some(Graded { side: now, codes, held });
        progress.advance(1);
    }
    let Some(Graded { side: last, codes, held }) = before else {
        return Err(Error::value(
            "the tables",
            "none",
            "there is nothing to follow",
            "give at least two tables of tiers",
        ));
    };
    let policies = policies.iter().zip(costs).enumerate().map(|(k, (&policy, cost))| {
        let mut out = Holding {
            policy,
            cost,
            above_at_last: 0,
            below_at_last: 0,
            value_above: last.value.as_ref().map(|_| 0.0),
        };
        for (row, code) in codes.iter().enumerate() {
            let (Some(automatic), Some(own)) = (*code, held[k][row]) else { continue };
            out.below_at_last += u64::from(own.tier > automatic);
            if own.tier < automatic {
                out.above_at_last += 1;
                let worth = last.value.as_ref().map_or(0.0, |value| value[row]);
                out.value_above =
                    out.value_above.map(|sum| sum + if worth.is_finite() { worth } else { 0.0 });
            }
        }
        out
    });
    Ok(Holdings { scheme: request.scheme.clone(), dates, value, policies: policies.collect() })
}

/// The date that a table of tiers says in each row.
fn date_of(file: &WholeFile) -> Result<Day> {
    let missing = |problem: &str| Error::Document {
        file: file.path().display().to_string(),
        problem: problem.into(),
        remedy: "give tables of `tiercast tier -o FILE.parquet`, which have the date of their grading".into(),
    };
    let values = file.column("date", None)?.ok_or_else(|| missing("it has no column \"date\""))?;
    match values.plain("date")? {
        Plain::Texts { names, .. } if names.len() == 1 => {
            names[0].parse().map_err(|_| missing(&format!("its column \"date\" holds \"{}\"", names[0])))
        }
        _ => Err(missing("its column \"date\" is not one date in every row")),
    }
}
