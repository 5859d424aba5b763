//! The customer table: one row per customer with the statistics that everything else is made of.

pub mod concentration;
mod fold;
mod gather;
mod last_used;
mod partition;
#[cfg(test)]
mod reference;
pub mod rfm;
mod second_look;
pub mod spend;
mod statistics;
pub mod summary;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use summary::{Summary, summarize};
pub use table::{Column, CustomerTable, Holdout, Ids, Values, to_record_batch};
