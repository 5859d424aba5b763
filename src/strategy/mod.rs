//! What a company may do: actions, what they are believed to change, the money, and the ways to spread it.
//!
//! [`mod@file`] is the strategy file as typed, [`StrategySet`] the same after every check, [`response`] turns money per
//! customer into a changed purchase rate or spend, [`plan`] turns a rule and a budget into money per customer of
//! each tier.

mod check;
pub mod file;
pub mod plan;
pub mod response;
pub mod world;
pub mod belief;
pub mod curve;
pub mod action;

pub use action::Action;
pub use belief::{Belief, Source};
pub use check::{Resources, Rule, Strategy, StrategySet};
pub use curve::Curve;
pub use plan::{People, Plan, Treatment};
pub use response::{Lever, Response};
pub use world::{Assumed, World};

/// The name of the strategy that is in every comparison: no action, no cost.
pub const DO_NOTHING: &str = "do_nothing";

/// The bundled strategies for the bundled history.
pub const BUNDLED: &str = include_str!("bundled.toml");
