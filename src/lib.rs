//! Customer tiering from purchase histories.
//!
//! tiercast reads purchase histories in Parquet into a customer table, fits lifetime models, scores, clusters and
//! tiers the customers, and simulates what strategies (money spread over the tiers) would change, with intervals and
//! with every assumption stated. The command `tiercast run` does all of it; this library is what it calls.
//!
//! ```
//! use tiercast::pipeline::{self, RunConfig, StrategyText};
//!
//! let config = RunConfig { replications: 20, ..RunConfig::default() };
//! let history = [tiercast::history::bundled()];
//! let run = pipeline::run(&history, Some(&StrategyText::bundled()), &config, &())?;
//!
//! assert_eq!(run.summary.ledger.read, 69_659);
//! assert_eq!(run.summary.table.len(), 23_570);
//! assert!(run.purchases.report().verdict.is_usable());
//! for tier in &run.tierings[0].tiers {
//!     println!("{}: {} customers, {}", tier.name, tier.customers, tier.rule);
//! }
//! # Ok::<(), tiercast::Error>(())
//! ```
//!
//! # Floors
//! A module imports only modules on lower floors; a test holds the rule.
//!
//! | floor | modules |
//! |---|---|
//! | 1 | [`error`], [`calendar`], [`amount`], [`progress`], [`parallel`], [`random`], [`special`] |
//! | 2 | [`history`]: files → rows; [`convert`]: CSV → Parquet; [`synth`]: histories from known parameters |
//! | 3 | [`customers`]: rows → one row per customer, RFM scores, concentration |
//! | 4 | [`clv`]: lifetime models |
//! | 5 | [`segment`], [`tier`]: clusters and tiers; [`recovery`]: fits against the truth |
//! | 6 | [`strategy`]: actions, responses, plans |
//! | 7 | [`simulate`]: futures and their comparison |
//! | 9 | [`report`]: tables and the page |
//! | 10 | [`pipeline`]: the whole chain |

pub mod amount;
pub mod calendar;
pub mod clv;
pub mod convert;
pub mod customers;
pub mod error;
pub mod history;
pub mod learn;
pub mod parallel;
pub mod pipeline;
pub mod progress;
pub mod random;
pub mod recovery;
pub mod report;
pub mod segment;
pub mod simulate;
pub mod special;
pub mod strategy;
pub mod synth;
pub mod tier;

pub use error::{Error, Result};
