//! Customers with what cannot be seen of them: whether they are alive, and what they are worth by their own rates.
//!
//! Nothing here is shared with the models' formulas or with [`crate::clv::own_value`]: purchases follow one another in
//! continuous time, and worth is added up step by step.

use super::population::log_uniform;
use crate::calendar::Unit;
use crate::clv::{ModelName, ValueOptions};
use crate::customers::Statistics;
use crate::random::{Purpose, Stream, hash_integer};

/// Where the parameters of worlds lie, logarithms uniform: mean purchases a week while alive and how alike customers are, the
/// mean rate of leaving a week and how alike they are in that; of spend p, q and the typical amount.
const RATE: (f64, f64) = (0.04, 0.25);
const R: (f64, f64) = (0.5, 3.0);
const LEAVE: (f64, f64) = (0.004, 0.03);
const SIZE: (f64, f64) = (1.0, 4.0);
const P: (f64, f64) = (2.0, 8.0);
const Q: (f64, f64) = (2.5, 6.0);
const TYPICAL: (f64, f64) = (10.0, 100.0);

/// Weeks that a customer is seen for, evenly between these.
const SEEN: (f64, f64) = (20.0, 60.0);

/// What customers are drawn from; times in weeks.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldParameters {
    /// The model.
    pub model: ModelName,
    /// Its parameters, in the order of the literature.
    pub purchases: Vec<f64>,
    /// p, q and gamma of the model of spend.
    pub spend: [f64; 3],
}

impl WorldParameters {
    /// Plausible ones.
    pub fn drawn(model: ModelName, seed: u64, world: u32) -> WorldParameters {
        let mut stream = Stream::new(seed, u64::from(world), 0, Purpose::Synth);
        let [rate, r, leave, size] = [RATE, R, LEAVE, SIZE].map(|range| log_uniform(&mut stream, range));
        let [p, q, typical] = [P, Q, TYPICAL].map(|range| log_uniform(&mut stream, range));
        let mut purchases = vec![r, r / rate];
        match model {
            ModelName::Nbd => {}
            ModelName::ParetoNbd => purchases.extend([size, size / leave]),
            // The probability after each purchase that is as much in a week.
            ModelName::BgNbd | ModelName::MbgNbd => {
                let leaves = (leave / rate).min(0.5);
                purchases.extend([leaves * size, (1.0 - leaves) * size]);
            }
        }
        WorldParameters { model, purchases, spend: [p, q, typical * q / p] }
    }
}

/// What the first order is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstOrder {
    /// An amount that says nothing of later ones: Gamma-Gamma is about repeat purchases alone.
    Apart,
    /// An amount like the later ones. The model does not see it, so that rules over `total_spend` know more than it.
    Alike,
}

/// Customers, one entry each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownCustomers {
    /// What can be seen of them.
    pub statistics: Statistics,
    /// All spend that can be seen, the first purchase included.
    pub total_spend: Vec<f64>,
    /// 1 for who is alive at the end of calibration, else 0.
    pub p_alive: Vec<f64>,
    /// Purchases expected within the horizon by its own rates.
    pub expected_transactions: Vec<f64>,
    /// The mean value of its purchases.
    pub expected_spend: Vec<f64>,
    /// What it is worth within the horizon by its own rates.
    pub clv: Vec<f64>,
    /// Stable hash of its id.
    pub hash: Vec<u64>,
}

impl KnownCustomers {
    /// So many customers of a world.
    pub fn drawn(
        parameters: &WorldParameters,
        customers: u32,
        value: &ValueOptions,
        first_order: FirstOrder,
        (seed, world): (u64, u32),
    ) -> KnownCustomers {
        let mut out = KnownCustomers::default();
        for i in 0..customers {
            let address = u64::from(world) << 32 | u64::from(i);
            let mut stream = Stream::new(seed, hash_integer(address), 1, Purpose::Synth);
            out.push(parameters, value, first_order, &mut stream);
            out.hash.push(hash_integer(address));
        }
        out
    }

    fn push(
        &mut self,
        parameters: &WorldParameters,
        value: &ValueOptions,
        first_order: FirstOrder,
        stream: &mut Stream,
    ) {
        let natural = &parameters.purchases;
        let [p, q, gamma] = parameters.spend;
        let t = SEEN.0 + (SEEN.1 - SEEN.0) * stream.uniform();
        let rate = stream.gamma(natural[0]) / natural[1];
        // The rate at which it leaves in time, the probability after a purchase, and how long it lives.
        let (mut leaving, mut leaves, mut life) = (0.0, 0.0, f64::INFINITY);
        match parameters.model {
            ModelName::Nbd => {}
            ModelName::ParetoNbd => {
                leaving = stream.gamma(natural[2]) / natural[3];
                life = stream.exponential() / leaving;
            }
            ModelName::BgNbd | ModelName::MbgNbd => leaves = stream.beta(natural[2], natural[3]),
        }
        let mut alive = parameters.model != ModelName::MbgNbd || stream.uniform() >= leaves;
        let (mut x, mut recency, mut at) = (0, 0.0, 0.0);
        while alive {
            at += stream.exponential() / rate;
            if at > t.min(life) {
                break;
            }
            (x, recency) = (x + 1, at);
            alive = leaves == 0.0 || stream.uniform() >= leaves;
        }
        alive &= life > t;
        let nu = stream.gamma(q) / gamma;
        let of_first = match first_order {
            FirstOrder::Apart => stream.gamma(q) / gamma,
            FirstOrder::Alike => nu,
        };
        let mut spend = |orders: u32, nu: f64| -> f64 { (0..orders).map(|_| stream.gamma(p) / nu).sum() };
        let (first, repeat) = (spend(1, of_first), spend(x, nu));
        let days = Unit::Week.days();
        self.statistics.frequency.push(x);
        self.statistics.recency_days.push(recency * days);
        self.statistics.t_days.push(t * days);
        self.statistics.monetary_value.push(if x > 0 { repeat / f64::from(x) } else { 0.0 });
        self.total_spend.push(first + repeat);
        // Up to a time, of a customer who is alive: leaving after purchases is leaving at p·λ.
        let leaving = leaving + leaves * rate;
        let up_to = |weeks: f64| match leaving {
            0.0 => rate * weeks,
            leaving => rate * (1.0 - (-leaving * weeks).exp()) / leaving,
        };
        let (horizon, step) = (value.horizon.days(), value.horizon.period().days());
        let (mut begin, mut worth, mut orders) = (0.0, 0.0, 0.0);
        while alive && begin < horizon - 1e-6 {
            let end = (begin + step).min(horizon);
            let more = up_to(end / days) - up_to(begin / days);
            orders += more;
            worth += value.discount.factor(end) * more;
            begin = end;
        }
        self.p_alive.push(if alive { 1.0 } else { 0.0 });
        self.expected_transactions.push(orders);
        self.expected_spend.push(p / nu);
        self.clv.push(value.margin * p / nu * worth);
    }

    /// The true figures by the names that they have as columns.
    pub fn truth(&self) -> [(&'static str, &[f64]); 4] {
        [
            ("p_alive", &self.p_alive),
            ("expected_transactions", &self.expected_transactions),
            ("expected_spend", &self.expected_spend),
            ("clv", &self.clv),
        ]
    }
}
