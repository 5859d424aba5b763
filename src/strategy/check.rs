//! The strategy file after every check: names resolved, numbers possible, every response that a strategy rests on
//! stated.

use std::collections::BTreeSet;

use serde::Serialize;

use super::DO_NOTHING;
use super::file::{CurveName, ResponseEntry, RuleName, StrategyEntry, StrategyFile};
use super::response::{Curve, Lever, Response};
use crate::calendar::Span;
use crate::error::{Error, Result, nearest_first};

/// An action after checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Paid once by a strategy that uses it.
    pub fixed_cost: f64,
    /// The most that can be spent on one customer.
    pub max_per_customer: Option<f64>,
}

/// How a budget is spread over the tiers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Nobody gets anything.
    Nothing,
    /// Every customer the same.
    Uniform,
    /// Every tier in proportion to its customers' lifetime value, the same for every customer of a tier.
    ProportionalToClv,
    /// Stated shares of the budget by tier.
    Shares(Vec<f64>),
}

/// A strategy after checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strategy {
    /// Its name.
    pub name: String,
    /// In words.
    pub description: String,
    /// Index of its action; `None` does nothing.
    pub action: Option<usize>,
    /// How the budget is spread.
    pub rule: Rule,
    /// What it may spend.
    pub budget: f64,
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
            let same = |r: &Response| r.action == entry.action && r.tier == entry.tier && r.on == entry.on;
            if responses.iter().any(same) {
                return check.fail(
                    format!("{key} is stated twice for {}", entry.on.name()),
                    "keep one response per action, tier and lever",
                );
            }
            responses.push(check_response(&check, &key, entry)?);
        }

        check.distinct("strategy", typed.strategies.iter().map(|s| s.name.as_str()))?;
        let mut strategies = vec![Strategy {
            name: DO_NOTHING.to_string(),
            description: "No action and no cost: the baseline of every difference.".to_string(),
            action: None,
            rule: Rule::Nothing,
            budget: 0.0,
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
            margin: typed.margin,
            scheme: typed.tiers,
            tiers,
            actions,
            responses,
            strategies,
        })
    }

    /// The response of `action` in `tier` on a lever, if one is stated.
    pub fn response(&self, action: usize, tier: usize, on: Lever) -> Option<&Response> {
        self.responses
            .iter()
            .find(|r| r.action == self.actions[action].name && r.tier == self.tiers[tier] && r.on == on)
    }
}

fn check_response(check: &Check, key: &str, entry: ResponseEntry) -> Result<Response> {
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
        action: entry.action,
        tier: entry.tier,
        on: entry.on,
        curve,
        effect,
        lower,
        upper,
        source: entry.source,
        note: entry.note,
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
    if let Some(tier) =
        tiers.iter().find(|t| !responses.iter().any(|r| r.action == entry.action && &&r.tier == t))
    {
        return check.fail(
            format!("{key}: no [[response]] says what action \"{}\" does to tier \"{tier}\"", entry.action),
            "state one for every tier; an effect of 0 is an answer too",
        );
    }
    let rule = match entry.rule {
        RuleName::Uniform => Rule::Uniform,
        RuleName::ProportionalToClv => Rule::ProportionalToClv,
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
            Rule::Shares(shares)
        }
    };
    if !matches!(rule, Rule::Shares(_)) && !entry.shares.is_empty() {
        return check.fail(
            format!("{key}: shares have no meaning for its rule"),
            "leave shares out, or use rule = \"shares\"",
        );
    }
    Ok(Strategy { name: entry.name, description: entry.description, action: Some(action), rule, budget })
}
