//! Futures against closed forms, and what no strategy may ever do.

mod closed_forms;
mod coupling;
mod evaluator;
mod scenario;
