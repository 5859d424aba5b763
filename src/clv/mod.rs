//! Lifetime models: how often a customer will buy, whether it still does, and what it spends.
//!
//! [`Patterns`] holds what the models see of a history. Each model has one file: an unfitted type whose `fit` ends
//! in a [`Fit`], and the fitted parameters with their predictions. [`value`] turns them into columns of the customer
//! table.

mod beta_geometric;
pub(crate) mod beta_shape;
pub mod bg_bb;
pub mod bg_nbd;
pub mod contractual;
mod counts;
pub mod covariates;
pub mod dense;
pub mod discounted;
mod discrete_survival;
pub mod expectation;
mod exponential_integral;
pub mod family;
pub mod gamma_gamma;
pub mod grouped;
mod interval_ends;
pub mod latent;
pub mod likelihood_ratio;
pub mod mbg_nbd;
pub mod minimise;
pub mod model;
pub mod model_file;
pub mod nbd;
pub mod objective;
pub mod own_value;
pub mod pareto_nbd;
pub mod pattern;
pub mod predict;
mod purchase_parameters;
mod purchase_rates;
pub(crate) mod quadrature;
mod schedule;
pub mod score;
mod search;
pub mod uncertainty;
pub mod validate;
pub mod value;

#[cfg(test)]
mod purchase_tests;
#[cfg(test)]
mod test_data;
#[cfg(test)]
mod test_purchases;

pub use beta_geometric::ExpectationsIfAlive;
pub use bg_bb::{BgBb, BgBbModel, Opportunities};
pub use bg_nbd::{BgNbd, BgNbdModel};
pub use contractual::{Bdw, BdwModel, Cohorts, ContractModel, Sbg, SbgModel};
pub use family::{ModelName, PurchaseFit};
pub use gamma_gamma::{GammaGamma, GammaGammaModel};
pub use latent::{Dropout, Latent};
pub use likelihood_ratio::LikelihoodRatio;
pub use mbg_nbd::{MbgNbd, MbgNbdModel};
pub use model::{
    Fit, FitReport, LogLikelihood, Parameter, Parametric, PurchaseModel, Scale, SetAside, Verdict,
};
pub use model_file::{AnyModelFile, CovariatesFile, CustomerModel, GroupsFile, ModelFile};
pub use nbd::{Nbd, NbdModel};
pub use pareto_nbd::{ParetoNbd, ParetoNbdModel};
pub use pattern::Patterns;
pub use purchase_parameters::PurchaseParameters;
pub use score::{ManyScorer, Scorer, Scores};
pub use uncertainty::{Posterior, PosteriorOptions, PosteriorReport, Prior, Trust, Uncertainty};
pub use value::{CustomerValue, Estimate, ValueOptions, customer_value};
