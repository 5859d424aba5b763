//! The verb `assess`.

use std::path::PathBuf;

use clap::Args;
use tiercast::calendar::{Day, Discount, Span};

use super::reading::UnitArg;
use super::values::{Level, Margin, parsed};

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "With --model everybody's own purchase rate, dropout and spend are drawn given its history, the rules are asked \
again with these figures (p_alive, expected_transactions, dert, expected_spend, clv) and every threshold held fixed. What is lost is \
what the customers in the best tiers are worth, against as many of the best. Against a column of what customers turned out to be worth \
(spend_holdout of `summarize --calibration-end`, or --value) luck is part of what is lost: compare schemes there. docs/assess.md"
)]
pub struct AssessArgs {
    /// Table of customers (Parquet) of `summarize` or `predict`
    #[arg(value_name = "CUSTOMERS")]
    pub customers: PathBuf,
    /// Schemes: names of built-in ones, or files (.toml), with commas between them; differences are to the first
    #[arg(short, long, value_name = "SCHEMES", value_delimiter = ',', default_value = "value")]
    pub scheme: Vec<String>,
    /// Model of `fit` (pareto-nbd, bg-nbd, mbg-nbd or nbd), best with --draws; scores that the table lacks are added
    #[arg(long, value_name = "MODEL")]
    pub model: Option<PathBuf>,
    /// Column of what customers turned out to be worth [default: spend_holdout, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub value: Option<String>,
    /// Horizon of lifetime value: 90d, 39w, 12mo, 1yr [default: 12mo]
    #[arg(long, env = "TIERCAST_HORIZON", value_name = "SPAN", value_parser = parsed::<Span>)]
    pub horizon: Option<Span>,
    /// Discount rate of lifetime value with its period: 10%/yr, 1%/mo [default: 10%/yr]
    #[arg(long, env = "TIERCAST_DISCOUNT", value_name = "RATE", value_parser = parsed::<Discount>)]
    pub discount: Option<Discount>,
    /// Share of an order's value that remains, in lifetime value [default: 1]
    #[arg(long, env = "TIERCAST_MARGIN", value_name = "SHARE")]
    pub margin: Option<Margin>,
    /// Draws of everybody's own rates and spend [default: 200]
    #[arg(long, value_name = "N", requires = "model")]
    pub draws: Option<u32>,
    /// Replications of the bootstrap over customers [default: 400]
    #[arg(long, value_name = "N")]
    pub replications: Option<u32>,
    /// Probability of intervals
    #[arg(long, value_name = "LEVEL", default_value = "90%")]
    pub level: Level,
    /// Seed of every random number [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
    /// File for everybody's probability of each tier: .parquet, .csv or .xlsx; an earlier one is replaced, a workbook with
    /// --force [default: none]
    #[arg(short, long, value_name = "FILE", requires = "model")]
    pub output: Option<PathBuf>,
    /// Replace the file whatever it is
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Date of the grading, where the table does not say it
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub date: Option<Day>,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Unit of recency and T, where the table does not say it
    #[arg(long, value_enum, value_name = "UNIT")]
    pub unit: Option<UnitArg>,
}
