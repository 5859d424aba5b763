//! BG/NBD for what is built on any model's likelihood.

use super::{BgNbd, BgNbdModel, FIRST_CHANCE};
use crate::calendar::Unit;
use crate::clv::beta_geometric::likelihood::Likelihood;
use crate::clv::model::{Fit, LogLikelihood};
use crate::clv::objective::FitsPatterns;
use crate::clv::pattern::Patterns;
use crate::error::Result;
use crate::progress::Progress;

impl FitsPatterns for BgNbdModel {
    type Params = BgNbd;

    const SCALE_FREE: &'static [&'static str] = &["ln(r/alpha)", "ln r", "logit(a/(a+b))", "ln(a+b)"];

    fn fit_patterns(&self, patterns: &Patterns, unit: Unit, progress: &dyn Progress) -> Result<Fit<BgNbd>> {
        self.fit(patterns, unit, progress)
    }

    fn objective<'a>(&self, patterns: &'a Patterns, unit: Unit) -> Box<dyn LogLikelihood + 'a> {
        Box::new(Likelihood::new(patterns, unit, FIRST_CHANCE))
    }
}
