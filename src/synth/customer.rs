//! One customer: its own rates, when it comes and leaves, and what it buys.

use super::plan::{DAYS_PER_WEEK, Model, Plan};
use crate::random::{Purpose, Stream, hash_integer};

/// What streams of one customer are for; a customer's rates do not change with how often it buys.
const RATES: u32 = 0;
const TIMES: u32 = 1;
const AMOUNTS: u32 = 2;

const MICROSECONDS_PER_WEEK: f64 = DAYS_PER_WEEK * 86_400e6;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// The mean length of a year of the Gregorian calendar, in days.
const YEAR: f64 = 365.2425;

/// The seasons' peak, as a day of the year counted from 0: 15 December.
const PEAK: f64 = 348.0;

/// A purchase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchase {
    /// Weeks after the customer's first purchase.
    pub at: f64,
    /// Microseconds since 1970.
    pub time: i64,
    /// Rounded to cents.
    pub amount: f64,
}

/// How a customer's leaving was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Departure {
    /// Pareto/NBD: its dropout rate a week, and the weeks from the first purchase to its leaving.
    After {
        /// The rate.
        mu: f64,
        /// Weeks; infinite when the rate is 0 to the last digit.
        lifetime: f64,
    },
    /// BG/NBD: the probability of leaving after a repeat purchase, and whether it did so in the window.
    Purchase {
        /// The probability.
        p: f64,
        /// Whether it left.
        left: bool,
    },
}

/// A customer with its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its number, from 0.
    pub index: u32,
    /// Weeks from its first purchase to the end of the window: the model's T.
    pub weeks: f64,
    /// Its purchase rate a week.
    pub lambda: f64,
    /// How it leaves.
    pub departure: Departure,
    /// The rate of its amounts: they have mean p/ν.
    pub nu: f64,
    /// Its purchases by time; the first is the one that makes it a customer.
    pub purchases: Vec<Purchase>,
}

impl Customer {
    /// Whether it had not left at the end of the window.
    pub fn is_alive(&self) -> bool {
        match self.departure {
            Departure::After { lifetime, .. } => lifetime > self.weeks,
            Departure::Purchase { left, .. } => !left,
        }
    }
}

impl Plan {
    /// Draws customer `index` (from 0).
    pub fn customer(&self, index: u32) -> Customer {
        let config = self.config();
        let key = hash_integer(u64::from(index));
        let stream = |part| Stream::new(config.seed, key, part, Purpose::Synth);
        let mut rates = stream(RATES);
        let joined = self.join_weeks * rates.uniform();
        let weeks = self.weeks - joined;
        let nu = rates.gamma(config.spend.q) / config.spend.gamma;
        let (r, alpha) = config.model.rates();
        let lambda = rates.gamma(r) / alpha;
        let mut departure = match config.model {
            Model::ParetoNbd { s, beta, .. } => {
                let mu = rates.gamma(s) / beta;
                Departure::After { mu, lifetime: rates.exponential() / mu }
            }
            Model::BgNbd { a, b, .. } => Departure::Purchase { p: rates.beta(a, b), left: false },
        };
        let until = match departure {
            Departure::After { lifetime, .. } => lifetime.min(weeks),
            Departure::Purchase { .. } => weeks,
        };
        let start = i64::from(config.start.0) * MICROSECONDS_PER_DAY;
        let last = start + (self.weeks * MICROSECONDS_PER_WEEK) as i64 - 1;
        let mut amounts = stream(AMOUNTS);
        let mut purchase = |at: f64| Purchase {
            at,
            // Rounding must not carry a purchase into the day after the window.
            time: (start + ((joined + at) * MICROSECONDS_PER_WEEK) as i64).min(last),
            amount: (amounts.gamma(config.spend.p) / nu * 100.0).round() / 100.0,
        };
        let mut purchases = vec![purchase(0.0)];
        let mut times = stream(TIMES);
        let swing = config.seasonality;
        // Thinning (Lewis and Shedler 1979): candidates at the highest rate of the year, each kept with the share
        // that the rate of its day is of it.
        let candidates = lambda * (1.0 + swing);
        let mut at = 0.0;
        loop {
            at += times.exponential() / candidates;
            // With a rate of 0 the time is infinite, and this ends too.
            if at >= until {
                break;
            }
            if swing > 0.0 && times.uniform() * (1.0 + swing) >= self.season(joined + at) {
                continue;
            }
            purchases.push(purchase(at));
            if let Departure::Purchase { p, left } = &mut departure
                && times.uniform() < *p
            {
                *left = true;
                break;
            }
        }
        Customer { index, weeks, lambda, departure, nu, purchases }
    }

    /// The factor on purchase rates `weeks` after the start of the window: 1 on average over a year, highest on
    /// 15 December.
    pub fn season(&self, weeks: f64) -> f64 {
        // 1970-01-01 was the first day of a year.
        let day = f64::from(self.config().start.0) + weeks * DAYS_PER_WEEK - PEAK;
        1.0 + self.config().seasonality * (std::f64::consts::TAU * day / YEAR).cos()
    }
}
