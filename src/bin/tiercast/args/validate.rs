//! The verb `validate`.

use std::path::PathBuf;

use clap::Args;

use super::reading::HistoryArgs;

#[derive(Debug, Clone, Args)]
pub struct ValidateArgs {
    /// Parquet files, folders or quoted patterns; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    /// Folder for metrics, deciles, tracking, JSON and an HTML report; an earlier validation is replaced [default: none]
    #[arg(short, long = "output", value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Replace the folder even if it holds something else
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Replications of the bootstrap over customers [default: 400]
    #[arg(long, env = "TIERCAST_REPLICATIONS", value_name = "N")]
    pub replications: Option<u32>,
    /// Seed of the bootstrap [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub reading: HistoryArgs,
}
