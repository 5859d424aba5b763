//! A model's likelihood as the minimiser sees it, for what is built on top of several models.
//!
//! Pooling between groups needs nothing of a model but its fit and its likelihood on patterns; each purchase model
//! gives both in its own `objective.rs`.

use super::model::{Fit, LogLikelihood, Parametric};
use super::pattern::Patterns;
use crate::calendar::Unit;
use crate::error::Result;
use crate::progress::Progress;

/// A model that is fitted to patterns.
pub trait FitsPatterns: Sync {
    /// Its fitted parameters.
    type Params: Parametric + std::fmt::Debug;

    /// What the scale-free parameters are, in the order of [`Parametric::scale_free`].
    const SCALE_FREE: &'static [&'static str];

    /// Fits by maximum likelihood, with times in `unit`.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only.
    fn fit_patterns(
        &self,
        patterns: &Patterns,
        unit: Unit,
        progress: &dyn Progress,
    ) -> Result<Fit<Self::Params>>;

    /// The likelihood of the customers of `patterns`, which must not be empty, with times in `unit`.
    fn objective<'a>(&self, patterns: &'a Patterns, unit: Unit) -> Box<dyn LogLikelihood + 'a>;
}
