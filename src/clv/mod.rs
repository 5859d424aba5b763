//! Lifetime models: how often a customer will buy, whether it still does, and what it spends.
//!
//! [`Patterns`] holds what the models see of a history. Each model has one file: an unfitted type whose `fit` ends
//! in a [`Fit`], and the fitted parameters with their predictions. [`value`] turns them into columns of the customer
//! table.

pub mod bg_nbd;
pub mod dense;
pub mod discounted;
pub mod expectation;
pub mod gamma_gamma;
pub mod latent;
pub mod minimise;
pub mod model;
pub mod pareto_nbd;
pub mod pattern;
pub mod predict;
pub(crate) mod quadrature;
mod search;
pub mod uncertainty;
pub mod value;

#[cfg(test)]
mod test_data;

pub use bg_nbd::{BgNbd, BgNbdModel};
pub use gamma_gamma::{GammaGamma, GammaGammaModel};
pub use latent::{Dropout, Latent};
pub use model::{
    Fit, FitReport, LogLikelihood, Parameter, Parametric, PurchaseModel, Scale, SetAside, Verdict,
};
pub use pareto_nbd::{ParetoNbd, ParetoNbdModel};
pub use pattern::Patterns;
pub use uncertainty::{Posterior, PosteriorOptions, PosteriorReport, Prior, Trust, Uncertainty};
pub use value::{CustomerValue, Estimate, ValueOptions, customer_value};
