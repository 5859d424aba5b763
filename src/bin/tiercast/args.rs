//! The command line as typed. What it means together with environment and files is settled in `settings`.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize, Serializer};
use tiercast::calendar::{Day, Discount, Span};

/// Reads a value, with what would be allowed in the message.
fn parsed<T: FromStr<Err = tiercast::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|e: tiercast::Error| match e.hint() {
        Some(hint) => format!("{e}; {hint}"),
        None => e.to_string(),
    })
}

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
    /// Turn a history into the customer table and stop there
    Summarize(SummarizeArgs),
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
    /// Say what each stage took
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Threads to use [default: one per core]; no result depends on it
    #[arg(long, global = true, env = "TIERCAST_THREADS", value_name = "N")]
    pub threads: Option<usize>,
    /// Settings file [default: tiercast.toml in the working folder, if there is one]
    #[arg(long, global = true, env = "TIERCAST_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How a history is read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading")]
pub struct HistoryArgs {
    /// Column that says who bought; several (given again, or with commas) where only all of them say it [default:
    /// found by name]
    #[arg(long, env = "TIERCAST_CUSTOMER", value_name = "COLUMN", value_delimiter = ',')]
    pub customer: Option<Vec<String>>,
    /// Column that says when [default: found by name]
    #[arg(long, env = "TIERCAST_TIME", value_name = "COLUMN")]
    pub time: Option<String>,
    /// Column that says how much [default: found by name]
    #[arg(long, env = "TIERCAST_AMOUNT", value_name = "COLUMN")]
    pub amount: Option<String>,
    /// Column that says which order a row belongs to [default: found by name, may be absent]
    #[arg(long, env = "TIERCAST_ORDER", value_name = "COLUMN")]
    pub order: Option<String>,
    /// Column that counts pieces; the amount is then the price of one, and each row is worth their product [default: the
    /// amount is that of the row]
    #[arg(long, env = "TIERCAST_QUANTITY", value_name = "COLUMN")]
    pub quantity: Option<String>,
    /// Column that says the currency; a mixture is refused unless --only-currency chooses [default: one currency]
    #[arg(long, env = "TIERCAST_CURRENCY", value_name = "COLUMN")]
    pub currency: Option<String>,
    /// Currency whose rows are used, as the column writes it; those of others are set aside
    #[arg(long, env = "TIERCAST_ONLY_CURRENCY", value_name = "CODE")]
    pub only_currency: Option<String>,
    /// Column of what each row cost you [default: none]
    #[arg(long, env = "TIERCAST_COST", value_name = "COLUMN")]
    pub cost: Option<String>,
    /// Column to keep the last known value of for each customer; may be given again, or several with commas
    #[arg(long, env = "TIERCAST_KEEP", value_name = "COLUMN", value_delimiter = ',')]
    pub keep: Option<Vec<String>>,
    /// What you earn: a share of revenue for lifetime value, above 0 and up to 1, or the column of what each row earned
    /// [default: 1, lifetime value as revenue]
    #[arg(long, env = "TIERCAST_MARGIN", value_name = "SHARE|COLUMN")]
    pub margin: Option<Margin>,
    /// Time zone in which instants become days, such as Europe/Paris [default: the column's own]
    #[arg(long, env = "TIERCAST_ZONE", value_name = "ZONE")]
    pub zone: Option<String>,
    /// Last day to look at [default: the history's last day, never today]
    #[arg(long, env = "TIERCAST_AS_OF", value_name = "DATE", value_parser = parsed::<Day>)]
    pub as_of: Option<Day>,
    /// Last day of the calibration window; what follows, up to --as-of, is the holdout [default: no holdout]
    #[arg(long, env = "TIERCAST_CALIBRATION_END", value_name = "DATE", value_parser = parsed::<Day>)]
    pub calibration_end: Option<Day>,
    /// What happens to negative amounts: set aside and counted, or subtracted [default: aside]
    #[arg(long, env = "TIERCAST_REFUNDS", value_name = "HOW")]
    pub refunds: Option<RefundsArg>,
    /// Set exact duplicates of a row that is used aside; without it they are counted and kept
    #[arg(
        long,
        env = "TIERCAST_DROP_DUPLICATES",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub drop_duplicates: Option<bool>,
    /// Memory to work in, as in 1GiB; what does not fit goes to disk, and the result is the same [default: no limit]
    #[arg(long, env = "TIERCAST_MEMORY_LIMIT", value_name = "SIZE")]
    pub memory_limit: Option<Size>,
    /// Folder for what does not fit in memory [default: the system's temporary folder]
    #[arg(long, env = "TIERCAST_SPILL_FOLDER", value_name = "DIR")]
    pub spill_folder: Option<PathBuf>,
    /// Unit of recency and T [default: week]
    #[arg(long, env = "TIERCAST_UNIT", value_name = "UNIT")]
    pub unit: Option<UnitArg>,
}

/// A margin as it is given: a share of revenue, or the column that says what each row earned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Margin {
    Share(f64),
    Column(String),
}

impl FromStr for Margin {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Margin, Infallible> {
        // Not every text that reads as a number is meant as one: "inf" and "nan" may be columns.
        let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
        Ok(match text.parse() {
            Ok(share) if is_number => Margin::Share(share),
            _ => Margin::Column(text.to_string()),
        })
    }
}

/// Columns as a settings file may name them: one, or a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns(#[serde(with = "tiercast::history::one_or_many")] pub Vec<String>);

/// An amount of memory, written as 1GiB, 500MB or in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let size: bytesize::ByteSize = text
            .parse()
            .map_err(|_| "it is no amount of memory; write 1GiB, 500MB or a number of bytes".to_string())?;
        Ok(Size(size.as_u64()))
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Size, String> {
        text.parse()
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let whole = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let unit = whole.into_iter().find(|(unit, _)| self.0 > 0 && self.0.is_multiple_of(*unit));
        let (unit, name) = unit.unwrap_or((1, "B"));
        out.serialize_str(&format!("{}{name}", self.0 / unit))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RefundsArg {
    /// Set aside from the orders, and counted
    Aside,
    /// Subtracted from the customer's latest order on or before the refund
    Net,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum UnitArg {
    Day,
    Week,
}

/// What is computed from it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Models")]
pub struct ModelArgs {
    /// Horizon of lifetime value: 90d, 39w, 12mo, 1yr [default: 12mo]
    #[arg(long, env = "TIERCAST_HORIZON", value_name = "SPAN", value_parser = parsed::<Span>)]
    pub horizon: Option<Span>,
    /// Discount rate of lifetime value with its period: 10%/yr, 1%/mo [default: 10%/yr]
    #[arg(long, env = "TIERCAST_DISCOUNT", value_name = "RATE", value_parser = parsed::<Discount>)]
    pub discount: Option<Discount>,
    /// Clusters to look for [default: 5]
    #[arg(long, env = "TIERCAST_CLUSTERS", value_name = "K")]
    pub clusters: Option<usize>,
    /// Futures to simulate for every customer and strategy [default: 400]
    #[arg(long, env = "TIERCAST_REPLICATIONS", value_name = "N")]
    pub replications: Option<u32>,
    /// Seed of all random numbers [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
}

#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Parquet files or folders; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    /// Strategy file, or "bundled" for the bundled one [default: bundled with the bundled history, else none]
    #[arg(long, env = "TIERCAST_STRATEGIES", value_name = "FILE")]
    pub strategies: Option<PathBuf>,
    /// Folder for the result [default: tiercast-run]
    #[arg(short, long, env = "TIERCAST_OUT", value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the output folder even if it holds something else
    #[arg(long)]
    pub force: bool,
    /// Check everything that can be checked without reading the rows, say what would be done, and stop
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub reading: HistoryArgs,
    #[command(flatten)]
    pub models: ModelArgs,
}

#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// Parquet files or folders; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: HistoryArgs,
}

#[derive(Debug, Clone, Args)]
pub struct SummarizeArgs {
    /// Parquet files or folders; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    /// File for the customer table; an earlier one of tiercast's is replaced
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file even if tiercast did not make it
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub reading: HistoryArgs,
}

#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    pub reading: HistoryArgs,
    #[command(flatten)]
    pub models: ModelArgs,
    /// Strategy file
    #[arg(long, env = "TIERCAST_STRATEGIES", value_name = "FILE")]
    pub strategies: Option<PathBuf>,
    /// Folder for the result
    #[arg(short, long, env = "TIERCAST_OUT", value_name = "DIR")]
    pub out: Option<PathBuf>,
}
