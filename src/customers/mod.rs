//! The customer table: one row per customer with the statistics that everything else is made of.

pub mod concentration;
pub mod rfm;
pub mod spend;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;

pub use table::{Column, CustomerTable, Holdout, Ids, Values};
