//! Which model to use, when that is all one wants of a holdout: the rule of a validation without its tables.
//!
//! Errors are judged by root mean squares alone, so that replications cost a few additions for each customer, and a large
//! history is judged by a sample of its customers. With every customer the figures are those of [`super::validate`].

use serde::Serialize;

use super::bootstrap::Weights;
use super::conclude::{Contender, prefer};
use super::report::{Figure, LeftOut};
use super::{ValidateOptions, figure};
use crate::calendar::Window;
use crate::clv::family::{ModelName, PurchaseFit};
use crate::clv::pattern::Patterns;
use crate::customers::CustomerTable;
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream};

/// Customers per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 4096;

/// With fewer customers who order in the holdout, a bootstrap of them says little and no model is preferred by it.
const FEWEST_WITH_ORDERS: u64 = 30;

/// The model to use, and what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The windows: models are fitted to the calibration window and judged by the holdout.
    pub window: Window,
    /// Customers of the calibration window.
    pub customers: u64,
    /// Customers judged: all of them, or a sample that depends on the seed and their ids alone.
    pub judged: u64,
    /// Those of the judged with an order in the holdout.
    pub with_orders: u64,
    /// Replications of the bootstrap.
    pub replications: u32,
    /// The usable models.
    pub models: Vec<Judged>,
    /// The others.
    pub left_out: Vec<LeftOut>,
    /// The model to use; none where the holdout cannot tell.
    pub preferred: Option<ModelName>,
    /// Why, in a sentence without its full stop.
    pub why: String,
}

/// A model's error in the holdout.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The model.
    pub model: ModelName,
    /// Root of the mean squared error of the customers' transactions.
    pub rmse: Figure,
    /// Its root mean squared error less the preferred model's; none of that itself, and where none is preferred.
    pub difference: Option<Figure>,
}

/// Chooses among the models by the holdout of `table`, judging about `most` of its customers where there are more.
///
/// The rule is that of a validation: the lowest root mean squared error, but Pareto/NBD where the bootstrap cannot tell it
/// from that one. No model is preferred where fewer than 30 of the judged customers have an order in the holdout, or where
/// no fit is usable.
///
/// # Errors
/// [`Error::Value`] for a table without a holdout; [`Error::Interrupted`].
pub fn choose(
    table: &CustomerTable,
    most: usize,
    options: &ValidateOptions,
    progress: &dyn Progress,
) -> Result<Choice> {
    let Some(holdout) = &table.holdout else {
        let problem = "it leaves no holdout to judge models by";
        let remedy = "give an earlier end of calibration";
        return Err(Error::value("--calibration-end", table.window.calibration_end, problem, remedy));
    };
    let hash = parallel::collect(table.len(), |i| table.ids.hash(i));
    let who = sample(&hash, most, options.seed);
    let of = |column: &[u32]| parallel::collect(who.len(), |i| column[who[i] as usize]);
    let patterns = Patterns::from_days(&of(&table.frequency), &of(&table.recency_days), &of(&table.t_days))?;
    let actual = of(&holdout.frequency);
    let hash = parallel::collect(who.len(), |i| hash[who[i] as usize]);
    let mut out = Choice {
        window: table.window,
        customers: table.len() as u64,
        judged: who.len() as u64,
        with_orders: actual.iter().filter(|&&n| n > 0).count() as u64,
        replications: options.replications,
        models: Vec::new(),
        left_out: Vec::new(),
        preferred: None,
        why: String::new(),
    };
    if out.with_orders < FEWEST_WITH_ORDERS {
        out.why = format!(
            "{} of {} customers have an order in the holdout, and fewer than {FEWEST_WITH_ORDERS} say too little",
            out.with_orders, out.judged
        );
        return Ok(out);
    }
    let mut names = Vec::new();
    let mut predicted = Vec::new();
    for name in ModelName::ALL {
        let fit = PurchaseFit::new(name, &patterns, table.unit, progress)?;
        match fit.model() {
            Some(model) => {
                let horizon = table.unit.of_days(table.window.holdout_days());
                let days = table.unit.days();
                let expected = parallel::collect(patterns.len(), |k| {
                    let (t_x, t) = (patterns.recency_days(k) / days, patterns.t_days(k) / days);
                    model.conditional_expected(patterns.frequency(k), t_x, t, horizon)
                });
                // One model without finite predictions is no reason to judge none.
                if expected.iter().all(|expected| expected.is_finite()) {
                    predicted.push(expected);
                    names.push(name);
                } else {
                    let verdict = "some of its predictions are not finite".to_string();
                    out.left_out.push(LeftOut { model: name.title(), verdict });
                }
            }
            None => {
                out.left_out.push(LeftOut { model: name.title(), verdict: fit.report().verdict.sentence() })
            }
        }
        progress.check()?;
    }
    progress.phase("judging models", 0);
    let weights = Weights::new(options.seed, options.replications);
    let rmse = errors(&Sample { patterns: &patterns, actual: &actual, hash: &hash, weights }, &predicted);
    progress.check()?;
    let figures: Option<Vec<Figure>> = rmse.iter().map(|values| figure(values)).collect();
    let Some(figures) = figures.filter(|figures| !figures.is_empty()) else {
        out.why = "no model has a usable fit to the calibration window with finite predictions".to_string();
        return Ok(out);
    };
    let difference = |k: usize, other: usize| {
        let less: Vec<f64> = rmse[k].iter().zip(&rmse[other]).map(|(a, b)| a - b).collect();
        figure(&less)
    };
    let contender = |(k, name): (usize, &ModelName)| Contender { name: name.title(), rmse: figures[k].value };
    let contenders: Vec<Contender> = names.iter().enumerate().map(contender).collect();
    if let Some((best, why)) = prefer(&contenders, difference) {
        (out.preferred, out.why) = (Some(names[best]), why);
        let judged = |k: usize| Judged {
            model: names[k],
            rmse: figures[k],
            difference: if k == best { None } else { difference(k, best) },
        };
        out.models = (0..names.len()).map(judged).collect();
        out.why.push_str(&not_told_apart(&out.models));
    }
    Ok(out)
}

/// Which models with a higher error the bootstrap cannot tell from the preferred one; empty where it can tell all.
fn not_told_apart(models: &[Judged]) -> String {
    let alike = |judged: &&Judged| {
        let difference = judged.difference;
        difference.is_some_and(|d| d.value >= 0.0 && d.lower.is_none_or(|lower| lower <= 0.0))
    };
    let names: Vec<&str> = models.iter().filter(alike).map(|judged| judged.model.title()).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => format!("; the bootstrap cannot tell it from {last}"),
        Some((last, others)) => {
            format!("; the bootstrap cannot tell it from {} and {last}", others.join(", "))
        }
    }
}

/// About `most` of the customers with these hashes, by numbers of their own; all where there are no more.
fn sample(hash: &[u64], most: usize, seed: u64) -> Vec<u32> {
    let share = most as f64 / hash.len().max(1) as f64;
    // The bootstrap's weights are those of number 0.
    let taken = |i: usize| Stream::new(seed, hash[i], 1, Purpose::Bootstrap).uniform() < share;
    let parts = parallel::map_chunks(hash.len(), CHUNK, |range| {
        range.filter(|&i| share >= 1.0 || taken(i)).map(|i| i as u32).collect::<Vec<u32>>()
    });
    parts.concat()
}

/// The customers who are judged.
struct Sample<'a> {
    patterns: &'a Patterns,
    actual: &'a [u32],
    hash: &'a [u64],
    weights: Weights,
}

/// Root mean squared errors of predictions by pattern: for each, in the data and in every replication.
fn errors(of: &Sample, predicted: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let replications = of.weights.len();
    let methods = predicted.len();
    // Sums by replication: the weights, then the squared errors of each prediction.
    let width = methods + 1;
    let part = |range: std::ops::Range<usize>| {
        let mut sums = vec![0.0; replications * width];
        let mut weights = vec![0.0; replications];
        let mut squares = vec![1.0; width];
        for i in range {
            let pattern = of.patterns.of_customer(i);
            let actual = f64::from(of.actual[i]);
            for (square, predicted) in squares[1..].iter_mut().zip(predicted) {
                *square = (predicted[pattern] - actual).powi(2);
            }
            of.weights.fill(of.hash[i], &mut weights);
            for (sums, weight) in sums.chunks_mut(width).zip(&weights) {
                sums.iter_mut().zip(&squares).for_each(|(sum, square)| *sum += weight * square);
            }
        }
        sums
    };
    let plus = |mut sum: Vec<f64>, more: Vec<f64>| {
        sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        sum
    };
    let sums = parallel::reduce_chunks(of.hash.len(), CHUNK, part, plus).unwrap_or_default();
    let of_method = |k: usize| sums.chunks(width).map(|sums| (sums[k + 1] / sums[0]).sqrt()).collect();
    (0..methods).map(of_method).collect()
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
