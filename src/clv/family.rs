//! The purchase models by name: which there are, and a fit of any of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bg_nbd::{BgNbd, BgNbdModel};
use super::mbg_nbd::{MbgNbd, MbgNbdModel};
use super::model::{Fit, FitReport, Parametric, PurchaseModel};
use super::nbd::{Nbd, NbdModel};
use super::pareto_nbd::{ParetoNbd, ParetoNbdModel};
use super::pattern::Patterns;
use super::purchase_parameters::PurchaseParameters;
use crate::calendar::Unit;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// A purchase model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelName {
    /// BG/NBD.
    BgNbd,
    /// MBG/NBD.
    MbgNbd,
    /// Pareto/NBD.
    ParetoNbd,
    /// NBD, which knows no dropout.
    Nbd,
}

impl ModelName {
    /// All there are.
    pub const ALL: [ModelName; 4] =
        [ModelName::ParetoNbd, ModelName::BgNbd, ModelName::MbgNbd, ModelName::Nbd];

    /// The name on the command line and in files: `bg-nbd`.
    pub fn key(self) -> &'static str {
        match self {
            ModelName::BgNbd => "bg-nbd",
            ModelName::MbgNbd => "mbg-nbd",
            ModelName::ParetoNbd => "pareto-nbd",
            ModelName::Nbd => "nbd",
        }
    }

    /// Whether it takes everybody without a repeat purchase for alive, so that its P(alive) is no churn label.
    pub fn is_blind_to_first_time_dropout(self) -> bool {
        // NBD takes everybody for alive, always.
        matches!(self, ModelName::BgNbd | ModelName::Nbd)
    }

    /// The name in the literature: BG/NBD.
    pub fn title(self) -> &'static str {
        match self {
            ModelName::BgNbd => BgNbd::MODEL,
            ModelName::MbgNbd => MbgNbd::MODEL,
            ModelName::ParetoNbd => ParetoNbd::MODEL,
            ModelName::Nbd => Nbd::MODEL,
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for ModelName {
    type Err = Error;

    fn from_str(text: &str) -> Result<ModelName> {
        ModelName::ALL.into_iter().find(|name| name.key() == text).ok_or_else(|| {
            let keys: Vec<&str> = ModelName::ALL.into_iter().map(ModelName::key).collect();
            Error::value(
                "a purchase model",
                text,
                "there is no such model",
                format!("choose one of {}", keys.join(", ")),
            )
        })
    }
}

/// A fit of one of the purchase models.
#[derive(Debug, Clone)]
pub enum PurchaseFit {
    /// Of BG/NBD.
    BgNbd(Fit<BgNbd>),
    /// Of MBG/NBD.
    MbgNbd(Fit<MbgNbd>),
    /// Of Pareto/NBD.
    ParetoNbd(Fit<ParetoNbd>),
    /// Of NBD.
    Nbd(Fit<Nbd>),
}

/// Runs an expression with the fit inside, whichever model it is of.
macro_rules! with_fit {
    ($any:expr, $fit:ident => $body:expr) => {
        match $any {
            $crate::clv::PurchaseFit::BgNbd($fit) => $body,
            $crate::clv::PurchaseFit::MbgNbd($fit) => $body,
            $crate::clv::PurchaseFit::ParetoNbd($fit) => $body,
            $crate::clv::PurchaseFit::Nbd($fit) => $body,
        }
    };
}

pub(crate) use with_fit;

impl PurchaseFit {
    /// Fits the model of that name, with times in `unit`.
    ///
    /// # Errors
    /// [`Error::Interrupted`] only: data that cannot be fitted end in a verdict.
    pub fn new(
        name: ModelName,
        patterns: &Patterns,
        unit: Unit,
        progress: &dyn Progress,
    ) -> Result<PurchaseFit> {
        Ok(match name {
            ModelName::BgNbd => PurchaseFit::BgNbd(BgNbdModel.fit(patterns, unit, progress)?),
            ModelName::MbgNbd => PurchaseFit::MbgNbd(MbgNbdModel.fit(patterns, unit, progress)?),
            ModelName::ParetoNbd => PurchaseFit::ParetoNbd(ParetoNbdModel.fit(patterns, unit, progress)?),
            ModelName::Nbd => PurchaseFit::Nbd(NbdModel.fit(patterns, unit, progress)?),
        })
    }

    /// Which model it is of.
    pub fn name(&self) -> ModelName {
        match self {
            PurchaseFit::BgNbd(_) => ModelName::BgNbd,
            PurchaseFit::MbgNbd(_) => ModelName::MbgNbd,
            PurchaseFit::ParetoNbd(_) => ModelName::ParetoNbd,
            PurchaseFit::Nbd(_) => ModelName::Nbd,
        }
    }

    /// What the fit says of itself.
    pub fn report(&self) -> &FitReport {
        with_fit!(self, fit => &fit.report)
    }

    /// The fitted model; none when the verdict is not usable.
    pub fn model(&self) -> Option<&dyn PurchaseModel> {
        with_fit!(self, fit => fit.params.as_ref().map(|params| params as &dyn PurchaseModel))
    }
}

/// The fitted model of that name with these parameters, in the order of the literature.
///
/// `None` if they are not as many as the model has, or not all positive and finite.
pub fn with_parameters(name: ModelName, natural: &[f64], unit: Unit) -> Option<Box<dyn PurchaseModel>> {
    Some(match parameters(name, natural, unit)? {
        PurchaseParameters::BgNbd(params) => Box::new(params),
        PurchaseParameters::MbgNbd(params) => Box::new(params),
        PurchaseParameters::ParetoNbd(params) => Box::new(params),
        PurchaseParameters::Nbd(params) => Box::new(params),
    })
}

/// The parameters of the model of that name, from numbers in the order of [`parameter_names`]; `None` for too many or too few,
/// and where one is not positive and finite.
pub fn parameters(name: ModelName, natural: &[f64], unit: Unit) -> Option<PurchaseParameters> {
    if natural.iter().any(|value| !(value.is_finite() && *value > 0.0)) {
        return None;
    }
    Some(match (name, natural) {
        (ModelName::BgNbd, &[r, alpha, a, b]) => BgNbd { r, alpha, a, b, unit }.into(),
        (ModelName::MbgNbd, &[r, alpha, a, b]) => MbgNbd { r, alpha, a, b, unit }.into(),
        (ModelName::ParetoNbd, &[r, alpha, s, beta]) => ParetoNbd { r, alpha, s, beta, unit }.into(),
        (ModelName::Nbd, &[r, alpha]) => Nbd { r, alpha, unit }.into(),
        _ => return None,
    })
}

/// The names of a model's parameters in the literature.
pub fn parameter_names(name: ModelName) -> &'static [&'static str] {
    match name {
        ModelName::BgNbd => BgNbd::NAMES,
        ModelName::MbgNbd => MbgNbd::NAMES,
        ModelName::ParetoNbd => ParetoNbd::NAMES,
        ModelName::Nbd => Nbd::NAMES,
    }
}
