//! Futures of every customer under every strategy, and what differs between them.
//!
//! [`Engine`] samples futures exactly from the fitted models, with the same luck for all strategies; [`Outcome`] holds
//! sums per (replication, strategy, tier) only; [`compare`] turns them into estimates with intervals.

mod claims;
pub mod compare;
mod engine;
mod evaluate;
mod expected;
mod futures;
mod groups;
mod models;
mod newcomers;
mod outcome;
mod parameters;
mod sensitivity;
mod tables;

pub use claims::{ClaimCheck, ClaimVerdict};
pub use compare::{
    Comparison, Estimate, Heads, Metric, NEW_CUSTOMERS, PeriodRow, Row, Standing, Verdict, WORST, Winner,
};
pub use engine::{Engine, SimulateOptions};
pub use evaluate::Evaluator;
pub use groups::Population;
pub use outcome::{Count, Flow, Outcome};
pub use parameters::{FEWEST_FOR_A_VERDICT, ParameterDraws};
pub use sensitivity::{Bar, Sensitivity, SplitWinner, sensitivity, split_winners};
pub use tables::Parameters;

use crate::strategy::{Plan, StrategySet};

/// What a plan costs in a tier before anybody orders: contacts, the minutes and stock that they take, and the tier's part of the
/// fixed costs. `reachable` is, by tier, how many may be contacted.
pub fn upfront_cost(set: &StrategySet, plan: &Plan, reachable: &[u64], tier: usize) -> f64 {
    compare::upfront(set, plan, reachable, tier).cost
}

#[cfg(test)]
mod tests;
