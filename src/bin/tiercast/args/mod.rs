//! The command line as typed, one file for what a verb or a family of verbs understands. What it means together with
//! environment and files is settled in `settings`.

mod assess;
mod bench;
mod cluster;
mod compare;
mod convert;
mod explain;
mod init;
mod job;
mod learn;
mod migrate;
mod model;
mod policies;
mod reading;
mod simulate;
mod synth;
mod tier;
mod validate;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use self::assess::AssessArgs;
pub use self::bench::{BenchArgs, Size};
pub use self::cluster::{AlgorithmArg, ClusterArgs};
pub use self::compare::CompareArgs;
pub use self::convert::{ConvertArgs, CsvArgs, EncodingArg};
pub use self::explain::ExplainArgs;
pub use self::init::InitArgs;
pub use self::job::{
    CohortArgs, CohortPeriodArg, ConfigArgs, InspectArgs, ListArgs, ModelArgs, RunArgs, SchemeArgs,
    SummarizeArgs,
};
pub use self::learn::LearnArgs;
pub use self::migrate::MigrateArgs;
pub use self::model::{CohortColumnArgs, DifferenceArgs, FitArgs, FitModel, PredictArgs};
pub use self::policies::PoliciesArgs;
pub use self::reading::{HistoryArgs, RefundsArg, UnitArg, UnmatchedArg};
pub use self::simulate::{HoldArg, SimulateArgs};
pub use self::synth::{ModelArg, SynthArgs};
pub use self::tier::TierArgs;
pub use self::validate::ValidateArgs;
pub use self::values::{Columns, DiscountArg, HorizonArg, Margin, MemorySize};

/// Customer tiering from purchase histories: RFM, lifetime value, segments, tiers, and strategies compared.
///
/// Without a verb, `tiercast` does what `tiercast run` does: the main job on the bundled CDNOW history.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub global: Global,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The main job: history → customers → lifetime value → tiers → strategies compared → report
    Run(RunArgs),
    /// Show what a history holds: files, columns and what they are taken for, and what would become of each row
    Inspect(InspectArgs),
    /// Turn CSV files into one Parquet file that the other verbs read
    ///
    /// Every file is read twice, the first time to see what its columns hold. Records that do not fit are set aside
    /// with line and reason: those of -o orders.parquet into orders.set_aside.csv. What could be meant in two ways is
    /// refused.
    Convert(ConvertArgs),
    /// Turn a history into the customer table and stop there
    Summarize(SummarizeArgs),
    /// Fit a model of purchases, and one of spend, to a table of customers
    ///
    /// Or a model of contracts (sbg, bdw) to survivors by cohort, or one of opportunities (bg-bb) to a purchase history.
    Fit(Box<FitArgs>),
    /// Score a table of customers by a fitted model: P(alive), expected transactions, DERT, spend, lifetime value
    ///
    /// Or forecast cohorts of contracts, or score the customers of a history by a model of opportunities.
    Predict(Box<PredictArgs>),
    /// Group the customers of a table: k-means, mixtures or density, with profiles
    ///
    /// Features, their transforms and every score are printed; -o hands on everybody's cluster, which `tier --scheme
    /// clusters` takes for tiers.
    Cluster(Box<ClusterArgs>),
    /// Put a table of customers into tiers, by built-in schemes or your own rules
    ///
    /// Every customer gets exactly one tier of each scheme; thresholds are printed as numbers and in words. Tiers set by
    /// hand are laid over the automatic ones.
    Tier(Box<TierArgs>),
    /// Judge tiers: how sure each customer's is, and what is lost by grading the wrong ones high
    Assess(Box<AssessArgs>),
    /// Learn from a randomised contact table what an action does in each tier
    Learn(Box<LearnArgs>),
    /// Print one customer's figures, its tier by each scheme, and why
    Explain(Box<ExplainArgs>),
    /// Hold two tables of tiers against each other: who moved, what is at stake, whether customers have changed
    Migrate(Box<MigrateArgs>),
    /// Compare policies of holding on to tiers over several gradings: moves saved against tiers gone stale
    Policies(Box<PoliciesArgs>),
    /// Write a strategy file to start from, with the tiers of a table of customers; or print its JSON schema
    Init(Box<InitArgs>),
    /// Compare strategies on a table of customers: the same futures under each, with intervals, break-evens and a report
    Simulate(Box<SimulateArgs>),
    /// Say what changed from one folder of `run` or `simulate` to another: data, settings, strategies, gains
    Compare(CompareArgs),
    /// Judge the models by a holdout, beside what one would do without them
    ///
    /// Models are fitted to the orders up to --calibration-end and predict those after it, up to --as-of. Every figure
    /// and every difference between two methods comes with its bootstrap over customers. Models whose fit is not usable
    /// are listed with their verdict and left out.
    Validate(Box<ValidateArgs>),
    /// Measure this machine: seconds, memory and speed-up of `summarize` by size of history and number of threads
    Bench(BenchArgs),
    /// Write a history generated from known parameters, with the truth beside it
    Synth(Box<SynthArgs>),
    /// Print the settings as they resolve, with where each comes from
    Config(ConfigArgs),
    /// Print the bundled strategy file, as a start for your own
    Strategies,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What every verb understands.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Print the result as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what each stage took, and how rows were grouped by customer
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Threads to use [default: one per core]; no result depends on it
    #[arg(long, global = true, env = "TIERCAST_THREADS", value_name = "N")]
    pub threads: Option<usize>,
    /// Settings file [default: tiercast.toml in the working folder, if there is one]
    #[arg(long, global = true, env = "TIERCAST_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}
