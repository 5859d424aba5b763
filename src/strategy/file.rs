//! The strategy file as typed: TOML whose every key is known, nothing checked yet. Its JSON schema is made of the same types
//! ([`schema`]); docs/strategy-file.md describes it for those who write one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::action::Kind;
use super::belief::Source;
use super::file_belief::{Amount, NewCustomersEntry};
use super::response::Lever;
use crate::calendar::{Discount, Span};
use crate::error::{Error, Result, slip_of};

/// A strategy file: what a company may do, what that is believed to change, and the ways to spread what it has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyFile {
    /// What the comparison is about, for the report.
    #[serde(default)]
    pub title: String,
    /// A label for money; nothing is converted.
    #[serde(default)]
    pub currency: String,
    /// How far ahead the futures are simulated: a number and d, w, mo or yr, such as `12mo`.
    #[schemars(with = "String")]
    pub horizon: Span,
    /// Equal parts of the horizon for which results are given: 1 to 120. Without it as many as the horizon counts (12 for
    /// `12mo`), or 12 where it counts more than 60.
    #[schemars(range(min = 1, max = 120))]
    pub periods: Option<u32>,
    /// An effective rate by which later money is worth less, such as `10%/yr`. Without it nothing is discounted.
    #[schemars(with = "Option<String>")]
    pub discount: Option<Discount>,
    /// Profit before the cost of actions, per unit of revenue: above 0 and up to 1.
    pub margin: f64,
    /// What every strategy may spend, unless it says otherwise. Without it money is no limit.
    pub budget: Option<f64>,
    /// The tier scheme that responses, shares and claims speak of.
    pub tiers: String,
    /// What all strategies can use, and what it costs.
    #[serde(default)]
    pub resources: ResourcesEntry,
    /// Customers who are still to come.
    pub new_customers: Option<NewCustomersEntry>,
    /// What can be done.
    #[serde(default, rename = "action")]
    pub actions: Vec<ActionEntry>,
    /// What it is believed to change.
    #[serde(default, rename = "response")]
    pub responses: Vec<ResponseEntry>,
    /// Who gets what.
    #[serde(default, rename = "strategy")]
    pub strategies: Vec<StrategyEntry>,
    /// Claims to be checked against the data.
    #[serde(default, rename = "claim")]
    pub claims: Vec<ClaimEntry>,
}

/// `[resources]`: staff and stock over the horizon. A limit that is left out is none.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourcesEntry {
    /// Staff minutes that contacts may take over the horizon.
    pub minutes: Option<f64>,
    /// What a minute costs: not paid out of the budget, but in the cost and in the probability that it exceeds the budget.
    #[serde(default)]
    pub minute_cost: f64,
    /// Units of stock that contacts may use over the horizon.
    pub stock: Option<f64>,
    /// What a unit costs: not paid out of the budget, but in the cost and in the probability that it exceeds the budget.
    #[serde(default)]
    pub stock_cost: f64,
}

/// `[[action]]`: something that can be done for a customer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionEntry {
    /// Its name, by which responses and strategies refer to it.
    pub name: String,
    /// What kind it is: a label, what it does is in the numbers.
    #[serde(default = "own")]
    pub kind: Kind,
    /// What it is, in words.
    #[serde(default)]
    pub description: String,
    /// Paid once by a strategy that uses it, out of its budget.
    #[serde(default)]
    pub fixed_cost: f64,
    /// The most that can be spent on contacting one customer over the horizon, where the strategy says how much each gets: without
    /// cost_on_contact.
    pub max_per_customer: Option<f64>,
    /// What a contact costs: then a customer gets it or not, and money buys so many contacts. Needed (0 is allowed) where the
    /// effect does not depend on the money: with a price cut, or a constant curve.
    pub cost_on_contact: Option<f64>,
    /// What each order of who was contacted costs, on top of the budget.
    #[serde(default)]
    pub cost_on_response: f64,
    /// The share of the price that is left to who was contacted, on every order: from 0 to below 1.
    #[serde(default)]
    pub price_cut: f64,
    /// The share of what is paid that is given back as points: from 0 to below 1.
    #[serde(default)]
    pub points: f64,
    /// The share of orders on which what costs on response, the cut and the points are not claimed: a number, or a belief.
    #[serde(default)]
    pub breakage: Amount,
    /// The share of the additional revenue that would have come in anyway, later or for other goods: a number, or a belief. Only
    /// gains are lowered by it.
    #[serde(default)]
    pub cannibalisation: Amount,
    /// Staff minutes per contact.
    #[serde(default)]
    pub minutes_on_contact: f64,
    /// Staff minutes per order of who was contacted.
    #[serde(default)]
    pub minutes_on_response: f64,
    /// Units of stock per contact.
    #[serde(default)]
    pub stock_on_contact: f64,
    /// Units of stock per order of who was contacted, where it is claimed.
    #[serde(default)]
    pub stock_on_response: f64,
    /// The most customers that can be contacted.
    pub max_customers: Option<u64>,
}

fn own() -> Kind {
    Kind::Own
}

/// `[[response]]`: what an action does to a tier.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponseEntry {
    /// The action.
    pub action: String,
    /// The tier.
    pub tier: String,
    /// What changes.
    pub on: Lever,
    /// How it depends on the dose: the depth of the action's price cut where it has one, else the money that the contact
    /// costs. A constant one needs an action with cost_on_contact.
    #[serde(default)]
    pub curve: CurveName,
    /// The effect's median (its meaning depends on the curve).
    pub effect: f64,
    /// The lower end of the effect's 95 % interval.
    pub lower: f64,
    /// The upper end of the effect's 95 % interval.
    pub upper: f64,
    /// The dose at which the curve bends (saturating, log, power, hill).
    pub scale: Option<f64>,
    /// The exponent (power: above 0 and up to 1; hill and adbudg: above 0).
    pub exponent: Option<f64>,
    /// ADBUDG's constant: the half of the ceiling is reached where dose^exponent = d.
    pub d: Option<f64>,
    /// The probability of the choice without a cut, of logit: between 0 and 1.
    pub base: Option<f64>,
    /// Of table: pairs of a dose and the share of the effect that it buys, from [0, 0] on.
    #[schemars(with = "Option<Vec<[f64; 2]>>")]
    pub points: Option<Vec<(f64, f64)>>,
    /// Where the numbers come from.
    pub source: Source,
    /// The source in words.
    #[serde(default)]
    pub note: String,
    /// Over how long the effect was measured: a number and d, w, mo or yr, such as `12w`. A warning says where it is held for
    /// longer.
    #[schemars(with = "Option<String>")]
    pub over: Option<Span>,
    /// The effect as each half of a table of contacts alone shows it, where it was learned.
    pub halves: Option<[HalfEntry; 2]>,
}

/// The effect as one half of the contacts shows it.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HalfEntry {
    /// The effect's median.
    pub effect: f64,
    /// The lower end of its 95 % interval.
    pub lower: f64,
    /// The upper end of its 95 % interval.
    pub upper: f64,
}

/// `[[strategy]]`: who gets what.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyEntry {
    /// Its name: not `do_nothing`, which is always compared, nor `all`, as results call sums.
    pub name: String,
    /// In words.
    #[serde(default)]
    pub description: String,
    /// A budget of its own.
    pub budget: Option<f64>,
    /// How it is decided who gets what.
    pub rule: RuleName,
    /// The action; left out with `rules`, where every entry has one, and with a `list` that has a column of them.
    pub action: Option<String>,
    /// Of `shares`: shares of the budget by tier, which add up to 1.
    pub shares: Option<BTreeMap<String, f64>>,
    /// Of `top_n`: the column by which customers are ranked, the greatest first; `clv` without it.
    pub by: Option<String>,
    /// Of `top_n`: how many are contacted.
    pub n: Option<u64>,
    /// Of `top_n`: which share is contacted of those who may be; without n and share as many as can be paid.
    pub share: Option<f64>,
    /// Of `top_n`: the money for each, for an action without cost_on_contact.
    pub per_customer: Option<f64>,
    /// Of `rules`: who gets what, in order; the first whose rule matches decides.
    pub give: Option<Vec<GiveEntry>>,
    /// Of `list`: a CSV with the column customer_id and if need be action and per_customer; its path from the folder of this
    /// file.
    pub list: Option<String>,
}

/// An entry of `give`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveEntry {
    /// What is given.
    pub action: String,
    /// Who gets it, in the language of tier rules (docs/rules.md), with the tier's name as column `tier`. Without it, in the
    /// last entry: everybody whom no entry before took.
    #[serde(rename = "where")]
    pub when: Option<String>,
    /// The money for each, for an action without cost_on_contact; its max_per_customer without it.
    pub per_customer: Option<f64>,
    /// Only this share of those who match, by lot.
    pub share: Option<f64>,
    /// At most so many of those who match, by lot.
    pub limit: Option<u64>,
}

/// `[[claim]]`: something that is said of a tier, to be checked against the data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimEntry {
    /// What is said.
    pub name: String,
    /// The tier.
    pub tier: String,
    /// By what share its customers are said to order more.
    pub lift: f64,
    /// By what share all sales are said to have risen through that.
    pub sales: f64,
}

/// The shapes that a response can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CurveName {
    /// effect, whatever the dose.
    #[default]
    Constant,
    /// effect × (1 − e^(−dose/scale)).
    Saturating,
    /// Another word for saturating.
    Exponential,
    /// effect × ln(1 + dose/scale).
    Log,
    /// effect × (dose/scale)^exponent.
    Power,
    /// effect × dose^exponent/(scale^exponent + dose^exponent).
    Hill,
    /// effect × dose^exponent/(d + dose^exponent).
    Adbudg,
    /// The lift of a choice of probability `base` whose log-odds rise by effect × dose.
    Logit,
    /// effect × the share at the dose, by straight lines between points.
    Table,
}

impl CurveName {
    /// As written in a strategy file.
    pub fn name(self) -> &'static str {
        match self {
            CurveName::Constant => "constant",
            CurveName::Saturating => "saturating",
            CurveName::Exponential => "exponential",
            CurveName::Log => "log",
            CurveName::Power => "power",
            CurveName::Hill => "hill",
            CurveName::Adbudg => "adbudg",
            CurveName::Logit => "logit",
            CurveName::Table => "table",
        }
    }
}

/// The ways to decide who gets what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleName {
    /// Every customer the same; where a contact has a price, by lot.
    Uniform,
    /// Every tier in proportion to its customers' lifetime value.
    ProportionalToClv,
    /// Stated shares of the budget by tier.
    Shares,
    /// The customers who are first by a column.
    TopN,
    /// Whoever a rule takes.
    Rules,
    /// Whoever is named in a list.
    List,
}

impl RuleName {
    /// As written in a strategy file.
    pub fn name(self) -> &'static str {
        match self {
            RuleName::Uniform => "uniform",
            RuleName::ProportionalToClv => "proportional_to_clv",
            RuleName::Shares => "shares",
            RuleName::TopN => "top_n",
            RuleName::Rules => "rules",
            RuleName::List => "list",
        }
    }
}

impl StrategyFile {
    /// Reads the text of a strategy file; `name` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Document`] for what is no TOML, an unknown key, a missing one, or a value of another type.
    pub fn parse(name: &str, text: &str) -> Result<StrategyFile> {
        toml::from_str(text).map_err(|e| {
            // Hints of values do not come through serde.
            let remedy = match e.message() {
                message if message.contains("a span of time") => {
                    "write a number and a unit: 90d, 39w, 12mo or 1yr"
                }
                message if message.contains("a discount rate") => {
                    "write a percentage and its period: 10%/yr, 1%/mo or 0.2%/w"
                }
                _ => "docs/strategy-file.md describes the strategy file key by key",
            };
            let remedy =
                unknown_key(e.message()).map_or(remedy.to_string(), |hint| format!("{hint}; {remedy}"));
            let problem = e.to_string().trim_end().to_string();
            Error::Document { file: name.to_string(), problem, remedy }
        })
    }
}

/// Keys that stand above the first section.
const HEAD: [&str; 8] = ["title", "currency", "horizon", "periods", "discount", "margin", "budget", "tiers"];

/// Where the key belongs that a message of serde says is unknown, or which was meant.
fn unknown_key(message: &str) -> Option<String> {
    let names = message.strip_prefix("unknown field ")?;
    let mut names = names.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    let known: Vec<String> = names.map(String::from).collect();
    if HEAD.contains(&wrong) {
        return Some(format!(
            "{wrong} belongs to the head of the file: write it above the first line in brackets, as every key below such a line is \
             one of that section"
        ));
    }
    slip_of(wrong, &known).map(|meant| format!("did you mean {meant}?"))
}

/// The JSON schema of strategy files (draft 2020-12), for editors and other programs.
///
/// # Errors
/// [`Error::Internal`] where it cannot be written as text, which would be a defect.
pub fn schema() -> Result<String> {
    let schema = schemars::schema_for!(StrategyFile);
    serde_json::to_string_pretty(&schema).map_err(|e| Error::internal("writing the schema", e))
}
