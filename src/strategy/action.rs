//! Actions after checks: what a contact costs and uses, and what an order of who was contacted does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::belief::Belief;

/// What an action is, in the field's words. It is a label: what it does is in the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One person who looks after the customer.
    DedicatedManager,
    /// A regular call.
    CallBack,
    /// A promotion.
    Promotion,
    /// Points for what is bought.
    Points,
    /// A gift.
    Gift,
    /// New goods before others.
    EarlyAccess,
    /// A coupon for who has stayed away.
    WinBackCoupon,
    /// A trial without charge.
    FreeTrial,
    /// Service in batches, for many at little cost.
    BatchService,
    /// Anything else.
    Own,
}

/// An action after checks. Money is in the file's currency, minutes and stock per customer or order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// What it is, in words.
    pub description: String,
    /// Paid once by a strategy that uses it.
    pub fixed_cost: f64,
    /// What a contact costs; then a customer gets it or not. Without, the rule says how much money each gets.
    pub cost_on_contact: Option<f64>,
    /// What each order of a customer who was contacted costs (a gift, free delivery).
    pub cost_on_response: f64,
    /// The share of the price that is left to who was contacted, on every order.
    pub price_cut: f64,
    /// The share of what is paid that is given back as points.
    pub points: f64,
    /// The share of orders on which what costs on response is not claimed.
    pub breakage: Belief,
    /// The share of the additional revenue that would have come in anyway, later or for other goods.
    pub cannibalisation: Belief,
    /// Staff minutes per contact.
    pub minutes_on_contact: f64,
    /// Staff minutes per order of who was contacted.
    pub minutes_on_response: f64,
    /// Units of stock per contact.
    pub stock_on_contact: f64,
    /// Units of stock per order of who was contacted, where it is claimed.
    pub stock_on_response: f64,
    /// The most that can be spent on contacting one customer over the horizon.
    pub max_per_customer: Option<f64>,
    /// The most customers that can be contacted.
    pub max_customers: Option<u64>,
}

impl Action {
    /// What curves look at: the depth of the price cut where there is one, else the money that the contact costs.
    pub fn dose(&self, money: f64) -> f64 {
        if self.price_cut > 0.0 { self.price_cut } else { money }
    }
}
