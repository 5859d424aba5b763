//! The verbs `fit` and `predict`.

use std::path::PathBuf;

use clap::Args;
use tiercast::calendar::{Discount, Span};
use tiercast::clv::{ModelName, Prior};

use super::reading::UnitArg;
use super::values::{Level, parsed};

/// More draws only make files large: 10,000 settle the ends of a 99 % interval.
pub const MOST_DRAWS: i64 = 10_000;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Of the table, the columns frequency (repeat purchases), recency (first purchase to last), T \
(first purchase to the end of calibration) and, for the model of spend, monetary_value (mean value of a repeat \
purchase) are read. Rows without any of them are prospects and left out."
)]
pub struct FitArgs {
    /// Parquet table of customers: that of `tiercast summarize`, or any with its columns
    #[arg(value_name = "CUSTOMERS")]
    pub customers: PathBuf,
    /// Model of purchases: bg-nbd, mbg-nbd, pareto-nbd or nbd
    #[arg(long, value_name = "MODEL", value_parser = parsed::<ModelName>, default_value = "pareto-nbd")]
    pub model: ModelName,
    /// File for the fitted model (JSON) [default: the fit is printed and not kept]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
    /// Unit of recency and T [default: what the table says of itself]
    #[arg(long, value_enum)]
    pub unit: Option<UnitArg>,
    /// Draws of the parameters that are kept with the model, for the intervals of predict; 0 for none [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=MOST_DRAWS))]
    pub draws: Option<u32>,
    /// What is believed of the parameters before the data, for the draws: flat or weak [default: flat]
    #[arg(long, value_name = "PRIOR", value_parser = parsed::<Prior>)]
    pub prior: Option<Prior>,
    /// Seed of the draws [default: 1]
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
}

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Every column of the table is kept, and after them come p_alive, expected_transactions (within \
the horizon), dert (discounted expected purchases for ever, if there is a discount) and, if the model has one of spend, \
expected_spend (of a purchase) and clv (within the horizon). Prospects have nulls."
)]
pub struct PredictArgs {
    /// File that `tiercast fit` wrote
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Parquet table of customers: that of `tiercast summarize`, or any with its columns
    #[arg(value_name = "CUSTOMERS")]
    pub customers: PathBuf,
    /// File for the table with the scores; an earlier one of tiercast's is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file even if tiercast did not make it
    #[arg(long)]
    pub force: bool,
    /// Unit of recency and T [default: what the table says of itself]
    #[arg(long, value_enum)]
    pub unit: Option<UnitArg>,
    /// Horizon of expected transactions and lifetime value: 90d, 39w, 12mo, 1yr [default: 12mo]
    #[arg(long, env = "TIERCAST_HORIZON", value_name = "SPAN", value_parser = parsed::<Span>)]
    pub horizon: Option<Span>,
    /// Discount rate with its period: 10%/yr, 1%/mo [default: 10%/yr]
    #[arg(long, env = "TIERCAST_DISCOUNT", value_name = "RATE", value_parser = parsed::<Discount>)]
    pub discount: Option<Discount>,
    /// What remains of revenue, above 0 and up to 1 [default: 1, lifetime value as revenue]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub share: Option<f64>,
    /// Intervals of this probability, such as 90%: of the expectation (_mean_lower, _mean_upper) and of what will happen
    /// (_lower, _upper); the model needs draws (see fit --draws) [default: none]
    #[arg(long, value_name = "LEVEL")]
    pub intervals: Option<Level>,
    /// Totals of the customers of each value of this column, with both intervals; columns of integers or texts
    #[arg(long, value_name = "COLUMN", requires = "intervals")]
    pub totals_by: Option<String>,
    /// File for the totals (CSV) [default: they are printed]
    #[arg(long, value_name = "FILE", requires = "intervals")]
    pub totals: Option<PathBuf>,
    /// Column of the customers' id, to which random numbers belong; several for an id of several [default: customer_id]
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "intervals")]
    pub id: Vec<String>,
    /// Seed of what will happen [default: that of the model's draws]
    #[arg(long, value_name = "SEED", requires = "intervals")]
    pub seed: Option<u64>,
}
