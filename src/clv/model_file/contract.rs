//! A fitted model of contracts as a file: sBG or BdW.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{self, Document, Kind, bad};
use super::drawn::Drawn;
use super::part::{BOUNDS, Part, part};
use crate::calendar::Span;
use crate::clv::contractual::{Bdw, Cohorts, Contract, Sbg};
use crate::clv::model::{FitReport, Parametric};
use crate::error::{Error, Result};

/// A model of contracts by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContractName {
    /// sBG, the shifted beta-geometric.
    Sbg,
    /// BdW, the beta-discrete-Weibull.
    Bdw,
}

impl ContractName {
    /// All there are.
    pub const ALL: [ContractName; 2] = [ContractName::Sbg, ContractName::Bdw];

    /// The name on the command line and in files.
    pub fn key(self) -> &'static str {
        match self {
            ContractName::Sbg => "sbg",
            ContractName::Bdw => "bdw",
        }
    }

    /// The name in the literature.
    pub fn title(self) -> &'static str {
        match self {
            ContractName::Sbg => Sbg::MODEL,
            ContractName::Bdw => Bdw::MODEL,
        }
    }

    fn parameters(self) -> &'static [&'static str] {
        match self {
            ContractName::Sbg => Sbg::NAMES,
            ContractName::Bdw => Bdw::NAMES,
        }
    }

    fn with_parameters(self, natural: &[f64]) -> Option<Contract> {
        match (self, natural) {
            (ContractName::Sbg, &[gamma, delta]) => Some(Contract::Sbg(Sbg { gamma, delta })),
            (ContractName::Bdw, &[gamma, delta, c]) => Some(Contract::Bdw(Bdw { gamma, delta, c })),
            _ => None,
        }
    }
}

/// What a model of contracts was fitted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedToCohorts {
    /// The file of survivors.
    pub file: String,
    /// Cohorts.
    pub cohorts: u64,
    /// Customers at their beginnings.
    pub customers: u64,
    /// The last period of the longest one.
    pub periods: u64,
}

impl FittedToCohorts {
    /// Of cohorts from a file of that name.
    pub fn of(file: String, cohorts: &Cohorts) -> FittedToCohorts {
        let all = cohorts.cohorts();
        FittedToCohorts {
            file,
            cohorts: all.len() as u64,
            customers: all.iter().map(|cohort| cohort.survivors()[0]).sum(),
            periods: all.iter().map(|cohort| cohort.survivors().len() as u64 - 1).max().unwrap_or(0),
        }
    }
}

/// A fitted model of contracts, as it is kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractFile {
    /// What it was fitted to.
    pub fitted_to: FittedToCohorts,
    /// How long a period is, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Span>,
    /// The model.
    pub contract: Part<ContractName>,
    /// The other model of the two, the test of one against the other, and that of the fit: for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Value>,
    /// Draws of its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
}

impl ContractFile {
    /// The file of a fit.
    ///
    /// # Errors
    /// [`Error::Value`] if the fit is not usable: there is nothing to predict from.
    pub fn new(
        name: ContractName,
        report: &FitReport,
        fitted_to: FittedToCohorts,
        period: Option<Span>,
    ) -> Result<ContractFile> {
        let unusable = |problem| {
            let remedy = "give more customers or more periods";
            Error::value("the model", name.title(), problem, remedy)
        };
        if !report.verdict.is_usable() {
            return Err(unusable(report.verdict.sentence()));
        }
        let file =
            ContractFile { fitted_to, period, contract: part(name, report)?, comparison: None, drawn: None };
        file.model().map_err(unusable)?;
        Ok(file)
    }

    /// The file as it is written.
    pub fn document(&self) -> Document<'_, ContractFile> {
        Document::new(Kind::Contract, self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is no model of contracts, is of another version or says what cannot be.
    pub fn read(path: &Path) -> Result<ContractFile> {
        ContractFile::parse(&path.display().to_string(), &document::read(path)?)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// As for [`ContractFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<ContractFile> {
        let (kind, value) = document::open(name, text)?;
        kind.expect(Kind::Contract, name)?;
        ContractFile::from_value(name, value)
    }

    pub(super) fn from_value(name: &str, value: Value) -> Result<ContractFile> {
        let file: ContractFile =
            serde_json::from_value(value).map_err(|e| bad(name, format!("it says what cannot be: {e}")))?;
        file.model().map_err(|problem| bad(name, problem))?;
        file.draws().map_err(|problem| bad(name, problem))?;
        Ok(file)
    }

    /// The model; why there is none, for a file that somebody edited.
    ///
    /// # Errors
    /// The problem in words.
    pub fn model(&self) -> Result<Contract, String> {
        let name = self.contract.model;
        let natural = self.contract.natural(name.parameters(), |_| BOUNDS)?;
        name.with_parameters(&natural).ok_or_else(|| "parameters are missing".to_string())
    }

    /// The models of its draws; none where it has no draws.
    ///
    /// # Errors
    /// The problem in words.
    pub fn draws(&self) -> Result<Vec<Contract>, String> {
        let name = self.contract.model;
        let Some(drawn) = &self.drawn else { return Ok(Vec::new()) };
        let natural = drawn.natural(name.parameters())?;
        Ok(natural.iter().filter_map(|natural| name.with_parameters(natural)).collect())
    }
}
