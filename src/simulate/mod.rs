//! Futures of every customer under every strategy, and what differs between them.
//!
//! [`Engine`] samples futures exactly from the fitted models, with the same luck for all strategies; [`Outcome`] holds
//! sums per (replication, strategy, tier) only; [`compare`] turns them into estimates with intervals.

pub mod compare;
mod engine;
mod expected;
mod futures;
mod groups;
mod models;
mod newcomers;
mod outcome;
mod parameters;
mod tables;

pub use compare::{Comparison, Estimate, Metric, Row, Verdict};
pub use engine::{Engine, SimulateOptions};
pub use groups::Population;
pub use outcome::{Count, Flow, Outcome};
pub use parameters::{FEWEST_FOR_A_VERDICT, ParameterDraws};
pub use tables::Parameters;

#[cfg(test)]
mod tests;
