//! What the list says of a customer besides who it is: things that its behaviour shows in, and what it costs.

use super::population::Profile;
use super::{Part, stream};

/// Share of the customers who answered how satisfied they are.
pub const ANSWERED: f64 = 0.7;

/// Share of those on the list who do not want to be contacted.
pub const OPTED_OUT: f64 = 0.06;

/// Factors of complexity 1, 2 and 3 on the cost of serving a customer.
pub const COMPLEXITY_FACTORS: [f64; 3] = [0.6, 1.0, 2.2];

/// Satisfaction is 3.2 less half of what ln μ lies above this, and noise, rounded and kept from 1 to 5. It is the middle
/// of ln μ among persons.
const MIDDLE_LN_MU: f64 = -4.4;

/// Least and largest credit limit, in euros.
const CREDIT: (f64, f64) = (200.0, 50_000.0);

/// A customer's entries in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// 1 (not at all) to 5; none of prospects and of those who did not answer.
    pub satisfaction: Option<i32>,
    /// In whole hundreds of euros; none of persons and prospects.
    pub credit_limit: Option<f64>,
    /// What serving it costs in a year, in euros; none of prospects.
    pub cost_to_serve: Option<f64>,
    /// How much work its orders are, 1 to 3.
    pub complexity: i32,
    /// Whether it does not want to be contacted.
    pub opted_out: bool,
}

impl Listing {
    pub(super) fn draw(seed: u64, profile: &Profile) -> Listing {
        let mut stream = stream(seed, profile.number, Part::List);
        let nature = profile.nature;
        let u = stream.uniform();
        let place = usize::from(u >= nature.complexity[0]) + usize::from(u >= 1.0 - nature.complexity[2]);
        let opted_out = stream.uniform() < OPTED_OUT;
        let answered = stream.uniform() < ANSWERED;
        let [mood, service, credit] = [stream.normal(), stream.normal(), stream.normal()];
        let mut listing = Listing {
            satisfaction: None,
            credit_limit: None,
            cost_to_serve: None,
            complexity: place as i32 + 1,
            opted_out,
        };
        let Some(behaviour) = &profile.behaviour else { return listing };
        let mark = 3.2 - 0.5 * (behaviour.mu.ln() - MIDDLE_LN_MU) + 0.6 * mood;
        listing.satisfaction = answered.then_some(mark.round().clamp(1.0, 5.0) as i32);
        let cost = nature.service * COMPLEXITY_FACTORS[place] * (0.4 * service).exp();
        listing.cost_to_serve = Some((cost * 100.0).round() / 100.0);
        if profile.industry.is_some() {
            let of_a_year = 52.0 * behaviour.lambda * behaviour.mean_amount();
            let limit = (0.8 * of_a_year * (0.4 * credit).exp() / 100.0).ceil() * 100.0;
            listing.credit_limit = Some(limit.clamp(CREDIT.0, CREDIT.1));
        }
        listing
    }
}
