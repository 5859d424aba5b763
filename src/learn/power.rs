//! How many customers the next test needs.

use serde::Serialize;

use super::effect::{Effect, Estimator, Z};
use crate::random::normal_quantile;

/// The probability with which an effect is to be found.
const POWER: f64 = 0.8;

/// What a test like this one can find in a tier, at the 5 % level and with 80 % power.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Power {
    /// The action.
    pub action: String,
    /// The tier.
    pub tier: String,
    /// The smallest lift that this test would probably have found.
    pub detectable_lift: Option<f64>,
    /// The lift that is asked for.
    pub lift: f64,
    /// Customers whom a test with the same shares needs to find it.
    pub customers: Option<u64>,
}

/// Of every effect: what it could find, and how many customers a test needs to find `lift`. Both from the standard error of the
/// doubly robust effect, which shrinks with the root of the number of customers.
pub fn power(effects: &[Effect], lift: f64) -> Vec<Power> {
    let needed = Z + normal_quantile(POWER);
    let of_effect = |effect: &Effect| {
        let error = effect.by(Estimator::DoublyRobust).map(|estimate| estimate.standard_error);
        let base = Some(effect.base).filter(|mean| *mean > 0.0);
        let detectable_lift = error.zip(base).map(|(error, base)| needed * error / base);
        let customers = (effect.treated + effect.untreated) as f64;
        let wanted =
            detectable_lift.map(|detectable| (customers * (detectable / lift).powi(2)).ceil() as u64);
        Power {
            action: effect.action.clone(),
            tier: effect.tier.clone(),
            detectable_lift,
            lift,
            customers: wanted,
        }
    };
    effects.iter().map(of_effect).collect()
}
