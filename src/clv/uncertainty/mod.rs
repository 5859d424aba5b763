//! How well the data determine a model's parameters.
//!
//! Two answers, for two uses. [`Uncertainty`] is the observed information at the maximum: standard errors and the
//! delta method rest on it, and cost nothing. [`Posterior`] is draws of the parameters whose distribution is the
//! likelihood times a prior, whatever its shape: importance sampling from a heavy-tailed proposal around the maximum,
//! with Pareto-smoothed weights and a diagnostic that says whether they may be trusted. Intervals that are quantiles
//! rest on draws.

mod laplace;
mod posterior;
mod prior;
mod proposal;
mod report;
mod sample;
mod smoothing;
#[cfg(test)]
mod tests;

pub use laplace::Uncertainty;
pub(super) use laplace::is_determined;
pub use posterior::{Posterior, PosteriorOptions};
pub use prior::Prior;
pub use report::{DrawnParameter, FEWEST_EFFECTIVE, PosteriorReport, Trust};
