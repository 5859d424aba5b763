//! Whether fits with covariates find the truth: worlds whose customers differ by numbers and levels.

use super::tally::{Study, Tally};
use super::world::{self, Rates, Seen};
use crate::calendar::Unit;
use crate::clv::covariates::{self, Covariate, CovariateFit, CovariateModel, Covariates, Options};
use crate::clv::model::Parametric;
use crate::clv::{BgNbd, BgNbdModel, ParetoNbd, ParetoNbdModel};
use crate::error::Result;
use crate::progress::Progress;
use crate::random::{NOBODY, Purpose, Stream};

/// Effects on purchases: of a point of score, and of the levels "shop" and "web" against "mail".
const SCORE: f64 = 0.05;
const CHANNELS: [(&str, f64, f64); 3] = [("mail", 0.5, 0.0), ("shop", 0.25, -0.5), ("web", 0.25, 0.4)];

/// Effects on dropout: of a year of age, and of the level "month" against "year".
const AGE: f64 = -0.04;
const PLANS: [(&str, f64, f64); 2] = [("year", 0.6, 0.0), ("month", 0.4, 0.6)];

/// Scores are normal, ages uniform.
const SCORES: (f64, f64) = (40.0, 10.0);
const AGES: (f64, f64) = (20.0, 70.0);

/// Parameters of worlds differ from each other by this, as logarithms and logits.
const SPREAD: f64 = 0.2;

/// Where the worlds of Pareto/NBD begin, so that they share no luck with those of BG/NBD.
const FIRST_OF_PARETO_NBD: u32 = 1 << 20;

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The seed.
    pub seed: u64,
    /// Worlds.
    pub worlds: u32,
    /// Customers of each world.
    pub customers: usize,
}

/// A customer with what is known of it.
struct Customer {
    seen: Seen,
    score: f64,
    channel: usize,
    age: f64,
    plan: usize,
}

/// Fits BG/NBD with covariates to worlds of BG/NBD.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub fn bg_nbd_effects(size: Size, progress: &dyn Progress) -> Result<Study> {
    let base = BgNbd { r: 0.9, alpha: 20.0, a: 0.9, b: 3.0, unit: Unit::Day };
    study(BgNbdModel, &base, size, 0, progress, |params, stream| Rates {
        purchases: stream.gamma(params.r) / params.alpha,
        leaves: stream.beta(params.a, params.b),
        life: f64::INFINITY,
    })
}

/// Fits Pareto/NBD with covariates to worlds of Pareto/NBD.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub fn pareto_nbd_effects(size: Size, progress: &dyn Progress) -> Result<Study> {
    let base = ParetoNbd { r: 0.9, alpha: 20.0, s: 0.8, beta: 150.0, unit: Unit::Day };
    study(ParetoNbdModel, &base, size, FIRST_OF_PARETO_NBD, progress, |params, stream| {
        let purchases = stream.gamma(params.r) / params.alpha;
        let dropout = stream.gamma(params.s) / params.beta;
        Rates { purchases, leaves: 0.0, life: stream.exponential() / dropout }
    })
}

fn study<M: CovariateModel>(
    model: M,
    base: &M::Params,
    size: Size,
    first: u32,
    progress: &dyn Progress,
    rates: impl Fn(&M::Params, &mut Stream) -> Rates + Sync + Send,
) -> Result<Study> {
    let mut tally = Tally::default();
    for world in first..first + size.worlds {
        progress.check()?;
        let mut stream = Stream::new(size.seed, NOBODY, world, Purpose::Parameters);
        let theta: Vec<f64> = base.scale_free().iter().map(|t| t + SPREAD * stream.normal()).collect();
        let truth = base.with_scale_free(&theta);
        let customers = world::draw(size.seed, world, size.customers, |_, stream| {
            let score = SCORES.0 + SCORES.1 * stream.normal();
            let age = AGES.0 + (AGES.1 - AGES.0) * stream.uniform();
            let (channel, plan) = (level(&CHANNELS, stream), level(&PLANS, stream));
            let purchase = SCORE * (score - SCORES.0) + CHANNELS[channel].2;
            let dropout = AGE * (age - middle_age()) + PLANS[plan].2;
            let rates = rates(&M::shifted(&truth, purchase, dropout), stream);
            Customer { seen: Seen::draw(stream, &rates), score, channel, age, plan }
        });
        let seen: Vec<Seen> = customers.iter().map(|c| c.seen).collect();
        let covariates = covariates_of(&customers)?;
        let patterns = world::patterns(&seen)?;
        let fit = covariates::fit(&model, &patterns, &covariates, Unit::Day, Options::default(), progress)?;
        count::<M>(&mut tally, &fit, &truth, &customers);
    }
    let title = format!("{} with covariates of purchases and dropout", M::Params::MODEL);
    let customers = u64::from(size.worlds) * size.customers as u64;
    Ok(tally.study(title, size.worlds.into(), customers))
}

fn middle_age() -> f64 {
    0.5 * (AGES.0 + AGES.1)
}

/// One of the levels by their shares.
fn level(levels: &[(&str, f64, f64)], stream: &mut Stream) -> usize {
    let u = stream.uniform();
    let mut sum = 0.0;
    for (i, (_, share, _)) in levels.iter().enumerate() {
        sum += share;
        if u < sum {
            return i;
        }
    }
    levels.len() - 1
}

fn covariates_of(customers: &[Customer]) -> Result<Covariates> {
    let numbers = |name: &str, f: fn(&Customer) -> f64| {
        Covariate::numeric(name, customers.iter().map(f).collect::<Vec<f64>>())
    };
    let channel = customers.iter().map(|c| Some(CHANNELS[c.channel].0));
    let plan = customers.iter().map(|c| Some(PLANS[c.plan].0));
    Covariates::new(
        &[numbers("score", |c| c.score), Covariate::categorical("channel", channel)],
        &[numbers("age", |c| c.age), Covariate::categorical("plan", plan)],
        customers.len(),
    )
}

/// Adds a fit. Parameters are positive and compared as logarithms, coefficients as they are.
fn count<M: CovariateModel>(
    tally: &mut Tally,
    fit: &CovariateFit<M>,
    truth: &M::Params,
    customers: &[Customer],
) {
    if !tally.verdict(&fit.report.fit.verdict) {
        return;
    }
    // The parameters of a report are those at the means of numeric covariates.
    let n = customers.len() as f64;
    let mean = |f: fn(&Customer) -> f64| customers.iter().map(f).sum::<f64>() / n;
    let at_means =
        M::shifted(truth, SCORE * (mean(|c| c.score) - SCORES.0), AGE * (mean(|c| c.age) - middle_age()));
    for (found, truth) in fit.report.fit.parameters.iter().zip(at_means.natural()) {
        if let Some(error) = found.standard_error {
            tally.add(&format!("ln {}", found.name), (found.estimate / truth).ln() * found.estimate / error);
        }
    }
    for found in &fit.report.coefficients {
        let of_level = |levels: &[(&str, f64, f64)]| {
            levels.iter().find(|level| Some(level.0) == found.level.as_deref()).map(|level| level.2)
        };
        let (truth, side) = match found.covariate.as_str() {
            "score" => (Some(SCORE), "purchases"),
            "channel" => (of_level(&CHANNELS), "purchases"),
            "age" => (Some(AGE), "dropout"),
            _ => (of_level(&PLANS), "dropout"),
        };
        let name = match &found.level {
            Some(level) => format!("{side}: {}={level}", found.covariate),
            None => format!("{side}: {}", found.covariate),
        };
        if let (Some(truth), Some(error)) = (truth, found.standard_error) {
            tally.add(&name, (found.estimate - truth) / error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small version: shares, means and deviations as they must be with so few pairs.
    #[test]
    fn a_small_study_finds_the_truth() {
        let size = Size { seed: 7, worlds: 12, customers: 1_200 };
        let study = bg_nbd_effects(size, &()).unwrap();
        assert_eq!(study.verdicts["verified optimum"], 12, "{study:?}");
        assert_eq!((study.rows.len(), study.all.pairs), (9, 108));
        assert!(study.all.share() >= 0.98, "{study:?}");
        // Two-sided: pairs of one fit are correlated, so 108 of them count for some 40.
        assert!(study.all.mean.abs() < 0.45, "{study:?}");
        assert!((0.7..1.3).contains(&study.all.deviation), "{study:?}");
        let text = study.markdown();
        assert!(text.contains("| purchases: channel=web | 12 |"), "{text}");
        assert!(text.contains("verified optimum: 12"), "{text}");
    }
}
