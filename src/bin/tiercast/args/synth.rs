//! The verb `synth`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tiercast::calendar::Day;
use tiercast::synth::{Ids, Order};

use super::values::{grouped, parsed};

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The result holds history/part-….parquet (customer_id, order_ts, amount), truth.parquet (each \
customer's own rates) and truth.json (parameters, seed, version)."
)]
pub struct SynthArgs {
    /// Folder for the result; an earlier one of this verb is replaced
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replace the folder even if it holds something else
    #[arg(long)]
    pub force: bool,
    /// Customers
    #[arg(long, value_name = "N", default_value = "100_000", value_parser = grouped, allow_negative_numbers = true)]
    pub customers: u64,
    /// Seed of everything drawn: the same seed, the same customers
    #[arg(long, value_name = "SEED", default_value = "1", value_parser = grouped, allow_negative_numbers = true)]
    pub seed: u64,
    /// First day of the window [default: 2023-01-01]
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub start: Option<Day>,
    /// Last day of the window [default: after 104 weeks]
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub end: Option<Day>,
    /// Last day on which customers buy for the first time [default: 20 weeks before the end, at most half the window]
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub join_until: Option<Day>,
    /// Swing of the purchase rate over the year as a share of it, 0 to 1; the peak is 15 December
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, allow_negative_numbers = true)]
    pub seasonality: f64,
    /// Form of the ids
    #[arg(long, value_enum, default_value_t = IdsArg::Integer)]
    pub ids: IdsArg,
    /// Add the columns region (of the customer) and channel (of the order), which say nothing about behaviour
    #[arg(long)]
    pub attributes: bool,
    /// Order of the rows
    #[arg(long, value_enum, default_value_t = OrderArg::Time)]
    pub order: OrderArg,
    /// Fit the model to the first N customers, 50_000 if N is not given, and print the estimates beside the truth
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "50_000",
        value_parser = grouped
    )]
    pub check: Option<u64>,
    /// How customers buy and leave
    #[arg(long, value_enum, default_value_t = ModelArg::ParetoNbd, help_heading = "Parameters (time in weeks)")]
    pub model: ModelArg,
    /// Shape of the purchase rates [default: 0.8; 0.243 with bg-nbd]
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub r: Option<f64>,
    /// Rate of the purchase rates [default: 3.75; 4.414 with bg-nbd]
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub alpha: Option<f64>,
    /// Shape of the dropout rates, Pareto/NBD [default: 0.6]
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub s: Option<f64>,
    /// Rate of the dropout rates, Pareto/NBD [default: 12]
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub beta: Option<f64>,
    /// First parameter of the dropout probabilities, BG/NBD [default: 0.793]
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub a: Option<f64>,
    /// Second parameter of the dropout probabilities, BG/NBD [default: 2.426]
    #[arg(
        long,
        value_name = "X",
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub b: Option<f64>,
    /// Shape of a customer's amounts, Gamma-Gamma
    #[arg(
        long,
        value_name = "X",
        default_value_t = 6.25,
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub p: f64,
    /// Shape of the rates of amounts, Gamma-Gamma
    #[arg(
        long,
        value_name = "X",
        default_value_t = 3.74,
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub q: f64,
    /// Rate of the rates of amounts, Gamma-Gamma; amounts have mean p·gamma/(q − 1)
    #[arg(
        long,
        value_name = "X",
        default_value_t = 15.4,
        allow_negative_numbers = true,
        help_heading = "Parameters (time in weeks)"
    )]
    pub gamma: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModelArg {
    /// They leave, unseen, at a rate of their own
    ParetoNbd,
    /// They leave after a repeat purchase, with a probability of their own
    BgNbd,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum IdsArg {
    /// Numbers from 0
    Integer,
    /// 36 characters, in the form of a random UUID
    Uuid,
    /// A letter and the number
    Short,
}

impl From<IdsArg> for Ids {
    fn from(ids: IdsArg) -> Ids {
        match ids {
            IdsArg::Integer => Ids::Integer,
            IdsArg::Uuid => Ids::Uuid,
            IdsArg::Short => Ids::Short,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OrderArg {
    /// As a log is written
    Time,
    /// All rows of a customer together
    Customer,
}

impl From<OrderArg> for Order {
    fn from(order: OrderArg) -> Order {
        match order {
            OrderArg::Time => Order::Time,
            OrderArg::Customer => Order::Customer,
        }
    }
}
