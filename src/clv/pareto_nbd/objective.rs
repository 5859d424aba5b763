//! Pareto/NBD for what is built on any model's likelihood.

use super::likelihood::Likelihood;
use super::{ParetoNbd, ParetoNbdModel};
use crate::calendar::Unit;
use crate::clv::model::{Fit, LogLikelihood};
use crate::clv::objective::FitsPatterns;
use crate::clv::pattern::Patterns;
use crate::error::Result;
use crate::progress::Progress;

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

    fn objective<'a>(&self, patterns: &'a Patterns, unit: Unit) -> Box<dyn LogLikelihood + 'a> {
        Box::new(Likelihood::new(patterns, unit))
    }
}
