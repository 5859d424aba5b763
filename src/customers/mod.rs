//! The customer table: one row per customer with the statistics that everything else is made of.

pub mod table;

pub use table::{Column, CustomerTable, Holdout, Ids, Values};
