//! The verb `init`.

use std::path::PathBuf;

use clap::Args;
use tiercast::calendar::Day;

use super::reading::UnitArg;
use super::values::parsed;

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Table of customers (Parquet) of `summarize` or `predict`
    #[arg(value_name = "CUSTOMERS", required_unless_present = "schema")]
    pub customers: Option<PathBuf>,
    /// Print the JSON schema of strategy files, for editors, and stop
    #[arg(long, conflicts_with_all = ["customers", "output", "scheme"])]
    pub schema: bool,
    /// File for the strategies; an earlier file is never replaced unless --force is given [default: printed]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Scheme of the tiers: a built-in one, a file (.toml), or `clusters`
    #[arg(short, long, value_name = "SCHEME", default_value = "value")]
    pub scheme: String,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Unit of recency and T, where the table does not say it
    #[arg(long, value_enum, value_name = "UNIT")]
    pub unit: Option<UnitArg>,
    /// Day up to which customers are observed, where the table does not say it
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub date: Option<Day>,
}
