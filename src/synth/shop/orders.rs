//! What a customer buys, and what it would not have bought without the contact.

use super::population::{AMOUNT_SHAPE, Behaviour, CHANNELS, Profile};
use super::{CONTACT_WEEK, OUTCOME_WEEKS, Part, WEEKS, stream};
use crate::random::Stream;

/// Share of a customer's orders that it places in its home channel.
pub const AT_HOME: f64 = 0.85;

/// Probability that an order is paid by voucher: its amount is 0.
const VOUCHERS: f64 = 3e-4;

/// Probability that nobody knows what the goods cost.
const UNKNOWN_COST: f64 = 3e-4;

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub struct Purchase {
    /// Weeks after the opening.
    pub at: f64,
    /// The amount in cents.
    pub cents: i64,
    /// What the goods cost, in cents, where it is known.
    pub cost: Option<i64>,
    /// Where it was placed.
    pub channel: &'static str,
    /// Pieces.
    pub items: i32,
    /// Whether the contact caused it.
    pub caused: bool,
}

/// The orders of a customer that nobody contacts, by time. The first makes it a customer; none for a prospect.
pub(super) fn purchases(seed: u64, profile: &Profile) -> Vec<Purchase> {
    let Some(behaviour) = &profile.behaviour else { return Vec::new() };
    let mut times = stream(seed, profile.number, Part::Times);
    let mut details = stream(seed, profile.number, Part::Details);
    let end = behaviour.left().min(WEEKS);
    let mut out = Vec::new();
    let mut at = behaviour.joined;
    // A rate of 0 to the last digit leads to infinity, where this ends too.
    while out.is_empty() || at < end {
        out.push(purchase(profile, behaviour, at, &mut details, false));
        at += times.exponential() / behaviour.lambda;
    }
    out
}

/// The orders that a contact causes which multiplies the purchase rate by `multiplier` (at least 1) during the outcome
/// window: a Poisson process at the rate added, while the customer has not left.
pub(super) fn caused(seed: u64, profile: &Profile, multiplier: f64) -> Vec<Purchase> {
    let Some(behaviour) = &profile.behaviour else { return Vec::new() };
    let mut times = stream(seed, profile.number, Part::CausedTimes);
    let mut details = stream(seed, profile.number, Part::CausedDetails);
    let added = (multiplier - 1.0) * behaviour.lambda;
    let end = behaviour.left().min(CONTACT_WEEK + OUTCOME_WEEKS);
    let mut out = Vec::new();
    let mut at = CONTACT_WEEK + times.exponential() / added;
    while at < end {
        out.push(purchase(profile, behaviour, at, &mut details, true));
        at += times.exponential() / added;
    }
    out
}

fn purchase(
    profile: &Profile,
    behaviour: &Behaviour,
    at: f64,
    details: &mut Stream,
    caused: bool,
) -> Purchase {
    let euros = details.gamma(AMOUNT_SHAPE) / behaviour.nu;
    let amount = ((euros * 100.0).round() as i64).max(1);
    let share = behaviour.cost_share * (0.06 * details.normal()).exp();
    let cost = (amount as f64 * share).round() as i64;
    let pieces = euros / profile.nature.piece * (0.3 * details.normal()).exp();
    let home = std::ptr::eq(profile.channel, &CHANNELS[0]);
    let online = home == (details.uniform() < AT_HOME);
    Purchase {
        at,
        cents: if details.uniform() < VOUCHERS { 0 } else { amount },
        cost: (details.uniform() >= UNKNOWN_COST).then_some(cost),
        channel: CHANNELS[usize::from(!online)].name,
        items: (pieces.round() as i32).max(1),
        caused,
    }
}
