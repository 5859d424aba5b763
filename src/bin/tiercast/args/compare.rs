//! The verb `compare`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// Folder of `run` or `simulate`
    #[arg(value_name = "RUN")]
    pub first: PathBuf,
    /// Another, later one
    #[arg(value_name = "RUN")]
    pub second: PathBuf,
}
