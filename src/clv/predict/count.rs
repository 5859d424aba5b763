//! How many orders a customer will place, drawn at once from its own rates instead of order by order.

use crate::clv::latent::{Dropout, Latent};
use crate::random::Stream;
use crate::special::ln_gamma;

/// Means below this are inverted term by term; above, rejection is quicker.
const SMALL_MEAN: f64 = 10.0;

/// A count above this has a relative spread below 1e-7: it is its mean.
const HUGE_MEAN: f64 = 1e15;

/// Orders within `horizon` from now on, a whole number. Has the distribution of the number of calls of
/// [`Latent::purchases`], at the cost of two or three random numbers.
#[inline]
pub(super) fn orders(latent: &Latent, stream: &mut Stream, horizon: f64) -> f64 {
    if !latent.alive {
        return 0.0;
    }
    match latent.dropout {
        Dropout::Never => poisson(stream, latent.rate * horizon),
        Dropout::AfterPurchase(p) => {
            let orders = poisson(stream, latent.rate * horizon);
            if orders == 0.0 {
                return 0.0;
            }
            // The order at which it leaves is 1 + ⌊ln U/ln(1 − p)⌋; without bound for p = 0.
            orders.min((stream.uniform().ln() / (-p).ln_1p()).floor() + 1.0)
        }
        Dropout::AtRate(rate) => {
            let end = horizon.min(stream.exponential() / rate);
            poisson(stream, latent.rate * end)
        }
    }
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
