//! All integration tests in one binary, so that the library is linked once.
#![allow(missing_docs)]

mod bad_input;
mod cli;
mod columns;
mod determinism;
mod golden;
mod house;
mod strategies;
mod support;
