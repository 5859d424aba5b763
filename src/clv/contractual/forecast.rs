//! Cohorts beyond their last period: who will be left, with both kinds of interval, and what one of them is still worth.
//!
//! Given the parameters, customers of a cohort who have renewed T times leave independently of each other, each with the
//! same probability of still being there h renewals later, S(T + h)/S(T): their different probabilities θ are averaged
//! in it. So a cohort's future under one draw of the parameters is a row of binomial numbers.

use serde::Serialize;

use super::cohorts::{Cohort, Cohorts};
use super::{Contract, MOST_PERIODS};
use crate::clv::interval_ends::{of_counts, of_means};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::random::{Purpose, Stream, hash_text};

/// A sum that may be too small by more than this share of itself is not given.
const LARGEST_REST: f64 = 1e-6;

/// What is forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastOptions {
    /// Periods after each cohort's last one, from 1 on.
    pub horizon: u32,
    /// The discount rate per period, from 0 on.
    pub discount: f64,
    /// The seed of what chance does in each draw.
    pub seed: u64,
}

/// A number with its 95 % intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The quantiles of the expectation over the draws of the parameters.
    pub mean: (f64, f64),
    /// The quantiles of what will happen, with parameters and chance; none for what is an expectation itself.
    pub luck: Option<(f64, f64)>,
}

/// A cohort after one of its periods.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Renewals since the beginning.
    pub period: u32,
    /// Of these, renewals to come.
    pub ahead: u32,
    /// Customers left, as expected; those observed where `ahead` is 0.
    pub survivors: f64,
    /// Their intervals, where there are draws of the parameters.
    pub survivors_spread: Option<Spread>,
    /// S(period): the share left of a new cohort, by the model.
    pub survival: f64,
    /// r(period): the share of those up for this renewal who renew, by the model; none for period 0.
    pub retention: Option<f64>,
    /// DERL of a customer left after this period: discounted renewals to come. None where the sum is infinite or nothing
    /// bounds what it leaves out.
    pub derl: Option<f64>,
    /// Its interval, where there are draws.
    pub derl_spread: Option<Spread>,
}

/// A cohort's last period and those to come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CohortForecast {
    /// The cohort.
    pub cohort: String,
    /// Customers at its beginning.
    pub customers: u64,
    /// From the last period observed on.
    pub steps: Vec<Step>,
}

/// What one set of parameters says of each period of a range.
struct Curve {
    retention: Vec<f64>,
    /// NaN where there is none.
    derl: Vec<f64>,
}

impl Curve {
    /// Of the periods `first` … `last`. DERL is summed at the last one alone: before it, DERL(t) is
    /// r(t + 1)·(1 + DERL(t + 1)/(1 + d)).
    fn new(model: &Contract, first: u32, last: u32, discount: f64) -> Curve {
        let retention: Vec<f64> = (first..=last).map(|t| model.retention(u64::from(t))).collect();
        let end = model.derl(last, discount);
        let is_known = end.value.is_finite() && end.tail_bound <= LARGEST_REST * end.value;
        let mut derl = vec![if is_known { end.value } else { f64::NAN }; retention.len()];
        for i in (1..derl.len()).rev() {
            derl[i - 1] = retention[i] * (1.0 + derl[i] / (1.0 + discount));
        }
        Curve { retention, derl }
    }
}

/// Forecasts every cohort from its last period on, by a model and, for intervals, draws of its parameters (which may be
/// empty). Deterministic, whatever the number of threads.
///
/// # Errors
/// [`Error::Value`] for a horizon of 0 or above [`MOST_PERIODS`]; [`Error::Interrupted`].
pub fn forecast(
    cohorts: &Cohorts,
    model: &Contract,
    draws: &[Contract],
    options: &ForecastOptions,
    progress: &dyn Progress,
) -> Result<Vec<CohortForecast>> {
    if !(1..=MOST_PERIODS).contains(&options.horizon) {
        let problem = format!("it is not between 1 and {MOST_PERIODS} periods");
        return Err(Error::value("the horizon", options.horizon, problem, "give fewer periods"));
    }
    let last = |cohort: &Cohort| cohort.survivors().len() as u32 - 1;
    let all = cohorts.cohorts();
    let first = all.iter().map(last).min().unwrap_or(0);
    let end = all.iter().map(last).max().unwrap_or(0) + options.horizon;
    progress.phase("forecasting", all.len() as u64);
    let best = Curve::new(model, first, end, options.discount);
    let curves = parallel::try_map(draws.len(), |i| {
        progress.check()?;
        Ok(Curve::new(&draws[i], first, end, options.discount))
    })?;
    // DERL does not depend on the cohort.
    let derl: Vec<Option<Spread>> = (0..best.derl.len())
        .map(|i| {
            let values: Vec<f64> = curves.iter().map(|curve| curve.derl[i]).collect();
            let is_known = !values.is_empty() && values.iter().all(|value| value.is_finite());
            is_known.then(|| Spread { mean: of_means(values), luck: None })
        })
        .collect();
    parallel::try_map(all.len(), |i| {
        progress.check()?;
        let cohort = &all[i];
        let at = (last(cohort) - first) as usize;
        let spreads = spreads(cohort, &curves, at, options);
        let customers = cohort.survivors()[0];
        let mut left = cohort.survivors().last().copied().unwrap_or(0) as f64;
        let mut steps = Vec::with_capacity(options.horizon as usize + 1);
        for ahead in 0..=options.horizon {
            let place = at + ahead as usize;
            let period = last(cohort) + ahead;
            if ahead > 0 {
                left *= best.retention[place];
            }
            steps.push(Step {
                period,
                ahead,
                survivors: left,
                survivors_spread: spreads.get(ahead as usize).copied(),
                survival: model.survival(u64::from(period)),
                retention: (period > 0).then(|| best.retention[place]),
                derl: Some(best.derl[place]).filter(|value| value.is_finite()),
                derl_spread: derl[place],
            });
        }
        progress.advance(1);
        Ok(CohortForecast { cohort: cohort.name().to_string(), customers, steps })
    })
}

/// The intervals of a cohort's survivors at its last period and each step after it; empty without draws.
fn spreads(cohort: &Cohort, curves: &[Curve], at: usize, options: &ForecastOptions) -> Vec<Spread> {
    if curves.is_empty() {
        return Vec::new();
    }
    let now = cohort.survivors().last().copied().unwrap_or(0);
    let address = hash_text(cohort.name().as_bytes());
    let mut means = vec![Vec::with_capacity(curves.len()); options.horizon as usize + 1];
    let mut counts = means.clone();
    for (number, curve) in (0..).zip(curves) {
        let mut stream = Stream::new(options.seed, address, number, Purpose::Latent);
        let (mut mean, mut count) = (now as f64, now);
        for ahead in 0..means.len() {
            if ahead > 0 {
                mean *= curve.retention[at + ahead];
                count = binomial(&mut stream, count, curve.retention[at + ahead]);
            }
            means[ahead].push(mean);
            counts[ahead].push(count as f64);
        }
    }
    (means.into_iter().zip(counts))
        .map(|(means, counts)| Spread { mean: of_means(means), luck: Some(of_counts(counts)) })
        .collect()
}

/// A binomial number. Exact: while there are many trials, the middle one of their uniform numbers in order is drawn,
/// which is beta distributed, and one side of it is decided at once (Relles, "A simple algorithm for generating binomial
/// random variables when N is large", Journal of the American Statistical Association 67, 1972).
fn binomial(stream: &mut Stream, mut trials: u64, mut p: f64) -> u64 {
    const FEW: u64 = 24;
    if p >= 1.0 {
        return trials;
    }
    let mut count = 0;
    while trials > FEW {
        let middle = trials / 2 + 1;
        let at = stream.beta(middle as f64, (trials + 1 - middle) as f64);
        if at > p {
            trials = middle - 1;
            p /= at;
        } else {
            count += middle;
            trials -= middle;
            p = (p - at) / (1.0 - at);
        }
    }
    count + (0..trials).filter(|_| stream.uniform() < p).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clv::contractual::{Bdw, Sbg};

    const SBG: Contract = Contract::Sbg(Sbg { gamma: 0.704077, delta: 1.182043 });

    fn cohorts() -> Cohorts {
        let names = ["a", "a", "a", "b", "b", "c"];
        Cohorts::from_rows(&names, &[0, 1, 2, 0, 1, 0], &[1000, 631, 468, 50, 40, 7]).unwrap()
    }

    fn options(discount: f64) -> ForecastOptions {
        ForecastOptions { horizon: 6, discount, seed: 3 }
    }

    #[test]
    fn binomial_numbers_have_mean_and_variance() {
        for (trials, p) in [(7u64, 0.3), (40, 0.5), (1000, 0.02), (100_000, 0.9)] {
            let n = 4_000;
            let draws: Vec<f64> = (0..n)
                .map(|i| binomial(&mut Stream::new(1, trials, i, Purpose::Latent), trials, p) as f64)
                .collect();
            let (mean, variance) = (trials as f64 * p, trials as f64 * p * (1.0 - p));
            let found = draws.iter().sum::<f64>() / f64::from(n);
            let spread = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
            let error = (variance / f64::from(n)).sqrt();
            assert!((found - mean).abs() < 4.0 * error, "{trials} {p}: {found} {mean}");
            // The fourth moment of a binomial number is at most some 4 times the variance's square here.
            assert!((spread / variance - 1.0).abs() < 8.0 / f64::from(n).sqrt(), "{trials} {p}: {spread}");
        }
        let mut stream = Stream::new(1, 2, 3, Purpose::Latent);
        assert_eq!((binomial(&mut stream, 90, 0.0), binomial(&mut stream, 90, 1.0)), (0, 90));
    }

    #[test]
    fn forecasts_are_ratios_of_survival() {
        for model in [SBG, Contract::Bdw(Bdw { gamma: 0.46, delta: 0.78, c: 1.28 })] {
            let got = forecast(&cohorts(), &model, &[], &options(0.1), &()).unwrap();
            for (cohort, (last, left)) in got.iter().zip([(2u32, 468.0), (1, 40.0), (0, 7.0)]) {
                assert_eq!(cohort.steps.len(), 7);
                assert_eq!((cohort.steps[0].period, cohort.steps[0].survivors), (last, left));
                for step in &cohort.steps {
                    let want =
                        left * model.survival(u64::from(step.period)) / model.survival(u64::from(last));
                    assert!((step.survivors / want - 1.0).abs() < 1e-12, "{step:?} {want}");
                    let want = model.derl(step.period, 0.1).value;
                    assert!((step.derl.unwrap() / want - 1.0).abs() < 1e-11, "{step:?} {want}");
                    assert_eq!(step.retention.is_none(), step.period == 0);
                    assert_eq!(step.survivors_spread, None);
                }
            }
        }
    }

    /// With one set of parameters the only spread is that of binomial numbers; with two, expectations spread too.
    #[test]
    fn intervals_hold_chance_and_parameters() {
        let same = vec![SBG; 2_000];
        let got = forecast(&cohorts(), &SBG, &same, &options(0.1), &()).unwrap();
        let step = &got[0].steps[3];
        let spread = step.survivors_spread.unwrap();
        assert!(
            (spread.mean.0 - step.survivors).abs() < 1e-9 && (spread.mean.1 - step.survivors).abs() < 1e-9
        );
        let p = step.survivors / 468.0;
        let half = 1.96 * (468.0 * p * (1.0 - p)).sqrt();
        let (low, high) = spread.luck.unwrap();
        assert!(
            (low - (step.survivors - half)).abs() < 2.5 && (high - (step.survivors + half)).abs() < 2.5,
            "{low} {high}"
        );
        assert_eq!(got[0].steps[0].survivors_spread.unwrap().luck, Some((468.0, 468.0)));
        let mixed: Vec<Contract> = (0..400)
            .map(|i| if i % 2 == 0 { SBG } else { Contract::Sbg(Sbg { gamma: 0.9, delta: 1.0 }) })
            .collect();
        let got = forecast(&cohorts(), &SBG, &mixed, &options(0.1), &()).unwrap();
        let spread = got[0].steps[3].survivors_spread.unwrap();
        assert!(spread.mean.1 - spread.mean.0 > 5.0 && spread.luck.unwrap().0 < spread.mean.0);
        let once = parallel::with_threads(1, || forecast(&cohorts(), &SBG, &mixed, &options(0.1), &()));
        assert_eq!(once.unwrap().unwrap(), got);
    }

    #[test]
    fn what_is_infinite_is_not_given() {
        let got = forecast(&cohorts(), &SBG, &[SBG], &options(0.0), &()).unwrap();
        assert!(got.iter().flat_map(|cohort| &cohort.steps).all(|step| step.derl.is_none()));
        let short = Contract::Sbg(Sbg { gamma: 3.0, delta: 1.0 });
        let got = forecast(&cohorts(), &short, &[], &options(0.0), &()).unwrap();
        assert!((got[2].steps[0].derl.unwrap() - 0.5).abs() < 1e-12);
        let none = ForecastOptions { horizon: 0, ..options(0.1) };
        assert!(forecast(&cohorts(), &SBG, &[], &none, &()).is_err());
    }
}
