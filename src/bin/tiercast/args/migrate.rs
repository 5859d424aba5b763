//! The verb `migrate`.

use std::path::PathBuf;

use clap::Args;
use tiercast::calendar::Day;

use super::values::parsed;

#[derive(Debug, Clone, Args)]
pub struct MigrateArgs {
    /// Earlier table of tiers (Parquet), of `tier` or `run`
    #[arg(value_name = "BEFORE", required_unless_present = "ledger")]
    pub before: Option<PathBuf>,
    /// Later table of tiers
    #[arg(value_name = "AFTER", required_unless_present = "ledger")]
    pub after: Option<PathBuf>,
    /// Folder of a ledger of tiers, instead of two tables
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["before", "after", "value", "features", "id"], requires_all = ["from", "to"])]
    pub ledger: Option<PathBuf>,
    /// Earlier day of the ledger
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>, requires = "ledger")]
    pub from: Option<Day>,
    /// Later day of the ledger
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>, requires = "ledger")]
    pub to: Option<Day>,
    /// Key of the scheme: both tables have a column tier_KEY
    #[arg(short, long, value_name = "KEY", default_value = "value")]
    pub scheme: String,
    /// The tiers, best first [default: those of the built-in scheme, or by the tables' levels]
    #[arg(long, value_name = "TIERS", value_delimiter = ',')]
    pub tiers: Vec<String>,
    /// Column of what a customer is worth [default: clv, else total_spend]
    #[arg(long, value_name = "COLUMN")]
    pub value: Option<String>,
    /// Further columns whose distributions are compared
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub features: Vec<String>,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// File for the movers: .parquet, .csv or .xlsx; replaced with --force only [default: none]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file whatever it is
    #[arg(long, requires = "output")]
    pub force: bool,
    /// In printed tables, hide counts of fewer customers than this, and those that would reveal them; 0 for none
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub suppress_below: u64,
}
