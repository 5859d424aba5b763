//! The strategy file after every check that needs no customers: names resolved, numbers possible, every response that a
//! strategy rests on stated.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::DO_NOTHING;
use super::action::Action;
use super::belief::Belief;
use super::check_action::{action, new_customers};
use super::check_response::response;
use super::check_strategy::{Known, strategy};
use super::file::{ClaimEntry, ResourcesEntry, StrategyFile};
use super::response::{Lever, Response};
use crate::calendar::{Discount, Span};
use crate::error::{Error, Result, nearest_first};

/// What all strategies can use over the horizon, and what it costs on top of their budgets.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Resources {
    /// Staff minutes that contacts may take; `None` is no limit.
    pub minutes: Option<f64>,
    /// Money per minute.
    pub minute_cost: f64,
    /// Units of stock that contacts may use; `None` is no limit.
    pub stock: Option<f64>,
    /// Money per unit.
    pub stock_cost: f64,
}

/// How it is decided who gets what. Actions are indices into [`StrategySet::actions`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Nobody gets anything.
    Nothing,
    /// Every customer the same; where a contact has a price, by lot among all.
    Uniform {
        /// What they get.
        action: usize,
    },
    /// Every tier in proportion to its customers' lifetime value, the same for every customer of a tier.
    ProportionalToClv {
        /// What they get.
        action: usize,
    },
    /// Stated shares of the budget by tier.
    Shares {
        /// What they get.
        action: usize,
        /// By tier; they add up to 1.
        shares: Vec<f64>,
    },
    /// The customers who are first by a column.
    TopN {
        /// What they get.
        action: usize,
        /// The column, the greatest first.
        by: String,
        /// How many.
        how_many: HowMany,
        /// The money for each, where it is stated.
        per_customer: Option<f64>,
    },
    /// Whoever a rule takes; the first that matches decides.
    Rules(Vec<Give>),
    /// Whoever is named in a file.
    List {
        /// What they get, where the file does not say it.
        action: Option<usize>,
        /// The file, from the folder of the strategy file.
        path: PathBuf,
    },
}

/// How many of the first customers are contacted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HowMany {
    /// So many.
    Count(u64),
    /// This share of those who may be contacted, above 0 and up to 1.
    Share(f64),
    /// As many as the budget pays.
    Budget,
}

/// An entry of [`Rule::Rules`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Give {
    /// What is given.
    pub action: usize,
    /// Who gets it, in the language of tier rules; `None` is everybody whom no entry before took.
    pub when: Option<String>,
    /// The money for each.
    pub money: f64,
    /// Only this share of those who match, by lot.
    pub share: Option<f64>,
    /// At most so many of those who match, by lot.
    pub limit: Option<u64>,
}

/// A strategy after checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strategy {
    /// Its name.
    pub name: String,
    /// In words.
    pub description: String,
    /// Who gets what.
    pub rule: Rule,
    /// What it may spend; `None` is no limit.
    pub budget: Option<f64>,
}

/// Something that is said of a tier, to be checked against the data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// What is said.
    pub name: String,
    /// Index of the tier.
    pub tier: usize,
    /// By what share its customers are said to order more.
    pub lift: f64,
    /// By what share all sales are said to have risen through that.
    pub sales: f64,
}

/// Strategies that can be simulated: the only way to one is [`StrategySet::new`], which checks everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrategySet {
    /// What errors call the file.
    #[serde(skip)]
    pub file: String,
    /// What the comparison is about.
    pub title: String,
    /// A label for money.
    pub currency: String,
    /// How far ahead.
    pub horizon: Span,
    /// Equal parts of the horizon for which results are given, 1 to [`MOST_PERIODS`].
    pub periods: usize,
    /// What later money is worth less; `None` discounts nothing.
    pub discount: Option<Discount>,
    /// Profit per unit of revenue.
    pub margin: f64,
    /// Staff and stock.
    pub resources: Resources,
    /// New customers per period.
    pub new_customers: Option<Belief>,
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
    /// Claims to be checked.
    pub claims: Vec<Claim>,
}

/// More parts of a horizon than this are not looked at.
pub const MOST_PERIODS: u32 = 120;
/// Where the horizon counts more than [`MANY_PERIODS`] of its own unit, results are given for so many parts.
const USUAL_PERIODS: u32 = 12;
const MANY_PERIODS: f64 = 60.0;

/// Collects what every error about one file has in common.
pub(super) struct Check<'a> {
    pub(super) file: &'a str,
}

impl Check<'_> {
    /// An error about the file.
    pub(super) fn fail<T>(&self, problem: impl Into<String>, remedy: impl Into<String>) -> Result<T> {
        Err(Error::Document { file: self.file.to_string(), problem: problem.into(), remedy: remedy.into() })
    }

    /// `value` must be a number from 0 on.
    pub(super) fn not_negative(&self, key: &str, value: f64) -> Result<f64> {
        if value.is_finite() && value >= 0.0 {
            return Ok(value);
        }
        self.fail(
            format!("{key} = {value} is not a number from 0 on"),
            format!("give {key} a value of at least 0"),
        )
    }

    /// `value` must be a number above 0.
    pub(super) fn positive(&self, key: &str, value: f64) -> Result<f64> {
        if value.is_finite() && value > 0.0 {
            return Ok(value);
        }
        self.fail(format!("{key} = {value} is not a number above 0"), format!("give {key} a value above 0"))
    }

    /// `value` must be a share above 0 and up to 1.
    pub(super) fn share(&self, key: &str, value: f64) -> Result<f64> {
        if value > 0.0 && value <= 1.0 {
            return Ok(value);
        }
        self.fail(
            format!("{key} = {value} is not a share"),
            format!("give {key} a value above 0 and up to 1, such as 0.1"),
        )
    }

    /// `count` must be at least 1.
    pub(super) fn at_least_one(&self, key: &str, count: u64) -> Result<u64> {
        if count > 0 {
            return Ok(count);
        }
        self.fail(format!("{key} = 0 would contact nobody"), format!("give {key} a value of at least 1"))
    }

    /// The ends of an interval must hold the value between them. `name` is the key of the value.
    pub(super) fn interval(&self, key: &str, name: &str, of: [f64; 3]) -> Result<()> {
        let [lower, value, upper] = of;
        if lower <= value && value <= upper && lower.is_finite() && upper.is_finite() {
            return Ok(());
        }
        self.fail(
            format!("{key}: lower = {lower}, {name} = {value}, upper = {upper} are not in this order"),
            format!("lower and upper are the ends of the {name}'s 95 % interval; make all three equal to hold it fixed"),
        )
    }

    /// The place of `name` in `known`.
    pub(super) fn find(&self, what: &str, key: &str, name: &str, known: &[String]) -> Result<usize> {
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
    ///
    /// # Errors
    /// [`Error::Document`] with the key, the value and the remedy of the first thing that is wrong.
    pub fn new(file: &str, typed: StrategyFile, schemes: &[(String, Vec<String>)]) -> Result<StrategySet> {
        let check = Check { file };
        if !(typed.margin.is_finite() && typed.margin > 0.0 && typed.margin <= 1.0) {
            return check.fail(
                format!("margin = {} is not a share of revenue", typed.margin),
                "write the margin as a number above 0 and up to 1, such as 0.3",
            );
        }
        let budget = typed.budget.map(|budget| check.not_negative("budget", budget)).transpose()?;
        let periods = periods(&check, typed.periods, typed.horizon)?;
        let resources = resources(&check, &typed.resources)?;
        let new_customers = typed.new_customers.map(|entry| new_customers(&check, entry)).transpose()?;
        let names: Vec<String> = schemes.iter().map(|(name, _)| name.clone()).collect();
        let scheme =
            check.find("a tier scheme by which the run grades (--scheme)", "tiers", &typed.tiers, &names)?;
        let tiers = schemes[scheme].1.clone();

        check.distinct("action", typed.actions.iter().map(|a| a.name.as_str()))?;
        let actions: Vec<Action> =
            typed.actions.into_iter().map(|entry| action(&check, entry)).collect::<Result<_>>()?;
        let action_names: Vec<String> = actions.iter().map(|a| a.name.clone()).collect();

        let mut responses: Vec<Response> = Vec::new();
        for entry in typed.responses {
            let action = check.find("an [[action]]", "[[response]] action", &entry.action, &action_names)?;
            let tier = check.find("a tier of this scheme", "[[response]] tier", &entry.tier, &tiers)?;
            let same = |r: &Response| r.action == action && r.tier == tier && r.on == entry.on;
            if responses.iter().any(same) {
                return check.fail(
                    format!(
                        "[[response]] of \"{}\" on tier \"{}\" is stated twice for {}",
                        entry.action,
                        entry.tier,
                        entry.on.name()
                    ),
                    "keep one response per action, tier and lever",
                );
            }
            responses.push(response(&check, entry, (action, &actions[action]), tier)?);
        }

        check.distinct("strategy", typed.strategies.iter().map(|s| s.name.as_str()))?;
        let mut strategies = vec![Strategy {
            name: DO_NOTHING.to_string(),
            description: "No action and no cost: the baseline of every difference.".to_string(),
            rule: Rule::Nothing,
            budget: Some(0.0),
        }];
        let known = Known {
            budget,
            action_names: &action_names,
            actions: &actions,
            tiers: &tiers,
            responses: &responses,
        };
        for entry in typed.strategies {
            strategies.push(strategy(&check, entry, &known)?);
        }
        let claims = claims(&check, typed.claims, &tiers)?;
        Ok(StrategySet {
            file: file.to_string(),
            title: typed.title,
            currency: typed.currency,
            horizon: typed.horizon,
            periods,
            discount: typed.discount,
            margin: typed.margin,
            resources,
            new_customers,
            scheme: typed.tiers,
            tiers,
            actions,
            responses,
            strategies,
            claims,
        })
    }

    /// The response of `action` in `tier` on a lever, if one is stated.
    pub fn response(&self, action: usize, tier: usize, on: Lever) -> Option<&Response> {
        self.responses.iter().find(|r| r.action == action && r.tier == tier && r.on == on)
    }
}

fn periods(check: &Check, stated: Option<u32>, horizon: Span) -> Result<usize> {
    let periods = match stated {
        Some(periods) => periods,
        None if horizon.count() <= MANY_PERIODS => horizon.count().ceil() as u32,
        None => USUAL_PERIODS,
    };
    if (1..=MOST_PERIODS).contains(&periods) {
        return Ok(periods as usize);
    }
    check.fail(
        format!("periods = {periods} are not equal parts of the horizon that can be looked at"),
        format!("give periods a value from 1 to {MOST_PERIODS}"),
    )
}

fn resources(check: &Check, entry: &ResourcesEntry) -> Result<Resources> {
    let at_least_0 = |key: &str, value: f64| check.not_negative(&format!("[resources] {key}"), value);
    Ok(Resources {
        minutes: entry.minutes.map(|minutes| at_least_0("minutes", minutes)).transpose()?,
        minute_cost: at_least_0("minute_cost", entry.minute_cost)?,
        stock: entry.stock.map(|stock| at_least_0("stock", stock)).transpose()?,
        stock_cost: at_least_0("stock_cost", entry.stock_cost)?,
    })
}

fn claims(check: &Check, entries: Vec<ClaimEntry>, tiers: &[String]) -> Result<Vec<Claim>> {
    check.distinct("claim", entries.iter().map(|claim| claim.name.as_str()))?;
    let claim = |entry: ClaimEntry| {
        let key = format!("[[claim]] \"{}\"", entry.name);
        let tier = check.find("a tier of this scheme", &format!("{key}: tier"), &entry.tier, tiers)?;
        for (name, value) in [("lift", entry.lift), ("sales", entry.sales)] {
            if !(value.is_finite() && value >= -1.0) {
                return check.fail(
                    format!("{key}: {name} = {value} is not a change"),
                    format!("give {name} a share from -1 on: 0.3 is 30 % more"),
                );
            }
        }
        Ok(Claim { name: entry.name, tier, lift: entry.lift, sales: entry.sales })
    };
    entries.into_iter().map(claim).collect()
}
