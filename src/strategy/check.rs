//! The strategy file after every check: names resolved, numbers possible, every response that a strategy rests on
//! stated.

use std::collections::BTreeSet;

use serde::Serialize;

use super::DO_NOTHING;
use super::file::{CurveName, ResponseEntry, RuleName, StrategyEntry, StrategyFile};
use super::action::Action;
use super::curve::Curve;
use super::response::Response;
use crate::calendar::Span;
use crate::error::{Error, Result, nearest_first};

/// How a budget is spread over the tiers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Nobody gets anything.
    Nothing,
    /// Every customer the same.
    Uniform { action: usize },
    /// Every tier in proportion to its customers' lifetime value, the same for every customer of a tier.
    ProportionalToClv { action: usize },
    /// Stated shares of the budget by tier.
    Shares { action: usize, shares: Vec<f64> },
}

/// A strategy after checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strategy {
    /// Its name.
    pub name: String,
    /// In words.
    pub description: String,
    /// How the budget is spread.
    pub rule: Rule,
    /// What it may spend.
    pub budget: Option<f64>,
}

/// c
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// n
    pub name: String,
    /// index
    pub tier: usize,
    /// l
    pub lift: f64,
    /// s
    pub sales: f64,
}

/// What is used beside money.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Resources {
    /// Limit of staff minutes.
    pub minutes: Option<f64>,
    /// Money per minute.
    pub minute_cost: f64,
    /// Limit of stock.
    pub stock: Option<f64>,
    /// Money per unit.
    pub stock_cost: f64,
}

/// Strategies that can be simulated: the only way to one is [`StrategySet::new`], which checks everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrategySet {
    /// What the comparison is about.
    pub title: String,
    /// A label for money.
    pub currency: String,
    /// How far ahead.
    pub horizon: Span,
    /// Equal parts of the horizon.
    pub periods: usize,
    /// Discount.
    pub discount: Option<crate::calendar::Discount>,
    /// Resources.
    pub resources: Resources,
    /// New customers.
    pub new_customers: Option<super::belief::Belief>,
    /// Profit per unit of revenue.
    pub margin: f64,
    /// The tier scheme.
    pub scheme: String,
    /// Its tiers, best first.
    pub tiers: Vec<String>,
    /// What can be done.
    pub actions: Vec<Action>,
    /// What it changes.
    pub responses: Vec<Response>,
    /// The strategies; the first is "do nothing".
    pub strategies: Vec<Strategy>,
    /// Claims.
    pub claims: Vec<Claim>,
}

/// Collects what every error about one file has in common.
struct Check<'a> {
    file: &'a str,
}

impl Check<'_> {
    fn fail<T>(&self, problem: String, remedy: impl Into<String>) -> Result<T> {
        Err(Error::Document { file: self.file.to_string(), problem, remedy: remedy.into() })
    }

    /// `value` must be a number from 0 on.
    fn not_negative(&self, key: &str, value: f64) -> Result<f64> {
        if value.is_finite() && value >= 0.0 {
            return Ok(value);
        }
        self.fail(
            format!("{key} = {value} is not a number from 0 on"),
            format!("give {key} a value of at least 0"),
        )
    }

    /// The place of `name` in `known`.
    fn find(&self, what: &str, key: &str, name: &str, known: &[String]) -> Result<usize> {
        match known.iter().position(|k| k == name) {
            Some(i) => Ok(i),
            None => self.fail(
                format!("{key} = \"{name}\" is not {what}"),
                match nearest_first(name, known).as_slice() {
                    [] => format!("there is no such entry yet: add {what}"),
                    [one] => format!("the only one is \"{one}\""),
                    all => format!("did you mean \"{}\"? There are: {}", all[0], known.join(", ")),
                },
            ),
        }
    }

    /// No name twice, no name empty.
    fn distinct<'n>(&self, table: &str, names: impl Iterator<Item = &'n str>) -> Result<()> {
        let mut seen = BTreeSet::new();
        for name in names {
            if name.is_empty() {
                return self.fail(format!("[[{table}]] has an empty name"), "give every entry a name");
            }
            if !seen.insert(name) {
                return self.fail(
                    format!("[[{table}]] name = \"{name}\" occurs twice"),
                    format!("give every {table} a name of its own"),
                );
            }
        }
        Ok(())
    }
}

impl StrategySet {
    /// Checks `typed`. `file` is what errors call it; `schemes` are the tier schemes with their tiers, best first.
    pub fn new(file: &str, typed: StrategyFile, schemes: &[(String, Vec<String>)]) -> Result<StrategySet> {
        let check = Check { file };
        if !(typed.margin.is_finite() && typed.margin > 0.0 && typed.margin <= 1.0) {
            return check.fail(
                format!("margin = {} is not a share of revenue", typed.margin),
                "write the margin as a number above 0 and up to 1, such as 0.3",
            );
        }
        let budget = check.not_negative("budget", typed.budget)?;
        let names: Vec<String> = schemes.iter().map(|(name, _)| name.clone()).collect();
        let scheme =
            check.find("a tier scheme by which the run grades (--scheme)", "tiers", &typed.tiers, &names)?;
        let tiers = schemes[scheme].1.clone();

        check.distinct("action", typed.actions.iter().map(|a| a.name.as_str()))?;
        let mut actions = Vec::new();
        for entry in &typed.actions {
            let key = |field: &str| format!("[[action]] \"{}\": {field}", entry.name);
            check.not_negative(&key("fixed_cost"), entry.fixed_cost)?;
            if let Some(cap) = entry.max_per_customer {
                check.not_negative(&key("max_per_customer"), cap)?;
            }
            actions.push(Action {
                name: entry.name.clone(),
                kind: super::action::Kind::Own,
                cost_on_contact: None, cost_on_response: 0.0, price_cut: 0.0, points: 0.0,
                breakage: super::belief::Belief::fixed(0.0), cannibalisation: super::belief::Belief::fixed(0.0),
                minutes_on_contact: 0.0, minutes_on_response: 0.0, stock_on_contact: 0.0, stock_on_response: 0.0,
                max_customers: None,
                description: entry.description.clone(),
                fixed_cost: entry.fixed_cost,
                max_per_customer: entry.max_per_customer,
            });
        }
        let action_names: Vec<String> = actions.iter().map(|a| a.name.clone()).collect();

        let mut responses: Vec<Response> = Vec::new();
        for entry in typed.responses {
            let key = format!("[[response]] of \"{}\" on tier \"{}\"", entry.action, entry.tier);
            check.find("an [[action]]", "[[response]] action", &entry.action, &action_names)?;
            check.find("a tier of this scheme", "[[response]] tier", &entry.tier, &tiers)?;
            let action = action_names.iter().position(|n| *n == entry.action).unwrap();
            let tier = tiers.iter().position(|n| *n == entry.tier).unwrap();
            responses.push(check_response(&check, &key, entry, action, tier)?);
        }

        check.distinct("strategy", typed.strategies.iter().map(|s| s.name.as_str()))?;
        let mut strategies = vec![Strategy {
            name: DO_NOTHING.to_string(),
            description: "No action and no cost: the baseline of every difference.".to_string(),
            rule: Rule::Nothing,
            budget: Some(0.0),
        }];
        for entry in typed.strategies {
            strategies.push(check_strategy(
                &check,
                entry,
                budget,
                &action_names,
                &actions,
                &tiers,
                &responses,
            )?);
        }
        Ok(StrategySet {
            title: typed.title,
            currency: typed.currency,
            horizon: typed.horizon,
            periods: typed.horizon.count().ceil() as usize,
            discount: None, resources: Resources::default(), new_customers: None,
            margin: typed.margin,
            scheme: typed.tiers,
            tiers,
            actions,
            responses,
            strategies,
            claims: Vec::new(),
        })
    }

}

fn check_response(check: &Check, key: &str, entry: ResponseEntry, action: usize, tier: usize) -> Result<Response> {
    let ResponseEntry { effect, lower, upper, scale, exponent, .. } = entry;
    let ordered = lower <= effect && effect <= upper && lower.is_finite() && upper.is_finite();
    if !ordered {
        return check.fail(
            format!("{key}: lower = {lower}, effect = {effect}, upper = {upper} are not in this order"),
            "lower and upper are the ends of the effect's 95 % interval; make all three equal to hold it fixed",
        );
    }
    if !(scale.is_finite() && scale > 0.0) {
        return check.fail(
            format!("{key}: scale = {scale} is not a positive amount of money"),
            "give the money per customer at which the curve bends",
        );
    }
    let curve = match (entry.curve, exponent) {
        (CurveName::Saturating, None) => Curve::Saturating { scale },
        (CurveName::Log, None) => Curve::Log { scale },
        (CurveName::Power, Some(exponent)) if exponent > 0.0 && exponent <= 1.0 => {
            Curve::Power { scale, exponent }
        }
        (CurveName::Power, given) => {
            let given = given.map_or("missing".to_string(), |e| e.to_string());
            return check.fail(
                format!("{key}: the exponent of curve \"power\" is {given}"),
                "give exponent a value above 0 and up to 1",
            );
        }
        (CurveName::Saturating | CurveName::Log, Some(exponent)) => {
            return check.fail(
                format!("{key}: exponent = {exponent} has no meaning for this curve"),
                "leave exponent out, or use curve = \"power\"",
            );
        }
    };
    Ok(Response {
        key: format!("{}\u{1f}{}\u{1f}{}", entry.action, entry.tier, entry.on.name()),
        action, tier, on: entry.on, curve, halves: None,
        effect: super::belief::Belief { value: effect, lower, upper, source: entry.source, note: entry.note },
    })
}

fn check_strategy(
    check: &Check,
    entry: StrategyEntry,
    budget: f64,
    action_names: &[String],
    actions: &[Action],
    tiers: &[String],
    responses: &[Response],
) -> Result<Strategy> {
    let key = format!("[[strategy]] \"{}\"", entry.name);
    if entry.name == DO_NOTHING || entry.name == "all" {
        return check.fail(
            format!("{key}: this name is taken"),
            format!("\"{DO_NOTHING}\" is always compared; choose another name"),
        );
    }
    let action = check.find("an [[action]]", &format!("{key}: action"), &entry.action, action_names)?;
    let budget = match entry.budget {
        Some(own) => check.not_negative(&format!("{key}: budget"), own)?,
        None => budget,
    };
    if actions[action].fixed_cost > budget {
        return check.fail(
            format!(
                "{key}: the fixed cost {} of its action is above its budget {budget}",
                actions[action].fixed_cost
            ),
            "raise the budget or lower the fixed cost",
        );
    }
    let _ = responses;
    let rule = match entry.rule {
        RuleName::Uniform => Rule::Uniform { action },
        RuleName::ProportionalToClv => Rule::ProportionalToClv { action },
        RuleName::Shares => {
            let mut shares = vec![0.0; tiers.len()];
            for (tier, &share) in &entry.shares {
                let at = check.find("a tier of this scheme", &format!("{key}: shares"), tier, tiers)?;
                shares[at] = check.not_negative(&format!("{key}: shares.{tier}"), share)?;
            }
            let sum: f64 = shares.iter().sum();
            if (sum - 1.0).abs() > 1e-9 {
                return check
                    .fail(format!("{key}: the shares add up to {sum}"), "make the shares add up to 1");
            }
            Rule::Shares { action, shares }
        }
    };
    if !matches!(rule, Rule::Shares { .. }) && !entry.shares.is_empty() {
        return check.fail(
            format!("{key}: shares have no meaning for its rule"),
            "leave shares out, or use rule = \"shares\"",
        );
    }
    Ok(Strategy { name: entry.name, description: entry.description, rule, budget: Some(budget) })
}
