//! The settings of a run, complete and checked.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::choice::ModelSetting;
use crate::calendar::{Discount, Period, Span, Unit};
use crate::error::{Error, Result};
use crate::history::{CohortPeriod, HistoryOptions};
use crate::segment::MOST_CLUSTERS;
use crate::tier::{SchemeFile, builtin};

/// Futures that a run simulates for each customer and strategy unless told otherwise: the ends of a 95 % interval then
/// have ten replications beyond each, and a million customers take less than a minute.
pub const DEFAULT_REPLICATIONS: u32 = 400;

/// The schemes by which a run grades unless told otherwise.
pub const DEFAULT_SCHEMES: [&str; 3] = ["value", "rfm", "abc"];

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// How the history is read.
    pub history: HistoryOptions,
    /// A table of customers with attributes, those who never ordered included.
    pub customers_list: Option<PathBuf>,
    /// The column of its ids.
    pub list_id: Option<String>,
    /// A list (CSV) of customers who do not want to be contacted: no strategy treats them.
    pub opt_out: Option<PathBuf>,
    /// Unit of recency, T and the models.
    pub unit: Unit,
    /// The model of purchases.
    pub model: ModelSetting,
    /// Tier schemes: keys of built-in ones, or files of rules (`.toml`).
    pub schemes: Vec<String>,
    /// Horizon of lifetime value.
    pub horizon: Span,
    /// Discount rate of lifetime value.
    pub discount: Discount,
    /// Margin in lifetime value; 1 values customers by revenue.
    pub margin: f64,
    /// Clusters to look for.
    pub clusters: usize,
    /// Replications of the simulation.
    pub replications: u32,
    /// Seed of every random number.
    pub seed: u64,
}

impl Default for RunConfig {
    fn default() -> Self {
        RunConfig {
            history: HistoryOptions { cohorts: Some(CohortPeriod::Auto), ..HistoryOptions::default() },
            customers_list: None,
            list_id: None,
            opt_out: None,
            unit: Unit::Week,
            model: ModelSetting::Auto,
            schemes: DEFAULT_SCHEMES.map(String::from).to_vec(),
            horizon: Span::new(12.0, Period::Month).expect("12 is positive"),
            discount: Discount::new(0.1, Period::Year).expect("10 % is a rate"),
            margin: 1.0,
            clusters: 5,
            replications: DEFAULT_REPLICATIONS,
            seed: 1,
        }
    }
}

impl RunConfig {
    /// Reads the tier schemes.
    ///
    /// # Errors
    /// Those of a name that no scheme has, of a file that is none, and of two schemes of one key.
    pub fn read_schemes(&self) -> Result<Vec<SchemeFile>> {
        builtin::all_named(&self.schemes)
    }

    /// Whether every value can be worked with.
    pub fn check(&self) -> Result<()> {
        if let (Some(column), None) = (&self.list_id, &self.customers_list) {
            let remedy = "name the list with --customers-list, or leave this out";
            return Err(Error::value("list_id", column, "there is no customers list", remedy));
        }
        if self.schemes.is_empty() {
            let remedy = "name at least one, such as value, or leave this out";
            return Err(Error::value("scheme", "[]", "a run grades by at least one scheme", remedy));
        }
        if !(self.margin > 0.0 && self.margin <= 1.0) {
            let remedy = "give a number above 0 and up to 1";
            return Err(Error::value("margin", self.margin, "it is not a share of revenue", remedy));
        }
        if !(1..=MOST_CLUSTERS).contains(&self.clusters) {
            let remedy = format!("give a number from 1 to {MOST_CLUSTERS}");
            return Err(Error::value(
                "clusters",
                self.clusters,
                "it is not a possible number of clusters",
                remedy,
            ));
        }
        // Two are needed for a Monte Carlo error; the streams' counter has room for 2^32.
        if self.replications < 2 {
            let remedy = "give at least 2; intervals want some hundreds";
            return Err(Error::value(
                "replications",
                self.replications,
                "no interval can rest on it",
                remedy,
            ));
        }
        // A settings file, and the manifest's copy of it, holds signed integers.
        if i64::try_from(self.seed).is_err() {
            let remedy = format!("give a number up to {}", i64::MAX);
            return Err(Error::value("seed", self.seed, "it is too large for a settings file", remedy));
        }
        if self.horizon.days() > 100.0 * 365.25 {
            let remedy = "give a horizon of at most 100 years";
            return Err(Error::value(
                "horizon",
                self.horizon,
                "no model of today's customers reaches so far",
                remedy,
            ));
        }
        Ok(())
    }
}
