//! Strategies, checked: the keys that their rule has, money that can pay for them, and responses for every tier that they
//! can reach.

use std::path::PathBuf;

use super::DO_NOTHING;
use super::action::Action;
use super::check::{Check, Give, HowMany, Rule, Strategy};
use super::file::{GiveEntry, RuleName, StrategyEntry};
use super::reach::{Reach, reach};
use super::response::Response;
use crate::error::Result;
use crate::tier::rules;

/// What tables of results call sums.
const ALL: &str = "all";

/// A rule has at most so many entries: they become tiers of a scheme, which has no more.
const MOST_ENTRIES: usize = 100;

/// What strategies may name.
pub(super) struct Known<'a> {
    /// What a strategy without a budget of its own may spend.
    pub(super) budget: Option<f64>,
    pub(super) action_names: &'a [String],
    pub(super) actions: &'a [Action],
    pub(super) tiers: &'a [String],
    pub(super) responses: &'a [Response],
}

/// One strategy.
pub(super) fn strategy(check: &Check, entry: StrategyEntry, known: &Known) -> Result<Strategy> {
    let place = format!("[[strategy]] \"{}\"", entry.name);
    if entry.name == DO_NOTHING {
        return check.fail(
            format!("{place}: this name is taken"),
            format!("\"{DO_NOTHING}\" is always compared; choose another name"),
        );
    }
    if entry.name == ALL {
        return check.fail(
            format!("{place}: this name is taken"),
            format!("results call the sum over tiers \"{ALL}\", and a strategy of that name would be read as one; choose another name"),
        );
    }
    let budget = match entry.budget {
        Some(own) => Some(check.not_negative(&format!("{place}: budget"), own)?),
        None => known.budget,
    };
    let one = One { check, place: &place, known, budget };
    one.no_other_keys(&entry)?;
    let action = match &entry.action {
        Some(name) => {
            Some(check.find("an [[action]]", &format!("{place}: action"), name, known.action_names)?)
        }
        None => None,
    };
    let rule = match (entry.rule, action) {
        (RuleName::Rules, _) => one.rules(entry.give.unwrap_or_default())?,
        (RuleName::List, action) => one.list(action, entry.list)?,
        (rule, None) => {
            return check.fail(
                format!("{place}: rule = \"{}\" needs an action, which is missing", rule.name()),
                "name the [[action]] that customers get",
            );
        }
        (RuleName::Uniform, Some(action)) => {
            one.money_is_bounded(action)?;
            one.fixed_costs(&[action])?;
            one.responses(action, &vec![true; known.tiers.len()])?;
            Rule::Uniform { action }
        }
        (RuleName::ProportionalToClv, Some(action)) => {
            one.money_is_bounded(action)?;
            one.fixed_costs(&[action])?;
            one.responses(action, &vec![true; known.tiers.len()])?;
            Rule::ProportionalToClv { action }
        }
        (RuleName::Shares, Some(action)) => one.shares(action, &entry)?,
        (RuleName::TopN, Some(action)) => one.top_n(action, &entry)?,
    };
    Ok(Strategy { name: entry.name, description: entry.description, rule, budget })
}

/// A strategy that is being checked.
struct One<'a> {
    check: &'a Check<'a>,
    place: &'a str,
    known: &'a Known<'a>,
    budget: Option<f64>,
}

impl One<'_> {
    fn key(&self, field: &str) -> String {
        format!("{}: {field}", self.place)
    }

    fn fail<T>(&self, problem: &str, remedy: impl Into<String>) -> Result<T> {
        self.check.fail(self.key(problem), remedy)
    }

    /// Refuses keys that belong to another rule.
    fn no_other_keys(&self, entry: &StrategyEntry) -> Result<()> {
        for (key, is_given, rules) in [
            ("shares", entry.shares.is_some(), &[RuleName::Shares][..]),
            ("by", entry.by.is_some(), &[RuleName::TopN]),
            ("n", entry.n.is_some(), &[RuleName::TopN]),
            ("share", entry.share.is_some(), &[RuleName::TopN]),
            ("per_customer", entry.per_customer.is_some(), &[RuleName::TopN]),
            ("give", entry.give.is_some(), &[RuleName::Rules]),
            ("list", entry.list.is_some(), &[RuleName::List]),
        ] {
            if is_given && !rules.contains(&entry.rule) {
                return self.fail(
                    &format!("{key} has no meaning for rule = \"{}\"", entry.rule.name()),
                    format!("leave {key} out, or use rule = \"{}\"", rules[0].name()),
                );
            }
        }
        if entry.action.is_some() && entry.rule == RuleName::Rules {
            return self.fail(
                "action has no meaning for rule = \"rules\"",
                "name the action in every entry of give, and leave it out here",
            );
        }
        Ok(())
    }

    /// Budgets have to pay for what is due whoever is contacted.
    fn fixed_costs(&self, actions: &[usize]) -> Result<()> {
        let fixed: f64 = actions.iter().map(|&action| self.known.actions[action].fixed_cost).sum();
        let Some(budget) = self.budget.filter(|&budget| fixed > budget) else { return Ok(()) };
        let (what, lower) = match actions {
            [_] => ("the fixed cost of its action", "the fixed cost"),
            _ => ("the fixed costs of its actions", "their sum"),
        };
        self.fail(
            &format!("{what}, {fixed}, is above its budget {budget}"),
            format!("raise the budget to {fixed}, or lower {lower} to {budget}"),
        )
    }

    /// Where a rule spends all that it may, something must say how much that is.
    fn money_is_bounded(&self, action: usize) -> Result<()> {
        let Action { name, cost_on_contact, max_per_customer, .. } = &self.known.actions[action];
        if self.budget.is_some() || cost_on_contact.or(*max_per_customer).is_some() {
            return Ok(());
        }
        self.fail(
            &format!("neither a budget nor action \"{name}\" says how much may be spent"),
            "give the strategy or the file a budget, or the action a max_per_customer or a cost_on_contact",
        )
    }

    /// What an action does must be stated for every tier that it can reach.
    fn responses(&self, action: usize, reached: &[bool]) -> Result<()> {
        let says = |tier: usize| self.known.responses.iter().any(|r| r.action == action && r.tier == tier);
        match (0..reached.len()).find(|&tier| reached[tier] && !says(tier)) {
            None => Ok(()),
            Some(tier) => self.fail(
                &format!(
                    "no [[response]] says what action \"{}\" does to tier \"{}\"",
                    self.known.action_names[action], self.known.tiers[tier]
                ),
                "state one for every tier that the strategy can reach; an effect of 0 is an answer too",
            ),
        }
    }

    /// What each customer costs, from what is stated; `None` where nothing is.
    fn money(&self, action: usize, key: &str, per_customer: Option<f64>) -> Result<Option<f64>> {
        let Action { name, cost_on_contact, max_per_customer, .. } = &self.known.actions[action];
        let Some(stated) = per_customer else {
            return match (cost_on_contact, max_per_customer) {
                (None, Some(0.0)) => self.fail(
                    &format!("max_per_customer = 0 of action \"{name}\" leaves nothing to give"),
                    "raise max_per_customer",
                ),
                (cost, most) => Ok(cost.or(*most)),
            };
        };
        self.check.positive(&self.key(key), stated)?;
        if let Some(cost) = cost_on_contact {
            return self.fail(
                &format!(
                    "{key} = {stated} has no meaning, as each contact of action \"{name}\" costs {cost}"
                ),
                format!("leave {key} out, or take cost_on_contact from the action"),
            );
        }
        match max_per_customer {
            Some(most) if stated > *most => self.fail(
                &format!("{key} = {stated} is above max_per_customer = {most} of action \"{name}\""),
                format!("give {key} a value of at most {most}"),
            ),
            _ => Ok(Some(stated)),
        }
    }

    fn shares(&self, action: usize, entry: &StrategyEntry) -> Result<Rule> {
        let tiers = self.known.tiers;
        let mut shares = vec![0.0; tiers.len()];
        for (tier, &share) in entry.shares.iter().flatten() {
            let at = self.check.find("a tier of this scheme", &self.key("shares"), tier, tiers)?;
            shares[at] = self.check.not_negative(&self.key(&format!("shares.{tier}")), share)?;
        }
        let sum: f64 = shares.iter().sum();
        if (sum - 1.0).abs() > 1e-9 {
            return self.fail(&format!("the shares add up to {sum}"), "make the shares add up to 1");
        }
        if self.budget.is_none() {
            return self.fail("there is no budget to share", "give the strategy or the file a budget");
        }
        self.fixed_costs(&[action])?;
        self.responses(action, &shares.iter().map(|&share| share > 0.0).collect::<Vec<_>>())?;
        Ok(Rule::Shares { action, shares })
    }

    fn top_n(&self, action: usize, entry: &StrategyEntry) -> Result<Rule> {
        let money = self.money(action, "per_customer", entry.per_customer)?;
        let how_many = match (entry.n, entry.share) {
            (Some(_), Some(_)) => {
                return self.fail("both n and share say how many are contacted", "keep one of the two");
            }
            (Some(n), None) => HowMany::Count(self.check.at_least_one(&self.key("n"), n)?),
            (None, Some(share)) => HowMany::Share(self.check.share(&self.key("share"), share)?),
            (None, None) => HowMany::Budget,
        };
        let name = &self.known.action_names[action];
        if money.is_none() && how_many == HowMany::Budget {
            return self.fail(
                &format!("neither it nor action \"{name}\" says how many are contacted or what each costs"),
                "give n or share, or per_customer",
            );
        }
        if money.is_none() && self.budget.is_none() {
            return self.fail(
                &format!(
                    "neither it nor action \"{name}\" says what each customer costs, and there is no budget"
                ),
                "give per_customer, or a budget",
            );
        }
        if let (Some(most), HowMany::Count(n)) = (self.known.actions[action].max_customers, how_many)
            && n > most
        {
            return self.fail(
                &format!("n = {n} is above max_customers = {most} of action \"{name}\""),
                format!("contact at most {most}, or raise max_customers to {n}"),
            );
        }
        self.fixed_costs(&[action])?;
        self.responses(action, &vec![true; self.known.tiers.len()])?;
        let by = entry.by.clone().unwrap_or_else(|| "clv".to_string());
        Ok(Rule::TopN { action, by, how_many, per_customer: entry.per_customer })
    }

    fn rules(&self, entries: Vec<GiveEntry>) -> Result<Rule> {
        if entries.is_empty() || entries.len() > MOST_ENTRIES {
            return self.fail(
                &format!("give has {} entries", entries.len()),
                format!("write 1 to {MOST_ENTRIES}, as in give = [{{ action = \"…\", where = \"recency_days > 90\" }}]"),
            );
        }
        let last = entries.len() - 1;
        let mut give = Vec::new();
        for (i, entry) in entries.into_iter().enumerate() {
            let key = |field: &str| format!("give {}, {field}", i + 1);
            let action = self.check.find(
                "an [[action]]",
                &self.key(&key("action")),
                &entry.action,
                self.known.action_names,
            )?;
            let Some(money) = self.money(action, &key("per_customer"), entry.per_customer)? else {
                return self.fail(
                    &format!("give {}: nothing says what a customer costs", i + 1),
                    "give the entry per_customer, or its action a cost_on_contact or a max_per_customer",
                );
            };
            let share =
                entry.share.map(|share| self.check.share(&self.key(&key("share")), share)).transpose()?;
            let limit = entry
                .limit
                .map(|limit| self.check.at_least_one(&self.key(&key("limit")), limit))
                .transpose()?;
            if entry.when.is_none() && i < last {
                return self.fail(
                    &format!(
                        "give {} has no where, takes everybody and leaves nobody for those after it",
                        i + 1
                    ),
                    "put it last, or say whom it takes",
                );
            }
            self.responses(action, &self.reached(&key("where"), entry.when.as_deref())?)?;
            give.push(Give { action, when: entry.when, money, share, limit });
        }
        let mut actions: Vec<usize> = give.iter().map(|entry| entry.action).collect();
        actions.sort_unstable();
        actions.dedup();
        self.fixed_costs(&actions)?;
        Ok(Rule::Rules(give))
    }

    /// The tiers that a rule's text can reach.
    fn reached(&self, key: &str, when: Option<&str>) -> Result<Vec<bool>> {
        let tiers = self.known.tiers;
        let Some(text) = when else { return Ok(vec![true; tiers.len()]) };
        let wrong = |problem: rules::Problem| {
            self.check.fail(format!("{}: {}", self.key(key), problem.marked(text)), problem.remedy.clone())
        };
        let expr = match rules::parse(text) {
            Ok(expr) => expr,
            Err(problem) => return wrong(problem),
        };
        match reach(&expr, tiers) {
            Ok(Reach::All) => Ok(vec![true; tiers.len()]),
            Ok(Reach::Only(tiers)) => Ok(tiers),
            Err(problem) => wrong(problem),
        }
    }

    fn list(&self, action: Option<usize>, path: Option<String>) -> Result<Rule> {
        let path = path.unwrap_or_default();
        if path.trim().is_empty() {
            return self.fail(
                "rule = \"list\" needs list, the path of a CSV",
                "write list = \"vip.csv\", a file with the column customer_id",
            );
        }
        if let Some(action) = action {
            self.fixed_costs(&[action])?;
        }
        Ok(Rule::List { action, path: PathBuf::from(path) })
    }
}
