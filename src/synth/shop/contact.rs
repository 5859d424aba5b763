//! One randomised contact: a call-back on a day, with a probability known by stratum, and what it does.
//!
//! Whoever had ordered before the day and has not opted out is in the trial. Strata are the value tiers of that moment:
//! by what customers spent before the day, the top 20 %, the next 30 %, the rest. A call multiplies the purchase rate
//! by 1 + lift of the stratum × response of the nature for the weeks of the outcome window, while the customer has not
//! left; nothing else changes.

use super::list::Listing;
use super::orders::Purchase;
use super::population::Profile;
use super::{CONTACT_WEEK, OUTCOME_WEEKS, Part, stream};

/// Customers of like value on the day of the contact.
#[derive(Debug, PartialEq)]
pub struct Stratum {
    /// Its name in the files.
    pub name: &'static str,
    /// It ends with this share of the customers, the biggest spenders first, in percent.
    pub up_to: u64,
    /// Probability of a call.
    pub probability: f64,
    /// What a call adds to a person's purchase rate, as a share of it.
    pub lift: f64,
}

/// The strata, the biggest spenders first.
pub static STRATA: [Stratum; 3] = [
    Stratum { name: "high", up_to: 20, probability: 0.6, lift: 0.04 },
    Stratum { name: "mid", up_to: 50, probability: 0.5, lift: 0.6 },
    Stratum { name: "low", up_to: 100, probability: 0.3, lift: 0.25 },
];

/// A customer's part in the trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    /// Its stratum.
    pub stratum: &'static Stratum,
    /// Whether it was called.
    pub treated: bool,
    /// The factor of a call on its purchase rate, whether or not it was called.
    pub multiplier: f64,
    /// The orders that a call adds on average, given its rates and whether it was still a customer on that day.
    pub extra_orders: f64,
    /// The same in euros.
    pub extra_spend: f64,
}

/// Least spend before the contact, in cents, of each stratum but the last.
pub(super) struct Limits([i64; STRATA.len() - 1]);

impl Limits {
    /// From the spend before the contact of everybody who had ordered. Whoever spent as much as the last one of a
    /// stratum belongs to it, as in the value tiers of a run.
    pub fn new(mut spend: Vec<i64>) -> Limits {
        spend.sort_unstable_by(|a, b| b.cmp(a));
        let n = spend.len() as u64;
        Limits(std::array::from_fn(|i| {
            let rank = (STRATA[i].up_to * n).div_ceil(100);
            spend.get((rank as usize).saturating_sub(1)).copied().unwrap_or(0)
        }))
    }

    fn stratum(&self, spend: i64) -> &'static Stratum {
        let place = self.0.iter().position(|&least| spend >= least).unwrap_or(self.0.len());
        &STRATA[place]
    }
}

/// What was spent before the contact, in cents; none without an order by then.
pub(super) fn spend_before(purchases: &[Purchase]) -> Option<i64> {
    let before = purchases.iter().take_while(|p| p.at < CONTACT_WEEK);
    before.map(|p| p.cents).reduce(|a, b| a + b)
}

impl Contact {
    /// The part of a customer; none where it is not in the trial.
    pub(super) fn draw(
        seed: u64,
        profile: &Profile,
        listing: &Listing,
        purchases: &[Purchase],
        limits: &Limits,
    ) -> Option<Contact> {
        let behaviour = profile.behaviour.as_ref()?;
        let spend = spend_before(purchases)?;
        if listing.opted_out {
            return None;
        }
        let stratum = limits.stratum(spend);
        let treated = stream(seed, profile.number, Part::Contact).uniform() < stratum.probability;
        let multiplier = 1.0 + stratum.lift * profile.nature.response;
        let alive = behaviour.left() > CONTACT_WEEK;
        let weeks = if alive { weeks_alive(behaviour.mu, OUTCOME_WEEKS) } else { 0.0 };
        let extra_orders = (multiplier - 1.0) * behaviour.lambda * weeks;
        let extra_spend = extra_orders * behaviour.mean_amount();
        Some(Contact { stratum, treated, multiplier, extra_orders, extra_spend })
    }
}

/// Mean weeks until leaving, of the next `weeks`: (1 − e^(−μ·weeks))/μ.
pub(super) fn weeks_alive(mu: f64, weeks: f64) -> f64 {
    let expected = mu * weeks;
    // The limit at 0, to the last digit.
    if expected < 1e-16 { weeks } else { -(-expected).exp_m1() / mu }
}
