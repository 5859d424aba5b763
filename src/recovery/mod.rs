//! What the models make of worlds whose truth is known.
//!
//! - [`recover`]: whether a fit finds the parameters of a generated history again.
//! - [`fits`]: a thousand small data sets, ordinary and degenerate, each of which has to end in a verified optimum or
//!   in a diagnosis with a name.
//! - [`coverage`]: whether the intervals of predictions hold what happens as often as they say.

pub mod coverage;
pub mod fits;
mod population;
mod truth;

pub use truth::{Recovered, Recovery, recover};
