//! Models fitted to a file of customers, and a file of customers scored by a model; the same for survivors of contracts
//! and for histories as rows of opportunities.

mod contracts;
mod covariates;
mod fit;
mod groups;
mod intervals;
mod opportunities;
mod score;
mod totals;

pub use contracts::{FittedCohort, FittedContract, fit_cohorts, forecast_cohorts, read_cohorts};
pub use covariates::{CovariateColumns, FittedCovariates, fit_customers_with};
pub use fit::{Fitted, fit_customers};
pub use groups::{FittedGroups, NO_GROUP, fit_customers_by};
pub use intervals::{GroupTotal, IntervalOptions, Intervals, predict_customers};
pub use opportunities::{
    FittedOpportunities, OpportunityOptions, ScoredOpportunities, fit_opportunities, score_opportunities,
};
pub(super) use score::check_money;
pub use score::{Scored, score_customers};
pub use totals::totals_csv;

use crate::customers::StatisticsFile;
use crate::error::{Error, Result};

/// Refuses a file of which no row has statistics: nothing can be said of anybody's differences.
fn check_customers(file: &StatisticsFile, customers: usize) -> Result<()> {
    if customers > 0 {
        return Ok(());
    }
    Err(Error::Document {
        file: file.path().display().to_string(),
        problem: format!("its {} rows are all prospects, without frequency, recency and T", file.rows()),
        remedy: "give a table with customers".to_string(),
    })
}

/// Refuses a column of statistics as a group or a covariate: it is what the model explains.
fn refuse_outcome(file: &StatisticsFile, option: &str, name: &str) -> Result<()> {
    let outcomes = ["frequency", "recency", "monetary_value", "T"];
    let money = file.money().map(|money| money.column.as_str());
    if !outcomes.into_iter().chain(money).any(|outcome| outcome.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    let problem = "it is one of the statistics that the models explain";
    Err(Error::value(option, name, problem, "name what was known of a customer from the start"))
}
