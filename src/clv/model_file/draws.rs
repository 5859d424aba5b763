//! Draws of the parameters in a model file: on them rest the intervals of predictions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::part::{BOUNDS, MONEY_BOUNDS};
use crate::calendar::Unit;
use crate::clv::family::{ModelName, PurchaseFit, parameter_names, parameters, with_parameters};
use crate::clv::gamma_gamma::{GammaGamma, GammaGammaModel};
use crate::clv::model::{Fit, Parametric, PurchaseModel};
use crate::clv::pattern::Patterns;
use crate::clv::purchase_parameters::PurchaseParameters;
use crate::clv::uncertainty::{Posterior, PosteriorOptions, PosteriorReport, Trust};
use crate::clv::{BgNbdModel, MbgNbdModel, NbdModel, ParetoNbdModel};
use crate::error::Result;
use crate::progress::Progress;

/// Draws of the parameters of a file's models, as many of each, independent of each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draws {
    /// The seed of every random number that went into them.
    pub seed: u64,
    /// Of the model of purchases.
    pub purchases: DrawnModel,
    /// Of the model of spend, where the file has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<DrawnModel>,
}

/// Draws of one model's parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawnModel {
    /// How they were made and how far they can be trusted.
    pub report: PosteriorReport,
    /// One number per draw of each parameter, by its name in the literature; the i-th of each belong together.
    pub parameters: BTreeMap<String, Vec<f64>>,
}

impl Draws {
    /// Draws the parameters of usable fits; `None` where that of purchases is not. Purchases come with the customers'
    /// distinct histories and the unit of time, spend with each customer's orders and their mean value.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`], and those of [`GammaGammaModel::likelihood`].
    pub fn new(
        (purchases, patterns, unit): (&PurchaseFit, &Patterns, Unit),
        spend: Option<(&Fit<GammaGamma>, &[u32], &[f64])>,
        options: &PosteriorOptions,
        progress: &dyn Progress,
    ) -> Result<Option<Draws>> {
        let of_purchases = match purchases {
            PurchaseFit::BgNbd(fit) => {
                drawn(fit.posterior(&BgNbdModel.likelihood(patterns, unit), options, progress)?)
            }
            PurchaseFit::MbgNbd(fit) => {
                drawn(fit.posterior(&MbgNbdModel.likelihood(patterns, unit), options, progress)?)
            }
            PurchaseFit::ParetoNbd(fit) => {
                drawn(fit.posterior(&ParetoNbdModel.likelihood(patterns, unit), options, progress)?)
            }
            PurchaseFit::Nbd(fit) => {
                drawn(fit.posterior(&NbdModel.likelihood(patterns, unit), options, progress)?)
            }
        };
        let Some(purchases) = of_purchases else { return Ok(None) };
        let spend = match spend {
            Some((fit, orders, means)) if fit.params.is_some() => {
                let likelihood = GammaGammaModel.likelihood(orders, means)?;
                drawn(fit.posterior(&likelihood, options, progress)?)
            }
            _ => None,
        };
        Ok(Some(Draws { seed: options.seed, purchases, spend }))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.purchases.parameters.values().next().map_or(0, Vec::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The reports of both models.
    pub fn reports(&self) -> impl Iterator<Item = &PosteriorReport> {
        std::iter::once(&self.purchases).chain(&self.spend).map(|drawn| &drawn.report)
    }

    /// What a reader of intervals that rest on them has to know; empty when all is well.
    pub fn warnings(&self) -> Vec<String> {
        self.reports().flat_map(PosteriorReport::warnings).collect()
    }

    /// Whether intervals that rest on them can be trusted.
    pub fn are_trusted(&self) -> bool {
        self.reports().all(|report| report.trust != Trust::Poor)
    }

    /// The models of purchases, one a draw; why there are none, for a file that somebody edited.
    ///
    /// # Errors
    /// The problem in words.
    pub fn purchase_models(
        &self,
        name: ModelName,
        unit: Unit,
    ) -> Result<Vec<Box<dyn PurchaseModel>>, String> {
        let rows = self.purchases.rows(parameter_names(name))?;
        rows.iter()
            .map(|natural| with_parameters(name, natural, unit).ok_or_else(|| wrong(name.title())))
            .collect()
    }

    /// The parameters of the model of purchases in each draw.
    ///
    /// # Errors
    /// The problem in words.
    pub fn purchase_parameters(
        &self,
        name: ModelName,
        unit: Unit,
    ) -> Result<Vec<PurchaseParameters>, String> {
        let rows = self.purchases.rows(parameter_names(name))?;
        rows.iter()
            .map(|natural| parameters(name, natural, unit).ok_or_else(|| wrong(name.title())))
            .collect()
    }

    /// The models of spend, one a draw, if there are any.
    ///
    /// # Errors
    /// The problem in words.
    pub fn spend_models(&self) -> Result<Option<Vec<GammaGamma>>, String> {
        let Some(drawn) = &self.spend else { return Ok(None) };
        let rows = drawn.rows(GammaGamma::NAMES)?;
        if rows.len() != self.len() {
            return Err(format!("there are {} draws of purchases and {} of spend", self.len(), rows.len()));
        }
        if rows.iter().flatten().any(|value| !(value.is_finite() && *value > 0.0)) {
            return Err(wrong(GammaGamma::MODEL));
        }
        let model = |natural: &Vec<f64>| GammaGamma { p: natural[0], q: natural[1], gamma: natural[2] };
        Ok(Some(rows.iter().map(model).collect()))
    }
}

fn wrong(model: &str) -> String {
    format!("the draws of {model} are not all positive numbers")
}

impl DrawnModel {
    /// The parameters of each draw, in the order of `names`, which must be all there are.
    fn rows(&self, names: &[&str]) -> Result<Vec<Vec<f64>>, String> {
        if let Some(other) = self.parameters.keys().find(|name| !names.contains(&name.as_str())) {
            return Err(format!(
                "there is no parameter \"{other}\" to have draws, only {}",
                names.join(", ")
            ));
        }
        let columns: Vec<&Vec<f64>> = names
            .iter()
            .map(|name| self.parameters.get(*name).ok_or(format!("the draws of \"{name}\" are missing")))
            .collect::<Result<_, _>>()?;
        let draws = columns[0].len();
        if draws == 0 || columns.iter().any(|column| column.len() != draws) {
            return Err(format!("there are not as many draws of each of {}", names.join(", ")));
        }
        for (name, column) in names.iter().zip(&columns) {
            let (low, high) = if *name == "gamma" { MONEY_BOUNDS } else { BOUNDS };
            // What is not positive is said by those who make models of them.
            if let Some(value) = column.iter().find(|v| **v > 0.0 && !(low..=high).contains(*v)) {
                return Err(format!(
                    "a draw of \"{name}\" is {value:e}, which is not between {low:e} and {high:e}"
                ));
            }
        }
        Ok((0..draws).map(|i| columns.iter().map(|column| column[i]).collect()).collect())
    }
}

/// A posterior as it is kept.
fn drawn<P: Parametric>(posterior: Option<Posterior<P>>) -> Option<DrawnModel> {
    let posterior = posterior?;
    let rows: Vec<Vec<f64>> = posterior.draws.iter().map(P::natural).collect();
    let column = |i: usize| rows.iter().map(|row| row[i]).collect();
    let parameters = P::NAMES.iter().enumerate().map(|(i, name)| (name.to_string(), column(i))).collect();
    Some(DrawnModel { report: posterior.report, parameters })
}
