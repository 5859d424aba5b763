//! Models fitted to a file of customers, and a file of customers scored by a model.

mod fit;
mod intervals;
mod score;
mod totals;

pub use fit::{Fitted, fit_customers};
pub use intervals::{GroupTotal, IntervalOptions, Intervals, predict_customers};
pub use score::{Scored, score_customers};
pub use totals::totals_csv;
