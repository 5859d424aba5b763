//! A model file of whatever kind.

use std::path::Path;

use super::document::{self, Kind};
use super::{CovariatesFile, GroupsFile, ModelFile};
use crate::clv::family::ModelName;
use crate::error::Result;

/// A file of any model of purchases.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyModelFile {
    /// One model for all customers.
    Purchases(ModelFile),
    /// One for each group.
    ByGroup(GroupsFile),
    /// One whose parameters move with covariates.
    WithCovariates(CovariatesFile),
}

impl AnyModelFile {
    /// Reads a file.
    ///
    /// # Errors
    /// As for [`ModelFile::read`].
    pub fn read(path: &Path) -> Result<AnyModelFile> {
        AnyModelFile::parse(&path.display().to_string(), &document::read(path)?)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// As for [`ModelFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<AnyModelFile> {
        let (kind, value) = document::open(name, text)?;
        Ok(match kind {
            Kind::Purchases => AnyModelFile::Purchases(ModelFile::from_value(name, value)?),
            Kind::PurchasesByGroup => AnyModelFile::ByGroup(GroupsFile::from_value(name, value)?),
            Kind::PurchasesWithCovariates => {
                AnyModelFile::WithCovariates(CovariatesFile::from_value(name, value)?)
            }
        })
    }

    /// The model of purchases.
    pub fn model(&self) -> ModelName {
        match self {
            AnyModelFile::Purchases(file) => file.purchases.model,
            AnyModelFile::ByGroup(file) => file.purchases.model,
            AnyModelFile::WithCovariates(file) => file.purchases.model,
        }
    }

    /// Whether it has a model of spend.
    pub fn has_spend(&self) -> bool {
        match self {
            AnyModelFile::Purchases(file) => file.spend.is_some(),
            AnyModelFile::ByGroup(file) => file.spend.is_some(),
            AnyModelFile::WithCovariates(file) => file.spend.is_some(),
        }
    }
}
