//! Who was in a trial, in which arm, and what came of it.

use crate::error::{Error, Result};

/// More arms or tiers than this are a column that names neither.
const MOST: usize = 100;

/// What was known of customers before the trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// What it is.
    pub name: String,
    /// One entry per customer.
    pub values: Vec<f64>,
}

/// A trial after every check. All columns have one entry per customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Stable hash of each customer's id: it decides on folds.
    pub hash: Vec<u64>,
    /// Tier of each customer, an index into `tiers`.
    pub tier: Vec<u8>,
    /// The tiers' names, best first.
    pub tiers: Vec<String>,
    /// Arm of each customer, an index into `arms`.
    pub arm: Vec<u8>,
    /// The arms' names; the first is the control, the others are actions.
    pub arms: Vec<String>,
    /// What is counted: orders or spend after the contact.
    pub outcome: Vec<f64>,
    /// The probability with which each customer was treated, where it is known; there is then one action.
    pub probability: Option<Vec<f64>>,
    /// What was known of customers.
    pub covariates: Vec<Covariate>,
}

impl Trial {
    /// Checks that something can be learned.
    ///
    /// # Errors
    /// Columns of unequal length, codes beyond the names, no action, probabilities with several actions or not between 0 and 1,
    /// values that are no finite numbers, an outcome that is the same for everybody, and an arm without customers.
    pub fn checked(self) -> Result<Trial> {
        let n = self.hash.len();
        let lengths = [self.tier.len(), self.arm.len(), self.outcome.len()];
        let others =
            self.probability.iter().map(Vec::len).chain(self.covariates.iter().map(|c| c.values.len()));
        if lengths.into_iter().chain(others).any(|len| len != n) {
            return Err(Error::internal("reading a trial", "columns of unequal length"));
        }
        let beyond =
            |codes: &[u8], names: &[String]| codes.iter().any(|&code| usize::from(code) >= names.len());
        if beyond(&self.tier, &self.tiers) || beyond(&self.arm, &self.arms) {
            return Err(Error::internal("reading a trial", "a tier or an arm without a name"));
        }
        if self.arms.len() > MOST {
            let remedy = "name the column of the action, which has a few values";
            return Err(Error::value("the arms of the trial", self.arms.len(), "they are too many", remedy));
        }
        for (k, name) in self.arms.iter().enumerate() {
            if !self.arm.iter().any(|&arm| usize::from(arm) == k) {
                let what = if k == 0 { "the control group" } else { "the action" };
                let problem = "nobody is in it, and nothing can be compared";
                return Err(Error::value(
                    what,
                    name,
                    problem,
                    "give a table with treated and untreated customers",
                ));
            }
        }
        if self.arms.len() < 2 {
            let problem = "nobody was treated, or everybody: nothing can be compared";
            let remedy = "give a table with treated and untreated customers";
            return Err(Error::value("the action", self.arms.join(", "), problem, remedy));
        }
        if let Some(probability) = &self.probability {
            if self.arms.len() > 2 {
                let problem = "with several actions it does not say which it is of";
                let remedy = "give one table for each action, or leave the probability out";
                return Err(Error::value(
                    "the probability of treatment",
                    self.arms.join(", "),
                    problem,
                    remedy,
                ));
            }
            if let Some(value) = probability.iter().find(|p| !(**p > 0.0 && **p < 1.0)) {
                let problem = "it is not between 0 and 1: who is always or never treated says nothing of the difference";
                return Err(Error::value(
                    "a probability of treatment",
                    value,
                    problem,
                    "leave such customers out",
                ));
            }
        }
        let numbers = std::iter::once(("the outcome", &self.outcome));
        let covariates = self.covariates.iter().map(|covariate| (covariate.name.as_str(), &covariate.values));
        for (name, values) in numbers.chain(covariates) {
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::value(name, value, "it is no finite number", "leave such customers out"));
            }
        }
        if self.outcome.iter().all(|value| *value == self.outcome[0]) {
            let problem = "it is the same for everybody: nothing can be learned from it";
            return Err(Error::value("the outcome", self.outcome[0], problem, "name another column"));
        }
        Ok(self)
    }

    /// Customers.
    pub fn customers(&self) -> usize {
        self.hash.len()
    }

    /// Some of its customers, by their places.
    pub(super) fn only(&self, who: &[usize]) -> Trial {
        fn chosen<T: Copy>(values: &[T], who: &[usize]) -> Vec<T> {
            who.iter().map(|&i| values[i]).collect()
        }
        let covariate =
            |own: &Covariate| Covariate { name: own.name.clone(), values: chosen(&own.values, who) };
        Trial {
            hash: chosen(&self.hash, who),
            tier: chosen(&self.tier, who),
            tiers: self.tiers.clone(),
            arm: chosen(&self.arm, who),
            arms: self.arms.clone(),
            outcome: chosen(&self.outcome, who),
            probability: self.probability.as_ref().map(|p| chosen(p, who)),
            covariates: self.covariates.iter().map(covariate).collect(),
        }
    }

    /// The customers of each tier.
    pub(super) fn by_tier(&self) -> Vec<Vec<usize>> {
        let mut out = vec![Vec::new(); self.tiers.len()];
        for (i, &tier) in self.tier.iter().enumerate() {
            out[usize::from(tier)].push(i);
        }
        out
    }

    /// Those of some customers who are in the control group or got `action`.
    pub(super) fn compared(&self, who: &[usize], action: u8) -> Vec<usize> {
        who.iter().copied().filter(|&i| self.arm[i] == 0 || self.arm[i] == action).collect()
    }

    /// Whether some of these customers were more likely to be treated than others, as far as it is said.
    pub(super) fn varies(&self, who: &[usize]) -> bool {
        let Some(probability) = &self.probability else { return false };
        let (low, high) = who
            .iter()
            .map(|&i| probability[i])
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p), high.max(p)));
        high - low > 1e-9
    }

    /// 1 and what is known of a customer, with `covariates` or without.
    pub(super) fn row(&self, i: usize, with_covariates: bool) -> Vec<f64> {
        let known = self.covariates.iter().filter(|_| with_covariates).map(|covariate| covariate.values[i]);
        std::iter::once(1.0).chain(known).collect()
    }
}
