//! All integration tests in one binary, so that the library is linked once.
#![allow(missing_docs)]

mod bad_input;
mod bench;
mod cli;
mod cohorts;
mod columns;
mod convert;
mod determinism;
mod files;
mod golden;
mod groups;
mod house;
mod limits;
mod lists;
mod models;
mod sources;
mod state;
mod strategies;
mod support;
mod synth;
mod validate;
