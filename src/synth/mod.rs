//! Purchase histories from known parameters, so that what estimates them can be checked against the truth.
//!
//! A [`Config`] says what is wanted, [`Plan::new`] checks it, [`write()`] writes it into a folder in bounded memory.
//! Each customer is drawn from streams of its own ([`crate::random`]), so a customer is the same however many there
//! are, in which order rows are written and with how many threads.
//!
//! Purchases: the customer's rate λ ~ gamma(r, rate alpha) a week. Pareto/NBD: it leaves after an exponential time
//! with rate μ ~ gamma(s, rate beta) a week (Schmittlein, Morrison and Colombo 1987). BG/NBD: it leaves after each
//! repeat purchase with probability p ~ beta(a, b) (Fader, Hardie and Lee 2005). Amounts: gamma with shape p and rate
//! ν ~ gamma(q, rate gamma) (Fader and Hardie, "The Gamma-Gamma Model of Monetary Value", 2013).

mod columns;
mod customer;
mod ids;
mod plan;
pub mod shop;
mod slices;
#[cfg(test)]
mod tests;
mod write;

pub use customer::{Customer, Departure, Purchase};
pub use ids::Ids;
pub use plan::{Config, Model, Order, Plan, Spend};
pub use write::{Written, write};

/// The folder of the history inside the result.
pub const HISTORY: &str = "history";
/// The table of each customer's truth inside the result.
pub const TRUTH: &str = "truth.parquet";
