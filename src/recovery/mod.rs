//! What the models make of worlds whose truth is known.
//!
//! - [`recover`]: whether a fit finds the parameters of a generated history again.
//! - [`fits`]: a thousand small data sets, ordinary and degenerate, each of which has to end in a verified optimum or
//!   in a diagnosis with a name.
//! - [`coverage`]: whether the intervals of predictions hold what happens as often as they say.
//! - [`own_truth`]: customers whose own rates are known, for judging what is said of single customers.
//! - [`own_futures`]: such customers and what each does later under several treatments, for judging compared strategies.
//! - [`effects`], [`groups`]: whether covariates' coefficients and groups' parameters are found again, over many worlds.

pub mod coverage;
pub mod effects;
pub mod fits;
pub mod groups;
pub mod own_futures;
pub mod own_truth;
mod population;
mod tally;
mod truth;
mod world;

pub use tally::{Row, Study};
pub use truth::{Recovered, Recovery, recover};
