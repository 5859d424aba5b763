//! Customers with what cannot be seen of them, and their own futures under several treatments with the same luck.
//!
//! Nothing here is shared with the models' formulas or with the simulation: purchases follow one another in continuous time, from
//! each customer's own purchase rate, its own way of leaving and its own spend.

use crate::clv::ModelName;
use crate::random::{Purpose, Stream, hash_integer};

use super::own_truth::WorldParameters;

/// Weeks of calibration.
const WEEKS: f64 = 52.0;

/// First orders are made at the beginning of one of the first so many weeks of calibration.
const FIRST_ORDERS: f64 = 40.0;

/// Parameters of the literature, in weeks: Pareto/NBD and BG/NBD of the CDNOW customers (Fader and Hardie 2005; Fader, Hardie and Lee 2005)
/// and Gamma-Gamma of their spend (Fader and Hardie 2013).
const PARETO: [f64; 4] = [0.553, 10.578, 0.606, 11.669];
const BG: [f64; 4] = [0.243, 4.414, 0.793, 2.426];
const SPEND: [f64; 3] = [6.25, 3.74, 15.44];

/// Standard deviation of the logarithm of each parameter between worlds.
pub const SPREAD: f64 = 0.3;

/// Parameters of a world around those of the literature: each is one of these times e^(spread × a standard normal number), on its own. A
/// spread of 0 gives the literature's. BG/NBD is drawn for it, Pareto/NBD for every other model.
pub fn near_the_literature(model: ModelName, spread: f64, seed: u64, world: u32) -> WorldParameters {
    let mut stream = Stream::new(seed, u64::from(world), 2, Purpose::Synth);
    let mut near = |value: f64| value * (spread * stream.normal()).exp();
    let (model, purchases) = match model {
        ModelName::BgNbd => (ModelName::BgNbd, BG),
        _ => (ModelName::ParetoNbd, PARETO),
    };
    let purchases = purchases.map(&mut near).to_vec();
    WorldParameters { model, purchases, spend: SPEND.map(near) }
}

/// What a treatment does to a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Treated {
    /// Factor on its purchase rate.
    pub rate: f64,
    /// Factor on its rate of leaving; on −ln(1 − p) where it leaves after a purchase with probability p.
    pub dropout: f64,
    /// Factor on what each order is worth.
    pub spend: f64,
    /// The probability that it comes back if it has left.
    pub back: f64,
}

impl Treated {
    /// No treatment.
    pub const NOT: Treated = Treated { rate: 1.0, dropout: 1.0, spend: 1.0, back: 0.0 };
}

/// What a customer does within a horizon.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bought {
    /// Orders.
    pub orders: f64,
    /// Their worth.
    pub revenue: f64,
}

/// A customer: what can be seen of it, and what cannot. Times in weeks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buyer {
    /// Stable hash of its id.
    pub hash: u64,
    /// Repeat purchases until the end of calibration.
    pub frequency: u32,
    /// From the first purchase to the last.
    pub recency: f64,
    /// From the first purchase to the end of calibration: whole weeks.
    pub t: f64,
    /// Mean worth of its repeat purchases; 0 without one.
    pub mean: f64,
    /// Whether it will still buy.
    pub alive: bool,
    /// Its purchase rate while it is alive.
    pub rate: f64,
    leaving: Leaving,
    /// Shape of an order's worth, and its own rate: the mean is shape/rate.
    spend: (f64, f64),
}

/// How a customer leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Leaving {
    /// At a rate; after the end of calibration it lives for so many of its expected lives, if it is alive then.
    AtRate(f64, f64),
    /// With a probability after each repeat purchase.
    AfterPurchase(f64),
}

impl Buyer {
    /// Customer `i` of a world.
    pub fn drawn(parameters: &WorldParameters, seed: u64, world: u32, i: u32) -> Buyer {
        let hash = hash_integer(u64::from(world) << 32 | u64::from(i));
        let mut stream = Stream::new(seed, hash, 3, Purpose::Synth);
        let [r, alpha, third, fourth] = [0, 1, 2, 3].map(|k| parameters.purchases[k]);
        let [p, q, gamma] = parameters.spend;
        let t = WEEKS - (FIRST_ORDERS * stream.uniform()).floor();
        let rate = stream.gamma(r) / alpha;
        let mut out = Buyer {
            hash,
            frequency: 0,
            recency: 0.0,
            t,
            mean: 0.0,
            alive: true,
            rate,
            leaving: Leaving::AfterPurchase(0.0),
            spend: (p, 1.0),
        };
        let (mut leaves, mut life) = (0.0, f64::INFINITY);
        if parameters.model == ModelName::BgNbd {
            leaves = stream.beta(third, fourth);
            out.leaving = Leaving::AfterPurchase(leaves);
        } else {
            let leaving = stream.gamma(third) / fourth;
            life = stream.exponential() / leaving;
            out.alive = life > t;
            out.leaving = Leaving::AtRate(leaving, (life - t).max(0.0) * leaving);
        }
        let mut at = stream.exponential() / rate;
        while at <= t.min(life) {
            (out.frequency, out.recency) = (out.frequency + 1, at);
            if leaves > 0.0 && stream.uniform() < leaves {
                out.alive = false;
                break;
            }
            at += stream.exponential() / rate;
        }
        let nu = stream.gamma(q) / gamma;
        out.spend = (p, nu);
        if out.frequency > 0 {
            let spent: f64 = (0..out.frequency).map(|_| stream.gamma(p) / nu).sum();
            out.mean = spent / f64::from(out.frequency);
        }
        out
    }

    /// What it does in the `horizon` after calibration under each of `treatments`: the same unit exponentials between orders in its own
    /// rate-time, the same luck in life and return, and the n-th order worth the same.
    pub fn future(&self, treatments: &[Treated], horizon: f64, seed: u64) -> Vec<Bought> {
        let mut stream = Stream::new(seed, self.hash, 4, Purpose::Synth);
        let (back, of_life) = (stream.uniform(), stream.exponential());
        // Under each: the last moment in rate-time, and the purchase after which it leaves.
        let ends: Vec<(f64, f64)> = treatments
            .iter()
            .map(|treated| {
                if !self.alive && back >= treated.back {
                    return (0.0, 0.0);
                }
                let (life, after) = match self.leaving {
                    Leaving::AtRate(rate, left) => {
                        let lives = if self.alive { left } else { of_life };
                        (lives / (rate * treated.dropout), f64::INFINITY)
                    }
                    // (1 − p)^(n·factor) is the probability to be there after n purchases.
                    Leaving::AfterPurchase(p) => {
                        (f64::INFINITY, 1.0 + (of_life / (-(-p).ln_1p() * treated.dropout)).floor())
                    }
                };
                (self.rate * treated.rate * horizon.min(life), after)
            })
            .collect();
        let mut out = vec![Bought::default(); treatments.len()];
        let (shape, nu) = self.spend;
        let (mut clock, mut ordinal) = (stream.exponential(), 1.0);
        while ends.iter().any(|&(end, after)| clock <= end && ordinal <= after) {
            let worth = stream.gamma(shape) / nu;
            for ((out, treated), &(end, after)) in out.iter_mut().zip(treatments).zip(&ends) {
                if clock <= end && ordinal <= after {
                    out.orders += 1.0;
                    out.revenue += worth * treated.spend;
                }
            }
            clock += stream.exponential();
            ordinal += 1.0;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(of: &WorldParameters, treatments: &[Treated], who: impl Fn(&Buyer) -> bool) -> Vec<Bought> {
        let mut sums = vec![Bought::default(); treatments.len()];
        for i in 0..20_000 {
            let buyer = Buyer::drawn(of, 3, 1, i);
            if who(&buyer) {
                for (sum, own) in sums.iter_mut().zip(buyer.future(treatments, 26.0, 9)) {
                    sum.orders += own.orders;
                    sum.revenue += own.revenue;
                }
            }
        }
        sums
    }

    #[test]
    fn treatments_do_what_they_say() {
        let more = Treated { rate: 1.5, ..Treated::NOT };
        let dear = Treated { spend: 1.2, ..Treated::NOT };
        let stays = Treated { dropout: 0.5, ..Treated::NOT };
        let back = Treated { back: 0.5, ..Treated::NOT };
        for model in [ModelName::ParetoNbd, ModelName::BgNbd] {
            let world = near_the_literature(model, 0.0, 1, 1);
            let treatments = [Treated::NOT, Treated::NOT, more, dear, stays];
            let found = mean(&world, &treatments, |_| true);
            assert_eq!(found[0], found[1]);
            assert!((found[3].revenue / found[0].revenue - 1.2).abs() < 1e-9);
            assert!(found[4].orders > found[0].orders && found[2].orders > 1.2 * found[0].orders);
            // Where nobody leaves by purchases, half as many orders more are half as many.
            let ratio = found[2].orders / found[0].orders;
            assert!(model == ModelName::BgNbd || (ratio - 1.5).abs() < 0.03, "{ratio}");
            let gone = mean(&world, &[Treated::NOT, back, Treated { back: 1.0, ..back }], |b| !b.alive);
            assert_eq!(gone[0], Bought::default());
            let half = gone[1].orders / gone[2].orders;
            assert!((half - 0.5).abs() < 0.05, "{half}");
        }
    }
}
