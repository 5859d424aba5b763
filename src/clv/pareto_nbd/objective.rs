//! Pareto/NBD for what is built on any model's likelihood.

use super::likelihood::Likelihood;
use super::{ParetoNbd, ParetoNbdModel};
use crate::calendar::Unit;
use crate::clv::minimise::Evaluation;
use crate::clv::model::Fit;
use crate::clv::objective::{FitsPatterns, Objective};
use crate::clv::pattern::Patterns;
use crate::error::Result;
use crate::progress::Progress;

/// A likelihood with the number of its customers.
struct Counted<'a> {
    likelihood: Likelihood<'a>,
    customers: f64,
}

impl Objective for Counted<'_> {
    fn customers(&self) -> f64 {
        self.customers
    }

    fn mean_loss(&self, theta: &[f64]) -> Evaluation {
        self.likelihood.mean_loss(theta)
    }
}

impl FitsPatterns for ParetoNbdModel {
    type Params = ParetoNbd;

    const SCALE_FREE: &'static [&'static str] = &["ln(r/alpha)", "ln r", "ln(s/beta)", "ln s"];

    fn fit_patterns(
        &self,
        patterns: &Patterns,
        unit: Unit,
        progress: &dyn Progress,
    ) -> Result<Fit<ParetoNbd>> {
        self.fit(patterns, unit, progress)
    }

    fn objective<'a>(&self, patterns: &'a Patterns, unit: Unit) -> Box<dyn Objective + 'a> {
        let likelihood = Likelihood::new(patterns, unit);
        Box::new(Counted { likelihood, customers: patterns.customers() as f64 })
    }
}
