//! All integration tests in one binary, so that the library is linked once.
#![allow(missing_docs)]

mod assess;
mod assess_worlds;
mod bad_input;
mod bench;
mod cli;
mod cohorts;
mod columns;
mod contracts;
mod convert;
mod determinism;
mod files;
mod futures;
mod golden;
mod grading;
mod groups;
mod groups_beside;
mod house;
mod intervals;
mod learn;
mod limits;
mod lists;
mod model_choice;
mod model_inputs;
mod models;
mod opportunities;
mod shop;
mod sources;
mod state;
mod strategies;
mod support;
mod synth;
mod tiers;
mod validate;
