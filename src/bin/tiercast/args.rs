//! The command line as typed. What it means together with environment and files is settled in `settings`.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize, Serializer};
use tiercast::calendar::{Day, Discount, LastPeriods, Span};
use tiercast::convert::Kind;
use tiercast::synth::{Ids, Order};

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
    /// Turn CSV files into one Parquet file that the other verbs read
    ///
    /// Every file is read twice, the first time to see what its columns hold. Records that do not fit are set aside
    /// with line and reason: those of -o orders.parquet into orders.set_aside.csv. What could be meant in two ways is
    /// refused.
    Convert(ConvertArgs),
    /// Turn a history into the customer table and stop there
    Summarize(SummarizeArgs),
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
    /// Time zone in which instants become days, such as Europe/Paris; "local" takes INT96 times as they stand [default: the column's own]
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
    /// Parquet table (or folder of them) with the columns source, source_id and customer_id: which customer each id of
    /// each system is
    #[arg(long, env = "TIERCAST_ID_MAP", value_name = "TABLE")]
    pub id_map: Option<PathBuf>,
    /// Column that says a row's source in the id map [default: the name of the file or folder as given, without .parquet]
    #[arg(long, env = "TIERCAST_SOURCE", value_name = "COLUMN")]
    pub source: Option<String>,
    /// What happens to rows whose id is not in the id map [default: aside]
    #[arg(long, env = "TIERCAST_UNMATCHED", value_name = "HOW")]
    pub unmatched: Option<UnmatchedArg>,
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
    /// Set files that are damaged, cut short or changed aside and list them; without it the first is an error
    #[arg(
        long,
        env = "TIERCAST_SKIP_BAD_FILES",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub skip_bad_files: Option<bool>,
    /// Orders and spend of the last periods of the calendar, and the rhythm of orders: week, month, quarter or year and
    /// how many, as in quarter:8 [default: none]
    #[arg(long, env = "TIERCAST_PERIODS", value_name = "PERIOD:N", value_parser = parsed::<LastPeriods>)]
    pub periods: Option<LastPeriods>,
    /// Memory to work in, as in 1GiB; what does not fit goes to disk, and the result is the same [default: no limit]
    #[arg(long, env = "TIERCAST_MEMORY_LIMIT", value_name = "SIZE")]
    pub memory_limit: Option<MemorySize>,
    /// Folder for what does not fit in memory [default: the system's temporary folder]
    #[arg(long, env = "TIERCAST_SPILL_FOLDER", value_name = "DIR")]
    pub spill_folder: Option<PathBuf>,
    /// Unit of recency and T [default: week]
    #[arg(long, env = "TIERCAST_UNIT", value_name = "UNIT")]
    pub unit: Option<UnitArg>,
}

/// What is known of customers besides their orders.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Customers")]
pub struct ListArgs {
    /// Parquet table of customers with attributes; those without an order are written too, as prospects
    #[arg(long, env = "TIERCAST_CUSTOMERS_LIST", value_name = "TABLE")]
    pub customers_list: Option<PathBuf>,
    /// Column of its ids [default: named like the history's, or found by name]
    #[arg(long, env = "TIERCAST_LIST_ID", value_name = "COLUMN")]
    pub list_id: Option<String>,
}

/// How cohorts are counted.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cohorts")]
pub struct CohortArgs {
    /// Period of the calendar by which cohorts are counted [default: months up to 36, quarters up to 48, else years]
    #[arg(long, env = "TIERCAST_COHORT_PERIOD", value_name = "PERIOD")]
    pub cohort_period: Option<CohortPeriodArg>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CohortPeriodArg {
    Auto,
    Week,
    Month,
    Quarter,
    Year,
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
pub struct MemorySize(pub u64);

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<MemorySize, String> {
        let size: bytesize::ByteSize = text
            .parse()
            .map_err(|_| "it is no amount of memory; write 1GiB, 500MB or a number of bytes".to_string())?;
        Ok(MemorySize(size.as_u64()))
    }
}

impl TryFrom<String> for MemorySize {
    type Error = String;

    fn try_from(text: String) -> Result<MemorySize, String> {
        text.parse()
    }
}

impl Serialize for MemorySize {
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
pub enum UnmatchedArg {
    /// Set aside and counted
    Aside,
    /// Used, as customers of their own named SOURCE:ID
    Keep,
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
    /// Parquet files, folders or quoted patterns; the bundled CDNOW log when none is given
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
    pub listed: ListArgs,
    #[command(flatten)]
    pub cohort: CohortArgs,
    #[command(flatten)]
    pub models: ModelArgs,
}

#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// Parquet files, folders or quoted patterns; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: HistoryArgs,
}

#[derive(Debug, Clone, Args)]
pub struct SummarizeArgs {
    /// Parquet files, folders or quoted patterns; the bundled CDNOW log when none is given
    #[arg(value_name = "HISTORY")]
    pub history: Vec<PathBuf>,
    /// File for the customer table; an earlier one of tiercast's is replaced
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: PathBuf,
    /// File (CSV) for customers, orders and spend by period of the first order and each period after it; an earlier file
    /// is replaced with --force. With --state, the state holds these counts too
    #[arg(long, value_name = "FILE")]
    pub cohorts: Option<PathBuf>,
    /// Replace the file even if tiercast did not make it
    #[arg(long)]
    pub force: bool,
    /// Say from the footers alone what would be done and what memory and disk it would take, and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Add the rows to what a state holds, read with the options that it was made with; rows of its days are counted and
    /// refused
    #[arg(long, value_name = "STATE")]
    pub append: Option<PathBuf>,
    /// Write a state, to which the rows of later days can be added with --append; it may replace the one that was added to
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    #[command(flatten)]
    pub reading: HistoryArgs,
    #[command(flatten)]
    pub listed: ListArgs,
    #[command(flatten)]
    pub cohort: CohortArgs,
}

#[derive(Debug, Clone, Args)]
pub struct ConvertArgs {
    /// CSV files of one kind, also compressed with gzip
    #[arg(value_name = "CSV", required = true)]
    pub files: Vec<PathBuf>,
    /// Parquet file to write; an earlier one of tiercast's is replaced
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file even if tiercast did not make it
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub csv: CsvArgs,
}

/// How CSV files are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "CSV (found in the files where not given)")]
pub struct CsvArgs {
    /// Sign between fields: one character, or \t for a tab
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// The first line is a heading
    #[arg(long, conflicts_with = "no_header")]
    pub header: bool,
    /// The first line is no heading; columns are called column_1, column_2, … unless --names is given
    #[arg(long)]
    pub no_header: bool,
    /// Names of all columns, instead of the heading's
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub names: Option<Vec<String>>,
    /// Quotes are ordinary characters
    #[arg(long)]
    pub no_quotes: bool,
    /// Coding of characters [default: by the byte order mark, or utf-8]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<EncodingArg>,
    /// Form of dates, as '%d/%m/%Y'; a time of day may follow the common ones
    #[arg(long, value_name = "FORMAT")]
    pub date_format: Option<String>,
    /// Decimals are written 1,5
    #[arg(long, conflicts_with = "decimal_point")]
    pub decimal_comma: bool,
    /// Decimals are written 1.5
    #[arg(long)]
    pub decimal_point: bool,
    /// The only separator of thousands [default: the other decimal mark, spaces and apostrophes]
    #[arg(long, value_name = "CHAR")]
    pub thousands: Option<char>,
    /// A text that stands for no value, may be repeated [default: NA, N/A, #N/A, NULL, null, NaN, nan, \N]
    #[arg(long = "null", value_name = "TEXT")]
    pub nulls: Option<Vec<String>>,
    /// What a column holds: text, integer, number or date; may be repeated
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = typed_column)]
    pub types: Vec<(String, Kind)>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum EncodingArg {
    #[value(name = "utf-8", alias = "utf8")]
    Utf8,
    /// Western Windows, and Latin-1
    #[value(name = "windows-1252", aliases = ["latin1", "latin-1", "iso-8859-1", "cp1252"])]
    Windows1252,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
}

/// One ASCII sign, or `\t`.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [sign] if sign.is_ascii() && !sign.is_ascii_alphanumeric() && !b"\"\r\n.-".contains(sign) => {
            Ok(*sign)
        }
        _ => Err("a delimiter is one sign, such as , ; | or \\t for a tab".to_string()),
    }
}

/// `COLUMN=TYPE`; the name may hold an equals sign.
fn typed_column(text: &str) -> Result<(String, Kind), String> {
    let (column, kind) = text.rsplit_once('=').ok_or("write it as COLUMN=TYPE, as in price=number")?;
    let kind = match kind {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "date" => Kind::Date,
        _ => return Err(format!("\"{kind}\" is no type: text, integer, number or date")),
    };
    Ok((column.to_string(), kind))
}

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

#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    pub reading: HistoryArgs,
    #[command(flatten)]
    pub listed: ListArgs,
    #[command(flatten)]
    pub cohort: CohortArgs,
    #[command(flatten)]
    pub models: ModelArgs,
    /// Strategy file
    #[arg(long, env = "TIERCAST_STRATEGIES", value_name = "FILE")]
    pub strategies: Option<PathBuf>,
    /// Folder for the result
    #[arg(short, long, env = "TIERCAST_OUT", value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Reads a whole number; underscores may group its digits.
fn grouped(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    match digits.parse() {
        Ok(number) if text.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
        _ => Err("write a whole number from 0 on, such as 10_000_000".to_string()),
    }
}

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
