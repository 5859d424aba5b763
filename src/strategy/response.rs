//! Responses: what a dose of an action does to a lever of a tier's customers, with the uncertainty of what is believed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::belief::Belief;
use super::curve::Curve;
use crate::calendar::Span;

/// What a response changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lever {
    /// The customer's purchase rate is multiplied by 1 + lift.
    PurchaseRate,
    /// The customer's inclination to leave is multiplied by 1 + lift: the rate of dropout (Pareto/NBD), or −ln(1 − p) with p
    /// the probability of dropout after a purchase (BG/NBD, MBG/NBD). Below 0 it keeps customers.
    Dropout,
    /// Who has left comes back with the lift as probability.
    Reactivation,
    /// What each of its orders is worth is multiplied by 1 + lift.
    Spend,
}

impl Lever {
    /// All of them.
    pub const ALL: [Lever; 4] = [Lever::PurchaseRate, Lever::Dropout, Lever::Reactivation, Lever::Spend];

    /// The lever as written in a strategy file.
    pub fn name(self) -> &'static str {
        match self {
            Lever::PurchaseRate => "purchase_rate",
            Lever::Dropout => "dropout",
            Lever::Reactivation => "reactivation",
            Lever::Spend => "spend",
        }
    }
}

/// A lift learned on one half of a table of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Half {
    /// The median.
    pub effect: f64,
    /// 2.5 % quantile.
    pub lower: f64,
    /// 97.5 % quantile.
    pub upper: f64,
}

/// What one action does to one lever in one tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// Index of the action.
    pub action: usize,
    /// Index of the tier.
    pub tier: usize,
    /// What changes.
    pub on: Lever,
    /// How it depends on the dose.
    pub curve: Curve,
    /// The effect; its meaning depends on the curve.
    pub effect: Belief,
    /// Over how long the effect was measured, where it is said; it is held for the whole horizon all the same.
    pub over: Option<Span>,
    /// The effect as each half of the contacts alone shows it, where it was learned.
    pub halves: Option<[Half; 2]>,
    /// Names it among all that is believed: action, tier and lever.
    pub key: String,
}

impl Response {
    /// The factor on the lever (or, for reactivation, the probability) where the effect is `effect`; never below 0, and a
    /// probability never above 1.
    pub fn factor(&self, effect: f64, dose: f64) -> f64 {
        let lift = self.curve.lift(effect, dose);
        match self.on {
            Lever::Reactivation => lift.clamp(0.0, 1.0),
            _ => (1.0 + lift).max(0.0),
        }
    }
}
