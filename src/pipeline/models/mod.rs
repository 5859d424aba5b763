//! Models fitted to a file of customers, and a file of customers scored by a model.

mod fit;
mod score;

pub use fit::{Fitted, fit_customers};
pub use score::{Scored, score_customers};
