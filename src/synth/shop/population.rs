//! Who the customers are, and every number that is planted in their behaviour.
//!
//! A customer buys as in Pareto/NBD (Schmittlein, Morrison and Colombo 1987): purchases at its own rate λ a week until it
//! leaves after an exponential time with rate μ; amounts are gamma with the shape [`AMOUNT_SHAPE`] and its own rate ν
//! (Fader and Hardie, "The Gamma-Gamma Model of Monetary Value", 2013). λ, μ and ν come from gamma distributions of its
//! [`Nature`]; its region, its source and its home channel multiply λ, μ and the mean amount by known factors, as
//! covariates do in Fader and Hardie's note of 2007.

use super::{Part, START, WEEKS, day_of, stream};
use crate::calendar::Day;

/// Shape of the amounts of one customer: p of Gamma-Gamma.
pub const AMOUNT_SHAPE: f64 = 4.0;

/// Share of those on the list who never order.
pub const PROSPECTS: f64 = 0.1;

/// Share of the customers who first order in the opening weeks; the others are spread evenly over the rest.
pub const OPENING_SHARE: f64 = 0.2;

/// How long the opening lasts, in weeks.
pub const OPENING_WEEKS: f64 = 10.0;

/// Mean days from signing up to the first order; nobody signs up before the shop opens.
pub const SIGNUP_DAYS: f64 = 9.0;

/// What a customer is by law, with the distributions of its rates (times in weeks) and what else goes by it.
#[derive(Debug, PartialEq)]
pub struct Nature {
    /// Its name in the files.
    pub name: &'static str,
    /// Share of the list.
    pub share: f64,
    /// Shape of the purchase rates.
    pub r: f64,
    /// Rate of the purchase rates, in weeks.
    pub alpha: f64,
    /// Shape of the dropout rates.
    pub s: f64,
    /// Rate of the dropout rates, in weeks.
    pub beta: f64,
    /// Shape of the rates of amounts: q of Gamma-Gamma.
    pub q: f64,
    /// Mean amount of an order, in euros, before factors.
    pub order_value: f64,
    /// Mean cost of goods as a share of the amount.
    pub cost_share: f64,
    /// Price of a piece, in euros, from which the number of pieces of an order follows.
    pub piece: f64,
    /// Median cost of serving a customer of complexity 2 for a year, in euros.
    pub service: f64,
    /// Shares of complexity 1, 2 and 3.
    pub complexity: [f64; 3],
    /// Factor on the lift of the contact.
    pub response: f64,
    /// Industries with their shares; none for persons.
    pub industries: &'static [(&'static str, f64)],
}

/// The natures.
pub static NATURES: [Nature; 4] = [
    Nature {
        name: "person",
        share: 0.78,
        r: 0.8,
        alpha: 13.0,
        s: 0.65,
        beta: 22.0,
        q: 3.6,
        order_value: 42.0,
        cost_share: 0.62,
        piece: 18.0,
        service: 7.0,
        complexity: [0.8, 0.17, 0.03],
        response: 1.0,
        industries: &[],
    },
    Nature {
        name: "enterprise",
        share: 0.13,
        r: 1.1,
        alpha: 9.0,
        s: 0.5,
        beta: 30.0,
        q: 3.2,
        order_value: 165.0,
        cost_share: 0.76,
        piece: 45.0,
        service: 75.0,
        complexity: [0.3, 0.45, 0.25],
        response: 0.5,
        industries: &[("retail", 0.35), ("manufacturing", 0.25), ("services", 0.25), ("construction", 0.15)],
    },
    Nature {
        name: "government",
        share: 0.03,
        r: 1.6,
        alpha: 18.0,
        s: 0.4,
        beta: 40.0,
        q: 4.0,
        order_value: 210.0,
        cost_share: 0.82,
        piece: 45.0,
        service: 110.0,
        complexity: [0.2, 0.45, 0.35],
        response: 0.5,
        industries: &[("administration", 0.7), ("utilities", 0.3)],
    },
    Nature {
        name: "institution",
        share: 0.06,
        r: 1.0,
        alpha: 12.0,
        s: 0.5,
        beta: 30.0,
        q: 3.4,
        order_value: 110.0,
        cost_share: 0.72,
        piece: 45.0,
        service: 45.0,
        complexity: [0.4, 0.4, 0.2],
        response: 0.5,
        industries: &[("education", 0.45), ("health", 0.35), ("culture", 0.2)],
    },
];

/// A value of an attribute, with the factors by which it moves behaviour.
#[derive(Debug, PartialEq)]
pub struct Level {
    /// Its name in the files.
    pub name: &'static str,
    /// Share of the customers.
    pub share: f64,
    /// Factor on the purchase rate.
    pub rate: f64,
    /// Factor on the dropout rate.
    pub dropout: f64,
    /// Factor on the mean amount.
    pub spend: f64,
}

/// Where customers live.
pub static REGIONS: [Level; 4] = [
    Level { name: "north", share: 0.36, rate: 1.0, dropout: 1.0, spend: 1.0 },
    Level { name: "south", share: 0.28, rate: 0.8, dropout: 1.0, spend: 1.0 },
    Level { name: "east", share: 0.21, rate: 1.25, dropout: 1.0, spend: 0.9 },
    Level { name: "west", share: 0.15, rate: 0.7, dropout: 1.3, spend: 1.2 },
];

/// How they came.
pub static SOURCES: [Level; 3] = [
    Level { name: "organic", share: 0.5, rate: 1.0, dropout: 1.0, spend: 1.0 },
    Level { name: "advertising", share: 0.35, rate: 0.9, dropout: 1.7, spend: 0.9 },
    Level { name: "partner", share: 0.15, rate: 1.3, dropout: 0.7, spend: 1.1 },
];

/// Where they mostly buy.
pub static CHANNELS: [Level; 2] = [
    Level { name: "online", share: 0.62, rate: 1.0, dropout: 1.0, spend: 1.0 },
    Level { name: "store", share: 0.38, rate: 1.0, dropout: 1.0, spend: 1.25 },
];

/// What makes a customer's orders.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// Its first order, in weeks after the opening.
    pub joined: f64,
    /// Its purchase rate a week.
    pub lambda: f64,
    /// Its dropout rate a week.
    pub mu: f64,
    /// Weeks from the first order to its leaving.
    pub lifetime: f64,
    /// The rate of its amounts: they have mean [`AMOUNT_SHAPE`]/ν euros.
    pub nu: f64,
    /// Its cost of goods as a share of the amount.
    pub cost_share: f64,
}

impl Behaviour {
    /// When it leaves, in weeks after the opening.
    pub fn left(&self) -> f64 {
        self.joined + self.lifetime
    }

    /// Its mean amount of an order, in euros.
    pub fn mean_amount(&self) -> f64 {
        AMOUNT_SHAPE / self.nu
    }
}

/// A customer, or a prospect.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its number, from 1.
    pub number: u32,
    /// What it is.
    pub nature: &'static Nature,
    /// Its industry; none for persons.
    pub industry: Option<&'static str>,
    /// Where it lives.
    pub region: &'static Level,
    /// How it came.
    pub source: &'static Level,
    /// Where it mostly buys.
    pub channel: &'static Level,
    /// When it signed up.
    pub signup: Day,
    /// How it buys; none for prospects.
    pub behaviour: Option<Behaviour>,
}

impl Profile {
    /// Its id in the files, such as S00017.
    pub fn id(&self) -> String {
        id(self.number)
    }

    /// The product of the factors on the purchase rate.
    pub fn rate_factor(&self) -> f64 {
        self.region.rate * self.source.rate * self.channel.rate
    }

    /// The product of the factors on the dropout rate.
    pub fn dropout_factor(&self) -> f64 {
        self.region.dropout * self.source.dropout * self.channel.dropout
    }

    /// The product of the factors on the mean amount.
    pub fn spend_factor(&self) -> f64 {
        self.region.spend * self.source.spend * self.channel.spend
    }

    /// Draws the customer with that number.
    pub(super) fn draw(seed: u64, number: u32) -> Profile {
        let mut kind = stream(seed, number, Part::Kind);
        let nature = pick(&NATURES, |n| n.share, kind.uniform());
        let region = pick(&REGIONS, |l| l.share, kind.uniform());
        let source = pick(&SOURCES, |l| l.share, kind.uniform());
        let channel = pick(&CHANNELS, |l| l.share, kind.uniform());
        let industry = kind.uniform();
        let industry = (!nature.industries.is_empty()).then(|| pick(nature.industries, |i| i.1, industry).0);
        let orders = kind.uniform() >= PROSPECTS;
        let (when, wait) = (kind.uniform(), kind.exponential());
        let mut profile =
            Profile { number, nature, industry, region, source, channel, signup: START, behaviour: None };
        if !orders {
            profile.signup = day_of(when * WEEKS);
            return profile;
        }
        let mut rates = stream(seed, number, Part::Rates);
        let joined = joining_week(when);
        let lambda = rates.gamma(nature.r) / nature.alpha * profile.rate_factor();
        let mu = rates.gamma(nature.s) / nature.beta * profile.dropout_factor();
        let lifetime = rates.exponential() / mu;
        // The mean of AMOUNT_SHAPE/ν over the customers of a nature is its order value.
        let scale = nature.order_value * (nature.q - 1.0) / AMOUNT_SHAPE;
        let nu = rates.gamma(nature.q) / (scale * profile.spend_factor());
        let cost_share = (nature.cost_share + 0.09 * rates.normal()).clamp(0.35, 0.99);
        let signup = Day(day_of(joined).0 - (wait * SIGNUP_DAYS) as i32);
        profile.signup = signup.max(START);
        profile.behaviour = Some(Behaviour { joined, lambda, mu, lifetime, nu, cost_share });
        profile
    }
}

/// The id of a number.
pub(super) fn id(number: u32) -> String {
    format!("S{number:05}")
}

/// The week of a first order by inversion of its distribution.
fn joining_week(u: f64) -> f64 {
    if u < OPENING_SHARE {
        u / OPENING_SHARE * OPENING_WEEKS
    } else {
        OPENING_WEEKS + (u - OPENING_SHARE) / (1.0 - OPENING_SHARE) * (WEEKS - OPENING_WEEKS)
    }
}

/// The entry in whose stretch of the cumulative shares `u` falls.
fn pick<T>(entries: &'static [T], share: impl Fn(&T) -> f64, u: f64) -> &'static T {
    let mut up_to = 0.0;
    for entry in entries {
        up_to += share(entry);
        if u < up_to {
            return entry;
        }
    }
    // Shares whose sum is rounded to less than 1.
    &entries[entries.len() - 1]
}
