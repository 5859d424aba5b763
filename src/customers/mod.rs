//! The customer table: one row per customer with the statistics that everything else is made of.

mod account;
mod blocks;
mod bucket_sort;
mod clusters;
mod codes;
pub mod cohorts;
pub mod concentration;
mod fold;
mod fold_one;
pub mod groups;
mod last_used;
mod memory;
#[cfg(test)]
mod more_tests;
pub mod names;
mod narrow;
pub mod plan;
pub mod pseudonyms;
mod ranges;
mod read;
mod record;
#[cfg(test)]
mod reference;
pub mod rfm;
mod rows;
mod run;
mod scan;
mod scattered;
mod second_look;
mod shape;
pub mod spend;
mod spill;
#[doc(hidden)]
pub mod stages;
pub mod state;
#[cfg(test)]
mod state_match_tests;
#[cfg(test)]
mod state_tests;
mod statistics;
mod store;
mod stream;
#[cfg(test)]
mod stream_tests;
pub mod summary;
mod suspects;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod windows;

pub use groups::Customers;
pub use plan::{Plan, plan};
pub use state::StateInfo;
pub use stream::Strategy;
pub use summary::{Reading, Summary, read_history, read_open, summarize, summarize_open};
pub use table::{
    Added, Column, CustomerList, CustomerTable, FileColumn, FileValues, GroupKey, Grouped, Holdout, Ids,
    Known, ListCounts, ListReport, Missing, Money, MoneyKind, OrderDays, Prospects, Rows, Statistics,
    StatisticsFile, StatisticsOptions, SurvivorColumns, SurvivorRows, TableInfo, Values, WholeFile,
    into_record_batch, no_number, to_record_batch, with_prospects,
};
pub(crate) use table::{CUSTOMERS_KEY, STATE_KEY};
