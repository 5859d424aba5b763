//! The verb `simulate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tiercast::calendar::{Day, Discount, Span};

use super::reading::HistoryArgs;
use super::values::parsed;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Every strategy meets the same futures: the customers' own rates, arrivals and spend are drawn from the model, and only \
what a strategy changes differs. \"With luck\" intervals say what will happen, those of the mean what is expected. docs/strategy-file.md \
describes the file, docs/simulate.md what is computed from it; `tiercast init CUSTOMERS` writes one to start from."
)]
pub struct SimulateArgs {
    /// Table of customers of `summarize` or `predict`; or a history: Parquet files, folders or quoted patterns
    #[arg(value_name = "CUSTOMERS|HISTORY", required = true)]
    pub input: Vec<PathBuf>,
    /// Strategy file (TOML)
    #[arg(long, env = "TIERCAST_STRATEGIES", value_name = "FILE")]
    pub strategies: Option<PathBuf>,
    /// Model of `fit`, best with --draws; or a name to fit: pareto-nbd, bg-nbd, mbg-nbd, nbd (for a history also auto)
    /// [default: pareto-nbd, for a history auto]
    #[arg(long, env = "TIERCAST_MODEL", value_name = "MODEL")]
    pub model: Option<String>,
    /// Scheme of the tiers that the strategies speak of: a file (.toml), `clusters`, or a built-in one [default: what the
    /// strategy file names]
    #[arg(short, long, value_name = "SCHEME")]
    pub scheme: Option<String>,
    /// Folder for tables, JSON and an HTML report; an earlier simulation is replaced [default: none]
    #[arg(short, long = "output", value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Replace the folder even if it holds something else
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Futures of every customer and strategy [default: 400]
    #[arg(long, env = "TIERCAST_REPLICATIONS", value_name = "N")]
    pub replications: Option<u32>,
    /// Futures that share one draw of parameters and responses, 1 to 8: more are faster, and rest on fewer draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub futures_per_draw: u32,
    /// Go on only until the standard error of every difference in profit is at most this much money
    #[arg(long, value_name = "MONEY")]
    pub until: Option<f64>,
    /// Hold the models' parameters, or all that is believed, at their values instead of drawing them (repeatable)
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub hold: Vec<HoldArg>,
    /// List (CSV: customer_id, and if need be since) of customers who do not want to be contacted: no strategy treats them
    #[arg(long, env = "TIERCAST_OPT_OUT", value_name = "FILE")]
    pub opt_out: Option<PathBuf>,
    /// Horizon of lifetime value, by which budgets are spread and customers ranked [default: 12mo]
    #[arg(long, env = "TIERCAST_HORIZON", value_name = "SPAN", value_parser = parsed::<Span>)]
    pub horizon: Option<Span>,
    /// Discount rate of lifetime value with its period [default: 10%/yr]
    #[arg(long, env = "TIERCAST_DISCOUNT", value_name = "RATE", value_parser = parsed::<Discount>)]
    pub discount: Option<Discount>,
    /// Seed of every random number [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
    /// Column of the customers' id, in a table of customers [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Day up to which the customers of a table are observed, where it does not say so
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub date: Option<Day>,
    #[command(flatten)]
    pub reading: HistoryArgs,
}

/// What is not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HoldArg {
    /// The models' parameters.
    Parameters,
    /// Responses, cannibalisation, breakage and the arrival of new customers.
    Responses,
}
