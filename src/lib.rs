//! tiercast
pub mod amount;
pub mod calendar;
pub mod clv;
pub mod customers;
pub mod error;
pub mod history;
pub mod parallel;
pub mod progress;
pub mod random;
pub mod report;
pub mod segment;
pub mod simulate;
pub mod strategy;
pub mod tier;

pub use error::{Error, Result};
