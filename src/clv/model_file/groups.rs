//! A model of purchases by group as a file: the parameters of each group, those at the groups' mean, and the fit of all.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{self, Document, Kind, bad};
use super::part::{BOUNDS, Part, SpendName, natural, part};
use super::spend::{FittedMoney, kept, money_of, spend_model};
use super::{FittedTo, no_model, purchase_model, unusable};
use crate::calendar::Unit;
use crate::clv::family::{ModelName, PurchaseFit, parameter_names, with_parameters};
use crate::clv::gamma_gamma::GammaGamma;
use crate::clv::grouped::GroupedReport;
use crate::clv::model::{Fit, Parameter, PurchaseModel};
use crate::customers::Money;
use crate::error::{Error, Result};

/// Parameters by their names in the literature.
type Parameters = BTreeMap<String, f64>;

/// A fitted model of purchases by group, and one of spend for all of them, as they are kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupsFile {
    /// What it was fitted to.
    pub fitted_to: FittedTo,
    /// The customers' column that names the groups.
    pub column: String,
    /// The model of purchases of all customers together, for readers: customers of a group that is not known have the
    /// groups' mean.
    pub purchases: Part<ModelName>,
    /// The parameters at the groups' mean.
    pub mean: Parameters,
    /// The pooled parameters of each group that has usable ones.
    pub groups: BTreeMap<String, Parameters>,
    /// What the pooling said of itself, without the fits of single groups: for readers; nothing is computed from it.
    pub pooling: Value,
    /// The model of spend, where the customers had money and it could be fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Part<SpendName>>,
    /// Which money that is; `monetary_value` unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<FittedMoney>,
}

/// The models in a file of groups.
pub struct GroupModels {
    /// The groups' models, and last the one at their mean.
    pub models: Vec<Box<dyn PurchaseModel>>,
    /// The place of each group's model.
    pub places: BTreeMap<String, u32>,
}

impl GroupModels {
    /// The place of the model at the groups' mean.
    pub fn mean(&self) -> u32 {
        self.models.len() as u32 - 1
    }
}

impl GroupsFile {
    /// The file of a fit by group, and of a fit of spend if it is usable.
    ///
    /// # Errors
    /// [`Error::Value`] if all customers together have no usable fit, on which everything rests, or parameters are out of
    /// all bounds.
    pub fn new(
        column: &str,
        whole: &PurchaseFit,
        groups: &GroupedReport,
        spend: Option<(&Fit<GammaGamma>, &FittedMoney)>,
        fitted_to: FittedTo,
    ) -> Result<GroupsFile> {
        if whole.model().is_none() || groups.mean.is_empty() {
            return Err(unusable(whole));
        }
        let named = |parameters: &[Parameter]| -> Parameters {
            parameters.iter().map(|p| (p.name.to_string(), p.estimate)).collect()
        };
        let (spend, money) = kept(spend)?;
        let file = GroupsFile {
            fitted_to,
            column: column.to_string(),
            purchases: part(whole.name(), whole.report())?,
            mean: named(&groups.mean),
            groups: (groups.groups.iter())
                .filter(|group| group.verdict.is_usable() && !group.parameters.is_empty())
                .map(|group| (group.name.clone(), named(&group.parameters)))
                .collect(),
            pooling: pooling(groups)?,
            spend,
            money,
        };
        file.check().map_err(|problem| no_model(whole.name().title(), problem))?;
        Ok(file)
    }

    /// The file as it is written.
    pub fn document(&self) -> Document<'_, GroupsFile> {
        Document::new(Kind::PurchasesByGroup, self)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As for [`super::ModelFile::read`].
    pub fn read(path: &Path) -> Result<GroupsFile> {
        let name = path.display().to_string();
        let (kind, value) = document::open(&name, &document::read(path)?)?;
        kind.expect(Kind::PurchasesByGroup, &name)?;
        GroupsFile::from_value(&name, value)
    }

    pub(super) fn from_value(name: &str, value: Value) -> Result<GroupsFile> {
        let file: GroupsFile =
            serde_json::from_value(value).map_err(|e| bad(name, format!("it says what cannot be: {e}")))?;
        file.check().map_err(|problem| bad(name, problem))?;
        Ok(file)
    }

    fn check(&self) -> Result<(), String> {
        purchase_model(&self.purchases)?;
        self.models()?;
        self.spend_model().map(|_| ())
    }

    /// The groups' models; why there are none, for a file that somebody edited.
    ///
    /// # Errors
    /// The problem in words.
    pub fn models(&self) -> Result<GroupModels, String> {
        let Part { model, unit, .. } = self.purchases;
        let unit = unit.ok_or("\"unit\" of the model of purchases is missing")?;
        let mut out = GroupModels { models: Vec::new(), places: BTreeMap::new() };
        for (place, (name, parameters)) in (0..).zip(&self.groups) {
            let of_group = |problem: String| format!("group \"{name}\": {problem}");
            out.models.push(one(model, parameters, unit).map_err(of_group)?);
            out.places.insert(name.clone(), place);
        }
        out.models.push(one(model, &self.mean, unit).map_err(|problem| format!("\"mean\": {problem}"))?);
        Ok(out)
    }

    /// Which money the model of spend is about, if there is one.
    pub fn money(&self) -> Option<Money> {
        money_of(self.spend.as_ref(), self.money.as_ref())
    }

    /// The model of spend, if it has one.
    ///
    /// # Errors
    /// The problem in words.
    pub fn spend_model(&self) -> Result<Option<GammaGamma>, String> {
        spend_model(self.spend.as_ref(), self.money.as_ref())
    }
}

fn one(model: ModelName, parameters: &Parameters, unit: Unit) -> Result<Box<dyn PurchaseModel>, String> {
    let natural = natural(parameters, parameter_names(model), |_| BOUNDS)?;
    with_parameters(model, &natural, unit)
        .ok_or_else(|| format!("the parameters of {} are not all positive numbers", model.title()))
}

/// The report of the pooling; of each group's own fit, its verdict and log-likelihood are enough.
fn pooling(groups: &GroupedReport) -> Result<Value> {
    let mut value = serde_json::to_value(groups).map_err(|e| Error::internal("writing a model", e))?;
    for group in value["groups"].as_array_mut().into_iter().flatten() {
        if let Some(own) = group["own"].as_object_mut() {
            own.retain(|key, _| {
                ["parameters", "log_likelihood", "verdict", "warnings"].contains(&key.as_str())
            });
        }
    }
    Ok(value)
}
