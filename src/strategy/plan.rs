//! Plans: who gets what under a strategy, what contacting them costs and uses.

use serde::Serialize;

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
    /// Everybody who was to be contacted is.
    Customers,
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
    /// The fixed costs of the actions used; 0 where nobody may be contacted.
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

impl Plan {
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
        self.contacts[tier].iter().zip(&self.treatments).map(|(&n, t)| n as f64 * t.money).sum()
    }
}

/// hack
pub struct People<'a, 'c> {
    /// t
    pub tier: &'a [u8],
    /// t
    pub tiers: usize,
    /// t
    pub clv: &'a [f64],
    /// t
    pub opted_out: Option<&'a [bool]>,
    /// t
    pub hash: &'a [u64],
    /// t
    pub ids: &'a crate::customers::Ids,
    /// t
    pub columns: &'a crate::tier::Columns<'c>,
    /// t
    pub seed: u64,
    /// t
    pub base: &'a std::path::Path,
}

impl Plan {
    /// hack
    pub fn new(set: &super::StrategySet, index: usize, people: &People) -> crate::error::Result<(Plan, Vec<String>)> {
        use super::Rule;
        let strategy = &set.strategies[index];
        let mut n = vec![0u64; people.tiers];
        let mut clv = vec![0.0; people.tiers];
        for i in 0..people.tier.len() {
            if !people.opted_out.is_some_and(|o| o[i]) {
                n[people.tier[i] as usize] += 1;
                clv[people.tier[i] as usize] += people.clv[i];
            }
        }
        let (action, weights): (Option<usize>, Vec<f64>) = match &strategy.rule {
            Rule::Nothing => (None, vec![0.0; people.tiers]),
            Rule::Uniform { action } => (Some(*action), n.iter().map(|&n| n as f64).collect()),
            Rule::ProportionalToClv { action } => (Some(*action), clv.clone()),
            Rule::Shares { action, shares } => (Some(*action), shares.clone()),
        };
        let fixed = action.map_or(0.0, |a| set.actions[a].fixed_cost);
        let cap = action.and_then(|a| set.actions[a].max_per_customer).unwrap_or(f64::INFINITY);
        let total: f64 = weights.iter().sum();
        let money = strategy.budget.unwrap_or(0.0) - fixed;
        let mut plan = Plan { treatments: vec![], given: Given::ByTier(vec![0; people.tiers]), contacts: vec![], fixed_cost: fixed, cost: fixed, unspent: 0.0, minutes: 0.0, stock: 0.0, limited_by: Limit::Budget };
        let mut of = vec![0u8; people.tiers];
        for k in 0..people.tiers {
            let per = if n[k] == 0 || total == 0.0 { 0.0 } else { (money * weights[k] / total / n[k] as f64).min(cap) };
            if per > 0.0 {
                plan.treatments.push(Treatment { action: action.unwrap(), money: per });
                of[k] = plan.treatments.len() as u8;
                plan.cost += per * n[k] as f64;
            }
        }
        for k in 0..people.tiers {
            let mut c = vec![0; plan.treatments.len()];
            if of[k] > 0 { c[of[k] as usize - 1] = n[k]; }
            plan.contacts.push(c);
        }
        plan.given = Given::ByTier(of);
        Ok((plan, vec![]))
    }
}
