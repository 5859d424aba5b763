//! Whether the fits find the truth again: a generated history fitted, beside the parameters it came from.
//!
//! Twice: to the exact moments of purchases, where a correct likelihood must find the truth within its standard
//! errors, and to whole days with a day's purchases merged, which is what a history of dates can give. The second is
//! biased, and its ratio to the first says by how much.

use serde::Serialize;

use crate::calendar::Unit;
use crate::clv::{BgNbdModel, FitReport, ParetoNbdModel, Patterns};
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;
use crate::synth::{Customer, Model, Plan};

/// Both fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recovery {
    /// Customers fitted to: the first ones of the history.
    pub customers: u64,
    /// Parameter by parameter.
    pub parameters: Vec<Recovered>,
    /// The fit to exact times.
    pub exact: FitReport,
    /// The fit to whole days.
    pub merged: FitReport,
}

/// One parameter, true and found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recovered {
    /// Its name in the literature.
    pub name: &'static str,
    /// Its value in the generator.
    pub truth: f64,
    /// The estimate from exact times; none when there was nothing to fit.
    pub exact: Option<f64>,
    /// The standard error of its logarithm; none where the data do not determine it.
    pub log_standard_error: Option<f64>,
    /// (ln estimate − ln truth) / standard error.
    pub z: Option<f64>,
    /// The estimate from whole days.
    pub merged: Option<f64>,
    /// What whole days do to it: the estimate from whole days over that from exact times, minus 1. Both are of the same
    /// customers, so that their luck, which is in either estimate, cancels.
    pub merged_bias: Option<f64>,
}

impl Recovery {
    /// Whether every parameter is within `most` standard errors of the truth.
    pub fn is_within(&self, most: f64) -> bool {
        !self.parameters.is_empty() && self.parameters.iter().all(|p| p.z.is_some_and(|z| z.abs() <= most))
    }
}

/// What the models see of a customer.
struct Statistics {
    frequency: u32,
    recency: f64,
    t: f64,
}

/// Fits the plan's model to its first `customers` customers.
///
/// # Errors
/// [`crate::Error::Interrupted`] only: what cannot be fitted says so in its report.
pub fn recover(plan: &Plan, customers: u64, progress: &dyn Progress) -> Result<Recovery> {
    let customers = customers.min(plan.config().customers);
    progress.phase("drawing", 0);
    let both = parallel::collect(customers as usize, |i| {
        let customer = plan.customer(i as u32);
        (in_exact_time(&customer), in_whole_days(plan, &customer))
    });
    let (exact, merged): (Vec<Statistics>, Vec<Statistics>) = both.into_iter().unzip();
    let exact = fit(plan, &exact, progress)?;
    let merged = fit(plan, &merged, progress)?;
    let parameters = plan.config().model.parameters().into_iter().enumerate();
    let parameters = parameters.map(|(i, (name, truth))| {
        let found = exact.parameters.get(i);
        let log_standard_error = found.and_then(|p| p.standard_error.map(|error| error / p.estimate));
        let merged = merged.parameters.get(i).map(|p| p.estimate);
        Recovered {
            name,
            truth,
            exact: found.map(|p| p.estimate),
            log_standard_error,
            z: found.zip(log_standard_error).map(|(p, error)| (p.estimate / truth).ln() / error),
            merged,
            merged_bias: merged.zip(found).map(|(merged, exact)| merged / exact.estimate - 1.0),
        }
    });
    Ok(Recovery { customers, parameters: parameters.collect(), exact, merged })
}

fn in_exact_time(customer: &Customer) -> Statistics {
    let week = Unit::Week.days();
    let last = customer.purchases.last().map_or(0.0, |purchase| purchase.at);
    Statistics {
        frequency: customer.purchases.len() as u32 - 1,
        recency: last * week,
        t: customer.weeks * week,
    }
}

/// As a customer table counts: distinct days after the first, and days from the first to the last of the window.
fn in_whole_days(plan: &Plan, customer: &Customer) -> Statistics {
    let mut days: Vec<i64> = customer.purchases.iter().map(|p| p.time.div_euclid(86_400_000_000)).collect();
    days.dedup();
    let (first, last) = (days[0], days[days.len() - 1]);
    Statistics {
        frequency: days.len() as u32 - 1,
        recency: (last - first) as f64,
        t: (i64::from(plan.config().end.0) - first) as f64,
    }
}

fn fit(plan: &Plan, statistics: &[Statistics], progress: &dyn Progress) -> Result<FitReport> {
    let column = |f: fn(&Statistics) -> f64| statistics.iter().map(f).collect::<Vec<_>>();
    let frequency: Vec<u32> = statistics.iter().map(|s| s.frequency).collect();
    let patterns = Patterns::from_times(&frequency, &column(|s| s.recency), &column(|s| s.t))?;
    Ok(match plan.config().model {
        Model::ParetoNbd { .. } => ParetoNbdModel.fit(&patterns, Unit::Week, progress)?.report,
        Model::BgNbd { .. } => BgNbdModel.fit(&patterns, Unit::Week, progress)?.report,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clv::Verdict;
    use crate::parallel::with_threads;
    use crate::synth::{Config, Ids, Order, Spend};

    fn plan(customers: u64, seed: u64, model: Model) -> Plan {
        Plan::new(Config {
            customers,
            seed,
            model,
            spend: Spend { p: 6.25, q: 3.74, gamma: 15.4 },
            start: "2023-01-01".parse().unwrap(),
            end: "2024-12-28".parse().unwrap(),
            join_until: None,
            seasonality: 0.0,
            ids: Ids::Integer,
            attributes: false,
            order: Order::Time,
        })
        .unwrap()
    }

    /// Exact times give the truth back; days make alpha too large, because they hide purchases.
    #[test]
    fn pareto_nbd_is_recovered() {
        let model = Model::ParetoNbd { r: 0.8, alpha: 3.75, s: 0.6, beta: 12.0 };
        let recovery = recover(&plan(20_000, 1, model), 20_000, &()).unwrap();
        assert_eq!(recovery.exact.verdict, Verdict::VerifiedOptimum);
        assert!(recovery.is_within(3.0), "{:?}", recovery.parameters);
        let alpha = &recovery.parameters[1];
        let bias = alpha.merged_bias.unwrap();
        assert!((0.05..0.12).contains(&bias), "{alpha:?}");
        // Distinguishable from chance.
        assert!(bias.ln_1p() > 3.0 * alpha.log_standard_error.unwrap());
    }

    #[test]
    fn bg_nbd_is_recovered() {
        let model = Model::BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
        let recovery = recover(&plan(50_000, 2, model), 50_000, &()).unwrap();
        assert_eq!(recovery.exact.verdict, Verdict::VerifiedOptimum);
        assert!(recovery.is_within(3.0), "{:?}", recovery.parameters);
    }

    #[test]
    fn threads_change_nothing() {
        let plan = plan(2_000, 3, Model::BgNbd { r: 0.8, alpha: 6.0, a: 0.8, b: 2.4 });
        let of = |threads| with_threads(threads, || recover(&plan, 2_000, &())).unwrap().unwrap();
        let one = of(1);
        for threads in [2, 3] {
            assert_eq!(of(threads), one);
        }
    }
}
