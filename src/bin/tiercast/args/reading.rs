//! How a history is read: for every verb that reads one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tiercast::calendar::{Day, LastPeriods};

use super::values::{Margin, MemorySize, parsed};

/// How a history is read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading")]
pub struct HistoryArgs {
    /// Column that says who bought; several (given again, or with commas) where only all of them say it [default:
    /// found by name]
    #[arg(long, env = "TIERCAST_CUSTOMER", value_name = "COLUMN", value_delimiter = ',')]
    pub customer: Option<Vec<String>>,
    /// Column that says when [default: found by name]
    #[arg(long, env = "TIERCAST_TIME", value_name = "COLUMN")]
    pub time: Option<String>,
    /// Column that says how much [default: found by name]
    #[arg(long, env = "TIERCAST_AMOUNT", value_name = "COLUMN")]
    pub amount: Option<String>,
    /// Column that says which order a row belongs to [default: found by name, may be absent]
    #[arg(long, env = "TIERCAST_ORDER", value_name = "COLUMN")]
    pub order: Option<String>,
    /// Column that counts pieces; the amount is then the price of one, and each row is worth their product [default: the
    /// amount is that of the row]
    #[arg(long, env = "TIERCAST_QUANTITY", value_name = "COLUMN")]
    pub quantity: Option<String>,
    /// Column that says the currency; a mixture is refused unless --only-currency chooses [default: one currency]
    #[arg(long, env = "TIERCAST_CURRENCY", value_name = "COLUMN")]
    pub currency: Option<String>,
    /// Currency whose rows are used, as the column writes it; those of others are set aside
    #[arg(long, env = "TIERCAST_ONLY_CURRENCY", value_name = "CODE")]
    pub only_currency: Option<String>,
    /// Column of what each row cost you [default: none]
    #[arg(long, env = "TIERCAST_COST", value_name = "COLUMN")]
    pub cost: Option<String>,
    /// Column to keep the last known value of for each customer; may be given again, or several with commas
    #[arg(long, env = "TIERCAST_KEEP", value_name = "COLUMN", value_delimiter = ',')]
    pub keep: Option<Vec<String>>,
    /// What you earn: a share of revenue for lifetime value, above 0 and up to 1, or the column of what each row earned
    /// [default: 1, lifetime value as revenue]
    #[arg(long, env = "TIERCAST_MARGIN", value_name = "SHARE|COLUMN")]
    pub margin: Option<Margin>,
    /// Time zone in which instants become days, such as Europe/Paris; "local" takes INT96 times as they stand [default: the column's own]
    #[arg(long, env = "TIERCAST_ZONE", value_name = "ZONE")]
    pub zone: Option<String>,
    /// Last day to look at [default: the history's last day, never today]
    #[arg(long, env = "TIERCAST_AS_OF", value_name = "DATE", value_parser = parsed::<Day>)]
    pub as_of: Option<Day>,
    /// Last day of the calibration window; what follows, up to --as-of, is the holdout [default: no holdout]
    #[arg(long, env = "TIERCAST_CALIBRATION_END", value_name = "DATE", value_parser = parsed::<Day>)]
    pub calibration_end: Option<Day>,
    /// What happens to negative amounts: set aside and counted, or subtracted [default: aside]
    #[arg(long, env = "TIERCAST_REFUNDS", value_name = "HOW")]
    pub refunds: Option<RefundsArg>,
    /// Parquet table (or folder of them) with the columns source, source_id and customer_id: which customer each id of
    /// each system is
    #[arg(long, env = "TIERCAST_ID_MAP", value_name = "TABLE")]
    pub id_map: Option<PathBuf>,
    /// Column that says a row's source in the id map [default: the name of the folder as given, or of the
    /// file without its ending]
    #[arg(long, env = "TIERCAST_SOURCE", value_name = "COLUMN")]
    pub source: Option<String>,
    /// What happens to rows whose id is not in the id map [default: aside]
    #[arg(long, env = "TIERCAST_UNMATCHED", value_name = "HOW")]
    pub unmatched: Option<UnmatchedArg>,
    /// Set exact duplicates of a row that is used aside; without it they are counted and kept
    #[arg(
        long,
        env = "TIERCAST_DROP_DUPLICATES",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub drop_duplicates: Option<bool>,
    /// Set files that are damaged, cut short or changed aside and list them; without it the first is an error
    #[arg(
        long,
        env = "TIERCAST_SKIP_BAD_FILES",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub skip_bad_files: Option<bool>,
    /// Orders and spend of the last periods of the calendar, and the rhythm of orders: week, month, quarter or year and
    /// how many, as in quarter:8 [default: none]
    #[arg(long, env = "TIERCAST_PERIODS", value_name = "PERIOD:N", value_parser = parsed::<LastPeriods>)]
    pub periods: Option<LastPeriods>,
    /// Memory to work in, as in 1GiB; what does not fit goes to disk, and the result is the same [default: no limit]
    #[arg(long, env = "TIERCAST_MEMORY_LIMIT", value_name = "SIZE")]
    pub memory_limit: Option<MemorySize>,
    /// Folder for what does not fit in memory [default: the system's temporary folder]
    #[arg(long, env = "TIERCAST_SPILL_FOLDER", value_name = "DIR")]
    pub spill_folder: Option<PathBuf>,
    /// Unit of recency and T [default: week; of a table that is read, what it says of itself]
    #[arg(long, env = "TIERCAST_UNIT", value_name = "UNIT")]
    pub unit: Option<UnitArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RefundsArg {
    /// Set aside from the orders, and counted
    Aside,
    /// Subtracted from the customer's latest order on or before the refund
    Net,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum UnmatchedArg {
    /// Set aside and counted
    Aside,
    /// Used, as customers of their own named SOURCE:ID
    Keep,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum UnitArg {
    Day,
    Week,
}
