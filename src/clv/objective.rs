//! The purchase models' fits and likelihoods behind one trait, for what is built on top of several models.
//!
//! Pooling between groups and covariates need nothing of a model but these two; what they are stands with each model.

use super::bg_nbd::{BgNbd, BgNbdModel};
use super::mbg_nbd::{MbgNbd, MbgNbdModel};
use super::model::{Fit, LogLikelihood, Parametric};
use super::nbd::{Nbd, NbdModel};
use super::pareto_nbd::{ParetoNbd, ParetoNbdModel};
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

/// The trait from a model's own `fit` and `likelihood`.
macro_rules! fits_patterns {
    ($($model:ty => $params:ty: $scale_free:expr),+ $(,)?) => {$(
        impl FitsPatterns for $model {
            type Params = $params;

            const SCALE_FREE: &'static [&'static str] = &$scale_free;

            fn fit_patterns(
                &self,
                patterns: &Patterns,
                unit: Unit,
                progress: &dyn Progress,
            ) -> Result<Fit<$params>> {
                self.fit(patterns, unit, progress)
            }

            fn objective<'a>(&self, patterns: &'a Patterns, unit: Unit) -> Box<dyn LogLikelihood + 'a> {
                Box::new(self.likelihood(patterns, unit))
            }
        }
    )+};
}

fits_patterns! {
    BgNbdModel => BgNbd: ["ln(r/alpha)", "ln r", "logit(a/(a+b))", "ln(a+b)"],
    MbgNbdModel => MbgNbd: ["ln(r/alpha)", "ln r", "logit(a/(a+b))", "ln(a+b)"],
    ParetoNbdModel => ParetoNbd: ["ln(r/alpha)", "ln r", "ln(s/beta)", "ln s"],
    NbdModel => Nbd: ["ln(r/alpha)", "ln r"],
}
