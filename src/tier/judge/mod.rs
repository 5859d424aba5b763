//! Is a tiering any good? How sure each customer's tier is, and what is lost by grading the wrong ones high.
//!
//! - **P(tier)** ([`Sureness`]): a history says little of one customer. Its own rates and spend are drawn given its history
//!   ([`crate::clv::own_value`]), the rules are asked again with these figures and every threshold held fixed, and the share of
//!   draws in a tier is the probability that the customer belongs there.
//! - **Regret** ([`Division`]): what the customers in the best tiers are worth together, against as many customers chosen by what
//!   they are truly worth: by the draws where the truth is unknown, by a column where it is known (a holdout, a simulated
//!   world).
//! - **Comparison** ([`Yardstick`]): tierings of the same customers held against the same column, with intervals.

mod division;
mod own;
mod yardstick;

#[cfg(test)]
mod tests;

pub use division::{Cut, Division, Exact, Ranked};
pub use own::{MOST_DRAWS, Sureness, SurenessOptions, sureness};
pub use yardstick::{Codes, Held, Resampling, Spread, Yardstick};
