//! What BG/NBD and MBG/NBD share: purchases at a gamma distributed rate of the customer's own, and after a purchase the
//! customer leaves with a beta distributed probability of its own.
//!
//! The two differ in one thing: whether a customer may already leave after its first purchase, with which its history
//! begins. So a history of x repeat purchases holds k = x or k = x + 1 chances to leave, and every formula is one of
//! k. In each of them the customer had all the chances but the last, after the purchase at t_x, behind it:
//!
//! L = Γ(r+x)·α^r/Γ(r) · { B(a, b+k)·(α+T)^−(r+x) + [k > 0]·B(a+1, b+k−1)·(α+t_x)^−(r+x) } / B(a, b).

pub(super) mod discounted;
pub(super) mod fit;
pub(super) mod likelihood;

use self::discounted::discounted_purchases;
use super::counts::Counts;
use super::dense::Matrix;
use super::expectation::{CappedPurchases, capped_purchases};
use super::latent::{self, Dropout, Latent};
use crate::random::Stream;
use crate::special::{ln_gamma_delta, logistic, softplus};

/// After which purchase a customer may leave for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstChance {
    /// The first repeat purchase: BG/NBD.
    AfterFirstRepeat,
    /// The first purchase: MBG/NBD.
    AfterFirstPurchase,
}

impl FirstChance {
    /// The chances to leave that a history of x repeat purchases holds.
    pub(super) fn chances(self, x: f64) -> f64 {
        match self {
            FirstChance::AfterFirstRepeat => x,
            FirstChance::AfterFirstPurchase => x + 1.0,
        }
    }
}

/// The parameters of either model. Times have the unit of alpha.
#[derive(Debug, Clone, Copy)]
pub(super) struct BetaGeometric {
    pub r: f64,
    pub alpha: f64,
    pub a: f64,
    pub b: f64,
    pub first_chance: FirstChance,
}

/// Expected purchases of customers with one x; made by [`super::BgNbd::expectations_if_alive`] and
/// [`super::MbgNbd::expectations_if_alive`].
#[derive(Debug, Clone)]
pub struct ExpectationsIfAlive {
    shape: f64,
    alpha: f64,
    table: CappedPurchases,
    taus: Vec<f64>,
}

impl ExpectationsIfAlive {
    /// `out[i]` = expected purchases in (T, T + `horizons[i]`] of a customer who is alive at T = `t`.
    pub fn at(&mut self, t: f64, horizons: &[f64], out: &mut [f64]) {
        let scale = self.alpha + t;
        self.taus.clear();
        self.taus.extend(horizons.iter().map(|horizon| horizon / scale));
        self.table.expected(self.shape, &self.taus, out);
    }
}

impl BetaGeometric {
    /// The parameters at (ln(r/alpha), ln r, logit of a/(a+b), ln(a + b)).
    pub(super) fn at_scale_free(theta: &[f64], first_chance: FirstChance) -> BetaGeometric {
        let size = theta[3].exp();
        BetaGeometric {
            r: theta[1].exp(),
            alpha: (theta[1] - theta[0]).exp(),
            a: size * logistic(theta[2]),
            b: size * logistic(-theta[2]),
            first_chance,
        }
    }

    pub(super) fn scale_free(&self) -> Vec<f64> {
        vec![(self.r / self.alpha).ln(), self.r.ln(), (self.a / self.b).ln(), (self.a + self.b).ln()]
    }

    pub(super) fn jacobian(&self) -> Matrix {
        let BetaGeometric { r, alpha, a, b, .. } = *self;
        let by_logit = a * b / (a + b);
        let mut out = Matrix::zeros(4);
        out[(0, 1)] = r;
        out[(1, 0)] = -alpha;
        out[(1, 1)] = alpha;
        out[(2, 2)] = by_logit;
        out[(2, 3)] = a;
        out[(3, 2)] = -by_logit;
        out[(3, 3)] = b;
        out
    }

    /// The log-odds of having left by T; none before the first chance to.
    fn log_odds_left(&self, x: u32, t_x: f64, t: f64) -> Option<f64> {
        let x = f64::from(x);
        let chances = self.first_chance.chances(x);
        // In this order, so that a tiny b survives the first chance.
        let leaves = (self.a / (self.b + (chances - 1.0))).ln();
        (chances > 0.0).then(|| leaves + (self.r + x) * ((t - t_x) / (self.alpha + t_x)).ln_1p())
    }

    pub(super) fn p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.log_odds_left(x, t_x, t).map_or(1.0, |odds| logistic(-odds))
    }

    pub(super) fn ln_p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.log_odds_left(x, t_x, t).map_or(0.0, |odds| -softplus(odds))
    }

    /// ln of B(a, b + k)/B(a, b), the probability of staying at k chances.
    fn ln_stays(&self, chances: f64) -> f64 {
        let BetaGeometric { a, b, .. } = *self;
        // Both say the same; the one with the smaller steps has the smaller error.
        if a < chances {
            ln_gamma_delta(b, a) - ln_gamma_delta(b + chances, a)
        } else {
            ln_gamma_delta(b, chances) - ln_gamma_delta(a + b, chances)
        }
    }

    pub(super) fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64 {
        let BetaGeometric { r, alpha, .. } = *self;
        let n = f64::from(x);
        let purchases =
            -r * (t / alpha).ln_1p() + if x > 0 { ln_gamma_delta(r, n) - n * (alpha + t).ln() } else { 0.0 };
        match self.log_odds_left(x, t_x, t) {
            Some(odds) => purchases + self.ln_stays(self.first_chance.chances(n)) + softplus(odds),
            None => purchases,
        }
    }

    /// The shape of an alive customer's purchase rate and the parameters of its dropout probability.
    fn if_alive(&self, x: u32) -> (f64, f64, f64) {
        let x = f64::from(x);
        (self.r + x, self.a, self.b + self.first_chance.chances(x))
    }

    /// The same of a customer who has left, at its last chance. In this order, so that a tiny b survives the first chance.
    fn if_left(&self, x: u32) -> (f64, f64, f64) {
        let x = f64::from(x);
        (self.r + x, self.a + 1.0, self.b + (self.first_chance.chances(x) - 1.0))
    }

    pub(super) fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64 {
        let (shape, a, b) = self.if_alive(x);
        capped_purchases(shape, a, b, horizon / (self.alpha + t))
    }

    pub(super) fn expectations_if_alive(&self, x: u32) -> ExpectationsIfAlive {
        self.expectations_with(x, 1.0)
    }

    /// The same where customers stay after a purchase with probability (1 − p)^`power`.
    pub(super) fn expectations_with(&self, x: u32, power: f64) -> ExpectationsIfAlive {
        let (shape, a, b) = self.if_alive(x);
        let table = CappedPurchases::with_power(a, b, power);
        ExpectationsIfAlive { shape, alpha: self.alpha, table, taus: Vec::new() }
    }

    /// Of customers who have left, at their last purchase, and come back: to be asked at t = t_x. There are none without a
    /// chance to leave.
    pub(super) fn expectations_if_back(&self, x: u32, power: f64) -> ExpectationsIfAlive {
        let (shape, a, b) = self.if_left(x);
        let table = CappedPurchases::with_power(a, b, power);
        ExpectationsIfAlive { shape, alpha: self.alpha, table, taus: Vec::new() }
    }

    pub(super) fn discounted_if_alive(&self, x: u32, t: f64, delta: f64, horizon: f64) -> f64 {
        let (shape, a, b) = self.if_alive(x);
        let scale = self.alpha + t;
        discounted_purchases(shape, a, b, delta * scale, horizon / scale)
    }

    /// P(X(t) = x): a customer who stays makes exactly x purchases, or one who leaves after the x-th has time for at
    /// least x.
    pub(super) fn pmf(&self, x: u32, t: f64) -> f64 {
        let n = f64::from(x);
        let counts = Counts::up_to(t, self.r, self.alpha);
        let chances = self.first_chance.chances(n);
        let stays = self.ln_stays(chances).exp() * counts.probability(n);
        if chances == 0.0 {
            return stays;
        }
        let leaves = self.ln_stays(chances - 1.0).exp() * self.a / (self.a + self.b + (chances - 1.0));
        stays + leaves * counts.at_least(n)
    }

    pub(super) fn draw(&self, stream: &mut Stream, x: u32, t_x: f64, t: f64) -> Latent {
        if stream.uniform() < self.p_alive(x, t_x, t) {
            return self.draw_alive(stream, x, t);
        }
        // One who left did so at the last purchase.
        let (_, a, b) = self.if_left(x);
        let p = stream.beta(a, b);
        let rate = latent::purchase_rate(stream, self.r, self.alpha, f64::from(x), t_x);
        Latent { alive: false, rate, dropout: Dropout::AfterPurchase(p) }
    }

    pub(super) fn draw_alive(&self, stream: &mut Stream, x: u32, t: f64) -> Latent {
        let (_, a, b) = self.if_alive(x);
        let p = stream.beta(a, b);
        let rate = latent::purchase_rate(stream, self.r, self.alpha, f64::from(x), t);
        Latent { alive: true, rate, dropout: Dropout::AfterPurchase(p) }
    }
}
