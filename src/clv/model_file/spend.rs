//! The model of spend in a file, beside a model of purchases of any kind, and the money that it is about.

use serde::{Deserialize, Serialize};

use super::no_model;
use super::part::{BOUNDS, MONEY_BOUNDS, Part, SpendName, part};
use crate::clv::gamma_gamma::{Correlation, GammaGamma};
use crate::clv::model::{Fit, Parametric};
use crate::customers::Money;
use crate::error::Result;

/// The money that a model of spend was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedMoney {
    /// Its column.
    #[serde(rename = "is")]
    pub money: Money,
    /// How it goes with the number of orders, which the model takes for independent of it: for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Correlation>,
}

/// What a file keeps of a fit of spend: nothing if it is not usable.
///
/// # Errors
/// [`crate::Error::Value`] for parameters that are out of all bounds.
pub(super) fn kept(
    fitted: Option<(&Fit<GammaGamma>, &FittedMoney)>,
) -> Result<(Option<Part<SpendName>>, Option<FittedMoney>)> {
    let Some((fit, money)) = fitted.filter(|(fit, _)| fit.params.is_some()) else {
        return Ok((None, None));
    };
    let spend = part(SpendName::GammaGamma, &fit.report)?;
    spend_model(Some(&spend), Some(money)).map_err(|problem| no_model(GammaGamma::MODEL, problem))?;
    Ok((Some(spend), Some(money.clone())))
}

/// The model of spend, if there is one.
///
/// # Errors
/// The problem in words: also for a mean spend that is infinite, and for money that no fit is about.
pub(super) fn spend_model(
    part: Option<&Part<SpendName>>,
    money: Option<&FittedMoney>,
) -> Result<Option<GammaGamma>, String> {
    money.map_or(Ok(()), |fitted| fitted.money.check())?;
    let Some(part) = part else { return Ok(None) };
    let bounds = |name: &str| if name == "gamma" { MONEY_BOUNDS } else { BOUNDS };
    let natural = part.natural(GammaGamma::NAMES, bounds)?;
    let [p, q, gamma] = [natural[0], natural[1], natural[2]];
    if q <= 1.0 {
        return Err(format!(
            "the parameter \"q\" of {} is {q}, not above 1: the mean spend over customers would be infinite",
            GammaGamma::MODEL
        ));
    }
    Ok(Some(GammaGamma { p, q, gamma }))
}

/// Which money a model of spend is about, if there is one: `monetary_value` unless the file says otherwise.
pub(super) fn money_of(spend: Option<&Part<SpendName>>, money: Option<&FittedMoney>) -> Option<Money> {
    spend?;
    Some(money.map_or_else(Money::revenue, |fitted| fitted.money.clone()))
}
