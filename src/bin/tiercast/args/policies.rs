//! The verb `policies`.

use std::path::PathBuf;

use clap::Args;
use tiercast::tier::policy::Policy;

use super::values::parsed;

#[derive(Debug, Clone, Args)]
pub struct PoliciesArgs {
    /// Tables of automatic tiers (Parquet) of `tier`, in the order of their dates
    #[arg(value_name = "TIERS", required = true, num_args = 2..)]
    pub tables: Vec<PathBuf>,
    /// Key of the scheme: the tables have a column tier_KEY
    #[arg(short, long, value_name = "KEY", default_value = "value")]
    pub scheme: String,
    /// The tiers, best first [default: those of the built-in scheme]
    #[arg(long, value_name = "TIERS", value_delimiter = ',')]
    pub tiers: Vec<String>,
    /// Policies: at-once, hysteresis:UP,DOWN (gradings before a tier rises and falls), term:SPAN (up at once, down at the end of
    /// a term); may be given several times [default: at-once, hysteresis:1,2, term:12mo]
    #[arg(short, long, value_name = "POLICY", value_parser = parsed::<Policy>)]
    pub policy: Vec<Policy>,
    /// Column of what a customer is worth [default: clv, else total_spend]
    #[arg(long, value_name = "COLUMN")]
    pub value: Option<String>,
    /// Column of the customers' id [default: customer_id]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
}
