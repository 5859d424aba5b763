//! A customer's own rates given its history, drawn exactly: purchase rate λ, dropout probability p, spend rate ν.
//!
//! Each function draws from the conditional distribution that conjugacy gives (Fader, Hardie and Lee 2005 for
//! BG/NBD, Fader and Hardie 2013 for Gamma-Gamma); none of them is an approximation.

use crate::random::Stream;

/// How a customer leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dropout {
    /// It does not.
    Never,
    /// With this probability after each purchase.
    AfterPurchase(f64),
    /// At this rate per unit of time, whether it buys or not.
    AtRate(f64),
}

/// What cannot be seen of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latent {
    /// Whether it will still buy.
    pub alive: bool,
    /// Its purchase rate while it is alive, per unit of the model's time.
    pub rate: f64,
    /// How it leaves.
    pub dropout: Dropout,
}

impl Latent {
    /// The purchases expected within `horizon` from now on.
    pub fn expected(&self, horizon: f64) -> f64 {
        if !self.alive {
            return 0.0;
        }
        // Leaving at purchases is leaving at a rate of p·λ, and the purchase at which it leaves counts.
        let leaves = match self.dropout {
            Dropout::Never => 0.0,
            Dropout::AfterPurchase(p) => p * self.rate,
            Dropout::AtRate(rate) => rate,
        };
        let exposure = if leaves > 0.0 { -(-leaves * horizon).exp_m1() / leaves } else { horizon };
        self.rate * exposure
    }

    /// Calls `purchase` with the time of each purchase within `horizon` from now on, in order.
    pub fn purchases(&self, stream: &mut Stream, horizon: f64, mut purchase: impl FnMut(f64)) {
        if !self.alive {
            return;
        }
        let end = match self.dropout {
            Dropout::AtRate(rate) => horizon.min(stream.exponential() / rate),
            _ => horizon,
        };
        let mut at = stream.exponential() / self.rate;
        while at <= end {
            purchase(at);
            if let Dropout::AfterPurchase(p) = self.dropout
                && stream.uniform() < p
            {
                return;
            }
            at += stream.exponential() / self.rate;
        }
    }
}

/// Purchase rate of a customer who is alive at T: Gamma(r + x, rate alpha + T), per unit of `alpha`.
#[inline]
pub fn purchase_rate(stream: &mut Stream, r: f64, alpha: f64, x: f64, t: f64) -> f64 {
    stream.gamma(r + x) / (alpha + t)
}

/// After which further purchase (1, 2, …) a BG/NBD customer who is alive leaves.
///
/// p ~ Beta(a, b + x), then one uniform U gives 1 + ⌊ln U/ln(1 − p)⌋, which is geometric. One U per customer and
/// replication, and no coin per purchase, so that a treatment that brings purchases forward never costs any.
#[inline]
pub fn purchases_until_dropout(stream: &mut Stream, a: f64, b: f64, x: f64) -> u32 {
    // Saturates for p near 0, where nobody leaves.
    dropout_quotient(stream, a, b + x).min(f64::from(u32::MAX - 1)) as u32 + 1
}

/// ln U/ln(1 − p) with p ~ Beta(a, b): 1 and its whole part is the number of the purchase after which the customer leaves.
/// Where what it gets raises 1 − p to a power, the quotient is divided by it.
#[inline]
pub fn dropout_quotient(stream: &mut Stream, a: f64, b: f64) -> f64 {
    let p = stream.beta(a, b);
    stream.uniform().ln() / (-p).ln_1p()
}

/// Rate ν of a customer's spend: Gamma(q + p·x, rate gamma + x·mean), where `mean` is that of its `x` repeat
/// purchases. Each order is then Gamma(p, rate ν).
#[inline]
pub fn spend_rate(stream: &mut Stream, p: f64, q: f64, gamma: f64, x: f64, mean: f64) -> f64 {
    stream.gamma(q + p * x) / (gamma + x * mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, hash_integer};

    const DRAWS: u32 = 200_000;

    fn mean_and_error(mut draw: impl FnMut(&mut Stream) -> f64) -> (f64, f64) {
        let (mut sum, mut squares) = (0.0, 0.0);
        for i in 0..DRAWS {
            let y = draw(&mut Stream::new(11, hash_integer(5), i, Purpose::Latent));
            sum += y;
            squares += y * y;
        }
        let n = f64::from(DRAWS);
        (sum / n, ((squares / n - (sum / n).powi(2)) / n).sqrt())
    }

    /// Oracle: BG/NBD (.243, 4.414, .793, 2.426), x 2, t_x 30.43, T 38.86, next 39 weeks: P(alive) .726579, mean
    /// 1.226028 (recomputed with 40-digit arithmetic). Four standard errors.
    #[test]
    fn bg_nbd_futures_have_the_right_mean() {
        let (r, alpha, a, b) = (0.243, 4.414, 0.793, 2.426);
        let (mean, error) = mean_and_error(|s| {
            if s.uniform() >= 0.726579 {
                return 0.0;
            }
            let rate = purchase_rate(s, r, alpha, 2.0, 38.86);
            let last = purchases_until_dropout(s, a, b, 2.0);
            let (mut n, mut clock) = (0, s.exponential());
            while clock <= rate * 39.0 && n < last {
                n += 1;
                clock += s.exponential();
            }
            f64::from(n)
        });
        assert!((mean - 1.226028).abs() < 4.0 * error, "{mean} ± {error}");
    }

    /// Oracle: Gamma-Gamma (6.25, 3.74, 15.44), x 3, mean 35: 35.027920.
    #[test]
    fn gamma_gamma_spend_has_the_right_mean() {
        let (p, q, gamma) = (6.25, 3.74, 15.44);
        let (mean, error) = mean_and_error(|s| {
            let nu = spend_rate(s, p, q, gamma, 3.0, 35.0);
            s.gamma(p) / nu
        });
        assert!((mean - 35.027920).abs() < 4.0 * error, "{mean} ± {error}");
    }

    #[test]
    fn nobody_leaves_when_dropout_is_impossible() {
        let mut stream = Stream::new(1, 1, 0, Purpose::Latent);
        assert!(purchases_until_dropout(&mut stream, 1e-300, 1.0, 0.0) > 1_000_000);
        assert_eq!(purchases_until_dropout(&mut stream, 1e6, 1e-9, 0.0), 1);
    }
}
