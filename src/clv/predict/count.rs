//! How many orders a customer will place in each step of the horizon, drawn from its own rates instead of order by order.

use super::steps::Steps;
use crate::clv::latent::{Dropout, Latent};
use crate::random::Stream;
use crate::special::ln_gamma;

/// Means below this are inverted term by term; above, rejection is quicker.
const SMALL_MEAN: f64 = 10.0;

/// A count above this has a relative spread below 1e-7: it is its mean.
const HUGE_MEAN: f64 = 1e15;

/// A customer who is expected to order more often than this, and than twice a step, is counted step by step: above, that
/// is quicker than to place every order.
const PLACED: f64 = 64.0;

/// Orders within the horizon, a whole number; `placed` is called with each step that gets some and with how many, the steps
/// in any order and perhaps repeatedly, unless the steps' orders are all worth the same ([`Steps::are_equal`]).
///
/// Has the distribution of what [`Latent::purchases`] counts, exactly: given its rates, a customer's orders are a Poisson
/// process up to an end that does not depend on them, or its first so many. Orders of a Poisson process are spread evenly
/// over the time once their number is known.
#[inline]
pub(super) fn orders(
    latent: &Latent,
    stream: &mut Stream,
    steps: &Steps,
    mut placed: impl FnMut(usize, f64),
) -> f64 {
    if !latent.alive {
        return 0.0;
    }
    let horizon = steps.horizon();
    let end = match latent.dropout {
        Dropout::AtRate(rate) => horizon.min(stream.exponential() / rate),
        Dropout::Never | Dropout::AfterPurchase(_) => horizon,
    };
    let mean = latent.rate * end;
    if mean > PLACED.max(2.0 * steps.len() as f64) {
        return step_by_step(latent, stream, steps, end, placed);
    }
    let orders = poisson(stream, mean);
    if orders == 0.0 {
        return 0.0;
    }
    let most = match latent.dropout {
        Dropout::AfterPurchase(p) => purchases_until_dropout(stream, p),
        Dropout::Never | Dropout::AtRate(_) => f64::INFINITY,
    };
    if steps.are_equal() {
        return orders.min(most);
    }
    if most >= orders {
        for _ in 0..orders as u64 {
            let at = stream.uniform() * end;
            placed(steps.at(at), 1.0);
        }
        return orders;
    }
    // The first `most` of `orders` evenly spread moments, in order: each is the least of those that are left.
    let mut at = 0.0;
    for k in 0..most as u64 {
        let left = orders - k as f64;
        at += (end - at) * -(stream.uniform().ln() / left).exp_m1();
        placed(steps.at(at), 1.0);
    }
    most
}

/// The steps' orders are independent Poisson numbers, until the customer leaves.
#[inline(never)]
fn step_by_step(
    latent: &Latent,
    stream: &mut Stream,
    steps: &Steps,
    end: f64,
    mut placed: impl FnMut(usize, f64),
) -> f64 {
    let most = match latent.dropout {
        Dropout::AfterPurchase(p) => purchases_until_dropout(stream, p),
        Dropout::Never | Dropout::AtRate(_) => f64::INFINITY,
    };
    let (mut orders, mut begin) = (0.0, 0.0);
    for step in 0..steps.len() {
        let until = steps.end(step).min(end);
        let count = poisson(stream, latent.rate * (until - begin)).min(most - orders);
        if count > 0.0 {
            orders += count;
            if !steps.are_equal() {
                placed(step, count);
            }
        }
        if until >= end || orders >= most {
            break;
        }
        begin = until;
    }
    orders
}

/// At which purchase a customer leaves: 1 + ⌊ln U/ln(1 − p)⌋; without bound for p = 0.
#[inline]
fn purchases_until_dropout(stream: &mut Stream, p: f64) -> f64 {
    (stream.uniform().ln() / (-p).ln_1p()).floor() + 1.0
}

/// A Poisson number with the given mean.
///
/// Inversion below a mean of 10; above, Hörmann's transformed rejection ("The transformed rejection method for
/// generating Poisson random variables", Insurance: Mathematics and Economics 12, 1993, algorithm PTRS).
#[inline]
pub(super) fn poisson(stream: &mut Stream, mean: f64) -> f64 {
    if mean < SMALL_MEAN {
        let mut term = (-mean).exp();
        let mut rest = stream.uniform() - term;
        let mut count = 0.0;
        // The terms fall from the mean on; the bound only guards against rounding at the far end.
        while rest > 0.0 && count < 200.0 {
            count += 1.0;
            term *= mean / count;
            rest -= term;
        }
        return count;
    }
    if mean > HUGE_MEAN {
        return mean.floor();
    }
    transformed_rejection(stream, mean)
}

/// Out of line: few customers are expected to order so often.
#[inline(never)]
fn transformed_rejection(stream: &mut Stream, mean: f64) -> f64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let ln_inverse_alpha = (1.1239 + 1.1328 / (b - 3.4)).ln();
    let accept = 0.9277 - 3.6224 / (b - 2.0);
    let ln_mean = mean.ln();
    loop {
        let u = stream.uniform() - 0.5;
        let v = stream.uniform();
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= accept {
            return k;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let density = k * ln_mean - mean - ln_gamma(k + 1.0);
        if v.ln() + ln_inverse_alpha - (a / (us * us) + b).ln() <= density {
            return k;
        }
    }
}
