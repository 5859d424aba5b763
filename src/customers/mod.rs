//! The customer table: one row per customer with the statistics that everything else is made of.

mod fold;
mod gather;
mod partition;
#[cfg(test)]
mod reference;
mod second_look;
mod statistics;
pub mod summary;
pub mod table;
#[cfg(test)]
mod tests;

pub use summary::{Summary, summarize};
pub use table::{Column, CustomerTable, Holdout, Ids, Values};
