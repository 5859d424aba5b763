//! A fitted model of opportunities as a file: BG/BB, with the calendar's period that is an opportunity.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{self, Document, Kind, bad};
use super::drawn::Drawn;
use super::part::{BOUNDS, Part, part};
use crate::calendar::{CalendarPeriod, Day};
use crate::clv::bg_bb::BgBb;
use crate::clv::model::{FitReport, Parametric};
use crate::error::{Error, Result};

/// A model of opportunities by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpportunitiesName {
    /// BG/BB.
    BgBb,
}

impl OpportunitiesName {
    /// The name on the command line and in files.
    pub fn key(self) -> &'static str {
        "bg-bb"
    }
}

/// What a model of opportunities was fitted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedToHistory {
    /// The history.
    pub file: String,
    /// Customers.
    pub customers: u64,
    /// The last day of the last opportunity.
    pub until: Day,
}

/// A fitted model of opportunities, as it is kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpportunitiesFile {
    /// What it was fitted to.
    pub fitted_to: FittedToHistory,
    /// The period of the calendar that is an opportunity.
    pub opportunity: CalendarPeriod,
    /// The model.
    pub transactions: Part<OpportunitiesName>,
    /// The beta-binomial, the same without dropout: for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Value>,
    /// Draws of its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
}

impl OpportunitiesFile {
    /// The file of a fit.
    ///
    /// # Errors
    /// [`Error::Value`] if the fit is not usable: there is nothing to predict from.
    pub fn new(
        report: &FitReport,
        fitted_to: FittedToHistory,
        opportunity: CalendarPeriod,
    ) -> Result<OpportunitiesFile> {
        let unusable = |problem| {
            Error::value("the model", BgBb::MODEL, problem, "give more customers or more opportunities")
        };
        if !report.verdict.is_usable() {
            return Err(unusable(report.verdict.sentence()));
        }
        let transactions = part(OpportunitiesName::BgBb, report)?;
        let file = OpportunitiesFile { fitted_to, opportunity, transactions, comparison: None, drawn: None };
        file.model().map_err(unusable)?;
        Ok(file)
    }

    /// The file as it is written.
    pub fn document(&self) -> Document<'_, OpportunitiesFile> {
        Document::new(Kind::Opportunities, self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is no model of opportunities, is of another version or says what cannot be.
    pub fn read(path: &Path) -> Result<OpportunitiesFile> {
        OpportunitiesFile::parse(&path.display().to_string(), &document::read(path)?)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// As for [`OpportunitiesFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<OpportunitiesFile> {
        let (kind, value) = document::open(name, text)?;
        kind.expect(Kind::Opportunities, name)?;
        OpportunitiesFile::from_value(name, value)
    }

    pub(super) fn from_value(name: &str, value: Value) -> Result<OpportunitiesFile> {
        let file: OpportunitiesFile =
            serde_json::from_value(value).map_err(|e| bad(name, format!("it says what cannot be: {e}")))?;
        file.model().map_err(|problem| bad(name, problem))?;
        file.draws().map_err(|problem| bad(name, problem))?;
        Ok(file)
    }

    /// The model; why there is none, for a file that somebody edited.
    ///
    /// # Errors
    /// The problem in words.
    pub fn model(&self) -> Result<BgBb, String> {
        self.transactions.natural(BgBb::NAMES, |_| BOUNDS).map(|natural| with_parameters(&natural))
    }

    /// The models of its draws; none where it has no draws.
    ///
    /// # Errors
    /// The problem in words.
    pub fn draws(&self) -> Result<Vec<BgBb>, String> {
        let Some(drawn) = &self.drawn else { return Ok(Vec::new()) };
        Ok(drawn.natural(BgBb::NAMES)?.iter().map(|natural| with_parameters(natural)).collect())
    }
}

/// In the order of the literature; there are as many as there are names.
fn with_parameters(natural: &[f64]) -> BgBb {
    BgBb { alpha: natural[0], beta: natural[1], gamma: natural[2], delta: natural[3] }
}
