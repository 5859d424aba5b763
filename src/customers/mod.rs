//! The customer table: one row per customer with the statistics that everything else is made of.

mod account;
mod blocks;
mod codes;
pub mod concentration;
mod fold;
pub mod groups;
mod last_used;
mod memory;
pub mod names;
mod record;
#[cfg(test)]
mod reference;
pub mod rfm;
mod run;
mod scan;
mod second_look;
mod shape;
pub mod spend;
mod spill;
mod statistics;
mod store;
pub mod summary;
mod suspects;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use groups::Customers;
pub use summary::{Reading, Summary, read_history, summarize};
pub use table::{
    Column, CustomerList, CustomerTable, Holdout, Ids, ListCounts, ListReport, Prospects, Values,
    to_record_batch, with_prospects,
};
