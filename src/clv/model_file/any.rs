//! A model file of whatever kind.

use std::path::Path;

use super::document::{self, Kind};
use super::{ContractFile, CovariatesFile, GroupsFile, ModelFile, OpportunitiesFile};
use crate::calendar::Unit;
use crate::clv::family::ModelName;
use crate::clv::gamma_gamma::GammaGamma;
use crate::customers::Money;
use crate::error::Result;

/// What a file turned out to hold.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyModelFile {
    /// Purchases at any time, and spend: one model for all customers.
    Purchases(Box<ModelFile>),
    /// The same with a model of purchases for each group.
    ByGroup(Box<GroupsFile>),
    /// The same with parameters of purchases that move with covariates.
    WithCovariates(Box<CovariatesFile>),
    /// Survivors of contracts.
    Contract(Box<ContractFile>),
    /// Transactions at opportunities.
    Opportunities(Box<OpportunitiesFile>),
}

/// A model of purchases that scores a table of customers, whether they differ by what is known of them or not.
#[derive(Debug, Clone, Copy)]
pub enum CustomerModel<'a> {
    /// One for all customers.
    Alike(&'a ModelFile),
    /// One for each group.
    ByGroup(&'a GroupsFile),
    /// One whose parameters move with covariates.
    WithCovariates(&'a CovariatesFile),
}

impl AnyModelFile {
    /// Reads a file of any kind.
    ///
    /// # Errors
    /// As for [`ModelFile::read`], but for the kind.
    pub fn read(path: &Path) -> Result<AnyModelFile> {
        AnyModelFile::parse(&path.display().to_string(), &document::read(path)?)
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// As for [`AnyModelFile::read`].
    pub fn parse(name: &str, text: &str) -> Result<AnyModelFile> {
        let (kind, value) = document::open(name, text)?;
        Ok(match kind {
            Kind::Purchases => AnyModelFile::Purchases(Box::new(ModelFile::from_value(name, value)?)),
            Kind::PurchasesByGroup => AnyModelFile::ByGroup(Box::new(GroupsFile::from_value(name, value)?)),
            Kind::PurchasesWithCovariates => {
                AnyModelFile::WithCovariates(Box::new(CovariatesFile::from_value(name, value)?))
            }
            Kind::Contract => AnyModelFile::Contract(Box::new(ContractFile::from_value(name, value)?)),
            Kind::Opportunities => {
                AnyModelFile::Opportunities(Box::new(OpportunitiesFile::from_value(name, value)?))
            }
        })
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            AnyModelFile::Purchases(_) => Kind::Purchases,
            AnyModelFile::ByGroup(_) => Kind::PurchasesByGroup,
            AnyModelFile::WithCovariates(_) => Kind::PurchasesWithCovariates,
            AnyModelFile::Contract(_) => Kind::Contract,
            AnyModelFile::Opportunities(_) => Kind::Opportunities,
        }
    }
}

impl CustomerModel<'_> {
    /// The model of purchases.
    pub fn name(&self) -> ModelName {
        match self {
            CustomerModel::Alike(file) => file.purchases.model,
            CustomerModel::ByGroup(file) => file.purchases.model,
            CustomerModel::WithCovariates(file) => file.purchases.model,
        }
    }

    /// The unit of its times, which a checked file says.
    pub fn unit(&self) -> Option<Unit> {
        match self {
            CustomerModel::Alike(file) => file.purchases.unit,
            CustomerModel::ByGroup(file) => file.purchases.unit,
            CustomerModel::WithCovariates(file) => file.purchases.unit,
        }
    }

    /// Which money the model of spend is about, if there is one.
    pub fn money(&self) -> Option<Money> {
        match self {
            CustomerModel::Alike(file) => file.money(),
            CustomerModel::ByGroup(file) => file.money(),
            CustomerModel::WithCovariates(file) => file.money(),
        }
    }

    /// The model of spend, if there is one.
    ///
    /// # Errors
    /// The problem in words.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        match self {
            CustomerModel::Alike(file) => file.spend_model(),
            CustomerModel::ByGroup(file) => file.spend_model(),
            CustomerModel::WithCovariates(file) => file.spend_model(),
        }
    }
}
