//! Parameters of one of the purchase models, whichever it is, and draws of them.

use super::bg_nbd::{BgNbd, BgNbdModel};
use super::family::{PurchaseFit, with_fit};
use super::mbg_nbd::{MbgNbd, MbgNbdModel};
use super::model::{Fit, LogLikelihood, Parametric, PurchaseModel};
use super::nbd::{Nbd, NbdModel};
use super::pareto_nbd::{ParetoNbd, ParetoNbdModel};
use super::pattern::Patterns;
use super::uncertainty::{Posterior, PosteriorOptions};
use crate::calendar::Unit;
use crate::error::Result;
use crate::progress::Progress;

/// The parameters of a purchase model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PurchaseParameters {
    /// Of BG/NBD.
    BgNbd(BgNbd),
    /// Of MBG/NBD.
    MbgNbd(MbgNbd),
    /// Of Pareto/NBD.
    ParetoNbd(ParetoNbd),
    /// Of NBD.
    Nbd(Nbd),
}

impl PurchaseParameters {
    /// The unit of their times.
    pub fn unit(&self) -> Unit {
        self.model().time_unit()
    }

    /// The model with these parameters.
    pub fn model(&self) -> &dyn PurchaseModel {
        match self {
            PurchaseParameters::BgNbd(params) => params,
            PurchaseParameters::MbgNbd(params) => params,
            PurchaseParameters::ParetoNbd(params) => params,
            PurchaseParameters::Nbd(params) => params,
        }
    }
}

impl From<BgNbd> for PurchaseParameters {
    fn from(params: BgNbd) -> PurchaseParameters {
        PurchaseParameters::BgNbd(params)
    }
}

impl From<MbgNbd> for PurchaseParameters {
    fn from(params: MbgNbd) -> PurchaseParameters {
        PurchaseParameters::MbgNbd(params)
    }
}

impl From<ParetoNbd> for PurchaseParameters {
    fn from(params: ParetoNbd) -> PurchaseParameters {
        PurchaseParameters::ParetoNbd(params)
    }
}

impl From<Nbd> for PurchaseParameters {
    fn from(params: Nbd) -> PurchaseParameters {
        PurchaseParameters::Nbd(params)
    }
}

impl PurchaseFit {
    /// The fitted parameters; none when the verdict is not usable.
    pub fn parameters(&self) -> Option<PurchaseParameters> {
        with_fit!(self, fit => fit.params.map(PurchaseParameters::from))
    }

    /// Draws of the parameters, as [`Fit::posterior`] gives them; `patterns` and `unit` are those of the fit.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] only.
    pub fn posterior(
        &self,
        patterns: &Patterns,
        unit: Unit,
        options: &PosteriorOptions,
        progress: &dyn Progress,
    ) -> Result<Option<Posterior<PurchaseParameters>>> {
        match self {
            PurchaseFit::BgNbd(fit) => drawn(fit, &BgNbdModel.likelihood(patterns, unit), options, progress),
            PurchaseFit::MbgNbd(fit) => {
                drawn(fit, &MbgNbdModel.likelihood(patterns, unit), options, progress)
            }
            PurchaseFit::ParetoNbd(fit) => {
                drawn(fit, &ParetoNbdModel.likelihood(patterns, unit), options, progress)
            }
            PurchaseFit::Nbd(fit) => drawn(fit, &NbdModel.likelihood(patterns, unit), options, progress),
        }
    }
}

fn drawn<P: Parametric + Into<PurchaseParameters>>(
    fit: &Fit<P>,
    likelihood: &impl LogLikelihood,
    options: &PosteriorOptions,
    progress: &dyn Progress,
) -> Result<Option<Posterior<PurchaseParameters>>> {
    Ok(fit.posterior(likelihood, options, progress)?.map(|posterior| Posterior {
        draws: posterior.draws.into_iter().map(Into::into).collect(),
        estimate: posterior.estimate.into(),
        report: posterior.report,
    }))
}
