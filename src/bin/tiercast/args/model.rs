//! The verbs `fit` and `predict`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use tiercast::calendar::{CalendarPeriod, Span};
use tiercast::clv::model_file::{ContractName, OpportunitiesName};
use tiercast::clv::{ModelName, Prior};

use super::reading::HistoryArgs;
use super::values::{DiscountArg, HorizonArg, Level, parsed};

/// More draws only make files large: 10,000 settle the ends of a 99 % interval.
pub const MOST_DRAWS: i64 = 10_000;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Models of purchases (pareto-nbd, bg-nbd, mbg-nbd, nbd) read a table of customers: frequency (repeat \
purchases), recency (first purchase to last), T (first purchase to the end of calibration) and, for the model of spend, \
monetary_value (mean value of a repeat purchase). Rows without any of them are prospects and left out. The unit of recency \
and T is that of --unit, else what the table says of itself, else that of TIERCAST_UNIT or the settings file.\n\n\
Models of contracts (sbg, bdw) read survivors by cohort and period, from Parquet or CSV: period 0 is the beginning. \n\n\
bg-bb reads a purchase history and counts in which periods of the calendar each customer ordered; the options under \
Reading are for it."
)]
pub struct FitArgs {
    /// Parquet table of customers: that of `tiercast summarize`, or any with its columns. For sbg and bdw a table of
    /// survivors (Parquet or CSV); for bg-bb a purchase history (a file, folder or quoted pattern)
    #[arg(value_name = "DATA")]
    pub customers: PathBuf,
    /// Model: pareto-nbd, bg-nbd, mbg-nbd or nbd (purchases); sbg or bdw (contracts); bg-bb (opportunities)
    #[arg(long, value_name = "MODEL", value_parser = parsed::<FitModel>, default_value = "pareto-nbd")]
    pub model: FitModel,
    /// File for the fitted model (JSON), an earlier model is replaced [default: the fit is printed and not kept]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file whatever it is
    #[arg(long)]
    pub force: bool,
    /// Column of money for the model of spend: total_margin or total_cost (means over all order days are made of these
    /// sums, of margins or of total_spend less total_cost), or any that holds the mean value of a repeat purchase
    /// [default: monetary_value, if there is one]
    #[arg(long, value_name = "COLUMN", help_heading = "Models of purchases")]
    pub money: Option<String>,
    /// Draws of the parameters that are kept with the model, for the intervals of predict; 0 for none. Not with --by or
    /// covariates [default: 1000 for sbg and bdw, 400 for bg-bb, 0 otherwise]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=MOST_DRAWS), help_heading = "Draws")]
    pub draws: Option<u32>,
    /// What is believed of the parameters before the data, for the draws: weak or flat [default: weak]
    #[arg(long, value_name = "PRIOR", value_parser = parsed::<Prior>, help_heading = "Draws")]
    pub prior: Option<Prior>,
    /// Seed of the draws [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED", help_heading = "Draws")]
    pub seed: Option<u64>,
    /// Period of the calendar that is an opportunity: week, month, quarter or year
    #[arg(long, value_name = "PERIOD", value_parser = parsed::<CalendarPeriod>, help_heading = "bg-bb")]
    pub opportunity: Option<CalendarPeriod>,
    #[command(flatten)]
    pub differences: DifferenceArgs,
    #[command(flatten)]
    pub cohorts: CohortColumnArgs,
    #[command(flatten)]
    pub reading: HistoryArgs,
}

/// Which columns of a table of survivors say what.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Models of contracts (sbg, bdw)")]
pub struct CohortColumnArgs {
    /// How long a period is: 1mo, 1yr; a discount per year or a horizon in months needs it
    #[arg(long, value_name = "SPAN", value_parser = parsed::<Span>)]
    pub period: Option<Span>,
    /// Column that names the cohort [default: cohort]
    #[arg(long, value_name = "COLUMN")]
    pub cohort_column: Option<String>,
    /// Column that counts the renewals since the beginning, which is period 0 [default: period]
    #[arg(long, value_name = "COLUMN")]
    pub period_column: Option<String>,
    /// Column of the customers left after that renewal [default: survivors]
    #[arg(long, value_name = "COLUMN")]
    pub survivors_column: Option<String>,
}

/// How customers may differ by what is known of them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Models of purchases by group or with covariates")]
pub struct DifferenceArgs {
    /// Fit by group: a column of text, integers or booleans, such as a region or a cohort; groups are pooled
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// Covariates of both purchases and dropout: columns of numbers, or of text or booleans as levels; with commas
    /// between them, or the option several times. A column whose name has a comma is given by an option of its own
    #[arg(long, value_name = "COLUMNS")]
    pub covariates: Vec<String>,
    /// Covariates of purchases
    #[arg(long, value_name = "COLUMNS")]
    pub purchase_covariates: Vec<String>,
    /// Covariates of dropout
    #[arg(long, value_name = "COLUMNS")]
    pub dropout_covariates: Vec<String>,
    /// Penalty ½·LAMBDA·Σγ² on the coefficients of standardised covariates, in units of log-likelihood [default: 0]
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true)]
    pub penalty: Option<f64>,
}

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Models of purchases score a table of customers. Every column is kept, and after them come p_alive, \
expected_transactions (within the horizon), dert (discounted expected purchases for ever, if there is a discount) and, if \
the model has one of spend, expected_spend (of a purchase) and clv (within the horizon). Prospects have nulls. The unit of \
recency and T is that of --unit, else what the table says of itself, else that of TIERCAST_UNIT or the settings file. A \
model that was fitted to margins gives clv in margins; --margin is for one that was fitted to revenue, and a column there \
(from the settings file or TIERCAST_MARGIN) leaves clv as revenue.\n\n\
Models of contracts write a line for each cohort and period after its last one; bg-bb scores the customers of a purchase \
history."
)]
pub struct PredictArgs {
    /// File that `tiercast fit` wrote
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// What the model is for: a Parquet table of customers (that of `tiercast summarize`, or any with its columns), a table
    /// of survivors for sbg and bdw, a purchase history for bg-bb
    #[arg(value_name = "DATA")]
    pub customers: PathBuf,
    /// File for the table with the predictions (Parquet); an earlier one is replaced
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the files even if they are something else
    #[arg(long)]
    pub force: bool,
    /// Horizon: 90d, 39w, 12mo, 1yr; for contracts and opportunities also a number of periods [default: 12mo; there the
    /// number of periods nearest to it: 52 weeks, 12 months, 4 quarters, 1 year]
    #[arg(long, env = "TIERCAST_HORIZON", value_name = "SPAN", value_parser = parsed::<HorizonArg>)]
    pub horizon: Option<HorizonArg>,
    /// Discount rate with its period: 10%/yr, 1%/mo; for contracts and opportunities also 10%/period [default: 10%/yr]
    #[arg(long, env = "TIERCAST_DISCOUNT", value_name = "RATE", value_parser = parsed::<DiscountArg>)]
    pub discount: Option<DiscountArg>,
    /// Intervals of this probability, such as 90%: of the expectation (_mean_lower, _mean_upper) and of what will happen
    /// (_lower, _upper); the model needs draws (see fit --draws) [default: none]
    #[arg(long, value_name = "LEVEL")]
    pub intervals: Option<Level>,
    /// Totals of the customers of each value of this column, with both intervals; columns of integers or texts
    #[arg(long, value_name = "COLUMN", requires = "intervals")]
    pub totals_by: Option<String>,
    /// File for the totals (CSV), earlier totals are replaced [default: they are printed]
    #[arg(long, value_name = "FILE", requires = "intervals")]
    pub totals: Option<PathBuf>,
    /// Column of the customers' id, to which random numbers belong; several for an id of several [default: customer_id]
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "intervals")]
    pub id: Vec<String>,
    /// Seed of what will happen [default: that of the model's draws]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub cohorts: CohortColumnArgs,
    #[command(flatten)]
    pub reading: HistoryArgs,
}

/// Any model that can be fitted, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitModel {
    Purchases(ModelName),
    Contract(ContractName),
    Opportunities(OpportunitiesName),
}

impl FitModel {
    fn all() -> impl Iterator<Item = FitModel> {
        let purchases = ModelName::ALL.into_iter().map(FitModel::Purchases);
        let contracts = ContractName::ALL.into_iter().map(FitModel::Contract);
        purchases.chain(contracts).chain([FitModel::Opportunities(OpportunitiesName::BgBb)])
    }

    fn key(self) -> &'static str {
        match self {
            FitModel::Purchases(name) => name.key(),
            FitModel::Contract(name) => name.key(),
            FitModel::Opportunities(name) => name.key(),
        }
    }
}

impl fmt::Display for FitModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for FitModel {
    type Err = tiercast::Error;

    fn from_str(text: &str) -> tiercast::Result<FitModel> {
        FitModel::all().find(|model| model.key() == text).ok_or_else(|| {
            let keys: Vec<&str> = FitModel::all().map(FitModel::key).collect();
            let remedy = format!("choose one of {}", keys.join(", "));
            tiercast::Error::value("a model", text, "there is no such model", remedy)
        })
    }
}
