//! Draws of a model's parameters in a file: a column for each parameter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::part::BOUNDS;
use crate::clv::model::Parametric;
use crate::clv::uncertainty::Posterior;
use crate::error::{Error, Result};

/// Draws of the parameters from their likelihood, equally likely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// What they were drawn with.
    pub seed: u64,
    /// What there is to say about them: for readers.
    pub report: Value,
    /// What a reader of intervals has to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The draws by the parameters' names in the literature.
    pub draws: BTreeMap<String, Vec<f64>>,
}

impl Drawn {
    /// Of a posterior drawn with a seed.
    ///
    /// # Errors
    /// [`Error::Internal`] for a defect.
    pub fn new<P: Parametric>(posterior: &Posterior<P>, seed: u64) -> Result<Drawn> {
        let report =
            serde_json::to_value(&posterior.report).map_err(|e| Error::internal("writing a model", e))?;
        let natural: Vec<Vec<f64>> = posterior.draws.iter().map(Parametric::natural).collect();
        let column = |i: usize| natural.iter().map(|draw| draw[i]).collect();
        let draws = P::NAMES.iter().enumerate().map(|(i, name)| (name.to_string(), column(i))).collect();
        Ok(Drawn { seed, report, warnings: posterior.report.warnings(), draws })
    }

    /// Each draw's parameters in the order of `names`, which must be all there are.
    ///
    /// # Errors
    /// The problem in words.
    pub(super) fn natural(&self, names: &[&str]) -> Result<Vec<Vec<f64>>, String> {
        if let Some(other) = self.draws.keys().find(|name| !names.contains(&name.as_str())) {
            return Err(format!("there are draws of \"{other}\", which is no parameter of the model"));
        }
        let column = |name: &&str| {
            let values = self.draws.get(*name).ok_or(format!("the draws of \"{name}\" are missing"))?;
            match values.iter().find(|value| !(BOUNDS.0..=BOUNDS.1).contains(*value)) {
                Some(value) => Err(format!(
                    "a draw of \"{name}\" is {value:e}, which is not between {:e} and {:e}",
                    BOUNDS.0, BOUNDS.1
                )),
                None => Ok(values),
            }
        };
        let columns: Vec<&Vec<f64>> = names.iter().map(column).collect::<Result<_, String>>()?;
        let draws = columns.first().map_or(0, |column| column.len());
        if draws == 0 || columns.iter().any(|column| column.len() != draws) {
            return Err("there are not as many draws of each parameter, or none".to_string());
        }
        Ok((0..draws).map(|i| columns.iter().map(|column| column[i]).collect()).collect())
    }
}
