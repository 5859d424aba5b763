//! How often intervals held what happened.

use super::figure;
use super::intervals::{Ends, Intervals, TENTHS};
use super::report::{Coverage, Covered, Method, TotalCovered, Validation};
use super::scores::Scoring;
use crate::parallel;

/// Customers per unit of parallel work; fixed, so that sums do not depend on threads.
const CHUNK: usize = 4096;

/// Judges a method's intervals by the holdout.
pub(super) fn judge(intervals: &Intervals, scoring: &Scoring<'_>) -> Coverage {
    let of = |ends, actual| covered(ends, intervals, actual, scoring);
    Coverage {
        level: intervals.level,
        customers: intervals.of.len() as u64,
        transactions: of(&intervals.transactions, scoring.transactions),
        spend: intervals.spend.as_ref().map(|ends| of(ends, scoring.spend)),
    }
}

fn covered(ends: &Ends, intervals: &Intervals, actual: &[f64], scoring: &Scoring<'_>) -> Covered {
    let len = scoring.weights.len();
    let chunk = |range: std::ops::Range<usize>| {
        let (mut all, mut held, mut weights) = (vec![0.0; len], vec![0.0; len], vec![0.0; len]);
        for k in range {
            let i = intervals.of[k] as usize;
            scoring.weights.fill(scoring.hash[i], &mut weights);
            all.iter_mut().zip(&weights).for_each(|(sum, w)| *sum += w);
            if ends.lower[k] <= actual[i] && actual[i] <= ends.upper[k] {
                held.iter_mut().zip(&weights).for_each(|(sum, w)| *sum += w);
            }
        }
        (all, held)
    };
    let add = |mut sum: (Vec<f64>, Vec<f64>), more: (Vec<f64>, Vec<f64>)| {
        sum.0.iter_mut().zip(more.0).for_each(|(sum, more)| *sum += more);
        sum.1.iter_mut().zip(more.1).for_each(|(sum, more)| *sum += more);
        sum
    };
    // Weights are whole numbers, whose sums are exact.
    let shares = parallel::reduce_chunks(intervals.of.len(), CHUNK, chunk, add)
        .map_or(Vec::new(), |(all, held)| held.iter().zip(all).map(|(held, all)| held / all).collect());
    let total = |(lower, upper): (f64, f64), of: &dyn Fn(usize) -> bool| {
        let chosen = || (0..intervals.of.len()).filter(|&k| of(k));
        let actual: f64 = chosen().map(|k| actual[intervals.of[k] as usize]).sum();
        let covered = lower <= actual && actual <= upper;
        TotalCovered { customers: chosen().count() as u64, lower, upper, actual, covered }
    };
    let tenth = |d: usize| total(ends.tenths[d], &|k| usize::from(intervals.tenth[k]) == d);
    Covered {
        customers: if shares.is_empty() { None } else { figure(&shares) },
        total: total(ends.total, &|_| true),
        tenths: (0..TENTHS).map(tenth).filter(|tenth| tenth.customers > 0).collect(),
    }
}

/// What intervals held, a sentence for each method that has any.
pub(super) fn conclusions(of: &Validation) -> Vec<String> {
    of.methods.iter().filter_map(|method| Some(sentence(method, method.coverage.as_ref()?))).collect()
}

fn sentence(method: &Method, coverage: &Coverage) -> String {
    let mut out = format!(
        "The {:.0} % intervals of {} hold {}",
        100.0 * coverage.level,
        method.name,
        held(&coverage.transactions, "transactions", 0)
    );
    if let Some(spend) = &coverage.spend {
        out += &format!("; {}", held(spend, "spend", 2));
    }
    out + "."
}

fn held(of: &Covered, what: &str, decimals: usize) -> String {
    let TotalCovered { lower, upper, actual, covered, .. } = of.total;
    let share = of.customers.map_or(String::new(), |share| {
        format!("the {what} of {:.1} % of the customers and ", 100.0 * share.value)
    });
    let tenths = of.tenths.iter().filter(|tenth| tenth.covered).count();
    format!(
        "{share}of {tenths} of {} tenths, and {} their total ({lower:.decimals$} to {upper:.decimals$}, actual \
         {actual:.decimals$})",
        of.tenths.len(),
        if covered { "hold" } else { "miss" },
    )
}
