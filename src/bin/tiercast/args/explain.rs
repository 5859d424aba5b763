//! The verb `explain`.

use std::path::PathBuf;

use clap::Args;
use tiercast::calendar::Day;

use super::reading::HistoryArgs;
use super::values::parsed;

#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The customer's id, as it stands in the table
    #[arg(value_name = "CUSTOMER")]
    pub who: String,
    /// Table of customers (Parquet)
    #[arg(value_name = "CUSTOMERS")]
    pub customers: PathBuf,
    /// Purchase history (Parquet files, folders or quoted patterns) of which the table was made: the customer's last orders
    /// are printed, all with --json
    #[arg(long, value_name = "HISTORY", num_args = 1..)]
    pub history: Vec<PathBuf>,
    /// Schemes: names of built-in ones, or files (.toml), with commas between them
    #[arg(short, long, value_name = "SCHEMES", value_delimiter = ',', default_value = "value,rfm,abc")]
    pub scheme: Vec<String>,
    /// Tiers set by hand (CSV), as for `tier`
    #[arg(long, value_name = "FILE")]
    pub overrides: Option<PathBuf>,
    /// Date of the grading, at which overrides expire [default: the end of calibration]
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub date: Option<Day>,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    #[command(flatten)]
    pub reading: HistoryArgs,
}
