//! What a company may do: actions, what they are believed to change, the money, and the ways to spread it.
//!
//! [`mod@file`] is the strategy file as typed, [`StrategySet`] the same after every check, [`world`] one version of all that
//! is believed, [`response`] and [`curve`] turn a treatment into a changed purchase rate, dropout, return or spend, and [`plan`]
//! turns a rule and a budget into who gets what.

pub mod action;
pub mod belief;
mod check;
mod check_action;
mod check_response;
mod check_strategy;
#[cfg(test)]
mod check_tests;
pub mod curve;
pub mod file;
pub mod file_belief;
#[cfg(test)]
mod file_tests;
pub mod plan;
mod reach;
pub mod response;
mod words;
pub mod world;

pub use action::{Action, Kind};
pub use belief::{Belief, Source};
pub use check::{Claim, Give, HowMany, MOST_PERIODS, Resources, Rule, Strategy, StrategySet};
pub use curve::Curve;
pub use file::{StrategyFile, schema};
pub use plan::{Given, Limit, People, Plan, TierFacts, Treatment};
pub use response::{Half, Lever, Response};
pub use world::{Assumed, World};

/// The name of the strategy that is in every comparison: no action, no cost.
pub const DO_NOTHING: &str = "do_nothing";

/// The bundled strategies for the bundled history.
pub const BUNDLED: &str = include_str!("bundled.toml");
