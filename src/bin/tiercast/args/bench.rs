//! The verb `bench`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::values::parsed;

#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// Customers of each history to generate and measure, such as 100k,1M,10M
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', default_value = "100k,1M", value_parser = parsed::<Size>)]
    pub sizes: Vec<Size>,
    /// Parquet files or folders of your own to measure instead, each one history
    #[arg(long, value_name = "HISTORY", num_args = 1.., conflicts_with_all = ["sizes", "keep", "seed"])]
    pub history: Vec<PathBuf>,
    /// Numbers of threads to measure [default: 1, 2, 4 … up to one per core, or --threads alone]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub threads_list: Vec<u64>,
    /// How often each is measured; figures are medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Keep the generated histories in this folder, and use those that are there
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Seed of the generated histories
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub seed: u64,
    /// Options for `summarize`, after `--`: tiercast bench --history orders.parquet -- --customer buyer
    #[arg(last = true, value_name = "OPTIONS")]
    pub options: Vec<String>,
}

/// A number of customers: `250000`, `100k`, `10M`.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = tiercast::Error;

    fn from_str(text: &str) -> Result<Size, tiercast::Error> {
        let (digits, unit) = match text.as_bytes().last() {
            Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
            Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
            _ => (text, 1),
        };
        let size = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).filter(|&n| n > 0);
        size.map(Size).ok_or_else(|| {
            tiercast::Error::value(
                "a size",
                text,
                "it is no number of customers",
                "write it as 250000, 100k or 10M",
            )
        })
    }
}
