//! The verb `tier`.

use std::path::PathBuf;

use clap::Args;
use tiercast::calendar::Day;
use tiercast::pipeline::Language;
use tiercast::tier::policy::Policy;

use super::reading::UnitArg;
use super::values::parsed;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Built-in schemes: value, profit, rfm, abc, frequency, loyalty, potential, stages, life_cycle, segments, clv, \
vip, accounts, relation, satisfaction; and clusters, of a table that `tiercast cluster` or `run` made. What each needs, and how to \
write your own: docs/rules.md; what each makes of real customers: docs/schemes.md. --print shows the document of a scheme, to \
begin your own from."
)]
pub struct TierArgs {
    /// Table of customers (Parquet), of `summarize`, `run` or `predict`, or anybody's
    #[arg(value_name = "CUSTOMERS", required_unless_present = "print")]
    pub customers: Option<PathBuf>,
    /// Schemes: names of built-in ones, or files (.toml), with commas between them
    #[arg(short, long, value_name = "SCHEMES", value_delimiter = ',', default_value = "value")]
    pub scheme: Vec<String>,
    /// Also a scheme with one tier for each value of this column, such as a region; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub by: Vec<String>,
    /// Print the document of the scheme (TOML) and stop there
    #[arg(long, conflicts_with_all = ["customers", "output", "by", "overrides", "opt_out", "ledger", "date", "cross"])]
    pub print: bool,
    /// File for everybody's tiers: .parquet, .csv or .xlsx; an earlier table of tiers is replaced, a workbook
    /// with --force [default: none]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file whatever it is
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Tiers set by hand (CSV: customer_id, tier, who, why, and if need be until and scheme); the automatic tier stays beside
    /// the effective one
    #[arg(long, value_name = "FILE")]
    pub overrides: Option<PathBuf>,
    /// Date of the grading, at which overrides expire [default: the end of calibration]
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub date: Option<Day>,
    /// Folder of the ledger to which changed tiers are added: date, old and new tier, rules, and who set it by hand
    #[arg(long, value_name = "FOLDER")]
    pub ledger: Option<PathBuf>,
    /// How tiers follow the rules from what the ledger holds: at-once, hysteresis:UP,DOWN (gradings in a row) or term:SPAN
    /// [default: at once]
    #[arg(long, value_name = "POLICY", value_parser = parsed::<Policy>, requires = "ledger")]
    pub policy: Option<Policy>,
    /// Customers who do not want to be contacted (CSV: customer_id, and if need be since): a column says who has opted out
    #[arg(long, env = "TIERCAST_OPT_OUT", value_name = "FILE")]
    pub opt_out: Option<PathBuf>,
    /// Write everybody's reason in a sentence
    #[arg(long, requires = "output")]
    pub reasons: bool,
    /// Further columns of the table that go along
    #[arg(long = "with", value_name = "COLUMNS", value_delimiter = ',', requires = "output")]
    pub with: Vec<String>,
    /// Print how every two schemes divide the customers between them
    #[arg(long)]
    pub cross: bool,
    /// Language of column names and labels: en or zh
    #[arg(long, value_name = "LANGUAGE", value_parser = parsed::<Language>, default_value = "en")]
    pub lang: Language,
    /// Replace ids by pseudonyms (HMAC-SHA-256) with the key in this file
    #[arg(long, value_name = "KEYFILE", requires = "output")]
    pub pseudonymize: Option<PathBuf>,
    /// In printed tables, hide counts of fewer customers than this, and those that would reveal them; 0 for none
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub suppress_below: u64,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Unit of recency and T, where the table does not say it
    #[arg(long, value_enum, value_name = "UNIT")]
    pub unit: Option<UnitArg>,
}
