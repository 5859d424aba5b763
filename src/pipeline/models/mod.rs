//! Models fitted to a file of customers, and a file of customers scored by a model; the same for survivors of contracts
//! and for histories as rows of opportunities.

mod contracts;
mod fit;
mod intervals;
mod opportunities;
mod score;
mod totals;

pub use contracts::{FittedCohort, FittedContract, fit_cohorts, forecast_cohorts, read_cohorts};
pub use fit::{Fitted, fit_customers};
pub use intervals::{GroupTotal, IntervalOptions, Intervals, predict_customers};
pub use opportunities::{
    FittedOpportunities, OpportunityOptions, ScoredOpportunities, fit_opportunities, score_opportunities,
};
pub use score::{Scored, score_customers};
pub use totals::totals_csv;
