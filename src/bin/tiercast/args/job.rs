//! The verbs of the main job and its parts: `run`, `inspect`, `summarize` and `config`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tiercast::calendar::{Discount, Span};
use tiercast::pipeline::ModelSetting;

use super::reading::HistoryArgs;
use super::values::parsed;

/// What is known of customers besides their orders.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Customers")]
pub struct ListArgs {
    /// Parquet table (or folder of them) of customers with attributes; those without an order are written too, as
    /// prospects
    #[arg(long, env = "TIERCAST_CUSTOMERS_LIST", value_name = "TABLE")]
    pub customers_list: Option<PathBuf>,
    /// Column of its ids [default: named like the history's or the id map's, or found by name]
    #[arg(long, env = "TIERCAST_LIST_ID", value_name = "COLUMN")]
    pub list_id: Option<String>,
}

/// How cohorts are counted.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cohorts")]
pub struct CohortArgs {
    /// Period of the calendar by which cohorts are counted [default: months up to 36, quarters up to 48, else years]
    #[arg(long, env = "TIERCAST_COHORT_PERIOD", value_name = "PERIOD")]
    pub cohort_period: Option<CohortPeriodArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CohortPeriodArg {
    Auto,
    Week,
    Month,
    Quarter,
    Year,
}

/// What is computed from it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Models")]
pub struct ModelArgs {
    /// Model of purchases: pareto-nbd, bg-nbd, mbg-nbd, nbd, or auto for the one that predicts the second half of the
    /// history best from the first [default: auto]
    #[arg(long, env = "TIERCAST_MODEL", value_name = "MODEL", value_parser = parsed::<ModelSetting>)]
    pub model: Option<ModelSetting>,
    /// Horizon of lifetime value: 90d, 39w, 12mo, 1yr [default: 12mo]
    #[arg(long, env = "TIERCAST_HORIZON", value_name = "SPAN", value_parser = parsed::<Span>)]
    pub horizon: Option<Span>,
    /// Discount rate of lifetime value with its period: 10%/yr, 1%/mo [default: 10%/yr]
    #[arg(long, env = "TIERCAST_DISCOUNT", value_name = "RATE", value_parser = parsed::<Discount>)]
    pub discount: Option<Discount>,
    /// Clusters to look for [default: 5]
    #[arg(long, env = "TIERCAST_CLUSTERS", value_name = "K")]
    pub clusters: Option<usize>,
    /// Futures to simulate for every customer and strategy [default: 400]
    #[arg(long, env = "TIERCAST_REPLICATIONS", value_name = "N")]
    pub replications: Option<u32>,
    /// Seed of all random numbers [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
}

/// By which schemes a run grades.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tiers")]
pub struct SchemeArgs {
    /// Tier schemes: names of built-in ones, or files of rules (.toml), with commas between them; strategies may give by
    /// the tiers of any of them [default: value,rfm,abc]
    #[arg(short, long, env = "TIERCAST_SCHEME", value_name = "SCHEMES", value_delimiter = ',')]
    pub scheme: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Parquet files, folders or quoted patterns; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    /// Strategy file, or "bundled" for the bundled one [default: bundled with the bundled history, else none]
    #[arg(long, env = "TIERCAST_STRATEGIES", value_name = "FILE")]
    pub strategies: Option<PathBuf>,
    /// List (CSV: customer_id, and if need be since) of customers who do not want to be contacted: no strategy treats them
    #[arg(long, env = "TIERCAST_OPT_OUT", value_name = "FILE")]
    pub opt_out: Option<PathBuf>,
    /// Folder for the result [default: tiercast-run]
    #[arg(short, long, env = "TIERCAST_OUT", value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the output folder even if it holds something else
    #[arg(long)]
    pub force: bool,
    /// Check everything that can be checked without reading the history's rows, say what would be done, and stop
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub reading: HistoryArgs,
    #[command(flatten)]
    pub listed: ListArgs,
    #[command(flatten)]
    pub cohort: CohortArgs,
    #[command(flatten)]
    pub models: ModelArgs,
    #[command(flatten)]
    pub tiers: SchemeArgs,
}

#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// Parquet files, folders or quoted patterns; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: HistoryArgs,
}

#[derive(Debug, Clone, Args)]
pub struct SummarizeArgs {
    /// Parquet files, folders or quoted patterns; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    /// File for the customer table; an earlier one is replaced
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: PathBuf,
    /// File (CSV) for customers, orders and spend by period of the first order and each period after it; an earlier one
    /// is replaced. With --state, the state holds these counts too
    #[arg(long, value_name = "FILE")]
    pub cohorts: Option<PathBuf>,
    /// Replace the files even if they are something else
    #[arg(long)]
    pub force: bool,
    /// Say from the history's footers alone what would be done and what memory and disk it would take, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Add the rows to what a state holds, read with the options that it was made with; rows of its days are counted and
    /// refused
    #[arg(long, value_name = "STATE")]
    pub append: Option<PathBuf>,
    /// Write a state, to which the rows of later days can be added with --append; it may replace the one that was added to
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    #[command(flatten)]
    pub reading: HistoryArgs,
    #[command(flatten)]
    pub listed: ListArgs,
    #[command(flatten)]
    pub cohort: CohortArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    pub reading: HistoryArgs,
    #[command(flatten)]
    pub listed: ListArgs,
    #[command(flatten)]
    pub cohort: CohortArgs,
    #[command(flatten)]
    pub models: ModelArgs,
    #[command(flatten)]
    pub tiers: SchemeArgs,
    /// Strategy file
    #[arg(long, env = "TIERCAST_STRATEGIES", value_name = "FILE")]
    pub strategies: Option<PathBuf>,
    /// List of customers who do not want to be contacted
    #[arg(long, env = "TIERCAST_OPT_OUT", value_name = "FILE")]
    pub opt_out: Option<PathBuf>,
    /// Folder for the result
    #[arg(short, long, env = "TIERCAST_OUT", value_name = "DIR")]
    pub out: Option<PathBuf>,
}
