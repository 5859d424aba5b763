//! The verb `cluster`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tiercast::segment::{Feature, Number};

use super::values::parsed;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Features are columns of numbers, with what is done to them behind, in this order: log (ln(1 + x)), \
winsor=1%,99% (values beyond these quantiles count as the quantiles); then each is standardised, unless it is raw. What each \
algorithm does and how far it goes: docs/clustering.md. Clusters are tiers for `tiercast tier --scheme clusters`."
)]
pub struct ClusterArgs {
    /// Table of customers (Parquet), of `summarize`, `run` or `predict`, or anybody's
    #[arg(value_name = "CUSTOMERS")]
    pub customers: PathBuf,
    /// Feature by which customers are compared: NAME[:log][:winsor=LOW%,HIGH%][:raw]; may be given several times
    /// [default: days_since_last:log, frequency:log, total_spend:log]
    #[arg(long, value_name = "FEATURE", value_parser = parsed::<Feature>)]
    pub feature: Vec<Feature>,
    /// How customers are grouped
    #[arg(long, value_enum, value_name = "ALGORITHM", default_value_t = AlgorithmArg::Kmeans)]
    pub algorithm: AlgorithmArg,
    /// Clusters to look for, or a range such as 2..8, of which the best number is chosen (kmeans, mixture) [default: 5]
    #[arg(short = 'k', long, env = "TIERCAST_CLUSTERS", value_name = "K", value_parser = parsed::<Number>)]
    pub clusters: Option<Number>,
    /// Starts, of which the best is kept (not dbscan) [default: 4; mixture: 2]
    #[arg(long, value_name = "N")]
    pub starts: Option<u32>,
    /// How far a neighbour may be, in standard deviations unless features are raw (dbscan)
    #[arg(long, value_name = "DISTANCE")]
    pub radius: Option<f64>,
    /// Customers of the sample within the radius, itself included, from which on a customer is in a dense place (dbscan)
    #[arg(long, value_name = "N")]
    pub neighbours: Option<usize>,
    /// Fit on a sample of so many customers and assign everybody [default: all; mixture and dbscan: 20000]
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// Seed of starts and samples [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
    /// File for everybody's cluster: .parquet (with all columns of the table), .csv or .xlsx; an earlier table of
    /// clusters is replaced, a workbook with --force [default: none]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file whatever it is
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AlgorithmArg {
    /// Clusters around centres
    Kmeans,
    /// The same by linfa, to hold the other against
    Linfa,
    /// A mixture of normal distributions: long, tilted groups of different size
    Mixture,
    /// Dense groups of any shape, and noise between them
    Dbscan,
}

impl AlgorithmArg {
    /// As it is typed.
    pub fn key(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
    }
}
