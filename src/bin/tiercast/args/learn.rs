//! The verb `learn`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use tiercast::calendar::{Day, Span};
use tiercast::pipeline::AskedPolicy;

use super::reading::UnitArg;
use super::values::{Level, parsed};

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "CONTACTS has one row per customer: its id, whether it was treated (treated, true or 1) or what it got (action), \
and what came of it (--outcome). The table of customers is as it was before the contact: its tiers and what is adjusted for must \
not know the outcome. Effects are estimated in four ways; arms that no lottery would make are refused, and so is what nobody says \
or can check. docs/learn.md"
)]
pub struct LearnArgs {
    /// Contact table (Parquet)
    #[arg(value_name = "CONTACTS")]
    pub contacts: PathBuf,
    /// Table of customers (Parquet) as of before the contact
    #[arg(value_name = "CUSTOMERS")]
    pub customers: PathBuf,
    /// Column of what came of it: orders or spend after the contact
    #[arg(long, value_name = "COLUMN")]
    pub outcome: String,
    /// Scheme of the tiers: a built-in one, or a file (.toml)
    #[arg(short, long, value_name = "SCHEME", default_value = "value")]
    pub scheme: String,
    /// Column that says who was treated [default: treated, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub treated: Option<String>,
    /// Column that says what a customer got [default: action, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub action: Option<String>,
    /// What the control group got, where the action alone says who was treated [default: none or control]
    #[arg(long, value_name = "NAME")]
    pub control: Option<String>,
    /// Column of the probability with which each customer was treated
    #[arg(long, value_name = "COLUMN")]
    pub probability: Option<String>,
    /// What contacts without an outcome are: left out, or customers who did nothing
    #[arg(long, value_name = "HOW", value_parser = ["drop", "zero"], default_value = "drop")]
    pub missing_outcome: String,
    /// Columns of the customers to adjust for, as ln(1 + x) [default: days_since_last, frequency, T, total_spend]
    #[arg(long = "covariate", value_name = "COLUMNS", value_delimiter = ',')]
    pub covariates: Vec<String>,
    /// It was by lot, with one probability in each tier; refused where the table contradicts it
    #[arg(long, conflicts_with = "observational")]
    pub randomised: bool,
    /// It was not by lot: estimate nevertheless, from the columns adjusted for
    #[arg(long)]
    pub observational: bool,
    /// Value a policy on these customers: NAME=TIER:ACTION,TIER:ACTION; other tiers get the control; may be given several times
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub policy: Vec<AskedPolicy>,
    /// Lift that the next test is to find
    #[arg(long, value_name = "SHARE", default_value = "10%")]
    pub lift: Level,
    /// File for the responses of a strategy file (.toml); earlier responses are replaced [default: none]
    #[arg(short, long, value_name = "FILE", requires_all = ["cost", "on"])]
    pub output: Option<PathBuf>,
    /// Replace the file whatever it is
    #[arg(long, requires = "output")]
    pub force: bool,
    /// What one contact costs, for the responses
    #[arg(long, value_name = "MONEY", requires = "output")]
    pub cost: Option<f64>,
    /// What the outcome counts, for the responses: purchase_rate (orders) or spend (what an order is worth)
    #[arg(long, value_name = "LEVER", requires = "output", value_parser = ["purchase_rate", "spend"])]
    pub on: Option<String>,
    /// Over how long the outcome looks, such as 12w, for the responses: held longer than that they are an assumption
    #[arg(long, value_name = "DURATION", requires = "output", value_parser = parsed::<Span>)]
    pub over: Option<Span>,
    /// Write lifts drawn towards those of the other tiers
    #[arg(long, requires = "output")]
    pub shrink: bool,
    /// Seed by which customers come into two halves, of which one can judge what the other has chosen [default: 1]
    #[arg(long, env = "TIERCAST_SEED", value_name = "SEED")]
    pub seed: Option<u64>,
    /// Date of the grading, where the table does not say it
    #[arg(long, value_name = "DATE", value_parser = parsed::<Day>)]
    pub date: Option<Day>,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Column of the id in the contact table [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub contact_id: Option<String>,
    /// Unit of recency and T, where the table does not say it
    #[arg(long, value_enum, value_name = "UNIT")]
    pub unit: Option<UnitArg>,
}

/// `best=high:call,mid:mail`.
fn policy(text: &str) -> Result<AskedPolicy, String> {
    let wrong = || "write NAME=TIER:ACTION,TIER:ACTION, such as best=high:call".to_string();
    let (name, gives) = text.split_once('=').ok_or_else(wrong)?;
    let pair = |part: &str| {
        let (tier, action) = part.split_once(':')?;
        Some((String::from_str(tier.trim()).ok()?, String::from_str(action.trim()).ok()?))
    };
    let gives: Vec<(String, String)> = match gives.trim() {
        "" => Vec::new(),
        gives => gives.split(',').map(pair).collect::<Option<_>>().ok_or_else(wrong)?,
    };
    match name.trim() {
        "" => Err(wrong()),
        name => Ok(AskedPolicy { name: name.to_string(), gives }),
    }
}
