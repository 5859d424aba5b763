//! A shop of twenty thousand customers from known parameters: the data set `datasets/shop`.
//!
//! Where [`crate::synth`] writes histories of one population, of any size, this writes one company with all that grading,
//! strategies and learning from experiments need: a list with attributes that say something of behaviour, costs, prospects,
//! the dirt of an export, and one randomised contact whose effect is known. `population` has every planted number.
//!
//! Each customer is drawn from streams of its own, so that nothing depends on threads, and a customer who is not contacted
//! has the orders it would have had in a shop without contacts.

mod contact;
mod dirt;
mod list;
mod orders;
mod population;
#[cfg(test)]
mod tests;
mod truth;
mod write;

pub use contact::{Contact, STRATA, Stratum};
pub use dirt::{DUPLICATES, GUESTS, NO_AMOUNT, NO_DATE, ORPHAN_REFUNDS, REFUNDS, SPREADSHEET_DATES};
pub use list::{ANSWERED, COMPLEXITY_FACTORS, Listing, OPTED_OUT};
pub use orders::{AT_HOME, Purchase};
pub use population::{
    AMOUNT_SHAPE, Behaviour, CHANNELS, Level, NATURES, Nature, OPENING_SHARE, OPENING_WEEKS, PROSPECTS,
    Profile, REGIONS, SIGNUP_DAYS, SOURCES,
};
pub use truth::Truth;
pub use write::{CONTACTS, CUSTOMERS_LIST, ORDERS, TRUTH};

use crate::calendar::Day;
use crate::parallel;
use crate::random::{Purpose, Stream, hash_integer};

/// The seed of the bundled data set.
pub const SEED: u64 = 1;
/// Customers and prospects of the bundled data set.
pub const CUSTOMERS: u32 = 20_000;
/// The day on which the shop opens: Monday, 2023-01-02.
pub const START: Day = Day(19_359);
/// Weeks of the history: it ends with Sunday, 2025-06-29.
pub const WEEKS: f64 = 130.0;
/// When customers are contacted, in weeks after the opening: at the beginning of Monday, 2025-01-13.
pub const CONTACT_WEEK: f64 = 106.0;
/// For how many weeks the contact works, and its outcome is counted: up to Sunday, 2025-04-06.
pub const OUTCOME_WEEKS: f64 = 12.0;
/// Weeks after the history of which the truth is told.
pub const FUTURE_WEEKS: f64 = 52.0;

/// What streams of one customer are for. Numbers apart from those of [`crate::synth::Plan`], so that no seed makes the two
/// share their luck.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Part {
    Kind = 100,
    Rates,
    Times,
    Details,
    List,
    Contact,
    CausedTimes,
    CausedDetails,
    Dirt,
}

fn stream(seed: u64, number: u32, part: Part) -> Stream {
    Stream::new(seed, hash_integer(u64::from(number)), part as u32, Purpose::Synth)
}

/// The day that holds a moment, in weeks after the opening.
pub fn day_of(weeks: f64) -> Day {
    Day(START.0 + (weeks * 7.0).floor() as i32)
}

/// A customer or prospect with everything that is known of it, and the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Who it is.
    pub profile: Profile,
    /// What the list says besides.
    pub listing: Listing,
    /// Its orders by time, with those that the contact caused; none for a prospect.
    pub purchases: Vec<Purchase>,
    /// Its part in the trial, if it has one.
    pub contact: Option<Contact>,
    /// The truth at the end; none for a prospect.
    pub truth: Option<Truth>,
}

/// The whole company.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    seed: u64,
    /// Customers and prospects, by number.
    pub members: Vec<Member>,
}

impl Shop {
    /// The company with this many customers and prospects.
    pub fn new(seed: u64, customers: u32) -> Shop {
        let mut members = parallel::collect(customers as usize, |i| {
            let profile = Profile::draw(seed, i as u32 + 1);
            let listing = Listing::draw(seed, &profile);
            let purchases = orders::purchases(seed, &profile);
            Member { profile, listing, purchases, contact: None, truth: None }
        });
        let limits = contact::Limits::new(
            members.iter().filter_map(|m| contact::spend_before(&m.purchases)).collect(),
        );
        for member in &mut members {
            member.meet(seed, &limits);
        }
        Shop { seed, members }
    }
}

impl Member {
    /// Takes part in the trial, if it can, and learns how it ends.
    fn meet(&mut self, seed: u64, limits: &contact::Limits) {
        self.contact = Contact::draw(seed, &self.profile, &self.listing, &self.purchases, limits);
        if let Some(contact) = self.contact.as_ref().filter(|c| c.treated) {
            self.purchases.extend(orders::caused(seed, &self.profile, contact.multiplier));
            self.purchases.sort_by(|a, b| a.at.total_cmp(&b.at));
        }
        self.truth =
            self.profile.behaviour.as_ref().map(|b| Truth::new(b, &self.purchases, self.contact.as_ref()));
    }
}
