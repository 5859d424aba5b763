//! The verbs `fit` and `predict`.

use std::path::PathBuf;

use clap::Args;
use tiercast::calendar::{Discount, Span};
use tiercast::clv::ModelName;

use super::reading::UnitArg;
use super::values::parsed;

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
    #[command(flatten)]
    pub differences: DifferenceArgs,
}

/// How customers may differ by what is known of them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Groups and covariates")]
pub struct DifferenceArgs {
    /// Fit by group: a column of text, integers or booleans, such as a region or a cohort; groups are pooled
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// Covariates of both purchases and dropout: columns of numbers, or of text or booleans as levels
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub covariates: Vec<String>,
    /// Covariates of purchases
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub purchase_covariates: Vec<String>,
    /// Covariates of dropout
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub dropout_covariates: Vec<String>,
    /// Penalty ½·LAMBDA·Σγ² on the coefficients of standardised covariates, in units of log-likelihood [default: 0]
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true)]
    pub penalty: Option<f64>,
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
}
