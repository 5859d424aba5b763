//! Customers with a calibration that is seen and a holdout that is not.

use super::{CoverageOptions, HOLDOUT, Truth};
use crate::calendar::Unit;
use crate::clv::ModelName;
use crate::random::Stream;
use crate::recovery::population::{Buyer, Leaving, log_uniform};

/// Where the parameters of a world lie, logarithms uniform: mean purchases a week while alive and how alike customers are,
/// the mean rate of leaving a week and how alike customers are in that; of spend p, q and the typical amount.
///
/// From two to thirteen purchases a year, and an eighth to a half gone at the end of calibration: who has left is seldom
/// certain, so that no tenth is expected to place next to no orders, which whole numbers could not be judged by.
const RATE: (f64, f64) = (0.04, 0.25);
const R: (f64, f64) = (0.5, 3.0);
const LEAVE: (f64, f64) = (0.003, 0.015);

/// The rate of leaving of Pareto/NBD and how alike customers are in it, around those of published fits: many leave early,
/// many hardly ever.
const LEAVE_BY_TIME: (f64, f64) = (0.01, 0.03);
const SIZE_BY_TIME: (f64, f64) = (0.5, 1.5);
const SIZE: (f64, f64) = (1.0, 4.0);
const P: (f64, f64) = (2.0, 8.0);
const Q: (f64, f64) = (2.5, 6.0);
const TYPICAL: (f64, f64) = (10.0, 100.0);

/// Weeks of calibration of each intake: customers come every five weeks, buy and leave at any moment. Few distinct T
/// share the costly part of expectations.
const CALIBRATION: [f64; 5] = [32.0, 37.0, 42.0, 47.0, 52.0];

/// A customer's column each; times in days.
pub(super) struct History {
    pub(super) parameters: Vec<f64>,
    pub(super) frequency: Vec<u32>,
    pub(super) recency: Vec<f64>,
    pub(super) t: Vec<f64>,
    /// Mean value of the repeat purchases of the calibration; 0 without any.
    pub(super) mean_spend: Vec<f64>,
    /// Spend in the calibration, the first purchase included.
    pub(super) total_spend: Vec<f64>,
    pub(super) later_orders: Vec<f64>,
    pub(super) later_spend: Vec<f64>,
}

/// A world's history.
pub(super) fn history(
    model: ModelName,
    truth: Truth,
    options: &CoverageOptions,
    stream: &mut Stream,
) -> History {
    let natural = parameters(model, stream);
    let [p, q, typical] = [P, Q, TYPICAL].map(|range| log_uniform(stream, range));
    let gamma = typical * q / p;
    let (fewest, most) = options.customers;
    let customers = fewest + (stream.uniform() * f64::from(most - fewest + 1)) as u32;
    let misspecified = truth == Truth::Misspecified;
    let season = if misspecified { log_uniform(stream, (1.1, 1.33)) } else { 1.0 };
    let mut out = History {
        parameters: natural.iter().copied().chain([p, q, gamma]).collect(),
        frequency: Vec::new(),
        recency: Vec::new(),
        t: Vec::new(),
        mean_spend: Vec::new(),
        total_spend: Vec::new(),
        later_orders: Vec::new(),
        later_spend: Vec::new(),
    };
    let week = Unit::Week.days();
    for _ in 0..customers {
        let t = CALIBRATION[(stream.uniform() * CALIBRATION.len() as f64) as usize];
        let mut buyer = Buyer::drawn(model, &natural, stream);
        if misspecified {
            // The same mean, and the variance of r = 1.
            let spread = std::f64::consts::LN_2.sqrt();
            buyer.rate = natural[0] / natural[1] * (spread * stream.normal() - 0.5 * spread * spread).exp();
        }
        // In the better season time runs faster for purchases; no customer leaves earlier for it.
        if let Leaving::At(end) = &mut buyer.leaving
            && *end > t
        {
            *end = t + (*end - t) * season;
        }
        let times = buyer.purchases(stream, t + HOLDOUT * season);
        let x = times.partition_point(|&at| at <= t);
        let rate = stream.gamma(q) / gamma;
        let spend = |orders: usize, stream: &mut Stream| match orders {
            0 => 0.0,
            n if misspecified => {
                let mean = p / rate;
                (0..n).map(|_| mean * (0.8 * stream.normal() - 0.32).exp()).sum()
            }
            n => stream.gamma(p * n as f64) / rate,
        };
        let first = spend(1, stream);
        let repeat = spend(x, stream);
        out.frequency.push(x as u32);
        out.recency.push(if x > 0 { times[x - 1] * week } else { 0.0 });
        out.t.push(t * week);
        out.mean_spend.push(if x > 0 { repeat / x as f64 } else { 0.0 });
        out.total_spend.push(first + repeat);
        out.later_orders.push((times.len() - x) as f64);
        out.later_spend.push(spend(times.len() - x, stream));
    }
    out
}

fn parameters(model: ModelName, stream: &mut Stream) -> Vec<f64> {
    let leaving = if model == ModelName::ParetoNbd { [LEAVE_BY_TIME, SIZE_BY_TIME] } else { [LEAVE, SIZE] };
    let [rate, r] = [RATE, R].map(|range| log_uniform(stream, range));
    let [leave, size] = leaving.map(|range| log_uniform(stream, range));
    let mut out = vec![r, r / rate];
    match model {
        ModelName::Nbd => {}
        ModelName::ParetoNbd => out.extend([size, size / leave]),
        ModelName::BgNbd | ModelName::MbgNbd => {
            // The probability after each purchase that is as much in a week.
            let p = leave / rate;
            out.extend([p * size, (1.0 - p) * size]);
        }
    }
    out
}
