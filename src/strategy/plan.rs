//! Plans: who gets what under a strategy, what contacting them costs and uses.
//!
//! Where not all can be contacted, lots decide (`lots`): each customer's is keyed by the seed and its id, so that a
//! strategy that contacts fewer contacts some of the same customers, whatever the order of the table.

mod by_rules;
mod finish;
mod list;
mod lots;
#[cfg(test)]
mod money_tests;
mod people;
#[cfg(test)]
mod properties;
mod spread;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod top;

use serde::Serialize;

use super::check::{Check, Rule, Strategy, StrategySet};
use crate::error::{Error, Result};
use finish::{Chosen, Planned};
pub use people::{People, TierFacts};

/// What a customer who is contacted gets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Treatment {
    /// Index of the action.
    pub action: usize,
    /// What contacting the customer costs.
    pub money: f64,
}

/// Who gets which treatment: 0 is none, k + 1 the k-th of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// By tier: all of a tier who may be contacted.
    ByTier(Vec<u8>),
    /// By customer, in the order of the table; 0 for who opted out.
    ByCustomer(Vec<u8>),
}

/// What kept a plan from giving more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The money.
    Budget,
    /// What can be spent on one customer, or how many the action can serve.
    Action,
    /// The staff's minutes.
    Minutes,
    /// The stock.
    Stock,
    /// Everybody who may be contacted is.
    Customers,
    /// All whom the rule asks for are contacted.
    Asked,
    /// A tier's share of the budget: what it cannot take goes to no other.
    Share,
}

impl Limit {
    /// In words, for why there is money left.
    pub fn words(self) -> &'static str {
        match self {
            Limit::Budget => "it does not pay for one more",
            Limit::Action => "the action can do no more, by customer or in all",
            Limit::Minutes => "the staff has no more minutes",
            Limit::Stock => "there is no more stock",
            Limit::Customers => "nobody else may be contacted",
            Limit::Asked => "its rule asks for no more",
            Limit::Share => "what a tier’s share leaves goes to no other tier",
        }
    }

    /// In words, for why nobody is contacted.
    fn none(self) -> &'static str {
        match self {
            Limit::Budget => "its budget pays for nobody",
            Limit::Action => "its action gives nothing to anybody",
            Limit::Minutes => "the staff’s minutes are not enough for one",
            Limit::Stock => "the stock is not enough for one",
            Limit::Customers => "nobody may be contacted",
            Limit::Asked => "its rule takes nobody who may be contacted",
            Limit::Share => "no tier’s share reaches anybody",
        }
    }
}

/// What a strategy gives. All sums are over those who are contacted; what orders cost afterwards is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The distinct treatments, at most 255.
    pub treatments: Vec<Treatment>,
    /// Who gets them.
    #[serde(skip)]
    pub given: Given,
    /// By tier and treatment: how many get it.
    pub contacts: Vec<Vec<u64>>,
    /// The actions used, ascending, and the fixed cost of each. An action that opt-outs leave nobody for is not among them.
    pub fixed: Vec<(usize, f64)>,
    /// The sum of [`Plan::fixed`].
    pub fixed_cost: f64,
    /// Fixed cost plus what contacts cost: at most the budget.
    pub cost: f64,
    /// What is left of the budget; 0 without one.
    pub unspent: f64,
    /// Staff minutes of the contacts.
    pub minutes: f64,
    /// Stock that the contacts use.
    pub stock: f64,
    /// What kept it from giving more.
    pub limited_by: Limit,
}

/// A strategy of a set that is being planned.
struct Planning<'a, 'c> {
    set: &'a StrategySet,
    strategy: &'a Strategy,
    people: &'a People<'a, 'c>,
    facts: Vec<TierFacts>,
}

impl Plan {
    /// Who gets what under strategy `index` of `set`, with warnings.
    ///
    /// Who opted out is never contacted, costs nothing and takes no share of a budget; an action for which nobody is left because
    /// of that, and only because of that, is not carried out. Rules that spend what they may (uniform, proportional_to_clv,
    /// shares, top_n without a number) give less where money, staff, stock or the action end; what a cap keeps from a tier
    /// goes to the others in proportion, except under stated shares. Rules that say whom they contact are refused where
    /// that cannot be. Entries that match nobody, and a strategy that contacts nobody, are among the warnings.
    ///
    /// # Errors
    /// [`Error::Document`] and [`Error::Csv`] for columns that are missing, contacts that cannot be paid or served (with the
    /// smallest change that makes it possible), and customers of a tier for whom no response is stated; [`Error::Io`] for
    /// a list that cannot be read; [`Error::Internal`] for a tier that is none.
    pub fn new(set: &StrategySet, index: usize, people: &People) -> Result<(Plan, Vec<String>)> {
        let facts = people.facts()?;
        if facts.len() != set.tiers.len() {
            let problem = format!("{} tiers where the strategies have {}", facts.len(), set.tiers.len());
            return Err(Error::internal("planning", problem));
        }
        let planning = Planning { set, strategy: &set.strategies[index], people, facts };
        let planned = match &planning.strategy.rule {
            Rule::Nothing => Planned::of(Chosen::nobody(set.tiers.len()), Limit::Asked),
            Rule::Uniform { action } => planning.uniform(*action),
            Rule::ProportionalToClv { action } => planning.proportional_to_clv(*action),
            Rule::Shares { action, shares } => planning.shares(*action, shares),
            Rule::TopN { action, by, how_many, per_customer } => {
                planning.top(*action, by, *how_many, *per_customer)?
            }
            Rule::Rules(give) => planning.by_rules(give)?,
            Rule::List { action, path } => planning.list(*action, path)?,
        };
        planning.finish(planned)
    }

    /// The treatment of a customer who has not opted out.
    pub fn of(&self, customer: usize, tier: usize) -> Option<&Treatment> {
        let place = match &self.given {
            Given::ByTier(of) => of[tier],
            Given::ByCustomer(of) => of[customer],
        };
        usize::from(place).checked_sub(1).map(|k| &self.treatments[k])
    }

    /// Customers of a tier who are contacted.
    pub fn contacted(&self, tier: usize) -> u64 {
        self.contacts[tier].iter().sum()
    }

    /// What contacting a tier's customers costs, without the fixed cost.
    pub fn contact_cost(&self, tier: usize) -> f64 {
        let each = self.contacts[tier].iter().zip(&self.treatments);
        let sum: f64 = each.map(|(&n, treatment)| n as f64 * treatment.money).sum();
        without_dust(sum, sum)
    }
}

impl Treatment {
    /// What contacting `n` customers so costs.
    pub fn cost_of(&self, n: u64) -> f64 {
        let cost = n as f64 * self.money;
        without_dust(cost, cost)
    }
}

/// An amount without what additions and divisions in binary leave on it: the nearest millionth where that is within 1e-12 of
/// `scale`, the largest amount it was made from. Never −0, which is what an empty sum is.
fn without_dust(amount: f64, scale: f64) -> f64 {
    let near = (amount * 1e6).round() / 1e6;
    let clean = if (near - amount).abs() <= 1e-12 * scale.abs() { near } else { amount };
    clean + 0.0
}

impl<'a> Planning<'a, '_> {
    fn check(&self) -> Check<'a> {
        Check { file: &self.set.file }
    }

    /// A key of the strategy, as errors call it.
    fn key(&self, field: &str) -> String {
        format!("[[strategy]] \"{}\": {field}", self.strategy.name)
    }

    /// The action with its fixed cost, unless it is left out because all whom the rule means (`means` somebody) opted out
    /// (it `reaches` nobody). An action that the rule means nobody for is a slip of the file, and its cost is shown.
    fn fixed(&self, action: usize, reaches: bool, means: bool) -> Option<(usize, f64)> {
        (reaches || !means).then(|| (action, self.set.actions[action].fixed_cost))
    }

    /// What kept a rule that contacts `n` customers, all whom it asks for, from contacting more.
    fn asked(&self, n: u64) -> Limit {
        let reachable: u64 = self.facts.iter().map(|tier| tier.reachable).sum();
        if n == reachable { Limit::Customers } else { Limit::Asked }
    }

    /// What may be spent on contacts.
    fn money(&self, fixed_cost: f64) -> f64 {
        self.strategy.budget.map_or(f64::INFINITY, |budget| budget - fixed_cost)
    }
}
