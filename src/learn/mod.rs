//! What an action does, learned from a randomised contact table: the effect in each tier with its interval, whether the arms are
//! alike, how many customers the next test needs, and what a policy would have been worth.
//!
//! [`Trial`] holds who was in it, in which arm and with what outcome. [`effects`] estimates each action's effect in each tier in
//! four ways; [`balance`](fn@balance) asks whether the arms could come of a lottery; [`shrink`] pools small tiers; [`value_of`] values a rule
//! "this tier gets that action" on the same customers (off-policy); [`halved`] estimates on two halves of the customers, of which
//! one can judge what the other has chosen.

mod balance;
mod effect;
mod halves;
mod linear;
mod nuisance;
mod policy;
mod power;
mod robust;
mod shrink;
mod student;
mod trial;

#[cfg(test)]
mod few_tests;
#[cfg(test)]
mod tests;
pub mod worlds;

pub use balance::{Balance, Difference, NOT_RANDOM, balance};
pub use effect::{Effect, Estimate, Estimator, FEWEST, Lacking, Lift, Overlap, effects};
pub use halves::{HalfLift, Halved, halved, split};
pub use policy::{Policy, PolicyEstimate, PolicyValue, value_of};
pub use power::{Power, power};
pub use shrink::{PRIOR_SCALE, Shrunk, shrink};
pub use trial::{Covariate, Trial};
