//! The strategy file as typed: TOML whose every key is known, nothing checked yet.

use serde::Deserialize;

use super::response::{Lever, Source};
use crate::calendar::Span;
use crate::error::{Error, Result};

/// A strategy file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyFile {
    /// What the comparison is about, for the report.
    #[serde(default)]
    pub title: String,
    /// A label for money; nothing is converted.
    #[serde(default)]
    pub currency: String,
    /// How far ahead the futures are simulated, such as `12mo`.
    pub horizon: Span,
    /// Profit before the cost of actions, per unit of revenue.
    pub margin: f64,
    /// What every strategy may spend, unless it says otherwise.
    pub budget: f64,
    /// The tier scheme that responses and shares speak of.
    pub tiers: String,
    /// What can be done.
    #[serde(default, rename = "action")]
    pub actions: Vec<ActionEntry>,
    /// What it is believed to change.
    #[serde(default, rename = "response")]
    pub responses: Vec<ResponseEntry>,
    /// How money is spread.
    #[serde(default, rename = "strategy")]
    pub strategies: Vec<StrategyEntry>,
}

/// `[[action]]`: something that money per customer buys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionEntry {
    /// Its name, by which responses and strategies refer to it.
    pub name: String,
    /// What it is, in words.
    #[serde(default)]
    pub description: String,
    /// Paid once by a strategy that uses it, out of its budget.
    #[serde(default)]
    pub fixed_cost: f64,
    /// The most that can be spent on one customer over the horizon.
    pub max_per_customer: Option<f64>,
}

/// `[[response]]`: what an action does to a tier.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseEntry {
    /// The action.
    pub action: String,
    /// The tier.
    pub tier: String,
    /// What changes.
    pub on: Lever,
    /// The shape.
    pub curve: CurveName,
    /// The most likely effect (its meaning depends on the curve) …
    pub effect: f64,
    /// … and the ends of its 95 % interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Money per customer at which the curve bends.
    pub scale: f64,
    /// The exponent of `power`, between 0 and 1.
    pub exponent: Option<f64>,
    /// Where the numbers come from.
    pub source: Source,
    /// The source in words.
    #[serde(default)]
    pub note: String,
    /// The effect on two halves of the customers that it was learned from, where it was: what one half has chosen the other can judge.
    pub halves: Option<[HalfEntry; 2]>,
}

/// An effect on half of the customers.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfEntry {
    /// The effect …
    pub effect: f64,
    /// … and the ends of its 95 % interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// `[[strategy]]`: an action, and how the budget is spread over the tiers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyEntry {
    /// Its name.
    pub name: String,
    /// In words.
    #[serde(default)]
    pub description: String,
    /// The action that the money buys.
    pub action: String,
    /// How the budget is spread.
    pub rule: RuleName,
    /// Shares of the budget by tier, for `shares`.
    #[serde(default)]
    pub shares: std::collections::BTreeMap<String, f64>,
    /// A budget of its own.
    pub budget: Option<f64>,
}

/// The shapes that a response can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveName {
    /// effect × (1 − e^(−money/scale)).
    Saturating,
    /// effect × ln(1 + money/scale).
    Log,
    /// effect × (money/scale)^exponent.
    Power,
}

/// The ways to spread a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleName {
    /// Every customer the same.
    Uniform,
    /// Every tier in proportion to its customers' lifetime value.
    ProportionalToClv,
    /// Stated shares by tier.
    Shares,
}

impl StrategyFile {
    /// Reads the text of a strategy file; `name` is what errors call it.
    pub fn parse(name: &str, text: &str) -> Result<StrategyFile> {
        toml::from_str(text).map_err(|e| Error::Document {
            file: name.to_string(),
            problem: e.to_string().trim_end().to_string(),
            remedy: "the README describes the strategy file key by key".to_string(),
        })
    }
}
