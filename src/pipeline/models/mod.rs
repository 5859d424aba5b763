//! Models fitted to a file of customers, and a file of customers scored by a model.

mod covariates;
mod fit;
mod groups;
mod score;

pub use covariates::{CovariateColumns, FittedCovariates, fit_customers_with};
pub use fit::{Fitted, fit_customers};
pub use groups::{FittedGroups, NO_GROUP, fit_customers_by};
pub use score::{Scored, score_customers};

use crate::error::{Error, Result};

/// Refuses a column of statistics as a group or a covariate: it is what the model explains.
fn refuse_outcome(option: &str, name: &str) -> Result<()> {
    let outcomes = ["frequency", "recency", "monetary_value", "T"];
    if !outcomes.iter().any(|outcome| outcome.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    let problem = "it is one of the statistics that the models explain";
    Err(Error::value(option, name, problem, "name what was known of a customer from the start"))
}
